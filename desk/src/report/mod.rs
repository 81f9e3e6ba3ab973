//! The public report: one HTML file and one CSV per table, made from protected tables alone.
//!
//! Owns its structure, its numbers and its looks; its words stand in `desk/words/`. It never reads a clock and draws
//! nothing by chance: the same records, period, language and edition give the same bytes. The parts that draw take
//! `Table<Safe>` and cannot reach a raw count.

mod draw;
mod figures;
mod input;
mod numbers;
mod page;
mod words;

use std::collections::BTreeMap;

use landfall_wire::ids::sha256;

pub use input::{Arrival, Interview, ReportInput};

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tables could not be made or protected.
    #[error(transparent)]
    Stats(#[from] landfall_stats::Error),
    /// The report has no words in this language.
    #[error("the report has no words in this language: en")]
    Language,
    /// A table of words is not as it should be.
    #[error("the report's words are damaged: {what}")]
    Words {
        /// Which key.
        what: &'static str,
    },
    /// The form pack lacks what the report needs.
    #[error("the form pack lacks {what}")]
    Pack {
        /// What it lacks.
        what: &'static str,
    },
}

/// The files of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `report.html`.
    pub html: String,
    /// `tables/NAME.csv`, the protected values.
    pub tables: BTreeMap<String, String>,
    /// First 12 hexadecimal digits of SHA-256 over all tables in the order of their names.
    pub check: String,
}

/// Makes a report.
///
/// # Errors
/// [`Error`].
pub fn make(input: &ReportInput) -> Result<Files, Error> {
    let words = words::Words::load(&input.lang)?;
    let figures = figures::Figures::make(input)?;
    let tables = figures.csv(&words);
    let mut all = Vec::new();
    for text in tables.values() {
        all.extend_from_slice(text.as_bytes());
    }
    let check: String = sha256(&all)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let html = page::render(input, &figures, &words, &check);
    Ok(Files { html, tables, check })
}
