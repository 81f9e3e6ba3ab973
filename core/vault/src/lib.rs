//! The SQLCipher store of a device: entries, drafts, envelopes on their way to the outbox, and what the home screen
//! lists.
//!
//! It is the only place where content rests on a phone, always encrypted. It must never hold a connection while
//! locked, never write beside its database, and never decide what a record means: that is model's and field's.

mod answer;
mod error;
mod record;
pub mod store;
mod vault;

pub use error::Error;
pub use record::RecordRow;
/// For the desk's database, which is a vault with a schema of its own.
pub use rusqlite;
pub use vault::{DeviceRow, Draft, Locked, Open, Pending, Refusals, Save, Vault};
