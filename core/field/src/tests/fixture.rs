//! The frozen home of tests/fixtures/vault_v1: written once by the first version, opened by every later one.
//!
//! `expected.txt` beside it says what it held. A new schema gets a folder of its own; this one never changes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use landfall_model::fold;
use landfall_seal::{Header, SoftGuard};
use landfall_vault::rusqlite::Connection;
use landfall_vault::store::{Migrations, open_sqlcipher};

use super::{Phone, answer_all, begun_tally, code, finished_interview, finished_tally, refused_interview};
use crate::{Comparison, FieldApp, RecordState};

/// Of the frozen home; the phone's hardware key has the seed of [`Phone::new`].
const PASSCODE: &[u8] = super::PASSCODE;
const FILES: [&str; 4] = ["header-1", "header-2", "vault.db", "outbox.db"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/vault_v1")
}

/// A phone whose home is a copy of the frozen one.
fn thawed() -> Phone {
    let phone = Phone::new();
    fs::create_dir_all(phone.home()).unwrap();
    for name in FILES {
        fs::copy(folder().join(name), phone.home().join(name)).unwrap();
    }
    phone
}

/// Everything that later versions must find again, as text.
fn content(app: &FieldApp) -> String {
    let mut text = String::new();
    app.inside(|inner| {
        let entries = inner.vault.entries().unwrap();
        for stored in &entries {
            let (seq, kind) = (stored.chain().seq, stored.fields().kind.code());
            writeln!(text, "entry {seq} {kind} {}", stored.hash().to_hex()).unwrap();
        }
        for (event, folded) in fold::fold_events(&entries) {
            writeln!(text, "event {} with {} cases", event.to_hex(), folded.cases.len()).unwrap();
            for count in folded.counts {
                for head in count.heads {
                    writeln!(text, "  count {} over {}", head.to_hex(), count.superseded.len()).unwrap();
                }
            }
        }
        for (case, folded) in fold::fold_cases(&entries) {
            let granted: Vec<&str> = folded.granted.iter().map(|scope| scope.code()).collect();
            writeln!(text, "case {} granted {}", case.to_hex(), granted.join(" ")).unwrap();
        }
        for draft in inner.vault.drafts().unwrap() {
            writeln!(
                text,
                "draft {} {} {} answers",
                draft.id.to_hex(),
                draft.form.id,
                draft.answers.len()
            )
            .unwrap();
        }
        for (event, refusals) in inner.vault.open_refusals().unwrap() {
            writeln!(text, "refusals {} {refusals}", event.to_hex()).unwrap();
        }
        let next = inner.vault.device().unwrap().next;
        writeln!(text, "next {} after {}", next.seq, next.prev.to_hex()).unwrap();
        for row in inner.outbox.rows().unwrap() {
            writeln!(
                text,
                "outbox {} {} bytes {} entries",
                row.digest.to_hex(),
                row.size,
                row.entries
            )
            .unwrap();
        }
    })
    .unwrap();
    text
}

#[test]
fn the_frozen_vault_opens_and_folds_as_it_did() {
    let phone = thawed();
    let app = phone.unlock_with(PASSCODE).unwrap();
    let expected = fs::read_to_string(folder().join("expected.txt")).unwrap();
    assert_eq!(content(&app), expected);
    assert!(
        app.records("en")
            .unwrap()
            .iter()
            .all(|row| row.state == RecordState::Saved)
    );
    // And it is alive: the chain goes on.
    finished_tally(&app);
    app.inside(|inner| inner.vault.rebuild_records().unwrap());
}

#[test]
fn the_frozen_vault_has_the_raw_key_form() {
    let phone = thawed();
    let guard = SoftGuard::from_seed(&[7; 32]);
    let (_, vrk) = Header::open_pair(&phone.home(), PASSCODE, &guard).unwrap();
    let raw = vrk.db_key().unwrap();
    let hex = std::str::from_utf8(&raw.expose()[2..66]).unwrap().to_owned();
    let opens = |pragma: &str| {
        let connection = Connection::open(phone.home().join("vault.db")).unwrap();
        connection
            .query_row("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))
            .unwrap();
        connection.execute_batch(pragma).unwrap();
        connection
            .query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0))
            .is_ok()
    };
    assert!(
        opens(&format!("PRAGMA key = \"x'{hex}'\"")),
        "the 67 characters are the key itself"
    );
    assert!(
        !opens(&format!("PRAGMA hexkey = '{hex}'")),
        "the same 32 bytes, bare, are a passphrase"
    );
    let bare = hex::decode(&hex).unwrap();
    let schema = Migrations {
        application_id: 0,
        steps: &[],
    };
    let refused = open_sqlcipher(&phone.home().join("vault.db"), &bare, &schema);
    assert!(matches!(refused, Err(landfall_vault::Error::KeyForm)));
}

/// What today's code would freeze opens again. With `LANDFALL_FREEZE=1` it becomes the fixture of a new schema:
/// `LANDFALL_FREEZE=1 cargo test -p landfall-field what_today_would_freeze`.
#[test]
fn what_today_would_freeze_opens_again() {
    let (org, phone) = (super::Org::make(), Phone::new());
    phone.begin(&org.invitation_text()).unwrap();
    phone.confirm(Comparison::Same).unwrap();
    let app = phone.unlock();
    let (event, _) = finished_tally(&app);
    finished_interview(&app, Some(&event));
    refused_interview(&app, Some(&event));
    finished_interview(&app, None);
    let open = begun_tally(&app);
    app.count(&open.id, "N_f_adult", 4).unwrap();
    refused_interview(&app, open.event_id.as_deref());
    let talk = app.start_interview(open.event_id.as_deref(), "en").unwrap();
    answer_all(&app, &talk.id, &[("K06", code("overheard"))]);
    // The last record is still between the two stores: opening it heals that too.
    app.inside(|inner| inner.outbox.refuses = true);
    finished_tally(&app);
    app.lock();
    let freeze = std::env::var_os("LANDFALL_FREEZE").is_some();
    if freeze {
        assert!(
            !folder().join("vault.db").exists(),
            "a frozen fixture is never written again"
        );
        fs::create_dir_all(folder()).unwrap();
        // Before it is opened once more: opening heals what lies between the two stores.
        for name in FILES {
            fs::copy(phone.home().join(name), folder().join(name)).unwrap();
        }
    }
    let kept = content(&phone.unlock());
    assert!(!kept.is_empty());
    if freeze {
        fs::write(folder().join("expected.txt"), kept).unwrap();
    }
}
