//! The tree of instruments: folders of forms, `lists.csv` as the one place of the code lists, `indicators.csv`, and
//! `external/`. Writes each form's `choices.csv` out of the lists, and everything into one pack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_form::{ChoiceSource, IndicatorSource, Pack, PackSource, Place, Table};

use crate::compile::{Compiled, Strictness, compile_form, heading, labels};
use crate::message::Message;
use crate::sheet::{Sheet, read_csv, read_workbook};

/// Puts the file before the sheet, so that a message of a tree says which form it means.
fn within(folder: &str, messages: Vec<Message>) -> Vec<Message> {
    let add = |message: Message| Message {
        sheet: format!("{folder}/{}", message.sheet),
        ..message
    };
    messages.into_iter().map(add).collect()
}

/// Returns the folders of forms in a tree, sorted by name.
fn folders(tree: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(tree).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join("survey.csv").is_file())
        .collect();
    found.sort();
    found
}

fn name_of(path: &Path) -> String {
    path.file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Reads every `.csv` of a folder as an external table.
fn tables(folder: &Path, messages: &mut Vec<Message>) -> Tables {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .collect();
    files.sort();
    let mut tables = BTreeMap::new();
    for file in files {
        let name = name_of(&file);
        if matches!(
            name.as_str(),
            "survey" | "choices" | "settings" | "lists" | "indicators"
        ) {
            continue;
        }
        let sheet = format!("{name}.csv");
        let Some(read) = read_csv(&file, &sheet, messages) else {
            continue;
        };
        if let Some(table) = table(&read, messages) {
            tables.insert(name, Arc::new(table));
        }
    }
    tables
}

fn table(sheet: &Sheet, messages: &mut Vec<Message>) -> Option<Table> {
    let columns: Vec<String> = sheet
        .columns
        .iter()
        .map(|column| match heading(column) {
            (name, Some(lang)) if matches!(name.as_str(), "label" | "review") => format!("{name}:{lang}"),
            _ => column.trim().to_owned(),
        })
        .collect();
    if !columns.iter().any(|column| column == "name") {
        messages.push(Message::error(&sheet.name, 1, "name", "the column is missing"));
        return None;
    }
    let before = messages.len();
    let mut seen = BTreeSet::new();
    for (number, cells) in &sheet.rows {
        let code = sheet.cell(cells, "name");
        if code.is_empty() || code.contains(char::is_whitespace) {
            messages.push(Message::error(
                &sheet.name,
                *number,
                "name",
                "not a code (no spaces, not empty)",
            ));
        } else if !seen.insert(code) {
            messages.push(Message::error(
                &sheet.name,
                *number,
                "name",
                format!("code `{code}` stands twice"),
            ));
        }
        if cells.len() > columns.len() {
            messages.push(Message::error(
                &sheet.name,
                *number,
                "",
                "more cells than headings",
            ));
        }
    }
    if messages.len() > before {
        return None;
    }
    let row = |cells: &Vec<String>| {
        let mut cells = cells.clone();
        cells.resize(columns.len(), String::new());
        cells
    };
    match Table::new(
        columns.clone(),
        sheet.rows.iter().map(|(_, cells)| row(cells)).collect(),
    ) {
        Ok(table) => Some(table),
        Err(error) => {
            messages.push(Message::error(&sheet.name, 0, "", error.to_string()));
            None
        }
    }
}

/// The code lists of a tree, in the order of `lists.csv`.
type Lists = Vec<(String, Vec<ChoiceSource>)>;

fn lists(tree: &Path, messages: &mut Vec<Message>) -> Lists {
    let Some(sheet) = read_csv(&tree.join("lists.csv"), "lists", messages) else {
        return Vec::new();
    };
    let mut lists: Lists = Vec::new();
    for (number, cells) in &sheet.rows {
        let (list, code) = (sheet.cell(cells, "list"), sheet.cell(cells, "code"));
        if list.is_empty() || code.is_empty() {
            messages.push(Message::error(
                "lists",
                *number,
                "code",
                "list and code are required",
            ));
            continue;
        }
        let mut choice = ChoiceSource {
            name: code.to_owned(),
            ..ChoiceSource::default()
        };
        for column in &sheet.columns {
            let value = sheet.cell(cells, column);
            let (name, lang) = heading(column);
            match (name.as_str(), lang) {
                ("list" | "code", _) => {}
                _ if value.is_empty() => {}
                (_, Some(lang)) => {
                    choice
                        .words
                        .entry(name)
                        .or_default()
                        .insert(lang, value.to_owned());
                }
                (_, None) => drop(choice.columns.insert(name, value.to_owned())),
            }
        }
        let at = lists.iter().position(|(other, _)| other == list);
        let last = lists.len().checked_sub(1);
        match at.and_then(|at| lists.get_mut(at)) {
            Some((_, choices)) => {
                if at != last {
                    messages.push(Message::error(
                        "lists",
                        *number,
                        "list",
                        format!("list `{list}` stands apart"),
                    ));
                }
                if choices.iter().any(|other| other.name == choice.name) {
                    messages.push(Message::error(
                        "lists",
                        *number,
                        "code",
                        format!("code `{code}` stands twice"),
                    ));
                }
                choices.push(choice);
            }
            None => lists.push((list.to_owned(), vec![choice])),
        }
    }
    lists
}

/// Returns what a form's `choices.csv` must be: the lists that its survey asks, in the order of `lists.csv`.
///
/// # Errors
/// Messages when `lists.csv` or the survey cannot be read.
pub fn choices_csv(tree: &Path, form: &Path) -> Result<String, Vec<Message>> {
    let mut messages = Vec::new();
    let all = read_csv(&tree.join("lists.csv"), "lists", &mut messages);
    let survey = read_csv(&form.join("survey.csv"), "survey", &mut messages);
    let (Some(all), Some(survey)) = (all, survey) else {
        return Err(messages);
    };
    let asked = survey.rows.iter().filter_map(|(_, cells)| {
        let mut words = survey.cell(cells, "type").split_whitespace();
        let kind = words.next()?;
        matches!(kind, "select_one" | "select_multiple")
            .then(|| words.next())
            .flatten()
    });
    let asked: BTreeSet<&str> = asked.collect();
    let heading = |column: &String| match column.as_str() {
        "list" => "list_name".to_owned(),
        "code" => "name".to_owned(),
        other => other.to_owned(),
    };
    let mut out = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let write = |out: &mut csv::Writer<Vec<u8>>, cells: Vec<String>| {
        out.write_record(cells)
            .map_err(|_| vec![Message::error("choices", 0, "", "cannot be written")])
    };
    write(&mut out, all.columns.iter().map(heading).collect())?;
    for (_, cells) in all
        .rows
        .iter()
        .filter(|(_, cells)| asked.contains(all.cell(cells, "list")))
    {
        let mut cells = cells.clone();
        cells.resize(all.columns.len(), String::new());
        write(&mut out, cells)?;
    }
    let bytes = out
        .into_inner()
        .map_err(|_| vec![Message::error("choices", 0, "", "cannot be written")])?;
    String::from_utf8(bytes).map_err(|_| vec![Message::error("choices", 0, "", "cannot be written")])
}

/// Writes every form's `choices.csv` out of `lists.csv`; with `only_check` nothing is written. Returns the files that
/// were not as they should be.
///
/// # Errors
/// Messages when the tree cannot be read or written.
pub fn write_choices(tree: &Path, only_check: bool) -> Result<Vec<PathBuf>, Vec<Message>> {
    let mut changed = Vec::new();
    for form in folders(tree) {
        let wanted = choices_csv(tree, &form).map_err(|messages| within(&name_of(&form), messages))?;
        let file = form.join("choices.csv");
        if fs::read(&file).ok().as_deref() == Some(wanted.as_bytes()) {
            continue;
        }
        if !only_check {
            fs::write(&file, &wanted)
                .map_err(|error| vec![Message::error(&name_of(&form), 0, "", error.kind().to_string())])?;
        }
        changed.push(file);
    }
    Ok(changed)
}

fn indicators(tree: &Path, messages: &mut Vec<Message>) -> Vec<IndicatorSource> {
    let file = tree.join("indicators.csv");
    if !file.exists() {
        return Vec::new();
    }
    let Some(sheet) = read_csv(&file, "indicators", messages) else {
        return Vec::new();
    };
    for column in &sheet.columns {
        let (name, _) = heading(column);
        if !matches!(
            name.as_str(),
            "id" | "label" | "review" | "numerator" | "denominator" | "per" | "k" | "source"
        ) {
            messages.push(Message::warning(
                "indicators",
                1,
                column,
                "unknown column; it is kept, without effect",
            ));
        }
    }
    let one = |cells: &Vec<String>| {
        let columns = sheet
            .columns
            .iter()
            .filter(|column| heading(column).1.is_none() && *column != "id");
        let columns = columns.map(|column| (column.clone(), sheet.cell(cells, column).to_owned()));
        IndicatorSource {
            id: sheet.cell(cells, "id").to_owned(),
            label: labels(&sheet, cells),
            columns: columns.filter(|(_, value)| !value.is_empty()).collect(),
        }
    };
    sheet.rows.iter().map(|(_, cells)| one(cells)).collect()
}

/// Compiles a whole tree, as `forms/` is, into one pack. Returns its bytes and the warnings.
///
/// # Errors
/// All messages when at least one is an error.
pub fn pack_tree(
    tree: &Path,
    name: &str,
    strictness: Strictness,
) -> Result<(Vec<u8>, Vec<Message>), Vec<Message>> {
    let mut messages = Vec::new();
    let mut external = Vec::new();
    let tables = tables(&tree.join("external"), &mut external);
    messages.extend(within("external", external));
    let mut pack = PackSource {
        name: name.to_owned(),
        ..PackSource::default()
    };
    pack.lists = lists(tree, &mut messages).into_iter().collect();
    pack.tables = tables
        .iter()
        .map(|(name, table)| (name.clone(), table.as_ref().clone()))
        .collect();
    let forms = folders(tree);
    if forms.is_empty() {
        messages.push(Message::error(
            &name_of(tree),
            0,
            "",
            "no folder with a survey.csv",
        ));
    }
    for folder in forms {
        let compiled =
            read_workbook(&folder).and_then(|workbook| compile_form(&workbook, &tables, strictness));
        match compiled {
            Ok(Compiled {
                source,
                messages: found,
                ..
            }) => {
                messages.extend(within(&name_of(&folder), found));
                pack.forms.push(source);
            }
            Err(found) => messages.extend(within(&name_of(&folder), found)),
        }
    }
    pack.indicators = indicators(tree, &mut messages);
    finish(&pack, messages)
}

fn finish(pack: &PackSource, mut messages: Vec<Message>) -> Result<(Vec<u8>, Vec<Message>), Vec<Message>> {
    if messages.iter().any(Message::is_error) {
        return Err(messages);
    }
    let bytes = pack.encode();
    match Pack::decode(&bytes) {
        Ok(_) => Ok((bytes, messages)),
        Err(landfall_form::Error::Problems(problems)) => {
            messages.extend(problems.iter().map(|problem| match &problem.place {
                Place::Indicators(row) => {
                    let text = format!("{}: {}", problem.question, problem.fault);
                    Message::error("indicators", row + 2, &problem.column, text)
                }
                _ => Message::error(&problem.form, 0, &problem.column, problem.to_string()),
            }));
            Err(messages)
        }
        Err(error) => {
            messages.push(Message::error(&pack.name, 0, "", error.to_string()));
            Err(messages)
        }
    }
}

/// The external tables that a form outside a tree may name: `.csv` files beside it, in its `external/`, or in the
/// `external/` beside its folder.
fn tables_near(path: &Path, messages: &mut Vec<Message>) -> Tables {
    let around = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let own = if path.is_dir() {
        path.to_path_buf()
    } else {
        around.clone()
    };
    let mut found = tables(&around.join("external"), messages);
    found.extend(tables(&own.join("external"), messages));
    found.extend(tables(&own, messages));
    found
}

/// External tables by name.
pub type Tables = BTreeMap<String, Arc<Table>>;

/// Compiles one form for itself: a folder or a workbook.
///
/// # Errors
/// All messages when at least one is an error.
pub fn check(path: &Path, strictness: Strictness) -> Result<(Compiled, Tables), Vec<Message>> {
    let mut messages = Vec::new();
    let tables = tables_near(path, &mut messages);
    let workbook = match read_workbook(path) {
        Ok(workbook) => workbook,
        Err(found) => {
            messages.extend(found);
            return Err(messages);
        }
    };
    match compile_form(&workbook, &tables, strictness) {
        Ok(mut compiled) if !messages.iter().any(Message::is_error) => {
            compiled.messages.splice(0..0, messages);
            Ok((compiled, tables))
        }
        Ok(compiled) => {
            messages.extend(compiled.messages);
            Err(messages)
        }
        Err(found) => {
            messages.extend(found);
            Err(messages)
        }
    }
}

/// Packs forms given one by one, each a folder or a workbook, with the external tables that they name.
///
/// # Errors
/// All messages when at least one is an error.
pub fn pack_path(
    paths: &[PathBuf],
    name: &str,
    strictness: Strictness,
) -> Result<(Vec<u8>, Vec<Message>), Vec<Message>> {
    let mut messages = Vec::new();
    let mut pack = PackSource {
        name: name.to_owned(),
        ..PackSource::default()
    };
    for path in paths {
        match check(path, strictness) {
            Ok((compiled, tables)) => {
                messages.extend(within(&name_of(path), compiled.messages));
                let tables = tables
                    .iter()
                    .map(|(name, table)| (name.clone(), table.as_ref().clone()));
                pack.tables.extend(tables);
                pack.lists.extend(compiled.source.lists.clone());
                pack.forms.push(compiled.source);
            }
            Err(found) => messages.extend(within(&name_of(path), found)),
        }
    }
    finish(&pack, messages)
}
