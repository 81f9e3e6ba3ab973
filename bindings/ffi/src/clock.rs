//! Time as the platform tells it. Android hides its files about start and uptime from apps, so the shell may bring a
//! clock; without one the core reads the system's. Never judges a time beyond "it cannot be".

use std::fmt;
use std::sync::{Arc, OnceLock};

use landfall_field as field;

use crate::caught::silently;

/// One reading of the platform's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct DeviceTime {
    /// Wall clock, seconds since 1970-01-01 UTC.
    pub wall_s: i64,
    /// Offset of the local zone from UTC in minutes, east positive.
    pub tz_min: i16,
    /// Time since the device started, milliseconds, sleep included.
    pub elapsed_ms: u64,
    /// Mark of this start of the device (a boot count); another value after a restart, 0 if unknown.
    pub boot: u64,
}

/// The platform's clocks.
#[uniffi::export(foreign)]
pub trait DeviceClock: Send + Sync + fmt::Debug {
    /// Reads all of them at once.
    fn read(&self) -> DeviceTime;
}

#[derive(Debug)]
struct Foreign(Arc<dyn DeviceClock>);

impl field::Clock for Foreign {
    fn read(&self) -> field::ClockReading {
        match silently(|| self.0.read()) {
            Some(DeviceTime {
                wall_s,
                tz_min,
                elapsed_ms,
                boot,
            }) => field::ClockReading {
                wall_s,
                tz_min,
                elapsed_ms,
                boot,
                last_trusted_s: None,
                doubtful: false,
            },
            // A clock that fails is a clock that nobody should believe.
            None => field::ClockReading {
                doubtful: true,
                ..system().read()
            },
        }
    }
}

fn system() -> &'static Arc<field::SystemClock> {
    static SYSTEM: OnceLock<Arc<field::SystemClock>> = OnceLock::new();
    SYSTEM.get_or_init(|| Arc::new(field::SystemClock::new()))
}

/// Tells the system's clock what time the desk's signed word carried, so that it can say when it is doubtful.
pub(crate) fn trust(learnt: Option<field::Trusted>) {
    if learnt.is_some() {
        system().set_trusted(learnt);
    }
}

/// The shell's clock, or the system's.
pub(crate) fn clock(foreign: Option<Arc<dyn DeviceClock>>) -> Arc<dyn field::Clock> {
    match foreign {
        Some(foreign) => Arc::new(Foreign(foreign)),
        None => Arc::<field::SystemClock>::clone(system()),
    }
}
