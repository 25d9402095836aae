//! Tiers: several stores as one cache, near ones before far ones. `docs/tiers.md` says what users see of it,
//! `docs/design/tiers.md` why it is so.

mod breaker;
mod conveyor;
mod fault;
mod flights;
mod line;
mod looking;
mod offering;
mod permits;
mod presence;
mod search;
mod tier;
mod upstream;
mod wait;
mod write_policy;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;

pub use self::flights::Flights;
use self::flights::{Flight, Purpose};
use self::line::{Line, Progress};
use self::offering::{Parcel, offer};
use self::search::Search;
pub use self::tier::{Tier, TierMode, TierSettings};
pub use self::upstream::Upstream;
pub use self::write_policy::WritePolicy;
use super::artifact::Artifact;
use super::cacher::Cacher;
use super::callbacks::Callbacks;
use super::claim::{Claim, Claimed};
use super::offer::{Kept, Offer};
use super::policy::CachePolicy;
use super::put::Put;
use super::remarks::Remark;
use super::store::PROBE;
use crate::error::{Error, Result};

/// Several stores as one cache: an ordered list of tiers, nearest first.
///
/// A fetch asks them in order, and fills those that it passed with what a farther one had. A fresh artifact goes where
/// the [`WritePolicy`] says. A tier that fails costs a run no more than its budget, and is then left alone.
///
/// ```
/// # fn main() -> cortado::Result<()> {
/// # let dir = tempfile::tempdir().unwrap();
/// # let (here, shared, locks) = (dir.path().join("here"), dir.path().join("shared"), dir.path().join("locks"));
/// use std::time::Duration;
/// use cortado::{DirectoryStore, Flights, Tier, TierMode, Tiers};
///
/// let near = Tier::near("local", DirectoryStore::open(here)?);
/// let far = Tier::far("team", DirectoryStore::open(shared)?)
///     .mode(TierMode::Read)
///     .timeout(Some(Duration::from_secs(5)));
/// let tiers = Tiers::new([near, far])?.flights(Flights::open(locks)?);
/// # _ = tiers;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Tiers {
    lines: Vec<Line>,
    write_policy: WritePolicy,
    flights: Option<Flights>,
    /// The tags that a run of this process has the right to build.
    claimed: Mutex<HashMap<String, Flight>>,
}

impl Tiers {
    /// A cache of tiers, nearest first.
    ///
    /// # Errors
    /// Two tiers of one name, or one without a name.
    pub fn new(tiers: impl IntoIterator<Item = Tier>) -> Result<Self> {
        let lines: Vec<_> = tiers.into_iter().map(Line::new).collect();
        let mut names = HashSet::new();
        for line in &lines {
            let name = line.tier.name();
            let problem = match names.insert(name) {
                _ if name.is_empty() => "a tier has no name",
                false => "two tiers have this name",
                true => continue,
            };
            let hint = "name each tier by where it is: `local`, `team`".into();
            return Err(Error::Invalid { place: format!("tier `{name}`"), problem: problem.into(), hint });
        }
        Ok(Self { lines, write_policy: WritePolicy::default(), flights: None, claimed: Mutex::default() })
    }

    /// Which tiers get a fresh artifact; [best effort](WritePolicy::BestEffort) unless said.
    pub fn write_policy(self, write_policy: WritePolicy) -> Self {
        Self { write_policy, ..self }
    }

    /// Lets runs on this machine that miss the same artifact wait for one of them, instead of all downloading or building
    /// it.
    pub fn flights(self, flights: Flights) -> Self {
        Self { flights: Some(flights), ..self }
    }

    /// The tiers, nearest first.
    pub fn iter(&self) -> impl Iterator<Item = &Tier> {
        self.lines.iter().map(|line| &line.tier)
    }

    /// Position of the nearest tier that is read.
    fn nearest(&self) -> Option<usize> {
        self.lines.iter().position(|line| line.tier.settings.mode.reads())
    }

    /// Asks the nearest tier; when it misses, waits for whoever is fetching the same from a farther one.
    fn fetch_once(&self, cacher: &Cacher, flights: &Flights) -> anyhow::Result<bool> {
        let mut search = Search::new(&self.lines, cacher);
        let farther = self.nearest().map_or(self.lines.len(), |nearest| nearest + 1);
        if search.ask(0..farther)? {
            return Ok(true);
        }
        if farther == self.lines.len() {
            return Ok(false);
        }
        let flight = flights.take(cacher.filename(), Purpose::Fetch);
        let _held = match flight {
            // Someone may have brought it between our look and now.
            Ok(Some(_))
                if self.has_near(cacher.filename(), &|remark| cacher.remark(remark)) && search.again(0..farther)? =>
            {
                return Ok(true);
            }
            Ok(Some(flight)) => Some(flight),
            Ok(None) => {
                flights.wait(cacher.filename(), Purpose::Fetch, &|| cacher.is_closed())?;
                if search.again(0..farther)? {
                    return Ok(true);
                }
                None
            }
            Err(error) => {
                cacher.warn(format!("could not find out who else fetches it: {error:#}"));
                None
            }
        };
        search.ask(farther..self.lines.len())
    }

    /// Whether the nearest tier is on this machine, so that asking it costs nothing.
    fn is_nearest_here(&self) -> bool {
        let line = self.nearest().and_then(|nearest| self.lines.get(nearest));
        line.is_some_and(|line| line.tier.settings.timeout.is_none())
    }

    /// Whether the nearest tier has an artifact, as far as it says so.
    fn has_near(&self, name: &str, remark: &dyn Fn(Remark)) -> bool {
        let Some(line) = self.nearest().and_then(|nearest| self.lines.get(nearest)) else { return false };
        let Some(mut visit) = line.visit() else { return false };
        let name = name.to_owned();
        match visit.call(&Progress::default(), move |store| store.has(&name)) {
            Ok(has) => {
                visit.succeed();
                has
            }
            Err(fault) => {
                visit.fail(&fault).into_iter().for_each(remark);
                false
            }
        }
    }

    /// Whether a run of that policy needs the tier to answer.
    fn needs(&self, line: &Line, policy: CachePolicy) -> bool {
        let settings = &line.tier.settings;
        let reads = settings.mode.reads() && policy.requires_read();
        let writes = settings.mode.writes() && policy.requires_write();
        settings.mode != TierMode::Off && (settings.required || reads || writes)
    }
}

impl Callbacks for Tiers {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        match &self.flights {
            Some(flights) => self.fetch_once(cacher, flights),
            None => Search::new(&self.lines, cacher).ask(0..self.lines.len()),
        }
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        let parcel = Parcel {
            keep: artifact.clone(),
            name: artifact.filename().to_owned(),
            size: artifact.size(),
            put: Put::of(artifact),
            fill: false,
        };
        let mut offers: Vec<Offer> = Vec::new();
        for line in self.lines.iter().filter(|line| artifact.is_for(line.tier.name())) {
            if self.write_policy.is_content(&offers) {
                break;
            }
            let offer = offer(line, &parcel, &|remark| artifact.remark(remark));
            tell(artifact, &offer);
            offers.push(offer);
        }
        let content = self.write_policy.is_content(&offers);
        offers.iter_mut().for_each(|offer| offer.owed = !content && offer.kept.trouble().is_some());
        let verdict = self.write_policy.judge(&offers);
        verdict.warnings.into_iter().for_each(|warning| artifact.warn(warning));
        offers.into_iter().for_each(|offer| artifact.remark(Remark::Offered(offer)));
        verdict.answer.map_err(anyhow::Error::msg)
    }

    /// Gives every tier a new chance, and asks those that have to answer whether they do.
    fn ready(&self, policy: CachePolicy) -> anyhow::Result<()> {
        self.lines.iter().for_each(|line| line.breaker.renew());
        for line in self.lines.iter().filter(|line| self.needs(line, policy)) {
            let Some(mut visit) = line.visit() else { continue };
            if let Err(fault) = visit.call(&Progress::default(), |store| store.has(PROBE)) {
                bail!("the tier `{}`, {}: {fault}", line.tier.name, line.tier.store.place());
            }
            visit.succeed();
        }
        Ok(())
    }

    fn requires_write(&self) -> bool {
        self.iter().any(|tier| tier.settings.required && tier.settings.mode.writes())
    }

    fn claim(&self, claim: &Claim<'_>) -> anyhow::Result<Claimed> {
        let Some(flights) = &self.flights else { return Ok(Claimed::Build) };
        let name = super::artifact::filename(claim.tag());
        let Some(flight) = flights.take(&name, Purpose::Build)? else {
            claim.waits_for(&flights.holder(&name));
            // It may be here long before the builder is done: a far tier takes its time to be written.
            let arrived = || self.is_nearest_here() && self.has_near(&name, &|remark| claim.remark(remark));
            flights.wait(&name, Purpose::Build, &|| claim.is_cancelled() || arrived())?;
            return Ok(Claimed::Look);
        };
        // Someone may have built it between our fetch and now; to be told so twice would help nobody.
        if claim.round() == 0 && self.has_near(&name, &|remark| claim.remark(remark)) {
            return Ok(Claimed::Look);
        }
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner).insert(claim.tag().to_owned(), flight);
        Ok(Claimed::Build)
    }

    fn release(&self, tag: &str) {
        drop(self.claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(tag));
    }

    fn tiers(&self) -> Vec<String> {
        self.iter().map(|tier| tier.name().to_owned()).collect()
    }
}

/// Says what a tier thinks of an artifact that it has not failed to keep.
fn tell(artifact: &Artifact, offer: &Offer) {
    match &offer.kept {
        Kept::Differs(how) => artifact.warn(format!("`{}` keeps another artifact of the same key: {how}", offer.tier)),
        Kept::Declined(why) => artifact.warn(format!("`{}` did not take the artifact: {why}", offer.tier)),
        _ => {}
    }
}
