//! The binary: its words, its exit codes, and what survives when it is killed in the middle of its work.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{INBOX, ask, cap, put, set_up};
use landfall_wire::hub::{decode_page_items, path};
use landfall_wire::ids::{Capability, Digest};

fn hub(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall-hub"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Output {
    hub(args).output().unwrap()
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn init(store: &str) -> Capability {
    let output = run(&["init", "--store", store]);
    assert!(output.status.success());
    Capability::from_hex(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
}

/// A hub process that does not outlive its test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(store: &str) -> (Serving, SocketAddr) {
    let mut child = hub(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        store,
        "--rate",
        "100000",
    ])
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (Serving(child), line.trim().parse().unwrap())
}

fn signal(Serving(child): &Serving, name: &str) {
    assert!(
        Command::new("kill")
            .args([name, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn stored(addr: SocketAddr) -> BTreeSet<Digest> {
    let (mut after, mut all) = (0, BTreeSet::new());
    loop {
        let page = ask(addr, "GET", &path::page(&INBOX, after, 256), Some(&cap(2)), b"").unwrap();
        let items = decode_page_items(&page.body, after).unwrap();
        let Some(last) = items.last() else { return all };
        after = last.seq;
        all.extend(items.iter().map(|item| item.digest));
    }
}

#[test]
fn exit_codes_and_words_are_those_of_the_manual() {
    let folder = tempfile::tempdir().unwrap();
    let store = url(&folder.path().join("hub.db"));
    let copy = folder.path().join("copy.db");
    let code = |args: &[&str]| run(args).status.code().unwrap();
    assert_eq!(code(&[]), 2);
    assert_eq!(code(&["serve", "--listen", "nowhere"]), 2);
    assert_eq!(code(&["serve", "--store", &store]), 3, "no store yet");
    let output = run(&["init", "--store", "postgres://localhost/hub"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr).unwrap().contains("postgres"),
        "refused by name"
    );

    let output = run(&["init", "--store", &store, "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(r#"{"store_epoch":""#) && text.contains(r#""admin_cap":""#));
    assert_eq!(code(&["init", "--store", &store]), 1, "there is one already");
    let output = run(&["stats", "--store", &store, "--json"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(r#""items":0"#));
    assert_eq!(code(&["sweep", "--store", &store]), 0);
    assert_eq!(code(&["backup", copy.to_str().unwrap(), "--store", &store]), 0);
    assert_eq!(code(&["backup", copy.to_str().unwrap(), "--store", &store]), 1);
    let restored = url(&folder.path().join("restored.db"));
    let output = run(&["restore", copy.to_str().unwrap(), "--store", &restored]);
    let epoch = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(epoch.trim()), "another mark");
    std::fs::write(&copy, b"no database at all, only some words that mean nothing").unwrap();
    assert_eq!(code(&["stats", "--store", &url(&copy)]), 4);
}

#[test]
fn a_hub_that_is_told_to_stop_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.db");
    let store = url(&file);
    let admin = init(&store);
    for name in ["-TERM", "-INT"] {
        let (mut child, addr) = serve(&store);
        if name == "-TERM" {
            set_up(addr, &admin);
            put(addr, &INBOX, &cap(1), b"a").unwrap();
        }
        signal(&child, name);
        assert!(child.0.wait().unwrap().success());
        assert!(
            !folder.path().join("hub.db-wal").exists(),
            "the log is written back"
        );
    }
    let (_child, addr) = serve(&store);
    assert_eq!(stored(addr).len(), 1);
}

/// Counts a writer that is no more, also one that panicked.
struct Ended<'a>(&'a AtomicUsize);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Eight writers put as fast as they can; the hub is killed under them, again and again. Whatever it called
/// stored is there afterwards, and nothing is there twice.
#[test]
fn what_was_called_stored_survives_the_kill() {
    let folder = tempfile::tempdir().unwrap();
    let store = url(&folder.path().join("hub.db"));
    let admin = init(&store);
    let (mut child, mut addr) = serve(&store);
    set_up(addr, &admin);
    let stored_once: Mutex<BTreeSet<Digest>> = Mutex::default();
    for round in 0..6u8 {
        let (answered, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for writer in 0..8u8 {
                let (answered, ended, stored_once) = (&answered, Ended(&ended), &stored_once);
                scope.spawn(move || {
                    let _ended = ended;
                    for n in 0..u16::MAX {
                        let bytes = [&[round, writer][..], &n.to_be_bytes(), &[writer; 4_000]].concat();
                        // Cut off: the hub is dead.
                        let Some(reply) = put(addr, &INBOX, &cap(1), &bytes) else {
                            return;
                        };
                        if reply.body.is_empty() {
                            return;
                        }
                        assert_eq!((reply.status, &reply.body[..]), (201, &b"new"[..]));
                        stored_once.lock().unwrap().insert(Digest::of(&bytes));
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while answered.load(Ordering::Relaxed) < 60 && ended.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            child.0.kill().unwrap();
        });
        drop(child);
        (child, addr) = serve(&store);
        let there = stored(addr);
        let promised = stored_once.lock().unwrap();
        assert!(promised.len() >= 60 * (usize::from(round) + 1));
        assert!(
            promised.is_subset(&there),
            "lost: {}",
            promised.difference(&there).count()
        );
    }
}
