//! The CBOR that packs and answers are written in: integers, text, arrays, maps, booleans and null. One deterministic
//! encoding (RFC 8949, section 4.2.1); what could have been written in another way is refused. No interpretation.

use core::fmt;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::{Error, Result};

/// One item. `Debug` shows only its shape: values may be answers of a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of 64 bits with sign.
    Int(i64),
    /// A text.
    Text(String),
    /// A byte string.
    Bytes(Vec<u8>),
    /// An array.
    Array(Vec<Item>),
    /// A map; written with its keys sorted by their encoded bytes.
    Map(Vec<(Item, Item)>),
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool(..)"),
            Self::Int(_) => f.write_str("Int(..)"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Array(items) => write!(f, "Array({})", items.len()),
            Self::Map(pairs) => write!(f, "Map({})", pairs.len()),
        }
    }
}

impl Item {
    /// Makes a text.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// Makes a map with text keys.
    #[must_use]
    pub fn map<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Item)>) -> Self {
        Self::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (Self::Text(key.into()), value))
                .collect(),
        )
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Item]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }
}

/// Writes one item, deterministically.
#[must_use]
pub fn encode(item: &Item) -> Vec<u8> {
    let mut out = Vec::new();
    write(item, &mut out);
    out
}

fn write(item: &Item, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail, so the results carry nothing.
    let mut encoder = Encoder::new(&mut *out);
    match item {
        Item::Null => drop(encoder.null()),
        Item::Bool(value) => drop(encoder.bool(*value)),
        Item::Int(value) => drop(encoder.i64(*value)),
        Item::Text(value) => drop(encoder.str(value)),
        Item::Bytes(value) => drop(encoder.bytes(value)),
        Item::Array(items) => {
            drop(encoder.array(items.len() as u64));
            for one in items {
                write(one, out);
            }
        }
        Item::Map(pairs) => {
            drop(encoder.map(pairs.len() as u64));
            let mut encoded: Vec<(Vec<u8>, Vec<u8>)> = pairs
                .iter()
                .map(|(key, value)| (encode(key), encode(value)))
                .collect();
            encoded.sort();
            for (key, value) in encoded {
                out.extend_from_slice(&key);
                out.extend_from_slice(&value);
            }
        }
    }
}

/// Reads one item of at most `limit` bytes, nested at most `depth` deep.
///
/// # Errors
/// [`Error::Limit`] when it is longer or deeper, [`Error::Malformed`] when it is cut, has something behind it, has a key
/// twice, or is not in the one deterministic encoding.
pub fn decode(bytes: &[u8], limit: usize, depth: usize) -> Result<Item> {
    if bytes.len() > limit {
        return Err(Error::Limit {
            what: "document size",
            limit,
        });
    }
    let mut decoder = Decoder::new(bytes);
    let item = read(&mut decoder, depth, depth)?;
    if decoder.position() != bytes.len() {
        return Err(Error::Malformed("trailing bytes"));
    }
    // Comparing with our own writing is the shortest proof that there was no second way to write it.
    if encode(&item) != bytes {
        return Err(Error::Malformed("not the deterministic encoding"));
    }
    Ok(item)
}

fn read(decoder: &mut Decoder<'_>, depth: usize, limit: usize) -> Result<Item> {
    let cut = |_: minicbor::decode::Error| Error::Malformed("cut or of another type");
    if depth == 0 {
        return Err(Error::Limit {
            what: "document depth",
            limit,
        });
    }
    Ok(match decoder.datatype().map_err(cut)? {
        Type::Null => {
            decoder.null().map_err(cut)?;
            Item::Null
        }
        Type::Bool => Item::Bool(decoder.bool().map_err(cut)?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            Item::Int(decoder.i64().map_err(cut)?)
        }
        Type::String => Item::Text(decoder.str().map_err(cut)?.to_owned()),
        Type::Bytes => Item::Bytes(decoder.bytes().map_err(cut)?.to_vec()),
        Type::Array => {
            let count = decoder
                .array()
                .map_err(cut)?
                .ok_or(Error::Malformed("indefinite length"))?;
            let mut items = Vec::new();
            for _ in 0..count {
                items.push(read(decoder, depth - 1, limit)?);
            }
            Item::Array(items)
        }
        Type::Map => {
            let count = decoder
                .map()
                .map_err(cut)?
                .ok_or(Error::Malformed("indefinite length"))?;
            let mut pairs: Vec<(Item, Item)> = Vec::new();
            for _ in 0..count {
                let key = read(decoder, depth - 1, limit)?;
                let value = read(decoder, depth - 1, limit)?;
                pairs.push((key, value));
            }
            let mut keys: Vec<&Item> = pairs.iter().map(|(key, _)| key).collect();
            keys.sort();
            if keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
                return Err(Error::Malformed("a key twice"));
            }
            Item::Map(pairs)
        }
        _ => return Err(Error::Malformed("a type that has no place here")),
    })
}
