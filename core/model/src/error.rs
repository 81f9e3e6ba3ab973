//! What can be wrong with an entry, named by cause, without content.

/// Which key of the payload map is meant (docs/protocol.md, section b).
pub type PayloadKey = u8;

/// An error of the entry model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The frame is not the one allowed encoding.
    #[error("frame: {0}")]
    Frame(landfall_wire::Error),
    /// The payload is not strict CBOR.
    #[error("payload: {0}")]
    Payload(landfall_wire::Error),
    /// The signature does not belong to this key and these bytes.
    #[error("the signature does not verify")]
    Signature,
    /// The payload is not one CBOR map with whole-number keys.
    #[error("the payload is not a map with whole-number keys")]
    NotAMap,
    /// A required key is absent.
    #[error("payload key {0} is missing")]
    Missing(PayloadKey),
    /// A key holds what it may not hold.
    #[error("payload key {0} holds a wrong value")]
    Wrong(PayloadKey),
    /// The payload's version is not one that this program reads.
    #[error("payload version {0} is not known")]
    Version(u64),
    /// The entry names another device than the one whose key signed it.
    #[error("the entry names another device")]
    Device,
    /// The entry or a part of it is larger than allowed.
    #[error("the entry is too large")]
    TooLarge,
    /// A field that this kind must have, or must not have, is absent or present.
    #[error("kind and fields do not fit: payload key {0}")]
    Unfit(PayloadKey),
    /// A field of a header inside the body is absent or wrong.
    #[error("body field {0} is missing or wrong")]
    Body(&'static str),
    /// A case code is mistyped.
    #[error("the case code does not check")]
    CaseCode,
    /// A position is not on the earth.
    #[error("not a position")]
    Place,
    /// A time cannot be written or read.
    #[error("not a time")]
    Time,
}
