//! `apr1`: the hash that Apache's `htpasswd` makes unless told otherwise, a variant of MD5-crypt.
//!
//! The one library that has it (`htpasswd-verify`) brings `rust-crypto` along, which nobody has looked after since 2016.

use constant_time_eq::constant_time_eq;
use md5::{Digest, Md5};

const MAGIC: &[u8] = b"$apr1$";
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The order in which the bytes of the digest are written, three at a time.
const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];

/// Whether a text is such a hash.
pub(super) fn is_one(hash: &str) -> bool {
    parts(hash).is_some_and(|(salt, sum)| salt.len() <= 8 && sum.len() == 22)
}

/// Whether the hash is that of the password.
pub(super) fn verify(password: &[u8], hash: &str) -> bool {
    parts(hash).is_some_and(|(salt, sum)| constant_time_eq(&encode(digest(password, salt.as_bytes())), sum.as_bytes()))
}

fn parts(hash: &str) -> Option<(&str, &str)> {
    hash.strip_prefix("$apr1$")?.split_once('$')
}

fn digest(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut hasher = Md5::new().chain_update(password).chain_update(MAGIC).chain_update(salt);
    for rest in (1..=password.len()).rev().step_by(16) {
        hasher.update(inner.get(..rest.min(16)).unwrap_or_default());
    }
    let mut bits = password.len();
    while bits > 0 {
        hasher.update(if bits & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() });
        bits >>= 1;
    }
    (0..1000).fold(hasher.finalize().into(), |sum, round| stretch(password, salt, sum, round))
}

/// One of the thousand rounds that make guessing dearer.
fn stretch(password: &[u8], salt: &[u8], sum: [u8; 16], round: u32) -> [u8; 16] {
    let is_odd = round % 2 == 1;
    let mut hasher = Md5::new().chain_update(if is_odd { password } else { &sum });
    if !round.is_multiple_of(3) {
        hasher.update(salt);
    }
    if !round.is_multiple_of(7) {
        hasher.update(password);
    }
    hasher.update(if is_odd { &sum[..] } else { password });
    hasher.finalize().into()
}

fn encode(sum: [u8; 16]) -> Vec<u8> {
    let mut text = Vec::with_capacity(22);
    for [high, middle, low] in ORDER {
        push(&mut text, u32::from_be_bytes([0, sum[high], sum[middle], sum[low]]), 4);
    }
    push(&mut text, u32::from(sum[11]), 2);
    text
}

fn push(text: &mut Vec<u8>, mut bits: u32, digits: usize) {
    for _ in 0..digits {
        text.push(ALPHABET[(bits & 63) as usize]);
        bits >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_openssl_are_known() {
        // `openssl passwd -apr1 -salt SALT PASSWORD`
        for (password, hash) in [
            ("espresso", "$apr1$r31xyzAB$Y06M2WUVxtJafDnRSxFf0."),
            ("a", "$apr1$r31xyzAB$xVm9eRb0mcoNeEfjJqzdq/"),
            ("0123456789abcdefg-longer-than-one-block", "$apr1$r31xyzAB$N.QREAMNdUUE5gZZxqtkw1"),
            ("Küche", "$apr1$r31xyzAB$6TjCV6IjWSkX9/S5V/Afc0"),
            ("espresso", "$apr1$ab$fATbWcASFwfGyhwPt.DBE."),
        ] {
            assert!(is_one(hash) && verify(password.as_bytes(), hash), "{password}");
            assert!(!verify(format!("{password}x").as_bytes(), hash), "{password}");
        }
        assert!(!is_one("$apr1$salt$short") && !is_one("$1$salt$0123456789012345678901"));
    }
}
