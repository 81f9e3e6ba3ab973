//! What is wrong, and where: sheet, row and column as the author of the form sees them.

use core::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Kept or understood, but not as it may have been meant.
    Warning,
    /// The form does not compile.
    Error,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How bad it is.
    pub severity: Severity,
    /// The sheet, or the file when there are no sheets.
    pub sheet: String,
    /// The row as a spreadsheet counts it: from 1, with the heading. 0 for the whole sheet.
    pub row: usize,
    /// The column's heading; empty for the whole row.
    pub column: String,
    /// What is wrong.
    pub text: String,
}

impl Message {
    /// Makes an error.
    #[must_use]
    pub fn error(sheet: &str, row: usize, column: &str, text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            sheet: sheet.to_owned(),
            row,
            column: column.to_owned(),
            text: text.into(),
        }
    }

    /// Makes a warning.
    #[must_use]
    pub fn warning(sheet: &str, row: usize, column: &str, text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(sheet, row, column, text)
        }
    }

    /// Says whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Message {
    /// `sheet:row:column: message`, as commands print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_error() { "" } else { "warning: " };
        write!(
            f,
            "{}:{}:{}: {mark}{}",
            self.sheet, self.row, self.column, self.text
        )
    }
}
