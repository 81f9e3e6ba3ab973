//! Header fields that stand in an entry's body beside the question codes, in small letters: which event an entry
//! belongs to, and under which code a case goes.

use landfall_form::{Answer, Answers};
use landfall_wire::ids::EventId;

use crate::{CaseCode, Error};

/// Body field: the arrival event, hex text of its 16 bytes. Every tally has it, and an interview at an event.
pub const ARRIVAL_EVENT_ID: &str = "arrival_event_id";
/// Body field: the case code, written form.
pub const CASE_CODE: &str = "case_code";

fn text<'a>(body: &'a Answers, field: &'static str) -> Result<Option<&'a str>, Error> {
    match body.get(field) {
        None => Ok(None),
        Some(Answer::Text(text) | Answer::Code(text)) => Ok(Some(text)),
        Some(_) => Err(Error::Body(field)),
    }
}

/// Reads the arrival event that a body names.
///
/// # Errors
/// [`Error::Body`] if the field is there and is not 32 small hex digits.
pub fn event_id(body: &Answers) -> Result<Option<EventId>, Error> {
    let Some(text) = text(body, ARRIVAL_EVENT_ID)? else {
        return Ok(None);
    };
    let id = EventId::from_hex(text).map_err(|_| Error::Body(ARRIVAL_EVENT_ID))?;
    // One spelling only: two spellings of one event would be two events to whoever compares text.
    if id.to_hex() == text {
        Ok(Some(id))
    } else {
        Err(Error::Body(ARRIVAL_EVENT_ID))
    }
}

/// Reads the case code that a body names.
///
/// # Errors
/// [`Error::Body`] if the field is there and is not a code in its written form.
pub fn case_code(body: &Answers) -> Result<Option<CaseCode>, Error> {
    let Some(text) = text(body, CASE_CODE)? else {
        return Ok(None);
    };
    let code: CaseCode = text.parse().map_err(|_| Error::Body(CASE_CODE))?;
    if code.to_text() == text {
        Ok(Some(code))
    } else {
        Err(Error::Body(CASE_CODE))
    }
}

/// Writes the arrival event into a body.
pub fn set_event_id(body: &mut Answers, event: &EventId) {
    body.insert(ARRIVAL_EVENT_ID.to_owned(), Answer::Text(event.to_hex()));
}

/// Writes the case code into a body.
pub fn set_case_code(body: &mut Answers, code: &CaseCode) {
    body.insert(CASE_CODE.to_owned(), Answer::Text(code.to_text()));
}
