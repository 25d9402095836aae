//! A signature: who vouches for an artifact, and the proof, as they stand in its last member.

/// An ed25519 signature (RFC 8032) with the public key that it is to be checked with.
///
/// Having one says nothing yet: it may be wrong, and anybody may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The public key of whoever signed.
    pub(crate) signer: [u8; 32],
    /// The signature itself.
    pub(crate) proof: [u8; 64],
}

impl Signature {
    /// How many bytes it takes.
    pub(crate) const SIZE: usize = 96;

    /// The public key, then the signature.
    pub(crate) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..32].copy_from_slice(&self.signer);
        bytes[32..].copy_from_slice(&self.proof);
        bytes
    }

    /// Out of what [`to_bytes`](Signature::to_bytes) gives; `None` for any other size.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (signer, proof) = bytes.split_first_chunk::<32>()?;
        Some(Self { signer: *signer, proof: proof.try_into().ok()? })
    }
}
