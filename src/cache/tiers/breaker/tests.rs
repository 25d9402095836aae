//! The breaker's states, one story each. Nothing here waits: time that was waited is a number.

use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn breaker(change: impl FnOnce(&mut TierSettings)) -> Arc<Breaker> {
    let mut settings = TierSettings { timeout: Some(Duration::from_secs(10)), ..TierSettings::default() };
    settings.cool_down = LONG;
    change(&mut settings);
    Arc::new(Breaker::new(&settings))
}

fn pass(breaker: &Arc<Breaker>) -> Pass {
    match breaker.admit() {
        Admission::Granted(pass) => pass,
        _ => panic!("it is left alone"),
    }
}

fn is_left(breaker: &Arc<Breaker>) -> bool {
    matches!(breaker.admit(), Admission::Left)
}

fn refused() -> Fault {
    Fault::Refused("no".into())
}

fn waited(waited: Duration) -> Wait {
    Wait { waited, idle: waited, bytes: 0 }
}

#[test]
fn failures_in_a_row_open_it_and_one_success_forgives_them() {
    let breaker = breaker(|_| {});
    let none = Wait::default();
    assert_eq!(pass(&breaker).fail(&refused(), &none), None);
    assert_eq!(pass(&breaker).fail(&refused(), &none), None);
    pass(&breaker).succeed();
    assert_eq!(pass(&breaker).fail(&refused(), &none), None);
    assert_eq!(pass(&breaker).fail(&refused(), &none), None);
    let late = pass(&breaker);
    assert_eq!(pass(&breaker).fail(&refused(), &none).as_deref(), Some("no"));
    assert!(is_left(&breaker));
    assert_eq!(late.fail(&refused(), &none), None, "it is told once");
}

#[test]
fn a_silent_tier_opens_it_at_once_and_calls_back_all_who_wait() {
    let breaker = breaker(|_| {});
    let (first, other) = (pass(&breaker), pass(&breaker));
    let ten = waited(Duration::from_secs(10));
    let Err(fault) = first.bear(&ten) else { panic!("it waits on") };
    assert_eq!(other.bear(&waited(Duration::from_secs(9))), Ok(()));
    assert_eq!(first.fail(&fault, &ten).as_deref(), Some("no answer within 10.0 s"));
    assert_eq!(other.bear(&waited(Duration::from_secs(9))), Err(Fault::Left));
}

#[test]
fn a_tier_that_answers_others_meanwhile_is_not_silent() {
    let breaker = breaker(|_| {});
    let (stuck, fine) = (pass(&breaker), pass(&breaker));
    fine.hear();
    assert_eq!(stuck.fail(&Fault::TimedOut(LONG), &waited(Duration::from_secs(10))), None);
    assert_eq!(fine.bear(&Wait::default()), Ok(()));
}

#[test]
fn an_operation_may_last_as_long_as_it_keeps_its_pace() {
    let breaker = breaker(|settings| settings.pace = 1000);
    let pass = pass(&breaker);
    let after = |seconds, bytes| Wait { waited: Duration::from_secs(seconds), idle: Duration::ZERO, bytes };
    assert_eq!(pass.bear(&after(9, 0)), Ok(()));
    assert!(pass.bear(&after(10, 0)).is_err());
    assert_eq!(pass.bear(&after(109, 100_000)), Ok(()));
    assert!(pass.bear(&after(110, 100_000)).is_err());
    let stuck = Wait { idle: Duration::from_secs(10), ..after(20, u64::MAX) };
    assert!(pass.bear(&stuck).is_err(), "what has come before excuses no silence");
}

#[test]
fn what_several_lose_at_the_same_time_counts_once_and_ends_with_the_budget() {
    let breaker = breaker(|settings| (settings.failures, settings.budget) = (1000, Some(Duration::from_secs(15))));
    let eight: Vec<_> = (0..8).map(|_| pass(&breaker)).collect();
    pass(&breaker).hear();
    eight.iter().for_each(|pass| assert_eq!(pass.fail(&refused(), &waited(Duration::from_millis(1))), None));
    let last = pass(&breaker);
    let left = last.limit().unwrap();
    assert!(left > Duration::from_secs(9) && left <= Duration::from_secs(10), "{left:?}");
    let state = breaker.state().spent;
    assert!(state < Duration::from_secs(1), "{state:?}");
    breaker.state().spent = Duration::from_secs(14);
    assert!(pass(&breaker).limit().unwrap() <= Duration::from_secs(1), "nobody waits longer than the budget");
    breaker.state().spent = Duration::from_secs(15);
    assert_eq!(last.fail(&refused(), &Wait::default()).as_deref(), Some("no"));
    assert_eq!(last.bear(&Wait::default()), Err(Fault::Left));
    breaker.probed(true);
    assert!(is_left(&breaker), "nothing brings it back in this run");
    breaker.renew();
    pass(&breaker);
}

#[test]
fn it_is_asked_again_by_one_probe_that_nobody_waits_for() {
    let breaker = breaker(|settings| (settings.failures, settings.cool_down) = (2, Duration::ZERO));
    let none = Wait::default();
    assert_eq!(pass(&breaker).fail(&refused(), &none), None);
    assert!(pass(&breaker).fail(&refused(), &none).is_some());
    assert!(matches!(breaker.admit(), Admission::Probe));
    assert!(is_left(&breaker), "one probe is enough");
    breaker.probed(false);
    assert!(matches!(breaker.admit(), Admission::Probe));
    breaker.probed(true);
    assert_eq!(pass(&breaker).fail(&refused(), &none), None, "told before");
    assert!(!breaker.is_closed(), "it was on approval");
    assert!(matches!(breaker.admit(), Admission::Probe));
    breaker.probed(true);
    pass(&breaker).succeed();
    assert_eq!(pass(&breaker).fail(&refused(), &none), None);
    assert!(breaker.is_closed(), "it has proved itself");
}

#[test]
fn a_tier_without_a_time_limit_costs_no_budget() {
    let breaker = breaker(|settings| settings.timeout = None);
    let pass = pass(&breaker);
    assert_eq!((pass.limit(), pass.bear(&waited(LONG))), (None, Ok(())));
    assert_eq!(pass.fail(&refused(), &waited(LONG)), None);
    assert!(breaker.is_closed());
}
