//! The outbox: sealed envelopes and what a locked device must know to send them, in one plain SQLite file.
//!
//! Plain on purpose: it holds nothing that could be read, and it must open while the vault is locked and after
//! the hardware key has died. It never deletes sealed bytes but on the desk's signed word (or when another
//! envelope with the same entries takes their place), and no time in it is finer than a day, but for the rows
//! `run` and `tries`. All SQL of this crate is here.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use landfall_wire::cbor::{self, Limits, Value};
use landfall_wire::clock::{Clock, ClockReading, Trusted};
use landfall_wire::control;
use landfall_wire::ids::{Aud, Capability, DeskEpoch, DeviceId, Digest, MailboxId, PublicKey, StoreEpoch};
use landfall_wire::manifest::{Endpoint, EndpointKind};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Row as SqlRow, Transaction, TransactionBehavior, params,
};
use zeroize::Zeroizing;

use crate::lease;
use crate::machine::{Backoff, Change, Item, Progress, RefusalReason, Stage, State};
use crate::{Error, Result};

/// Numbered migrations, forward only; the file's `user_version` is how many it has.
const MIGRATIONS: &[&str] = &[include_str!("migrations/001_outbox.sql")];
/// Marks a file as an outbox: "LFob".
const APPLICATION_ID: i32 = 0x4c46_6f62;
/// How long one may send before another takes it for dead, milliseconds: longer than any one request.
const LEASE_MS: u64 = 180_000;

/// What whoever seals says about an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Day on which it was saved (days since 1970-01-01 UTC).
    pub day: u32,
    /// Entries in it.
    pub entries: u32,
    /// Sequence numbers of its entries, first and last.
    pub seqs: Option<(u64, u64)>,
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is new, and durable.
    New,
    /// It was here already, at whatever stage; nothing changed.
    Known,
}

/// One envelope in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// SHA-256 of the sealed file.
    pub digest: Digest,
    /// How far it is.
    pub stage: Stage,
    /// Day on which it was saved.
    pub day: u32,
    /// Bytes.
    pub size: u32,
    /// Entries in it.
    pub entries: u32,
    /// Sequence numbers of its entries, first and last.
    pub seqs: Option<(u64, u64)>,
}

/// Entries by stage; those of replaced envelopes are counted with what replaced them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Saved here.
    pub saved: u32,
    /// Handed to the mailbox.
    pub handed: u32,
    /// Received by the desk, not yet backed up.
    pub ingested: u32,
    /// Held in quarantine by the desk.
    pub held: u32,
    /// To be sealed again.
    pub unopenable: u32,
    /// Refused by the hub.
    pub refused: u32,
    /// Backed up by the desk, sealed bytes gone from here.
    pub purged: u32,
}

/// What a locked device needs to send and to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Ways to the hub, in the order of preference.
    pub endpoints: Vec<Endpoint>,
    /// DER of the only TLS roots to trust; none means the public web's.
    pub tls_roots: Vec<Vec<u8>>,
    /// The desk's inbox.
    pub inbox: MailboxId,
    /// The own downlink.
    pub downlink: MailboxId,
    /// Right to put into the inbox.
    pub write_cap: Capability,
    /// Right to read the own downlink.
    pub read_cap: Capability,
    /// Keys with which the desk signs.
    pub desk_keys: Vec<PublicKey>,
    /// The organisation.
    pub aud: Aud,
    /// This device.
    pub device: DeviceId,
    /// Serial of the manifest from which it comes.
    pub manifest_serial: u64,
    /// The desk's mark as the manifest names it.
    pub desk_epoch: DeskEpoch,
}

/// Failed passcodes; field interprets them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// How many in a row.
    pub failed: u32,
    /// Start of the device in which the last one was.
    pub boot: u64,
    /// Elapsed time at the last one, milliseconds.
    pub since_elapsed_ms: u64,
}

/// The outbox of one device. Several handles on one file, in one process or in several, are fine.
pub struct Outbox {
    connection: Mutex<Connection>,
}

impl core::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Outbox(..)")
    }
}

/// SQLite has signed integers only: the bits are kept.
fn bits(value: u64) -> i64 {
    i64::from_ne_bytes(value.to_ne_bytes())
}

fn unbits(value: i64) -> u64 {
    u64::from_ne_bytes(value.to_ne_bytes())
}

/// A number of which the order matters.
fn ordered(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

const fn stage_code(stage: Stage) -> (u8, u16) {
    match stage {
        Stage::Saved => (0, 0),
        Stage::Handed => (1, 0),
        Stage::Ingested => (2, 0),
        Stage::Held { reason } => (3, reason as u16),
        Stage::Unopenable { reason } => (4, reason as u16),
        Stage::Refused(reason) => (5, reason.status()),
        Stage::Purged => (6, 0),
        Stage::Replaced => (7, 0),
    }
}

fn stage_from(code: u8, reason: u16) -> Result<Stage> {
    let small = u8::try_from(reason).unwrap_or(u8::MAX);
    Ok(match code {
        0 => Stage::Saved,
        1 => Stage::Handed,
        2 => Stage::Ingested,
        3 => Stage::Held { reason: small },
        4 => Stage::Unopenable { reason: small },
        5 => Stage::Refused(RefusalReason::from_status(reason)),
        6 => Stage::Purged,
        7 => Stage::Replaced,
        _ => return Err(Error::Damaged),
    })
}

fn read_row(row: &SqlRow<'_>) -> rusqlite::Result<(Row, u8, u16)> {
    let first: Option<i64> = row.get(6)?;
    let last: Option<i64> = row.get(7)?;
    let found = Row {
        digest: Digest::from_bytes(row.get(0)?),
        stage: Stage::Saved,
        day: row.get(3)?,
        size: row.get(4)?,
        entries: row.get(5)?,
        seqs: first.zip(last).map(|(first, last)| (count(first), count(last))),
    };
    Ok((found, row.get(1)?, row.get(2)?))
}

const ROW: &str = "SELECT digest, stage, reason, day, size, entries, first_seq, last_seq FROM item";

fn finish_row((mut row, stage, reason): (Row, u8, u16)) -> Result<Row> {
    row.stage = stage_from(stage, reason)?;
    Ok(row)
}

fn endpoints_to_bytes(endpoints: &[Endpoint]) -> Vec<u8> {
    cbor::encode(&Value::array(endpoints.iter().map(|endpoint| {
        let kind = match endpoint.kind {
            EndpointKind::Direct => 0u8,
            EndpointKind::Relay => 1,
            EndpointKind::Onion => 2,
        };
        Value::array([Value::int(kind), Value::text(endpoint.url.clone())])
    })))
}

fn endpoints_from_bytes(bytes: &[u8]) -> Result<Vec<Endpoint>> {
    let value = cbor::decode(bytes, &Limits::MESSAGE)?;
    let one = |value: &Value| -> Option<Endpoint> {
        let [kind, url] = value.as_array()? else {
            return None;
        };
        let kind = match kind.as_u64()? {
            0 => EndpointKind::Direct,
            1 => EndpointKind::Relay,
            2 => EndpointKind::Onion,
            _ => return None,
        };
        Some(Endpoint {
            kind,
            url: url.as_text()?.to_owned(),
        })
    };
    value
        .as_array()
        .and_then(|items| items.iter().map(one).collect())
        .ok_or(Error::Damaged)
}

fn roots_from_bytes(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let value = cbor::decode(bytes, &Limits::MESSAGE)?;
    let one = |value: &Value| value.as_bytes().map(<[u8]>::to_vec);
    value
        .as_array()
        .and_then(|items| items.iter().map(one).collect())
        .ok_or(Error::Damaged)
}

fn roots_to_bytes(roots: &[Vec<u8>]) -> Vec<u8> {
    cbor::encode(&Value::array(roots.iter().map(Value::bytes)))
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    // Within the transaction: two processes may open a new outbox at once.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id: i32 = tx.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let found: u32 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != APPLICATION_ID && (id, found, tables) != (0, 0, 0) {
        return Err(Error::NotAnOutbox);
    }
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for (number, sql) in (1u32..).zip(MIGRATIONS) {
        if number > found {
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", number)?;
        }
    }
    if id != APPLICATION_ID {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    tx.commit()?;
    Ok(())
}

impl Outbox {
    /// Opens the outbox, and makes it if there is none.
    ///
    /// # Errors
    /// [`Error::NewerSchema`], [`Error::NotAnOutbox`], [`Error::Damaged`]; nothing is deleted or moved.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        migrate(&mut connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, run: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = run(&tx)?;
        tx.commit()?;
        Ok(outcome)
    }

    /// Stores a sealed envelope. When it returns, the envelope is on disk. One that was here before, also one
    /// that was purged, changes nothing.
    ///
    /// # Errors
    /// [`Error::WrongDigest`], [`Error::Full`], what the store says; nothing is stored then.
    pub fn put(&self, digest: &Digest, bytes: &[u8], meta: &Meta) -> Result<Added> {
        self.write(|tx| insert(tx, digest, bytes, meta))
    }

    /// Stores a new envelope that holds the entries of an old one, and drops the old one's bytes: it cannot be
    /// opened any more, or was sealed to a key of the past. Receipts for the old one change nothing from now on.
    ///
    /// # Errors
    /// As [`Outbox::put`].
    pub fn replace(&self, old: &Digest, new: &Digest, bytes: &[u8], meta: &Meta) -> Result<Added> {
        self.write(|tx| {
            let added = insert(tx, new, bytes, meta)?;
            if old != new {
                tx.prepare_cached(
                    "UPDATE item SET stage = 7, reason = 0, bytes = NULL WHERE digest = ?1 AND stage <> 6",
                )?
                .execute(params![old.as_bytes()])?;
            }
            Ok(added)
        })
    }

    /// Tells whether the digest was ever put.
    ///
    /// # Errors
    /// What the store says.
    pub fn known(&self, digest: &Digest) -> Result<bool> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT 1 FROM item WHERE digest = ?1")?;
        Ok(statement.exists(params![digest.as_bytes()])?)
    }

    /// Returns the sealed bytes, if they are still here.
    ///
    /// # Errors
    /// What the store says.
    pub fn bytes(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT bytes FROM item WHERE digest = ?1")?;
        let found: Option<Option<Vec<u8>>> = statement
            .query_row(params![digest.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(found.flatten())
    }

    /// Lists all envelopes by day.
    ///
    /// # Errors
    /// What the store says.
    pub fn records(&self) -> Result<Vec<Row>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!("{ROW} ORDER BY day, rowid"))?;
        let rows = statement.query_map([], read_row)?;
        rows.map(|row| finish_row(row?)).collect()
    }

    /// Returns one envelope.
    ///
    /// # Errors
    /// What the store says.
    pub fn record(&self, digest: &Digest) -> Result<Option<Row>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!("{ROW} WHERE digest = ?1"))?;
        statement
            .query_row(params![digest.as_bytes()], read_row)
            .optional()?
            .map(finish_row)
            .transpose()
    }

    /// Counts entries by stage.
    ///
    /// # Errors
    /// What the store says.
    pub fn counts(&self) -> Result<Counts> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT stage, sum(entries) FROM item GROUP BY stage")?;
        let mut counts = Counts::default();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let stage: u8 = row.get(0)?;
            let entries = u32::try_from(count(row.get(1)?)).unwrap_or(u32::MAX);
            match stage {
                0 => counts.saved = entries,
                1 => counts.handed = entries,
                2 => counts.ingested = entries,
                3 => counts.held = entries,
                4 => counts.unopenable = entries,
                5 => counts.refused = entries,
                6 => counts.purged = entries,
                _ => {}
            }
        }
        Ok(counts)
    }

    /// Queues what the hub refused, because a person asks for it; says how many envelopes.
    ///
    /// # Errors
    /// What the store says.
    pub fn retry_refused(&self) -> Result<u32> {
        self.write(|tx| {
            let changed = tx.execute(
                "UPDATE item SET stage = 0, reason = 0, failures = 0 WHERE stage = 5",
                [],
            )?;
            Ok(u32::try_from(changed).unwrap_or(u32::MAX))
        })
    }

    /// Lists the envelopes that the desk could not open: their entries have to be sealed again, see
    /// [`Outbox::replace`].
    ///
    /// # Errors
    /// What the store says.
    pub fn unopenable(&self) -> Result<Vec<Digest>> {
        let rows = self.records()?;
        Ok(rows
            .iter()
            .filter(|row| matches!(row.stage, Stage::Unopenable { .. }))
            .map(|row| row.digest)
            .collect())
    }

    /// Returns the contact; `None` before enrolment is confirmed.
    ///
    /// # Errors
    /// [`Error::Damaged`], what the store says.
    pub fn contact(&self) -> Result<Option<Contact>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT endpoints, tls_roots, inbox, downlink, write_cap, read_cap, desk_keys, aud, device,
                    manifest_serial, desk_epoch
             FROM contact JOIN progress USING (one)",
        )?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let secret = |column| -> Result<Capability> {
            let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(row.get(column)?);
            Ok(Capability::from_bytes(*bytes))
        };
        let keys: Vec<u8> = row.get(6)?;
        let (keys, rest) = keys.as_chunks::<32>();
        let epoch: Option<[u8; 16]> = row.get(10)?;
        if !rest.is_empty() {
            return Err(Error::Damaged);
        }
        Ok(Some(Contact {
            endpoints: endpoints_from_bytes(&row.get::<_, Vec<u8>>(0)?)?,
            tls_roots: roots_from_bytes(&row.get::<_, Vec<u8>>(1)?)?,
            inbox: MailboxId::from_bytes(row.get(2)?),
            downlink: MailboxId::from_bytes(row.get(3)?),
            write_cap: secret(4)?,
            read_cap: secret(5)?,
            desk_keys: keys.iter().map(|key| PublicKey::from_bytes(*key)).collect(),
            aud: Aud::from_bytes(row.get(7)?),
            device: DeviceId::from_bytes(row.get(8)?),
            manifest_serial: count(row.get(9)?),
            desk_epoch: DeskEpoch::from_bytes(epoch.ok_or(Error::Damaged)?),
        }))
    }

    /// Sets the contact. The desk's mark is taken from it only if none is known yet: afterwards control
    /// messages alone move it.
    ///
    /// # Errors
    /// What the store says.
    pub fn set_contact(&self, contact: &Contact) -> Result<()> {
        let keys: Vec<u8> = contact.desk_keys.iter().flat_map(|key| key.to_bytes()).collect();
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO contact (one, endpoints, tls_roots, inbox, downlink, write_cap,
                     read_cap, desk_keys, aud, device, manifest_serial)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    endpoints_to_bytes(&contact.endpoints),
                    roots_to_bytes(&contact.tls_roots),
                    contact.inbox.as_bytes(),
                    contact.downlink.as_bytes(),
                    contact.write_cap.expose(),
                    contact.read_cap.expose(),
                    keys,
                    contact.aud.as_bytes(),
                    contact.device.as_bytes(),
                    ordered(contact.manifest_serial),
                ],
            )?;
            tx.execute(
                "UPDATE progress SET desk_epoch = coalesce(desk_epoch, ?1) WHERE one = 1",
                params![contact.desk_epoch.as_bytes()],
            )?;
            Ok(())
        })
    }

    /// Returns the count of failed passcodes.
    ///
    /// # Errors
    /// What the store says.
    pub fn tries(&self) -> Result<Tries> {
        let connection = self.lock();
        let sql = "SELECT failed, boot, since_elapsed_ms FROM tries WHERE one = 1";
        Ok(connection.prepare_cached(sql)?.query_row([], |row| {
            Ok(Tries {
                failed: row.get(0)?,
                boot: unbits(row.get(1)?),
                since_elapsed_ms: unbits(row.get(2)?),
            })
        })?)
    }

    /// Sets the count of failed passcodes.
    ///
    /// # Errors
    /// What the store says.
    pub fn set_tries(&self, tries: &Tries) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE tries SET failed = ?1, boot = ?2, since_elapsed_ms = ?3 WHERE one = 1",
                params![tries.failed, bits(tries.boot), bits(tries.since_elapsed_ms)],
            )?;
            Ok(())
        })
    }

    /// Lists the sealed messages that wait for the unlock, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn waiting_downlinks(&self) -> Result<Vec<(i64, Vec<u8>)>> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT id, bytes FROM downlink WHERE bytes IS NOT NULL ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| Ok(row?)).collect()
    }

    /// Drops the bytes of a sealed message that was opened and applied.
    ///
    /// # Errors
    /// What the store says.
    pub fn downlink_done(&self, id: i64) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE downlink SET bytes = NULL WHERE id = ?1", params![id])?;
            Ok(())
        })
    }

    /// Lists sequence numbers that the desk asks for and that no envelope here covers: they are answered with
    /// a new envelope, or with a signed `gone`.
    ///
    /// # Errors
    /// What the store says.
    pub fn resends(&self) -> Result<Vec<(u64, u64)>> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT first_seq, last_seq FROM resend ORDER BY first_seq, last_seq")?;
        let rows = statement.query_map([], |row| Ok((count(row.get(0)?), count(row.get(1)?))))?;
        rows.map(|row| Ok(row?)).collect()
    }

    /// Forgets a range that was answered.
    ///
    /// # Errors
    /// What the store says.
    pub fn resend_done(&self, range: (u64, u64)) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM resend WHERE first_seq = ?1 AND last_seq = ?2",
                params![ordered(range.0), ordered(range.1)],
            )?;
            Ok(())
        })
    }

    /// Tells whether the desk has ordered a wipe that is not carried out yet.
    ///
    /// # Errors
    /// What the store says.
    pub fn wipe_pending(&self) -> Result<bool> {
        let connection = self.lock();
        Ok(connection.query_row("SELECT wipe FROM progress WHERE one = 1", [], |row| row.get(0))?)
    }

    /// Notes that the wipe was carried out. Nothing of this outbox is wiped with it.
    ///
    /// # Errors
    /// What the store says.
    pub fn wipe_done(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE progress SET wipe = 0 WHERE one = 1", [])?;
            Ok(())
        })
    }

    /// Returns the time last learnt from a control message.
    ///
    /// # Errors
    /// What the store says.
    pub fn trusted_time(&self) -> Result<Option<Trusted>> {
        let connection = self.lock();
        let sql = "SELECT trusted_s, trusted_elapsed_ms, trusted_boot FROM progress WHERE one = 1";
        let (wall_s, elapsed_ms, boot): (Option<i64>, Option<i64>, Option<i64>) =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(wall_s
            .zip(elapsed_ms)
            .zip(boot)
            .map(|((wall_s, elapsed_ms), boot)| Trusted {
                wall_s,
                elapsed_ms: unbits(elapsed_ms),
                boot: unbits(boot),
            }))
    }

    /// Returns the seconds until the next try is due; `None` if nothing waits, 0 if it is due.
    ///
    /// # Errors
    /// What the store says.
    pub fn next_try_s(&self, clock: &dyn Clock) -> Result<Option<u64>> {
        let counts = self.counts()?;
        if counts.saved == 0 && counts.handed == 0 && counts.ingested == 0 && counts.refused == 0 {
            return Ok(None);
        }
        let backoff = load_backoff(&self.lock())?;
        Ok(Some(backoff.left_ms(&clock.read()).div_ceil(1000)))
    }

    /// Writes everything into the one file, so that nothing of what was deleted stays in the log.
    ///
    /// # Errors
    /// What the store says.
    pub fn suspend(&self) -> Result<()> {
        self.lock()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Takes the lease; says whether the last run ended cleanly.
    pub(crate) fn begin(&self, holder: &[u8; 16], now: &ClockReading) -> Result<bool> {
        self.write(|tx| {
            let (boot, there, until, clean): (i64, Option<[u8; 16]>, i64, bool) = tx.query_row(
                "SELECT boot, holder, lease_until_ms, clean FROM run WHERE one = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            let left = unbits(until).saturating_sub(now.elapsed_ms);
            // A lease of an earlier start of the device, or one longer than any: its holder is dead.
            let young = now.boot != 0 && unbits(boot) == now.boot && left > 0 && left <= LEASE_MS;
            let alive = young && there.is_some_and(|there| lease::may_be_alive(&there));
            if alive && there.is_some_and(|there| &there != holder) {
                return Err(Error::LeaseHeld);
            }
            if unbits(boot) != now.boot {
                tx.execute("UPDATE run SET next_try_ms = 0 WHERE one = 1", [])?;
            }
            tx.execute(
                "UPDATE run SET boot = ?1, holder = ?2, lease_until_ms = ?3, clean = 0 WHERE one = 1",
                params![
                    bits(now.boot),
                    holder,
                    bits(now.elapsed_ms.saturating_add(LEASE_MS))
                ],
            )?;
            Ok(clean)
        })
    }

    /// Gives the lease back.
    pub(crate) fn end(&self, holder: &[u8; 16], clean: bool) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE run SET holder = NULL, lease_until_ms = 0, clean = ?2 WHERE one = 1 AND holder = ?1",
                params![holder, clean],
            )?;
            Ok(())
        })
    }

    /// Loads what the machine knows; the bytes stay here.
    pub(crate) fn load(&self) -> Result<State> {
        let mut connection = self.lock();
        let tx = connection.transaction()?;
        let mut state = State::default();
        state.backoff = load_backoff(&tx)?;
        {
            let mut statement = tx.prepare_cached(
                "SELECT digest, stage, reason, day, size, entries, first_seq, last_seq, again, handed_day,
                        failures
                 FROM item WHERE stage < 6",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let found = finish_row(read_row(row)?)?;
                let item = Item {
                    stage: found.stage,
                    again: row.get(8)?,
                    handed_day: row.get(9)?,
                    failures: row.get(10)?,
                    ..Item::saved(found.size, found.entries, found.seqs)
                };
                state.items.insert(found.digest, item);
            }
            let mut statement = tx.prepare_cached("SELECT digest FROM to_ack")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                state.to_ack.insert(Digest::from_bytes(row.get(0)?));
            }
        }
        let sql = "SELECT desk_epoch, store_epoch, cursor, serial FROM progress WHERE one = 1";
        state.progress = tx.query_row(sql, [], |row| {
            Ok(Progress {
                desk_epoch: row.get::<_, Option<[u8; 16]>>(0)?.map(DeskEpoch::from_bytes),
                store_epoch: row.get::<_, Option<[u8; 16]>>(1)?.map(StoreEpoch::from_bytes),
                cursor: count(row.get(2)?),
                serial: count(row.get(3)?),
            })
        })?;
        Ok(state)
    }

    /// Writes the changes of one step, in one transaction, and keeps the lease alive. Whoever lost the lease
    /// writes nothing.
    pub(crate) fn apply(&self, changes: &[Change], holder: &[u8; 16], now: &ClockReading) -> Result<()> {
        self.write(|tx| {
            let kept = tx
                .prepare_cached("UPDATE run SET lease_until_ms = ?2 WHERE one = 1 AND holder = ?1")?
                .execute(params![holder, bits(now.elapsed_ms.saturating_add(LEASE_MS))])?;
            if kept == 0 {
                return Err(Error::LeaseHeld);
            }
            changes.iter().try_for_each(|change| apply_one(tx, change))
        })
    }

    /// Bytes of the envelopes that the desk has not said to have, for a bundle; one at a time.
    pub(crate) fn unreceived(&self) -> Result<Vec<Digest>> {
        let rows = self.records()?;
        Ok(rows
            .iter()
            .filter(|row| row.stage.is_below_ingested())
            .map(|row| row.digest)
            .collect())
    }
}

fn insert(tx: &Transaction<'_>, digest: &Digest, bytes: &[u8], meta: &Meta) -> Result<Added> {
    if Digest::of(bytes) != *digest {
        return Err(Error::WrongDigest);
    }
    let (first, last) = meta
        .seqs
        .map_or((None, None), |(a, b)| (Some(ordered(a)), Some(ordered(b))));
    let added = tx
        .prepare_cached(
            "INSERT INTO item (digest, bytes, size, entries, first_seq, last_seq, day)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (digest) DO NOTHING",
        )?
        .execute(params![
            digest.as_bytes(),
            bytes,
            ordered(bytes.len() as u64),
            meta.entries,
            first,
            last,
            meta.day
        ])?;
    Ok(if added == 0 { Added::Known } else { Added::New })
}

fn load_backoff(connection: &Connection) -> Result<Backoff> {
    let sql = "SELECT failures, boot, next_try_ms FROM run WHERE one = 1";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(Backoff {
            failures: row.get(0)?,
            boot: unbits(row.get(1)?),
            next_try_ms: unbits(row.get(2)?),
        })
    })?)
}

fn apply_one(tx: &Transaction<'_>, change: &Change) -> Result<()> {
    match change {
        Change::Item(digest, item) => {
            let (stage, reason) = stage_code(item.stage);
            // What was purged or replaced meanwhile keeps its last word.
            tx.prepare_cached(
                "UPDATE item SET stage = ?2, reason = ?3, again = ?4, handed_day = ?5, failures = ?6
                 WHERE digest = ?1 AND stage < 6",
            )?
            .execute(params![
                digest.as_bytes(),
                stage,
                reason,
                item.again,
                item.handed_day,
                item.failures
            ])?;
        }
        Change::Purge(digest) => {
            tx.prepare_cached(
                "UPDATE item SET stage = 6, reason = 0, again = 0, bytes = NULL WHERE digest = ?1 AND stage < 6",
            )?
            .execute(params![digest.as_bytes()])?;
        }
        Change::Progress(progress) => {
            tx.prepare_cached(
                "UPDATE progress SET desk_epoch = ?1, store_epoch = ?2, cursor = ?3, serial = ?4 WHERE one = 1",
            )?
            .execute(params![
                progress.desk_epoch.map(DeskEpoch::to_bytes),
                progress.store_epoch.map(StoreEpoch::to_bytes),
                ordered(progress.cursor),
                ordered(progress.serial)
            ])?;
        }
        Change::Backoff(backoff) => {
            tx.prepare_cached("UPDATE run SET failures = ?1, next_try_ms = ?2 WHERE one = 1")?
                .execute(params![backoff.failures, bits(backoff.next_try_ms)])?;
        }
        Change::Sealed(digest, bytes) => {
            tx.prepare_cached("INSERT INTO downlink (digest, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![digest.as_bytes(), bytes])?;
        }
        Change::ToAck(digests) => {
            let mut statement =
                tx.prepare_cached("INSERT INTO to_ack (digest) VALUES (?1) ON CONFLICT DO NOTHING")?;
            for digest in digests {
                statement.execute(params![digest.as_bytes()])?;
            }
        }
        Change::Acked(digests) => {
            let mut statement = tx.prepare_cached("DELETE FROM to_ack WHERE digest = ?1")?;
            for digest in digests {
                statement.execute(params![digest.as_bytes()])?;
            }
        }
        Change::Resend(first, last) => {
            tx.prepare_cached(
                "INSERT INTO resend (first_seq, last_seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?
            .execute(params![ordered(*first), ordered(*last)])?;
        }
        Change::Wipe => {
            tx.execute("UPDATE progress SET wipe = 1 WHERE one = 1", [])?;
        }
        Change::Contact(contact) => apply_contact(tx, contact)?,
        Change::Time {
            wall_s,
            elapsed_ms,
            boot,
        } => {
            tx.prepare_cached(
                "UPDATE progress SET trusted_s = ?1, trusted_elapsed_ms = ?2, trusted_boot = ?3 WHERE one = 1",
            )?
            .execute(params![wall_s, bits(*elapsed_ms), bits(*boot)])?;
        }
    }
    Ok(())
}

fn apply_contact(tx: &Transaction<'_>, contact: &control::Contact) -> Result<()> {
    tx.execute(
        "UPDATE contact SET endpoints = ?1, tls_roots = ?2, inbox = ?3 WHERE one = 1",
        params![
            endpoints_to_bytes(&contact.endpoints),
            roots_to_bytes(&contact.tls_roots),
            contact.inbox.as_bytes()
        ],
    )?;
    Ok(())
}
