//! Choices of a list and rows of an external table, compiled. They are public words of an instrument, not answers.

use std::collections::BTreeMap;

use crate::cbor::Item;
use crate::source::{ChoiceSource, Labels};
use crate::{Error, Result, limits};

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    source: ChoiceSource,
}

/// Codes that exclude all others in a multiple answer (domain 3).
const EXCLUSIVE: [&str; 4] = ["none", "declined", "not_observed", "unknown"];

/// Says whether a code excludes all others in a multiple answer.
pub(crate) fn is_exclusive(code: &str) -> bool {
    EXCLUSIVE.contains(&code)
}

impl Choice {
    pub(crate) fn new(source: ChoiceSource) -> Self {
        Self { source }
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.source.name
    }

    /// Returns the labels by language.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        static NONE: Labels = BTreeMap::new();
        self.source.words.get("label").unwrap_or(&NONE)
    }

    /// Returns the label in a language, or in English, or the code.
    #[must_use]
    pub fn label(&self, lang: &str) -> &str {
        let labels = self.labels();
        labels
            .get(lang)
            .or_else(|| labels.get("en"))
            .map_or(self.code(), String::as_str)
    }

    /// Returns the review mark of a language, if it has one.
    pub(crate) fn review(&self, lang: &str) -> Option<&str> {
        self.source.words.get("review")?.get(lang).map(String::as_str)
    }

    /// Returns another column, as choice filters see it.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&str> {
        if name == "name" {
            Some(self.code())
        } else {
            self.source.columns.get(name).map(String::as_str)
        }
    }

    /// Says whether the choice may be shown in front of officials (domain 1.5(5)).
    #[must_use]
    pub fn asked_in_front_of_officials(&self) -> bool {
        self.column("officials") != Some("hide")
    }

    /// Says whether the code excludes all others in a multiple answer.
    #[must_use]
    pub fn exclusive(&self) -> bool {
        is_exclusive(self.code())
    }
}

/// A table beside the forms: monitoring points, corridors, languages, countries, regions. The column `name` is the code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    index: BTreeMap<String, usize>,
}

/// One row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub struct TableRow<'a> {
    columns: &'a [String],
    cells: &'a [String],
}

impl<'a> TableRow<'a> {
    /// Returns a cell, `None` when the table has no such column; empty cells are empty texts.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.cells.get(at).map(String::as_str)
    }

    /// Returns the code, which is the column `name`.
    #[must_use]
    pub fn code(&self) -> &'a str {
        self.get("name").unwrap_or("")
    }

    /// Returns the label in a language (column `label:xx`), or the column `label`, or the code.
    #[must_use]
    pub fn label(&self, lang: &str) -> &'a str {
        let filled = |text: &&str| !text.is_empty();
        self.get(&format!("label:{lang}"))
            .filter(filled)
            .or_else(|| self.get("label:en").filter(filled))
            .or_else(|| self.get("label").filter(filled))
            .unwrap_or(self.code())
    }

    /// Says whether the row has words of its own in a language.
    pub(crate) fn has_label(&self, lang: &str) -> bool {
        self.get(&format!("label:{lang}"))
            .is_some_and(|text| !text.is_empty())
    }
}

impl Table {
    /// Makes a table; every row is as long as `columns`, one column is `name`, and no code stands twice.
    ///
    /// # Errors
    /// [`Error::Field`] without a column `name` or with a ragged row, [`Error::Malformed`] for a code twice,
    /// [`Error::Limit`] when it is too large.
    pub fn new(columns: Vec<String>, rows: Vec<Vec<String>>) -> Result<Self> {
        if rows.len() > limits::TABLE_ROWS {
            return Err(Error::Limit {
                what: "rows of a table",
                limit: limits::TABLE_ROWS,
            });
        }
        if columns.len() > limits::TABLE_COLUMNS {
            return Err(Error::Limit {
                what: "columns of a table",
                limit: limits::TABLE_COLUMNS,
            });
        }
        let at = columns.iter().position(|name| name == "name");
        let at = at.ok_or(Error::Field {
            key: "name",
            place: "external table",
        })?;
        let mut index = BTreeMap::new();
        for (number, row) in rows.iter().enumerate() {
            let code = row.get(at).filter(|_| row.len() == columns.len());
            let code = code.ok_or(Error::Field {
                key: "row",
                place: "external table",
            })?;
            if index.insert(code.clone(), number).is_some() {
                return Err(Error::Malformed("a code twice in an external table"));
            }
        }
        Ok(Self { columns, rows, index })
    }

    /// Returns the names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the rows in order.
    pub fn rows(&self) -> impl Iterator<Item = TableRow<'_>> {
        self.rows.iter().map(|cells| TableRow {
            columns: &self.columns,
            cells,
        })
    }

    /// Returns the row of a code.
    #[must_use]
    pub fn row(&self, code: &str) -> Option<TableRow<'_>> {
        let cells = self.rows.get(*self.index.get(code)?)?;
        Some(TableRow {
            columns: &self.columns,
            cells,
        })
    }

    pub(crate) fn to_item(&self) -> Item {
        let line = |cells: &Vec<String>| Item::Array(cells.iter().map(Item::text).collect());
        Item::map([
            ("columns", line(&self.columns)),
            ("rows", Item::Array(self.rows.iter().map(line).collect())),
        ])
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self> {
        let field = |key: &'static str| Error::Field {
            key,
            place: "external table",
        };
        let line = |item: &Item| -> Result<Vec<String>> {
            let cells = item.as_array().ok_or(field("row"))?;
            cells
                .iter()
                .map(|cell| cell.as_text().map(str::to_owned).ok_or(field("cell")))
                .collect()
        };
        let Item::Map(pairs) = item else {
            return Err(field("table"));
        };
        let get = |key: &'static str| {
            pairs
                .iter()
                .find(|(name, _)| name.as_text() == Some(key))
                .map(|(_, value)| value)
                .ok_or(field(key))
        };
        let rows = get("rows")?.as_array().ok_or(field("rows"))?;
        Self::new(
            line(get("columns")?)?,
            rows.iter().map(line).collect::<Result<_>>()?,
        )
    }
}
