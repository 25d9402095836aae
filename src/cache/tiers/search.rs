//! The search: one fetch on its way from tier to tier.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempPath;

use super::line::Line;
use super::looking::look;
use super::offering::{Parcel, offer};
use crate::cache::cacher::Cacher;
use crate::cache::miss::Miss;
use crate::cache::put::Put;
use crate::cache::remarks::Remark;

/// One fetch, and what it has passed so far.
pub(super) struct Search<'s> {
    lines: &'s [Line],
    cacher: &'s Cacher,
    /// The tiers that answered that they have it not, or nothing of use; those are filled.
    passed: Vec<Passed>,
}

struct Passed {
    position: usize,
    /// Whether something useless may still be in the way.
    replace: bool,
}

impl<'s> Search<'s> {
    pub(super) fn new(lines: &'s [Line], cacher: &'s Cacher) -> Self {
        Self { lines, cacher, passed: Vec::new() }
    }

    /// Asks some of the tiers, nearest first, until one has the artifact.
    ///
    /// # Errors
    /// When this machine cannot unpack what it is given.
    pub(super) fn ask(&mut self, positions: Range<usize>) -> anyhow::Result<bool> {
        for position in positions {
            let Some(line) = self.lines.get(position) else { break };
            let found = look(line, self.cacher, !self.passed.is_empty())?;
            let miss = found.look.miss.clone();
            self.cacher.remark(Remark::Looked(found.look));
            let Some(miss) = miss else {
                self.fill(found.copy);
                return Ok(true);
            };
            let answered = miss == Miss::Absent || miss.replaces();
            if answered && line.tier.settings.mode.writes() {
                self.passed.push(Passed { position, replace: miss.replaces() });
            }
        }
        Ok(false)
    }

    /// Asks tiers once more that it has passed.
    pub(super) fn again(&mut self, positions: Range<usize>) -> anyhow::Result<bool> {
        self.passed.retain(|passed| !positions.contains(&passed.position));
        let reading =
            positions.filter(|position| self.lines.get(*position).is_some_and(|line| line.tier.settings.mode.reads()));
        for position in reading.collect::<Vec<_>>() {
            if self.ask(position..position + 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Brings what a farther tier had to those that were passed.
    fn fill(&mut self, copy: Option<Arc<TempPath>>) {
        let Some(copy) = copy else {
            if !self.passed.is_empty() {
                self.cacher.warn("no nearer tier is filled: the artifact could not be copied");
            }
            return;
        };
        let size = std::fs::metadata(&**copy).map_or(0, |metadata| metadata.len());
        for passed in &self.passed {
            let Some(line) = self.lines.get(passed.position) else { continue };
            let mut put = Put::replacing(passed.replace);
            (put.size, put.digest) = (Some(size), self.cacher.digest());
            put.provenance = self.cacher.origin().unwrap_or_default();
            let name = self.cacher.filename().to_owned();
            let parcel = Parcel { keep: Copied(copy.clone()), name, size, put, fill: true };
            let offer = offer(line, &parcel, &|remark| self.cacher.remark(remark));
            if let Some(why) = offer.kept.trouble().filter(|_| offer.kept.is_failure()) {
                self.cacher.warn(format!("`{}` could not be filled: {why}", offer.tier));
            }
            self.cacher.remark(Remark::Offered(offer));
        }
    }
}

/// A packed copy that goes when nobody needs it any more.
#[derive(Clone)]
struct Copied(Arc<TempPath>);

impl AsRef<Path> for Copied {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}
