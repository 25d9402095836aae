//! tmp
#[cfg(feature = "lua")]
mod recipe;
