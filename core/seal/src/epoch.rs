//! X-Wing keys (ML-KEM-768 and X25519) of the desk's epochs and of devices, and the glue between age's joint
//! and HPKE: the stanza `mlkem768x25519` of age 1.3, which npm `age-encryption` 0.3 reads and writes too.
//!
//! Hybrid only: there is no classical and no pure post-quantum recipient, and no switch for one.

use core::cell::Cell;
use core::fmt;
#[allow(clippy::disallowed_types, reason = "the signature of age's trait")]
use std::collections::HashSet;

use age_core::format::{FileKey, Stanza};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bech32::{FromBase32 as _, ToBase32 as _, Variant};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use secrecy::ExposeSecret as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Error, Result, random};

/// Length of a recipient (an X-Wing public key) in bytes.
pub const RECIPIENT_LEN: usize = landfall_wire::manifest::RECIPIENT_LEN;
/// Most stanzas in a file: ours have two (recipient and grease) or three. More are refused before the first
/// decapsulation, each of which costs a third of a millisecond.
pub const MAX_STANZAS: usize = 4;

const TAG: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
const ENCAPPED_LEN: usize = 1120;
/// A wrapped file key: 16 bytes and the tag.
const WRAPPED_LEN: usize = 32;
const RECIPIENT_HRP: &str = "age1pq";
const IDENTITY_HRP: &str = "age-secret-key-pq-";
/// age keeps recipients of one label together: no classical recipient joins a post-quantum one.
const LABEL: &str = "postquantum";

type PrivateKey = <XWing as hpke::Kem>::PrivateKey;
type WrappedKey = <XWing as hpke::Kem>::PublicKey;
type EncappedKey = <XWing as hpke::Kem>::EncappedKey;

/// The private half of an epoch key or of a device's own key: the 32-byte seed of an X-Wing key, wiped on drop.
#[derive(Clone)]
pub struct EpochIdentity(Zeroizing<[u8; 32]>);

impl EpochIdentity {
    /// Makes a random identity.
    #[must_use]
    pub fn make() -> Self {
        Self(Zeroizing::new(random::make()))
    }

    /// Makes the identity of a seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// Returns the seed, for the encrypted store in which it rests.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// Returns the public half.
    ///
    /// # Errors
    /// [`Error::Internal`], which a seed of 32 bytes excludes.
    pub fn recipient(&self) -> Result<EpochRecipient> {
        let public = XWing::sk_to_pk(&self.private()?);
        let mut bytes = [0; RECIPIENT_LEN];
        public.write_exact(&mut bytes);
        Ok(EpochRecipient(Box::new(bytes)))
    }

    /// Writes `AGE-SECRET-KEY-PQ-1…`, which stock tools read.
    ///
    /// # Errors
    /// [`Error::Internal`], which a seed of 32 bytes excludes.
    pub fn to_age_string(&self) -> Result<Zeroizing<String>> {
        let lower = Zeroizing::new(
            bech32::encode(IDENTITY_HRP, self.0.to_base32(), Variant::Bech32)
                .map_err(|_| Error::Internal { what: "bech32" })?,
        );
        Ok(Zeroizing::new(lower.to_uppercase()))
    }

    /// Reads `AGE-SECRET-KEY-PQ-1…`.
    ///
    /// # Errors
    /// [`Error::MalformedKey`].
    pub fn from_age_string(text: &str) -> Result<Self> {
        let malformed = || Error::MalformedKey { what: "identity" };
        let (hrp, data, variant) = bech32::decode(text.trim()).map_err(|_| malformed())?;
        let bytes = Zeroizing::new(Vec::<u8>::from_base32(&data).map_err(|_| malformed())?);
        let seed: [u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        if hrp == IDENTITY_HRP && variant == Variant::Bech32 {
            Ok(Self(Zeroizing::new(seed)))
        } else {
            Err(malformed())
        }
    }

    fn private(&self) -> Result<PrivateKey> {
        PrivateKey::from_bytes(self.0.as_ref()).map_err(|_| Error::Internal { what: "X-Wing seed" })
    }

    /// Tries one stanza: `None` if it is not for this key.
    fn unwrap(&self, stanza: &WrappedFileKey) -> Result<Option<FileKey>> {
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.private()?,
            &stanza.encapped,
            INFO,
            &stanza.body,
            &[],
        );
        let Ok(mut plain) = opened else { return Ok(None) };
        let key: Option<[u8; 16]> = plain.as_slice().try_into().ok();
        plain.zeroize();
        Ok(key.map(|mut key| {
            FileKey::init_with_mut(|to| {
                to.copy_from_slice(&key);
                key.zeroize();
            })
        }))
    }
}

impl fmt::Debug for EpochIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochIdentity(..)")
    }
}

/// The public half of an epoch key or of a device's own key.
#[derive(Clone, PartialEq, Eq)]
pub struct EpochRecipient(Box<[u8; RECIPIENT_LEN]>);

impl EpochRecipient {
    /// Wraps a public key.
    ///
    /// # Errors
    /// [`Error::MalformedKey`] if it is none (ML-KEM's modulus check).
    pub fn from_bytes(bytes: &[u8; RECIPIENT_LEN]) -> Result<Self> {
        WrappedKey::from_bytes(bytes).map_err(|_| Error::MalformedKey { what: "recipient" })?;
        Ok(Self(Box::new(*bytes)))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; RECIPIENT_LEN] {
        &self.0
    }

    /// Writes `age1pq1…`, which stock tools read.
    ///
    /// # Errors
    /// [`Error::Internal`], which a key of this length excludes.
    pub fn to_age_string(&self) -> Result<String> {
        bech32::encode(RECIPIENT_HRP, self.0.to_base32(), Variant::Bech32)
            .map_err(|_| Error::Internal { what: "bech32" })
    }

    /// Reads `age1pq1…`.
    ///
    /// # Errors
    /// [`Error::MalformedKey`].
    pub fn from_age_string(text: &str) -> Result<Self> {
        let malformed = || Error::MalformedKey { what: "recipient" };
        let (hrp, data, variant) = bech32::decode(text.trim()).map_err(|_| malformed())?;
        let bytes = Vec::<u8>::from_base32(&data).map_err(|_| malformed())?;
        let bytes: [u8; RECIPIENT_LEN] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        if hrp == RECIPIENT_HRP && variant == Variant::Bech32 {
            Self::from_bytes(&bytes)
        } else {
            Err(malformed())
        }
    }

    fn wrap(&self, file_key: &FileKey) -> Result<Stanza> {
        let public =
            WrappedKey::from_bytes(self.0.as_ref()).map_err(|_| Error::MalformedKey { what: "recipient" })?;
        let (encapped, body) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &public,
            INFO,
            file_key.expose_secret(),
            &[],
        )
        .map_err(|_| Error::Internal { what: "HPKE" })?;
        let encapped = BASE64_STANDARD_NO_PAD.encode(encapped.to_bytes());
        Ok(Stanza {
            tag: TAG.to_owned(),
            args: vec![encapped],
            body,
        })
    }
}

impl fmt::Debug for EpochRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = landfall_wire::ids::Digest::of(self.0.as_ref());
        write!(f, "EpochRecipient({digest:?})")
    }
}

impl age::Recipient for EpochRecipient {
    #[allow(clippy::disallowed_types, reason = "the signature of age's trait")]
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let stanza = self
            .wrap(file_key)
            .map_err(|_| std::io::Error::other("recipient"))?;
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

struct WrappedFileKey {
    encapped: EncappedKey,
    body: Vec<u8>,
}

/// Reads one of our stanzas; `None` for stanzas of other kinds, grease among them.
fn read_stanza(stanza: &Stanza) -> Option<Result<WrappedFileKey>> {
    if stanza.tag != TAG {
        return None;
    }
    let read = || {
        let [encapped] = stanza.args.as_slice() else {
            return None;
        };
        let encapped = BASE64_STANDARD_NO_PAD.decode(encapped).ok()?;
        if encapped.len() != ENCAPPED_LEN || stanza.body.len() != WRAPPED_LEN {
            return None;
        }
        Some(WrappedFileKey {
            encapped: EncappedKey::from_bytes(&encapped).ok()?,
            body: stanza.body.clone(),
        })
    };
    Some(read().ok_or(Error::NotAge))
}

/// Several identities behind age's joint, with the cause of a refusal that age cannot name.
pub(crate) struct Ring<'a> {
    identities: &'a [&'a EpochIdentity],
    refused: Cell<Option<Refusal>>,
}

#[derive(Clone, Copy)]
enum Refusal {
    TooMany(usize),
    Malformed,
}

impl<'a> Ring<'a> {
    pub(crate) fn new(identities: &'a [&'a EpochIdentity]) -> Self {
        Self {
            identities,
            refused: Cell::new(None),
        }
    }

    /// Returns why the stanzas were refused, if they were.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.refused.get().map(|refusal| match refusal {
            Refusal::TooMany(found) => Error::TooManyRecipients {
                found,
                limit: MAX_STANZAS,
            },
            Refusal::Malformed => Error::NotAge,
        })
    }

    fn refuse<T>(&self, refusal: Refusal) -> Option<Result<T, age::DecryptError>> {
        self.refused.set(Some(refusal));
        Some(Err(age::DecryptError::InvalidHeader))
    }
}

impl age::Identity for Ring<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(core::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        if stanzas.len() > MAX_STANZAS {
            return self.refuse(Refusal::TooMany(stanzas.len()));
        }
        let wrapped: Result<Vec<_>> = stanzas.iter().filter_map(read_stanza).collect();
        let Ok(wrapped) = wrapped else {
            return self.refuse(Refusal::Malformed);
        };
        for identity in self.identities {
            for stanza in &wrapped {
                match identity.unwrap(stanza) {
                    Ok(Some(key)) => return Some(Ok(key)),
                    Ok(None) => {}
                    Err(_) => return self.refuse(Refusal::Malformed),
                }
            }
        }
        None
    }
}
