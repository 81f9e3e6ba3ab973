//! Answers and how they are written down (payload key 9 of an entry, `docs/protocol.md`). Nothing here knows a form;
//! typing an answer that was read raw is the form's work ([`crate::Form::typed`]).

use core::fmt;
use core::ops::{Deref, DerefMut};
use std::collections::BTreeMap;

use crate::cbor::{self, Item};
use crate::{Error, Result, limits};

/// One answer. An answer that was read without its form is honest about what is known: every code, text, decimal, date
/// and time is [`Answer::Text`], every array of texts [`Answer::Codes`].
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Asked and skipped; counts as unknown.
    Skipped,
    /// The code of one choice; `OK` for an acknowledgement.
    Code(String),
    /// The codes of several choices, in the order of the list.
    Codes(Vec<String>),
    /// A whole number.
    Integer(i64),
    /// A decimal number as it was typed: optional minus, digits, optional point and digits.
    Decimal(String),
    /// Free text, or any text that was read without its form.
    Text(String),
    /// A day, `2026-03-09`.
    Date(String),
    /// A time of day with offset, `08:15:00-05:00`.
    Time(String),
    /// A day and time with offset (RFC 3339).
    DateTime(String),
    /// The rounds of a repeat.
    Repeat(Vec<Answers>),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skipped => "Skipped",
            Self::Code(_) => "Code(..)",
            Self::Codes(_) => "Codes(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Decimal(_) => "Decimal(..)",
            Self::Text(_) => "Text(..)",
            Self::Date(_) => "Date(..)",
            Self::Time(_) => "Time(..)",
            Self::DateTime(_) => "DateTime(..)",
            Self::Repeat(_) => "Repeat(..)",
        })
    }
}

impl Answer {
    /// Makes a [`Answer::Code`].
    #[must_use]
    pub fn code(code: impl Into<String>) -> Self {
        Self::Code(code.into())
    }

    /// Makes a [`Answer::Codes`].
    #[must_use]
    pub fn codes<S: Into<String>>(codes: impl IntoIterator<Item = S>) -> Self {
        Self::Codes(codes.into_iter().map(Into::into).collect())
    }

    /// Returns the text of a code, text, decimal, date or time.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Code(text)
            | Self::Decimal(text)
            | Self::Text(text)
            | Self::Date(text)
            | Self::Time(text)
            | Self::DateTime(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a whole number.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the codes of a multiple answer.
    #[must_use]
    pub fn as_codes(&self) -> Option<&[String]> {
        match self {
            Self::Codes(codes) => Some(codes),
            _ => None,
        }
    }

    /// Returns the answer as it stands in an entry.
    #[must_use]
    pub fn to_item(&self) -> Item {
        match self {
            Self::Skipped => Item::Null,
            Self::Integer(number) => Item::Int(*number),
            Self::Codes(codes) => Item::Array(codes.iter().map(Item::text).collect()),
            Self::Repeat(rounds) => Item::Array(rounds.iter().map(Answers::to_item).collect()),
            Self::Code(text)
            | Self::Decimal(text)
            | Self::Text(text)
            | Self::Date(text)
            | Self::Time(text)
            | Self::DateTime(text) => Item::text(text),
        }
    }

    /// Reads an answer as it stands in an entry, without its form.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a type that no answer has, [`Error::Limit`] for one too long.
    pub fn from_item(item: &Item) -> Result<Self> {
        Self::from_item_at(item, limits::NESTING)
    }

    fn from_item_at(item: &Item, depth: usize) -> Result<Self> {
        Ok(match item {
            Item::Null => Self::Skipped,
            Item::Int(number) => Self::Integer(*number),
            Item::Text(text) => {
                if text.chars().count() > limits::TEXT {
                    return Err(Error::Limit {
                        what: "text answer",
                        limit: limits::TEXT,
                    });
                }
                Self::Text(text.clone())
            }
            Item::Array(items) => {
                if items.len() > limits::CODES {
                    return Err(Error::Limit {
                        what: "codes of an answer",
                        limit: limits::CODES,
                    });
                }
                if matches!(items.first(), Some(Item::Map(_))) {
                    let rounds = items.iter().map(|item| Answers::from_item_at(item, depth));
                    Self::Repeat(rounds.collect::<Result<_>>()?)
                } else {
                    let codes = items.iter().map(|item| {
                        item.as_text()
                            .map(str::to_owned)
                            .ok_or(Error::Malformed("a code that is not a text"))
                    });
                    Self::Codes(codes.collect::<Result<_>>()?)
                }
            }
            _ => return Err(Error::Malformed("a type that no answer has")),
        })
    }
}

/// Answers by question code. `Debug` shows which questions are answered, never what was answered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<String, Answer>);

impl Answers {
    /// Makes an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one answer and returns the set, for building by hand.
    #[must_use]
    pub fn with(mut self, code: impl Into<String>, answer: Answer) -> Self {
        self.0.insert(code.into(), answer);
        self
    }

    /// Returns the answers as one map item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        Item::map(
            self.0
                .iter()
                .map(|(code, answer)| (code.clone(), answer.to_item())),
        )
    }

    /// Reads answers from a map item, without their form.
    ///
    /// # Errors
    /// As [`Answer::from_item`]; also for keys that are not text.
    pub fn from_item(item: &Item) -> Result<Self> {
        Self::from_item_at(item, limits::NESTING)
    }

    fn from_item_at(item: &Item, depth: usize) -> Result<Self> {
        let depth = depth.checked_sub(1).ok_or(Error::Limit {
            what: "nesting of repeats",
            limit: limits::NESTING,
        })?;
        let Item::Map(pairs) = item else {
            return Err(Error::Malformed("answers that are not a map"));
        };
        let mut answers = BTreeMap::new();
        for (key, value) in pairs {
            let key = key
                .as_text()
                .ok_or(Error::Malformed("a question code that is not a text"))?;
            if key.chars().count() > limits::CODE {
                return Err(Error::Limit {
                    what: "question code",
                    limit: limits::CODE,
                });
            }
            answers.insert(key.to_owned(), Answer::from_item_at(value, depth)?);
        }
        Ok(Self(answers))
    }

    /// Writes the answers as payload key 9 holds them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&self.to_item())
    }

    /// Reads answers without their form; [`crate::Form::typed`] gives them their types.
    ///
    /// # Errors
    /// As [`cbor::decode`] and [`Answers::from_item`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::from_item(&cbor::decode(bytes, limits::ANSWERS_BYTES, limits::NESTING * 2)?)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Deref for Answers {
    type Target = BTreeMap<String, Answer>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Answers {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl FromIterator<(String, Answer)> for Answers {
    fn from_iter<I: IntoIterator<Item = (String, Answer)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl IntoIterator for Answers {
    type Item = (String, Answer);
    type IntoIter = std::collections::btree_map::IntoIter<String, Answer>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
