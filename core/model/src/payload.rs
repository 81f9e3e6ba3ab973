//! The payload of an entry: every field of docs/protocol.md section b, its encoding and its checks.
//!
//! Owns the integer-keyed map. What it accepts from outside and what it lets anybody sign pass the same checks, so a
//! device cannot sign what a desk would refuse. It never looks at what the answers mean.

use std::fmt;

use landfall_form::Answers;
use landfall_wire::cbor::{self, Limits, MapReader, MapWriter, Unknown, Value};
use landfall_wire::clock::ClockReading;
use landfall_wire::ids::{Aud, CaseId, DeviceId, Digest, EntryHash, EntryId};

use crate::{Consent, Error, Gone, Kind, Provenance, Retention, Role, body, header};

/// Version of the payload map (key 0).
pub const PAYLOAD_VERSION: u64 = 1;

/// Largest payload in bytes: with frame, age header and padding an envelope stays within the hub's 64 KiB.
pub const MAX_PAYLOAD: usize = 48 * 1024;

/// Most entries that one entry may supersede.
pub const MAX_SUPERSEDED: usize = 64;

/// Most attachments of one entry.
pub const MAX_ATTACHMENTS: usize = 64;

/// Bytes in one slice of an attachment.
pub const SLICE_BYTES: u64 = 128 * 1024;

const MAX_NAME: usize = 64;
const MAX_LANG: usize = 35;

/// How deep answers may nest: body, repeat, its rows, a multiple choice inside.
const LIMITS: Limits = Limits {
    bytes: MAX_PAYLOAD,
    depth: 8,
    items: 1 << 13,
};

/// Payload keys, as protocol.md section b numbers them.
mod key {
    pub(super) const ID: u8 = 1;
    pub(super) const DEV: u8 = 2;
    pub(super) const SEQ: u8 = 3;
    pub(super) const PREV: u8 = 4;
    pub(super) const KIND: u8 = 6;
    pub(super) const CASE: u8 = 7;
    pub(super) const FORM: u8 = 8;
    pub(super) const BODY: u8 = 9;
    pub(super) const SUP: u8 = 10;
    pub(super) const AUD: u8 = 11;
    pub(super) const CLOCK: u8 = 12;
    pub(super) const ATTACHMENTS: u8 = 13;
    pub(super) const CONSENT: u8 = 14;
    pub(super) const APP: u8 = 15;
    pub(super) const ROLE: u8 = 16;
    pub(super) const PROVENANCE: u8 = 17;
    pub(super) const LANG: u8 = 18;
    pub(super) const RETENTION: u8 = 19;
    pub(super) const SERIAL: u8 = 20;
}

/// The place of an entry in its device's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The device: the first 16 bytes of the SHA-256 of its public key.
    pub dev: DeviceId,
    /// Number of the entry, from 0, without gaps.
    pub seq: u64,
    /// Hash of the entry before; for number 0 the transcript hash of the enrolment.
    pub prev: EntryHash,
}

/// Which form was asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormRef {
    /// Form id, such as `arrival_tally`.
    pub id: String,
    /// Form version, as the form writes it; a whole number travels as one (domain 2.1).
    pub version: String,
    /// SHA-256 of the form as the pack holds it.
    pub hash: Digest,
}

/// One attachment that an entry names. The file itself travels in slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attached {
    /// SHA-256 of the sealed file.
    pub sealed: Digest,
    /// SHA-256 of the file before sealing.
    pub plain: Digest,
    /// True length before sealing, in bytes.
    pub size: u64,
    /// Number of slices of [`SLICE_BYTES`] that the sealed file takes.
    pub slices: u64,
}

/// Everything of an entry but its place in the chain and its signature.
///
/// `Debug` prints kind and counts only.
#[derive(Clone, PartialEq)]
pub struct Unsigned {
    /// Random id, UUID version 4 (key 1).
    pub id: EntryId,
    /// What it is (key 6).
    pub kind: Kind,
    /// The case, 16 random bytes; absent for tallies (key 7).
    pub case: Option<CaseId>,
    /// The form that was asked (key 8).
    pub form: Option<FormRef>,
    /// The answers and header fields (key 9).
    pub body: Answers,
    /// Hashes of the entries that this one supersedes (key 10).
    pub sup: Vec<EntryHash>,
    /// SHA-256 of the organisation's first charter (key 11).
    pub aud: Aud,
    /// The clock when it was written (key 12).
    pub clock: ClockReading,
    /// Attachments (key 13).
    pub attachments: Vec<Attached>,
    /// Id of the consent entry under which it may be kept (key 14).
    pub consent: Option<EntryId>,
    /// Version of the program (key 15).
    pub app_version: String,
    /// Who wrote it (key 16).
    pub role: Role,
    /// Where the content comes from (key 17).
    pub provenance: Provenance,
    /// Language of the conversation, BCP 47 (key 18).
    pub lang: String,
    /// Retention class (key 19).
    pub retention: Retention,
    /// Serial of the newest manifest that the device knew (key 20).
    pub manifest_serial: u64,
}

impl fmt::Debug for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Unsigned({}, {} answers, supersedes {})",
            self.kind.code(),
            self.body.len(),
            self.sup.len()
        )
    }
}

/// A payload that has passed the checks, with its place in the chain.
///
/// It says nothing about the signature: that is what [`crate::Entry`] and [`crate::Stored`] stand for, and only
/// they hand one out.
#[derive(Clone, PartialEq)]
pub struct Payload {
    /// The place in the chain.
    pub(crate) chain: Chain,
    /// The fields.
    pub(crate) fields: Unsigned,
    /// Keys that this version does not know.
    pub(crate) unknown: Unknown,
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Payload(seq {}, {:?}, {} unknown keys)",
            self.chain.seq,
            self.fields,
            self.unknown.keys().count()
        )
    }
}

impl Payload {
    /// Returns the place in the chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Returns the fields.
    #[must_use]
    pub fn fields(&self) -> &Unsigned {
        &self.fields
    }

    /// Returns the keys that this version does not know.
    #[must_use]
    pub fn unknown(&self) -> &Unknown {
        &self.unknown
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        check(&self.fields)?;
        let fields = &self.fields;
        let wire = |number: u8| i64::from(number);
        let bytes = MapWriter::version(PAYLOAD_VERSION)
            .put(wire(key::ID), Value::bytes(fields.id))
            .put(wire(key::DEV), Value::bytes(self.chain.dev))
            .put(wire(key::SEQ), Value::int(self.chain.seq))
            .put(wire(key::PREV), Value::bytes(self.chain.prev))
            .put(wire(key::KIND), Value::text(fields.kind.code()))
            .put_opt(wire(key::CASE), fields.case.map(Value::bytes))
            .put_opt(wire(key::FORM), fields.form.as_ref().map(write_form))
            .put(wire(key::BODY), body::to_value(&fields.body)?)
            .put(wire(key::SUP), Value::array(fields.sup.iter().map(Value::bytes)))
            .put(wire(key::AUD), Value::bytes(fields.aud))
            .put(wire(key::CLOCK), write_clock(&fields.clock))
            .put_opt(
                wire(key::ATTACHMENTS),
                (!fields.attachments.is_empty())
                    .then(|| Value::array(fields.attachments.iter().map(write_attached))),
            )
            .put_opt(wire(key::CONSENT), fields.consent.map(Value::bytes))
            .put(wire(key::APP), Value::text(fields.app_version.as_str()))
            .put(wire(key::ROLE), Value::text(fields.role.code()))
            .put(wire(key::PROVENANCE), Value::text(fields.provenance.code()))
            .put(wire(key::LANG), Value::text(fields.lang.as_str()))
            .put(wire(key::RETENTION), Value::text(fields.retention.code()))
            .put(wire(key::SERIAL), Value::int(fields.manifest_serial))
            .encode(&self.unknown);
        if bytes.len() > MAX_PAYLOAD {
            Err(Error::TooLarge)
        } else {
            Ok(bytes)
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Payload, Error> {
        if bytes.len() > MAX_PAYLOAD {
            return Err(Error::TooLarge);
        }
        let value = cbor::decode(bytes, &LIMITS).map_err(Error::Payload)?;
        let mut map = MapReader::new(value).map_err(|_| Error::NotAMap)?;
        match need(&mut map, 0)?.as_u64() {
            Some(PAYLOAD_VERSION) => {}
            Some(other) => return Err(Error::Version(other)),
            None => return Err(Error::Wrong(0)),
        }
        let chain = Chain {
            dev: fixed(&mut map, key::DEV).map(DeviceId::from_bytes)?,
            seq: unsigned(&mut map, key::SEQ)?,
            prev: fixed(&mut map, key::PREV).map(EntryHash::from_bytes)?,
        };
        let fields = Unsigned {
            id: fixed(&mut map, key::ID).map(EntryId::from_bytes)?,
            kind: code(&mut map, key::KIND, Kind::from_code)?,
            case: fixed_opt(&mut map, key::CASE)?.map(CaseId::from_bytes),
            form: map
                .take(i64::from(key::FORM))
                .map(|value| read_form(&value))
                .transpose()?,
            body: body::from_value(need(&mut map, key::BODY)?)?,
            sup: read_hashes(&need(&mut map, key::SUP)?)?,
            aud: fixed(&mut map, key::AUD).map(Aud::from_bytes)?,
            clock: read_clock(need(&mut map, key::CLOCK)?)?,
            attachments: match map.take(i64::from(key::ATTACHMENTS)) {
                Some(value) => read_attachments(&value)?,
                None => Vec::new(),
            },
            consent: fixed_opt(&mut map, key::CONSENT)?.map(EntryId::from_bytes),
            app_version: text(&mut map, key::APP)?,
            role: code(&mut map, key::ROLE, Role::from_code)?,
            provenance: code(&mut map, key::PROVENANCE, Provenance::from_code)?,
            lang: text(&mut map, key::LANG)?,
            retention: code(&mut map, key::RETENTION, Retention::from_code)?,
            manifest_serial: unsigned(&mut map, key::SERIAL)?,
        };
        check(&fields)?;
        Ok(Payload {
            chain,
            fields,
            unknown: map.finish(),
        })
    }
}

/// Checks everything that one entry can be checked for by itself.
fn check(fields: &Unsigned) -> Result<(), Error> {
    if !fields.id.is_v4() {
        return Err(Error::Wrong(key::ID));
    }
    if fields.consent.is_some_and(|id| !id.is_v4()) {
        return Err(Error::Wrong(key::CONSENT));
    }
    if !is_lang(&fields.lang) {
        return Err(Error::Wrong(key::LANG));
    }
    if fields.app_version.is_empty() || fields.app_version.len() > MAX_NAME {
        return Err(Error::Wrong(key::APP));
    }
    if let Some(form) = &fields.form {
        let named = |text: &str| !text.is_empty() && text.len() <= MAX_NAME;
        if !named(&form.id) || !named(&form.version) {
            return Err(Error::Wrong(key::FORM));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    if fields.sup.len() > MAX_SUPERSEDED || !fields.sup.iter().all(|hash| seen.insert(*hash)) {
        return Err(Error::Wrong(key::SUP));
    }
    if fields.attachments.len() > MAX_ATTACHMENTS
        || fields
            .attachments
            .iter()
            .any(|attached| attached.size == 0 || attached.slices == 0)
    {
        return Err(Error::Wrong(key::ATTACHMENTS));
    }
    if crate::time::local(&fields.clock).is_err() {
        return Err(Error::Wrong(key::CLOCK));
    }
    let event = header::event_id(&fields.body)?;
    let case_code = header::case_code(&fields.body)?;
    match fields.kind {
        Kind::ArrivalEvent => {
            require_absent(fields.case.is_some(), key::CASE)?;
            require(fields.form.is_some(), key::FORM)?;
            event.ok_or(Error::Body(header::ARRIVAL_EVENT_ID))?;
        }
        Kind::Observation => {
            require(fields.case.is_some(), key::CASE)?;
            require(fields.form.is_some(), key::FORM)?;
            require(fields.consent.is_some(), key::CONSENT)?;
            case_code.ok_or(Error::Body(header::CASE_CODE))?;
        }
        Kind::Consent => {
            require(fields.case.is_some(), key::CASE)?;
            Consent::from_body(&fields.body)?;
        }
        Kind::Gone => {
            Gone::from_body(&fields.body)?;
        }
        Kind::Case | Kind::ContactCard | Kind::Checkin => require(fields.case.is_some(), key::CASE)?,
        _ => {}
    }
    Ok(())
}

fn require(there: bool, number: u8) -> Result<(), Error> {
    if there { Ok(()) } else { Err(Error::Unfit(number)) }
}

fn require_absent(there: bool, number: u8) -> Result<(), Error> {
    require(!there, number)
}

/// The characters and length of BCP 47; whether the tag is registered is not this crate's business.
fn is_lang(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= MAX_LANG
        && tag
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn need(map: &mut MapReader, number: u8) -> Result<Value, Error> {
    map.take(i64::from(number)).ok_or(Error::Missing(number))
}

fn fixed<const N: usize>(map: &mut MapReader, number: u8) -> Result<[u8; N], Error> {
    need(map, number)?.as_array_of().ok_or(Error::Wrong(number))
}

fn fixed_opt<const N: usize>(map: &mut MapReader, number: u8) -> Result<Option<[u8; N]>, Error> {
    map.take(i64::from(number))
        .map(|value| value.as_array_of().ok_or(Error::Wrong(number)))
        .transpose()
}

fn unsigned(map: &mut MapReader, number: u8) -> Result<u64, Error> {
    need(map, number)?.as_u64().ok_or(Error::Wrong(number))
}

fn text(map: &mut MapReader, number: u8) -> Result<String, Error> {
    match need(map, number)? {
        Value::Text(text) => Ok(text),
        _ => Err(Error::Wrong(number)),
    }
}

fn code<T>(map: &mut MapReader, number: u8, read: fn(&str) -> Option<T>) -> Result<T, Error> {
    read(&text(map, number)?).ok_or(Error::Wrong(number))
}

/// Returns the version as domain 2.1 wants it, a whole number; `None` for a form of another origin whose version is
/// none, which stays text.
fn whole_version(version: &str) -> Option<u64> {
    let number: u64 = version.parse().ok()?;
    // `007` and `+7` are other texts than `7`, and must come back as they were.
    (number.to_string() == version).then_some(number)
}

fn write_form(form: &FormRef) -> Value {
    let version = whole_version(&form.version).map_or_else(|| Value::text(form.version.as_str()), Value::int);
    Value::array([Value::text(form.id.as_str()), version, Value::bytes(form.hash)])
}

fn read_form(value: &Value) -> Result<FormRef, Error> {
    let wrong = || Error::Wrong(key::FORM);
    let Some([id, version, hash]) = value.as_array() else {
        return Err(wrong());
    };
    let version = match version {
        Value::Int(_) => version.as_u64().ok_or_else(wrong)?.to_string(),
        // A whole number in text would be a second spelling of the same version.
        Value::Text(text) if whole_version(text).is_none() => text.clone(),
        _ => return Err(wrong()),
    };
    Ok(FormRef {
        id: id.as_text().ok_or_else(wrong)?.to_owned(),
        version,
        hash: Digest::from_bytes(hash.as_array_of().ok_or_else(wrong)?),
    })
}

fn read_hashes(value: &Value) -> Result<Vec<EntryHash>, Error> {
    let items = value.as_array().ok_or(Error::Wrong(key::SUP))?;
    items
        .iter()
        .map(|item| {
            item.as_array_of()
                .map(EntryHash::from_bytes)
                .ok_or(Error::Wrong(key::SUP))
        })
        .collect()
}

fn write_clock(clock: &ClockReading) -> Value {
    let pairs = [
        Some((0, Value::int(clock.wall_s))),
        Some((1, Value::int(i64::from(clock.tz_min)))),
        Some((2, Value::int(clock.elapsed_ms))),
        Some((3, Value::int(clock.boot))),
        clock.last_trusted_s.map(|s| (4, Value::int(s))),
        Some((5, Value::Bool(clock.doubtful))),
    ];
    Value::map(pairs.into_iter().flatten())
}

fn read_clock(value: Value) -> Result<ClockReading, Error> {
    let wrong = || Error::Wrong(key::CLOCK);
    let mut map = MapReader::new(value).map_err(|_| wrong())?;
    Ok(ClockReading {
        wall_s: map.i64(0).map_err(|_| wrong())?,
        tz_min: map
            .i64(1)
            .ok()
            .and_then(|minutes| i16::try_from(minutes).ok())
            .ok_or_else(wrong)?,
        elapsed_ms: map.u64(2).map_err(|_| wrong())?,
        boot: map.u64(3).map_err(|_| wrong())?,
        last_trusted_s: map
            .take(4)
            .map(|value| value.as_i64().ok_or_else(wrong))
            .transpose()?,
        doubtful: map.take(5).and_then(|value| value.as_bool()).ok_or_else(wrong)?,
    })
}

fn write_attached(attached: &Attached) -> Value {
    Value::map([
        (0, Value::bytes(attached.sealed)),
        (1, Value::bytes(attached.plain)),
        (2, Value::int(attached.size)),
        (3, Value::int(attached.slices)),
    ])
}

fn read_attachments(value: &Value) -> Result<Vec<Attached>, Error> {
    let wrong = |_| Error::Wrong(key::ATTACHMENTS);
    let items = value.as_array().ok_or(Error::Wrong(key::ATTACHMENTS))?;
    if items.is_empty() {
        // Absent and empty would be two spellings of the same fact.
        return Err(Error::Wrong(key::ATTACHMENTS));
    }
    items
        .iter()
        .map(|item| {
            let mut map = MapReader::new(item.clone()).map_err(wrong)?;
            Ok(Attached {
                sealed: Digest::from_bytes(map.fixed(0).map_err(wrong)?),
                plain: Digest::from_bytes(map.fixed(1).map_err(wrong)?),
                size: map.u64(2).map_err(wrong)?,
                slices: map.u64(3).map_err(wrong)?,
            })
        })
        .collect()
}
