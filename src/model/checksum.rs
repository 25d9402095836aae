//! A checksum that a recipe pins: the algorithm and the digest that a source must have.
//!
//! This is what people copy from a release page, so four algorithms are read; [`crate::model::Digest`] is what cortado
//! itself computes, and that is SHA-256 only. Nothing is hashed here.

use std::fmt;
use std::str::FromStr;

/// A promised digest: an algorithm and its value in lower-case hex.
///
/// Its text form is `sha256:9a93…`. Checksums order by strength first, so the greatest of several is the one to verify.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum {
    algorithm: Algorithm,
    hex: String,
}

/// How a checksum is computed, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// MD5: detects accidents, not attacks.
    Md5,
    /// SHA-1: detects accidents, not attacks.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Checksum {
    /// A checksum from hex digits of either case; surrounding white space is ignored.
    pub fn new(algorithm: Algorithm, hex: &str) -> Result<Self, NotAChecksum> {
        let hex = hex.trim();
        if let Some(wrong) = hex.chars().find(|digit| !digit.is_ascii_hexdigit()) {
            return Err(NotAChecksum(format!("`{wrong}` is not a hex digit")));
        }
        if hex.len() != algorithm.hex_len() {
            let wanted = algorithm.hex_len();
            return Err(NotAChecksum(format!("a {algorithm} has {wanted} hex digits, this has {}", hex.len())));
        }
        Ok(Self { algorithm, hex: hex.to_ascii_lowercase() })
    }

    /// How it was computed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest, in lower-case hex.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Whether someone could make another file with this checksum.
    pub fn is_weak(&self) -> bool {
        self.algorithm.is_weak()
    }
}

impl Algorithm {
    /// All of them, from the weakest to the strongest.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// Its name in recipes: `md5`, `sha1`, `sha256`, `sha512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hex digits its digests have.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// Whether collisions can be made on purpose.
    pub fn is_weak(self) -> bool {
        self <= Self::Sha1
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

/// The text was not a checksum; it displays as the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAChecksum(String);

impl FromStr for Algorithm {
    type Err = NotAChecksum;

    /// Reads `sha256`, `SHA-256`, `Sha256`.
    fn from_str(name: &str) -> Result<Self, NotAChecksum> {
        let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name() == plain);
        known.ok_or_else(|| NotAChecksum(format!("`{name}` is not one of md5, sha1, sha256, sha512")))
    }
}

impl FromStr for Checksum {
    type Err = NotAChecksum;

    /// Reads `sha256:9a93…`.
    fn from_str(text: &str) -> Result<Self, NotAChecksum> {
        let (algorithm, hex) =
            text.split_once(':').ok_or_else(|| NotAChecksum("a checksum reads `sha256:` and hex digits".into()))?;
        Self::new(algorithm.trim().parse()?, hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn digits_of_either_case_are_one_checksum() {
        let upper = Checksum::new(Algorithm::Md5, &format!(" {}\n", EMPTY_MD5.to_uppercase())).unwrap();
        assert_eq!(upper.hex(), EMPTY_MD5);
        assert_eq!(format!("MD-5:{EMPTY_MD5}").parse(), Ok(upper));
    }

    #[test]
    fn a_wrong_digest_says_what_is_wrong_with_it() {
        let text = |algorithm, hex: &str| Checksum::new(algorithm, hex).unwrap_err().to_string();
        assert_eq!(text(Algorithm::Sha256, EMPTY_MD5), "a sha256 has 64 hex digits, this has 32");
        assert_eq!(text(Algorithm::Md5, "9a93…"), "`…` is not a hex digit");
        assert_eq!(
            "crc32:00".parse::<Checksum>().unwrap_err().to_string(),
            "`crc32` is not one of md5, sha1, sha256, sha512"
        );
    }

    #[test]
    fn the_greatest_checksum_is_the_strongest() {
        let all = Algorithm::ALL.map(|algorithm| Checksum::new(algorithm, &"f".repeat(algorithm.hex_len())).unwrap());
        assert_eq!(all.iter().max().unwrap().algorithm(), Algorithm::Sha512);
        assert_eq!(all.each_ref().map(Checksum::is_weak), [true, true, false, false]);
    }
}
