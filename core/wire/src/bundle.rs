//! The bundle file `.landfall`: what the network carries, carried by hand. A CBOR sequence (RFC 8742): a
//! header map `{0: 1, 1: kind}`, then int-keyed maps whose key 0 says what each is.
//!
//! Whoever carries it cannot read it: envelopes and slices are sealed, downlinks are signed or sealed. It is
//! read and written item by item, so that a card with ten thousand envelopes needs no memory for them.

use std::io::{Read, Write};

use crate::cbor::{self, Limits, MapReader, MapWriter, Unknown, Value};
use crate::ids::{CapHash, Digest, GroupId, MailboxId};
use crate::pad::MAX_ENVELOPE;
use crate::{Error, Result};

/// Version of the format.
pub const VERSION: u64 = 1;
/// Length of a slice of an age file, in bytes.
pub const SLICE: usize = 128 << 10;
/// Largest downlink, in bytes.
pub const MAX_DOWNLINK: usize = 256 << 10;
/// Most digests in one ack.
pub const MAX_ACKS: usize = 4096;
/// Largest encoded item, in bytes.
const MAX_ITEM: usize = MAX_DOWNLINK + 1024;

/// Which way a bundle goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From devices to the desk.
    Uplink,
    /// From the desk to devices and the hub.
    Downlink,
}

/// What a capability allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Put and have.
    Write,
    /// Get and ack.
    Read,
}

/// A change of capabilities that the desk orders from the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapOp {
    /// Register a capability for a mailbox, which is made if it is new; a downlink mailbox names its group.
    Register {
        /// Hash of the capability.
        hash: CapHash,
        /// What it allows.
        right: Right,
        /// The mailbox.
        mailbox: MailboxId,
        /// The group to which the mailbox belongs.
        group: Option<GroupId>,
    },
    /// Register a write capability for all mailboxes of a group.
    RegisterGroup {
        /// Hash of the capability.
        hash: CapHash,
        /// The group.
        group: GroupId,
    },
    /// Revoke a capability.
    Revoke {
        /// Hash of the capability.
        hash: CapHash,
    },
}

/// One item of a bundle.
#[derive(Clone, PartialEq, Eq)]
pub enum Item {
    /// A sealed envelope (type 1).
    Envelope(Vec<u8>),
    /// A slice of an age file (type 2).
    Slice {
        /// Digest of the slice.
        digest: Digest,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A message for a device (type 3): a signed control frame or a sealed age file, see [`DownlinkKind::of`].
    Downlink {
        /// The device's downlink mailbox.
        mailbox: MailboxId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Envelopes that the hub may delete (type 4).
    Ack {
        /// Mailbox in which they lie.
        mailbox: MailboxId,
        /// Their digests.
        digests: Vec<Digest>,
    },
    /// A change of capabilities (type 5).
    Cap(CapOp),
}

impl core::fmt::Debug for Item {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Envelope(bytes) => write!(f, "Envelope({} bytes)", bytes.len()),
            Self::Slice { digest, .. } => write!(f, "Slice({digest:?})"),
            Self::Downlink { mailbox, bytes } => write!(f, "Downlink({mailbox:?}, {} bytes)", bytes.len()),
            Self::Ack { mailbox, digests } => write!(f, "Ack({mailbox:?}, {})", digests.len()),
            Self::Cap(op) => write!(f, "Cap({op:?})"),
        }
    }
}

/// What a downlink is, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownlinkKind {
    /// A control message, which a locked device applies.
    Control,
    /// A sealed age file, which waits until the vault is open.
    Sealed,
    /// Neither.
    Unknown,
}

impl DownlinkKind {
    /// Looks at the first bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(&[0xd2]) {
            Self::Control
        } else if bytes.starts_with(b"age-encryption.org/") {
            Self::Sealed
        } else {
            Self::Unknown
        }
    }
}

impl Item {
    fn to_value(&self) -> Value {
        let map = match self {
            Self::Envelope(bytes) => MapWriter::version(1).put(1, Value::bytes(bytes)),
            Self::Slice { digest, bytes } => MapWriter::version(2)
                .put(1, Value::bytes(digest))
                .put(2, Value::bytes(bytes)),
            Self::Downlink { mailbox, bytes } => MapWriter::version(3)
                .put(1, Value::bytes(mailbox))
                .put(2, Value::bytes(bytes)),
            Self::Ack { mailbox, digests } => MapWriter::version(4)
                .put(1, Value::bytes(mailbox))
                .put(2, Value::array(digests.iter().map(Value::bytes))),
            Self::Cap(op) => {
                let map = MapWriter::version(5);
                match op {
                    CapOp::Register {
                        hash,
                        right,
                        mailbox,
                        group,
                    } => map
                        .put(1, Value::int(0u8))
                        .put(2, Value::bytes(hash))
                        .put(3, Value::int(u8::from(*right == Right::Read)))
                        .put(4, Value::bytes(mailbox))
                        .put_opt(5, group.map(Value::bytes)),
                    CapOp::RegisterGroup { hash, group } => map
                        .put(1, Value::int(1u8))
                        .put(2, Value::bytes(hash))
                        .put(5, Value::bytes(group)),
                    CapOp::Revoke { hash } => map.put(1, Value::int(2u8)).put(2, Value::bytes(hash)),
                }
            }
        };
        map.finish(&Unknown::default())
    }

    fn from_value(value: Value) -> Result<Self> {
        let mut map = MapReader::new(value)?;
        match map.u64(0)? {
            1 => Ok(Self::Envelope(limited(map.bytes(1)?, MAX_ENVELOPE)?)),
            2 => {
                let digest = Digest::from_bytes(map.fixed(1)?);
                let bytes = limited(map.bytes(2)?, SLICE)?;
                if Digest::of(&bytes) != digest {
                    return Err(Error::DigestMismatch { what: "slice" });
                }
                Ok(Self::Slice { digest, bytes })
            }
            3 => Ok(Self::Downlink {
                mailbox: MailboxId::from_bytes(map.fixed(1)?),
                bytes: limited(map.bytes(2)?, MAX_DOWNLINK)?,
            }),
            4 => Ok(Self::Ack {
                mailbox: MailboxId::from_bytes(map.fixed(1)?),
                digests: map
                    .array(2, MAX_ACKS)?
                    .iter()
                    .map(|v| {
                        v.as_array_of()
                            .map(Digest::from_bytes)
                            .ok_or(Error::WrongType { key: 2 })
                    })
                    .collect::<Result<_>>()?,
            }),
            5 => {
                let op = map.u64(1)?;
                let hash = CapHash::from_bytes(map.fixed(2)?);
                match op {
                    0 => Ok(Self::Cap(CapOp::Register {
                        hash,
                        right: match map.u64(3)? {
                            0 => Right::Write,
                            1 => Right::Read,
                            _ => return Err(Error::OutOfRange { key: 3 }),
                        },
                        mailbox: MailboxId::from_bytes(map.fixed(4)?),
                        group: map.fixed_opt(5)?.map(GroupId::from_bytes),
                    })),
                    1 => Ok(Self::Cap(CapOp::RegisterGroup {
                        hash,
                        group: GroupId::from_bytes(map.fixed(5)?),
                    })),
                    2 => Ok(Self::Cap(CapOp::Revoke { hash })),
                    _ => Err(Error::OutOfRange { key: 1 }),
                }
            }
            _ => Err(Error::OutOfRange { key: 0 }),
        }
    }
}

fn limited(bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>> {
    if bytes.len() <= limit {
        Ok(bytes)
    } else {
        Err(Error::TooLarge { limit })
    }
}

/// Writes a bundle item by item.
#[derive(Debug)]
pub struct BundleWriter<W> {
    out: W,
    items: u64,
}

impl<W: Write> BundleWriter<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(mut out: W, kind: Kind) -> Result<Self> {
        let kind = u8::from(kind == Kind::Downlink);
        out.write_all(&cbor::encode(&Value::map([
            (0, Value::int(VERSION)),
            (1, Value::int(kind)),
        ])))?;
        Ok(Self { out, items: 0 })
    }

    /// Writes one item.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::TooLarge`] and [`Error::DigestMismatch`] for what a reader would refuse.
    pub fn write(&mut self, item: &Item) -> Result<()> {
        let value = item.to_value();
        let bytes = cbor::encode(&value);
        Item::from_value(value)?;
        self.out.write_all(&bytes)?;
        self.items += 1;
        Ok(())
    }

    /// Returns how many items were written.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Flushes and gives the output back; the caller syncs it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads a bundle item by item. Every error says which item, and at which byte it began.
#[derive(Debug)]
pub struct BundleReader<R> {
    input: R,
    kind: Kind,
    buffer: Vec<u8>,
    at_end: bool,
    item: u64,
    offset: u64,
    failed: bool,
    max_items: u64,
}

/// Most items in one bundle unless the caller sets another limit.
pub const MAX_ITEMS: u64 = 1_000_000;

const ITEM_LIMITS: Limits = Limits {
    bytes: MAX_ITEM,
    depth: 4,
    items: MAX_ACKS + 64,
};

impl<R: Read> BundleReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::At`] item 0 with the cause.
    pub fn new(input: R) -> Result<Self> {
        let mut reader = Self {
            input,
            kind: Kind::Uplink,
            buffer: Vec::new(),
            at_end: false,
            item: 0,
            offset: 0,
            failed: false,
            max_items: MAX_ITEMS,
        };
        let header = reader.take_value().map_err(|cause| reader.located(cause))?;
        reader.kind = header
            .ok_or(Error::Truncated)
            .and_then(|(value, used)| {
                let kind = read_header(value)?;
                reader.advance(used);
                Ok(kind)
            })
            .map_err(|cause| reader.located(cause))?;
        Ok(reader)
    }

    /// Sets another limit of items.
    #[must_use]
    pub fn with_max_items(mut self, max_items: u64) -> Self {
        self.max_items = max_items;
        self
    }

    /// Returns which way the bundle goes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Reads the next item; `None` at the end. After an error there is no next item.
    ///
    /// # Errors
    /// [`Error::At`] with the cause.
    pub fn next_item(&mut self) -> Result<Option<Item>> {
        if self.failed {
            return Ok(None);
        }
        let next = self.read_item();
        if next.is_err() {
            self.failed = true;
        }
        next
    }

    fn read_item(&mut self) -> Result<Option<Item>> {
        let Some((value, used)) = self.take_value().map_err(|cause| self.located(cause))? else {
            return Ok(None);
        };
        if self.item > self.max_items {
            let limit = usize::try_from(self.max_items).unwrap_or(usize::MAX);
            return Err(self.located(Error::TooMany { limit }));
        }
        let item = Item::from_value(value).map_err(|cause| self.located(cause))?;
        self.advance(used);
        Ok(Some(item))
    }

    fn advance(&mut self, used: usize) {
        self.buffer.drain(..used);
        self.item += 1;
        self.offset += used as u64;
    }

    fn located(&self, cause: Error) -> Error {
        Error::At {
            item: self.item,
            offset: self.offset,
            cause: Box::new(cause),
        }
    }

    /// Decodes the item at the front of the buffer, reading on while it is not complete.
    fn take_value(&mut self) -> Result<Option<(Value, usize)>> {
        let mut want = 8 << 10;
        loop {
            if !self.buffer.is_empty() {
                let seen = self
                    .buffer
                    .get(..self.buffer.len().min(MAX_ITEM))
                    .unwrap_or_default();
                match cbor::decode_first(seen, &ITEM_LIMITS) {
                    Err(Error::Truncated) if self.buffer.len() >= MAX_ITEM => {
                        return Err(Error::TooLarge { limit: MAX_ITEM });
                    }
                    Err(Error::Truncated) if !self.at_end => {}
                    other => return other.map(Some),
                }
            } else if self.at_end {
                return Ok(None);
            }
            let before = self.buffer.len();
            Read::by_ref(&mut self.input)
                .take(want)
                .read_to_end(&mut self.buffer)?;
            self.at_end = ((self.buffer.len() - before) as u64) < want;
            want = want.saturating_mul(2);
        }
    }
}

impl<R: Read> Iterator for BundleReader<R> {
    type Item = Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}

fn read_header(value: Value) -> Result<Kind> {
    let mut map = MapReader::new(value)?;
    map.version(VERSION)?;
    match map.u64(1)? {
        0 => Ok(Kind::Uplink),
        1 => Ok(Kind::Downlink),
        _ => Err(Error::OutOfRange { key: 1 }),
    }
}
