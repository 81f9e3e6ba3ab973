//! Ingest: what comes in is opened, verified and stored, or set aside with a reason. One transaction per envelope, the
//! effect exactly once per entry hash, however often a bundle is read.

use std::collections::BTreeMap;
use std::io::Read;

use landfall_model::{Entry, Gone, Kind, Stored, claimed_device};
use landfall_seal::{Ed25519Verifier, open_envelope};
use landfall_wire::bundle::{BundleReader, Item};
use landfall_wire::clock::day_of;
use landfall_wire::control::ReceiptLevel;
use landfall_wire::frame::Frame;
use landfall_wire::ids::{Aud, DeviceId, Digest, EntryHash};

use crate::reason::Reason;
use crate::store::{DeviceRow, EnvelopeRow, NewEntry};
use crate::{Desk, Error, Result};

/// Beyond this no chain comes, at a thousand entries a day for ten thousand years; numbers and sums stay in range.
const LAST_NUMBER: u64 = u32::MAX as u64;

/// What came of a bundle. Counts are of envelopes, but for `entries`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Envelopes read.
    pub read: u64,
    /// Used now.
    pub new: u64,
    /// Known before: nothing changed.
    pub known: u64,
    /// Set aside with a reason.
    pub held: u64,
    /// Could not be opened.
    pub unopenable: u64,
    /// New entries.
    pub entries: u64,
}

impl Ingested {
    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.new += other.new;
        self.known += other.known;
        self.held += other.held;
        self.unopenable += other.unopenable;
        self.entries += other.entries;
    }
}

/// How far a bundle could be read, and where it is damaged.
#[derive(Debug)]
pub struct BundleEnd {
    /// What came of what could be read.
    pub ingested: Ingested,
    /// Where and how it is damaged; the rest was not read.
    pub damaged: Option<landfall_wire::Error>,
}

/// What is missing of a device: numbers between those that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The device.
    pub device: DeviceId,
    /// First and last number of each missing range.
    pub ranges: Vec<(u64, u64)>,
}

/// A place of a device's chain at which two entries stand: it was cloned or restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The device.
    pub device: DeviceId,
    /// The number.
    pub seq: u64,
}

/// Something set aside.
#[derive(Debug, Clone)]
pub struct Aside {
    /// The sealed file's digest.
    pub digest: Digest,
    /// Whose it says it is.
    pub device: Option<DeviceId>,
    /// Why.
    pub reason: Option<Reason>,
    /// Bytes kept.
    pub size: u64,
    /// Day on which it was set aside, days since 1970.
    pub day: u32,
}

/// What an envelope turned out to be.
enum Verdict {
    Good(DeviceId, Vec<Entry>),
    Held(Option<DeviceId>, Reason),
    Unopenable(Reason),
}

impl Desk {
    /// Reads a bundle to its end or to the place where it is damaged; everything before that place counts.
    ///
    /// # Errors
    /// Those of the store; a file that is no bundle at all is damaged at its beginning.
    pub fn ingest(&mut self, bundle: impl Read, mut progress: impl FnMut(u64)) -> Result<BundleEnd> {
        let mut total = Ingested::default();
        let mut reader = match BundleReader::new(bundle) {
            Ok(reader) => reader,
            Err(damaged) => {
                return Ok(BundleEnd {
                    ingested: total,
                    damaged: Some(damaged),
                });
            }
        };
        loop {
            match reader.next_item() {
                Ok(None) => {
                    return Ok(BundleEnd {
                        ingested: total,
                        damaged: None,
                    });
                }
                Ok(Some(Item::Envelope(sealed))) => {
                    total.add(self.ingest_envelope(&sealed)?);
                    progress(total.read);
                }
                Ok(Some(_)) => {}
                Err(damaged) => {
                    return Ok(BundleEnd {
                        ingested: total,
                        damaged: Some(damaged),
                    });
                }
            }
        }
    }

    /// Takes one sealed envelope.
    ///
    /// # Errors
    /// Those of the store; whatever is wrong with the envelope is no error but a reason.
    pub fn ingest_envelope(&mut self, sealed: &[u8]) -> Result<Ingested> {
        let digest = Digest::of(sealed);
        let one = Ingested {
            read: 1,
            ..Ingested::default()
        };
        if matches!(
            self.store.level(&digest)?,
            Some(ReceiptLevel::Ingested | ReceiptLevel::BackedUp)
        ) {
            self.store.tell_again(&digest)?;
            return Ok(Ingested { known: 1, ..one });
        }
        let day = day_of(self.clock.read().wall_s);
        let aside = |device, level, reason: Reason| EnvelopeRow {
            digest,
            device,
            level,
            reason: reason.code(),
            told: 0,
            day,
            size: 0,
        };
        match self.judge(sealed)? {
            Verdict::Good(device, entries) => {
                let rows: Vec<NewEntry<'_>> = entries
                    .iter()
                    .map(|entry| NewEntry {
                        hash: entry.hash(),
                        seq: entry.chain().seq,
                        prev: entry.chain().prev,
                        manifest: entry.fields().manifest_serial,
                        kind: entry.fields().kind.code(),
                        frame: entry.bytes(),
                    })
                    .collect();
                let new = self.store.put_entries(&digest, &device, day, &rows)?;
                Ok(Ingested {
                    new: 1,
                    entries: new as u64,
                    ..one
                })
            }
            Verdict::Held(device, reason) => {
                self.store
                    .put_aside(&aside(device, ReceiptLevel::Held, reason), sealed)?;
                Ok(Ingested { held: 1, ..one })
            }
            Verdict::Unopenable(reason) => {
                self.store
                    .put_aside(&aside(None, ReceiptLevel::Unopenable, reason), sealed)?;
                Ok(Ingested { unopenable: 1, ..one })
            }
        }
    }

    fn judge(&self, sealed: &[u8]) -> Result<Verdict> {
        let frames = match open_envelope(sealed, &self.keyring.identities()) {
            Ok(frames) => frames,
            Err(landfall_seal::Error::UnknownRecipient) => return Ok(Verdict::Unopenable(Reason::NoKey)),
            Err(landfall_seal::Error::Wire(_)) => return Ok(Verdict::Held(None, Reason::Plain)),
            Err(_) => return Ok(Verdict::Unopenable(Reason::Unreadable)),
        };
        let mut device: Option<DeviceRow> = None;
        let mut entries = Vec::new();
        for frame in &frames {
            if Frame::decode(frame).is_err() {
                return Ok(Verdict::Held(device.map(|d| d.id), Reason::Frame));
            }
            let Ok(claimed) = claimed_device(frame) else {
                return Ok(Verdict::Held(device.map(|d| d.id), Reason::Payload));
            };
            if let Some(first) = &device
                && first.id != claimed
            {
                return Ok(Verdict::Held(Some(first.id), Reason::MixedDevices));
            }
            let Some(row) = (match device.take() {
                Some(row) => Some(row),
                None => self.store.device(&claimed)?,
            }) else {
                return Ok(Verdict::Held(Some(claimed), Reason::UnknownDevice));
            };
            match Entry::read(frame, &row.key, &Ed25519Verifier) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    let reason = if is_signature(&error) {
                        Reason::Signature
                    } else {
                        Reason::Payload
                    };
                    return Ok(Verdict::Held(Some(claimed), reason));
                }
            }
            device = Some(row);
        }
        let Some(device) = device else {
            return Ok(Verdict::Held(None, Reason::Plain));
        };
        let org = self.store.organisation()?;
        match self.check(&device, &entries, &org.aud, org.serial)? {
            Some(reason) => Ok(Verdict::Held(Some(device.id), reason)),
            None => Ok(Verdict::Good(device.id, entries)),
        }
    }

    /// What signature and frame cannot tell: audience, role, chain, manifest, revocation.
    fn check(&self, device: &DeviceRow, entries: &[Entry], aud: &Aud, serial: u64) -> Result<Option<Reason>> {
        let mut inside: BTreeMap<u64, EntryHash> = BTreeMap::new();
        let mut newest = 0;
        for entry in entries {
            let fields = entry.fields();
            if fields.aud != *aud {
                return Ok(Some(Reason::Audience));
            }
            if !may_record(&device.role, fields.kind) {
                return Ok(Some(Reason::Role));
            }
            if fields.manifest_serial == 0
                || fields.manifest_serial > serial
                || fields.manifest_serial < newest
            {
                return Ok(Some(Reason::Manifest));
            }
            newest = fields.manifest_serial;
            let chain = entry.chain();
            if chain.seq > LAST_NUMBER {
                return Ok(Some(Reason::Payload));
            }
            // A phone writes what happened in the order in which it happened, and so it stands in the envelope.
            if inside
                .last_key_value()
                .is_some_and(|(last, _)| chain.seq <= *last)
            {
                return Ok(Some(Reason::Chain));
            }
            let here = self.store.at(&device.id, chain.seq)?;
            if device.revoked {
                // Whoever holds the stolen phone can number what he writes as he likes: beside what is known nothing
                // new is believed either.
                let beside = !here.is_empty() && !here.contains(&entry.hash());
                if beside || device.revoked_above.is_none_or(|above| chain.seq > above) {
                    return Ok(Some(Reason::Revoked));
                }
            }
            if !self.follows(device, chain.seq, &chain.prev, &inside)? {
                return Ok(Some(Reason::Chain));
            }
            // The other way round as well: one that came earlier names the one before it.
            let next = self.store.prevs_at(&device.id, chain.seq + 1)?;
            if !next.is_empty() && !next.contains(&entry.hash()) && here.is_empty() {
                return Ok(Some(Reason::Chain));
            }
            let before = self.store.manifest_before(&device.id, chain.seq)?;
            let after = self.store.manifest_after(&device.id, &entry.hash())?;
            if before.is_some_and(|known| known > fields.manifest_serial)
                || after.is_some_and(|known| known < fields.manifest_serial)
            {
                return Ok(Some(Reason::Manifest));
            }
            inside.insert(chain.seq, entry.hash());
        }
        Ok(None)
    }

    /// Whether an entry names the one before it. One whose predecessor has not arrived is believed for now: that is a
    /// gap, and the predecessor is checked against it when it comes.
    fn follows(
        &self,
        device: &DeviceRow,
        seq: u64,
        prev: &EntryHash,
        inside: &BTreeMap<u64, EntryHash>,
    ) -> Result<bool> {
        let Some(before) = seq.checked_sub(1) else {
            return Ok(*prev.as_bytes() == device.transcript);
        };
        let mut candidates = self.store.at(&device.id, before)?;
        candidates.extend(inside.get(&before).copied());
        Ok(candidates.is_empty() || candidates.contains(prev))
    }

    /// Missing numbers per device. What a phone has said is gone is missing no longer: the gap is explained.
    ///
    /// # Errors
    /// Those of the store.
    pub fn gaps(&self) -> Result<Vec<Gap>> {
        let mut gaps = Vec::new();
        for device in self.store.devices()? {
            let mut ranges = Vec::new();
            let mut expected = 0;
            let mut known: Vec<(u64, u64)> = self
                .store
                .numbers(&device.id)?
                .into_iter()
                .map(|seq| (seq, seq))
                .collect();
            for entry in self.store.frames_of_kind(&device.id, Kind::Gone.code())? {
                let entry = Stored::read(&entry).map_err(|_| Error::Row { what: "entry" })?;
                // It can speak of what was before it alone.
                if let Ok(gone) = Gone::from_body(&entry.fields().body)
                    && let Some(before) = entry.chain().seq.checked_sub(1)
                    && gone.first_seq <= before
                {
                    known.push((gone.first_seq, gone.last_seq.min(before)));
                }
            }
            known.sort_unstable();
            for (first, last) in known {
                if first > expected {
                    ranges.push((expected, first - 1));
                }
                expected = expected.max(last + 1);
            }
            if !ranges.is_empty() {
                gaps.push(Gap {
                    device: device.id,
                    ranges,
                });
            }
        }
        Ok(gaps)
    }

    /// Places at which a device's chain forks.
    ///
    /// # Errors
    /// Those of the store.
    pub fn forks(&self) -> Result<Vec<Fork>> {
        let forks = landfall_model::fold::forks(&self.entries()?);
        Ok(forks
            .into_keys()
            .map(|(device, seq)| Fork { device, seq })
            .collect())
    }

    /// What is set aside, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn set_aside(&self) -> Result<Vec<Aside>> {
        let rows = self.store.envelopes()?.into_iter();
        let aside = rows.filter(|row| matches!(row.level, ReceiptLevel::Held | ReceiptLevel::Unopenable));
        Ok(aside
            .map(|row| Aside {
                digest: row.digest,
                device: row.device,
                reason: Reason::from_code(row.reason),
                size: row.size,
                day: row.day,
            })
            .collect())
    }
}

fn is_signature(error: &landfall_model::Error) -> bool {
    matches!(
        error,
        landfall_model::Error::Signature | landfall_model::Error::Frame(landfall_wire::Error::BadSignature)
    )
}

/// What a role may send. A kind that this desk does not know yet is refused by the payload's reader before this.
fn may_record(role: &str, kind: Kind) -> bool {
    match role {
        "monitor" | "desk_coordinator" => !matches!(kind, Kind::Partner | Kind::Service | Kind::Task),
        "returnee" => matches!(
            kind,
            Kind::Checkin
                | Kind::Consent
                | Kind::ContactCard
                | Kind::Incident
                | Kind::Complaint
                | Kind::Attachment
                | Kind::Gone
                | Kind::Erased
        ),
        "reporting_partner" => matches!(
            kind,
            Kind::ExpectedReturn | Kind::Consent | Kind::Gone | Kind::Erased
        ),
        _ => false,
    }
}
