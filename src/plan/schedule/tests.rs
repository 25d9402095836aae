//! The schedule: order, sequences, errands, failures.

use super::*;
use crate::model::{Project, Task};
use crate::plan::{Graph, Inputs};

/// A project of virtual tasks, each with its upstreams and sequences.
fn project(tasks: &[(&str, &[&str], &[&str])]) -> Project {
    let task = |(name, upstreams, sequences): &(&str, &[&str], &[&str])| {
        let task = upstreams.iter().fold(Task::new(*name).virtual_task(true), |task, up| task.depends_on(*up));
        sequences.iter().fold(task, |task, group| task.sequence(*group))
    };
    Project::new("p").install_dir("/o").work_dir("/w").tasks(tasks.iter().map(task)).build().unwrap()
}

fn plan(project: &Project) -> Plan<'_> {
    let graph = Graph::new(project).unwrap();
    Plan::new(&graph, &graph.select(&[] as &[&str]).unwrap(), Inputs::default()).unwrap()
}

fn start<'p>(schedule: &mut Schedule<'p>) -> Option<&'p str> {
    let plan = schedule.plan;
    schedule.start().map(|position| plan.tasks()[position].name())
}

#[test]
fn the_longest_remaining_path_goes_first() {
    let project = project(&[("short", &[], &[]), ("head", &[], &[]), ("tail", &["head"], &[]), ("slow", &[], &[])]);
    let plan = plan(&project);
    let slow = |name: &str| (name == "slow").then_some(Duration::from_secs(60));
    let mut schedule = Schedule::new(&plan, slow, |_| None);
    assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("slow"), Some("head")]);
    assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("short"), None]);
    schedule.succeed(plan.position("head").unwrap());
    assert_eq!(start(&mut schedule), Some("tail"));
}

#[test]
fn tasks_of_one_sequence_never_run_at_once() {
    let project = project(&[("a", &[], &["db", "net"]), ("b", &[], &["db"]), ("c", &[], &["net"])]);
    let plan = plan(&project);
    let mut schedule = Schedule::new(&plan, |_| None, |_| None);
    assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("a"), None]);
    schedule.succeed(plan.position("a").unwrap());
    assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("b"), Some("c")]);
}

#[test]
fn a_failure_skips_all_that_is_downstream_and_nothing_else() {
    let project = project(&[("a", &[], &[]), ("b", &["a"], &[]), ("c", &["b"], &[]), ("d", &[], &[])]);
    let plan = plan(&project);
    let mut schedule = Schedule::new(&plan, |_| None, |_| None);
    assert_eq!(start(&mut schedule), Some("a"));
    let skipped = schedule.fail(plan.position("a").unwrap());
    assert_eq!(skipped, [plan.position("b").unwrap(), plan.position("c").unwrap()]);
    assert_eq!(schedule.blocked_by(plan.position("c").unwrap()), plan.position("b"));
    assert_eq!(start(&mut schedule), Some("d"));
    schedule.succeed(plan.position("d").unwrap());
    assert!(schedule.is_finished());
}

#[test]
fn cancelling_skips_what_has_not_started() {
    let project = project(&[("a", &[], &[]), ("b", &["a"], &[]), ("c", &[], &[])]);
    let plan = plan(&project);
    let mut schedule = Schedule::new(&plan, |_| None, |_| None);
    assert_eq!(start(&mut schedule), Some("a"));
    assert_eq!(schedule.cancel().len(), 2);
    assert!(!schedule.is_finished());
    schedule.fail(plan.position("a").unwrap());
    assert!(schedule.is_finished());
}

fn send<'p>(schedule: &mut Schedule<'p>, most: usize) -> Option<&'p str> {
    let plan = schedule.plan;
    schedule.send(most).map(|(position, _)| plan.tasks()[position].name())
}

#[test]
fn errands_are_run_in_the_order_in_which_the_plan_needs_them() {
    let project = project(&[("c", &["b"], &[]), ("b", &["a"], &[]), ("a", &[], &[]), ("z", &[], &[])]);
    let plan = plan(&project);
    let mut schedule = Schedule::new(&plan, |_| None, |_| Some(Errand::Artifact));
    assert_eq!(start(&mut schedule), None);
    let order = ["a", "z", "b", "c"].map(|_| send(&mut schedule, 9));
    assert_eq!(order, [Some("a"), Some("z"), Some("b"), Some("c")]);
    let [a, b] = ["a", "b"].map(|name| plan.position(name).unwrap());
    assert_eq!(schedule.arrive(b, Arrival::Artifact), None, "what is here waits for its upstream");
    assert_eq!(schedule.arrive(a, Arrival::Nothing), Some(a));
    assert_eq!(start(&mut schedule), Some("a"));
    assert_eq!(schedule.succeed(a), [b]);
}

#[test]
fn what_nothing_can_be_done_with_yet_is_fetched_up_to_a_bound() {
    let project = project(&[("a", &[], &[]), ("b", &["a"], &[]), ("c", &["b"], &[]), ("d", &["c"], &[])]);
    let plan = plan(&project);
    let errand = |position| (position > 0).then_some(Errand::Artifact);
    let mut schedule = Schedule::new(&plan, |_| None, errand);
    assert_eq!([send(&mut schedule, 1), send(&mut schedule, 1)], [Some("b"), None]);
    let [a, b, c] = ["a", "b", "c"].map(|name| plan.position(name).unwrap());
    schedule.arrive(b, Arrival::Artifact);
    assert_eq!(send(&mut schedule, 1), None, "it takes room until its upstream is done");
    assert_eq!((start(&mut schedule), schedule.succeed(a)), (Some("a"), vec![b]));
    assert_eq!((start(&mut schedule), send(&mut schedule, 1)), (Some("b"), Some("c")));
    schedule.succeed(b);
    assert_eq!(send(&mut schedule, 1), Some("d"), "`c` has no upstream to wait for any more");
    assert_eq!(schedule.arrive(c, Arrival::Artifact), Some(c));
}

#[test]
fn what_keeps_a_worker_waiting_goes_before_what_is_fetched_ahead() {
    let project = project(&[("a", &[], &[]), ("b", &["a"], &[]), ("c", &[], &[])]);
    let plan = plan(&project);
    let mut schedule = Schedule::new(&plan, |_| None, |_| Some(Errand::Artifact));
    let [a, c] = ["a", "c"].map(|name| plan.position(name).unwrap());
    assert_eq!(send(&mut schedule, 9), Some("a"));
    schedule.arrive(a, Arrival::Wants(Errand::Source));
    assert_eq!(schedule.send(9), Some((c, Errand::Artifact)), "a question before a download");
    assert_eq!(schedule.send(9), Some((a, Errand::Source)));
    assert_eq!(send(&mut schedule, 9), Some("b"));
    schedule.fail(a);
    assert_eq!((schedule.errands(), schedule.counts()), (0, [1, 0, 0, 2]), "`c` is still away");
    assert!(!schedule.is_away(plan.position("b").unwrap()));
}

#[test]
fn a_task_whose_artifact_has_to_be_kept_is_not_done_before() {
    let project = project(&[("a", &[], &["db"]), ("b", &["a"], &[]), ("c", &[], &["db"])]);
    let plan = plan(&project);
    let mut schedule = Schedule::new(&plan, |_| None, |_| None);
    let [a, b] = ["a", "b"].map(|name| plan.position(name).unwrap());
    assert_eq!(start(&mut schedule), Some("a"));
    schedule.keep(a);
    assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("c"), None], "its sequence is free");
    assert_eq!(schedule.cancel(), [b]);
    schedule.succeed(a);
    assert!(!schedule.is_finished());
}
