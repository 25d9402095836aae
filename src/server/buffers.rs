//! Buffers of answers: read into, sent, and read into again.
//!
//! A fresh buffer is memory that the system clears first, page by page, which takes longer than to fill it. So buffers
//! go round, and all transfers together hold a constant amount.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;

/// The most bytes that are read at once: more of them do not fit into a processor's cache.
const CHUNK: usize = 256 << 10;

/// The fewest, however many transfers there are.
const LEAST: usize = 64 << 10;

/// Bytes that all transfers together hold at once, more or less.
const HELD: usize = 16 << 20;

/// Buffers that wait for the next transfer.
const IDLE: usize = 16;

/// All transfers that there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Transfers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: AtomicUsize,
    idle: Mutex<Vec<Box<[u8]>>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Transfer(Arc<Shared>);

impl Transfers {
    pub(super) fn begin(&self) -> Transfer {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        Transfer(self.0.clone())
    }
}

impl Transfer {
    /// A buffer of at most `size` bytes. What is in it is left over from others.
    pub(super) fn buffer(&self, size: u64) -> Buffer {
        let chunk = (HELD / self.0.count.load(Ordering::Relaxed).max(1)).clamp(LEAST, CHUNK);
        let size = usize::try_from(size).unwrap_or(chunk).min(chunk);
        let reused = (size > LEAST).then(|| self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()).flatten();
        let fresh = || vec![0; if size > LEAST { CHUNK } else { size }].into();
        Buffer { bytes: reused.unwrap_or_else(fresh), size, home: self.0.clone() }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Memory to read into.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    size: usize,
    home: Arc<Shared>,
}

impl Buffer {
    /// The bytes that were filled in.
    pub(super) fn filled(mut self, count: usize) -> Bytes {
        self.size = self.size.min(count);
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.size).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.size).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bytes.len() == CHUNK && idle.len() < IDLE {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_shows_only_what_was_filled_in() {
        let transfers = Transfers::default();
        let transfer = transfers.begin();
        let mut buffer = transfer.buffer(u64::MAX);
        assert_eq!(buffer.as_ref().len(), CHUNK);
        buffer.as_mut()[..5].copy_from_slice(b"beans");
        let place = buffer.as_ref().as_ptr();
        let sent = buffer.filled(5);
        assert_eq!(&sent[..], b"beans");
        drop(sent);
        let again = transfer.buffer(LEAST as u64 + 1);
        assert_eq!((again.as_ref().as_ptr(), again.as_ref().len()), (place, LEAST + 1));
    }

    #[test]
    fn many_transfers_hold_less_each() {
        let transfers = Transfers::default();
        let many: Vec<_> = (0..1000).map(|_| transfers.begin()).collect();
        assert_eq!(many[0].buffer(u64::MAX).as_ref().len(), LEAST);
        let idle: Vec<_> = many.iter().take(100).map(|transfer| transfer.buffer(1)).collect();
        assert!(idle.iter().all(|buffer| buffer.as_ref().len() == 1));
        drop((idle, many));
        let buffers: Vec<_> = (0..100).map(|_| transfers.begin().buffer(u64::MAX)).collect();
        drop(buffers);
        assert_eq!(transfers.0.idle.lock().unwrap().len(), IDLE);
    }
}
