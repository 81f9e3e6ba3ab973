//! What a form is before it is compiled: rows, choices, settings and indicators as text. This is what a pack stores,
//! so that a better compiler never changes a form's hash; columns that nobody here knows are kept in `extra`.

use std::collections::BTreeMap;

use crate::cbor::Item;
use crate::{Error, Result, limits};

/// Words by language tag (`en`, `ar`).
pub type Labels = BTreeMap<String, String>;

/// A row of the survey sheet that opens or closes a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupMark {
    /// `begin group`.
    Begin,
    /// `end group`.
    End,
}

/// One row of the survey sheet. Text columns are empty when the cell is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSource {
    /// The type as XLSForm writes it: `select_one yn`, `integer`, `begin group`.
    pub kind: String,
    /// The question's code.
    pub name: String,
    /// Columns with words: `label`, `hint`, `constraint_message`, `required_message`, `review`, each by language.
    pub words: BTreeMap<String, Labels>,
    /// Every other column that has a value: `relevant`, `constraint`, `class`, `rap` and so on.
    pub columns: BTreeMap<String, String>,
}

/// One choice of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChoiceSource {
    /// The code.
    pub name: String,
    /// Columns with words: `label`, `review`.
    pub words: BTreeMap<String, Labels>,
    /// Every other column, for choice filters and own marks (`officials`).
    pub columns: BTreeMap<String, String>,
}

/// One form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormSource {
    /// The settings sheet: `form_id`, `form_title`, `version`, `default_language` and own ones.
    pub settings: BTreeMap<String, String>,
    /// Titles by language.
    pub title: Labels,
    /// The survey sheet in order.
    pub rows: Vec<RowSource>,
    /// The choices sheet by list.
    pub lists: BTreeMap<String, Vec<ChoiceSource>>,
}

/// One indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndicatorSource {
    /// The code, `I01`.
    pub id: String,
    /// Labels by language.
    pub label: Labels,
    /// Every other column: `numerator`, `denominator`, `per`, `k`, `source`.
    pub columns: BTreeMap<String, String>,
}

fn text(item: &Item, what: &'static str) -> Result<String> {
    let text = item.as_text().ok_or(Error::Field {
        key: what,
        place: "pack",
    })?;
    if text.chars().count() > limits::CELL {
        return Err(Error::Limit {
            what: "cell",
            limit: limits::CELL,
        });
    }
    Ok(text.to_owned())
}

fn pairs<'a>(item: &'a Item, what: &'static str) -> Result<impl Iterator<Item = (&'a str, &'a Item)>> {
    match item {
        Item::Map(pairs) if pairs.iter().all(|(key, _)| key.as_text().is_some()) => Ok(pairs
            .iter()
            .filter_map(|(key, value)| Some((key.as_text()?, value)))),
        _ => Err(Error::Field {
            key: what,
            place: "pack",
        }),
    }
}

pub(crate) fn strings(item: &Item, what: &'static str) -> Result<BTreeMap<String, String>> {
    pairs(item, what)?
        .map(|(key, value)| Ok((key.to_owned(), text(value, what)?)))
        .collect()
}

pub(crate) fn strings_item(map: &BTreeMap<String, String>) -> Item {
    Item::map(map.iter().map(|(key, value)| (key.clone(), Item::text(value))))
}

/// Splits a map into its text columns and its columns by language.
type Columns = (BTreeMap<String, String>, BTreeMap<String, Labels>);

fn columns(item: &Item, what: &'static str) -> Result<Columns> {
    let (mut plain, mut words) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in pairs(item, what)? {
        match value {
            Item::Map(_) => drop(words.insert(key.to_owned(), strings(value, what)?)),
            _ => drop(plain.insert(key.to_owned(), text(value, what)?)),
        }
    }
    Ok((plain, words))
}

fn columns_item(
    plain: &BTreeMap<String, String>,
    words: &BTreeMap<String, Labels>,
    own: &[(&str, &str)],
) -> Item {
    let own = own.iter().filter(|(_, value)| !value.is_empty());
    let own = own.map(|(key, value)| ((*key).to_owned(), Item::text(*value)));
    let plain = plain.iter().map(|(key, value)| (key.clone(), Item::text(value)));
    Item::map(
        own.chain(plain).chain(
            words
                .iter()
                .map(|(key, labels)| (key.clone(), strings_item(labels))),
        ),
    )
}

impl RowSource {
    /// Returns a column's text, empty when there is none.
    #[must_use]
    pub fn column(&self, name: &str) -> &str {
        self.columns.get(name).map_or("", String::as_str)
    }

    /// Says whether the row opens or closes a group.
    #[must_use]
    pub fn group(&self) -> Option<GroupMark> {
        match self.kind.as_str() {
            "begin group" => Some(GroupMark::Begin),
            "end group" => Some(GroupMark::End),
            _ => None,
        }
    }

    pub(crate) fn to_item(&self) -> Item {
        columns_item(
            &self.columns,
            &self.words,
            &[("type", &self.kind), ("name", &self.name)],
        )
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self> {
        let (mut columns, words) = columns(item, "row")?;
        let kind = columns.remove("type").ok_or(Error::Field {
            key: "type",
            place: "row",
        })?;
        let name = columns.remove("name").unwrap_or_default();
        Ok(Self {
            kind,
            name,
            words,
            columns,
        })
    }
}

impl ChoiceSource {
    pub(crate) fn to_item(&self) -> Item {
        columns_item(&self.columns, &self.words, &[("name", &self.name)])
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self> {
        let (mut columns, words) = columns(item, "choice")?;
        let name = columns.remove("name").ok_or(Error::Field {
            key: "name",
            place: "choice",
        })?;
        Ok(Self { name, words, columns })
    }
}

/// Reads lists of choices by name.
pub(crate) fn lists(item: &Item) -> Result<BTreeMap<String, Vec<ChoiceSource>>> {
    pairs(item, "lists")?
        .map(|(name, choices)| {
            let choices = choices.as_array().ok_or(Error::Field {
                key: "choices",
                place: "list",
            })?;
            if choices.len() > limits::CHOICES {
                return Err(Error::Limit {
                    what: "choices of a list",
                    limit: limits::CHOICES,
                });
            }
            Ok((
                name.to_owned(),
                choices
                    .iter()
                    .map(ChoiceSource::from_item)
                    .collect::<Result<_>>()?,
            ))
        })
        .collect()
}

pub(crate) fn lists_item(lists: &BTreeMap<String, Vec<ChoiceSource>>) -> Item {
    Item::map(lists.iter().map(|(name, choices)| {
        (
            name.clone(),
            Item::Array(choices.iter().map(ChoiceSource::to_item).collect()),
        )
    }))
}

impl FormSource {
    /// Returns a setting, empty when there is none.
    #[must_use]
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// Returns the form as it stands in a pack; its SHA-256 is the form's hash.
    #[must_use]
    pub fn to_item(&self) -> Item {
        Item::map([
            ("settings", strings_item(&self.settings)),
            ("title", strings_item(&self.title)),
            (
                "rows",
                Item::Array(self.rows.iter().map(RowSource::to_item).collect()),
            ),
            ("lists", lists_item(&self.lists)),
        ])
    }

    /// Reads a form as it stands in a pack.
    ///
    /// # Errors
    /// [`Error::Field`] for a missing or mistyped key, [`Error::Limit`] for one too large.
    pub fn from_item(item: &Item) -> Result<Self> {
        let mut form = Self::default();
        for (key, value) in pairs(item, "form")? {
            match key {
                "settings" => form.settings = strings(value, "settings")?,
                "title" => form.title = strings(value, "title")?,
                "lists" => form.lists = lists(value)?,
                "rows" => {
                    let rows = value.as_array().ok_or(Error::Field {
                        key: "rows",
                        place: "form",
                    })?;
                    if rows.len() > limits::ROWS {
                        return Err(Error::Limit {
                            what: "rows of a form",
                            limit: limits::ROWS,
                        });
                    }
                    form.rows = rows.iter().map(RowSource::from_item).collect::<Result<_>>()?;
                }
                // A later version's key: the form keeps its meaning without it, its bytes keep it for the hash.
                _ => {}
            }
        }
        Ok(form)
    }
}

impl IndicatorSource {
    pub(crate) fn to_item(&self) -> Item {
        let words = BTreeMap::from([("label".to_owned(), self.label.clone())]);
        columns_item(&self.columns, &words, &[("id", &self.id)])
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self> {
        let (mut columns, mut words) = columns(item, "indicator")?;
        let id = columns.remove("id").ok_or(Error::Field {
            key: "id",
            place: "indicator",
        })?;
        Ok(Self {
            id,
            label: words.remove("label").unwrap_or_default(),
            columns,
        })
    }
}
