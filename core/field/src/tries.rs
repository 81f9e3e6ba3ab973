//! Wrong tries of the passcode: how long the next one waits.
//!
//! Count and wait stand in one row of the outbox, the only file that can be read and written while locked. A
//! forensic attacker sets the row back; only the chain of hardware calls and the length of the passcode resist him.
//! Time is elapsed time since the device started, never the wall clock, which anybody can set.

use landfall_wire::clock::ClockReading;

/// Wrong tries that cost nothing: people mistype.
const FREE_TRIES: u32 = 4;
/// The wait after the first try that costs, seconds; it doubles with each further one.
const FIRST_WAIT_S: u32 = 30;
/// The longest wait, seconds: long enough against a person at the screen, short enough for a monitor at work.
const LONGEST_WAIT_S: u32 = 3600;

/// What is kept of wrong tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tries {
    /// Wrong tries since the last right one.
    pub(crate) failed: u32,
    /// Start of the device in which the last one was made.
    pub(crate) boot: u64,
    /// Elapsed time of that start at the last one, milliseconds.
    pub(crate) since_ms: u64,
}

impl Tries {
    /// Returns the whole wait after the last wrong try, seconds.
    fn wait_s(&self) -> u32 {
        match self.failed.checked_sub(FREE_TRIES + 1) {
            None => 0,
            Some(doublings) => FIRST_WAIT_S
                .checked_shl(doublings.min(16))
                .unwrap_or(LONGEST_WAIT_S)
                .min(LONGEST_WAIT_S),
        }
    }

    /// Returns how many seconds of the wait are left. After a restart the wait begins again: switching the phone off
    /// shortens nothing.
    pub(crate) fn left_s(&self, reading: &ClockReading) -> u32 {
        let passed_ms = if reading.boot == self.boot {
            reading.elapsed_ms.saturating_sub(self.since_ms)
        } else {
            reading.elapsed_ms
        };
        let left_ms = (u64::from(self.wait_s()) * 1000).saturating_sub(passed_ms);
        u32::try_from(left_ms.div_ceil(1000)).unwrap_or(LONGEST_WAIT_S)
    }

    /// Returns what is kept when a try is about to be made. It is written before the guess is computed, so that
    /// killing the app in between does not give the try back.
    pub(crate) fn begun(&self, reading: &ClockReading) -> Tries {
        Tries {
            failed: self.failed.saturating_add(1),
            boot: reading.boot,
            since_ms: reading.elapsed_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: u64, elapsed_ms: u64) -> ClockReading {
        ClockReading {
            wall_s: 0,
            tz_min: 0,
            elapsed_ms,
            boot,
            last_trusted_s: None,
            doubtful: false,
        }
    }

    #[test]
    fn the_wait_grows_and_passes_with_elapsed_time_only() {
        let mut tries = Tries::default();
        let waits: Vec<u32> = (0..16)
            .map(|_| {
                tries = tries.begun(&at(1, 1_000));
                tries.left_s(&at(1, 1_000))
            })
            .collect();
        assert_eq!(waits[..4], [0, 0, 0, 0]);
        assert_eq!(waits[4..8], [30, 60, 120, 240]);
        assert_eq!(waits[15], LONGEST_WAIT_S);
        let tries = Tries {
            failed: 5,
            boot: 1,
            since_ms: 1_000,
        };
        assert_eq!(tries.left_s(&at(1, 30_500)), 1);
        assert_eq!(tries.left_s(&at(1, 31_000)), 0);
        let set_back = ClockReading {
            wall_s: i64::MAX,
            ..at(1, 1_000)
        };
        assert_eq!(tries.left_s(&set_back), 30);
    }

    #[test]
    fn a_restart_begins_the_wait_again() {
        let tries = Tries {
            failed: 6,
            boot: 1,
            since_ms: 900_000,
        };
        assert_eq!(tries.left_s(&at(2, 10_000)), 50);
        assert_eq!(tries.left_s(&at(2, 60_000)), 0);
    }
}
