//! Time. Everybody asks the trait [`Clock`]; [`SystemClock`] is the one place that reads the system's.
//!
//! Field clocks are wrong: a reading says what the device believes and marks it where it is doubtful. No
//! reading is ever used for authentication, expiry of a record, or the solving of a conflict.

use std::sync::{Mutex, PoisonError};

/// One reading of all that a device knows about the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Wall clock, seconds since 1970-01-01 UTC.
    pub wall_s: i64,
    /// Offset of the local zone from UTC in minutes, east positive.
    pub tz_min: i16,
    /// Time since the device started, milliseconds, sleep included.
    pub elapsed_ms: u64,
    /// Mark of this start of the device; another value after a restart. 0 if unknown.
    pub boot: u64,
    /// Wall time last learnt from a signed control message, seconds since 1970-01-01 UTC.
    pub last_trusted_s: Option<i64>,
    /// Whether the wall clock contradicts what is known.
    pub doubtful: bool,
}

impl ClockReading {
    /// Returns the day in UTC.
    #[must_use]
    pub fn day(&self) -> u32 {
        day_of(self.wall_s)
    }
}

/// Returns the day (days since 1970-01-01 UTC) of a wall time in seconds; 0 for times before.
#[must_use]
pub fn day_of(wall_s: i64) -> u32 {
    u32::try_from(wall_s.div_euclid(86_400)).unwrap_or(0)
}

/// Source of time.
pub trait Clock: Send + Sync {
    /// Reads all of it at once.
    fn read(&self) -> ClockReading;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn read(&self) -> ClockReading {
        (**self).read()
    }
}

/// A time learnt from a signed control message, with the elapsed time at which it was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted {
    /// Wall time, seconds since 1970-01-01 UTC.
    pub wall_s: i64,
    /// Elapsed time of the device at that moment, milliseconds.
    pub elapsed_ms: u64,
    /// Start of the device in which it was learnt.
    pub boot: u64,
}

/// No build of Landfall is older: a wall clock before 2026-01-01 is wrong.
const BUILD_FLOOR_S: i64 = 1_767_225_600;
/// How far the wall clock may stand from trusted plus elapsed time before it is called doubtful: control
/// messages name days, and zones are mistaken for clock errors less often beyond a day.
const TOLERANCE_S: i64 = 86_400;

fn is_doubtful(wall_s: i64, elapsed_ms: u64, boot: u64, trusted: Option<Trusted>) -> bool {
    if wall_s < BUILD_FLOOR_S {
        return true;
    }
    let Some(trusted) = trusted else { return false };
    if wall_s < trusted.wall_s.saturating_sub(TOLERANCE_S) {
        return true;
    }
    if boot == 0 || boot != trusted.boot {
        return false;
    }
    let since = i64::try_from(elapsed_ms.saturating_sub(trusted.elapsed_ms) / 1000).unwrap_or(i64::MAX);
    wall_s.abs_diff(trusted.wall_s.saturating_add(since)) > TOLERANCE_S.unsigned_abs()
}

/// The device's own clock.
#[derive(Debug)]
pub struct SystemClock {
    boot: u64,
    started: std::time::Instant,
    trusted: Mutex<Option<Trusted>>,
}

impl SystemClock {
    /// Opens the system's clock.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one user of the system's clock")]
    pub fn new() -> Self {
        Self {
            boot: boot_mark(),
            started: std::time::Instant::now(),
            trusted: Mutex::new(None),
        }
    }

    /// Tells it a time that a signed control message carried (or that was stored from one).
    pub fn set_trusted(&self, trusted: Option<Trusted>) {
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner) = trusted;
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one user of the system's clock")]
    fn read(&self) -> ClockReading {
        let wall_s = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        let elapsed_ms = uptime_ms()
            .unwrap_or_else(|| u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX));
        let tz_min = i16::try_from(chrono::Local::now().offset().local_minus_utc() / 60).unwrap_or(0);
        let trusted = *self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        ClockReading {
            wall_s,
            tz_min,
            elapsed_ms,
            boot: self.boot,
            last_trusted_s: trusted.map(|t| t.wall_s),
            doubtful: is_doubtful(wall_s, elapsed_ms, self.boot, trusted),
        }
    }
}

/// The kernel's boot id, hashed so that the id itself is stored nowhere; 0 where there is none.
fn boot_mark() -> u64 {
    let Ok(id) = std::fs::read("/proc/sys/kernel/random/boot_id") else {
        return 0;
    };
    let [a, b, c, d, e, f, g, h, ..] = crate::ids::sha256(&id);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Time since the device started; `None` where the system has no such file.
fn uptime_ms() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (whole, rest) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = rest.parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(hundredths.checked_mul(10)?)
}

/// A clock that a test sets.
#[derive(Debug)]
pub struct TestClock(Mutex<ClockReading>);

impl TestClock {
    /// Makes a clock that stands at a wall time, in UTC, in start 1 of the device.
    #[must_use]
    pub fn at(wall_s: i64) -> Self {
        Self::with(ClockReading {
            wall_s,
            tz_min: 0,
            elapsed_ms: 60_000,
            boot: 1,
            last_trusted_s: None,
            doubtful: false,
        })
    }

    /// Makes a clock that stands at a reading.
    #[must_use]
    pub fn with(reading: ClockReading) -> Self {
        Self(Mutex::new(reading))
    }

    /// Sets the whole reading.
    pub fn set(&self, reading: ClockReading) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reading;
    }

    /// Lets wall and elapsed time pass together.
    pub fn advance_s(&self, seconds: u32) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.wall_s = reading.wall_s.saturating_add(i64::from(seconds));
        reading.elapsed_ms = reading.elapsed_ms.saturating_add(u64::from(seconds) * 1000);
    }

    /// Moves the wall clock alone, as a person or a network would.
    pub fn jump_s(&self, seconds: i64) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.wall_s = reading.wall_s.saturating_add(seconds);
    }

    /// Restarts the device: elapsed time begins anew under another boot mark.
    pub fn restart(&self) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.elapsed_ms = 0;
        reading.boot = reading.boot.wrapping_add(1);
    }
}

impl Clock for TestClock {
    fn read(&self) -> ClockReading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_780_315_200;

    #[test]
    fn a_wall_clock_that_contradicts_what_is_known_is_doubtful() {
        let trusted = Some(Trusted {
            wall_s: NOON,
            elapsed_ms: 1_000,
            boot: 7,
        });
        assert!(is_doubtful(0, 5_000, 7, None));
        assert!(!is_doubtful(NOON, 5_000, 7, None));
        assert!(!is_doubtful(NOON + 3_600, 3_601_000, 7, trusted));
        assert!(
            is_doubtful(NOON + 3_600 + 2 * TOLERANCE_S, 3_601_000, 7, trusted),
            "ahead"
        );
        assert!(
            is_doubtful(NOON - 2 * TOLERANCE_S, 5_000, 8, trusted),
            "behind, after a restart"
        );
        assert!(
            !is_doubtful(NOON + 30 * TOLERANCE_S, 5_000, 8, trusted),
            "a restart hides how long it was off"
        );
    }

    #[test]
    fn the_system_clock_reads() {
        let clock = SystemClock::new();
        let a = clock.read();
        let b = clock.read();
        assert!(b.elapsed_ms >= a.elapsed_ms);
        assert_eq!(a.boot, b.boot);
    }

    #[test]
    fn days_count_from_1970() {
        assert_eq!(day_of(0), 0);
        assert_eq!(day_of(86_399), 0);
        assert_eq!(day_of(86_400), 1);
        assert_eq!(day_of(-1), 0);
    }
}
