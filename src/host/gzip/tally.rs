//! The tally: SHA-256 over a stream of blocks, on a thread of its own, since a hash cannot be split among several.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use crate::model::Digest;

/// How many blocks may wait to be hashed.
const WAITING: usize = 4;

/// Hashes the blocks it is given, in order, and hands their buffers back for reuse.
pub(super) struct Tally {
    blocks: SyncSender<Vec<u8>>,
    spares: Receiver<Vec<u8>>,
    thread: JoinHandle<Digest>,
}

impl Tally {
    pub(super) fn start() -> io::Result<Self> {
        let (blocks, incoming) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let (outgoing, spares) = mpsc::channel();
        let hash = move || {
            let mut hasher = Sha256::new();
            for mut block in incoming {
                hasher.update(&block);
                block.clear();
                // The other end may be gone: then nobody needs the buffer.
                let _ = outgoing.send(block);
            }
            Digest::finish(hasher)
        };
        let thread = thread::Builder::new().name("cortado-sha256".into()).spawn(hash)?;
        Ok(Self { blocks, spares, thread })
    }

    /// Counts a block in.
    pub(super) fn add(&mut self, block: Vec<u8>) -> io::Result<()> {
        self.blocks.send(block).map_err(|_| lost())
    }

    /// An empty buffer, a used one if there is one.
    pub(super) fn spare(&mut self) -> Vec<u8> {
        self.spares.try_recv().unwrap_or_default()
    }

    /// The digest of all blocks.
    pub(super) fn finish(self) -> io::Result<Digest> {
        drop(self.blocks);
        self.thread.join().map_err(|_| lost())
    }
}

fn lost() -> io::Error {
    io::Error::other("the hashing thread was lost")
}
