//! The upstream: a far store as a server asks it, which runs for months and waits for nobody long.

use std::fmt;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::conveyor;
use super::fault::Fault;
use super::line::{Line, Progress, Visit};
use super::offering::Moving;
use super::tier::Tier;
use crate::cache::miss::Miss;
use crate::cache::offer::Kept;
use crate::cache::provenance::Provenance;
use crate::cache::put::Put;
use crate::cache::remarks::Remark;
use crate::cache::store::Store;

/// A tier for whoever asks for objects one by one, rather than for a run: it has the tier's time limits and its breaker, and
/// no [budget](super::TierSettings::budget), since there is no run that could end. How many operations there are at once is
/// the caller's affair.
///
/// Every operation blocks the thread that calls it, for as long as the tier may be silent at the most. While the tier is
/// left alone, each comes to nothing at once.
pub struct Upstream {
    tier: Tier,
    line: Line,
    /// Whether somebody was told that it is left alone.
    left: AtomicBool,
    tell: Box<Tell>,
}

/// Who is told why a tier is left alone, or that it answers again.
type Tell = dyn Fn(Option<&str>) + Send + Sync;

impl Upstream {
    /// The tier. Nothing is asked of it yet.
    pub fn new(tier: Tier) -> Self {
        let mut endless = tier.clone().budget(Duration::MAX);
        endless.settings.concurrency = None;
        Self { tier, line: Line::new(endless), left: AtomicBool::new(false), tell: Box::new(|_| {}) }
    }

    /// Sets who is told why the tier is left alone from now on, and by `None` that it answers again.
    pub fn observe(self, tell: impl Fn(Option<&str>) + Send + Sync + 'static) -> Self {
        Self { tell: Box::new(tell), ..self }
    }

    /// The tier.
    pub fn tier(&self) -> &Tier {
        &self.tier
    }

    /// Asks for an object, and hands it to `take` while it comes, with what is known about it. The miss says why there is none
    /// or why it broke off; `take` has seen an error then where it should have seen the end.
    ///
    /// # Errors
    /// What `take` says, if the tier is not to blame for it.
    pub fn bring<T>(
        &self,
        name: &str,
        take: impl FnOnce(&mut (dyn Read + Send), Provenance) -> anyhow::Result<T>,
    ) -> anyhow::Result<Result<T, Miss>> {
        if !self.tier.settings.mode.reads() {
            return Ok(Err(Miss::Disabled));
        }
        let Some(mut visit) = self.line.visit() else { return Ok(Err(Miss::Skipped)) };
        let take = |object: &mut (dyn Read + Send), known: Option<Provenance>| take(object, known.unwrap_or_default());
        match conveyor::carry(&mut visit, self.tier.store.clone(), name, take) {
            Ok(Some((_, Some(fault)))) | Err(fault) => Ok(Err(self.failed(&visit, &fault).miss())),
            Ok(Some((taken, None))) => {
                self.answered(&visit);
                taken.map(Ok)
            }
            Ok(None) => {
                self.answered(&visit);
                Ok(Err(Miss::Absent))
            }
        }
    }

    /// Offers an object to the tier.
    pub fn offer(&self, name: &str, content: impl Read + Send + 'static, put: &Put) -> Kept {
        if !self.tier.settings.mode.writes() {
            return Kept::Disabled;
        }
        let (moved, name, put) = (Progress::default(), name.to_owned(), put.clone());
        let mut content = Moving { content, progress: moved.clone() };
        match self.call(&moved, move |store| store.put(&name, &mut content, &put)) {
            Some(Ok(stored)) => stored.into(),
            Some(Err(fault)) => fault.kept(),
            None => Kept::Skipped,
        }
    }

    /// Removes an object from the tier; `false` when there was none.
    ///
    /// # Errors
    /// Why it may still be there.
    pub fn remove(&self, name: &str) -> Result<bool, Miss> {
        if !self.tier.settings.mode.writes() {
            return Err(Miss::Disabled);
        }
        let name = name.to_owned();
        let removed = self.call(&Progress::default(), move |store| store.remove(&name));
        removed.unwrap_or(Err(Fault::Left)).map_err(|fault| fault.miss())
    }

    /// Has something done by the tier; `None` while it is left alone.
    fn call<T, F>(&self, moved: &Progress, operation: F) -> Option<Result<T, Fault>>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> anyhow::Result<T> + Send + 'static,
    {
        let mut visit = self.line.visit()?;
        let done = visit.call(moved, operation);
        match &done {
            Ok(_) => self.answered(&visit),
            Err(fault) => _ = self.failed(&visit, fault),
        }
        Some(done)
    }

    fn answered(&self, visit: &Visit<'_>) {
        visit.succeed();
        if self.left.swap(false, Ordering::Relaxed) {
            // What it takes to be told once more.
            self.line.breaker.renew();
            (self.tell)(None);
        }
    }

    fn failed<'f>(&self, visit: &Visit<'_>, fault: &'f Fault) -> &'f Fault {
        if let Fault::Unfit(_) | Fault::Forbidden(_) = fault {
            // It has answered. That this is not for us does not mean that nothing is.
            self.answered(visit);
        } else if let Some(Remark::Left { reason, .. }) = visit.fail(fault) {
            self.left.store(true, Ordering::Relaxed);
            (self.tell)(Some(&reason));
        }
        fault
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upstream").field(&self.tier).finish()
    }
}
