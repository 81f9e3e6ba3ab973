//! Everything that needs a key: sealing and opening age files, signatures, the passcode header with its four
//! slots, charter and manifest, enrolment. It is also the only source of randomness on devices and desk.
//!
//! Stock formats and well-kept crates throughout; what is written here is glue. Secrets are wiped on drop,
//! print as `..`, and stand in no error.

pub mod charter;
pub mod device;
pub mod enrol;
pub mod epoch;
mod error;
pub mod file;
pub mod guard;
pub mod header;
mod kdf;
pub mod manifest;
pub mod passphrase;
pub mod random;
pub mod sign;
pub mod tuning;
pub mod words;

pub use device::DeviceKeys;
pub use epoch::{EpochIdentity, EpochRecipient};
pub use error::{Error, Result};
pub use file::{SealedEnvelope, open_envelope, open_file, seal_envelope, seal_file};
pub use guard::{GuardError, GuardScope, KeyGuard, NoGuard, SoftGuard};
pub use header::{DbKey, Header, Vrk};
pub use passphrase::{WorkFactor, open_with_passphrase, seal_with_passphrase};
pub use sign::{Ed25519Verifier, SigningKey};
pub use tuning::Tuning;
