//! The vectors of tests/vectors/entry through the reader that ingest uses: what stands there as good is an
//! entry, and nothing that is refused as a frame comes through as one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use landfall_model::{Entry, Kind};
use landfall_seal::Ed25519Verifier;
use landfall_wire::ids::{PublicKey, entry_hash};
use serde_json::Value;

#[test]
fn the_model_reads_the_good_entries_and_refuses_every_other() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/entry/cases.json"));
    let file: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let mut read = Vec::new();
    let mut refused = 0;
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let field = |key: &str| {
            case.get(key)
                .or_else(|| file["given"].get(key))
                .and_then(Value::as_str)
        };
        // A good frame read in another context is a matter of the frame alone.
        if field("context") != Some("entry") {
            continue;
        }
        let mut bytes = hex::decode(field("input").unwrap()).unwrap();
        if let Some(len) = field("extend") {
            bytes.resize(len.parse().unwrap(), 0);
        }
        let key = PublicKey::from_hex(field("key").unwrap()).unwrap();
        let entry = Entry::read(&bytes, &key, &Ed25519Verifier);
        if field("expect") == Some("ok") {
            let entry = entry.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(entry.hash(), entry_hash(&bytes));
            assert_eq!(entry.bytes(), bytes);
            assert_eq!(entry.fields().kind, Kind::ArrivalEvent);
            read.push(entry);
        } else {
            assert!(entry.is_err(), "{name} came through");
            refused += 1;
        }
    }
    assert_eq!(read.len(), 2);
    assert_eq!(read[1].chain(), &read[0].next(), "a chain of two");
    assert!(refused >= 50, "{refused}");
}
