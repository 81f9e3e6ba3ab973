//! One run of the courier: performs what the machine asks for, over any transport, locked or not.
//!
//! It checks every control message (signature of the desk, audience, device) before the machine hears of it,
//! and writes the changes of each step durably before it performs the next action.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use landfall_wire::bundle::DownlinkKind;
use landfall_wire::clock::Clock;
use landfall_wire::control::Control;
use landfall_wire::hub::{Carried, PAGE_ITEMS_LIMIT, PageItem};
use landfall_wire::ids::Digest;
use landfall_wire::sign::Verifier;

use crate::machine::{self, Action, Downlink, Event, State, Step};
use crate::outbox::{Contact, Outbox};
use crate::rng::Rng;
use crate::transport::{Failure, Transport};
use crate::{Error, Result};

/// How much one run may take.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    ms: u64,
    manual: bool,
    cancel: Option<Arc<AtomicBool>>,
}

impl Budget {
    /// Lets a run begin actions for this many milliseconds; the last action may end later.
    #[must_use]
    pub const fn ms(ms: u64) -> Self {
        Self {
            ms,
            manual: false,
            cancel: None,
        }
    }

    /// Runs now, whatever pause was kept: the app was opened, the network came back, a person taps.
    #[must_use]
    pub fn manual(self) -> Self {
        Self { manual: true, ..self }
    }

    /// Ends between two actions once the flag is set.
    #[must_use]
    pub fn cancelled_by(self, flag: Arc<AtomicBool>) -> Self {
        Self {
            cancel: Some(flag),
            ..self
        }
    }
}

/// What a run did; counts are of entries where not said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Handed to the mailbox.
    pub handed: u32,
    /// Received by the desk.
    pub received: u32,
    /// Purged here, because the desk has them backed up.
    pub purged: u32,
    /// Held in quarantine by the desk.
    pub held: u32,
    /// Refused by the hub.
    pub refused: u32,
    /// Not yet received by the desk, after this run.
    pub waiting: u32,
    /// Seconds to wait before the next run has any use; `None`: whenever there is something new.
    pub next_try_s: Option<u64>,
    /// Control messages that changed nothing: wrong signature, audience, device or serial.
    pub controls_refused: u32,
    /// Sealed messages that came in and wait for the unlock.
    pub downlinks: u32,
    /// Requests that failed.
    pub failures: u32,
    /// Bytes of envelopes sent.
    pub sent_bytes: u64,
    /// The desk has ordered a wipe.
    pub wipe_pending: bool,
}

/// Sends what waits and takes what the desk says.
///
/// # Errors
/// [`Error::NoContact`] before enrolment, [`Error::LeaseHeld`] while another process sends, what the outbox
/// says. Failures of the network are no errors: they are in the report.
pub fn run_once(
    outbox: &Outbox,
    transport: &dyn Transport,
    verifier: &dyn Verifier,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
    budget: &Budget,
) -> Result<Report> {
    let contact = outbox.contact()?.ok_or(Error::NoContact)?;
    let mut holder = [0; 16];
    rng.fill(&mut holder);
    let clean = outbox.begin(&holder, &clock.read())?;
    let started = clock.read().elapsed_ms;
    let mut run = Run {
        outbox,
        transport,
        verifier,
        clock,
        holder,
        contact,
    };
    let mut state = outbox.load()?;
    let mut event = Event::Start {
        manual: budget.manual,
        clean,
    };
    loop {
        let now = clock.read();
        let (next, Step { changes, action }) = machine::step(state, event, &now, rng);
        state = next;
        if !changes.is_empty() {
            outbox.apply(&changes, &holder, &now)?;
            if changes
                .iter()
                .any(|change| matches!(change, machine::Change::Contact(_)))
            {
                run.contact = outbox.contact()?.ok_or(Error::NoContact)?;
            }
        }
        if matches!(action, Action::Wait { .. } | Action::Done) {
            break;
        }
        let spent = clock.read().elapsed_ms.saturating_sub(started) >= budget.ms;
        let cancelled = budget
            .cancel
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed));
        event = if spent || cancelled {
            Event::Stop
        } else {
            run.perform(action)?
        };
    }
    outbox.end(&holder, state.is_clean())?;
    report(outbox, &state, clock)
}

pub(crate) fn report(outbox: &Outbox, state: &State, clock: &dyn Clock) -> Result<Report> {
    let tally = state.tally;
    let left_ms = state.backoff.left_ms(&clock.read());
    Ok(Report {
        handed: tally.handed,
        received: tally.received,
        purged: tally.purged,
        held: tally.held,
        refused: tally.refused,
        waiting: state.waiting(),
        next_try_s: (left_ms > 0).then(|| left_ms.div_ceil(1000)),
        controls_refused: tally.controls_refused,
        downlinks: tally.downlinks,
        failures: tally.failures,
        sent_bytes: tally.sent_bytes,
        wipe_pending: outbox.wipe_pending()?,
    })
}

struct Run<'a> {
    outbox: &'a Outbox,
    transport: &'a dyn Transport,
    verifier: &'a dyn Verifier,
    clock: &'a dyn Clock,
    holder: [u8; 16],
    contact: Contact,
}

impl Run<'_> {
    fn perform(&self, action: Action) -> Result<Event> {
        let Contact {
            inbox,
            downlink,
            write_cap,
            read_cap,
            ..
        } = &self.contact;
        let outcome = match action {
            Action::Fetch { after } => self.fetch(after),
            Action::Have(digests) => self
                .transport
                .have(inbox, write_cap, &digests)
                .and_then(|answer| {
                    if answer.value.len() != digests.len() {
                        return Err(Failure::NotAHub { status: 200 });
                    }
                    let answers = digests.into_iter().zip(answer.value).collect();
                    Ok(Event::Had {
                        store_epoch: answer.store_epoch,
                        answers,
                    })
                }),
            Action::Put { digest, again } => {
                let Some(bytes) = self.outbox.bytes(&digest)? else {
                    return Ok(Event::Unreadable(digest));
                };
                // The lease lasts longer than one request, counted from here.
                self.outbox.apply(&[], &self.holder, &self.clock.read())?;
                self.transport
                    .put(inbox, write_cap, &bytes, again)
                    .map(|answer| Event::Put {
                        store_epoch: answer.store_epoch,
                        digest,
                        answer: answer.value,
                    })
            }
            Action::Ack(digests) => self
                .transport
                .ack(downlink, read_cap, &digests)
                .map(|_| Event::Acked(digests)),
            Action::Wait { .. } | Action::Done => Ok(Event::Stop),
        };
        Ok(outcome.unwrap_or_else(Event::Failed))
    }

    fn fetch(&self, after: u64) -> Result<Event, Failure> {
        let Contact {
            downlink, read_cap, ..
        } = &self.contact;
        let page = self.transport.page(downlink, read_cap, after, PAGE_ITEMS_LIMIT)?;
        let is_end = page.items.is_empty();
        // An empty page cannot move the cursor ahead: a hub must not make a phone skip what is put later.
        let next = page.items.last().map_or(page.next.min(after), |item| item.seq);
        let bytes = page
            .items
            .into_iter()
            .filter_map(|PageItem { digest, carried, .. }| match carried {
                Carried::Envelope(bytes) => Some((digest, bytes)),
                // Slices are fetched when somebody asks for them.
                Carried::Slice { .. } => None,
            });
        let mut downlink = sort(&self.contact, self.verifier, bytes);
        downlink.page = Some((page.store_epoch, next));
        downlink.is_end = is_end;
        Ok(Event::Downlink(downlink))
    }
}

/// Checks and sorts what came down. What does not verify is counted, and nothing else happens with it.
pub(crate) fn sort(
    contact: &Contact,
    verifier: &dyn Verifier,
    messages: impl Iterator<Item = (Digest, Vec<u8>)>,
) -> Downlink {
    let mut downlink = Downlink::default();
    for (digest, bytes) in messages {
        match DownlinkKind::of(&bytes) {
            DownlinkKind::Control => {
                let Contact {
                    desk_keys,
                    aud,
                    device,
                    ..
                } = contact;
                match Control::open(&bytes, desk_keys, aud, device, verifier) {
                    Ok(control) => downlink.controls.push((digest, control)),
                    Err(_) => downlink.refused = downlink.refused.saturating_add(1),
                }
            }
            DownlinkKind::Sealed => downlink.sealed.push((digest, bytes)),
            DownlinkKind::Unknown => downlink.refused = downlink.refused.saturating_add(1),
        }
    }
    downlink
}
