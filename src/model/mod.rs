//! The model: what a project says, as plain data. No I/O happens here.

mod digest;
mod link_mode;

pub use digest::Digest;
pub use link_mode::LinkMode;
