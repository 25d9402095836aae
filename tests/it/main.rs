//! What cortado promises, tested from the outside: one binary, a module for each promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod key;
mod layers;
#[cfg(feature = "lua")]
mod recipe;
#[cfg(feature = "lua")]
mod toolbox;
