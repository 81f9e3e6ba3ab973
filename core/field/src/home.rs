//! The home screen and the lists: what was recorded, and how far it has travelled.

use std::collections::{BTreeMap, BTreeSet};

use landfall_model::{ClockReading, Kind, time};
use landfall_vault::RecordRow as Row;
use landfall_wire::ids::{Digest, EntryId, EventId};

use crate::app::Inner;
use crate::view::{Counts, DraftRow, HomeView, PointView, RecordRow, RecordState};
use crate::{FieldError, ask, ids, pack};

/// Names of the files in a home, and nothing else lies there.
pub(crate) mod paths {
    use std::path::{Path, PathBuf};

    pub(crate) fn vault(home: &Path) -> PathBuf {
        home.join("vault.db")
    }

    pub(crate) fn outbox(home: &Path) -> PathBuf {
        home.join("outbox.db")
    }
}

/// Where each envelope is.
struct States {
    outbox: BTreeMap<Digest, RecordState>,
    pending: BTreeSet<Digest>,
}

impl States {
    fn read(inner: &Inner) -> Result<States, FieldError> {
        Ok(States {
            outbox: inner.outbox.states()?,
            pending: inner
                .vault
                .pending()?
                .into_iter()
                .map(|pending| pending.digest)
                .collect(),
        })
    }

    fn of(&self, digest: &Digest) -> RecordState {
        // In neither store: the outbox was lost or put back to an older copy. The vault still has the entries.
        self.outbox
            .get(digest)
            .copied()
            .unwrap_or(RecordState::CannotSendYet)
    }

    fn counts(&self) -> Counts {
        let waiting = self
            .pending
            .iter()
            .filter(|digest| !self.outbox.contains_key(*digest));
        count(
            self.outbox
                .values()
                .copied()
                .chain(waiting.map(|_| RecordState::CannotSendYet)),
        )
    }
}

/// Counts states as the screens group them.
pub(crate) fn count(states: impl Iterator<Item = RecordState>) -> Counts {
    let mut counts = Counts::default();
    for state in states {
        match state {
            RecordState::CannotSendYet | RecordState::Saved => counts.saved += 1,
            RecordState::Mailbox => counts.mailbox += 1,
            RecordState::Received | RecordState::BackedUp => counts.received += 1,
            RecordState::Held | RecordState::Refused => counts.refused += 1,
        }
    }
    counts
}

pub(crate) fn view(inner: &mut Inner, lang: &str, reading: &ClockReading) -> Result<HomeView, FieldError> {
    let states = States::read(inner)?;
    let drafts = inner
        .vault
        .drafts()?
        .into_iter()
        .map(|draft| {
            let totals = ask::totals(inner, &draft, reading)?;
            Ok(DraftRow {
                id: draft.id.to_hex(),
                form: draft.form.id.clone(),
                event_id: draft.event.as_ref().map(EventId::to_hex),
                event_line: ask::line(inner, &draft, lang)?,
                updated_at: draft.touched_s,
                total: totals.map(|totals| totals.people),
                children: totals.map(|totals| totals.children),
            })
        })
        .collect::<Result<_, FieldError>>()?;
    let mut events = Events::default();
    let done = inner
        .vault
        .records_of_day(time::day(reading))?
        .into_iter()
        .map(|row| show(inner, row, &states, &mut events, lang))
        .collect::<Result<_, FieldError>>()?;
    Ok(HomeView {
        organisation: inner.organisation.clone(),
        point: PointView {
            name: pack::point_name(&inner.point, lang),
            code: inner.point.clone(),
        },
        today: time::local(reading)?.format("%Y-%m-%d").to_string(),
        clock_doubtful: reading.doubtful,
        drafts,
        done,
        counts: states.counts(),
    })
}

pub(crate) fn record(inner: &Inner, id: &EntryId, lang: &str) -> Result<RecordRow, FieldError> {
    show(
        inner,
        inner.vault.record(id)?,
        &States::read(inner)?,
        &mut Events::default(),
        lang,
    )
}

pub(crate) fn records(inner: &Inner, lang: &str) -> Result<Vec<RecordRow>, FieldError> {
    let states = States::read(inner)?;
    let mut events = Events::default();
    inner
        .vault
        .records()?
        .into_iter()
        .map(|row| show(inner, row, &states, &mut events, lang))
        .collect()
}

/// What several rows of one list ask of the same event, read once.
#[derive(Default)]
struct Events {
    lines: BTreeMap<EventId, String>,
    interviews: BTreeMap<EventId, u32>,
}

impl Events {
    fn line(&mut self, inner: &Inner, event: EventId, lang: &str) -> Result<String, FieldError> {
        if let Some(line) = self.lines.get(&event) {
            return Ok(line.clone());
        }
        let arrival = ask::arrival(inner, &event)?;
        let line = pack::event_line(arrival.transport.as_deref(), arrival.at.as_deref(), lang);
        self.lines.insert(event, line.clone());
        Ok(line)
    }

    fn interviews(&mut self, inner: &Inner, event: EventId) -> Result<u32, FieldError> {
        if let Some(interviews) = self.interviews.get(&event) {
            return Ok(*interviews);
        }
        let interviews = inner.vault.interviews(&event)?;
        self.interviews.insert(event, interviews);
        Ok(interviews)
    }
}

fn show(
    inner: &Inner,
    row: Row,
    states: &States,
    events: &mut Events,
    lang: &str,
) -> Result<RecordRow, FieldError> {
    let event_line = match (&row.arrived, row.event) {
        (None, Some(event)) => events.line(inner, event, lang)?,
        (arrived, _) => pack::event_line(row.transport.as_deref(), arrived.as_deref(), lang),
    };
    let interviews = match (row.event, row.kind) {
        (Some(event), Kind::ArrivalEvent) => events.interviews(inner, event)?,
        _ => 0,
    };
    Ok(RecordRow {
        id: row.id.to_hex(),
        kind: row.kind.code().to_owned(),
        form: row.form.unwrap_or_default(),
        event_id: row.event.as_ref().map(EventId::to_hex),
        event_line,
        receipt_code: ids::receipt_code(&row.envelope),
        case_code: row.case_code,
        saved_at: row.saved_s,
        state: states.of(&row.envelope),
        total: row.total,
        children: row.children,
        interviews,
    })
}
