//! What several crates must read and none of them may interpret: ids and digests, strict CBOR, the COSE
//! frame, control messages, charter, manifest and enrolment as plain structures, the envelope's plain form
//! and its padding, the bundle file, requests and answers of the hub, and the traits `Clock`, `Signer`
//! and `Verifier`.
//!
//! This crate holds no key, makes no random byte and knows no case content. Every reader here takes bytes
//! from outside: it has limits, it names its error, and it never panics.

pub mod bundle;
pub mod cbor;
pub mod charter;
pub mod clock;
pub mod control;
pub mod enrol;
pub mod envelope;
mod error;
pub mod frame;
pub mod hub;
pub mod ids;
pub mod manifest;
pub mod pad;
pub mod sign;

pub use error::{Error, Result};
