//! Any bytes as an `Authorization` header.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cortado::server::trial::credentials(bytes));
