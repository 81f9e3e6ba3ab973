//! The vault of a device: what it may do while locked (nothing but open) and while open.
//!
//! All statements stand in this module and in `migrations/`. Every change is one transaction, because each of them
//! is one promise: an answer is kept, a form is saved, a refusal is counted.

use std::fmt;
use std::path::{Path, PathBuf};

use landfall_form::{Answer, Answers};
use landfall_model::{Chain, Entry, FormRef, Kind, Stored};
use landfall_wire::ids::{CaseId, DeviceId, Digest, EntryHash, EntryId, EventId};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use crate::record::RecordRow;
use crate::store::{self, Migration, Migrations};
use crate::{Error, answer};

/// The schema of a vault. A step that has been released never changes.
const SCHEMA: Migrations = Migrations {
    application_id: 0x4c46_5631, // "LFV1"
    steps: &[Migration {
        name: "0001.sql",
        sql: include_str!("migrations/0001.sql"),
    }],
};

/// State of a vault whose database is closed and whose key is nowhere in memory.
#[derive(Debug)]
pub struct Locked(());

/// State of a vault whose database is open.
pub struct Open {
    connection: Connection,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Open")
    }
}

/// A vault. What can be asked of it depends on its state, which the compiler checks.
#[derive(Debug)]
pub struct Vault<S> {
    path: PathBuf,
    state: S,
}

/// The keys of the device and its place in its chain.
pub struct DeviceRow {
    /// Ed25519 seed.
    pub signing_seed: Zeroizing<[u8; 32]>,
    /// X-Wing seed.
    pub sealing_seed: Zeroizing<[u8; 32]>,
    /// Where the next entry goes.
    pub next: Chain,
}

impl fmt::Debug for DeviceRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceRow({:?}, seq {})", self.next.dev, self.next.seq)
    }
}

/// An unfinished form.
#[derive(Clone)]
pub struct Draft {
    /// Id that the finished entry will have.
    pub id: EntryId,
    /// The form that is asked.
    pub form: FormRef,
    /// The arrival event it belongs to.
    pub event: Option<EventId>,
    /// When it was begun, wall clock, seconds UTC.
    pub made_s: i64,
    /// When it was last changed, wall clock, seconds UTC.
    pub touched_s: i64,
    /// The answers so far.
    pub answers: Answers,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Draft({:?}, {}, {} answers)",
            self.id,
            self.form.id,
            self.answers.len()
        )
    }
}

/// A sealed envelope that the outbox does not have yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// Digest of the sealed file.
    pub digest: Digest,
    /// The sealed file.
    pub bytes: Vec<u8>,
    /// Number of entries inside.
    pub entries: u32,
    /// Numbers of the first and the last entry inside, in the device's chain.
    pub seqs: (u64, u64),
    /// Day on which it was saved, days since 1970-01-01 UTC.
    pub day: u32,
    /// Number of the desk's epoch key that it is sealed to.
    pub epoch: u32,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({:?}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// What happens to the counter of refused interviews of an event in a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusals {
    /// Left as it is.
    Keep,
    /// Emptied: the entry that is saved has taken it in.
    TakenIn(EventId),
}

/// One finished form: everything that becomes durable together.
#[derive(Debug)]
pub struct Save<'a> {
    /// The signed entries, in chain order.
    pub entries: &'a [Entry],
    /// The envelope that holds exactly these entries.
    pub pending: Pending,
    /// The draft that ends.
    pub draft: Option<EntryId>,
    /// The counter of refused interviews.
    pub refusals: Refusals,
}

fn sql<const N: usize>(bytes: &[u8; N]) -> &[u8] {
    bytes
}

fn fixed<const N: usize>(bytes: Vec<u8>, what: &'static str) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Row { what })
}

fn number(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::Row { what: "number" })
}

impl Vault<Locked> {
    /// Names the vault at `path`; opens nothing.
    #[must_use]
    pub fn at(path: &Path) -> Vault<Locked> {
        Vault {
            path: path.to_owned(),
            state: Locked(()),
        }
    }

    /// Tells whether there is a file.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Opens the database with the raw key (67 bytes `x'<64 hex>'`), makes it where there is none, and migrates.
    ///
    /// # Errors
    /// As [`store::open_sqlcipher`].
    pub fn open(self, key: &[u8]) -> Result<Vault<Open>, Error> {
        let connection = store::open_sqlcipher(&self.path, key, &SCHEMA)?;
        Ok(Vault {
            path: self.path,
            state: Open { connection },
        })
    }

    /// Moves the files into `aside/`, for a database that cannot be read. Nothing is deleted.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set_aside(&self) -> Result<Option<PathBuf>, Error> {
        store::set_aside(&self.path)
    }
}

impl Vault<Open> {
    /// Empties the write-ahead log, closes the database and returns the locked vault. With the connection go
    /// SQLCipher's key and page cache.
    ///
    /// # Errors
    /// What the store says while closing; the vault is locked all the same, because the connection is dropped.
    pub fn close(self) -> Result<Vault<Locked>, Error> {
        // A checkpoint that cannot be done now is done by the next opening: it is no reason to stay open.
        let _ = store::checkpoint(&self.state.connection);
        self.state
            .connection
            .close()
            .map_err(|(_, cause)| Error::from(cause))?;
        Ok(Vault {
            path: self.path,
            state: Locked(()),
        })
    }

    fn connection(&self) -> &Connection {
        &self.state.connection
    }

    fn change<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let transaction = self
            .state
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Writes the device's keys and the start of its chain.
    ///
    /// # Errors
    /// What the store says; keys that are already there are not replaced.
    pub fn set_device(&mut self, device: &DeviceRow) -> Result<(), Error> {
        self.change(|transaction| {
            transaction.execute(
                "INSERT INTO device (one, signing_seed, sealing_seed, dev, next_seq, prev)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5)",
                params![
                    sql(&device.signing_seed),
                    sql(&device.sealing_seed),
                    sql(device.next.dev.as_bytes()),
                    number(device.next.seq)?,
                    sql(device.next.prev.as_bytes()),
                ],
            )?;
            Ok(())
        })
    }

    /// Reads the device's keys and its place in its chain.
    ///
    /// # Errors
    /// [`Error::NotFound`] before enrolment.
    pub fn device(&self) -> Result<DeviceRow, Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT signing_seed, sealing_seed, dev, next_seq, prev FROM device WHERE one = 1",
        )?;
        let (signing, sealing, dev, seq, prev) = statement.query_row([], |row| {
            Ok((
                Zeroizing::new(row.get::<_, Vec<u8>>(0)?),
                Zeroizing::new(row.get::<_, Vec<u8>>(1)?),
                row.get::<_, Vec<u8>>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, Vec<u8>>(4)?,
            ))
        })?;
        let seed = |bytes: &[u8]| -> Result<Zeroizing<[u8; 32]>, Error> {
            Ok(Zeroizing::new(
                bytes.try_into().map_err(|_| Error::Row { what: "device" })?,
            ))
        };
        Ok(DeviceRow {
            signing_seed: seed(&signing)?,
            sealing_seed: seed(&sealing)?,
            next: Chain {
                dev: DeviceId::from_bytes(fixed(dev, "device")?),
                seq: u64::try_from(seq).map_err(|_| Error::Row { what: "device" })?,
                prev: EntryHash::from_bytes(fixed(prev, "device")?),
            },
        })
    }

    /// Writes settings, all of them or none.
    ///
    /// # Errors
    /// What the store says.
    pub fn set_settings(&mut self, settings: &[(&str, &[u8])]) -> Result<(), Error> {
        self.change(|transaction| {
            for (name, value) in settings {
                transaction
                    .prepare_cached(
                        "INSERT INTO setting (name, value) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    )?
                    .execute(params![name, value])?;
            }
            Ok(())
        })
    }

    /// Removes settings; absent ones are no error.
    ///
    /// # Errors
    /// What the store says.
    pub fn remove_settings(&mut self, names: &[&str]) -> Result<(), Error> {
        self.change(|transaction| {
            for name in names {
                transaction.execute("DELETE FROM setting WHERE name = ?1", params![name])?;
            }
            Ok(())
        })
    }

    /// Reads a setting.
    ///
    /// # Errors
    /// What the store says.
    pub fn setting(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
        Ok(statement
            .query_row(params![name], |row| row.get::<_, Vec<u8>>(0))
            .optional()?
            .map(Zeroizing::new))
    }

    /// Keeps a new draft with the answers that it begins with.
    ///
    /// # Errors
    /// What the store says.
    pub fn insert_draft(&mut self, draft: &Draft) -> Result<(), Error> {
        self.change(|transaction| {
            transaction.execute(
                "INSERT INTO draft (id, form, version, hash, event, made_s, touched, step)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT ifnull(max(step), 0) + 1 FROM draft))",
                params![
                    sql(draft.id.as_bytes()),
                    draft.form.id,
                    draft.form.version,
                    sql(draft.form.hash.as_bytes()),
                    draft.event.as_ref().map(|event| sql(event.as_bytes())),
                    draft.made_s,
                    draft.touched_s,
                ],
            )?;
            for (code, value) in draft.answers.iter() {
                put_answer(transaction, &draft.id, code, value)?;
            }
            Ok(())
        })
    }

    /// Keeps answers of a draft: `Some` is written, `None` is taken back. All of them or none, durable on return.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such draft.
    pub fn change_draft(
        &mut self,
        id: &EntryId,
        answers: &[(&str, Option<&Answer>)],
        touched_s: i64,
    ) -> Result<(), Error> {
        self.change(|transaction| {
            let found = transaction
                .prepare_cached(
                    "UPDATE draft SET touched = ?2, step = (SELECT max(step) + 1 FROM draft) WHERE id = ?1",
                )?
                .execute(params![sql(id.as_bytes()), touched_s])?;
            if found == 0 {
                return Err(Error::NotFound);
            }
            for (code, value) in answers {
                match value {
                    Some(value) => put_answer(transaction, id, code, value)?,
                    None => {
                        transaction
                            .prepare_cached("DELETE FROM answer WHERE draft = ?1 AND code = ?2")?
                            .execute(params![sql(id.as_bytes()), code])?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Reads a draft with its answers.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such draft.
    pub fn draft(&self, id: &EntryId) -> Result<Draft, Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, form, version, hash, event, made_s, touched FROM draft WHERE id = ?1",
        )?;
        let row = statement.query_row(params![sql(id.as_bytes())], draft_row)?;
        self.with_answers(row)
    }

    /// Reads all drafts, the last changed first.
    ///
    /// # Errors
    /// What the store says.
    pub fn drafts(&self) -> Result<Vec<Draft>, Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, form, version, hash, event, made_s, touched FROM draft ORDER BY step DESC",
        )?;
        let rows = statement
            .query_map([], draft_row)?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(|row| self.with_answers(row)).collect()
    }

    fn with_answers(&self, row: DraftColumns) -> Result<Draft, Error> {
        let (id, form, version, hash, event, made_s, touched_s) = row;
        let id = EntryId::from_bytes(fixed(id, "draft")?);
        let mut statement = self
            .connection()
            .prepare_cached("SELECT code, value FROM answer WHERE draft = ?1")?;
        let pairs = statement
            .query_map(params![sql(id.as_bytes())], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Draft {
            id,
            form: FormRef {
                id: form,
                version,
                hash: Digest::from_bytes(fixed(hash, "draft")?),
            },
            event: event
                .map(|bytes| fixed(bytes, "draft").map(EventId::from_bytes))
                .transpose()?,
            made_s,
            touched_s,
            answers: pairs
                .into_iter()
                .map(|(code, value)| Ok((code, answer::decode(&value)?)))
                .collect::<Result<_, Error>>()?,
        })
    }

    /// Removes a draft and its answers.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such draft.
    pub fn remove_draft(&mut self, id: &EntryId) -> Result<(), Error> {
        self.change(|transaction| remove_draft(transaction, id))
    }

    /// Removes a draft and, if it belonged to an event, counts one refusal there: all that stays of an interview
    /// that the person did not want.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such draft.
    pub fn refuse_draft(&mut self, id: &EntryId, event: Option<&EventId>) -> Result<(), Error> {
        self.change(|transaction| {
            remove_draft(transaction, id)?;
            if let Some(event) = event {
                transaction.execute(
                    "INSERT INTO refusal (event, n) VALUES (?1, 1) ON CONFLICT (event) DO UPDATE SET n = n + 1",
                    params![sql(event.as_bytes())],
                )?;
            }
            Ok(())
        })
    }

    /// Returns how many interviews were refused at an event since its last count took them in.
    ///
    /// # Errors
    /// What the store says.
    pub fn refusals(&self, event: &EventId) -> Result<u32, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT n FROM refusal WHERE event = ?1")?;
        Ok(statement
            .query_row(params![sql(event.as_bytes())], |row| row.get(0))
            .optional()?
            .unwrap_or(0))
    }

    /// Returns all events with refusals that no count has taken in.
    ///
    /// # Errors
    /// What the store says.
    pub fn open_refusals(&self) -> Result<Vec<(EventId, u32)>, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT event, n FROM refusal ORDER BY event")?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u32>(1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter()
            .map(|(event, n)| Ok((EventId::from_bytes(fixed(event, "refusal")?), n)))
            .collect()
    }

    /// Makes a finished form durable: entries, envelope, the place in the chain, what the home screen lists; and ends
    /// the draft. One transaction, the first of the two stores.
    ///
    /// # Errors
    /// [`Error::Row`] if the entries do not continue the chain; else what the store says. Nothing has changed then.
    pub fn save(&mut self, save: &Save<'_>) -> Result<(), Error> {
        self.change(|transaction| {
            for entry in save.entries {
                insert_entry(transaction, entry, &save.pending)?;
            }
            transaction.execute(
                "INSERT INTO pend (digest, bytes, entries, first_seq, last_seq, day, epoch)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    sql(save.pending.digest.as_bytes()),
                    save.pending.bytes,
                    save.pending.entries,
                    number(save.pending.seqs.0)?,
                    number(save.pending.seqs.1)?,
                    save.pending.day,
                    save.pending.epoch,
                ],
            )?;
            let rows: Vec<RecordRow> = save
                .entries
                .iter()
                .filter_map(|entry| RecordRow::of(entry.hash(), entry.payload(), save.pending.digest))
                .collect();
            for row in &rows {
                insert_record(transaction, row)?;
            }
            for older in save.entries.iter().flat_map(|entry| &entry.fields().sup) {
                transaction.execute(
                    "UPDATE record SET replaced = 1 WHERE hash = ?1",
                    params![sql(older.as_bytes())],
                )?;
            }
            if let Some(draft) = &save.draft {
                remove_draft(transaction, draft)?;
            }
            if let Refusals::TakenIn(event) = &save.refusals {
                transaction.execute(
                    "DELETE FROM refusal WHERE event = ?1",
                    params![sql(event.as_bytes())],
                )?;
            }
            Ok(())
        })
    }

    /// Returns the envelopes that the outbox may not have, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn pending(&self) -> Result<Vec<Pending>, Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT digest, bytes, entries, first_seq, last_seq, day, epoch FROM pend ORDER BY first_seq",
        )?;
        let rows = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, Vec<u8>>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, u32>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, i64>(4)?,
                    row.get::<_, u32>(5)?,
                    row.get::<_, u32>(6)?,
                ))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter()
            .map(|(digest, bytes, entries, first, last, day, epoch)| {
                let digest = Digest::from_bytes(fixed(digest, "pend")?);
                let seq = |value: i64| u64::try_from(value).map_err(|_| Error::Row { what: "pend" });
                Ok(Pending {
                    digest,
                    bytes,
                    entries,
                    seqs: (seq(first)?, seq(last)?),
                    day,
                    epoch,
                })
            })
            .collect()
    }

    /// Forgets an envelope that the outbox has.
    ///
    /// # Errors
    /// What the store says.
    pub fn remove_pending(&mut self, digest: &Digest) -> Result<(), Error> {
        self.change(|transaction| {
            transaction.execute(
                "DELETE FROM pend WHERE digest = ?1",
                params![sql(digest.as_bytes())],
            )?;
            Ok(())
        })
    }

    /// Returns the finished forms of one local day that nothing replaces, the last first.
    ///
    /// # Errors
    /// What the store says.
    pub fn records_of_day(&self, day: i64) -> Result<Vec<RecordRow>, Error> {
        self.query_records("WHERE day = ?1 AND replaced = 0 ORDER BY seq DESC", params![day])
    }

    /// Returns all finished forms, the last first, replaced ones too.
    ///
    /// # Errors
    /// What the store says.
    pub fn records(&self) -> Result<Vec<RecordRow>, Error> {
        self.query_records("ORDER BY seq DESC", [])
    }

    /// Returns one finished form.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn record(&self, id: &EntryId) -> Result<RecordRow, Error> {
        self.query_records("WHERE id = ?1", params![sql(id.as_bytes())])?
            .pop()
            .ok_or(Error::NotFound)
    }

    /// Returns how many interviews this device has saved at an event.
    ///
    /// # Errors
    /// What the store says.
    pub fn interviews(&self, event: &EventId) -> Result<u32, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT count(*) FROM record WHERE event = ?1 AND kind = ?2 AND replaced = 0")?;
        Ok(
            statement.query_row(params![sql(event.as_bytes()), Kind::Observation.code()], |row| {
                row.get(0)
            })?,
        )
    }

    /// Returns the newest count of this device for an event that nothing replaces.
    ///
    /// # Errors
    /// What the store says.
    pub fn newest_count(&self, event: &EventId) -> Result<Option<RecordRow>, Error> {
        Ok(self
            .query_records(
                "WHERE event = ?1 AND kind = ?2 AND replaced = 0 ORDER BY seq",
                params![sql(event.as_bytes()), Kind::ArrivalEvent.code()],
            )?
            .pop())
    }

    /// Returns the newest finished form of a kind.
    ///
    /// # Errors
    /// What the store says.
    pub fn newest_of(&self, kind: Kind) -> Result<Option<RecordRow>, Error> {
        Ok(self
            .query_records("WHERE kind = ?1 ORDER BY seq DESC LIMIT 1", params![kind.code()])?
            .pop())
    }

    fn query_records(&self, tail: &str, values: impl rusqlite::Params) -> Result<Vec<RecordRow>, Error> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT id, hash, envelope, seq, kind, form, event, case_code, saved_s, day, total, children, arrived,
                    transport, replaced
             FROM record {tail}"
        ))?;
        let rows = statement
            .query_map(values, RecordRow::columns)?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(RecordRow::from_columns).collect()
    }

    /// Reads an entry's bytes, verbatim.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn entry_bytes(&self, hash: &EntryHash) -> Result<Vec<u8>, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT bytes FROM entry WHERE hash = ?1")?;
        Ok(statement.query_row(params![sql(hash.as_bytes())], |row| row.get(0))?)
    }

    /// Reads one entry that was stored as verified.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Row`] if it does not read back.
    pub fn entry(&self, hash: &EntryHash) -> Result<Stored, Error> {
        Stored::read(&self.entry_bytes(hash)?).map_err(|_| Error::Row { what: "entry" })
    }

    /// Reads all entries in chain order.
    ///
    /// # Errors
    /// [`Error::Row`] if one does not read back.
    pub fn entries(&self) -> Result<Vec<Stored>, Error> {
        self.query_entries("ORDER BY dev, seq", [])
    }

    /// Reads the entries of a case, in chain order.
    ///
    /// # Errors
    /// [`Error::Row`] if one does not read back.
    pub fn entries_of_case(&self, case: &CaseId) -> Result<Vec<Stored>, Error> {
        self.query_entries(
            "WHERE case_id = ?1 ORDER BY dev, seq",
            params![sql(case.as_bytes())],
        )
    }

    /// Reads the entries of this device with numbers from `first` to `last`: number, hash and verbatim bytes, at most
    /// `limit` of them.
    ///
    /// # Errors
    /// What the store says.
    pub fn entries_between(
        &self,
        first: u64,
        last: u64,
        limit: u32,
    ) -> Result<Vec<(u64, EntryHash, Vec<u8>)>, Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT seq, hash, bytes FROM entry WHERE dev = (SELECT dev FROM device) AND seq BETWEEN ?1 AND ?2
             ORDER BY seq LIMIT ?3",
        )?;
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![number(first)?, last, limit], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                ))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter()
            .map(|(seq, hash, bytes)| {
                let seq = u64::try_from(seq).map_err(|_| Error::Row { what: "entry" })?;
                Ok((seq, EntryHash::from_bytes(fixed(hash, "entry")?), bytes))
            })
            .collect()
    }

    /// Reads the entries of an envelope, in chain order: hash and verbatim bytes.
    ///
    /// # Errors
    /// What the store says.
    pub fn envelope(&self, digest: &Digest) -> Result<Vec<(EntryHash, Vec<u8>)>, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT hash, bytes FROM entry WHERE envelope = ?1 ORDER BY dev, seq")?;
        let rows = statement
            .query_map(params![sql(digest.as_bytes())], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter()
            .map(|(hash, bytes)| Ok((EntryHash::from_bytes(fixed(hash, "entry")?), bytes)))
            .collect()
    }

    /// Returns the number of the epoch key that an envelope is sealed to; `None` if no entry of it is here.
    ///
    /// # Errors
    /// What the store says.
    pub fn epoch_of(&self, digest: &Digest) -> Result<Option<u32>, Error> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT epoch FROM entry WHERE envelope = ?1 LIMIT 1")?;
        Ok(statement
            .query_row(params![sql(digest.as_bytes())], |row| row.get(0))
            .optional()?)
    }

    /// Notes that the entries of an envelope now travel in another one.
    ///
    /// # Errors
    /// What the store says.
    pub fn move_envelope(&mut self, old: &Digest, new: &Digest, epoch: u32) -> Result<(), Error> {
        self.change(|transaction| {
            transaction.execute(
                "UPDATE entry SET envelope = ?2, epoch = ?3 WHERE envelope = ?1",
                params![sql(old.as_bytes()), sql(new.as_bytes()), epoch],
            )?;
            transaction.execute(
                "UPDATE record SET envelope = ?2 WHERE envelope = ?1",
                params![sql(old.as_bytes()), sql(new.as_bytes())],
            )?;
            Ok(())
        })
    }

    fn query_entries(&self, tail: &str, values: impl rusqlite::Params) -> Result<Vec<Stored>, Error> {
        let mut statement = self
            .connection()
            .prepare_cached(&format!("SELECT bytes FROM entry {tail}"))?;
        let rows = statement
            .query_map(values, |row| row.get::<_, Vec<u8>>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        rows.iter()
            .map(|bytes| Stored::read(bytes).map_err(|_| Error::Row { what: "entry" }))
            .collect()
    }

    /// Makes the home screen's rows anew out of the entries.
    ///
    /// # Errors
    /// [`Error::Row`] if an entry does not read back; then the rows stay as they were.
    pub fn rebuild_records(&mut self) -> Result<(), Error> {
        self.change(|transaction| {
            transaction.execute("DELETE FROM record", [])?;
            let rows = {
                let mut statement =
                    transaction.prepare_cached("SELECT envelope, bytes FROM entry ORDER BY dev, seq")?;
                statement
                    .query_map([], |row| {
                        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
                    })?
                    .collect::<Result<Vec<_>, _>>()?
            };
            let mut replaced = Vec::new();
            for (envelope, bytes) in rows {
                let stored = Stored::read(&bytes).map_err(|_| Error::Row { what: "entry" })?;
                let envelope = Digest::from_bytes(fixed(envelope, "entry")?);
                replaced.extend(stored.fields().sup.iter().copied());
                if let Some(row) = RecordRow::of(stored.hash(), stored.payload(), envelope) {
                    insert_record(transaction, &row)?;
                }
            }
            for older in replaced {
                transaction.execute(
                    "UPDATE record SET replaced = 1 WHERE hash = ?1",
                    params![sql(older.as_bytes())],
                )?;
            }
            Ok(())
        })
    }

    /// Empties the write-ahead log into the database.
    ///
    /// # Errors
    /// [`Error::Busy`] if something reads.
    pub fn checkpoint(&self) -> Result<(), Error> {
        store::checkpoint(self.connection())
    }
}

type DraftColumns = (Vec<u8>, String, String, Vec<u8>, Option<Vec<u8>>, i64, i64);

fn draft_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<DraftColumns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
    ))
}

fn put_answer(
    transaction: &Transaction<'_>,
    draft: &EntryId,
    code: &str,
    value: &Answer,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT INTO answer (draft, code, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (draft, code) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![sql(draft.as_bytes()), code, answer::encode(value)])?;
    Ok(())
}

fn remove_draft(transaction: &Transaction<'_>, id: &EntryId) -> Result<(), Error> {
    let gone = transaction.execute("DELETE FROM draft WHERE id = ?1", params![sql(id.as_bytes())])?;
    if gone == 0 { Err(Error::NotFound) } else { Ok(()) }
}

fn insert_entry(transaction: &Transaction<'_>, entry: &Entry, pending: &Pending) -> Result<(), Error> {
    let chain = entry.chain();
    let fields = entry.fields();
    // The row of the device is the chain's head: an entry that does not continue it would make a fork.
    let moved = transaction
        .prepare_cached(
            "UPDATE device SET next_seq = ?1 + 1, prev = ?2 WHERE dev = ?3 AND next_seq = ?1 AND prev = ?4",
        )?
        .execute(params![
            number(chain.seq)?,
            sql(entry.hash().as_bytes()),
            sql(chain.dev.as_bytes()),
            sql(chain.prev.as_bytes()),
        ])?;
    if moved != 1 {
        return Err(Error::Row { what: "chain" });
    }
    let event = landfall_model::header::event_id(&fields.body).map_err(|_| Error::Row { what: "entry" })?;
    transaction
        .prepare_cached(
            "INSERT INTO entry (hash, id, dev, seq, kind, case_id, event, envelope, epoch, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            sql(entry.hash().as_bytes()),
            sql(fields.id.as_bytes()),
            sql(chain.dev.as_bytes()),
            number(chain.seq)?,
            fields.kind.code(),
            fields.case.as_ref().map(|case| sql(case.as_bytes())),
            event.as_ref().map(|event| sql(event.as_bytes())),
            sql(pending.digest.as_bytes()),
            pending.epoch,
            entry.bytes(),
        ])?;
    Ok(())
}

fn insert_record(transaction: &Transaction<'_>, row: &RecordRow) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT INTO record (id, hash, envelope, seq, kind, form, event, case_code, saved_s, day, total, children,
                                 arrived, transport, replaced)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            sql(row.id.as_bytes()),
            sql(row.hash.as_bytes()),
            sql(row.envelope.as_bytes()),
            number(row.seq)?,
            row.kind.code(),
            row.form,
            row.event.as_ref().map(|event| sql(event.as_bytes())),
            row.case_code,
            row.saved_s,
            row.day,
            row.total,
            row.children,
            row.arrived,
            row.transport,
            row.replaced,
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use landfall_model::{Provenance, Role, Unsigned, header};
    use landfall_wire::clock::ClockReading;
    use landfall_wire::ids::{Aud, PublicKey, Signature};
    use landfall_wire::sign::Signer;

    struct Key;

    impl Signer for Key {
        fn public_key(&self) -> PublicKey {
            PublicKey::from_bytes([5; 32])
        }
        fn sign(&self, _: &[u8]) -> Signature {
            Signature::from_bytes([0; 64])
        }
    }

    const EVENT: EventId = EventId::from_bytes([3; 16]);

    fn key() -> Vec<u8> {
        format!("x'{}'", "5c".repeat(32)).into_bytes()
    }

    fn entry_id(n: u8) -> EntryId {
        EntryId::from_random([n; 16])
    }

    fn start() -> Chain {
        Chain {
            dev: DeviceId::of(&Key.public_key()),
            seq: 0,
            prev: EntryHash::from_bytes([0; 32]),
        }
    }

    fn open(home: &Path) -> Vault<Open> {
        Vault::at(&home.join("vault.db")).open(&key()).unwrap()
    }

    fn fresh(home: &Path) -> Vault<Open> {
        let mut vault = open(home);
        vault
            .set_device(&DeviceRow {
                signing_seed: Zeroizing::new([1; 32]),
                sealing_seed: Zeroizing::new([2; 32]),
                next: start(),
            })
            .unwrap();
        vault
    }

    fn tally(n: u8, total: i64, sup: Vec<EntryHash>) -> Unsigned {
        let mut body = Answers::new()
            .with("A30", Answer::Integer(total))
            .with("A05", Answer::code("bus"));
        header::set_event_id(&mut body, &EVENT);
        Unsigned {
            id: entry_id(n),
            kind: Kind::ArrivalEvent,
            case: None,
            form: Some(form()),
            body,
            sup,
            aud: Aud::from_bytes([9; 32]),
            clock: ClockReading {
                wall_s: 1_763_822_400,
                tz_min: 0,
                elapsed_ms: 1,
                boot: 1,
                last_trusted_s: None,
                doubtful: false,
            },
            attachments: Vec::new(),
            consent: None,
            app_version: "0.1.0".to_owned(),
            role: Role::Monitor,
            provenance: Provenance::SeenByMonitor,
            lang: "en".to_owned(),
            retention: Kind::ArrivalEvent.usual_retention(),
            manifest_serial: 1,
        }
    }

    fn form() -> FormRef {
        FormRef {
            id: "arrival_tally".to_owned(),
            version: "1".to_owned(),
            hash: Digest::from_bytes([1; 32]),
        }
    }

    fn draft(n: u8, touched_s: i64) -> Draft {
        Draft {
            id: entry_id(n),
            form: form(),
            event: Some(EVENT),
            made_s: 1,
            touched_s,
            answers: Answers::new().with("A01", Answer::code("ouanaminthe")),
        }
    }

    fn save(vault: &mut Vault<Open>, fields: Unsigned, draft: Option<EntryId>, refusals: Refusals) -> Entry {
        let next = vault.device().unwrap().next;
        let entry = Entry::sign(fields, next, &Key).unwrap();
        let pending = Pending {
            digest: Digest::of(entry.bytes()),
            bytes: vec![0xaa; 64],
            entries: 1,
            seqs: (next.seq, next.seq),
            day: 20_414,
            epoch: 1,
        };
        vault
            .save(&Save {
                entries: std::slice::from_ref(&entry),
                pending,
                draft,
                refusals,
            })
            .unwrap();
        entry
    }

    #[test]
    fn a_draft_comes_back_as_it_was_after_a_crash() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        vault.insert_draft(&draft(1, 10)).unwrap();
        vault.insert_draft(&draft(2, 10)).unwrap();
        vault
            .change_draft(
                &entry_id(1),
                &[("A06", Some(&Answer::Text("AX-1".to_owned())))],
                10,
            )
            .unwrap();
        vault
            .change_draft(
                &entry_id(1),
                &[("A01", None), ("A33", Some(&Answer::Skipped))],
                10,
            )
            .unwrap();
        // No close: as if the process were killed here.
        std::mem::forget(vault);
        let vault = open(home.path());
        let drafts = vault.drafts().unwrap();
        assert_eq!(
            drafts.iter().map(|d| d.id).collect::<Vec<_>>(),
            [entry_id(1), entry_id(2)]
        );
        let expected = Answers::new()
            .with("A06", Answer::Text("AX-1".to_owned()))
            .with("A33", Answer::Skipped);
        assert!(drafts[0].answers == expected);
    }

    #[test]
    fn a_missing_draft_is_named_and_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        let answer = Answer::code("x");
        assert!(matches!(
            vault.change_draft(&entry_id(1), &[("A01", Some(&answer))], 1),
            Err(Error::NotFound)
        ));
        assert!(matches!(vault.draft(&entry_id(1)), Err(Error::NotFound)));
        assert!(matches!(vault.remove_draft(&entry_id(1)), Err(Error::NotFound)));
        assert!(matches!(
            vault.refuse_draft(&entry_id(1), Some(&EVENT)),
            Err(Error::NotFound)
        ));
        assert_eq!(vault.refusals(&EVENT).unwrap(), 0);
    }

    #[test]
    fn a_save_is_one_thing() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        vault.insert_draft(&draft(1, 10)).unwrap();
        vault.insert_draft(&draft(7, 10)).unwrap();
        vault.refuse_draft(&entry_id(7), Some(&EVENT)).unwrap();
        assert_eq!(vault.refusals(&EVENT).unwrap(), 1);
        let entry = save(
            &mut vault,
            tally(1, 12, vec![]),
            Some(entry_id(1)),
            Refusals::TakenIn(EVENT),
        );
        assert!(vault.drafts().unwrap().is_empty());
        assert_eq!(vault.refusals(&EVENT).unwrap(), 0);
        assert_eq!(vault.device().unwrap().next, entry.next());
        assert_eq!(vault.pending().unwrap().len(), 1);
        assert_eq!(vault.entry_bytes(&entry.hash()).unwrap(), entry.bytes());
        let row = vault.record(&entry_id(1)).unwrap();
        assert_eq!(
            (row.total, row.transport.as_deref(), row.event),
            (Some(12), Some("bus"), Some(EVENT))
        );

        // The same place in the chain a second time is refused, and nothing of that save stays.
        let again = Entry::sign(tally(2, 1, vec![]), *entry.chain(), &Key).unwrap();
        let pending = Pending {
            digest: Digest::from_bytes([4; 32]),
            bytes: vec![1],
            entries: 1,
            seqs: (0, 0),
            day: 1,
            epoch: 1,
        };
        let refused = vault.save(&Save {
            entries: &[again],
            pending,
            draft: None,
            refusals: Refusals::Keep,
        });
        assert!(matches!(refused, Err(Error::Row { what: "chain" })));
        assert_eq!(vault.pending().unwrap().len(), 1);
        assert_eq!(vault.entries().unwrap().len(), 1);
        vault.remove_pending(&Digest::of(entry.bytes())).unwrap();
        assert!(vault.pending().unwrap().is_empty());
    }

    #[test]
    fn a_full_disk_saves_nothing_and_keeps_the_draft() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        vault.insert_draft(&draft(1, 10)).unwrap();
        let pages: i64 = vault
            .connection()
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let limit = |vault: &Vault<Open>, pages: i64| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            vault
                .connection()
                .query_row(&sql, [], |row| row.get::<_, i64>(0))
                .unwrap();
        };
        limit(&vault, pages);
        let next = vault.device().unwrap().next;
        let entry = Entry::sign(tally(1, 12, vec![]), next, &Key).unwrap();
        let pending = Pending {
            digest: Digest::of(entry.bytes()),
            bytes: vec![0xaa; 64 * 1024],
            entries: 1,
            seqs: (0, 0),
            day: 20_414,
            epoch: 1,
        };
        let entries = [entry];
        let save = Save {
            entries: &entries,
            pending,
            draft: Some(entry_id(1)),
            refusals: Refusals::Keep,
        };
        assert!(matches!(vault.save(&save), Err(Error::Full)));
        assert_eq!(vault.device().unwrap().next, next);
        assert_eq!(
            (vault.drafts().unwrap().len(), vault.records().unwrap().len()),
            (1, 0)
        );
        limit(&vault, pages + 1000);
        vault.save(&save).unwrap();
        assert_eq!(
            (vault.drafts().unwrap().len(), vault.records().unwrap().len()),
            (0, 1)
        );
    }

    #[test]
    fn corrections_replace_in_lists_and_lists_are_rebuilt_from_the_log() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        let first = save(&mut vault, tally(1, 12, vec![]), None, Refusals::Keep);
        let second = save(&mut vault, tally(2, 13, vec![first.hash()]), None, Refusals::Keep);
        let day = vault.record(&entry_id(2)).unwrap().day;
        let listed = vault.records_of_day(day).unwrap();
        assert_eq!(
            listed.iter().map(|row| row.hash).collect::<Vec<_>>(),
            [second.hash()]
        );
        assert_eq!(vault.newest_count(&EVENT).unwrap().unwrap().hash, second.hash());
        let before = vault.records().unwrap();
        vault.rebuild_records().unwrap();
        assert!(vault.records().unwrap() == before);
        assert_eq!(before.len(), 2);
    }

    #[test]
    fn settings_are_written_together_and_read_back() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        vault
            .set_settings(&[("point", b"ouanaminthe"), ("role", b"monitor")])
            .unwrap();
        vault.set_settings(&[("point", b"belladere")]).unwrap();
        assert_eq!(vault.setting("point").unwrap().unwrap().as_slice(), b"belladere");
        vault.remove_settings(&["role"]).unwrap();
        assert!(vault.setting("role").unwrap().is_none());
    }

    #[test]
    fn a_closed_vault_leaves_nothing_in_the_log() {
        let home = tempfile::tempdir().unwrap();
        let mut vault = fresh(home.path());
        vault.insert_draft(&draft(1, 10)).unwrap();
        vault.close().unwrap();
        let left: Vec<_> = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left, ["vault.db"]);
        assert_eq!(open(home.path()).drafts().unwrap().len(), 1);
    }

    #[test]
    fn nothing_prints_content_or_keys() {
        let home = tempfile::tempdir().unwrap();
        let vault = fresh(home.path());
        let mut shown = draft(1, 10);
        shown
            .answers
            .insert("A80".to_owned(), Answer::Text("marigold".to_owned()));
        let text = format!("{vault:?} {shown:?} {:?}", vault.device().unwrap());
        assert!(
            !text.contains("marigold") && !text.contains("ouanaminthe"),
            "{text}"
        );
        assert!(!text.contains("1, 1, 1"), "{text}");
    }
}
