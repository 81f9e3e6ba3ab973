//! The manifest: what the desk key signs for its devices: epoch keys, where the hub is, form packs, the
//! least version. Plain structure only. Roles and revocations are not in it: a seized phone does not carry
//! the shape of the network.
//!
//! Expiry refuses changes, never recording, sealing or sending.

use crate::cbor::{Limits, MapReader, MapWriter, Unknown, Value};
use crate::frame::Frame;
use crate::ids::{Aud, DeskEpoch, Digest, MailboxId};
use crate::{Error, Result};

/// Version of the payload.
pub const VERSION: u64 = 1;
/// Length of an X-Wing (ML-KEM-768 and X25519) public key in bytes.
pub const RECIPIENT_LEN: usize = 1216;
/// Most epoch keys, endpoints, roots and packs.
pub const MAX_ITEMS: usize = 64;
/// Longest endpoint in bytes.
pub const MAX_URL: usize = 300;

/// An epoch key of the desk, to which devices seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochKey {
    /// Number, rising (key 0).
    pub number: u32,
    /// First day, days since 1970-01-01 UTC (key 1).
    pub from_day: u32,
    /// Last day, days since 1970-01-01 UTC (key 2). A device uses the newest epoch that it knows, expired or not.
    pub until_day: u32,
    /// X-Wing public key (key 3).
    pub recipient: [u8; RECIPIENT_LEN],
    /// Keys of later versions.
    pub unknown: Unknown,
}

/// How an endpoint is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointKind {
    /// Directly, by https (or http on the loopback in tests and demonstrations).
    Direct,
    /// Through a relay.
    Relay,
    /// An onion service through SOCKS5h.
    Onion,
}

/// Where the hub is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// How it is reached (key 0).
    pub kind: EndpointKind,
    /// Its URL (key 1).
    pub url: String,
}

impl Endpoint {
    pub(crate) fn to_value(&self) -> Value {
        let kind = match self.kind {
            EndpointKind::Direct => 0u8,
            EndpointKind::Relay => 1,
            EndpointKind::Onion => 2,
        };
        Value::map([(0, Value::int(kind)), (1, Value::text(self.url.clone()))])
    }

    pub(crate) fn from_value(value: Value) -> Result<Self> {
        let mut map = MapReader::new(value)?;
        let kind = match map.u64(0)? {
            0 => EndpointKind::Direct,
            1 => EndpointKind::Relay,
            2 => EndpointKind::Onion,
            _ => return Err(Error::OutOfRange { key: 0 }),
        };
        let url = map.text(1)?;
        if url.is_empty() || url.len() > MAX_URL {
            return Err(Error::OutOfRange { key: 1 });
        }
        Ok(Self { kind, url })
    }
}

/// What a desk tells its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Serial, from 1, rising strictly (key 1).
    pub serial: u64,
    /// Audience (key 2).
    pub aud: Aud,
    /// Epoch keys (key 3).
    pub epochs: Vec<EpochKey>,
    /// Endpoints in the order of preference; none before the organisation has a hub (key 4).
    pub endpoints: Vec<Endpoint>,
    /// DER of the only TLS roots to trust; none means the public web's (key 5).
    pub tls_roots: Vec<Vec<u8>>,
    /// Names and digests of form packs (key 6).
    pub packs: Vec<(String, Digest)>,
    /// Least version of the app, as `major.minor.patch` (key 7).
    pub min_version: String,
    /// Last day on which changes are accepted, days since 1970-01-01 UTC (key 8).
    pub expires_day: u32,
    /// The desk's inbox at the hub (key 9).
    pub inbox: MailboxId,
    /// Mark of the desk's store (key 10).
    pub desk_epoch: DeskEpoch,
    /// Keys of later versions.
    pub unknown: Unknown,
}

impl Manifest {
    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let epochs = self.epochs.iter().map(|epoch| {
            MapWriter::default()
                .put(0, Value::int(epoch.number))
                .put(1, Value::int(epoch.from_day))
                .put(2, Value::int(epoch.until_day))
                .put(3, Value::bytes(epoch.recipient))
                .finish(&epoch.unknown)
        });
        let packs = self
            .packs
            .iter()
            .map(|(name, digest)| Value::array([Value::text(name.clone()), Value::bytes(digest)]));
        MapWriter::version(VERSION)
            .put(1, Value::int(self.serial))
            .put(2, Value::bytes(self.aud))
            .put(3, Value::array(epochs))
            .put(4, Value::array(self.endpoints.iter().map(Endpoint::to_value)))
            .put(5, Value::array(self.tls_roots.iter().map(Value::bytes)))
            .put(6, Value::array(packs))
            .put(7, Value::text(self.min_version.clone()))
            .put(8, Value::int(self.expires_day))
            .put(9, Value::bytes(self.inbox))
            .put(10, Value::bytes(self.desk_epoch))
            .encode(&self.unknown)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// Those of [`crate::cbor::decode`] and [`MapReader`]; [`Error::OutOfRange`] for serial 0, no epoch key, or
    /// epoch numbers that do not rise.
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let mut map = MapReader::decode(payload, &Limits::MESSAGE)?;
        map.version(VERSION)?;
        let serial = map.u64(1)?;
        if serial == 0 {
            return Err(Error::OutOfRange { key: 1 });
        }
        let aud = Aud::from_bytes(map.fixed(2)?);
        let epochs = map
            .array(3, MAX_ITEMS)?
            .into_iter()
            .map(read_epoch)
            .collect::<Result<Vec<_>>>()?;
        let rising = epochs
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.number < b.number));
        if epochs.is_empty() || !rising {
            return Err(Error::OutOfRange { key: 3 });
        }
        let endpoints = map
            .array(4, MAX_ITEMS)?
            .into_iter()
            .map(Endpoint::from_value)
            .collect::<Result<Vec<_>>>()?;
        let tls_roots = byte_strings(map.array(5, MAX_ITEMS)?, 5)?;
        let packs = map
            .array(6, MAX_ITEMS)?
            .iter()
            .map(read_pack)
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            serial,
            aud,
            epochs,
            endpoints,
            tls_roots,
            packs,
            min_version: map.text(7)?,
            expires_day: map.u32(8)?,
            inbox: MailboxId::from_bytes(map.fixed(9)?),
            desk_epoch: DeskEpoch::from_bytes(map.fixed(10)?),
            unknown: map.finish(),
        })
    }

    /// Reads the payload of a frame **without checking a signature**.
    ///
    /// # Errors
    /// Those of [`Frame::decode`] and [`Manifest::decode`].
    pub fn peek(frame: &[u8]) -> Result<Self> {
        Self::decode(Frame::decode(frame)?.payload())
    }

    /// Returns the digest of the payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Returns the newest epoch key, to which a device seals, expired or not.
    #[must_use]
    pub fn newest_epoch(&self) -> Option<&EpochKey> {
        self.epochs.last()
    }

    /// Refuses a serial that does not rise.
    ///
    /// # Errors
    /// [`Error::StaleSerial`].
    pub fn follows(&self, last: u64) -> Result<()> {
        crate::charter::rises(self.serial, last)
    }
}

fn read_epoch(value: Value) -> Result<EpochKey> {
    let mut map = MapReader::new(value)?;
    Ok(EpochKey {
        number: map.u32(0)?,
        from_day: map.u32(1)?,
        until_day: map.u32(2)?,
        recipient: map.fixed(3)?,
        unknown: map.finish(),
    })
}

fn read_pack(value: &Value) -> Result<(String, Digest)> {
    match value.as_array() {
        Some([Value::Text(name), digest]) => {
            let digest = digest.as_array_of().ok_or(Error::WrongType { key: 6 })?;
            Ok((name.clone(), Digest::from_bytes(digest)))
        }
        _ => Err(Error::WrongType { key: 6 }),
    }
}

pub(crate) fn byte_strings(values: Vec<Value>, key: i64) -> Result<Vec<Vec<u8>>> {
    values
        .into_iter()
        .map(|value| match value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::WrongType { key }),
        })
        .collect()
}
