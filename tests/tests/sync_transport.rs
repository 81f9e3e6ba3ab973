//! One suite over every transport: the hub in memory, and the real hub over HTTP, directly and behind a link
//! that repeats requests; then the courier and the desk's pull and push over a link that loses answers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use landfall_hub::{Config, Limits, Running, StoreUrl};
use landfall_seal::{Ed25519Verifier, SigningKey, random};
use landfall_sync::carry::{AdminFile, CourierFile, Patience, pull_with, push_with};
use landfall_sync::memory::MemoryHub;
use landfall_sync::{
    Budget, Contact, Failure, FnRng, HubAdmin, HubClient, Meta, Outbox, Stage, Transport, run_once,
};
use landfall_tests::link::{Link, Weather};
use landfall_wire::bundle::{BundleReader, BundleWriter, CapOp, Item, Kind, Right as BundleRight};
use landfall_wire::clock::TestClock;
use landfall_wire::control::{Control, ControlBody, Receipt, ReceiptLevel};
use landfall_wire::hub::{
    AdminOutcome, AdminRequest, Carried, DIGESTS_LIMIT, ENVELOPE_LIMIT, Presence, ProblemKind, PutAnswer,
    Right,
};
use landfall_wire::ids::{Aud, Capability, DeskEpoch, DeviceId, Digest, GroupId, MailboxId, StoreEpoch};
use landfall_wire::manifest::{Endpoint, EndpointKind};
use landfall_wire::sign::Signer as _;

const NOON: i64 = 1_780_315_200;
const INBOX: MailboxId = MailboxId::from_bytes([1; 16]);
const DOWNLINK: MailboxId = MailboxId::from_bytes([2; 16]);
const GROUP: GroupId = GroupId::from_bytes([1; 16]);

fn cap(n: u8) -> Capability {
    Capability::from_bytes([n; 32])
}

fn rng() -> FnRng<impl FnMut(&mut [u8])> {
    FnRng(|bytes: &mut [u8]| random::fill(bytes))
}

struct Real {
    running: Running,
    admin: Capability,
    _folder: tempfile::TempDir,
}

fn real() -> Real {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreUrl::Sqlite(folder.path().join("hub.db"));
    let clock = Arc::new(TestClock::at(NOON));
    let (_, admin) = landfall_hub::init(&store, &*clock).unwrap();
    let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let running = landfall_hub::serve(Config {
        listen,
        store,
        limits: Limits::default(),
        clock,
    })
    .unwrap();
    Real {
        running,
        admin,
        _folder: folder,
    }
}

/// Whatever a transport promises.
fn suite(hub: &dyn HubAdmin, admin: &Capability) {
    let refused = |kind| Some(Failure::refused(kind, None));
    let register = |request| hub.administer(admin, &request);
    // Registering: mailbox first, each time the same answer, and never twice for something else.
    let write = AdminRequest::register(cap(1).hash(), Right::Write, INBOX);
    assert_eq!(register(write).err(), refused(ProblemKind::NotFound));
    let inbox = AdminRequest::Mailbox {
        mailbox: INBOX,
        group: None,
    };
    assert_eq!(register(inbox), Ok(AdminOutcome::Changed));
    assert_eq!(register(inbox), Ok(AdminOutcome::Unchanged));
    let moved = AdminRequest::Mailbox {
        mailbox: INBOX,
        group: Some(GROUP),
    };
    assert_eq!(register(moved).err(), refused(ProblemKind::Conflict));
    for request in [
        AdminRequest::Mailbox {
            mailbox: DOWNLINK,
            group: Some(GROUP),
        },
        write,
        AdminRequest::register(cap(2).hash(), Right::Read, INBOX),
        AdminRequest::register(cap(3).hash(), Right::Read, DOWNLINK),
        AdminRequest::register_group(cap(4).hash(), GROUP),
    ] {
        assert_eq!(register(request), Ok(AdminOutcome::Changed));
    }
    let other = AdminRequest::register(cap(1).hash(), Right::Read, INBOX);
    assert_eq!(register(other).err(), refused(ProblemKind::Conflict));
    assert_eq!(
        hub.administer(&cap(1), &inbox).err(),
        refused(ProblemKind::Forbidden)
    );
    assert_eq!(
        hub.administer(&cap(99), &inbox).err(),
        refused(ProblemKind::Unauthorized)
    );

    // Rights.
    let nowhere = MailboxId::from_bytes([9; 16]);
    let put = |mailbox: &MailboxId, n, bytes: &[u8], again| hub.put(mailbox, &cap(n), bytes, again);
    assert_eq!(
        put(&INBOX, 99, b"a", false).err(),
        refused(ProblemKind::Unauthorized)
    );
    for n in [2, 3, 4] {
        assert_eq!(
            put(&INBOX, n, b"a", false).err(),
            refused(ProblemKind::Forbidden),
            "{n}"
        );
    }
    assert_eq!(
        put(&nowhere, 1, b"a", false).err(),
        refused(ProblemKind::Forbidden)
    );
    assert_eq!(
        hub.page(&INBOX, &cap(1), 0, 1).err(),
        refused(ProblemKind::Forbidden)
    );
    assert_eq!(
        hub.ack(&INBOX, &cap(1), &[]).err(),
        refused(ProblemKind::Forbidden)
    );
    assert_eq!(
        hub.have(&INBOX, &cap(2), &[]).err(),
        refused(ProblemKind::Forbidden)
    );

    // Putting.
    let a = Digest::of(b"a");
    assert_eq!(put(&INBOX, 1, b"a", false).unwrap().value, PutAnswer::New);
    assert_eq!(put(&INBOX, 1, b"a", false).unwrap().value, PutAnswer::Held);
    assert_eq!(put(&INBOX, 1, b"a", true).unwrap().value, PutAnswer::Held);
    assert_eq!(
        put(&INBOX, 1, &vec![0; ENVELOPE_LIMIT + 1], false).err(),
        refused(ProblemKind::TooLarge)
    );
    assert_eq!(put(&INBOX, 1, b"", false).err(), refused(ProblemKind::BadRequest));
    let largest = vec![7; ENVELOPE_LIMIT];
    let answer = put(&INBOX, 1, &largest, false).unwrap();
    assert_eq!(answer.value, PutAnswer::New);
    assert_eq!(
        put(&DOWNLINK, 4, b"control", false).unwrap().value,
        PutAnswer::New
    );

    // Asking.
    let asked = [a, Digest::of(b"never")];
    assert_eq!(
        hub.have(&INBOX, &cap(1), &asked).unwrap().value,
        [Presence::Held, Presence::Absent]
    );
    assert_eq!(hub.have(&INBOX, &cap(1), &[]).unwrap().value, []);
    let many = vec![a; DIGESTS_LIMIT + 1];
    assert_eq!(
        hub.have(&INBOX, &cap(1), &many).err(),
        refused(ProblemKind::TooLarge)
    );

    // Reading and taking away.
    let page = hub.page(&INBOX, &cap(2), 0, 1).unwrap();
    assert_eq!(
        (page.items.len(), page.next, page.expired, page.store_epoch),
        (1, 1, 0, answer.store_epoch)
    );
    assert_eq!(page.items[0].carried, Carried::Envelope(b"a".to_vec()));
    let page = hub.page(&INBOX, &cap(2), 1, 10).unwrap();
    assert_eq!((page.items.len(), page.next), (1, 2));
    let end = hub.page(&INBOX, &cap(2), 2, 10).unwrap();
    assert_eq!((end.items.len(), end.next), (0, 2));
    let beyond = hub.page(&INBOX, &cap(2), 1_000, 10).unwrap();
    assert_eq!(
        (beyond.items.len(), beyond.next),
        (0, 2),
        "a cursor from the future is told so"
    );
    assert_eq!(hub.ack(&INBOX, &cap(2), &asked).unwrap().value, 1);
    assert_eq!(hub.ack(&INBOX, &cap(2), &asked).unwrap().value, 0);
    assert_eq!(
        hub.have(&INBOX, &cap(1), &asked).unwrap().value,
        [Presence::Acked, Presence::Absent]
    );
    assert_eq!(put(&INBOX, 1, b"a", false).unwrap().value, PutAnswer::Acked);
    assert_eq!(put(&INBOX, 1, b"a", true).unwrap().value, PutAnswer::New);
    let page = hub.page(&INBOX, &cap(2), 2, 10).unwrap();
    assert_eq!(
        page.items
            .iter()
            .map(|item| (item.seq, item.digest))
            .collect::<Vec<_>>(),
        [(3, a)]
    );

    // Slices.
    assert_eq!(
        hub.put_slice(&INBOX, &cap(1), b"slice").unwrap().value,
        PutAnswer::New
    );
    let page = hub.page(&INBOX, &cap(2), 3, 10).unwrap();
    assert_eq!(page.items[0].carried, Carried::Slice { size: 5 });
    let slice = Digest::of(b"slice");
    assert_eq!(hub.slice(&INBOX, &cap(2), &slice).unwrap().value, b"slice");
    assert_eq!(
        hub.slice(&INBOX, &cap(2), &a).err(),
        refused(ProblemKind::NotFound)
    );

    // Revoking and closing.
    assert_eq!(
        register(AdminRequest::Close { mailbox: INBOX }),
        Ok(AdminOutcome::Changed)
    );
    assert_eq!(put(&INBOX, 1, b"late", false).err(), refused(ProblemKind::Closed));
    assert_eq!(put(&INBOX, 1, b"a", false).unwrap().value, PutAnswer::Held);
    assert_eq!(
        register(AdminRequest::Revoke { hash: cap(1).hash() }),
        Ok(AdminOutcome::Changed)
    );
    assert_eq!(
        put(&INBOX, 1, b"a", false).err(),
        refused(ProblemKind::Unauthorized)
    );
    assert_eq!(register(write).err(), refused(ProblemKind::Revoked));
}

#[test]
fn the_hub_in_memory_keeps_the_promises() {
    suite(
        &MemoryHub::new(StoreEpoch::from_bytes([1; 16]), cap(5).hash()),
        &cap(5),
    );
}

#[test]
fn the_real_hub_keeps_the_promises() {
    let real = real();
    suite(&HubClient::for_url(&real.running.url()).unwrap(), &real.admin);
}

#[test]
fn the_real_hub_keeps_the_promises_through_a_good_link() {
    let real = real();
    let link = Link::start(real.running.addr(), 1).unwrap();
    suite(&HubClient::for_url(&link.url()).unwrap(), &real.admin);
    let stats = link.stats();
    assert!(stats.requests > 40 && stats.bytes_up > 100_000);
}

/// What answers at an address and is not a hub is never taken for one.
#[test]
fn nothing_else_passes_for_a_hub() {
    let answers: [&[u8]; 8] = [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nheld",
        b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nnew",
        b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\nlandfall-store-epoch: 01010101010101010101010101010101\r\n\r\n<html>held</html>    ",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno no!",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\nlandfall-store-epoch: 01010101010101010101010101010101\r\n\r\nheld and so on, for longer than any word of a hub: not a hub at all",
    ];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut seen = Vec::new();
            let mut bytes = [0; 4096];
            // One small request: its head ends with a blank line, its body is one byte.
            while !seen.ends_with(b"\r\n\r\na") {
                let n = client.read(&mut bytes).unwrap();
                seen.extend_from_slice(&bytes[..n]);
            }
            let _ = client.write_all(answer);
        });
        let client = HubClient::for_url(&url).unwrap();
        let failure = client.put(&INBOX, &cap(1), b"a", false).unwrap_err();
        assert!(
            matches!(failure, Failure::NotAHub { .. }),
            "{failure:?} {}",
            String::from_utf8_lossy(answer)
        );
        thread.join().unwrap();
    }
}

#[test]
fn a_way_that_is_closed_is_left_for_the_next() {
    let real = real();
    let hub = HubClient::for_url(&real.running.url()).unwrap();
    let inbox = AdminRequest::Mailbox {
        mailbox: INBOX,
        group: None,
    };
    hub.administer(&real.admin, &inbox).unwrap();
    hub.administer(
        &real.admin,
        &AdminRequest::register(cap(1).hash(), Right::Write, INBOX),
    )
    .unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let way = |addr: SocketAddr| Endpoint {
        kind: EndpointKind::Direct,
        url: format!("http://{addr}"),
    };
    let client = HubClient::new(&[way(free), way(real.running.addr())], &[]).unwrap();
    assert_eq!(
        client.put(&INBOX, &cap(1), b"a", false).unwrap().value,
        PutAnswer::New
    );
    let alone = HubClient::new(&[way(free)], &[]).unwrap();
    assert_eq!(alone.put(&INBOX, &cap(1), b"a", false), Err(Failure::Unreachable));
}

struct Phone {
    outbox: Outbox,
    clock: TestClock,
    contact: Contact,
    _folder: tempfile::TempDir,
}

fn phone(n: u8, desk: &SigningKey) -> Phone {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&folder.path().join("outbox.db")).unwrap();
    let contact = Contact {
        endpoints: Vec::new(),
        tls_roots: Vec::new(),
        inbox: INBOX,
        downlink: MailboxId::from_bytes([100 + n; 16]),
        write_cap: cap(100 + n),
        read_cap: cap(150 + n),
        desk_keys: vec![desk.public_key()],
        aud: Aud::from_bytes([3; 32]),
        device: DeviceId::from_bytes([n; 16]),
        manifest_serial: 1,
        desk_epoch: DeskEpoch::from_bytes([0; 16]),
    };
    outbox.set_contact(&contact).unwrap();
    Phone {
        outbox,
        clock: TestClock::at(NOON),
        contact,
        _folder: folder,
    }
}

/// Phones, a real hub that is killed and started anew, a bad link, and a desk that pulls and pushes through it:
/// everything arrives once and leaves the phones after the desk's word.
#[test]
fn everything_arrives_through_a_bad_link() {
    for seed in 1..4u64 {
        let mut real = real();
        let admin = AdminFile {
            url: real.running.url(),
            admin_cap: real.admin.clone(),
        };
        let courier = CourierFile {
            url: real.running.url(),
            inbox: INBOX,
            read_cap: cap(2),
            downlink_cap: cap(4),
        };
        let desk = SigningKey::make();
        let mut phones: Vec<Phone> = (0..3).map(|n| phone(n, &desk)).collect();
        let folder = tempfile::tempdir().unwrap();
        let patience = Patience {
            tries: 40,
            first_ms: 1,
            longest_ms: 5,
        };
        let link = Link::start(real.running.addr(), seed).unwrap();
        link.set(Weather::Bad);
        let hub = HubClient::for_url(&link.url()).unwrap();

        let path = folder.path().join("caps.landfall");
        let mut writer = BundleWriter::new(Vec::new(), Kind::Downlink).unwrap();
        for Phone { contact, .. } in &phones {
            let register = |capability: &Capability, right, mailbox| {
                Item::Cap(CapOp::Register {
                    hash: capability.hash(),
                    right,
                    mailbox,
                    group: None,
                })
            };
            writer
                .write(&register(&contact.write_cap, BundleRight::Write, INBOX))
                .unwrap();
            writer
                .write(&register(&contact.read_cap, BundleRight::Read, contact.downlink))
                .unwrap();
        }
        std::fs::write(&path, writer.finish().unwrap()).unwrap();
        push_with(&hub, &courier, Some(&admin), &path, patience, &mut rng()).unwrap();

        let mut saved = Vec::new();
        for phone in &phones {
            for n in 0..8u64 {
                let bytes: Vec<u8> = random::make::<300>().to_vec();
                let digest = Digest::of(&bytes);
                let meta = Meta {
                    day: 20_605,
                    entries: 1,
                    seqs: Some((n, n)),
                };
                phone.outbox.put(&digest, &bytes, &meta).unwrap();
                saved.push(digest);
            }
        }
        saved.sort_unstable();
        let deliver = |phones: &mut [Phone], hub: &HubClient| {
            for phone in phones {
                let budget = Budget::ms(60_000).manual();
                run_once(
                    &phone.outbox,
                    hub,
                    &Ed25519Verifier,
                    &phone.clock,
                    &mut rng(),
                    &budget,
                )
                .unwrap();
            }
        };
        for _ in 0..3 {
            deliver(&mut phones, &hub);
        }
        // The hub is gone for a while and comes back elsewhere.
        let Real {
            running,
            admin: admin_cap,
            _folder: hub_folder,
        } = real;
        running.stop().unwrap();
        deliver(&mut phones, &hub);
        let store = StoreUrl::Sqlite(hub_folder.path().join("hub.db"));
        let clock = Arc::new(TestClock::at(NOON));
        let listen = "127.0.0.1:0".parse().unwrap();
        let running = landfall_hub::serve(Config {
            listen,
            store,
            limits: Limits::default(),
            clock,
        })
        .unwrap();
        link.aim(running.addr());
        real = Real {
            running,
            admin: admin_cap,
            _folder: hub_folder,
        };
        for round in 0.. {
            assert!(round < 60, "seed {seed}: it does not arrive");
            deliver(&mut phones, &hub);
            let out = folder.path().join("up.landfall");
            pull_with(&hub, &courier, &out, patience, &mut rng()).unwrap();
            let file = std::fs::read(&out).unwrap();
            let mut there: Vec<Digest> = BundleReader::new(&file[..])
                .unwrap()
                .map(|item| match item.unwrap() {
                    Item::Envelope(bytes) => Digest::of(&bytes),
                    other => panic!("{other:?}"),
                })
                .collect();
            there.sort_unstable();
            std::fs::remove_file(&out).unwrap();
            if there == saved {
                break;
            }
            assert!(there.windows(2).all(|pair| pair[0] < pair[1]), "each once");
        }
        // The desk's word goes down.
        let mut writer = BundleWriter::new(Vec::new(), Kind::Downlink).unwrap();
        for Phone { contact, outbox, .. } in &phones {
            let records = outbox.records().unwrap();
            let receipts = records.iter().map(|row| Receipt {
                digest: row.digest,
                level: ReceiptLevel::BackedUp,
                reason: 0,
            });
            let control = Control {
                aud: contact.aud,
                dev: contact.device,
                serial: 1,
                desk_epoch: contact.desk_epoch,
                body: ControlBody::Receipts(receipts.collect()),
                desk_time_s: Some(NOON),
                unknown: Default::default(),
            };
            let bytes = control.sign(&desk);
            writer
                .write(&Item::Downlink {
                    mailbox: contact.downlink,
                    bytes,
                })
                .unwrap();
        }
        writer
            .write(&Item::Ack {
                mailbox: INBOX,
                digests: saved.clone(),
            })
            .unwrap();
        std::fs::write(&path, writer.finish().unwrap()).unwrap();
        push_with(&hub, &courier, None, &path, patience, &mut rng()).unwrap();
        let purged = |phone: &Phone| {
            phone
                .outbox
                .records()
                .unwrap()
                .iter()
                .all(|row| row.stage == Stage::Purged)
        };
        for round in 0.. {
            assert!(round < 60, "seed {seed}: the word does not arrive");
            deliver(&mut phones, &hub);
            if phones.iter().all(purged) {
                break;
            }
        }
        let stats = link.stats();
        assert!(
            stats.lost_after > 0 && stats.lost_before > 0 && stats.portals > 0,
            "{stats:?}"
        );
        drop(real);
    }
}
