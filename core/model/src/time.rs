//! Time as entries write it: RFC 3339 text with an offset, made from a clock reading.
//!
//! Owns the two directions and nothing else: it never asks a clock.

use chrono::{DateTime, Duration, FixedOffset, SecondsFormat, TimeZone, Timelike};
pub use landfall_wire::clock::{Clock, ClockReading};

use crate::Error;

/// A consent lapses after this many days unless it is asked again (domain 2.7, 6.2).
pub const CONSENT_DAYS: i64 = 455;

fn offset(tz_min: i16) -> Result<FixedOffset, Error> {
    FixedOffset::east_opt(i32::from(tz_min) * 60).ok_or(Error::Time)
}

/// Returns a reading as the local time it showed.
///
/// # Errors
/// [`Error::Time`] if the reading lies outside of what a date can say.
pub fn local(reading: &ClockReading) -> Result<DateTime<FixedOffset>, Error> {
    offset(reading.tz_min)?
        .timestamp_opt(reading.wall_s, 0)
        .single()
        .ok_or(Error::Time)
}

/// Returns a reading as RFC 3339 text, to the second, with an offset and never `Z`.
///
/// # Errors
/// As [`local`].
pub fn text(reading: &ClockReading) -> Result<String, Error> {
    Ok(local(reading)?.to_rfc3339_opts(SecondsFormat::Secs, false))
}

/// Returns the reading moved by whole days, as text.
///
/// # Errors
/// As [`local`].
pub fn text_after_days(reading: &ClockReading, days: i64) -> Result<String, Error> {
    let moved = local(reading)?
        .checked_add_signed(Duration::try_days(days).ok_or(Error::Time)?)
        .ok_or(Error::Time)?;
    Ok(moved.to_rfc3339_opts(SecondsFormat::Secs, false))
}

/// Reads RFC 3339 text with its offset.
///
/// # Errors
/// [`Error::Time`] for anything else.
pub fn parse(text: &str) -> Result<DateTime<FixedOffset>, Error> {
    DateTime::parse_from_rfc3339(text).map_err(|_| Error::Time)
}

/// Returns the number of the local day (days since 1970-01-01 in the reading's own zone): what "today" means on a
/// screen, and the finest time that the outbox may know.
#[must_use]
pub fn day(reading: &ClockReading) -> i64 {
    (reading.wall_s + i64::from(reading.tz_min) * 60).div_euclid(86_400)
}

/// Tells whether a local time lies in the night that domain 3.2 means: from 22:00 to before 05:00.
#[must_use]
pub fn is_night(local: &DateTime<FixedOffset>) -> bool {
    local.hour() >= 22 || local.hour() < 5
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn reading(wall_s: i64, tz_min: i16) -> ClockReading {
        ClockReading {
            wall_s,
            tz_min,
            elapsed_ms: 0,
            boot: 0,
            last_trusted_s: None,
            doubtful: false,
        }
    }

    #[test]
    fn readings_become_local_text_and_back() {
        let reading = reading(1_763_822_400, -240);
        assert_eq!(text(&reading).unwrap(), "2025-11-22T10:40:00-04:00");
        assert_eq!(
            parse("2025-11-22T10:40:00-04:00").unwrap().timestamp(),
            reading.wall_s
        );
        assert_eq!(
            text_after_days(&reading, CONSENT_DAYS).unwrap(),
            "2027-02-20T10:40:00-04:00"
        );
        assert!(parse("2025-11-22 10:40").is_err());
    }

    #[test]
    fn the_local_day_is_not_the_utc_day() {
        assert_eq!(day(&reading(86_400, -60)), 0);
        assert_eq!(day(&reading(86_399, 60)), 1);
        assert_eq!(day(&reading(-1, 0)), -1);
    }

    #[test]
    fn night_is_from_ten_to_five() {
        for (text, night) in [
            ("21:59", false),
            ("22:00", true),
            ("04:59", true),
            ("05:00", false),
        ] {
            assert_eq!(
                is_night(&parse(&format!("2025-11-22T{text}:00+02:00")).unwrap()),
                night,
                "{text}"
            );
        }
    }

    #[test]
    fn impossible_readings_are_refused() {
        assert!(text(&reading(i64::MAX, 0)).is_err());
        assert!(text(&reading(0, i16::MAX)).is_err());
    }
}
