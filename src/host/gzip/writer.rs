//! The writer: a stream in, block members out, compressed on every core; the same bytes for any number of threads.

use std::io::{self, Write};
use std::mem;

use libdeflater::{CompressionLvl, Compressor};

use super::tally::Tally;
use super::{BLOCK_SIZE, member};
use crate::host::lanes::{Lanes, Worker};
use crate::model::{Digest, Signature};

/// Compresses what is written to it into `out`; [`Writer::finish`] makes the stream complete.
pub(crate) struct Writer<W> {
    out: W,
    block: Vec<u8>,
    lanes: Lanes<Block, io::Result<Block>>,
    /// Used `packed` buffers.
    spares: Vec<Vec<u8>>,
    tally: Tally,
    tag: Option<Digest>,
    unpacked_size: u64,
    packed_size: u64,
}

/// What a finished writer has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// SHA-256 of the uncompressed stream.
    pub(crate) digest: Digest,
    /// Bytes given to the writer.
    pub(crate) unpacked_size: u64,
    /// Bytes given to `out`.
    pub(crate) packed_size: u64,
}

/// One block on its way through a worker.
struct Block {
    plain: Vec<u8>,
    /// A whole member once it was compressed.
    packed: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// A writer with `threads` compressing threads (0: one per core) and a level of 1 (fast) to 12 (small).
    pub(crate) fn new(out: W, level: u32, threads: usize) -> io::Result<Self> {
        let level = i32::try_from(level).ok().filter(|level| (1..=12).contains(level));
        let Some(Ok(level)) = level.map(CompressionLvl::new) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a compression level is a number from 1 to 12"));
        };
        Ok(Self {
            out,
            block: Vec::with_capacity(BLOCK_SIZE),
            lanes: Lanes::new(threads, move || compressor(level)),
            spares: Vec::new(),
            tally: Tally::default(),
            tag: None,
            unpacked_size: 0,
            packed_size: 0,
        })
    }

    /// Says, by its digest, for which tag the artifact is made.
    pub(crate) fn made_for(self, tag: Option<Digest>) -> Self {
        Self { tag, ..self }
    }

    /// Writes what is left and the last member, with the signature that `sign` may give for the digest of it all. A
    /// writer that is dropped without this leaves a torn stream.
    pub(crate) fn finish(mut self, sign: impl FnOnce(&Digest) -> Option<Signature>) -> io::Result<Written> {
        if !self.block.is_empty() {
            self.send_block()?;
        }
        while self.receive_block()? {}
        let digest = self.tally.finish()?;
        let last = member::last_member(&digest, self.tag, sign(&digest));
        self.out.write_all(&last)?;
        self.out.flush()?;
        let packed_size = self.packed_size + last.len() as u64;
        Ok(Written { digest, unpacked_size: self.unpacked_size, packed_size })
    }

    fn send_block(&mut self) -> io::Result<()> {
        if self.lanes.are_full() {
            self.receive_block()?;
        }
        let mut next = self.tally.spare();
        next.clear();
        next.reserve_exact(BLOCK_SIZE);
        let plain = mem::replace(&mut self.block, next);
        self.lanes.give(Block { plain, packed: self.spares.pop().unwrap_or_default() })
    }

    /// Writes the oldest block under way; false when there is none.
    fn receive_block(&mut self) -> io::Result<bool> {
        let Some(block) = self.lanes.take()? else { return Ok(false) };
        let block = block?;
        self.out.write_all(&block.packed)?;
        self.packed_size += block.packed.len() as u64;
        self.unpacked_size += block.plain.len() as u64;
        self.spares.push(block.packed);
        self.tally.add(block.plain)?;
        Ok(true)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = data.len().min(BLOCK_SIZE - self.block.len());
        self.block.extend_from_slice(&data[..count]);
        if self.block.len() == BLOCK_SIZE {
            self.send_block()?;
        }
        Ok(count)
    }

    /// Does nothing: where blocks end is fixed by the format, not by the caller.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn compressor(level: CompressionLvl) -> Worker<Block, io::Result<Block>> {
    let mut compressor = Compressor::new(level);
    let mut deflated = Vec::new();
    Box::new(move |mut block| {
        // To fill half a megabyte with zeros costs more than to deflate a small artifact.
        let bound = compressor.deflate_compress_bound(block.plain.len());
        if deflated.len() < bound {
            deflated.resize(bound, 0);
        }
        // libdeflate stores what does not compress.
        let size = compressor.deflate_compress(&block.plain, &mut deflated).map_err(io::Error::other)?;
        let trailer = member::trailer(libdeflater::crc32(&block.plain), block.plain.len() as u32);
        block.packed.clear();
        block.packed.extend_from_slice(&member::block_header(size as u32));
        block.packed.extend_from_slice(&deflated[..size]);
        block.packed.extend_from_slice(&trailer);
        Ok(block)
    })
}
