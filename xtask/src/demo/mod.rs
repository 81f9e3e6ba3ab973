//! `cargo xtask demo`: the main job on embedded defaults. One morning at one border, each device, the hub, the
//! faulty link and the desk an OS process of its own. At the end every hash that a device called saved is looked
//! up at the desk. Nothing but the report and summary.json leaves an answer in clear in the folder.

mod party;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::layer;
use party::{Party, desk};
use world::{Shift, Size};

/// Options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the demonstration lies afterwards
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The seed from which the morning is drawn
    #[arg(long, default_value_t = 20_260_302)]
    seed: u64,
    /// Phones that record
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(3..=24))]
    devices: u32,
    /// A tenth of the morning
    #[arg(long)]
    quick: bool,
}

/// Official points of the border, one for each phone in turn.
const POINTS: [&str; 4] = ["ouanaminthe", "belladere", "malpasse", "anse_a_pitres"];
/// The period of the report.
const PERIOD: &str = "2026-03";
/// Rounds of sending after which everything must have gone out, however bad the link.
const ROUNDS: usize = 60;

/// Where the programs of the demonstration lie.
struct Programs(PathBuf);

impl Programs {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// One phone of the demonstration.
struct Phone {
    party: Party,
    /// Sends through a file that is carried by hand.
    by_hand: bool,
    /// Entries and envelopes that the screen called saved.
    entries: BTreeSet<String>,
    envelopes: BTreeSet<String>,
    /// People who did not want an interview.
    refused: u64,
}

/// The desk of the demonstration, a process for each command.
struct Desk {
    bin: PathBuf,
    home: PathBuf,
    passphrase: String,
}

impl Desk {
    fn ask(&self, args: &[&str]) -> anyhow::Result<Value> {
        desk(&self.bin, Some((&self.home, &self.passphrase)), args)
    }
}

/// The hub of the demonstration: it can be killed and started again.
struct Hub {
    bin: PathBuf,
    store: String,
    party: Option<Party>,
    addr: String,
    restarts: u64,
}

impl Hub {
    fn start(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.bin);
        // The phones of a whole border behind one link: the rate is that of a crowd, not of a person.
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--rate",
            "2000",
            "--store",
            &self.store,
        ]);
        let mut party = Party::start("hub", &mut command)?;
        self.addr = party.line()?;
        self.party = Some(party);
        Ok(())
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(party) = self.party.take() {
            party.kill()?;
        }
        self.restarts += 1;
        self.start()
    }
}

/// Runs the demonstration. Answers whether nothing was lost or doubled.
///
/// # Errors
/// When a party cannot be started or refuses what it must not refuse.
pub fn run(args: &DemoArgs) -> anyhow::Result<bool> {
    layer::prepare()?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| layer::root().join("target/demo"));
    let out = std::path::absolute(out)?;
    clear(&out)?;
    eprintln!("building hub, desk, devices and link");
    let programs = Programs(layer::build_bins(&[
        ("landfall-hub", "landfall-hub"),
        ("landfall-desk", "landfall-desk"),
        ("landfall-tests", "landfall-device"),
        ("landfall-tests", "landfall-link"),
    ])?);
    #[allow(
        clippy::disallowed_methods,
        reason = "how long it took is a fact about this machine, not about the morning"
    )]
    let started = Instant::now();
    let mut summary = morning(args, &programs, &out)?;
    let wall = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Some(map) = summary.as_object_mut() {
        map.insert("wall_ms".into(), json!(wall));
    }
    std::fs::write(out.join("summary.json"), serde_json::to_vec_pretty(&summary)?)?;
    print(&summary);
    let none = |key: &str| summary.get(key).and_then(Value::as_u64) == Some(0);
    Ok(none("lost") && none("duplicated"))
}

/// Empties the folder, but only one that an earlier demonstration left, or none.
fn clear(out: &Path) -> anyhow::Result<()> {
    if out.join("summary.json").exists() || out.join("practice").exists() {
        std::fs::remove_dir_all(out)?;
    }
    let empty = !out.exists() || out.read_dir()?.next().is_none();
    ensure!(
        empty,
        "{} is not empty and not left by a demonstration: name another folder",
        out.display()
    );
    std::fs::create_dir_all(out)?;
    // Marks the folder as ours from the first moment, so that an interrupted run can be repeated.
    std::fs::write(
        out.join("practice"),
        "A practice organisation. Every person and arrival in it is invented.\n",
    )?;
    Ok(())
}

fn morning(args: &DemoArgs, programs: &Programs, out: &Path) -> anyhow::Result<Value> {
    let part = if args.quick { 10 } else { 1 };
    let size = Size {
        devices: args.devices as usize,
        events: 60 / part,
        interviews: 300 / part,
    };
    let points: Vec<String> = POINTS.iter().map(|point| (*point).to_owned()).collect();
    let shifts = world::draw(args.seed, size, &points);
    let steps = Progress::new();

    steps.say("the desk founds an organisation, the hub starts");
    let mut hub = Hub {
        bin: programs.path("landfall-hub"),
        store: format!("sqlite:{}", out.join("hub.db").display()),
        party: None,
        addr: String::new(),
        restarts: 0,
    };
    let made = Command::new(&hub.bin)
        .args(["init", "--json", "--store", &hub.store])
        .output()
        .context("hub init")?;
    ensure!(
        made.status.success(),
        "hub init: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let made: Value = serde_json::from_slice(&made.stdout).context("hub init")?;
    let admin_cap = text(&made, "admin_cap")?.to_owned();
    hub.start()?;
    let mut link = Party::start(
        "link",
        Command::new(programs.path("landfall-link")).args([
            "--closed",
            "--to",
            &hub.addr,
            "--seed",
            &args.seed.to_string(),
        ]),
    )?;
    let url = format!("http://{}", link.line()?);
    let desk = Desk {
        bin: programs.path("landfall-desk"),
        home: out.join("desk"),
        passphrase: "practice only, not a secret of anybody".to_owned(),
    };
    let path = |name: &str| out.join(name).to_string_lossy().into_owned();
    desk.ask(&[
        "init",
        "--org",
        "Practice Organisation",
        "--recovery-out",
        &path("desk-root-keys"),
    ])?;
    let (courier, admin) = (path("courier.json"), path("admin.json"));
    desk.ask(&["hub", "add", &url, "--courier-out", &courier])?;
    std::fs::write(
        &admin,
        json!({ "v": 1, "url": url, "admin_cap": admin_cap }).to_string(),
    )?;
    std::fs::set_permissions(&admin, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;

    steps.say("devices are enrolled: invitation, reply, six words compared");
    let mut phones = Vec::new();
    for (n, _) in shifts.iter().enumerate() {
        phones.push(enrol(programs, &desk, out, args.seed, n, size.devices)?);
    }
    let carry = Carry {
        desk: &desk,
        url: &url,
        courier: &courier,
        admin: &admin,
        out,
    };
    link.tell("good")?;
    carry.push("0-enrolled")?;
    link.tell("close")?;

    steps.say("the morning: devices record without a network");
    record(&mut phones, shifts, &steps)?;

    steps.say("the link comes back badly; the hub is killed in the middle");
    let mut handed = 0;
    let total: u64 = phones.iter().map(|phone| phone.entries.len() as u64).sum();
    link.tell("bad")?;
    for phone in phones.iter_mut().filter(|phone| phone.by_hand) {
        // What this one has left its phone in somebody's pocket.
        phone
            .party
            .ask(&json!({ "cmd": "export", "path": path("by-hand.landfall") }))?;
    }
    let mut killed = false;
    ensure!(total > 0, "nothing was recorded");
    for round in 0..ROUNDS {
        let mut waiting = 0;
        for phone in phones.iter_mut().filter(|phone| !phone.by_hand) {
            let report = if !killed && handed * 3 > total {
                // SIGKILL while this phone is sending: what the hub had not answered is sent again.
                phone.party.tell(&courier_run().to_string())?;
                hub.kill()?;
                link.tell(&format!("aim {}", hub.addr))?;
                killed = true;
                phone.party.line()?;
                send(phone)?
            } else {
                send(phone)?
            };
            handed += number(&report, "handed");
            waiting += number(&report, "waiting_unhanded");
        }
        steps.at(handed, total);
        if waiting == 0 {
            break;
        }
        if round > ROUNDS / 2 {
            link.tell("good")?;
        }
    }
    ensure!(killed, "the hub was not killed while a phone was sending");
    link.tell("good")?;

    steps.say("the desk pulls; the first bundle is lost on the way");
    let lost = carry.pull("1-lost")?;
    std::fs::remove_file(lost)?;
    let bundle = carry.pull("2-inbox")?;
    let by_hand = path("by-hand.landfall");
    let ingested = desk.ask(&["ingest", &bundle.to_string_lossy(), &by_hand])?;
    let again = desk.ask(&["ingest", &by_hand])?;
    ensure!(
        number(&again, "new") == 0,
        "a bundle that was read twice counted twice"
    );

    steps.say("the desk backs up, answers, reports");
    desk.ask(&["backup", &path("second-medium")])?;
    carry.push("3-receipts")?;
    let mut purged = 0;
    for round in 0..ROUNDS {
        let mut left = 0;
        for phone in &mut phones {
            send(phone)?;
            let counts = phone.party.ask(&json!({ "cmd": "counts" }))?;
            left += phone.entries.len() as u64 - number(&counts, "purged").min(phone.entries.len() as u64);
        }
        purged = total - left;
        steps.at(purged, total);
        if left == 0 {
            break;
        }
        // A record that the hub had deleted before its receipt was heard is sent once more, and answered again.
        if round % 5 == 4 {
            let bundle = carry.pull(&format!("4-again-{round}"))?;
            desk.ask(&["ingest", &bundle.to_string_lossy()])?;
            desk.ask(&["backup", &path("second-medium")])?;
            carry.push(&format!("5-again-{round}"))?;
        }
    }
    let report = desk.ask(&["report", "--period", PERIOD, "--out", &path("report")])?;

    steps.say("every hash that a device called saved is looked up at the desk");
    let held = desk.ask(&["verify", "--entries"])?;
    let mut at_desk: BTreeMap<&str, u64> = BTreeMap::new();
    for hash in held
        .get("entries")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        *at_desk.entry(hash).or_default() += 1;
    }
    let acknowledged: BTreeSet<&str> = phones
        .iter()
        .flat_map(|p| &p.entries)
        .map(String::as_str)
        .collect();
    let lost = acknowledged
        .iter()
        .filter(|hash| !at_desk.contains_key(**hash))
        .count();
    let doubled = at_desk.values().filter(|n| **n > 1).count();
    let strangers = at_desk
        .keys()
        .filter(|hash| !acknowledged.contains(**hash))
        .count();
    ensure!(
        strangers == 0,
        "the desk holds {strangers} entries that no device called saved"
    );
    let refused: Vec<Value> = desk
        .ask(&["quarantine"])?
        .get("quarantine")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let wire = wire_bytes(&mut link)?;
    let refusals: u64 = phones.iter().map(|phone| phone.refused).sum();
    for phone in phones {
        phone.party.end()?;
    }
    steps.end();
    Ok(json!({
        "seed": args.seed,
        "devices": size.devices,
        "recorded": total,
        "saved": total,
        "handed": handed,
        "received": number(&ingested, "entries"),
        "purged": purged,
        "lost": lost,
        "duplicated": doubled,
        "hub_restarts": hub.restarts,
        "wire_bytes": wire,
        "refused": refused,
        "refusals_counted": refusals,
        "missing": number(&ingested, "missing"),
        "report": text(&report, "report")?,
    }))
}

/// Starts a device, enrols it with six compared words, and unlocks it.
fn enrol(
    programs: &Programs,
    desk: &Desk,
    out: &Path,
    seed: u64,
    n: usize,
    devices: usize,
) -> anyhow::Result<Phone> {
    let invitation = out.join(format!("invitation-{n}.txt"));
    let point = POINTS.get(n % POINTS.len()).copied().unwrap_or("");
    desk.ask(&[
        "enrol",
        "new",
        "--role",
        "monitor",
        "--point",
        point,
        "--out",
        &invitation.to_string_lossy(),
    ])?;
    let mut party = Party::start(
        &format!("device {n}"),
        &mut Command::new(programs.path("landfall-device")),
    )?;
    let home = out.join(format!("device-{n}"));
    let passcode = format!(
        "{:08}",
        (seed ^ (n as u64 + 1).wrapping_mul(0x9E37_79B9)) % 100_000_000
    );
    party.ask(
        &json!({ "cmd": "device", "home": home, "guard_seed": format!("{:064x}", n + 1), "tuning": "tests" }),
    )?;
    party.ask(&json!({ "cmd": "clock", "set": { "wall_s": world::MIDNIGHT, "tz_min": world::ZONE_MIN, "boot": 1, "elapsed_ms": 1_000, "doubtful": false } }))?;
    let begun = party.ask(&json!({ "cmd": "enrol_begin", "invitation": std::fs::read_to_string(&invitation)?, "passcode": passcode }))?;
    let words = desk.ask(&["enrol", "answer", text(&begun, "reply")?])?;
    ensure!(
        words.get("words") == begun.get("words"),
        "the six words of device {n} differ"
    );
    let six: Vec<&str> = words
        .get("words")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    desk.ask(&["enrol", "confirm", &six.join(" ")])?;
    party.ask(&json!({ "cmd": "enrol_confirm", "passcode": passcode, "same": true }))?;
    party.ask(&json!({ "cmd": "unlock", "passcode": passcode }))?;
    std::fs::remove_file(invitation)?;
    Ok(Phone {
        party,
        by_hand: n + 1 == devices,
        entries: BTreeSet::new(),
        envelopes: BTreeSet::new(),
        refused: 0,
    })
}

/// Every device records its shift, all of them at the same time.
fn record(phones: &mut [Phone], shifts: Vec<Shift>, steps: &Progress) -> anyhow::Result<()> {
    let total: usize = shifts
        .iter()
        .flat_map(|s| &s.arrivals)
        .map(|a| 1 + a.interviews.len())
        .sum();
    steps.at(0, total as u64);
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (n, (phone, shift)) in phones.iter_mut().zip(shifts).enumerate() {
            running.push(scope.spawn(move || -> anyhow::Result<()> {
                for arrival in shift.arrivals {
                    phone.arrival(arrival, steps)?;
                }
                // The second device is locked from here on: it sends and hears its receipts all the same.
                if n == 1 {
                    phone.party.ask(&json!({ "cmd": "lock" }))?;
                }
                Ok(())
            }));
        }
        for thread in running {
            thread
                .join()
                .map_err(|_| anyhow::anyhow!("a device's thread broke off"))??;
        }
        Ok(())
    })
}

impl Phone {
    fn arrival(&mut self, arrival: world::Arrival, steps: &Progress) -> anyhow::Result<()> {
        self.party.ask(&json!({ "cmd": "clock", "set": {
            "wall_s": arrival.at + 300, "tz_min": world::ZONE_MIN, "boot": 1,
            "elapsed_ms": (arrival.at + 300 - world::MIDNIGHT) * 1000, "doubtful": false,
        } }))?;
        let saved = self
            .party
            .ask(&json!({ "cmd": "tally", "answers": arrival.tally }))?;
        self.keep(&saved)?;
        steps.one();
        let event = saved.get("event").cloned().unwrap_or_default();
        for answers in arrival.interviews {
            let saved = self
                .party
                .ask(&json!({ "cmd": "interview", "event": event, "answers": answers }))?;
            self.keep(&saved)?;
            self.refused += u64::from(saved.get("outcome").and_then(Value::as_str) == Some("refused"));
            steps.one();
        }
        Ok(())
    }

    /// Notes what the device has acknowledged. Nothing else counts as saved.
    fn keep(&mut self, saved: &Value) -> anyhow::Result<()> {
        let outcome = text(saved, "outcome")?;
        ensure!(
            matches!(outcome, "saved" | "refused"),
            "a device could not save: {outcome}"
        );
        let entries = saved
            .get("entries")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        self.entries
            .extend(entries.filter_map(Value::as_str).map(str::to_owned));
        self.envelopes
            .extend(saved.get("envelope").and_then(Value::as_str).map(str::to_owned));
        Ok(())
    }
}

fn courier_run() -> Value {
    json!({ "cmd": "courier", "budget_ms": 4_000 })
}

/// One run of a device's courier, as when connectivity has just changed; and how much it has not handed over yet.
fn send(phone: &mut Phone) -> anyhow::Result<Value> {
    let mut report = phone.party.ask(&courier_run())?;
    let counts = phone.party.ask(&json!({ "cmd": "counts" }))?;
    if let Some(map) = report.as_object_mut() {
        map.insert("waiting_unhanded".to_owned(), json!(number(&counts, "saved")));
    }
    Ok(report)
}

/// The person with the stick, and the machine that is online.
struct Carry<'a> {
    desk: &'a Desk,
    url: &'a str,
    courier: &'a str,
    admin: &'a str,
    out: &'a Path,
}

impl Carry<'_> {
    fn bundle(&self, name: &str) -> PathBuf {
        self.out.join(format!("{name}.landfall"))
    }

    /// Takes what lies at the hub into a bundle.
    fn pull(&self, name: &str) -> anyhow::Result<PathBuf> {
        let bundle = self.bundle(name);
        let out = bundle.to_string_lossy();
        desk(
            &self.desk.bin,
            None,
            &[
                "pull",
                "--hub",
                self.url,
                "--courier",
                self.courier,
                "--out",
                &out,
            ],
        )?;
        Ok(bundle)
    }

    /// Has the desk write its answers, and carries them to the hub.
    fn push(&self, name: &str) -> anyhow::Result<Value> {
        let bundle = self.bundle(name);
        let file = bundle.to_string_lossy();
        self.desk.ask(&["outgoing", "--out", &file])?;
        let args = [
            "push",
            "--hub",
            self.url,
            "--courier",
            self.courier,
            "--admin-file",
            self.admin,
            &file,
        ];
        desk(&self.desk.bin, None, &args)
    }
}

fn wire_bytes(link: &mut Party) -> anyhow::Result<u64> {
    link.tell("stats")?;
    let stats: Value = serde_json::from_str(&link.line()?)?;
    Ok(number(&stats, "bytes_up") + number(&stats, "bytes_down"))
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value
        .get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("an answer lacks {key}"))
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// What is going on, on stderr: a bar where somebody looks, a line a step where nobody does.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    fn say(&self, what: &'static str) {
        if self.bar.is_hidden() {
            eprintln!("{what}");
        }
        self.bar.set_length(0);
        self.bar.set_position(0);
        self.bar.set_message(what);
    }

    fn at(&self, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
    }

    fn one(&self) {
        self.bar.inc(1);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn print(summary: &Value) {
    println!();
    for (key, label) in [
        ("devices", "phones"),
        ("recorded", "records called saved"),
        ("handed", "handed over by the network"),
        ("received", "received by the desk"),
        ("purged", "deleted on the phones after the backup"),
        ("refusals_counted", "people who did not want an interview"),
        ("hub_restarts", "times the hub was killed"),
        ("wire_bytes", "bytes on the wire"),
        ("lost", "lost"),
        ("duplicated", "doubled"),
    ] {
        println!("{label:<42} {:>12}", number(summary, key));
    }
    println!(
        "\nReport: {}",
        summary.get("report").and_then(Value::as_str).unwrap_or("")
    );
}
