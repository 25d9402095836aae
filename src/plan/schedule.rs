//! The schedule: what may be done next, by workers and by transfer slots. Pure: they ask it and tell it, it never waits.
//! `docs/design/scheduling.md` draws the states.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::Plan;

/// What a transfer slot brings for a task before a worker can take it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Errand {
    /// Its artifact, out of the cache.
    Artifact,
    /// Its source, from wherever that lies.
    Source,
}

/// Where a task stands in a run. A number says for how many upstreams it waits besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Waits for a transfer slot to run an errand.
    Queued(Errand, usize),
    /// A transfer slot runs an errand for it.
    Away(Errand, usize),
    /// Its artifact is here and takes room until it is installed. Never of no upstreams: that is `Ready`.
    Held(usize),
    /// It needs nothing more from afar. Never of no upstreams: that is `Ready`.
    Blocked(usize),
    /// All upstreams have succeeded, all errands are done; waits for a worker and for its sequences.
    Ready,
    /// A worker has it.
    Running,
    /// It is built and installed, and succeeds when its artifact is kept.
    Keeping,
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
            Stand::Queued(..) | Stand::Away(..) | Stand::Held(_) | Stand::Blocked(_) => 0,
            Stand::Ready => 1,
            Stand::Running | Stand::Keeping => 2,
            Stand::Done | Stand::Failed | Stand::Skipped => 3,
        }
    }

    /// For how many upstreams it waits; `None` of a task that waits for none any more.
    fn waits(self) -> Option<usize> {
        match self {
            Stand::Queued(_, count) | Stand::Away(_, count) | Stand::Held(count) | Stand::Blocked(count) => Some(count),
            _ => None,
        }
    }

    /// The same, after one of its upstreams has succeeded.
    fn nearer(self) -> Stand {
        match self {
            Stand::Queued(errand, count) => Stand::Queued(errand, count.saturating_sub(1)),
            Stand::Away(errand, count) => Stand::Away(errand, count.saturating_sub(1)),
            Stand::Held(0 | 1) | Stand::Blocked(0 | 1) => Stand::Ready,
            Stand::Held(count) => Stand::Held(count - 1),
            Stand::Blocked(count) => Stand::Blocked(count - 1),
            stand => stand,
        }
    }
}

/// What an errand led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The artifact.
    Artifact,
    /// Nothing that takes room: a source, a miss, an error.
    Nothing,
    /// The need of another errand.
    Wants(Errand),
}

/// The turn of an errand: those that alone keep a task from a worker come first, artifacts before sources; of the
/// others those whose turn to be installed comes first.
type Turn = (bool, usize, Errand, Reverse<Duration>, usize);

/// Decides the order of a run: tasks become ready when their upstreams are done and their errands run, the one with the
/// longest remaining path goes first, and tasks that share a sequence never run at once.
#[derive(Debug)]
pub(crate) struct Schedule<'p> {
    plan: &'p Plan<'p>,
    stands: Vec<Stand>,
    /// Length of the longest path from a task to the end, its own duration included.
    remaining: Vec<Duration>,
    /// How many tasks are on the longest way to a task. It is greater than that of each upstream.
    depth: Vec<usize>,
    /// A view of `stands`, kept by `set`: the ready tasks, most urgent last.
    ready: BTreeSet<(Duration, Reverse<usize>)>,
    /// A view of `stands`, kept by `set`: the errands that wait for a transfer slot, most urgent first.
    queued: BTreeSet<Turn>,
    /// A view of `stands`, kept by `set`: how many artifacts wait for upstreams, or are being fetched meanwhile.
    ahead: usize,
    /// A view of `stands`, kept by `set`: the sequences that running tasks hold.
    held: HashSet<&'p str>,
    /// A view of `stands`, kept by `set`: how many are blocked, ready, running and ended.
    counts: [usize; 4],
}

/// The duration that a task counts for when none is recorded: enough that longer chains go first.
const UNKNOWN: Duration = Duration::from_secs(1);

impl<'p> Schedule<'p> {
    /// A schedule of a whole plan. `duration` tells how long a task took last time, `errand` what the task at a position
    /// needs from afar.
    pub(crate) fn new(
        plan: &'p Plan<'p>,
        duration: impl Fn(&str) -> Option<Duration>,
        errand: impl Fn(usize) -> Option<Errand>,
    ) -> Self {
        let count = plan.tasks().len();
        let mut schedule = Self {
            plan,
            stands: vec![Stand::Blocked(0); count],
            remaining: remaining(plan, duration),
            depth: depth(plan),
            ready: BTreeSet::new(),
            queued: BTreeSet::new(),
            ahead: 0,
            held: HashSet::new(),
            counts: [count, 0, 0, 0],
        };
        for (position, task) in plan.tasks().iter().enumerate() {
            let upstreams = task.upstreams().len();
            let stand = errand(position).map(|errand| Stand::Queued(errand, upstreams));
            schedule.set(position, stand.unwrap_or_else(|| waiting(upstreams)));
        }
        schedule
    }

    /// The most urgent task that may start now; it counts as running from here on.
    pub(crate) fn start(&mut self) -> Option<usize> {
        let free = |&&(_, Reverse(position)): &&(Duration, Reverse<usize>)| {
            self.sequences(position).all(|group| !self.held.contains(group))
        };
        let position = self.ready.iter().rev().find(free)?.1.0;
        self.set(position, Stand::Running);
        Some(position)
    }

    /// The most urgent errand that may be run now; it is under way from here on. Those of tasks that wait for upstreams
    /// too are run while less than `most` artifacts are here that nothing can be done with yet.
    pub(crate) fn send(&mut self, most: usize) -> Option<(usize, Errand)> {
        let (waits, _, errand, _, position) = *self.queued.first()?;
        if waits && self.ahead >= most {
            return None;
        }
        let upstreams = self.stands[position].waits().unwrap_or_default();
        self.set(position, Stand::Away(errand, upstreams));
        Some((position, errand))
    }

    /// Whether an errand for the task is under way: it may have been skipped meanwhile.
    pub(crate) fn is_away(&self, position: usize) -> bool {
        matches!(self.stands[position], Stand::Away(..))
    }

    /// An errand that was under way is done. Returns the task if that made it ready.
    pub(crate) fn arrive(&mut self, position: usize, arrival: Arrival) -> Option<usize> {
        let upstreams = self.stands[position].waits().unwrap_or_default();
        let stand = match arrival {
            Arrival::Wants(errand) => Stand::Queued(errand, upstreams),
            Arrival::Artifact if upstreams > 0 => Stand::Held(upstreams),
            Arrival::Artifact | Arrival::Nothing => waiting(upstreams),
        };
        self.set(position, stand);
        (stand == Stand::Ready).then_some(position)
    }

    /// A running task cannot go on without an errand.
    pub(crate) fn send_back(&mut self, position: usize, errand: Errand) {
        self.set(position, Stand::Queued(errand, 0));
    }

    /// A running task has done its part, and succeeds when its artifact is kept.
    pub(crate) fn keep(&mut self, position: usize) {
        self.set(position, Stand::Keeping);
    }

    /// A task succeeded, or has nothing to do: its downstreams come nearer to their start. Returns those that became
    /// ready.
    pub(crate) fn succeed(&mut self, position: usize) -> Vec<usize> {
        self.set(position, Stand::Done);
        let plan = self.plan;
        let mut ready = Vec::new();
        for downstream in plan.tasks()[position].downstreams().iter().copied() {
            let before = self.stands[downstream];
            if before.waits().is_some() {
                self.set(downstream, before.nearer());
                ready.extend((self.stands[downstream] == Stand::Ready).then_some(downstream));
            }
        }
        ready
    }

    /// The tasks that a worker may take up now.
    pub(crate) fn roots(&self) -> Vec<usize> {
        (0..self.stands.len()).filter(|position| self.stands[*position] == Stand::Ready).collect()
    }

    /// How many tasks are blocked, ready, running and ended.
    pub(crate) fn counts(&self) -> [usize; 4] {
        self.counts
    }

    /// How many errands wait for a transfer slot.
    pub(crate) fn errands(&self) -> usize {
        self.queued.len()
    }

    /// A task failed: everything downstream of it is skipped. Returns what was skipped.
    pub(crate) fn fail(&mut self, position: usize) -> Vec<usize> {
        self.set(position, Stand::Failed);
        let mut skipped = Vec::new();
        let mut queue = vec![position];
        while let Some(position) = queue.pop() {
            for downstream in self.plan.tasks()[position].downstreams() {
                if self.stands[*downstream].waits().is_some() {
                    self.set(*downstream, Stand::Skipped);
                    skipped.push(*downstream);
                    queue.push(*downstream);
                }
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Skips everything that neither a worker nor a transfer slot has. Returns what was skipped.
    pub(crate) fn cancel(&mut self) -> Vec<usize> {
        let idle = |stand| matches!(stand, Stand::Queued(..) | Stand::Held(_) | Stand::Blocked(_) | Stand::Ready);
        let skipped: Vec<_> = (0..self.stands.len()).filter(|position| idle(self.stands[*position])).collect();
        skipped.iter().for_each(|position| self.set(*position, Stand::Skipped));
        skipped
    }

    /// Whether every task has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.counts[Stand::Done.column()] == self.stands.len()
    }

    /// The upstream whose failure (or skipping) keeps `position` from starting.
    pub(crate) fn blocked_by(&self, position: usize) -> Option<usize> {
        let mut upstreams = self.plan.tasks()[position].upstreams().iter().copied();
        upstreams.find(|upstream| matches!(self.stands[*upstream], Stand::Failed | Stand::Skipped))
    }

    /// The only place where a stand changes.
    fn set(&mut self, position: usize, stand: Stand) {
        let before = std::mem::replace(&mut self.stands[position], stand);
        self.leave(position, before);
        let plan = self.plan;
        match stand {
            Stand::Ready => _ = self.ready.insert(self.urgency(position)),
            Stand::Queued(errand, waits) => _ = self.queued.insert(self.turn(position, errand, waits)),
            Stand::Running => {
                self.held.extend(plan.tasks()[position].task().particulars().sequences.iter().map(String::as_str))
            }
            _ => self.ahead += usize::from(is_ahead(stand)),
        }
        self.counts[before.column()] -= 1;
        self.counts[stand.column()] += 1;
    }

    /// Takes a task out of the views that its stand was in.
    fn leave(&mut self, position: usize, before: Stand) {
        match before {
            Stand::Ready => _ = self.ready.remove(&self.urgency(position)),
            Stand::Queued(errand, waits) => _ = self.queued.remove(&self.turn(position, errand, waits)),
            Stand::Running => self.sequences(position).for_each(|group| _ = self.held.remove(group)),
            _ => self.ahead -= usize::from(is_ahead(before)),
        }
    }

    fn urgency(&self, position: usize) -> (Duration, Reverse<usize>) {
        (self.remaining[position], Reverse(position))
    }

    fn turn(&self, position: usize, errand: Errand, upstreams: usize) -> Turn {
        let depth = if upstreams > 0 { self.depth[position] } else { 0 };
        (upstreams > 0, depth, errand, Reverse(self.remaining[position]), position)
    }

    fn sequences(&self, position: usize) -> impl Iterator<Item = &'p str> + use<'p> {
        self.plan.tasks()[position].task().particulars().sequences.iter().map(String::as_str)
    }
}

/// The stand of a task that needs nothing from afar.
fn waiting(upstreams: usize) -> Stand {
    if upstreams == 0 { Stand::Ready } else { Stand::Blocked(upstreams) }
}

/// Whether a task takes room for an artifact, or is about to, that cannot be installed yet.
fn is_ahead(stand: Stand) -> bool {
    matches!(stand, Stand::Held(_) | Stand::Away(Errand::Artifact, 1..))
}

fn depth(plan: &Plan<'_>) -> Vec<usize> {
    let mut depth = vec![0; plan.tasks().len()];
    for (position, task) in plan.tasks().iter().enumerate() {
        depth[position] = 1 + task.upstreams().iter().map(|upstream| depth[*upstream]).max().unwrap_or_default();
    }
    depth
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
mod tests;
