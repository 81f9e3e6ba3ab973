//! The one error type of this crate: causes and numbers, never a secret and never content.

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why something could not be sealed, opened or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no age version 1 file, or its header is malformed.
    #[error("not an age file, or its header is malformed")]
    NotAge,
    /// The file ends too early.
    #[error("the file ends too early")]
    Truncated,
    /// The header holds more recipients than any writer of ours makes.
    #[error("{found} recipients, at most {limit}")]
    TooManyRecipients {
        /// Recipients found.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The header is longer than any writer of ours makes it.
    #[error("the header is longer than {limit} bytes")]
    HeaderTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// None of the keys opens the file.
    #[error("sealed to another key")]
    UnknownRecipient,
    /// A key opens the file, but header or content was changed.
    #[error("header or content was changed")]
    Tampered,
    /// The plain text is larger than the format allows.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// No recipient was given.
    #[error("no recipient")]
    NoRecipient,
    /// A recipient or identity is malformed.
    #[error("malformed key: {what}")]
    MalformedKey {
        /// Which kind of key.
        what: &'static str,
    },
    /// The passphrase does not open the file.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The file asks for more work than this build accepts.
    #[error("work factor {found}, at most {limit}")]
    ExcessiveWork {
        /// Logarithm of the work asked for.
        found: u8,
        /// The limit.
        limit: u8,
    },
    /// The passcode opens none of the four slots.
    #[error("wrong passcode")]
    WrongPasscode,
    /// The passcode is empty or not UTF-8.
    #[error("the passcode is empty or not text")]
    PasscodeText,
    /// A header's parameters lie outside what this build accepts.
    #[error("header parameter out of range: {what}")]
    HeaderParameter {
        /// The parameter.
        what: &'static str,
    },
    /// No header file can be read.
    #[error("no readable header")]
    NoHeader,
    /// Parameters lie below the floor that protects a passcode.
    #[error("below the floor: {what}")]
    BelowFloor {
        /// The parameter.
        what: &'static str,
    },
    /// The hardware key failed.
    #[error(transparent)]
    Guard(#[from] crate::guard::GuardError),
    /// A public key is refused: small order, or not a point.
    #[error("the public key is refused")]
    WeakKey,
    /// The proof does not belong to this invitation and these keys.
    #[error("the proof does not belong to the invitation")]
    BadProof,
    /// No word list for this language.
    #[error("no word list for this language")]
    NoWordList,
    /// A later charter does not continue the earlier one.
    #[error("the charter does not continue the one before: {what}")]
    NotContinued {
        /// What differs.
        what: &'static str,
    },
    /// A format below refused its bytes.
    #[error(transparent)]
    Wire(#[from] landfall_wire::Error),
    /// Reading or writing failed.
    #[error("input or output failed: {0:?}")]
    Io(std::io::ErrorKind),
    /// A crate below failed in a way that its documents exclude.
    #[error("internal failure: {what}")]
    Internal {
        /// Where.
        what: &'static str,
    },
}

impl Error {
    /// Returns the variant's name, the word that the vectors expect; of [`Error::Wire`] the inner name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotAge => "NotAge",
            Self::Truncated => "Truncated",
            Self::TooManyRecipients { .. } => "TooManyRecipients",
            Self::HeaderTooLong { .. } => "HeaderTooLong",
            Self::UnknownRecipient => "UnknownRecipient",
            Self::Tampered => "Tampered",
            Self::TooLarge { .. } => "TooLarge",
            Self::NoRecipient => "NoRecipient",
            Self::MalformedKey { .. } => "MalformedKey",
            Self::WrongPassphrase => "WrongPassphrase",
            Self::ExcessiveWork { .. } => "ExcessiveWork",
            Self::WrongPasscode => "WrongPasscode",
            Self::PasscodeText => "PasscodeText",
            Self::HeaderParameter { .. } => "HeaderParameter",
            Self::NoHeader => "NoHeader",
            Self::BelowFloor { .. } => "BelowFloor",
            Self::Guard(_) => "Guard",
            Self::WeakKey => "WeakKey",
            Self::BadProof => "BadProof",
            Self::NoWordList => "NoWordList",
            Self::NotContinued { .. } => "NotContinued",
            Self::Wire(error) => error.name(),
            Self::Io(_) => "Io",
            Self::Internal { .. } => "Internal",
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.kind())
    }
}
