//! Ed25519: the signing keys of devices, desk and organisation root, and the strict check.

use core::fmt;

use ed25519_dalek::Signer as _;
use landfall_wire::ids::{PublicKey, Signature};
use landfall_wire::sign::{BadSignature, Signer, Verifier};
use zeroize::Zeroizing;

use crate::{Error, Result, passphrase, random};

/// Label in a root key's file.
const ROOT_LABEL: &str = "landfall-root-key-1:";

/// An Ed25519 signing key, wiped on drop.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes a random key.
    #[must_use]
    pub fn make() -> Self {
        let seed = Zeroizing::new(random::make::<32>());
        Self::from_seed(&seed)
    }

    /// Makes the key of a seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Returns the seed, for the encrypted store in which it rests.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Seals a root key under a board member's passphrase, as an age file that stock tools open.
    ///
    /// # Errors
    /// Those of [`passphrase::seal_with_passphrase`].
    pub fn to_root_file(&self, passphrase: &str, work: passphrase::WorkFactor) -> Result<Vec<u8>> {
        let hex = Zeroizing::new(hex::encode(self.seed().as_ref()));
        let line = Zeroizing::new(format!("{ROOT_LABEL}{}\n", hex.as_str()));
        passphrase::seal_with_passphrase(line.as_bytes(), passphrase, work)
    }

    /// Opens a root key's file.
    ///
    /// # Errors
    /// Those of [`passphrase::open_with_passphrase`], [`Error::MalformedKey`].
    pub fn from_root_file(file: &[u8], passphrase: &str) -> Result<Self> {
        let malformed = || Error::MalformedKey { what: "root key" };
        let plain = passphrase::open_with_passphrase(file, passphrase)?;
        let line = core::str::from_utf8(&plain).map_err(|_| malformed())?;
        let hex = line.trim_end().strip_prefix(ROOT_LABEL).ok_or_else(malformed)?;
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(hex, seed.as_mut()).map_err(|_| malformed())?;
        Ok(Self::from_seed(&seed))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public_key())
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, bytes: &[u8]) -> Signature {
        Signature::from_bytes(self.0.sign(bytes).to_bytes())
    }
}

/// Checks strictly: no small-order key or commitment, no second encoding of a signature. With lax checking
/// there are keys under which one signature verifies every message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ed25519Verifier;

impl Ed25519Verifier {
    /// Refuses a public key that is weak or no point; asked when a key enters (enrolment, charter).
    ///
    /// # Errors
    /// [`Error::WeakKey`].
    pub fn check_key(key: &PublicKey) -> Result<()> {
        match ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()) {
            Ok(key) if !key.is_weak() => Ok(()),
            _ => Err(Error::WeakKey),
        }
    }
}

impl Verifier for Ed25519Verifier {
    fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| BadSignature)?;
        if key.is_weak() {
            return Err(BadSignature);
        }
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        key.verify_strict(bytes, &signature).map_err(|_| BadSignature)
    }
}
