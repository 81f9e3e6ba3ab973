//! What can go wrong at the desk, named by cause, without content.

/// An error of the desk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no desk in this folder.
    #[error("no desk lies here (landfall-desk init --org NAME --recovery-out DIR)")]
    NoDesk,
    /// There is a desk in this folder already.
    #[error("a desk lies here already; nothing was changed")]
    DeskExists,
    /// The folder for the root keys holds some already.
    #[error("root keys lie there already; nothing was changed")]
    KeysExist,
    /// The passphrase does not open it.
    #[error("that was not the passphrase")]
    WrongPassphrase,
    /// The keyring does not open or is not what it should be.
    #[error("the keyring is damaged")]
    Keyring,
    /// The store.
    #[error(transparent)]
    Store(#[from] landfall_vault::Error),
    /// Keys and sealed files.
    #[error(transparent)]
    Seal(#[from] landfall_seal::Error),
    /// Frames and messages.
    #[error(transparent)]
    Wire(#[from] landfall_wire::Error),
    /// A stored row does not read back.
    #[error("a stored row is damaged: {what}")]
    Row {
        /// Which kind of row.
        what: &'static str,
    },
    /// A file could not be read or written.
    #[error("{what}: {kind}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The kind of failure.
        kind: std::io::ErrorKind,
    },
    /// The reply belongs to no invitation of this desk, or to one that was used.
    #[error("this reply belongs to no open invitation of this desk")]
    NoInvitation,
    /// The invitation is older than it may be.
    #[error("this invitation has expired: make a new one")]
    InvitationExpired,
    /// The words are those of no device that waits.
    #[error("these are the words of no device that waits: stop, somebody may be in between, start anew")]
    WordsDiffer,
    /// No such role.
    #[error("no such role: monitor, returnee, desk_coordinator, reporting_partner, auditor")]
    UnknownRole,
    /// No such device.
    #[error("no such device")]
    UnknownDevice,
    /// No such point in the form pack.
    #[error("no such point: see forms/external/points.csv")]
    UnknownPoint,
    /// An address that is not one of a hub.
    #[error("not an address of a hub: https://…, http://127.0.0.1:PORT or http://….onion")]
    BadUrl,
    /// The backup would stand inside the desk's own home.
    #[error(
        "a backup inside the desk's own folder is none: name a folder on a second medium; nothing was changed"
    )]
    SameMedium,
    /// The copy on the second medium is not the same.
    #[error("the backup does not read back as it was written: {what}")]
    Backup {
        /// Which file.
        what: &'static str,
    },
}

impl From<landfall_vault::rusqlite::Error> for Error {
    fn from(error: landfall_vault::rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Error {
    /// Wraps a failure of the file system, without the path.
    pub(crate) fn io(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::Io {
            what,
            kind: error.kind(),
        }
    }

    /// The exit code of the command line: 1 refused, 3 environment, 4 damaged or untrusted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoDesk | Self::Io { .. } => 3,
            Self::Keyring | Self::Row { .. } | Self::Backup { .. } => 4,
            Self::Store(error) => match error {
                landfall_vault::Error::NotThisKey => 1,
                landfall_vault::Error::Full
                | landfall_vault::Error::Busy
                | landfall_vault::Error::NotFound => 3,
                _ => 4,
            },
            _ => 1,
        }
    }
}
