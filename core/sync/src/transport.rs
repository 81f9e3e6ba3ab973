//! The seam between the queue and whatever carries it: requests that may fail in few, well-told ways.
//!
//! A transport never decides what a failure means for a record; it says what happened, and `machine` decides.

use landfall_wire::hub::{AdminOutcome, AdminRequest, Page, Presence, ProblemKind, PutAnswer, Retry};
use landfall_wire::ids::{Capability, Digest, MailboxId, StoreEpoch};

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No connection came about: the request did not reach the hub.
    #[error("the hub cannot be reached")]
    Unreachable,
    /// The connection broke or took too long: nobody knows whether the hub has done it.
    #[error("the connection broke")]
    Broken,
    /// Something answered that is not a hub: a sign-in page, a proxy, a redirect.
    #[error("something else than a hub answered (status {status})")]
    NotAHub {
        /// The HTTP status, 0 if there was none.
        status: u16,
    },
    /// The hub refused, with a problem document.
    #[error("the hub refused (status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem, if this build knows it.
        kind: Option<ProblemKind>,
        /// What the hub advises.
        retry: Retry,
        /// Seconds after which to ask again, if the hub says so.
        wait_s: Option<u64>,
    },
}

impl Failure {
    /// Makes the refusal of a kind of problem.
    #[must_use]
    pub const fn refused(kind: ProblemKind, wait_s: Option<u64>) -> Self {
        Self::Refused {
            status: kind.status(),
            kind: Some(kind),
            retry: kind.retry(),
            wait_s,
        }
    }
}

/// An answer with the mark of the store that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was answered.
    pub value: T,
    /// The store's mark.
    pub store_epoch: StoreEpoch,
}

/// Requests of devices and couriers.
pub trait Transport {
    /// Puts an envelope or a downlink.
    ///
    /// # Errors
    /// [`Failure`].
    fn put(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure>;

    /// Asks which of at most 256 digests are there.
    ///
    /// # Errors
    /// [`Failure`].
    fn have(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<Vec<Presence>>, Failure>;

    /// Reads a page; every digest in it has been recomputed.
    ///
    /// # Errors
    /// [`Failure`].
    fn page(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        after: u64,
        limit: u32,
    ) -> Result<Page, Failure>;

    /// Lets the hub delete at most 256 items; says how many were there.
    ///
    /// # Errors
    /// [`Failure`].
    fn ack(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<u32>, Failure>;

    /// Puts a slice.
    ///
    /// # Errors
    /// [`Failure`].
    fn put_slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
    ) -> Result<Answer<PutAnswer>, Failure>;

    /// Reads a slice; its digest has been recomputed.
    ///
    /// # Errors
    /// [`Failure`].
    fn slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digest: &Digest,
    ) -> Result<Answer<Vec<u8>>, Failure>;
}

/// Requests of whoever holds the admin capability, beside all others.
pub trait HubAdmin: Transport {
    /// Registers, revokes or closes.
    ///
    /// # Errors
    /// [`Failure`].
    fn administer(&self, capability: &Capability, request: &AdminRequest) -> Result<AdminOutcome, Failure>;
}
