//! What can go wrong in a store, named by cause, without content.

use rusqlite::ErrorCode;

/// An error of the vault or of the desk's database. Carries numbers and fixed words only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key is not in the raw-key form.
    #[error("the key is not in the raw-key form")]
    KeyForm,
    /// The file is not a database under this key: another key, or the first page is damaged.
    #[error("not a database under this key")]
    NotThisKey,
    /// Pages inside the file do not verify.
    #[error("the database is damaged")]
    Damaged,
    /// A database of another kind stands in this place.
    #[error("a database of another kind")]
    Foreign,
    /// A newer version of the program has written this database.
    #[error("schema {found} is newer than {known}")]
    NeedsUpdate {
        /// Version that was found.
        found: u32,
        /// Newest version that this program knows.
        known: u32,
    },
    /// No space is left.
    #[error("no space left")]
    Full,
    /// Somebody else holds a lock.
    #[error("the database is busy")]
    Busy,
    /// What was asked for is not here.
    #[error("not found")]
    NotFound,
    /// Stored bytes do not read back as what they were stored as.
    #[error("a stored row does not read back: {what}")]
    Row {
        /// Which kind of row.
        what: &'static str,
    },
    /// The file system refused; the code is the operating system's.
    #[error("file system error {code}")]
    Io {
        /// `errno`, 0 if unknown.
        code: i32,
    },
    /// Any other error of the store; the code is SQLite's extended code.
    #[error("store error {code}")]
    Store {
        /// SQLite's extended result code, 0 if there is none.
        code: i32,
    },
}

/// `ENOSPC`: the same number on Linux, Android and Apple.
const NO_SPACE: i32 = 28;

impl Error {
    pub(crate) fn io(cause: std::io::Error) -> Error {
        match cause.raw_os_error() {
            Some(NO_SPACE) => Error::Full,
            code => Error::Io {
                code: code.unwrap_or(0),
            },
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Error {
        match cause {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Damaged,
                ErrorCode::DiskFull => Error::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy,
                _ => Error::Store {
                    code: failure.extended_code,
                },
            },
            rusqlite::Error::QueryReturnedNoRows => Error::NotFound,
            _ => Error::Store { code: 0 },
        }
    }
}
