//! Statistics: the counts of one run, or of all since somebody began to count, by tier and by task.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::Counts;

/// Counts by tier and by task. Both say the same: the sum over the tiers is the sum over the tasks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Statistics {
    /// When the counting began, in seconds since 1970; `None` for the numbers of one run.
    pub since: Option<u64>,
    /// Runs that had to do with the cache.
    pub runs: u64,
    /// How often what was kept proved damaged, so that earlier numbers are missing here.
    pub damaged: u64,
    /// By the names of the tiers.
    pub tiers: BTreeMap<String, Counts>,
    /// By project and task, `shop/zlib`. Where there are more than a thousand, those with the fewest requests and offers
    /// are one, `(others)`.
    pub tasks: BTreeMap<String, Counts>,
}

/// What stands for all that there is no room for.
const OTHERS: &str = "(others)";

/// How many tiers and tasks there is room for.
const MOST_TIERS: usize = 100;
const MOST_TASKS: usize = 1000;

impl Statistics {
    pub(crate) fn add_tier(&mut self, tier: &str, counts: &Counts) {
        self.tiers.entry(tier.to_owned()).or_default().add(counts);
    }

    pub(crate) fn add_task(&mut self, task: &str, counts: &Counts) {
        self.tasks.entry(task.to_owned()).or_default().add(counts);
    }

    /// Adds those of another run, or of many.
    pub fn add(&mut self, other: &Statistics) {
        self.runs = self.runs.saturating_add(other.runs);
        self.damaged = self.damaged.saturating_add(other.damaged);
        other.tiers.iter().for_each(|(tier, counts)| self.add_tier(tier, counts));
        other.tasks.iter().for_each(|(task, counts)| self.add_task(task, counts));
        gather(&mut self.tiers, MOST_TIERS);
        gather(&mut self.tasks, MOST_TASKS);
    }

    /// Everything together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.tiers.values().for_each(|counts| total.add(counts));
        total
    }
}

/// Makes one of the least important where there are too many; no count is lost.
fn gather(counts: &mut BTreeMap<String, Counts>, most: usize) {
    if counts.len() <= most {
        return;
    }
    let mut rest = counts.remove(OTHERS).unwrap_or_default();
    let weight = |counts: &Counts| counts.requests.saturating_add(counts.offers);
    let mut names: Vec<_> = counts.iter().map(|(name, counts)| (weight(counts), name.clone())).collect();
    names.sort();
    let excess = (counts.len() + 1).saturating_sub(most);
    for (_, name) in names.into_iter().take(excess) {
        rest.add(&counts.remove(&name).unwrap_or_default());
    }
    counts.insert(OTHERS.to_owned(), rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted_together() {
        let mut kept = Statistics::default();
        for number in 0..1500_u64 {
            let mut run = Statistics { runs: 1, ..Statistics::default() };
            let counts = Counts { requests: 1 + number, hits: 1 + number, ..Counts::default() };
            run.add_tier("local", &counts);
            run.add_task(&format!("shop/t{number}"), &counts);
            kept.add(&run);
        }
        assert_eq!((kept.runs, kept.tasks.len()), (1500, MOST_TASKS));
        assert!(kept.tasks.contains_key("shop/t1499") && !kept.tasks.contains_key("shop/t0"));
        let requests: u64 = kept.tasks.values().map(|counts| counts.requests).sum();
        assert_eq!(requests, kept.total().requests);
    }
}
