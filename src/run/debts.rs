//! The debts that a run pays: artifacts of earlier runs that the cache should have. Workers pack them when they have
//! nothing better to do, and no faster than the cache takes them: a dead one costs a run a single artifact.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::debt::Debt;
use super::event::Outcome;

/// What there is to pay.
#[derive(Debug, Default)]
pub(super) struct Debts {
    /// Of tasks that have not ended, by position.
    unripe: HashMap<usize, Debt>,
    /// Of tasks that are installed, those that were refused least often first.
    waiting: BTreeMap<(u64, usize), Debt>,
    /// How many a worker packs now.
    packing: usize,
    /// How many are under way, those that are packed with them.
    under_way: usize,
    paid: usize,
    /// Tiers that have not taken one in this run.
    refused: Vec<String>,
    /// The time that was spent on those that nobody took; `None` before one was offered.
    lost: Option<Duration>,
}

impl Debts {
    /// The debts of the tasks at these positions.
    pub(super) fn new(debts: HashMap<usize, Debt>) -> Self {
        Self { unripe: debts, ..Self::default() }
    }

    /// A task has ended. What was built or restored anew is no debt of an earlier run.
    pub(super) fn ripen(&mut self, position: usize, outcome: &Outcome) {
        if let (Some(debt), Outcome::UpToDate | Outcome::Installed) = (self.unripe.remove(&position), outcome) {
            self.waiting.insert((debt.failures, position), debt);
        }
    }

    /// How many may be packed now: one, until the first is kept, and then twice as many each time.
    pub(super) fn ready(&self) -> usize {
        self.waiting.len().min((self.paid + 1).saturating_sub(self.under_way))
    }

    /// The next one, for a worker to pack.
    pub(super) fn take(&mut self) -> Option<(usize, Debt)> {
        if self.ready() == 0 {
            return None;
        }
        let ((_, position), debt) = self.waiting.pop_first()?;
        (self.packing, self.under_way) = (self.packing + 1, self.under_way + 1);
        Some((position, debt))
    }

    /// One is packed, or cannot be.
    pub(super) fn packed(&mut self) {
        self.packing = self.packing.saturating_sub(1);
    }

    /// One was offered, or could not be. `left` is what is owed of it still.
    pub(super) fn settle(&mut self, left: Option<&Debt>, spent: Duration) {
        self.under_way = self.under_way.saturating_sub(1);
        let lost = self.lost.get_or_insert_default();
        let Some(left) = left else {
            self.paid += 1;
            return;
        };
        *lost += spent;
        self.refused.extend(left.tiers.iter().cloned());
        let refused = &self.refused;
        match left.tiers.is_empty() {
            true => self.waiting.clear(),
            false => self.waiting.retain(|_, debt| !is_refused(debt, refused)),
        }
    }

    /// Leaves the rest to a later run. Whether that was anything.
    pub(super) fn give_up(&mut self) -> bool {
        let any = !self.waiting.is_empty() || !self.unripe.is_empty();
        self.waiting.clear();
        self.unripe.clear();
        any
    }

    /// How many are not packed yet.
    pub(super) fn unpacked(&self) -> usize {
        self.waiting.len() + self.packing
    }

    /// How many no worker has taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The time that was lost to those that nobody took; `None` where none was offered.
    pub(super) fn lost(&self) -> Option<Duration> {
        self.lost
    }
}

/// Whether all who lack it have refused another one. Of one that everybody lacks nobody knows.
fn is_refused(debt: &Debt, refused: &[String]) -> bool {
    !debt.tiers.is_empty() && debt.tiers.iter().all(|tier| refused.contains(tier))
}

#[cfg(test)]
mod tests {
    use super::super::debt::tests::debt;
    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    fn debts(all: impl IntoIterator<Item = Debt>) -> Debts {
        let all: HashMap<_, _> = all.into_iter().enumerate().collect();
        let count = all.len();
        let mut debts = Debts::new(all);
        (0..count).for_each(|position| debts.ripen(position, &Outcome::UpToDate));
        debts
    }

    fn to(tiers: &[&str], failures: u64) -> Debt {
        Debt { tiers: tiers.iter().map(|tier| (*tier).into()).collect(), failures, ..debt("a") }
    }

    #[test]
    fn only_what_stands_installed_is_packed_again() {
        let mut debts = Debts::new((0..5).map(|position| (position, debt("a"))).collect());
        assert_eq!((debts.ready(), debts.waiting()), (0, 0));
        let failed = Outcome::Failed { error: String::new(), log: None };
        for (position, outcome) in [Outcome::Built, Outcome::Restored, failed, Outcome::UpToDate].iter().enumerate() {
            debts.ripen(position, outcome);
        }
        debts.ripen(4, &Outcome::Installed);
        assert_eq!((debts.ready(), debts.waiting()), (1, 2));
        assert_eq!(debts.take().unwrap().0, 3);
    }

    #[test]
    fn the_first_goes_alone_and_the_others_as_fast_as_they_are_taken() {
        let mut debts = debts((0..8).map(|_| to(&[], 0)));
        let mut take = |kept: usize| {
            (0..kept).for_each(|_| debts.settle(None, MOMENT));
            std::iter::from_fn(|| debts.take()).count()
        };
        assert_eq!([0, 1, 2, 4].map(&mut take), [1, 2, 4, 1]);
        assert_eq!(debts.unpacked(), 8, "none was said to be packed");
    }

    #[test]
    fn a_cache_that_refuses_one_is_not_offered_the_others() {
        let mut debts = debts([to(&["team"], 2), to(&["team"], 1), to(&["near"], 3), to(&["near", "team"], 4)]);
        let (position, refused) = debts.take().unwrap();
        assert_eq!(position, 1, "the one that failed least often");
        debts.settle(Some(&refused), MOMENT);
        assert_eq!((debts.take().unwrap().0, debts.take()), (2, None));
        debts.settle(None, MOMENT);
        let (position, last) = debts.take().unwrap();
        assert_eq!((position, debts.lost()), (3, Some(MOMENT)));
        debts.settle(Some(&Debt { tiers: vec![], ..last }), MOMENT);
        assert_eq!((debts.take(), debts.lost()), (None, Some(2 * MOMENT)));
    }

    #[test]
    fn where_nobody_takes_anything_all_the_rest_is_left() {
        let mut debts = debts((0..3).map(|_| to(&[], 0)));
        let (_, refused) = debts.take().unwrap();
        debts.settle(Some(&refused), MOMENT);
        assert_eq!((debts.waiting(), debts.take()), (0, None));
    }
}
