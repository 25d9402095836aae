//! The gzip layer: an ordinary multi-member `.gz` whose members can be packed and unpacked on every core.
//!
//! [`Writer`] cuts its input into blocks of fixed size and makes each an independent gzip member that says how long
//! it is; an empty last member promises the SHA-256 of the whole. [`Reader`] inflates such members ahead of its
//! consumer and keeps the promise; every other gzip stream it reads one member after the other. `docs/format.md`
//! describes the bytes. Nothing here knows about tar.

mod member;
mod reader;
mod tally;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use member::promised;
pub(crate) use reader::{Reader, Seal};
pub(crate) use writer::{Writer, Written};

/// Uncompressed bytes per member, the last one excepted. A part of the format: it decides the compressed bytes.
pub(crate) const BLOCK_SIZE: usize = 512 * 1024;
