//! A small organisation for the tests of this crate: one device, one desk, a hub in memory, and a stand-in for
//! signatures.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests; each file uses a part"
)]

use std::path::PathBuf;

use landfall_sync::carry::{AdminFile, CourierFile};
use landfall_sync::memory::MemoryHub;
use landfall_sync::{Budget, Contact, HubAdmin as _, Meta, Outbox, Report, Result, Rng, Transport, run_once};
use landfall_wire::clock::TestClock;
use landfall_wire::control::{Control, ControlBody, Receipt, ReceiptLevel};
use landfall_wire::hub::{AdminRequest, Right};
use landfall_wire::ids::{
    Aud, Capability, DeskEpoch, DeviceId, Digest, GroupId, MailboxId, PublicKey, Signature, StoreEpoch,
    sha256,
};
use landfall_wire::sign::{BadSignature, Signer, Verifier};

/// `SplitMix64`.
#[derive(Clone)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

impl Rng for Seed {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.next() as u8;
        }
    }
}

/// A stand-in for a signature: the simulated hub does not know how it is made.
pub(crate) struct Toy(pub(crate) PublicKey);

fn toy(key: &PublicKey, message: &[u8]) -> Signature {
    let first = sha256(&[key.as_bytes(), message].concat());
    let second = sha256(&[&first[..], message].concat());
    Signature::from_slice(&[first, second].concat()).unwrap()
}

impl Signer for Toy {
    fn public_key(&self) -> PublicKey {
        self.0
    }
    fn sign(&self, message: &[u8]) -> Signature {
        toy(&self.0, message)
    }
}

pub(crate) struct ToyVerifier;

impl Verifier for ToyVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> core::result::Result<(), BadSignature> {
        if toy(key, message) == *signature {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }
}

pub(crate) const NOON: i64 = 1_780_315_200;
pub(crate) const DAY: u32 = 20_605;
pub(crate) const INBOX: MailboxId = MailboxId::from_bytes([1; 16]);
pub(crate) const DOWNLINK: MailboxId = MailboxId::from_bytes([2; 16]);
pub(crate) const GROUP: GroupId = GroupId::from_bytes([1; 16]);
pub(crate) const AUD: Aud = Aud::from_bytes([3; 32]);
pub(crate) const DEVICE: DeviceId = DeviceId::from_bytes([4; 16]);
pub(crate) const DESK: PublicKey = PublicKey::from_bytes([9; 32]);

pub(crate) fn cap(n: u8) -> Capability {
    Capability::from_bytes([n; 32])
}

pub(crate) fn courier() -> CourierFile {
    CourierFile {
        url: "http://127.0.0.1:1".into(),
        inbox: INBOX,
        read_cap: cap(2),
        downlink_cap: cap(4),
    }
}

pub(crate) fn admin() -> AdminFile {
    AdminFile {
        url: "http://127.0.0.1:1".into(),
        admin_cap: cap(5),
    }
}

/// A hub on which everything is registered: 1 writes the inbox, 2 reads it, 3 reads the downlink, 4 writes it.
pub(crate) fn hub() -> MemoryHub {
    let hub = MemoryHub::new(StoreEpoch::from_bytes([1; 16]), cap(5).hash());
    for request in [
        AdminRequest::Mailbox {
            mailbox: INBOX,
            group: None,
        },
        AdminRequest::Mailbox {
            mailbox: DOWNLINK,
            group: Some(GROUP),
        },
        AdminRequest::register(cap(1).hash(), Right::Write, INBOX),
        AdminRequest::register(cap(2).hash(), Right::Read, INBOX),
        AdminRequest::register(cap(3).hash(), Right::Read, DOWNLINK),
        AdminRequest::register_group(cap(4).hash(), GROUP),
    ] {
        hub.administer(&cap(5), &request).unwrap();
    }
    hub
}

pub(crate) fn contact() -> Contact {
    Contact {
        endpoints: Vec::new(),
        tls_roots: Vec::new(),
        inbox: INBOX,
        downlink: DOWNLINK,
        write_cap: cap(1),
        read_cap: cap(3),
        desk_keys: vec![DESK],
        aud: AUD,
        device: DEVICE,
        manifest_serial: 1,
        desk_epoch: DeskEpoch::from_bytes([0; 16]),
    }
}

pub(crate) struct Device {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) outbox: Outbox,
    pub(crate) clock: TestClock,
    pub(crate) seed: Seed,
    pub(crate) serial: u64,
}

impl Device {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(&folder.path().join("outbox.db")).unwrap();
        outbox.set_contact(&contact()).unwrap();
        Self {
            folder,
            outbox,
            clock: TestClock::at(NOON),
            seed: Seed(1),
            serial: 0,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("outbox.db")
    }

    /// Saves an envelope of `size` bytes that begins with `n`, with the one entry `n`.
    pub(crate) fn save(&self, n: u8, size: usize) -> Digest {
        let mut bytes = vec![n; size];
        bytes[0] = n;
        let digest = Digest::of(&bytes);
        let meta = Meta {
            day: DAY,
            entries: 2,
            seqs: Some((u64::from(n) * 2, u64::from(n) * 2 + 1)),
        };
        self.outbox.put(&digest, &bytes, &meta).unwrap();
        digest
    }

    pub(crate) fn try_run(&mut self, transport: &dyn Transport, budget: &Budget) -> Result<Report> {
        run_once(
            &self.outbox,
            transport,
            &ToyVerifier,
            &self.clock,
            &mut self.seed,
            budget,
        )
    }

    /// A run that a person asks for.
    pub(crate) fn run(&mut self, transport: &dyn Transport) -> Report {
        self.try_run(transport, &Budget::ms(60_000).manual()).unwrap()
    }

    /// A message of the desk for this device.
    pub(crate) fn says(&mut self, body: ControlBody) -> Vec<u8> {
        self.serial += 1;
        control(self.serial, body).sign(&Toy(DESK))
    }

    pub(crate) fn receipt(&mut self, digests: &[Digest], level: ReceiptLevel) -> Vec<u8> {
        let receipts = digests
            .iter()
            .map(|digest| Receipt {
                digest: *digest,
                level,
                reason: 0,
            })
            .collect();
        self.says(ControlBody::Receipts(receipts))
    }
}

pub(crate) fn control(serial: u64, body: ControlBody) -> Control {
    Control {
        aud: AUD,
        dev: DEVICE,
        serial,
        desk_epoch: DeskEpoch::from_bytes([0; 16]),
        body,
        desk_time_s: Some(NOON),
        unknown: Default::default(),
    }
}

pub(crate) fn send_down(hub: &dyn Transport, message: &[u8]) {
    hub.put(&DOWNLINK, &cap(4), message, false).unwrap();
}
