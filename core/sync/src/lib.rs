//! The courier's room: the outbox with sealed envelopes, the queue machine that decides what happens next,
//! and the transports that carry it (hub over HTTPS, bundle file by hand).
//!
//! This crate never sees a key that opens anything, and never plaintext: it works while the vault is locked.
//! It checks the desk's signed control messages through `landfall_wire::sign::Verifier`. Nothing here deletes
//! sealed bytes without the desk's signed word that it has them backed up (`docs/protocol.md`, section e).

pub mod bundle;
pub mod carry;
pub mod courier;
mod error;
mod http;
mod lease;
pub mod machine;
pub mod memory;
mod outbox;
pub mod rng;
pub mod transport;

pub use courier::{Budget, Report, run_once};
pub use error::{Error, Result};
pub use http::HubClient;
pub use machine::{RefusalReason, Stage};
pub use outbox::{Added, Contact, Counts, Meta, Outbox, Row, Tries};
pub use rng::{FnRng, Rng};
pub use transport::{Failure, HubAdmin, Transport};
