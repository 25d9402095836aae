//! The cache: artifacts, stores and the trees kept on this machine.

pub(crate) mod codec;
pub(crate) mod trees;
