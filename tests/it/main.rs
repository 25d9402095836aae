//! What cortado promises, tested from the outside: one binary, a module for each promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod cache;
#[cfg(feature = "cli")]
mod cli;
mod config;
mod debts;
mod direct;
mod directory;
mod disk;
mod examples;
mod failure;
mod faults;
mod install;
mod interop;
mod key;
mod layers;
mod layout;
mod licenses;
mod locks;
#[cfg(feature = "lua")]
mod recipe;
mod rest;
#[cfg(all(feature = "server", feature = "cli"))]
mod server;
mod signing;
mod sources;
mod steps;
mod stores;
mod support;
mod tiers;
#[cfg(feature = "lua")]
mod toolbox;
mod transfers;
mod umask;
