//! Answers of a draft between form's types and a row.
//!
//! An entry writes code, decimal, text and times all as text, because its form knows which is which. A draft keeps
//! the type beside the value: it must come back as exactly the answer that was given.

use landfall_form::{Answer, Answers};
use landfall_wire::cbor::{self, Limits, Value};

use crate::Error;

const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    depth: 12,
    items: 1 << 13,
};
const MAX_NESTING: u8 = 3;

fn damaged() -> Error {
    Error::Row { what: "answer" }
}

pub(crate) fn encode(answer: &Answer) -> Vec<u8> {
    cbor::encode(&write(answer))
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Answer, Error> {
    read(cbor::decode(bytes, &LIMITS).map_err(|_| damaged())?, 0)
}

fn write(answer: &Answer) -> Value {
    let (kind, value) = match answer {
        Answer::Skipped => (0u8, Value::Null),
        Answer::Code(text) => (1, Value::text(text.as_str())),
        Answer::Codes(codes) => (
            2,
            Value::array(codes.iter().map(|code| Value::text(code.as_str()))),
        ),
        Answer::Integer(number) => (3, Value::int(*number)),
        Answer::Decimal(text) => (4, Value::text(text.as_str())),
        Answer::Text(text) => (5, Value::text(text.as_str())),
        Answer::DateTime(text) => (6, Value::text(text.as_str())),
        Answer::Date(text) => (7, Value::text(text.as_str())),
        Answer::Time(text) => (8, Value::text(text.as_str())),
        Answer::Repeat(rows) => (9, Value::array(rows.iter().map(write_row))),
    };
    Value::array([Value::int(kind), value])
}

fn write_row(row: &Answers) -> Value {
    Value::Map(
        row.iter()
            .map(|(code, answer)| (Value::text(code.as_str()), write(answer)))
            .collect(),
    )
}

fn read(value: Value, depth: u8) -> Result<Answer, Error> {
    let Value::Array(parts) = value else {
        return Err(damaged());
    };
    let Ok([kind, value]) = <[Value; 2]>::try_from(parts) else {
        return Err(damaged());
    };
    let text = |value: Value| match value {
        Value::Text(text) => Ok(text),
        _ => Err(damaged()),
    };
    Ok(match (kind.as_u64(), value) {
        (Some(0), Value::Null) => Answer::Skipped,
        (Some(1), value) => Answer::Code(text(value)?),
        (Some(2), Value::Array(codes)) => {
            Answer::Codes(codes.into_iter().map(text).collect::<Result<_, _>>()?)
        }
        (Some(3), value) => Answer::Integer(value.as_i64().ok_or_else(damaged)?),
        (Some(4), value) => Answer::Decimal(text(value)?),
        (Some(5), value) => Answer::Text(text(value)?),
        (Some(6), value) => Answer::DateTime(text(value)?),
        (Some(7), value) => Answer::Date(text(value)?),
        (Some(8), value) => Answer::Time(text(value)?),
        (Some(9), Value::Array(rows)) if depth < MAX_NESTING => Answer::Repeat(
            rows.into_iter()
                .map(|row| read_row(row, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        _ => return Err(damaged()),
    })
}

fn read_row(value: Value, depth: u8) -> Result<Answers, Error> {
    let Value::Map(pairs) = value else {
        return Err(damaged());
    };
    pairs
        .into_iter()
        .map(|(code, value)| match code {
            Value::Text(code) => Ok((code, read(value, depth)?)),
            _ => Err(damaged()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_type_comes_back_as_itself() {
        let row = Answers::new().with("I01", Answer::code("theft"));
        for answer in [
            Answer::Skipped,
            Answer::Code("yes".to_owned()),
            Answer::Codes(vec!["a".to_owned(), "b".to_owned()]),
            Answer::Integer(-3),
            Answer::Decimal("1.50".to_owned()),
            Answer::Text("yes".to_owned()),
            Answer::DateTime("2025-11-22T10:40:00-04:00".to_owned()),
            Answer::Date("2025-11-22".to_owned()),
            Answer::Time("10:40".to_owned()),
            Answer::Repeat(vec![row]),
            Answer::Repeat(Vec::new()),
            Answer::Codes(Vec::new()),
        ] {
            assert!(decode(&encode(&answer)).unwrap() == answer);
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for bytes in [
            &b""[..],
            b"\x80",
            b"\x82\x00\x01",
            b"\x82\x18\x63\xf6",
            b"\x82\x01\xf6",
            b"\xff",
        ] {
            assert!(decode(bytes).is_err());
        }
    }
}
