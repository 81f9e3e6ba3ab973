//! CBOR as Landfall writes and reads it: integers, byte strings, text, arrays, maps, true, false and null
//! (RFC 8949). No floats and no tags: decimals are text, and tags belong to the frame.
//!
//! The writer is deterministic (shortest forms, keys sorted by their encoded bytes, RFC 8949 section 4.2.1).
//! The reader refuses what could be written in two ways: indefinite lengths, longer forms than needed,
//! duplicate keys, trailing bytes; it does not ask for sorted keys, because what was signed is kept verbatim.

use core::fmt;
use std::collections::BTreeMap;

pub use minicbor::data::Int;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::{Error, Result};

/// One CBOR item. `Debug` shows its shape only: values may be answers of a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of CBOR's range, -2^64 to 2^64-1.
    Int(Int),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// A map, in the order in which it was read or built; written sorted.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// Makes an integer.
    #[must_use]
    pub fn int(value: impl Into<Int>) -> Self {
        Self::Int(value.into())
    }

    /// Makes a byte string.
    #[must_use]
    pub fn bytes(value: impl AsRef<[u8]>) -> Self {
        Self::Bytes(value.as_ref().to_vec())
    }

    /// Makes a text.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// Makes an array.
    #[must_use]
    pub fn array(items: impl IntoIterator<Item = Value>) -> Self {
        Self::Array(items.into_iter().collect())
    }

    /// Makes an int-keyed map.
    #[must_use]
    pub fn map(pairs: impl IntoIterator<Item = (i64, Value)>) -> Self {
        Self::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (Self::int(key), value))
                .collect(),
        )
    }

    /// Returns a non-negative integer.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Returns an integer of 64 bits with sign.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => i64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Returns a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns a byte string.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(value) => Some(value),
            _ => None,
        }
    }

    /// Returns a byte string of a fixed length.
    #[must_use]
    pub fn as_array_of<const N: usize>(&self) -> Option<[u8; N]> {
        self.as_bytes()?.try_into().ok()
    }

    /// Returns a text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the items of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the pairs of a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Self::Map(pairs) => Some(pairs),
            _ => None,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool(..)"),
            Self::Int(_) => f.write_str("Int(..)"),
            Self::Bytes(value) => write!(f, "Bytes({})", value.len()),
            Self::Text(value) => write!(f, "Text({})", value.len()),
            Self::Array(items) => write!(f, "Array({})", items.len()),
            Self::Map(pairs) => write!(f, "Map({})", pairs.len()),
        }
    }
}

/// What a reader accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole input.
    pub bytes: usize,
    /// Levels of nested arrays and maps.
    pub depth: usize,
    /// Items in all, keys and values counted singly.
    pub items: usize,
}

impl Limits {
    /// Limits for one signed payload or envelope: 1 MiB, 16 levels, 65,536 items.
    pub const MESSAGE: Self = Self {
        bytes: 1 << 20,
        depth: 16,
        items: 1 << 16,
    };

    /// Returns the same limits for another size.
    #[must_use]
    pub const fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }
}

/// Reads exactly one item.
///
/// # Errors
/// Everything that the module's text calls refused, and [`Error::TooLarge`], [`Error::TooDeep`],
/// [`Error::TooMany`] for what passes the limits.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Value> {
    let (value, used) = decode_first(bytes, limits)?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(Error::TrailingBytes)
    }
}

/// Reads the first item and returns it with its length in bytes; what follows is not looked at.
///
/// # Errors
/// As [`decode`]; [`Error::Truncated`] if the item is not complete.
pub fn decode_first(bytes: &[u8], limits: &Limits) -> Result<(Value, usize)> {
    if bytes.len() > limits.bytes {
        return Err(Error::TooLarge { limit: limits.bytes });
    }
    let mut reader = Reader {
        decoder: Decoder::new(bytes),
        limits,
        items: 0,
        len: bytes.len(),
    };
    let value = reader.value(0)?;
    Ok((value, reader.decoder.position()))
}

/// Reads a sequence of items (RFC 8742) to its end; the limits hold for the whole.
///
/// # Errors
/// As [`decode`].
pub fn decode_sequence(bytes: &[u8], limits: &Limits) -> Result<Vec<Value>> {
    if bytes.len() > limits.bytes {
        return Err(Error::TooLarge { limit: limits.bytes });
    }
    let mut reader = Reader {
        decoder: Decoder::new(bytes),
        limits,
        items: 0,
        len: bytes.len(),
    };
    let mut values = Vec::new();
    while reader.decoder.position() < bytes.len() {
        values.push(reader.value(0)?);
    }
    Ok(values)
}

/// Length of a CBOR head with its argument in shortest form.
const fn head_len(argument: u64) -> usize {
    match argument {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

struct Reader<'b, 'l> {
    decoder: Decoder<'b>,
    limits: &'l Limits,
    items: usize,
    len: usize,
}

fn refuse(error: &minicbor::decode::Error) -> Error {
    if error.is_end_of_input() {
        Error::Truncated
    } else {
        Error::Malformed { what: "CBOR" }
    }
}

impl Reader<'_, '_> {
    fn value(&mut self, depth: usize) -> Result<Value> {
        self.items += 1;
        if self.items > self.limits.items {
            return Err(Error::TooMany {
                limit: self.limits.items,
            });
        }
        let start = self.decoder.position();
        match self.decoder.datatype().map_err(|e| refuse(&e))? {
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Int => {
                let value = self.decoder.int().map_err(|e| refuse(&e))?;
                let wide = i128::from(value);
                // CBOR writes a negative n as its argument -1 - n.
                let argument = if wide < 0 { -1 - wide } else { wide };
                self.shortest(start, u64::try_from(argument).unwrap_or(u64::MAX), 0)?;
                Ok(Value::Int(value))
            }
            Type::Bytes => {
                let value = self.decoder.bytes().map_err(|e| refuse(&e))?;
                self.shortest(start, value.len() as u64, value.len())?;
                Ok(Value::Bytes(value.to_vec()))
            }
            Type::String => {
                let value = match self.decoder.str() {
                    Ok(value) => value,
                    Err(error) if error.is_end_of_input() => return Err(Error::Truncated),
                    Err(_) => return Err(Error::NotUtf8),
                };
                self.shortest(start, value.len() as u64, value.len())?;
                Ok(Value::Text(value.to_owned()))
            }
            Type::Bool => Ok(Value::Bool(self.decoder.bool().map_err(|e| refuse(&e))?)),
            Type::Null => {
                self.decoder.null().map_err(|e| refuse(&e))?;
                Ok(Value::Null)
            }
            Type::Array => {
                let count = self
                    .decoder
                    .array()
                    .map_err(|e| refuse(&e))?
                    .ok_or(Error::IndefiniteLength)?;
                self.shortest(start, count, 0)?;
                let count = self.room(count, 1, depth)?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.value(depth + 1)?);
                }
                Ok(Value::Array(items))
            }
            Type::Map => {
                let count = self
                    .decoder
                    .map()
                    .map_err(|e| refuse(&e))?
                    .ok_or(Error::IndefiniteLength)?;
                self.shortest(start, count, 0)?;
                let count = self.room(count, 2, depth)?;
                let mut pairs = Vec::with_capacity(count);
                for _ in 0..count {
                    let key = self.value(depth + 1)?;
                    pairs.push((key, self.value(depth + 1)?));
                }
                let mut keys: Vec<&Value> = pairs.iter().map(|(key, _)| key).collect();
                keys.sort_unstable();
                if keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
                    return Err(Error::DuplicateKey);
                }
                Ok(Value::Map(pairs))
            }
            Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef => {
                Err(Error::IndefiniteLength)
            }
            _ => Err(Error::Unsupported),
        }
    }

    /// Checks that the head in front of `body` bytes was written in its shortest form.
    fn shortest(&self, start: usize, argument: u64, body: usize) -> Result<()> {
        let head = self.decoder.position().saturating_sub(start).saturating_sub(body);
        if head == head_len(argument) {
            Ok(())
        } else {
            Err(Error::NotShortest)
        }
    }

    /// Checks depth and count before anything is reserved: every item takes at least one byte.
    fn room(&self, count: u64, each: usize, depth: usize) -> Result<usize> {
        if depth >= self.limits.depth {
            return Err(Error::TooDeep {
                limit: self.limits.depth,
            });
        }
        let count = usize::try_from(count).map_err(|_| Error::Truncated)?;
        let items = count.checked_mul(each).ok_or(Error::Truncated)?;
        if self.items.saturating_add(items) > self.limits.items {
            return Err(Error::TooMany {
                limit: self.limits.items,
            });
        }
        if items > self.len.saturating_sub(self.decoder.position()) {
            return Err(Error::Truncated);
        }
        Ok(count)
    }
}

/// Writes one item, deterministically.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Writes one item after what `out` already holds.
pub fn encode_into(value: &Value, out: &mut Vec<u8>) {
    let mut encoder = Encoder::new(&mut *out);
    // Writing into a Vec cannot fail: its error type is uninhabited.
    match value {
        Value::Null => drop(encoder.null()),
        Value::Bool(value) => drop(encoder.bool(*value)),
        Value::Int(value) => drop(encoder.int(*value)),
        Value::Bytes(value) => drop(encoder.bytes(value)),
        Value::Text(value) => drop(encoder.str(value)),
        Value::Array(items) => {
            drop(encoder.array(items.len() as u64));
            for item in items {
                encode_into(item, out);
            }
        }
        Value::Map(pairs) => {
            drop(encoder.map(pairs.len() as u64));
            let mut sorted: Vec<(Vec<u8>, &Value)> =
                pairs.iter().map(|(key, value)| (encode(key), value)).collect();
            sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (key, value) in sorted {
                out.extend_from_slice(&key);
                encode_into(value, out);
            }
        }
    }
}

/// Keys that this build does not know, kept so that writing again loses nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Unknown(BTreeMap<i64, Value>);

impl Unknown {
    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the keys.
    pub fn keys(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.keys().copied()
    }

    /// Returns one value.
    #[must_use]
    pub fn get(&self, key: i64) -> Option<&Value> {
        self.0.get(&key)
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Reads an int-keyed map key by key; what is left at the end is unknown and kept.
#[derive(Debug)]
pub struct MapReader {
    left: BTreeMap<i64, Value>,
}

impl MapReader {
    /// Decodes bytes that hold exactly one int-keyed map.
    ///
    /// # Errors
    /// As [`decode`] and [`MapReader::new`].
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self> {
        Self::new(decode(bytes, limits)?)
    }

    /// Takes a map apart.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no map, [`Error::KeyNotInteger`], [`Error::DuplicateKey`].
    pub fn new(value: Value) -> Result<Self> {
        let Value::Map(pairs) = value else {
            return Err(Error::Malformed { what: "map" });
        };
        let mut left = BTreeMap::new();
        for (key, value) in pairs {
            let key = key.as_i64().ok_or(Error::KeyNotInteger)?;
            if left.insert(key, value).is_some() {
                return Err(Error::DuplicateKey);
            }
        }
        Ok(Self { left })
    }

    /// Takes a value if the key is there.
    pub fn take(&mut self, key: i64) -> Option<Value> {
        self.left.remove(&key)
    }

    /// Takes a value.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn need(&mut self, key: i64) -> Result<Value> {
        self.take(key).ok_or(Error::Missing { key })
    }

    /// Takes the version under key 0 and compares it.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`], [`Error::UnknownVersion`].
    pub fn version(&mut self, expected: u64) -> Result<()> {
        let found = self.u64(0)?;
        if found == expected {
            Ok(())
        } else {
            Err(Error::UnknownVersion { found })
        }
    }

    /// Takes a non-negative integer.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`].
    pub fn u64(&mut self, key: i64) -> Result<u64> {
        self.need(key)?.as_u64().ok_or(Error::WrongType { key })
    }

    /// Takes a non-negative integer of 32 bits.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`], [`Error::OutOfRange`].
    pub fn u32(&mut self, key: i64) -> Result<u32> {
        u32::try_from(self.u64(key)?).map_err(|_| Error::OutOfRange { key })
    }

    /// Takes an integer.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`].
    pub fn i64(&mut self, key: i64) -> Result<i64> {
        self.need(key)?.as_i64().ok_or(Error::WrongType { key })
    }

    /// Takes a byte string of a fixed length.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`] (another type or length).
    pub fn fixed<const N: usize>(&mut self, key: i64) -> Result<[u8; N]> {
        self.need(key)?.as_array_of().ok_or(Error::WrongType { key })
    }

    /// Takes a byte string of a fixed length if the key is there.
    ///
    /// # Errors
    /// [`Error::WrongType`] (another type or length).
    pub fn fixed_opt<const N: usize>(&mut self, key: i64) -> Result<Option<[u8; N]>> {
        self.take(key)
            .map(|value| value.as_array_of().ok_or(Error::WrongType { key }))
            .transpose()
    }

    /// Takes a byte string.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`].
    pub fn bytes(&mut self, key: i64) -> Result<Vec<u8>> {
        match self.need(key)? {
            Value::Bytes(value) => Ok(value),
            _ => Err(Error::WrongType { key }),
        }
    }

    /// Takes a text.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`].
    pub fn text(&mut self, key: i64) -> Result<String> {
        match self.need(key)? {
            Value::Text(value) => Ok(value),
            _ => Err(Error::WrongType { key }),
        }
    }

    /// Takes an array of at most `limit` items.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::WrongType`], [`Error::TooMany`].
    pub fn array(&mut self, key: i64, limit: usize) -> Result<Vec<Value>> {
        match self.need(key)? {
            Value::Array(items) if items.len() > limit => Err(Error::TooMany { limit }),
            Value::Array(items) => Ok(items),
            _ => Err(Error::WrongType { key }),
        }
    }

    /// Ends the reading; what was not taken is kept as unknown.
    #[must_use]
    pub fn finish(self) -> Unknown {
        Unknown(self.left)
    }
}

/// Builds an int-keyed map, unknown keys included.
#[derive(Debug, Default)]
pub struct MapWriter {
    pairs: BTreeMap<i64, Value>,
}

impl MapWriter {
    /// Begins with the version under key 0.
    #[must_use]
    pub fn version(version: u64) -> Self {
        Self::default().put(0, Value::int(version))
    }

    /// Puts a value.
    #[must_use]
    pub fn put(mut self, key: i64, value: Value) -> Self {
        self.pairs.insert(key, value);
        self
    }

    /// Puts a value if there is one.
    #[must_use]
    pub fn put_opt(self, key: i64, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    /// Ends the building. A key that is known wins over an unknown one of the same number.
    #[must_use]
    pub fn finish(self, unknown: &Unknown) -> Value {
        let mut pairs = unknown.0.clone();
        pairs.extend(self.pairs);
        Value::map(pairs)
    }

    /// Ends the building and encodes.
    #[must_use]
    pub fn encode(self, unknown: &Unknown) -> Vec<u8> {
        encode(&self.finish(unknown))
    }
}
