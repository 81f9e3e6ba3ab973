//! The words of the report: one CSV a language, key and text with named gaps.

use std::collections::BTreeMap;

use super::Error;

const EN: &str = include_str!("../../words/en.csv");

/// The words of one language.
#[derive(Debug)]
pub(crate) struct Words(BTreeMap<String, String>);

impl Words {
    /// Loads a language.
    pub(crate) fn load(lang: &str) -> Result<Self, Error> {
        let text = match lang {
            "en" => EN,
            _ => return Err(Error::Language),
        };
        let mut map = BTreeMap::new();
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        for row in rows.records() {
            let row = row.map_err(|_| Error::Words { what: "row" })?;
            let (Some(key), Some(text)) = (row.get(0), row.get(1)) else {
                return Err(Error::Words { what: "row" });
            };
            if map.insert(key.to_owned(), text.to_owned()).is_some() {
                return Err(Error::Words {
                    what: "a key stands twice",
                });
            }
        }
        Ok(Self(map))
    }

    /// The text of a key. A key without text shows itself, and fails a test.
    pub(crate) fn get<'w>(&'w self, key: &'w str) -> &'w str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// The text of a key with its gaps filled.
    pub(crate) fn fill(&self, key: &str, gaps: &[(&str, &str)]) -> String {
        let mut text = self.get(key).to_owned();
        for (name, value) in gaps {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// The name of a month, from 0.
    pub(crate) fn month(&self, month0: u32) -> &str {
        self.get("months").split('|').nth(month0 as usize).unwrap_or("")
    }

    /// The short name of a month, from 0.
    pub(crate) fn short_month(&self, month0: usize) -> &str {
        self.get("months_short").split('|').nth(month0).unwrap_or("")
    }
}
