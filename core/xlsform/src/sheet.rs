//! Sheets as rows of text, whatever file they came from. Cells are trimmed, empty rows are kept in the count, and
//! what is too large is refused before it is looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use calamine::{Data, Reader, Xls, Xlsx};

use crate::{Message, limits};

/// One sheet: a heading and rows under it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its name, as messages show it.
    pub name: String,
    /// The headings.
    pub columns: Vec<String>,
    /// The rows with their number in the spreadsheet; rows without any text are left out.
    pub rows: Vec<(usize, Vec<String>)>,
}

impl Sheet {
    /// Returns a cell's text; empty when there is none.
    pub(crate) fn cell<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).map_or("", String::as_str)
    }

    /// Makes a sheet out of lines of cells, the first being the heading.
    fn build(name: &str, mut lines: impl Iterator<Item = Vec<String>>, messages: &mut Vec<Message>) -> Self {
        let trim = |cells: Vec<String>| -> Vec<String> {
            let mut cells: Vec<String> = cells.iter().map(|cell| clean(cell)).collect();
            while cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            cells
        };
        let mut sheet = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        let Some(heading) = lines.next() else {
            messages.push(Message::error(name, 0, "", "the sheet is empty"));
            return sheet;
        };
        sheet.columns = trim(heading);
        if sheet.columns.len() > limits::COLUMNS {
            let text = format!("more than {} columns", limits::COLUMNS);
            messages.push(Message::error(name, 1, "", text));
            sheet.columns.clear();
            return sheet;
        }
        for (at, column) in sheet.columns.iter().enumerate() {
            let twice = !column.is_empty() && sheet.columns.iter().take(at).any(|earlier| earlier == column);
            if twice {
                messages.push(Message::error(name, 1, column, "the column stands twice"));
            }
        }
        for (at, cells) in lines.enumerate() {
            let number = at + 2;
            if number > limits::ROWS {
                messages.push(Message::error(
                    name,
                    number,
                    "",
                    format!("more than {} rows", limits::ROWS),
                ));
                break;
            }
            let cells = trim(cells);
            if cells.is_empty() {
                continue;
            }
            for (at, cell) in cells.iter().enumerate() {
                let column = sheet.columns.get(at).map_or("", String::as_str);
                if cell.chars().count() > limits::CELL {
                    let text = format!("more than {} characters in a cell", limits::CELL);
                    messages.push(Message::error(name, number, column, text));
                } else if column.is_empty() && !cell.is_empty() {
                    messages.push(Message::error(
                        name,
                        number,
                        "",
                        "a cell without a heading above it",
                    ));
                }
            }
            if messages.len() > limits::MESSAGES {
                break;
            }
            sheet.rows.push((number, cells));
        }
        sheet
    }
}

/// Takes off what spreadsheets put around and into text: outer spaces, non-breaking spaces, curly quotes in expressions.
fn clean(cell: &str) -> String {
    cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .replace('\u{a0}', " ")
}

/// The sheets of one form by name: `survey`, `choices`, `settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workbook {
    /// The sheets.
    pub sheets: BTreeMap<String, Sheet>,
    /// Warnings about what was not read, such as sheets of another name.
    pub messages: Vec<Message>,
}

impl Workbook {
    /// Returns a sheet.
    #[must_use]
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.get(name)
    }
}

fn size(path: &Path, name: &str, messages: &mut Vec<Message>) -> Option<u64> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() <= limits::FILE_BYTES => Some(found.len()),
        Ok(found) if found.is_file() => {
            let text = format!("the file is larger than {} bytes", limits::FILE_BYTES);
            messages.push(Message::error(name, 0, "", text));
            None
        }
        Ok(_) | Err(_) => {
            messages.push(Message::error(name, 0, "", "the file cannot be read"));
            None
        }
    }
}

/// Reads one `.csv` file (UTF-8) as a sheet.
pub fn read_csv(path: &Path, name: &str, messages: &mut Vec<Message>) -> Option<Sheet> {
    size(path, name, messages)?;
    let Ok(bytes) = fs::read(path) else {
        messages.push(Message::error(name, 0, "", "the file cannot be read"));
        return None;
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = error
                .as_bytes()
                .get(..error.utf8_error().valid_up_to())
                .unwrap_or_default();
            let row = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            messages.push(Message::error(
                name,
                row,
                "",
                "the text is not UTF-8; save the file as \"CSV UTF-8\"",
            ));
            return None;
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let places = places(text);
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let row = places.get(at).copied().unwrap_or(at + 1);
        let Ok(record) = record else {
            messages.push(Message::error(name, row, "", "the line is not CSV"));
            return None;
        };
        if row > limits::ROWS {
            messages.push(Message::error(
                name,
                row,
                "",
                format!("more than {} rows", limits::ROWS),
            ));
            return None;
        }
        // Lines without text are no records, but rows keep the number that a spreadsheet shows.
        lines.resize(row.saturating_sub(1).max(lines.len()), Vec::new());
        lines.push(record.iter().map(str::to_owned).collect());
    }
    Some(Sheet::build(name, lines.into_iter(), messages))
}

/// The row numbers of the lines with text: a line break inside quotes does not begin a row.
fn places(text: &str) -> Vec<usize> {
    let (mut places, mut row, mut quoted, mut filled) = (Vec::new(), 1, false, false);
    for c in text.chars() {
        match c {
            '\n' if !quoted => {
                if filled {
                    places.push(row);
                }
                (row, filled) = (row + 1, false);
            }
            '\r' if !quoted => {}
            _ => {
                quoted ^= c == '"';
                filled = true;
            }
        }
    }
    if filled {
        places.push(row);
    }
    places
}

/// Reads a form: a folder of `survey.csv`, `choices.csv`, `settings.csv`, or an `.xlsx` or `.xls` workbook.
///
/// # Errors
/// Messages for what cannot be read at all.
pub fn read_workbook(path: &Path) -> Result<Workbook, Vec<Message>> {
    let mut messages = Vec::new();
    let mut workbook = Workbook::default();
    if path.is_dir() {
        for name in ["survey", "choices", "settings"] {
            let file = path.join(format!("{name}.csv"));
            if file.exists()
                && let Some(sheet) = read_csv(&file, name, &mut messages)
            {
                workbook.sheets.insert(name.to_owned(), sheet);
            }
        }
    } else {
        read_spreadsheet(path, &mut workbook, &mut messages);
    }
    if messages.iter().any(Message::is_error) {
        return Err(messages);
    }
    if workbook.sheet("survey").is_none() {
        return Err(vec![Message::error(
            "survey",
            0,
            "",
            "the form has no sheet `survey`",
        )]);
    }
    workbook.messages = messages;
    Ok(workbook)
}

fn read_spreadsheet(path: &Path, workbook: &mut Workbook, messages: &mut Vec<Message>) {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if size(path, &name, messages).is_none() {
        return;
    }
    let Ok(bytes) = fs::read(path) else {
        messages.push(Message::error(&name, 0, "", "the file cannot be read"));
        return;
    };
    if bytes.starts_with(b"PK") && unfolded(&bytes).is_none_or(|size| size > limits::UNFOLDED_BYTES) {
        let text = format!(
            "the workbook is cut, or unfolds to more than {} bytes",
            limits::UNFOLDED_BYTES
        );
        messages.push(Message::error(&name, 0, "", text));
        return;
    }
    // The reader of workbooks panics on some damaged ones; here that is one more way of being damaged.
    let read = std::panic::catch_unwind(|| {
        let (mut sheets, mut found) = (Vec::new(), Vec::new());
        read_sheets(bytes, &name, &mut sheets, &mut found);
        (sheets, found)
    });
    match read {
        Ok((sheets, found)) => {
            messages.extend(found);
            workbook
                .sheets
                .extend(sheets.into_iter().map(|sheet| (sheet.name.clone(), sheet)));
        }
        Err(_) => messages.push(Message::error(&name, 0, "", DAMAGED)),
    }
}

/// What is said of a file that is no workbook.
const DAMAGED: &str = "not a workbook that can be read (.xlsx, .xls), or damaged";

fn read_sheets(bytes: Vec<u8>, name: &str, sheets: &mut Vec<Sheet>, messages: &mut Vec<Message>) {
    let zipped = bytes.starts_with(b"PK");
    let file = std::io::Cursor::new(bytes);
    let read = if zipped {
        Xlsx::new(file).ok().map(|mut book| {
            let names = book.sheet_names();
            names
                .into_iter()
                .map(|name| (cells_of_xlsx(&mut book, &name, messages), name))
                .collect::<Vec<_>>()
        })
    } else {
        Xls::new(file).ok().map(|mut book| {
            let names = book.sheet_names();
            names
                .into_iter()
                .map(|name| (cells_of_xls(&mut book, &name, messages), name))
                .collect::<Vec<_>>()
        })
    };
    let Some(read) = read else {
        messages.push(Message::error(name, 0, "", DAMAGED));
        return;
    };
    for (cells, name) in read {
        let Some(cells) = cells else { continue };
        let mut lines: Vec<Vec<String>> = Vec::new();
        for ((row, column), text) in cells {
            if lines.len() <= row {
                lines.resize(row + 1, Vec::new());
            }
            let Some(line) = lines.get_mut(row) else { continue };
            if line.len() <= column {
                line.resize(column + 1, String::new());
            }
            if let Some(cell) = line.get_mut(column) {
                *cell = text;
            }
        }
        sheets.push(Sheet::build(
            &name.trim().to_lowercase(),
            lines.into_iter(),
            messages,
        ));
    }
}

/// Row and column from 0, and the text.
type Cells = Vec<((usize, usize), String)>;

/// Says whether a sheet is one of a form's, and warns when it is not.
fn is_wanted(sheet: &str, messages: &mut Vec<Message>) -> bool {
    let wanted = matches!(
        sheet.trim().to_lowercase().as_str(),
        "survey" | "choices" | "settings"
    );
    if !wanted {
        let text = "the sheet is not one of survey, choices, settings";
        messages.push(Message::warning(sheet, 0, "", text));
    }
    wanted
}

/// Takes a cell that has text and a place within the limits.
fn take(sheet: &str, at: (u32, u32), cell: &Data, cells: &mut Cells, messages: &mut Vec<Message>) -> bool {
    let text = text(cell);
    if text.trim().is_empty() {
        return true;
    }
    let (row, column) = (at.0 as usize, at.1 as usize);
    if row >= limits::ROWS || column >= limits::COLUMNS {
        let text = format!(
            "a cell beyond {} rows or {} columns",
            limits::ROWS,
            limits::COLUMNS
        );
        messages.push(Message::error(sheet, row + 1, "", text));
        return false;
    }
    cells.push(((row, column), text));
    true
}

/// Reads cell by cell: taken as a range, one cell in the last row and column would ask for all the memory there is.
fn cells_of_xlsx(
    book: &mut Xlsx<std::io::Cursor<Vec<u8>>>,
    sheet: &str,
    messages: &mut Vec<Message>,
) -> Option<Cells> {
    if !is_wanted(sheet, messages) {
        return None;
    }
    let damaged =
        |messages: &mut Vec<Message>| messages.push(Message::error(sheet, 0, "", "the sheet is damaged"));
    let Ok(mut reader) = book.worksheet_cells_reader(sheet) else {
        damaged(messages);
        return None;
    };
    let mut cells = Vec::new();
    loop {
        match reader.next_cell() {
            Ok(Some(cell)) => {
                let value: Data = cell.get_value().clone().into();
                if !take(sheet, cell.get_position(), &value, &mut cells, messages) {
                    return None;
                }
            }
            Ok(None) => return Some(cells),
            Err(_) => {
                damaged(messages);
                return None;
            }
        }
    }
}

/// The old format has at most 65,536 rows and 256 columns, so a range of it has a bound.
fn cells_of_xls(
    book: &mut Xls<std::io::Cursor<Vec<u8>>>,
    sheet: &str,
    messages: &mut Vec<Message>,
) -> Option<Cells> {
    if !is_wanted(sheet, messages) {
        return None;
    }
    let Ok(range) = book.worksheet_range(sheet) else {
        messages.push(Message::error(sheet, 0, "", "the sheet is damaged"));
        return None;
    };
    let (above, left) = range.start().unwrap_or_default();
    let mut cells = Vec::new();
    for (row, column, cell) in range.used_cells() {
        let at = (
            above.saturating_add(u32::try_from(row).ok()?),
            left.saturating_add(u32::try_from(column).ok()?),
        );
        if !take(sheet, at, cell, &mut cells, messages) {
            return None;
        }
    }
    Some(cells)
}

/// A cell as it would be typed. A date cell becomes the day or moment it shows.
fn text(cell: &Data) -> String {
    match cell {
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        Data::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    }
}

/// Returns the bytes that a zip file says it unfolds to, read from its directory; `None` when there is none.
fn unfolded(bytes: &[u8]) -> Option<u64> {
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    };
    let from = bytes.len().saturating_sub(22 + 65_535);
    let tail = bytes.get(from..)?;
    let end = from + tail.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let (count, mut at) = (number(end + 10, 2)?, usize::try_from(number(end + 16, 4)?).ok()?);
    let mut sum = 0_u64;
    for _ in 0..count {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        sum = sum.checked_add(number(at + 24, 4)?)?;
        let names = number(at + 28, 2)? + number(at + 30, 2)? + number(at + 32, 2)?;
        at = at.checked_add(46)?.checked_add(usize::try_from(names).ok()?)?;
    }
    Some(sum)
}
