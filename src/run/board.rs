//! The board: how a run stands. Whoever holds it decides what is done next.

use std::collections::HashMap;
use std::time::Duration;

use super::debt::Debt;
use super::debts::Debts;
use super::ended::Ended;
use super::event::Outcome;
use super::handover::Offer;
use super::pipeline::Brought;
use super::uploads::Uploads;
use crate::plan::{Errand, Schedule};

/// What a thread of a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Builds and installs.
    Worker,
    /// Fetches and uploads.
    Slot,
    /// Both, where the system allows no more threads.
    Both,
}

/// One piece of work.
#[derive(Debug)]
pub(super) enum Job {
    /// Lead a task on.
    Lead(usize),
    /// Bring something for a task.
    Errand(usize, Errand),
    /// Offer a task's artifact to the cache.
    Upload(usize, Offer),
    /// Pack what an earlier run owes the cache.
    Repay(usize, Debt),
}

/// What is known of a task while it is under way.
#[derive(Debug, Default)]
pub(super) struct Dossier {
    /// Whether it was said to have started.
    pub(super) started: bool,
    /// How long workers and transfer slots have had it.
    pub(super) spent: Duration,
    pub(super) brought: Brought,
    /// How it ends when its artifact is kept.
    pub(super) outcome: Option<Outcome>,
}

/// How a run stands.
pub(super) struct Board<'p> {
    pub(super) schedule: Schedule<'p>,
    /// Of tasks that are under way.
    pub(super) dossiers: HashMap<usize, Dossier>,
    pub(super) ended: Vec<Option<Ended>>,
    pub(super) uploads: Uploads,
    pub(super) debts: Debts,
    /// How many artifacts may be here that nothing can be done with yet.
    pub(super) most_ahead: usize,
    /// Whether a task is done only when its artifact is kept.
    pub(super) keeps_first: bool,
    pub(super) sleeping_workers: usize,
    pub(super) sleeping_slots: usize,
}

impl Board<'_> {
    /// What is known of a task.
    pub(super) fn dossier(&mut self, position: usize) -> &mut Dossier {
        self.dossiers.entry(position).or_default()
    }

    /// The next piece of work for a thread.
    pub(super) fn next(&mut self, role: Role) -> Option<Job> {
        match role {
            Role::Worker => self.lead(),
            Role::Slot => self.transfer(),
            Role::Both => self.transfer().or_else(|| self.lead()),
        }
    }

    /// How many threads of that role have nothing to do.
    pub(super) fn sleeping(&mut self, role: Role) -> &mut usize {
        if role == Role::Slot { &mut self.sleeping_slots } else { &mut self.sleeping_workers }
    }

    fn lead(&mut self) -> Option<Job> {
        if self.uploads.are_full() {
            return None;
        }
        let task = self.schedule.start().map(Job::Lead);
        task.or_else(|| self.debts.take().map(|(position, debt)| Job::Repay(position, debt)))
    }

    /// What keeps workers waiting goes first, what is only fetched ahead goes last.
    fn transfer(&mut self) -> Option<Job> {
        let urgent = self.keeps_first || self.uploads.are_full();
        let upload = if urgent { self.upload() } else { None };
        let needed = upload.or_else(|| self.errand(0));
        needed.or_else(|| self.upload()).or_else(|| self.errand(self.most_ahead))
    }

    fn upload(&mut self) -> Option<Job> {
        self.uploads.take().map(|(position, offer)| Job::Upload(position, offer))
    }

    fn errand(&mut self, most_ahead: usize) -> Option<Job> {
        self.schedule.send(most_ahead).map(|(position, errand)| Job::Errand(position, errand))
    }

    /// Whether there will be nothing more to do for a thread.
    pub(super) fn is_over(&self, role: Role) -> bool {
        let is_idle = match role {
            Role::Worker => true,
            Role::Slot | Role::Both => self.uploads.waiting() == 0 && self.debts.unpacked() == 0,
        };
        is_idle && self.schedule.is_finished() && self.debts.waiting() == 0
    }
}
