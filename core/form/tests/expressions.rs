//! The expression language against tables of expression, answers and expected value (`tests/vectors/form`), and against
//! random and hostile text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::Path;

use landfall_form::{
    Answer, Answers, EvalError, Expr, FUNCTIONS, Now, ParseFault, Scope, Table, Value, limits,
};
use proptest::prelude::*;

/// 2026-03-09T23:30:00-04:00, a moment whose day differs from the one in UTC.
const NOW: Now = Now {
    wall_s: 1_773_113_400,
    tz_min: -240,
};

struct World {
    answers: Answers,
    points: Table,
}

impl World {
    fn new(answers: Answers) -> Self {
        let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let rows = ["p1 HTI border 10", "p2 HTI airport 20", "p3 DOM airport 30"]
            .map(line)
            .to_vec();
        Self {
            answers,
            points: Table::new(line("name country kind beds"), rows).unwrap(),
        }
    }
}

impl Scope for World {
    fn question(&self, code: &str) -> Value {
        self.answers.get(code).map_or_else(Value::empty, Value::of)
    }
    fn now(&self) -> Now {
        NOW
    }
    fn table(&self, name: &str) -> Option<&Table> {
        (name == "points").then_some(&self.points)
    }
}

fn answers(cell: &str) -> Answers {
    let one = |text: &str| {
        let (name, rest) = text.split_once(':').unwrap();
        let (kind, value) = rest.split_once('=').unwrap();
        let answer = match kind {
            "int" => Answer::Integer(value.parse().unwrap()),
            "decimal" => Answer::Decimal(value.to_owned()),
            "text" => Answer::Text(value.to_owned()),
            "code" => Answer::code(value),
            "codes" => Answer::codes(value.split(' ')),
            "date" => Answer::Date(value.to_owned()),
            "moment" => Answer::DateTime(value.to_owned()),
            "skipped" => Answer::Skipped,
            other => panic!("unknown type {other}"),
        };
        (name.to_owned(), answer)
    };
    cell.split("; ")
        .filter(|text| !text.is_empty())
        .map(one)
        .collect()
}

#[test]
fn every_row_of_the_tables_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/form");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let (mut rows, mut wrong) = (0, Vec::new());
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "csv"))
    {
        let mut reader = csv::Reader::from_path(file).unwrap();
        for record in reader.records() {
            let record = record.unwrap();
            let (source, kind, expected) = (&record[0], &record[2], &record[3]);
            rows += 1;
            let got = match Expr::parse(source) {
                Err(fault) => ("fault", fault.to_string()),
                Ok(expr) => match expr.eval(&World::new(answers(&record[1]))).unwrap() {
                    value @ Value::Bool(_) => ("bool", value.to_text()),
                    value @ Value::Number(_) => ("number", value.to_text()),
                    value => ("text", value.to_text()),
                },
            };
            // A fault's row names the beginning of what matters; values are compared whole.
            let same = if kind == "fault" {
                got.1.contains(expected)
            } else {
                got.1 == expected
            };
            if got.0 != kind || !same {
                wrong.push(format!(
                    "{}: {source} gives {} {}, not {kind} {expected}",
                    file.display(),
                    got.0,
                    got.1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 180, "only {rows} rows were read");
}

#[test]
fn every_function_has_a_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/form");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let all: String = files.collect();
    for function in FUNCTIONS {
        assert!(all.contains(&format!("{}(", function.name)), "{}", function.name);
    }
    assert!(
        FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name),
        "found by binary search"
    );
}

#[test]
fn hostile_sources_end_at_a_limit() {
    let deep = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expr::parse(&deep(limits::EXPRESSION_NESTING - 1)).is_ok());
    assert!(matches!(
        Expr::parse(&deep(limits::EXPRESSION_NESTING)),
        Err(ParseFault::TooDeep { .. })
    ));
    assert!(Expr::parse(&format!("1{}", "+1".repeat(limits::EXPRESSION_DEPTH - 1))).is_ok());
    assert!(matches!(
        Expr::parse(&deep(5_000)),
        Err(ParseFault::TooDeep { .. })
    ));
    assert_eq!(Expr::parse(&deep(10_000)), Err(ParseFault::TooLong));
    assert!(matches!(
        Expr::parse(&"not(".repeat(4_000)),
        Err(ParseFault::TooDeep { .. })
    ));
    assert!(matches!(
        Expr::parse(&format!("1{}", "+1".repeat(5_000))),
        Err(ParseFault::TooDeep { .. })
    ));
    assert!(matches!(
        Expr::parse(&format!("{}1", "-".repeat(5_000))),
        Err(ParseFault::TooDeep { .. })
    ));
    assert!(matches!(
        Expr::parse(&"instance('p')/root/item[".repeat(600)),
        Err(ParseFault::TooDeep { .. })
    ));
    assert_eq!(
        Expr::parse(&"1".repeat(limits::EXPRESSION + 1)),
        Err(ParseFault::TooLong)
    );
}

#[test]
fn an_evaluation_ends_at_its_step_limit() {
    let rows = (0..2_000).map(|n| vec![format!("r{n}")]).collect();
    struct Big(Table);
    impl Scope for Big {
        fn question(&self, _: &str) -> Value {
            Value::empty()
        }
        fn now(&self) -> Now {
            NOW
        }
        fn table(&self, _: &str) -> Option<&Table> {
            Some(&self.0)
        }
    }
    let big = Big(Table::new(vec!["name".to_owned()], rows).unwrap());
    let once = "count(instance('t')/root/item[name != ''])";
    assert_eq!(Expr::parse(once).unwrap().eval(&big).unwrap().to_text(), "2000");
    let nested = "count(instance('t')/root/item[count(instance('t')/root/item[name != '']) > 0])";
    assert_eq!(Expr::parse(nested).unwrap().eval(&big), Err(EvalError::Steps));
}

#[test]
fn a_pattern_made_at_run_time_that_is_none_is_an_error() {
    let expr = Expr::parse("regex('a', ${A})").unwrap();
    let world = World::new(Answers::new().with("A", Answer::Text("(".to_owned())));
    assert_eq!(expr.eval(&world), Err(EvalError::Pattern));
}

proptest! {
    #[test]
    fn the_parser_never_panics(source in ".{0,200}") {
        drop(Expr::parse(&source));
    }

    #[test]
    fn what_parses_evaluates_to_the_same_value_twice(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "${A}", "${B}", "1", "'x'", "''", "(", ")", " and ", " or ", " = ", " != ", " < ", "+", "-", " * ",
                " div ", " mod ", "not(", "if(", ",", "selected(", "count-selected(", "now()", "today()", "round(",
                "substr(", "regex(", "date(", "format-date(", "coalesce(", "max(", "instance('points')/root/item",
                "[", "]", "/name", ".", "..", "name", "string-length(", "int(", "pow(",
            ]),
            0..24,
        )
    ) {
        if let Ok(expr) = Expr::parse(&parts.concat()) {
            let world = World::new(answers("A:int=3; B:codes=a b"));
            let text = |value: Result<Value, EvalError>| value.map(|value| value.to_text());
            prop_assert_eq!(text(expr.eval(&world)), text(expr.eval(&world)));
        }
    }
}
