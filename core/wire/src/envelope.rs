//! The plain form inside a sealed file: a CBOR map `{0: 1, 2: [entries], 3: pad}` for an envelope, and
//! `{0: 1, 1: content, 3: pad}` for anything else that is sealed (a reply, a downlink).
//!
//! The entries of one envelope are those of one finished form, that is of one vault transaction. This
//! module does not look into an entry; the pad is there for the size of the finished file alone.

use crate::cbor::{self, Limits, MapReader, Value};
use crate::{Error, Result};

/// Version of the plain form.
pub const VERSION: u64 = 1;
/// Most entries in one envelope.
pub const MAX_ENTRIES: usize = 64;
/// Largest plain form of other sealed content, in bytes: a form pack with its pad fits many times.
pub const MAX_CONTENT: usize = 64 << 20;

const CONTENT: i64 = 1;
const ENTRIES: i64 = 2;
const PAD: i64 = 3;

/// Writes the plain envelope with `pad` zero bytes.
///
/// # Errors
/// [`Error::Missing`] without an entry, [`Error::TooMany`] above [`MAX_ENTRIES`].
pub fn encode(entries: &[Vec<u8>], pad: usize) -> Result<Vec<u8>> {
    if entries.is_empty() {
        return Err(Error::Missing { key: ENTRIES });
    }
    if entries.len() > MAX_ENTRIES {
        return Err(Error::TooMany { limit: MAX_ENTRIES });
    }
    Ok(encode_with(
        ENTRIES,
        Value::array(entries.iter().map(Value::bytes)),
        pad,
    ))
}

/// Writes other sealed content with `pad` zero bytes.
#[must_use]
pub fn encode_content(content: &[u8], pad: usize) -> Vec<u8> {
    encode_with(CONTENT, Value::bytes(content), pad)
}

fn encode_with(key: i64, value: Value, pad: usize) -> Vec<u8> {
    cbor::encode(&Value::map([
        (0, Value::int(VERSION)),
        (key, value),
        (PAD, Value::Bytes(vec![0; pad])),
    ]))
}

/// Finds the pad with which a form that has `bare` bytes at pad 0 gets exactly `wanted` bytes. `None` where
/// none exists: the length of the pad's own length jumps at 24, 256 and 65,536.
#[must_use]
pub fn pad_for(bare: usize, wanted: usize) -> Option<usize> {
    let more = wanted.checked_sub(bare)?;
    [0usize, 1, 2, 4, 8].into_iter().find_map(|extra| {
        let pad = more.checked_sub(extra)?;
        let head = match pad {
            0..=23 => 0,
            24..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        (head == extra).then_some(pad)
    })
}

/// Reads a plain envelope and returns its entries, verbatim.
///
/// # Errors
/// Those of [`cbor::decode`], [`Error::UnknownVersion`], [`Error::Missing`], [`Error::WrongType`],
/// [`Error::TooMany`].
pub fn decode(plain: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut map = MapReader::decode(plain, &Limits::MESSAGE)?;
    map.version(VERSION)?;
    map.bytes(PAD)?;
    let entries = map.array(ENTRIES, MAX_ENTRIES)?;
    if entries.is_empty() {
        return Err(Error::OutOfRange { key: ENTRIES });
    }
    entries
        .into_iter()
        .map(|entry| match entry {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::WrongType { key: ENTRIES }),
        })
        .collect()
}

/// Reads other sealed content.
///
/// # Errors
/// As [`decode`].
pub fn decode_content(plain: &[u8]) -> Result<Vec<u8>> {
    let mut map = MapReader::decode(plain, &Limits::MESSAGE.with_bytes(MAX_CONTENT))?;
    map.version(VERSION)?;
    map.bytes(PAD)?;
    map.bytes(CONTENT)
}
