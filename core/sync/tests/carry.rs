//! The desk's courier: pull loses nothing and acknowledges nothing, push may be repeated.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::cell::Cell;
use std::path::Path;

use common::{DOWNLINK, INBOX, Seed, admin, cap, courier, hub};
use landfall_sync::carry::{AdminFile, CourierFile, Patience, pull, pull_with, push, push_with};
use landfall_sync::memory::MemoryHub;
use landfall_sync::transport::Answer;
use landfall_sync::{Error, Failure, HubAdmin, Transport};
use landfall_wire::bundle::{BundleReader, BundleWriter, CapOp, Item, Kind, Right};
use landfall_wire::hub::{AdminOutcome, AdminRequest, Page, Presence, ProblemKind, PutAnswer};
use landfall_wire::ids::{Capability, Digest, MailboxId, StoreEpoch};

/// A link that breaks after so many requests, or at every other one.
struct Breaks<'a> {
    hub: &'a MemoryHub,
    left: Cell<u32>,
    every_other: bool,
}

impl Breaks<'_> {
    fn through<T>(&self, ask: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        if left == 0 {
            return Err(Failure::Unreachable);
        }
        if self.every_other && left % 2 == 1 {
            ask().and(Err(Failure::Broken))
        } else {
            ask()
        }
    }
}

impl Transport for Breaks<'_> {
    fn put(
        &self,
        m: &MailboxId,
        c: &Capability,
        b: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure> {
        self.through(|| self.hub.put(m, c, b, again))
    }
    fn have(&self, m: &MailboxId, c: &Capability, d: &[Digest]) -> Result<Answer<Vec<Presence>>, Failure> {
        self.through(|| self.hub.have(m, c, d))
    }
    fn page(&self, m: &MailboxId, c: &Capability, after: u64, _: u32) -> Result<Page, Failure> {
        self.through(|| self.hub.page(m, c, after, 3))
    }
    fn ack(&self, m: &MailboxId, c: &Capability, d: &[Digest]) -> Result<Answer<u32>, Failure> {
        self.through(|| self.hub.ack(m, c, d))
    }
    fn put_slice(&self, m: &MailboxId, c: &Capability, b: &[u8]) -> Result<Answer<PutAnswer>, Failure> {
        self.through(|| self.hub.put_slice(m, c, b))
    }
    fn slice(&self, m: &MailboxId, c: &Capability, d: &Digest) -> Result<Answer<Vec<u8>>, Failure> {
        self.through(|| self.hub.slice(m, c, d))
    }
}

impl HubAdmin for Breaks<'_> {
    fn administer(&self, c: &Capability, r: &AdminRequest) -> Result<AdminOutcome, Failure> {
        self.through(|| self.hub.administer(c, r))
    }
}

const HURRIED: Patience = Patience {
    tries: 3,
    first_ms: 1,
    longest_ms: 1,
};

fn items(path: &Path) -> Vec<Item> {
    BundleReader::new(&std::fs::read(path).unwrap()[..])
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn envelopes(n: u8) -> Vec<Item> {
    (0..n).map(|n| Item::Envelope(vec![n; 50])).collect()
}

fn fill(hub: &MemoryHub, n: u8) {
    for n in 0..n {
        hub.put(&INBOX, &cap(1), &[n; 50], false).unwrap();
    }
}

fn bundle(path: &Path, items: &[Item]) {
    let mut writer = BundleWriter::new(Vec::new(), Kind::Downlink).unwrap();
    items.iter().for_each(|item| writer.write(item).unwrap());
    std::fs::write(path, writer.finish().unwrap()).unwrap();
}

#[test]
fn a_pull_takes_everything_and_acknowledges_nothing() {
    let hub = hub();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.landfall");
    let report = pull(&hub, &courier(), &out, &mut Seed(1)).unwrap();
    assert_eq!((report.envelopes, items(&out).len()), (0, 0));
    assert_eq!(pull(&hub, &courier(), &out, &mut Seed(1)), Err(Error::OutExists));
    fill(&hub, 10);
    hub.put_slice(&INBOX, &cap(1), b"slice").unwrap();
    for name in ["b", "c"] {
        let out = folder.path().join(name);
        let report = pull(&hub, &courier(), &out, &mut Seed(1)).unwrap();
        assert_eq!(
            (report.envelopes, report.slices, report.bytes, report.resumed),
            (10, 1, 505, false)
        );
        let mut expected = envelopes(10);
        expected.push(Item::Slice {
            digest: Digest::of(b"slice"),
            bytes: b"slice".to_vec(),
        });
        assert_eq!(items(&out), expected, "a bundle that is lost is pulled again");
    }
    assert_eq!(hub.digests(&INBOX).len(), 11);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_pull_goes_on_where_it_broke() {
    let hub = hub();
    fill(&hub, 20);
    let folder = tempfile::tempdir().unwrap();
    for breaks_after in 0..8 {
        let out = folder.path().join(format!("{breaks_after}"));
        let link = Breaks {
            hub: &hub,
            left: Cell::new(breaks_after),
            every_other: false,
        };
        let broken = pull_with(&link, &courier(), &out, HURRIED, &mut Seed(1));
        assert_eq!(broken, Err(Error::Hub(Failure::Unreachable)));
        assert!(!out.exists());
        // What was being written when it broke is cut off again.
        let part = out.with_extension("part");
        if let Ok(mut bytes) = std::fs::read(&part) {
            bytes.extend([0xa2, 0x00, 0x01]);
            std::fs::write(&part, bytes).unwrap();
        }
        let link = Breaks {
            hub: &hub,
            left: Cell::new(1_000),
            every_other: true,
        };
        let report = pull_with(&link, &courier(), &out, HURRIED, &mut Seed(1)).unwrap();
        assert_eq!(
            (report.resumed, report.envelopes),
            (breaks_after > 0, 20),
            "{breaks_after}"
        );
        assert_eq!(items(&out), envelopes(20));
    }
}

#[test]
fn a_store_that_was_restored_while_it_was_pulled_is_pulled_anew() {
    let hub = hub();
    fill(&hub, 10);
    let folder = tempfile::tempdir().unwrap();
    for epoch in [Some(StoreEpoch::from_bytes([9; 16])), None] {
        let out = folder.path().join(format!("{}", epoch.is_some()));
        let link = Breaks {
            hub: &hub,
            left: Cell::new(2),
            every_other: false,
        };
        pull_with(&link, &courier(), &out, HURRIED, &mut Seed(1)).unwrap_err();
        let small = common::hub();
        fill(&small, 2);
        let full = hub.snapshot();
        hub.restore(small.snapshot(), epoch);
        let report = pull(&hub, &courier(), &out, &mut Seed(1)).unwrap();
        assert_eq!((report.resumed, report.envelopes), (false, 2));
        assert_eq!(items(&out), envelopes(2));
        hub.restore(full, None);
    }
}

#[test]
fn a_push_registers_delivers_and_acknowledges_in_this_order() {
    let hub = MemoryHub::new(StoreEpoch::from_bytes([1; 16]), cap(5).hash());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.landfall");
    let digest = Digest::of(&[0; 50]);
    let content = [
        Item::Ack {
            mailbox: INBOX,
            digests: vec![digest],
        },
        Item::Downlink {
            mailbox: DOWNLINK,
            bytes: b"control".to_vec(),
        },
        Item::Cap(CapOp::Register {
            hash: cap(1).hash(),
            right: Right::Write,
            mailbox: INBOX,
            group: None,
        }),
        Item::Cap(CapOp::Register {
            hash: cap(3).hash(),
            right: Right::Read,
            mailbox: DOWNLINK,
            group: None,
        }),
        Item::Downlink {
            mailbox: MailboxId::from_bytes([8; 16]),
            bytes: b"nobody".to_vec(),
        },
    ];
    bundle(&path, &content);
    let report = push(&hub, &courier(), Some(&admin()), &path, &mut Seed(1)).unwrap();
    assert_eq!((report.registered, report.downlinks, report.acked), (6, 1, 0));
    assert_eq!(report.downlinks_refused, [MailboxId::from_bytes([8; 16])]);
    assert_eq!(hub.digests(&DOWNLINK), [Digest::of(b"control")]);
    hub.put(&INBOX, &cap(1), &[0; 50], false).unwrap();
    // Once more, through a bad link and without the admin file: nothing happens twice.
    let link = Breaks {
        hub: &hub,
        left: Cell::new(1_000),
        every_other: true,
    };
    let report = push_with(&link, &courier(), None, &path, HURRIED, &mut Seed(1)).unwrap();
    assert_eq!(
        (report.caps_skipped, report.registered, report.downlinks),
        (2, 0, 1)
    );
    assert!(hub.digests(&INBOX).is_empty());
    assert_eq!(hub.digests(&DOWNLINK).len(), 1);
    let report = push(&hub, &courier(), Some(&admin()), &path, &mut Seed(1)).unwrap();
    assert_eq!((report.registered, report.unchanged), (0, 7));
    // A revoked device stays revoked when an old bundle is pushed again.
    let revoke = folder.path().join("revoke.landfall");
    bundle(&revoke, &[Item::Cap(CapOp::Revoke { hash: cap(1).hash() })]);
    assert_eq!(
        push(&hub, &courier(), Some(&admin()), &revoke, &mut Seed(1))
            .unwrap()
            .revoked,
        1
    );
    assert_eq!(
        push(&hub, &courier(), Some(&admin()), &path, &mut Seed(1))
            .unwrap()
            .stay_revoked,
        1
    );
    let put = hub.put(&INBOX, &cap(1), &[1; 50], false);
    assert_eq!(put, Err(Failure::refused(ProblemKind::Unauthorized, None)));
}

#[test]
fn a_push_that_breaks_acknowledges_nothing_whose_receipt_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.landfall");
    let content: Vec<Item> = (0..5u8)
        .map(|n| Item::Downlink {
            mailbox: DOWNLINK,
            bytes: vec![n; 9],
        })
        .chain([Item::Ack {
            mailbox: INBOX,
            digests: (0..5u8).map(|n| Digest::of(&[n; 50])).collect(),
        }])
        .collect();
    bundle(&path, &content);
    for breaks_after in 0..5 {
        let hub = hub();
        fill(&hub, 5);
        let link = Breaks {
            hub: &hub,
            left: Cell::new(breaks_after),
            every_other: false,
        };
        push_with(&link, &courier(), None, &path, HURRIED, &mut Seed(1)).unwrap_err();
        assert_eq!(hub.digests(&INBOX).len(), 5);
        assert_eq!(
            push(&hub, &courier(), None, &path, &mut Seed(1)).unwrap().acked,
            5
        );
        assert_eq!(hub.digests(&DOWNLINK).len(), 5);
    }
}

#[test]
fn a_bundle_that_is_not_ours_is_refused_before_anything_is_sent() {
    let hub = hub();
    fill(&hub, 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.landfall");
    let down = Item::Downlink {
        mailbox: DOWNLINK,
        bytes: b"control".to_vec(),
    };
    let foreign = Item::Ack {
        mailbox: MailboxId::from_bytes([7; 16]),
        digests: vec![],
    };
    bundle(&path, &[down.clone(), foreign]);
    let refused = push(&hub, &courier(), Some(&admin()), &path, &mut Seed(1));
    assert_eq!(refused, Err(Error::NotOurs { item: 2 }));
    bundle(&path, &[down.clone(), Item::Envelope(vec![1])]);
    assert_eq!(
        push(&hub, &courier(), None, &path, &mut Seed(1)),
        Err(Error::WrongKind)
    );
    let mut writer = BundleWriter::new(Vec::new(), Kind::Uplink).unwrap();
    writer.write(&down).unwrap();
    std::fs::write(&path, writer.finish().unwrap()).unwrap();
    assert_eq!(
        push(&hub, &courier(), None, &path, &mut Seed(1)),
        Err(Error::WrongKind)
    );
    bundle(&path, &[down.clone(), down]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let refused = push(&hub, &courier(), None, &path, &mut Seed(1));
    assert!(
        matches!(
            refused,
            Err(Error::Wire(landfall_wire::Error::At { item: 2, .. }))
        ),
        "{refused:?}"
    );
    assert!(hub.digests(&DOWNLINK).is_empty(), "nothing was sent");
}

#[test]
fn courier_and_admin_files_are_secrets_in_one_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("courier.json");
    courier().write(&path).unwrap();
    assert_eq!(CourierFile::read(&path).unwrap(), courier());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with(r#"{"v":1,"url":"http://127.0.0.1:1","inbox":"0101"#),
        "{text}"
    );
    assert!(
        !format!("{:?}", courier()).contains("0202"),
        "Debug hides the capabilities"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    admin().write(&path).unwrap();
    assert_eq!(AdminFile::read(&path).unwrap(), admin());
    assert_eq!(CourierFile::read(&path), Err(Error::NotAFile { what: "courier" }));
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"v":2,"url":"x","admin_cap":""}"#,
        r#"{"v":1,"url":"x","admin_cap":"00"}"#,
    ] {
        std::fs::write(&path, bad).unwrap();
        assert_eq!(
            AdminFile::read(&path),
            Err(Error::NotAFile { what: "admin" }),
            "{bad}"
        );
    }
    let newer =
        r#"{"v":2,"url":"x","admin_cap":"0505050505050505050505050505050505050505050505050505050505050505"}"#;
    std::fs::write(&path, newer).unwrap();
    assert!(AdminFile::read(&path).is_err());
}
