//! Sizes as people write them: `1500`, `20G`, `1.5T`.

use std::fmt;

/// The text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASize;

impl std::error::Error for NotASize {}

impl fmt::Display for NotASize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a size is a number of bytes, or a number with one of k, K, M, G, T, P, E (powers of 1024) behind it",
        )
    }
}

/// Bytes: `1500`, `20G`, `1.5T`, in powers of 1024. A number may have a fraction if a unit follows; what is less than a byte is cut off.
pub fn parse_size(text: &str) -> Result<u64, NotASize> {
    let shift = match text.as_bytes().last() {
        Some(b'k' | b'K') => 10,
        Some(b'M') => 20,
        Some(b'G') => 30,
        Some(b'T') => 40,
        Some(b'P') => 50,
        Some(b'E') => 60,
        _ => return digits(text),
    };
    let (whole, fraction) = match text.get(..text.len() - 1).unwrap_or_default().split_once('.') {
        Some((whole, fraction)) => (digits(whole)?, part(fraction, shift)?),
        None => (digits(text.get(..text.len() - 1).unwrap_or_default())?, 0),
    };
    whole.checked_mul(1 << shift).and_then(|bytes| bytes.checked_add(fraction)).ok_or(NotASize)
}

fn digits(text: &str) -> Result<u64, NotASize> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().map_err(|_| NotASize) } else { Err(NotASize) }
}

/// What the digits behind the point are worth, of a unit of `1 << shift`.
fn part(fraction: &str, shift: u32) -> Result<u64, NotASize> {
    digits(fraction)?;
    let kept = fraction.get(..fraction.len().min(18)).unwrap_or(fraction);
    let scale = 10_u128.pow(kept.len() as u32);
    let value = u128::from(digits(kept)?) * (1 << shift) / scale;
    u64::try_from(value).map_err(|_| NotASize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        let sizes =
            ["0", "1500", "1k", "1K", "1.5M", "20G", "1.5T", "0.3k", "2P", "1E"].map(|text| parse_size(text).unwrap());
        let wanted = [0, 1500, 1024, 1024, 3 << 19, 20 << 30, 3 << 39, 307, 2 << 50, 1 << 60];
        assert_eq!(sizes, wanted);
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "G", "1g", "10GB", "10G ", " 1", "1.5", "-1", "+1", "1.G", ".5G", "1e3", "16E", "1_000", "1.5.5G", "é"]
        {
            assert_eq!(parse_size(text), Err(NotASize), "{text:?}");
        }
    }
}
