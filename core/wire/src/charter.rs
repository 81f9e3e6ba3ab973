//! The charter: what the organisation's root keys sign, about once a year. Plain structure only; keys and
//! the checking of thresholds over rotations are landfall-seal's.
//!
//! The audience of every entry is the digest of the **first** charter, so that a rotation orphans nothing.
//! The digest is taken over the payload, not the frame: a third signature added later changes no audience.

use crate::cbor::{Limits, MapReader, MapWriter, Unknown, Value};
use crate::frame::MultiFrame;
use crate::ids::{Aud, Digest, OrgId, PublicKey};
use crate::{Error, Result};

/// Version of the payload.
pub const VERSION: u64 = 1;
/// Number of root keys.
pub const ROOT_KEYS: usize = 3;
/// Signatures of different root keys that a charter needs.
pub const THRESHOLD: usize = 2;
/// Most desk keys.
pub const MAX_DESK_KEYS: usize = 4;
/// Longest name of an organisation, in bytes.
pub const MAX_NAME: usize = 200;

/// An organisation's charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// Random id of the organisation (key 1).
    pub org: OrgId,
    /// Name as people know it (key 2).
    pub org_name: String,
    /// Root keys (key 3).
    pub root_keys: [PublicKey; ROOT_KEYS],
    /// Signatures needed (key 4).
    pub threshold: u8,
    /// Keys that sign manifests and control messages, the current one first (key 5).
    pub desk_keys: Vec<PublicKey>,
    /// Serial, from 1, rising strictly (key 6).
    pub serial: u64,
    /// Last day on which changes are accepted, days since 1970-01-01 UTC (key 7).
    pub expires_day: u32,
    /// Audience, absent in the first charter, whose digest it is (key 8).
    pub first: Option<Aud>,
    /// Keys of later versions.
    pub unknown: Unknown,
}

impl Charter {
    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        MapWriter::version(VERSION)
            .put(1, Value::bytes(self.org))
            .put(2, Value::text(self.org_name.clone()))
            .put(3, Value::array(self.root_keys.iter().map(Value::bytes)))
            .put(4, Value::int(self.threshold))
            .put(5, Value::array(self.desk_keys.iter().map(Value::bytes)))
            .put(6, Value::int(self.serial))
            .put(7, Value::int(self.expires_day))
            .put_opt(8, self.first.map(Value::bytes))
            .encode(&self.unknown)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// Those of [`crate::cbor::decode`] and [`MapReader`]; [`Error::OutOfRange`] for a threshold other than
    /// [`THRESHOLD`], repeated root keys, no desk key, serial 0, a name that is empty or too long, or a first
    /// charter (serial 1) that names an audience, or a later one that names none.
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let mut map = MapReader::decode(payload, &Limits::MESSAGE)?;
        map.version(VERSION)?;
        let org = OrgId::from_bytes(map.fixed(1)?);
        let org_name = map.text(2)?;
        if org_name.is_empty() || org_name.len() > MAX_NAME {
            return Err(Error::OutOfRange { key: 2 });
        }
        let root_keys: [PublicKey; ROOT_KEYS] = keys(&map.array(3, ROOT_KEYS)?, 3)?
            .try_into()
            .map_err(|_| Error::OutOfRange { key: 3 })?;
        let [a, b, c] = &root_keys;
        if a == b || a == c || b == c {
            return Err(Error::OutOfRange { key: 3 });
        }
        let threshold = u8::try_from(map.u64(4)?).map_err(|_| Error::OutOfRange { key: 4 })?;
        if usize::from(threshold) != THRESHOLD {
            return Err(Error::OutOfRange { key: 4 });
        }
        let desk_keys = keys(&map.array(5, MAX_DESK_KEYS)?, 5)?;
        if desk_keys.is_empty() {
            return Err(Error::OutOfRange { key: 5 });
        }
        let serial = map.u64(6)?;
        let expires_day = map.u32(7)?;
        let first = map.fixed_opt(8)?.map(Aud::from_bytes);
        if serial == 0 {
            return Err(Error::OutOfRange { key: 6 });
        }
        if (serial == 1) != first.is_none() {
            return Err(Error::OutOfRange { key: 8 });
        }
        Ok(Self {
            org,
            org_name,
            root_keys,
            threshold,
            desk_keys,
            serial,
            expires_day,
            first,
            unknown: map.finish(),
        })
    }

    /// Reads the payload of a frame **without checking a signature**: to show and to compare digests.
    ///
    /// # Errors
    /// Those of [`MultiFrame::decode`] and [`Charter::decode`].
    pub fn peek(frame: &[u8]) -> Result<Self> {
        Self::decode(MultiFrame::decode(frame)?.payload())
    }

    /// Returns the digest of the payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Returns the audience: the digest of the first charter.
    #[must_use]
    pub fn aud(&self) -> Aud {
        self.first
            .unwrap_or_else(|| Aud::from_bytes(self.digest().to_bytes()))
    }

    /// Refuses a serial that does not rise.
    ///
    /// # Errors
    /// [`Error::StaleSerial`].
    pub fn follows(&self, last: u64) -> Result<()> {
        rises(self.serial, last)
    }
}

pub(crate) fn rises(found: u64, last: u64) -> Result<()> {
    if found > last {
        Ok(())
    } else {
        Err(Error::StaleSerial { found, last })
    }
}

fn keys(items: &[Value], key: i64) -> Result<Vec<PublicKey>> {
    items
        .iter()
        .map(|item| {
            item.as_array_of()
                .map(PublicKey::from_bytes)
                .ok_or(Error::WrongType { key })
        })
        .collect()
}
