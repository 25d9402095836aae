//! Traffic: what every task has had to do with the cache in one run, kept for the report.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::TaskRef;
use super::report::TierReport;
use crate::cache::{Look, Miss, Offer};

/// The traffic of a run.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    tasks: HashMap<TaskRef, TaskTraffic>,
    /// Tiers that were left alone, and why.
    left: Vec<(Arc<str>, String)>,
}

/// The traffic of a task, in the order in which it happened.
#[derive(Debug, Default, Clone)]
pub(crate) struct TaskTraffic {
    pub(crate) looks: Vec<Look>,
    pub(crate) offers: Vec<Offer>,
}

impl Traffic {
    pub(crate) fn look(&mut self, task: &TaskRef, look: Look) {
        self.tasks.entry(task.clone()).or_default().looks.push(look);
    }

    pub(crate) fn offer(&mut self, task: &TaskRef, offer: Offer) {
        self.tasks.entry(task.clone()).or_default().offers.push(offer);
    }

    pub(crate) fn leave(&mut self, tier: Arc<str>, reason: String) {
        self.left.push((tier, reason));
    }

    pub(crate) fn of(&self, task: &str) -> Option<&TaskTraffic> {
        self.tasks.get(task)
    }

    /// What the last look of a task found proved useless after all.
    pub(crate) fn disown(&mut self, task: &str, miss: &Miss) {
        let last = self.tasks.get_mut(task).and_then(|traffic| traffic.looks.last_mut());
        if let Some(look) = last.filter(|look| look.is_hit()) {
            look.miss = Some(miss.clone());
            look.saved = None;
        }
    }

    /// The sums by tier. Those of `order` come first, whether anything happened there or not.
    pub(crate) fn tiers(&self, order: Vec<String>) -> Vec<TierReport> {
        let mut tiers: Vec<_> = order.into_iter().map(TierReport::new).collect();
        for traffic in self.tasks.values() {
            traffic.looks.iter().for_each(|look| of(&mut tiers, &look.tier).counts.count_look(look));
            traffic.offers.iter().for_each(|offer| of(&mut tiers, &offer.tier).counts.count_offer(offer));
        }
        for (tier, reason) in &self.left {
            of(&mut tiers, tier).left = Some(reason.clone());
        }
        tiers
    }
}

fn of<'t>(tiers: &'t mut Vec<TierReport>, name: &str) -> &'t mut TierReport {
    let position = tiers.iter().position(|tier| tier.name == name).unwrap_or_else(|| {
        tiers.push(TierReport::new(name.to_owned()));
        tiers.len() - 1
    });
    &mut tiers[position]
}
