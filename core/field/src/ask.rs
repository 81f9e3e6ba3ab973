//! Asking: drafts and their screens. Every change of an answer is in the vault before the call returns.

use landfall_form::{Answer, Answers, Kind, QuestionState, Review, Session, Violation};
use landfall_model::{ClockReading, time};
use landfall_vault::Draft;
use landfall_wire::ids::{EntryId, EventId};

use crate::app::{Inner, setting};
use crate::pack::{self, OBSERVATION, TALLY};
use crate::view::{
    AnswerValue, ChoiceView, CountView, DraftView, FormView, Progress, QuestionView, Totals, ViolationView,
};
use crate::{FieldError, ids};

/// Begins a count: of a new event, or one more of an event that is known.
pub(crate) fn start_tally(
    inner: &mut Inner,
    event: Option<EventId>,
    lang: &str,
    reading: &ClockReading,
) -> Result<DraftView, FieldError> {
    inner.may_record()?;
    if let Some(event) = &event {
        known_event(inner, event)?;
    }
    let event = event.unwrap_or_else(|| EventId::from_bytes(landfall_seal::random::make()));
    let corridor = match inner.text_setting(setting::LAST_CORRIDOR)? {
        Some(last) => Some(last),
        None => pack::only_corridor(&inner.point),
    };
    let by_age = inner
        .text_setting(setting::LAST_BY_AGE)?
        .unwrap_or_else(|| "yes".to_owned());
    let mut prefill = Answers::new()
        .with("A03", Answer::DateTime(time::text(reading)?))
        // The time is the clock's until somebody changes it.
        .with("A04", Answer::code("exact"))
        .with("A07", Answer::code("yes"))
        .with("A21", Answer::code(by_age));
    if !inner.point.is_empty() {
        prefill.insert("A01".to_owned(), Answer::code(inner.point.as_str()));
    }
    if let Some(corridor) = corridor {
        prefill.insert("A02".to_owned(), Answer::code(corridor));
    }
    insert(inner, TALLY, Some(event), Answers::new(), prefill, lang, reading)
}

/// Begins a rapid interview.
pub(crate) fn start_interview(
    inner: &mut Inner,
    event: Option<EventId>,
    lang: &str,
    reading: &ClockReading,
) -> Result<DraftView, FieldError> {
    inner.may_record()?;
    if let Some(event) = &event {
        known_event(inner, event)?;
    }
    let hidden = hidden(inner, OBSERVATION, event.as_ref())?;
    let prefill = Answers::new()
        .with("K08", Answer::code("rapid"))
        .with("K01", Answer::code("OK"));
    insert(inner, OBSERVATION, event, hidden, prefill, lang, reading)
}

fn insert(
    inner: &mut Inner,
    form: &str,
    event: Option<EventId>,
    hidden: Answers,
    prefill: Answers,
    lang: &str,
    reading: &ClockReading,
) -> Result<DraftView, FieldError> {
    let session = pack::begin(form, hidden, prefill, reading)?;
    let draft = Draft {
        id: EntryId::from_random(landfall_seal::random::make()),
        form: pack::form_ref(session.form()),
        event,
        made_s: reading.wall_s,
        touched_s: reading.wall_s,
        answers: session.answers().clone(),
    };
    inner.vault.insert_draft(&draft)?;
    view(inner, &draft, &session, lang, reading)
}

/// An event is known if this device counts or counted it, or interviewed there.
fn known_event(inner: &Inner, event: &EventId) -> Result<(), FieldError> {
    let drafted = inner
        .vault
        .drafts()?
        .iter()
        .any(|draft| draft.event.as_ref() == Some(event));
    if drafted || inner.vault.newest_count(event)?.is_some() || inner.vault.interviews(event)? > 0 {
        Ok(())
    } else {
        Err(FieldError::NotFound)
    }
}

/// What is known of an event's arrival: time, how exact it is, how they came. From the unfinished count first.
pub(crate) struct Arrival {
    pub(crate) at: Option<String>,
    pub(crate) precision: Option<String>,
    pub(crate) transport: Option<String>,
}

pub(crate) fn arrival(inner: &Inner, event: &EventId) -> Result<Arrival, FieldError> {
    let of = |answers: &Answers| Arrival {
        at: pack::text(answers, "A03").map(str::to_owned),
        precision: pack::text(answers, "A04").map(str::to_owned),
        transport: pack::text(answers, "A05").map(str::to_owned),
    };
    let drafts = inner.vault.drafts()?;
    if let Some(draft) = drafts
        .iter()
        .find(|draft| draft.form.id == TALLY && draft.event.as_ref() == Some(event))
    {
        return Ok(of(&draft.answers));
    }
    let Some(row) = inner.vault.newest_count(event)? else {
        return Ok(Arrival {
            at: None,
            precision: None,
            transport: None,
        });
    };
    // The list's row is enough for a line; a profile that keeps nothing readable has no entry any more.
    let precision = match inner.vault.entry(&row.hash) {
        Ok(entry) => pack::text(&entry.fields().body, "A04").map(str::to_owned),
        Err(landfall_vault::Error::NotFound) => None,
        Err(other) => return Err(other.into()),
    };
    Ok(Arrival {
        at: row.arrived,
        precision,
        transport: row.transport,
    })
}

/// Answers that nobody gives: what form b takes from its event and from the enrolment (domain 3.2).
fn hidden(inner: &Inner, form: &str, event: Option<&EventId>) -> Result<Answers, FieldError> {
    if form != OBSERVATION {
        return Ok(Answers::new());
    }
    let arrival = event.map(|event| arrival(inner, event)).transpose()?;
    let night = match arrival {
        Some(Arrival {
            precision: Some(precision),
            ..
        }) if precision == "part_of_day" => "unknown",
        Some(Arrival { at: Some(at), .. }) => match time::parse(&at) {
            Ok(at) if time::is_night(&at) => "yes",
            Ok(_) => "no",
            Err(_) => "unknown",
        },
        _ => "unknown",
    };
    let trained = match inner.text_setting(setting::CHILD_TRAINED)?.as_deref() {
        Some("yes") => "yes",
        _ => "no",
    };
    Ok(Answers::new()
        .with("event_night", Answer::code(night))
        .with("monitor_child_trained", Answer::code(trained)))
}

/// Takes a draft up.
pub(crate) fn load(
    inner: &Inner,
    id: &EntryId,
    reading: &ClockReading,
) -> Result<(Draft, Session), FieldError> {
    let draft = inner.vault.draft(id)?;
    let session = session_of(inner, &draft, reading)?;
    Ok((draft, session))
}

fn session_of(inner: &Inner, draft: &Draft, reading: &ClockReading) -> Result<Session, FieldError> {
    let hidden = hidden(inner, &draft.form.id, draft.event.as_ref())?;
    pack::resume(&draft.form.id, hidden, draft.answers.clone(), reading)
}

/// Shows a draft.
pub(crate) fn draft(
    inner: &mut Inner,
    id: &EntryId,
    lang: &str,
    reading: &ClockReading,
) -> Result<DraftView, FieldError> {
    let (draft, session) = load(inner, id, reading)?;
    view(inner, &draft, &session, lang, reading)
}

/// Changes a draft through its form and keeps every answer that changed, together.
fn change(
    inner: &mut Inner,
    id: &EntryId,
    reading: &ClockReading,
    work: impl FnOnce(&mut Session, landfall_form::Now) -> Result<(), FieldError>,
) -> Result<(Draft, Session), FieldError> {
    let (mut draft, mut session) = load(inner, id, reading)?;
    work(&mut session, pack::now(reading))?;
    let after = session.answers();
    let mut changed: Vec<(&str, Option<&Answer>)> = Vec::new();
    for (code, answer) in after.iter() {
        if draft.answers.get(code) != Some(answer) {
            changed.push((code, Some(answer)));
        }
    }
    for code in draft.answers.keys() {
        if !after.contains_key(code) {
            changed.push((code, None));
        }
    }
    if !changed.is_empty() {
        inner.vault.change_draft(id, &changed, reading.wall_s)?;
    }
    draft.answers = after.clone();
    Ok((draft, session))
}

/// What is done to one answer.
pub(crate) enum Change {
    /// Given.
    Set(AnswerValue),
    /// Skipped.
    Skip,
    /// Taken back.
    Clear,
}

pub(crate) fn answer(
    inner: &mut Inner,
    id: &EntryId,
    code: &str,
    what: Change,
    lang: &str,
    reading: &ClockReading,
) -> Result<DraftView, FieldError> {
    let (draft, session) = change(inner, id, reading, |session, now| {
        let done = match what {
            Change::Set(value) => {
                let kind = session.form().question(code).map(|question| question.kind);
                session.set(code, to_answer(kind, value), now)
            }
            Change::Skip => session.skip(code, now),
            Change::Clear => session.clear(code, now),
        };
        done.map_err(FieldError::from)
    })?;
    view(inner, &draft, &session, lang, reading)
}

fn to_answer(kind: Option<Kind>, value: AnswerValue) -> Answer {
    match (kind, value) {
        (_, AnswerValue::Skipped) => Answer::Skipped,
        (_, AnswerValue::Code(code)) => Answer::Code(code),
        (_, AnswerValue::Codes(codes)) => Answer::Codes(codes),
        (_, AnswerValue::Integer(number)) => Answer::Integer(number),
        (_, AnswerValue::Decimal(text)) => Answer::Decimal(text),
        (_, AnswerValue::Text(text)) => Answer::Text(text),
        (Some(Kind::Date), AnswerValue::DateTime(text)) => Answer::Date(text),
        (Some(Kind::Time), AnswerValue::DateTime(text)) => Answer::Time(text),
        (_, AnswerValue::DateTime(text)) => Answer::DateTime(text),
    }
}

fn figure(session: &Session, code: &str) -> i64 {
    session
        .value(code)
        .as_ref()
        .and_then(Answer::as_integer)
        .unwrap_or(0)
}

/// The tap on a counter: adds to one cell of a count, never below 0.
pub(crate) fn count(
    inner: &mut Inner,
    id: &EntryId,
    cell: &str,
    by: i32,
    reading: &ClockReading,
) -> Result<CountView, FieldError> {
    if !is_cell(cell) {
        return Err(FieldError::invalid(cell, "unknown_question"));
    }
    let (_, session) = change(inner, id, reading, |session, now| {
        let next = figure(session, cell).saturating_add(i64::from(by)).max(0);
        session
            .set(cell, Answer::Integer(next), now)
            .map_err(FieldError::from)
    })?;
    Ok(CountView {
        cell: cell.to_owned(),
        value: figure(&session, cell),
        total: figure(&session, "A30"),
        children: figure(&session, "A34"),
    })
}

/// Cells of form a begin with `N_` (adults, children) or `T_` (five ages).
fn is_cell(code: &str) -> bool {
    code.starts_with("N_") || code.starts_with("T_")
}

/// Sums of a draft, for lists.
pub(crate) fn totals(
    inner: &Inner,
    draft: &Draft,
    reading: &ClockReading,
) -> Result<Option<Totals>, FieldError> {
    if draft.form.id != TALLY {
        return Ok(None);
    }
    let session = session_of(inner, draft, reading)?;
    Ok(Some(Totals {
        people: figure(&session, "A30"),
        children: figure(&session, "A34"),
    }))
}

/// The line of an event for a draft: from its own answers if it is the count, else from the event.
pub(crate) fn line(inner: &Inner, draft: &Draft, lang: &str) -> Result<String, FieldError> {
    if draft.form.id == TALLY {
        let answers = &draft.answers;
        return Ok(pack::event_line(
            pack::text(answers, "A05"),
            pack::text(answers, "A03"),
            lang,
        ));
    }
    match &draft.event {
        Some(event) => {
            let arrival = arrival(inner, event)?;
            Ok(pack::event_line(
                arrival.transport.as_deref(),
                arrival.at.as_deref(),
                lang,
            ))
        }
        None => Ok(String::new()),
    }
}

fn view(
    inner: &Inner,
    draft: &Draft,
    session: &Session,
    lang: &str,
    reading: &ClockReading,
) -> Result<DraftView, FieldError> {
    let form = session.form();
    let path = session.path(lang);
    let answered = path.iter().filter(|question| question.value.is_some()).count();
    Ok(DraftView {
        id: draft.id.to_hex(),
        form: FormView {
            id: form.id().to_owned(),
            version: form.version().to_owned(),
            title: form.title(lang).to_owned(),
        },
        event_id: draft.event.as_ref().map(EventId::to_hex),
        event_line: line(inner, draft, lang)?,
        questions: session.questions(lang).into_iter().map(question).collect(),
        progress: Progress {
            answered: small(answered),
            of: small(path.len()),
        },
        path: path.into_iter().map(|question| question.code).collect(),
        totals: (draft.form.id == TALLY).then(|| Totals {
            people: figure(session, "A30"),
            children: figure(session, "A34"),
        }),
        missing: session.missing(),
        violations: session
            .violations(pack::now(reading))
            .into_iter()
            .map(violation)
            .collect(),
        officials_present: session.officials_present(),
    })
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn violation(violation: Violation) -> ViolationView {
    ViolationView {
        rule: violation.rule.as_str().to_owned(),
        question: violation.question,
    }
}

fn question(state: QuestionState) -> QuestionView {
    QuestionView {
        kind: state.kind.as_str().to_owned(),
        class: state.class.as_str().to_owned(),
        review: match state.review {
            Review::Reviewed => "reviewed",
            Review::Draft => "draft",
            Review::Missing => "missing",
        }
        .to_owned(),
        value: state.value.as_ref().and_then(AnswerValue::of),
        choices: state
            .choices
            .into_iter()
            .map(|choice| ChoiceView {
                code: choice.code,
                label: choice.label,
                exclusive: choice.exclusive,
            })
            .collect(),
        code: state.code,
        label: state.label,
        hint: state.hint,
        group: state.group,
        relevant: state.relevant,
        required: state.required,
        skippable: state.skippable,
        read_only: state.read_only,
        monitor_only: state.monitor_only,
        rapid: state.rapid,
    }
}

/// Reads a draft id as screens hold it.
pub(crate) fn draft_id(text: &str) -> Result<EntryId, FieldError> {
    ids::read(text)
}
