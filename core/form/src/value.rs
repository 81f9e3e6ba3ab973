//! The values that expressions compute with, and their coercions, as JavaRosa has them: an unanswered question is the
//! empty text, a whole number prints without a point, and a text that is no number is not-a-number. No question here.

use core::cmp::Ordering;
use core::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};

use crate::Answer;

/// The moment at which an expression is evaluated: `now()` and `today()`. Handed in, never read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds since 1970 (UTC).
    pub wall_s: i64,
    /// Minutes by which local time is ahead of UTC.
    pub tz_min: i16,
}

impl Now {
    /// Makes a moment.
    #[must_use]
    pub fn new(wall_s: i64, tz_min: i16) -> Self {
        Self { wall_s, tz_min }
    }

    /// Returns the moment with its offset.
    #[must_use]
    pub fn date_time(&self) -> DateTime<FixedOffset> {
        let utc = DateTime::from_timestamp(self.wall_s, 0).unwrap_or_default();
        match FixedOffset::east_opt(i32::from(self.tz_min) * 60) {
            Some(offset) => utc.with_timezone(&offset),
            None => utc.fixed_offset(),
        }
    }

    /// Returns the moment as RFC 3339 text with offset, the form in which a [`Answer::DateTime`] holds it.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        self.date_time()
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }
}

/// A value of the expression language. `Debug` shows its type only.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number; not-a-number stands for "no number".
    Number(f64),
    /// A text; empty for "no answer".
    Text(String),
    /// A day.
    Date(NaiveDate),
    /// A day and time with offset.
    DateTime(DateTime<FixedOffset>),
    /// The texts of a node-set.
    Nodes(Vec<String>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool(_) => "Bool(..)",
            Self::Number(_) => "Number(..)",
            Self::Text(_) => "Text(..)",
            Self::Date(_) => "Date(..)",
            Self::DateTime(_) => "DateTime(..)",
            Self::Nodes(_) => "Nodes(..)",
        })
    }
}

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

fn epoch() -> NaiveDate {
    NaiveDate::default()
}

/// Reads a number as XPath does: optional minus, digits with at most one point; no exponent, no plus, no infinity.
pub(crate) fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit())
        && digits.chars().filter(|c| *c == '.').count() <= 1;
    if plain {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

/// Prints a number as XPath does: a whole number without a point, no exponent.
pub(crate) fn print_number(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        }
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        format!("{number}")
    }
}

/// Reads a day, or the day of a day and time.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Reads a day and time; without an offset it is taken as UTC.
pub(crate) fn parse_date_time(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        let plain = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
        plain
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|naive| naive.and_utc().fixed_offset())
    })
}

impl Value {
    /// The value of a question without an answer.
    #[must_use]
    pub fn empty() -> Self {
        Self::Text(String::new())
    }

    /// Returns an answer as expressions see it; a skipped one is empty.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Skipped => Self::empty(),
            Answer::Integer(number) => Self::Number(as_f64(*number)),
            Answer::Decimal(text) => Self::Number(parse_number(text)),
            Answer::Codes(codes) => Self::Text(codes.join(" ")),
            Answer::Code(text) | Answer::Text(text) | Answer::Time(text) => Self::Text(text.clone()),
            Answer::Date(text) => parse_date(text).map_or_else(|| Self::Text(text.clone()), Self::Date),
            Answer::DateTime(text) => {
                parse_date_time(text).map_or_else(|| Self::Text(text.clone()), Self::DateTime)
            }
            Answer::Repeat(rounds) => Self::Nodes(vec![String::new(); rounds.len()]),
        }
    }

    /// Returns the value as a calculated answer; empty text and not-a-number are no answer.
    #[must_use]
    pub fn to_answer(&self) -> Option<Answer> {
        match self {
            Self::Number(number) if number.is_finite() => Some(match whole(*number) {
                Some(integer) => Answer::Integer(integer),
                None => Answer::Decimal(print_number(*number)),
            }),
            Self::Number(_) => None,
            Self::Date(_) => Some(Answer::Date(self.to_text())),
            Self::DateTime(_) => Some(Answer::DateTime(self.to_text())),
            Self::Bool(_) | Self::Text(_) | Self::Nodes(_) => {
                let text = self.to_text();
                (!text.is_empty()).then_some(Answer::Text(text))
            }
        }
    }

    /// Says whether it is the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Nodes(nodes) => nodes.iter().all(String::is_empty),
            Self::Number(number) => number.is_nan(),
            _ => false,
        }
    }

    /// Converts to true or false: a number unless 0 or not-a-number, a text unless empty.
    #[must_use]
    pub fn to_bool(&self) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Date(_) | Self::DateTime(_) => true,
            Self::Nodes(nodes) => !nodes.is_empty(),
        }
    }

    /// Converts to a number: dates are days since 1970 (with the part of the day in UTC).
    #[must_use]
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::Text(text) => parse_number(text),
            Self::Date(day) => as_f64(day.signed_duration_since(epoch()).num_days()),
            Self::DateTime(moment) => as_f64(moment.timestamp_millis()) / 1000.0 / DAY_S,
            Self::Nodes(nodes) => nodes.first().map_or(f64::NAN, |text| parse_number(text)),
        }
    }

    /// Converts to text.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => print_number(*number),
            Self::Text(text) => text.clone(),
            Self::Date(day) => day.format("%Y-%m-%d").to_string(),
            Self::DateTime(moment) => moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false),
            Self::Nodes(nodes) => nodes.first().cloned().unwrap_or_default(),
        }
    }

    /// Compares for equality: as booleans when one is a boolean, as numbers when one is a number, as moments when both
    /// are, else as texts.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(_), _) | (_, Self::Bool(_)) => self.to_bool() == other.to_bool(),
            (Self::Number(_), _) | (_, Self::Number(_)) => {
                (self.to_number() - other.to_number()).abs() < 1e-12
            }
            (Self::DateTime(a), Self::DateTime(b)) => a == b,
            _ => self.to_text() == other.to_text(),
        }
    }

    /// Compares by size: moments as moments, a day with a moment by the local day, else as numbers. `None` when one is
    /// no number.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.dated(other), other.dated(self)) {
            (Self::DateTime(a), Self::DateTime(b)) => Some(a.cmp(&b)),
            (Self::Date(a), Self::DateTime(b)) => Some(a.cmp(&b.date_naive()).then(Ordering::Less)),
            (Self::DateTime(a), Self::Date(b)) => Some(a.date_naive().cmp(&b).then(Ordering::Greater)),
            (a, b) => a.to_number().partial_cmp(&b.to_number()),
        }
    }

    /// A text beside a date is read as one.
    fn dated(&self, beside: &Self) -> Self {
        match (self, beside) {
            (Self::Text(text), Self::Date(_) | Self::DateTime(_)) => parse_date(text)
                .map(Self::Date)
                .or_else(|| parse_date_time(text).map(Self::DateTime))
                .unwrap_or_else(|| self.clone()),
            _ => self.clone(),
        }
    }
}

/// Converts an integer; exact up to 2^53, beyond which no answer goes.
#[allow(
    clippy::cast_precision_loss,
    reason = "answers stay under ten digits; calculated values under 2^53"
)]
pub(crate) fn as_f64(number: i64) -> f64 {
    number as f64
}

/// Returns the integer that a number is, when it is one and exact.
#[allow(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and under 2^53"
)]
pub(crate) fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}
