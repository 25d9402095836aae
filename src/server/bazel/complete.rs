//! Whether a result is complete: whether all that it names is there.
//!
//! A Bazel that builds without the bytes takes a result for done and asks for a content when it needs it, long after it
//! could have run the action again. So a result that has lost a content is not there either, and what a result names is as
//! much in use as the result.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use super::content_key;
use super::named::Named;
use crate::server::auth::Client;
use crate::server::problem::Problem;
use crate::server::shelf::Found;
use crate::server::site::Site;
use crate::{Digest, Store};

/// The largest message that is looked into, in bytes. Those of Bazel have some kilobytes.
const LARGEST: u64 = 4 << 20;

/// Bytes of directories that are looked into for one result. Anybody can write one that names many.
const ALL_TREES: u64 = 64 << 20;

/// Whether all is there that a result names. What is no result of Bazel's names nothing.
pub(super) async fn is_complete(site: &Site, client: &Client, result: Option<Message>) -> Result<bool, Problem> {
    let Some(result) = result else { return Ok(true) };
    let Ok(named) = Named::by_result(&result.read(site).await?) else { return Ok(true) };
    let trees = BTreeSet::from_iter(named.trees);
    // What lies upstream comes all together, and not one after the other.
    if !are_there(site, named.files.into_iter().chain(trees.iter().copied()).collect()).await? {
        return Ok(false);
    }
    let (mut files, mut room) = (BTreeSet::new(), ALL_TREES);
    for tree in trees {
        let Some(found) = content_key(tree).look(site, client).await? else { return Ok(false) };
        let Some(tree) = Message::of(&found).filter(|tree| tree.size <= room) else { continue };
        room -= tree.size;
        files.extend(Named::by_tree(&tree.read(site).await?).unwrap_or_default());
    }
    are_there(site, files).await
}

async fn are_there(site: &Site, files: BTreeSet<Digest>) -> Result<bool, Problem> {
    if files.is_empty() {
        return Ok(true);
    }
    site.shelf.has_all(files.into_iter().map(|file| content_key(file).name().clone()).collect()).await
}

/// An object that may be a message.
#[derive(Debug)]
pub(super) struct Message {
    file: File,
    size: u64,
}

impl Message {
    /// What was found, if it is a file and not too large.
    pub(super) fn of(found: &Found) -> Option<Self> {
        let Found::File(file, look, _) = found else { return None };
        let file = file.try_clone().ok().filter(|_| look.size <= LARGEST)?;
        Some(Self { file, size: look.size })
    }

    async fn read(self, site: &Site) -> Result<Vec<u8>, Problem> {
        let read = move |_: &dyn Store| {
            let mut bytes = vec![0; usize::try_from(self.size)?];
            self.file.read_exact_at(&mut bytes, 0)?;
            Ok(bytes)
        };
        site.shelf.work(read).await
    }
}
