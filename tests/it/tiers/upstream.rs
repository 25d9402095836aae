//! The upstream: a tier that is asked for objects one by one, and left alone while it does not answer.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cortado::{Kept, Miss, Put, Tier, TierMode, Upstream};

use super::{Manner, Spy, far, gate, hasty};

/// What was told of a tier.
type Told = Arc<Mutex<Vec<Option<String>>>>;

fn upstream(tier: Tier) -> (Upstream, Told) {
    let told = Told::default();
    let telling = told.clone();
    let tell = move |problem: Option<&str>| telling.lock().unwrap().push(problem.map(str::to_owned));
    (Upstream::new(tier).observe(tell), told)
}

fn bring(upstream: &Upstream, name: &str) -> Result<Vec<u8>, Miss> {
    let take = |content: &mut (dyn io::Read + Send), _| {
        let mut bytes = Vec::new();
        Ok(content.read_to_end(&mut bytes).map(|_| bytes)?)
    };
    upstream.bring(name, take).unwrap()
}

fn offer(upstream: &Upstream, name: &str) -> Kept {
    upstream.offer(name, &b"beans"[..], &Put::default())
}

#[test]
fn what_was_offered_is_brought_until_it_is_removed() {
    let spy = Spy::new();
    for tier in [far("team", &spy), super::near("team", &spy)] {
        let (team, told) = upstream(tier);
        assert_eq!((bring(&team, "a"), offer(&team, "a")), (Err(Miss::Absent), Kept::Stored));
        assert_eq!((offer(&team, "a"), bring(&team, "a")), (Kept::Present, Ok(b"beans".to_vec())));
        assert_eq!((team.remove("a"), team.remove("a")), (Ok(true), Ok(false)));
        assert!(told.lock().unwrap().is_empty());
    }
}

#[test]
fn what_the_tier_is_not_used_for_it_is_not_asked() {
    let spy = Spy::new();
    let (reads, _) = upstream(far("team", &spy).mode(TierMode::Read));
    assert_eq!((offer(&reads, "a"), reads.remove("a")), (Kept::Disabled, Err(Miss::Disabled)));
    let (writes, _) = upstream(far("team", &spy).mode(TierMode::Write));
    assert_eq!(bring(&writes, "a"), Err(Miss::Disabled));
    assert_eq!(spy.all_asked(), 0);
}

#[test]
fn a_tier_that_refuses_is_left_alone_and_asked_again() {
    let spy = Spy::new();
    let (team, told) = upstream(far("team", &spy).breaker(2, Duration::ZERO));
    offer(&team, "a");
    spy.behaves(Manner::Fails(io::ErrorKind::ConnectionRefused));
    for _ in 0..5 {
        assert!(bring(&team, "a").is_err());
    }
    spy.behaves(Manner::Good);
    while bring(&team, "a").is_err() {
        std::thread::yield_now(); // somebody finds out that it answers again
    }
    let told: Vec<_> = told.lock().unwrap().iter().map(Option::is_some).collect();
    assert_eq!(told, [true, false], "once each");
}

#[test]
fn a_silent_tier_costs_its_time_out_once_however_long_the_server_runs() {
    let spy = Spy::new();
    let (team, told) = upstream(hasty("team", &spy).breaker(3, Duration::from_secs(3600)));
    let (gate, _open) = gate();
    spy.behaves(Manner::Hangs(gate));
    assert_eq!(
        (bring(&team, "a"), bring(&team, "a"), offer(&team, "a")),
        (Err(Miss::TimedOut), Err(Miss::Skipped), Kept::Skipped)
    );
    assert_eq!((spy.asked("get"), told.lock().unwrap().len()), (1, 1));
}

#[test]
fn a_tier_that_says_no_is_well() {
    let spy = Spy::new();
    let (team, told) = upstream(far("team", &spy).breaker(1, Duration::from_secs(3600)));
    spy.behaves(Manner::Fails(io::ErrorKind::InvalidInput));
    assert!(matches!(bring(&team, "a~b"), Err(Miss::Failed(_))) && matches!(offer(&team, "a~b"), Kept::Failed(_)));
    spy.behaves(Manner::FailsWhenPut(io::ErrorKind::PermissionDenied));
    assert!(matches!(offer(&team, "b"), Kept::Failed(_)));
    spy.behaves(Manner::Good);
    assert_eq!((bring(&team, "a"), told.lock().unwrap().len()), (Err(Miss::Absent), 0));
}

#[test]
fn what_breaks_off_is_the_tiers_fault_and_the_rest_is_not() {
    let spy = Spy::new();
    let (team, _) = upstream(far("team", &spy));
    offer(&team, "a");
    let full = || -> anyhow::Result<()> { Err(io::Error::from(io::ErrorKind::StorageFull).into()) };
    assert!(team.bring("a", |_, _| full()).is_err());
    spy.behaves(Manner::Breaks);
    let take = |content: &mut (dyn io::Read + Send), _| Ok(content.read_to_end(&mut Vec::new())?);
    assert!(matches!(team.bring("a", take).unwrap(), Err(Miss::Failed(_))));
}
