//! A debt: an artifact that was built here and that the cache should have and has not.

use std::time::Duration;

use crate::cache::codec::{Reader, Writer};
use crate::cache::{Offer, SOLE_TIER};
use crate::model::Digest;

/// What is known of an artifact that is owed to the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Debt {
    /// The task that made it.
    pub(crate) task: String,
    /// What was packed before the task was installed. A tree that comes to something else now is not offered.
    pub(crate) digest: Digest,
    /// How long the task took to build.
    pub(crate) build_time: Duration,
    /// Whether it takes the place of what the cache may have under its tag.
    pub(crate) replace: bool,
    /// How often it was offered in vain.
    pub(crate) failures: u64,
    /// The tiers that lack it; empty where nobody has said so: all that are written.
    pub(crate) tiers: Vec<String>,
}

impl Debt {
    /// What is left of it after it was offered: nothing, or what some tiers lack still.
    pub(crate) fn after(self, answered: bool, offers: &[Offer]) -> Option<Debt> {
        let lacking: Vec<_> = offers.iter().filter(|offer| offer.owed).map(|offer| offer.tier.to_string()).collect();
        let tiers = match lacking.is_empty() {
            true if answered => return None,
            // Nobody has said anything about tiers.
            true => self.tiers,
            false if lacking.iter().any(|tier| tier == SOLE_TIER) => self.tiers,
            false => lacking,
        };
        Some(Debt { tiers, failures: self.failures + 1, ..self })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.blob(self.task.as_bytes()).digest(&self.digest);
        writer.number(u64::try_from(self.build_time.as_nanos()).unwrap_or(u64::MAX));
        writer.number(self.replace.into()).number(self.failures).number(self.tiers.len() as u64);
        self.tiers.iter().for_each(|tier| _ = writer.blob(tier.as_bytes()));
        writer.bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Debt> {
        let mut reader = Reader::new(bytes);
        Some(Debt {
            task: reader.text()?.to_owned(),
            digest: reader.digest()?,
            build_time: Duration::from_nanos(reader.number()?),
            replace: reader.number()? != 0,
            failures: reader.number()?,
            tiers: reader.list(|reader| reader.text().map(str::to_owned))?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cache::Kept;

    pub(in crate::run) fn debt(task: &str) -> Debt {
        let (digest, build_time) = (Digest::of(task), Duration::from_millis(1500));
        Debt { task: task.into(), digest, build_time, replace: false, failures: 0, tiers: Vec::new() }
    }

    fn offer(tier: &str, owed: bool) -> Offer {
        let kept = if owed { Kept::TimedOut } else { Kept::Stored };
        Offer { tier: tier.into(), kept, bytes: 0, duration: Duration::ZERO, fill: false, required: false, owed }
    }

    #[test]
    fn a_debt_reads_as_it_was_written() {
        let debt = Debt { replace: true, failures: 300, tiers: vec!["near".into(), "team".into()], ..debt("zlib") };
        assert_eq!(Debt::decode(&debt.encode()), Some(debt.clone()));
        assert_eq!(Debt::decode(&debt.encode()[..40]), None);
    }

    #[test]
    fn what_is_left_is_owed_to_those_who_lack_it() {
        let left = |answered, offers: &[Offer]| debt("zlib").after(answered, offers).map(|debt| debt.tiers);
        let (near, team) = (offer("near", false), offer("team", true));
        assert_eq!(left(true, std::slice::from_ref(&near)), None);
        assert_eq!(left(true, &[near.clone(), team.clone()]), Some(vec!["team".into()]));
        assert_eq!(left(false, &[]), Some(vec![]), "nobody was asked");
        assert_eq!(left(false, &[offer(SOLE_TIER, true)]), Some(vec![]), "there are no tiers, or none has answered");
        let again = debt("zlib").after(false, &[near, team]).unwrap().after(false, &[]).unwrap();
        assert_eq!((again.tiers, again.failures), (vec!["team".into()], 2));
    }
}
