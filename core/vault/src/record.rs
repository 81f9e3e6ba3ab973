//! What the home screen lists of a finished form, taken out of its entry.

use std::fmt;

use landfall_form::{Answer, Answers};
use landfall_model::{Kind, Payload, header, time};
use landfall_wire::ids::{Digest, EntryHash, EntryId, EventId};

use crate::Error;

/// One finished form in a list. `Debug` prints ids and kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Id of the entry.
    pub id: EntryId,
    /// Hash of the entry.
    pub hash: EntryHash,
    /// Digest of the envelope that carries it.
    pub envelope: Digest,
    /// Number in the device's chain.
    pub seq: u64,
    /// Kind of the entry.
    pub kind: Kind,
    /// Form id.
    pub form: Option<String>,
    /// Arrival event.
    pub event: Option<EventId>,
    /// Case code, written form.
    pub case_code: Option<String>,
    /// When it was saved, wall clock, seconds UTC.
    pub saved_s: i64,
    /// Local day on which it was saved, days since 1970-01-01.
    pub day: i64,
    /// People counted (domain A30).
    pub total: Option<i64>,
    /// Children counted (domain A34).
    pub children: Option<i64>,
    /// When the people arrived (domain A03), RFC 3339.
    pub arrived: Option<String>,
    /// How they arrived (domain A05), code.
    pub transport: Option<String>,
    /// Whether a later record supersedes it.
    pub replaced: bool,
}

impl fmt::Debug for RecordRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordRow({:?}, {})", self.id, self.kind.code())
    }
}

fn integer(body: &Answers, question: &str) -> Option<i64> {
    match body.get(question) {
        Some(Answer::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn text(body: &Answers, question: &str) -> Option<String> {
    match body.get(question) {
        Some(Answer::Code(text) | Answer::Text(text) | Answer::DateTime(text)) => Some(text.clone()),
        _ => None,
    }
}

pub(crate) type Columns = (
    (Vec<u8>, Vec<u8>, Vec<u8>, i64, String),
    (Option<String>, Option<Vec<u8>>, Option<String>, i64, i64),
    (Option<i64>, Option<i64>, Option<String>, Option<String>, bool),
);

impl RecordRow {
    /// Takes the row out of a payload; `None` for kinds that are no form of their own (a consent is part of its
    /// interview's row).
    #[must_use]
    pub fn of(hash: EntryHash, payload: &Payload, envelope: Digest) -> Option<RecordRow> {
        let fields = payload.fields();
        if !matches!(
            fields.kind,
            Kind::ArrivalEvent | Kind::Observation | Kind::Checkin | Kind::Incident
        ) {
            return None;
        }
        let body = &fields.body;
        Some(RecordRow {
            id: fields.id,
            hash,
            envelope,
            seq: payload.chain().seq,
            kind: fields.kind,
            form: fields.form.as_ref().map(|form| form.id.clone()),
            event: header::event_id(body).ok().flatten(),
            case_code: header::case_code(body).ok().flatten().map(|code| code.to_text()),
            saved_s: fields.clock.wall_s,
            day: time::day(&fields.clock),
            total: integer(body, "A30"),
            children: integer(body, "A34"),
            arrived: text(body, "A03"),
            transport: text(body, "A05"),
            replaced: false,
        })
    }

    pub(crate) fn columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<Columns> {
        Ok((
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?),
            (row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?),
            (
                row.get(10)?,
                row.get(11)?,
                row.get(12)?,
                row.get(13)?,
                row.get(14)?,
            ),
        ))
    }

    pub(crate) fn from_columns(columns: Columns) -> Result<RecordRow, Error> {
        let (
            (id, hash, envelope, seq, kind),
            (form, event, case_code, saved_s, day),
            (total, children, arrived, transport, replaced),
        ) = columns;
        let damaged = |_| Error::Row { what: "record" };
        Ok(RecordRow {
            id: EntryId::from_slice(&id).map_err(damaged)?,
            hash: EntryHash::from_slice(&hash).map_err(damaged)?,
            envelope: Digest::from_slice(&envelope).map_err(damaged)?,
            seq: u64::try_from(seq).map_err(|_| Error::Row { what: "record" })?,
            kind: Kind::from_code(&kind).ok_or(Error::Row { what: "record" })?,
            form,
            event: event
                .map(|event| EventId::from_slice(&event))
                .transpose()
                .map_err(damaged)?,
            case_code,
            saved_s,
            day,
            total,
            children,
            arrived,
            transport,
            replaced,
        })
    }
}
