//! A scripted device in a process of its own is killed without warning, again and again: what it called saved is
//! there, once, and can be sent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use landfall_tests::device::org::PracticeOrg;
use landfall_wire::bundle::{BundleReader, Item};
use landfall_wire::ids::PublicKey;
use serde_json::{Value, json};

const PASSCODE: &str = "48151623";
const ROUNDS: usize = 12;

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(home: &Path) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_landfall-device"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut process = Process { child, input, output };
        process.ok(&json!({"cmd": "device", "home": home, "guard_seed": "07".repeat(32)}));
        process.ok(&json!({"cmd": "clock", "set": {"wall_s": 1_773_084_000, "tz_min": -300}}));
        process
    }

    fn say(&mut self, line: &Value) {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
    }

    fn ok(&mut self, line: &Value) -> Value {
        self.say(line);
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["ok"], true, "{line} -> {answer}");
        answer
    }

    /// SIGKILL, and nothing that was not said before is heard.
    fn kill(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.output
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
    }
}

fn tally() -> Value {
    json!({"cmd": "tally", "answers": {
        "A02": "DOM-HTI", "A05": "bus", "A08": "deportation", "A09": "official", "A10": "no", "A11": "full",
        "A12": ["police_arr"], "A20": "counted", "A21": "no", "A77": "none", "N_m_adult": 12,
    }})
}

fn interview() -> Value {
    json!({"cmd": "interview", "answers": {
        "K06": "private", "K03": "yes", "P01": "male", "P02": "a25_59", "P07": "alone", "D01": ["passport"],
        "RF": ["none"], "W03": "no",
    }})
}

fn hashes(answer: &Value) -> impl Iterator<Item = String> + '_ {
    answer["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|hash| hash.as_str().unwrap().to_owned())
}

/// Opens everything that a device would send, and counts each entry.
fn sendable(org: &PracticeOrg, device: &PublicKey, bundle: &PathBuf) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for item in BundleReader::new(std::fs::File::open(bundle).unwrap()).unwrap() {
        let Item::Envelope(bytes) = item.unwrap() else {
            panic!("envelopes only")
        };
        for entry in org.open(&bytes, device).unwrap() {
            *found.entry(entry.hash().to_hex()).or_insert(0) += 1;
        }
    }
    found
}

#[test]
fn what_was_called_saved_survives_every_kill_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("phone");
    let org = PracticeOrg::make("http://127.0.0.1:1").unwrap();
    let mut process = Process::start(&home);
    let invitation = org.invitation("ouanaminthe");
    let begun = process.ok(&json!({"cmd": "enrol_begin", "invitation": invitation, "passcode": PASSCODE}));
    let device = org
        .read_reply(begun["reply"].as_str().unwrap())
        .unwrap()
        .device_key;
    process.ok(&json!({"cmd": "enrol_confirm", "passcode": PASSCODE}));
    process.kill();

    let mut acknowledged: Vec<String> = Vec::new();
    let mut drafts = 0;
    for round in 0..ROUNDS {
        let mut process = Process::start(&home);
        process.ok(&json!({"cmd": "unlock", "passcode": PASSCODE}));
        let open = process.ok(&json!({"cmd": "home"}))["drafts"]
            .as_array()
            .unwrap()
            .len();
        // A form that the kill cut off stays a draft: at most one more a round.
        assert!(
            open == drafts || open == drafts + 1,
            "round {round}: {open} drafts after {drafts}"
        );
        drafts = open;
        for _ in 0..round % 3 {
            let saved = process.ok(&tally());
            acknowledged.extend(hashes(&saved));
        }
        // The last form is told and not waited for: the kill meets it wherever it is.
        process.say(&if round.is_multiple_of(2) {
            interview()
        } else {
            tally()
        });
        let heard = process.heard_in(round);
        for answer in heard.into_iter().chain(process.kill()) {
            acknowledged.extend(hashes(&answer));
        }
    }

    let mut process = Process::start(&home);
    process.ok(&json!({"cmd": "unlock", "passcode": PASSCODE}));
    let bundle = dir.path().join("all.landfall");
    process.ok(&json!({"cmd": "export", "path": bundle}));
    let found = sendable(&org, &device, &bundle);
    for hash in &acknowledged {
        assert_eq!(found.get(hash), Some(&1), "an acknowledged entry is there once");
    }
    assert!(found.values().all(|times| *times == 1), "nothing is doubled");
    assert!(!acknowledged.is_empty());
    process.kill();
}

impl Process {
    /// Lets some rounds end after the answer, so that both sides of the acknowledgement are met.
    fn heard_in(&mut self, round: usize) -> Option<Value> {
        if !round.is_multiple_of(4) {
            return None;
        }
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).ok()
    }
}
