//! The facade a device uses: enrol, unlock, ask, save, list, deliver, lock.
//!
//! Field is where plaintext meets keys; nothing else on a phone may. It owns a home directory (header-1, header-2,
//! vault.db, outbox.db, att/, aside/ and nothing beside them) and it must never write content anywhere but into the
//! vault, never say "Saved" before both stores have the record, and never keep a key after [`FieldApp::lock`].
//! [`Courier`] is the part that works while locked: it sees sealed bytes and signed control messages only.

mod app;
mod ask;
mod courier;
mod enrol;
mod error;
mod home;
mod ids;
mod locks;
mod outbox;
mod pack;
mod reconcile;
mod record;
#[cfg(test)]
mod tests;
mod tries;
mod view;

pub use app::{APP_VERSION, FieldApp};
pub use courier::{CancelToken, Courier, CourierReport, CourierRow};
pub use enrol::{MIN_PASSCODE, device_state, enrol_begin, enrol_begin_tuned, enrol_confirm};
pub use error::FieldError;
pub use landfall_seal::{GuardError, GuardScope, KeyGuard, SoftGuard, Tuning};
pub use landfall_wire::clock::{Clock, ClockReading, SystemClock, TestClock, Trusted};
pub use view::{
    AnswerValue, ChoiceView, Comparison, CountView, Counts, DeviceState, DraftRow, DraftView, EnrolStep,
    FormView, HomeView, Outcome, PointView, Progress, QuestionView, RecordRow, RecordState, SavedView,
    Totals, ViolationView, Watcher,
};
