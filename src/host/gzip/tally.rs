//! The tally: SHA-256 over a stream of blocks, on a thread of its own, since a hash cannot be split among several. A
//! stream of a single block is hashed without one.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use crate::model::Digest;

/// How many blocks may wait to be hashed.
const WAITING: usize = 8;

/// Hashes the blocks it is given, in order, and hands their buffers back for reuse.
#[derive(Default)]
pub(super) struct Tally {
    /// The first block, until there is a second.
    first: Option<Vec<u8>>,
    hashing: Option<Hashing>,
}

struct Hashing {
    blocks: SyncSender<Vec<u8>>,
    spares: Receiver<Vec<u8>>,
    thread: JoinHandle<Digest>,
}

impl Tally {
    /// Counts a block in.
    pub(super) fn add(&mut self, block: Vec<u8>) -> io::Result<()> {
        if self.hashing.is_none() {
            let Some(first) = self.first.take() else {
                self.first = Some(block);
                return Ok(());
            };
            self.hashing.insert(Hashing::start()?).add(first)?;
        }
        self.hashing.as_ref().ok_or_else(lost)?.add(block)
    }

    /// A buffer, a used one with its old content if there is one: to clear it here would have it filled with zeros
    /// again.
    pub(super) fn spare(&mut self) -> Vec<u8> {
        self.hashing.as_ref().and_then(|hashing| hashing.spares.try_recv().ok()).unwrap_or_default()
    }

    /// The digest of all blocks.
    pub(super) fn finish(self) -> io::Result<Digest> {
        match self.hashing {
            None => Ok(Digest::of(self.first.unwrap_or_default())),
            Some(hashing) => {
                drop(hashing.blocks);
                hashing.thread.join().map_err(|_| lost())
            }
        }
    }
}

impl Hashing {
    fn start() -> io::Result<Self> {
        let (blocks, incoming) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let (outgoing, spares) = mpsc::channel();
        let hash = move || {
            let mut hasher = Sha256::new();
            for block in incoming {
                hasher.update(&block);
                // The other end may be gone: then nobody needs the buffer.
                let _ = outgoing.send(block);
            }
            Digest::finish(hasher)
        };
        let thread = thread::Builder::new().name("cortado-sha256".into()).spawn(hash)?;
        Ok(Self { blocks, spares, thread })
    }

    fn add(&self, block: Vec<u8>) -> io::Result<()> {
        self.blocks.send(block).map_err(|_| lost())
    }
}

fn lost() -> io::Error {
    io::Error::other("the hashing thread was lost")
}
