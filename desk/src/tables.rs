//! What `tabulate` prints: the protected table of each indicator asked for, as text and as JSON. There is no way to print
//! an unprotected one.

use landfall_form::{Class, Pack};
use landfall_model::Stored;
use landfall_stats::{By, Cell, Period, Share, Tabulated, Totals, tabulate};
use serde_json::{Value, json};

use crate::report::{Error, ReportInput};

/// The protected figures of one indicator, with its id and label.
#[derive(Debug)]
pub struct Asked {
    /// The id, `I01`.
    pub id: String,
    /// What it is, in English.
    pub label: String,
    /// What a share is expressed per.
    pub per: u32,
    /// The figures.
    pub table: Tabulated,
}

/// Why figures cannot be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// No such indicator in the form pack.
    #[error("no such indicator: {0}")]
    Unknown(String),
    /// The records do not fit, or the table cannot be protected.
    #[error(transparent)]
    Report(#[from] Error),
    /// The question is not one that may be asked.
    #[error(transparent)]
    Stats(#[from] landfall_stats::Error),
}

/// Tabulates indicators over the records of a period, or over all of them.
///
/// # Errors
/// [`AskError`].
pub fn ask(
    pack: &Pack,
    entries: &[Stored],
    ids: &[String],
    by: &[By],
    period: Option<Period>,
) -> Result<Vec<Asked>, AskError> {
    let all: Vec<Period> = match period {
        Some(period) => vec![period],
        None => years(entries),
    };
    let mut records = landfall_stats::Records::default();
    for period in all {
        let input = ReportInput::from_entries("", period, None, "en", pack, entries)?;
        let own = input.records();
        records.events.extend(own.events);
        records.interviews.extend(own.interviews);
    }
    ids.iter()
        .map(|id| {
            let indicator = pack
                .indicators()
                .iter()
                .find(|own| own.id == *id)
                .ok_or_else(|| AskError::Unknown(id.clone()))?;
            let class = if id == "I38" { Class::Per } else { Class::Int };
            let table = tabulate(indicator, &records, by, Totals::Printed, None, class)?;
            Ok(Asked {
                id: id.clone(),
                label: indicator.label("en").to_owned(),
                per: indicator.per,
                table,
            })
        })
        .collect()
}

/// The calendar years in which something was recorded.
fn years(entries: &[Stored]) -> Vec<Period> {
    let mut years: Vec<String> = entries
        .iter()
        .filter_map(|entry| landfall_model::time::text(&entry.fields().clock).ok())
        .filter_map(|text| text.get(..4).map(str::to_owned))
        .collect();
    years.sort();
    years.dedup();
    years.iter().filter_map(|year| year.parse().ok()).collect()
}

impl Asked {
    /// JSON: `{id, label, cells: [{DIMENSION: value, …, "numerator", "denominator", "share"}]}`; `*` is a total, null a
    /// figure that is kept back or was not watched, `mark` says which.
    #[must_use]
    pub fn json(&self) -> Value {
        let cells: Vec<Value> = self
            .rows()
            .into_iter()
            .map(|row| {
                let mut cell = serde_json::Map::new();
                for (name, value) in row.place {
                    cell.insert(name, json!(value));
                }
                cell.insert("numerator".into(), json!(row.numerator.count()));
                cell.insert("mark".into(), json!(mark(row.numerator)));
                if let Some(denominator) = row.denominator {
                    cell.insert("denominator".into(), json!(denominator.count()));
                    let share = match row.share {
                        #[allow(clippy::cast_precision_loss, reason = "tenths of a share are small")]
                        Some(Share::Tenths(tenths)) => json!(tenths as f64 / 10.0),
                        _ => Value::Null,
                    };
                    cell.insert("share".into(), share);
                }
                Value::Object(cell)
            })
            .collect();
        json!({ "id": self.id, "label": self.label, "per": self.per, "cells": cells })
    }

    /// Lines of text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} {}\n", self.id, self.label);
        for row in self.rows() {
            let place: Vec<String> = row.place.iter().map(|(_, value)| value.clone()).collect();
            let place = if place.is_empty() {
                "all".to_owned()
            } else {
                place.join("  ")
            };
            text.push_str(&format!("  {place:<32} {:>10}", show(row.numerator)));
            if let Some(denominator) = row.denominator {
                let share = match row.share {
                    Some(Share::Tenths(tenths)) => format!("{}.{}", tenths / 10, tenths % 10),
                    _ => "too few".to_owned(),
                };
                text.push_str(&format!(
                    " of {:>10}  {share:>8} per {}",
                    show(denominator),
                    self.per
                ));
            }
            text.push('\n');
        }
        text
    }

    fn rows(&self) -> Vec<Row> {
        let dimensions = self.table.numerator.dimensions();
        self.table
            .numerator
            .cells()
            .map(|(place, numerator)| Row {
                place: dimensions
                    .iter()
                    .zip(place)
                    .map(|(dimension, at)| {
                        let value = at.and_then(|n| dimension.values.get(n).cloned());
                        (dimension.name.clone(), value.unwrap_or_else(|| "*".to_owned()))
                    })
                    .collect(),
                numerator,
                denominator: self
                    .table
                    .denominator
                    .as_ref()
                    .and_then(|table| table.cell(place)),
                share: self
                    .table
                    .shares
                    .iter()
                    .find(|(own, _)| own == place)
                    .map(|(_, share)| *share),
            })
            .collect()
    }
}

struct Row {
    place: Vec<(String, String)>,
    numerator: Cell,
    denominator: Option<Cell>,
    share: Option<Share>,
}

fn mark(cell: Cell) -> &'static str {
    match cell {
        Cell::Count(_) => "count",
        Cell::LessThan(_) => "less_than_k",
        Cell::Withheld => "withheld",
        Cell::NotWatched => "not_watched",
    }
}

fn show(cell: Cell) -> String {
    match cell {
        Cell::Count(n) => n.to_string(),
        Cell::LessThan(k) => format!("<{k}"),
        Cell::Withheld => "withheld".to_owned(),
        Cell::NotWatched => "–".to_owned(),
    }
}
