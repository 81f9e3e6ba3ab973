//! What the compiler finds wrong, and where. It names rows, columns, codes and functions of a form, never an answer.

use core::fmt;

use crate::parse::ParseFault;

/// Where in a pack's sources a problem lies. Rows are counted from 0 in the order of [`crate::FormSource`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A row of the survey sheet.
    Survey(usize),
    /// A choice: list and row within the list.
    Choices(String, usize),
    /// The settings sheet.
    Settings,
    /// A row of the indicators.
    Indicators(usize),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The expression does not parse.
    #[error("{0}")]
    Parse(ParseFault),
    /// A type that does not exist or that this program does not ask.
    #[error("type `{0}` is not supported")]
    UnknownType(String),
    /// A question without a code.
    #[error("no name")]
    MissingName,
    /// A code that is none (letters, digits, `_`, `-`, `.`; starts with a letter or `_`).
    #[error("`{0}` is not a name (letters, digits, `_`, `-`; a letter first)")]
    BadName(String),
    /// A code that stands twice.
    #[error("name `{0}` stands twice")]
    DuplicateName(String),
    /// No sensitivity class.
    #[error("`{0}` has no class (pub, int, per or hs)")]
    MissingClass(String),
    /// A value that the column does not take.
    #[error("`{value}` is not one of: {allowed}")]
    BadValue {
        /// The value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A required setting is missing.
    #[error("required and empty")]
    MissingValue,
    /// A list that does not exist or has no choices.
    #[error("choice list `{0}` does not exist")]
    UnknownList(String),
    /// A code with a space, or empty.
    #[error("`{0}` is not a choice code (no spaces, not empty)")]
    BadChoice(String),
    /// An external table that the pack does not hold.
    #[error("external table `{0}` does not exist")]
    UnknownTable(String),
    /// A question that the form does not have.
    #[error("unknown question `{0}`")]
    UnknownQuestion(String),
    /// A column that neither the list nor the table has.
    #[error("unknown column `{0}`")]
    UnknownColumn(String),
    /// Values that depend on each other in a circle.
    #[error("depends on itself: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// `begin group` without `end group`.
    #[error("group `{0}` is not closed")]
    OpenGroup(String),
    /// `end group` without `begin group`.
    #[error("`end group` closes nothing")]
    NoGroup,
    /// Something over a limit.
    #[error("over the limit of {limit} {what}")]
    Limit {
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// One problem and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The form's id, or the name of the file beside the forms.
    pub form: String,
    /// The place.
    pub place: Place,
    /// The column.
    pub column: String,
    /// The question's code, empty when there is none.
    pub question: String,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.form)?;
        match &self.place {
            Place::Survey(row) => write!(f, " survey row {}", row + 1)?,
            Place::Choices(list, row) => write!(f, " list {list} row {}", row + 1)?,
            Place::Settings => f.write_str(" settings")?,
            Place::Indicators(row) => write!(f, " indicator {}", row + 1)?,
        }
        if !self.question.is_empty() {
            write!(f, " ({})", self.question)?;
        }
        write!(f, ", {}: {}", self.column, self.fault)
    }
}
