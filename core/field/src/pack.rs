//! The standard instruments, embedded. Others come sealed, later; this module is the one door to a form.

use std::sync::Arc;

use landfall_form::{Answer, Answers, Form, Pack, Session};
use landfall_model::{ClockReading, FormRef};
use landfall_wire::ids::Digest;

use crate::FieldError;
use crate::locks::Once;

static BYTES: &[u8] = include_bytes!("../../../forms/standard.pack");
static STANDARD: Once<Option<Pack>> = Once::new();

/// Form (a): the headcount of an arrival event.
pub(crate) const TALLY: &str = "arrival_tally";
/// Form (b): the interview.
pub(crate) const OBSERVATION: &str = "arrival_observation";

/// Returns the standard pack, compiled once.
pub(crate) fn standard() -> Result<&'static Pack, FieldError> {
    STANDARD
        .get(|| Pack::decode(BYTES).ok())
        .as_ref()
        .ok_or(FieldError::internal(401))
}

pub(crate) fn form(id: &str) -> Result<Arc<Form>, FieldError> {
    standard()?.form(id).cloned().ok_or(FieldError::internal(402))
}

pub(crate) fn form_ref(form: &Form) -> FormRef {
    FormRef {
        id: form.id().to_owned(),
        version: form.version().to_owned(),
        hash: Digest::from_bytes(form.hash()),
    }
}

pub(crate) fn now(reading: &ClockReading) -> landfall_form::Now {
    landfall_form::Now::new(reading.wall_s, reading.tz_min)
}

/// Begins a form with what is known beforehand.
pub(crate) fn begin(
    id: &str,
    hidden: Answers,
    prefill: Answers,
    reading: &ClockReading,
) -> Result<Session, FieldError> {
    Ok(Session::begin(
        form(id)?,
        standard()?,
        hidden,
        prefill,
        now(reading),
    ))
}

/// Takes a form up where its draft stands.
pub(crate) fn resume(
    id: &str,
    hidden: Answers,
    answers: Answers,
    reading: &ClockReading,
) -> Result<Session, FieldError> {
    Ok(Session::resume(
        form(id)?,
        standard()?,
        hidden,
        answers,
        now(reading),
    ))
}

/// Returns the label of a choice, or its code if the list has none.
pub(crate) fn choice_label(list: &str, code: &str, lang: &str) -> String {
    standard()
        .ok()
        .and_then(|pack| pack.list(list))
        .and_then(|choices| choices.iter().find(|choice| choice.code() == code))
        .map_or_else(|| code.to_owned(), |choice| choice.label(lang).to_owned())
}

/// Returns the name of a monitoring point, or its code if the table has none.
pub(crate) fn point_name(code: &str, lang: &str) -> String {
    standard()
        .ok()
        .and_then(|pack| pack.external("points"))
        .and_then(|points| points.row(code))
        .map_or_else(|| code.to_owned(), |row| row.label(lang).to_owned())
}

/// Returns the corridor into the point's country, if there is only one.
pub(crate) fn only_corridor(point: &str) -> Option<String> {
    let pack = standard().ok()?;
    let country = pack.external("points")?.row(point)?.get("country")?.to_owned();
    let mut into = pack
        .external("corridors")?
        .rows()
        .filter(|row| row.get("receiving") == Some(country.as_str()))
        .map(|row| row.code().to_owned());
    let only = into.next()?;
    into.next().is_none().then_some(only)
}

pub(crate) fn text<'a>(answers: &'a Answers, question: &str) -> Option<&'a str> {
    answers.get(question).and_then(Answer::as_str)
}

/// Returns an event in one line, `Bus · 14:20`: how they came and when, as far as it is known.
pub(crate) fn event_line(transport: Option<&str>, arrived: Option<&str>, lang: &str) -> String {
    let how = transport.map(|code| choice_label("transport", code, lang));
    let when = arrived
        .and_then(|text| landfall_model::time::parse(text).ok())
        .map(|at| at.format("%H:%M").to_string());
    how.into_iter().chain(when).collect::<Vec<_>>().join(" · ")
}
