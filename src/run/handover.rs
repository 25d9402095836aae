//! The handover: packs a tree, and offers what was packed to the cache. What the cache has not got after that is owed.

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::debt::Debt;
use super::event::{Event, TaskRef};
use super::shared::Shared;
use crate::cache::artifact::{Inner, filename};
use crate::cache::remarks::{Remark, Remarks};
use crate::cache::{self, Artifact, CachePolicy, Guard, Tree, Turn};
use crate::error::{Error, Result};
use crate::host::fs;
use crate::host::pack::{PackOptions, pack};
use crate::model::Digest;
use crate::plan::PlannedTask;

/// An artifact that was packed and the cache may want.
#[derive(Debug)]
pub(crate) struct Offer {
    /// Or why there is none.
    pub(crate) artifact: Result<Artifact, String>,
    /// The right to have built it, which is given back when it is kept or given up.
    pub(crate) turn: Option<Turn>,
    /// What is owed until it is kept.
    pub(crate) debt: Option<Debt>,
    /// How long it took to pack, if an earlier run has built it.
    pub(crate) again: Option<Duration>,
}

/// What became of an offer.
#[derive(Debug)]
pub(crate) struct Handed {
    /// Whether the run can go on with that.
    pub(crate) result: Result<()>,
    /// What is owed still.
    pub(crate) left: Option<Debt>,
}

impl Offer {
    /// Of what cannot be packed.
    pub(crate) fn failed(why: &Error) -> Self {
        Self { artifact: Err(why.to_string()), turn: None, debt: None, again: None }
    }

    /// Its size in bytes; 0 where it could not be packed.
    pub(crate) fn size(&self) -> u64 {
        self.artifact.as_ref().map_or(0, Artifact::size)
    }
}

impl Shared<'_> {
    /// Packs what was just built. From here on it is owed, so that not even a killed run forgets it.
    pub(crate) fn pack_fresh(
        &self,
        task: &PlannedTask<'_>,
        name: &TaskRef,
        tree: &Tree,
        build_time: Duration,
        replace: bool,
    ) -> Offer {
        let digest = Digest::from([0; 32]);
        let debt = Debt { task: name.to_string(), digest, build_time, replace, failures: 0, tiers: Vec::new() };
        let packed = self.pack(task, tree, &debt);
        match packed.and_then(|artifact| self.artifacts.add(task.tag(), &artifact.digest()).map(|()| artifact)) {
            Ok(artifact) => {
                let debt = Debt { digest: artifact.digest(), ..debt };
                self.note(name, self.owed.owe(task.tag(), &debt));
                Offer { artifact: Ok(artifact), turn: None, debt: Some(debt), again: None }
            }
            Err(error) => Offer::failed(&error),
        }
    }

    /// Packs what an earlier run owes the cache. `None` if its tree is here no more, or not as it was: then nothing is
    /// owed.
    pub(crate) fn pack_again(&self, task: &PlannedTask<'_>, name: &TaskRef, debt: Debt) -> Result<Option<Offer>> {
        let start = Instant::now();
        let Some(tree) = self.tree(task, name)? else {
            self.forget(task, name);
            return Ok(None);
        };
        let artifact = self.pack(task, &tree, &debt).map_err(|error| error.to_string());
        if artifact.as_ref().is_ok_and(|artifact| artifact.digest() != debt.digest) {
            self.warn(name, "its tree is not what was packed when it was built, and is not used again");
            self.trees.remove(task.tag())?;
            self.forget(task, name);
            return Ok(None);
        }
        Ok(Some(Offer { artifact, turn: None, debt: Some(debt), again: Some(start.elapsed()) }))
    }

    /// Offers an artifact to the cache. Trouble with that is an event, unless the policy says more.
    pub(crate) fn offer(&self, guard: &mut Guard, task: &PlannedTask<'_>, name: &TaskRef, offer: Offer) -> Handed {
        let (size, tag) = (offer.size(), task.tag().to_owned());
        let Offer { artifact, turn, debt, again } = offer;
        let offers = RefCell::new(Vec::new());
        let remark = |remark: Remark| {
            if let Remark::Offered(offer) = &remark {
                offers.borrow_mut().push(offer.clone());
            }
            self.remark(name, remark);
        };
        let result = artifact.and_then(|artifact| {
            if !self.settings.cancel.is_cancelled() {
                self.tell(Event::Storing { task: name.clone(), tag: tag.clone(), size });
            }
            self.exchange.update(guard, &artifact, &remark)
        });
        // Whoever waits for it can look now.
        drop(turn);
        self.count(|cache| match &result {
            Ok(true) => (cache.stored, cache.stored_bytes) = (cache.stored + 1, cache.stored_bytes + size),
            Ok(false) => {}
            Err(_) => cache.failed_updates += 1,
        });
        self.tell(Event::Stored { task: name.clone(), tag, size, result: result.clone() });
        let left = debt.and_then(|debt| debt.after(result.is_ok(), &offers.borrow()));
        match &left {
            Some(left) => self.note(name, self.owed.owe(task.tag(), left)),
            None => self.forget(task, name),
        }
        Handed {
            result: result.map_or_else(|reason| self.miss_out(task, name, reason, again.is_some()), |_| Ok(())),
            left,
        }
    }

    /// What it means for the run that an artifact is not kept.
    fn miss_out(&self, task: &PlannedTask<'_>, name: &TaskRef, reason: String, again: bool) -> Result<()> {
        let is_fatal =
            || self.traffic().of(name).is_some_and(|traffic| traffic.offers.iter().any(cache::Offer::is_fatal));
        let required = self.settings.cache_policy.requires_write() || is_fatal();
        if required && !again {
            self.withdraw(task)?;
            self.forget(task, name);
        }
        if self.settings.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        if required {
            return Err(Error::Cache { operation: "update", tag: task.tag().to_owned(), reason });
        }
        if self.settings.cache_policy == CachePolicy::Warn {
            self.warn(name, format!("it could not be cached: {reason}"));
        }
        Ok(())
    }

    /// Undoes a build whose artifact had to be kept and was not: the next run would find it installed, and have no reason
    /// to fail.
    fn withdraw(&self, task: &PlannedTask<'_>) -> Result<()> {
        self.installer.clear(task.name())?;
        self.trees.remove(task.tag())
    }

    /// Notes that nothing is owed of a task.
    pub(crate) fn forget(&self, task: &PlannedTask<'_>, name: &TaskRef) {
        self.note(name, self.owed.settle(task.tag()));
    }

    /// What cannot be noted is offered once too often, or not again.
    fn note(&self, name: &TaskRef, noted: Result<()>) {
        if let Err(error) = noted {
            self.warn(name, format!("what is owed to the cache could not be noted: {error}"));
        }
    }

    fn pack(&self, task: &PlannedTask<'_>, tree: &Tree, debt: &Debt) -> Result<Artifact> {
        let dir = self.dir.pack();
        let file = fs::make_in(&dir, || NamedTempFile::with_prefix_in(format!("{}.", task.name()), &dir));
        let mut file = file.map_err(Error::io("create a file in", &dir))?;
        // For everyone to read, so that a store on this file system can keep the file itself.
        let open = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(open).map_err(Error::io("set the mode of", file.path()))?;
        let vouch = self.settings.trust.vouch(task.tag());
        let options = PackOptions {
            mtime: self.project().source_date_epoch,
            level: self.settings.compression_level,
            threads: 0,
            tag: Some(Digest::of(task.tag())),
            sign: vouch.as_ref().map(|vouch| vouch as _),
        };
        let packed = pack(&tree.layout, tree.entries(), file.as_file_mut(), &options)?;
        let provenance = self.settings.provenance.clone();
        let provenance = provenance.project(&*self.project().name).task(task.name()).build_time(debt.build_time);
        Ok(Artifact::new(Inner {
            name: task.name().to_owned(),
            tag: task.tag().to_owned(),
            filename: filename(task.tag()),
            path: file.into_temp_path(),
            digest: packed.digest,
            size: packed.packed_size,
            provenance,
            replace: debt.replace,
            tiers: debt.tiers.clone(),
            remarks: Remarks::default(),
        }))
    }
}
