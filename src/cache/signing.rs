//! Signing: keys that vouch for artifacts, and keys that are believed. ed25519 (RFC 8032).
//!
//! What is signed is this text, so that an artifact cannot stand in for another task or another version:
//!
//! ```text
//! cortado artifact signature 1
//! <tag>
//! <SHA-256 of the uncompressed tar, 64 lower-case hex digits>
//! ```
//!
//! Each line ends with a newline. `docs/format.md` says where the signature is kept.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;

use super::trust::Trust;
use crate::model::{Digest, Signature};

/// What a public key's text begins with; 64 hex digits follow.
const PUBLIC: &str = "cortado-public-1:";
/// What a secret key's text begins with; 64 hex digits follow.
const SECRET: &str = "cortado-secret-1:";

/// A secret key that signs artifacts. Its text form is `cortado-secret-1:` and 64 hex digits; it is shown by
/// [`to_secret_text`](SigningKey::to_secret_text) only, never by `Debug`.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// A public key, by which signatures are checked. Its text form is `cortado-public-1:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

/// A text that is no key of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct NotAKey {
    problem: &'static str,
}

impl SigningKey {
    /// A key that is made of 32 bytes that nobody can guess.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// A new key, from the system's random numbers.
    ///
    /// # Errors
    /// When the system has none.
    pub fn generate() -> std::io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(std::io::Error::from)?;
        Ok(Self::from_seed(seed))
    }

    /// The key that others need to check what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The text form, which is to be kept secret.
    pub fn to_secret_text(&self) -> String {
        format!("{SECRET}{}", hex::encode(self.0.to_bytes()))
    }

    fn sign(&self, tag: &str, digest: &Digest) -> Signature {
        let proof = self.0.sign(&statement(tag, digest)).to_bytes();
        Signature { signer: self.public().0.to_bytes(), proof }
    }
}

impl PublicKey {
    fn verifies(&self, tag: &str, digest: &Digest, signature: &Signature) -> bool {
        let proof = ed25519_dalek::Signature::from_bytes(&signature.proof);
        self.0.verify_strict(&statement(tag, digest), &proof).is_ok()
    }
}

impl Trust {
    /// Uses only what one of these keys vouches for.
    pub(crate) fn in_keys(self, keys: Vec<PublicKey>) -> Self {
        self.judged(move |tag, digest, signature| {
            let signature = signature.ok_or("it is not signed")?;
            let signer = keys.iter().find(|key| key.0.as_bytes() == &signature.signer);
            let signer = signer.ok_or_else(|| {
                format!("it is signed by {PUBLIC}{}, which is not trusted", hex::encode(signature.signer))
            })?;
            match signer.verifies(tag, digest, signature) {
                true => Ok(()),
                false => Err(format!("its signature by {signer} is wrong")),
            }
        })
    }

    /// Signs with this key.
    pub(crate) fn signed_by(self, key: SigningKey) -> Self {
        self.signed(move |tag, digest| key.sign(tag, digest))
    }
}

/// The key that a signature was made with, if it is what it says it is.
pub(super) fn signer(tag: &str, digest: &Digest, signature: &Signature) -> Option<PublicKey> {
    let key = PublicKey(ed25519_dalek::VerifyingKey::from_bytes(&signature.signer).ok()?);
    key.verifies(tag, digest, signature).then_some(key)
}

/// What is signed.
fn statement(tag: &str, digest: &Digest) -> Vec<u8> {
    format!("cortado artifact signature 1\n{tag}\n{digest}\n").into_bytes()
}

/// 32 bytes out of the text of a key.
fn bytes(text: &str, prefix: &str, problem: &'static str) -> Result<[u8; 32], NotAKey> {
    let mut bytes = [0; 32];
    let digits = text.trim().strip_prefix(prefix).ok_or(NotAKey { problem })?;
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAKey { problem })?;
    Ok(bytes)
}

impl FromStr for SigningKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let problem = match text.trim().starts_with(PUBLIC) {
            true => "this is a public key; signing takes the secret one, `cortado-secret-1:` and 64 hex digits",
            false => "a secret key is `cortado-secret-1:` and 64 hex digits",
        };
        bytes(text, SECRET, problem).map(Self::from_seed)
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let problem = match text.trim().starts_with(SECRET) {
            true => {
                "this is a secret key; whom to trust is said by the public one, `cortado-public-1:` and 64 hex digits"
            }
            false => "a public key is `cortado-public-1:` and 64 hex digits",
        };
        let bytes = bytes(text, PUBLIC, problem)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes);
        key.map(Self).map_err(|_| NotAKey { problem: "these are not the digits of an ed25519 public key" })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex::encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    #[test]
    fn keys_survive_their_text() {
        let secret: SigningKey = format!("{}\n", key(1).to_secret_text()).parse().unwrap();
        assert_eq!(secret.public(), key(1).public());
        assert_eq!(key(1).public().to_string().parse::<PublicKey>().unwrap(), key(1).public());
    }

    #[test]
    fn a_new_key_is_like_no_other() {
        assert_ne!(SigningKey::generate().unwrap().public(), SigningKey::generate().unwrap().public());
    }

    #[test]
    fn a_mistaken_key_is_told_from_a_wrong_one() {
        let wrong = |text: &str| text.parse::<PublicKey>().unwrap_err().to_string();
        assert!(wrong(&key(1).to_secret_text()).starts_with("this is a secret key"));
        assert_eq!(wrong("cortado-public-1:12"), "a public key is `cortado-public-1:` and 64 hex digits");
        let wrong = key(1).public().to_string().parse::<SigningKey>().unwrap_err().to_string();
        assert!(wrong.starts_with("this is a public key"), "{wrong}");
    }

    #[test]
    fn nothing_shows_a_secret() {
        let key = key(7);
        let shown = format!("{key:?} {:?}", Trust::default().signed_by(key.clone()));
        assert!(!shown.contains(&"07".repeat(32)), "{shown}");
    }

    /// Made with OpenSSL 3: `openssl pkeyutl -sign -rawin` with the same seed and text.
    #[test]
    fn the_statement_and_its_signature_are_what_they_were() {
        let digest = Digest::of("");
        let text = String::from_utf8(statement("shop-zlib-1", &digest)).unwrap();
        assert_eq!(text, format!("cortado artifact signature 1\nshop-zlib-1\n{digest}\n"));
        let signature = key(1).sign("shop-zlib-1", &digest);
        assert_eq!(hex::encode(signature.signer), "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c");
        assert_eq!(
            hex::encode(signature.proof),
            "e82fdcd87eb2a968eb07e0685c0d34fee768992a724ae9b7049766900b270165906957107213f0ca6a0982cc265188eb52dbe9545d6902f7211dd3808ed44d0e"
        );
    }

    #[test]
    fn a_signature_is_for_one_tag_and_one_content() {
        let trust = Trust::default().in_keys(vec![key(1).public(), key(2).public()]);
        let (digest, other) = (Digest::of("a"), Digest::of("b"));
        let signature = key(2).sign("shop-a", &digest);
        let judge = |tag, digest, signature| trust.admits(tag, digest, signature);
        assert_eq!(judge("shop-a", &digest, Some(&signature)), Ok(()));
        assert!(judge("shop-b", &digest, Some(&signature)).unwrap_err().ends_with("is wrong"));
        assert!(judge("shop-a", &other, Some(&signature)).unwrap_err().ends_with("is wrong"));
        assert_eq!(judge("shop-a", &digest, None).unwrap_err(), "it is not signed");
        let stranger = judge("shop-a", &digest, Some(&key(3).sign("shop-a", &digest))).unwrap_err();
        assert_eq!(stranger, format!("it is signed by {}, which is not trusted", key(3).public()));
    }

    #[test]
    fn without_keys_everything_passes_and_nothing_is_signed() {
        let trust = Trust::default();
        assert_eq!(trust.admits("shop-a", &Digest::of("a"), None), Ok(()));
        assert!(!trust.signs() && trust.vouch("shop-a").is_none());
    }
}
