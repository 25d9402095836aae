//! The reader: any gzip stream in, its content out. Members of known length are inflated ahead of the consumer, on
//! every core; other people's streams one member after the other.
//!
//! It trusts nothing: sizes are bounded before anything is allocated, every member's CRC and size are checked, the
//! promised digest is kept, and whatever follows the last member is an error.

use std::io::{self, Cursor, Read};
use std::mem;

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;

use super::BLOCK_SIZE;

use super::member::{self, Start, TRAILER_SIZE};
use super::tally::Tally;
use crate::host::lanes::{Lanes, Worker};
use crate::model::{Digest, Signature};

/// Members with more than this, packed or unpacked, are read as a stream instead of as a block.
const LARGEST_BLOCK: u32 = 4 << 20;

/// Reads the uncompressed content of the gzip stream `R`.
pub(crate) struct Reader<R> {
    source: Source<R>,
    lanes: Lanes<Block, io::Result<Block>>,
    /// What the consumer is reading, and how far it is.
    block: Vec<u8>,
    position: usize,
    /// Used `packed` buffers.
    spares: Vec<Vec<u8>>,
    tally: Option<Tally>,
    members: u64,
    promised: Option<Digest>,
    tag: Option<Digest>,
    signature: Option<Signature>,
    seal: Option<Seal>,
}

/// What is known about a stream that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    /// SHA-256 of the uncompressed content.
    pub(crate) digest: Digest,
    /// Whether the stream itself promised this digest.
    pub(crate) promised: bool,
    /// The digest of the tag that it was made for, where it says so.
    pub(crate) tag: Option<Digest>,
    /// Who vouches for it, unchecked.
    pub(crate) signature: Option<Signature>,
}

/// Where the next members come from.
enum Source<R> {
    /// Members of known length, so far.
    Blocks(R),
    /// A member of unknown length, and everything after it.
    Stream(Box<MultiGzDecoder<io::Chain<Cursor<Vec<u8>>, R>>>),
    /// There is no more.
    End,
    /// It was found corrupt, for this reason.
    Corrupt(io::ErrorKind, String),
}

/// One member on its way through a worker.
struct Block {
    number: u64,
    /// Deflate data.
    packed: Vec<u8>,
    plain: Vec<u8>,
    crc: u32,
    size: u32,
}

impl<R: Read> Reader<R> {
    /// A reader with `threads` inflating threads (0: one per core). Nothing is read yet.
    pub(crate) fn new(input: R, threads: usize) -> io::Result<Self> {
        Ok(Self {
            source: Source::Blocks(input),
            lanes: Lanes::new(threads, inflater),
            block: Vec::new(),
            position: 0,
            spares: Vec::new(),
            tally: Some(Tally::default()),
            members: 0,
            promised: None,
            tag: None,
            signature: None,
            seal: None,
        })
    }

    /// The digest of the content; `None` until the stream was read to its end without an error.
    pub(crate) fn seal(&self) -> Option<Seal> {
        self.seal
    }

    /// Makes the next block current; false at the end of the stream.
    fn advance(&mut self) -> io::Result<bool> {
        if let Source::Corrupt(kind, reason) = &self.source {
            return Err(io::Error::new(*kind, reason.clone()));
        }
        let advanced = self.next_block().and_then(|block| self.turn_to(block));
        if let Err(error) = &advanced {
            self.source = Source::Corrupt(error.kind(), error.to_string());
        }
        advanced
    }

    fn turn_to(&mut self, next: Option<Vec<u8>>) -> io::Result<bool> {
        let (read, more) = match next {
            Some(block) => (mem::replace(&mut self.block, block), true),
            None => (mem::take(&mut self.block), false),
        };
        self.position = 0;
        if let Some(tally) = &mut self.tally
            && !read.is_empty()
        {
            tally.add(read)?;
        }
        if !more {
            self.finish()?;
        }
        Ok(more)
    }

    /// Compares what was read with what was promised.
    fn finish(&mut self) -> io::Result<()> {
        let Some(tally) = self.tally.take() else { return Ok(()) };
        let digest = tally.finish()?;
        if let Some(promised) = self.promised.filter(|promised| *promised != digest) {
            return Err(corrupt(format!("its content has the SHA-256 {digest}, but it promises {promised}")));
        }
        let (promised, tag, signature) = (self.promised.is_some(), self.tag, self.signature);
        self.seal = Some(Seal { digest, promised, tag, signature });
        Ok(())
    }

    fn next_block(&mut self) -> io::Result<Option<Vec<u8>>> {
        while !self.lanes.are_full() && self.send_member()? {}
        match self.lanes.take()? {
            Some(block) => {
                let block = block?;
                self.spares.push(block.packed);
                Ok(Some(block.plain))
            }
            None => self.next_of_stream(),
        }
    }

    /// Sends a member of known length to be inflated; false when the next one, if any, is not of that kind.
    fn send_member(&mut self) -> io::Result<bool> {
        let Source::Blocks(input) = &mut self.source else { return Ok(false) };
        match member::start(input)? {
            Start::End if self.members == 0 => Err(corrupt("it is empty".into())),
            Start::End => {
                self.source = Source::End;
                Ok(false)
            }
            _ if self.promised.is_some() => Err(corrupt("data follows its last member".into())),
            Start::Foreign(raw) => Ok(self.fall_back(raw)),
            Start::Block { size, digest, tag, signature, raw } => {
                (self.promised, self.tag, self.signature) = (digest, tag, signature);
                self.members += 1;
                self.send_block(size, raw)
            }
        }
    }

    fn send_block(&mut self, size: u32, mut raw: Vec<u8>) -> io::Result<bool> {
        let Source::Blocks(input) = &mut self.source else { return Ok(false) };
        if size > LARGEST_BLOCK {
            return Ok(self.fall_back(raw));
        }
        let mut packed = self.spares.pop().unwrap_or_default();
        packed.clear();
        let mut trailer = [0; TRAILER_SIZE];
        if !member::append(input, &mut packed, size as usize)? {
            return Err(truncated());
        }
        input.read_exact(&mut trailer).map_err(|_| truncated())?;
        let (crc, plain_size) = member::parse_trailer(trailer);
        if plain_size > LARGEST_BLOCK {
            raw.extend(packed);
            raw.extend(trailer);
            return Ok(self.fall_back(raw));
        }
        let plain = self.tally.as_mut().map(Tally::spare).unwrap_or_default();
        let block = Block { number: self.members, packed, plain, crc, size: plain_size };
        match plain_size {
            // The last member: nothing that a worker could be waited for.
            0 => inflater()(block).map(|_| true),
            _ => self.lanes.give(block).map(|()| true),
        }
    }

    /// From here on, reads members as a stream, beginning with `raw`. Always false: no member was sent.
    fn fall_back(&mut self, raw: Vec<u8>) -> bool {
        if let Source::Blocks(input) = mem::replace(&mut self.source, Source::End) {
            self.source = Source::Stream(Box::new(MultiGzDecoder::new(Cursor::new(raw).chain(input))));
        }
        false
    }

    fn next_of_stream(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Source::Stream(stream) = &mut self.source else { return Ok(None) };
        let mut plain = self.tally.as_mut().map(Tally::spare).unwrap_or_default();
        plain.clear();
        stream.by_ref().take(BLOCK_SIZE as u64).read_to_end(&mut plain)?;
        Ok((!plain.is_empty()).then_some(plain))
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An empty member is no end.
        while self.position == self.block.len() && self.seal.is_none() && !buffer.is_empty() {
            self.advance()?;
        }
        let rest = self.block.get(self.position..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}

fn inflater() -> Worker<Block, io::Result<Block>> {
    let mut inflater = Decompressor::new();
    Box::new(move |mut block| {
        let number = block.number;
        block.plain.resize(block.size as usize, 0);
        match inflater.deflate_decompress(&block.packed, &mut block.plain) {
            Ok(size) if size != block.plain.len() => {
                Err(corrupt(format!("gzip member {number} has not the size it says")))
            }
            Err(error) => Err(corrupt(format!("gzip member {number} is damaged ({error:?})"))),
            Ok(_) if libdeflater::crc32(&block.plain) != block.crc => {
                Err(corrupt(format!("gzip member {number} has a wrong CRC")))
            }
            Ok(_) => Ok(block),
        }
    })
}

fn corrupt(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it ends in the middle of a member")
}
