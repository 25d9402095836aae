//! The schedule: which task may start next. Pure: workers ask it and tell it, it never waits.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::Plan;

/// Where a task stands in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Waits for this many upstreams to succeed.
    Blocked(usize),
    /// All upstreams have succeeded; waits for a worker and for its sequences.
    Ready,
    /// A worker has it.
    Running,
    /// It succeeded.
    Done,
    /// It failed.
    Failed,
    /// It will not start: an upstream failed, or the run was cancelled.
    Skipped,
}

impl Stand {
    /// Where it is counted: blocked, ready, running, ended.
    fn column(self) -> usize {
        match self {
            Stand::Blocked(_) => 0,
            Stand::Ready => 1,
            Stand::Running => 2,
            Stand::Done | Stand::Failed | Stand::Skipped => 3,
        }
    }
}

/// Decides the order of a run: tasks become ready when their upstreams are done, the one with the longest remaining
/// path goes first, and tasks that share a sequence never run at once.
#[derive(Debug)]
pub(crate) struct Schedule<'p> {
    plan: &'p Plan<'p>,
    stands: Vec<Stand>,
    /// Length of the longest path from a task to the end, its own duration included.
    remaining: Vec<Duration>,
    /// A view of `stands`, kept by `set`: the ready tasks, most urgent last.
    ready: BTreeSet<(Duration, std::cmp::Reverse<usize>)>,
    /// A view of `stands`, kept by `set`: the sequences that running tasks hold.
    held: HashSet<&'p str>,
    /// A view of `stands`, kept by `set`: how many are blocked, ready, running and ended.
    counts: [usize; 4],
}

/// The duration that a task counts for when none is recorded: enough that longer chains go first.
const UNKNOWN: Duration = Duration::from_secs(1);

impl<'p> Schedule<'p> {
    /// A schedule of a whole plan. `duration` tells how long a task took last time.
    pub(crate) fn new(plan: &'p Plan<'p>, duration: impl Fn(&str) -> Option<Duration>) -> Self {
        let count = plan.tasks().len();
        let mut schedule = Self {
            plan,
            stands: plan.tasks().iter().map(|task| Stand::Blocked(task.upstreams().len())).collect(),
            remaining: remaining(plan, duration),
            ready: BTreeSet::new(),
            held: HashSet::new(),
            counts: [count, 0, 0, 0],
        };
        (0..count).for_each(|position| _ = schedule.unblock(position));
        schedule
    }

    /// The most urgent task that may start now; it counts as running from here on.
    pub(crate) fn start(&mut self) -> Option<usize> {
        let free = |&&(_, std::cmp::Reverse(position)): &&(Duration, std::cmp::Reverse<usize>)| {
            self.sequences(position).all(|group| !self.held.contains(group))
        };
        let position = self.ready.iter().rev().find(free)?.1.0;
        self.set(position, Stand::Running);
        Some(position)
    }

    /// A task succeeded, or has nothing to do: its downstreams come nearer to their start. Returns those that became
    /// ready.
    pub(crate) fn succeed(&mut self, position: usize) -> Vec<usize> {
        self.set(position, Stand::Done);
        let plan = self.plan;
        let mut ready = Vec::new();
        for downstream in plan.tasks()[position].downstreams().iter().copied() {
            if let Stand::Blocked(waiting) = self.stands[downstream] {
                self.set(downstream, Stand::Blocked(waiting.saturating_sub(1)));
                ready.extend(self.unblock(downstream));
            }
        }
        ready
    }

    /// The tasks that may start before any other has ended.
    pub(crate) fn roots(&self) -> Vec<usize> {
        (0..self.stands.len()).filter(|position| self.stands[*position] == Stand::Ready).collect()
    }

    /// How many tasks are blocked, ready, running and ended.
    pub(crate) fn counts(&self) -> [usize; 4] {
        self.counts
    }

    /// A running task failed: everything downstream of it is skipped. Returns what was skipped.
    pub(crate) fn fail(&mut self, position: usize) -> Vec<usize> {
        self.set(position, Stand::Failed);
        let mut skipped = Vec::new();
        let mut queue = vec![position];
        while let Some(position) = queue.pop() {
            for downstream in self.plan.tasks()[position].downstreams() {
                if matches!(self.stands[*downstream], Stand::Blocked(_)) {
                    self.set(*downstream, Stand::Skipped);
                    skipped.push(*downstream);
                    queue.push(*downstream);
                }
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Skips everything that has not started. Returns what was skipped.
    pub(crate) fn cancel(&mut self) -> Vec<usize> {
        let waiting = |position: &usize| matches!(self.stands[*position], Stand::Blocked(_) | Stand::Ready);
        let skipped: Vec<_> = (0..self.stands.len()).filter(waiting).collect();
        skipped.iter().for_each(|position| self.set(*position, Stand::Skipped));
        skipped
    }

    /// Whether nothing runs and nothing will.
    pub(crate) fn is_finished(&self) -> bool {
        self.counts[Stand::Done.column()] == self.stands.len()
    }

    /// The upstream whose failure (or skipping) keeps `position` from starting.
    pub(crate) fn blocked_by(&self, position: usize) -> Option<usize> {
        let mut upstreams = self.plan.tasks()[position].upstreams().iter().copied();
        upstreams.find(|upstream| matches!(self.stands[*upstream], Stand::Failed | Stand::Skipped))
    }

    /// Makes a task ready that waits for nothing any more.
    fn unblock(&mut self, position: usize) -> Option<usize> {
        let free = self.stands[position] == Stand::Blocked(0);
        free.then(|| self.set(position, Stand::Ready)).map(|()| position)
    }

    /// The only place where a stand changes.
    fn set(&mut self, position: usize, stand: Stand) {
        let before = std::mem::replace(&mut self.stands[position], stand);
        let urgency = (self.remaining[position], std::cmp::Reverse(position));
        let plan = self.plan;
        let sequences = plan.tasks()[position].task().sequences.iter().map(String::as_str);
        match before {
            Stand::Ready => _ = self.ready.remove(&urgency),
            Stand::Running => sequences.clone().for_each(|group| _ = self.held.remove(group)),
            _ => {}
        }
        match stand {
            Stand::Ready => _ = self.ready.insert(urgency),
            Stand::Running => self.held.extend(sequences),
            Stand::Blocked(_) | Stand::Done | Stand::Failed | Stand::Skipped => {}
        }
        self.counts[before.column()] -= 1;
        self.counts[stand.column()] += 1;
    }

    fn sequences(&self, position: usize) -> impl Iterator<Item = &'p str> + use<'p> {
        self.plan.tasks()[position].task().sequences.iter().map(String::as_str)
    }
}

fn remaining(plan: &Plan<'_>, duration: impl Fn(&str) -> Option<Duration>) -> Vec<Duration> {
    let mut remaining = vec![Duration::ZERO; plan.tasks().len()];
    for (position, task) in plan.tasks().iter().enumerate().rev() {
        let after = task.downstreams().iter().map(|downstream| remaining[*downstream]).max().unwrap_or_default();
        remaining[position] = after + duration(task.name()).unwrap_or(UNKNOWN);
    }
    remaining
}

#[cfg(test)]
mod tests {
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
        let mut schedule = Schedule::new(&plan, slow);
        assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("slow"), Some("head")]);
        assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("short"), None]);
        schedule.succeed(plan.position("head").unwrap());
        assert_eq!(start(&mut schedule), Some("tail"));
    }

    #[test]
    fn tasks_of_one_sequence_never_run_at_once() {
        let project = project(&[("a", &[], &["db", "net"]), ("b", &[], &["db"]), ("c", &[], &["net"])]);
        let plan = plan(&project);
        let mut schedule = Schedule::new(&plan, |_| None);
        assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("a"), None]);
        schedule.succeed(plan.position("a").unwrap());
        assert_eq!([start(&mut schedule), start(&mut schedule)], [Some("b"), Some("c")]);
    }

    #[test]
    fn a_failure_skips_all_that_is_downstream_and_nothing_else() {
        let project = project(&[("a", &[], &[]), ("b", &["a"], &[]), ("c", &["b"], &[]), ("d", &[], &[])]);
        let plan = plan(&project);
        let mut schedule = Schedule::new(&plan, |_| None);
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
        let mut schedule = Schedule::new(&plan, |_| None);
        assert_eq!(start(&mut schedule), Some("a"));
        assert_eq!(schedule.cancel().len(), 2);
        assert!(!schedule.is_finished());
        schedule.fail(plan.position("a").unwrap());
        assert!(schedule.is_finished());
    }
}
