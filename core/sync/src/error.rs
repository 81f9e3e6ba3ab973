//! The one error type of this crate: causes, numbers and fixed words.

use crate::transport::Failure;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why something was not done. Never holds sealed bytes, a capability or an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The outbox failed.
    #[error("the outbox failed (code {code})")]
    Store {
        /// SQLite's extended result code, 0 if there is none.
        code: i32,
    },
    /// The disk is full.
    #[error("no room left on the device")]
    Full,
    /// Somebody else writes at this moment.
    #[error("the outbox is busy")]
    Busy,
    /// The outbox was written by a newer build.
    #[error("the outbox has schema {found}, this build knows {known}")]
    NewerSchema {
        /// Schema number in the file.
        found: u32,
        /// Newest schema number of this build.
        known: u32,
    },
    /// The file is damaged. Nothing was deleted.
    #[error("the outbox is damaged")]
    Damaged,
    /// The file is not an outbox.
    #[error("the file is not an outbox")]
    NotAnOutbox,
    /// The sealed bytes have another digest than the one given with them.
    #[error("the bytes have another digest")]
    WrongDigest,
    /// The device is not enrolled: there is nobody to send to.
    #[error("not enrolled")]
    NoContact,
    /// Another process is sending.
    #[error("another process is sending")]
    LeaseHeld,
    /// An address that may not be used.
    #[error("the address cannot be used: {why}")]
    BadUrl {
        /// Why, a fixed word.
        why: &'static str,
    },
    /// A file operation failed.
    #[error("{what}: {kind}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// How it failed.
        kind: std::io::ErrorKind,
    },
    /// Bytes from outside were refused.
    #[error(transparent)]
    Wire(#[from] landfall_wire::Error),
    /// A courier or admin file is not one.
    #[error("not a {what} file")]
    NotAFile {
        /// Which kind was expected.
        what: &'static str,
    },
    /// The hub could not be asked, or refused.
    #[error("{0}")]
    Hub(Failure),
    /// There is a file at the place already.
    #[error("there is a file already")]
    OutExists,
    /// The bundle goes the other way.
    #[error("the bundle goes the other way")]
    WrongKind,
    /// The bundle or file is for another mailbox.
    #[error("item {item} is for another mailbox")]
    NotOurs {
        /// Number of the item, from 1.
        item: u64,
    },
}

impl Error {
    /// Returns the name of the variant, for reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Store { .. } => "Store",
            Self::Full => "Full",
            Self::Busy => "Busy",
            Self::NewerSchema { .. } => "NewerSchema",
            Self::Damaged => "Damaged",
            Self::NotAnOutbox => "NotAnOutbox",
            Self::WrongDigest => "WrongDigest",
            Self::NoContact => "NoContact",
            Self::LeaseHeld => "LeaseHeld",
            Self::BadUrl { .. } => "BadUrl",
            Self::Io { .. } => "Io",
            Self::Wire(_) => "Wire",
            Self::NotAFile { .. } => "NotAFile",
            Self::Hub(_) => "Hub",
            Self::OutExists => "OutExists",
            Self::WrongKind => "WrongKind",
            Self::NotOurs { .. } => "NotOurs",
        }
    }

    pub(crate) fn io(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |error| match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full,
            kind => Self::Io { what, kind },
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Hub(failure)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error() {
            Some(inner) => match inner.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DatabaseCorrupt => Self::Damaged,
                ErrorCode::NotADatabase => Self::NotAnOutbox,
                _ => Self::Store {
                    code: inner.extended_code,
                },
            },
            None => Self::Store { code: 0 },
        }
    }
}
