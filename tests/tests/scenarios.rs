//! Whole scenarios with named people: Amina and Joseph count at two points (the standard pack knows no airport yet, so
//! Amina stands at Malpasse), the Desk is not online. A real
//! hub and a real desk in this process, a link that behaves badly on purpose, clocks that stand where they are put.
//! What a phone has called saved is at the desk at the end, once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use landfall_desk::{Costs, Desk};
use landfall_hub::store::SqliteStore;
use landfall_hub::{Config, Limits, Running, StoreUrl};
use landfall_seal::{Ed25519Verifier, Tuning, passphrase::WorkFactor, random};
use landfall_sync::carry::{self, AdminFile, CourierFile, Patience};
use landfall_sync::courier::{Budget, run_once};
use landfall_sync::rng::FnRng;
use landfall_sync::transport::Answer;
use landfall_sync::{Failure, HubAdmin, HubClient, Outbox, Transport};
use landfall_tests::device::Device;
use landfall_tests::link::{Link, Weather};
use landfall_wire::clock::TestClock;
use landfall_wire::hub::{AdminOutcome, AdminRequest, Page, Presence, PutAnswer};
use landfall_wire::ids::{Capability, Digest, MailboxId};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-03-09 19:20 UTC.
const NOW: i64 = 1_773_084_000;
const DESK_PASSPHRASE: &str = "verbena quartzite lantern orchard";
/// No pauses: what fails here is tried again at once.
const AT_ONCE: Patience = Patience {
    tries: 4,
    first_ms: 0,
    longest_ms: 0,
};

/// A hub, a desk and the two links to the hub: the field's, which can be bad, and the office's.
struct World {
    dir: TempDir,
    clock: Arc<TestClock>,
    hub: Option<Running>,
    field: Link,
    office: Link,
    desk: Option<Desk>,
    courier: CourierFile,
    admin: AdminFile,
    files: Cell<u32>,
}

fn serve(dir: &Path, clock: &Arc<TestClock>) -> Running {
    landfall_hub::serve(Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: StoreUrl::Sqlite(dir.join("hub/hub.db")),
        limits: Limits::default(),
        clock: Arc::<TestClock>::clone(clock),
    })
    .unwrap()
}

impl World {
    fn found(seed: u64) -> World {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(NOW));
        fs::create_dir(dir.path().join("hub")).unwrap();
        let store = StoreUrl::Sqlite(dir.path().join("hub/hub.db"));
        let (_, admin_cap) = landfall_hub::init(&store, clock.as_ref()).unwrap();
        let hub = serve(dir.path(), &clock);
        let field = Link::start(hub.addr(), seed).unwrap();
        let office = Link::start(hub.addr(), 0).unwrap();
        let costs = Costs {
            tuning: Tuning::desk_for_tests(),
            work: WorkFactor::for_tests(),
        };
        let (home, recovery) = (dir.path().join("desk"), dir.path().join("recovery"));
        let desk_clock: Arc<TestClock> = Arc::clone(&clock);
        let (mut desk, _) =
            Desk::init(&home, "Practice", &recovery, DESK_PASSPHRASE, &costs, desk_clock).unwrap();
        let (read_cap, downlink_cap) = desk.add_hub(&field.url()).unwrap();
        let courier = CourierFile {
            url: office.url(),
            inbox: desk.inbox().unwrap(),
            read_cap,
            downlink_cap,
        };
        let admin = AdminFile {
            url: office.url(),
            admin_cap,
        };
        World {
            dir,
            clock,
            hub: Some(hub),
            field,
            office,
            desk: Some(desk),
            courier,
            admin,
            files: Cell::new(0),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn fresh(&self, name: &str) -> PathBuf {
        self.files.set(self.files.get() + 1);
        self.path(&format!("{}-{name}.landfall", self.files.get()))
    }

    fn desk(&mut self) -> &mut Desk {
        self.desk.as_mut().unwrap()
    }

    fn stop_hub(&mut self) {
        self.hub.take().unwrap().stop().unwrap();
    }

    fn start_hub(&mut self) {
        let hub = serve(self.dir.path(), &self.clock);
        self.field.aim(hub.addr());
        self.office.aim(hub.addr());
        self.hub = Some(hub);
    }

    /// The store's file as it is now, while the hub stands still.
    fn copy_hub(&mut self, to: &Path) {
        self.stop_hub();
        SqliteStore::backup(&self.path("hub/hub.db"), to).unwrap();
        self.start_hub();
    }

    fn remove_hub_files(&self) {
        for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
            let path = self.path("hub").join(name);
            if path.exists() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    fn enrol(&mut self, phone: &mut Phone, point: &str, passcode: &str) {
        phone.ok(json!({"cmd": "device", "home": phone.home, "guard_seed": "07".repeat(32)}));
        phone.ok(json!({"cmd": "clock", "set": {"wall_s": NOW, "tz_min": -300}}));
        let invitation = self.desk().invite("monitor", point, "en").unwrap();
        let step = phone.ok(json!({"cmd": "enrol_begin", "invitation": invitation, "passcode": passcode}));
        let words = self.desk().answer(step["reply"].as_str().unwrap()).unwrap();
        assert_eq!(json!(words), step["words"]);
        self.desk().confirm(&words.join(" ")).unwrap();
        phone.ok(json!({"cmd": "enrol_confirm", "passcode": passcode}));
        phone.ok(json!({"cmd": "unlock", "passcode": passcode}));
        self.send_out();
    }

    fn amina(&mut self) -> Phone {
        let mut phone = Phone::here(&self.path("amina"));
        self.enrol(&mut phone, "malpasse", "marigold-4815");
        phone
    }

    fn joseph(&mut self) -> Phone {
        let mut phone = Phone::here(&self.path("joseph"));
        self.enrol(&mut phone, "ouanaminthe", "anise-7720-fern");
        phone
    }

    fn pull(&self) -> PathBuf {
        let client = HubClient::for_url(&self.courier.url).unwrap();
        let out = self.fresh("pulled");
        carry::pull_with(&client, &self.courier, &out, AT_ONCE, &mut FnRng(random::fill)).unwrap();
        out
    }

    /// New envelopes, new entries, known envelopes.
    fn ingest(&mut self, bundle: &Path) -> (u64, u64, u64) {
        let end = self
            .desk()
            .ingest(fs::File::open(bundle).unwrap(), |_| {})
            .unwrap();
        assert!(end.damaged.is_none());
        let did = end.ingested;
        assert_eq!((did.held, did.unopenable), (0, 0), "{did:?}");
        (did.new, did.entries, did.known)
    }

    fn back_up(&mut self) {
        let medium = self.path("medium");
        self.desk().backup(&medium).unwrap();
    }

    /// What the desk has to say, as a bundle, and the number of receipts in it.
    fn outgoing(&mut self) -> (PathBuf, u64) {
        let path = self.fresh("outgoing");
        let out = fs::File::create_new(&path).unwrap();
        let (said, _) = self.desk().outgoing(out, false).unwrap();
        (path, said.receipts)
    }

    fn push(&self, bundle: &Path) {
        let client = HubClient::for_url(&self.courier.url).unwrap();
        let mut rng = FnRng(random::fill);
        carry::push_with(
            &client,
            &self.courier,
            Some(&self.admin),
            bundle,
            AT_ONCE,
            &mut rng,
        )
        .unwrap();
    }

    fn send_out(&mut self) -> u64 {
        let (bundle, receipts) = self.outgoing();
        self.push(&bundle);
        receipts
    }

    /// An evening at the desk: pull, ingest, back up, answer.
    fn round(&mut self) -> (u64, u64, u64) {
        let pulled = self.pull();
        let did = self.ingest(&pulled);
        self.back_up();
        self.send_out();
        did
    }

    /// The desk holds exactly what these phones have called saved, hash by hash, and misses nothing.
    fn assert_complete(&mut self, phones: &mut [&mut Phone]) {
        let mut here: Vec<String> = self
            .desk()
            .entries()
            .unwrap()
            .iter()
            .map(|entry| entry.hash().to_hex())
            .collect();
        let mut told: Vec<String> = Vec::new();
        for phone in phones {
            let answer = phone.ok(json!({"cmd": "acknowledged"}));
            told.extend(
                answer["entries"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|hash| hash.as_str().unwrap().to_owned()),
            );
        }
        here.sort_unstable();
        told.sort_unstable();
        assert!(!told.is_empty());
        assert_eq!(here, told, "hash by hash");
        assert_eq!(self.desk().gaps().unwrap(), []);
        assert_eq!(self.desk().forks().unwrap(), []);
    }
}

/// A phone of this process, or one in a process of its own.
enum Hand {
    Here(Box<Device>),
    Process(Child, BufReader<std::process::ChildStdout>),
}

struct Phone {
    hand: Hand,
    home: PathBuf,
}

impl Phone {
    fn here(home: &Path) -> Phone {
        Phone {
            hand: Hand::Here(Box::new(Device::new())),
            home: home.to_owned(),
        }
    }

    /// A process whose temporary files go to `tmp` and whose complaints go to `log`.
    fn process(home: &Path, tmp: &Path, log: &Path) -> Phone {
        let mut child = Command::new(env!("CARGO_BIN_EXE_landfall-device"))
            .env("TMPDIR", tmp)
            .env("SQLITE_TMPDIR", tmp)
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create_new(log).unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Phone {
            hand: Hand::Process(child, output),
            home: home.to_owned(),
        }
    }

    fn ok(&mut self, line: Value) -> Value {
        let answer = match &mut self.hand {
            Hand::Here(device) => device.line(&line.to_string()),
            Hand::Process(child, output) => {
                writeln!(child.stdin.as_mut().unwrap(), "{line}").unwrap();
                let mut answer = String::new();
                output.read_line(&mut answer).unwrap();
                answer
            }
        };
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["ok"], true, "{line} -> {answer}");
        answer
    }

    fn tally(&mut self, extra: Value) -> Value {
        let mut answers = json!({
            "A02": "DOM-HTI", "A05": "bus", "A08": "deportation", "A09": "official", "A10": "no", "A11": "full",
            "A12": ["police_arr"], "A20": "counted", "A21": "no", "A77": "none", "N_m_adult": 12,
        });
        answers
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let saved = self.ok(json!({"cmd": "tally", "answers": answers}));
        assert_eq!(saved["outcome"], "saved");
        saved
    }

    fn interview(&mut self, event: &Value) -> Value {
        let saved = self.ok(json!({"cmd": "interview", "event": event, "answers": {
            "K06": "private", "K03": "yes", "P01": "male", "P02": "a25_59", "P07": "alone", "D01": ["passport"],
            "RF": ["none"], "W03": "no",
        }}));
        assert_eq!(saved["outcome"], "saved");
        saved
    }

    fn carry(&mut self) -> Value {
        self.ok(json!({"cmd": "courier"}))
    }

    /// States of the records, sorted.
    fn states(&mut self) -> Vec<String> {
        let answer = self.ok(json!({"cmd": "records"}));
        let rows = answer["records"].as_array().unwrap();
        let mut states: Vec<String> = rows
            .iter()
            .map(|row| row["state"].as_str().unwrap().to_owned())
            .collect();
        states.sort_unstable();
        states
    }

    /// Carries until no record is in this state any more.
    fn carry_until_none_is(&mut self, state: &str) {
        for _ in 0..400 {
            self.carry();
            if !self.states().iter().any(|other| other == state) {
                return;
            }
        }
        panic!("the link never lets it through: {:?}", self.states());
    }

    fn outbox(&self) -> Outbox {
        Outbox::open(&self.home.join("outbox.db")).unwrap()
    }

    /// Sealed bytes that lie on the phone.
    fn sealed(&self) -> usize {
        let outbox = self.outbox();
        let rows = outbox.records().unwrap();
        rows.iter()
            .filter(|row| outbox.bytes(&row.digest).unwrap().is_some())
            .count()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if let Hand::Process(child, _) = &mut self.hand {
            drop(child.stdin.take());
            drop(child.wait());
        }
    }
}

#[test]
fn amina_records_offline_all_morning_and_a_bad_link_delivers_everything_once() {
    let mut world = World::found(20_260_309);
    let mut amina = world.amina();
    world.field.set(Weather::Closed);
    for morning in 0..8 {
        amina.ok(json!({"cmd": "clock", "advance_s": 1_500}));
        let tally = amina.tally(json!({"N_m_adult": 10 + morning}));
        if morning % 2 == 0 {
            amina.interview(&tally["event"]);
        }
    }
    amina.ok(json!({"cmd": "lock"}));
    let report = amina.carry();
    assert_eq!((&report["handed"], &report["waiting"]), (&json!(0), &json!(16)));
    assert_eq!(amina.states(), ["saved"; 12]);

    world.field.set(Weather::Bad);
    amina.carry_until_none_is("saved");
    assert_eq!(amina.states(), ["mailbox"; 12]);
    let stats = world.field.stats();
    assert!(stats.lost_after + stats.cut_answers > 0, "{stats:?}");
    assert!(
        stats.lost_before + stats.too_many + stats.portals > 0,
        "{stats:?}"
    );

    // The desk has it, and has no copy of it yet: the phone keeps everything.
    let pulled = world.pull();
    assert_eq!(world.ingest(&pulled), (12, 16, 0));
    world.send_out();
    amina.carry_until_none_is("mailbox");
    assert_eq!(amina.states(), ["received"; 12]);
    assert_eq!(
        amina.sealed(),
        12,
        "nothing leaves the phone before it is backed up"
    );

    world.back_up();
    world.send_out();
    amina.carry_until_none_is("received");
    assert_eq!(amina.states(), ["backed_up"; 12]);
    assert_eq!(amina.sealed(), 0);
    world.assert_complete(&mut [&mut amina]);
}

#[test]
fn josephs_bundle_goes_by_hand_from_a_locked_phone_and_its_second_copy_changes_nothing() {
    let mut world = World::found(1);
    let (mut amina, mut joseph) = (world.amina(), world.joseph());
    world.field.set(Weather::Closed);
    amina.tally(json!({}));
    let event = joseph.tally(json!({}))["event"].clone();
    joseph.interview(&event);
    joseph.ok(json!({"cmd": "lock"}));

    let stick = world.path("stick.landfall");
    assert_eq!(joseph.ok(json!({"cmd": "export", "path": stick}))["records"], 2);
    let copy = world.path("copy.landfall");
    fs::copy(&stick, &copy).unwrap();
    assert_eq!(world.ingest(&stick), (2, 3, 0));
    let before = world.desk().verify().unwrap().entries;
    assert_eq!(world.ingest(&copy), (0, 0, 2), "known");
    assert_eq!(world.desk().verify().unwrap().entries, before);
    assert_eq!(joseph.states(), ["saved", "saved"]);

    // The answer comes back by hand as well, and says nothing to whom it does not concern.
    world.back_up();
    let (answer, receipts) = world.outgoing();
    assert_eq!(receipts, 2);
    let report = joseph.ok(json!({"cmd": "import", "path": answer}));
    assert_eq!((&report["received"], &report["purged"]), (&json!(3), &json!(3)));
    assert_eq!(
        (joseph.states(), joseph.sealed()),
        (vec!["backed_up".to_owned(); 2], 0)
    );

    // The same answer lies at the hub too, and the same records come once more over the network.
    world.push(&answer);
    world.field.set(Weather::Good);
    assert_eq!(joseph.carry()["purged"], 0);
    amina.carry();
    assert_eq!(world.round(), (1, 1, 0));
    amina.carry();
    assert_eq!(amina.states(), ["backed_up"]);
    world.assert_complete(&mut [&mut amina, &mut joseph]);
}

#[test]
fn a_lost_pull_bundle_costs_nothing() {
    let mut world = World::found(2);
    let mut amina = world.amina();
    let event = amina.tally(json!({}))["event"].clone();
    amina.interview(&event);
    amina.carry();
    let lost = world.pull();
    fs::remove_file(lost).unwrap();
    amina.tally(json!({}));
    amina.carry();
    // The desk says what it knows, which is nothing: the hub is told to delete nothing.
    world.back_up();
    assert_eq!(world.send_out(), 0);
    assert_eq!(amina.carry()["purged"], 0);
    assert_eq!(amina.states(), ["mailbox"; 3]);
    assert_eq!(world.round(), (3, 4, 0));
    amina.carry();
    assert_eq!(amina.states(), ["backed_up"; 3]);
    world.assert_complete(&mut [&mut amina]);
}

#[test]
fn a_lost_answer_is_said_again_when_the_records_come_again() {
    let mut world = World::found(3);
    let (mut amina, mut joseph) = (world.amina(), world.joseph());
    amina.tally(json!({}));
    amina.carry();
    // By the hub: it was not told to delete anything, so the records come with the next pull.
    let pulled = world.pull();
    assert_eq!(world.ingest(&pulled), (1, 1, 0));
    world.back_up();
    let (lost, receipts) = world.outgoing();
    assert_eq!(receipts, 1);
    fs::remove_file(lost).unwrap();
    amina.carry();
    assert_eq!(amina.states(), ["mailbox"]);
    assert_eq!(world.round(), (0, 0, 1));
    amina.carry();
    assert_eq!(amina.states(), ["backed_up"]);

    // By hand: the phone hands over what it has no receipt for.
    joseph.tally(json!({}));
    for expected in [(1, 1, 0), (0, 0, 1)] {
        let stick = world.fresh("stick");
        joseph.ok(json!({"cmd": "export", "path": stick}));
        assert_eq!(world.ingest(&stick), expected);
        world.back_up();
        let (answer, receipts) = world.outgoing();
        assert_eq!(receipts, 1);
        if expected.0 == 0 {
            joseph.ok(json!({"cmd": "import", "path": answer}));
        }
        assert_eq!(
            joseph.states(),
            [if expected.0 == 0 { "backed_up" } else { "saved" }]
        );
    }
    world.assert_complete(&mut [&mut amina, &mut joseph]);
}

/// How a hub goes back in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    /// `restore`: the store has a new mark.
    Restored,
    /// A snapshot of the machine follows no procedure: the same mark, rows missing.
    Snapshot,
}

#[test]
fn a_hub_that_went_back_in_time_gets_everything_again_and_the_desk_counts_it_once() {
    for back in [Back::Restored, Back::Snapshot] {
        let mut world = World::found(4);
        let mut amina = world.amina();
        let copy = world.path("hub-copy.db");
        world.copy_hub(&copy);
        // One record all the way, so that something came down; one that the desk has and has not copied; one that only
        // the hub has.
        amina.tally(json!({"N_m_adult": 1}));
        amina.carry();
        world.round();
        amina.carry();
        amina.tally(json!({"N_m_adult": 2}));
        amina.carry();
        let pulled = world.pull();
        world.ingest(&pulled);
        world.send_out();
        amina.carry();
        amina.tally(json!({"N_m_adult": 3}));
        amina.carry();
        assert_eq!(amina.states(), ["backed_up", "mailbox", "received"], "{back:?}");

        world.stop_hub();
        world.remove_hub_files();
        match back {
            Back::Restored => {
                SqliteStore::restore(&copy, &world.path("hub/hub.db")).unwrap();
            }
            Back::Snapshot => {
                fs::copy(&copy, world.path("hub/hub.db")).unwrap();
            }
        }
        world.start_hub();
        let report = amina.carry();
        assert_eq!(report["handed"], 2, "{back:?}: {report}");
        assert_eq!(amina.states(), ["backed_up", "mailbox", "mailbox"], "{back:?}");
        assert_eq!(world.round(), (1, 1, 1), "{back:?}: one is new, one is known");
        amina.carry();
        assert_eq!(amina.states(), ["backed_up"; 3], "{back:?}");
        world.assert_complete(&mut [&mut amina]);
    }
}

#[test]
fn a_snapshot_that_no_phone_can_see_is_healed_when_patience_ends() {
    let mut world = World::found(5);
    let mut amina = world.amina();
    let copy = world.path("hub-copy.db");
    world.copy_hub(&copy);
    amina.tally(json!({}));
    amina.carry();
    assert_eq!(amina.states(), ["mailbox"]);
    world.stop_hub();
    world.remove_hub_files();
    fs::copy(&copy, world.path("hub/hub.db")).unwrap();
    world.start_hub();
    amina.carry();
    assert_eq!(world.round(), (0, 0, 0), "the mailbox lost it");
    amina.ok(json!({"cmd": "clock", "advance_s": 31 * 86_400}));
    amina.carry();
    assert_eq!(world.round(), (1, 1, 0));
    amina.carry();
    assert_eq!(amina.states(), ["backed_up"]);
    world.assert_complete(&mut [&mut amina]);
}

#[test]
fn a_desk_that_was_set_up_again_from_its_backup_opens_what_comes_later() {
    let mut world = World::found(6);
    let (mut amina, mut joseph) = (world.amina(), world.joseph());
    amina.tally(json!({}));
    amina.carry();
    world.round();
    amina.carry();
    assert_eq!(amina.states(), ["backed_up"]);

    // The laptop is gone; the second medium becomes the desk. That takes a while.
    world.clock.advance_s(600);
    drop(world.desk.take());
    fs::remove_dir_all(world.path("desk")).unwrap();
    let clock: Arc<TestClock> = Arc::clone(&world.clock);
    let again = world.path("desk");
    fs::create_dir(&again).unwrap();
    for file in fs::read_dir(world.path("medium")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), again.join(file.file_name())).unwrap();
    }
    world.desk = Some(Desk::open(&again, DESK_PASSPHRASE, clock).unwrap());
    assert_eq!(
        world.desk().entries().unwrap().len(),
        1,
        "what was backed up is there"
    );

    let event = amina.tally(json!({}))["event"].clone();
    amina.interview(&event);
    joseph.tally(json!({}));
    amina.carry();
    joseph.carry();
    let pulled = world.pull();
    assert_eq!(world.ingest(&pulled), (3, 4, 0));
    // The copy was made before the desk's last answer: what it says now must still be news to the phones.
    world.back_up();
    assert_eq!(
        world.send_out(),
        4,
        "three new ones, and the one whose answer the copy does not know"
    );
    amina.carry();
    joseph.carry();
    assert_eq!(amina.states(), ["backed_up"; 3]);
    assert_eq!(joseph.states(), ["backed_up"]);
    world.assert_complete(&mut [&mut amina, &mut joseph]);
}

/// Requests of phone and desk, counted; the hub is stopped and started again before or during one of them.
struct Restarting<'a> {
    world: &'a RefCell<World>,
    client: RefCell<HubClient>,
    count: Cell<usize>,
    at: usize,
    during: bool,
}

impl Restarting<'_> {
    fn pass<T>(&self, request: impl Fn(&HubClient) -> Result<T, Failure>) -> Result<T, Failure> {
        let number = self.count.replace(self.count.get() + 1);
        let restart = || {
            let mut world = self.world.borrow_mut();
            world.stop_hub();
            world.start_hub();
        };
        if number != self.at {
            return request(&self.client.borrow());
        }
        if self.during {
            // Done, and nobody hears of it.
            let done = request(&self.client.borrow());
            restart();
            return done.and(Err(Failure::Broken));
        }
        restart();
        request(&self.client.borrow())
    }
}

impl Transport for Restarting<'_> {
    fn put(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure> {
        self.pass(|client| client.put(mailbox, capability, bytes, again))
    }

    fn have(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<Vec<Presence>>, Failure> {
        self.pass(|client| client.have(mailbox, capability, digests))
    }

    fn page(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        after: u64,
        limit: u32,
    ) -> Result<Page, Failure> {
        self.pass(|client| client.page(mailbox, capability, after, limit))
    }

    fn ack(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<u32>, Failure> {
        self.pass(|client| client.ack(mailbox, capability, digests))
    }

    fn put_slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
    ) -> Result<Answer<PutAnswer>, Failure> {
        self.pass(|client| client.put_slice(mailbox, capability, bytes))
    }

    fn slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digest: &Digest,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        self.pass(|client| client.slice(mailbox, capability, digest))
    }
}

impl HubAdmin for Restarting<'_> {
    fn administer(&self, capability: &Capability, request: &AdminRequest) -> Result<AdminOutcome, Failure> {
        self.pass(|client| client.administer(capability, request))
    }
}

#[test]
fn the_hub_is_started_again_between_and_during_any_two_requests_of_a_delivery() {
    let mut world = World::found(7);
    let mut amina = world.amina();
    let outbox = amina.outbox();
    let clock = Arc::clone(&world.clock);
    let (courier, admin) = (world.courier.clone(), world.admin.clone());
    let world = RefCell::new(world);
    for during in [false, true] {
        let mut at = 0;
        loop {
            amina.tally(json!({}));
            let hub = Restarting {
                world: &world,
                client: RefCell::new(HubClient::for_url(&courier.url).unwrap()),
                count: Cell::new(0),
                at,
                during,
            };
            let carry_once = || {
                let mut rng = FnRng(random::fill);
                let budget = Budget::ms(60_000).manual();
                run_once(&outbox, &hub, &Ed25519Verifier, clock.as_ref(), &mut rng, &budget).unwrap();
            };
            carry_once();
            carry_once();
            let pulled = world.borrow().fresh("pulled");
            carry::pull_with(&hub, &courier, &pulled, AT_ONCE, &mut FnRng(random::fill)).unwrap();
            let did = world.borrow_mut().ingest(&pulled);
            assert_eq!((did.0, did.1), (1, 1), "request {at}, during: {during}");
            world.borrow_mut().back_up();
            let (answer, _) = world.borrow_mut().outgoing();
            carry::push_with(
                &hub,
                &courier,
                Some(&admin),
                &answer,
                AT_ONCE,
                &mut FnRng(random::fill),
            )
            .unwrap();
            carry_once();
            carry_once();
            assert!(
                amina.states().iter().all(|state| state == "backed_up"),
                "request {at}, during: {during}: {:?}",
                amina.states()
            );
            assert_eq!(amina.sealed(), 0);
            if hub.count.get() <= at {
                break;
            }
            at += 1;
        }
        assert!(at > 6, "a delivery is more than {at} requests");
    }
    world.into_inner().assert_complete(&mut [&mut amina]);
}

/// Every file below `dir` that holds one of `words`, but for those named.
fn find(dir: &Path, words: &[Vec<u8>], but: &[&str]) -> Vec<(PathBuf, usize)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if but.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        files += 1;
        let content = fs::read(&path).unwrap();
        let name = path.as_os_str().as_encoded_bytes();
        for (at, word) in words.iter().enumerate() {
            assert!(word.len() >= 6, "shorter ones would be found by chance");
            let is_in = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window == word);
            if is_in(&content) || is_in(name) {
                found.push((path.clone(), at));
            }
        }
    }
    assert!(files > 0, "nothing was searched");
    found
}

fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let hexes = hex::encode(secret);
    vec![
        secret.to_vec(),
        hexes.to_uppercase().into_bytes(),
        hexes.into_bytes(),
        base64::engine::general_purpose::STANDARD_NO_PAD
            .encode(secret)
            .into_bytes(),
    ]
}

#[test]
fn nothing_that_was_typed_stands_in_any_file_and_no_capability_at_the_hub() {
    let mut world = World::found(8);
    let (tmp, logs) = (world.path("tmp"), world.path("logs"));
    fs::create_dir(&tmp).unwrap();
    fs::create_dir(&logs).unwrap();
    let mut typed: Vec<String> = vec![DESK_PASSPHRASE.to_owned()];
    let mut amina = Phone::process(&world.path("amina"), &tmp, &logs.join("amina"));
    let mut joseph = Phone::process(&world.path("joseph"), &tmp, &logs.join("joseph"));
    for (phone, point, passcode) in [
        (&mut amina, "malpasse", "canary-marigold-4815"),
        (&mut joseph, "ouanaminthe", "canary-anise-7720"),
    ] {
        world.enrol(phone, point, passcode);
        typed.push(passcode.to_owned());
    }
    for (phone, name) in [(&mut amina, "HELIOTROP"), (&mut joseph, "PERIWINKL")] {
        for round in 0..3 {
            let (notes, vehicle) = (
                format!("canary-{}-{round}", name.to_lowercase()),
                format!("{name}-{round}"),
            );
            let event = phone.tally(json!({"A80": notes, "A06": vehicle}))["event"].clone();
            typed.extend([notes, vehicle]);
            let code = phone.interview(&event)["case_code"].as_str().unwrap().to_owned();
            assert!(code.len() >= 6, "{code}");
            typed.push(code);
        }
        // A draft that stays one, and a wrong passcode.
        let draft = phone.ok(json!({"cmd": "start", "form": "tally"}))["draft"].clone();
        let line = json!({"cmd": "answer", "draft": draft, "answers": {"A06": "OLEANDER-99"}});
        phone.ok(line);
        typed.push("OLEANDER-99".to_owned());
        phone.ok(json!({"cmd": "lock"}));
    }
    world.field.set(Weather::Bad);
    amina.carry_until_none_is("saved");
    world.field.set(Weather::Good);
    let stick = world.fresh("stick");
    joseph.ok(json!({"cmd": "export", "path": stick}));
    assert_eq!(world.ingest(&stick).0, 6);
    let pulled = world.pull();
    assert_eq!(world.ingest(&pulled).0, 6);

    let words: Vec<Vec<u8>> = typed
        .iter()
        .flat_map(|word| [word.clone().into_bytes(), word.to_lowercase().into_bytes()])
        .collect();
    let search = |world: &World| {
        assert_eq!(find(world.dir.path(), &words, &[]), [], "places in `words`");
    };
    // While everything runs, WAL files and all; then with receipts, and the bundles of all rounds still there.
    search(&world);
    world.back_up();
    world.send_out();
    amina.carry();
    joseph.carry();
    assert_eq!(amina.states(), ["backed_up"; 6]);
    search(&world);
    world.assert_complete(&mut [&mut amina, &mut joseph]);

    // Capabilities are in the phones' outboxes, because a locked phone uses them, and nowhere else.
    let mut capabilities = vec![
        world.courier.read_cap.clone(),
        world.courier.downlink_cap.clone(),
        world.admin.admin_cap.clone(),
    ];
    let own = ["outbox.db", "outbox.db-wal", "outbox.db-shm"];
    for phone in [&amina, &joseph] {
        let contact = phone.outbox().contact().unwrap().unwrap();
        capabilities.extend([contact.write_cap, contact.read_cap]);
    }
    let raw: Vec<Vec<u8>> = capabilities
        .iter()
        .flat_map(|capability| spellings(&hex::decode(capability.expose_hex().as_str()).unwrap()))
        .collect();
    assert_eq!(find(world.dir.path(), &raw, &own), [], "places in `raw`");
    world.stop_hub();
    assert_eq!(find(&world.path("hub"), &raw, &[]), []);
    // The hub does know them, by their hashes.
    let hashes: Vec<Vec<u8>> = capabilities
        .iter()
        .map(|capability| capability.hash().as_bytes().to_vec())
        .collect();
    let known = find(&world.path("hub"), &hashes, &[]);
    assert_eq!(
        known
            .iter()
            .map(|(_, at)| at)
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        hashes.len()
    );
    // And the search finds what is there: in the phones' outboxes, and in a file that was leaked on purpose.
    assert!(!find(&world.path("amina"), &raw, &[]).is_empty());
    drop((amina, joseph));
    search(&world);
    let leak = tmp.join("etilqs_leak");
    fs::write(&leak, [b"\0\x01".as_slice(), typed[3].as_bytes(), b"\0"].concat()).unwrap();
    let found = find(world.dir.path(), &words, &[]);
    assert!(found.iter().all(|(path, _)| *path == leak) && !found.is_empty());
}
