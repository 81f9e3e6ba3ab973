//! The functions of the expression language, named and typed as the ODK XForms specification has them. Pure: the only
//! things they learn from outside are the scope's answers, tables and moment.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Timelike};
use regex::{Regex, RegexBuilder};

use crate::expr::{EvalError, Evaluator, Node};
use crate::limits;
use crate::value::{Value, as_f64, parse_date, parse_date_time, whole};

/// A function that expressions may call.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The fewest arguments.
    pub min: usize,
    /// The most arguments; `usize::MAX` for any number.
    pub max: usize,
    /// Whether its value changes with time alone.
    pub volatile: bool,
    id: Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Abs,
    Boolean,
    BooleanFromString,
    Ceiling,
    Coalesce,
    Concat,
    Contains,
    Count,
    CountNonEmpty,
    CountSelected,
    Date,
    DateTime,
    DecimalDateTime,
    EndsWith,
    False,
    Floor,
    FormatDate,
    If,
    Int,
    Join,
    Max,
    Min,
    NormalizeSpace,
    Not,
    Now,
    Number,
    Once,
    Position,
    Pow,
    Regex,
    Round,
    Selected,
    SelectedAt,
    StartsWith,
    String,
    StringLength,
    SubstringAfter,
    SubstringBefore,
    Substr,
    Sum,
    Today,
    Translate,
    True,
}

const fn function(name: &'static str, min: usize, max: usize, id: Id) -> Function {
    Function {
        name,
        min,
        max,
        volatile: matches!(id, Id::Now | Id::Today),
        id,
    }
}

const ANY: usize = usize::MAX;

/// Every function, sorted by name.
pub static FUNCTIONS: &[Function] = &[
    function("abs", 1, 1, Id::Abs),
    function("boolean", 1, 1, Id::Boolean),
    function("boolean-from-string", 1, 1, Id::BooleanFromString),
    function("ceiling", 1, 1, Id::Ceiling),
    function("coalesce", 2, 2, Id::Coalesce),
    function("concat", 1, ANY, Id::Concat),
    function("contains", 2, 2, Id::Contains),
    function("count", 1, 1, Id::Count),
    function("count-non-empty", 1, 1, Id::CountNonEmpty),
    function("count-selected", 1, 1, Id::CountSelected),
    function("date", 1, 1, Id::Date),
    function("date-time", 1, 1, Id::DateTime),
    function("decimal-date-time", 1, 1, Id::DecimalDateTime),
    function("ends-with", 2, 2, Id::EndsWith),
    function("false", 0, 0, Id::False),
    function("floor", 1, 1, Id::Floor),
    function("format-date", 2, 2, Id::FormatDate),
    function("format-date-time", 2, 2, Id::FormatDate),
    function("if", 3, 3, Id::If),
    function("int", 1, 1, Id::Int),
    function("join", 2, ANY, Id::Join),
    function("max", 1, ANY, Id::Max),
    function("min", 1, ANY, Id::Min),
    function("normalize-space", 1, 1, Id::NormalizeSpace),
    function("not", 1, 1, Id::Not),
    function("now", 0, 0, Id::Now),
    function("number", 1, 1, Id::Number),
    function("once", 1, 1, Id::Once),
    function("position", 1, 1, Id::Position),
    function("pow", 2, 2, Id::Pow),
    function("regex", 2, 2, Id::Regex),
    function("round", 1, 2, Id::Round),
    function("selected", 2, 2, Id::Selected),
    function("selected-at", 2, 2, Id::SelectedAt),
    function("starts-with", 2, 2, Id::StartsWith),
    function("string", 1, 1, Id::String),
    function("string-length", 1, 1, Id::StringLength),
    function("substr", 2, 3, Id::Substr),
    function("substring-after", 2, 2, Id::SubstringAfter),
    function("substring-before", 2, 2, Id::SubstringBefore),
    function("sum", 1, 1, Id::Sum),
    function("today", 0, 0, Id::Today),
    function("translate", 3, 3, Id::Translate),
    function("true", 0, 0, Id::True),
];

/// Finds a function by name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS
        .binary_search_by(|function| function.name.cmp(name))
        .ok()
        .and_then(|at| FUNCTIONS.get(at))
}

impl Function {
    /// Says whether its second argument is a pattern, which is compiled when the expression is.
    pub(crate) fn takes_pattern(&self) -> bool {
        self.id == Id::Regex
    }

    /// Says whether it may read the question that the expression belongs to without being a cycle.
    pub(crate) fn reads_here(&self) -> bool {
        self.id == Id::Once
    }
}

/// Compiles a pattern that must match the whole text, as in JavaRosa, within a size limit.
pub(crate) fn compile_pattern(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(limits::REGEX_BYTES)
        .dfa_size_limit(limits::REGEX_BYTES)
        .nest_limit(64)
        .build()
        .ok()
}

/// Calls a function; its arguments are evaluated only as far as it needs them.
pub(crate) fn call(
    run: &mut Evaluator<'_>,
    function: &Function,
    args: &[Node],
    pattern: Option<&Regex>,
) -> Result<Value, EvalError> {
    let mut arg = |at: usize| {
        args.get(at)
            .map_or_else(|| Ok(Value::empty()), |node| run.eval(node))
    };
    let yes = Value::Bool;
    let number = Value::Number;
    Ok(match function.id {
        Id::True => yes(true),
        Id::False => yes(false),
        Id::Not => yes(!arg(0)?.to_bool()),
        Id::Boolean => yes(arg(0)?.to_bool()),
        Id::BooleanFromString => {
            let value = arg(0)?;
            yes(value.equals(&number(1.0)) || value.to_text().eq_ignore_ascii_case("true"))
        }
        Id::If => {
            let branch = if arg(0)?.to_bool() { 1 } else { 2 };
            arg(branch)?
        }
        Id::Coalesce => {
            let first = arg(0)?;
            if first.is_empty() { arg(1)? } else { first }
        }
        Id::Once => {
            let here = run.scope.here();
            if here.is_empty() {
                args.first()
                    .map_or_else(|| Ok(Value::empty()), |node| run.eval(node))?
            } else {
                here
            }
        }
        Id::Number => number(arg(0)?.to_number()),
        Id::String => Value::Text(arg(0)?.to_text()),
        Id::Abs => number(arg(0)?.to_number().abs()),
        Id::Ceiling => number(arg(0)?.to_number().ceil()),
        Id::Floor => number(arg(0)?.to_number().floor()),
        Id::Int => number(arg(0)?.to_number().trunc()),
        Id::Pow => number(arg(0)?.to_number().powf(arg(1)?.to_number())),
        Id::Round => {
            let value = arg(0)?.to_number();
            let digits = if args.len() > 1 { arg(1)?.to_number() } else { 0.0 };
            number(round(value, digits))
        }
        Id::Sum => number(numbers(&arg(0)?).sum()),
        Id::Min | Id::Max => {
            let mut all = Vec::new();
            for at in 0..args.len() {
                all.extend(numbers(&arg(at)?));
            }
            let pick = if function.id == Id::Min {
                f64::min
            } else {
                f64::max
            };
            let known = !all.is_empty() && !all.iter().any(|value| value.is_nan());
            number(if known {
                all.into_iter().reduce(pick).unwrap_or(f64::NAN)
            } else {
                f64::NAN
            })
        }
        Id::Count => number(match arg(0)? {
            Value::Nodes(nodes) => length(nodes.len()),
            value => length(usize::from(!value.is_empty())),
        }),
        Id::CountNonEmpty => number(match arg(0)? {
            Value::Nodes(nodes) => length(nodes.iter().filter(|text| !text.is_empty()).count()),
            value => length(usize::from(!value.is_empty())),
        }),
        Id::Position => number(length(run.scope.position())),
        Id::Selected => {
            let (codes, code) = (arg(0)?.to_text(), arg(1)?.to_text());
            let code = code.trim();
            yes(codes.split_whitespace().any(|one| one == code))
        }
        Id::SelectedAt => {
            let (codes, at) = (arg(0)?.to_text(), arg(1)?.to_number());
            let at = whole(at).and_then(|at| usize::try_from(at).ok());
            Value::Text(
                at.and_then(|at| codes.split_whitespace().nth(at))
                    .unwrap_or_default()
                    .to_owned(),
            )
        }
        Id::CountSelected => number(length(arg(0)?.to_text().split_whitespace().count())),
        Id::Concat => {
            let mut text = String::new();
            for at in 0..args.len() {
                match arg(at)? {
                    Value::Nodes(nodes) => text.extend(nodes),
                    value => text.push_str(&value.to_text()),
                }
            }
            Value::Text(text)
        }
        Id::Join => {
            let between = arg(0)?.to_text();
            let mut parts = Vec::new();
            for at in 1..args.len() {
                match arg(at)? {
                    Value::Nodes(nodes) => parts.extend(nodes),
                    value => parts.push(value.to_text()),
                }
            }
            Value::Text(parts.join(&between))
        }
        Id::Contains => yes(arg(0)?.to_text().contains(&arg(1)?.to_text())),
        Id::StartsWith => yes(arg(0)?.to_text().starts_with(&arg(1)?.to_text())),
        Id::EndsWith => yes(arg(0)?.to_text().ends_with(&arg(1)?.to_text())),
        Id::StringLength => number(length(arg(0)?.to_text().chars().count())),
        Id::NormalizeSpace => {
            let text = arg(0)?.to_text();
            Value::Text(text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        Id::SubstringBefore => {
            let (text, mark) = (arg(0)?.to_text(), arg(1)?.to_text());
            Value::Text(text.split_once(&mark).map_or("", |(before, _)| before).to_owned())
        }
        Id::SubstringAfter => {
            let (text, mark) = (arg(0)?.to_text(), arg(1)?.to_text());
            Value::Text(text.split_once(&mark).map_or("", |(_, after)| after).to_owned())
        }
        Id::Substr => {
            let text: Vec<char> = arg(0)?.to_text().chars().collect();
            let start = position(arg(1)?.to_number(), text.len());
            let end = if args.len() > 2 {
                position(arg(2)?.to_number(), text.len())
            } else {
                text.len()
            };
            Value::Text(
                text.get(start..end.max(start))
                    .unwrap_or_default()
                    .iter()
                    .collect(),
            )
        }
        Id::Translate => {
            let (text, from, to) = (arg(0)?.to_text(), arg(1)?.to_text(), arg(2)?.to_text());
            let to: Vec<char> = to.chars().collect();
            let swap = |c: char| match from.chars().position(|one| one == c) {
                Some(at) => to.get(at).copied(),
                None => Some(c),
            };
            Value::Text(text.chars().filter_map(swap).collect())
        }
        Id::Regex => {
            let text = arg(0)?.to_text();
            match pattern {
                Some(pattern) => yes(pattern.is_match(&text)),
                None => {
                    let source = arg(1)?.to_text();
                    yes(compile_pattern(&source)
                        .ok_or(EvalError::Pattern)?
                        .is_match(&text))
                }
            }
        }
        Id::Now => Value::DateTime(run.scope.now().date_time()),
        Id::Today => Value::Date(run.scope.now().date_time().date_naive()),
        Id::Date => to_date(&arg(0)?).map_or_else(Value::empty, Value::Date),
        Id::DateTime => {
            let value = arg(0)?;
            let moment = to_moment(&value);
            moment.map_or_else(Value::empty, Value::DateTime)
        }
        Id::DecimalDateTime => {
            let value = arg(0)?;
            number(match value {
                Value::Text(_) => {
                    to_moment(&value).map_or(f64::NAN, |moment| Value::DateTime(moment).to_number())
                }
                other => other.to_number(),
            })
        }
        Id::FormatDate => {
            let (value, form) = (arg(0)?, arg(1)?.to_text());
            match to_moment(&value) {
                Some(moment) => Value::Text(format_moment(&moment.naive_local(), &form)),
                None => Value::empty(),
            }
        }
    })
}

/// The numbers of a value: those of a node-set, or its own.
fn numbers(value: &Value) -> impl Iterator<Item = f64> {
    let list = match value {
        Value::Nodes(nodes) => nodes
            .iter()
            .map(|text| crate::value::parse_number(text))
            .collect(),
        other => vec![other.to_number()],
    };
    list.into_iter()
}

fn length(count: usize) -> f64 {
    as_f64(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A character position: counted from the end when negative, kept inside the text.
fn position(number: f64, length: usize) -> usize {
    let at = whole(number.trunc()).unwrap_or(0);
    let length_signed = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if at < 0 { at + length_signed } else { at };
    usize::try_from(at.clamp(0, length_signed)).unwrap_or(length)
}

/// Rounds half up, as XPath does, to a number of decimal digits.
fn round(value: f64, digits: f64) -> f64 {
    if !value.is_finite() || digits.abs() > 30.0 {
        return value;
    }
    let scale = 10_f64.powf(digits.trunc());
    let rounded = (value * scale + 0.5).floor() / scale;
    // Dividing leaves noise behind the wanted digits; printing with that many and reading again takes it off.
    match whole(digits.trunc()).and_then(|digits| usize::try_from(digits).ok()) {
        Some(digits) => format!("{rounded:.digits$}").parse().unwrap_or(rounded),
        None => rounded,
    }
}

fn to_date(value: &Value) -> Option<NaiveDate> {
    match value {
        Value::Date(day) => Some(*day),
        Value::DateTime(moment) => Some(moment.date_naive()),
        Value::Number(days) => {
            NaiveDate::default().checked_add_signed(chrono::TimeDelta::try_days(whole(days.floor())?)?)
        }
        Value::Text(text) => {
            parse_date(text).or_else(|| parse_date_time(text).map(|moment| moment.date_naive()))
        }
        Value::Bool(_) => None,
        Value::Nodes(_) => to_date(&Value::Text(value.to_text())),
    }
}

fn to_moment(value: &Value) -> Option<DateTime<FixedOffset>> {
    match value {
        Value::DateTime(moment) => Some(*moment),
        Value::Number(days) => {
            let millis = whole((days * 86_400_000.0).round())?;
            DateTime::from_timestamp_millis(millis).map(|moment| moment.fixed_offset())
        }
        Value::Text(text) => match parse_date_time(text) {
            Some(moment) => Some(moment),
            None => parse_date(text)?
                .and_hms_opt(0, 0, 0)
                .map(|moment| moment.and_utc().fixed_offset()),
        },
        Value::Nodes(_) => to_moment(&Value::Text(value.to_text())),
        Value::Date(_) | Value::Bool(_) => to_date(value)?
            .and_hms_opt(0, 0, 0)
            .map(|moment| moment.and_utc().fixed_offset()),
    }
}

/// Formats with ODK's codes: %Y %y %m %n %b %d %e %H %h %M %S %3 %a.
fn format_moment(moment: &NaiveDateTime, form: &str) -> String {
    let mut out = String::new();
    let mut chars = form.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('Y') => out.push_str(&format!("{:04}", moment.year())),
            Some('y') => out.push_str(&format!("{:02}", moment.year().rem_euclid(100))),
            Some('m') => out.push_str(&format!("{:02}", moment.month())),
            Some('n') => out.push_str(&moment.month().to_string()),
            Some('b') => out.push_str(&moment.format("%b").to_string()),
            Some('d') => out.push_str(&format!("{:02}", moment.day())),
            Some('e') => out.push_str(&moment.day().to_string()),
            Some('H') => out.push_str(&format!("{:02}", moment.hour())),
            Some('h') => out.push_str(&moment.hour().to_string()),
            Some('M') => out.push_str(&format!("{:02}", moment.minute())),
            Some('S') => out.push_str(&format!("{:02}", moment.second())),
            Some('3') => out.push_str(&format!("{:03}", moment.nanosecond() / 1_000_000)),
            Some('a') => out.push_str(&moment.format("%a").to_string()),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
    }
    out
}
