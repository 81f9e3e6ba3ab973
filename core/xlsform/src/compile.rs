//! From sheets to a form's source: headings, languages, aliases of types and columns. What the form's own compiler finds
//! is brought back to the sheet, row and column where it was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use landfall_form::{ChoiceSource, Fault, Form, FormSource, Labels, Place, Problem, RowSource, Table};

use crate::message::Message;
use crate::sheet::{Sheet, Workbook};

/// How much is asked of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// A standard instrument: a question without a class is an error.
    Standard,
    /// An organisation's form: a question without a class counts as highly sensitive, with a warning.
    Own,
}

/// A form that compiled, with what was said about it.
#[derive(Debug)]
pub struct Compiled {
    /// The source, as a pack holds it.
    pub source: FormSource,
    /// The compiled form.
    pub form: Form,
    /// Warnings.
    pub messages: Vec<Message>,
}

/// Columns of the survey sheet that carry words by language.
const WORDS: [&str; 6] = [
    "label",
    "hint",
    "guidance_hint",
    "constraint_message",
    "required_message",
    "review",
];

/// The other columns of the survey sheet, with their other names.
const SURVEY: [(&str, &[&str]); 21] = [
    ("type", &[]),
    ("name", &[]),
    ("required", &[]),
    ("relevant", &["relevance"]),
    ("constraint", &[]),
    ("calculation", &["calculate"]),
    ("default", &[]),
    ("read_only", &["readonly", "read only"]),
    ("choice_filter", &["choice filter"]),
    ("class", &[]),
    ("channels", &[]),
    ("rap", &[]),
    ("rap_order", &[]),
    ("officials", &[]),
    ("monitor", &[]),
    ("audio", &[]),
    ("picture", &[]),
    ("appearance", &[]),
    ("parameters", &[]),
    ("media", &[]),
    ("note", &[]),
];

/// Columns that are kept but do nothing in this version.
const WITHOUT_EFFECT: [&str; 4] = ["appearance", "parameters", "media", "guidance_hint"];

/// The settings that are known.
const SETTINGS: [&str; 10] = [
    "form_title",
    "form_id",
    "version",
    "default_language",
    "skip",
    "officials",
    "unwatched",
    "rapid",
    "refusal",
    "style",
];

/// The channels of domain 1.5(2).
const CHANNELS: [&str; 11] = [
    "monitor_task",
    "followup_task",
    "referral_packet",
    "legal_packet",
    "complaint_text",
    "feedback",
    "deidentified_row",
    "aggregate",
    "public_quote",
    "event_alert",
    "desk_sync",
];

/// Splits a heading into its column and language: `label::English (en)` is `label` in `en`.
pub(crate) fn heading(text: &str) -> (String, Option<String>) {
    let (column, lang) = match text.split_once("::").or_else(|| text.split_once(':')) {
        Some((column, lang)) => (column, Some(lang)),
        None => (text, None),
    };
    (column.trim().to_lowercase(), lang.map(language))
}

/// Returns the tag of a language: `English (en)` is `en`, anything without one is taken as it is.
pub(crate) fn language(text: &str) -> String {
    let text = text.trim();
    match text.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) {
        Some(tag) if !tag.trim().is_empty() => tag.trim().to_owned(),
        _ => text.to_owned(),
    }
}

/// The type as this program writes it.
fn kind(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ");
    for (alias, own) in [
        ("begin_group", "begin group"),
        ("end_group", "end group"),
        ("int", "integer"),
        ("string", "text"),
        ("datetime", "dateTime"),
        ("trigger", "acknowledge"),
        ("calculation", "calculate"),
    ] {
        if joined.eq_ignore_ascii_case(alias) {
            return own.to_owned();
        }
    }
    for (alias, own) in [
        ("select one from file ", "select_one_from_file "),
        ("select multiple from file ", "select_multiple_from_file "),
        ("select one ", "select_one "),
        ("select1 ", "select_one "),
        ("select multiple ", "select_multiple "),
    ] {
        if let Some(list) = joined.strip_prefix(alias) {
            return format!("{own}{list}");
        }
    }
    joined
}

/// A cell that says yes or no, or an expression.
fn condition(text: &str) -> String {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "true()" | "y" => "yes".to_owned(),
        "no" | "false" | "false()" | "n" => "no".to_owned(),
        _ => text.to_owned(),
    }
}

struct Reader {
    default: String,
    messages: Vec<Message>,
}

impl Reader {
    fn default_language(&self) -> String {
        self.default.clone()
    }

    fn settings(&mut self, sheet: Option<&Sheet>, form: &mut FormSource) {
        let Some(sheet) = sheet else { return };
        let Some((number, cells)) = sheet.rows.first() else {
            return;
        };
        for (extra, _) in sheet.rows.iter().skip(1) {
            self.messages
                .push(Message::error("settings", *extra, "", "settings have one row"));
        }
        for column in sheet.columns.iter().filter(|column| !column.is_empty()) {
            let value = sheet.cell(cells, column);
            let (name, lang) = heading(column);
            let name = match name.as_str() {
                "title" => "form_title".to_owned(),
                "id_string" => "form_id".to_owned(),
                _ => name,
            };
            if !SETTINGS.contains(&name.as_str()) {
                self.messages.push(Message::warning(
                    "settings",
                    *number,
                    column,
                    "unknown setting, without effect",
                ));
            }
            if value.is_empty() {
                continue;
            }
            match (name.as_str(), lang) {
                ("form_title", lang) => {
                    form.title
                        .insert(lang.unwrap_or_else(|| self.default_language()), value.to_owned());
                }
                ("default_language", _) => {
                    form.settings.insert(name, language(value));
                }
                _ => drop(form.settings.insert(name, value.to_owned())),
            }
        }
    }

    fn choices(
        &mut self,
        sheet: Option<&Sheet>,
        form: &mut FormSource,
        rows: &mut BTreeMap<String, Vec<usize>>,
    ) {
        let Some(sheet) = sheet else { return };
        for (number, cells) in &sheet.rows {
            let mut choice = ChoiceSource::default();
            let mut list = String::new();
            for column in sheet.columns.iter().filter(|column| !column.is_empty()) {
                let value = sheet.cell(cells, column);
                if value.is_empty() {
                    continue;
                }
                let (name, lang) = heading(column);
                match name.as_str() {
                    "list_name" | "list name" | "list" => list = value.to_owned(),
                    "name" | "value" | "code" => choice.name = value.to_owned(),
                    "label" | "review" => {
                        let lang = lang.unwrap_or_else(|| self.default_language());
                        choice
                            .words
                            .entry(name)
                            .or_default()
                            .insert(lang, value.to_owned());
                    }
                    _ => drop(choice.columns.insert(column.trim().to_owned(), value.to_owned())),
                }
            }
            if list.is_empty() {
                self.messages
                    .push(Message::error("choices", *number, "list_name", "no list"));
                continue;
            }
            rows.entry(list.clone()).or_default().push(*number);
            form.lists.entry(list).or_default().push(choice);
        }
    }

    fn survey(
        &mut self,
        sheet: &Sheet,
        form: &mut FormSource,
        rows: &mut Vec<usize>,
        strictness: Strictness,
    ) {
        let mut columns = Vec::new();
        for column in &sheet.columns {
            let (name, lang) = heading(column);
            let known = SURVEY
                .iter()
                .find(|(own, others)| *own == name || others.contains(&name.as_str()));
            let words = WORDS.contains(&name.as_str());
            if column.is_empty() {
                columns.push(None);
                continue;
            }
            if known.is_none() && !words {
                let text = "unknown column; it is kept in the pack, without effect";
                self.messages.push(Message::warning("survey", 1, column, text));
            }
            let own = known.map_or(name.as_str(), |(own, _)| own).to_owned();
            let lang = match (words, lang) {
                (true, lang) => Some(lang.unwrap_or_else(|| self.default_language())),
                (false, Some(_)) if known.is_some() => {
                    self.messages.push(Message::error(
                        "survey",
                        1,
                        column,
                        "this column has no languages",
                    ));
                    None
                }
                _ => None,
            };
            let key = if known.is_some() || words {
                own
            } else {
                column.trim().to_owned()
            };
            columns.push(Some((key, lang, column.clone())));
        }
        for needed in ["type", "name"] {
            if !columns.iter().flatten().any(|(own, _, _)| own == needed) {
                self.messages
                    .push(Message::error("survey", 1, needed, "the column is missing"));
            }
        }
        for (number, cells) in &sheet.rows {
            let mut row = RowSource::default();
            for (column, cell) in columns.iter().zip(cells) {
                let Some((own, lang, heading)) = column else {
                    continue;
                };
                if cell.is_empty() {
                    continue;
                }
                if WITHOUT_EFFECT.contains(&own.as_str()) {
                    let text = "not supported here; it is kept in the pack, without effect";
                    self.messages
                        .push(Message::warning("survey", *number, heading, text));
                }
                match (own.as_str(), lang) {
                    ("type", _) => row.kind = kind(cell),
                    ("name", _) => row.name = cell.clone(),
                    ("required" | "read_only", _) => drop(row.columns.insert(own.clone(), condition(cell))),
                    (_, Some(lang)) => {
                        row.words
                            .entry(own.clone())
                            .or_default()
                            .insert(lang.clone(), cell.clone());
                    }
                    ("channels", _) => {
                        for channel in cell
                            .split_whitespace()
                            .filter(|channel| !CHANNELS.contains(channel))
                        {
                            let text = format!("unknown channel `{channel}`");
                            self.messages
                                .push(Message::error("survey", *number, heading, text));
                        }
                        row.columns.insert(own.clone(), cell.clone());
                    }
                    _ => drop(row.columns.insert(own.clone(), cell.clone())),
                }
            }
            if row.kind.is_empty() {
                self.messages
                    .push(Message::error("survey", *number, "type", "no type"));
                continue;
            }
            let grouping = row.group().is_some();
            let asked = !grouping && row.kind != "note";
            if strictness == Strictness::Own && asked && row.column("class").is_empty() {
                let text = "no class: it counts as hs (highly sensitive)";
                self.messages
                    .push(Message::warning("survey", *number, "class", text));
                row.columns.insert("class".to_owned(), "hs".to_owned());
            }
            let label = row
                .words
                .get("label")
                .and_then(|labels| labels.get(&self.default));
            let shown = !grouping && !matches!(row.kind.as_str(), "calculate" | "hidden");
            if shown && label.is_none() {
                let text = format!("no label in the default language `{}`", self.default);
                self.messages
                    .push(Message::warning("survey", *number, "label", text));
            }
            rows.push(*number);
            form.rows.push(row);
        }
    }
}

/// Compiles one form. `tables` are the external files it may name.
///
/// # Errors
/// All messages, with the warnings, when at least one is an error.
pub fn compile_form(
    workbook: &Workbook,
    tables: &BTreeMap<String, Arc<Table>>,
    strictness: Strictness,
) -> Result<Compiled, Vec<Message>> {
    let mut form = FormSource::default();
    let settings = workbook.sheet("settings");
    let default = settings.and_then(|sheet| {
        let (_, cells) = sheet.rows.first()?;
        Some(language(sheet.cell(cells, "default_language"))).filter(|lang| !lang.is_empty())
    });
    let mut reader = Reader {
        default: default.unwrap_or_else(|| "en".to_owned()),
        messages: workbook.messages.clone(),
    };
    reader.settings(settings, &mut form);
    let (mut survey_rows, mut choice_rows) = (Vec::new(), BTreeMap::new());
    reader.choices(workbook.sheet("choices"), &mut form, &mut choice_rows);
    if let Some(survey) = workbook.sheet("survey") {
        reader.survey(survey, &mut form, &mut survey_rows, strictness);
    }
    let mut messages = reader.messages;
    match Form::compile(&form, tables) {
        Ok(compiled) if !messages.iter().any(Message::is_error) => Ok(Compiled {
            source: form,
            form: compiled,
            messages,
        }),
        Ok(_) => Err(messages),
        Err(problems) => {
            let located = problems
                .iter()
                .map(|problem| locate(problem, &survey_rows, &choice_rows));
            messages.extend(located);
            Err(messages)
        }
    }
}

/// Brings a problem of the form's compiler back to the sheet.
fn locate(problem: &Problem, survey: &[usize], choices: &BTreeMap<String, Vec<usize>>) -> Message {
    let text = match &problem.fault {
        // The place in an expression counts from 1, as editors do.
        Fault::Parse(fault) => fault.to_string(),
        other => other.to_string(),
    };
    let (sheet, row) = match &problem.place {
        Place::Survey(at) => ("survey", survey.get(*at).copied().unwrap_or_default()),
        Place::Choices(list, at) => (
            "choices",
            choices
                .get(list)
                .and_then(|rows| rows.get(*at))
                .copied()
                .unwrap_or_default(),
        ),
        Place::Settings => ("settings", 2),
        Place::Indicators(at) => ("indicators", at + 2),
    };
    Message::error(sheet, row, &problem.column, text)
}

/// Returns the labels of a row: every column `label::…`.
pub(crate) fn labels(sheet: &Sheet, cells: &[String]) -> Labels {
    let words = sheet.columns.iter().filter_map(|column| {
        let (name, lang) = heading(column);
        let value = sheet.cell(cells, column);
        (name == "label" && !value.is_empty())
            .then(|| (lang.unwrap_or_else(|| "en".to_owned()), value.to_owned()))
    });
    words.collect()
}
