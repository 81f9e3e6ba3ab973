//! The desk's database: organisation, hubs, invitations, devices, envelopes, entries. All SQL of the desk is here.
//! Bodies of entries are read and written in this module alone, so that a key per case can be put around them.

use landfall_vault::rusqlite::{
    Connection, OptionalExtension as _, Transaction, TransactionBehavior, params,
};
use landfall_vault::store::{Migration, Migrations};
use landfall_wire::control::ReceiptLevel;
use landfall_wire::ids::{Aud, CapHash, DeskEpoch, DeviceId, Digest, EntryHash, MailboxId, PublicKey};

use crate::{Error, Result};

/// Schema of a desk; forward only.
pub(crate) const MIGRATIONS: Migrations = Migrations {
    application_id: 0x4C46_4445,
    steps: &[Migration {
        name: "0001",
        sql: include_str!("0001.sql"),
    }],
};

/// The organisation's row.
#[derive(Debug, Clone)]
pub(crate) struct Organisation {
    pub(crate) name: String,
    pub(crate) charter: Vec<u8>,
    pub(crate) aud: Aud,
    pub(crate) manifest: Vec<u8>,
    pub(crate) serial: u64,
    pub(crate) inbox: MailboxId,
    pub(crate) desk_epoch: DeskEpoch,
}

/// An invitation's row.
pub(crate) struct InvitationRow {
    pub(crate) digest: Digest,
    pub(crate) text: String,
    pub(crate) role: String,
    pub(crate) point: String,
    pub(crate) language: String,
    pub(crate) made_s: i64,
    pub(crate) reply: Option<Vec<u8>>,
}

/// An enrolled device.
#[derive(Debug, Clone)]
pub(crate) struct DeviceRow {
    pub(crate) id: DeviceId,
    pub(crate) key: PublicKey,
    pub(crate) recipient: Vec<u8>,
    pub(crate) downlink: MailboxId,
    pub(crate) write_cap: CapHash,
    pub(crate) read_cap: CapHash,
    pub(crate) role: String,
    pub(crate) point: String,
    pub(crate) transcript: [u8; 32],
    pub(crate) confirmed_s: i64,
    pub(crate) revoked: bool,
    pub(crate) revoked_above: Option<u64>,
    pub(crate) control_serial: u64,
}

/// An envelope's row, without the file.
#[derive(Debug, Clone)]
pub(crate) struct EnvelopeRow {
    pub(crate) digest: Digest,
    pub(crate) device: Option<DeviceId>,
    pub(crate) level: ReceiptLevel,
    pub(crate) reason: u8,
    pub(crate) told: u8,
    pub(crate) day: u32,
    pub(crate) size: u64,
}

/// An entry about to be stored.
pub(crate) struct NewEntry<'a> {
    pub(crate) hash: EntryHash,
    pub(crate) seq: u64,
    pub(crate) prev: EntryHash,
    pub(crate) manifest: u64,
    pub(crate) kind: &'static str,
    pub(crate) frame: &'a [u8],
}

/// A stored entry, verbatim.
pub(crate) struct EntryRow {
    pub(crate) hash: EntryHash,
    pub(crate) seq: u64,
    pub(crate) prev: EntryHash,
    pub(crate) manifest: u64,
    pub(crate) kind: String,
    pub(crate) frame: Vec<u8>,
}

/// The database.
pub(crate) struct Store {
    connection: Connection,
}

impl Store {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs `work` in one transaction; nothing of it stays when it fails.
    pub(crate) fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    // ---- organisation and hubs ----

    pub(crate) fn organisation(&self) -> Result<Organisation> {
        let row = self.connection.query_row(
            "SELECT name, charter, aud, manifest, serial, inbox, desk_epoch FROM organisation",
            [],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, [u8; 32]>(2)?,
                    row.get::<_, Vec<u8>>(3)?,
                    row.get::<_, u64>(4)?,
                    row.get::<_, [u8; 16]>(5)?,
                    row.get::<_, [u8; 16]>(6)?,
                ))
            },
        )?;
        Ok(Organisation {
            name: row.0,
            charter: row.1,
            aud: Aud::from_bytes(row.2),
            manifest: row.3,
            serial: row.4,
            inbox: MailboxId::from_bytes(row.5),
            desk_epoch: DeskEpoch::from_bytes(row.6),
        })
    }

    pub(crate) fn put_organisation(&self, org: &Organisation) -> Result<()> {
        self.connection.execute(
            "INSERT INTO organisation (one, name, charter, aud, manifest, serial, inbox, desk_epoch)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                org.name,
                org.charter,
                org.aud.as_bytes(),
                org.manifest,
                org.serial,
                org.inbox.as_bytes(),
                org.desk_epoch.as_bytes()
            ],
        )?;
        Ok(())
    }

    pub(crate) fn hubs(&self) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT url FROM hub ORDER BY rowid")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn add_hub(
        &mut self,
        url: &str,
        caps: (&CapHash, &CapHash),
        manifest: &[u8],
        serial: u64,
    ) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO hub (url, read_cap, downlink_cap) VALUES (?1, ?2, ?3)",
                params![url, caps.0.as_bytes(), caps.1.as_bytes()],
            )?;
            tx.execute(
                "UPDATE organisation SET manifest = ?1, serial = ?2",
                params![manifest, serial],
            )?;
            Ok(())
        })
    }

    // ---- enrolment ----

    pub(crate) fn add_invitation(&self, row: &InvitationRow) -> Result<()> {
        self.connection.execute(
            "INSERT INTO invitation (digest, text, role, point, language, made_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.digest.as_bytes(), row.text, row.role, row.point, row.language, row.made_s],
        )?;
        Ok(())
    }

    pub(crate) fn invitation(&self, digest: &Digest) -> Result<Option<InvitationRow>> {
        Ok(self.invitations()?.into_iter().find(|row| row.digest == *digest))
    }

    pub(crate) fn invitations(&self) -> Result<Vec<InvitationRow>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT digest, text, role, point, language, made_s, reply FROM invitation ORDER BY rowid",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(InvitationRow {
                digest: Digest::from_bytes(row.get(0)?),
                text: row.get(1)?,
                role: row.get(2)?,
                point: row.get(3)?,
                language: row.get(4)?,
                made_s: row.get(5)?,
                reply: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    /// Keeps the first reply. A second one finds the secret used.
    pub(crate) fn answer_invitation(&self, digest: &Digest, reply: &[u8]) -> Result<bool> {
        let changed = self.connection.execute(
            "UPDATE invitation SET reply = ?2 WHERE digest = ?1 AND reply IS NULL",
            params![digest.as_bytes(), reply],
        )?;
        Ok(changed == 1)
    }

    /// Enrols the device of an answered invitation and forgets the invitation with its secret.
    pub(crate) fn confirm(&mut self, invitation: &Digest, device: &DeviceRow) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM invitation WHERE digest = ?1", params![invitation.as_bytes()])?;
            tx.execute(
                "INSERT INTO device (id, key, recipient, downlink, write_cap, read_cap, role, point, transcript, confirmed_s)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    device.id.as_bytes(),
                    device.key.as_bytes(),
                    device.recipient,
                    device.downlink.as_bytes(),
                    device.write_cap.as_bytes(),
                    device.read_cap.as_bytes(),
                    device.role,
                    device.point,
                    device.transcript,
                    device.confirmed_s
                ],
            )?;
            // What it sent too early was set aside without anybody to tell.
            tx.execute("UPDATE envelope SET told = 0 WHERE device = ?1", params![device.id.as_bytes()])?;
            Ok(())
        })
    }

    pub(crate) fn devices(&self) -> Result<Vec<DeviceRow>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, key, recipient, downlink, write_cap, read_cap, role, point, transcript, confirmed_s, revoked,
                    revoked_above, control_serial FROM device ORDER BY rowid",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(DeviceRow {
                id: DeviceId::from_bytes(row.get(0)?),
                key: PublicKey::from_bytes(row.get(1)?),
                recipient: row.get(2)?,
                downlink: MailboxId::from_bytes(row.get(3)?),
                write_cap: CapHash::from_bytes(row.get(4)?),
                read_cap: CapHash::from_bytes(row.get(5)?),
                role: row.get(6)?,
                point: row.get(7)?,
                transcript: row.get(8)?,
                confirmed_s: row.get(9)?,
                revoked: row.get(10)?,
                revoked_above: row.get(11)?,
                control_serial: row.get(12)?,
            })
        })?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Result<Option<DeviceRow>> {
        Ok(self.devices()?.into_iter().find(|row| row.id == *id))
    }

    /// The kept bytes of everything that was set aside in a device's name.
    pub(crate) fn set_aside_of(&self, id: &DeviceId) -> Result<Vec<Vec<u8>>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT sealed FROM envelope WHERE device = ?1 AND level = 3 AND sealed IS NOT NULL ORDER BY rowid")?;
        let rows = statement.query_map(params![id.as_bytes()], |row| row.get(0))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn revoke(&self, id: &DeviceId) -> Result<bool> {
        let changed = self.connection.execute(
            "UPDATE device SET revoked = 1,
                 revoked_above = (SELECT max(seq) FROM entry WHERE entry.device = device.id)
             WHERE id = ?1 AND revoked = 0",
            params![id.as_bytes()],
        )?;
        Ok(changed == 1)
    }

    // ---- records ----

    pub(crate) fn level(&self, digest: &Digest) -> Result<Option<ReceiptLevel>> {
        let code: Option<u64> = self
            .connection
            .prepare_cached("SELECT level FROM envelope WHERE digest = ?1")?
            .query_row(params![digest.as_bytes()], |row| row.get(0))
            .optional()?;
        code.map(|code| ReceiptLevel::from_code(code).ok_or(Error::Row { what: "envelope" }))
            .transpose()
    }

    /// A phone has sent again what the desk knows: it has not heard the receipt, so it is told once more.
    pub(crate) fn tell_again(&self, digest: &Digest) -> Result<()> {
        self.connection.execute(
            "UPDATE envelope SET told = 0 WHERE digest = ?1",
            params![digest.as_bytes()],
        )?;
        Ok(())
    }

    pub(crate) fn tell_all_again(&self, since_day: u32) -> Result<()> {
        self.connection
            .execute("UPDATE envelope SET told = 0 WHERE day >= ?1", params![since_day])?;
        Ok(())
    }

    /// Sets an envelope aside with its bytes, or replaces what was set aside before.
    pub(crate) fn put_aside(&self, row: &EnvelopeRow, sealed: &[u8]) -> Result<()> {
        self.connection.execute(
            "INSERT OR REPLACE INTO envelope (digest, device, level, reason, told, day, sealed)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
            params![
                row.digest.as_bytes(),
                row.device.as_ref().map(DeviceId::as_bytes),
                row.level.code(),
                row.reason,
                row.day,
                sealed
            ],
        )?;
        Ok(())
    }

    /// Stores an envelope's entries; one that is known is left as it is. Answers how many were new.
    pub(crate) fn put_entries(
        &mut self,
        digest: &Digest,
        device: &DeviceId,
        day: u32,
        entries: &[NewEntry<'_>],
    ) -> Result<usize> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO envelope (digest, device, level, reason, told, day, sealed)
                 VALUES (?1, ?2, 1, 0, 0, ?3, NULL)",
                params![digest.as_bytes(), device.as_bytes(), day],
            )?;
            let mut new = 0;
            for entry in entries {
                new += tx
                    .prepare_cached(
                        "INSERT OR IGNORE INTO entry (hash, envelope, device, seq, prev, manifest, kind, frame)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        entry.hash.as_bytes(),
                        digest.as_bytes(),
                        device.as_bytes(),
                        entry.seq,
                        entry.prev.as_bytes(),
                        entry.manifest,
                        entry.kind,
                        entry.frame
                    ])?;
            }
            Ok(new)
        })
    }

    pub(crate) fn envelopes(&self) -> Result<Vec<EnvelopeRow>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT digest, device, level, reason, told, day, coalesce(length(sealed), 0) FROM envelope ORDER BY rowid",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, [u8; 32]>(0)?,
                row.get::<_, Option<[u8; 16]>>(1)?,
                row.get::<_, u64>(2)?,
                row.get::<_, u8>(3)?,
                row.get::<_, u8>(4)?,
                row.get::<_, u32>(5)?,
                row.get::<_, u64>(6)?,
            ))
        })?;
        rows.map(|row| {
            let (digest, device, level, reason, told, day, size) = row?;
            Ok(EnvelopeRow {
                digest: Digest::from_bytes(digest),
                device: device.map(DeviceId::from_bytes),
                level: ReceiptLevel::from_code(level).ok_or(Error::Row { what: "envelope" })?,
                reason,
                told,
                day,
                size,
            })
        })
        .collect()
    }

    /// Records that these receipts are on their way, and the devices' new serials.
    pub(crate) fn told(&mut self, told: &[(Digest, u8)], serials: &[(DeviceId, u64)]) -> Result<()> {
        self.write(|tx| {
            for (digest, level) in told {
                tx.execute(
                    "UPDATE envelope SET told = ?2 WHERE digest = ?1",
                    params![digest.as_bytes(), level],
                )?;
            }
            for (device, serial) in serials {
                tx.execute(
                    "UPDATE device SET control_serial = ?2 WHERE id = ?1",
                    params![device.as_bytes(), serial],
                )?;
            }
            Ok(())
        })
    }

    /// Hashes at one place of a device's chain; more than one is a fork.
    pub(crate) fn at(&self, device: &DeviceId, seq: u64) -> Result<Vec<EntryHash>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT hash FROM entry WHERE device = ?1 AND seq = ?2 ORDER BY hash")?;
        let rows = statement.query_map(params![device.as_bytes(), seq], |row| row.get(0))?;
        let hashes: Vec<[u8; 32]> = rows.collect::<std::result::Result<_, _>>()?;
        Ok(hashes.into_iter().map(EntryHash::from_bytes).collect())
    }

    /// What the entries at one place name as the one before them.
    pub(crate) fn prevs_at(&self, device: &DeviceId, seq: u64) -> Result<Vec<EntryHash>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT prev FROM entry WHERE device = ?1 AND seq = ?2")?;
        let rows = statement.query_map(params![device.as_bytes(), seq], |row| row.get(0))?;
        let hashes: Vec<[u8; 32]> = rows.collect::<std::result::Result<_, _>>()?;
        Ok(hashes.into_iter().map(EntryHash::from_bytes).collect())
    }

    /// The manifest that a device knew at its last stored entry before a number.
    pub(crate) fn manifest_before(&self, device: &DeviceId, seq: u64) -> Result<Option<u64>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT manifest FROM entry WHERE device = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row(params![device.as_bytes(), seq], |row| row.get(0))
            .optional()?)
    }

    /// The oldest manifest that the entries which name this one knew.
    pub(crate) fn manifest_after(&self, device: &DeviceId, hash: &EntryHash) -> Result<Option<u64>> {
        Ok(self
            .connection
            .prepare_cached("SELECT min(manifest) FROM entry WHERE device = ?1 AND prev = ?2")?
            .query_row(params![device.as_bytes(), hash.as_bytes()], |row| row.get(0))?)
    }

    pub(crate) fn numbers(&self, device: &DeviceId) -> Result<Vec<u64>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT seq FROM entry WHERE device = ?1 ORDER BY seq")?;
        let rows = statement.query_map(params![device.as_bytes()], |row| row.get(0))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn entries_of(&self, device: &DeviceId) -> Result<Vec<EntryRow>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hash, seq, prev, manifest, kind, frame FROM entry WHERE device = ?1 ORDER BY seq, hash",
        )?;
        let rows = statement.query_map(params![device.as_bytes()], |row| {
            Ok(EntryRow {
                hash: EntryHash::from_bytes(row.get(0)?),
                seq: row.get(1)?,
                prev: EntryHash::from_bytes(row.get(2)?),
                manifest: row.get(3)?,
                kind: row.get(4)?,
                frame: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn frames(&self) -> Result<Vec<Vec<u8>>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT frame FROM entry ORDER BY device, seq, hash")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn frames_of_kind(&self, device: &DeviceId, kind: &str) -> Result<Vec<Vec<u8>>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT frame FROM entry WHERE device = ?1 AND kind = ?2 ORDER BY seq, hash")?;
        let rows = statement.query_map(params![device.as_bytes(), kind], |row| row.get(0))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    pub(crate) fn entry_count(&self) -> Result<u64> {
        Ok(self
            .connection
            .query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?)
    }

    /// Entries whose phones keep them because no backup holds them yet.
    pub(crate) fn without_backup(&self) -> Result<u64> {
        Ok(self.connection.query_row(
            "SELECT count(*) FROM entry JOIN envelope ON envelope.digest = entry.envelope WHERE envelope.level = 1",
            [],
            |row| row.get(0),
        )?)
    }

    /// Everything that is stored now stands on a second medium.
    pub(crate) fn backed_up(&self, digests: &[Digest]) -> Result<()> {
        for digest in digests {
            self.connection
                .prepare_cached("UPDATE envelope SET level = 2 WHERE digest = ?1 AND level = 1")?
                .execute(params![digest.as_bytes()])?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
