//! The courier as shells start it from a job of the platform: it works while the app is locked and sees sealed
//! bytes only.

use std::path::Path;
use std::sync::Arc;

use landfall_field as field;

use crate::FieldError;
use crate::caught::caught;
use crate::clock::{DeviceClock, clock, trust};
use crate::view::{Counts, RecordState};
use crate::watcher::{Watcher, watcher};

/// Stops a run between two steps.
#[derive(Debug, Default, uniffi::Object)]
pub struct CancelToken(field::CancelToken);

#[uniffi::export]
impl CancelToken {
    /// Makes a token that nobody has pulled.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Arc<CancelToken> {
        Arc::default()
    }

    /// Stops the run at its next step. What was done stays done.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Tells whether it was pulled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// What one run did. Counts are of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct CourierReport {
    /// Put into the mailbox, or found there.
    pub handed: u32,
    /// Received by the desk, by its signed word.
    pub received: u32,
    /// Sealed copies that left this phone after the desk had backed them up.
    pub purged: u32,
    /// Not accepted.
    pub refused: u32,
    /// Still waiting to be handed over.
    pub waiting: u32,
    /// When the next try is due, seconds from now; 0 = at once, absent = nothing waits.
    pub next_try_s: Option<u32>,
}

impl From<field::CourierReport> for CourierReport {
    fn from(report: field::CourierReport) -> CourierReport {
        let field::CourierReport {
            handed,
            received,
            purged,
            refused,
            waiting,
            next_try_s,
        } = report;
        CourierReport {
            handed,
            received,
            purged,
            refused,
            waiting,
            next_try_s,
        }
    }
}

/// A record as the locked phone knows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CourierRow {
    /// Digest of the sealed file.
    pub digest: String,
    /// Receipt code.
    pub receipt_code: String,
    /// Day on which it was saved, days since 1970-01-01 UTC.
    pub day: u32,
    /// Size of the sealed file, bytes.
    pub size: u64,
    /// Number of entries in it.
    pub entries: u32,
    /// Where it is.
    pub state: RecordState,
}

impl From<field::CourierRow> for CourierRow {
    fn from(row: field::CourierRow) -> CourierRow {
        let field::CourierRow {
            digest,
            receipt_code,
            day,
            size,
            entries,
            state,
        } = row;
        CourierRow {
            digest,
            receipt_code,
            day,
            size,
            entries,
            state: state.into(),
        }
    }
}

/// Carries what waits to be sent. It works while the app is locked and needs no passcode.
#[derive(Debug, uniffi::Object)]
pub struct Courier(field::Courier);

#[uniffi::export]
impl Courier {
    /// Opens what waits in a home.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] before enrolment is confirmed.
    #[uniffi::constructor]
    pub fn open(
        home: String,
        device_clock: Option<Arc<dyn DeviceClock>>,
    ) -> Result<Arc<Courier>, FieldError> {
        caught(|| -> Result<_, FieldError> {
            let courier = Courier(field::Courier::open(Path::new(&home), clock(device_clock))?);
            courier.learn();
            Ok(Arc::new(courier))
        })
    }

    /// Sends what waits and fetches what the desk answered, for at most `budget_ms` milliseconds, because a person
    /// asks or the network came back: waits after failures begin anew. A network that fails is no error.
    ///
    /// # Errors
    /// [`FieldError::Cancelled`], [`FieldError::Busy`] while another process sends.
    pub fn run_once(&self, budget_ms: u32, cancel: Arc<CancelToken>) -> Result<CourierReport, FieldError> {
        self.run(|| self.0.run_once(budget_ms, &cancel.0))
    }

    /// Does the same for a job of the platform: only what is due by the schedule.
    ///
    /// # Errors
    /// As [`Courier::run_once`].
    pub fn run_due(&self, budget_ms: u32, cancel: Arc<CancelToken>) -> Result<CourierReport, FieldError> {
        self.run(|| self.0.run_due(budget_ms, &cancel.0))
    }

    /// Lets refused records be tried again, because a person asks, and returns how many.
    ///
    /// # Errors
    /// What the store says.
    pub fn retry_refused(&self) -> Result<u32, FieldError> {
        caught(|| self.0.retry_refused())
    }

    /// Returns how many records are where.
    ///
    /// # Errors
    /// What the store says.
    pub fn counts(&self) -> Result<Counts, FieldError> {
        caught(|| self.0.counts()).map(Into::into)
    }

    /// Returns all records, the oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn records(&self) -> Result<Vec<CourierRow>, FieldError> {
        caught(|| self.0.records()).map(|rows| rows.into_iter().map(Into::into).collect())
    }

    /// Writes what is not yet with the desk into a file that anybody may carry, and returns how many records.
    ///
    /// # Errors
    /// [`FieldError::StorageFull`], [`FieldError::Internal`] for a path that cannot be written.
    pub fn export_bundle(&self, path: String) -> Result<u32, FieldError> {
        caught(|| self.0.export_bundle(Path::new(&path)))
    }

    /// Takes the desk's answers from a file.
    ///
    /// # Errors
    /// [`FieldError::NotTrusted`] for a file that is none.
    pub fn import_bundle(&self, path: String) -> Result<CourierReport, FieldError> {
        self.run(|| self.0.import_bundle(Path::new(&path)))
    }

    /// Names who is pinged after every run.
    ///
    /// # Errors
    /// [`FieldError::Internal`].
    pub fn set_watcher(&self, who: Arc<dyn Watcher>) -> Result<(), FieldError> {
        caught(|| -> Result<(), FieldError> {
            self.0.set_watcher(watcher(who));
            Ok(())
        })
    }
}

impl Courier {
    fn run(
        &self,
        work: impl FnOnce() -> Result<field::CourierReport, field::FieldError>,
    ) -> Result<CourierReport, FieldError> {
        caught(|| -> Result<_, FieldError> {
            let report = work()?;
            self.learn();
            Ok(report.into())
        })
    }

    /// A time that cannot be read is a time that nobody has learnt.
    fn learn(&self) {
        trust(self.0.trusted_time().ok().flatten());
    }
}
