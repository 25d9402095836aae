//! Any bytes as a label of an object.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cortado::server::trial::labels(bytes));
