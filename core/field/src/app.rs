//! The app while it is open: one value behind one lock, and the calls that screens make.
//!
//! [`FieldApp::lock`] takes that value out and drops it: keys are wiped, the database is closed. Every later call
//! finds nothing and answers [`FieldError::Locked`]. No decision about a record is made here; that is ask's and
//! record's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_model::{Clock, ClockReading, Role};
use landfall_seal::{DeviceKeys, EpochRecipient, Header, KeyGuard, Vrk};
use landfall_vault::{Open, Vault};
use landfall_wire::charter::Charter;
use landfall_wire::ids::{Aud, EntryId};
use landfall_wire::manifest::Manifest;

use crate::home::paths;
use crate::locks::Cell;
use crate::outbox::Outbox;
use crate::tries::Tries;
use crate::view::{AnswerValue, CountView, DeviceState, DraftView, HomeView, RecordRow, SavedView, Watcher};
use crate::{FieldError, ask, enrol, home, ids, reconcile, record};

/// Version of this program, as entries name it.
pub const APP_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Names of the vault's settings.
pub(crate) mod setting {
    pub(crate) const CHARTER: &str = "charter";
    pub(crate) const MANIFEST: &str = "manifest";
    pub(crate) const ROLE: &str = "role";
    pub(crate) const POINT: &str = "point";
    pub(crate) const CHILD_TRAINED: &str = "child_trained";
    pub(crate) const LAST_CORRIDOR: &str = "last_corridor";
    pub(crate) const LAST_BY_AGE: &str = "last_by_age";
    pub(crate) const DOWNLINK: &str = "downlink";
    pub(crate) const WRITE_CAP: &str = "write_cap";
    pub(crate) const READ_CAP: &str = "read_cap";
}

/// Everything that exists only while the app is open.
pub(crate) struct Inner {
    pub(crate) vault: Vault<Open>,
    pub(crate) keys: DeviceKeys,
    pub(crate) outbox: Outbox,
    pub(crate) organisation: String,
    pub(crate) aud: Aud,
    pub(crate) manifest_serial: u64,
    pub(crate) min_version: String,
    pub(crate) epoch: u32,
    pub(crate) recipient: EpochRecipient,
    pub(crate) role: Role,
    pub(crate) point: String,
    #[cfg(test)]
    pub(crate) crash_after: Option<record::Step>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner(..)")
    }
}

impl Inner {
    pub(crate) fn text_setting(&self, name: &str) -> Result<Option<String>, FieldError> {
        match self.vault.setting(name)? {
            None => Ok(None),
            Some(value) => match std::str::from_utf8(&value) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(FieldError::Damaged { saved_aside: false }),
            },
        }
    }

    /// Refuses to begin new records with a program that the organisation has called too old. What is begun may be
    /// finished, and what is saved is sent.
    pub(crate) fn may_record(&self) -> Result<(), FieldError> {
        if is_older(APP_VERSION, &self.min_version) {
            return Err(FieldError::NeedsUpdate {
                min_version: self.min_version.clone(),
            });
        }
        Ok(())
    }
}

/// Compares dotted versions number by number; what is no number counts as 0.
fn is_older(own: &str, least: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let mut numbers: Vec<u64> = text.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        numbers
    };
    numbers(own) < numbers(least)
}

/// The open app. Calls block and may take some milliseconds: shells make them off their main thread.
pub struct FieldApp {
    inner: Cell<Inner>,
    clock: Arc<dyn Clock>,
    watcher: Cell<Arc<dyn Watcher>>,
}

impl fmt::Debug for FieldApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_locked() {
            "FieldApp(locked)"
        } else {
            "FieldApp(open)"
        })
    }
}

/// Tries a passcode under the rules of [`crate::tries`]: counted before it is computed, forgotten when it was right.
pub(crate) fn open_header(
    home: &Path,
    passcode: &[u8],
    guard: &dyn KeyGuard,
    outbox: &Outbox,
    reading: &ClockReading,
) -> Result<(Header, Vrk), FieldError> {
    let before = outbox.tries()?;
    let left = before.left_s(reading);
    if left > 0 {
        return Err(FieldError::WrongPasscode {
            attempts: before.failed,
            wait_seconds: left,
            tries_left: None,
        });
    }
    let begun = before.begun(reading);
    outbox.set_tries(begun)?;
    match Header::open_pair(home, passcode, guard) {
        Ok(opened) => {
            outbox.set_tries(Tries::default())?;
            Ok(opened)
        }
        Err(landfall_seal::Error::WrongPasscode) => Err(FieldError::WrongPasscode {
            attempts: begun.failed,
            wait_seconds: begun.left_s(reading),
            tries_left: None,
        }),
        Err(other) => {
            // No guess was judged: a keystore that does not answer must not use up a person's tries.
            outbox.set_tries(before)?;
            Err(other.into())
        }
    }
}

/// Opens the vault with a root key; one that cannot be read is moved aside, never deleted.
pub(crate) fn open_vault(home: &Path, vrk: &Vrk) -> Result<Vault<Open>, FieldError> {
    let path = paths::vault(home);
    let locked = Vault::at(&path);
    if !locked.exists() {
        return Err(FieldError::Damaged { saved_aside: false });
    }
    match locked.open(vrk.db_key()?.expose()) {
        Ok(open) => Ok(open),
        Err(
            landfall_vault::Error::NotThisKey
            | landfall_vault::Error::Damaged
            | landfall_vault::Error::Foreign,
        ) => {
            // The slot has verified, so the key is right: the file is not the one that it belongs to.
            let moved = Vault::at(&path).set_aside().is_ok();
            Err(FieldError::Damaged { saved_aside: moved })
        }
        Err(other) => Err(other.into()),
    }
}

impl FieldApp {
    /// Opens the app: passcode, hardware calls, database; hands over what a crash left between the two stores.
    ///
    /// # Errors
    /// [`FieldError::WrongPasscode`] (while a wait runs, without trying), [`FieldError::Damaged`],
    /// [`FieldError::NeedsUpdate`], [`FieldError::NotFound`] before enrolment is confirmed.
    pub fn unlock(
        home: &Path,
        passcode: &[u8],
        guard: &dyn KeyGuard,
        clock: Arc<dyn Clock>,
    ) -> Result<FieldApp, FieldError> {
        match enrol::device_state(home) {
            DeviceState::Enrolled => {}
            DeviceState::Damaged => return Err(FieldError::Damaged { saved_aside: false }),
            DeviceState::Fresh | DeviceState::WordsPending => return Err(FieldError::NotFound),
        }
        let outbox = Outbox::open(&paths::outbox(home))?;
        let reading = clock.read();
        let (_, vrk) = open_header(home, passcode, guard, &outbox, &reading)?;
        let vault = open_vault(home, &vrk)?;
        drop(vrk);
        let mut inner = Inner::open(vault, outbox)?;
        reconcile::all(&mut inner, &reading)?;
        Ok(FieldApp {
            inner: Cell::new(inner),
            clock,
            watcher: Cell::empty(),
        })
    }

    /// Locks: keys wiped, database closed. Drafts are already in it.
    pub fn lock(&self) {
        if let Some(inner) = self.inner.take() {
            // A database that does not close cleanly is closed all the same; its log is read at the next unlock.
            drop(inner.vault.close());
        }
        self.ping();
    }

    /// Tells whether the app is locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        !self.inner.is_some()
    }

    /// Names who is pinged after every change.
    pub fn set_watcher(&self, watcher: Arc<dyn Watcher>) {
        self.watcher.put(watcher);
    }

    fn ping(&self) {
        if let Some(watcher) = self.watcher.with(|watcher| Arc::clone(watcher)) {
            watcher.changed();
        }
    }

    fn with<R>(
        &self,
        work: impl FnOnce(&mut Inner, &ClockReading) -> Result<R, FieldError>,
    ) -> Result<R, FieldError> {
        let reading = self.clock.read();
        self.inner
            .with(|inner| work(inner, &reading))
            .unwrap_or(Err(FieldError::Locked))
    }

    fn change<R>(
        &self,
        work: impl FnOnce(&mut Inner, &ClockReading) -> Result<R, FieldError>,
    ) -> Result<R, FieldError> {
        let done = self.with(work)?;
        self.ping();
        Ok(done)
    }

    /// Returns the home screen: today at this point.
    ///
    /// # Errors
    /// [`FieldError::Locked`]; what the stores say.
    pub fn home(&self, lang: &str) -> Result<HomeView, FieldError> {
        self.with(|inner, reading| home::view(inner, lang, reading))
    }

    /// Begins a count of a new arrival event, with point, time and what was last used filled in.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NeedsUpdate`].
    pub fn start_tally(&self, lang: &str) -> Result<DraftView, FieldError> {
        self.change(|inner, reading| ask::start_tally(inner, None, lang, reading))
    }

    /// Begins another count of an event that this device knows; it will stand beside the first.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NeedsUpdate`], [`FieldError::NotFound`].
    pub fn start_count(&self, event_id: &str, lang: &str) -> Result<DraftView, FieldError> {
        let event = ids::read(event_id)?;
        self.change(|inner, reading| ask::start_tally(inner, Some(event), lang, reading))
    }

    /// Begins a rapid interview, at an event or without one.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NeedsUpdate`], [`FieldError::NotFound`].
    pub fn start_interview(&self, event_id: Option<&str>, lang: &str) -> Result<DraftView, FieldError> {
        let event = event_id.map(ids::read).transpose()?;
        self.change(|inner, reading| ask::start_interview(inner, event, lang, reading))
    }

    /// Shows a draft.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`].
    pub fn draft(&self, id: &str, lang: &str) -> Result<DraftView, FieldError> {
        let id = ask::draft_id(id)?;
        self.with(|inner, reading| ask::draft(inner, &id, lang, reading))
    }

    /// Keeps an answer; durable on return.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`]; [`FieldError::Invalid`] changes nothing.
    pub fn answer(
        &self,
        id: &str,
        code: &str,
        value: AnswerValue,
        lang: &str,
    ) -> Result<DraftView, FieldError> {
        self.ask(id, code, ask::Change::Set(value), lang)
    }

    /// Keeps a skip; durable on return.
    ///
    /// # Errors
    /// As [`FieldApp::answer`].
    pub fn skip(&self, id: &str, code: &str, lang: &str) -> Result<DraftView, FieldError> {
        self.ask(id, code, ask::Change::Skip, lang)
    }

    /// Takes an answer back; durable on return.
    ///
    /// # Errors
    /// As [`FieldApp::answer`].
    pub fn clear(&self, id: &str, code: &str, lang: &str) -> Result<DraftView, FieldError> {
        self.ask(id, code, ask::Change::Clear, lang)
    }

    fn ask(&self, id: &str, code: &str, what: ask::Change, lang: &str) -> Result<DraftView, FieldError> {
        let id: EntryId = ask::draft_id(id)?;
        self.change(|inner, reading| ask::answer(inner, &id, code, what, lang, reading))
    }

    /// Adds to one cell of a count (never below 0); durable on return.
    ///
    /// # Errors
    /// As [`FieldApp::answer`].
    pub fn count(&self, id: &str, cell: &str, by: i32) -> Result<CountView, FieldError> {
        let id = ask::draft_id(id)?;
        self.change(|inner, reading| ask::count(inner, &id, cell, by, reading))
    }

    /// Throws a draft away.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`].
    pub fn discard_draft(&self, id: &str) -> Result<(), FieldError> {
        let id = ask::draft_id(id)?;
        self.change(|inner, _| Ok(inner.vault.remove_draft(&id)?))
    }

    /// Finishes a draft: signed, sealed, durable in both stores; or, where the person did not want to be recorded,
    /// nothing but one refusal.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`]; [`FieldError::Invalid`] names the first rule that is broken,
    /// and nothing has changed; [`FieldError::StorageFull`]: nothing was saved, the draft is kept.
    pub fn finish_draft(&self, id: &str, lang: &str) -> Result<SavedView, FieldError> {
        let id = ask::draft_id(id)?;
        self.change(|inner, reading| record::finish(inner, &id, lang, reading))
    }

    /// Returns one finished record.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`].
    pub fn record(&self, id: &str, lang: &str) -> Result<RecordRow, FieldError> {
        let id = ask::draft_id(id)?;
        self.with(|inner, _| home::record(inner, &id, lang))
    }

    /// Returns all finished records of this device, the last first, replaced ones too.
    ///
    /// # Errors
    /// [`FieldError::Locked`].
    pub fn records(&self, lang: &str) -> Result<Vec<RecordRow>, FieldError> {
        self.with(|inner, _| home::records(inner, lang))
    }
}

impl Inner {
    fn open(vault: Vault<Open>, outbox: Outbox) -> Result<Inner, FieldError> {
        let damaged = || FieldError::Damaged { saved_aside: false };
        let setting = |name: &str| -> Result<_, FieldError> { vault.setting(name)?.ok_or_else(damaged) };
        let device = vault.device()?;
        let keys = DeviceKeys::from_seeds(&device.signing_seed, &device.sealing_seed);
        // Both were verified before they were stored.
        let charter = Charter::peek(&setting(setting::CHARTER)?).map_err(|_| damaged())?;
        let manifest = Manifest::peek(&setting(setting::MANIFEST)?).map_err(|_| damaged())?;
        let epoch = manifest.newest_epoch().ok_or_else(damaged)?;
        let (number, recipient) = (epoch.number, EpochRecipient::from_bytes(&epoch.recipient)?);
        let text = |name: &str| -> Result<String, FieldError> {
            Ok(std::str::from_utf8(&setting(name)?)
                .map_err(|_| damaged())?
                .to_owned())
        };
        let role = Role::from_code(&text(setting::ROLE)?).ok_or_else(damaged)?;
        let point = text(setting::POINT)?;
        Ok(Inner {
            keys,
            outbox,
            aud: charter.aud(),
            organisation: charter.org_name,
            manifest_serial: manifest.serial,
            min_version: manifest.min_version,
            epoch: number,
            recipient,
            role,
            point,
            vault,
            #[cfg(test)]
            crash_after: None,
        })
    }

    #[cfg(test)]
    pub(crate) fn crash_after(&mut self, step: Option<record::Step>) {
        self.crash_after = step;
    }
}

#[cfg(test)]
impl FieldApp {
    pub(crate) fn inside<R>(&self, work: impl FnOnce(&mut Inner) -> R) -> Option<R> {
        self.inner.with(work)
    }
}

/// Where things lie, for callers that only need a path.
pub(crate) fn path(home: &Path, name: &str) -> PathBuf {
    home.join(name)
}

#[cfg(test)]
mod tests {
    use super::is_older;

    #[test]
    fn versions_are_compared_number_by_number() {
        assert!(is_older("0.1.0", "0.2"));
        assert!(is_older("0.9.0", "0.10.0"));
        assert!(!is_older("0.1.0", "0.1"));
        assert!(!is_older("0.1.0", ""));
        assert!(!is_older("1.0", "0.9.9"));
    }
}
