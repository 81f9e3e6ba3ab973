//! The hub's storage: one trait, one engine today. What is stored is sealed; an engine compares digests and
//! counts bytes and must never look into them, and it keeps no time finer than a day and no address.

use std::future::Future;
use std::path::PathBuf;

use landfall_wire::hub::{AdminOutcome, AdminRequest, PageItem, Presence, PutAnswer, Right};
use landfall_wire::ids::{CapHash, Digest, MailboxId, StoreEpoch};

use crate::limits::Limits;
use crate::{Error, Result};

mod sqlite;
#[cfg(test)]
mod suite;

pub use sqlite::SqliteStore;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl core::str::FromStr for StoreUrl {
    type Err = Error;

    /// Reads `sqlite:PATH`.
    ///
    /// # Errors
    /// [`Error::UnknownScheme`] names any other engine, [`Error::BadStoreUrl`].
    fn from_str(text: &str) -> Result<Self> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(Error::BadStoreUrl);
        };
        match scheme {
            "sqlite" if rest.is_empty() => Err(Error::BadStoreUrl),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            _ => {
                let scheme = scheme
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(16)
                    .collect();
                Err(Error::UnknownScheme { scheme })
            }
        }
    }
}

/// What a capability may do in the mailbox that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Its right.
    pub right: Right,
    /// Whether the mailbox is within its scope.
    pub here: bool,
}

/// What is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// Carried whole in pages.
    Envelope,
    /// Named in pages, fetched by digest.
    Slice,
}

/// One put, its digest already recomputed.
#[derive(Debug)]
pub struct Put {
    /// Into which mailbox.
    pub mailbox: MailboxId,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub kind: ItemKind,
    /// Store it once more if its reader has taken it away.
    pub again: bool,
    /// By whose right, for the quota.
    pub capability: CapHash,
    /// Today.
    pub day: u32,
}

/// What a reader gets in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRead {
    /// Cursor to ask with next.
    pub next: u64,
    /// Items of this mailbox deleted unread, ever.
    pub expired: u64,
    /// The items.
    pub items: Vec<PageItem>,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    /// Items deleted unread.
    pub expired: u64,
    /// Tombstones deleted.
    pub tombstones: u64,
}

/// Counters; nothing here names a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// The store's mark.
    pub store_epoch: StoreEpoch,
    /// Mailboxes registered.
    pub mailboxes: u64,
    /// Capabilities that are valid.
    pub capabilities: u64,
    /// Capabilities revoked.
    pub revoked: u64,
    /// Items stored.
    pub items: u64,
    /// Bytes stored.
    pub bytes: u64,
    /// Tombstones kept.
    pub tombstones: u64,
    /// Items deleted unread, ever.
    pub expired: u64,
}

/// An engine. Every function either has its whole effect, durably, before it answers, or none.
///
/// Two promises carry the protocol: a page never misses an item that is put later into a place the reader has
/// already passed (`seq` becomes visible in rising order), and a digest is at most once in a mailbox.
pub trait Store: Clone + Send + Sync + 'static {
    /// Returns the store's mark.
    fn epoch(&self) -> StoreEpoch;

    /// Looks a capability up by its hash; `None` if it is not registered or was revoked.
    fn grant(
        &self,
        hash: CapHash,
        mailbox: Option<MailboxId>,
    ) -> impl Future<Output = Result<Option<Grant>>> + Send;

    /// Registers, revokes or closes. Errors: no mailbox, conflict, revoked.
    fn administer(&self, request: AdminRequest) -> impl Future<Output = Result<AdminOutcome>> + Send;

    /// Stores. Errors: no mailbox, closed, quota of the day, full.
    fn put(&self, put: Put, limits: Limits) -> impl Future<Output = Result<PutAnswer>> + Send;

    /// Says for each digest whether it is there.
    fn have(
        &self,
        mailbox: MailboxId,
        digests: Vec<Digest>,
    ) -> impl Future<Output = Result<Vec<Presence>>> + Send;

    /// Reads what lies after the cursor.
    fn page(
        &self,
        mailbox: MailboxId,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<PageRead>> + Send;

    /// Reads one slice.
    fn slice(
        &self,
        mailbox: MailboxId,
        digest: Digest,
    ) -> impl Future<Output = Result<Option<Vec<u8>>>> + Send;

    /// Deletes what is stored of these, leaves tombstones, and says how many there were.
    fn ack(
        &self,
        mailbox: MailboxId,
        digests: Vec<Digest>,
        day: u32,
    ) -> impl Future<Output = Result<u32>> + Send;

    /// Deletes what has passed its time to live.
    fn sweep(&self, day: u32, ttl_days: u32) -> impl Future<Output = Result<Swept>> + Send;

    /// Counts.
    fn stats(&self) -> impl Future<Output = Result<Stats>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_not_there_is_refused_by_name() {
        assert_eq!("sqlite:a/b.db".parse(), Ok(StoreUrl::Sqlite("a/b.db".into())));
        assert_eq!(
            "postgres://u:p@h/db".parse::<StoreUrl>(),
            Err(Error::UnknownScheme {
                scheme: "postgres".into()
            })
        );
        assert_eq!("sqlite:".parse::<StoreUrl>(), Err(Error::BadStoreUrl));
        assert_eq!("hub.db".parse::<StoreUrl>(), Err(Error::BadStoreUrl));
    }
}
