//! The executor: workers that lead each task to its end, and transfer slots that bring what tasks need and carry away what
//! they made, so that no worker waits for a remote.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

use super::board::{Board, Job, Role};
use super::debt::Debt;
use super::debts::Debts;
use super::ended::Ended;
use super::event::{Event, Outcome, Progress, TaskRef};
use super::pipeline::{Brought, Led};
use super::shared::Shared;
use super::uploads::Uploads;
use crate::cache::Guard;
use crate::error::{Error, Result};
use crate::host::many;
use crate::plan::{PlannedTask, Schedule};

/// How many artifacts a transfer slot may have brought that wait for upstreams.
const AHEAD: usize = 8;

/// Works through the whole plan; every task has ended, in one way or another, and every artifact is kept or given up
/// when this returns. `current` says of each task whether it is installed as planned, `debts` what earlier runs owe the
/// cache.
pub(crate) fn execute(shared: &Shared<'_>, current: &[bool], debts: HashMap<usize, Debt>) -> Vec<Ended> {
    let unfinished = current.iter().filter(|current| !**current).count() + debts.len();
    let executor = Executor::new(shared, current, debts);
    executor.begin(current);
    if unfinished > 0 {
        std::thread::scope(|scope| executor.staff(scope, unfinished));
    }
    executor.finish()
}

pub(super) struct Executor<'r, 's> {
    pub(super) shared: &'s Shared<'r>,
    names: Vec<TaskRef>,
    board: Mutex<Board<'s>>,
    workers: Condvar,
    slots: Condvar,
}

impl<'r, 's> Executor<'r, 's> {
    fn new(shared: &'s Shared<'r>, current: &[bool], debts: HashMap<usize, Debt>) -> Self {
        let tasks = shared.plan.tasks();
        let unfinished: Vec<usize> = (0..tasks.len()).filter(|position| !current[*position]).collect();
        let errands = many::map(&unfinished, |position| shared.foresee(&tasks[*position]));
        let errand = |position| errands[unfinished.binary_search(&position).ok()?];
        let state = shared.state();
        let duration = |task: &str| state.duration(task);
        let board = Board {
            schedule: Schedule::new(shared.plan, duration, errand),
            dossiers: HashMap::new(),
            ended: tasks.iter().map(|_| None).collect(),
            uploads: Uploads::default(),
            debts: Debts::new(debts),
            most_ahead: AHEAD * shared.settings.transfers,
            keeps_first: shared.settings.cache_policy.requires_write() || shared.exchange.requires_write(),
            sleeping_workers: 0,
            sleeping_slots: 0,
        };
        Self {
            shared,
            names: tasks.iter().map(|task| Arc::from(task.name())).collect(),
            board: Mutex::new(board),
            workers: Condvar::new(),
            slots: Condvar::new(),
        }
    }

    /// Tasks that are up to date end without a worker, whatever becomes of their upstreams.
    fn begin(&self, current: &[bool]) {
        let mut board = self.board();
        for (position, _) in current.iter().enumerate().filter(|(_, current)| **current) {
            board.schedule.succeed(position);
            self.settle(&mut board, position, Outcome::UpToDate, None);
        }
        self.announce(&board, &board.schedule.roots());
    }

    /// Starts the threads of the run and is one of them. Where the system allows no more threads, fewer do it all.
    fn staff<'e>(&'e self, scope: &'e Scope<'e, '_>, unfinished: usize) {
        let settings = self.shared.settings;
        let transfers = self.board().schedule.errands() > 0 || self.shared.exchange.transfers();
        let slots = if transfers { settings.transfers.min(unfinished) } else { 0 };
        let start = |role| Builder::new().spawn_scoped(scope, move || self.serve(role)).is_ok();
        let started = (0..slots).take_while(|_| start(Role::Slot)).count();
        let role = if started > 0 { Role::Worker } else { Role::Both };
        (1..settings.jobs.min(unfinished)).take_while(|_| start(role)).for_each(drop);
        self.serve(role);
    }

    /// One thread: does what there is to do until there is nothing more.
    fn serve(&self, role: Role) {
        let mut guard = Guard::default();
        while let Some(job) = self.next(role) {
            match job {
                Job::Lead(position) => self.work(position),
                Job::Errand(position, errand) => self.bring(&mut guard, position, errand),
                Job::Upload(position, offer) => self.upload(&mut guard, position, offer),
                Job::Repay(position, debt) => self.repay(position, debt),
            }
        }
    }

    /// The next piece of work, as soon as there is some; `None` when there will be none.
    fn next(&self, role: Role) -> Option<Job> {
        let mut board = self.board();
        loop {
            if self.shared.cancel.is_cancelled() {
                let skipped = board.schedule.cancel();
                self.skip(&mut board, &skipped);
                if board.debts.give_up() && self.shared.settings.cancel.is_cancelled() {
                    self.shared.leave_unkept();
                }
            }
            if let Some(job) = board.next(role) {
                return Some(job);
            }
            if board.is_over(role) {
                self.wake(&board);
                return None;
            }
            board = self.sleep(board, role);
        }
    }

    fn work(&self, position: usize) {
        let start = Instant::now();
        let mut brought = self.take_up(position);
        let led = caught(|| self.shared.lead(self.task(position), self.name(position), &mut brought));
        let mut board = self.board();
        let dossier = board.dossier(position);
        dossier.spent += start.elapsed();
        dossier.brought = brought;
        self.lay_down(&mut board, position, led);
        self.tell_what_is_left(&board);
        self.wake(&board);
    }

    fn take_up(&self, position: usize) -> Brought {
        let mut board = self.board();
        let dossier = board.dossier(position);
        if !std::mem::replace(&mut dossier.started, true) {
            self.shared.tell(Event::TaskStarted { task: self.name(position).clone() });
        }
        std::mem::take(&mut dossier.brought)
    }

    fn lay_down(&self, board: &mut Board<'_>, position: usize, led: Result<Led>) {
        match led {
            Ok(Led::Ended(outcome, None)) => self.succeed(board, position, outcome),
            Ok(Led::Ended(outcome, Some(offer))) => {
                if board.keeps_first {
                    board.dossier(position).outcome = Some(outcome);
                    board.schedule.keep(position);
                } else {
                    self.succeed(board, position, outcome);
                }
                board.uploads.add(position, *offer);
            }
            Ok(Led::Wants(errand)) => board.schedule.send_back(position, errand),
            Err(error) => self.fail(board, position, error),
        }
    }

    pub(super) fn succeed(&self, board: &mut Board<'_>, position: usize, outcome: Outcome) {
        let ready = board.schedule.succeed(position);
        self.settle(board, position, outcome, None);
        self.announce(board, &ready);
    }

    pub(super) fn fail(&self, board: &mut Board<'_>, position: usize, error: Error) {
        let skipped = board.schedule.fail(position);
        let stopped = matches!(error, Error::Interrupted) && self.shared.cancel.is_cancelled();
        match stopped {
            true => self.settle(board, position, Outcome::Cancelled, None),
            false => self.settle_failure(board, position, error),
        }
        self.skip(board, &skipped);
        if !stopped && !self.shared.settings.keep_going {
            self.shared.cancel.cancel();
        }
    }

    fn settle_failure(&self, board: &mut Board<'_>, position: usize, error: Error) {
        let task = self.name(position).to_string();
        let log = Some(self.shared.dir.log(&task)).filter(|log| log.exists());
        let outcome = Outcome::Failed { error: error.to_string(), log: log.clone() };
        self.settle(board, position, outcome, Some(Error::Task { task, log, source: Box::new(error) }));
    }

    fn skip(&self, board: &mut Board<'_>, skipped: &[usize]) {
        for position in skipped {
            let blocked_by = board.schedule.blocked_by(*position).map(|upstream| self.names[upstream].clone());
            let blocked_by = blocked_by.filter(|_| !self.shared.cancel.is_cancelled());
            self.settle(board, *position, Outcome::Skipped { blocked_by }, None);
        }
    }

    /// The one place where a task ends: it is told once, and kept for the report.
    fn settle(&self, board: &mut Board<'_>, position: usize, outcome: Outcome, error: Option<Error>) {
        let duration = board.dossiers.remove(&position).map_or(Duration::ZERO, |dossier| dossier.spent);
        let task = self.names[position].clone();
        board.debts.ripen(position, &outcome);
        self.shared.tell(Event::TaskFinished { task, outcome: outcome.clone(), duration });
        board.ended[position] = Some(Ended { outcome, duration, error });
    }

    /// Told while the board is held, so that no worker starts a task before it is told to be ready.
    pub(super) fn announce(&self, board: &Board<'_>, ready: &[usize]) {
        if ready.is_empty() {
            return;
        }
        let [blocked, ready_now, running, finished] = board.schedule.counts();
        self.shared.tell(Event::Unblocked {
            tasks: ready.iter().map(|position| self.names[*position].clone()).collect(),
            progress: Progress { blocked, ready: ready_now, running, finished },
        });
    }

    /// Told once all tasks have ended, and whenever less is left.
    pub(super) fn tell_what_is_left(&self, board: &Board<'_>) {
        let (packed, bytes) = board.uploads.left();
        let artifacts = packed + board.debts.unpacked();
        if artifacts > 0 && board.schedule.is_finished() {
            self.shared.tell(Event::Draining { artifacts, bytes });
        }
    }

    /// Wakes as many threads as there is work for.
    pub(super) fn wake(&self, board: &Board<'_>) {
        if board.schedule.is_finished() {
            // What is still being fetched now is for nobody.
            self.shared.exchange.cancel.cancel();
        }
        if board.schedule.is_finished() || self.shared.cancel.is_cancelled() {
            self.workers.notify_all();
            self.slots.notify_all();
        }
        let [_, ready, ..] = board.schedule.counts();
        let errands = board.schedule.errands() + board.uploads.waiting();
        let ready = ready + board.debts.ready();
        (0..ready.min(board.sleeping_workers)).for_each(|_| self.workers.notify_one());
        (0..errands.min(board.sleeping_slots)).for_each(|_| self.slots.notify_one());
    }

    fn sleep<'b>(&'b self, mut board: MutexGuard<'b, Board<'s>>, role: Role) -> MutexGuard<'b, Board<'s>> {
        let queue = if role == Role::Slot { &self.slots } else { &self.workers };
        *board.sleeping(role) += 1;
        let mut board = queue.wait(board).unwrap_or_else(PoisonError::into_inner);
        *board.sleeping(role) -= 1;
        board
    }

    pub(super) fn task(&self, position: usize) -> &'s PlannedTask<'r> {
        &self.shared.plan.tasks()[position]
    }

    pub(super) fn name(&self, position: usize) -> &TaskRef {
        &self.names[position]
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board<'s>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(self) -> Vec<Ended> {
        let board = self.board.into_inner().unwrap_or_else(PoisonError::into_inner);
        board.debts.lost().into_iter().for_each(|time| self.shared.note_loss(time));
        board.ended.into_iter().flatten().collect()
    }
}

/// A panic of the engine itself ends a task, not the run.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(work));
    result.unwrap_or_else(|_| Err(anyhow::anyhow!("the engine panicked; this is a defect of cortado").into()))
}
