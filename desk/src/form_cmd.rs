//! `landfall-desk form …`: for whoever writes a form. Checks it, fills it with answers from a file, packs it. It opens no
//! store and no key, and prints only what it was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use landfall_form::{Answer, Answers, Kind, Now, Pack, Question, Session, Violation};
use landfall_xlsform::{Message, Strictness};
use serde_json::{Map, Value, json};

/// Check, fill and pack forms (XLSForm: .xlsx, .xls or a folder of .csv)
#[derive(Debug, Args)]
pub struct FormArgs {
    #[command(subcommand)]
    command: FormCommand,
}

#[derive(Debug, Subcommand)]
enum FormCommand {
    /// Print every problem of a form as `sheet:row:column: message`
    #[command(after_help = "Example: landfall-desk form check forms/arrival_tally")]
    Check {
        /// The form
        path: PathBuf,
        /// As for a standard instrument: a question without a class is an error
        #[arg(long)]
        standard: bool,
        /// Answer with one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Answer a form from a file and print its values, what is relevant, violations and missing answers
    #[command(
        after_help = "Example: landfall-desk form fill forms/arrival_tally --answers answers.json\n\
        answers.json: {\"A07\": \"yes\", \"A12\": [\"escort\", \"police_arr\"], \"T_f_5_11\": 2, \"A13\": null (skipped)}"
    )]
    Fill {
        /// The form
        path: PathBuf,
        /// A JSON object of answers by question code; hidden values stand among them
        #[arg(long, value_name = "F.json")]
        answers: PathBuf,
        /// The language of labels in messages
        #[arg(long, default_value = "en")]
        lang: String,
        /// The moment of `now()` and `today()`, RFC 3339; otherwise this computer's clock
        #[arg(long, value_name = "TIME")]
        now: Option<String>,
        /// Accepted as everywhere; the answer is always one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Compile forms, or a tree of forms with lists, indicators and external tables, into one pack
    #[command(after_help = "Example: landfall-desk form pack our-form.xlsx --out our.pack")]
    Pack {
        /// The forms
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Where the pack goes
        #[arg(long, default_value = "forms.pack", value_name = "FILE")]
        out: PathBuf,
        /// The pack's name; otherwise the file's
        #[arg(long)]
        name: Option<String>,
        /// Answer with one JSON document
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command. Answers its exit code: 0 done, 1 the form or the answers were refused.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(args: FormArgs) -> anyhow::Result<u8> {
    match args.command {
        FormCommand::Check { path, standard, json } => {
            let strictness = if standard {
                Strictness::Standard
            } else {
                Strictness::Own
            };
            check(&path, strictness, json)
        }
        FormCommand::Fill {
            path,
            answers,
            lang,
            now,
            json: _,
        } => fill(&path, &answers, &lang, now.as_deref()),
        FormCommand::Pack {
            paths,
            out,
            name,
            json,
        } => pack(&paths, &out, name, json),
    }
}

fn say(messages: &[Message]) {
    for message in messages {
        eprintln!("{message}");
    }
}

fn messages_json(messages: &[Message]) -> Value {
    let one = |message: &Message| {
        json!({
            "severity": if message.is_error() { "error" } else { "warning" },
            "sheet": message.sheet, "row": message.row, "column": message.column, "message": message.text,
        })
    };
    Value::Array(messages.iter().map(one).collect())
}

/// A tree holds forms in folders; a form holds its own survey.
fn is_tree(path: &Path) -> bool {
    path.is_dir() && !path.join("survey.csv").exists() && path.join("lists.csv").exists()
}

fn check(path: &Path, strictness: Strictness, as_json: bool) -> anyhow::Result<u8> {
    let (messages, good) = if is_tree(path) {
        match landfall_xlsform::pack_tree(path, "check", strictness) {
            Ok((_, messages)) => (messages, true),
            Err(messages) => (messages, false),
        }
    } else {
        match landfall_xlsform::check(path, strictness) {
            Ok((compiled, _)) => (compiled.messages, true),
            Err(messages) => (messages, false),
        }
    };
    if as_json {
        println!(
            "{:#}",
            json!({ "ok": good, "messages": messages_json(&messages) })
        );
    } else {
        for message in &messages {
            println!("{message}");
        }
        if good {
            eprintln!("{}: compiles, {} warnings", path.display(), messages.len());
        }
    }
    Ok(u8::from(!good))
}

fn pack(paths: &[PathBuf], out: &Path, name: Option<String>, as_json: bool) -> anyhow::Result<u8> {
    let stem = out.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = name.or(stem).unwrap_or_else(|| "forms".to_owned());
    let packed = match paths {
        [tree] if is_tree(tree) => landfall_xlsform::pack_tree(tree, &name, Strictness::Own),
        _ => landfall_xlsform::pack_path(paths, &name, Strictness::Own),
    };
    let (bytes, messages) = match packed {
        Ok(packed) => packed,
        Err(messages) => {
            say(&messages);
            return Ok(1);
        }
    };
    say(&messages);
    std::fs::write(out, &bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    let pack = Pack::decode(&bytes)?;
    let digest: String = pack.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    let forms: Vec<&str> = pack.forms().iter().map(|form| form.id()).collect();
    if as_json {
        println!(
            "{:#}",
            json!({ "file": out.display().to_string(), "bytes": bytes.len(), "digest": digest, "forms": forms })
        );
    } else {
        println!(
            "{}: {} bytes, forms {}, digest {digest}",
            out.display(),
            bytes.len(),
            forms.join(" ")
        );
    }
    Ok(0)
}

fn moment(text: Option<&str>) -> anyhow::Result<Now> {
    match text {
        Some(text) => {
            let moment = chrono::DateTime::parse_from_rfc3339(text).context("--now is not RFC 3339")?;
            let minutes = i16::try_from(moment.offset().local_minus_utc() / 60)?;
            Ok(Now::new(moment.timestamp(), minutes))
        }
        None => {
            use landfall_wire::clock::Clock as _;
            let reading = landfall_wire::clock::SystemClock::default().read();
            Ok(Now::new(reading.wall_s, reading.tz_min))
        }
    }
}

fn fill(path: &Path, answers: &Path, lang: &str, now: Option<&str>) -> anyhow::Result<u8> {
    let text =
        std::fs::read_to_string(answers).with_context(|| format!("{} cannot be read", answers.display()))?;
    match filled(path, &text, lang, moment(now)?)? {
        Ok((messages, document)) => {
            say(&messages);
            println!("{document:#}");
            Ok(0)
        }
        Err(messages) => {
            say(&messages);
            Ok(1)
        }
    }
}

/// What `form fill` answers, with the form's warnings; or why the form does not compile.
type Filled = Result<(Vec<Message>, Value), Vec<Message>>;

fn filled(path: &Path, answers: &str, lang: &str, now: Now) -> anyhow::Result<Filled> {
    let (compiled, tables) = match landfall_xlsform::check(path, Strictness::Own) {
        Ok(found) => found,
        Err(messages) => return Ok(Err(messages)),
    };
    let given: Map<String, Value> =
        serde_json::from_str(answers).context("the answers are not a JSON object")?;
    let form = Arc::new(compiled.form);
    let mut refused: Vec<Value> = Vec::new();
    let violation = |question: &str, rule: &str| {
        let label = form
            .question(question)
            .and_then(|q| q.words("constraint_message", lang));
        json!({ "question": question, "rule": rule, "message": label })
    };
    let mut hidden = Answers::new();
    let mut waiting: Vec<(String, Answer)> = Vec::new();
    for (code, value) in &given {
        let Some(question) = form.question(code) else {
            refused.push(violation(code, "unknown_question"));
            continue;
        };
        match answer(question, value) {
            Some(answer) if question.kind == Kind::Hidden => drop(hidden.insert(code.clone(), answer)),
            Some(answer) => waiting.push((code.clone(), answer)),
            None => refused.push(violation(code, "wrong_type")),
        }
    }
    let place = |code: &str| form.questions().iter().position(|question| question.code == code);
    waiting.sort_by_key(|(code, _)| place(code));
    let pack = Pack::of_tables(tables);
    let mut session = Session::begin(Arc::clone(&form), &pack, hidden, Answers::new(), now);
    // An answer may only be given where it is asked, so those that wait for another one are tried again after it.
    loop {
        let before = waiting.len();
        let mut last: Vec<(String, Answer, Violation)> = Vec::new();
        for (code, answer) in waiting.drain(..) {
            if let Err(found) = session.set(&code, answer.clone(), now) {
                last.push((code, answer, found));
            }
        }
        if last.is_empty() || last.len() == before {
            refused.extend(
                last.iter()
                    .map(|(_, _, found)| violation(&found.question, found.rule.as_str())),
            );
            break;
        }
        waiting = last.into_iter().map(|(code, answer, _)| (code, answer)).collect();
    }
    let (mut values, mut relevant) = (Map::new(), Map::new());
    for question in form.questions() {
        if let Some(value) = session.value(&question.code) {
            values.insert(question.code.clone(), to_json(&value));
        }
        relevant.insert(
            question.code.clone(),
            Value::Bool(session.is_relevant(&question.code)),
        );
    }
    for found in session.violations(now) {
        if found.rule.as_str() != "required" {
            refused.push(violation(&found.question, found.rule.as_str()));
        }
    }
    let document = json!({
        "values": values, "relevant": relevant, "violations": refused, "missing": session.missing(),
    });
    Ok(Ok((compiled.messages, document)))
}

/// Reads an answer as a question of this kind takes it; `None` when it cannot be one.
fn answer(question: &Question, value: &Value) -> Option<Answer> {
    Some(match (question.kind, value) {
        (_, Value::Null) => Answer::Skipped,
        (Kind::Integer, Value::Number(number)) => Answer::Integer(number.as_i64()?),
        (Kind::Integer, Value::String(text)) => Answer::Integer(text.parse().ok()?),
        (Kind::Decimal, Value::Number(number)) => Answer::Decimal(number.to_string()),
        (Kind::Decimal, Value::String(text)) => Answer::Decimal(text.clone()),
        (Kind::SelectMultiple, Value::Array(codes)) => Answer::Codes(
            codes
                .iter()
                .map(|code| code.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
        ),
        (Kind::SelectMultiple, Value::String(codes)) => Answer::codes(codes.split_whitespace()),
        (Kind::SelectOne | Kind::Acknowledge, Value::String(code)) => Answer::code(code),
        (Kind::Acknowledge, Value::Bool(true)) => Answer::code("OK"),
        (Kind::Date, Value::String(text)) => Answer::Date(text.clone()),
        (Kind::Time, Value::String(text)) => Answer::Time(text.clone()),
        (Kind::DateTime, Value::String(text)) => Answer::DateTime(text.clone()),
        (_, Value::String(text)) => Answer::Text(text.clone()),
        (Kind::Hidden, Value::Number(number)) => Answer::Integer(number.as_i64()?),
        _ => return None,
    })
}

fn to_json(answer: &Answer) -> Value {
    match answer {
        Answer::Integer(number) => json!(number),
        Answer::Codes(codes) => json!(codes),
        Answer::Repeat(rounds) => {
            let round = |answers: &Answers| {
                Value::Object(
                    answers
                        .iter()
                        .map(|(code, answer)| (code.clone(), to_json(answer)))
                        .collect(),
                )
            };
            Value::Array(rounds.iter().map(round).collect())
        }
        other => other.as_str().map_or(Value::Null, |text| json!(text)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]

    use super::*;

    /// 9 March 2026, 12:00 in Port-au-Prince.
    const NOON: &str = "2026-03-09T12:00:00-04:00";

    fn tree() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn document(answers: &str) -> Value {
        let now = moment(Some(NOON)).unwrap();
        filled(&tree().join("forms/arrival_tally"), answers, "en", now)
            .unwrap()
            .unwrap()
            .1
    }

    #[test]
    fn fill_answers_in_any_order_and_computes() {
        let answers = r#"{"T_m_18_59": 5, "T_f_5_11": 2, "A21": "yes", "A07": "yes", "A02": "DOM-HTI",
            "A01": "malpasse", "A12": ["police_arr", "escort"]}"#;
        let document = document(answers);
        assert_eq!(document["values"]["A30"], 7);
        assert_eq!(document["values"]["A34"], 2);
        assert_eq!(document["values"]["A12"], json!(["escort", "police_arr"]));
        assert_eq!(document["relevant"]["A40"], true);
        assert_eq!(document["relevant"]["N_f_adult"], false);
        assert_eq!(document["violations"], json!([]));
        assert!(document["missing"].as_array().unwrap().contains(&json!("A77")));
    }

    #[test]
    fn fill_names_every_answer_that_is_refused() {
        let answers =
            r#"{"ZZ": 1, "A01": {}, "A03": "2026-03-09T13:00:00-04:00", "A07": "no", "A05": "bus"}"#;
        let found = document(answers);
        let found: Vec<(&str, &str)> = found["violations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["question"].as_str().unwrap(), one["rule"].as_str().unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                ("A01", "wrong_type"),
                ("ZZ", "unknown_question"),
                ("A03", "constraint"),
                ("A05", "not_relevant")
            ]
        );
    }

    #[test]
    fn a_form_that_does_not_compile_is_refused() {
        let form = tree().join("tests/vectors/form_folder/cycle");
        assert_eq!(check(&form, Strictness::Own, true).unwrap(), 1);
        let messages = filled(&form, "{}", "en", moment(Some(NOON)).unwrap())
            .unwrap()
            .unwrap_err();
        assert_eq!(
            messages[0].to_string(),
            "survey:3:calculation: depends on itself: b → c → d → b"
        );
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("x.pack");
        assert_eq!(pack(&[form], &file, None, true).unwrap(), 1);
        assert!(!file.exists());
    }

    #[test]
    fn the_tree_packs_to_the_standard_pack() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("standard.pack");
        assert_eq!(pack(&[tree().join("forms")], &file, None, true).unwrap(), 0);
        assert!(std::fs::read(file).unwrap() == std::fs::read(tree().join("forms/standard.pack")).unwrap());
    }
}
