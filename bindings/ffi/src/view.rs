//! What screens show, as foreign languages hold it: field's views, one for one. Ids are hexadecimal text. No logic.
//!
//! Types that hold answers, or labels with them, print none in `Debug`; what a foreign language prints of a record is
//! its own doing, so shells never print one.

use std::fmt;

use landfall_field as field;

/// A monitoring point.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PointView {
    /// Code, empty if the device has none.
    pub code: String,
    /// Its name in the asked language.
    pub name: String,
}

/// Where a saved record is. In this order, but for the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
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
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
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
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
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
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
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
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum AnswerValue {
    /// Asked and skipped.
    Skipped,
    /// One choice; `OK` for an acknowledgement.
    Code {
        /// The code.
        code: String,
    },
    /// Several choices.
    Codes {
        /// Their codes.
        codes: Vec<String>,
    },
    /// Whole number.
    Integer {
        /// The number.
        number: i64,
    },
    /// Decimal number as text.
    Decimal {
        /// The text.
        text: String,
    },
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// Date, time, or both: RFC 3339 text; both with offset.
    DateTime {
        /// The text.
        text: String,
    },
}

/// One choice of a question.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct ChoiceView {
    /// Code.
    pub code: String,
    /// Label in the asked language.
    pub label: String,
    /// Whether choosing it clears the others.
    pub exclusive: bool,
}

/// One question as it stands now.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
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
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FormView {
    /// Form id.
    pub id: String,
    /// Form version.
    pub version: String,
    /// Title in the asked language.
    pub title: String,
}

/// How far a form is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct DraftProgress {
    /// Questions on the path that have an answer (a skip is one).
    pub answered: u32,
    /// Questions on the path.
    pub of: u32,
}

/// The sums of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Totals {
    /// People (domain A30).
    pub people: i64,
    /// Children (domain A34).
    pub children: i64,
}

/// A rule that an answer breaks.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ViolationView {
    /// Question code.
    pub question: String,
    /// The rule, snake case.
    pub rule: String,
}

/// A draft, whole: everything that a screen of it shows.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
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
    pub progress: DraftProgress,
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
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Outcome {
    /// Saved: durable in both stores.
    Saved,
    /// The person did not want to be recorded (K03 = no): nothing is kept but one refusal of the event.
    Refused,
    /// Saved in the vault; the outbox did not take it. It is handed over at the next unlock.
    SavedCannotSendYet,
}

/// What finishing a draft left.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
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
    AnswerValue,
    ChoiceView,
    DraftRow,
    DraftView,
    HomeView,
    QuestionView,
    RecordRow,
    SavedView
);

impl From<field::PointView> for PointView {
    fn from(view: field::PointView) -> PointView {
        let field::PointView { code, name } = view;
        PointView { code, name }
    }
}

impl From<field::RecordState> for RecordState {
    fn from(view: field::RecordState) -> RecordState {
        match view {
            field::RecordState::CannotSendYet => RecordState::CannotSendYet,
            field::RecordState::Saved => RecordState::Saved,
            field::RecordState::Mailbox => RecordState::Mailbox,
            field::RecordState::Received => RecordState::Received,
            field::RecordState::BackedUp => RecordState::BackedUp,
            field::RecordState::Held => RecordState::Held,
            field::RecordState::Refused => RecordState::Refused,
        }
    }
}

impl From<field::Counts> for Counts {
    fn from(view: field::Counts) -> Counts {
        let field::Counts {
            saved,
            mailbox,
            received,
            refused,
        } = view;
        Counts {
            saved,
            mailbox,
            received,
            refused,
        }
    }
}

impl From<field::DraftRow> for DraftRow {
    fn from(view: field::DraftRow) -> DraftRow {
        let field::DraftRow {
            id,
            form,
            event_id,
            event_line,
            updated_at,
            total,
            children,
        } = view;
        DraftRow {
            id,
            form,
            event_id,
            event_line,
            updated_at,
            total,
            children,
        }
    }
}

impl From<field::RecordRow> for RecordRow {
    fn from(view: field::RecordRow) -> RecordRow {
        let field::RecordRow {
            id,
            kind,
            form,
            event_id,
            event_line,
            receipt_code,
            case_code,
            saved_at,
            state,
            total,
            children,
            interviews,
        } = view;
        RecordRow {
            id,
            kind,
            form,
            event_id,
            event_line,
            receipt_code,
            case_code,
            saved_at,
            state: state.into(),
            total,
            children,
            interviews,
        }
    }
}

impl From<field::HomeView> for HomeView {
    fn from(view: field::HomeView) -> HomeView {
        let field::HomeView {
            organisation,
            point,
            today,
            clock_doubtful,
            drafts,
            done,
            counts,
        } = view;
        HomeView {
            organisation,
            point: point.into(),
            today,
            clock_doubtful,
            drafts: drafts.into_iter().map(Into::into).collect(),
            done: done.into_iter().map(Into::into).collect(),
            counts: counts.into(),
        }
    }
}

impl From<field::AnswerValue> for AnswerValue {
    fn from(value: field::AnswerValue) -> AnswerValue {
        match value {
            field::AnswerValue::Skipped => AnswerValue::Skipped,
            field::AnswerValue::Code(code) => AnswerValue::Code { code },
            field::AnswerValue::Codes(codes) => AnswerValue::Codes { codes },
            field::AnswerValue::Integer(number) => AnswerValue::Integer { number },
            field::AnswerValue::Decimal(text) => AnswerValue::Decimal { text },
            field::AnswerValue::Text(text) => AnswerValue::Text { text },
            field::AnswerValue::DateTime(text) => AnswerValue::DateTime { text },
        }
    }
}

impl From<AnswerValue> for field::AnswerValue {
    fn from(value: AnswerValue) -> field::AnswerValue {
        match value {
            AnswerValue::Skipped => field::AnswerValue::Skipped,
            AnswerValue::Code { code } => field::AnswerValue::Code(code),
            AnswerValue::Codes { codes } => field::AnswerValue::Codes(codes),
            AnswerValue::Integer { number } => field::AnswerValue::Integer(number),
            AnswerValue::Decimal { text } => field::AnswerValue::Decimal(text),
            AnswerValue::Text { text } => field::AnswerValue::Text(text),
            AnswerValue::DateTime { text } => field::AnswerValue::DateTime(text),
        }
    }
}

impl From<field::ChoiceView> for ChoiceView {
    fn from(view: field::ChoiceView) -> ChoiceView {
        let field::ChoiceView {
            code,
            label,
            exclusive,
        } = view;
        ChoiceView {
            code,
            label,
            exclusive,
        }
    }
}

impl From<field::QuestionView> for QuestionView {
    fn from(view: field::QuestionView) -> QuestionView {
        let field::QuestionView {
            code,
            kind,
            label,
            hint,
            group,
            class,
            relevant,
            required,
            skippable,
            read_only,
            monitor_only,
            rapid,
            review,
            value,
            choices,
        } = view;
        QuestionView {
            code,
            kind,
            label,
            hint,
            group,
            class,
            relevant,
            required,
            skippable,
            read_only,
            monitor_only,
            rapid,
            review,
            value: value.map(Into::into),
            choices: choices.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<field::FormView> for FormView {
    fn from(view: field::FormView) -> FormView {
        let field::FormView { id, version, title } = view;
        FormView { id, version, title }
    }
}

impl From<field::Progress> for DraftProgress {
    fn from(view: field::Progress) -> DraftProgress {
        let field::Progress { answered, of } = view;
        DraftProgress { answered, of }
    }
}

impl From<field::Totals> for Totals {
    fn from(view: field::Totals) -> Totals {
        let field::Totals { people, children } = view;
        Totals { people, children }
    }
}

impl From<field::ViolationView> for ViolationView {
    fn from(view: field::ViolationView) -> ViolationView {
        let field::ViolationView { question, rule } = view;
        ViolationView { question, rule }
    }
}

impl From<field::DraftView> for DraftView {
    fn from(view: field::DraftView) -> DraftView {
        let field::DraftView {
            id,
            form,
            event_id,
            event_line,
            questions,
            path,
            progress,
            totals,
            missing,
            violations,
            officials_present,
        } = view;
        DraftView {
            id,
            form: form.into(),
            event_id,
            event_line,
            questions: questions.into_iter().map(Into::into).collect(),
            path,
            progress: progress.into(),
            totals: totals.map(Into::into),
            missing,
            violations: violations.into_iter().map(Into::into).collect(),
            officials_present,
        }
    }
}

impl From<field::CountView> for CountView {
    fn from(view: field::CountView) -> CountView {
        let field::CountView {
            cell,
            value,
            total,
            children,
        } = view;
        CountView {
            cell,
            value,
            total,
            children,
        }
    }
}

impl From<field::Outcome> for Outcome {
    fn from(view: field::Outcome) -> Outcome {
        match view {
            field::Outcome::Saved => Outcome::Saved,
            field::Outcome::Refused => Outcome::Refused,
            field::Outcome::SavedCannotSendYet => Outcome::SavedCannotSendYet,
        }
    }
}

impl From<field::SavedView> for SavedView {
    fn from(view: field::SavedView) -> SavedView {
        let field::SavedView {
            outcome,
            record_id,
            receipt_code,
            case_code,
            state,
            entries,
            envelope,
        } = view;
        SavedView {
            outcome: outcome.into(),
            record_id,
            receipt_code,
            case_code,
            state: state.map(Into::into),
            entries,
            envelope,
        }
    }
}
