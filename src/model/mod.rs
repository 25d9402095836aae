//! The model: what a project says, as plain data. No I/O happens here.

mod digest;
mod platform;

pub use digest::Digest;
pub use platform::{Cpu, Distribution, Kernel, Libc, Platform};
