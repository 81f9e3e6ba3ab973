//! Form, question and answer: what is asked, in which order, under which conditions, and what a finished set of
//! answers holds. A form comes out of a [`Pack`], a [`Session`] asks it, [`Answers`] are what stays.
//!
//! Sans I/O: this crate opens no file, reads no clock and draws no random number; whoever calls it hands them in. It
//! never prints, and no `Debug` or `Display` of it shows an answer.

mod answer;
pub mod cbor;
mod check;
mod choice;
mod error;
mod expr;
mod form;
mod functions;
mod indicator;
mod pack;
mod parse;
mod session;
mod source;
mod value;

pub use answer::{Answer, Answers};
pub use check::{Fault, Place, Problem};
pub use choice::{Choice, Table};
pub use error::{Error, Result};
pub use expr::{AnswerScope, EvalError, Expr, Node, Op, Scope};
pub use form::{Class, Form, Group, Kind, ListSource, Officials, Question, Rapid};
pub use functions::{FUNCTIONS, Function};
pub use indicator::{Indicator, Record, Term};
pub use pack::{Pack, PackSource};
pub use parse::ParseFault;
pub use session::{ChoiceState, Outcome, QuestionState, Review, Rule, Session, Violation};
pub use source::{ChoiceSource, FormSource, GroupMark, IndicatorSource, Labels, RowSource};
pub use value::{Now, Value};

/// The limits of this crate, each reached by a test. They keep a hostile pack or shell from taking a phone's memory
/// or time; the standard instruments stay under a tenth of each.
pub mod limits {
    /// Bytes of a pack: 8 MiB.
    pub const PACK_BYTES: usize = 8 << 20;
    /// Forms of a pack.
    pub const FORMS: usize = 256;
    /// Rows (questions and groups) of a form.
    pub const ROWS: usize = 4_000;
    /// Choices of one list.
    pub const CHOICES: usize = 20_000;
    /// Rows of one external table.
    pub const TABLE_ROWS: usize = 100_000;
    /// Columns of one external table.
    pub const TABLE_COLUMNS: usize = 64;
    /// Characters of one cell (label, hint, expression, column of a table).
    pub const CELL: usize = 32_000;
    /// Bytes of an expression's source.
    pub const EXPRESSION: usize = 16_384;
    /// Depth of an expression's tree, which a long sum makes deep as well.
    pub const EXPRESSION_DEPTH: usize = 128;
    /// Depth of parentheses, arguments and predicates in an expression. A thread of a phone has half a megabyte of stack.
    pub const EXPRESSION_NESTING: usize = 32;
    /// Steps of one evaluation (nodes visited).
    pub const STEPS: u32 = 200_000;
    /// Characters of a text answer (a complaint's text is the longest, domain 2.13).
    pub const TEXT: usize = 10_000;
    /// Characters of a code.
    pub const CODE: usize = 128;
    /// Codes of one multiple answer.
    pub const CODES: usize = 1_000;
    /// The largest integer that may be answered, and its negative the smallest: nine digits, as in ODK.
    pub const INTEGER: i64 = 999_999_999;
    /// Characters of a decimal answer.
    pub const DECIMAL: usize = 32;
    /// Depth of nested groups, and of repeats in answers.
    pub const NESTING: usize = 16;
    /// Bytes of an encoded set of answers: 1 MiB.
    pub const ANSWERS_BYTES: usize = 1 << 20;
    /// Bytes that one regular expression may take when compiled: 256 KiB.
    pub const REGEX_BYTES: usize = 256 << 10;
}
