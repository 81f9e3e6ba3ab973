//! The outbox on disk and the courier over it: what is saved stays until the desk's word, whatever dies when.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod common;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{
    DAY, DESK, DOWNLINK, Device, INBOX, Seed, Toy, ToyVerifier, cap, contact, control, hub, send_down,
};
use landfall_sync::memory::MemoryHub;
use landfall_sync::transport::Answer;
use landfall_sync::{
    Added, Budget, Counts, Error, Failure, Meta, Outbox, RefusalReason, Stage, Transport, Tries, bundle,
    run_once,
};
use landfall_wire::bundle::{BundleReader, BundleWriter, Item, Kind};
use landfall_wire::control::{ControlBody, ReceiptLevel};
use landfall_wire::hub::{Page, Presence, ProblemKind, PutAnswer};
use landfall_wire::ids::{Aud, Capability, DeskEpoch, DeviceId, Digest, MailboxId, PublicKey, StoreEpoch};
use proptest::prelude::*;

/// A link on which the test decides what happens to each request.
struct Link<'a, F> {
    hub: &'a MemoryHub,
    fate: F,
    log: RefCell<Vec<&'static str>>,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    /// The hub never sees it.
    Before(Failure),
    /// The hub does it, the answer is lost.
    After(Failure),
    /// The device dies before, or after, the hub has done it.
    DiesBefore,
    DiesAfter,
}

impl<F: Fn(usize, &'static str, &[u8]) -> Fate> Link<'_, F> {
    fn through<T>(
        &self,
        what: &'static str,
        bytes: &[u8],
        ask: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let number = self.log.borrow().len();
        self.log.borrow_mut().push(what);
        match (self.fate)(number, what, bytes) {
            Fate::Passes => ask(),
            Fate::Before(failure) => Err(failure),
            Fate::After(failure) => ask().and(Err(failure)),
            Fate::DiesBefore => panic!("dies"),
            Fate::DiesAfter => {
                let _ = ask();
                panic!("dies")
            }
        }
    }
}

impl<F: Fn(usize, &'static str, &[u8]) -> Fate> Transport for Link<'_, F> {
    fn put(
        &self,
        m: &MailboxId,
        c: &Capability,
        bytes: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure> {
        self.through(if again { "again" } else { "put" }, bytes, || {
            self.hub.put(m, c, bytes, again)
        })
    }
    fn have(&self, m: &MailboxId, c: &Capability, d: &[Digest]) -> Result<Answer<Vec<Presence>>, Failure> {
        self.through("have", &[], || self.hub.have(m, c, d))
    }
    fn page(&self, m: &MailboxId, c: &Capability, after: u64, limit: u32) -> Result<Page, Failure> {
        self.through("page", &[], || self.hub.page(m, c, after, limit))
    }
    fn ack(&self, m: &MailboxId, c: &Capability, d: &[Digest]) -> Result<Answer<u32>, Failure> {
        self.through("ack", &[], || self.hub.ack(m, c, d))
    }
    fn put_slice(&self, m: &MailboxId, c: &Capability, b: &[u8]) -> Result<Answer<PutAnswer>, Failure> {
        self.hub.put_slice(m, c, b)
    }
    fn slice(&self, m: &MailboxId, c: &Capability, d: &Digest) -> Result<Answer<Vec<u8>>, Failure> {
        self.hub.slice(m, c, d)
    }
}

fn link<F: Fn(usize, &'static str, &[u8]) -> Fate>(hub: &MemoryHub, fate: F) -> Link<'_, F> {
    Link {
        hub,
        fate,
        log: RefCell::default(),
    }
}

#[test]
fn an_envelope_is_stored_once_and_its_digest_is_checked() {
    let device = Device::new();
    let meta = Meta {
        day: DAY,
        entries: 1,
        seqs: None,
    };
    let digest = device.save(1, 100);
    assert_eq!(
        device.outbox.put(&digest, &[1; 100], &meta).unwrap(),
        Added::Known
    );
    assert_eq!(
        device.outbox.put(&digest, &[2; 100], &meta),
        Err(Error::WrongDigest)
    );
    assert!(device.outbox.known(&digest).unwrap() && !device.outbox.known(&Digest::of(b"x")).unwrap());
    // Another process sees it at once.
    let other = Outbox::open(&device.path()).unwrap();
    assert_eq!(other.bytes(&digest).unwrap().unwrap(), [1; 100]);
    let row = other.record(&digest).unwrap().unwrap();
    assert_eq!(
        (row.stage, row.entries, row.seqs, row.day, row.size),
        (Stage::Saved, 2, Some((2, 3)), DAY, 100)
    );
    assert_eq!(other.records().unwrap(), [row]);
}

#[test]
fn a_file_that_is_not_ours_or_is_newer_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("o.db");
    std::fs::write(
        &path,
        b"a letter to nobody at all, long enough to be looked at as a page",
    )
    .unwrap();
    assert_eq!(Outbox::open(&path).unwrap_err(), Error::NotAnOutbox);
    let path = folder.path().join("p.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1")
        .unwrap();
    assert_eq!(Outbox::open(&path).unwrap_err(), Error::NotAnOutbox);
    let device = Device::new();
    device.save(1, 10);
    let connection = rusqlite::Connection::open(device.path()).unwrap();
    connection.execute_batch("PRAGMA user_version = 99").unwrap();
    assert_eq!(
        Outbox::open(&device.path()).unwrap_err(),
        Error::NewerSchema { found: 99, known: 1 }
    );
    connection.execute_batch("PRAGMA user_version = 1").unwrap();
    assert_eq!(
        Outbox::open(&device.path()).unwrap().records().unwrap().len(),
        1,
        "nothing was deleted"
    );
}

#[test]
fn what_field_keeps_here_comes_back() {
    let device = Device::new();
    assert_eq!(device.outbox.contact().unwrap().unwrap(), contact());
    let tries = Tries {
        failed: 3,
        boot: u64::MAX,
        since_elapsed_ms: 7,
    };
    device.outbox.set_tries(&tries).unwrap();
    assert_eq!(Outbox::open(&device.path()).unwrap().tries().unwrap(), tries);
    let fresh = Outbox::open(&device.folder.path().join("fresh.db")).unwrap();
    assert_eq!(fresh.contact().unwrap(), None);
    let mut clock_free = Seed(1);
    let refused = run_once(
        &fresh,
        &hub(),
        &ToyVerifier,
        &device.clock,
        &mut clock_free,
        &Budget::ms(1),
    );
    assert_eq!(refused, Err(Error::NoContact));
}

#[test]
fn a_record_walks_from_saved_to_purged_and_never_comes_back() {
    let hub = hub();
    let mut device = Device::new();
    let digests = [device.save(1, 900), device.save(2, 800), device.save(3, 700)];
    let report = device.run(&hub);
    assert_eq!(
        (report.handed, report.received, report.waiting, report.failures),
        (6, 0, 6, 0)
    );
    assert_eq!(
        hub.digests(&INBOX),
        [digests[2], digests[1], digests[0]],
        "small first"
    );
    assert_eq!(
        device.outbox.counts().unwrap(),
        Counts {
            handed: 6,
            ..Counts::default()
        }
    );

    send_down(&hub, &device.receipt(&digests[..2], ReceiptLevel::Ingested));
    send_down(&hub, &device.receipt(&digests[2..], ReceiptLevel::Held));
    let report = device.run(&hub);
    assert_eq!(
        (report.received, report.held, report.purged, report.waiting),
        (4, 2, 0, 0)
    );
    assert!(
        hub.digests(&DOWNLINK).is_empty(),
        "applied messages are deleted at the hub"
    );
    assert!(
        digests
            .iter()
            .all(|digest| device.outbox.bytes(digest).unwrap().is_some())
    );

    send_down(&hub, &device.receipt(&digests, ReceiptLevel::BackedUp));
    let report = device.run(&hub);
    assert_eq!((report.received, report.purged), (2, 6));
    assert_eq!(
        device.outbox.counts().unwrap(),
        Counts {
            purged: 6,
            ..Counts::default()
        }
    );
    assert!(
        digests
            .iter()
            .all(|digest| device.outbox.bytes(digest).unwrap().is_none())
    );
    // The bytes are gone from the file, too; a tombstone stays and keeps a late put from sending it again.
    device.outbox.suspend().unwrap();
    let file = std::fs::read(device.path()).unwrap();
    assert!(!file.windows(64).any(|window| window == [2; 64]));
    device.save(1, 900);
    assert_eq!(
        device.outbox.record(&digests[0]).unwrap().unwrap().stage,
        Stage::Purged
    );
    assert_eq!(device.run(&hub).handed, 0);
    assert_eq!(
        device.outbox.trusted_time().unwrap().unwrap().wall_s,
        common::NOON
    );
}

#[test]
fn messages_that_are_not_for_us_change_nothing_and_are_counted() {
    let hub = hub();
    let mut device = Device::new();
    let digest = device.save(1, 100);
    device.run(&hub);
    send_down(&hub, &device.receipt(&[digest], ReceiptLevel::Ingested));
    device.run(&hub);
    let receipts = || {
        ControlBody::Receipts(vec![landfall_wire::control::Receipt {
            digest,
            level: ReceiptLevel::BackedUp,
            reason: 0,
        }])
    };
    let good = control(9, receipts());
    let wrong_aud = landfall_wire::control::Control {
        aud: Aud::from_bytes([8; 32]),
        ..good.clone()
    };
    let wrong_device = landfall_wire::control::Control {
        dev: DeviceId::from_bytes([8; 16]),
        ..good.clone()
    };
    let mut flipped = good.sign(&Toy(DESK));
    let at = flipped.len() / 2;
    flipped[at] ^= 1;
    let other_key = Toy(PublicKey::from_bytes([7; 32]));
    let bad = [
        wrong_aud.sign(&Toy(DESK)),
        wrong_device.sign(&Toy(DESK)),
        control(0, receipts()).sign(&Toy(DESK)),
        control(1, receipts()).sign(&Toy(DESK)),
        good.sign(&other_key),
        flipped,
        b"\xd2\x84\x43\xa1\x01\x32".to_vec(),
        b"hello".to_vec(),
        control(9, ControlBody::Wipe).sign(&other_key),
        landfall_wire::control::Control {
            body: ControlBody::Wipe,
            ..wrong_device
        }
        .sign(&Toy(DESK)),
    ];
    for message in &bad {
        send_down(&hub, message);
    }
    let report = device.run(&hub);
    assert_eq!(
        (report.controls_refused, report.received, report.purged),
        (10, 0, 0)
    );
    assert!(!report.wipe_pending);
    assert_eq!(
        device.outbox.record(&digest).unwrap().unwrap().stage,
        Stage::Ingested
    );
    assert_eq!(
        device.run(&hub).controls_refused,
        0,
        "read once, not again and again"
    );
    // The same in a bundle carried by hand.
    let path = device.folder.path().join("down.landfall");
    let mut writer = BundleWriter::new(Vec::new(), Kind::Downlink).unwrap();
    for message in &bad {
        writer
            .write(&Item::Downlink {
                mailbox: DOWNLINK,
                bytes: message.clone(),
            })
            .unwrap();
    }
    std::fs::write(&path, writer.finish().unwrap()).unwrap();
    let report = bundle::import(&device.outbox, &path, &ToyVerifier, &device.clock, &mut Seed(5)).unwrap();
    assert_eq!((report.controls_refused, report.purged), (10, 0));
    send_down(&hub, &good.sign(&Toy(DESK)));
    assert_eq!(device.run(&hub).purged, 2, "the true one is taken");
}

#[test]
fn a_wipe_a_sealed_message_and_a_gap_wait_as_rows() {
    let hub = hub();
    let mut device = Device::new();
    device.save(1, 100);
    let sealed = b"age-encryption.org/v1\nsomething sealed".to_vec();
    send_down(&hub, &sealed);
    send_down(&hub, &device.says(ControlBody::Wipe));
    send_down(&hub, &device.says(ControlBody::Resend(vec![(0, 2), (7, 9)])));
    let report = device.run(&hub);
    assert!(report.wipe_pending && report.downlinks == 1);
    let waiting = device.outbox.waiting_downlinks().unwrap();
    assert_eq!(waiting[0].1, sealed);
    device.outbox.downlink_done(waiting[0].0).unwrap();
    assert_eq!(
        device.outbox.resends().unwrap(),
        [(0, 1), (7, 9)],
        "2 is in an envelope here"
    );
    device.outbox.resend_done((0, 1)).unwrap();
    assert_eq!(device.outbox.resends().unwrap(), [(7, 9)]);
    device.outbox.wipe_done().unwrap();
    // The hub shows them again: nothing happens twice.
    hub.restore(hub.snapshot(), Some(StoreEpoch::from_bytes([2; 16])));
    send_down(&hub, &sealed);
    hub.put(&DOWNLINK, &cap(4), &sealed, true).unwrap();
    assert!(!device.run(&hub).wipe_pending);
    assert!(device.outbox.waiting_downlinks().unwrap().is_empty());
}

#[test]
fn a_lost_answer_is_asked_about_and_not_sent_twice() {
    let hub = hub();
    let mut device = Device::new();
    device.save(1, 100);
    let lossy = link(&hub, |_, what, _| {
        if what == "put" {
            Fate::After(Failure::Broken)
        } else {
            Fate::Passes
        }
    });
    let report = device.run(&lossy);
    assert_eq!((report.handed, report.failures), (0, 1));
    let good = link(&hub, |_, _, _| Fate::Passes);
    assert_eq!(device.run(&good).handed, 2);
    assert_eq!(*good.log.borrow(), ["page", "have"]);
}

#[test]
fn taken_away_without_a_receipt_is_sent_once_more() {
    let hub = hub();
    let mut device = Device::new();
    let digest = device.save(1, 100);
    let lossy = link(&hub, |_, what, _| {
        if what == "put" {
            Fate::After(Failure::Broken)
        } else {
            Fate::Passes
        }
    });
    device.run(&lossy);
    // A reader takes it away and loses it: no receipt comes.
    hub.ack(&INBOX, &cap(2), &[digest]).unwrap();
    let good = link(&hub, |_, _, _| Fate::Passes);
    assert_eq!(device.run(&good).handed, 2);
    assert_eq!(*good.log.borrow(), ["page", "have", "page", "again"]);
    assert_eq!(hub.digests(&INBOX), [digest]);
    // Taken away with its receipt, it is not.
    let mut device = Device::new();
    let digest = device.save(2, 100);
    device.run(&lossy);
    let receipt = device.receipt(&[digest], ReceiptLevel::Ingested);
    let racing = link(&hub, |_, what, _| {
        // Between the first page and the question, the desk pushes.
        if what == "have" {
            send_down(&hub, &receipt);
            hub.ack(&INBOX, &cap(2), &[digest]).unwrap();
        }
        Fate::Passes
    });
    assert_eq!(device.run(&racing).received, 2);
    assert!(!racing.log.borrow().contains(&"again"));
}

#[test]
fn a_store_or_a_desk_that_went_back_gets_everything_again() {
    let hub = hub();
    let mut device = Device::new();
    let empty = hub.snapshot();
    let digests = [device.save(1, 100), device.save(2, 100), device.save(3, 100)];
    device.run(&hub);
    send_down(&hub, &device.receipt(&digests[..1], ReceiptLevel::Ingested));
    send_down(&hub, &device.receipt(&digests[2..], ReceiptLevel::BackedUp));
    device.run(&hub);
    hub.restore(empty.clone(), Some(StoreEpoch::from_bytes([7; 16])));
    assert_eq!(device.run(&hub).handed, 4, "all below backed up");
    // The same without a new mark: the cursor tells.
    for n in 0..3 {
        send_down(&hub, &device.says(ControlBody::DeskEpoch));
        assert_eq!(device.run(&hub).handed, 0, "{n}");
    }
    hub.restore(empty, None);
    assert_eq!(device.run(&hub).handed, 4);
    let taken = hub.ack(&INBOX, &cap(2), &digests).unwrap();
    assert_eq!(taken.value, 2);
    // The desk is restored: what it had taken away it may have lost.
    device.serial += 1;
    let mut message = control(device.serial, ControlBody::DeskEpoch);
    message.desk_epoch = DeskEpoch::from_bytes([8; 16]);
    send_down(&hub, &message.sign(&Toy(DESK)));
    assert_eq!(device.run(&hub).handed, 4);
    assert_eq!(hub.digests(&INBOX).len(), 2, "stored once more");
}

/// The mark alone is enough: the cursor of a device that never got a message tells nothing.
#[test]
fn another_mark_of_the_store_is_seen_in_any_answer() {
    let hub = hub();
    let mut device = Device::new();
    let digest = device.save(1, 100);
    let empty = hub.snapshot();
    device.run(&hub);
    hub.restore(empty.clone(), None);
    assert_eq!(device.run(&hub).handed, 0, "nothing tells, but the thirty days");
    hub.restore(empty, Some(StoreEpoch::from_bytes([7; 16])));
    assert_eq!(device.run(&hub).handed, 2);
    assert_eq!(hub.digests(&INBOX), [digest]);
}

/// A put answered "taken away" makes the device read its downlink first: the receipt may just have come.
#[test]
fn a_receipt_that_comes_during_the_run_spares_the_second_copy() {
    let hub = hub();
    let mut device = Device::new();
    let digest = device.save(1, 100);
    hub.put(&INBOX, &cap(1), &[1; 100], false).unwrap();
    hub.ack(&INBOX, &cap(2), &[digest]).unwrap();
    let receipt = device.receipt(&[digest], ReceiptLevel::Ingested);
    let racing = link(&hub, |_, what, _| {
        if what == "put" {
            send_down(&hub, &receipt);
        }
        Fate::Passes
    });
    assert_eq!(device.run(&racing).received, 2);
    assert_eq!(*racing.log.borrow(), ["page", "put", "page", "ack", "page"]);
    assert!(hub.digests(&INBOX).is_empty());
}

#[test]
fn a_later_message_that_comes_first_does_not_swallow_the_earlier_one() {
    let hub = hub();
    let mut device = Device::new();
    let digests = [device.save(1, 100), device.save(2, 100)];
    let first = device.receipt(&digests[..1], ReceiptLevel::BackedUp);
    let second = device.receipt(&digests[1..], ReceiptLevel::BackedUp);
    send_down(&hub, &second);
    send_down(&hub, &first);
    let report = device.run(&hub);
    assert_eq!((report.purged, report.controls_refused), (4, 0));
}

#[test]
fn thirty_days_without_a_receipt_are_enough_and_a_wrong_clock_is_not() {
    let hub = hub();
    let mut device = Device::new();
    let digest = device.save(1, 100);
    device.run(&hub);
    hub.ack(&INBOX, &cap(2), &[digest]).unwrap();
    device.clock.advance_s(29 * 86_400);
    assert_eq!(device.run(&hub).handed, 0);
    device.clock.advance_s(86_400);
    assert_eq!(device.run(&hub).handed, 2);
    hub.ack(&INBOX, &cap(2), &[digest]).unwrap();
    device.clock.jump_s(-10 * 365 * 86_400);
    assert_eq!(device.run(&hub).handed, 0);
    device.clock.advance_s(30 * 86_400);
    assert_eq!(
        device.run(&hub).handed,
        2,
        "the patience began anew on the wrong day"
    );
}

#[test]
fn a_refused_device_shows_it_and_recovers_by_itself() {
    let real = hub();
    let shut = link(&real, |_, what, _| match what {
        "put" => Fate::Before(Failure::refused(ProblemKind::Unauthorized, None)),
        _ => Fate::Passes,
    });
    let mut device = Device::new();
    device.save(1, 100);
    device.save(2, 100);
    let report = device.run(&shut);
    assert_eq!((report.refused, report.waiting), (4, 4));
    assert_eq!(
        shut.log.borrow().iter().filter(|what| **what == "put").count(),
        1,
        "asked once, not for each"
    );
    assert!(report.next_try_s.is_some());
    let rows = device.outbox.records().unwrap();
    assert!(
        rows.iter()
            .all(|row| row.stage == Stage::Refused(RefusalReason::Unauthorized))
    );
    assert_eq!(device.outbox.counts().unwrap().refused, 4);
    assert_eq!(
        device.run(&real).handed,
        4,
        "the desk has registered it meanwhile"
    );

    let digest = device.save(3, 100);
    let picky = link(&real, |_, what, _| match what {
        "put" => Fate::Before(Failure::refused(ProblemKind::TooLarge, None)),
        _ => Fate::Passes,
    });
    assert_eq!(device.run(&picky).refused, 2);
    assert_eq!(device.run(&real).handed, 0, "for good, until a person asks");
    assert_eq!(
        device.outbox.record(&digest).unwrap().unwrap().stage,
        Stage::Refused(RefusalReason::TooLarge)
    );
    assert!(device.outbox.bytes(&digest).unwrap().is_some(), "kept");
    assert_eq!(device.outbox.retry_refused().unwrap(), 1);
    assert_eq!(device.run(&real).handed, 2);
}

#[test]
fn one_item_that_always_fails_blocks_no_other() {
    let hub = hub();
    let mut device = Device::new();
    let poison = device.save(1, 10);
    for n in 2..8 {
        device.save(n, 100);
    }
    let bad = link(&hub, |_, what, bytes| match what {
        "put" if bytes.len() == 10 => Fate::Before(Failure::refused(ProblemKind::Internal, None)),
        _ => Fate::Passes,
    });
    let report = device.run(&bad);
    assert_eq!((report.handed, report.failures), (12, 1));
    device.save(9, 200);
    assert_eq!(device.run(&bad).handed, 2);
    assert!(!hub.digests(&INBOX).contains(&poison));
    assert_eq!(device.run(&hub).handed, 2, "and is sent in the end");
}

#[test]
fn pauses_grow_are_kept_and_end() {
    let real = hub();
    let mut device = Device::new();
    device.save(1, 100);
    let down = link(&real, |_, _, _| Fate::Before(Failure::Unreachable));
    let mut longest = 0;
    for n in 0..12 {
        let report = device.try_run(&down, &Budget::ms(60_000)).unwrap();
        assert_eq!(down.log.borrow().len(), n + 1, "one attempt, then it gives up");
        let wait = report.next_try_s.unwrap();
        assert!(wait >= 1 && wait <= (30 << n).min(6 * 3_600), "{wait}");
        longest = longest.max(wait);
        let early = device.try_run(&down, &Budget::ms(60_000)).unwrap();
        assert_eq!(
            (early.failures, down.log.borrow().len()),
            (0, n + 1),
            "the pause is kept"
        );
        assert_eq!(device.outbox.next_try_s(&device.clock).unwrap(), Some(wait));
        device.clock.advance_s(u32::try_from(wait).unwrap());
    }
    assert!(longest > 3_600);
    device.try_run(&down, &Budget::ms(60_000)).unwrap();
    device.clock.restart();
    assert_eq!(
        device.try_run(&real, &Budget::ms(60_000)).unwrap().handed,
        2,
        "after a restart: at once"
    );
    assert_eq!(device.outbox.next_try_s(&device.clock).unwrap(), Some(0));

    device.save(2, 100);
    let busy = link(&real, |_, what, _| match what {
        "put" => Fate::Before(Failure::refused(ProblemKind::DayQuota, Some(9 * 3_600))),
        _ => Fate::Passes,
    });
    let report = device.try_run(&busy, &Budget::ms(60_000)).unwrap();
    assert_eq!(
        (report.next_try_s, report.refused),
        (Some(9 * 3_600), 0),
        "Retry-After is honoured"
    );
    assert_eq!(device.run(&real).handed, 2, "a person may ask at once");
}

#[test]
fn a_sign_in_page_hands_nothing_over() {
    let real = hub();
    let mut device = Device::new();
    device.save(1, 100);
    let hotel = link(&real, |_, _, _| Fate::Before(Failure::NotAHub { status: 200 }));
    let report = device.run(&hotel);
    assert_eq!((report.handed, report.refused, report.waiting), (0, 0, 2));
    assert_eq!(device.run(&real).handed, 2);
}

#[test]
fn a_budget_and_a_cancel_end_a_run_between_two_requests() {
    let real = hub();
    let mut device = Device::new();
    for n in 1..6 {
        device.save(n, 100);
    }
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancel);
    let slow = link(&real, |number, _, _| {
        flag.store(number >= 2, std::sync::atomic::Ordering::Relaxed);
        Fate::Passes
    });
    let budget = Budget::ms(60_000).manual().cancelled_by(cancel);
    assert_eq!(device.try_run(&slow, &budget).unwrap().handed, 4);
    assert_eq!(device.try_run(&real, &Budget::ms(0)).unwrap().handed, 0);
    assert_eq!(device.run(&real).handed, 6);
}

#[test]
fn two_cannot_send_at_once() {
    let real = hub();
    let mut device = Device::new();
    device.save(1, 100);
    let other = Outbox::open(&device.path()).unwrap();
    let clock = landfall_wire::clock::TestClock::at(common::NOON);
    let seen = RefCell::new(Vec::new());
    let nested = link(&real, |_, what, _| {
        if what == "put" {
            let second = run_once(
                &other,
                &real,
                &ToyVerifier,
                &clock,
                &mut Seed(99),
                &Budget::ms(1).manual(),
            );
            seen.borrow_mut().push(second);
        }
        Fate::Passes
    });
    assert_eq!(device.run(&nested).handed, 2);
    assert_eq!(*seen.borrow(), [Err(Error::LeaseHeld)]);
    drop(nested);
    assert!(
        run_once(
            &other,
            &real,
            &ToyVerifier,
            &clock,
            &mut Seed(98),
            &Budget::ms(1).manual()
        )
        .is_ok()
    );
}

/// The device dies before or after each single request, and starts again: nothing is lost, doubled or called
/// more than it is. Its own lease runs out, as the process of this test lives on.
#[test]
fn a_crash_between_any_two_steps_loses_nothing() {
    for at in 0..16 {
        for dies in [Fate::DiesBefore, Fate::DiesAfter] {
            let hub = hub();
            let mut device = Device::new();
            let mut digests = vec![device.save(1, 100), device.save(2, 200), device.save(3, 300)];
            device.run(&hub);
            send_down(&hub, &device.receipt(&digests[..1], ReceiptLevel::Ingested));
            send_down(&hub, &device.receipt(&digests[1..2], ReceiptLevel::BackedUp));
            digests.extend([device.save(4, 400), device.save(5, 500), device.save(6, 600)]);
            let deadly = link(
                &hub,
                |number, _, _| if number == at { dies } else { Fate::Passes },
            );
            let died = catch_unwind(AssertUnwindSafe(|| device.run(&deadly))).is_err();
            assert_eq!(died, deadly.log.borrow().len() > at);
            device.outbox = Outbox::open(&device.path()).unwrap();
            device.clock.advance_s(181);
            device.run(&hub);
            let stages: Vec<Stage> = digests
                .iter()
                .map(|digest| device.outbox.record(digest).unwrap().unwrap().stage)
                .collect();
            assert_eq!(
                stages[..3],
                [Stage::Ingested, Stage::Purged, Stage::Handed],
                "{at} {dies:?}"
            );
            assert_eq!(stages[3..], [Stage::Handed; 3]);
            let mut there = hub.digests(&INBOX);
            there.sort_unstable();
            digests.sort_unstable();
            assert_eq!(there, digests, "each once");
            assert!(hub.digests(&DOWNLINK).is_empty());
        }
    }
}

#[test]
fn a_bundle_carries_what_the_desk_has_not_got_both_ways() {
    let hub = hub();
    let mut device = Device::new();
    let digests = [device.save(1, 100), device.save(2, 100), device.save(3, 100)];
    device.run(&hub);
    send_down(&hub, &device.receipt(&digests[..1], ReceiptLevel::Ingested));
    device.run(&hub);
    let up = device.folder.path().join("up.landfall");
    let before = device.outbox.records().unwrap();
    assert_eq!(bundle::export(&device.outbox, &up).unwrap(), 2);
    assert_eq!(bundle::export(&device.outbox, &up), Err(Error::OutExists));
    assert_eq!(device.outbox.records().unwrap(), before, "a file is no delivery");
    let carried: Vec<Digest> = BundleReader::new(&std::fs::read(&up).unwrap()[..])
        .unwrap()
        .map(|item| match item.unwrap() {
            Item::Envelope(bytes) => Digest::of(&bytes),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(carried, digests[1..]);

    let down = device.folder.path().join("down.landfall");
    let messages = [
        (DOWNLINK, device.receipt(&digests[..2], ReceiptLevel::BackedUp)),
        (
            MailboxId::from_bytes([6; 16]),
            b"age-encryption.org/v1\nfor somebody else".to_vec(),
        ),
        (DOWNLINK, b"age-encryption.org/v1\nfor us".to_vec()),
    ];
    let mut writer = BundleWriter::new(Vec::new(), Kind::Downlink).unwrap();
    for (mailbox, bytes) in &messages {
        writer
            .write(&Item::Downlink {
                mailbox: *mailbox,
                bytes: bytes.clone(),
            })
            .unwrap();
    }
    let bytes = writer.finish().unwrap();
    let import = |bytes: &[u8], device: &Device| {
        std::fs::write(&down, bytes).unwrap();
        bundle::import(&device.outbox, &down, &ToyVerifier, &device.clock, &mut Seed(7))
    };
    assert_eq!(
        import(&std::fs::read(&up).unwrap(), &device),
        Err(Error::WrongKind)
    );
    let report = import(&bytes, &device).unwrap();
    assert_eq!((report.purged, report.downlinks, report.received), (4, 1, 2));
    assert_eq!(device.outbox.waiting_downlinks().unwrap().len(), 1);
    let report = import(&bytes, &device).unwrap();
    assert_eq!(
        (report.purged, report.controls_refused),
        (0, 1),
        "the second time the serial is old"
    );
    // Cut off anywhere: located, and no panic.
    for end in 0..bytes.len() {
        let device = Device::new();
        match import(&bytes[..end], &device) {
            Ok(_) | Err(Error::Wire(landfall_wire::Error::At { .. })) => {}
            other => panic!("{end}: {other:?}"),
        }
    }
}

#[test]
fn sealed_again_takes_the_place_of_what_cannot_be_opened() {
    let hub = hub();
    let mut device = Device::new();
    let old = device.save(1, 100);
    device.run(&hub);
    send_down(&hub, &device.receipt(&[old], ReceiptLevel::Unopenable));
    device.run(&hub);
    assert_eq!(device.outbox.unopenable().unwrap(), [old]);
    let meta = Meta {
        day: DAY,
        entries: 2,
        seqs: Some((2, 3)),
    };
    let new = Digest::of(&[9; 120]);
    device.outbox.replace(&old, &new, &[9; 120], &meta).unwrap();
    assert!(device.outbox.unopenable().unwrap().is_empty());
    assert_eq!(device.outbox.counts().unwrap().saved, 2, "counted once");
    assert_eq!(device.run(&hub).handed, 2);
    send_down(&hub, &device.receipt(&[old, new], ReceiptLevel::BackedUp));
    assert_eq!(device.run(&hub).purged, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever answers come, in whatever order: the machine never panics, ends, and never calls an envelope
    /// received or purged, for no receipt is among the events.
    #[test]
    fn no_answer_of_a_hub_is_a_receipt(seed in any::<u64>(), kinds in proptest::collection::vec(0u8..9, 1..60)) {
        use landfall_sync::machine::{Change, Downlink, Event, Item, State, step};
        use landfall_wire::clock::Clock as _;
        let mut rng = Seed(seed);
        let mut state = State::default();
        for n in 0..5u8 {
            let digest = Digest::from_bytes([n; 32]);
            state.items.insert(digest, Item::saved(u32::from(n), 1, Some((u64::from(n), u64::from(n)))));
        }
        let clock = landfall_wire::clock::TestClock::at(common::NOON);
        for kind in kinds {
            let digest = Digest::from_bytes([rng.below(7) as u8; 32]);
            let store_epoch = StoreEpoch::from_bytes([rng.below(2) as u8; 16]);
            let event = match kind {
                0 => Event::Start { manual: rng.one_in(2), clean: rng.one_in(2) },
                1 => Event::Downlink(Downlink { page: Some((store_epoch, rng.below(4))), is_end: rng.one_in(2), ..Downlink::default() }),
                2 => Event::Had { store_epoch, answers: vec![(digest, [Presence::Absent, Presence::Held, Presence::Acked][rng.below(3) as usize])] },
                3 | 4 => Event::Put { store_epoch, digest, answer: [PutAnswer::New, PutAnswer::Held, PutAnswer::Acked][rng.below(3) as usize] },
                5 => Event::Acked(vec![digest]),
                6 => Event::Failed([Failure::Broken, Failure::Unreachable, Failure::refused(ProblemKind::Forbidden, None), Failure::refused(ProblemKind::Full, Some(u64::MAX))][rng.below(4) as usize]),
                7 => Event::Unreadable(digest),
                _ => Event::Stop,
            };
            clock.advance_s(rng.below(4_000_000) as u32);
            let (next, now) = step(state, event, &clock.read(), &mut rng);
            state = next;
            let purges = now.changes.iter().any(|change| matches!(change, Change::Purge(_) | Change::Wipe));
            prop_assert!(!purges);
            let below = state.items.values().all(|item| item.stage.is_below_ingested());
            prop_assert!(state.items.len() == 5 && below);
        }
    }
}
