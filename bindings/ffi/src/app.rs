//! The open app, as screens ask it. One method for each of field's, nothing beside.

use std::path::Path;
use std::sync::Arc;

use landfall_field as field;
use zeroize::Zeroizing;

use crate::FieldError;
use crate::caught::{caught, silently};
use crate::clock::{DeviceClock, clock};
use crate::guard::{Guard, KeyGuard};
use crate::view::{AnswerValue, CountView, DraftView, HomeView, RecordRow, SavedView};
use crate::watcher::{Watcher, watcher};

/// The open app. After [`FieldApp::lock`] every call answers [`FieldError::Locked`].
#[derive(Debug, uniffi::Object)]
pub struct FieldApp(field::FieldApp);

#[uniffi::export]
impl FieldApp {
    /// Opens the app with the passcode. Takes about a second.
    ///
    /// # Errors
    /// [`FieldError::WrongPasscode`] (while a wait runs, without trying), [`FieldError::Damaged`],
    /// [`FieldError::NeedsUpdate`], [`FieldError::NotFound`] before enrolment is confirmed.
    #[uniffi::constructor]
    pub fn unlock(
        home: String,
        passcode: Vec<u8>,
        guard: Arc<dyn KeyGuard>,
        device_clock: Option<Arc<dyn DeviceClock>>,
    ) -> Result<Arc<FieldApp>, FieldError> {
        let passcode = Zeroizing::new(passcode);
        caught(|| -> Result<_, FieldError> {
            let guard = Guard::of(guard)?;
            let app = field::FieldApp::unlock(Path::new(&home), &passcode, &guard, clock(device_clock))?;
            Ok(Arc::new(FieldApp(app)))
        })
    }

    /// Locks: keys wiped, database closed. Drafts are already in it.
    ///
    /// # Errors
    /// [`FieldError::Internal`].
    pub fn lock(&self) -> Result<(), FieldError> {
        caught(|| -> Result<(), FieldError> {
            self.0.lock();
            Ok(())
        })
    }

    /// Tells whether the app is locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        silently(|| self.0.is_locked()).unwrap_or(true)
    }

    /// Names who is pinged after every change.
    ///
    /// # Errors
    /// [`FieldError::Internal`].
    pub fn set_watcher(&self, who: Arc<dyn Watcher>) -> Result<(), FieldError> {
        caught(|| -> Result<(), FieldError> {
            self.0.set_watcher(watcher(who));
            Ok(())
        })
    }

    /// Returns the home screen: today at this point.
    ///
    /// # Errors
    /// [`FieldError::Locked`].
    pub fn home(&self, lang: String) -> Result<HomeView, FieldError> {
        caught(|| self.0.home(&lang)).map(Into::into)
    }

    /// Begins a count of a new arrival event, with point, time and what was last used filled in.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NeedsUpdate`].
    pub fn start_tally(&self, lang: String) -> Result<DraftView, FieldError> {
        caught(|| self.0.start_tally(&lang)).map(Into::into)
    }

    /// Begins another count of an event that this device knows; it will stand beside the first.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NeedsUpdate`], [`FieldError::NotFound`].
    pub fn start_count(&self, event_id: String, lang: String) -> Result<DraftView, FieldError> {
        caught(|| self.0.start_count(&event_id, &lang)).map(Into::into)
    }

    /// Begins a rapid interview, at an event or without one.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NeedsUpdate`], [`FieldError::NotFound`].
    pub fn start_interview(&self, event_id: Option<String>, lang: String) -> Result<DraftView, FieldError> {
        caught(|| self.0.start_interview(event_id.as_deref(), &lang)).map(Into::into)
    }

    /// Shows a draft.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`].
    pub fn draft(&self, id: String, lang: String) -> Result<DraftView, FieldError> {
        caught(|| self.0.draft(&id, &lang)).map(Into::into)
    }

    /// Keeps an answer; durable on return.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`]; [`FieldError::Invalid`] changes nothing.
    pub fn answer(
        &self,
        id: String,
        code: String,
        value: AnswerValue,
        lang: String,
    ) -> Result<DraftView, FieldError> {
        caught(|| self.0.answer(&id, &code, value.into(), &lang)).map(Into::into)
    }

    /// Keeps a skip; durable on return.
    ///
    /// # Errors
    /// As [`FieldApp::answer`].
    pub fn skip(&self, id: String, code: String, lang: String) -> Result<DraftView, FieldError> {
        caught(|| self.0.skip(&id, &code, &lang)).map(Into::into)
    }

    /// Takes an answer back; durable on return.
    ///
    /// # Errors
    /// As [`FieldApp::answer`].
    pub fn clear(&self, id: String, code: String, lang: String) -> Result<DraftView, FieldError> {
        caught(|| self.0.clear(&id, &code, &lang)).map(Into::into)
    }

    /// Adds to one cell of a count (never below 0): the tap of the counter, durable on return.
    ///
    /// # Errors
    /// As [`FieldApp::answer`].
    pub fn count(&self, id: String, cell: String, by: i32) -> Result<CountView, FieldError> {
        caught(|| self.0.count(&id, &cell, by)).map(Into::into)
    }

    /// Throws a draft away.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`].
    pub fn discard_draft(&self, id: String) -> Result<(), FieldError> {
        caught(|| self.0.discard_draft(&id))
    }

    /// Finishes a draft: signed, sealed, durable in both stores; or, where the person did not want to be recorded,
    /// nothing but one refusal.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`]; [`FieldError::Invalid`] names the first rule that is broken,
    /// and nothing has changed; [`FieldError::StorageFull`]: nothing was saved, the draft is kept.
    pub fn finish_draft(&self, id: String, lang: String) -> Result<SavedView, FieldError> {
        caught(|| self.0.finish_draft(&id, &lang)).map(Into::into)
    }

    /// Returns one finished record.
    ///
    /// # Errors
    /// [`FieldError::Locked`], [`FieldError::NotFound`].
    pub fn record(&self, id: String, lang: String) -> Result<RecordRow, FieldError> {
        caught(|| self.0.record(&id, &lang)).map(Into::into)
    }

    /// Returns all finished records of this device, the last first.
    ///
    /// # Errors
    /// [`FieldError::Locked`].
    pub fn records(&self, lang: String) -> Result<Vec<RecordRow>, FieldError> {
        caught(|| self.0.records(&lang)).map(|rows| rows.into_iter().map(Into::into).collect())
    }
}
