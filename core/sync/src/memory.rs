//! A hub in memory: the same answers as the real one, without network, disk and quotas. For tests and
//! simulated worlds; `tests/` runs one suite over this and over the real hub, so that they cannot drift apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use landfall_wire::hub::{
    AdminOutcome, AdminRequest, Carried, DIGESTS_LIMIT, ENVELOPE_LIMIT, PAGE_BYTES_LIMIT, PAGE_ITEMS_LIMIT,
    Page, PageItem, Presence, ProblemKind, PutAnswer, Right, SLICE_LIMIT,
};
use landfall_wire::ids::{CapHash, Capability, Digest, GroupId, MailboxId, StoreEpoch};

use crate::transport::{Answer, Failure, HubAdmin, Transport};

#[derive(Debug, Clone, Default)]
struct Mailbox {
    group: Option<GroupId>,
    closed: bool,
    last_seq: u64,
    items: BTreeMap<u64, (Digest, Vec<u8>, bool)>,
    tombstones: BTreeSet<Digest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    One(MailboxId),
    Group(GroupId),
}

/// Everything that a hub stores.
#[derive(Debug, Clone)]
pub struct Content {
    epoch: StoreEpoch,
    boxes: BTreeMap<MailboxId, Mailbox>,
    capabilities: BTreeMap<CapHash, (Right, Scope)>,
    revoked: BTreeSet<CapHash>,
}

/// The hub.
#[derive(Debug)]
pub struct MemoryHub {
    content: Mutex<Content>,
    admin: CapHash,
}

impl MemoryHub {
    /// Makes an empty hub.
    #[must_use]
    pub fn new(epoch: StoreEpoch, admin: CapHash) -> Self {
        let content = Content {
            epoch,
            boxes: BTreeMap::new(),
            capabilities: BTreeMap::new(),
            revoked: BTreeSet::new(),
        };
        Self {
            content: Mutex::new(content),
            admin,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies what is stored.
    #[must_use]
    pub fn snapshot(&self) -> Content {
        self.lock().clone()
    }

    /// Goes back to a copy: as a restore does, with a new mark, or as a snapshot of a machine does, with none.
    pub fn restore(&self, content: Content, epoch: Option<StoreEpoch>) {
        let mut now = self.lock();
        *now = content;
        if let Some(epoch) = epoch {
            now.epoch = epoch;
        }
    }

    /// Lists what lies in a mailbox.
    #[must_use]
    pub fn digests(&self, mailbox: &MailboxId) -> Vec<Digest> {
        let content = self.lock();
        let items = content.boxes.get(mailbox).map(|there| there.items.values());
        items.into_iter().flatten().map(|(digest, ..)| *digest).collect()
    }
}

impl Content {
    fn open(
        &mut self,
        mailbox: &MailboxId,
        capability: &Capability,
        right: Right,
    ) -> Result<(&mut Mailbox, StoreEpoch), Failure> {
        let refuse = |kind| Failure::refused(kind, None);
        let hash = capability.hash();
        let (allowed, scope) = *self
            .capabilities
            .get(&hash)
            .ok_or(refuse(ProblemKind::Unauthorized))?;
        let there = self
            .boxes
            .get_mut(mailbox)
            .ok_or(refuse(ProblemKind::Forbidden))?;
        let here = match scope {
            Scope::One(own) => own == *mailbox,
            Scope::Group(group) => there.group == Some(group),
        };
        if allowed == right && here {
            Ok((there, self.epoch))
        } else {
            Err(refuse(ProblemKind::Forbidden))
        }
    }
}

impl Mailbox {
    fn presence(&self, digest: &Digest) -> Presence {
        if self.items.values().any(|(there, ..)| there == digest) {
            Presence::Held
        } else if self.tombstones.contains(digest) {
            Presence::Acked
        } else {
            Presence::Absent
        }
    }

    fn put(&mut self, bytes: &[u8], slice: bool, again: bool) -> Result<PutAnswer, Failure> {
        let limit = if slice { SLICE_LIMIT } else { ENVELOPE_LIMIT };
        if bytes.len() > limit {
            return Err(Failure::refused(ProblemKind::TooLarge, None));
        }
        if bytes.is_empty() {
            return Err(Failure::refused(ProblemKind::BadRequest, None));
        }
        let digest = Digest::of(bytes);
        match self.presence(&digest) {
            Presence::Held => return Ok(PutAnswer::Held),
            Presence::Acked if !again => return Ok(PutAnswer::Acked),
            Presence::Acked | Presence::Absent => {}
        }
        if self.closed {
            return Err(Failure::refused(ProblemKind::Closed, None));
        }
        self.tombstones.remove(&digest);
        self.last_seq += 1;
        self.items.insert(self.last_seq, (digest, bytes.to_vec(), slice));
        Ok(PutAnswer::New)
    }
}

fn at_most(digests: &[Digest]) -> Result<(), Failure> {
    if digests.len() > DIGESTS_LIMIT {
        Err(Failure::refused(ProblemKind::TooLarge, None))
    } else {
        Ok(())
    }
}

impl Transport for MemoryHub {
    fn put(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure> {
        let mut content = self.lock();
        let (there, store_epoch) = content.open(mailbox, capability, Right::Write)?;
        Ok(Answer {
            value: there.put(bytes, false, again)?,
            store_epoch,
        })
    }

    fn have(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<Vec<Presence>>, Failure> {
        let mut content = self.lock();
        let (there, store_epoch) = content.open(mailbox, capability, Right::Write)?;
        at_most(digests)?;
        Ok(Answer {
            value: digests.iter().map(|digest| there.presence(digest)).collect(),
            store_epoch,
        })
    }

    fn page(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        after: u64,
        limit: u32,
    ) -> Result<Page, Failure> {
        let mut content = self.lock();
        let (there, store_epoch) = content.open(mailbox, capability, Right::Read)?;
        let limit = limit.clamp(1, PAGE_ITEMS_LIMIT) as usize;
        let mut weight = 0usize;
        let mut items: Vec<PageItem> = Vec::new();
        for (seq, (digest, bytes, slice)) in there.items.range(after.saturating_add(1)..).take(limit) {
            let carried = if *slice {
                Carried::Slice {
                    size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                }
            } else {
                weight += bytes.len();
                if weight > PAGE_BYTES_LIMIT && !items.is_empty() {
                    break;
                }
                Carried::Envelope(bytes.clone())
            };
            items.push(PageItem {
                seq: *seq,
                digest: *digest,
                carried,
            });
        }
        let next = items.last().map_or(after.min(there.last_seq), |item| item.seq);
        Ok(Page {
            store_epoch,
            next,
            expired: 0,
            items,
        })
    }

    fn ack(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<u32>, Failure> {
        let mut content = self.lock();
        let (there, store_epoch) = content.open(mailbox, capability, Right::Read)?;
        at_most(digests)?;
        let mut deleted = 0;
        for digest in digests {
            if there.presence(digest) == Presence::Held {
                there.items.retain(|_, (item, ..)| item != digest);
                there.tombstones.insert(*digest);
                deleted += 1;
            }
        }
        Ok(Answer {
            value: deleted,
            store_epoch,
        })
    }

    fn put_slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
    ) -> Result<Answer<PutAnswer>, Failure> {
        let mut content = self.lock();
        let (there, store_epoch) = content.open(mailbox, capability, Right::Write)?;
        Ok(Answer {
            value: there.put(bytes, true, false)?,
            store_epoch,
        })
    }

    fn slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digest: &Digest,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        let mut content = self.lock();
        let (there, store_epoch) = content.open(mailbox, capability, Right::Read)?;
        let found = there
            .items
            .values()
            .find(|(item, _, slice)| item == digest && *slice);
        let (_, bytes, _) = found.ok_or(Failure::refused(ProblemKind::NotFound, None))?;
        Ok(Answer {
            value: bytes.clone(),
            store_epoch,
        })
    }
}

impl HubAdmin for MemoryHub {
    fn administer(&self, capability: &Capability, request: &AdminRequest) -> Result<AdminOutcome, Failure> {
        let refuse = |kind| Failure::refused(kind, None);
        let mut content = self.lock();
        if capability.hash() != self.admin {
            let known = content.capabilities.contains_key(&capability.hash());
            return Err(refuse(if known {
                ProblemKind::Forbidden
            } else {
                ProblemKind::Unauthorized
            }));
        }
        let outcome = |changed| {
            if changed {
                AdminOutcome::Changed
            } else {
                AdminOutcome::Unchanged
            }
        };
        match *request {
            AdminRequest::Mailbox { mailbox, group } => match content.boxes.get(&mailbox) {
                Some(there) if there.group == group => Ok(outcome(false)),
                Some(_) => Err(refuse(ProblemKind::Conflict)),
                None => {
                    content.boxes.insert(
                        mailbox,
                        Mailbox {
                            group,
                            ..Mailbox::default()
                        },
                    );
                    Ok(outcome(true))
                }
            },
            AdminRequest::Register {
                hash,
                right,
                mailbox,
                group,
            } => {
                if content.revoked.contains(&hash) {
                    return Err(refuse(ProblemKind::Revoked));
                }
                let scope = match (mailbox, group) {
                    (Some(mailbox), None) if content.boxes.contains_key(&mailbox) => Scope::One(mailbox),
                    (Some(_), None) => return Err(refuse(ProblemKind::NotFound)),
                    (None, Some(group)) => Scope::Group(group),
                    _ => return Err(refuse(ProblemKind::BadRequest)),
                };
                match content.capabilities.get(&hash) {
                    Some(there) if *there == (right, scope) => Ok(outcome(false)),
                    Some(_) => Err(refuse(ProblemKind::Conflict)),
                    None => {
                        content.capabilities.insert(hash, (right, scope));
                        Ok(outcome(true))
                    }
                }
            }
            AdminRequest::Revoke { hash } => {
                content.capabilities.remove(&hash);
                Ok(outcome(content.revoked.insert(hash)))
            }
            AdminRequest::Close { mailbox } => {
                let there = content
                    .boxes
                    .get_mut(&mailbox)
                    .ok_or(refuse(ProblemKind::NotFound))?;
                Ok(outcome(!std::mem::replace(&mut there.closed, true)))
            }
        }
    }
}
