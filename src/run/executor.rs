//! The executor: workers that take tasks from the schedule and lead each to its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, Outcome, Progress, TaskRef};
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::plan::Schedule;

/// How one task ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) duration: Duration,
    pub(crate) error: Option<Error>,
}

/// Works through the whole plan; every task has ended, in one way or another, when this returns. `current` says of
/// each whether it is installed as planned.
pub(crate) fn execute(shared: &Shared<'_>, current: &[bool]) -> Vec<Ended> {
    let executor = Executor::new(shared);
    executor.begin(current);
    let unfinished = current.iter().filter(|current| !**current).count();
    let workers = shared.settings.jobs.min(unfinished);
    std::thread::scope(|scope| {
        for _ in 1..workers {
            // Where the system allows no more threads, fewer workers do it all.
            if std::thread::Builder::new().spawn_scoped(scope, || executor.work()).is_err() {
                break;
            }
        }
        executor.work();
    });
    executor.finish()
}

struct Executor<'r, 's> {
    shared: &'s Shared<'r>,
    names: Vec<TaskRef>,
    board: Mutex<Board<'s>>,
    changed: Condvar,
}

struct Board<'s> {
    schedule: Schedule<'s>,
    ended: Vec<Option<Ended>>,
}

impl<'r, 's> Executor<'r, 's> {
    fn new(shared: &'s Shared<'r>) -> Self {
        let tasks = shared.plan.tasks();
        let schedule = Schedule::new(shared.plan, |task| shared.state().duration(task));
        Self {
            shared,
            names: tasks.iter().map(|task| Arc::from(task.name())).collect(),
            board: Mutex::new(Board { schedule, ended: tasks.iter().map(|_| None).collect() }),
            changed: Condvar::new(),
        }
    }

    /// Tasks that are up to date end without a worker, whatever becomes of their upstreams.
    fn begin(&self, current: &[bool]) {
        let mut board = self.board();
        for (position, _) in current.iter().enumerate().filter(|(_, current)| **current) {
            board.schedule.succeed(position);
            let ended = Ended { outcome: Outcome::UpToDate, duration: Duration::ZERO, error: None };
            self.settle(&mut board, position, ended);
        }
        self.announce(&board, &board.schedule.roots());
    }

    /// One worker: takes tasks until there are none.
    fn work(&self) {
        while let Some(position) = self.next() {
            let start = Instant::now();
            let name = &self.names[position];
            self.shared.tell(Event::TaskStarted { task: name.clone() });
            let result = self.lead(position);
            self.end(position, start.elapsed(), result);
        }
    }

    /// The next task, as soon as there is one; `None` when there will be none.
    fn next(&self) -> Option<usize> {
        let mut board = self.board();
        loop {
            if self.shared.cancel.is_cancelled() {
                let skipped = board.schedule.cancel();
                self.skip(&mut board, &skipped);
            }
            if board.schedule.is_finished() {
                self.changed.notify_all();
                return None;
            }
            if let Some(position) = board.schedule.start() {
                return Some(position);
            }
            board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lead(&self, position: usize) -> Result<Outcome> {
        let task = &self.shared.plan.tasks()[position];
        let led = catch_unwind(AssertUnwindSafe(|| self.shared.lead(task, &self.names[position])));
        led.unwrap_or_else(|_| Err(anyhow::anyhow!("the engine panicked; this is a defect of cortado").into()))
    }

    fn end(&self, position: usize, duration: Duration, result: Result<Outcome>) {
        let mut board = self.board();
        match result {
            Ok(outcome) => {
                let ready = board.schedule.succeed(position);
                self.settle(&mut board, position, Ended { outcome, duration, error: None });
                self.announce(&board, &ready);
            }
            Err(error) => self.fail(&mut board, position, duration, error),
        }
        self.changed.notify_all();
    }

    fn fail(&self, board: &mut Board<'_>, position: usize, duration: Duration, error: Error) {
        let skipped = board.schedule.fail(position);
        let stopped = matches!(error, Error::Interrupted) && self.shared.cancel.is_cancelled();
        let ended = match stopped {
            true => Ended { outcome: Outcome::Cancelled, duration, error: None },
            false => self.failure(position, duration, error),
        };
        let failed = ended.error.is_some();
        self.settle(board, position, ended);
        self.skip(board, &skipped);
        if failed && !self.shared.settings.keep_going {
            self.shared.cancel.cancel();
        }
    }

    fn failure(&self, position: usize, duration: Duration, error: Error) -> Ended {
        let task = self.names[position].to_string();
        let log = Some(self.shared.dir.log(&task)).filter(|log| log.exists());
        let outcome = Outcome::Failed { error: error.to_string(), log: log.clone() };
        Ended { outcome, duration, error: Some(Error::Task { task, log, source: Box::new(error) }) }
    }

    fn skip(&self, board: &mut Board<'_>, skipped: &[usize]) {
        for position in skipped {
            let blocked_by = board.schedule.blocked_by(*position).map(|upstream| self.names[upstream].clone());
            let blocked_by = blocked_by.filter(|_| !self.shared.cancel.is_cancelled());
            let outcome = Outcome::Skipped { blocked_by };
            self.settle(board, *position, Ended { outcome, duration: Duration::ZERO, error: None });
        }
    }

    /// The one place where a task ends: it is told once, and kept for the report.
    fn settle(&self, board: &mut Board<'_>, position: usize, ended: Ended) {
        let (task, outcome, duration) = (self.names[position].clone(), ended.outcome.clone(), ended.duration);
        self.shared.tell(Event::TaskFinished { task, outcome, duration });
        board.ended[position] = Some(ended);
    }

    /// Told while the board is held, so that no worker starts a task before it is told to be ready.
    fn announce(&self, board: &Board<'_>, ready: &[usize]) {
        if ready.is_empty() {
            return;
        }
        let [blocked, ready_now, running, finished] = board.schedule.counts();
        self.shared.tell(Event::Unblocked {
            tasks: ready.iter().map(|position| self.names[*position].clone()).collect(),
            progress: Progress { blocked, ready: ready_now, running, finished },
        });
    }

    fn board(&self) -> MutexGuard<'_, Board<'s>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(self) -> Vec<Ended> {
        let board = self.board.into_inner().unwrap_or_else(PoisonError::into_inner);
        board.ended.into_iter().flatten().collect()
    }
}
