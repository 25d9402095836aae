//! The model: what a project says, as plain data. No I/O happens here.

mod digest;

pub use digest::Digest;
