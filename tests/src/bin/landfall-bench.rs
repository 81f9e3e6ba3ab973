//! The benchmarks: each figure stands beside something simpler that was run in the same minutes on the same disk, and
//! the ratio of the two is what is compared between machines. `cargo xtask bench` starts it in release.
//!
//! It asserts nothing: a slow machine is no error. What it measures goes through the same calls as the shells and the
//! desk use; only the guesses of passcodes are made cheap, and they are no part of any figure.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use landfall_desk::{Costs, Desk};
use landfall_field::{AnswerValue, CancelToken, Courier, FieldApp, Outcome, SoftGuard};
use landfall_form::{Answer, Answers};
use landfall_hub::{Config, Limits, StoreUrl};
use landfall_seal::{Tuning, passphrase::WorkFactor, random};
use landfall_sync::carry::{self, AdminFile, CourierFile};
use landfall_sync::rng::FnRng;
use landfall_sync::{HubClient, Outbox};
use landfall_tests::device::Device;
use landfall_tests::device::org::PracticeOrg;
use landfall_tests::link::Link;
use landfall_vault::rusqlite::{Connection, params};
use landfall_wire::bundle::{BundleReader, Item};
use landfall_wire::clock::{Clock, TestClock};
use landfall_wire::ids::Digest;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// 2026-03-09 19:20 UTC.
const NOW: i64 = 1_773_084_000;
const PASSCODE: &str = "marigold-4815";
const GUARD: [u8; 32] = [7; 32];
const POINT: &str = "ouanaminthe";
const NAMES: [&str; 3] = ["save-tally", "ingest", "wire-bytes"];

/// Measures Landfall against something simpler, side by side.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: landfall-bench save-tally --json bench.json\nNames: save-tally, ingest, wire-bytes"
)]
struct Cli {
    /// Only these; without one all of them.
    names: Vec<String>,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Longer runs.
    #[arg(long)]
    full: bool,
}

/// One row: what was measured, what it is held against, and their ratio (how many times dearer).
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    against: f64,
    ratio: f64,
    #[serde(rename = "against_what")]
    what: &'static str,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    for name in &cli.names {
        ensure!(
            NAMES.contains(&name.as_str()),
            "no benchmark is called {name}; there are {}",
            NAMES.join(", ")
        );
    }
    let mut figures: Vec<Figure> = Vec::new();
    for name in NAMES {
        if !cli.names.is_empty() && !cli.names.iter().any(|wanted| wanted == name) {
            continue;
        }
        figures.extend(
            match name {
                "save-tally" => save_tally(cli.full),
                "ingest" => ingest(cli.full),
                _ => wire_bytes(cli.full),
            }
            .with_context(|| format!("benchmark {name}"))?,
        );
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<26} {:>12} {:<10} {:>12} {:>8}  against",
        "benchmark", "value", "unit", "against", "ratio"
    )?;
    for figure in &figures {
        let Figure {
            name,
            value,
            unit,
            against,
            ratio,
            what,
        } = figure;
        writeln!(
            out,
            "{name:<26} {value:>12.3} {unit:<10} {against:>12.3} {ratio:>7.2}x  {what}"
        )?;
    }
    if let Some(path) = &cli.json {
        fs::write(path, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// How long something took. Elapsed time is what a benchmark measures, and nothing else here reads a clock.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let started = std::time::Instant::now();
    let done = work()?;
    Ok((started.elapsed(), black_box(done)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn milliseconds(times: &[Duration]) -> f64 {
    median(times.iter().map(|time| time.as_secs_f64() * 1000.0).collect())
}

/// Rounds of (ours, theirs): the median of each, and the median of the rounds' own ratios.
struct Rounds(Vec<(f64, f64)>);

impl Rounds {
    fn dearer(self, name: &'static str, unit: &'static str, what: &'static str) -> Figure {
        let ratio = median(self.0.iter().map(|(ours, theirs)| ours / theirs).collect());
        self.figure(name, unit, what, ratio)
    }

    /// For rates, where more is better.
    fn slower(self, name: &'static str, unit: &'static str, what: &'static str) -> Figure {
        let ratio = median(self.0.iter().map(|(ours, theirs)| theirs / ours).collect());
        self.figure(name, unit, what, ratio)
    }

    fn figure(self, name: &'static str, unit: &'static str, what: &'static str, ratio: f64) -> Figure {
        Figure {
            name,
            value: median(self.0.iter().map(|(ours, _)| *ours).collect()),
            unit,
            against: median(self.0.iter().map(|(_, theirs)| *theirs).collect()),
            ratio,
            what,
        }
    }
}

/// A bare SQLite database with the durability that a saved record has.
fn bare(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE record (id INTEGER PRIMARY KEY, entry BLOB, envelope BLOB)")?;
    Ok(connection)
}

fn tally_answers() -> Value {
    json!({
        "A02": "DOM-HTI", "A05": "bus", "A08": "deportation", "A09": "official", "A10": "no", "A11": "full",
        "A12": ["police_arr"], "A20": "counted", "A21": "no", "A77": "none", "N_m_adult": 12, "N_f_adult": 7,
        "N_m_child": 2, "N_f_child": 3, "A40": 0,
    })
}

fn interview_answers() -> Value {
    json!({
        "K06": "private", "K03": "yes", "P01": "male", "P02": "a25_59", "P07": "alone", "D01": ["passport"],
        "RF": ["none"], "W03": "no",
    })
}

fn say(device: &mut Device, line: &Value) -> anyhow::Result<Value> {
    let answer: Value = serde_json::from_str(&device.line(&line.to_string()))?;
    ensure!(answer.get("ok") == Some(&Value::Bool(true)), "{answer}");
    Ok(answer)
}

fn text<'a>(answer: &'a Value, field: &'static str) -> anyhow::Result<&'a str> {
    answer.get(field).and_then(Value::as_str).context(field)
}

/// An enrolled device, locked; `confirm` is what the desk does with the reply.
fn enrolled(
    home: &Path,
    invitation: &str,
    confirm: impl FnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<Device> {
    let mut device = Device::new();
    say(
        &mut device,
        &json!({"cmd": "device", "home": home, "guard_seed": hex::encode(GUARD)}),
    )?;
    say(
        &mut device,
        &json!({"cmd": "clock", "set": {"wall_s": NOW, "tz_min": -300}}),
    )?;
    let step = say(
        &mut device,
        &json!({"cmd": "enrol_begin", "invitation": invitation, "passcode": PASSCODE}),
    )?;
    confirm(text(&step, "reply")?)?;
    say(
        &mut device,
        &json!({"cmd": "enrol_confirm", "passcode": PASSCODE}),
    )?;
    Ok(device)
}

/// A tally that only has to be finished.
fn drafted(app: &FieldApp) -> anyhow::Result<String> {
    let mut view = app.start_tally("en")?;
    let Value::Object(mut left) = tally_answers() else {
        anyhow::bail!("answers are an object");
    };
    while !left.is_empty() {
        let on_path = view.path.iter().find(|code| left.contains_key(*code));
        let elsewhere = || {
            let asked = view.questions.iter().filter(|question| question.relevant);
            asked
                .map(|question| &question.code)
                .find(|code| left.contains_key(*code))
        };
        let code = on_path
            .or_else(elsewhere)
            .cloned()
            .context("a question of the tally")?;
        let value = match left.remove(&code) {
            Some(Value::String(code)) => AnswerValue::Code(code),
            Some(Value::Number(number)) => AnswerValue::Integer(number.as_i64().context("an integer")?),
            Some(Value::Array(codes)) => AnswerValue::Codes(
                codes
                    .iter()
                    .filter_map(|code| code.as_str().map(str::to_owned))
                    .collect(),
            ),
            _ => anyhow::bail!("an answer of the tally"),
        };
        view = app.answer(&view.id, &code, value, "en")?;
    }
    ensure!(
        view.missing.is_empty(),
        "the tally is not complete: {:?}",
        view.missing
    );
    Ok(view.id)
}

fn save_tally(full: bool) -> anyhow::Result<Vec<Figure>> {
    let (rounds, each) = if full { (15, 40) } else { (7, 20) };
    let dir = tempfile::tempdir()?;
    let home = dir.path().join("phone");
    let org = PracticeOrg::make("http://127.0.0.1:1")?;
    let mut key = None;
    drop(enrolled(&home, &org.invitation(POINT), |reply| {
        key = Some(org.read_reply(reply)?.device_key);
        Ok(())
    })?);
    let key = key.context("the device's key")?;
    let clock: Arc<dyn Clock> = Arc::new(TestClock::at(NOW));
    let app = FieldApp::unlock(&home, PASSCODE.as_bytes(), &SoftGuard::from_seed(&GUARD), clock)?;
    let outbox = Outbox::open(&home.join("outbox.db"))?;

    // What one save makes durable: the entry, and the sealed envelope.
    let first = app.finish_draft(&drafted(&app)?, "en")?;
    ensure!(first.outcome == Outcome::Saved, "the first tally is saved");
    let digest: Digest = first.envelope.parse()?;
    let envelope = outbox.bytes(&digest)?.context("the sealed envelope")?;
    let entries = org.open(&envelope, &key).context("the envelope opens")?;
    let entry = entries.first().context("one entry")?.bytes().to_vec();

    let mut plain = bare(&dir.path().join("bare.db"))?;
    let mut commit = |entry: &[u8], envelope: &[u8]| -> anyhow::Result<Duration> {
        let (took, ()) = timed(|| {
            let transaction = plain.transaction()?;
            transaction.execute(
                "INSERT INTO record (entry, envelope) VALUES (?1, ?2)",
                params![entry, envelope],
            )?;
            Ok(transaction.commit()?)
        })?;
        Ok(took)
    };
    let (mut saves, mut taps) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..each {
            let draft = drafted(&app)?;
            let (took, saved) = timed(|| Ok(app.finish_draft(&draft, "en")?))?;
            ensure!(saved.outcome == Outcome::Saved, "every tally is saved");
            ours.push(took);
            theirs.push(commit(&entry, &envelope)?);
        }
        saves.push((milliseconds(&ours), milliseconds(&theirs)));

        let draft = drafted(&app)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..each {
            ours.push(timed(|| Ok(app.count(&draft, "N_m_adult", 1)?))?.0);
            theirs.push(commit(&[], &[0; 8])?);
        }
        app.discard_draft(&draft)?;
        taps.push((milliseconds(&ours), milliseconds(&theirs)));
    }
    Ok(vec![
        Rounds(saves).dearer(
            "save-tally",
            "ms",
            "one bare SQLite commit (WAL, FULL) of the same entry and envelope",
        ),
        Rounds(taps).dearer(
            "save-tally/tap",
            "ms",
            "one bare SQLite commit (WAL, FULL) of 8 bytes",
        ),
    ])
}

/// A desk without hub, or with the one that stands at `url`.
fn desk(dir: &Path, url: &str) -> anyhow::Result<(Desk, CourierFile)> {
    let costs = Costs {
        tuning: Tuning::desk_for_tests(),
        work: WorkFactor::for_tests(),
    };
    let clock: Arc<dyn Clock> = Arc::new(TestClock::at(NOW));
    let (home, recovery) = (dir.join("desk"), dir.join("recovery"));
    let (mut desk, _) = Desk::init(&home, "Practice", &recovery, "verbena quartzite", &costs, clock)?;
    let (read_cap, downlink_cap) = desk.add_hub(url)?;
    let courier = CourierFile {
        url: url.to_owned(),
        inbox: desk.inbox()?,
        read_cap,
        downlink_cap,
    };
    Ok((desk, courier))
}

fn enrol_at(desk: &mut Desk, home: &Path) -> anyhow::Result<Device> {
    let invitation = desk.invite("monitor", POINT, "en")?;
    let mut device = enrolled(home, &invitation, |reply| {
        let words = desk.answer(reply)?.join(" ");
        desk.confirm(&words)?;
        Ok(())
    })?;
    say(&mut device, &json!({"cmd": "unlock", "passcode": PASSCODE}))?;
    Ok(device)
}

fn envelopes(bundle: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut sealed = Vec::new();
    for item in BundleReader::new(fs::File::open(bundle)?)? {
        if let Item::Envelope(bytes) = item? {
            sealed.push(bytes);
        }
    }
    Ok(sealed)
}

/// Carries everything to the desk and the receipts back, past the link; returns the sealed files that were carried.
fn by_hand(dir: &Path, name: &str, desk: &mut Desk, courier: &Courier) -> anyhow::Result<Vec<Vec<u8>>> {
    let stick = dir.join(format!("{name}.landfall"));
    courier.export_bundle(&stick)?;
    desk.ingest(fs::File::open(&stick)?, |_| {})?;
    desk.backup(&dir.join("medium"))?;
    let answer = dir.join(format!("{name}-answer.landfall"));
    desk.outgoing(fs::File::create_new(&answer)?, false)?;
    courier.import_bundle(&answer)?;
    envelopes(&stick)
}

fn ingest(full: bool) -> anyhow::Result<Vec<Figure>> {
    let (rounds, each) = if full { (9, 300u32) } else { (5, 60) };
    let dir = tempfile::tempdir()?;
    let (mut desk, _) = desk(dir.path(), "http://127.0.0.1:1")?;
    let mut device = enrol_at(&mut desk, &dir.path().join("phone"))?;
    let clock: Arc<dyn Clock> = Arc::new(TestClock::at(NOW));
    let courier = Courier::open(&dir.path().join("phone"), clock)?;
    let mut plain = bare(&dir.path().join("bare.db"))?;
    let mut rates = Vec::new();
    for round in 0..rounds {
        // Half tallies of one entry, half interviews of two.
        for _ in 0..each / 2 {
            let saved = say(&mut device, &json!({"cmd": "tally", "answers": tally_answers()}))?;
            let event = saved.get("event");
            say(
                &mut device,
                &json!({"cmd": "interview", "event": event, "answers": interview_answers()}),
            )?;
        }
        let path = dir.path().join(format!("{round}.landfall"));
        let (ours, end) = timed(|| {
            courier.export_bundle(&path)?;
            Ok(desk.ingest(fs::File::open(&path)?, |_| {})?)
        })?;
        ensure!(
            end.damaged.is_none() && end.ingested.new == u64::from(each / 2 * 2),
            "{:?}",
            end.ingested
        );
        let sealed = envelopes(&path)?;
        let (theirs, ()) = timed(|| {
            let transaction = plain.transaction()?;
            for envelope in &sealed {
                transaction.execute("INSERT INTO record (envelope) VALUES (?1)", params![envelope])?;
            }
            Ok(transaction.commit()?)
        })?;
        let entries = f64::from(u32::try_from(end.ingested.entries)?);
        rates.push((entries / ours.as_secs_f64(), entries / theirs.as_secs_f64()));

        // The receipts free the outbox for the next round.
        desk.backup(&dir.path().join("medium"))?;
        let answer = dir.path().join(format!("{round}-answer.landfall"));
        desk.outgoing(fs::File::create_new(&answer)?, false)?;
        courier.import_bundle(&answer)?;
    }
    Ok(vec![Rounds(rates).slower(
        "ingest",
        "entries/s",
        "the same sealed bytes in one SQLite transaction",
    )])
}

fn json_of(answers: &Answers) -> Value {
    let fields = answers.iter().map(|(code, answer)| {
        let value = match answer {
            Answer::Skipped => Value::Null,
            Answer::Code(text)
            | Answer::Decimal(text)
            | Answer::Text(text)
            | Answer::Date(text)
            | Answer::Time(text)
            | Answer::DateTime(text) => json!(text),
            Answer::Codes(codes) => json!(codes),
            Answer::Integer(number) => json!(number),
            Answer::Repeat(rows) => rows.iter().map(json_of).collect(),
        };
        (code.clone(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

/// Bytes are the same in every run but for the lengths of numbers in headers: one round is enough.
fn wire_bytes(full: bool) -> anyhow::Result<Vec<Figure>> {
    let each = if full { 100u32 } else { 20 };
    let dir = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(TestClock::at(NOW));
    let store = StoreUrl::Sqlite(dir.path().join("hub.db"));
    let (_, admin_cap) = landfall_hub::init(&store, clock.as_ref())?;
    let hub = landfall_hub::serve(Config {
        listen: "127.0.0.1:0".parse()?,
        store,
        limits: Limits::default(),
        clock: Arc::clone(&clock),
    })?;
    let link = Link::start(hub.addr(), 0)?;
    let (mut desk, courier_file) = desk(dir.path(), &link.url())?;
    let mut device = enrol_at(&mut desk, &dir.path().join("phone"))?;
    let registration = dir.path().join("registration.landfall");
    desk.outgoing(fs::File::create_new(&registration)?, false)?;
    let admin = AdminFile {
        url: hub.url(),
        admin_cap,
    };
    let client = HubClient::for_url(&hub.url())?;
    let mut rng = FnRng(random::fill);
    carry::push(&client, &courier_file, Some(&admin), &registration, &mut rng)?;
    let courier = Courier::open(&dir.path().join("phone"), clock)?;

    let first = say(&mut device, &json!({"cmd": "tally", "answers": tally_answers()}))?;
    // A phone's first contact asks more than later ones do.
    courier.run_once(60_000, &CancelToken::new())?;
    by_hand(dir.path(), "first", &mut desk, &courier)?;
    let mut figures = Vec::new();
    let mut seen = desk.entries()?.len();
    let interview = json!({"cmd": "interview", "event": first.get("event"), "answers": interview_answers()});
    let tally = json!({"cmd": "tally", "answers": tally_answers()});
    for (script, wire_name, file_name) in [
        (tally, "wire-bytes/tally", "wire-bytes/tally-file"),
        (interview, "wire-bytes/interview", "wire-bytes/interview-file"),
    ] {
        for _ in 0..each {
            say(&mut device, &script)?;
        }
        let before = link.stats();
        let report = courier.run_once(600_000, &CancelToken::new())?;
        let after = link.stats();
        ensure!(report.handed >= each, "{report:?}");
        let wire = after.bytes_up + after.bytes_down - before.bytes_up - before.bytes_down;

        let files = by_hand(dir.path(), &file_name.replace('/', "-"), &mut desk, &courier)?;
        let entries = desk.entries()?;
        let clear: usize = entries
            .iter()
            .skip(seen)
            .map(|entry| json_of(&entry.fields().body).to_string().len())
            .sum();
        seen = entries.len();
        ensure!(
            files.len() == usize::try_from(each)?,
            "only what this run has sent"
        );
        let file: usize = files.iter().map(Vec::len).sum();
        let per =
            |bytes: u64| -> anyhow::Result<f64> { Ok(f64::from(u32::try_from(bytes)?) / f64::from(each)) };
        let clear = per(clear as u64)?;
        figures.push(Rounds(vec![(per(wire)?, clear)]).dearer(
            wire_name,
            "bytes",
            "the same answers as JSON; requests and answers of HTTP included",
        ));
        figures.push(Rounds(vec![(per(file as u64)?, clear)]).dearer(
            file_name,
            "bytes",
            "the same answers as JSON; the sealed file alone",
        ));
    }
    Ok(figures)
}
