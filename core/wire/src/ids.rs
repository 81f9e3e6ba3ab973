//! Ids, digests, public keys and capabilities: newtypes over fixed byte strings.
//!
//! Ids are random, never sequential and never derived from a person. This module makes no random byte:
//! whoever needs a new id passes bytes from landfall-seal.

use core::fmt;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Error, Result};

/// Returns the SHA-256 of the bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

macro_rules! bytes_newtype {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Wraps the bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Returns the bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Returns the bytes by value.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; $len] {
                self.0
            }

            /// Reads a slice of exactly the right length.
            ///
            /// # Errors
            /// [`Error::Malformed`] for another length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self> {
                <[u8; $len]>::try_from(bytes)
                    .map(Self)
                    .map_err(|_| Error::Malformed { what: stringify!($name) })
            }

            /// Returns lower-case hexadecimal.
            #[must_use]
            pub fn to_hex(&self) -> String {
                hex::encode(self.0)
            }

            /// Reads hexadecimal of exactly the right length, in either case.
            ///
            /// # Errors
            /// [`Error::TextEncoding`] for anything else.
            pub fn from_hex(text: &str) -> Result<Self> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| Error::TextEncoding { what: stringify!($name) })?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}{:02x}{:02x}{:02x}..)"), a, b, c, d)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl core::str::FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::from_hex(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_hex())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_hex(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

bytes_newtype!(
    /// Id of an entry: a UUID version 4.
    EntryId, 16);
bytes_newtype!(
    /// SHA-256 of an entry's COSE bytes; what amendments, receipts of the log and the chain name.
    EntryHash, 32);
bytes_newtype!(
    /// Id of a device: the first 16 bytes of the SHA-256 of its signing key.
    DeviceId, 16);
bytes_newtype!(
    /// Id of a case: 16 random bytes.
    CaseId, 16);
bytes_newtype!(
    /// Id of an arrival event: 16 random bytes.
    EventId, 16);
bytes_newtype!(
    /// SHA-256 of sealed bytes: envelopes, slices, packs.
    Digest, 32);
bytes_newtype!(
    /// Audience: the digest of an organisation's first charter.
    Aud, 32);
bytes_newtype!(
    /// Id of an organisation in its charter: 16 random bytes.
    OrgId, 16);
bytes_newtype!(
    /// Id of a mailbox at the hub: 16 random bytes.
    MailboxId, 16);
bytes_newtype!(
    /// Id of a group of downlink mailboxes that one write capability serves: 16 random bytes.
    GroupId, 16);
bytes_newtype!(
    /// Random mark of a hub store, new at init and at restore.
    StoreEpoch, 16);
bytes_newtype!(
    /// Random mark of a desk store, new at every restore.
    DeskEpoch, 16);
bytes_newtype!(
    /// SHA-256 of a capability: the only form in which it travels to and rests at the hub.
    CapHash, 32);
bytes_newtype!(
    /// Ed25519 public key.
    PublicKey, 32);
bytes_newtype!(
    /// Ed25519 signature.
    Signature, 64);

impl Digest {
    /// Returns the digest of the bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(bytes))
    }
}

impl DeviceId {
    /// Returns the id that belongs to a device's signing key.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let hash = sha256(key.as_bytes());
        let mut id = [0; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

impl EntryId {
    /// Makes a UUID version 4 out of 16 random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    }

    /// Tells whether the version and variant bits are those of a UUID version 4.
    #[must_use]
    pub fn is_v4(&self) -> bool {
        let id = uuid::Uuid::from_bytes(self.0);
        id.get_version_num() == 4 && id.get_variant() == uuid::Variant::RFC4122
    }
}

/// Returns the hash by which an entry is known: SHA-256 of its COSE bytes.
#[must_use]
pub fn entry_hash(cose: &[u8]) -> EntryHash {
    EntryHash(sha256(cose))
}

/// A bearer right at the hub: 32 random bytes, made by the party that uses it. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Capability([u8; 32]);

impl Capability {
    /// Wraps 32 secret bytes.
    #[must_use]
    pub const fn from_bytes(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Shows the secret bytes, for the one header in which they travel and the store of their owner.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the secret as hexadecimal, for the same two uses.
    #[must_use]
    pub fn expose_hex(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(hex::encode(self.0))
    }

    /// Reads hexadecimal.
    ///
    /// # Errors
    /// [`Error::TextEncoding`] if it is not 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::TextEncoding { what: "Capability" })?;
        Ok(Self(bytes))
    }

    /// Returns the hash that the hub stores.
    #[must_use]
    pub fn hash(&self) -> CapHash {
        CapHash(sha256(&self.0))
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Capability(..)")
    }
}
