//! Any bytes as a digest header.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cortado::server::trial::digest(bytes));
