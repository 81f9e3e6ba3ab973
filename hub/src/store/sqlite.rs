//! The SQLite engine: one writer thread that commits in groups, and a few readers.
//!
//! Whoever writes waits until the transaction that holds the change is on disk (WAL, synchronous=FULL): an
//! answer 201 is a promise. Many waiting writers share one commit; each runs in a savepoint of its own, so
//! that one refusal takes nothing with it. As there is one writer, sequence numbers become visible in the
//! order in which they were given.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use landfall_wire::hub::{
    AdminOutcome, AdminRequest, Carried, PAGE_BYTES_LIMIT, PAGE_ITEMS_LIMIT, PageItem, Presence, PutAnswer,
    Right, Scope,
};
use landfall_wire::ids::{CapHash, Capability, Digest, MailboxId, StoreEpoch};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::{Grant, ItemKind, PageRead, Put, Stats, Store, Swept};
use crate::limits::Limits;
use crate::{Error, Result, random};

/// Numbered migrations, forward only; the file's `user_version` is how many it has.
const MIGRATIONS: &[&str] = &[include_str!("migrations/001_mailboxes.sql")];
/// Marks a file as a hub store: "LFhb".
const APPLICATION_ID: i32 = 0x4c46_6862;
/// Changes that wait for the writer before a further one is told that the hub is busy.
const QUEUE: usize = 1_024;
/// Changes that share one commit. More would only let the first of them wait longer.
const GROUP: usize = 128;
/// Rows that a sweep deletes in one transaction, so that nobody waits long behind it.
const SWEEP_STEP: u32 = 512;

type Settle = Box<dyn FnOnce(Result<()>) + Send>;
/// One waiting change: runs in a savepoint, says whether to keep it, and is told how the commit went.
type Change = Box<dyn FnOnce(&Connection) -> (bool, Settle) + Send>;

/// A hub store in one SQLite file. Cheap to clone; the last one dropped ends the writer and its log.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

impl core::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("epoch", &self.inner.epoch)
            .finish_non_exhaustive()
    }
}

struct Inner {
    path: PathBuf,
    epoch: StoreEpoch,
    changes: Option<mpsc::Sender<Change>>,
    writer: Option<JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Readers first: the last one to close writes the log back, and a reader may not.
        self.readers
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        drop(self.changes.take());
        if let Some(writer) = self.writer.take() {
            // The writer settles what waits; a panic in it has been told to whoever waited.
            let _ = writer.join();
        }
    }
}

fn schema_of(connection: &Connection) -> Result<u32> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn known_schema() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Checks that the file is a store, and not one of a newer hub.
fn check(connection: &Connection) -> Result<()> {
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id != APPLICATION_ID {
        return Err(Error::NotAStore);
    }
    let found = schema_of(connection)?;
    if found > known_schema() {
        return Err(Error::NewerSchema {
            found,
            known: known_schema(),
        });
    }
    Ok(())
}

fn set_up(connection: &Connection) -> Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn set_up_writer(connection: &Connection) -> Result<()> {
    set_up(connection)?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<()> {
    for (number, sql) in (1u32..).zip(MIGRATIONS) {
        if schema_of(connection)? >= number {
            continue;
        }
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    Ok(())
}

fn open_existing(path: &Path) -> Result<Connection> {
    if !path.is_file() {
        return Err(Error::NoStore);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    check(&connection)?;
    Ok(connection)
}

fn epoch_of(connection: &Connection) -> Result<StoreEpoch> {
    let epoch = connection.query_row("SELECT store_epoch FROM hub WHERE one = 1", [], |row| row.get(0))?;
    Ok(StoreEpoch::from_bytes(epoch))
}

/// Makes the file, readable by its owner only, and fails if there is one.
fn make_file(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(Error::io("make the store's folder"))?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Exists),
        Err(error) => Err(Error::io("make the store")(error)),
    }
}

impl SqliteStore {
    /// Makes a store with a new mark, and the one admin capability, whose hash alone it keeps.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a file, [`Error::Io`], [`Error::NoRandom`], what the engine says.
    pub fn create(path: &Path, day: u32) -> Result<(StoreEpoch, Capability)> {
        let epoch = StoreEpoch::from_bytes(random::make()?);
        let admin = Capability::from_bytes(random::make()?);
        make_file(path)?;
        let mut connection = Connection::open(path)?;
        set_up_writer(&connection)?;
        migrate(&mut connection)?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute(
            "INSERT INTO hub (one, store_epoch, made_day) VALUES (1, ?1, ?2)",
            params![epoch.as_bytes(), day],
        )?;
        tx.execute(
            "INSERT INTO capability (hash, allows) VALUES (?1, 'admin')",
            params![admin.hash().as_bytes()],
        )?;
        // Last, and in the same transaction: a store is marked as one only when it is complete.
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.commit()?;
        Ok((epoch, admin))
    }

    /// Opens a store.
    ///
    /// # Errors
    /// [`Error::NoStore`], [`Error::NotAStore`], [`Error::NewerSchema`], what the engine says.
    pub fn open(path: &Path) -> Result<Self> {
        let mut connection = open_existing(path)?;
        set_up_writer(&connection)?;
        migrate(&mut connection)?;
        let epoch = epoch_of(&connection)?;
        let (changes, waiting) = mpsc::channel(QUEUE);
        let writer = std::thread::Builder::new()
            .name("hub-writer".into())
            .spawn(move || write(&mut connection, waiting))
            .map_err(Error::io("start the writer"))?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                epoch,
                changes: Some(changes),
                writer: Some(writer),
                readers: Mutex::new(Vec::new()),
            }),
        })
    }

    /// Copies a store, also while it is served, into a new file.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a file at `to`, and as [`SqliteStore::open`].
    pub fn backup(path: &Path, to: &Path) -> Result<()> {
        let connection = open_existing(path)?;
        set_up(&connection)?;
        make_file(to)?;
        let name = to.to_str().ok_or(Error::BadStoreUrl)?;
        connection.execute("VACUUM INTO ?1", params![name])?;
        Ok(())
    }

    /// Makes a store out of a backup, with a new mark: phones and desk see by it that time went back.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a file at `path`, [`Error::Damaged`] if the backup fails its check, and
    /// as [`SqliteStore::open`].
    pub fn restore(from: &Path, path: &Path) -> Result<StoreEpoch> {
        {
            let connection = open_existing(from)?;
            let word: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if word != "ok" {
                return Err(Error::Damaged);
            }
        }
        let epoch = StoreEpoch::from_bytes(random::make()?);
        Self::backup(from, path)?;
        let mut connection = open_existing(path)?;
        set_up_writer(&connection)?;
        migrate(&mut connection)?;
        connection.execute(
            "UPDATE hub SET store_epoch = ?1 WHERE one = 1",
            params![epoch.as_bytes()],
        )?;
        Ok(epoch)
    }

    /// Hands a change to the writer and waits until it is on disk.
    async fn change<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        let change: Change = Box::new(move |connection| {
            let outcome = run(connection);
            let keep = outcome.is_ok();
            let settle: Settle = Box::new(move |committed| {
                // Nobody may be listening any more: a connection that was cut. The change stands.
                let _ = tell.send(committed.and(outcome));
            });
            (keep, settle)
        });
        let changes = self.inner.changes.as_ref().ok_or(Error::Busy)?;
        changes.try_send(change).map_err(|_| Error::Busy)?;
        told.await.unwrap_or(Err(Error::Engine { code: 0 }))
    }

    /// Runs a question on one of the readers, off the async threads.
    async fn read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || {
            let kept = inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => {
                    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                    let connection = Connection::open_with_flags(&inner.path, flags)?;
                    set_up(&connection)?;
                    connection
                }
            };
            let outcome = run(&connection);
            let mut readers = inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < 8 {
                readers.push(connection);
            }
            outcome
        });
        task.await.unwrap_or(Err(Error::Engine { code: 0 }))
    }
}

/// The writer: takes what waits, runs each change in its savepoint, commits once, tells everybody.
fn write(connection: &mut Connection, mut waiting: mpsc::Receiver<Change>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            match waiting.try_recv() {
                Ok(next) => group.push(next),
                Err(_) => break,
            }
        }
        let mut settles = Vec::with_capacity(group.len());
        let committed = write_group(connection, group, &mut settles);
        for settle in settles {
            settle(committed.clone());
        }
    }
    // Leaves one file behind; a crash instead is healed at the next opening.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

fn write_group(connection: &mut Connection, group: Vec<Change>, settles: &mut Vec<Settle>) -> Result<()> {
    let mut tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in group {
        let savepoint = tx.savepoint()?;
        let (keep, settle) = change(&savepoint);
        settles.push(settle);
        // Dropped, a savepoint rolls back.
        if keep {
            savepoint.commit()?;
        }
    }
    tx.commit()?;
    Ok(())
}

fn mailbox_row(connection: &Connection, mailbox: &MailboxId) -> Result<i64> {
    connection
        .prepare_cached("SELECT mbx FROM mailbox WHERE id = ?1")?
        .query_row(params![mailbox.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or(Error::NoMailbox)
}

fn exists(connection: &Connection, sql: &str, of: impl rusqlite::Params) -> Result<bool> {
    Ok(connection.prepare_cached(sql)?.exists(of)?)
}

fn presence(connection: &Connection, mbx: i64, digest: &Digest) -> Result<Presence> {
    let key = params![mbx, digest.as_bytes()];
    if exists(
        connection,
        "SELECT 1 FROM item WHERE mbx = ?1 AND digest = ?2",
        key,
    )? {
        return Ok(Presence::Held);
    }
    let key = params![mbx, digest.as_bytes()];
    if exists(
        connection,
        "SELECT 1 FROM tombstone WHERE mbx = ?1 AND digest = ?2",
        key,
    )? {
        return Ok(Presence::Acked);
    }
    Ok(Presence::Absent)
}

fn stored(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A count out of SQLite, which has no unsigned integers.
fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A limit as SQLite's integer.
fn ceiling(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn put(connection: &Connection, put: &Put, limits: &Limits) -> Result<PutAnswer> {
    let mbx = mailbox_row(connection, &put.mailbox)?;
    match presence(connection, mbx, &put.digest)? {
        Presence::Held => return Ok(PutAnswer::Held),
        Presence::Acked if !put.again => return Ok(PutAnswer::Acked),
        Presence::Acked => {
            connection
                .prepare_cached("DELETE FROM tombstone WHERE mbx = ?1 AND digest = ?2")?
                .execute(params![mbx, put.digest.as_bytes()])?;
        }
        Presence::Absent => {}
    }
    let size = stored(put.bytes.len());
    let (items, bytes): (i64, i64) = connection
        .prepare_cached(
            "INSERT INTO spent (hash, day, items, bytes) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (hash, day) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes
             RETURNING items, bytes",
        )?
        .query_row(params![put.capability.as_bytes(), put.day, size], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if items > i64::from(limits.day_items) || bytes > ceiling(limits.day_bytes) {
        return Err(Error::DayQuota);
    }
    let (seq, held, closed): (i64, i64, bool) = connection
        .prepare_cached(
            "UPDATE mailbox SET next_seq = next_seq + 1, bytes = bytes + ?2 WHERE mbx = ?1
             RETURNING next_seq - 1, bytes, closed",
        )?
        .query_row(params![mbx, size], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if closed {
        return Err(Error::Closed);
    }
    let all: i64 = connection
        .prepare_cached("UPDATE hub SET bytes = bytes + ?1 WHERE one = 1 RETURNING bytes")?
        .query_row(params![size], |row| row.get(0))?;
    if held > ceiling(limits.mailbox_bytes) || all > ceiling(limits.hub_bytes) {
        return Err(Error::Full);
    }
    connection
        .prepare_cached(
            "INSERT INTO item (mbx, seq, digest, slice, day, size, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            mbx,
            seq,
            put.digest.as_bytes(),
            put.kind == ItemKind::Slice,
            put.day,
            size,
            put.bytes
        ])?;
    Ok(PutAnswer::New)
}

/// Deletes one item, keeps the sums true, and says whether it was there.
fn take_away(connection: &Connection, mbx: i64, digest: &Digest) -> Result<bool> {
    let size: Option<i64> = connection
        .prepare_cached("DELETE FROM item WHERE mbx = ?1 AND digest = ?2 RETURNING size")?
        .query_row(params![mbx, digest.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(size) = size else { return Ok(false) };
    connection
        .prepare_cached("UPDATE mailbox SET bytes = bytes - ?2 WHERE mbx = ?1")?
        .execute(params![mbx, size])?;
    connection
        .prepare_cached("UPDATE hub SET bytes = bytes - ?1 WHERE one = 1")?
        .execute(params![size])?;
    Ok(true)
}

/// Right, mailbox, group.
type CapabilityRow = (String, Option<[u8; 16]>, Option<[u8; 16]>);

fn revoke(connection: &Connection, hash: &CapHash) -> Result<AdminOutcome> {
    connection
        .prepare_cached("DELETE FROM capability WHERE hash = ?1 AND allows <> 'admin'")?
        .execute(params![hash.as_bytes()])?;
    if exists(
        connection,
        "SELECT 1 FROM capability WHERE hash = ?1",
        params![hash.as_bytes()],
    )? {
        // The admin capability cannot saw off its own branch.
        return Err(Error::Conflict);
    }
    let added = connection
        .prepare_cached("INSERT INTO revoked (hash) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute(params![hash.as_bytes()])?;
    Ok(if added == 0 {
        AdminOutcome::Unchanged
    } else {
        AdminOutcome::Changed
    })
}

fn register(connection: &Connection, hash: &CapHash, right: Right, scope: Scope) -> Result<AdminOutcome> {
    if exists(
        connection,
        "SELECT 1 FROM revoked WHERE hash = ?1",
        params![hash.as_bytes()],
    )? {
        return Err(Error::Revoked);
    }
    let (mailbox, group) = match scope {
        Scope::Mailbox(mailbox) => {
            mailbox_row(connection, &mailbox)?;
            (Some(mailbox.to_bytes()), None)
        }
        Scope::Group(group) => (None, Some(group.to_bytes())),
    };
    let there: Option<CapabilityRow> = connection
        .prepare_cached("SELECT allows, mailbox, grp FROM capability WHERE hash = ?1")?
        .query_row(params![hash.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    match there {
        Some((allows, m, g)) if allows == right.as_str() && m == mailbox && g == group => {
            Ok(AdminOutcome::Unchanged)
        }
        Some(_) => Err(Error::Conflict),
        None => {
            connection
                .prepare_cached(
                    "INSERT INTO capability (hash, allows, mailbox, grp) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![hash.as_bytes(), right.as_str(), mailbox, group])?;
            Ok(AdminOutcome::Changed)
        }
    }
}

fn administer(connection: &Connection, request: &AdminRequest) -> Result<AdminOutcome> {
    match request {
        AdminRequest::Mailbox { mailbox, group } => {
            let group = group.map(landfall_wire::ids::GroupId::to_bytes);
            let there: Option<Option<[u8; 16]>> = connection
                .prepare_cached("SELECT grp FROM mailbox WHERE id = ?1")?
                .query_row(params![mailbox.as_bytes()], |row| row.get(0))
                .optional()?;
            match there {
                Some(there) if there == group => Ok(AdminOutcome::Unchanged),
                Some(_) => Err(Error::Conflict),
                None => {
                    connection
                        .prepare_cached("INSERT INTO mailbox (id, grp) VALUES (?1, ?2)")?
                        .execute(params![mailbox.as_bytes(), group])?;
                    Ok(AdminOutcome::Changed)
                }
            }
        }
        AdminRequest::Register {
            hash,
            right: Right::Write,
            mailbox: None,
            group: Some(group),
        } => register(connection, hash, Right::Write, Scope::Group(*group)),
        AdminRequest::Register {
            hash,
            right: right @ (Right::Read | Right::Write),
            mailbox: Some(mailbox),
            group: None,
        } => register(connection, hash, *right, Scope::Mailbox(*mailbox)),
        AdminRequest::Register { .. } => Err(Error::Conflict),
        AdminRequest::Revoke { hash } => revoke(connection, hash),
        AdminRequest::Close { mailbox } => {
            let mbx = mailbox_row(connection, mailbox)?;
            let changed = connection
                .prepare_cached("UPDATE mailbox SET closed = 1 WHERE mbx = ?1 AND closed = 0")?
                .execute(params![mbx])?;
            Ok(if changed == 0 {
                AdminOutcome::Unchanged
            } else {
                AdminOutcome::Changed
            })
        }
    }
}

fn grant(connection: &Connection, hash: &CapHash, mailbox: Option<&MailboxId>) -> Result<Option<Grant>> {
    let row: Option<CapabilityRow> = connection
        .prepare_cached("SELECT allows, mailbox, grp FROM capability WHERE hash = ?1")?
        .query_row(params![hash.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((allows, own, group)) = row else {
        return Ok(None);
    };
    let right = Right::from_word(&allows).map_err(|_| Error::Damaged)?;
    let here = match (mailbox, own, group) {
        (Some(asked), Some(own), None) => asked.as_bytes() == &own,
        (Some(asked), None, Some(group)) => exists(
            connection,
            "SELECT 1 FROM mailbox WHERE id = ?1 AND grp = ?2",
            params![asked.as_bytes(), group],
        )?,
        _ => false,
    };
    Ok(Some(Grant { right, here }))
}

fn page(connection: &Connection, mailbox: &MailboxId, after: u64, limit: u32) -> Result<PageRead> {
    // One snapshot for the cursor and the items.
    let tx = connection.unchecked_transaction()?;
    let (mbx, next_seq, expired): (i64, i64, i64) = tx
        .prepare_cached("SELECT mbx, next_seq, expired FROM mailbox WHERE id = ?1")?
        .query_row(params![mailbox.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?
        .ok_or(Error::NoMailbox)?;
    let newest = count(next_seq.saturating_sub(1));
    let mut items = Vec::new();
    let mut weight = 0usize;
    let mut statement = tx.prepare_cached(
        "SELECT seq, digest, size, CASE WHEN slice = 0 THEN bytes END FROM item
         WHERE mbx = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![
        mbx,
        i64::try_from(after).unwrap_or(i64::MAX),
        limit.clamp(1, PAGE_ITEMS_LIMIT)
    ])?;
    while let Some(row) = rows.next()? {
        let bytes: Option<Vec<u8>> = row.get(3)?;
        let carried = match bytes {
            Some(bytes) => Carried::Envelope(bytes),
            None => Carried::Slice { size: row.get(2)? },
        };
        if let Carried::Envelope(bytes) = &carried {
            weight = weight.saturating_add(bytes.len());
            if weight > PAGE_BYTES_LIMIT && !items.is_empty() {
                break;
            }
        }
        let seq = count(row.get(0)?);
        items.push(PageItem {
            seq,
            digest: Digest::from_bytes(row.get(1)?),
            carried,
        });
    }
    let next = items.last().map_or(after.min(newest), |item: &PageItem| item.seq);
    Ok(PageRead {
        next,
        expired: count(expired),
        items,
    })
}

impl Store for SqliteStore {
    fn epoch(&self) -> StoreEpoch {
        self.inner.epoch
    }

    async fn grant(&self, hash: CapHash, mailbox: Option<MailboxId>) -> Result<Option<Grant>> {
        self.read(move |connection| grant(connection, &hash, mailbox.as_ref()))
            .await
    }

    async fn administer(&self, request: AdminRequest) -> Result<AdminOutcome> {
        self.change(move |connection| administer(connection, &request))
            .await
    }

    async fn put(&self, what: Put, limits: Limits) -> Result<PutAnswer> {
        self.change(move |connection| put(connection, &what, &limits))
            .await
    }

    async fn have(&self, mailbox: MailboxId, digests: Vec<Digest>) -> Result<Vec<Presence>> {
        self.read(move |connection| {
            let tx = connection.unchecked_transaction()?;
            let mbx = mailbox_row(&tx, &mailbox)?;
            digests.iter().map(|digest| presence(&tx, mbx, digest)).collect()
        })
        .await
    }

    async fn page(&self, mailbox: MailboxId, after: u64, limit: u32) -> Result<PageRead> {
        self.read(move |connection| page(connection, &mailbox, after, limit))
            .await
    }

    async fn slice(&self, mailbox: MailboxId, digest: Digest) -> Result<Option<Vec<u8>>> {
        self.read(move |connection| {
            let mbx = mailbox_row(connection, &mailbox)?;
            Ok(connection
                .prepare_cached("SELECT bytes FROM item WHERE mbx = ?1 AND digest = ?2 AND slice = 1")?
                .query_row(params![mbx, digest.as_bytes()], |row| row.get(0))
                .optional()?)
        })
        .await
    }

    async fn ack(&self, mailbox: MailboxId, digests: Vec<Digest>, day: u32) -> Result<u32> {
        self.change(move |connection| {
            let mbx = mailbox_row(connection, &mailbox)?;
            let mut deleted = 0u32;
            for digest in &digests {
                if take_away(connection, mbx, digest)? {
                    deleted = deleted.saturating_add(1);
                    connection
                        .prepare_cached(
                            "INSERT INTO tombstone (mbx, digest, day) VALUES (?1, ?2, ?3)
                             ON CONFLICT (mbx, digest) DO UPDATE SET day = excluded.day",
                        )?
                        .execute(params![mbx, digest.as_bytes(), day])?;
                }
            }
            Ok(deleted)
        })
        .await
    }

    async fn sweep(&self, day: u32, ttl_days: u32) -> Result<Swept> {
        let Some(last) = day.checked_sub(ttl_days) else {
            return Ok(Swept::default());
        };
        let mut swept = Swept::default();
        loop {
            let step = self
                .change(move |connection| sweep_step(connection, last))
                .await?;
            swept.expired += step.expired;
            swept.tombstones += step.tombstones;
            if step == Swept::default() {
                break;
            }
        }
        self.change(move |connection| {
            connection.execute("DELETE FROM spent WHERE day < ?1", params![day.saturating_sub(1)])?;
            Ok(())
        })
        .await?;
        Ok(swept)
    }

    async fn stats(&self) -> Result<Stats> {
        let store_epoch = self.inner.epoch;
        self.read(move |connection| {
            let tx = connection.unchecked_transaction()?;
            let count = |sql: &str| -> Result<u64> { Ok(count(tx.query_row(sql, [], |row| row.get(0))?)) };
            Ok(Stats {
                store_epoch,
                mailboxes: count("SELECT count(*) FROM mailbox")?,
                capabilities: count("SELECT count(*) FROM capability")?,
                revoked: count("SELECT count(*) FROM revoked")?,
                items: count("SELECT count(*) FROM item")?,
                bytes: count("SELECT bytes FROM hub WHERE one = 1")?,
                tombstones: count("SELECT count(*) FROM tombstone")?,
                expired: count("SELECT coalesce(sum(expired), 0) FROM mailbox")?,
            })
        })
        .await
    }
}

/// Deletes some of what is older than the last day that is kept; nothing when nothing is left.
fn sweep_step(connection: &Connection, last: u32) -> Result<Swept> {
    let old: Vec<(i64, [u8; 32])> = connection
        .prepare_cached("SELECT mbx, digest FROM item WHERE day <= ?1 LIMIT ?2")?
        .query_map(params![last, SWEEP_STEP], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut expired = 0;
    for (mbx, digest) in old {
        if take_away(connection, mbx, &Digest::from_bytes(digest))? {
            expired += 1;
            connection
                .prepare_cached("UPDATE mailbox SET expired = expired + 1 WHERE mbx = ?1")?
                .execute(params![mbx])?;
        }
    }
    let tombstones = connection
        .prepare_cached(
            "DELETE FROM tombstone WHERE (mbx, digest) IN
             (SELECT mbx, digest FROM tombstone WHERE day <= ?1 LIMIT ?2)",
        )?
        .execute(params![last, SWEEP_STEP])?;
    Ok(Swept {
        expired,
        tombstones: tombstones as u64,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::store::suite;

    async fn fresh() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        SqliteStore::create(&path, 20_000).unwrap();
        (SqliteStore::open(&path).unwrap(), folder)
    }

    suite::conformance!(fresh);

    #[test]
    fn a_store_is_made_once_and_only_ours_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/hub.db");
        assert_eq!(SqliteStore::open(&path).unwrap_err(), Error::NoStore);
        let (epoch, admin) = SqliteStore::create(&path, 20_000).unwrap();
        assert_eq!(SqliteStore::create(&path, 20_000).unwrap_err(), Error::Exists);
        let file = std::fs::read(&path).unwrap();
        assert!(
            !file.windows(32).any(|window| window == admin.expose()),
            "the capability is not stored"
        );
        assert!(file.windows(32).any(|window| window == admin.hash().as_bytes()));

        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "user_version", known_schema() + 1)
            .unwrap();
        drop(connection);
        let newer = Error::NewerSchema {
            found: known_schema() + 1,
            known: known_schema(),
        };
        assert_eq!(SqliteStore::open(&path).unwrap_err(), newer);
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "user_version", known_schema())
            .unwrap();
        connection.pragma_update(None, "application_id", 7).unwrap();
        drop(connection);
        assert_eq!(SqliteStore::open(&path).unwrap_err(), Error::NotAStore);
        let other = folder.path().join("other.db");
        std::fs::write(&other, b"this is not a database, it is a letter to nobody at all").unwrap();
        assert_eq!(SqliteStore::open(&other).unwrap_err(), Error::NotAStore);
        assert_ne!(epoch.as_bytes(), &[0; 16]);
    }

    #[test]
    fn a_restored_store_has_another_mark_and_the_same_content() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy, back) = (
            folder.path().join("a.db"),
            folder.path().join("copy.db"),
            folder.path().join("b.db"),
        );
        let (epoch, admin) = SqliteStore::create(&path, 20_000).unwrap();
        SqliteStore::backup(&path, &copy).unwrap();
        assert_eq!(SqliteStore::backup(&path, &copy).unwrap_err(), Error::Exists);
        let new = SqliteStore::restore(&copy, &back).unwrap();
        assert_ne!(epoch, new);
        let connection = Connection::open(&back).unwrap();
        assert_eq!(epoch_of(&connection).unwrap(), new);
        assert!(grant(&connection, &admin.hash(), None).unwrap().is_some());
        assert_eq!(SqliteStore::restore(&copy, &back).unwrap_err(), Error::Exists);
    }
}
