//! The transfers: what a slot does. It brings artifacts and sources before a worker needs them, and offers what was built
//! to the cache while workers go on.

use std::time::{Duration, Instant};

use super::board::Board;
use super::debt::Debt;
use super::executor::{Executor, caught};
use super::handover::{Handed, Offer};
use super::pipeline::{Answer, Load};
use super::source;
use crate::cache::Guard;
use crate::error::Error;
use crate::plan::{Arrival, Errand};

impl Executor<'_, '_> {
    /// Runs an errand for a task. What it led to is for whoever leads the task; nobody does if it was skipped meanwhile.
    pub(super) fn bring(&self, guard: &mut Guard, position: usize, errand: Errand) {
        let (task, start) = (self.task(position), Instant::now());
        let load = match errand {
            Errand::Artifact => Load::Answer(caught(|| self.shared.fetch(guard, task, self.name(position)))),
            Errand::Source => Load::Source(caught(|| self.shared.fetch_source(task))),
        };
        let mut board = self.board();
        if board.schedule.is_away(position) {
            board.dossier(position).spent += start.elapsed();
            self.deliver(&mut board, position, load);
        }
        self.tell_what_is_left(&board);
        self.wake(&board);
    }

    /// An errand that the end of the run has stopped ends its task; any other error is told when the task's turn comes.
    fn deliver(&self, board: &mut Board<'_>, position: usize, load: Load) {
        if load.is_interrupted() && self.shared.cancel.is_cancelled() {
            return self.fail(board, position, Error::Interrupted);
        }
        let arrival = match &load {
            Load::Answer(Ok(Answer::Hit(_))) => Arrival::Artifact,
            Load::Answer(Ok(Answer::Miss { .. })) if source::is_remote(self.task(position).task()) => {
                Arrival::Wants(Errand::Source)
            }
            Load::Answer(_) | Load::Source(_) => Arrival::Nothing,
        };
        board.dossier(position).brought.add(load);
        let ready = board.schedule.arrive(position, arrival);
        self.announce(board, ready.as_slice());
    }

    /// Offers an artifact. Where it has to be kept, its task ends with that.
    pub(super) fn upload(&self, guard: &mut Guard, position: usize, offer: Offer) {
        let (start, size, again) = (Instant::now(), offer.size(), offer.again);
        let handed = caught(|| Ok(self.shared.offer(guard, self.task(position), self.name(position), offer)));
        let Handed { result, left } = handed.unwrap_or_else(|error| Handed { result: Err(error), left: None });
        let mut board = self.board();
        board.uploads.done(size);
        let outcome = board.dossiers.get_mut(&position).and_then(|dossier| dossier.outcome.take());
        if let Some(packing) = again {
            board.debts.settle(left.as_ref(), packing + start.elapsed());
        }
        if let Some(outcome) = outcome {
            board.dossier(position).spent += start.elapsed();
            match result {
                Ok(()) => self.succeed(&mut board, position, outcome),
                Err(error) => self.fail(&mut board, position, error),
            }
        } else if let Err(error) = result {
            self.leave_unkept(position, &error);
        }
        self.tell_what_is_left(&board);
        self.wake(&board);
    }

    /// Packs what an earlier run owes the cache, for a transfer slot to offer.
    pub(super) fn repay(&self, position: usize, debt: Debt) {
        let packed = caught(|| self.shared.pack_again(self.task(position), self.name(position), debt));
        let mut board = self.board();
        board.debts.packed();
        match packed {
            Ok(Some(offer)) => board.uploads.add(position, offer),
            Ok(None) => board.debts.settle(None, Duration::ZERO),
            Err(error) => {
                board.debts.settle(None, Duration::ZERO);
                self.leave_unkept(position, &error);
            }
        }
        self.tell_what_is_left(&board);
        self.wake(&board);
    }

    /// The task ended well long ago, so this is for the report and for whoever watches.
    fn leave_unkept(&self, position: usize, error: &Error) {
        match error {
            Error::Interrupted => self.shared.leave_unkept(),
            error => self.shared.warn(self.name(position), format!("it could not be cached: {error}")),
        }
    }
}
