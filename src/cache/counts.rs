//! Counts: what a tier, a task or everything together did, in numbers that add up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::look::Look;
use super::miss::Miss;
use super::offer::{Kept, Offer};
use super::seconds;

/// What was asked and offered, and how that ended. Two sums always hold, for one tier, one task, one run and all:
///
/// - `requests` = `hits` + [`Misses::total`]
/// - `offers` = `writes` + `present` + `declined` + `write_errors` + `unwritten`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counts {
    /// Fetches that came to the tier.
    pub requests: u64,
    /// Those that were answered with a whole artifact.
    pub hits: u64,
    /// Those that were not, by reason.
    pub misses: Misses,
    /// Artifacts that came to the tier to be kept.
    pub offers: u64,
    /// Those of the offers that were found in a farther tier, rather than built.
    pub fills: u64,
    /// Artifacts that the tier has now and had not before.
    pub writes: u64,
    /// Artifacts of whose key it had one already.
    pub present: u64,
    /// Artifacts that it does not take: too large, say.
    pub declined: u64,
    /// Artifacts that could not be kept.
    pub write_errors: u64,
    /// Artifacts that were not offered in fact, since the tier is left alone or not written.
    pub unwritten: u64,
    /// Corrupt objects that were removed.
    pub removed: u64,
    /// Bytes of artifacts that were read, whole or not.
    pub bytes_read: u64,
    /// Bytes of the `writes`.
    pub bytes_written: u64,
    /// Time spent on requests, unpacking included.
    #[serde(rename = "seconds_reading", with = "seconds")]
    pub reading: Duration,
    /// Time spent on offers.
    #[serde(rename = "seconds_writing", with = "seconds")]
    pub writing: Duration,
    /// Build times of what was hit, where they are known.
    #[serde(rename = "seconds_saved", with = "seconds")]
    pub saved: Duration,
}

/// Requests that were not hits, by reason: see [`Miss`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Misses {
    /// There was no such artifact.
    pub absent: u64,
    /// It was not whole.
    pub corrupt: u64,
    /// Nobody who is trusted vouched for it.
    pub untrusted: u64,
    /// There was no answer in time.
    pub timed_out: u64,
    /// The request or the connection was refused.
    pub refused: u64,
    /// Reading failed in another way.
    pub read_errors: u64,
    /// The tier had failed before and was left alone.
    pub skipped: u64,
    /// The tier is not read.
    pub disabled: u64,
    /// Everything was built anew.
    pub recached: u64,
}

impl Misses {
    /// All of them.
    pub fn total(&self) -> u64 {
        let troubles = [self.corrupt, self.untrusted, self.timed_out, self.refused, self.read_errors];
        let others = [self.absent, self.skipped, self.disabled, self.recached];
        troubles.iter().chain(&others).fold(0, |total, count| total.saturating_add(*count))
    }

    fn count(&mut self, miss: &Miss) {
        let counter = match miss {
            Miss::Absent => &mut self.absent,
            Miss::Corrupt(_) => &mut self.corrupt,
            Miss::Untrusted(_) => &mut self.untrusted,
            Miss::TimedOut => &mut self.timed_out,
            Miss::Refused(_) => &mut self.refused,
            Miss::Failed(_) => &mut self.read_errors,
            Miss::Skipped => &mut self.skipped,
            Miss::Disabled => &mut self.disabled,
            Miss::Recached => &mut self.recached,
        };
        *counter += 1;
    }

    fn add(&mut self, other: &Misses) {
        grow(&mut self.absent, other.absent);
        grow(&mut self.corrupt, other.corrupt);
        grow(&mut self.untrusted, other.untrusted);
        grow(&mut self.timed_out, other.timed_out);
        grow(&mut self.refused, other.refused);
        grow(&mut self.read_errors, other.read_errors);
        grow(&mut self.skipped, other.skipped);
        grow(&mut self.disabled, other.disabled);
        grow(&mut self.recached, other.recached);
    }
}

impl Counts {
    pub(crate) fn count_look(&mut self, look: &Look) {
        self.requests += 1;
        match &look.miss {
            None => self.hits += 1,
            Some(miss) => self.misses.count(miss),
        }
        self.removed += u64::from(look.removed);
        self.bytes_read += look.bytes;
        self.reading += look.duration;
        self.saved += look.saved.unwrap_or_default();
    }

    pub(crate) fn count_offer(&mut self, offer: &Offer) {
        self.offers += 1;
        self.fills += u64::from(offer.fill);
        let counter = match &offer.kept {
            Kept::Stored => &mut self.writes,
            Kept::Present | Kept::Differs(_) => &mut self.present,
            Kept::Declined(_) => &mut self.declined,
            Kept::Failed(_) | Kept::TimedOut => &mut self.write_errors,
            Kept::Skipped | Kept::Disabled => &mut self.unwritten,
        };
        *counter += 1;
        self.bytes_written += offer.bytes;
        self.writing += offer.duration;
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Counts) {
        grow(&mut self.requests, other.requests);
        grow(&mut self.hits, other.hits);
        self.misses.add(&other.misses);
        grow(&mut self.offers, other.offers);
        grow(&mut self.fills, other.fills);
        grow(&mut self.writes, other.writes);
        grow(&mut self.present, other.present);
        grow(&mut self.declined, other.declined);
        grow(&mut self.write_errors, other.write_errors);
        grow(&mut self.unwritten, other.unwritten);
        grow(&mut self.removed, other.removed);
        grow(&mut self.bytes_read, other.bytes_read);
        grow(&mut self.bytes_written, other.bytes_written);
        self.reading = self.reading.saturating_add(other.reading);
        self.writing = self.writing.saturating_add(other.writing);
        self.saved = self.saved.saturating_add(other.saved);
    }
}

/// What was read from a file may be any number.
fn grow(total: &mut u64, by: u64) {
    *total = total.saturating_add(by);
}
