//! The desk's side of the hub, on a machine that is online and holds no key: pull what waits in the inbox
//! into a bundle, push what the desk made.
//!
//! `pull` never acknowledges: a bundle that is lost is pulled again. `push` registers first, then puts what
//! goes down, and acknowledges last, so that an envelope leaves the hub only after its receipt has arrived
//! there.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use landfall_wire::bundle::{BundleReader, BundleWriter, CapOp, Item, Kind, Right as BundleRight};
use landfall_wire::hub::{
    AdminOutcome, AdminRequest, Carried, DIGESTS_LIMIT, PAGE_ITEMS_LIMIT, Page, ProblemKind, Retry, Right,
};
use landfall_wire::ids::{Capability, GroupId, MailboxId, StoreEpoch};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::bundle::{beside, create, put_in_place};
use crate::rng::{Rng, below};
use crate::transport::{Failure, HubAdmin, Transport};
use crate::{Error, Result};

/// How a request is repeated through a bad link before the person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries in all.
    pub tries: u32,
    /// First pause, milliseconds; doubles, with full jitter.
    pub first_ms: u64,
    /// Longest pause, milliseconds.
    pub longest_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 12,
            first_ms: 100,
            longest_ms: 5_000,
        }
    }
}

/// Longest wait that the hub may ask for before the person is told instead, seconds.
const WAIT_LONGEST_S: u64 = 60;
/// Largest courier or admin file, bytes.
const FILE_LIMIT: u64 = 64 * 1024;

/// What an online machine needs to carry for the desk. The capabilities are secrets; `Debug` hides them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourierFile {
    /// Base URL of the hub.
    pub url: String,
    /// The desk's inbox.
    pub inbox: MailboxId,
    /// Right to read and acknowledge the inbox.
    pub read_cap: Capability,
    /// Right to put into all downlinks.
    pub downlink_cap: Capability,
}

/// The hub's admin capability, with its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminFile {
    /// Base URL of the hub.
    pub url: String,
    /// The right to register and revoke.
    pub admin_cap: Capability,
}

#[derive(Serialize, Deserialize)]
struct CourierText {
    v: u32,
    url: String,
    inbox: MailboxId,
    #[serde(with = "secret")]
    read_cap: Capability,
    #[serde(with = "secret")]
    downlink_cap: Capability,
}

#[derive(Serialize, Deserialize)]
struct AdminText {
    v: u32,
    url: String,
    #[serde(with = "secret")]
    admin_cap: Capability,
}

/// A capability as hexadecimal text.
mod secret {
    use landfall_wire::ids::Capability;
    use serde::{Deserialize, Deserializer, Serializer, de};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(capability: &Capability, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&capability.expose_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Capability, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        Capability::from_hex(&text).map_err(de::Error::custom)
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let size = std::fs::metadata(path).map_err(Error::io("read the file"))?.len();
    if size > FILE_LIMIT {
        return Err(Error::NotAFile { what: "courier" });
    }
    Ok(Zeroizing::new(
        std::fs::read(path).map_err(Error::io("read the file"))?,
    ))
}

fn write_text(path: &Path, text: &impl Serialize) -> Result<()> {
    let bytes = Zeroizing::new(serde_json::to_vec(text).map_err(|_| Error::NotAFile { what: "JSON" })?);
    let part = beside(path, ".part");
    let mut out = create(&part)?;
    out.write_all(&bytes)
        .and_then(|()| out.write_all(b"\n"))
        .map_err(Error::io("write the file"))?;
    put_in_place(out, &part, path)
}

impl CourierFile {
    /// Reads a courier file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotAFile`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_json(&read_text(path)?)
    }

    /// Reads the JSON of a courier file.
    ///
    /// # Errors
    /// [`Error::NotAFile`].
    pub fn from_json(text: &[u8]) -> Result<Self> {
        let not = |_| Error::NotAFile { what: "courier" };
        let CourierText {
            v,
            url,
            inbox,
            read_cap,
            downlink_cap,
        } = serde_json::from_slice(text).map_err(not)?;
        if v != 1 {
            return Err(Error::NotAFile { what: "courier" });
        }
        Ok(Self {
            url,
            inbox,
            read_cap,
            downlink_cap,
        })
    }

    /// Writes a courier file that only its owner can read.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let Self {
            url,
            inbox,
            read_cap,
            downlink_cap,
        } = self;
        write_text(
            path,
            &CourierText {
                v: 1,
                url: url.clone(),
                inbox: *inbox,
                read_cap: read_cap.clone(),
                downlink_cap: downlink_cap.clone(),
            },
        )
    }

    /// The group of all downlinks of the organisation: the inbox's id once more.
    #[must_use]
    pub const fn group(&self) -> GroupId {
        GroupId::from_bytes(self.inbox.to_bytes())
    }
}

impl AdminFile {
    /// Reads an admin file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotAFile`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let not = |_| Error::NotAFile { what: "admin" };
        let AdminText { v, url, admin_cap } = serde_json::from_slice(&text).map_err(not)?;
        if v != 1 {
            return Err(Error::NotAFile { what: "admin" });
        }
        Ok(Self { url, admin_cap })
    }

    /// Writes an admin file that only its owner can read.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let Self { url, admin_cap } = self;
        write_text(
            path,
            &AdminText {
                v: 1,
                url: url.clone(),
                admin_cap: admin_cap.clone(),
            },
        )
    }
}

impl Patience {
    /// Repeats a request.
    fn ask<T>(
        &self,
        rng: &mut dyn Rng,
        mut request: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut tried = 0;
        loop {
            let failure = match request() {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            tried += 1;
            let asked_s = match failure {
                Failure::Refused {
                    retry: Retry::Never, ..
                } => return Err(failure),
                Failure::Refused { wait_s, .. } => wait_s.unwrap_or(0),
                _ => 0,
            };
            if tried >= self.tries || asked_s > WAIT_LONGEST_S {
                return Err(failure);
            }
            let window_ms = self
                .first_ms
                .saturating_mul(1 << (tried - 1).min(16))
                .min(self.longest_ms);
            let pause_ms = below(rng, window_ms).max(asked_s * 1000);
            std::thread::sleep(Duration::from_millis(pause_ms));
        }
    }
}

/// What a pull brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PullReport {
    /// Envelopes in the bundle.
    pub envelopes: u64,
    /// Slices in the bundle.
    pub slices: u64,
    /// Sealed bytes in it.
    pub bytes: u64,
    /// Pages read in this call.
    pub pages: u64,
    /// Whether an interrupted pull was taken up.
    pub resumed: bool,
    /// Envelopes that the hub ever deleted unread.
    pub expired: u64,
    /// The hub's mark.
    pub store_epoch: StoreEpoch,
}

/// Where an interrupted pull stands; beside the part of the bundle that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    store_epoch: StoreEpoch,
    inbox: MailboxId,
    after: u64,
    len: u64,
    envelopes: u64,
    slices: u64,
    bytes: u64,
}

/// Lets a bundle writer go on in a file that has its header already.
struct Resumed<W> {
    out: W,
    skip: usize,
}

impl<W: Write> Write for Resumed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.skip > 0 {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            return Ok(skipped);
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

struct Pull<'a> {
    transport: &'a dyn Transport,
    courier: &'a CourierFile,
    part: PathBuf,
    mark_path: PathBuf,
    mark: Mark,
    pages: u64,
    patience: Patience,
    /// The part has a header and stays; otherwise it is made anew.
    append: bool,
}

/// Takes everything that is not acknowledged from the inbox into a new bundle, and acknowledges nothing. An
/// interrupted pull leaves `OUT.part` and `OUT.part.mark`; the next one for the same OUT goes on there.
///
/// # Errors
/// [`Error::OutExists`], [`Error::Hub`], [`Error::Io`].
pub fn pull(
    transport: &dyn Transport,
    courier: &CourierFile,
    out: &Path,
    rng: &mut dyn Rng,
) -> Result<PullReport> {
    pull_with(transport, courier, out, Patience::default(), rng)
}

/// [`pull`] with another patience.
///
/// # Errors
/// As [`pull`].
pub fn pull_with(
    transport: &dyn Transport,
    courier: &CourierFile,
    out: &Path,
    patience: Patience,
    rng: &mut dyn Rng,
) -> Result<PullReport> {
    if out.exists() {
        return Err(Error::OutExists);
    }
    let part = beside(out, ".part");
    let mark_path = beside(out, ".part.mark");
    let known: Option<Mark> = std::fs::read(&mark_path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok());
    let known = known.filter(|mark| mark.inbox == courier.inbox && part.exists());
    let after = known.as_ref().map_or(0, |mark| mark.after);
    let ask = |after, rng: &mut dyn Rng| {
        patience.ask(rng, || {
            transport.page(&courier.inbox, &courier.read_cap, after, PAGE_ITEMS_LIMIT)
        })
    };
    let mut page = ask(after, rng)?;
    let resumed = known
        .as_ref()
        .is_some_and(|mark| mark.store_epoch == page.store_epoch && page.next >= after);
    let fresh = |store_epoch| Mark {
        store_epoch,
        inbox: courier.inbox,
        after: 0,
        len: 0,
        envelopes: 0,
        slices: 0,
        bytes: 0,
    };
    let mark = known
        .filter(|_| resumed)
        .unwrap_or_else(|| fresh(page.store_epoch));
    if !resumed && after > 0 {
        page = ask(0, rng)?;
    }
    let mut pull = Pull {
        transport,
        courier,
        part,
        mark_path,
        mark,
        pages: 0,
        patience,
        append: resumed,
    };
    let mut writer = pull.open()?;
    let expired = loop {
        if page.store_epoch != pull.mark.store_epoch || page.next < pull.mark.after {
            // The store was restored while it was being read: begin anew, in the same file.
            pull.mark = fresh(page.store_epoch);
            pull.append = false;
            writer = pull.open()?;
            page = ask(0, rng)?;
            continue;
        }
        let expired = page.expired;
        if page.items.is_empty() {
            break expired;
        }
        pull.take(page, &mut writer, rng)?;
        writer = pull.keep(writer)?;
        page = ask(pull.mark.after, rng)?;
    };
    pull.finish(writer, out, expired, resumed)
}

type Writer = BundleWriter<Resumed<BufWriter<File>>>;

impl Pull<'_> {
    fn open(&self) -> Result<Writer> {
        let header = BundleWriter::new(Vec::new(), Kind::Uplink)?.finish()?.len();
        let (out, skip) = if self.append {
            let mut file = File::options()
                .write(true)
                .open(&self.part)
                .map_err(Error::io("open the part"))?;
            file.set_len(self.mark.len).map_err(Error::io("cut the part"))?;
            file.seek(SeekFrom::End(0)).map_err(Error::io("cut the part"))?;
            (BufWriter::new(file), header)
        } else {
            // A mark of another part must not outlive it.
            let _ = std::fs::remove_file(&self.mark_path);
            (create(&self.part)?, 0)
        };
        Ok(BundleWriter::new(Resumed { out, skip }, Kind::Uplink)?)
    }

    fn take(&mut self, page: Page, writer: &mut Writer, rng: &mut dyn Rng) -> Result<()> {
        self.pages += 1;
        for item in page.items {
            match item.carried {
                Carried::Envelope(bytes) => {
                    self.mark.envelopes += 1;
                    self.mark.bytes += bytes.len() as u64;
                    writer.write(&Item::Envelope(bytes))?;
                }
                Carried::Slice { .. } => {
                    let digest = item.digest;
                    let CourierFile { inbox, read_cap, .. } = self.courier;
                    let slice = self
                        .patience
                        .ask(rng, || self.transport.slice(inbox, read_cap, &digest));
                    match slice {
                        Ok(answer) => {
                            self.mark.slices += 1;
                            self.mark.bytes += answer.value.len() as u64;
                            writer.write(&Item::Slice {
                                digest,
                                bytes: answer.value,
                            })?;
                        }
                        // Acknowledged by another courier since the page was read.
                        Err(Failure::Refused {
                            kind: Some(ProblemKind::NotFound),
                            ..
                        }) => {}
                        Err(failure) => return Err(failure.into()),
                    }
                }
            }
            self.mark.after = item.seq;
        }
        Ok(())
    }

    /// Makes what is written so far survive, for the next pull.
    fn keep(&mut self, writer: Writer) -> Result<Writer> {
        let Resumed { out, .. } = writer.finish()?;
        let file = out
            .into_inner()
            .map_err(|error| Error::io("write the part")(error.into_error()))?;
        file.sync_data().map_err(Error::io("write the part"))?;
        self.mark.len = file.metadata().map_err(Error::io("write the part"))?.len();
        drop(file);
        write_text(&self.mark_path, &self.mark)?;
        self.append = true;
        self.open()
    }

    fn finish(self, writer: Writer, out: &Path, expired: u64, resumed: bool) -> Result<PullReport> {
        let Resumed { out: file, .. } = writer.finish()?;
        put_in_place(file, &self.part, out)?;
        let _ = std::fs::remove_file(&self.mark_path);
        let Mark {
            store_epoch,
            envelopes,
            slices,
            bytes,
            ..
        } = self.mark;
        Ok(PullReport {
            envelopes,
            slices,
            bytes,
            pages: self.pages,
            resumed,
            expired,
            store_epoch,
        })
    }
}

/// What a push did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PushReport {
    /// Capabilities and mailboxes registered now.
    pub registered: u64,
    /// Capabilities revoked now.
    pub revoked: u64,
    /// Registrations and revocations that stood already.
    pub unchanged: u64,
    /// Registrations of capabilities that were revoked before: they stay revoked.
    pub stay_revoked: u64,
    /// Orders for the hub that were left out because there is no admin file.
    pub caps_skipped: u64,
    /// Messages put into downlinks, those that lay there already included.
    pub downlinks: u64,
    /// Downlinks that the hub does not take anything for.
    pub downlinks_refused: Vec<MailboxId>,
    /// Envelopes that the hub deleted.
    pub acked: u64,
}

/// Carries what the desk made to the hub: registrations, messages, acknowledgements, in this order. It may be
/// repeated, whole or after a failure, without harm.
///
/// # Errors
/// [`Error::WrongKind`], [`Error::Wire`] and [`Error::NotOurs`] before anything is sent; [`Error::Hub`] when
/// the hub cannot be reached or refuses an order.
pub fn push(
    hub: &dyn HubAdmin,
    courier: &CourierFile,
    admin: Option<&AdminFile>,
    bundle: &Path,
    rng: &mut dyn Rng,
) -> Result<PushReport> {
    push_with(hub, courier, admin, bundle, Patience::default(), rng)
}

/// [`push`] with another patience.
///
/// # Errors
/// As [`push`].
pub fn push_with(
    hub: &dyn HubAdmin,
    courier: &CourierFile,
    admin: Option<&AdminFile>,
    bundle: &Path,
    patience: Patience,
    rng: &mut dyn Rng,
) -> Result<PushReport> {
    let mut orders = Vec::new();
    let mut acks = Vec::new();
    each_item(bundle, |number, item| {
        match item {
            Item::Cap(op) => orders.push(op),
            Item::Ack { mailbox, digests } if mailbox == courier.inbox => acks.extend(digests),
            Item::Ack { .. } => return Err(Error::NotOurs { item: number }),
            Item::Downlink { .. } => {}
            Item::Envelope(_) | Item::Slice { .. } => return Err(Error::WrongKind),
        }
        Ok(())
    })?;
    let mut report = PushReport::default();
    match admin {
        Some(admin) => administer(hub, courier, admin, orders, &mut report, patience, rng)?,
        None => report.caps_skipped = orders.len() as u64,
    }
    each_item(bundle, |_, item| {
        let Item::Downlink { mailbox, bytes } = item else {
            return Ok(());
        };
        match patience.ask(rng, || hub.put(&mailbox, &courier.downlink_cap, &bytes, false)) {
            Ok(_) => report.downlinks += 1,
            // One device that is gone must not keep the receipts of all others back.
            Err(Failure::Refused {
                retry: Retry::Never, ..
            }) => {
                if !report.downlinks_refused.contains(&mailbox) {
                    report.downlinks_refused.push(mailbox);
                }
            }
            Err(failure) => return Err(failure.into()),
        }
        Ok(())
    })?;
    for digests in acks.chunks(DIGESTS_LIMIT) {
        let answer = patience.ask(rng, || hub.ack(&courier.inbox, &courier.read_cap, digests))?;
        report.acked += u64::from(answer.value);
    }
    Ok(report)
}

fn each_item(bundle: &Path, mut each: impl FnMut(u64, Item) -> Result<()>) -> Result<()> {
    let file = File::open(bundle).map_err(Error::io("open the bundle"))?;
    let mut reader = BundleReader::new(BufReader::new(file))?;
    if reader.kind() != Kind::Downlink {
        return Err(Error::WrongKind);
    }
    let mut number = 0;
    while let Some(item) = reader.next_item()? {
        number += 1;
        each(number, item)?;
    }
    Ok(())
}

fn administer(
    hub: &dyn HubAdmin,
    courier: &CourierFile,
    admin: &AdminFile,
    orders: Vec<CapOp>,
    report: &mut PushReport,
    patience: Patience,
    rng: &mut dyn Rng,
) -> Result<()> {
    let CourierFile {
        inbox,
        read_cap,
        downlink_cap,
        ..
    } = courier;
    // The desk's own mailbox and rights: the courier knows them, so no bundle has to carry them.
    let mut requests = vec![
        AdminRequest::Mailbox {
            mailbox: *inbox,
            group: None,
        },
        AdminRequest::register(read_cap.hash(), Right::Read, *inbox),
        AdminRequest::register_group(downlink_cap.hash(), courier.group()),
    ];
    for order in orders {
        match order {
            CapOp::Register {
                hash,
                right,
                mailbox,
                group,
            } => {
                let group = (mailbox != *inbox).then(|| group.unwrap_or(courier.group()));
                let right = match right {
                    BundleRight::Read => Right::Read,
                    BundleRight::Write => Right::Write,
                };
                requests.push(AdminRequest::Mailbox { mailbox, group });
                requests.push(AdminRequest::register(hash, right, mailbox));
            }
            CapOp::RegisterGroup { hash, group } => requests.push(AdminRequest::register_group(hash, group)),
            CapOp::Revoke { hash } => requests.push(AdminRequest::Revoke { hash }),
        }
    }
    for request in requests {
        let revokes = matches!(request, AdminRequest::Revoke { .. });
        match patience.ask(rng, || hub.administer(&admin.admin_cap, &request)) {
            Ok(AdminOutcome::Changed) if revokes => report.revoked += 1,
            Ok(AdminOutcome::Changed) => report.registered += 1,
            Ok(AdminOutcome::Unchanged) => report.unchanged += 1,
            Err(Failure::Refused {
                kind: Some(ProblemKind::Revoked),
                ..
            }) => report.stay_revoked += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(())
}
