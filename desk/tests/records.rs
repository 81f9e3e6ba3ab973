//! Records at the desk, from the invitation to the receipt: what is taken, what is set aside and why, what travels back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use landfall_desk::{Costs, Desk, Error, Ingested, Outgoing, Reason};
use landfall_form::{Answer, Answers};
use landfall_model::{
    CaseCode, Chain, Consent, ConsentMode, Entry, FormRef, Gone, GoneReason, Kind, Provenance, Role, Scope,
    Unsigned, header,
};
use landfall_seal::{
    DeviceKeys, Ed25519Verifier, EpochIdentity, EpochRecipient, Header, NoGuard, Tuning, WorkFactor, enrol,
    random, seal_envelope, seal_file, words,
};
use landfall_vault::rusqlite::Connection;
use landfall_vault::store::{Migration, Migrations, open_sqlcipher};
use landfall_wire::bundle::{BundleReader, BundleWriter, CapOp, Item, Kind as BundleKind};
use landfall_wire::charter::Charter;
use landfall_wire::clock::{Clock as _, TestClock};
use landfall_wire::control::{Control, ControlBody, Receipt, ReceiptLevel};
use landfall_wire::enrol::{InvitationFile, Reply, reply_to_text, transcript_hash};
use landfall_wire::frame::{Context, Frame};
use landfall_wire::ids::{Aud, CapHash, CaseId, Digest, EntryHash, EntryId, EventId, MailboxId};
use tempfile::TempDir;

const PASSPHRASE: &str = "kanarya-pasfraz otter lamp river";
const CANARY: &str = "zwazo-kanarya-47";
const START_S: i64 = 1_763_822_400;

/// A desk in a folder of its own.
struct Bench {
    dir: TempDir,
    clock: Arc<TestClock>,
    desk: Desk,
}

fn costs() -> Costs {
    Costs {
        tuning: Tuning::desk_for_tests(),
        work: WorkFactor::for_tests(),
    }
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(TestClock::at(START_S));
        let home = dir.path().join("home");
        let keys = dir.path().join("keys");
        let (desk, roots) =
            Desk::init(&home, "Our network", &keys, PASSPHRASE, &costs(), clock.clone()).unwrap();
        assert_eq!(roots.len(), 3);
        Self { dir, clock, desk }
    }

    fn home(&self) -> std::path::PathBuf {
        self.dir.path().join("home")
    }

    fn phone(&mut self) -> Phone {
        self.phone_as("monitor")
    }

    fn phone_as(&mut self, role: &str) -> Phone {
        let text = self.desk.invite(role, "", "en").unwrap();
        let (phone, reply) = Phone::answer(&text);
        assert_eq!(self.desk.answer(&reply).unwrap(), phone.words);
        assert_eq!(
            self.desk.confirm(&phone.words.join(" ")).unwrap(),
            phone.keys.id()
        );
        phone
    }

    fn count(&self) -> usize {
        self.desk.entries().unwrap().len()
    }

    /// Writes the bundle and reads it as the hub and this phone would.
    fn outgoing(&mut self, again: bool) -> (Outgoing, Vec<Item>) {
        let (made, bytes) = self.desk.outgoing(Vec::new(), again).unwrap();
        let mut reader = BundleReader::new(Cursor::new(bytes)).unwrap();
        assert_eq!(reader.kind(), BundleKind::Downlink);
        let mut items = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            items.push(item);
        }
        (made, items)
    }

    /// The database, as somebody who knows the passphrase could change it.
    fn database(&self) -> Connection {
        const MIGRATIONS: Migrations = Migrations {
            application_id: 0x4C46_4445,
            steps: &[Migration {
                name: "0001",
                sql: include_str!("../src/store/0001.sql"),
            }],
        };
        let (_, vrk) = Header::open_pair(&self.home(), PASSPHRASE.as_bytes(), &NoGuard).unwrap();
        open_sqlcipher(
            &self.home().join("desk.db"),
            vrk.db_key().unwrap().expose(),
            &MIGRATIONS,
        )
        .unwrap()
    }

    fn aside(&self, sealed: &[u8]) -> (Option<Reason>, u64) {
        let digest = Digest::of(sealed);
        let row = self.desk.set_aside().unwrap();
        let row = row.iter().find(|row| row.digest == digest).expect("set aside");
        (row.reason, row.size)
    }
}

/// A phone: keys, a place in its chain, and where it seals to.
struct Phone {
    keys: DeviceKeys,
    charter: Charter,
    aud: Aud,
    to: EpochRecipient,
    downlink: MailboxId,
    next: Chain,
    words: [&'static str; 6],
    manifest: u64,
}

impl Phone {
    fn answer(invitation: &str) -> (Self, String) {
        let file = InvitationFile::from_text(invitation).unwrap();
        let (charter, manifest) = enrol::verify_file(&file).unwrap();
        let invitation = &file.invitation;
        let keys = DeviceKeys::make();
        let own = keys.recipient().unwrap();
        let transcript = transcript_hash(invitation, &keys.public_key(), own.as_bytes());
        let to = EpochRecipient::from_bytes(&manifest.newest_epoch().unwrap().recipient).unwrap();
        let downlink = MailboxId::from_bytes(random::make());
        let reply = Reply {
            device_key: keys.public_key(),
            recipient: *own.as_bytes(),
            downlink,
            write_cap: CapHash::from_bytes(random::make()),
            read_cap: CapHash::from_bytes(random::make()),
            proof: enrol::derive_proof(&invitation.secret, &transcript).unwrap(),
            app_version: "0.1.0".to_owned(),
            invitation: invitation.digest(),
            unknown: Default::default(),
        };
        let text = reply_to_text(&enrol::seal_reply(&reply, &keys.signing, &to).unwrap());
        let phone = Self {
            next: Chain {
                dev: keys.id(),
                seq: 0,
                prev: EntryHash::from_bytes(transcript),
            },
            words: words::six_words(&transcript, "en").unwrap(),
            aud: charter.aud(),
            charter,
            to,
            downlink,
            manifest: manifest.serial,
            keys,
        };
        (phone, text)
    }

    fn fields(&self, kind: Kind) -> Unsigned {
        Unsigned {
            id: EntryId::from_random(random::make()),
            kind,
            case: None,
            form: None,
            body: Answers::new(),
            sup: Vec::new(),
            aud: self.aud,
            clock: TestClock::at(START_S).read(),
            attachments: Vec::new(),
            consent: None,
            app_version: "0.1.0".to_owned(),
            role: Role::Monitor,
            provenance: Provenance::SeenByMonitor,
            lang: "en".to_owned(),
            retention: kind.usual_retention(),
            manifest_serial: self.manifest,
        }
    }

    fn tally(&self) -> Unsigned {
        let mut fields = self.fields(Kind::ArrivalEvent);
        fields.form = Some(form("arrival_tally"));
        fields.body.insert("A30".to_owned(), Answer::Integer(12));
        header::set_event_id(&mut fields.body, &EventId::from_bytes(random::make()));
        fields
    }

    /// Consent and interview of one person.
    fn interview(&self, note: &str) -> Vec<Unsigned> {
        let case = CaseId::from_bytes(random::make());
        let code = CaseCode::from_random(random::make());
        let mut consent = self.fields(Kind::Consent);
        consent.case = Some(case);
        consent.body = Consent {
            case_code: code,
            mode: ConsentMode::Spoken,
            granted: [Scope::Record].into(),
            refused: [Scope::Research].into(),
            text_id: "start_text/1".to_owned(),
            lang: "en".to_owned(),
            read_aloud: true,
            given_at: "2025-11-22T10:40:00-04:00".to_owned(),
            expires_at: "2027-02-20T10:40:00-04:00".to_owned(),
        }
        .to_body();
        let mut told = self.fields(Kind::Observation);
        told.case = Some(case);
        told.consent = Some(consent.id);
        told.form = Some(form("arrival_observation"));
        told.body.insert("K09".to_owned(), Answer::Text(note.to_owned()));
        header::set_case_code(&mut told.body, &code);
        vec![consent, told]
    }

    /// Signs at a place and does not remember it.
    fn sign_at(&self, fields: Unsigned, seq: u64, prev: EntryHash) -> Entry {
        let chain = Chain {
            dev: self.keys.id(),
            seq,
            prev,
        };
        Entry::sign(fields, chain, &self.keys.signing).unwrap()
    }

    fn sign(&mut self, fields: Unsigned) -> Entry {
        let entry = self.sign_at(fields, self.next.seq, self.next.prev);
        self.next = entry.next();
        entry
    }

    /// Signs what one finished form wrote.
    fn record(&mut self, run: Vec<Unsigned>) -> Vec<u8> {
        let frames: Vec<Vec<u8>> = run
            .into_iter()
            .map(|one| self.sign(one).bytes().to_vec())
            .collect();
        self.seal(&frames)
    }

    fn record_tally(&mut self) -> Vec<u8> {
        let fields = self.tally();
        self.record(vec![fields])
    }

    fn seal(&self, frames: &[Vec<u8>]) -> Vec<u8> {
        seal_envelope(frames, &self.to).unwrap().bytes
    }

    fn seal_entry(&self, entry: &Entry) -> Vec<u8> {
        self.seal(&[entry.bytes().to_vec()])
    }

    /// The control messages for this phone.
    fn control(&self, items: &[Item]) -> Vec<Control> {
        let own = items.iter().filter_map(|item| match item {
            Item::Downlink { mailbox, bytes } if *mailbox == self.downlink => Some(bytes),
            _ => None,
        });
        own.map(|bytes| {
            Control::open(
                bytes,
                &self.charter.desk_keys,
                &self.aud,
                &self.keys.id(),
                &Ed25519Verifier,
            )
            .unwrap()
        })
        .collect()
    }

    fn receipts(&self, items: &[Item]) -> Vec<Receipt> {
        self.control(items)
            .into_iter()
            .flat_map(|control| match control.body {
                ControlBody::Receipts(receipts) => receipts,
                _ => panic!("nothing but receipts"),
            })
            .collect()
    }

    fn receipt(&self, items: &[Item], sealed: &[u8]) -> Option<(ReceiptLevel, u8)> {
        let digest = Digest::of(sealed);
        let receipts = self.receipts(items);
        let mut own = receipts.iter().filter(|receipt| receipt.digest == digest);
        let first = own.next().map(|receipt| (receipt.level, receipt.reason));
        assert!(own.next().is_none(), "told twice in one bundle");
        first
    }
}

fn form(id: &str) -> FormRef {
    FormRef {
        id: id.to_owned(),
        version: "1".to_owned(),
        hash: Digest::from_bytes([1; 32]),
    }
}

fn bundle(envelopes: &[&[u8]]) -> Vec<u8> {
    let mut writer = BundleWriter::new(Vec::new(), BundleKind::Uplink).unwrap();
    for sealed in envelopes {
        writer.write(&Item::Envelope(sealed.to_vec())).unwrap();
    }
    writer.finish().unwrap()
}

fn acks(items: &[Item]) -> Vec<Digest> {
    let mut acks: Vec<Digest> = items
        .iter()
        .filter_map(|item| match item {
            Item::Ack { digests, .. } => Some(digests.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    acks.sort();
    acks
}

fn digests(envelopes: &[&Vec<u8>]) -> Vec<Digest> {
    let mut digests: Vec<Digest> = envelopes.iter().map(|sealed| Digest::of(sealed)).collect();
    digests.sort();
    digests
}

fn new(entries: u64) -> Ingested {
    Ingested {
        read: 1,
        new: 1,
        entries,
        ..Ingested::default()
    }
}

// ---- enrolment ----

#[test]
fn before_confirm_nothing_of_a_phone_counts_and_afterwards_all_of_it() {
    let mut bench = Bench::new();
    let text = bench.desk.invite("monitor", "", "en").unwrap();
    let (mut phone, reply) = Phone::answer(&text);
    let sealed = phone.record_tally();
    assert_eq!(bench.desk.ingest_envelope(&sealed).unwrap().held, 1);
    assert_eq!(
        bench.desk.answer(&reply).unwrap(),
        phone.words,
        "both sides show the same six"
    );
    assert_eq!(bench.desk.ingest_envelope(&sealed).unwrap().held, 1);
    assert_eq!(bench.aside(&sealed).0, Some(Reason::UnknownDevice));
    let (made, items) = bench.outgoing(false);
    assert_eq!(
        (made.capabilities, made.receipts),
        (0, 0),
        "no right before confirm"
    );
    assert!(phone.control(&items).is_empty());

    let wrong = {
        let mut words = phone.words;
        words.swap(0, 5);
        words.join(" ")
    };
    for typed in [wrong.as_str(), "", "zebra zebra zebra zebra zebra zebra"] {
        assert!(
            matches!(bench.desk.confirm(typed), Err(Error::WordsDiffer)),
            "{typed}"
        );
    }
    assert!(bench.desk.devices().unwrap().is_empty());

    assert_eq!(
        bench.desk.confirm(&phone.words.join(" ")).unwrap(),
        phone.keys.id()
    );
    let (made, items) = bench.outgoing(false);
    assert_eq!(made.capabilities, 2);
    assert_eq!(
        phone.receipt(&items, &sealed),
        Some((ReceiptLevel::Ingested, 0)),
        "what came too early is judged now, and told"
    );
    assert_eq!(bench.desk.ingest_envelope(&sealed).unwrap().known, 1);
    assert!(bench.desk.set_aside().unwrap().is_empty());
    assert_eq!(bench.count(), 1);
    assert!(matches!(
        bench.desk.confirm(&phone.words.join(" ")),
        Err(Error::WordsDiffer)
    ));
}

#[test]
fn a_used_a_late_and_a_foreign_reply_add_nothing() {
    let mut bench = Bench::new();
    let text = bench.desk.invite("monitor", "", "en").unwrap();
    let (first_phone, first) = Phone::answer(&text);
    let (second_phone, second) = Phone::answer(&text);
    bench.desk.answer(&first).unwrap();
    assert!(matches!(bench.desk.answer(&second), Err(Error::NoInvitation)));
    assert_eq!(
        bench.desk.answer(&first).unwrap(),
        first_phone.words,
        "shown once more"
    );
    assert!(matches!(
        bench.desk.confirm(&second_phone.words.join(" ")),
        Err(Error::WordsDiffer)
    ));

    let mut other = Bench::new();
    let foreign = other.desk.invite("monitor", "", "en").unwrap();
    let (_, reply) = Phone::answer(&foreign);
    assert!(bench.desk.answer(&reply).is_err(), "sealed to another desk");
    assert!(bench.desk.answer("not a reply").is_err());

    let late = bench.desk.invite("monitor", "", "en").unwrap();
    let in_time = bench.desk.invite("monitor", "", "en").unwrap();
    bench.clock.advance_s(7 * 86_400);
    bench.desk.answer(&Phone::answer(&in_time).1).unwrap();
    bench.clock.advance_s(1);
    assert!(matches!(
        bench.desk.answer(&Phone::answer(&late).1),
        Err(Error::InvitationExpired)
    ));
    assert!(bench.desk.devices().unwrap().is_empty());
    assert!(matches!(
        bench.desk.invite("king", "", "en"),
        Err(Error::UnknownRole)
    ));
    assert!(matches!(
        bench.desk.invite("monitor", "nowhere", "en"),
        Err(Error::UnknownPoint)
    ));
}

// ---- ingest ----

#[test]
fn the_same_bundle_twice_is_known_the_second_time() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let tally = phone.record_tally();
    let run = phone.interview(CANARY);
    let interview = phone.record(run);
    let file = bundle(&[&tally, &interview]);
    let mut seen = 0;
    let end = bench.desk.ingest(Cursor::new(&file), |n| seen = n).unwrap();
    assert!(end.damaged.is_none());
    assert_eq!(seen, 2);
    assert_eq!(
        (end.ingested.new, end.ingested.entries),
        (2, 3),
        "a rapid interview is two entries"
    );
    let end = bench.desk.ingest(Cursor::new(&file), |_| ()).unwrap();
    assert_eq!(
        end.ingested,
        Ingested {
            read: 2,
            known: 2,
            ..Ingested::default()
        }
    );
    assert_eq!(bench.count(), 3);
    assert_eq!(bench.desk.without_backup().unwrap(), 3);
    assert!(bench.desk.gaps().unwrap().is_empty());
}

#[test]
fn entries_sealed_anew_are_not_counted_twice() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let fields = phone.tally();
    let entry = phone.sign(fields);
    let (first, second) = (phone.seal_entry(&entry), phone.seal_entry(&entry));
    assert_ne!(first, second);
    assert_eq!(bench.desk.ingest_envelope(&first).unwrap(), new(1));
    assert_eq!(bench.desk.ingest_envelope(&second).unwrap(), new(0));
    assert_eq!(bench.count(), 1);
    let (_, items) = bench.outgoing(false);
    assert_eq!(acks(&items), digests(&[&first, &second]));
    assert_eq!(phone.receipt(&items, &second), Some((ReceiptLevel::Ingested, 0)));
}

#[test]
fn a_gap_is_reported_and_closes() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let sealed: Vec<Vec<u8>> = (0..4).map(|_| phone.record_tally()).collect();
    for place in [3, 0] {
        assert_eq!(bench.desk.ingest_envelope(&sealed[place]).unwrap(), new(1));
    }
    let gaps = bench.desk.gaps().unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(
        (gaps[0].device, &gaps[0].ranges),
        (phone.keys.id(), &vec![(1, 2)])
    );
    for place in [2, 1] {
        assert_eq!(bench.desk.ingest_envelope(&sealed[place]).unwrap(), new(1));
    }
    assert!(bench.desk.gaps().unwrap().is_empty());
    assert_eq!(bench.desk.verify().unwrap().entries.len(), 4);
}

#[test]
fn what_a_phone_says_is_gone_is_missing_no_longer() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let sealed: Vec<Vec<u8>> = (0..4).map(|_| phone.record_tally()).collect();
    bench.desk.ingest_envelope(&sealed[0]).unwrap();
    let mut fields = phone.fields(Kind::Gone);
    fields.body = Gone {
        first_seq: 1,
        last_seq: 2,
        why: GoneReason::Damaged,
    }
    .to_body()
    .unwrap();
    let gone = phone.record(vec![fields]);
    assert_eq!(bench.desk.ingest_envelope(&gone).unwrap(), new(1));
    assert_eq!(
        bench.desk.gaps().unwrap()[0].ranges,
        [(3, 3)],
        "the one that nobody explained"
    );
    bench.desk.ingest_envelope(&sealed[3]).unwrap();
    assert!(bench.desk.gaps().unwrap().is_empty());
}

#[test]
fn a_fork_is_kept_on_both_sides_and_reported() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let first = phone.record_tally();
    bench.desk.ingest_envelope(&first).unwrap();
    let clone = phone.sign_at(phone.tally(), phone.next.seq, phone.next.prev);
    let after_clone = phone.sign_at(phone.tally(), 2, clone.hash());
    let own = phone.record_tally();
    let after_own = phone.record_tally();
    for sealed in [
        own,
        after_own,
        phone.seal_entry(&clone),
        phone.seal_entry(&after_clone),
    ] {
        assert_eq!(bench.desk.ingest_envelope(&sealed).unwrap(), new(1));
    }
    assert_eq!(bench.count(), 5);
    let forks: Vec<u64> = bench.desk.forks().unwrap().iter().map(|fork| fork.seq).collect();
    assert_eq!(forks, [1, 2]);
    assert_eq!(bench.desk.verify().unwrap().bad_row, None);
}

#[test]
fn a_damaged_bundle_counts_up_to_the_damage() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let (first, second) = (phone.record_tally(), phone.record_tally());
    let mut file = bundle(&[&first, &second]);
    file.truncate(file.len() - 10);
    let end = bench.desk.ingest(Cursor::new(&file), |_| ()).unwrap();
    assert!(end.damaged.is_some());
    assert_eq!((end.ingested.new, bench.count()), (1, 1));
    let end = bench.desk.ingest(Cursor::new(b"no bundle"), |_| ()).unwrap();
    assert!(end.damaged.is_some());
    assert_eq!(end.ingested, Ingested::default());
}

// ---- what is refused ----

/// Nothing is taken; the file is kept with this reason; the next bundle says so to the phone and acknowledges it.
fn refused(bench: &mut Bench, phone: &Phone, name: &str, sealed: &[u8], reason: Reason) {
    let before = bench.count();
    let aside = bench.desk.set_aside().unwrap().len();
    let level = if reason.code() < 20 {
        ReceiptLevel::Held
    } else {
        ReceiptLevel::Unopenable
    };
    for again in 0..2 {
        let done = bench.desk.ingest_envelope(sealed).unwrap();
        let expected = if level == ReceiptLevel::Held {
            (1, 0)
        } else {
            (0, 1)
        };
        assert_eq!((done.held, done.unopenable), expected, "{name}");
        assert_eq!((done.new, done.entries, done.known), (0, 0, 0), "{name}");
        assert_eq!(bench.desk.set_aside().unwrap().len(), aside + 1, "{name} {again}");
    }
    assert_eq!(bench.aside(sealed), (Some(reason), sealed.len() as u64), "{name}");
    let kept: Vec<u8> = bench
        .database()
        .query_row(
            "SELECT sealed FROM envelope WHERE digest = ?1",
            [Digest::of(sealed).as_bytes()],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kept, sealed, "{name}");
    assert_eq!(bench.count(), before, "{name}");
    let (_, items) = bench.outgoing(false);
    assert_eq!(acks(&items), [Digest::of(sealed)], "{name}");
    assert_eq!(
        phone.receipt(&items, sealed),
        Some((level, reason.code())),
        "{name}"
    );
}

#[test]
fn what_is_wrong_is_set_aside_with_its_reason() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let mut second = bench.phone();
    let stranger = Phone::answer(&bench.desk.invite("monitor", "", "en").unwrap()).0;
    let first = phone.record_tally();
    let of_second = second.record_tally();
    bench.desk.ingest_envelope(&first).unwrap();
    bench.desk.ingest_envelope(&of_second).unwrap();
    bench.outgoing(false);
    let (seq, prev) = (phone.next.seq, phone.next.prev);
    let good = phone.sign_at(phone.tally(), seq, prev);
    let frame = good.bytes().to_vec();
    let payload = Frame::decode(&frame).unwrap().payload().to_vec();

    // Signatures.
    let mut forged = frame.clone();
    *forged.last_mut().unwrap() ^= 1;
    let sealed = phone.seal(&[forged]);
    refused(
        &mut bench,
        &phone,
        "changed signature",
        &sealed,
        Reason::Signature,
    );
    let by_another = Frame::sign(Context::Entry, &payload, &second.keys.signing);
    let sealed = phone.seal(&[by_another]);
    refused(
        &mut bench,
        &phone,
        "signed by another phone",
        &sealed,
        Reason::Signature,
    );
    let as_control = Frame::sign(Context::Control, &payload, &phone.keys.signing);
    let sealed = phone.seal(&[as_control]);
    refused(
        &mut bench,
        &phone,
        "signed for another use",
        &sealed,
        Reason::Signature,
    );

    // Whose it is.
    let mut fields = phone.tally();
    fields.aud = Aud::from_bytes([7; 32]);
    let sealed = phone.seal_entry(&phone.sign_at(fields, seq, prev));
    refused(
        &mut bench,
        &phone,
        "another organisation",
        &sealed,
        Reason::Audience,
    );
    let others = second.sign_at(second.tally(), second.next.seq, second.next.prev);
    let sealed = phone.seal(&[frame.clone(), others.bytes().to_vec()]);
    refused(&mut bench, &phone, "two phones", &sealed, Reason::MixedDevices);
    let unknown = stranger.sign_at(stranger.tally(), 0, stranger.next.prev);
    let sealed = phone.seal_entry(&unknown);
    assert_eq!(bench.desk.ingest_envelope(&sealed).unwrap().held, 1);
    assert_eq!(bench.aside(&sealed).0, Some(Reason::UnknownDevice));
    assert_eq!(acks(&bench.outgoing(false).1), [Digest::of(&sealed)]);

    // Frames that verify elsewhere and have another hash.
    assert_eq!(frame[..7], [0xD2, 0x84, 0x43, 0xA1, 0x01, 0x32, 0xA0]);
    let join = |head: &[u8], rest: &[u8]| [head, rest].concat();
    for (name, other) in [
        ("trailing byte", join(&frame, &[0])),
        ("no tag", frame[1..].to_vec()),
        (
            "long length of the header",
            join(&[0xD2, 0x84, 0x58, 0x03], &frame[3..]),
        ),
        ("long length of the array", join(&[0xD2, 0x98, 0x04], &frame[2..])),
        (
            "unprotected header",
            join(&join(&frame[..6], &[0xA1, 0x04, 0x41, 0x31]), &frame[7..]),
        ),
        (
            "array without length",
            join(&join(&[0xD2, 0x9F], &frame[2..]), &[0xFF]),
        ),
    ] {
        let sealed = phone.seal(&[other]);
        refused(&mut bench, &phone, name, &sealed, Reason::Frame);
    }

    // Chain, both ways.
    let sealed = phone.seal_entry(&phone.sign_at(phone.tally(), seq, EntryHash::from_bytes([3; 32])));
    refused(&mut bench, &phone, "wrong predecessor", &sealed, Reason::Chain);
    let sealed = phone.seal_entry(&phone.sign_at(phone.tally(), 0, EntryHash::from_bytes([3; 32])));
    refused(&mut bench, &phone, "wrong transcript", &sealed, Reason::Chain);
    let after = phone.sign_at(phone.tally(), seq + 1, good.hash());
    let sealed = phone.seal(&[after.bytes().to_vec(), frame.clone()]);
    refused(
        &mut bench,
        &phone,
        "backwards in one envelope",
        &sealed,
        Reason::Chain,
    );
    let broken = phone.sign_at(phone.tally(), seq + 1, EntryHash::from_bytes([3; 32]));
    let sealed = phone.seal(&[frame.clone(), broken.bytes().to_vec()]);
    refused(
        &mut bench,
        &phone,
        "broken in one envelope",
        &sealed,
        Reason::Chain,
    );
    let beyond = phone.sign_at(phone.tally(), seq + 1, EntryHash::from_bytes([5; 32]));
    assert_eq!(
        bench.desk.ingest_envelope(&phone.seal_entry(&beyond)).unwrap(),
        new(1)
    );
    bench.outgoing(false);
    let sealed = phone.seal_entry(&good);
    refused(
        &mut bench,
        &phone,
        "not the one named later",
        &sealed,
        Reason::Chain,
    );

    // Files.
    let whole = phone.seal_entry(&good);
    let mut tampered = whole.clone();
    let middle = tampered.len() / 2;
    tampered[middle] ^= 0x10;
    refused(&mut bench, &phone, "tampered", &tampered, Reason::Unreadable);
    refused(
        &mut bench,
        &phone,
        "cut",
        &whole[..whole.len() - 100],
        Reason::Unreadable,
    );
    refused(&mut bench, &phone, "empty", &[], Reason::Unreadable);
    let elsewhere = EpochIdentity::make().recipient().unwrap();
    let foreign = seal_envelope(std::slice::from_ref(&frame), &elsewhere)
        .unwrap()
        .bytes;
    refused(&mut bench, &phone, "another key", &foreign, Reason::NoKey);
    let nonsense = seal_file(b"no envelope", &[phone.to.clone()]).unwrap();
    refused(&mut bench, &phone, "no envelope", &nonsense, Reason::Plain);
    let no_payload = Frame::sign(Context::Entry, &[0xA0], &phone.keys.signing);
    let sealed = phone.seal(&[no_payload]);
    refused(&mut bench, &phone, "empty payload", &sealed, Reason::Payload);
    assert_eq!(bench.desk.verify().unwrap().bad_row, None);
}

#[test]
fn manifests_from_the_future_and_older_ones_again_are_refused() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    phone.manifest = 2;
    let ahead = phone.sign_at(phone.tally(), 0, phone.next.prev);
    let sealed = phone.seal_entry(&ahead);
    refused(&mut bench, &phone, "never signed", &sealed, Reason::Manifest);
    phone.manifest = 0;
    let none = phone.sign_at(phone.tally(), 0, phone.next.prev);
    let sealed = phone.seal_entry(&none);
    refused(&mut bench, &phone, "none", &sealed, Reason::Manifest);

    bench.desk.add_hub("https://hub.example").unwrap();
    phone.manifest = 2;
    let sealed = phone.record_tally();
    assert_eq!(bench.desk.ingest_envelope(&sealed).unwrap(), new(1));
    bench.outgoing(false);
    phone.manifest = 1;
    let back = phone.sign_at(phone.tally(), 1, phone.next.prev);
    let sealed = phone.seal_entry(&back);
    refused(
        &mut bench,
        &phone,
        "an older one again",
        &sealed,
        Reason::Manifest,
    );

    let mut newer = phone.tally();
    newer.manifest_serial = 2;
    let newer = phone.sign_at(newer, 1, phone.next.prev);
    let older = phone.sign_at(phone.tally(), 2, newer.hash());
    let both = phone.seal(&[newer.bytes().to_vec(), older.bytes().to_vec()]);
    refused(&mut bench, &phone, "within one envelope", &both, Reason::Manifest);
}

#[test]
fn an_older_manifest_that_came_first_is_found_as_well() {
    let mut bench = Bench::new();
    bench.desk.add_hub("https://hub.example").unwrap();
    let phone = bench.phone();
    let newer = phone.sign_at(phone.tally(), 0, phone.next.prev);
    let mut fields = phone.tally();
    fields.manifest_serial = 1;
    let older = phone.sign_at(fields, 1, newer.hash());
    bench.desk.ingest_envelope(&phone.seal_entry(&older)).unwrap();
    bench.outgoing(false);
    let sealed = phone.seal_entry(&newer);
    refused(
        &mut bench,
        &phone,
        "later, from before",
        &sealed,
        Reason::Manifest,
    );
}

#[test]
fn a_revoked_phone_is_believed_up_to_its_last_number() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let first = phone.record_tally();
    let missing = phone.record_tally();
    let third = phone.record_tally();
    bench.desk.ingest_envelope(&first).unwrap();
    bench.desk.ingest_envelope(&third).unwrap();
    bench.desk.revoke(&phone.keys.id()).unwrap();
    let later = phone.record_tally();
    let beside = phone.seal_entry(&phone.sign_at(phone.tally(), 0, {
        let entries = bench.desk.entries().unwrap();
        entries
            .iter()
            .find(|entry| entry.chain().seq == 0)
            .unwrap()
            .chain()
            .prev
    }));
    for sealed in [&later, &beside] {
        assert_eq!(bench.desk.ingest_envelope(sealed).unwrap().held, 1);
        assert_eq!(bench.aside(sealed).0, Some(Reason::Revoked));
    }
    assert_eq!(
        bench.desk.ingest_envelope(&missing).unwrap(),
        new(1),
        "the gap closes"
    );
    let (made, items) = bench.outgoing(false);
    assert_eq!(made.receipts, 0);
    let revoked = items
        .iter()
        .filter(|item| matches!(item, Item::Cap(CapOp::Revoke { .. })))
        .count();
    let caps = items.iter().filter(|item| matches!(item, Item::Cap(_))).count();
    assert_eq!((revoked, caps), (2, 2));
    assert!(matches!(
        bench.desk.revoke(&phone.keys.id()),
        Err(Error::UnknownDevice)
    ));
}

#[test]
fn a_number_that_no_chain_reaches_stops_nothing_but_itself() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let far = [u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 32];
    let mut envelopes: Vec<Vec<u8>> = far
        .into_iter()
        .map(|seq| phone.seal_entry(&phone.sign_at(phone.tally(), seq, EntryHash::from_bytes([3; 32]))))
        .collect();
    envelopes.push(phone.record_tally());
    let all: Vec<&[u8]> = envelopes.iter().map(Vec::as_slice).collect();
    let end = bench.desk.ingest(Cursor::new(bundle(&all)), |_| ()).unwrap();
    assert_eq!(
        (end.ingested.read, end.ingested.held, end.ingested.new),
        (5, 4, 1)
    );
    assert!(bench.desk.gaps().unwrap().is_empty());
}

#[test]
fn a_role_bounds_what_a_phone_may_record() {
    for role in ["returnee", "reporting_partner", "auditor"] {
        let mut bench = Bench::new();
        let phone = bench.phone_as(role);
        let sealed = phone.seal_entry(&phone.sign_at(phone.tally(), 0, phone.next.prev));
        refused(&mut bench, &phone, role, &sealed, Reason::Role);
    }
}

#[test]
fn no_flipped_bit_is_ever_taken() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let first = phone.record_tally();
    bench.desk.ingest_envelope(&first).unwrap();
    let entry = phone.sign_at(phone.tally(), 1, phone.next.prev);
    let (sealed, frame) = (phone.seal_entry(&entry), entry.bytes().to_vec());
    let mut variants = Vec::new();
    for n in 0..150 {
        let mut bytes = sealed.clone();
        let place = n * bytes.len() / 150;
        bytes[place] ^= 1 << (n % 8);
        variants.push(bytes);
    }
    for n in 0..150 {
        let mut bytes = frame.clone();
        let place = n * bytes.len() / 150;
        bytes[place] ^= 1 << (n % 8);
        variants.push(phone.seal(&[bytes]));
    }
    for n in 1..20 {
        variants.push(sealed[..sealed.len() * n / 20].to_vec());
        variants.push(phone.seal(&[frame[..frame.len() * n / 20].to_vec()]));
    }
    let total = variants.len();
    for (n, bytes) in variants.iter().enumerate() {
        let done = bench.desk.ingest_envelope(bytes).unwrap();
        assert_eq!(done.held + done.unopenable, 1, "variant {n}");
        assert_eq!(done.entries, 0, "variant {n}");
    }
    assert_eq!(bench.count(), 1);
    assert_eq!(bench.desk.set_aside().unwrap().len(), total);
    assert_eq!(
        bench.desk.ingest_envelope(&sealed).unwrap(),
        new(1),
        "the whole one is taken"
    );
}

// ---- backup ----

#[test]
fn only_a_backup_makes_a_receipt_backed_up() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let sealed = phone.record_tally();
    bench.desk.ingest_envelope(&sealed).unwrap();
    let (_, items) = bench.outgoing(false);
    assert_eq!(phone.receipt(&items, &sealed), Some((ReceiptLevel::Ingested, 0)));
    let first = phone.control(&items)[0].serial;

    let medium = bench.dir.path().join("stick");
    let done = bench.desk.backup(&medium).unwrap();
    assert_eq!((done.envelopes, done.entries), (1, 1));
    assert_eq!(bench.desk.without_backup().unwrap(), 0);
    let (made, items) = bench.outgoing(false);
    assert_eq!(phone.receipt(&items, &sealed), Some((ReceiptLevel::BackedUp, 0)));
    assert_eq!(made.acks, 0, "acknowledged before");
    let control = &phone.control(&items)[0];
    assert!(control.serial > first);
    assert_eq!((control.aud, control.dev), (phone.aud, phone.keys.id()));

    let copy = Desk::open(&medium, PASSPHRASE, bench.clock.clone()).unwrap();
    let hashes = |desk: &Desk| -> Vec<EntryHash> {
        desk.entries().unwrap().iter().map(|entry| entry.hash()).collect()
    };
    assert_eq!(hashes(&copy), hashes(&bench.desk));
    assert_eq!(copy.verify().unwrap().bad_row, None);
}

#[test]
fn a_copy_that_differs_marks_nothing() {
    for name in ["desk.db", "keyring.age", "header-1", "header-2"] {
        let mut bench = Bench::new();
        let mut phone = bench.phone();
        let sealed = phone.record_tally();
        bench.desk.ingest_envelope(&sealed).unwrap();
        let medium = bench.dir.path().join("stick");
        let path = medium.join(name);
        let spoil = || {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        };
        let error = bench.desk.backup_after(&medium, spoil).unwrap_err();
        assert!(
            matches!(error, Error::Backup { what } if what == name),
            "{error:?}"
        );
        assert_eq!(error.exit_code(), 4);
        assert_eq!(bench.desk.without_backup().unwrap(), 1);
        let (_, items) = bench.outgoing(false);
        assert_eq!(phone.receipt(&items, &sealed), Some((ReceiptLevel::Ingested, 0)));
        bench.desk.backup(&medium).unwrap();
        assert_eq!(bench.desk.without_backup().unwrap(), 0);
    }
}

#[test]
fn the_home_is_no_second_medium() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let sealed = phone.record_tally();
    bench.desk.ingest_envelope(&sealed).unwrap();
    for medium in [
        bench.home(),
        bench.home().join("att"),
        bench.home().join("../home"),
    ] {
        assert!(matches!(bench.desk.backup(&medium), Err(Error::SameMedium)));
    }
    assert_eq!(bench.desk.without_backup().unwrap(), 1);
}

#[test]
fn a_log_left_on_the_medium_does_not_outlive_the_next_copy() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let medium = bench.dir.path().join("stick");
    bench.desk.backup(&medium).unwrap();
    fs::write(medium.join("desk.db-wal"), b"of an older copy").unwrap();
    let sealed = phone.record_tally();
    bench.desk.ingest_envelope(&sealed).unwrap();
    bench.desk.backup(&medium).unwrap();
    assert!(!medium.join("desk.db-wal").exists());
    assert!(!medium.join(".read-back").exists());
    let copy = Desk::open(&medium, PASSPHRASE, bench.clock.clone()).unwrap();
    assert_eq!(copy.entries().unwrap().len(), 1);
}

// ---- outgoing ----

#[test]
fn everything_is_told_once_and_again_when_it_was_not_heard() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let mut other = bench.phone();
    let good = phone.record_tally();
    let of_other = other.record_tally();
    let held = phone.seal_entry(&phone.sign_at(phone.tally(), 1, EntryHash::from_bytes([3; 32])));
    let cut = good[..good.len() - 1].to_vec();
    let all = [&good, &of_other, &held, &cut];
    for sealed in all {
        bench.desk.ingest_envelope(sealed).unwrap();
    }
    let (made, items) = bench.outgoing(false);
    assert_eq!(acks(&items), digests(&all));
    assert_eq!((made.acks, made.devices, made.capabilities), (4, 2, 4));
    assert_eq!(phone.receipts(&items).len(), 3);
    assert_eq!(
        other.receipts(&items).len(),
        2,
        "whose the cut one is, nobody knows"
    );
    assert_eq!(
        phone.receipt(&items, &of_other),
        None,
        "told to its own phone alone"
    );
    let serial = phone.control(&items)[0].serial;

    let (made, items) = bench.outgoing(false);
    assert_eq!((made.receipts, made.devices, made.acks), (0, 0, 0));
    assert!(phone.control(&items).is_empty());

    bench.desk.ingest_envelope(&good).unwrap();
    let (_, items) = bench.outgoing(false);
    assert_eq!(acks(&items), digests(&[&good]));
    assert_eq!(phone.receipts(&items).len(), 1);
    assert_eq!(phone.receipt(&items, &good), Some((ReceiptLevel::Ingested, 0)));
    assert_eq!(phone.control(&items)[0].serial, serial + 1);

    let (made, items) = bench.outgoing(true);
    assert_eq!(acks(&items), digests(&all));
    assert_eq!(made.receipts, 5);
    bench.clock.advance_s(61 * 86_400);
    assert_eq!(
        bench.outgoing(true).0.receipts,
        0,
        "older than the hub keeps anything"
    );
}

// ---- verify ----

#[test]
fn a_changed_row_is_named() {
    for change in [
        "UPDATE entry SET frame = CAST(substr(frame, 1, 60) || x'FF' || substr(frame, 62) AS BLOB) WHERE seq = 1",
        "UPDATE entry SET frame = (SELECT frame FROM entry WHERE seq = 2) WHERE seq = 1",
        "UPDATE entry SET hash = zeroblob(32) WHERE seq = 1",
        "UPDATE entry SET prev = zeroblob(32) WHERE seq = 1",
        "UPDATE entry SET manifest = 9 WHERE seq = 1",
        "UPDATE entry SET kind = 'case' WHERE seq = 1",
    ] {
        let mut bench = Bench::new();
        let mut phone = bench.phone();
        for _ in 0..3 {
            let sealed = phone.record_tally();
            bench.desk.ingest_envelope(&sealed).unwrap();
        }
        let good = bench.desk.verify().unwrap();
        assert_eq!((good.entries.len(), good.bad_row), (3, None));
        assert_eq!(bench.database().execute(change, []).unwrap(), 1, "{change}");
        let found = bench.desk.verify().unwrap();
        assert_eq!(found.bad_row, Some(2), "{change}");
        assert_eq!(found.entries, good.entries[..1], "{change}");
    }
}

// ---- home ----

#[test]
fn a_home_opens_with_its_passphrase_only_and_is_never_made_twice() {
    let bench = Bench::new();
    let clock = bench.clock.clone();
    let elsewhere = bench.dir.path().join("elsewhere");
    let keys = bench.dir.path().join("keys");
    let other_keys = bench.dir.path().join("other-keys");
    assert!(matches!(
        Desk::open(&bench.home(), "otter", clock.clone()),
        Err(Error::WrongPassphrase)
    ));
    assert!(matches!(
        Desk::open(&elsewhere, PASSPHRASE, clock.clone()),
        Err(Error::NoDesk)
    ));
    let init = |home: &Path, keys: &Path| {
        Desk::init(home, "Other", keys, "x", &costs(), bench.clock.clone()).map(|_| ())
    };
    assert!(matches!(init(&bench.home(), &other_keys), Err(Error::DeskExists)));
    assert!(matches!(init(&elsewhere, &keys), Err(Error::KeysExist)));
    assert!(!elsewhere.exists() && !other_keys.exists());
    let desk = Desk::open(&bench.home(), PASSPHRASE, clock).unwrap();
    assert_eq!(desk.organisation().unwrap(), "Our network");
}

#[test]
fn a_damaged_keyring_is_named() {
    let bench = Bench::new();
    let path = bench.home().join("keyring.age");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(
        Desk::open(&bench.home(), PASSPHRASE, bench.clock.clone()),
        Err(Error::Keyring)
    ));
}

fn scan(folder: &Path, words: &[&[u8]], files: &mut usize) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            scan(&path, words, files);
            continue;
        }
        *files += 1;
        let bytes = fs::read(&path).unwrap();
        for word in words {
            let found = bytes.windows(word.len()).any(|window| window == *word);
            assert!(!found, "{} holds a canary", path.display());
        }
    }
}

#[test]
fn no_file_of_the_desk_holds_a_word_in_clear() {
    let mut bench = Bench::new();
    let mut phone = bench.phone();
    let run = phone.interview(CANARY);
    let sealed = phone.record(run);
    bench.desk.ingest_envelope(&sealed).unwrap();
    let stored = bench.desk.entries().unwrap();
    let told = stored
        .iter()
        .find(|entry| entry.fields().kind == Kind::Observation)
        .unwrap();
    assert_eq!(
        told.fields().body.get("K09"),
        Some(&Answer::Text(CANARY.to_owned())),
        "the desk itself reads it"
    );
    bench.outgoing(false);
    let medium = bench.dir.path().join("stick");
    bench.desk.backup(&medium).unwrap();
    let words: [&[u8]; 3] = [CANARY.as_bytes(), PASSPHRASE.as_bytes(), b"Our network"];
    let mut files = 0;
    scan(bench.dir.path(), &words, &mut files);
    bench.desk.close().unwrap();
    scan(bench.dir.path(), &words, &mut files);
    assert!(files > 10);
}
