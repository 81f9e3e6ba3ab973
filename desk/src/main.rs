//! `landfall-desk`: the command line of the desk. Thin: every command is one call of the library. A binary may print;
//! messages and progress go to stderr, answers to stdout, and nothing else goes there.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a binary may print")]
#![allow(unreachable_pub, reason = "in a binary, pub means: between its modules")]

mod form_cmd;

use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use indicatif::ProgressBar;
use landfall_desk::report::{self, ReportInput};
use landfall_desk::{Costs, Desk, standard_pack, tables};
use landfall_model::fold;
use landfall_seal::random;
use landfall_stats::{By, Period};
use landfall_sync::HubClient;
use landfall_sync::carry::{self, AdminFile, CourierFile};
use landfall_sync::rng::FnRng;
use landfall_wire::clock::SystemClock;
use landfall_wire::ids::DeviceId;
use serde_json::{Value, json};
use zeroize::Zeroizing;

#[derive(Debug, Parser)]
#[command(name = "landfall-desk", version, about = "The coordinator's offline workstation", after_help = EXITS)]
struct Cli {
    /// Where the desk lives
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// A file whose first line is the passphrase; otherwise it is asked for
    #[arg(long, global = true, value_name = "F")]
    passphrase_file: Option<PathBuf>,
    /// Answer with one JSON document on stdout
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXITS: &str = "Exit codes: 0 done, 1 refused (nothing changed), 2 wrong usage, 3 the environment lacks something, \
4 damaged or untrusted material (named, kept aside)";

#[derive(Debug, Subcommand)]
enum Command {
    /// Found an organisation: root keys, charter, manifest, first epoch key, database
    #[command(
        after_help = "Example: landfall-desk --home desk init --org \"Our network\" --recovery-out keys"
    )]
    Init {
        /// Name of the organisation
        #[arg(long)]
        org: String,
        /// Where the three root key files go; give each to another board member
        #[arg(long, value_name = "DIR")]
        recovery_out: PathBuf,
    },
    /// Hubs that carry for this organisation
    #[command(subcommand)]
    Hub(HubCommand),
    /// Enrol devices: invitation, reply, six words, confirmation
    #[command(subcommand)]
    Enrol(EnrolCommand),
    /// On an online machine: take everything that is not acknowledged from the inbox into a bundle
    #[command(
        after_help = "Example: landfall-desk pull --hub https://hub.example --courier courier.json --out in.landfall"
    )]
    Pull(CarryArgs),
    /// On an online machine: carry what the desk made to the hub
    #[command(
        after_help = "Example: landfall-desk push --hub https://hub.example --courier courier.json out.landfall"
    )]
    Push(PushArgs),
    /// Open and verify bundles; what fails is set aside with a reason
    #[command(after_help = "Example: landfall-desk --home desk ingest in.landfall")]
    Ingest {
        /// The bundles
        #[arg(required = true)]
        bundles: Vec<PathBuf>,
    },
    /// Write what is to travel back: receipts, acknowledgements, capabilities
    #[command(after_help = "Example: landfall-desk --home desk outgoing --out out.landfall")]
    Outgoing {
        /// Where the bundle goes
        #[arg(long, value_name = "F")]
        out: PathBuf,
        /// Say everything of the last 60 days once more
        #[arg(long)]
        again: bool,
    },
    /// Copy data and keyring to a second medium, read them back and compare
    #[command(after_help = "Example: landfall-desk --home desk backup /media/stick/landfall")]
    Backup {
        /// The folder on the second medium
        dir: PathBuf,
    },
    /// What is set aside, and why
    #[command(after_help = "Example: landfall-desk --home desk quarantine --json")]
    Quarantine,
    /// Which numbers of which phones are missing
    #[command(after_help = "Example: landfall-desk --home desk gaps")]
    Gaps,
    /// The cases
    #[command(after_help = "Example: landfall-desk --home desk cases --json")]
    Cases,
    /// One case, by its code
    #[command(after_help = "Example: landfall-desk --home desk case QK7F-41MC")]
    Case {
        /// The code
        code: String,
    },
    /// Check frame, signature, hash and chain of every stored entry
    #[command(after_help = "Example: landfall-desk --home desk verify")]
    Verify {
        /// List the hashes of all entries
        #[arg(long)]
        entries: bool,
    },
    /// Protected tables of indicators
    #[command(
        after_help = "Example: landfall-desk --home desk tabulate I01,I06 --by corridor --period 2026-Q1"
    )]
    Tabulate {
        /// Indicators, comma separated
        #[arg(value_delimiter = ',', required = true)]
        indicators: Vec<String>,
        /// Cuts, comma separated: month, corridor, point
        #[arg(long, value_delimiter = ',')]
        by: Vec<String>,
        /// A year, a quarter or a month
        #[arg(long)]
        period: Option<String>,
    },
    /// The public report and its tables
    #[command(after_help = "Example: landfall-desk --home desk report --period 2026-03 --out report")]
    Report {
        /// A year, a quarter or a month
        #[arg(long)]
        period: String,
        /// Language
        #[arg(long, default_value = "en")]
        lang: String,
        /// Day of the edition, YYYY-MM-DD; else the day of the newest record
        #[arg(long)]
        edition: Option<NaiveDate>,
        /// Where the files go
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Check, fill and pack forms
    Form(form_cmd::FormArgs),
}

#[derive(Debug, Subcommand)]
enum HubCommand {
    /// Add a hub; its address enters the manifest
    #[command(
        after_help = "Example: landfall-desk --home desk hub add https://hub.example --courier-out courier.json"
    )]
    Add {
        /// The address
        url: String,
        /// Where the courier file goes; it is a secret
        #[arg(long, value_name = "F")]
        courier_out: PathBuf,
    },
    /// List the hubs
    #[command(after_help = "Example: landfall-desk --home desk hub list --json")]
    List,
}

#[derive(Debug, Subcommand)]
enum EnrolCommand {
    /// Make an invitation
    #[command(
        after_help = "Example: landfall-desk --home desk enrol new --role monitor --point malpasse --out invitation.txt"
    )]
    New {
        /// monitor, returnee, desk_coordinator, reporting_partner or auditor
        #[arg(long)]
        role: String,
        /// Code of the monitoring point
        #[arg(long, default_value = "")]
        point: String,
        /// Language of the six words: en, fr, es or pt
        #[arg(long, default_value = "en")]
        words: String,
        /// Where the invitation goes; otherwise it is printed
        #[arg(long, value_name = "F")]
        out: Option<PathBuf>,
    },
    /// Take a device's reply and show the six words to compare
    #[command(after_help = "Example: landfall-desk --home desk enrol answer reply.txt")]
    Answer {
        /// The reply's text, or a file that holds it
        reply: String,
    },
    /// Enrol the device whose six words these are
    #[command(
        after_help = "Example: landfall-desk --home desk enrol confirm \"one two three four five six\""
    )]
    Confirm {
        /// The six words
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// List devices and open invitations
    #[command(after_help = "Example: landfall-desk --home desk enrol list --json")]
    List,
    /// Stop a device
    #[command(
        after_help = "Example: landfall-desk --home desk enrol revoke 0123456789abcdef0123456789abcdef"
    )]
    Revoke {
        /// Its id
        device: String,
    },
}

#[derive(Debug, Args)]
struct CarryArgs {
    /// Address of the hub
    #[arg(long, value_name = "URL")]
    hub: String,
    /// The courier file of `hub add`
    #[arg(long, value_name = "F")]
    courier: PathBuf,
    /// Where the bundle goes
    #[arg(long, value_name = "F")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct PushArgs {
    /// Address of the hub
    #[arg(long, value_name = "URL")]
    hub: String,
    /// The courier file of `hub add`
    #[arg(long, value_name = "F")]
    courier: PathBuf,
    /// The hub's admin file, to register and revoke capabilities
    #[arg(long, value_name = "F")]
    admin_file: Option<PathBuf>,
    /// The bundle of `outgoing`
    bundle: PathBuf,
}

/// What a command answers: its exit code, JSON, and lines for a person.
struct Answer {
    code: u8,
    json: Value,
    text: String,
}

impl Answer {
    fn done(json: Value, text: impl Into<String>) -> Self {
        Self {
            code: 0,
            json,
            text: text.into(),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let as_json = cli.json;
    match run(cli) {
        Ok(answer) => {
            if as_json && !answer.json.is_null() {
                println!("{}", answer.json);
            } else if !as_json && !answer.text.is_empty() {
                println!("{}", answer.text.trim_end());
            }
            ExitCode::from(answer.code)
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<landfall_desk::Error>() {
        return error.exit_code();
    }
    if let Some(error) = error.downcast_ref::<landfall_sync::Error>() {
        return match error {
            landfall_sync::Error::Wire(_) | landfall_sync::Error::Damaged => 4,
            landfall_sync::Error::Hub(_) | landfall_sync::Error::Io { .. } => 3,
            _ => 1,
        };
    }
    if error.downcast_ref::<std::io::Error>().is_some() {
        3
    } else {
        1
    }
}

fn run(cli: Cli) -> anyhow::Result<Answer> {
    let Cli {
        home,
        passphrase_file,
        json: _,
        command,
    } = cli;
    match command {
        Command::Pull(args) => return pull(&args),
        Command::Push(args) => return push(&args),
        Command::Form(args) => {
            // It prints its own answer.
            return Ok(Answer {
                code: form_cmd::run(args)?,
                json: Value::Null,
                text: String::new(),
            });
        }
        _ => {}
    }
    let Some(home) = home else {
        let mut usage = <Cli as clap::CommandFactory>::command();
        let kind = clap::error::ErrorKind::MissingRequiredArgument;
        usage.error(kind, "say where the desk lives: --home DIR").exit();
    };
    if let Command::Init { org, recovery_out } = &command {
        let passphrase = passphrase(passphrase_file.as_deref(), true)?;
        return init(&home, org, recovery_out, &passphrase);
    }
    let passphrase = passphrase(passphrase_file.as_deref(), false)?;
    let mut desk = Desk::open(&home, &passphrase, Arc::new(SystemClock::new()))?;
    let answer = match command {
        Command::Hub(command) => hub(&mut desk, command)?,
        Command::Enrol(command) => enrol(&mut desk, command)?,
        Command::Ingest { bundles } => ingest(&mut desk, &bundles)?,
        Command::Outgoing { out, again } => outgoing(&mut desk, &out, again)?,
        Command::Backup { dir } => {
            let done = desk.backup(&dir)?;
            let entries = done.entries;
            Answer::done(
                json!({ "entries": entries, "envelopes": done.envelopes }),
                format!("{entries} records stand on the second medium, read back and compared."),
            )
        }
        Command::Quarantine => quarantine(&desk)?,
        Command::Gaps => gaps(&desk)?,
        Command::Cases => cases(&desk, None)?,
        Command::Case { code } => cases(&desk, Some(&code))?,
        Command::Verify { entries } => verify(&desk, entries)?,
        Command::Tabulate {
            indicators,
            by,
            period,
        } => tabulate(&desk, &indicators, &by, period.as_deref())?,
        Command::Report {
            period,
            lang,
            edition,
            out,
        } => report(&desk, &period, &lang, edition, &out)?,
        Command::Init { .. } | Command::Pull(_) | Command::Push(_) | Command::Form(_) => {
            Answer::done(Value::Null, "")
        }
    };
    desk.close()?;
    Ok(answer)
}

/// The first line of a file, or of the prompt, which shows nothing. At init it is asked for twice.
fn passphrase(file: Option<&Path>, new: bool) -> anyhow::Result<Zeroizing<String>> {
    if let Some(path) = file {
        let mut text = Zeroizing::new(String::new());
        File::open(path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .context("reading the passphrase file")?;
        let line = text.lines().next().unwrap_or("");
        anyhow::ensure!(!line.is_empty(), "the passphrase file is empty");
        return Ok(Zeroizing::new(line.to_owned()));
    }
    anyhow::ensure!(
        std::io::stdin().is_terminal(),
        "nobody to ask for the passphrase: --passphrase-file F"
    );
    let first = Zeroizing::new(rpassword::prompt_password("Passphrase: ")?);
    if new {
        let second = Zeroizing::new(rpassword::prompt_password("Once more: ")?);
        anyhow::ensure!(first == second, "the two differ; nothing was made");
    }
    Ok(first)
}

fn init(home: &Path, org: &str, recovery: &Path, passphrase: &str) -> anyhow::Result<Answer> {
    let (desk, keys) = Desk::init(
        home,
        org,
        recovery,
        passphrase,
        &Costs::default(),
        Arc::new(SystemClock::new()),
    )?;
    desk.close()?;
    let mut text = format!(
        "{org} is founded. Three root keys lie in {}.\n",
        recovery.display()
    );
    text.push_str("Give each file and its six words to another board member, on paper and on own media:\n");
    let mut files = Vec::new();
    for key in &keys {
        let name = key
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        text.push_str(&format!("  {name}: {}\n", key.passphrase.as_str()));
        files.push(json!({ "file": name, "words": key.passphrase.as_str() }));
    }
    text.push_str("These words are shown once. Recovery from sheets is not built yet: keep backups.\n");
    Ok(Answer::done(
        json!({ "organisation": org, "root_keys": files }),
        text,
    ))
}

fn hub(desk: &mut Desk, command: HubCommand) -> anyhow::Result<Answer> {
    match command {
        HubCommand::Add { url, courier_out } => {
            anyhow::ensure!(
                !courier_out.exists(),
                "a file lies there already: {}",
                courier_out.display()
            );
            let (read_cap, downlink_cap) = desk.add_hub(&url)?;
            let courier = CourierFile {
                url: url.clone(),
                inbox: desk.inbox()?,
                read_cap,
                downlink_cap,
            };
            courier.write(&courier_out)?;
            let text =
                format!("{url} carries from now on. The courier file is a secret: it can delete, not read.");
            Ok(Answer::done(json!({ "url": url }), text))
        }
        HubCommand::List => {
            let hubs = desk.hubs()?;
            let text = if hubs.is_empty() {
                "No hub yet.".to_owned()
            } else {
                hubs.join("\n")
            };
            Ok(Answer::done(json!({ "hubs": hubs }), text))
        }
    }
}

fn enrol(desk: &mut Desk, command: EnrolCommand) -> anyhow::Result<Answer> {
    match command {
        EnrolCommand::New {
            role,
            point,
            words,
            out,
        } => {
            let text = desk.invite(&role, &point, &words)?;
            match out {
                Some(path) => {
                    landfall_desk::write_secret(&path, text.as_bytes())?;
                    Ok(Answer::done(
                        json!({ "invitation": path }),
                        "The invitation stands for 7 days and one device.",
                    ))
                }
                None => Ok(Answer::done(json!({ "invitation": text }), text)),
            }
        }
        EnrolCommand::Answer { reply } => {
            let reply = if Path::new(&reply).is_file() {
                std::fs::read_to_string(&reply)?
            } else {
                reply
            };
            let words = desk.answer(&reply)?;
            let text = format!("Does the device show the same six words?\n  {}", words.join(" "));
            Ok(Answer::done(json!({ "words": words }), text))
        }
        EnrolCommand::Confirm { words } => {
            let device = desk.confirm(&words.join(" "))?;
            let text = format!("Enrolled: {device}. It can send after the next `outgoing` and `push`.");
            Ok(Answer::done(json!({ "device": device }), text))
        }
        EnrolCommand::List => {
            let devices = desk.devices()?;
            let waiting = desk.waiting()?;
            let rows: Vec<Value> = devices
                .iter()
                .map(|d| json!({ "device": d.id, "role": d.role, "point": d.point, "revoked": d.revoked, "confirmed_s": d.confirmed_s, "entries": d.entries }))
                .collect();
            let mut text = String::new();
            for d in &devices {
                let state = if d.revoked { "stopped" } else { "enrolled" };
                text.push_str(&format!(
                    "{}  {}  {}  {state}  {} records\n",
                    d.id, d.role, d.point, d.entries
                ));
            }
            for (digest, answered) in &waiting {
                let state = if *answered {
                    "waits for its words"
                } else {
                    "waits for a reply"
                };
                text.push_str(&format!("invitation {digest:?}  {state}\n"));
            }
            let open: Vec<Value> = waiting
                .iter()
                .map(|(digest, answered)| json!({ "invitation": digest, "answered": answered }))
                .collect();
            Ok(Answer::done(
                json!({ "devices": rows, "invitations": open }),
                text,
            ))
        }
        EnrolCommand::Revoke { device } => {
            let id = DeviceId::from_hex(&device).map_err(|_| landfall_desk::Error::UnknownDevice)?;
            desk.revoke(&id)?;
            let text = "Stopped. What it recorded later is set aside. We cannot delete what is on it while it stays offline.";
            Ok(Answer::done(json!({ "revoked": id }), text))
        }
    }
}

fn ingest(desk: &mut Desk, bundles: &[PathBuf]) -> anyhow::Result<Answer> {
    let mut sum = landfall_desk::Ingested::default();
    let mut damaged = Vec::new();
    let bar = ProgressBar::new_spinner();
    for path in bundles {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let before = sum.read;
        let end = desk.ingest(BufReader::new(file), |read| bar.set_position(before + read))?;
        let one = end.ingested;
        sum.read += one.read;
        sum.new += one.new;
        sum.known += one.known;
        sum.held += one.held;
        sum.unopenable += one.unopenable;
        sum.entries += one.entries;
        if let Some(error) = end.damaged {
            eprintln!("{}: {error}", path.display());
            damaged.push(json!({ "file": path, "error": error.to_string() }));
        }
    }
    bar.finish_and_clear();
    let gaps: u64 = desk
        .gaps()?
        .iter()
        .flat_map(|g| &g.ranges)
        .map(|(from, to)| to - from + 1)
        .sum();
    let forks = desk.forks()?.len();
    let waiting = desk.without_backup()?;
    let mut text = format!(
        "{} envelopes: {} new with {} records, {} known, {} set aside, {} not to be opened. {gaps} records are missing.",
        sum.read, sum.new, sum.entries, sum.known, sum.held, sum.unopenable
    );
    if forks > 0 {
        text.push_str(&format!(" A phone was cloned or restored: {forks} forks."));
    }
    text.push_str(&format!(
        "\n{waiting} records have no backup yet. Their phones keep them until there is one."
    ));
    let json = json!({
        "read": sum.read, "new": sum.new, "entries": sum.entries, "known": sum.known, "held": sum.held,
        "unopenable": sum.unopenable, "missing": gaps, "forks": forks, "without_backup": waiting, "damaged": damaged,
    });
    let clean = damaged.is_empty() && sum.held == 0 && sum.unopenable == 0;
    Ok(Answer {
        code: if clean { 0 } else { 4 },
        json,
        text,
    })
}

fn outgoing(desk: &mut Desk, out: &Path, again: bool) -> anyhow::Result<Answer> {
    anyhow::ensure!(!out.exists(), "a file lies there already: {}", out.display());
    let mut part = out.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = File::create(&part).context("writing the bundle")?;
    let (made, writer) = desk.outgoing(BufWriter::new(file), again)?;
    let file = writer
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .context("writing the bundle")?;
    file.sync_all()?;
    std::fs::rename(&part, out)?;
    let waiting = desk.without_backup()?;
    let text = format!(
        "{} receipts for {} phones, {} envelopes that the hub may delete.\n{waiting} records have no backup yet. Their phones keep them until there is one.",
        made.receipts, made.devices, made.acks
    );
    let json = json!({
        "receipts": made.receipts, "devices": made.devices, "acks": made.acks,
        "capabilities": made.capabilities, "without_backup": waiting,
    });
    Ok(Answer::done(json, text))
}

fn quarantine(desk: &Desk) -> anyhow::Result<Answer> {
    let rows = desk.set_aside()?;
    let mut text = String::new();
    let mut list = Vec::new();
    for row in &rows {
        let (word, meaning) = row
            .reason
            .map_or(("unknown", "Unknown."), |r| (r.word(), r.meaning()));
        text.push_str(&format!("{:?}  {word}: {meaning}\n", row.digest));
        list.push(json!({ "envelope": row.digest, "device": row.device, "reason": word, "size": row.size, "day": row.day }));
    }
    if rows.is_empty() {
        text.push_str("Everything passed its checks.");
    }
    Ok(Answer::done(json!({ "quarantine": list }), text))
}

fn gaps(desk: &Desk) -> anyhow::Result<Answer> {
    let rows = desk.gaps()?;
    let mut text = String::new();
    for row in &rows {
        let ranges: Vec<String> = row
            .ranges
            .iter()
            .map(|(from, to)| format!("{from}–{to}"))
            .collect();
        text.push_str(&format!("{}  missing {}\n", row.device, ranges.join(", ")));
    }
    if rows.is_empty() {
        text.push_str("Nothing is missing.");
    }
    let list: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "device": row.device, "missing": row.ranges }))
        .collect();
    Ok(Answer::done(json!({ "gaps": list }), text))
}

fn cases(desk: &Desk, code: Option<&str>) -> anyhow::Result<Answer> {
    let entries = desk.entries()?;
    let wanted = code.map(str::parse::<landfall_model::CaseCode>).transpose();
    let wanted =
        wanted.map_err(|_| anyhow::anyhow!("that is no case code: the check character does not fit"))?;
    let mut text = String::new();
    let mut list = Vec::new();
    for case in fold::fold_cases(&entries).values() {
        if wanted.as_ref().is_some_and(|wanted| !case.codes.contains(wanted)) {
            continue;
        }
        let codes: Vec<String> = case.codes.iter().map(landfall_model::CaseCode::to_text).collect();
        let kinds: Vec<&str> = case.records.keys().map(|kind| kind.code()).collect();
        let granted: Vec<&str> = case.granted.iter().map(|scope| scope.code()).collect();
        let conflict = case.is_conflict();
        text.push_str(&format!(
            "{}  {}  agreed: {}",
            codes.join(" "),
            kinds.join(", "),
            granted.join(", ")
        ));
        text.push_str(if conflict { "  two versions\n" } else { "\n" });
        list.push(json!({ "codes": codes, "events": case.events, "records": kinds, "granted": granted, "conflict": conflict }));
    }
    if code.is_some() && list.is_empty() {
        return Ok(Answer {
            code: 1,
            json: json!({ "cases": [] }),
            text: "No case with that code here.".to_owned(),
        });
    }
    if list.is_empty() {
        text.push_str("No case yet.");
    }
    Ok(Answer::done(json!({ "cases": list }), text))
}

fn verify(desk: &Desk, list: bool) -> anyhow::Result<Answer> {
    let found = desk.verify()?;
    let checked = found.entries.len();
    let mut json = json!({ "checked": checked, "bad_row": found.bad_row });
    if list && let Some(map) = json.as_object_mut() {
        map.insert("entries".to_owned(), json!(found.entries));
    }
    Ok(match found.bad_row {
        None => Answer::done(json, format!("{checked} records checked: nothing was changed.")),
        Some(row) => {
            let text =
                format!("Row {row} was changed after it was written. {checked} before it are as they were.");
            eprintln!("{text}");
            Answer {
                code: 4,
                json,
                text: String::new(),
            }
        }
    })
}

fn tabulate(desk: &Desk, ids: &[String], by: &[String], period: Option<&str>) -> anyhow::Result<Answer> {
    let by = by
        .iter()
        .map(|word| By::from_word(word))
        .collect::<Result<Vec<_>, _>>()?;
    let period = period.map(str::parse::<Period>).transpose()?;
    let asked = tables::ask(&standard_pack()?, &desk.entries()?, ids, &by, period)?;
    let list: Vec<Value> = asked.iter().map(tables::Asked::json).collect();
    let text: Vec<String> = asked.iter().map(tables::Asked::text).collect();
    Ok(Answer::done(json!({ "indicators": list }), text.join("\n")))
}

fn report(
    desk: &Desk,
    period: &str,
    lang: &str,
    edition: Option<NaiveDate>,
    out: &Path,
) -> anyhow::Result<Answer> {
    let mut input = ReportInput::from_entries(
        &desk.organisation()?,
        period.parse()?,
        edition,
        lang,
        &standard_pack()?,
        &desk.entries()?,
    )?;
    input.missing = desk
        .gaps()?
        .iter()
        .flat_map(|g| &g.ranges)
        .map(|(from, to)| to - from + 1)
        .sum();
    input.set_aside += desk.set_aside()?.len() as u64;
    let files = report::make(&input)?;
    std::fs::create_dir_all(out.join("tables")).context("making the report's folder")?;
    for (name, text) in &files.tables {
        std::fs::write(out.join("tables").join(name), text).context("writing a table")?;
    }
    let path = out.join("report.html");
    std::fs::write(&path, &files.html).context("writing the report")?;
    let text = format!(
        "{} ({} tables, check {})",
        path.display(),
        files.tables.len(),
        files.check
    );
    Ok(Answer::done(
        json!({ "report": path, "tables": files.tables.len(), "check": files.check }),
        text,
    ))
}

fn pull(args: &CarryArgs) -> anyhow::Result<Answer> {
    let courier = courier(&args.courier, &args.hub)?;
    let hub = HubClient::for_url(&args.hub)?;
    let pulled = carry::pull(
        &hub,
        &courier,
        &args.out,
        &mut FnRng(|buffer: &mut [u8]| random::fill(buffer)),
    )?;
    let text = format!(
        "{} envelopes in {}. Nothing was acknowledged.",
        pulled.envelopes,
        args.out.display()
    );
    Ok(Answer::done(serde_json::to_value(&pulled)?, text))
}

fn push(args: &PushArgs) -> anyhow::Result<Answer> {
    let courier = courier(&args.courier, &args.hub)?;
    let admin = args.admin_file.as_deref().map(AdminFile::read).transpose()?;
    let hub = HubClient::for_url(&args.hub)?;
    let mut rng = FnRng(|buffer: &mut [u8]| random::fill(buffer));
    let pushed = carry::push(&hub, &courier, admin.as_ref(), &args.bundle, &mut rng)?;
    let text = format!(
        "{} messages handed to the hub, {} envelopes deleted there.",
        pushed.downlinks, pushed.acked
    );
    Ok(Answer::done(serde_json::to_value(&pushed)?, text))
}

fn courier(path: &Path, hub: &str) -> anyhow::Result<CourierFile> {
    let courier = CourierFile::read(path)?;
    anyhow::ensure!(courier.url == hub, "this courier file is for {}", courier.url);
    Ok(courier)
}
