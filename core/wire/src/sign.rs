//! The traits through which signatures are made and checked. The keys live in landfall-seal; a crate that
//! only checks (the courier) needs nothing but a public key and a [`Verifier`].

use crate::ids::{PublicKey, Signature};

/// The signature does not verify, or the key is one that is refused (small order, not canonical).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct BadSignature;

/// Signs with one Ed25519 key that it holds.
pub trait Signer: Send + Sync {
    /// Returns the public half of the key.
    fn public_key(&self) -> PublicKey;
    /// Signs the bytes as they are.
    fn sign(&self, bytes: &[u8]) -> Signature;
}

/// Checks Ed25519 signatures, strictly.
pub trait Verifier: Send + Sync {
    /// Checks one signature.
    ///
    /// # Errors
    /// [`BadSignature`] if it does not verify or the key is refused.
    fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature>;
}
