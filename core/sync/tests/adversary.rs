//! A device, a hub that lies and a desk that loses its disk, simulated from a seed, thousands of times.
//!
//! The hub drops, repeats, reorders, replays, forges and lies, the device is killed between any two steps, hub
//! and desk are restored from old copies. Whatever happens: nothing is called received that the desk did not
//! sign for, nothing sealed is deleted without its word; and once the hub is honest, everything arrives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use common::{AUD, Seed, Toy, ToyVerifier};
use landfall_sync::courier::perform;
use landfall_sync::machine::{self, Action, Change, Event, Item, Progress, Stage, State, Step};
use landfall_sync::memory::MemoryHub;
use landfall_sync::transport::Answer;
use landfall_sync::{Contact, Failure, HubAdmin as _, Rng, Transport};
use landfall_wire::clock::{Clock as _, TestClock};
use landfall_wire::control::{Control, ControlBody, Receipt, ReceiptLevel};
use landfall_wire::hub::{AdminRequest, Carried, Page, PageItem, Presence, ProblemKind, PutAnswer, Right};
use landfall_wire::ids::{
    Aud, Capability, DeskEpoch, DeviceId, Digest, GroupId, MailboxId, PublicKey, StoreEpoch,
};

/// What the outbox would hold: the rows, changed by nothing but the machine's changes.
#[derive(Clone, Default)]
struct Rows {
    items: BTreeMap<Digest, Item>,
    bytes: BTreeMap<Digest, Vec<u8>>,
    progress: Progress,
    to_ack: BTreeSet<Digest>,
    resend: BTreeSet<(u64, u64)>,
    wipe: bool,
    clean: bool,
}

impl Rows {
    fn load(&self) -> State {
        let mut state = State::default();
        state.items = self
            .items
            .iter()
            .filter(|(_, i)| i.stage.has_bytes())
            .map(|(d, i)| (*d, *i))
            .collect();
        state.progress = self.progress;
        state.to_ack = self.to_ack.clone();
        state
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Item(digest, item) => {
                    let row = self.items.get_mut(&digest).unwrap();
                    assert!(row.stage.has_bytes(), "a purged row is never changed again");
                    *row = Item {
                        doubt: false,
                        acked: false,
                        tried: false,
                        ..item
                    };
                }
                Change::Purge(digest) => {
                    self.items.get_mut(&digest).unwrap().stage = Stage::Purged;
                    self.bytes.remove(&digest);
                }
                Change::Progress(progress) => self.progress = progress,
                Change::ToAck(digests) => self.to_ack.extend(digests),
                Change::Acked(digests) => self.to_ack.retain(|digest| !digests.contains(digest)),
                Change::Resend(first, last) => self.resend.extend([(first, last)]),
                Change::Wipe => self.wipe = true,
                Change::Backoff(_) | Change::Sealed(..) | Change::Contact(_) | Change::Time { .. } => {}
            }
        }
    }
}

#[derive(Clone, Default)]
struct DeskStore {
    envelopes: BTreeMap<Digest, (u64, u64)>,
}

struct Desk {
    key: Toy,
    now: DeskStore,
    copy: DeskStore,
    epoch: DeskEpoch,
    serial: u64,
    /// Everything that the desk ever signed.
    signed: BTreeMap<Digest, BTreeSet<u8>>,
    /// Signed messages on their way to the hub.
    outgoing: Vec<Vec<u8>>,
    acks: Vec<Digest>,
    unacked: BTreeSet<Digest>,
}

/// A hub that may lie, and a link that may break, by the seed.
struct Liar {
    hub: Rc<MemoryHub>,
    seed: RefCell<Seed>,
    /// 0: honest.
    malice: u64,
    /// Every downlink message that it ever saw.
    seen: RefCell<Vec<PageItem>>,
}

impl Liar {
    fn lies(&self, n: u64) -> bool {
        self.malice > 0 && self.seed.borrow_mut().one_in(n)
    }

    fn weather(&self) -> Result<(), Failure> {
        if !self.lies(4) {
            return Ok(());
        }
        Err(match self.seed.borrow_mut().below(7) {
            0 => Failure::Unreachable,
            1 => Failure::NotAHub { status: 200 },
            2 => Failure::refused(ProblemKind::RateLimited, Some(1)),
            3 => Failure::refused(ProblemKind::Unauthorized, None),
            4 => Failure::refused(ProblemKind::TooLarge, None),
            5 => Failure::refused(ProblemKind::Internal, None),
            _ => Failure::Broken,
        })
    }

    fn epoch(&self, honest: StoreEpoch) -> StoreEpoch {
        if self.lies(12) {
            StoreEpoch::from_bytes([self.seed.borrow_mut().next() as u8; 16])
        } else {
            honest
        }
    }

    fn answered<T>(&self, answer: Answer<T>) -> Result<Answer<T>, Failure> {
        if self.lies(6) {
            return Err(Failure::Broken);
        }
        Ok(Answer {
            store_epoch: self.epoch(answer.store_epoch),
            value: answer.value,
        })
    }
}

impl Transport for Liar {
    fn put(
        &self,
        m: &MailboxId,
        c: &Capability,
        bytes: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure> {
        self.weather()?;
        if self.lies(6) {
            let value =
                [PutAnswer::New, PutAnswer::Held, PutAnswer::Acked][self.seed.borrow_mut().below(3) as usize];
            return Ok(Answer {
                value,
                store_epoch: self.epoch(StoreEpoch::from_bytes([1; 16])),
            });
        }
        self.answered(self.hub.put(m, c, bytes, again)?)
    }

    fn have(
        &self,
        m: &MailboxId,
        c: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<Vec<Presence>>, Failure> {
        self.weather()?;
        let mut answer = self.hub.have(m, c, digests)?;
        if self.lies(4) {
            for value in &mut answer.value {
                *value = [Presence::Absent, Presence::Held, Presence::Acked]
                    [self.seed.borrow_mut().below(3) as usize];
            }
        }
        self.answered(answer)
    }

    fn page(&self, m: &MailboxId, c: &Capability, after: u64, limit: u32) -> Result<Page, Failure> {
        self.weather()?;
        let mut page = self.hub.page(m, c, after, limit)?;
        self.seen.borrow_mut().extend(page.items.iter().cloned());
        if self.malice > 0 {
            let mut seed = self.seed.borrow_mut();
            if seed.one_in(4) {
                page.items.retain(|_| !seed.one_in(3));
            }
            if seed.one_in(3) {
                // Replays, in any order, some with a bit changed.
                let seen = self.seen.borrow();
                for _ in 0..seed.below(4) {
                    if let Some(old) = seen.get(seed.below(seen.len().max(1) as u64) as usize) {
                        let mut old = old.clone();
                        if let (true, Carried::Envelope(bytes)) = (seed.one_in(3), &mut old.carried) {
                            let at = seed.below(bytes.len() as u64) as usize;
                            bytes[at] ^= 1 << seed.below(8);
                            old.digest = Digest::of(bytes);
                        }
                        page.items
                            .insert(seed.below(page.items.len() as u64 + 1) as usize, old);
                    }
                }
                for (n, item) in (1u64..).zip(&mut page.items) {
                    item.seq = after + n;
                }
            }
            if seed.one_in(8) {
                page.next = seed.below(after + 3);
            }
        }
        page.store_epoch = self.epoch(page.store_epoch);
        if self.lies(8) {
            return Err(Failure::Broken);
        }
        Ok(page)
    }

    fn ack(&self, m: &MailboxId, c: &Capability, digests: &[Digest]) -> Result<Answer<u32>, Failure> {
        self.weather()?;
        if self.lies(4) {
            return Ok(Answer {
                value: 0,
                store_epoch: self.epoch(StoreEpoch::from_bytes([1; 16])),
            });
        }
        self.answered(self.hub.ack(m, c, digests)?)
    }

    fn put_slice(&self, m: &MailboxId, c: &Capability, bytes: &[u8]) -> Result<Answer<PutAnswer>, Failure> {
        self.hub.put_slice(m, c, bytes)
    }

    fn slice(&self, m: &MailboxId, c: &Capability, digest: &Digest) -> Result<Answer<Vec<u8>>, Failure> {
        self.hub.slice(m, c, digest)
    }
}

struct World {
    seed: Seed,
    clock: TestClock,
    hub: Rc<MemoryHub>,
    contact: Contact,
    desk_read: Capability,
    desk_write: Capability,
    rows: Rows,
    desk: Desk,
    saved: u64,
    all: BTreeMap<Digest, (u64, u64)>,
}

fn world(seed: u64) -> World {
    let mut seed = Seed(seed);
    let mut cap = || {
        let mut bytes = [0; 32];
        seed.fill(&mut bytes);
        Capability::from_bytes(bytes)
    };
    let (admin, write_cap, read_cap, desk_read, desk_write) = (cap(), cap(), cap(), cap(), cap());
    let (inbox, downlink) = (MailboxId::from_bytes([1; 16]), MailboxId::from_bytes([2; 16]));
    let group = GroupId::from_bytes([1; 16]);
    let hub = MemoryHub::new(StoreEpoch::from_bytes([1; 16]), admin.hash());
    for request in [
        AdminRequest::Mailbox {
            mailbox: inbox,
            group: None,
        },
        AdminRequest::Mailbox {
            mailbox: downlink,
            group: Some(group),
        },
        AdminRequest::register(write_cap.hash(), Right::Write, inbox),
        AdminRequest::register(read_cap.hash(), Right::Read, downlink),
        AdminRequest::register(desk_read.hash(), Right::Read, inbox),
        AdminRequest::register_group(desk_write.hash(), group),
    ] {
        hub.administer(&admin, &request).unwrap();
    }
    let key = PublicKey::from_bytes([9; 32]);
    let epoch = DeskEpoch::from_bytes([0; 16]);
    let contact = Contact {
        endpoints: Vec::new(),
        tls_roots: Vec::new(),
        inbox,
        downlink,
        write_cap,
        read_cap,
        desk_keys: vec![key],
        aud: AUD,
        device: DeviceId::from_bytes([4; 16]),
        manifest_serial: 1,
        desk_epoch: epoch,
    };
    let mut rows = Rows {
        clean: true,
        ..Rows::default()
    };
    rows.progress.desk_epoch = Some(epoch);
    World {
        seed,
        clock: TestClock::at(1_780_315_200),
        hub: Rc::new(hub),
        contact,
        desk_read,
        desk_write,
        rows,
        desk: Desk {
            key: Toy(key),
            now: DeskStore::default(),
            copy: DeskStore::default(),
            epoch,
            serial: 0,
            signed: BTreeMap::new(),
            outgoing: Vec::new(),
            acks: Vec::new(),
            unacked: BTreeSet::new(),
        },
        saved: 0,
        all: BTreeMap::new(),
    }
}

impl World {
    fn save(&mut self) {
        let entries = 1 + self.seed.below(3);
        let (first, last) = (self.saved, self.saved + entries - 1);
        self.saved += entries;
        let mut bytes = vec![0; 16 + self.seed.below(32) as usize];
        self.seed.fill(&mut bytes);
        let digest = Digest::of(&bytes);
        self.rows.items.insert(
            digest,
            Item::saved(bytes.len() as u32, entries as u32, Some((first, last))),
        );
        self.rows.bytes.insert(digest, bytes);
        self.all.insert(digest, (first, last));
    }

    /// One run of the courier, cut off after some steps if the device dies.
    fn run(&mut self, liar: &Liar, dies_after: Option<u64>) {
        let clean = std::mem::replace(&mut self.rows.clean, false);
        let mut state = self.rows.load();
        let mut event = Event::Start { manual: true, clean };
        for steps in 0u64.. {
            assert!(steps < 5_000, "a hub must not keep a device awake for ever");
            let (next, Step { changes, action }) =
                machine::step(state, event, &self.clock.read(), &mut self.seed);
            state = next;
            if dies_after == Some(steps * 2) {
                return;
            }
            self.rows.apply(changes);
            self.check();
            if matches!(action, Action::Done | Action::Wait { .. }) {
                break;
            }
            let bytes = |digest: &Digest| Ok::<_, ()>(self.rows.bytes.get(digest).cloned());
            event = perform(action, &self.contact, liar, &ToyVerifier, bytes).unwrap();
            if dies_after == Some(steps * 2 + 1) {
                return;
            }
        }
        self.rows.clean = state.is_clean();
    }

    fn desk_pulls(&mut self) {
        let mut after = 0;
        loop {
            let page = self
                .hub
                .page(&self.contact.inbox, &self.desk_read, after, 4)
                .unwrap();
            if page.items.is_empty() {
                return;
            }
            after = page.next;
            for item in page.items {
                self.desk
                    .now
                    .envelopes
                    .insert(item.digest, self.all[&item.digest]);
                self.desk.unacked.insert(item.digest);
            }
        }
    }

    fn sign(&mut self, body: ControlBody, dev: DeviceId, aud: Aud) {
        self.desk.serial += 1;
        let control = Control {
            aud,
            dev,
            serial: self.desk.serial,
            desk_epoch: self.desk.epoch,
            body,
            desk_time_s: None,
            unknown: Default::default(),
        };
        self.desk.outgoing.push(control.sign(&self.desk.key));
    }

    fn desk_signs(&mut self, gaps_too: bool) {
        let mut receipts = Vec::new();
        for digest in self.desk.now.envelopes.keys() {
            let level = if self.desk.copy.envelopes.contains_key(digest) {
                ReceiptLevel::BackedUp
            } else if self.seed.one_in(6) {
                ReceiptLevel::Held
            } else {
                ReceiptLevel::Ingested
            };
            self.desk.signed.entry(*digest).or_default().insert(level.code());
            receipts.push(Receipt {
                digest: *digest,
                level,
                reason: 0,
            });
        }
        let device = self.contact.device;
        self.sign(ControlBody::Receipts(receipts), device, AUD);
        // Messages that are not for this device or organisation, signed by the same desk.
        if self.seed.one_in(4) {
            self.sign(ControlBody::Wipe, DeviceId::from_bytes([8; 16]), AUD);
        }
        if self.seed.one_in(4) {
            self.sign(ControlBody::Wipe, device, Aud::from_bytes([5; 32]));
        }
        if gaps_too {
            let gaps = self.gaps();
            if !gaps.is_empty() {
                self.sign(ControlBody::Resend(gaps), device, AUD);
            }
        }
        self.desk.acks.extend(std::mem::take(&mut self.desk.unacked));
    }

    /// Sequence numbers that the desk misses below the highest that it has.
    fn gaps(&self) -> Vec<(u64, u64)> {
        let have: BTreeSet<u64> = self
            .desk
            .now
            .envelopes
            .values()
            .flat_map(|(first, last)| *first..=*last)
            .collect();
        let end = have.last().map_or(0, |last| last + 1);
        (0..end)
            .filter(|seq| !have.contains(seq))
            .map(|seq| (seq, seq))
            .collect()
    }

    fn desk_pushes(&mut self) {
        for bytes in std::mem::take(&mut self.desk.outgoing) {
            self.hub
                .put(&self.contact.downlink, &self.desk_write, &bytes, false)
                .unwrap();
        }
        let acks = std::mem::take(&mut self.desk.acks);
        for digests in acks.chunks(256) {
            self.hub
                .ack(&self.contact.inbox, &self.desk_read, digests)
                .unwrap();
        }
    }

    fn desk_loses_its_disk(&mut self) {
        self.desk.now = self.desk.copy.clone();
        let mut epoch = [0; 16];
        self.seed.fill(&mut epoch);
        self.desk.epoch = DeskEpoch::from_bytes(epoch);
        self.desk.serial += 1_000;
        self.desk.outgoing.clear();
        self.desk.acks.clear();
        self.desk.unacked.clear();
    }

    fn check(&self) {
        for (digest, item) in &self.rows.items {
            let signed = |level: ReceiptLevel| {
                self.desk
                    .signed
                    .get(digest)
                    .is_some_and(|levels| levels.contains(&level.code()))
            };
            match item.stage {
                Stage::Ingested => assert!(signed(ReceiptLevel::Ingested), "received without a receipt"),
                Stage::Held { .. } => assert!(signed(ReceiptLevel::Held)),
                Stage::Purged => assert!(signed(ReceiptLevel::BackedUp), "purged without a receipt"),
                Stage::Unopenable { .. } | Stage::Replaced => panic!("nobody signed that"),
                Stage::Saved | Stage::Handed | Stage::Refused(_) => {}
            }
            assert_eq!(
                item.stage != Stage::Purged,
                self.rows.bytes.contains_key(digest),
                "bytes kept"
            );
            if item.stage == Stage::Purged {
                assert!(
                    self.desk.copy.envelopes.contains_key(digest),
                    "the second medium has it"
                );
            }
        }
        assert!(!self.rows.wipe, "a wipe for another device or organisation");
        assert_eq!(self.rows.items.len(), self.all.len(), "no row is ever deleted");
    }
}

fn play(number: u64) {
    let mut world = world(number);
    let liar = Liar {
        hub: Rc::clone(&world.hub),
        seed: RefCell::new(Seed(number ^ 0x5eed)),
        malice: 1,
        seen: RefCell::default(),
    };
    let mut old = world.hub.snapshot();
    for _ in 0..20 + world.seed.below(30) {
        match world.seed.below(12) {
            0 | 1 => world.save(),
            2..=4 => {
                let dies_after = world.seed.one_in(3).then(|| world.seed.below(12));
                world.run(&liar, dies_after);
            }
            5 => world.desk_pulls(),
            6 => world.desk.copy = world.desk.now.clone(),
            7 => world.desk_signs(true),
            8 => world.desk_pushes(),
            9 if world.seed.one_in(3) => old = world.hub.snapshot(),
            10 if world.seed.one_in(4) => {
                let epoch = world
                    .seed
                    .one_in(2)
                    .then(|| StoreEpoch::from_bytes([world.seed.next() as u8; 16]));
                world.hub.restore(old.clone(), epoch);
            }
            11 if world.seed.one_in(5) => world.desk_loses_its_disk(),
            _ => world.clock.advance_s(86_400),
        }
        world.check();
    }
    // From here on everybody is honest.
    let honest = Liar {
        malice: 0,
        seen: RefCell::default(),
        hub: liar.hub,
        seed: liar.seed,
    };
    for round in 0..40 {
        if world.rows.items.values().all(|item| item.stage == Stage::Purged) {
            break;
        }
        assert!(round < 39, "something waits for ever: {:?}", world.rows.items);
        // What the hub said it would never take waits for a person, who asks once more.
        for item in world.rows.items.values_mut() {
            if matches!(item.stage, Stage::Refused(_)) {
                item.stage = Stage::Saved;
            }
        }
        world.run(&honest, None);
        world.desk_pulls();
        world.desk.copy = world.desk.now.clone();
        world.desk_signs(false);
        world.desk_pushes();
        world.run(&honest, None);
        world.check();
        world.clock.advance_s(11 * 86_400);
    }
    // A desk that lost its disk after the copy was made never loses what it had copied, and what it had
    // not copied was never purged: all of it is there again.
    for digest in world.all.keys() {
        assert!(world.desk.now.envelopes.contains_key(digest), "lost");
    }
    assert!(world.gaps().is_empty());
}

#[test]
fn a_hub_that_lies_never_makes_anything_received_and_loses_nothing_for_good() {
    for number in 0..4_000 {
        if let Err(panic) = std::panic::catch_unwind(|| play(number)) {
            eprintln!("seed {number}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// What is dropped in the middle is seen by the desk as a gap, and the answer to its question closes it.
#[test]
fn a_hub_that_says_new_and_drops_is_found_out() {
    struct Drops(Rc<MemoryHub>, RefCell<u32>);
    impl Transport for Drops {
        fn put(
            &self,
            m: &MailboxId,
            c: &Capability,
            b: &[u8],
            again: bool,
        ) -> Result<Answer<PutAnswer>, Failure> {
            *self.1.borrow_mut() += 1;
            if *self.1.borrow() == 2 {
                return Ok(Answer {
                    value: PutAnswer::New,
                    store_epoch: StoreEpoch::from_bytes([1; 16]),
                });
            }
            self.0.put(m, c, b, again)
        }
        fn have(
            &self,
            m: &MailboxId,
            c: &Capability,
            d: &[Digest],
        ) -> Result<Answer<Vec<Presence>>, Failure> {
            self.0.have(m, c, d)
        }
        fn page(&self, m: &MailboxId, c: &Capability, after: u64, limit: u32) -> Result<Page, Failure> {
            self.0.page(m, c, after, limit)
        }
        fn ack(&self, m: &MailboxId, c: &Capability, d: &[Digest]) -> Result<Answer<u32>, Failure> {
            self.0.ack(m, c, d)
        }
        fn put_slice(&self, m: &MailboxId, c: &Capability, b: &[u8]) -> Result<Answer<PutAnswer>, Failure> {
            self.0.put_slice(m, c, b)
        }
        fn slice(&self, m: &MailboxId, c: &Capability, d: &Digest) -> Result<Answer<Vec<u8>>, Failure> {
            self.0.slice(m, c, d)
        }
    }
    let mut world = world(1);
    let drops = Drops(Rc::clone(&world.hub), RefCell::new(0));
    let run = |world: &mut World| {
        let mut state = world.rows.load();
        let mut event = Event::Start {
            manual: true,
            clean: true,
        };
        loop {
            let (next, step) = machine::step(state, event, &world.clock.read(), &mut world.seed);
            state = next;
            world.rows.apply(step.changes);
            if step.action == Action::Done {
                return;
            }
            let bytes = |digest: &Digest| Ok::<_, ()>(world.rows.bytes.get(digest).cloned());
            event = perform(step.action, &world.contact, &drops, &ToyVerifier, bytes).unwrap();
        }
    };
    for _ in 0..3 {
        world.save();
        run(&mut world);
    }
    assert!(world.rows.items.values().all(|item| item.stage == Stage::Handed));
    world.desk_pulls();
    assert!(!world.gaps().is_empty(), "the desk sees it");
    assert_eq!(world.desk.now.envelopes.len(), 2);
    world.desk_signs(true);
    world.desk_pushes();
    run(&mut world);
    run(&mut world);
    world.desk_pulls();
    assert!(world.gaps().is_empty(), "closed");
    assert_eq!(world.desk.now.envelopes.len(), 3);
}
