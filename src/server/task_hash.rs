//! Hashes of tasks, as Turborepo and Nx name what they keep by them.

use super::problem::Problem;

/// The longest hash. Turborepo has 16 digits, Nx 20; both say that this may change.
const LONGEST: usize = 128;

/// Refuses what is no hash.
///
/// # Errors
/// 400, with the rule.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Problem::bad_request(format!("a hash has up to {LONGEST} letters, digits, `_`, `-`")))
}
