//! The courier: sends, fetches and hands over while the app may be locked.
//!
//! It needs no passcode and sees no plaintext: sealed files and signed control messages of the desk. It must never
//! delete a record without the desk's receipt; that rule is sync's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use landfall_wire::clock::{Clock, Trusted};

use crate::home::{count, paths};
use crate::locks::Cell;
use crate::outbox::{Outbox, OutboxRow};
use crate::view::{Counts, RecordState, Watcher};
use crate::{FieldError, ids};

/// Stops a run between two steps. Clones share the same switch.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Makes a token that nobody has pulled.
    #[must_use]
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Stops the run at its next step. What was done stays done.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn switch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Tells whether it was pulled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Who asks for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A person, or something that changed the odds.
    ByAPerson,
    /// A schedule.
    ByItself,
}

/// What one run did. Counts are of entries: a rapid interview is two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// When the next try is due, seconds from now; 0 = at once, `None` = nothing waits.
    pub next_try_s: Option<u32>,
}

/// A record as the locked phone knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourierRow {
    /// Digest of the sealed file.
    pub digest: String,
    /// Receipt code.
    pub receipt_code: String,
    /// Day on which it was saved, days since 1970-01-01 UTC.
    pub day: u32,
    /// Size of the sealed file in bytes.
    pub size: u64,
    /// Number of entries in it.
    pub entries: u32,
    /// Where it is.
    pub state: RecordState,
}

/// Carries what is in the outbox. It works while the app is locked. Lists can be asked for while a run waits for the
/// network: nothing here holds a lock over it.
pub struct Courier {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    watcher: Cell<Arc<dyn Watcher>>,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Courier")
    }
}

impl Courier {
    /// Opens the outbox of a home.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] before enrolment is confirmed; what the store says.
    pub fn open(home: &Path, clock: Arc<dyn Clock>) -> Result<Courier, FieldError> {
        let path = paths::outbox(home);
        if !path.exists() {
            return Err(FieldError::NotFound);
        }
        let outbox = Outbox::open(&path)?;
        if !outbox.has_contact()? {
            return Err(FieldError::NotFound);
        }
        Ok(Courier {
            outbox,
            clock,
            watcher: Cell::empty(),
        })
    }

    /// Names who is pinged after every run that changed something.
    pub fn set_watcher(&self, watcher: Arc<dyn Watcher>) {
        self.watcher.put(watcher);
    }

    fn ping(&self) {
        if let Some(watcher) = self.watcher.with(|watcher| Arc::clone(watcher)) {
            watcher.changed();
        }
    }

    /// Sends what waits and fetches what the desk answered, for at most `budget_ms`: a person asked, the app was opened,
    /// or a network came, so what failed before, or was not accepted, is
    /// tried at once. Without a network it is done at
    /// once and reports what waits.
    ///
    /// # Errors
    /// [`FieldError::Cancelled`], [`FieldError::Busy`] while another process sends; what the store says. A network
    /// that fails is no error.
    pub fn run_once(&self, budget_ms: u32, cancel: &CancelToken) -> Result<CourierReport, FieldError> {
        self.run(budget_ms, cancel, Asked::ByAPerson)
    }

    /// Sends only what is due by itself: for a periodic job, which must not undo the waiting after failures.
    ///
    /// # Errors
    /// As [`Courier::run_once`].
    pub fn run_due(&self, budget_ms: u32, cancel: &CancelToken) -> Result<CourierReport, FieldError> {
        self.run(budget_ms, cancel, Asked::ByItself)
    }

    fn run(&self, budget_ms: u32, cancel: &CancelToken, asked: Asked) -> Result<CourierReport, FieldError> {
        if cancel.is_cancelled() {
            return Err(FieldError::Cancelled);
        }
        let report = self.outbox.run(budget_ms, cancel, asked, &self.clock)?;
        self.ping();
        Ok(report)
    }

    /// Queues again what the mailbox did not accept, at a person's wish. Returns the number of entries.
    ///
    /// # Errors
    /// What the store says.
    pub fn retry_refused(&self) -> Result<u32, FieldError> {
        let queued = self.outbox.retry_refused()?;
        self.ping();
        Ok(queued)
    }

    /// Returns how many records are where.
    ///
    /// # Errors
    /// What the store says.
    pub fn counts(&self) -> Result<Counts, FieldError> {
        Ok(count(self.outbox.states()?.into_values()))
    }

    /// Returns all records, the oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn records(&self) -> Result<Vec<CourierRow>, FieldError> {
        Ok(self.outbox.rows()?.into_iter().map(row).collect())
    }

    /// Returns the time last learnt from a signed word of the desk, for the clock of the shell.
    ///
    /// # Errors
    /// What the store says.
    pub fn trusted_time(&self) -> Result<Option<Trusted>, FieldError> {
        self.outbox.trusted_time()
    }

    /// Writes everything that the desk has not confirmed into a bundle file, to be carried by hand. Returns the number
    /// of records. States do not change: only the desk's receipt counts.
    ///
    /// # Errors
    /// What the store or the file system says; an unfinished file is removed.
    pub fn export_bundle(&self, path: &Path) -> Result<u32, FieldError> {
        self.outbox.export_bundle(path)
    }

    /// Takes what the desk sends back by hand: signed receipts for this device. What is for others is left alone.
    ///
    /// # Errors
    /// [`FieldError::NotTrusted`] if the file is no bundle or a message in it was not signed by the desk;
    /// [`FieldError::NotFound`] if it holds nothing for this device.
    pub fn import_bundle(&self, path: &Path) -> Result<CourierReport, FieldError> {
        let report = self.outbox.import_bundle(path, &self.clock)?;
        self.ping();
        Ok(report)
    }
}

fn row(row: OutboxRow) -> CourierRow {
    CourierRow {
        digest: row.digest.to_hex(),
        receipt_code: ids::receipt_code(&row.digest),
        day: row.day,
        size: row.size,
        entries: row.entries,
        state: row.state,
    }
}
