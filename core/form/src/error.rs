//! The errors of this crate. They name forms, questions and limits, never an answer.

use crate::check::Problem;

/// What can be wrong with a pack or with encoded answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not CBOR as this crate writes it.
    #[error("not a well-formed document: {0}")]
    Malformed(&'static str),
    /// Something is larger than a limit allows.
    #[error("{what} over the limit of {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The document is of a version that this program does not know.
    #[error("pack version {0} is not known here")]
    Version(i64),
    /// A required key is missing or of another type.
    #[error("`{key}` is missing or of another type in {place}")]
    Field {
        /// The key.
        key: &'static str,
        /// Where it belongs.
        place: &'static str,
    },
    /// The pack's forms do not compile.
    #[error("the pack does not compile: {} problems, first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Problems(Vec<Problem>),
    /// There is no such form in the pack.
    #[error("the pack has no form `{0}`")]
    NoForm(String),
}

/// The result of this crate.
pub type Result<T> = core::result::Result<T, Error>;
