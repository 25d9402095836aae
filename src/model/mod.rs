//! The model: what a project says, as plain data. No I/O happens here.

mod checksum;
mod digest;
mod format;

pub use checksum::{Algorithm, Checksum, NotAChecksum};
pub use digest::Digest;
pub use format::{Format, NotAFormat};
