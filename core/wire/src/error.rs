//! The one error type of this crate: causes, numbers and fixed words, never a byte of what was read.

use crate::ids::DeviceId;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why bytes from outside were refused. Payloads are ids, numbers and fixed words only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the item does.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes follow the last item.
    #[error("bytes follow the end")]
    TrailingBytes,
    /// More bytes than the format allows.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nested deeper than the format allows.
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// More items than the format allows.
    #[error("more than {limit} items")]
    TooMany {
        /// The limit in items.
        limit: usize,
    },
    /// A CBOR length is indefinite.
    #[error("indefinite length")]
    IndefiniteLength,
    /// A CBOR length or integer is not in its shortest form.
    #[error("not in the shortest form")]
    NotShortest,
    /// A map holds one key twice.
    #[error("duplicate key")]
    DuplicateKey,
    /// A CBOR type that no format here uses (float, tag, undefined, other simple values).
    #[error("unsupported CBOR type")]
    Unsupported,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// The bytes are not what the format says, in a way that has no better name.
    #[error("malformed: {what}")]
    Malformed {
        /// The part that was read, a fixed word.
        what: &'static str,
    },
    /// A map key that must be an integer is not.
    #[error("a key is not an integer")]
    KeyNotInteger,
    /// A key that must be there is absent.
    #[error("key {key} is missing")]
    Missing {
        /// The integer key.
        key: i64,
    },
    /// The value under a key has the wrong type.
    #[error("key {key} has the wrong type")]
    WrongType {
        /// The integer key.
        key: i64,
    },
    /// The value under a key is outside its range or list.
    #[error("key {key} is out of range")]
    OutOfRange {
        /// The integer key.
        key: i64,
    },
    /// A format version that this build does not read.
    #[error("unknown version {found}")]
    UnknownVersion {
        /// The version found.
        found: u64,
    },
    /// The COSE tag is absent, not the expected one, or not in its shortest form.
    #[error("the frame has no or another tag")]
    FrameTag,
    /// The COSE frame is not an array of four with the right types.
    #[error("the frame has another shape")]
    FrameShape,
    /// The protected header names another algorithm than Ed25519 (-19).
    #[error("the frame names another algorithm")]
    FrameAlgorithm,
    /// The protected header is not exactly `{1: -19}`.
    #[error("the protected header is not exactly the expected one")]
    FrameProtected,
    /// The unprotected header is not empty.
    #[error("the unprotected header is not empty")]
    FrameUnprotected,
    /// A signature has not 64 bytes.
    #[error("a signature has {found} bytes")]
    SignatureLength {
        /// The length found.
        found: usize,
    },
    /// The frame decodes, but encoding it again gives other bytes.
    #[error("the frame is not in its one encoding")]
    NotExact,
    /// A signature does not verify, or its key is refused.
    #[error("the signature is not valid")]
    BadSignature,
    /// Fewer valid signatures than the threshold.
    #[error("{valid} valid signatures, {need} needed")]
    NotEnoughSignatures {
        /// Valid signatures by different keys.
        valid: usize,
        /// The threshold.
        need: usize,
    },
    /// Made for another organisation.
    #[error("made for another organisation")]
    WrongAudience,
    /// Made for another device.
    #[error("made for another device")]
    WrongDevice {
        /// The device that it names.
        found: DeviceId,
    },
    /// The serial does not rise.
    #[error("serial {found} after {last}")]
    StaleSerial {
        /// The serial found.
        found: u64,
        /// The last serial accepted.
        last: u64,
    },
    /// The validity has ended: changes are refused, recording and sending are not.
    #[error("expired on day {day}")]
    Expired {
        /// Last valid day, days since 1970-01-01 UTC.
        day: u32,
    },
    /// The bytes do not have the expected digest.
    #[error("the digest does not match: {what}")]
    DigestMismatch {
        /// The part that was compared, a fixed word.
        what: &'static str,
    },
    /// A text or file does not begin with its label.
    #[error("the label is not the expected one: {what}")]
    Label {
        /// The label expected.
        what: &'static str,
    },
    /// Text is not base64 or hexadecimal as the format wants it.
    #[error("text encoding: {what}")]
    TextEncoding {
        /// The part that was read, a fixed word.
        what: &'static str,
    },
    /// An item of a bundle is refused; the place is named.
    #[error("item {item} at byte {offset}: {cause}")]
    At {
        /// Number of the item, the header being 0.
        item: u64,
        /// Offset of the item's first byte in the file.
        offset: u64,
        /// What is wrong with it.
        cause: Box<Error>,
    },
    /// Reading or writing failed.
    #[error("input or output failed: {0:?}")]
    Io(std::io::ErrorKind),
}

impl Error {
    /// Returns the variant's name, the word that the vectors expect.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Truncated => "Truncated",
            Self::TrailingBytes => "TrailingBytes",
            Self::TooLarge { .. } => "TooLarge",
            Self::TooDeep { .. } => "TooDeep",
            Self::TooMany { .. } => "TooMany",
            Self::IndefiniteLength => "IndefiniteLength",
            Self::NotShortest => "NotShortest",
            Self::DuplicateKey => "DuplicateKey",
            Self::Unsupported => "Unsupported",
            Self::NotUtf8 => "NotUtf8",
            Self::Malformed { .. } => "Malformed",
            Self::KeyNotInteger => "KeyNotInteger",
            Self::Missing { .. } => "Missing",
            Self::WrongType { .. } => "WrongType",
            Self::OutOfRange { .. } => "OutOfRange",
            Self::UnknownVersion { .. } => "UnknownVersion",
            Self::FrameTag => "FrameTag",
            Self::FrameShape => "FrameShape",
            Self::FrameAlgorithm => "FrameAlgorithm",
            Self::FrameProtected => "FrameProtected",
            Self::FrameUnprotected => "FrameUnprotected",
            Self::SignatureLength { .. } => "SignatureLength",
            Self::NotExact => "NotExact",
            Self::BadSignature => "BadSignature",
            Self::NotEnoughSignatures { .. } => "NotEnoughSignatures",
            Self::WrongAudience => "WrongAudience",
            Self::WrongDevice { .. } => "WrongDevice",
            Self::StaleSerial { .. } => "StaleSerial",
            Self::Expired { .. } => "Expired",
            Self::DigestMismatch { .. } => "DigestMismatch",
            Self::Label { .. } => "Label",
            Self::TextEncoding { .. } => "TextEncoding",
            Self::At { cause, .. } => cause.name(),
            Self::Io(_) => "Io",
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl From<crate::sign::BadSignature> for Error {
    fn from(_: crate::sign::BadSignature) -> Self {
        Self::BadSignature
    }
}
