//! Enrolment: before there is an app to unlock. Secrets come as bytes and are wiped here when the call ends.

use std::path::Path;
use std::sync::Arc;

use landfall_field as field;
use zeroize::Zeroizing;

use crate::FieldError;
use crate::caught::caught;
use crate::clock::{DeviceClock, clock};
use crate::guard::{Guard, KeyGuard};

/// What stands in a home directory, without any passcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DeviceState {
    /// Nothing, or the rest of an enrolment that was broken off: enrol.
    Fresh,
    /// An enrolment whose six words nobody has compared yet.
    WordsPending,
    /// Enrolled: unlock.
    Enrolled,
    /// Something is missing or cannot be read. What waits to be sent can still be sent.
    Damaged,
}

/// What the two sides found when they compared the six words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Comparison {
    /// The same words on both sides.
    Same,
    /// Other words: somebody stands in between. Everything that the enrolment made is erased.
    Different,
}

/// The device's half of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct EnrolStep {
    /// Goes to the desk as text or file; sealed, so that anybody may carry it.
    pub reply_text: String,
    /// The six words, to be compared with the desk's, in this order.
    pub words: Vec<String>,
    /// The organisation's name, as its charter gives it.
    pub organisation: String,
    /// Id of this device, as the desk will list it.
    pub device_id: String,
}

/// Returns the version of the core, as entries name it.
#[uniffi::export]
#[must_use]
pub fn core_version() -> String {
    field::APP_VERSION.to_owned()
}

/// Tells what stands in a home directory.
///
/// # Errors
/// [`FieldError::Internal`].
#[uniffi::export]
pub fn device_state(home: String) -> Result<DeviceState, FieldError> {
    caught(|| -> Result<_, FieldError> {
        Ok(match field::device_state(Path::new(&home)) {
            field::DeviceState::Fresh => DeviceState::Fresh,
            field::DeviceState::WordsPending => DeviceState::WordsPending,
            field::DeviceState::Enrolled => DeviceState::Enrolled,
            field::DeviceState::Damaged => DeviceState::Damaged,
        })
    })
}

/// Makes keys and vault from an invitation, and the reply to it. Nothing can be recorded before
/// [`enrol_confirm`]. Takes some seconds: the passcode's cost is measured on this device.
///
/// # Errors
/// [`FieldError::Invalid`] (`passcode`, `invitation`, `device`), [`FieldError::NotTrusted`],
/// [`FieldError::StorageFull`].
#[uniffi::export]
pub fn enrol_begin(
    home: String,
    invitation_text: String,
    passcode: Vec<u8>,
    guard: Arc<dyn KeyGuard>,
    device_clock: Option<Arc<dyn DeviceClock>>,
) -> Result<EnrolStep, FieldError> {
    let passcode = Zeroizing::new(passcode);
    caught(|| -> Result<_, FieldError> {
        let guard = Guard::of(guard)?;
        let step = field::enrol_begin(
            Path::new(&home),
            &invitation_text,
            &passcode,
            &guard,
            clock(device_clock).as_ref(),
        )?;
        let field::EnrolStep {
            reply_text,
            words,
            organisation,
            device_id,
        } = step;
        Ok(EnrolStep {
            reply_text,
            words: words.into(),
            organisation,
            device_id,
        })
    })
}

/// Ends an enrolment: with the same words the device may record; with others all that [`enrol_begin`] made is erased.
///
/// # Errors
/// [`FieldError::WrongPasscode`], [`FieldError::NotFound`] if nothing was begun.
#[uniffi::export]
pub fn enrol_confirm(
    home: String,
    passcode: Vec<u8>,
    guard: Arc<dyn KeyGuard>,
    device_clock: Option<Arc<dyn DeviceClock>>,
    comparison: Comparison,
) -> Result<(), FieldError> {
    let passcode = Zeroizing::new(passcode);
    caught(|| -> Result<_, FieldError> {
        let guard = Guard::of(guard)?;
        let comparison = match comparison {
            Comparison::Same => field::Comparison::Same,
            Comparison::Different => field::Comparison::Different,
        };
        Ok(field::enrol_confirm(
            Path::new(&home),
            &passcode,
            &guard,
            clock(device_clock).as_ref(),
            comparison,
        )?)
    })
}
