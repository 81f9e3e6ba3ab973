//! What the facade hands to the screens: plain values without logic.
//!
//! Ids are hexadecimal text. Every type that holds answers or labels with them prints none in `Debug`.

use std::fmt;

use landfall_form::Answer;

/// What stands in a home directory, without any passcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Nothing, or the rest of an enrolment that was broken off: enrol.
    Fresh,
    /// An enrolment whose six words nobody has compared yet.
    WordsPending,
    /// Enrolled: unlock.
    Enrolled,
    /// Headers or vault are missing or cannot be read. The outbox still sends.
    Damaged,
}

/// What the two sides found when they compared the six words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same words on both sides.
    Same,
    /// Other words: somebody stands in between. Everything that the enrolment made is erased.
    Different,
}

/// The device's half of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolStep {
    /// Goes to the desk as text or file; sealed, so that anybody may carry it.
    pub reply_text: String,
    /// To be compared with the desk's, in this order.
    pub words: [String; 6],
    /// The organisation's name, as its charter gives it.
    pub organisation: String,
    /// Id of this device, as the desk will list it.
    pub device_id: String,
}

/// A monitoring point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointView {
    /// Code, empty if the device has none.
    pub code: String,
    /// Its name in the asked language.
    pub name: String,
}

/// Where a saved record is. In this order, but for the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordState {
    /// Saved in the vault, not yet in the outbox: it cannot be sent before the next unlock.
    CannotSendYet,
    /// Saved on this phone, waits to be sent.
    Saved,
    /// In the mailbox; the desk has not answered.
    Mailbox,
    /// The desk has it.
    Received,
    /// The desk has it and a copy of it on a second medium.
    BackedUp,
    /// The desk has set it aside and looks at it.
    Held,
    /// The mailbox does not accept it. It is kept.
    Refused,
}

/// How many records are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Saved on this phone only (also those that cannot be sent yet).
    pub saved: u32,
    /// In the mailbox.
    pub mailbox: u32,
    /// Received by the desk (also backed up).
    pub received: u32,
    /// Not accepted, or set aside by the desk.
    pub refused: u32,
}

/// An unfinished form in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Draft id.
    pub id: String,
    /// Form id.
    pub form: String,
    /// Arrival event.
    pub event_id: Option<String>,
    /// The event in one line, `Bus · 14:20`.
    pub event_line: String,
    /// When it was last changed, seconds UTC.
    pub updated_at: i64,
    /// People counted so far.
    pub total: Option<i64>,
    /// Children among them.
    pub children: Option<i64>,
}

/// A finished form in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Id of the record (the id of its draft).
    pub id: String,
    /// Kind code of domain 2.2.
    pub kind: String,
    /// Form id.
    pub form: String,
    /// Arrival event.
    pub event_id: Option<String>,
    /// The event in one line, `Bus · 14:20`.
    pub event_line: String,
    /// Code by which person and desk can name the sealed record; made from its digest.
    pub receipt_code: String,
    /// Case code of an interview.
    pub case_code: Option<String>,
    /// When it was saved, seconds UTC.
    pub saved_at: i64,
    /// Where it is.
    pub state: RecordState,
    /// People counted.
    pub total: Option<i64>,
    /// Children among them.
    pub children: Option<i64>,
    /// Interviews that this device saved at the event (for a count).
    pub interviews: u32,
}

/// The home screen: today at this point.
#[derive(Clone, PartialEq, Eq)]
pub struct HomeView {
    /// The organisation's name, as its charter gives it.
    pub organisation: String,
    /// The point of this device.
    pub point: PointView,
    /// The local day, `2026-03-09`.
    pub today: String,
    /// Whether the clock contradicts what is known.
    pub clock_doubtful: bool,
    /// Unfinished forms, the last changed first.
    pub drafts: Vec<DraftRow>,
    /// What was saved today and nothing replaces, the last first.
    pub done: Vec<RecordRow>,
    /// All records of this phone by state.
    pub counts: Counts,
}

/// The value of an answer, as a screen gives and shows it.
#[derive(Clone, PartialEq, Eq)]
pub enum AnswerValue {
    /// Asked and skipped.
    Skipped,
    /// One choice; `OK` for an acknowledgement.
    Code(String),
    /// Several choices.
    Codes(Vec<String>),
    /// Whole number.
    Integer(i64),
    /// Decimal number as text.
    Decimal(String),
    /// Text.
    Text(String),
    /// Date, time, or both: RFC 3339 text; both with offset.
    DateTime(String),
}

/// One choice of a question.
#[derive(Clone, PartialEq, Eq)]
pub struct ChoiceView {
    /// Code.
    pub code: String,
    /// Label in the asked language.
    pub label: String,
    /// Whether choosing it clears the others.
    pub exclusive: bool,
}

/// One question as it stands now.
#[derive(Clone, PartialEq, Eq)]
pub struct QuestionView {
    /// Question code.
    pub code: String,
    /// Type, snake case as in XLSForm (`select_one`, `select_multiple`, `integer`, `text`, `date_time`, …).
    pub kind: String,
    /// Label in the asked language.
    pub label: String,
    /// Hint.
    pub hint: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Sensitivity class (domain 1.5(1)): `pub`, `int`, `per`, `hs`.
    pub class: String,
    /// Whether it is asked now.
    pub relevant: bool,
    /// Whether it must be answered.
    pub required: bool,
    /// Whether it may be skipped.
    pub skippable: bool,
    /// Whether it is calculated.
    pub read_only: bool,
    /// Whether only the monitor answers it ("For you. Do not ask.").
    pub monitor_only: bool,
    /// Place in the rapid variant, if it belongs to it.
    pub rapid: Option<u16>,
    /// Whether the label is reviewed: `reviewed`, `draft`, `missing`.
    pub review: String,
    /// The answer.
    pub value: Option<AnswerValue>,
    /// The choices that may be shown now.
    pub choices: Vec<ChoiceView>,
}

/// Which form a draft asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormView {
    /// Form id.
    pub id: String,
    /// Form version.
    pub version: String,
    /// Title in the asked language.
    pub title: String,
}

/// How far a form is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Questions on the path that have an answer (a skip is one).
    pub answered: u32,
    /// Questions on the path.
    pub of: u32,
}

/// The sums of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// People (domain A30).
    pub people: i64,
    /// Children (domain A34).
    pub children: i64,
}

/// A rule that an answer breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViolationView {
    /// Question code.
    pub question: String,
    /// The rule, snake case.
    pub rule: String,
}

/// A draft, whole: everything that a screen of it shows.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftView {
    /// Draft id.
    pub id: String,
    /// The form.
    pub form: FormView,
    /// Arrival event.
    pub event_id: Option<String>,
    /// The event in one line.
    pub event_line: String,
    /// All questions in the order of the form.
    pub questions: Vec<QuestionView>,
    /// Codes of the questions that are asked one after the other now (rapid: in its own order).
    pub path: Vec<String>,
    /// How far it is.
    pub progress: Progress,
    /// The sums, for a count.
    pub totals: Option<Totals>,
    /// Required questions without an answer.
    pub missing: Vec<String>,
    /// Rules that answers break.
    pub violations: Vec<ViolationView>,
    /// Whether officials can see or hear (or nobody said that they cannot): the short list is asked.
    pub officials_present: bool,
}

/// What a tap on a counter did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountView {
    /// The cell.
    pub cell: String,
    /// Its figure.
    pub value: i64,
    /// All people.
    pub total: i64,
    /// Children among them.
    pub children: i64,
}

/// How finishing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Saved: durable in both stores.
    Saved,
    /// The person did not want to be recorded (K03 = no): nothing is kept but one refusal of the event.
    Refused,
    /// Saved in the vault; the outbox did not take it. It is handed over at the next unlock.
    SavedCannotSendYet,
}

/// What finishing a draft left.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedView {
    /// How it ended.
    pub outcome: Outcome,
    /// Record id; for a refusal that corrected a count, the id of the correction; else empty.
    pub record_id: String,
    /// Receipt code; empty if nothing was saved.
    pub receipt_code: String,
    /// Case code of an interview.
    pub case_code: Option<String>,
    /// Where it is; `None` if nothing was saved.
    pub state: Option<RecordState>,
    /// Hashes of the entries that became durable.
    pub entries: Vec<String>,
    /// Digest of their envelope; empty if nothing was saved.
    pub envelope: String,
}

/// A ping without payload: something changed, ask again. Called from whatever thread made the change, never while a
/// lock is held.
pub trait Watcher: Send + Sync {
    /// Something changed.
    fn changed(&self);
}

macro_rules! redacted {
    ($($name:ident),+) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        })+
    };
}

redacted!(
    DraftRow,
    RecordRow,
    HomeView,
    AnswerValue,
    ChoiceView,
    QuestionView,
    DraftView,
    SavedView
);

impl AnswerValue {
    /// Returns what a screen shows of an answer; `None` for a repeat, which has screens of its own.
    #[must_use]
    pub fn of(answer: &Answer) -> Option<AnswerValue> {
        Some(match answer {
            Answer::Skipped => AnswerValue::Skipped,
            Answer::Code(code) => AnswerValue::Code(code.clone()),
            Answer::Codes(codes) => AnswerValue::Codes(codes.clone()),
            Answer::Integer(number) => AnswerValue::Integer(*number),
            Answer::Decimal(text) => AnswerValue::Decimal(text.clone()),
            Answer::Text(text) => AnswerValue::Text(text.clone()),
            Answer::DateTime(text) | Answer::Date(text) | Answer::Time(text) => {
                AnswerValue::DateTime(text.clone())
            }
            Answer::Repeat(_) => return None,
        })
    }
}
