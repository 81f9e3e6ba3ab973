//! The border to the shells: every uniffi type lives here and nowhere else.
//!
//! Each call of [`landfall_field`] stands here once, with values that foreign languages can hold. The border decides
//! nothing, keeps nothing and words nothing: it converts, wipes secrets that came across, and lets no panic through.
//! It must never carry a text that holds content, neither in an error nor in a panic.
//!
//! Calls are synchronous and coarse, and some take a second: shells make them off their main thread.

mod app;
mod caught;
mod clock;
mod contract;
mod courier;
mod enrol;
mod error;
mod guard;
mod view;
mod watcher;

pub use app::FieldApp;
pub use clock::{DeviceClock, DeviceTime};
#[cfg(feature = "contract-panic")]
pub use contract::contract_panic;
pub use courier::{CancelToken, Courier, CourierReport, CourierRow};
pub use enrol::{Comparison, DeviceState, EnrolStep, core_version, device_state, enrol_begin, enrol_confirm};
pub use error::FieldError;
pub use guard::{GuardError, GuardScope, KeyGuard};
pub use view::{
    AnswerValue, ChoiceView, CountView, Counts, DraftProgress, DraftRow, DraftView, FormView, HomeView,
    Outcome, PointView, QuestionView, RecordRow, RecordState, SavedView, Totals, ViolationView,
};
pub use watcher::Watcher;

/// Wipes every block of memory before it is given back: the libraries below, and the copies that the border itself
/// makes of a passcode, do not all wipe what they held (docs/protocol.md, section a).
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

uniffi::setup_scaffolding!("landfall");
