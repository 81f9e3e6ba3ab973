//! Indicators as data: terms that are evaluated on each record and added up (`forms/indicators.csv`, domain 5.1). What
//! happens to the sums, and which of them may be shown, is the statistics' business.

use crate::check::{Fault, Place, Problem};
use crate::expr::{AnswerScope, EvalError, Expr, Node};
use crate::form::Form;
use crate::source::{IndicatorSource, Labels};
use crate::value::{Value, whole};
use crate::{Answers, Now};

/// The kind of record that a term is evaluated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// An arrival event: form `arrival_tally`.
    Event,
    /// An interview: form `arrival_observation`.
    Interview,
    /// A check-in: form `checkin_monitor`.
    CheckIn,
}

impl Record {
    /// Returns the id of the form whose answers it holds.
    #[must_use]
    pub fn form(self) -> &'static str {
        match self {
            Self::Event => "arrival_tally",
            Self::Interview => "arrival_observation",
            Self::CheckIn => "checkin_monitor",
        }
    }
}

/// One term of a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What it is evaluated on.
    pub record: Record,
    /// The expression.
    pub expr: Expr,
}

impl Term {
    /// Evaluates the term on one record: true counts 1, false 0, a number itself, no answer `None`.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn value(&self, answers: &Answers, now: &Now) -> Result<Option<i64>, EvalError> {
        Ok(match self.expr.eval(&AnswerScope::new(answers, *now))? {
            Value::Bool(value) => Some(i64::from(value)),
            value => whole(value.to_number()),
        })
    }
}

/// One indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    /// The code, `I01`.
    pub id: String,
    /// What is added up.
    pub numerator: Vec<Term>,
    /// What it is divided by; empty for a count.
    pub denominator: Vec<Term>,
    /// What a share is expressed per: 100, or 1000.
    pub per: u32,
    /// The smallest count that may be shown (domain 5.2).
    pub k: u32,
    source: IndicatorSource,
}

impl Indicator {
    /// Returns the label in a language, or in English, or the id.
    #[must_use]
    pub fn label(&self, lang: &str) -> &str {
        let labels: &Labels = &self.source.label;
        labels
            .get(lang)
            .or_else(|| labels.get("en"))
            .map_or(&self.id, String::as_str)
    }

    /// Returns where the indicator comes from.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.source.columns.get("source").map_or("", String::as_str)
    }

    pub(crate) fn compile<'a>(
        row: usize,
        source: &IndicatorSource,
        form: impl Fn(&str) -> Option<&'a Form>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let before = problems.len();
        let mut report = |column: &str, fault: Fault| {
            problems.push(Problem {
                form: "indicators".to_owned(),
                place: Place::Indicators(row),
                column: column.to_owned(),
                question: source.id.clone(),
                fault,
            });
        };
        let cell = |column: &str| source.columns.get(column).map_or("", String::as_str);
        let mut terms = |column: &str| -> Vec<Term> {
            let mut terms = Vec::new();
            for text in cell(column)
                .split(';')
                .map(str::trim)
                .filter(|text| !text.is_empty())
            {
                let (record, expr) = text.split_once(':').unwrap_or(("", text));
                let record = match record.trim() {
                    "event" => Record::Event,
                    "interview" => Record::Interview,
                    "checkin" => Record::CheckIn,
                    other => {
                        report(
                            column,
                            Fault::BadValue {
                                value: other.to_owned(),
                                allowed: "event, interview, checkin",
                            },
                        );
                        continue;
                    }
                };
                let expr = match Expr::parse(expr.trim()) {
                    Ok(expr) => expr,
                    Err(fault) => {
                        report(column, Fault::Parse(fault));
                        continue;
                    }
                };
                let Some(known) = form(record.form()) else {
                    report(column, Fault::UnknownQuestion(record.form().to_owned()));
                    continue;
                };
                for code in expr.questions() {
                    if known.question(code).is_none() {
                        report(column, Fault::UnknownQuestion(code.to_owned()));
                    }
                }
                expr.root().walk(&mut |node| {
                    if let Node::Column(name) = node {
                        report(column, Fault::UnknownColumn(name.clone()));
                    }
                });
                terms.push(Term { record, expr });
            }
            terms
        };
        let (numerator, denominator) = (terms("numerator"), terms("denominator"));
        if cell("numerator").is_empty() {
            report("numerator", Fault::MissingValue);
        }
        let mut number = |column: &str, otherwise: u32| match cell(column) {
            "" => otherwise,
            text => text.parse().unwrap_or_else(|_| {
                report(
                    column,
                    Fault::BadValue {
                        value: text.to_owned(),
                        allowed: "a whole number",
                    },
                );
                otherwise
            }),
        };
        let (per, k) = (number("per", 100), number("k", 5));
        if k < 5 {
            report(
                "k",
                Fault::BadValue {
                    value: k.to_string(),
                    allowed: "5 or more",
                },
            );
        }
        (problems.len() == before).then(|| Self {
            id: source.id.clone(),
            numerator,
            denominator,
            per,
            k,
            source: source.clone(),
        })
    }
}
