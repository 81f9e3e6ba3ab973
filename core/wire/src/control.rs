//! Control messages of the desk: receipts, resend, wipe, contact, desk epoch. Signed by the desk key and
//! **not sealed**, so that a locked phone can act on them: they name digests, ranges of sequence numbers and
//! the device only, never a case, a form or an answer.

use crate::cbor::{Limits, MapReader, MapWriter, Unknown, Value};
use crate::frame::{Context, Frame};
use crate::ids::{Aud, DeskEpoch, DeviceId, Digest, MailboxId, PublicKey};
use crate::manifest::{Endpoint, MAX_ITEMS, byte_strings};
use crate::sign::{Signer, Verifier};
use crate::{Error, Result};

/// Version of the payload.
pub const VERSION: u64 = 1;
/// Most receipts in one message; longer lists become several messages.
pub const MAX_RECEIPTS: usize = 1024;
/// Most ranges in one resend.
pub const MAX_RANGES: usize = 256;

/// How far the desk has come with an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptLevel {
    /// Verified and stored at the desk.
    Ingested,
    /// Data and keyring read back from a second medium and compared: the device may purge.
    BackedUp,
    /// In quarantine: stop sending, do not purge.
    Held,
    /// The desk cannot open the envelope.
    Unopenable,
}

impl ReceiptLevel {
    /// Returns the number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ingested => 1,
            Self::BackedUp => 2,
            Self::Held => 3,
            Self::Unopenable => 4,
        }
    }

    /// Reads the number on the wire.
    #[must_use]
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            1 => Some(Self::Ingested),
            2 => Some(Self::BackedUp),
            3 => Some(Self::Held),
            4 => Some(Self::Unopenable),
            _ => None,
        }
    }
}

/// The desk's word on one envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Digest of the sealed envelope.
    pub digest: Digest,
    /// Level reached.
    pub level: ReceiptLevel,
    /// Why it is held or unopenable; 0 otherwise. The desk's list of reasons gives the meaning.
    pub reason: u8,
}

/// New ways to the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Endpoints in the order of preference (key 0).
    pub endpoints: Vec<Endpoint>,
    /// DER of the only TLS roots to trust; none means the public web's (key 1).
    pub tls_roots: Vec<Vec<u8>>,
    /// The desk's inbox (key 2).
    pub inbox: MailboxId,
    /// Keys of later versions.
    pub unknown: Unknown,
}

/// What a control message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlBody {
    /// Receipts (type 1).
    Receipts(Vec<Receipt>),
    /// Sequence numbers to send again, first and last of each range (type 2).
    Resend(Vec<(u64, u64)>),
    /// Erase the vault (type 3).
    Wipe,
    /// New contact (type 4).
    Contact(Contact),
    /// The desk's epoch alone, which stands in every message (type 5).
    DeskEpoch,
}

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Audience (key 2).
    pub aud: Aud,
    /// Device for which it is (key 3).
    pub dev: DeviceId,
    /// Rises per device; a lower one is ignored (key 4).
    pub serial: u64,
    /// Mark of the desk's store (key 5).
    pub desk_epoch: DeskEpoch,
    /// What it says (keys 1 and 6).
    pub body: ControlBody,
    /// The desk's wall time, seconds since 1970-01-01 UTC: the only source from which a device learns the
    /// time (key 7).
    pub desk_time_s: Option<i64>,
    /// Keys of later versions.
    pub unknown: Unknown,
}

impl Control {
    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match &self.body {
            ControlBody::Receipts(receipts) => (
                1u8,
                Value::array(receipts.iter().map(|receipt| {
                    Value::array([
                        Value::bytes(receipt.digest),
                        Value::int(receipt.level.code()),
                        Value::int(receipt.reason),
                    ])
                })),
            ),
            ControlBody::Resend(ranges) => (
                2,
                Value::array(
                    ranges
                        .iter()
                        .map(|(first, last)| Value::array([Value::int(*first), Value::int(*last)])),
                ),
            ),
            ControlBody::Wipe => (3, Value::Null),
            ControlBody::Contact(contact) => (
                4,
                MapWriter::default()
                    .put(0, Value::array(contact.endpoints.iter().map(Endpoint::to_value)))
                    .put(1, Value::array(contact.tls_roots.iter().map(Value::bytes)))
                    .put(2, Value::bytes(contact.inbox))
                    .finish(&contact.unknown),
            ),
            ControlBody::DeskEpoch => (5, Value::Null),
        };
        MapWriter::version(VERSION)
            .put(1, Value::int(kind))
            .put(2, Value::bytes(self.aud))
            .put(3, Value::bytes(self.dev))
            .put(4, Value::int(self.serial))
            .put(5, Value::bytes(self.desk_epoch))
            .put(6, body)
            .put_opt(7, self.desk_time_s.map(Value::int))
            .encode(&self.unknown)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// Those of [`crate::cbor::decode`] and [`MapReader`]; [`Error::OutOfRange`] for an unknown type, level or
    /// a range that runs backwards.
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let mut map = MapReader::decode(payload, &Limits::MESSAGE)?;
        map.version(VERSION)?;
        let kind = map.u64(1)?;
        let aud = Aud::from_bytes(map.fixed(2)?);
        let dev = DeviceId::from_bytes(map.fixed(3)?);
        let serial = map.u64(4)?;
        let desk_epoch = DeskEpoch::from_bytes(map.fixed(5)?);
        let body = match kind {
            1 => ControlBody::Receipts(
                map.array(6, MAX_RECEIPTS)?
                    .iter()
                    .map(read_receipt)
                    .collect::<Result<_>>()?,
            ),
            2 => ControlBody::Resend(
                map.array(6, MAX_RANGES)?
                    .iter()
                    .map(read_range)
                    .collect::<Result<_>>()?,
            ),
            3 => {
                read_null(&mut map)?;
                ControlBody::Wipe
            }
            4 => {
                let mut inner = MapReader::new(map.need(6)?)?;
                ControlBody::Contact(Contact {
                    endpoints: inner
                        .array(0, MAX_ITEMS)?
                        .into_iter()
                        .map(Endpoint::from_value)
                        .collect::<Result<_>>()?,
                    tls_roots: byte_strings(inner.array(1, MAX_ITEMS)?, 1)?,
                    inbox: MailboxId::from_bytes(inner.fixed(2)?),
                    unknown: inner.finish(),
                })
            }
            5 => {
                read_null(&mut map)?;
                ControlBody::DeskEpoch
            }
            _ => return Err(Error::OutOfRange { key: 1 }),
        };
        let desk_time_s = map
            .take(7)
            .map(|value| value.as_i64().ok_or(Error::WrongType { key: 7 }))
            .transpose()?;
        Ok(Self {
            aud,
            dev,
            serial,
            desk_epoch,
            body,
            desk_time_s,
            unknown: map.finish(),
        })
    }

    /// Signs it with the desk key and returns the frame's bytes.
    #[must_use]
    pub fn sign(&self, desk: &dyn Signer) -> Vec<u8> {
        Frame::sign(Context::Control, &self.encode(), desk)
    }

    /// Opens a frame: one of the desk's keys must have signed it, for this audience and device. Whether the
    /// serial rises is for [`Control::follows`], because only the caller's store knows the last one.
    ///
    /// # Errors
    /// Those of [`Frame::decode`] and [`Control::decode`], [`Error::BadSignature`], [`Error::WrongAudience`],
    /// [`Error::WrongDevice`].
    pub fn open(
        bytes: &[u8],
        desk_keys: &[PublicKey],
        aud: &Aud,
        dev: &DeviceId,
        verifier: &dyn Verifier,
    ) -> Result<Self> {
        let frame = Frame::decode(bytes)?;
        if !desk_keys
            .iter()
            .any(|key| frame.verify(Context::Control, key, verifier).is_ok())
        {
            return Err(Error::BadSignature);
        }
        let control = Self::decode(frame.payload())?;
        if control.aud != *aud {
            return Err(Error::WrongAudience);
        }
        if control.dev != *dev {
            return Err(Error::WrongDevice { found: control.dev });
        }
        Ok(control)
    }

    /// Refuses a serial that does not rise.
    ///
    /// # Errors
    /// [`Error::StaleSerial`].
    pub fn follows(&self, last: u64) -> Result<()> {
        crate::charter::rises(self.serial, last)
    }
}

fn read_null(map: &mut MapReader) -> Result<()> {
    match map.need(6)? {
        Value::Null => Ok(()),
        _ => Err(Error::WrongType { key: 6 }),
    }
}

fn read_receipt(value: &Value) -> Result<Receipt> {
    let Some([digest, level, reason]) = value.as_array() else {
        return Err(Error::WrongType { key: 6 });
    };
    let digest = digest
        .as_array_of()
        .map(Digest::from_bytes)
        .ok_or(Error::WrongType { key: 6 })?;
    let level = level.as_u64().ok_or(Error::WrongType { key: 6 })?;
    let reason = reason.as_u64().ok_or(Error::WrongType { key: 6 })?;
    Ok(Receipt {
        digest,
        level: ReceiptLevel::from_code(level).ok_or(Error::OutOfRange { key: 6 })?,
        reason: u8::try_from(reason).map_err(|_| Error::OutOfRange { key: 6 })?,
    })
}

fn read_range(value: &Value) -> Result<(u64, u64)> {
    let Some([first, last]) = value.as_array() else {
        return Err(Error::WrongType { key: 6 });
    };
    let first = first.as_u64().ok_or(Error::WrongType { key: 6 })?;
    let last = last.as_u64().ok_or(Error::WrongType { key: 6 })?;
    if first <= last {
        Ok((first, last))
    } else {
        Err(Error::OutOfRange { key: 6 })
    }
}
