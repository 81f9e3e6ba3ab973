//! The one error type of the hub: causes, numbers and fixed words.

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why the hub or its store could not do something. Never holds an address, a capability or stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store URL names an engine that this build does not have.
    #[error("no store engine for `{scheme}:` (this build has sqlite:PATH)")]
    UnknownScheme {
        /// The scheme as given, letters and digits only.
        scheme: String,
    },
    /// The store URL has no scheme or no path.
    #[error("a store is named as sqlite:PATH")]
    BadStoreUrl,
    /// There is no store at the place named.
    #[error("there is no store here; make one with `landfall-hub init`")]
    NoStore,
    /// There is something at the place named already.
    #[error("there is a file already; nothing was changed")]
    Exists,
    /// The file is not a store of this hub.
    #[error("the file is not a hub store")]
    NotAStore,
    /// The store was written by a newer hub.
    #[error("the store has schema {found}, this build knows {known}")]
    NewerSchema {
        /// Schema number in the file.
        found: u32,
        /// Newest schema number of this build.
        known: u32,
    },
    /// The store failed its own check.
    #[error("the store is damaged")]
    Damaged,
    /// No such mailbox.
    #[error("no such mailbox")]
    NoMailbox,
    /// Something else is registered under this id or hash.
    #[error("something else is registered under this name")]
    Conflict,
    /// The capability was revoked and stays so.
    #[error("the capability was revoked")]
    Revoked,
    /// The mailbox is closed.
    #[error("the mailbox is closed")]
    Closed,
    /// The capability's quota of the day is used up.
    #[error("the quota of the day is used up")]
    DayQuota,
    /// No room: mailbox quota, ceiling of the hub, or the disk.
    #[error("no room left")]
    Full,
    /// Too much to do at the moment.
    #[error("too much to do")]
    Busy,
    /// The engine failed.
    #[error("the store failed (code {code})")]
    Engine {
        /// SQLite's extended result code, 0 if there is none.
        code: i32,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    NoRandom,
    /// A file or socket operation failed.
    #[error("{what}: {kind}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// How it failed.
        kind: std::io::ErrorKind,
    },
}

impl Error {
    /// Makes an I/O error.
    pub(crate) fn io(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::Io {
            what,
            kind: error.kind(),
        }
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
                ErrorCode::NotADatabase => Self::NotAStore,
                _ => Self::Engine {
                    code: inner.extended_code,
                },
            },
            None => Self::Engine { code: 0 },
        }
    }
}
