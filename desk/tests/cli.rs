//! The command line: exit codes, one JSON document on stdout, examples. The home is made in process, at test costs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use landfall_desk::{Costs, Desk};
use landfall_seal::{Tuning, WorkFactor};
use landfall_wire::bundle::{BundleReader, BundleWriter, Item, Kind};
use landfall_wire::clock::TestClock;
use serde_json::Value;
use tempfile::TempDir;

const PASSPHRASE: &str = "otter lamp river";

fn desk_with(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_landfall-desk"))
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

struct Home {
    dir: TempDir,
}

impl Home {
    fn make() -> Self {
        let dir = TempDir::new().unwrap();
        let costs = Costs {
            tuning: Tuning::desk_for_tests(),
            work: WorkFactor::for_tests(),
        };
        let clock = Arc::new(TestClock::at(1_763_822_400));
        let (desk, _) = Desk::init(
            &dir.path().join("home"),
            "Our network",
            &dir.path().join("keys"),
            PASSPHRASE,
            &costs,
            clock,
        )
        .unwrap();
        desk.close().unwrap();
        let home = Self { dir };
        fs::write(home.path("passphrase"), format!("{PASSPHRASE}\nsecond line\n")).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let (home, file) = (self.text("home"), self.text("passphrase"));
        desk_with(&[&["--home", &home, "--passphrase-file", &file], arguments].concat())
    }

    /// The exit code, and the one document that stands on stdout.
    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[&["--json"], arguments].concat());
        (code(&output), document(&output))
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("ended by itself")
}

/// Refuses anything before or after it.
fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../forms/arrival_tally")
}

#[test]
fn a_round_answers_with_documents() {
    let home = Home::make();
    let (done, hub) = home.json(&[
        "hub",
        "add",
        "http://127.0.0.1:8470",
        "--courier-out",
        &home.text("courier.json"),
    ]);
    assert_eq!((done, &hub["url"]), (0, &Value::from("http://127.0.0.1:8470")));
    assert_eq!(home.json(&["hub", "list"]).1["hubs"][0], "http://127.0.0.1:8470");
    let (done, _) = home.json(&[
        "enrol",
        "new",
        "--role",
        "monitor",
        "--out",
        &home.text("invitation.txt"),
    ]);
    assert_eq!(done, 0);
    let (_, list) = home.json(&["enrol", "list"]);
    assert_eq!(list["devices"].as_array().unwrap().len(), 0);
    assert_eq!(list["invitations"][0]["answered"], false);
    let (done, made) = home.json(&["outgoing", "--out", &home.text("out.landfall")]);
    assert_eq!(
        (done, &made["receipts"], &made["without_backup"]),
        (0, &0.into(), &0.into())
    );
    let file = fs::File::open(home.path("out.landfall")).unwrap();
    assert_eq!(BundleReader::new(file).unwrap().kind(), Kind::Downlink);
    let (done, copy) = home.json(&["backup", &home.text("stick")]);
    assert_eq!((done, &copy["entries"]), (0, &0.into()));
    let (done, found) = home.json(&["verify", "--entries"]);
    assert_eq!(done, 0);
    assert!(found["bad_row"].is_null());
    assert_eq!(found["entries"].as_array().unwrap().len(), 0);
    for (command, key) in [("quarantine", "quarantine"), ("gaps", "gaps"), ("cases", "cases")] {
        let (done, answer) = home.json(&[command]);
        assert_eq!((done, answer[key].as_array().unwrap().len()), (0, 0), "{command}");
    }
}

#[test]
fn refusals_end_with_one_and_an_empty_stdout() {
    let home = Home::make();
    fs::write(home.path("wrong"), "otter\n").unwrap();
    fs::write(home.path("there"), "mine").unwrap();
    fs::create_dir_all(home.path("home/att")).unwrap();
    let (place, wrong, there) = (home.text("home"), home.text("wrong"), home.text("there"));
    let inside = home.text("home/att");
    let outputs = [
        desk_with(&["--json", "--home", &place, "--passphrase-file", &wrong, "gaps"]),
        desk_with(&["--json", "--home", &place, "gaps"]),
        home.run(&["--json", "enrol", "confirm", "one two three four five six"]),
        home.run(&["--json", "enrol", "new", "--role", "king"]),
        home.run(&[
            "--json",
            "hub",
            "add",
            "http://hub.example",
            "--courier-out",
            &home.text("c"),
        ]),
        home.run(&["--json", "outgoing", "--out", &there]),
        home.run(&["--json", "backup", &inside]),
    ];
    for output in outputs {
        assert_eq!(code(&output), 1, "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(fs::read(home.path("there")).unwrap(), b"mine");
    assert!(!home.path("c").exists());
}

#[test]
fn wrong_usage_ends_with_two_and_a_missing_desk_with_three() {
    let home = Home::make();
    for arguments in [
        &["nonsense"][..],
        &[],
        &["ingest"],
        &["outgoing"],
        &["gaps", "--passphrase", "x"],
        &["gaps"],
    ] {
        let output = desk_with(arguments);
        assert_eq!(code(&output), 2, "{arguments:?} {output:?}");
    }
    let (nowhere, file) = (home.text("nowhere"), home.text("passphrase"));
    let output = desk_with(&["--home", &nowhere, "--passphrase-file", &file, "gaps"]);
    assert_eq!(code(&output), 3, "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("landfall-desk init"),
        "names the line that makes one"
    );
    assert_eq!(code(&home.run(&["ingest", &home.text("no-such-file")])), 3);
}

#[test]
fn a_damaged_bundle_ends_with_four_and_what_stood_before_it_is_kept() {
    let home = Home::make();
    let mut writer = BundleWriter::new(Vec::new(), Kind::Uplink).unwrap();
    for n in 0..2u8 {
        writer.write(&Item::Envelope(vec![n; 100])).unwrap();
    }
    let mut bytes = writer.finish().unwrap();
    bytes.truncate(bytes.len() - 3);
    fs::write(home.path("in.landfall"), bytes).unwrap();
    fs::write(home.path("none.landfall"), "not a bundle").unwrap();
    let (done, answer) = home.json(&["ingest", &home.text("none.landfall"), &home.text("in.landfall")]);
    assert_eq!(done, 4);
    assert_eq!((&answer["read"], &answer["unopenable"]), (&1.into(), &1.into()));
    assert_eq!(answer["damaged"].as_array().unwrap().len(), 2);
    let (_, aside) = home.json(&["quarantine"]);
    assert_eq!(aside["quarantine"][0]["reason"], "unreadable");
    assert_eq!(aside["quarantine"].as_array().unwrap().len(), 1);

    let keyring = home.path("home/keyring.age");
    let mut bytes = fs::read(&keyring).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&keyring, bytes).unwrap();
    assert_eq!(code(&home.run(&["gaps"])), 4);
}

#[test]
fn help_of_every_command_has_an_example() {
    let commands = "init|hub add|hub list|enrol new|enrol answer|enrol confirm|enrol list|enrol revoke|pull|push|ingest|\
                    outgoing|backup|quarantine|gaps|cases|case|verify|tabulate|report|form check|form fill|form pack";
    for command in commands.split('|') {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        let output = desk_with(&arguments);
        assert_eq!(code(&output), 0, "{command}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Example: landfall-desk "), "{command}: {text}");
        assert!(text.contains(command), "{command}: {text}");
    }
}

#[test]
fn a_form_is_checked_without_a_desk() {
    let form = example();
    let form = form.to_str().unwrap();
    for arguments in [
        ["form", "check", form, "--json"],
        ["--json", "form", "check", form],
    ] {
        let output = desk_with(&arguments);
        assert_eq!(code(&output), 0, "{output:?}");
        assert_eq!(document(&output)["ok"], true, "{arguments:?}");
    }
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("survey.csv"), "type,name\nnonsense,a\n").unwrap();
    let output = desk_with(&["form", "check", dir.path().to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("survey:2:"),
        "{output:?}"
    );
}
