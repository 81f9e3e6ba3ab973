//! The coordinator's offline workstation: opens, verifies, keeps, counts and reports.
//!
//! Joins plaintext with keys, so it gets the strictest review. It speaks to no network: `pull` and `push` are commands of
//! the same program that need no home and no key, and run on another machine.

mod backup;
mod enrol;
mod error;
mod files;
mod home;
mod ingest;
mod keyring;
mod outgoing;
mod reason;
pub mod report;
mod store;
pub mod tables;
mod verify;

pub use backup::BackedUp;
pub use enrol::{Device, INVITATION_DAYS};
pub use error::Error;
pub use files::write_whole as write_secret;
pub use home::{Costs, Desk, EPOCH_DAYS, RootKey, standard_pack};
pub use ingest::{Aside, BundleEnd, Fork, Gap, Ingested};
pub use outgoing::Outgoing;
pub use reason::Reason;
pub use verify::Verified;

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;
