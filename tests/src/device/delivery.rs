//! A device and a real hub, in one process: from "saved" to "backed up" while the app is locked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::sync::Arc;

use landfall_hub::{Config, Limits, Running, StoreUrl, init, serve};
use landfall_sync::{HubAdmin as _, HubClient, Transport as _};
use landfall_wire::bundle::{BundleReader, BundleWriter, Item, Kind as BundleKind};
use landfall_wire::clock::TestClock;
use landfall_wire::control::{ControlBody, Receipt, ReceiptLevel};
use landfall_wire::enrol::Reply;
use landfall_wire::hub::{AdminRequest, Carried, Right};
use landfall_wire::ids::{Capability, DeviceId, Digest, EntryHash};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Device;
use super::org::PracticeOrg;

const PASSCODE: &str = "marigold-4815";

struct World {
    dir: TempDir,
    org: PracticeOrg,
    hub: Running,
    client: HubClient,
    desk_read: Capability,
    desk_write: Capability,
    admin: Capability,
    device: Device,
    reply: Reply,
}

fn ok(device: &mut Device, line: &Value) -> Value {
    let answer: Value = serde_json::from_str(&device.line(&line.to_string())).unwrap();
    assert_eq!(answer["ok"], true, "{line} -> {answer}");
    answer
}

impl World {
    fn make() -> World {
        let world = World::unregistered();
        world.register();
        world
    }

    fn unregistered() -> World {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(1_773_084_000));
        let store = StoreUrl::Sqlite(dir.path().join("hub.db"));
        let (_, admin) = init(&store, &clock).unwrap();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            store,
            limits: Limits::default(),
            clock,
        };
        let hub = serve(config).unwrap();
        let org = PracticeOrg::make(&hub.url()).unwrap();
        let mut device = Device::new();
        let home = dir.path().join("phone");
        ok(
            &mut device,
            &json!({"cmd": "device", "home": home, "guard_seed": "07".repeat(32)}),
        );
        ok(
            &mut device,
            &json!({"cmd": "clock", "set": {"wall_s": 1_773_084_000, "tz_min": -300}}),
        );
        let invitation = org.invitation("ouanaminthe");
        let line = json!({"cmd": "enrol_begin", "invitation": invitation, "passcode": PASSCODE});
        let begun = ok(&mut device, &line);
        let reply = org.read_reply(begun["reply"].as_str().unwrap()).unwrap();
        ok(
            &mut device,
            &json!({"cmd": "enrol_confirm", "passcode": PASSCODE}),
        );
        ok(&mut device, &json!({"cmd": "unlock", "passcode": PASSCODE}));

        let client = HubClient::for_url(&hub.url()).unwrap();
        let desk_read = Capability::from_bytes([1; 32]);
        let desk_write = Capability::from_bytes([2; 32]);
        World {
            dir,
            org,
            hub,
            client,
            desk_read,
            desk_write,
            admin,
            device,
            reply,
        }
    }

    /// What the desk's `push` does with the admin capability.
    fn register(&self) {
        let inbox = self.org.inbox();
        for request in [
            AdminRequest::Mailbox {
                mailbox: inbox,
                group: None,
            },
            AdminRequest::Mailbox {
                mailbox: self.reply.downlink,
                group: None,
            },
            AdminRequest::register(self.desk_read.hash(), Right::Read, inbox),
            AdminRequest::register(self.desk_write.hash(), Right::Write, self.reply.downlink),
            AdminRequest::register(self.reply.write_cap, Right::Write, inbox),
            AdminRequest::register(self.reply.read_cap, Right::Read, self.reply.downlink),
        ] {
            self.client.administer(&self.admin, &request).unwrap();
        }
    }

    fn ok(&mut self, line: Value) -> Value {
        ok(&mut self.device, &line)
    }

    fn tally(&mut self) -> Value {
        self.ok(json!({"cmd": "tally", "answers": {
            "A02": "DOM-HTI", "A05": "bus", "A08": "deportation", "A09": "official", "A10": "no", "A11": "full",
            "A12": ["police_arr"], "A20": "counted", "A21": "no", "A77": "none", "N_m_adult": 12,
        }}))
    }

    fn interview(&mut self, event: &Value) -> Value {
        self.ok(json!({"cmd": "interview", "event": event, "answers": {
            "K06": "private", "K03": "yes", "P01": "male", "P02": "a25_59", "P07": "alone", "D01": ["passport"],
            "RF": ["none"], "W03": "no",
        }}))
    }

    /// What lies in the desk's mailbox.
    fn pull(&self) -> Vec<Vec<u8>> {
        let page = self
            .client
            .page(&self.org.inbox(), &self.desk_read, 0, 100)
            .unwrap();
        page.items
            .into_iter()
            .map(|item| match item.carried {
                Carried::Envelope(bytes) => bytes,
                Carried::Slice { .. } => panic!("no slices here"),
            })
            .collect()
    }

    fn hashes(&self, sealed: &[Vec<u8>]) -> Vec<EntryHash> {
        let mut hashes: Vec<EntryHash> = sealed
            .iter()
            .flat_map(|bytes| self.org.open(bytes, &self.reply.device_key).unwrap())
            .map(|entry| entry.hash())
            .collect();
        hashes.sort_unstable();
        hashes
    }

    fn receipts(&self, serial: u64, sealed: &[Vec<u8>], level: ReceiptLevel) -> Vec<u8> {
        let receipts = sealed
            .iter()
            .map(|bytes| Receipt {
                digest: Digest::of(bytes),
                level,
                reason: 0,
            })
            .collect();
        self.org.control(
            DeviceId::of(&self.reply.device_key),
            serial,
            ControlBody::Receipts(receipts),
        )
    }

    fn send(&self, control: &[u8]) {
        self.client
            .put(&self.reply.downlink, &self.desk_write, control, false)
            .unwrap();
    }

    fn states(&mut self) -> Vec<String> {
        let answer = self.ok(json!({"cmd": "records"}));
        let rows = answer["records"].as_array().unwrap();
        rows.iter()
            .map(|row| row["state"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn acknowledged(answer: &Value) -> Vec<EntryHash> {
    let mut hashes: Vec<EntryHash> = answer["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| hash.as_str().unwrap().parse().unwrap())
        .collect();
    hashes.sort_unstable();
    hashes
}

#[test]
fn a_locked_device_sends_and_takes_its_receipts() {
    let mut world = World::make();
    let tally = world.tally();
    world.interview(&tally["event"]);
    world.ok(json!({"cmd": "lock"}));
    let report = world.ok(json!({"cmd": "courier"}));
    assert_eq!(
        (report["handed"].as_u64(), report["waiting"].as_u64()),
        (Some(3), Some(0)),
        "{report}"
    );
    assert_eq!(world.states(), ["mailbox", "mailbox"]);

    let sealed = world.pull();
    let told = world.ok(json!({"cmd": "acknowledged"}));
    assert_eq!(world.hashes(&sealed), acknowledged(&told), "hash by hash");

    world.send(&world.receipts(1, &sealed, ReceiptLevel::Ingested));
    let report = world.ok(json!({"cmd": "courier"}));
    assert_eq!(report["received"], 3, "{report}");
    assert_eq!(world.states(), ["received", "received"]);
    world.send(&world.receipts(2, &sealed, ReceiptLevel::BackedUp));
    let report = world.ok(json!({"cmd": "courier"}));
    assert_eq!(report["purged"], 3, "{report}");
    assert_eq!(world.states(), ["backed_up", "backed_up"]);
    let counts = world.ok(json!({"cmd": "counts"}));
    assert_eq!(
        (counts["received"].as_u64(), counts["purged"].as_u64()),
        (Some(2), Some(3))
    );

    world.ok(json!({"cmd": "unlock", "passcode": PASSCODE}));
    let home = world.ok(json!({"cmd": "home"}));
    assert!(
        home["done"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["state"] == "backed_up"),
        "{home}"
    );
}

#[test]
fn without_a_network_nothing_is_lost_and_a_bundle_goes_by_hand() {
    let mut world = World::make();
    world.tally();
    let hub = std::mem::replace(&mut world.hub, {
        // Another hub takes the field's place; the first one is stopped for good.
        let store = StoreUrl::Sqlite(world.dir.path().join("other.db"));
        let clock = Arc::new(TestClock::at(1_773_084_000));
        init(&store, &clock).unwrap();
        serve(Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            store,
            limits: Limits::default(),
            clock,
        })
        .unwrap()
    });
    hub.stop().unwrap();
    let report = world.ok(json!({"cmd": "courier", "budget_ms": 3000}));
    assert_eq!(
        (report["handed"].as_u64(), report["waiting"].as_u64()),
        (Some(0), Some(1)),
        "{report}"
    );
    assert_eq!(world.states(), ["saved"]);

    let path = world.dir.path().join("carried.landfall");
    assert_eq!(world.ok(json!({"cmd": "export", "path": path}))["records"], 1);
    let mut sealed = Vec::new();
    for item in BundleReader::new(std::fs::File::open(&path).unwrap()).unwrap() {
        match item.unwrap() {
            Item::Envelope(bytes) => sealed.push(bytes),
            other => panic!("{other:?}"),
        }
    }
    let told = world.ok(json!({"cmd": "acknowledged"}));
    assert_eq!(world.hashes(&sealed), acknowledged(&told));
    assert_eq!(world.states(), ["saved"], "only the desk's word counts");

    let back = world.dir.path().join("back.landfall");
    let mut writer = BundleWriter::new(std::fs::File::create(&back).unwrap(), BundleKind::Downlink).unwrap();
    let control = world.receipts(1, &sealed, ReceiptLevel::BackedUp);
    writer
        .write(&Item::Downlink {
            mailbox: world.reply.downlink,
            bytes: control,
        })
        .unwrap();
    writer.finish().unwrap();
    world.ok(json!({"cmd": "lock"}));
    let report = world.ok(json!({"cmd": "import", "path": back}));
    assert_eq!(report["purged"], 1, "{report}");
    assert_eq!(world.states(), ["backed_up"]);
}

#[test]
fn numbers_that_the_desk_misses_are_sent_again_after_a_purge() {
    let mut world = World::make();
    let tally = world.tally();
    world.interview(&tally["event"]);
    world.ok(json!({"cmd": "courier"}));
    let sealed = world.pull();
    world.send(&world.receipts(1, &sealed, ReceiptLevel::BackedUp));
    world.ok(json!({"cmd": "courier"}));
    assert_eq!(world.states(), ["backed_up", "backed_up"]);
    // The desk has lost everything and asks for all numbers, and for more than there ever were.
    let device = DeviceId::of(&world.reply.device_key);
    world.send(&world.org.control(device, 2, ControlBody::Resend(vec![(0, 40)])));
    world.ok(json!({"cmd": "courier"}));
    world.ok(json!({"cmd": "lock"}));
    world.ok(json!({"cmd": "unlock", "passcode": PASSCODE}));
    world.ok(json!({"cmd": "courier"}));
    let again: Vec<Vec<u8>> = world
        .pull()
        .into_iter()
        .filter(|bytes| !sealed.contains(bytes))
        .collect();
    let told = world.ok(json!({"cmd": "acknowledged"}));
    assert_eq!(
        world.hashes(&again),
        acknowledged(&told),
        "the same entries in new envelopes"
    );
}

#[test]
fn a_device_that_sends_before_it_is_registered_is_not_stuck() {
    let mut world = World::unregistered();
    world.tally();
    let report = world.ok(json!({"cmd": "courier"}));
    assert_eq!(
        (report["handed"].as_u64(), report["refused"].as_u64()),
        (Some(0), Some(1)),
        "{report}"
    );
    assert_eq!(world.states(), ["refused"], "shown, and kept");
    world.register();
    let report = world.ok(json!({"cmd": "courier"}));
    assert_eq!(
        (report["handed"].as_u64(), report["refused"].as_u64()),
        (Some(1), Some(0)),
        "{report}"
    );
    assert_eq!(world.states(), ["mailbox"]);
}
