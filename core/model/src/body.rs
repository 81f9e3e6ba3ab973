//! The body of an entry (payload key 9) between form's answers and CBOR.
//!
//! Text keys stand here and nowhere else in a payload. Code, decimal, text and times are all CBOR text (docs/protocol.md,
//! section b): which of them is meant is known to the form, not to the bytes, so what is read back is
//! [`Answer::Text`] for each of them.

use landfall_form::{Answer, Answers};
use landfall_wire::cbor::Value;

use crate::Error;

/// Payload key of the body, for errors.
const BODY: u8 = 9;
/// Longest question code or header field.
const MAX_CODE: usize = landfall_form::limits::CODE;
/// Longest text of one answer, in bytes: as many characters as a form allows, four bytes each at most.
const MAX_TEXT: usize = landfall_form::limits::TEXT * 4;
/// Most answers, or rows of a repeat.
const MAX_ANSWERS: usize = 512;
/// Repeats inside repeats.
const MAX_NESTING: u8 = 2;

pub(crate) fn to_value(answers: &Answers) -> Result<Value, Error> {
    write(answers, 0)
}

pub(crate) fn from_value(value: Value) -> Result<Answers, Error> {
    read(value, 0)
}

fn wrong() -> Error {
    Error::Wrong(BODY)
}

fn checked(text: &str) -> Result<Value, Error> {
    if text.len() > MAX_TEXT {
        Err(Error::TooLarge)
    } else {
        Ok(Value::text(text))
    }
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= MAX_CODE && code.bytes().all(|b| b.is_ascii_graphic())
}

fn write(answers: &Answers, depth: u8) -> Result<Value, Error> {
    if answers.len() > MAX_ANSWERS {
        return Err(Error::TooLarge);
    }
    let mut pairs = Vec::with_capacity(answers.len());
    for (code, answer) in answers.iter() {
        if !is_code(code) {
            return Err(wrong());
        }
        let value = match answer {
            Answer::Skipped => Value::Null,
            Answer::Integer(number) => Value::int(*number),
            Answer::Codes(codes) => {
                Value::Array(codes.iter().map(|code| checked(code)).collect::<Result<_, _>>()?)
            }
            Answer::Repeat(rows) if depth < MAX_NESTING && rows.len() <= MAX_ANSWERS => Value::Array(
                rows.iter()
                    .map(|row| write(row, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Answer::Repeat(_) => return Err(Error::TooLarge),
            Answer::Code(text)
            | Answer::Text(text)
            | Answer::Decimal(text)
            | Answer::DateTime(text)
            | Answer::Date(text)
            | Answer::Time(text) => checked(text)?,
        };
        pairs.push((Value::text(code.as_str()), value));
    }
    Ok(Value::Map(pairs))
}

fn read(value: Value, depth: u8) -> Result<Answers, Error> {
    let Value::Map(pairs) = value else {
        return Err(wrong());
    };
    if pairs.len() > MAX_ANSWERS {
        return Err(Error::TooLarge);
    }
    let mut answers = Answers::new();
    for (code, value) in pairs {
        let Value::Text(code) = code else {
            return Err(wrong());
        };
        if !is_code(&code) {
            return Err(wrong());
        }
        answers.insert(code, read_answer(value, depth)?);
    }
    Ok(answers)
}

fn read_text(value: Value) -> Result<String, Error> {
    match value {
        Value::Text(text) if text.len() <= MAX_TEXT => Ok(text),
        Value::Text(_) => Err(Error::TooLarge),
        _ => Err(wrong()),
    }
}

fn read_answer(value: Value, depth: u8) -> Result<Answer, Error> {
    match value {
        Value::Null => Ok(Answer::Skipped),
        Value::Int(number) => i64::try_from(number).map(Answer::Integer).map_err(|_| wrong()),
        Value::Text(_) => read_text(value).map(Answer::Text),
        Value::Array(items) if items.len() > MAX_ANSWERS => Err(Error::TooLarge),
        Value::Array(items) if matches!(items.first(), Some(Value::Map(_))) => {
            if depth >= MAX_NESTING {
                return Err(Error::TooLarge);
            }
            Ok(Answer::Repeat(
                items
                    .into_iter()
                    .map(|row| read(row, depth + 1))
                    .collect::<Result<_, _>>()?,
            ))
        }
        Value::Array(items) => Ok(Answer::Codes(
            items.into_iter().map(read_text).collect::<Result<_, _>>()?,
        )),
        Value::Bool(_) | Value::Bytes(_) | Value::Map(_) => Err(wrong()),
    }
}
