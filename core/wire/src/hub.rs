//! What travels between the hub and whoever talks to it: paths, bodies, answers, problem documents.
//!
//! The hub is blind and untrusted. Nothing here names a person, a form or a key; an answer of the hub is a
//! statement about sealed bytes and never a receipt. Both sides read through this module, so that a request
//! has one spelling: digests and ids in lower-case hexadecimal, bodies in deterministic CBOR, rights
//! in JSON (`docs/protocol.md`, section d).

use serde::{Deserialize, Serialize};

use crate::cbor::{self, Limits, Value};
use crate::ids::{CapHash, Digest, GroupId, MailboxId, StoreEpoch};
use crate::{Error, Result};

/// Largest envelope that a hub takes, bytes.
pub const ENVELOPE_LIMIT: usize = 64 * 1024;
/// Largest slice that a hub takes, bytes.
pub const SLICE_LIMIT: usize = 128 * 1024;
/// Most digests in one question or one acknowledgement.
pub const DIGESTS_LIMIT: usize = 256;
/// Most items in one page.
pub const PAGE_ITEMS_LIMIT: u32 = 256;
/// Bytes of stored items after which a page ends; the first item is always in it.
pub const PAGE_BYTES_LIMIT: usize = 4 << 20;
/// Largest page body: one more item than fits, and the heads of all.
pub const PAGE_BODY_LIMIT: usize = PAGE_BYTES_LIMIT + SLICE_LIMIT + 64 * PAGE_ITEMS_LIMIT as usize;
/// Largest admin request, bytes of JSON.
pub const ADMIN_LIMIT: usize = 4 * 1024;

/// Header of every answer about a mailbox: the store's random mark, hexadecimal.
pub const STORE_EPOCH_HEADER: &str = "landfall-store-epoch";
/// Header of a page: the cursor to ask with next, decimal.
pub const NEXT_HEADER: &str = "landfall-next";
/// Header of a page: how many items of this mailbox were deleted unread at the end of their time to live.
pub const EXPIRED_HEADER: &str = "landfall-expired";
/// Media type of CBOR bodies.
pub const CBOR_TYPE: &str = "application/cbor";
/// Media type of a stored envelope or slice.
pub const BYTES_TYPE: &str = "application/octet-stream";
/// Media type of one-word answers.
pub const WORD_TYPE: &str = "text/plain; charset=utf-8";
/// Media type of problem documents (RFC 9457).
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// What the hub says to a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutAnswer {
    /// Stored now (201).
    New,
    /// Was there already and still is (200).
    Held,
    /// Was there, and its reader has taken it away (200).
    Acked,
}

impl PutAnswer {
    /// Status and body of the answer.
    #[must_use]
    pub const fn as_response(self) -> (u16, &'static str) {
        match self {
            Self::New => (201, "new"),
            Self::Held => (200, "held"),
            Self::Acked => (200, "acked"),
        }
    }

    /// Reads an answer. Anything that is not word for word what a hub says is no answer of a hub: a sign-in
    /// page of a hotel also comes with status 200.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_response(status: u16, body: &[u8]) -> Result<Self> {
        match (status, body) {
            (201, b"new") => Ok(Self::New),
            (200, b"held") => Ok(Self::Held),
            (200, b"acked") => Ok(Self::Acked),
            _ => Err(Error::Malformed { what: "put answer" }),
        }
    }
}

/// What the hub says about one digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never seen, or gone with its tombstone.
    Absent,
    /// Stored.
    Held,
    /// Taken away by its reader.
    Acked,
}

/// Writes a list of digests, the body of `have` and `ack`: a CBOR array of 32-byte strings.
#[must_use]
pub fn encode_digests(digests: &[Digest]) -> Vec<u8> {
    cbor::encode(&Value::array(digests.iter().map(Value::bytes)))
}

/// Reads a list of digests.
///
/// # Errors
/// [`Error::TooMany`] above [`DIGESTS_LIMIT`], [`Error::Malformed`], and what the CBOR reader refuses.
pub fn decode_digests(body: &[u8]) -> Result<Vec<Digest>> {
    let limits = Limits {
        bytes: 16 + DIGESTS_LIMIT * 64,
        depth: 2,
        items: 1 << 12,
    };
    let value = cbor::decode(body, &limits)?;
    let items = value.as_array().ok_or(Error::Malformed { what: "digests" })?;
    if items.len() > DIGESTS_LIMIT {
        return Err(Error::TooMany { limit: DIGESTS_LIMIT });
    }
    items
        .iter()
        .map(|item| {
            item.as_array_of()
                .map(Digest::from_bytes)
                .ok_or(Error::Malformed { what: "digest" })
        })
        .collect()
}

/// Writes the answer to `have`: a CBOR array of 0 (absent), 1 (held) or 2 (acked), in the order asked.
#[must_use]
pub fn encode_presences(presences: &[Presence]) -> Vec<u8> {
    cbor::encode(&Value::array(presences.iter().map(|presence| {
        Value::int(match presence {
            Presence::Absent => 0u8,
            Presence::Held => 1,
            Presence::Acked => 2,
        })
    })))
}

/// Reads the answer to `have`.
///
/// # Errors
/// [`Error::Malformed`], also when there are not as many as were asked for, and what the CBOR reader refuses.
pub fn decode_presences(body: &[u8], asked: usize) -> Result<Vec<Presence>> {
    let limits = Limits {
        bytes: 16 + DIGESTS_LIMIT * 2,
        depth: 2,
        items: 1 << 12,
    };
    let value = cbor::decode(body, &limits)?;
    let items = value.as_array().ok_or(Error::Malformed { what: "presences" })?;
    if items.len() != asked {
        return Err(Error::Malformed {
            what: "number of presences",
        });
    }
    items
        .iter()
        .map(|item| match item.as_u64() {
            Some(0) => Ok(Presence::Absent),
            Some(1) => Ok(Presence::Held),
            Some(2) => Ok(Presence::Acked),
            _ => Err(Error::Malformed { what: "presence" }),
        })
        .collect()
}

/// What one item of a page carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Carried {
    /// An envelope, a control message or a sealed downlink, whole.
    Envelope(Vec<u8>),
    /// A slice, named only: whoever wants it gets it by digest.
    Slice {
        /// Length in bytes.
        size: u32,
    },
}

impl core::fmt::Debug for Carried {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Envelope(bytes) => write!(f, "Envelope({})", bytes.len()),
            Self::Slice { size } => write!(f, "Slice({size})"),
        }
    }
}

/// One item of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageItem {
    /// Place in the mailbox; rises strictly, with holes where items were taken away.
    pub seq: u64,
    /// SHA-256 of the bytes, as the hub computed it. Whoever reads recomputes it.
    pub digest: Digest,
    /// The bytes, or the size of a slice.
    pub carried: Carried,
}

/// One page of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The store's mark; another one than before means that the store was made or restored since.
    pub store_epoch: StoreEpoch,
    /// Cursor to ask with next. Smaller than the cursor asked with: the store went back in time.
    pub next: u64,
    /// Items of this mailbox that were deleted unread at the end of their time to live, ever.
    pub expired: u64,
    /// The items, by rising `seq`. None: the end was reached.
    pub items: Vec<PageItem>,
}

/// Writes the body of a page: a CBOR sequence of `[seq, digest, bytes]`, or `[seq, digest, size]` for a slice.
#[must_use]
pub fn encode_page_items(items: &[PageItem]) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        let carried = match &item.carried {
            Carried::Envelope(bytes) => Value::bytes(bytes),
            Carried::Slice { size } => Value::int(*size),
        };
        cbor::encode_into(
            &Value::array([Value::int(item.seq), Value::bytes(item.digest), carried]),
            &mut out,
        );
    }
    out
}

/// Reads the body of a page that was asked for with `after`, and recomputes every digest.
///
/// # Errors
/// [`Error::Malformed`] for a digest that is not that of its bytes, for sequence numbers that do not rise
/// above `after`, for an item of another shape; what the CBOR reader refuses.
pub fn decode_page_items(body: &[u8], after: u64) -> Result<Vec<PageItem>> {
    let limits = Limits {
        bytes: PAGE_BODY_LIMIT,
        depth: 2,
        items: 4 * (PAGE_ITEMS_LIMIT as usize + 1),
    };
    let mut last = after;
    let mut items = Vec::new();
    for value in cbor::decode_sequence(body, &limits)? {
        let Some([seq, digest, carried]) = value.as_array() else {
            return Err(Error::Malformed { what: "page item" });
        };
        let seq = seq.as_u64().ok_or(Error::Malformed { what: "page item" })?;
        let digest = digest
            .as_array_of()
            .map(Digest::from_bytes)
            .ok_or(Error::Malformed { what: "page item" })?;
        let carried = if let Some(bytes) = carried.as_bytes() {
            if Digest::of(bytes) != digest {
                return Err(Error::Malformed { what: "page digest" });
            }
            Carried::Envelope(bytes.to_vec())
        } else {
            let size = carried.as_u64().and_then(|size| u32::try_from(size).ok());
            match size {
                Some(size) if size as usize <= SLICE_LIMIT => Carried::Slice { size },
                _ => return Err(Error::Malformed { what: "page item" }),
            }
        };
        if seq <= last {
            return Err(Error::Malformed { what: "page order" });
        }
        last = seq;
        items.push(PageItem { seq, digest, carried });
    }
    Ok(items)
}

/// Answer to an acknowledgement, JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AckAnswer {
    /// How many of the digests were stored and are now deleted.
    pub deleted: u32,
}

/// What a capability allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Page, slices, acknowledgement of one mailbox.
    Read,
    /// Put and `have` in one mailbox, or in all mailboxes of one group.
    Write,
    /// Registering and revoking. Made by `init` only, never registered through the network.
    Admin,
}

impl Right {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_word(word: &str) -> Result<Self> {
        match word {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "admin" => Ok(Self::Admin),
            _ => Err(Error::Malformed { what: "right" }),
        }
    }
}

/// Where a capability is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// In one mailbox.
    Mailbox(MailboxId),
    /// In every mailbox registered with this group.
    Group(GroupId),
}

/// Body of `POST /v1/admin/cap`, JSON. Every operation may be repeated without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum AdminRequest {
    /// Registers a mailbox, with the group of downlinks that it belongs to.
    Mailbox {
        /// Its id.
        mailbox: MailboxId,
        /// Group whose write capability reaches it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
    },
    /// Registers the hash of a capability for a registered mailbox or for a group. One that was revoked
    /// stays revoked: an old bundle that is pushed again must not give a lost phone its right back.
    Register {
        /// SHA-256 of the capability.
        hash: CapHash,
        /// `read` or `write`.
        right: Right,
        /// The mailbox in which it is valid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mailbox: Option<MailboxId>,
        /// Or the group, for `write` only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
    },
    /// Revokes a capability for ever, also one that was never registered. The same as
    /// `DELETE /v1/admin/cap/{hash}`.
    Revoke {
        /// SHA-256 of the capability.
        hash: CapHash,
    },
    /// Closes a mailbox: nothing more can be put, what lies there can still be read and acknowledged.
    Close {
        /// Its id.
        mailbox: MailboxId,
    },
}

impl AdminRequest {
    /// Registers a capability for one mailbox.
    #[must_use]
    pub const fn register(hash: CapHash, right: Right, mailbox: MailboxId) -> Self {
        Self::Register {
            hash,
            right,
            mailbox: Some(mailbox),
            group: None,
        }
    }

    /// Registers a write capability for a group of downlinks.
    #[must_use]
    pub const fn register_group(hash: CapHash, group: GroupId) -> Self {
        Self::Register {
            hash,
            right: Right::Write,
            mailbox: None,
            group: Some(group),
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`] for other JSON, and for a registration that names both or
    /// neither of mailbox and group, the right `admin`, or `read` for a group.
    pub fn decode(body: &[u8]) -> Result<Self> {
        if body.len() > ADMIN_LIMIT {
            return Err(Error::TooLarge { limit: ADMIN_LIMIT });
        }
        let request: Self = serde_json::from_slice(body).map_err(|_| Error::Malformed {
            what: "admin request",
        })?;
        if let Self::Register {
            right,
            mailbox,
            group,
            ..
        } = request
        {
            let sound = matches!(
                (right, mailbox, group),
                (Right::Read | Right::Write, Some(_), None) | (Right::Write, None, Some(_))
            );
            if !sound {
                return Err(Error::Malformed {
                    what: "scope of a capability",
                });
            }
        }
        Ok(request)
    }

    /// Writes a request.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Ids and words only: there is no value here that JSON cannot hold.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What an admin request changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminOutcome {
    /// It is so now, and was not before.
    Changed,
    /// It was so already.
    Unchanged,
}

/// Answer to an admin request, JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminAnswer {
    /// What it changed.
    pub outcome: AdminOutcome,
}

/// Answer of `GET /v1/health`, JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Version of these routes.
    pub v: u32,
    /// The word `landfall-hub`, by which a hub is told from whatever else answers at an address.
    pub service: String,
    /// The store's mark.
    pub store_epoch: StoreEpoch,
}

/// What whoever asked can do about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// Ask again, after the usual pause.
    Retry,
    /// Ask again when `Retry-After` has passed, or after a long pause.
    Later,
    /// The same request will never succeed.
    Never,
}

/// Every problem that a hub names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The request is not one of this protocol.
    BadRequest,
    /// No capability, or one that is not registered.
    Unauthorized,
    /// The capability does not allow this here.
    Forbidden,
    /// No such route, slice or mailbox.
    NotFound,
    /// Another method is meant.
    MethodNotAllowed,
    /// Something else is registered under this hash or mailbox.
    Conflict,
    /// The capability was revoked and stays so.
    Revoked,
    /// The mailbox is closed.
    Closed,
    /// The body is larger than the route takes.
    TooLarge,
    /// The body came too slowly.
    TooSlow,
    /// The body's digest is not the one in the path.
    DigestMismatch,
    /// Too many requests in a short time.
    RateLimited,
    /// The capability's quota of the day is used up.
    DayQuota,
    /// The mailbox or the hub has no room left.
    Full,
    /// The hub has too much to do.
    Busy,
    /// The hub's own fault.
    Internal,
}

impl ProblemKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Revoked,
        Self::Closed,
        Self::TooLarge,
        Self::TooSlow,
        Self::DigestMismatch,
        Self::RateLimited,
        Self::DayQuota,
        Self::Full,
        Self::Busy,
        Self::Internal,
    ];

    /// Status, word, title and retry class.
    #[must_use]
    pub const fn describe(self) -> (u16, &'static str, &'static str, Retry) {
        match self {
            Self::BadRequest => (400, "bad-request", "The request is not understood", Retry::Never),
            Self::Unauthorized => (401, "unauthorized", "No valid capability", Retry::Never),
            Self::Forbidden => (
                403,
                "forbidden",
                "The capability does not allow this",
                Retry::Never,
            ),
            Self::NotFound => (404, "not-found", "There is no such thing here", Retry::Never),
            Self::MethodNotAllowed => (405, "method-not-allowed", "Another method is meant", Retry::Never),
            Self::Conflict => (
                409,
                "conflict",
                "Something else is registered under this name",
                Retry::Never,
            ),
            Self::Revoked => (409, "revoked", "The capability was revoked", Retry::Never),
            Self::Closed => (410, "closed", "The mailbox is closed", Retry::Never),
            Self::TooLarge => (413, "too-large", "The body is too large", Retry::Never),
            Self::TooSlow => (408, "too-slow", "The body came too slowly", Retry::Retry),
            Self::DigestMismatch => (
                422,
                "digest-mismatch",
                "The body has another digest",
                Retry::Never,
            ),
            Self::RateLimited => (429, "rate-limited", "Too many requests", Retry::Later),
            Self::DayQuota => (429, "day-quota", "The quota of the day is used up", Retry::Later),
            Self::Full => (507, "full", "No room left", Retry::Later),
            Self::Busy => (503, "busy", "Too much to do", Retry::Retry),
            Self::Internal => (500, "internal", "The hub failed", Retry::Retry),
        }
    }

    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.describe().0
    }

    /// Returns the retry class.
    #[must_use]
    pub const fn retry(self) -> Retry {
        self.describe().3
    }
}

/// Prefix of the `type` of every problem of a hub.
const PROBLEM_URN: &str = "urn:landfall:problem:";

/// A problem document (RFC 9457) with the extension `retry`. It names causes only, never what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:landfall:problem:` and the problem's word.
    #[serde(rename = "type")]
    pub kind: String,
    /// English title of the kind.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// What the asker can do.
    pub retry: Retry,
}

impl Problem {
    /// Makes the document of a kind.
    #[must_use]
    pub fn of(kind: ProblemKind) -> Self {
        let (status, word, title, retry) = kind.describe();
        Self {
            kind: format!("{PROBLEM_URN}{word}"),
            title: title.to_owned(),
            status,
            retry,
        }
    }

    /// Writes the document.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Fixed words and a number: there is no value here that JSON cannot hold.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a document that came with `status`; a page of something in between is none.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is not a hub's problem or names another status.
    pub fn decode(status: u16, body: &[u8]) -> Result<Self> {
        if body.len() > ADMIN_LIMIT {
            return Err(Error::TooLarge { limit: ADMIN_LIMIT });
        }
        let problem: Self = serde_json::from_slice(body).map_err(|_| Error::Malformed { what: "problem" })?;
        if problem.status == status && problem.kind.starts_with(PROBLEM_URN) {
            Ok(problem)
        } else {
            Err(Error::Malformed { what: "problem" })
        }
    }

    /// Returns the kind, if this build knows it.
    #[must_use]
    pub fn known(&self) -> Option<ProblemKind> {
        let word = self.kind.strip_prefix(PROBLEM_URN)?;
        ProblemKind::ALL
            .into_iter()
            .find(|kind| kind.describe().1 == word)
    }
}

/// Paths of the routes.
pub mod path {
    use super::{CapHash, Digest, MailboxId};

    /// Where the hub says that it is one.
    pub const HEALTH: &str = "/v1/health";
    /// Where capabilities and mailboxes are registered.
    pub const ADMIN_CAP: &str = "/v1/admin/cap";

    /// `PUT`: an envelope.
    #[must_use]
    pub fn envelope(mailbox: &MailboxId, digest: &Digest, again: bool) -> String {
        format!(
            "/v1/m/{mailbox}/e/{digest}{}",
            if again { "?again=1" } else { "" }
        )
    }

    /// `PUT` and `GET`: a slice.
    #[must_use]
    pub fn slice(mailbox: &MailboxId, digest: &Digest) -> String {
        format!("/v1/m/{mailbox}/s/{digest}")
    }

    /// `POST`: which of these digests are there.
    #[must_use]
    pub fn have(mailbox: &MailboxId) -> String {
        format!("/v1/m/{mailbox}/have")
    }

    /// `GET`: a page.
    #[must_use]
    pub fn page(mailbox: &MailboxId, after: u64, limit: u32) -> String {
        format!("/v1/m/{mailbox}?after={after}&limit={limit}")
    }

    /// `POST`: delete these, keep their tombstones.
    #[must_use]
    pub fn ack(mailbox: &MailboxId) -> String {
        format!("/v1/m/{mailbox}/ack")
    }

    /// `DELETE`: revoke a capability.
    #[must_use]
    pub fn cap(hash: &CapHash) -> String {
        format!("{ADMIN_CAP}/{hash}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;
    use proptest::prelude::*;

    fn digest(n: u8) -> Digest {
        Digest::from_bytes([n; 32])
    }

    #[test]
    fn digests_have_one_encoding() {
        let list = vec![digest(1), digest(2)];
        let bytes = encode_digests(&list);
        assert_eq!(decode_digests(&bytes).unwrap(), list);
        for end in 0..bytes.len() {
            assert!(decode_digests(&bytes[..end]).is_err());
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(decode_digests(&longer), Err(Error::TrailingBytes));
        // The same array with an indefinite length.
        let mut indefinite = vec![0x9f];
        indefinite.extend_from_slice(&bytes[1..]);
        indefinite.push(0xff);
        assert_eq!(decode_digests(&indefinite), Err(Error::IndefiniteLength));
        assert_eq!(
            decode_digests(&encode_digests(&vec![digest(0); DIGESTS_LIMIT + 1])),
            Err(Error::TooMany { limit: DIGESTS_LIMIT })
        );
        assert!(decode_digests(&encode_digests(&vec![digest(0); DIGESTS_LIMIT])).is_ok());
        assert_eq!(
            decode_digests(&cbor::encode(&Value::array([Value::bytes([0; 31])]))),
            Err(Error::Malformed { what: "digest" })
        );
    }

    #[test]
    fn presences_answer_what_was_asked() {
        let list = [Presence::Absent, Presence::Held, Presence::Acked];
        let bytes = encode_presences(&list);
        assert_eq!(decode_presences(&bytes, 3).unwrap(), list);
        assert!(decode_presences(&bytes, 2).is_err());
        assert!(decode_presences(&[0x81, 0x03], 1).is_err());
    }

    #[test]
    fn a_page_is_checked_item_by_item() {
        let bytes = b"sealed".to_vec();
        let items = vec![
            PageItem {
                seq: 3,
                digest: Digest::of(&bytes),
                carried: Carried::Envelope(bytes.clone()),
            },
            PageItem {
                seq: 9,
                digest: digest(7),
                carried: Carried::Slice { size: 131_072 },
            },
        ];
        let body = encode_page_items(&items);
        assert_eq!(decode_page_items(&body, 2).unwrap(), items);
        assert_eq!(
            decode_page_items(&body, 3),
            Err(Error::Malformed { what: "page order" })
        );
        for end in 1..body.len() {
            // Cut anywhere but between two items: refused.
            let cut = decode_page_items(&body[..end], 2);
            assert!(cut.is_err() || cut.unwrap().len() == 1);
        }
        let mut flipped = body.clone();
        let at = flipped.windows(6).position(|w| w == b"sealed").unwrap();
        flipped[at] ^= 1;
        assert_eq!(
            decode_page_items(&flipped, 2),
            Err(Error::Malformed { what: "page digest" })
        );
        let large = PageItem {
            seq: 1,
            digest: digest(7),
            carried: Carried::Slice { size: 131_073 },
        };
        assert!(decode_page_items(&encode_page_items(&[large]), 0).is_err());
    }

    #[test]
    fn a_sign_in_page_is_no_answer() {
        assert_eq!(PutAnswer::from_response(200, b"held").unwrap(), PutAnswer::Held);
        assert_eq!(PutAnswer::from_response(201, b"new").unwrap(), PutAnswer::New);
        for (status, body) in [
            (200, &b"<html>held</html>"[..]),
            (200, b""),
            (201, b"held"),
            (200, b"held\n"),
            (302, b"held"),
        ] {
            assert!(PutAnswer::from_response(status, body).is_err());
        }
    }

    #[test]
    fn admin_requests_name_one_scope() {
        let hash = CapHash::from_bytes([1; 32]);
        let mailbox = MailboxId::from_bytes([2; 16]);
        let group = GroupId::from_bytes([3; 16]);
        let good = [
            AdminRequest::Mailbox {
                mailbox,
                group: Some(group),
            },
            AdminRequest::Mailbox { mailbox, group: None },
            AdminRequest::register(hash, Right::Read, mailbox),
            AdminRequest::register_group(hash, group),
            AdminRequest::Revoke { hash },
            AdminRequest::Close { mailbox },
        ];
        for request in good {
            assert_eq!(AdminRequest::decode(&request.encode()).unwrap(), request);
        }
        let bad = [
            AdminRequest::Register {
                hash,
                right: Right::Write,
                mailbox: Some(mailbox),
                group: Some(group),
            },
            AdminRequest::Register {
                hash,
                right: Right::Write,
                mailbox: None,
                group: None,
            },
            AdminRequest::Register {
                hash,
                right: Right::Read,
                mailbox: None,
                group: Some(group),
            },
            AdminRequest::register(hash, Right::Admin, mailbox),
        ];
        for request in bad {
            assert!(AdminRequest::decode(&request.encode()).is_err());
        }
        let text = String::from_utf8(good[2].encode()).unwrap();
        assert_eq!(
            text,
            format!(r#"{{"op":"register","hash":"{hash}","right":"read","mailbox":"{mailbox}"}}"#)
        );
        for text in [
            r#"{"op":"revoke"}"#,
            r#"{"op":"open","mailbox":"02"}"#,
            r#"{"op":"close","mailbox":"0202"}"#,
            r#"{"op":"close","mailbox":"02020202020202020202020202020202","x":1}"#,
            "[]",
            "",
        ] {
            assert!(AdminRequest::decode(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn every_problem_reads_back_and_says_what_to_do() {
        for kind in ProblemKind::ALL {
            let problem = Problem::of(kind);
            let read = Problem::decode(kind.status(), &problem.encode()).unwrap();
            assert_eq!(read, problem);
            assert_eq!(read.known(), Some(kind));
            assert_eq!(
                kind.retry() == Retry::Never,
                kind.status() < 500 && ![408, 429].contains(&kind.status())
            );
        }
        assert!(Problem::decode(403, &Problem::of(ProblemKind::Unauthorized).encode()).is_err());
        assert!(
            Problem::decode(
                403,
                br#"{"type":"about:blank","title":"x","status":403,"retry":"never"}"#
            )
            .is_err()
        );
        assert!(Problem::decode(403, b"<html>").is_err());
    }

    proptest! {
        #[test]
        fn readers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode_digests(&bytes);
            let _ = decode_presences(&bytes, 1);
            let _ = decode_page_items(&bytes, 0);
            let _ = AdminRequest::decode(&bytes);
            let _ = Problem::decode(400, &bytes);
            let _ = PutAnswer::from_response(200, &bytes);
        }
    }
}
