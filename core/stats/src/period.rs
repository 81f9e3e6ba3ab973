//! Fixed calendar periods. There are no others: overlapping windows would give single people away by subtraction
//! (domain 5.2(6)).

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A calendar month, quarter or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    year: u16,
    first: u8,
    months: u8,
}

impl Period {
    /// Whether a month, written `2026-03`, lies in it.
    #[must_use]
    pub fn contains(&self, month: &str) -> bool {
        self.months().iter().any(|own| own == month)
    }

    /// Its months, written `2026-03`.
    #[must_use]
    pub fn months(&self) -> Vec<String> {
        (0..self.months)
            .map(|n| format!("{:04}-{:02}", self.year, self.first + n))
            .collect()
    }

    /// Its year.
    #[must_use]
    pub fn year(&self) -> u16 {
        self.year
    }
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (year, rest) = text.split_once('-').unwrap_or((text, ""));
        if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::UnknownPeriod);
        }
        let year = year.parse().map_err(|_| Error::UnknownPeriod)?;
        let (first, months) = match rest {
            "" if !text.contains('-') => (1, 12),
            "Q1" => (1, 3),
            "Q2" => (4, 3),
            "Q3" => (7, 3),
            "Q4" => (10, 3),
            month if month.len() == 2 && month.bytes().all(|b| b.is_ascii_digit()) => {
                (month.parse().map_err(|_| Error::UnknownPeriod)?, 1)
            }
            _ => return Err(Error::UnknownPeriod),
        };
        if !(1..=12).contains(&first) {
            return Err(Error::UnknownPeriod);
        }
        Ok(Self { year, first, months })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.months {
            12 => write!(f, "{:04}", self.year),
            3 => write!(f, "{:04}-Q{}", self.year, self.first / 3 + 1),
            _ => write!(f, "{:04}-{:02}", self.year, self.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written() {
        for text in ["2026", "2026-Q1", "2026-Q4", "2026-03"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "26",
            "2026-",
            "2026-13",
            "2026-00",
            "2026-Q5",
            "2026-3",
            "2026-03-01",
            "+026",
            "2026-+1",
        ] {
            assert_eq!(text.parse::<Period>(), Err(Error::UnknownPeriod), "{text}");
        }
        assert!("2026-Q2".parse::<Period>().unwrap().contains("2026-05"));
        assert!(!"2026-Q2".parse::<Period>().unwrap().contains("2026-07"));
    }
}
