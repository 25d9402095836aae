//! Any bytes as a file of users.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cortado::server::trial::users(bytes));
