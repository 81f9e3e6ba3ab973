//! Reads every vector under tests/vectors: each gives the result that it names, and none panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::PathBuf;

use landfall_seal::{
    Ed25519Verifier, EpochIdentity, Error, Header, SoftGuard, charter, enrol, manifest, open_envelope,
};
use landfall_wire::bundle::BundleReader;
use landfall_wire::cbor::{self, Limits};
use landfall_wire::control::Control;
use landfall_wire::enrol::{FILE_LABEL, Invitation, InvitationFile, reply_from_text};
use landfall_wire::frame::{Context, Frame};
use landfall_wire::ids::PublicKey;
use landfall_wire::{Error as WireError, envelope};
use serde_json::Value as Json;

struct Case<'a> {
    given: &'a Json,
    case: &'a Json,
}

impl Case<'_> {
    fn text(&self, key: &str) -> &str {
        self.case
            .get(key)
            .or_else(|| self.given.get(key))
            .and_then(Json::as_str)
            .expect(key)
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        hex::decode(self.text(key)).expect(key)
    }

    fn fixed<const N: usize>(&self, key: &str) -> [u8; N] {
        self.bytes(key).try_into().expect(key)
    }

    fn input(&self) -> Vec<u8> {
        let mut input = self.bytes("input");
        if let Some(len) = self.case.get("extend").and_then(Json::as_str) {
            input.resize(len.parse().unwrap(), 0);
        }
        input
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.fixed("key"))
    }

    fn identity(&self) -> EpochIdentity {
        EpochIdentity::from_seed(&self.fixed("seed"))
    }
}

fn read(format: &str, case: &Case<'_>) -> Result<(), Error> {
    match format {
        "cbor" => {
            let value = cbor::decode(
                &case.input(),
                &Limits {
                    bytes: 1024,
                    depth: 8,
                    items: 100,
                },
            )?;
            let again = cbor::decode(&cbor::encode(&value), &Limits::MESSAGE)?;
            assert_eq!(cbor::encode(&again), cbor::encode(&value));
            Ok(())
        }
        "entry" => {
            let context = match case.text("context") {
                "entry" => Context::Entry,
                "control" => Context::Control,
                "charter" => Context::Charter,
                "manifest" => Context::Manifest,
                "enrol" => Context::Enrol,
                other => panic!("{other}"),
            };
            let input = case.input();
            let frame = Frame::decode(&input)?;
            assert_eq!(frame.to_bytes(), input);
            Ok(frame.verify(context, &case.key(), &Ed25519Verifier)?)
        }
        "control" => {
            let (aud, dev) = (case.fixed("aud").into(), case.fixed("dev").into());
            let control = Control::open(&case.input(), &[case.key()], &aud, &dev, &Ed25519Verifier)?;
            assert_eq!(Frame::decode(&case.input())?.payload(), control.encode());
            Ok(control.follows(case.text("last").parse().unwrap())?)
        }
        "charter" => {
            let charter = charter::verify(&case.input())?;
            assert_eq!(charter.aud().to_bytes(), charter.digest().to_bytes());
            Ok(())
        }
        "charter-next" => {
            let trusted = charter::verify(&case.bytes("trusted"))?;
            let next = charter::verify_next(&case.input(), &trusted)?;
            assert_eq!(next.aud(), trusted.aud());
            Ok(())
        }
        "manifest" => {
            let trusted = charter::verify(&case.bytes("charter"))?;
            let manifest = manifest::verify(&case.input(), &trusted)?;
            Ok(manifest.follows(case.text("last").parse().unwrap())?)
        }
        "invitation" => {
            let text = case.text("input");
            if text.starts_with(FILE_LABEL.trim_end_matches('1')) {
                enrol::verify_file(&InvitationFile::from_text(text)?)?;
            } else {
                Invitation::from_text(text)?;
            }
            Ok(())
        }
        "reply" => {
            let sealed = reply_from_text(case.text("input"))?;
            let reply = enrol::open_reply(&sealed, &[&case.identity()])?;
            enrol::check_reply(&reply, &Invitation::from_text(case.text("invitation"))?)?;
            Ok(())
        }
        "envelope-plain" => {
            envelope::decode(&case.input())?;
            Ok(())
        }
        "envelope" => {
            let entries = open_envelope(&case.input(), &[&case.identity()])?;
            let expected: Vec<Vec<u8>> = case
                .text("entries")
                .split(' ')
                .map(|entry| hex::decode(entry).unwrap())
                .collect();
            assert_eq!(entries, expected);
            Ok(())
        }
        "bundle" => read_bundle(case),
        "header" => {
            let header = Header::decode(&case.input())?;
            let guard = SoftGuard::from_seed(&case.fixed("guard"));
            let result = header.open(case.text("passcode").as_bytes(), &guard);
            if !matches!(result, Err(Error::PasscodeText)) {
                assert_eq!(
                    guard.calls(),
                    u64::from(header.tuning().calls()),
                    "right or wrong, n calls"
                );
            }
            result.map(|_| ())
        }
        other => panic!("no reader for {other}"),
    }
}

fn read_bundle(case: &Case<'_>) -> Result<(), Error> {
    let bytes = case.input();
    let result = BundleReader::new(bytes.as_slice()).and_then(|mut reader| {
        while reader.next_item()?.is_some() {}
        Ok(())
    });
    if let Err(error) = &result {
        let WireError::At { item, offset, .. } = error else {
            panic!("not located: {error:?}")
        };
        assert_eq!(item.to_string(), case.text("item"));
        assert_eq!(offset.to_string(), case.text("offset"));
    }
    Ok(result?)
}

#[test]
fn every_vector_gives_the_result_that_it_names() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut wrong = Vec::new();
    let (mut formats, mut negative) = (0, 0);
    for format in std::fs::read_dir(folder).unwrap() {
        let format = format.unwrap();
        let path = format.path().join("cases.json");
        if !path.exists() {
            continue;
        }
        let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let Some(name) = file["format"].as_str().filter(|name| OURS.contains(name)) else {
            continue;
        };
        assert_eq!(name, format.file_name().to_str().unwrap());
        formats += 1;
        for case in file["cases"].as_array().unwrap() {
            let result = read(
                name,
                &Case {
                    given: &file["given"],
                    case,
                },
            );
            let expected = case["expect"].as_str().unwrap();
            let found = result.as_ref().map_or_else(Error::name, |()| "ok");
            negative += usize::from(expected != "ok");
            if found != expected {
                wrong.push(format!(
                    "{name}/{}: {found}, expected {expected}",
                    case["name"].as_str().unwrap()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(formats, OURS.len());
    assert!(negative >= 200, "{negative} refusals");
}

/// Other folders beside these belong to other crates.
const OURS: [&str; 12] = [
    "cbor",
    "entry",
    "control",
    "charter",
    "charter-next",
    "manifest",
    "invitation",
    "reply",
    "envelope-plain",
    "envelope",
    "bundle",
    "header",
];
