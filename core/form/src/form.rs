//! A form, compiled: its questions in order with parsed expressions, and which of them depend on which. Compiling finds
//! every problem of a form at once; a form that compiled can be asked without further checks.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::check::{Fault, Place, Problem};
use crate::choice::{Choice, Table};
use crate::expr::{Expr, Node};
use crate::source::{FormSource, GroupMark, Labels, RowSource};
use crate::{Answer, Answers, cbor, limits};

/// Sensitivity of a question (domain, "Classes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Public.
    Pub,
    /// Internal, about no person.
    Int,
    /// About one pseudonymous person.
    Per,
    /// Highly sensitive.
    Hs,
}

impl Class {
    /// Reads the column `class`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "pub" => Self::Pub,
            "int" => Self::Int,
            "per" => Self::Per,
            "hs" => Self::Hs,
            _ => return None,
        })
    }

    /// Returns the column's text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pub => "pub",
            Self::Int => "int",
            Self::Per => "per",
            Self::Hs => "hs",
        }
    }
}

/// What kind of answer a question takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// One of a list.
    SelectOne,
    /// Several of a list.
    SelectMultiple,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and time.
    DateTime,
    /// A tick; its answer is the code `OK`.
    Acknowledge,
    /// Words only.
    Note,
    /// A value that the form computes.
    Calculate,
    /// A value that whoever opens the form hands in.
    Hidden,
}

impl Kind {
    /// Says whether a person answers it.
    #[must_use]
    pub fn is_asked(self) -> bool {
        !matches!(self, Self::Note | Self::Calculate | Self::Hidden)
    }

    /// Says whether it offers choices.
    #[must_use]
    pub fn is_select(self) -> bool {
        matches!(self, Self::SelectOne | Self::SelectMultiple)
    }

    /// Returns its XLSForm name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::SelectOne => "select_one",
            Self::SelectMultiple => "select_multiple",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "dateTime",
            Self::Acknowledge => "acknowledge",
            Self::Note => "note",
            Self::Calculate => "calculate",
            Self::Hidden => "hidden",
        }
    }
}

/// Where the choices of a select question come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    /// A list of the form.
    List(String),
    /// An external table of the pack, named without `.csv`.
    Table(String),
}

/// Whether a question is asked while officials can see or hear (domain 1.5(5), the list under table 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Officials {
    /// It is on the list "asked in front of officials".
    Ask,
    /// It is removed and its answers are refused.
    Hide,
}

/// Place of a question in the rapid variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rapid {
    /// Its turn, from 1.
    pub order: u16,
    /// Whether it is one of the fixed questions (`rap` = Y) or comes up by an answer (C).
    pub fixed: bool,
}

/// One question. Its expressions are parsed and refer only to questions of the form.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Question {
    /// The code.
    pub code: String,
    /// The kind of its answer.
    pub kind: Kind,
    /// Where its choices come from.
    pub list: Option<ListSource>,
    /// Its sensitivity; notes have none of their own and count as public.
    pub class: Class,
    /// The index of the innermost group in [`Form::groups`].
    pub group: Option<usize>,
    /// Whether it must be answered.
    pub required: Option<Expr>,
    /// When it is asked.
    pub relevant: Option<Expr>,
    /// What its answer must satisfy.
    pub constraint: Option<Expr>,
    /// What computes it.
    pub calculation: Option<Expr>,
    /// What it is before it is answered.
    pub default: Option<Expr>,
    /// Which choices are offered.
    pub choice_filter: Option<Expr>,
    /// Whether it can be changed.
    pub read_only: Option<Expr>,
    /// Its place in the rapid variant.
    pub rapid: Option<Rapid>,
    /// Whether it is asked in front of officials.
    pub officials: Officials,
    /// Whether the monitor answers it without asking.
    pub monitor_only: bool,
    /// Channels that may carry it (domain 1.5(2)).
    pub channels: Vec<String>,
    /// Its words and remaining columns as they were written.
    pub source: RowSource,
}

impl Question {
    /// Returns words of a column (`label`, `hint`) in a language.
    #[must_use]
    pub fn words(&self, column: &str, lang: &str) -> Option<&str> {
        self.source.words.get(column)?.get(lang).map(String::as_str)
    }
}

/// A group of questions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// Its code.
    pub code: String,
    /// The group around it.
    pub parent: Option<usize>,
    /// When it is asked.
    pub relevant: Option<Expr>,
    /// Its words.
    pub source: RowSource,
}

/// A form.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    id: String,
    version: String,
    hash: [u8; 32],
    source: FormSource,
    languages: Vec<String>,
    questions: Vec<Question>,
    groups: Vec<Group>,
    index: BTreeMap<String, usize>,
    lists: BTreeMap<String, Vec<Choice>>,
    /// Questions so ordered that each comes after those it depends on.
    pub(crate) order: Vec<usize>,
    /// For each question, the place in `order`.
    pub(crate) rank: Vec<usize>,
    /// For each question, those whose relevance or value depends on it.
    pub(crate) dependents: Vec<Vec<usize>>,
    /// Questions whose relevance or value changes with time alone.
    pub(crate) volatile: Vec<usize>,
    pub(crate) officials: Option<Expr>,
    pub(crate) rapid: Option<Expr>,
    pub(crate) refusal: Option<Expr>,
    /// Values that stand in for the ones of `officials` when it is asked what was relevant without officials.
    pub(crate) unwatched: Vec<(usize, String)>,
    pub(crate) skippable: bool,
}

/// Columns of the survey sheet with an expression.
const EXPRESSIONS: [&str; 7] = [
    "relevant",
    "constraint",
    "calculation",
    "required",
    "read_only",
    "choice_filter",
    "default",
];

struct Compiler<'a> {
    form: &'a str,
    source: &'a FormSource,
    tables: &'a BTreeMap<String, std::sync::Arc<Table>>,
    problems: Vec<Problem>,
}

impl Compiler<'_> {
    fn report(&mut self, place: Place, column: &str, question: &str, fault: Fault) {
        let (form, column, question) = (self.form.to_owned(), column.to_owned(), question.to_owned());
        self.problems.push(Problem {
            form,
            place,
            column,
            question,
            fault,
        });
    }

    fn expression(&mut self, place: &Place, column: &str, question: &str, source: &str) -> Option<Expr> {
        if source.trim().is_empty() {
            return None;
        }
        match Expr::parse(source) {
            Ok(expr) => Some(expr),
            Err(fault) => {
                self.report(place.clone(), column, question, Fault::Parse(fault));
                None
            }
        }
    }

    /// A cell that is yes, no or an expression.
    fn condition(&mut self, row: usize, column: &str, source: &RowSource) -> Option<Expr> {
        match source.column(column) {
            "" | "no" | "false" | "false()" | "N" => None,
            "yes" | "true" | "true()" | "Y" => Expr::parse("true()").ok(),
            other => self.expression(&Place::Survey(row), column, &source.name, other),
        }
    }

    fn one_of<T>(
        &mut self,
        row: usize,
        column: &str,
        source: &RowSource,
        read: fn(&str) -> Option<T>,
        allowed: &'static str,
    ) -> Option<T> {
        let value = source.column(column);
        let found = read(value);
        if found.is_none() {
            let fault = Fault::BadValue {
                value: value.to_owned(),
                allowed,
            };
            self.report(Place::Survey(row), column, &source.name, fault);
        }
        found
    }

    fn kind(&mut self, row: usize, source: &RowSource) -> Option<(Kind, Option<ListSource>)> {
        let mut words = source.kind.split_whitespace();
        let (name, list) = (words.next().unwrap_or_default(), words.next());
        let simple = |kind| Some((kind, None));
        let place = Place::Survey(row);
        if list.is_some() && !name.starts_with("select") {
            self.report(
                place,
                "type",
                &source.name,
                Fault::UnknownType(source.kind.clone()),
            );
            return None;
        }
        match name {
            "text" => simple(Kind::Text),
            "integer" => simple(Kind::Integer),
            "decimal" => simple(Kind::Decimal),
            "date" => simple(Kind::Date),
            "time" => simple(Kind::Time),
            "dateTime" => simple(Kind::DateTime),
            "acknowledge" => simple(Kind::Acknowledge),
            "note" => simple(Kind::Note),
            "calculate" => simple(Kind::Calculate),
            "hidden" => simple(Kind::Hidden),
            "select_one" | "select_multiple" => {
                let list = list.unwrap_or_default();
                if self.source.lists.get(list).is_none_or(Vec::is_empty) {
                    self.report(place, "type", &source.name, Fault::UnknownList(list.to_owned()));
                }
                let kind = if name == "select_one" {
                    Kind::SelectOne
                } else {
                    Kind::SelectMultiple
                };
                Some((kind, Some(ListSource::List(list.to_owned()))))
            }
            "select_one_from_file" | "select_multiple_from_file" => {
                let file = list.unwrap_or_default();
                let table = file.strip_suffix(".csv").unwrap_or(file);
                if !self.tables.contains_key(table) {
                    self.report(place, "type", &source.name, Fault::UnknownTable(file.to_owned()));
                }
                let kind = if name == "select_one_from_file" {
                    Kind::SelectOne
                } else {
                    Kind::SelectMultiple
                };
                Some((kind, Some(ListSource::Table(table.to_owned()))))
            }
            _ => {
                self.report(
                    place,
                    "type",
                    &source.name,
                    Fault::UnknownType(source.kind.clone()),
                );
                None
            }
        }
    }

    fn question(&mut self, row: usize, source: &RowSource, group: Option<usize>) -> Option<Question> {
        let (kind, list) = self.kind(row, source)?;
        let place = Place::Survey(row);
        let class = match source.column("class") {
            "" if kind == Kind::Note => Some(Class::Pub),
            "" => {
                self.report(
                    place.clone(),
                    "class",
                    &source.name,
                    Fault::MissingClass(source.name.clone()),
                );
                None
            }
            _ => self.one_of(row, "class", source, Class::parse, "pub, int, per, hs"),
        };
        if kind == Kind::Calculate && source.column("calculation").is_empty() {
            self.report(place.clone(), "calculation", &source.name, Fault::MissingValue);
        }
        let officials = |text: &str| match text {
            "" | "ask" => Some(Officials::Ask),
            "hide" => Some(Officials::Hide),
            _ => None,
        };
        let officials = self.one_of(row, "officials", source, officials, "ask, hide");
        let monitor = |text: &str| match text {
            "" | "no" => Some(false),
            "yes" => Some(true),
            _ => None,
        };
        let monitor = self.one_of(row, "monitor", source, monitor, "yes, no");
        let fixed = |text: &str| match text {
            "" | "Y" => Some(true),
            "C" => Some(false),
            _ => None,
        };
        let fixed = self.one_of(row, "rap", source, fixed, "Y, C");
        let mut rapid = None;
        if !source.column("rap").is_empty() {
            // Without an order of its own the question keeps the one of the form.
            let order = |text: &str| {
                if text.is_empty() {
                    Some(0)
                } else {
                    text.parse::<u16>().ok()
                }
            };
            let order = self.one_of(row, "rap_order", source, order, "a number");
            let order = match order.unwrap_or(0) {
                0 => u16::try_from(row).unwrap_or(u16::MAX),
                given => given,
            };
            rapid = Some(Rapid {
                order,
                fixed: fixed.unwrap_or(true),
            });
        }
        let own = |compiler: &mut Self, column: &str| {
            compiler.expression(&place, column, &source.name, source.column(column))
        };
        let default = match (source.column("default"), kind) {
            ("", _) => None,
            // A plain word of a select or text is its value, not a column's name.
            (plain, Kind::SelectOne | Kind::SelectMultiple | Kind::Text | Kind::Acknowledge)
                if !plain.contains(['(', '$', '\'']) =>
            {
                Expr::parse(&format!("'{plain}'")).ok()
            }
            (plain, Kind::Date | Kind::Time | Kind::DateTime)
                if plain.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                Expr::parse(&format!("'{plain}'")).ok()
            }
            _ => own(self, "default"),
        };
        Some(Question {
            code: source.name.clone(),
            kind,
            list,
            class: class.unwrap_or(Class::Hs),
            group,
            required: self.condition(row, "required", source),
            relevant: own(self, "relevant"),
            constraint: own(self, "constraint"),
            calculation: own(self, "calculation"),
            default,
            choice_filter: own(self, "choice_filter"),
            read_only: self.condition(row, "read_only", source),
            rapid,
            officials: officials.unwrap_or(Officials::Hide),
            monitor_only: monitor.unwrap_or(false),
            channels: source
                .column("channels")
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            source: source.clone(),
        })
    }

    fn lists(&mut self) -> BTreeMap<String, Vec<Choice>> {
        let mut lists = BTreeMap::new();
        let source = self.source;
        for (name, choices) in &source.lists {
            let mut seen = BTreeSet::new();
            for (row, choice) in choices.iter().enumerate() {
                let code = &choice.name;
                let place = || Place::Choices(name.clone(), row);
                let bad = code.is_empty() || code.contains(char::is_whitespace);
                if bad || code.chars().count() > limits::CODE {
                    self.report(place(), "name", "", Fault::BadChoice(code.clone()));
                }
                if !seen.insert(code) {
                    self.report(place(), "name", "", Fault::DuplicateName(code.clone()));
                }
                let officials = choice.columns.get("officials").map_or("", String::as_str);
                if !matches!(officials, "" | "ask" | "hide") {
                    let fault = Fault::BadValue {
                        value: officials.to_owned(),
                        allowed: "ask, hide",
                    };
                    self.report(place(), "officials", "", fault);
                }
            }
            lists.insert(name.clone(), choices.iter().cloned().map(Choice::new).collect());
        }
        lists
    }

    /// Checks that an expression refers only to what exists.
    fn references(&mut self, place: &Place, column: &str, question: &str, expr: &Expr, known: &Known<'_>) {
        let mut faults = Vec::new();
        check_node(expr.root(), known, self.tables, None, &mut faults);
        for fault in faults {
            self.report(place.clone(), column, question, fault);
        }
    }
}

/// What an expression may refer to.
struct Known<'a> {
    questions: &'a BTreeMap<String, usize>,
    /// Columns of the choices, when it is a choice filter.
    columns: Option<BTreeSet<String>>,
}

fn check_node(
    node: &Node,
    known: &Known<'_>,
    tables: &BTreeMap<String, std::sync::Arc<Table>>,
    row_of: Option<&Table>,
    faults: &mut Vec<Fault>,
) {
    match node {
        Node::Question(code) if !known.questions.contains_key(code) => {
            faults.push(Fault::UnknownQuestion(code.clone()));
        }
        Node::Column(name) => {
            let in_row = row_of.is_some_and(|table| table.columns().contains(name));
            let in_choice = known
                .columns
                .as_ref()
                .is_some_and(|columns| columns.contains(name));
            if !in_row && !in_choice {
                faults.push(Fault::UnknownColumn(name.clone()));
            }
        }
        Node::Negate(inner) => check_node(inner, known, tables, row_of, faults),
        Node::Binary(_, left, right) => {
            check_node(left, known, tables, row_of, faults);
            check_node(right, known, tables, row_of, faults);
        }
        Node::Call { args, .. } => {
            for arg in args {
                check_node(arg, known, tables, row_of, faults);
            }
        }
        Node::Instance {
            table,
            predicates,
            leaf,
        } => match tables.get(table) {
            None => faults.push(Fault::UnknownTable(table.clone())),
            Some(found) => {
                for predicate in predicates {
                    check_node(predicate, known, tables, Some(found), faults);
                }
                if let Some(leaf) = leaf.as_ref().filter(|leaf| !found.columns().contains(leaf)) {
                    faults.push(Fault::UnknownColumn(leaf.clone()));
                }
            }
        },
        _ => {}
    }
}

/// Says whether an expression reads its own question otherwise than through `once()`.
fn reads_itself(node: &Node) -> bool {
    match node {
        Node::Here => true,
        Node::Negate(inner) => reads_itself(inner),
        Node::Binary(_, left, right) => reads_itself(left) || reads_itself(right),
        Node::Call { function, args, .. } => !function.reads_here() && args.iter().any(reads_itself),
        Node::Instance { predicates, .. } => predicates.iter().any(reads_itself),
        _ => false,
    }
}

/// Says whether a text is a name: a letter or `_`, then letters, digits, `_`, `-`, `.`.
#[must_use]
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && text.chars().count() <= limits::CODE
}

impl Form {
    /// Compiles a form; `tables` are the external tables by name.
    ///
    /// # Errors
    /// Every problem found, with its row and column.
    pub fn compile(
        source: &FormSource,
        tables: &BTreeMap<String, std::sync::Arc<Table>>,
    ) -> Result<Self, Vec<Problem>> {
        let bytes = cbor::encode(&source.to_item());
        Self::compile_hashed(source, Sha256::digest(&bytes).into(), tables)
    }

    /// Compiles a form whose hash is known: that of its bytes in the pack, with keys that only a later version knows.
    pub(crate) fn compile_hashed(
        source: &FormSource,
        hash: [u8; 32],
        tables: &BTreeMap<String, std::sync::Arc<Table>>,
    ) -> Result<Self, Vec<Problem>> {
        let id = source.setting("form_id").to_owned();
        let mut compiler = Compiler {
            form: &id,
            source,
            tables,
            problems: Vec::new(),
        };
        for column in ["form_id", "version"] {
            if source.setting(column).is_empty() {
                compiler.report(Place::Settings, column, "", Fault::MissingValue);
            }
        }
        if source.rows.len() > limits::ROWS {
            let fault = Fault::Limit {
                what: "rows",
                limit: limits::ROWS,
            };
            compiler.report(Place::Survey(limits::ROWS), "type", "", fault);
            return Err(compiler.problems);
        }
        let lists = compiler.lists();
        let (mut questions, mut groups) = (Vec::<Question>::new(), Vec::<Group>::new());
        let mut index = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut open: Vec<usize> = Vec::new();
        let mut rows = Vec::new();
        for (row, line) in source.rows.iter().enumerate() {
            let place = Place::Survey(row);
            if line.group() == Some(GroupMark::End) {
                if open.pop().is_none() {
                    compiler.report(place, "type", "", Fault::NoGroup);
                }
                continue;
            }
            if line.name.is_empty() {
                compiler.report(place.clone(), "name", "", Fault::MissingName);
            } else if !is_name(&line.name) {
                compiler.report(place.clone(), "name", "", Fault::BadName(line.name.clone()));
            } else if !names.insert(line.name.clone()) {
                compiler.report(place.clone(), "name", "", Fault::DuplicateName(line.name.clone()));
            }
            if line.group() == Some(GroupMark::Begin) {
                if open.len() >= limits::NESTING {
                    let fault = Fault::Limit {
                        what: "nested groups",
                        limit: limits::NESTING,
                    };
                    compiler.report(place.clone(), "type", "", fault);
                }
                let relevant = compiler.expression(&place, "relevant", &line.name, line.column("relevant"));
                let parent = open.last().copied();
                open.push(groups.len());
                groups.push(Group {
                    code: line.name.clone(),
                    parent,
                    relevant,
                    source: line.clone(),
                });
                continue;
            }
            if let Some(question) = compiler.question(row, line, open.last().copied()) {
                index.entry(line.name.clone()).or_insert(questions.len());
                questions.push(question);
                rows.push(row);
            } else {
                // So that expressions elsewhere do not also complain about a name whose row has its own problem.
                index.entry(line.name.clone()).or_insert(usize::MAX);
            }
        }
        for group in open.iter().filter_map(|at| groups.get(*at)) {
            let at = source
                .rows
                .iter()
                .position(|line| line.name == group.code)
                .unwrap_or_default();
            compiler.report(
                Place::Survey(at),
                "type",
                &group.code,
                Fault::OpenGroup(group.code.clone()),
            );
        }
        let setting = |compiler: &mut Compiler<'_>, column: &str| {
            let expr = compiler.expression(&Place::Settings, column, "", source.setting(column))?;
            compiler.references(
                &Place::Settings,
                column,
                "",
                &expr,
                &Known {
                    questions: &index,
                    columns: None,
                },
            );
            Some(expr)
        };
        let officials = setting(&mut compiler, "officials");
        let rapid = setting(&mut compiler, "rapid");
        let refusal = setting(&mut compiler, "refusal");
        let mut unwatched = Vec::new();
        for pair in source.setting("unwatched").split_whitespace() {
            let (code, value) = pair.split_once('=').unwrap_or((pair, ""));
            match index.get(code) {
                Some(at) => unwatched.push((*at, value.to_owned())),
                None => {
                    compiler.report(
                        Place::Settings,
                        "unwatched",
                        "",
                        Fault::UnknownQuestion(code.to_owned()),
                    );
                }
            }
        }
        for (question, row) in questions.iter().zip(&rows) {
            let columns = match &question.list {
                Some(ListSource::List(list)) => source.lists.get(list).map(|choices| {
                    let own = choices.iter().flat_map(|choice| choice.columns.keys().cloned());
                    own.chain(["name".to_owned()]).collect()
                }),
                Some(ListSource::Table(table)) => tables
                    .get(table)
                    .map(|table| table.columns().iter().cloned().collect()),
                None => None,
            };
            for column in EXPRESSIONS {
                let Some(expr) = question.expression(column) else {
                    continue;
                };
                let columns = if column == "choice_filter" {
                    columns.clone()
                } else {
                    None
                };
                let known = Known {
                    questions: &index,
                    columns,
                };
                compiler.references(&Place::Survey(*row), column, &question.code, expr, &known);
            }
        }
        for group in &groups {
            if let Some(expr) = &group.relevant {
                let at = source
                    .rows
                    .iter()
                    .position(|line| line.name == group.code)
                    .unwrap_or_default();
                let known = Known {
                    questions: &index,
                    columns: None,
                };
                compiler.references(&Place::Survey(at), "relevant", &group.code, expr, &known);
            }
        }
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }

        // What each question's relevance and value depend on.
        let mut needs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); questions.len()];
        let mut volatile = Vec::new();
        for (at, question) in questions.iter().enumerate() {
            let around = ancestors(question.group, &groups).filter_map(|group| group.relevant.as_ref());
            let hidden = officials
                .as_ref()
                .filter(|_| question.officials == Officials::Hide);
            let own = [&question.relevant, &question.calculation, &question.default];
            let own = own.into_iter().filter_map(Option::as_ref);
            let mut by_time = false;
            for expr in own.chain(around).chain(hidden) {
                let codes = expr.questions();
                let found = codes.into_iter().filter_map(|code| index.get(code).copied());
                if let Some(needs) = needs.get_mut(at) {
                    needs.extend(found);
                    if reads_itself(expr.root()) {
                        needs.insert(at);
                    }
                }
                by_time |= expr.is_volatile();
            }
            if by_time {
                volatile.push(at);
            }
        }
        let order = match sort(&needs) {
            Ok(order) => order,
            Err(cycle) => {
                let codes = cycle
                    .iter()
                    .filter_map(|at| questions.get(*at))
                    .map(|q| q.code.clone())
                    .collect();
                let first = cycle.first().copied().unwrap_or_default();
                let row = rows.get(first).copied().unwrap_or_default();
                let question = questions.get(first);
                let code = question.map(|q| q.code.clone()).unwrap_or_default();
                let calculated = question.is_some_and(|q| q.calculation.is_some());
                let column = if calculated { "calculation" } else { "relevant" };
                compiler.report(Place::Survey(row), column, &code, Fault::Cycle(codes));
                return Err(compiler.problems);
            }
        };
        let mut rank = vec![0; questions.len()];
        for (place, at) in order.iter().enumerate() {
            if let Some(rank) = rank.get_mut(*at) {
                *rank = place;
            }
        }
        let mut dependents = vec![Vec::new(); questions.len()];
        for (at, needs) in needs.iter().enumerate() {
            for need in needs {
                if let Some(dependents) = dependents.get_mut(*need) {
                    dependents.push(at);
                }
            }
        }
        let mut languages: BTreeSet<String> = source.title.keys().cloned().collect();
        languages.extend(
            questions
                .iter()
                .flat_map(|q| q.source.words.get("label"))
                .flat_map(Labels::keys)
                .cloned(),
        );
        Ok(Self {
            id: id.clone(),
            version: source.setting("version").to_owned(),
            hash,
            source: source.clone(),
            languages: languages.into_iter().collect(),
            questions,
            groups,
            index,
            lists,
            order,
            rank,
            dependents,
            volatile,
            officials,
            rapid,
            refusal,
            unwatched,
            skippable: source.setting("skip") == "yes",
        })
    }

    /// Returns the id, `arrival_tally`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the SHA-256 of the form as its pack holds it; an entry names it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Returns the title in a language, or in the default language, or the id.
    #[must_use]
    pub fn title(&self, lang: &str) -> &str {
        let title = &self.source.title;
        title
            .get(lang)
            .or_else(|| title.get(self.default_language()))
            .map_or(&self.id, String::as_str)
    }

    /// Returns the languages that the form has words in, sorted.
    #[must_use]
    pub fn languages(&self) -> &[String] {
        &self.languages
    }

    /// Returns the language that stands in where words are missing.
    #[must_use]
    pub fn default_language(&self) -> &str {
        match self.source.setting("default_language") {
            "" => "en",
            other => other,
        }
    }

    /// Returns what the form was compiled from.
    #[must_use]
    pub fn source(&self) -> &FormSource {
        &self.source
    }

    /// Returns the questions in order.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Returns the groups in order of their begin.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns a question by code.
    #[must_use]
    pub fn question(&self, code: &str) -> Option<&Question> {
        self.questions.get(*self.index.get(code)?)
    }

    /// Returns a question's place in [`Form::questions`].
    pub(crate) fn position(&self, code: &str) -> Option<usize> {
        self.index.get(code).copied()
    }

    /// Returns a choice list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&[Choice]> {
        self.lists.get(name).map(Vec::as_slice)
    }

    /// Returns the groups around a question, innermost first.
    pub(crate) fn around(&self, question: &Question) -> impl Iterator<Item = &Group> {
        ancestors(question.group, &self.groups)
    }

    /// Gives answers that were read raw the types of their questions. Answers to questions that the form does not have
    /// stay as they are.
    #[must_use]
    pub fn typed(&self, answers: &Answers) -> Answers {
        let typed = |(code, answer): (&String, &Answer)| {
            let kind = self.question(code).map(|question| question.kind);
            let answer = match (kind, answer) {
                (Some(Kind::SelectOne | Kind::Acknowledge), Answer::Text(text)) => Answer::Code(text.clone()),
                (Some(Kind::Decimal), Answer::Text(text)) => Answer::Decimal(text.clone()),
                (Some(Kind::Date), Answer::Text(text)) => Answer::Date(text.clone()),
                (Some(Kind::Time), Answer::Text(text)) => Answer::Time(text.clone()),
                (Some(Kind::DateTime), Answer::Text(text)) => Answer::DateTime(text.clone()),
                _ => answer.clone(),
            };
            (code.clone(), answer)
        };
        answers.iter().map(typed).collect()
    }
}

impl Question {
    fn expression(&self, column: &str) -> Option<&Expr> {
        match column {
            "relevant" => self.relevant.as_ref(),
            "constraint" => self.constraint.as_ref(),
            "calculation" => self.calculation.as_ref(),
            "required" => self.required.as_ref(),
            "read_only" => self.read_only.as_ref(),
            "choice_filter" => self.choice_filter.as_ref(),
            "default" => self.default.as_ref(),
            _ => None,
        }
    }
}

fn ancestors(group: Option<usize>, groups: &[Group]) -> impl Iterator<Item = &Group> {
    let mut next = group;
    core::iter::from_fn(move || {
        let group = groups.get(next?)?;
        next = group.parent;
        Some(group)
    })
}

/// Orders questions so that each comes after those it needs; form order decides between equals.
///
/// The error is a circle, each needing the next and the last being the first again.
fn sort(needs: &[BTreeSet<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waiting: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut dependents = vec![Vec::new(); needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(list) = dependents.get_mut(*need) {
                list.push(at);
            }
        }
    }
    let mut ready: BTreeSet<usize> = waiting
        .iter()
        .enumerate()
        .filter(|(_, count)| **count == 0)
        .map(|(at, _)| at)
        .collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for dependent in dependents.get(at).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*dependent);
                }
            }
        }
    }
    if order.len() == needs.len() {
        return Ok(order);
    }
    // Every question left waits for another one left: following those ends in a circle.
    let done: BTreeSet<usize> = order.into_iter().collect();
    let start = (0..needs.len()).find(|at| !done.contains(at)).unwrap_or_default();
    let mut path = vec![start];
    loop {
        let last = path.last().copied().unwrap_or_default();
        let next = needs
            .get(last)
            .into_iter()
            .flatten()
            .copied()
            .find(|at| !done.contains(at));
        let next = next.unwrap_or(start);
        if let Some(begin) = path.iter().position(|at| *at == next) {
            let mut circle = path.split_off(begin);
            circle.push(next);
            return Err(circle);
        }
        path.push(next);
    }
}
