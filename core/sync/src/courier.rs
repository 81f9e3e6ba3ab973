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

use crate::lease::{self, Holder};
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
    let holder = lease::mark(rng);
    let clean = outbox.begin(&holder, &clock.read())?;
    let outcome = run_held(
        outbox,
        contact,
        transport,
        verifier,
        clock,
        rng,
        budget,
        (holder, clean),
    );
    // Whatever happened, the next run need not wait for this one.
    outbox.end(&holder, outcome.as_ref().is_ok_and(State::is_clean))?;
    report(outbox, &outcome?, clock)
}

#[allow(clippy::too_many_arguments, reason = "the run's parts, handed on once")]
fn run_held(
    outbox: &Outbox,
    mut contact: Contact,
    transport: &dyn Transport,
    verifier: &dyn Verifier,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
    budget: &Budget,
    (holder, clean): (Holder, bool),
) -> Result<State> {
    let started = clock.read().elapsed_ms;
    let mut state = outbox.load()?;
    let mut event = Event::Start {
        manual: budget.manual,
        clean,
    };
    loop {
        let now = clock.read();
        let (next, Step { changes, action }) = machine::step(state, event, &now, rng);
        state = next;
        // Also without a change: it keeps the lease alive for one more request.
        outbox.apply(&changes, &holder, &now)?;
        if changes
            .iter()
            .any(|change| matches!(change, machine::Change::Contact(_)))
        {
            contact = outbox.contact()?.ok_or(Error::NoContact)?;
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
            perform(action, &contact, transport, verifier, |digest| {
                outbox.bytes(digest)
            })?
        };
    }
    Ok(state)
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

/// Performs one action and says what came of it. Takes the sealed bytes from `bytes_of`.
///
/// # Errors
/// What `bytes_of` says. Failures of the transport are events.
pub fn perform<E>(
    action: Action,
    contact: &Contact,
    transport: &dyn Transport,
    verifier: &dyn Verifier,
    bytes_of: impl FnOnce(&Digest) -> Result<Option<Vec<u8>>, E>,
) -> Result<Event, E> {
    let Contact {
        inbox,
        downlink,
        write_cap,
        read_cap,
        ..
    } = contact;
    let outcome = match action {
        Action::Fetch { after } => fetch(after, contact, transport, verifier),
        Action::Have(digests) => transport.have(inbox, write_cap, &digests).and_then(|answer| {
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
            let Some(bytes) = bytes_of(&digest)? else {
                return Ok(Event::Unreadable(digest));
            };
            transport
                .put(inbox, write_cap, &bytes, again)
                .map(|answer| Event::Put {
                    store_epoch: answer.store_epoch,
                    digest,
                    answer: answer.value,
                })
        }
        Action::Ack(digests) => transport
            .ack(downlink, read_cap, &digests)
            .map(|_| Event::Acked(digests)),
        Action::Wait { .. } | Action::Done => Ok(Event::Stop),
    };
    Ok(outcome.unwrap_or_else(Event::Failed))
}

fn fetch(
    after: u64,
    contact: &Contact,
    transport: &dyn Transport,
    verifier: &dyn Verifier,
) -> Result<Event, Failure> {
    let page = transport.page(&contact.downlink, &contact.read_cap, after, PAGE_ITEMS_LIMIT)?;
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
    let mut downlink = sort(contact, verifier, bytes);
    downlink.page = Some((page.store_epoch, next));
    downlink.is_end = is_end;
    Ok(Event::Downlink(downlink))
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
