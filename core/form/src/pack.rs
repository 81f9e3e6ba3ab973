//! A pack: forms, code lists, external tables and indicators in one deterministic CBOR document. Everything in it is
//! checked when it is read; keys that nobody here knows are kept in the bytes, which are kept as they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::cbor::{self, Item};
use crate::check::Problem;
use crate::choice::{Choice, Table};
use crate::form::Form;
use crate::indicator::Indicator;
use crate::source::{self, ChoiceSource, FormSource, IndicatorSource};
use crate::{Error, Result, limits};

/// The version of the pack document that is written here.
const VERSION: i64 = 1;
/// Nesting of a pack: document, forms, form, rows, row, column, label.
const DEPTH: usize = 16;

/// What a pack is made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackSource {
    /// The pack's name, `standard`.
    pub name: String,
    /// The forms.
    pub forms: Vec<FormSource>,
    /// Every code list, also those that no form asks.
    pub lists: BTreeMap<String, Vec<ChoiceSource>>,
    /// External tables by name without `.csv`.
    pub tables: BTreeMap<String, Table>,
    /// The indicators.
    pub indicators: Vec<IndicatorSource>,
}

impl PackSource {
    /// Writes the pack document.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let tables = self
            .tables
            .iter()
            .map(|(name, table)| (name.clone(), table.to_item()));
        cbor::encode(&Item::map([
            ("pack", Item::Int(VERSION)),
            ("name", Item::text(&self.name)),
            (
                "forms",
                Item::Array(self.forms.iter().map(FormSource::to_item).collect()),
            ),
            ("lists", source::lists_item(&self.lists)),
            ("tables", Item::map(tables)),
            (
                "indicators",
                Item::Array(self.indicators.iter().map(IndicatorSource::to_item).collect()),
            ),
        ]))
    }
}

/// A pack, compiled.
#[derive(Debug, Clone)]
pub struct Pack {
    name: String,
    digest: [u8; 32],
    forms: Vec<Arc<Form>>,
    lists: BTreeMap<String, Vec<Choice>>,
    tables: BTreeMap<String, Arc<Table>>,
    indicators: Vec<Indicator>,
}

impl Pack {
    /// Reads and compiles a pack.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Limit`], [`Error::Version`] or [`Error::Field`] for the document,
    /// [`Error::Problems`] with every problem of its forms and indicators.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let Item::Map(pairs) = cbor::decode(bytes, limits::PACK_BYTES, DEPTH)? else {
            return Err(Error::Malformed("a pack that is not a map"));
        };
        let get = |key: &'static str| {
            let found = pairs.iter().find(|(name, _)| name.as_text() == Some(key));
            found
                .map(|(_, value)| value)
                .ok_or(Error::Field { key, place: "pack" })
        };
        match get("pack")? {
            Item::Int(VERSION) => {}
            Item::Int(other) => return Err(Error::Version(*other)),
            _ => {
                return Err(Error::Field {
                    key: "pack",
                    place: "pack",
                });
            }
        }
        let array = |key: &'static str| {
            get(key).and_then(|item| item.as_array().ok_or(Error::Field { key, place: "pack" }))
        };
        let name = get("name")?
            .as_text()
            .ok_or(Error::Field {
                key: "name",
                place: "pack",
            })?
            .to_owned();
        let Item::Map(table_pairs) = get("tables")? else {
            return Err(Error::Field {
                key: "tables",
                place: "pack",
            });
        };
        let mut tables = BTreeMap::new();
        for (name, table) in table_pairs {
            let name = name.as_text().ok_or(Error::Field {
                key: "tables",
                place: "pack",
            })?;
            tables.insert(name.to_owned(), Arc::new(Table::from_item(table)?));
        }
        let lists = source::lists(get("lists")?)?;
        let form_items = array("forms")?;
        if form_items.len() > limits::FORMS {
            return Err(Error::Limit {
                what: "forms of a pack",
                limit: limits::FORMS,
            });
        }
        let mut problems: Vec<Problem> = Vec::new();
        let mut forms: Vec<Arc<Form>> = Vec::new();
        for item in form_items {
            let hash: [u8; 32] = Sha256::digest(cbor::encode(item)).into();
            match Form::compile_hashed(&FormSource::from_item(item)?, hash, &tables) {
                Ok(form) if forms.iter().any(|other| other.id() == form.id()) => {
                    return Err(Error::Malformed("a form id twice"));
                }
                Ok(form) => forms.push(Arc::new(form)),
                Err(found) => problems.extend(found),
            }
        }
        let mut indicators = Vec::new();
        for (row, item) in array("indicators")?.iter().enumerate() {
            let source = IndicatorSource::from_item(item)?;
            // A form that did not compile has said so; its indicators would only echo it.
            if problems.is_empty() {
                let form = |id: &str| forms.iter().find(|form| form.id() == id).map(Arc::as_ref);
                let mut found = Vec::new();
                indicators.extend(Indicator::compile(row, &source, form, &mut found));
                problems.extend(found);
            }
        }
        if !problems.is_empty() {
            return Err(Error::Problems(problems));
        }
        let choices = |list: Vec<ChoiceSource>| list.into_iter().map(Choice::new).collect();
        let lists = lists
            .into_iter()
            .map(|(name, list)| (name, choices(list)))
            .collect();
        Ok(Self {
            name,
            digest: Sha256::digest(bytes).into(),
            forms,
            lists,
            tables,
            indicators,
        })
    }

    /// Makes a pack of external tables alone, for a form that is tried out before it is packed.
    #[must_use]
    pub fn of_tables(tables: BTreeMap<String, Arc<Table>>) -> Self {
        let (forms, indicators) = (Vec::new(), Vec::new());
        Self {
            name: String::new(),
            digest: [0; 32],
            forms,
            lists: BTreeMap::new(),
            tables,
            indicators,
        }
    }

    /// Returns the pack's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 of the pack's bytes; the signed manifest names it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Returns the forms in order.
    #[must_use]
    pub fn forms(&self) -> &[Arc<Form>] {
        &self.forms
    }

    /// Returns a form by id.
    #[must_use]
    pub fn form(&self, id: &str) -> Option<&Arc<Form>> {
        self.forms.iter().find(|form| form.id() == id)
    }

    /// Returns a code list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&[Choice]> {
        self.lists.get(name).map(Vec::as_slice)
    }

    /// Returns an external table by its file name without `.csv`.
    #[must_use]
    pub fn external(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    pub(crate) fn tables(&self) -> &BTreeMap<String, Arc<Table>> {
        &self.tables
    }

    /// Puts an organisation's own table in the place of the pack's. Forms do not change: they name tables only.
    #[must_use]
    pub fn with_external(mut self, name: impl Into<String>, table: Table) -> Self {
        self.tables.insert(name.into(), Arc::new(table));
        self
    }

    /// Returns the indicators in order.
    #[must_use]
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }
}
