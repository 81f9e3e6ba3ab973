//! The scripted device: a phone without a screen, driven by one JSON object a line.
//!
//! It owns a [`FieldApp`] and a [`Courier`] over one home directory and remembers what it has acknowledged: what a
//! screen would have called "Saved". It holds no rule of its own; everything goes through the facade that the shells
//! use. Scripts, answers and passcodes reach it by lines only, never as arguments or files.
//!
//! Every line is an object with `cmd`; every answer is one object with `ok`. An error is
//! `{"ok":false,"error":"WrongPasscode",…}` with the variant's fields. Line by line:
//!
//! | cmd | fields | answer |
//! |---|---|---|
//! | `device` | `home`, `guard_seed` (64 hex, the hardware key), `tuning`: `tests` (default) or `measured` | `state` |
//! | `clock` | `set`: {`wall_s`, `tz_min`, `boot`, `elapsed_ms`, `doubtful`} (each optional), `advance_s`, `jump_s`, `restart`: true | `wall_s`, `tz_min` |
//! | `state` | | `state`: `fresh`, `words_pending`, `enrolled`, `damaged` |
//! | `enrol_begin` | `invitation` (text of the file), `passcode`; `home` may stand here too | `reply`, `words`, `organisation`, `device_id` |
//! | `enrol_confirm` | `passcode`, `same` (default true) | `state` |
//! | `unlock` | `passcode` | |
//! | `lock` | | |
//! | `start` | `form`: `tally` or `interview`, `event` (hex, optional) | `draft`, `event`, `missing` |
//! | `answer` | `draft`, `answers` {CODE: value}, `skip` `[CODE]`, `clear` `[CODE]` | `missing`, `violations`, `totals` |
//! | `count` | `draft`, `cell`, `by` (default 1) | `value`, `total`, `children` |
//! | `finish` | `draft` | as `tally` |
//! | `discard` | `draft` | |
//! | `tally` | `answers`, `event` (optional: another count of it) | `outcome`, `event`, `record`, `receipt_code`, `entries`, `envelope` |
//! | `interview` | `event` (optional), `answers` | as `tally`, and `case_code` |
//! | `home` | `lang` | `point`, `today`, `drafts`, `done`, `counts` |
//! | `courier` | `budget_ms` (default 5000), `times` (default 1) | `handed`, `received`, `purged`, `refused`, `waiting`, `next_try_s` |
//! | `export` | `path` | `records` |
//! | `import` | `path` | as `courier` |
//! | `records` | | `records`: [{`digest`, `receipt_code`, `day`, `size`, `entries`, `state`}] |
//! | `counts` | | `saved`, `mailbox`, `received`, `refused`, `purged` |
//! | `acknowledged` | | `entries` and `envelopes`: everything that was called saved, in order; `records`: [{`envelope`, `entries`}] |
//! | `check` | `words` `[TEXT]` | `hits` (0), `files`, `bytes`; also searched: every text answer and passcode so far |
//! | `quit` | | |
//!
//! Values of answers: a text for a choice, text or time; an array of texts for several choices; a number. They are
//! given in whatever order the form asks for; one that the form never asks is an error.

#[cfg(test)]
mod delivery;
pub mod org;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_field::{
    AnswerValue, CancelToken, Comparison, Courier, CourierReport, DeviceState, DraftView, FieldApp,
    FieldError, Outcome, RecordState, SavedView, SoftGuard, Tuning, device_state, enrol_begin,
    enrol_begin_tuned, enrol_confirm,
};
use landfall_wire::clock::{Clock, ClockReading, SystemClock, TestClock};
use serde_json::{Map, Value, json};

/// Why a line was not carried out.
#[derive(Debug)]
enum Refused {
    /// The facade said no.
    Field(FieldError),
    /// The line is not one that this device understands; the word names the field.
    Line(&'static str),
    /// A question of the script was never asked by the form, or its value has no type of ours.
    Question(String),
}

impl From<FieldError> for Refused {
    fn from(error: FieldError) -> Refused {
        Refused::Field(error)
    }
}

type Answered = Result<Value, Refused>;

/// A phone without a screen.
#[derive(Debug)]
pub struct Device {
    home: PathBuf,
    guard: SoftGuard,
    measured: bool,
    clock: Arc<TestClock>,
    app: Option<FieldApp>,
    courier: Option<Courier>,
    acknowledged: Vec<(String, Vec<String>)>,
    secrets: BTreeSet<String>,
    purged: u64,
    done: bool,
}

/// 2026-03-09 12:00 UTC: where a device's clock stands until a script sets it.
const START_S: i64 = 1_773_057_600;

impl Default for Device {
    fn default() -> Device {
        Device::new()
    }
}

impl Device {
    /// Makes a device without a home.
    #[must_use]
    pub fn new() -> Device {
        Device {
            home: PathBuf::new(),
            guard: SoftGuard::make(),
            measured: false,
            clock: Arc::new(TestClock::at(START_S)),
            app: None,
            courier: None,
            acknowledged: Vec::new(),
            secrets: BTreeSet::new(),
            purged: 0,
            done: false,
        }
    }

    /// Tells whether `quit` was said.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Carries out one line and returns the answer, one line as well.
    pub fn line(&mut self, line: &str) -> String {
        let answer = match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(command)) => self.command(&command),
            _ => Err(Refused::Line("json")),
        };
        match answer {
            Ok(Value::Object(mut fields)) => {
                fields.insert("ok".to_owned(), Value::Bool(true));
                Value::Object(fields)
            }
            Ok(_) => json!({"ok": true}),
            Err(refused) => show_refusal(&refused),
        }
        .to_string()
    }

    fn command(&mut self, command: &Map<String, Value>) -> Answered {
        let name = text(command, "cmd")?;
        if let Some(home) = command.get("home").and_then(Value::as_str) {
            self.set_home(Path::new(home));
        }
        match name {
            "device" => self.set_device(command),
            "clock" => self.set_clock(command),
            "state" => Ok(json!({"state": state_word(device_state(&self.home))})),
            "enrol_begin" => self.enrol_begin(command),
            "enrol_confirm" => self.enrol_confirm(command),
            "unlock" => self.unlock(command),
            "lock" => {
                if let Some(app) = self.app.take() {
                    app.lock();
                }
                Ok(Value::Null)
            }
            "start" => self.start(command),
            "answer" => self.answer(command),
            "count" => self.count(command),
            "finish" => {
                let draft = text(command, "draft")?.to_owned();
                let event = self.app()?.draft(&draft, "en")?.event_id;
                self.finish(&draft, event)
            }
            "discard" => {
                self.app()?.discard_draft(text(command, "draft")?)?;
                Ok(Value::Null)
            }
            "tally" => self.tally(command),
            "interview" => self.interview(command),
            "home" => self.show_home(command),
            "courier" => self.carry(command),
            "export" => {
                let records = self.courier()?.export_bundle(Path::new(text(command, "path")?))?;
                Ok(json!({"records": records}))
            }
            "import" => {
                let report = self.courier()?.import_bundle(Path::new(text(command, "path")?))?;
                Ok(self.show_report(&report))
            }
            "records" => self.records(),
            "counts" => {
                let counts = self.courier()?.counts()?;
                Ok(json!({
                    "saved": counts.saved, "mailbox": counts.mailbox, "received": counts.received,
                    "refused": counts.refused, "purged": self.purged,
                }))
            }
            "acknowledged" => Ok(self.show_acknowledged()),
            "check" => self.check(command),
            "quit" => {
                self.app = None;
                self.courier = None;
                self.done = true;
                Ok(Value::Null)
            }
            _ => Err(Refused::Line("cmd")),
        }
    }

    fn set_home(&mut self, home: &Path) {
        if self.home != home {
            self.app = None;
            self.courier = None;
            self.home = home.to_owned();
        }
    }

    fn app(&self) -> Result<&FieldApp, Refused> {
        self.app.as_ref().ok_or(Refused::Field(FieldError::Locked))
    }

    /// The courier needs no passcode: it opens as soon as the device is enrolled.
    fn courier(&mut self) -> Result<&Courier, Refused> {
        if self.courier.is_none() {
            let clock: Arc<TestClock> = Arc::clone(&self.clock);
            self.courier = Some(Courier::open(&self.home, clock)?);
        }
        self.courier.as_ref().ok_or(Refused::Field(FieldError::NotFound))
    }

    fn set_device(&mut self, command: &Map<String, Value>) -> Answered {
        if let Some(seed) = command.get("guard_seed").and_then(Value::as_str) {
            let mut bytes = [0u8; 32];
            hex::decode_to_slice(seed, &mut bytes).map_err(|_| Refused::Line("guard_seed"))?;
            self.guard = SoftGuard::from_seed(&bytes);
        }
        self.measured = match command.get("tuning").and_then(Value::as_str) {
            None | Some("tests") => false,
            Some("measured") => true,
            Some(_) => return Err(Refused::Line("tuning")),
        };
        Ok(json!({"state": state_word(device_state(&self.home))}))
    }

    fn set_clock(&mut self, command: &Map<String, Value>) -> Answered {
        if let Some(set) = command.get("set") {
            let mut reading: ClockReading = self.clock.read();
            if let Some(wall_s) = set.get("wall_s").and_then(Value::as_i64) {
                reading.wall_s = wall_s;
            }
            if let Some(tz_min) = set.get("tz_min").and_then(Value::as_i64) {
                reading.tz_min = i16::try_from(tz_min).map_err(|_| Refused::Line("tz_min"))?;
            }
            if let Some(boot) = set.get("boot").and_then(Value::as_u64) {
                reading.boot = boot;
            }
            if let Some(elapsed_ms) = set.get("elapsed_ms").and_then(Value::as_u64) {
                reading.elapsed_ms = elapsed_ms;
            }
            if let Some(doubtful) = set.get("doubtful").and_then(Value::as_bool) {
                reading.doubtful = doubtful;
            }
            self.clock.set(reading);
        }
        if let Some(seconds) = command.get("advance_s") {
            let seconds = seconds
                .as_u64()
                .and_then(|s| u32::try_from(s).ok())
                .ok_or(Refused::Line("advance_s"))?;
            self.clock.advance_s(seconds);
        }
        if let Some(seconds) = command.get("jump_s") {
            self.clock
                .jump_s(seconds.as_i64().ok_or(Refused::Line("jump_s"))?);
        }
        if command.get("restart").and_then(Value::as_bool) == Some(true) {
            self.clock.restart();
        }
        let reading = self.clock.read();
        Ok(json!({"wall_s": reading.wall_s, "tz_min": reading.tz_min}))
    }

    fn enrol_begin(&mut self, command: &Map<String, Value>) -> Answered {
        let invitation = text(command, "invitation")?;
        let passcode = self.passcode(command)?;
        let step = if self.measured {
            // The script's clock stands still while the work is measured.
            enrol_begin(
                &self.home,
                invitation,
                passcode.as_bytes(),
                &self.guard,
                &SystemClock::new(),
            )?
        } else {
            let tuning = Tuning::for_tests();
            enrol_begin_tuned(
                &self.home,
                invitation,
                passcode.as_bytes(),
                &self.guard,
                &self.clock,
                &tuning,
            )?
        };
        Ok(json!({
            "reply": step.reply_text, "words": step.words, "organisation": step.organisation,
            "device_id": step.device_id,
        }))
    }

    fn enrol_confirm(&mut self, command: &Map<String, Value>) -> Answered {
        let passcode = self.passcode(command)?;
        let comparison = match command.get("same").and_then(Value::as_bool) {
            Some(false) => Comparison::Different,
            _ => Comparison::Same,
        };
        enrol_confirm(
            &self.home,
            passcode.as_bytes(),
            &self.guard,
            &self.clock,
            comparison,
        )?;
        Ok(json!({"state": state_word(device_state(&self.home))}))
    }

    fn unlock(&mut self, command: &Map<String, Value>) -> Answered {
        let passcode = self.passcode(command)?;
        let clock: Arc<TestClock> = Arc::clone(&self.clock);
        self.app = None;
        self.app = Some(FieldApp::unlock(
            &self.home,
            passcode.as_bytes(),
            &self.guard,
            clock,
        )?);
        Ok(Value::Null)
    }

    fn passcode(&mut self, command: &Map<String, Value>) -> Result<String, Refused> {
        let passcode = text(command, "passcode")?.to_owned();
        self.secrets.insert(passcode.clone());
        Ok(passcode)
    }

    fn start(&mut self, command: &Map<String, Value>) -> Answered {
        let view = match text(command, "form")? {
            "tally" => self.begin_tally(command)?,
            "interview" => self.app()?.start_interview(event(command), lang(command))?,
            _ => return Err(Refused::Line("form")),
        };
        Ok(json!({"draft": view.id, "event": view.event_id, "missing": view.missing}))
    }

    fn begin_tally(&self, command: &Map<String, Value>) -> Result<DraftView, Refused> {
        Ok(match event(command) {
            Some(event) => self.app()?.start_count(event, lang(command))?,
            None => self.app()?.start_tally(lang(command))?,
        })
    }

    fn answer(&mut self, command: &Map<String, Value>) -> Answered {
        let draft = text(command, "draft")?.to_owned();
        let mut view = self.app()?.draft(&draft, lang(command))?;
        if let Some(answers) = command.get("answers") {
            view = self.give(view, answers)?;
        }
        for code in list(command, "skip") {
            view = self.app()?.skip(&draft, code, lang(command))?;
        }
        for code in list(command, "clear") {
            view = self.app()?.clear(&draft, code, lang(command))?;
        }
        let violations: Vec<Value> = view
            .violations
            .iter()
            .map(|v| json!({"question": v.question, "rule": v.rule}))
            .collect();
        Ok(json!({
            "missing": view.missing,
            "violations": violations,
            "totals": view.totals.map(|totals| json!({"people": totals.people, "children": totals.children})),
        }))
    }

    /// Gives answers in the order in which the form asks for them: an answer can make others relevant.
    fn give(&mut self, mut view: DraftView, answers: &Value) -> Result<DraftView, Refused> {
        let Value::Object(answers) = answers else {
            return Err(Refused::Line("answers"));
        };
        let mut left: BTreeMap<&String, &Value> = answers.iter().collect();
        while !left.is_empty() {
            let on_path = view.path.iter().find(|code| left.contains_key(code));
            let elsewhere = || {
                let asked = view
                    .questions
                    .iter()
                    .filter(|question| question.relevant && !question.read_only);
                asked
                    .map(|question| &question.code)
                    .find(|code| left.contains_key(code))
            };
            let Some(code) = on_path.or_else(elsewhere).cloned() else {
                return Err(Refused::Question(
                    left.keys().next().map(|code| (*code).clone()).unwrap_or_default(),
                ));
            };
            let value = left.remove(&code).ok_or(Refused::Line("answers"))?;
            let kind = view
                .questions
                .iter()
                .find(|question| question.code == code)
                .map(|q| q.kind.clone());
            let value = self
                .value(kind.as_deref().unwrap_or_default(), value)
                .ok_or(Refused::Question(code.clone()))?;
            view = self.app()?.answer(&view.id, &code, value, "en")?;
        }
        Ok(view)
    }

    fn value(&mut self, kind: &str, value: &Value) -> Option<AnswerValue> {
        Some(match value {
            Value::Null => AnswerValue::Skipped,
            Value::Number(number) => AnswerValue::Integer(number.as_i64()?),
            Value::Array(codes) => AnswerValue::Codes(
                codes
                    .iter()
                    .map(|code| code.as_str().map(str::to_owned))
                    .collect::<Option<_>>()?,
            ),
            Value::String(text) => match kind {
                "text" => {
                    self.secrets.insert(text.clone());
                    AnswerValue::Text(text.clone())
                }
                "decimal" => AnswerValue::Decimal(text.clone()),
                "date" | "time" | "dateTime" | "date_time" => AnswerValue::DateTime(text.clone()),
                _ => AnswerValue::Code(text.clone()),
            },
            Value::Bool(_) | Value::Object(_) => return None,
        })
    }

    fn count(&self, command: &Map<String, Value>) -> Answered {
        let by = command.get("by").and_then(Value::as_i64).unwrap_or(1);
        let by = i32::try_from(by).map_err(|_| Refused::Line("by"))?;
        let view = self
            .app()?
            .count(text(command, "draft")?, text(command, "cell")?, by)?;
        Ok(json!({"value": view.value, "total": view.total, "children": view.children}))
    }

    fn tally(&mut self, command: &Map<String, Value>) -> Answered {
        let view = self.begin_tally(command)?;
        self.through(view, command)
    }

    fn interview(&mut self, command: &Map<String, Value>) -> Answered {
        let view = self.app()?.start_interview(event(command), lang(command))?;
        self.through(view, command)
    }

    /// Answers and finishes a form; one that cannot be finished leaves no draft behind.
    fn through(&mut self, view: DraftView, command: &Map<String, Value>) -> Answered {
        let (draft, event) = (view.id.clone(), view.event_id.clone());
        let answers = command.get("answers").cloned().unwrap_or_else(|| json!({}));
        let finished = self.give(view, &answers).and_then(|_| self.finish(&draft, event));
        if finished.is_err()
            && let Some(app) = &self.app
        {
            // What was refused is the script's mistake; the draft may be gone already.
            drop(app.discard_draft(&draft));
        }
        finished
    }

    fn finish(&mut self, draft: &str, event: Option<String>) -> Answered {
        let saved: SavedView = self.app()?.finish_draft(draft, "en")?;
        if !saved.entries.is_empty() {
            // From this moment the device has promised these entries.
            self.acknowledged
                .push((saved.envelope.clone(), saved.entries.clone()));
        }
        if let Some(code) = &saved.case_code {
            self.secrets.insert(code.clone());
        }
        Ok(json!({
            "outcome": match saved.outcome {
                Outcome::Saved => "saved",
                Outcome::Refused => "refused",
                Outcome::SavedCannotSendYet => "saved_cannot_send_yet",
            },
            "event": event,
            "record": saved.record_id,
            "receipt_code": saved.receipt_code,
            "case_code": saved.case_code,
            "entries": saved.entries,
            "envelope": saved.envelope,
        }))
    }

    fn show_home(&self, command: &Map<String, Value>) -> Answered {
        let home = self.app()?.home(lang(command))?;
        let drafts: Vec<Value> = home
            .drafts
            .iter()
            .map(|row| json!({"draft": row.id, "form": row.form, "event": row.event_id, "line": row.event_line, "total": row.total}))
            .collect();
        let done: Vec<Value> = home
            .done
            .iter()
            .map(|row| {
                json!({
                    "record": row.id, "kind": row.kind, "event": row.event_id, "line": row.event_line,
                    "receipt_code": row.receipt_code, "state": record_word(row.state), "total": row.total,
                    "interviews": row.interviews,
                })
            })
            .collect();
        Ok(json!({
            "point": home.point.code,
            "today": home.today,
            "drafts": drafts,
            "done": done,
            "counts": {
                "saved": home.counts.saved, "mailbox": home.counts.mailbox, "received": home.counts.received,
                "refused": home.counts.refused,
            },
        }))
    }

    fn carry(&mut self, command: &Map<String, Value>) -> Answered {
        let budget = command.get("budget_ms").and_then(Value::as_u64).unwrap_or(5000);
        let budget = u32::try_from(budget).map_err(|_| Refused::Line("budget_ms"))?;
        let times = command.get("times").and_then(Value::as_u64).unwrap_or(1);
        let mut sum = CourierReport::default();
        for _ in 0..times.max(1) {
            let report = self.courier()?.run_once(budget, &CancelToken::new())?;
            sum.handed += report.handed;
            sum.received += report.received;
            sum.purged += report.purged;
            sum.refused += report.refused;
            sum.waiting = report.waiting;
            sum.next_try_s = report.next_try_s;
        }
        Ok(self.show_report(&sum))
    }

    fn show_report(&mut self, report: &CourierReport) -> Value {
        self.purged += u64::from(report.purged);
        json!({
            "handed": report.handed, "received": report.received, "purged": report.purged,
            "refused": report.refused, "waiting": report.waiting, "next_try_s": report.next_try_s,
        })
    }

    fn records(&mut self) -> Answered {
        let rows: Vec<Value> = self
            .courier()?
            .records()?
            .into_iter()
            .map(|row| {
                json!({
                    "digest": row.digest, "receipt_code": row.receipt_code, "day": row.day, "size": row.size,
                    "entries": row.entries, "state": record_word(row.state),
                })
            })
            .collect();
        Ok(json!({"records": rows}))
    }

    fn show_acknowledged(&self) -> Value {
        let entries: Vec<&String> = self
            .acknowledged
            .iter()
            .flat_map(|(_, entries)| entries)
            .collect();
        let envelopes: Vec<&String> = self.acknowledged.iter().map(|(envelope, _)| envelope).collect();
        let records: Vec<Value> = self
            .acknowledged
            .iter()
            .map(|(envelope, entries)| json!({"envelope": envelope, "entries": entries}))
            .collect();
        json!({"entries": entries, "envelopes": envelopes, "records": records})
    }

    /// Searches every byte of every file in the home for what was told to this device.
    fn check(&self, command: &Map<String, Value>) -> Answered {
        let mut words: BTreeSet<&str> = list(command, "words").into_iter().collect();
        // Shorter ones would be found by chance.
        words.extend(
            self.secrets
                .iter()
                .map(String::as_str)
                .filter(|word| word.len() >= 6),
        );
        let (mut hits, mut files, mut bytes) = (0u64, 0u64, 0u64);
        let mut open = vec![self.home.clone()];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).map_err(|_| Refused::Line("home"))?;
                open.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
                continue;
            }
            let Ok(content) = std::fs::read(&path) else {
                continue;
            };
            files += 1;
            bytes += content.len() as u64;
            for word in &words {
                let word = word.as_bytes();
                if !word.is_empty() && content.windows(word.len()).any(|window| window == word) {
                    hits += 1;
                }
            }
        }
        Ok(json!({"hits": hits, "files": files, "bytes": bytes, "words": words.len()}))
    }
}

fn text<'a>(command: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, Refused> {
    command
        .get(field)
        .and_then(Value::as_str)
        .ok_or(Refused::Line(field))
}

fn list<'a>(command: &'a Map<String, Value>, field: &str) -> Vec<&'a str> {
    command
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn lang(command: &Map<String, Value>) -> &str {
    command.get("lang").and_then(Value::as_str).unwrap_or("en")
}

fn event(command: &Map<String, Value>) -> Option<&str> {
    command.get("event").and_then(Value::as_str)
}

fn state_word(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Fresh => "fresh",
        DeviceState::WordsPending => "words_pending",
        DeviceState::Enrolled => "enrolled",
        DeviceState::Damaged => "damaged",
    }
}

fn record_word(state: RecordState) -> &'static str {
    match state {
        RecordState::CannotSendYet => "cannot_send_yet",
        RecordState::Saved => "saved",
        RecordState::Mailbox => "mailbox",
        RecordState::Received => "received",
        RecordState::BackedUp => "backed_up",
        RecordState::Held => "held",
        RecordState::Refused => "refused",
    }
}

fn show_refusal(refused: &Refused) -> Value {
    match refused {
        Refused::Line(field) => json!({"ok": false, "error": "Line", "field": field}),
        Refused::Question(code) => json!({"ok": false, "error": "Question", "question": code}),
        Refused::Field(error) => match error {
            FieldError::Locked => json!({"ok": false, "error": "Locked"}),
            FieldError::WrongPasscode {
                attempts,
                wait_seconds,
                tries_left,
            } => json!({
                "ok": false, "error": "WrongPasscode", "attempts": attempts, "wait_seconds": wait_seconds,
                "tries_left": tries_left,
            }),
            FieldError::Invalid { question, rule } => {
                json!({"ok": false, "error": "Invalid", "question": question, "rule": rule})
            }
            FieldError::NotFound => json!({"ok": false, "error": "NotFound"}),
            FieldError::Busy => json!({"ok": false, "error": "Busy"}),
            FieldError::StorageFull { bytes_needed } => {
                json!({"ok": false, "error": "StorageFull", "bytes_needed": bytes_needed})
            }
            FieldError::Damaged { saved_aside } => {
                json!({"ok": false, "error": "Damaged", "saved_aside": saved_aside})
            }
            FieldError::NeedsUpdate { min_version } => {
                json!({"ok": false, "error": "NeedsUpdate", "min_version": min_version})
            }
            FieldError::NotTrusted => json!({"ok": false, "error": "NotTrusted"}),
            FieldError::Cancelled => json!({"ok": false, "error": "Cancelled"}),
            FieldError::Internal { code } => json!({"ok": false, "error": "Internal", "code": code}),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]
    use super::org::PracticeOrg;
    use super::*;

    struct Script {
        device: Device,
        dir: tempfile::TempDir,
    }

    impl Script {
        fn ok(&mut self, line: Value) -> Value {
            let answer = self.any(line.clone());
            assert_eq!(answer["ok"], true, "{line} -> {answer}");
            answer
        }

        fn any(&mut self, line: Value) -> Value {
            serde_json::from_str(&self.device.line(&line.to_string())).unwrap()
        }
    }

    const PASSCODE: &str = "marigold-4815";

    fn enrolled() -> Script {
        let org = PracticeOrg::make("http://127.0.0.1:1").unwrap();
        let mut script = Script {
            device: Device::new(),
            dir: tempfile::tempdir().unwrap(),
        };
        let home = script.dir.path().join("phone").to_str().unwrap().to_owned();
        let answer = script.ok(json!({"cmd": "device", "home": home, "guard_seed": "07".repeat(32)}));
        assert_eq!(answer["state"], "fresh");
        script.ok(json!({"cmd": "clock", "set": {"wall_s": 1_773_084_000, "tz_min": -300}}));
        let invitation = org.invitation("ouanaminthe");
        let begun = script.ok(json!({"cmd": "enrol_begin", "invitation": invitation, "passcode": PASSCODE}));
        assert_eq!(begun["words"].as_array().unwrap().len(), 6);
        script.ok(json!({"cmd": "enrol_confirm", "passcode": PASSCODE}));
        script.ok(json!({"cmd": "unlock", "passcode": PASSCODE}));
        script
    }

    fn tally() -> Value {
        json!({
            "A02": "DOM-HTI", "A05": "bus", "A08": "deportation", "A09": "official", "A10": "no", "A11": "full",
            "A12": ["police_arr"], "A20": "counted", "A21": "no", "A77": "none", "N_m_adult": 12, "N_f_child": 2,
            "A40": 0, "A80": "canary-heliotrope",
        })
    }

    fn interview() -> Value {
        json!({
            "W03": "no", "RF": ["none"], "D01": ["passport"], "P07": "alone", "P02": "a25_59", "P01": "male",
            "K03": "yes", "K06": "private",
        })
    }

    #[test]
    fn a_script_records_and_remembers_what_it_acknowledged() {
        let mut script = enrolled();
        let saved = script.ok(json!({"cmd": "tally", "answers": tally()}));
        assert_eq!(saved["outcome"], "saved");
        let event = saved["event"].as_str().unwrap().to_owned();
        let talk = script.ok(json!({"cmd": "interview", "event": event, "answers": interview()}));
        assert_eq!(talk["entries"].as_array().unwrap().len(), 2);
        let refused = script
            .ok(json!({"cmd": "interview", "event": event, "answers": {"K06": "private", "K03": "no"}}));
        assert_eq!(
            (
                refused["outcome"].as_str(),
                refused["entries"].as_array().unwrap().len()
            ),
            (Some("refused"), 1)
        );
        let acknowledged = script.ok(json!({"cmd": "acknowledged"}));
        assert_eq!(acknowledged["entries"].as_array().unwrap().len(), 4);
        assert_eq!(acknowledged["envelopes"].as_array().unwrap().len(), 3);
        let counts = script.ok(json!({"cmd": "counts"}));
        assert_eq!(counts["saved"], 3);
        let home = script.ok(json!({"cmd": "home"}));
        assert_eq!(
            home["done"].as_array().unwrap().len(),
            2,
            "the corrected count is listed once"
        );
        let check = script.ok(json!({"cmd": "check", "words": ["deportation"]}));
        assert_eq!(check["hits"], 0);
        assert!(
            check["words"].as_u64().unwrap() >= 3,
            "free text, case code and passcode are searched too"
        );
    }

    #[test]
    fn a_script_is_told_what_is_wrong_and_nothing_is_left_behind() {
        let mut script = enrolled();
        let mut wrong = tally();
        wrong["A05"] = json!("rocket");
        let refused = script.any(json!({"cmd": "tally", "answers": wrong}));
        assert_eq!(
            (
                refused["error"].as_str(),
                refused["question"].as_str(),
                refused["rule"].as_str()
            ),
            (Some("Invalid"), Some("A05"), Some("unknown_choice"))
        );
        let refused = script.any(json!({"cmd": "tally", "answers": {"T_m_0_4": 3}}));
        assert_eq!(
            (refused["ok"].as_bool(), refused["error"].as_str()),
            (Some(false), Some("Invalid"))
        );
        let refused = script.any(json!({"cmd": "interview", "answers": {"A05": "bus"}}));
        assert_eq!(
            (refused["error"].as_str(), refused["question"].as_str()),
            (Some("Question"), Some("A05"))
        );
        assert!(
            script.ok(json!({"cmd": "home"}))["drafts"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        assert_eq!(script.any(json!({"cmd": "fly"}))["error"], "Line");
        let answer: Value = serde_json::from_str(&script.device.line("no json")).unwrap();
        assert_eq!(answer["field"], "json");
    }

    #[test]
    fn locked_and_wrong_are_told_apart_and_a_draft_comes_back() {
        let mut script = enrolled();
        let draft = script.ok(json!({"cmd": "start", "form": "tally"}));
        let id = draft["draft"].clone();
        script.ok(json!({"cmd": "answer", "draft": id, "answers": {"A21": "no"}}));
        let count = script.ok(json!({"cmd": "count", "draft": id, "cell": "N_m_adult", "by": 3}));
        assert_eq!(count["total"], 3);
        script.ok(json!({"cmd": "lock"}));
        assert_eq!(script.any(json!({"cmd": "home"}))["error"], "Locked");
        assert_eq!(
            script.ok(json!({"cmd": "counts"}))["saved"],
            0,
            "the courier needs no passcode"
        );
        let refused = script.any(json!({"cmd": "unlock", "passcode": "00000000"}));
        assert_eq!(
            (refused["error"].as_str(), refused["attempts"].as_u64()),
            (Some("WrongPasscode"), Some(1))
        );
        script.ok(json!({"cmd": "unlock", "passcode": PASSCODE}));
        assert_eq!(script.ok(json!({"cmd": "home"}))["drafts"][0]["total"], 3);
    }
}
