//! The queue machine: `step(state, event, now, rng) -> (state, step)`. It decides, and does nothing.
//!
//! All that lasts is in the changes that it asks for; whoever runs it writes them down, in one transaction,
//! before performing the action that comes with them. So a crash between any two steps loses nothing but the
//! knowledge of what is on its way, and that is asked for again. The one way to [`Stage::Ingested`] and to
//! [`Stage::Purged`] is a receipt that the desk signed: no answer of a hub leads there.

use std::collections::{BTreeMap, BTreeSet};

use landfall_wire::clock::ClockReading;
use landfall_wire::control::{Contact, Control, ControlBody, Receipt, ReceiptLevel};
use landfall_wire::hub::{Presence, PutAnswer, Retry};
use landfall_wire::ids::{DeskEpoch, Digest, StoreEpoch};

use crate::rng::{Rng, below};
use crate::transport::Failure;

/// First pause after a failure, seconds; doubles with every further one.
pub const PAUSE_FIRST_S: u64 = 30;
/// Longest pause, seconds. A hub's `Retry-After` may be longer, up to a day.
pub const PAUSE_LONGEST_S: u64 = 6 * 3_600;
/// Longest pause that a hub may ask for, seconds.
pub const PAUSE_ASKED_S: u64 = 86_400;
/// Days after which an envelope that was handed over and has no receipt is sent once more.
pub const RECEIPT_PATIENCE_DAYS: u32 = 30;
/// Failures in a row after which a run gives up: the trouble is not the item's.
const FAILURES_IN_A_ROW: u32 = 3;
/// Pages that one run reads, so that a hub cannot keep a phone awake.
const PAGES_A_RUN: u32 = 128;
/// Times that one run reads the downlink to its end.
const FETCHES_A_RUN: u32 = 3;
/// Digests in one question.
const ASKED_AT_ONCE: usize = landfall_wire::hub::DIGESTS_LIMIT;

/// Why the hub refused an envelope for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The device's right to send is unknown to the hub or was revoked (401, 403).
    Unauthorized,
    /// There is no such mailbox, or it is closed (404, 405, 410).
    NoMailbox,
    /// Too large (413).
    TooLarge,
    /// The hub computed another digest (422): the bytes were changed on the way or here.
    Digest,
    /// Another status.
    Other(u16),
}

impl RefusalReason {
    /// Reads the hub's status.
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            404 => Self::NoMailbox,
            413 => Self::TooLarge,
            422 => Self::Digest,
            403 => Self::Unauthorized,
            405 | 410 => Self::NoMailbox,
            other => Self::Other(other),
        }
    }

    /// Returns one status that reads back as this.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::NoMailbox => 404,
            Self::TooLarge => 413,
            Self::Digest => 422,
            Self::Other(status) => status,
        }
    }

    /// Whether it holds for everything that this device would send, and so may end when the desk has acted.
    #[must_use]
    pub const fn is_of_the_mailbox(self) -> bool {
        matches!(self, Self::Unauthorized | Self::NoMailbox)
    }
}

/// How far an envelope has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Stored here; to be sent.
    Saved,
    /// The hub says that it has it. Not delivery.
    Handed,
    /// The desk has it.
    Ingested,
    /// The desk holds it in quarantine: not sent again, not purged.
    Held {
        /// The desk's reason.
        reason: u8,
    },
    /// The desk cannot open it: the entries have to be sealed again.
    Unopenable {
        /// The desk's reason.
        reason: u8,
    },
    /// The hub refused it. Kept, shown, exportable.
    Refused(RefusalReason),
    /// The desk has it backed up; the sealed bytes are gone, the digest stays.
    Purged,
    /// Another envelope with the same entries took its place.
    Replaced,
}

impl Stage {
    /// Whether the desk has not said yet that it has it.
    #[must_use]
    pub const fn is_below_ingested(self) -> bool {
        matches!(self, Self::Saved | Self::Handed | Self::Refused(_))
    }

    /// Whether the sealed bytes are kept.
    #[must_use]
    pub const fn has_bytes(self) -> bool {
        !matches!(self, Self::Purged | Self::Replaced)
    }
}

/// What the queue knows of one envelope; its bytes stay in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Bytes.
    pub size: u32,
    /// Entries in it.
    pub entries: u32,
    /// Sequence numbers of its entries, first and last.
    pub seqs: Option<(u64, u64)>,
    /// How far it is.
    pub stage: Stage,
    /// The next put asks the hub to store it once more.
    pub again: bool,
    /// Day on which it was handed over.
    pub handed_day: u32,
    /// Its own failures.
    pub failures: u16,
    /// In this run: sent, and nobody knows whether it arrived.
    pub doubt: bool,
    /// In this run: the hub says that it was taken away, and no receipt was seen yet.
    pub acked: bool,
    /// In this run: tried.
    pub tried: bool,
}

impl Item {
    /// Makes a new one.
    #[must_use]
    pub const fn saved(size: u32, entries: u32, seqs: Option<(u64, u64)>) -> Self {
        Self {
            size,
            entries,
            seqs,
            stage: Stage::Saved,
            again: false,
            handed_day: 0,
            failures: 0,
            doubt: false,
            acked: false,
            tried: false,
        }
    }
}

/// How far this device has come with hub and desk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The desk's mark.
    pub desk_epoch: Option<DeskEpoch>,
    /// The hub's mark.
    pub store_epoch: Option<StoreEpoch>,
    /// Cursor in the own downlink.
    pub cursor: u64,
    /// Serial of the last control message applied.
    pub serial: u64,
}

/// When to try again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    /// Runs that failed one after the other.
    pub failures: u16,
    /// Start of the device for which `next_try_ms` counts.
    pub boot: u64,
    /// Elapsed time of the device before which nothing is tried; 0: at once.
    pub next_try_ms: u64,
}

impl Backoff {
    /// Milliseconds still to wait; 0 after a restart of the device, and where its starts cannot be told apart.
    #[must_use]
    pub fn left_ms(&self, now: &ClockReading) -> u64 {
        if self.boot == 0 || self.boot != now.boot {
            return 0;
        }
        let left = self.next_try_ms.saturating_sub(now.elapsed_ms);
        // Longer than anything that is ever set: the elapsed clock went back.
        if left > PAUSE_ASKED_S * 1000 { 0 } else { left }
    }
}

/// What a run has done; counts are of entries where not said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Handed to the mailbox.
    pub handed: u32,
    /// Received by the desk, at whatever level, for the first time.
    pub received: u32,
    /// Purged here.
    pub purged: u32,
    /// Held in quarantine by the desk.
    pub held: u32,
    /// Refused by the hub.
    pub refused: u32,
    /// Control messages that changed nothing: wrong signature, audience, device, or serial.
    pub controls_refused: u32,
    /// Sealed messages that came in.
    pub downlinks: u32,
    /// Requests that failed.
    pub failures: u32,
    /// Bytes of envelopes sent.
    pub sent_bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Run {
    started: bool,
    /// The downlink was read to its end since the last reason to read it.
    fetched: bool,
    /// It has to be read once more when everything is sent.
    fetch_more: bool,
    /// It could not be read, so nothing is concluded from what is not in it.
    fetch_failed: bool,
    fetches: u32,
    pages: u32,
    in_a_row: u32,
    /// Ends the run: the pause to keep, milliseconds.
    pause_ms: Option<u64>,
    /// The hub refuses whatever this device sends.
    shut: bool,
    ack_failed: bool,
    over: bool,
}

/// Everything the machine knows. Loaded from the store at the start of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The envelopes.
    pub items: BTreeMap<Digest, Item>,
    /// How far.
    pub progress: Progress,
    /// When again.
    pub backoff: Backoff,
    /// Downlink messages that the hub may delete.
    pub to_ack: BTreeSet<Digest>,
    /// What this run has done.
    pub tally: Tally,
    run: Run,
}

impl State {
    /// Entries that the desk has not said to have.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        let below = self.items.values().filter(|item| item.stage.is_below_ingested());
        below.fold(0, |sum, item| sum.saturating_add(item.entries))
    }

    /// Whether nothing that was sent is in doubt.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self
            .items
            .values()
            .any(|item| item.doubt && item.stage == Stage::Saved)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run begins.
    Start {
        /// A person or the network asks for it: pauses do not count.
        manual: bool,
        /// The last run knew what became of everything.
        clean: bool,
    },
    /// A page of the downlink, or a bundle carried by hand. The courier has checked signature, audience and
    /// device of every control message in it.
    Downlink(Downlink),
    /// Answer to a question.
    Had {
        /// The store that answered.
        store_epoch: StoreEpoch,
        /// What it said.
        answers: Vec<(Digest, Presence)>,
    },
    /// Answer to a put.
    Put {
        /// The store that answered.
        store_epoch: StoreEpoch,
        /// Which envelope.
        digest: Digest,
        /// What it said.
        answer: PutAnswer,
    },
    /// The hub has deleted these downlink messages.
    Acked(Vec<Digest>),
    /// The last action has no answer.
    Failed(Failure),
    /// The sealed bytes of this envelope could not be read here.
    Unreadable(Digest),
    /// The budget is used up, or the person cancels.
    Stop,
}

/// What came down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downlink {
    /// Store mark and next cursor, if it came from a hub.
    pub page: Option<(StoreEpoch, u64)>,
    /// Whether the page had no item: the end was reached.
    pub is_end: bool,
    /// Control messages, verified, with the digest under which they lay in the mailbox.
    pub controls: Vec<(Digest, Control)>,
    /// Sealed messages.
    pub sealed: Vec<(Digest, Vec<u8>)>,
    /// Messages that are neither, or did not verify.
    pub refused: u32,
}

/// What must be written down, all of one step in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The envelope's row.
    Item(Digest, Item),
    /// The desk has it backed up: delete the bytes, keep the digest.
    Purge(Digest),
    /// The progress row.
    Progress(Progress),
    /// The next try.
    Backoff(Backoff),
    /// A sealed message waits for the unlock.
    Sealed(Digest, Vec<u8>),
    /// These may be deleted by the hub.
    ToAck(Vec<Digest>),
    /// These were deleted by the hub.
    Acked(Vec<Digest>),
    /// The desk asks for sequence numbers of which no envelope is here.
    Resend(u64, u64),
    /// The desk orders a wipe.
    Wipe,
    /// New ways to the hub.
    Contact(Contact),
    /// The desk's time, with the elapsed time at which it was learnt.
    Time {
        /// Wall time, seconds since 1970-01-01 UTC.
        wall_s: i64,
        /// Elapsed time of the device, milliseconds.
        elapsed_ms: u64,
        /// Start of the device.
        boot: u64,
    },
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Read the own downlink.
    Fetch {
        /// Cursor.
        after: u64,
    },
    /// Ask which of these are there.
    Have(Vec<Digest>),
    /// Send one.
    Put {
        /// Which.
        digest: Digest,
        /// Store it once more if it was taken away.
        again: bool,
    },
    /// Tell the hub that these may be deleted.
    Ack(Vec<Digest>),
    /// Nothing before this much time has passed.
    Wait {
        /// Milliseconds.
        ms: u64,
    },
    /// Nothing more.
    Done,
}

/// What a step asks for: first the changes, durably, then the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// To be written in one transaction.
    pub changes: Vec<Change>,
    /// To be done then.
    pub action: Action,
}

/// Takes one event.
#[must_use]
pub fn step(mut state: State, event: Event, now: &ClockReading, rng: &mut dyn Rng) -> (State, Step) {
    let mut changes = Vec::new();
    let failed = matches!(event, Event::Failed(_));
    // A downlink that can be read says nothing about whether the mailbox takes anything.
    let taken = matches!(event, Event::Had { .. } | Event::Put { .. });
    match event {
        Event::Start { manual, clean } => start(&mut state, manual, clean, now, &mut changes),
        Event::Downlink(downlink) => take_downlink(&mut state, downlink, now, &mut changes),
        Event::Had { store_epoch, answers } => {
            note_store(&mut state, store_epoch, &mut changes);
            for (digest, presence) in answers {
                had(&mut state, digest, presence, now, &mut changes);
            }
        }
        Event::Put {
            store_epoch,
            digest,
            answer,
        } => {
            note_store(&mut state, store_epoch, &mut changes);
            put_answered(&mut state, digest, answer, now, &mut changes);
        }
        Event::Acked(digests) => {
            for digest in &digests {
                state.to_ack.remove(digest);
            }
            changes.push(Change::Acked(digests));
        }
        Event::Failed(failure) => fail(&mut state, failure, now, rng, &mut changes),
        Event::Unreadable(digest) => {
            if let Some(item) = state.items.get_mut(&digest) {
                item.tried = true;
                item.failures = item.failures.saturating_add(1);
                changes.push(Change::Item(digest, *item));
            }
        }
        Event::Stop => state.run.over = true,
    }
    if !failed {
        state.run.in_a_row = 0;
    }
    if taken {
        calm(&mut state, &mut changes);
    }
    let action = next(&mut state, &mut changes);
    (state, Step { changes, action })
}

/// Forgets earlier failures.
fn calm(state: &mut State, changes: &mut Vec<Change>) {
    if state.backoff != Backoff::default() && state.run.pause_ms.is_none() {
        state.backoff = Backoff::default();
        changes.push(Change::Backoff(state.backoff));
    }
}

fn start(state: &mut State, manual: bool, clean: bool, now: &ClockReading, changes: &mut Vec<Change>) {
    state.run = Run {
        started: true,
        ..Run::default()
    };
    state.tally = Tally::default();
    let today = now.day();
    for item in state.items.values_mut() {
        (item.doubt, item.acked, item.tried) = (!clean && item.stage == Stage::Saved, false, false);
    }
    let left = state.backoff.left_ms(now);
    if left > 0 && !manual {
        state.run.pause_ms = Some(left);
        return;
    }
    if manual {
        calm(state, changes);
    }
    for (digest, item) in &mut state.items {
        match item.stage {
            // What the hub refused to this device altogether it may take today: the desk may have acted.
            Stage::Refused(reason) if reason.is_of_the_mailbox() => {
                item.stage = Stage::Saved;
                changes.push(Change::Item(*digest, *item));
            }
            Stage::Handed if item.handed_day > today => {
                // The wall clock was wrong then or is wrong now: the patience begins today.
                item.handed_day = today;
                changes.push(Change::Item(*digest, *item));
            }
            Stage::Handed if today - item.handed_day >= RECEIPT_PATIENCE_DAYS => {
                queue_again(item);
                changes.push(Change::Item(*digest, *item));
            }
            _ => {}
        }
    }
}

fn queue_again(item: &mut Item) {
    item.stage = Stage::Saved;
    item.again = true;
    item.acked = false;
    item.doubt = false;
}

/// A store with another mark has lost what it said to have: everything below `backed_up` is sent again.
fn note_store(state: &mut State, store_epoch: StoreEpoch, changes: &mut Vec<Change>) {
    let before = state.progress.store_epoch;
    if before == Some(store_epoch) {
        return;
    }
    state.progress.store_epoch = Some(store_epoch);
    if before.is_some() {
        restart_downlink(state);
        queue_all_again(
            state,
            |stage| matches!(stage, Stage::Handed | Stage::Ingested),
            changes,
        );
    }
    changes.push(Change::Progress(state.progress));
}

fn restart_downlink(state: &mut State) {
    state.progress.cursor = 0;
    state.run.fetched = false;
}

fn queue_all_again(state: &mut State, which: impl Fn(Stage) -> bool, changes: &mut Vec<Change>) {
    for (digest, item) in &mut state.items {
        if which(item.stage) {
            queue_again(item);
            changes.push(Change::Item(*digest, *item));
        }
    }
}

fn take_downlink(state: &mut State, downlink: Downlink, now: &ClockReading, changes: &mut Vec<Change>) {
    let Downlink {
        page,
        is_end,
        mut controls,
        sealed,
        refused,
    } = downlink;
    if let Some((store_epoch, cursor)) = page {
        note_store(state, store_epoch, changes);
        if cursor < state.progress.cursor {
            // The store went back in time under the same mark: a snapshot was put in its place.
            restart_downlink(state);
            queue_all_again(
                state,
                |stage| matches!(stage, Stage::Handed | Stage::Ingested),
                changes,
            );
        } else {
            state.progress.cursor = cursor;
            state.run.pages = state.run.pages.saturating_add(1);
            if is_end {
                state.run.fetched = true;
                state.run.fetches = state.run.fetches.saturating_add(1);
            } else if state.run.pages >= PAGES_A_RUN {
                state.run.fetched = true;
                state.run.fetch_failed = true;
            }
        }
    }
    state.tally.controls_refused = state.tally.controls_refused.saturating_add(refused);
    // A hub that turns the order round must not make the later message swallow the earlier one.
    controls.sort_by_key(|(_, control)| control.serial);
    let mut settled = Vec::new();
    for (digest, control) in controls {
        if control.serial > state.progress.serial {
            apply(state, control, now, changes);
        } else {
            state.tally.controls_refused = state.tally.controls_refused.saturating_add(1);
        }
        settled.push(digest);
    }
    for (digest, bytes) in sealed {
        state.tally.downlinks = state.tally.downlinks.saturating_add(1);
        changes.push(Change::Sealed(digest, bytes));
        settled.push(digest);
    }
    // A message carried by hand lies at the hub too, under the same digest.
    if !settled.is_empty() {
        state.to_ack.extend(settled.iter().copied());
        state.run.ack_failed = false;
        changes.push(Change::ToAck(settled));
    }
    changes.push(Change::Progress(state.progress));
}

fn apply(state: &mut State, control: Control, now: &ClockReading, changes: &mut Vec<Change>) {
    state.progress.serial = control.serial;
    let before = state.progress.desk_epoch.replace(control.desk_epoch);
    if before.is_some_and(|before| before != control.desk_epoch) {
        // The desk was restored: it may have lost what it had received, quarantine included.
        queue_all_again(
            state,
            |stage| matches!(stage, Stage::Handed | Stage::Ingested | Stage::Held { .. }),
            changes,
        );
    }
    if let Some(wall_s) = control.desk_time_s {
        changes.push(Change::Time {
            wall_s,
            elapsed_ms: now.elapsed_ms,
            boot: now.boot,
        });
    }
    match control.body {
        ControlBody::Receipts(receipts) => {
            for receipt in receipts {
                take_receipt(state, receipt, changes);
            }
        }
        ControlBody::Resend(ranges) => {
            for (first, last) in ranges {
                resend(state, first, last, changes);
            }
        }
        ControlBody::Wipe => changes.push(Change::Wipe),
        ControlBody::Contact(contact) => {
            if !contact.endpoints.is_empty() {
                changes.push(Change::Contact(contact));
            }
        }
        ControlBody::DeskEpoch => {}
    }
}

fn take_receipt(state: &mut State, receipt: Receipt, changes: &mut Vec<Change>) {
    let Some(item) = state.items.get_mut(&receipt.digest) else {
        return;
    };
    if !item.stage.has_bytes() {
        return;
    }
    let tally = &mut state.tally;
    let first = item.stage.is_below_ingested();
    let add = |count: &mut u32| *count = count.saturating_add(item.entries);
    match receipt.level {
        ReceiptLevel::Ingested => {
            if item.stage == Stage::Ingested {
                return;
            }
            add(&mut tally.received);
            item.stage = Stage::Ingested;
        }
        ReceiptLevel::BackedUp => {
            if first || matches!(item.stage, Stage::Held { .. } | Stage::Unopenable { .. }) {
                add(&mut tally.received);
            }
            add(&mut tally.purged);
            item.stage = Stage::Purged;
        }
        ReceiptLevel::Held => {
            add(&mut tally.held);
            item.stage = Stage::Held {
                reason: receipt.reason,
            };
        }
        ReceiptLevel::Unopenable => {
            item.stage = Stage::Unopenable {
                reason: receipt.reason,
            }
        }
    }
    (item.again, item.doubt, item.acked, item.failures) = (false, false, false, 0);
    changes.push(if item.stage == Stage::Purged {
        Change::Purge(receipt.digest)
    } else {
        Change::Item(receipt.digest, *item)
    });
}

/// Queues every envelope that covers a part of the range, and notes what none covers.
fn resend(state: &mut State, first: u64, last: u64, changes: &mut Vec<Change>) {
    let mut covered: Vec<(u64, u64)> = Vec::new();
    for (digest, item) in &mut state.items {
        let Some((from, to)) = item.seqs else { continue };
        if from > last || to < first || !item.stage.has_bytes() {
            continue;
        }
        covered.push((from, to));
        queue_again(item);
        item.tried = false;
        changes.push(Change::Item(*digest, *item));
    }
    covered.sort_unstable();
    let mut at = first;
    for (from, to) in covered {
        if from > at {
            changes.push(Change::Resend(at, from - 1));
        }
        if to >= last {
            return;
        }
        at = at.max(to + 1);
    }
    changes.push(Change::Resend(at, last));
}

fn hand(item: &mut Item, tally: &mut Tally, now: &ClockReading) {
    if item.stage != Stage::Handed {
        tally.handed = tally.handed.saturating_add(item.entries);
    }
    item.stage = Stage::Handed;
    item.handed_day = now.day();
    item.failures = 0;
    (item.again, item.doubt, item.acked) = (false, false, false);
}

fn had(state: &mut State, digest: Digest, presence: Presence, now: &ClockReading, changes: &mut Vec<Change>) {
    let Some(item) = state.items.get_mut(&digest) else {
        return;
    };
    if item.stage != Stage::Saved {
        return;
    }
    item.doubt = false;
    match presence {
        Presence::Absent => {}
        Presence::Held => {
            hand(item, &mut state.tally, now);
            changes.push(Change::Item(digest, *item));
        }
        Presence::Acked => {
            item.acked = !item.again;
            state.run.fetch_more |= item.acked;
        }
    }
}

fn put_answered(
    state: &mut State,
    digest: Digest,
    answer: PutAnswer,
    now: &ClockReading,
    changes: &mut Vec<Change>,
) {
    let Some(item) = state.items.get_mut(&digest) else {
        return;
    };
    item.tried = true;
    item.doubt = false;
    state.tally.sent_bytes = state.tally.sent_bytes.saturating_add(u64::from(item.size));
    if item.stage != Stage::Saved {
        return;
    }
    match answer {
        PutAnswer::New | PutAnswer::Held => {
            hand(item, &mut state.tally, now);
            changes.push(Change::Item(digest, *item));
        }
        // Its reader took it away. The receipt may be in the downlink by now: that is read before the
        // envelope is sent once more.
        PutAnswer::Acked => {
            item.acked = true;
            state.run.fetch_more = true;
        }
    }
}

fn fail(
    state: &mut State,
    failure: Failure,
    now: &ClockReading,
    rng: &mut dyn Rng,
    changes: &mut Vec<Change>,
) {
    state.tally.failures = state.tally.failures.saturating_add(1);
    let action = current(state);
    if let Action::Fetch { .. } = action {
        // Nothing is concluded from a downlink that was not read; sending goes on without it.
        state.run.fetched = true;
        state.run.fetch_failed = true;
    }
    if let Action::Ack(_) = action {
        state.run.ack_failed = true;
    }
    match failure {
        Failure::Refused {
            status,
            retry: Retry::Never,
            ..
        } => {
            if let Action::Put { digest, .. } = action {
                refuse(state, digest, RefusalReason::from_status(status), changes);
            } else if let Action::Have(_) = action {
                // Without the question everything in doubt is simply sent again.
                state.items.values_mut().for_each(|item| item.doubt = false);
            }
            if state.run.shut {
                pause(state, 0, now, rng, changes);
            }
            return;
        }
        Failure::Refused {
            retry: Retry::Later,
            wait_s,
            ..
        } => {
            pause(state, wait_s.unwrap_or(0), now, rng, changes);
            return;
        }
        Failure::Unreachable => {
            pause(state, 0, now, rng, changes);
            return;
        }
        Failure::Refused {
            retry: Retry::Retry, ..
        }
        | Failure::Broken
        | Failure::NotAHub { .. } => {}
    }
    if let Action::Put { digest, .. } = action
        && let Some(item) = state.items.get_mut(&digest)
    {
        item.tried = true;
        item.doubt = true;
        item.failures = item.failures.saturating_add(1);
        changes.push(Change::Item(digest, *item));
    } else if let Action::Have(_) = action {
        state.items.values_mut().for_each(|item| item.doubt = false);
    }
    state.run.in_a_row = state.run.in_a_row.saturating_add(1);
    if state.run.in_a_row >= FAILURES_IN_A_ROW {
        let wait_s = match failure {
            Failure::Refused { wait_s, .. } => wait_s.unwrap_or(0),
            _ => 0,
        };
        pause(state, wait_s, now, rng, changes);
    }
}

fn refuse(state: &mut State, digest: Digest, reason: RefusalReason, changes: &mut Vec<Change>) {
    let of_all = reason.is_of_the_mailbox();
    state.run.shut |= of_all;
    for (other, item) in &mut state.items {
        if item.stage == Stage::Saved && (of_all || *other == digest) {
            item.stage = Stage::Refused(reason);
            item.tried = true;
            state.tally.refused = state.tally.refused.saturating_add(item.entries);
            changes.push(Change::Item(*other, *item));
        }
    }
}

/// Ends the run with a pause: full jitter under a window that doubles, or what the hub asks for if longer.
fn pause(state: &mut State, asked_s: u64, now: &ClockReading, rng: &mut dyn Rng, changes: &mut Vec<Change>) {
    let doublings = u32::from(state.backoff.failures.min(16));
    let window_s = PAUSE_FIRST_S.saturating_mul(1 << doublings).min(PAUSE_LONGEST_S);
    let jitter_ms = below(rng, window_s * 1000).max(1_000);
    let ms = jitter_ms.max(asked_s.min(PAUSE_ASKED_S) * 1000);
    state.backoff = Backoff {
        failures: state.backoff.failures.saturating_add(1),
        boot: now.boot,
        next_try_ms: now.elapsed_ms.saturating_add(ms),
    };
    state.run.pause_ms = Some(ms);
    changes.push(Change::Backoff(state.backoff));
}

/// The action that the state calls for, which is also the one under way when an answer comes.
fn current(state: &State) -> Action {
    let run = &state.run;
    if !run.started {
        return Action::Done;
    }
    if let Some(ms) = run.pause_ms {
        return Action::Wait { ms };
    }
    if run.over {
        return Action::Done;
    }
    if !state.to_ack.is_empty() && !run.ack_failed {
        return Action::Ack(state.to_ack.iter().copied().take(ASKED_AT_ONCE).collect());
    }
    if !run.fetched && run.fetches < FETCHES_A_RUN && run.pages < PAGES_A_RUN && !run.fetch_failed {
        return Action::Fetch {
            after: state.progress.cursor,
        };
    }
    if run.shut {
        return Action::Done;
    }
    let in_doubt: Vec<Digest> = state
        .items
        .iter()
        .filter(|(_, item)| item.stage == Stage::Saved && item.doubt && !item.tried)
        .map(|(digest, _)| *digest)
        .take(ASKED_AT_ONCE)
        .collect();
    if !in_doubt.is_empty() {
        return Action::Have(in_doubt);
    }
    let first = state
        .items
        .iter()
        .filter(|(_, item)| item.stage == Stage::Saved && !item.tried && !item.acked)
        .min_by_key(|(digest, item)| (item.failures, item.size, **digest));
    match first {
        Some((digest, item)) => Action::Put {
            digest: *digest,
            again: item.again,
        },
        None => Action::Done,
    }
}

fn next(state: &mut State, changes: &mut Vec<Change>) -> Action {
    let action = current(state);
    if action != Action::Done || state.run.over || !state.run.started {
        return action;
    }
    if state.run.fetch_more && state.run.fetches < FETCHES_A_RUN && !state.run.fetch_failed {
        (state.run.fetch_more, state.run.fetched) = (false, false);
        return current(state);
    }
    // What its reader took away and no receipt names, although the downlink was read to its end since, has
    // not reached the desk: a bundle was lost between hub and desk. It is sent once more.
    if state.run.fetched && !state.run.fetch_failed && !state.run.fetch_more {
        for (digest, item) in &mut state.items {
            if item.acked && item.stage == Stage::Saved {
                (item.acked, item.again, item.tried) = (false, true, false);
                changes.push(Change::Item(*digest, *item));
            }
        }
    }
    let action = current(state);
    if action == Action::Done && state.tally.failures == 0 {
        calm(state, changes);
    }
    action
}
