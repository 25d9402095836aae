//! Offering: puts one artifact into one tier.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Context;

use super::fault::Fault;
use super::line::{Line, Progress, Visit};
use crate::cache::offer::{Kept, Offer};
use crate::cache::put::Put;
use crate::cache::remarks::Remark;
use crate::cache::store::Store;
use crate::cache::stored::Stored;

/// A packed artifact in a file. The file stays as long as `keep` lives, wherever that is.
#[derive(Clone)]
pub(super) struct Parcel<K> {
    pub(super) keep: K,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) put: Put,
    /// Whether it comes from a farther tier.
    pub(super) fill: bool,
}

/// Offers a parcel to a tier. What the run is to be told goes to `remark`.
pub(super) fn offer<K>(line: &Line, parcel: &Parcel<K>, remark: &dyn Fn(Remark)) -> Offer
where
    K: AsRef<Path> + Clone + Send + Sync + 'static,
{
    let start = Instant::now();
    let kept = match line.tier.settings.mode.writes() {
        true => keep(line, parcel, remark),
        false => Kept::Disabled,
    };
    Offer {
        tier: line.tier.name.clone(),
        bytes: if kept == Kept::Stored { parcel.size } else { 0 },
        kept,
        duration: start.elapsed(),
        fill: parcel.fill,
        required: line.tier.settings.required,
    }
}

fn keep<K>(line: &Line, parcel: &Parcel<K>, remark: &dyn Fn(Remark)) -> Kept
where
    K: AsRef<Path> + Clone + Send + Sync + 'static,
{
    let Some(mut visit) = line.visit() else { return Kept::Skipped };
    match put(&mut visit, parcel) {
        Ok(stored) => {
            visit.succeed();
            stored.into()
        }
        Err(fault) => {
            visit.fail(&fault).into_iter().for_each(remark);
            fault.kept()
        }
    }
}

fn put<K>(visit: &mut Visit<'_>, parcel: &Parcel<K>) -> Result<Stored, Fault>
where
    K: AsRef<Path> + Clone + Send + Sync + 'static,
{
    let moved = Progress::default();
    let (parcel, progress) = ((*parcel).clone(), moved.clone());
    // Only what is read piece by piece can be seen to move, which a time limit has to; a tier without one may link.
    let watched = visit.pass.limit().is_some();
    visit.call(&moved, move |store| match watched {
        true => put_watched(store, &parcel, progress),
        false => store.put_file(&parcel.name, parcel.keep.as_ref(), &parcel.put),
    })
}

fn put_watched<K: AsRef<Path>>(store: &dyn Store, parcel: &Parcel<K>, progress: Progress) -> anyhow::Result<Stored> {
    let path = parcel.keep.as_ref();
    let file = File::open(path).with_context(|| format!("could not open `{}`", path.display()))?;
    store.put(&parcel.name, &mut Moving { content: file, progress }, &parcel.put)
}

/// A content that is seen to move while it is read.
pub(super) struct Moving<R> {
    pub(super) content: R,
    pub(super) progress: Progress,
}

impl<R: Read> Read for Moving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.progress.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
