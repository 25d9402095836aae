//! The transfers: what a slot does. It brings artifacts and sources before a worker needs them, and offers what was built
//! to the cache while workers go on.

use std::time::Instant;

use super::board::Board;
use super::build::Offer;
use super::event::Outcome;
use super::executor::{Executor, caught};
use super::pipeline::Answer;
use super::source;
use crate::cache::Guard;
use crate::error::{Error, Result};
use crate::plan::{Arrival, Errand};

impl Executor<'_, '_> {
    /// Runs an errand for a task. What it led to is for whoever leads the task; nobody does if it was skipped meanwhile.
    pub(super) fn bring(&self, guard: &mut Guard, position: usize, errand: Errand) {
        let (task, name, start) = (self.task(position), self.name(position), Instant::now());
        let carry = |result: Result<()>, board: &mut Board<'_>, arrival| {
            board.dossiers[position].spent += start.elapsed();
            if board.schedule.is_away(position) {
                match result {
                    Err(error) => self.fail(board, position, error),
                    Ok(()) => {
                        let ready = board.schedule.arrive(position, arrival);
                        self.announce(board, ready.as_slice());
                    }
                }
            }
            self.tell_what_is_left(board);
            self.wake(board);
        };
        match errand {
            Errand::Artifact => {
                let answer = caught(|| self.shared.fetch(guard, task, name));
                let mut board = self.board();
                let arrival = match &answer {
                    Ok(Answer::Hit(_)) => Arrival::Artifact,
                    Ok(Answer::Miss { .. }) if source::is_remote(task.task()) => Arrival::Wants(Errand::Source),
                    _ => Arrival::Nothing,
                };
                let stopped = self.stopped(&answer);
                board.dossiers[position].brought.answer = Some(answer);
                carry(stopped, &mut board, arrival);
            }
            Errand::Source => {
                let source = caught(|| self.shared.fetch_source(task));
                let mut board = self.board();
                let stopped = self.stopped(&source);
                board.dossiers[position].brought.source = Some(source);
                carry(stopped, &mut board, Arrival::Nothing);
            }
        }
    }

    /// The task ended well long ago, so this is for the report and for whoever watches.
    fn leave_unkept(&self, position: usize, error: &Error) {
        match error {
            Error::Interrupted => self.shared.leave_unkept(),
            error => self.shared.warn(self.name(position), format!("it could not be cached: {error}")),
        }
    }

    /// An errand that the end of the run has stopped ends its task; any other error is told when the task's turn comes.
    fn stopped<T>(&self, result: &Result<T>) -> Result<()> {
        match result {
            Err(Error::Interrupted) if self.shared.cancel.is_cancelled() => Err(Error::Interrupted),
            _ => Ok(()),
        }
    }

    /// Offers an artifact. Where it has to be kept, its task ends with that.
    pub(super) fn upload(&self, guard: &mut Guard, position: usize, offer: Offer) {
        let (start, size) = (Instant::now(), offer.size());
        let kept = caught(|| self.shared.offer(guard, self.task(position), self.name(position), offer));
        let mut board = self.board();
        board.uploads.done(size);
        if board.keeps_first {
            board.dossiers[position].spent += start.elapsed();
            match kept {
                Ok(()) => self.succeed(&mut board, position, Outcome::Built),
                Err(error) => self.fail(&mut board, position, error),
            }
        } else if let Err(error) = kept {
            self.leave_unkept(position, &error);
        }
        self.tell_what_is_left(&board);
        self.wake(&board);
    }
}
