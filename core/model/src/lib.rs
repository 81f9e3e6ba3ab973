//! What a record says: the entry and its payload, consent, the case code, place and time, and the fold that turns a
//! set of entries into events and cases.
//!
//! Sans I/O: it reads no clock, no file and no source of randomness; ids and readings are handed in. It must never
//! print content: every type that holds some has a `Debug` of its own.

mod body;
mod code;
mod consent;
mod entry;
mod error;
pub mod fold;
mod gone;
pub mod header;
mod kind;
mod payload;
pub mod place;
#[cfg(test)]
mod testing;
pub mod time;

pub use code::{CASE_CODE_BITS, CaseCode};
pub use consent::{Consent, ConsentMode, Scope};
pub use entry::{Entry, Stored, claimed_device};
pub use error::{Error, PayloadKey};
pub use gone::{Gone, GoneReason};
pub use kind::{Kind, Provenance, Retention, Role};
pub use landfall_wire::clock::{Clock, ClockReading};
pub use payload::{
    Attached, Chain, FormRef, MAX_ATTACHMENTS, MAX_PAYLOAD, MAX_SUPERSEDED, PAYLOAD_VERSION, Payload,
    SLICE_BYTES, Unsigned,
};
