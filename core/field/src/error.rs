//! The one error of the facade: each variant is something different that the person can do.

use landfall_seal::GuardError;

/// What a call of the facade can answer instead of its result. Payloads are ids, numbers and fixed words; the words
/// on the screen belong to the shells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
        /// Tries left before everything is deleted; `None` where that is switched off.
        tries_left: Option<u32>,
    },
    /// An answer, or something typed, breaks a rule. Nothing was changed.
    #[error("{question} breaks {rule}")]
    Invalid {
        /// Question code, or the name of what was typed (`passcode`, `invitation`, `device`).
        question: String,
        /// The rule, snake case (`constraint`, `required`, `too_short`, …).
        rule: &'static str,
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
        /// Roughly how much has to become free.
        bytes_needed: u64,
    },
    /// Records on this phone cannot be read. The outbox is untouched.
    #[error("damaged")]
    Damaged {
        /// Whether the damaged file was moved into `aside/`.
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

/// What an append may need: an entry, its envelope in two stores, and their logs.
pub(crate) const BYTES_NEEDED: u64 = 1 << 20;

impl FieldError {
    pub(crate) fn invalid(question: &str, rule: &'static str) -> FieldError {
        FieldError::Invalid {
            question: question.to_owned(),
            rule,
        }
    }

    pub(crate) const fn internal(code: u32) -> FieldError {
        FieldError::Internal { code }
    }

    pub(crate) fn io(cause: &std::io::Error) -> FieldError {
        match cause.kind() {
            std::io::ErrorKind::StorageFull => FieldError::StorageFull {
                bytes_needed: BYTES_NEEDED,
            },
            std::io::ErrorKind::NotFound => FieldError::internal(601),
            std::io::ErrorKind::PermissionDenied => FieldError::internal(602),
            _ => FieldError::internal(600),
        }
    }
}

impl From<landfall_vault::Error> for FieldError {
    fn from(cause: landfall_vault::Error) -> FieldError {
        use landfall_vault::Error as Vault;
        match cause {
            Vault::KeyForm => FieldError::internal(101),
            // Somebody else has continued the chain in between: nothing was written, the next try reads it anew.
            Vault::Row { what: "chain" } => FieldError::Busy,
            Vault::NotThisKey | Vault::Damaged | Vault::Foreign | Vault::Row { .. } => {
                FieldError::Damaged { saved_aside: false }
            }
            Vault::NeedsUpdate { found, .. } => FieldError::NeedsUpdate {
                min_version: format!("schema {found}"),
            },
            Vault::Full => FieldError::StorageFull {
                bytes_needed: BYTES_NEEDED,
            },
            Vault::Busy => FieldError::Busy,
            Vault::NotFound => FieldError::NotFound,
            Vault::Io { .. } => FieldError::internal(102),
            Vault::Store { .. } => FieldError::internal(103),
            _ => FieldError::internal(100),
        }
    }
}

impl From<landfall_seal::Error> for FieldError {
    fn from(cause: landfall_seal::Error) -> FieldError {
        use landfall_seal::Error as Seal;
        match cause {
            Seal::WrongPasscode => FieldError::WrongPasscode {
                attempts: 0,
                wait_seconds: 0,
                tries_left: None,
            },
            Seal::PasscodeText => FieldError::invalid("passcode", "text"),
            Seal::NoHeader | Seal::HeaderParameter { .. } => FieldError::Damaged { saved_aside: false },
            Seal::Guard(GuardError::Gone) => FieldError::Damaged { saved_aside: false },
            Seal::Guard(GuardError::Unavailable) => FieldError::Busy,
            Seal::Guard(_) => FieldError::internal(210),
            Seal::WeakKey | Seal::MalformedKey { .. } | Seal::BadProof | Seal::NotContinued { .. } => {
                FieldError::NotTrusted
            }
            Seal::NoWordList => FieldError::invalid("invitation", "language"),
            Seal::Wire(cause) => FieldError::from(cause),
            Seal::Io(std::io::ErrorKind::StorageFull) => FieldError::StorageFull {
                bytes_needed: BYTES_NEEDED,
            },
            Seal::Io(_) => FieldError::internal(603),
            Seal::TooLarge { .. } => FieldError::internal(201),
            _ => FieldError::internal(200),
        }
    }
}

impl From<landfall_wire::Error> for FieldError {
    fn from(cause: landfall_wire::Error) -> FieldError {
        use landfall_wire::Error as Wire;
        match cause {
            Wire::BadSignature
            | Wire::NotEnoughSignatures { .. }
            | Wire::WrongAudience
            | Wire::WrongDevice { .. }
            | Wire::StaleSerial { .. }
            | Wire::Expired { .. }
            | Wire::DigestMismatch { .. } => FieldError::NotTrusted,
            _ => FieldError::internal(220),
        }
    }
}

impl From<landfall_model::Error> for FieldError {
    fn from(cause: landfall_model::Error) -> FieldError {
        use landfall_model::Error as Model;
        match cause {
            Model::TooLarge => FieldError::internal(301),
            Model::Time => FieldError::internal(302),
            // Payload key 18, the only field of an entry that a shell hands in as it is.
            Model::Wrong(18) => FieldError::invalid("lang", "format"),
            _ => FieldError::internal(300),
        }
    }
}

impl From<landfall_form::Error> for FieldError {
    fn from(_: landfall_form::Error) -> FieldError {
        FieldError::internal(400)
    }
}

impl From<landfall_form::Violation> for FieldError {
    fn from(violation: landfall_form::Violation) -> FieldError {
        FieldError::Invalid {
            rule: violation.rule.as_str(),
            question: violation.question,
        }
    }
}
