//! The one error that crosses: each variant is something different that the person can do. Its words belong to the
//! shells; here are ids, numbers and fixed words only.

use landfall_field as field;

/// What a call can answer instead of its result. Payloads are ids, numbers and fixed words, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FieldError {
    /// The app is locked: open it with the passcode.
    #[error("locked")]
    Locked,
    /// The passcode opens nothing.
    #[error("wrong passcode, try {attempts}, wait {wait_seconds} s")]
    WrongPasscode {
        /// Wrong tries since the last right one.
        attempts: u32,
        /// Seconds until the next try is taken; 0 = at once.
        wait_seconds: u32,
        /// Tries left before everything is deleted; absent where that is switched off.
        tries_left: Option<u32>,
    },
    /// An answer, or something typed, breaks a rule. Nothing was changed.
    #[error("{question} breaks {rule}")]
    Invalid {
        /// Question code, or the name of what was typed (`passcode`, `invitation`, `device`).
        question: String,
        /// The rule, snake case.
        rule: String,
    },
    /// There is nothing of this id on this phone.
    #[error("not found")]
    NotFound,
    /// The last step is not finished.
    #[error("busy")]
    Busy,
    /// No space is left.
    #[error("storage is full")]
    StorageFull {
        /// Roughly how much has to become free, bytes.
        bytes_needed: u64,
    },
    /// Records on this phone cannot be read. What waits to be sent is untouched.
    #[error("damaged")]
    Damaged {
        /// Whether the damaged file was moved aside.
        saved_aside: bool,
    },
    /// A newer version of the app wrote here, or the organisation demands one.
    #[error("needs version {min_version}")]
    NeedsUpdate {
        /// The version, as text.
        min_version: String,
    },
    /// Something was not signed by the organisation. It was not used.
    #[error("not trusted")]
    NotTrusted,
    /// The person stopped it.
    #[error("cancelled")]
    Cancelled,
    /// Something else, by its number.
    #[error("internal {code}")]
    Internal {
        /// 1xx vault, 2xx keys and sealing, 3xx records, 4xx forms, 5xx outbox and courier, 6xx files, 9xx a panic
        /// that was caught.
        code: u32,
    },
}

impl From<field::FieldError> for FieldError {
    fn from(cause: field::FieldError) -> FieldError {
        use field::FieldError as Cause;
        match cause {
            Cause::Locked => FieldError::Locked,
            Cause::WrongPasscode {
                attempts,
                wait_seconds,
                tries_left,
            } => FieldError::WrongPasscode {
                attempts,
                wait_seconds,
                tries_left,
            },
            Cause::Invalid { question, rule } => FieldError::Invalid {
                question,
                rule: rule.to_owned(),
            },
            Cause::NotFound => FieldError::NotFound,
            Cause::Busy => FieldError::Busy,
            Cause::StorageFull { bytes_needed } => FieldError::StorageFull { bytes_needed },
            Cause::Damaged { saved_aside } => FieldError::Damaged { saved_aside },
            Cause::NeedsUpdate { min_version } => FieldError::NeedsUpdate { min_version },
            Cause::NotTrusted => FieldError::NotTrusted,
            Cause::Cancelled => FieldError::Cancelled,
            Cause::Internal { code } => FieldError::Internal { code },
        }
    }
}
