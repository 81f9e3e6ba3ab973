//! Writes the vectors of the wire formats under tests/vectors, from fixed seeds.
//!
//! `landfall-vectors` writes, `--check` fails where a file is stale, `--force` also seals anew what cannot be
//! sealed twice alike (age and header draw random bytes; those files are frozen), and `sample DIR` writes what
//! the foreign decoders under tests/compat need; `open DIR` reads what they sealed. Everything in here is made
//! of fixed test keys: no byte of it comes from a real organisation.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a tool for tests"
)]

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fs;
use std::path::{Path, PathBuf};

use landfall_seal::{
    DeviceKeys, EpochIdentity, Header, SigningKey, SoftGuard, Tuning, charter, enrol, manifest,
    open_envelope, seal_envelope, seal_file,
};
use landfall_wire::bundle::{BundleWriter, CapOp, Item, Kind, Right};
use landfall_wire::cbor::{self, Unknown, Value};
use landfall_wire::charter::Charter;
use landfall_wire::control::{Control, ControlBody, Receipt, ReceiptLevel};
use landfall_wire::enrol::{
    Invitation, InvitationFile, InvitationSecret, Reply, Role, reply_to_text, transcript_hash,
};
use landfall_wire::envelope;
use landfall_wire::frame::{Context, Frame};
use landfall_wire::ids::*;
use landfall_wire::manifest::{Endpoint, EndpointKind, EpochKey, Manifest};
use landfall_wire::sign::Signer;

type Outcome<T = ()> = Result<T, Box<dyn StdError>>;

const DESK: u8 = 0x10;
const DEVICE: u8 = 0x20;
const ROOTS: [u8; 3] = [0x31, 0x32, 0x33];
const NEW_ROOTS: [u8; 3] = [0x32, 0x33, 0x34];
const EPOCH: u8 = 0x40;
const OTHER_EPOCH: u8 = 0x41;
const GUARD: u8 = 0x50;
const PASSCODE: &str = "24681357";

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => vectors(false, false),
        ["--check"] => vectors(true, false),
        ["--force"] => vectors(false, true),
        ["sample", folder] => sample(Path::new(folder)),
        ["open", folder] => open(Path::new(folder)),
        _ => Err("usage: landfall-vectors [--check | --force | sample DIR | open DIR]".into()),
    }
}

fn folder() -> PathBuf {
    // Built from the root of the workspace whichever package this file is compiled in.
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    while !path.join("Cargo.lock").exists() && path.pop() {}
    path.join("tests/vectors")
}

// ---- one file of vectors ----

struct Case {
    name: String,
    input: String,
    expect: String,
    with: BTreeMap<&'static str, String>,
}

struct Set {
    format: &'static str,
    about: &'static str,
    given: BTreeMap<&'static str, String>,
    cases: Vec<Case>,
}

impl Set {
    fn new(format: &'static str, about: &'static str) -> Self {
        Self {
            format,
            about,
            given: BTreeMap::new(),
            cases: Vec::new(),
        }
    }

    fn given(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.given.insert(key, value.into());
        self
    }

    fn add(&mut self, name: &str, input: impl AsRef<[u8]>, expect: &str) -> &mut Case {
        self.add_text(name, &hex::encode(input), expect)
    }

    fn add_text(&mut self, name: &str, input: &str, expect: &str) -> &mut Case {
        assert!(self.cases.iter().all(|case| case.name != name), "{name} twice");
        self.cases.push(Case {
            name: name.to_owned(),
            input: input.to_owned(),
            expect: expect.to_owned(),
            with: BTreeMap::new(),
        });
        self.cases.last_mut().expect("just pushed")
    }

    /// Written by hand: the order of keys must not hang on a feature of a JSON crate.
    fn to_json(&self) -> String {
        let text = |text: &str| serde_json::to_string(text).expect("text");
        let mut out = format!(
            "{{\n  \"format\": {},\n  \"about\": {},\n  \"given\": {{",
            text(self.format),
            text(self.about)
        );
        let given: Vec<String> = self
            .given
            .iter()
            .map(|(key, value)| format!("\n    {}: {}", text(key), text(value)))
            .collect();
        out.push_str(&given.join(","));
        out.push_str("\n  },\n  \"cases\": [");
        let cases: Vec<String> = self
            .cases
            .iter()
            .map(|case| {
                let mut fields = format!(
                    "\n    {{\"name\": {}, \"expect\": {}",
                    text(&case.name),
                    text(&case.expect)
                );
                for (key, value) in &case.with {
                    fields.push_str(&format!(", {}: {}", text(key), text(value)));
                }
                format!("{fields},\n     \"input\": {}}}", text(&case.input))
            })
            .collect();
        out.push_str(&cases.join(","));
        out.push_str("\n  ]\n}\n");
        out
    }
}

fn vectors(check: bool, force: bool) -> Outcome {
    let frozen = Frozen::load_or_make(force, check)?;
    let sets = [
        cbor_set(),
        entry_set(),
        control_set(),
        charter_set(),
        charter_next_set(),
        manifest_set(),
        invitation_set(),
        reply_set(&frozen),
        envelope_plain_set(),
        envelope_set(&frozen),
        bundle_set(&frozen),
        header_set(&frozen),
    ];
    let mut stale = Vec::new();
    let mut count = 0;
    for set in &sets {
        count += set.cases.len();
        let path = folder().join(set.format).join("cases.json");
        let text = set.to_json();
        if check {
            if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                stale.push(set.format);
            }
        } else {
            fs::create_dir_all(path.parent().expect("a folder"))?;
            fs::write(&path, text)?;
        }
    }
    if !stale.is_empty() {
        return Err(format!("stale vectors: {}; run landfall-vectors", stale.join(", ")).into());
    }
    println!("{count} vectors of {} formats", sets.len());
    Ok(())
}

// ---- the fixed world ----

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn epoch(seed: u8) -> EpochIdentity {
    EpochIdentity::from_seed(&[seed; 32])
}

fn device() -> DeviceKeys {
    DeviceKeys::from_seeds(&[DEVICE; 32], &[DEVICE + 1; 32])
}

fn first_charter() -> Charter {
    Charter {
        org: OrgId::from_bytes([7; 16]),
        org_name: "Return Monitoring Network".to_owned(),
        root_keys: ROOTS.map(|seed| key(seed).public_key()),
        threshold: 2,
        desk_keys: vec![key(DESK).public_key()],
        serial: 1,
        expires_day: 21_000,
        first: None,
        unknown: Unknown::default(),
    }
}

fn next_charter() -> Charter {
    Charter {
        root_keys: NEW_ROOTS.map(|seed| key(seed).public_key()),
        serial: 2,
        expires_day: 21_400,
        first: Some(first_charter().aud()),
        ..first_charter()
    }
}

fn sign_charter(charter: &Charter, seeds: &[u8]) -> Vec<u8> {
    let keys: Vec<SigningKey> = seeds.iter().map(|seed| key(*seed)).collect();
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    charter::sign(charter, &keys)
}

fn a_manifest() -> Manifest {
    Manifest {
        serial: 5,
        aud: first_charter().aud(),
        epochs: vec![EpochKey {
            number: 1,
            from_day: 20_600,
            until_day: 20_630,
            recipient: *epoch(EPOCH).recipient().expect("a key").as_bytes(),
            unknown: Unknown::default(),
        }],
        endpoints: vec![Endpoint {
            kind: EndpointKind::Direct,
            url: "https://hub.example".to_owned(),
        }],
        tls_roots: Vec::new(),
        packs: vec![("standard".to_owned(), Digest::from_bytes([9; 32]))],
        min_version: "0.1.0".to_owned(),
        expires_day: 20_700,
        inbox: MailboxId::from_bytes([0xb0; 16]),
        desk_epoch: DeskEpoch::from_bytes([0xde; 16]),
        unknown: Unknown::default(),
    }
}

fn an_invitation() -> Invitation {
    Invitation {
        hub: vec!["https://hub.example".to_owned()],
        charter: first_charter().digest(),
        manifest: a_manifest().digest(),
        serial: 5,
        secret: InvitationSecret::from_bytes([0x5e; 32]),
        language: "en".to_owned(),
        role: Role::Monitor,
        point: "airport_1".to_owned(),
        reply_to: MailboxId::from_bytes([0xb0; 16]),
    }
}

fn a_reply(invitation: &Invitation) -> Reply {
    let device = device();
    let recipient = *device.recipient().expect("a key").as_bytes();
    let transcript = transcript_hash(invitation, &device.public_key(), &recipient);
    Reply {
        device_key: device.public_key(),
        recipient,
        downlink: MailboxId::from_bytes([0xd0; 16]),
        write_cap: Capability::from_bytes([1; 32]).hash(),
        read_cap: Capability::from_bytes([2; 32]).hash(),
        proof: enrol::derive_proof(&invitation.secret, &transcript).expect("a proof"),
        app_version: "0.1.0".to_owned(),
        invitation: invitation.digest(),
        unknown: Unknown::default(),
    }
}

/// An entry's payload as docs/protocol.md lists it, written by hand: a second writer beside landfall-model's.
fn entry_payload(seq: u64) -> Value {
    let prev = if seq == 0 {
        [0x11; 32]
    } else {
        entry_hash(&entry(seq - 1)).to_bytes()
    };
    let body = Value::Map(vec![
        (Value::text("arrival_event_id"), Value::text("a1".repeat(16))),
        (Value::text("A30"), Value::int(42)),
        (Value::text("A31"), Value::text("12.5")),
        (
            Value::text("A40"),
            Value::array([Value::text("water"), Value::text("shade")]),
        ),
        (Value::text("A50"), Value::Null),
        (Value::text("A01"), Value::text("2026-03-02T05:40:00+00:00")),
    ]);
    Value::map([
        (0, Value::int(1)),
        (
            1,
            Value::bytes(EntryId::from_random([u8::try_from(seq).unwrap_or(0); 16])),
        ),
        (2, Value::bytes(device().id())),
        (3, Value::int(seq)),
        (4, Value::bytes(prev)),
        (6, Value::text("arrival_event")),
        (
            8,
            Value::array([
                Value::text("arrival_tally"),
                Value::int(1),
                Value::bytes([0x22; 32]),
            ]),
        ),
        (9, body),
        (10, Value::array([])),
        (11, Value::bytes(first_charter().aud())),
        (
            12,
            Value::map([
                (0, Value::int(1_772_430_000)),
                (1, Value::int(-120)),
                (2, Value::int(86_400_000)),
                (3, Value::int(u64::MAX)),
                (5, Value::Bool(false)),
            ]),
        ),
        (15, Value::text("0.1.0")),
        (16, Value::text("monitor")),
        (17, Value::text("seen_by_monitor")),
        (18, Value::text("en")),
        (19, Value::text("tally")),
        (20, Value::int(5)),
        (99, Value::text("a key of a later version")),
    ])
}

fn entry(seq: u64) -> Vec<u8> {
    Frame::sign(Context::Entry, &cbor::encode(&entry_payload(seq)), &key(DEVICE))
}

// ---- what cannot be sealed twice alike ----

struct Frozen(BTreeMap<String, Vec<u8>>);

impl Frozen {
    fn path() -> PathBuf {
        folder().join("frozen.json")
    }

    fn load_or_make(force: bool, check: bool) -> Outcome<Self> {
        if let (Ok(text), false) = (fs::read_to_string(Self::path()), force) {
            let map: BTreeMap<String, String> = serde_json::from_str(&text)?;
            let map: Result<_, hex::FromHexError> = map
                .into_iter()
                .map(|(name, value)| Ok((name, hex::decode(value)?)))
                .collect();
            return Ok(Self(map?));
        }
        if check {
            return Err("frozen.json is missing".into());
        }
        let desk = epoch(EPOCH).recipient()?;
        let invitation = an_invitation();
        let mut altered = a_reply(&invitation);
        altered.proof = [0; 32];
        let mut weak = a_reply(&invitation);
        weak.device_key = PublicKey::from_bytes(SMALL_ORDER);
        let guard = SoftGuard::from_seed(&[GUARD; 32]);
        let map = BTreeMap::from([
            ("envelope", seal_envelope(&[entry(0), entry(1)], &desk)?.bytes),
            (
                "envelope-content",
                seal_file(b"not an envelope", std::slice::from_ref(&desk))?,
            ),
            (
                "reply",
                enrol::seal_reply(&a_reply(&invitation), &key(DEVICE), &desk)?,
            ),
            (
                "reply-bad-proof",
                enrol::seal_reply(&altered, &key(DEVICE), &desk)?,
            ),
            ("reply-weak-key", enrol::seal_reply(&weak, &key(DEVICE), &desk)?),
            (
                "reply-not-a-frame",
                seal_file(b"hello", std::slice::from_ref(&desk))?,
            ),
            (
                "header",
                Header::make(PASSCODE.as_bytes(), &Tuning::for_tests(), &guard)?
                    .0
                    .encode(),
            ),
        ]);
        fs::create_dir_all(folder())?;
        let lines: Vec<String> = map
            .iter()
            .map(|(name, bytes)| format!("  \"{name}\": \"{}\"", hex::encode(bytes)))
            .collect();
        fs::write(Self::path(), format!("{{\n{}\n}}\n", lines.join(",\n")))?;
        Ok(Self(
            map.into_iter()
                .map(|(name, bytes)| (name.to_owned(), bytes))
                .collect(),
        ))
    }

    fn get(&self, name: &str) -> &[u8] {
        self.0.get(name).unwrap_or_else(|| panic!("{name} is not frozen"))
    }
}

/// The neutral point: under lax checking a signature with R = this and s = 0 verifies every message.
const SMALL_ORDER: [u8; 32] = {
    let mut key = [0; 32];
    key[0] = 1;
    key
};

// ---- bytes by hand ----

fn flip(bytes: &[u8], at: usize, bit: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= bit;
    bytes
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(from.len())
        .position(|window| window == from)
        .expect("the part is there");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// A byte string with its length in two bytes whether it needs them or not.
fn bstr16(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("short");
    [&[0x59], len.to_be_bytes().as_slice(), bytes].concat()
}

fn bstr(bytes: &[u8]) -> Vec<u8> {
    cbor::encode(&Value::bytes(bytes))
}

fn nest(depth: usize) -> Vec<u8> {
    [vec![0x81; depth], vec![0x00]].concat()
}

/// Puts a payload with one key changed through `sign`.
fn with_key(payload: &[u8], at: i64, value: Option<Value>) -> Vec<u8> {
    let Value::Map(pairs) = cbor::decode(payload, &cbor::Limits::MESSAGE).expect("a payload") else {
        panic!("a map")
    };
    let mut pairs: Vec<_> = pairs
        .into_iter()
        .filter(|(key, _)| key.as_i64() != Some(at))
        .collect();
    pairs.extend(value.map(|value| (Value::int(at), value)));
    cbor::encode(&Value::Map(pairs))
}

/// A payload in which key 0 stands twice.
fn with_duplicate(payload: &[u8]) -> Vec<u8> {
    let head = payload[0];
    assert!((0xa0..0xb7).contains(&head), "a short map");
    [&[head + 1, 0x00, 0x01], &payload[1..]].concat()
}

// ---- the sets ----

#[rustfmt::skip] // One case a line.
fn cbor_set() -> Set {
    let mut set =
        Set::new("cbor", "One CBOR item, hexadecimal, read with limits of 1024 bytes, 8 levels and 100 items.");
    set.add("map", [0xa2, 0x01, 0x20, 0x02, 0x41, 0xff], "ok");
    set.add("largest-integer", [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "ok");
    set.add("smallest-integer", [0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "ok");
    set.add("keys-in-any-order", [0xa2, 0x02, 0x00, 0x01, 0x00], "ok");
    set.add("empty", [], "Truncated");
    set.add("truncated-bytes", [0x43, 0x01, 0x02], "Truncated");
    set.add("truncated-text", [0x63, 0x61], "Truncated");
    set.add("truncated-head", [0x19, 0x01], "Truncated");
    set.add("array-longer-than-the-input", [0x98, 0x30, 0x00], "Truncated");
    set.add("array-of-four-thousand-million", [0x9a, 0xff, 0xff, 0xff, 0xff], "TooMany");
    set.add("array-of-2-to-the-64", [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "TooMany");
    set.add("map-of-2-to-the-63", [0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0], "Truncated");
    set.add("trailing-byte", [0x00, 0x00], "TrailingBytes");
    set.add("integer-not-shortest", [0x18, 0x17], "NotShortest");
    set.add("negative-not-shortest", [0x38, 0x01], "NotShortest");
    set.add("bytes-length-not-shortest", [0x58, 0x01, 0xff], "NotShortest");
    set.add("text-length-not-shortest", [0x78, 0x01, 0x61], "NotShortest");
    set.add("array-length-not-shortest", [0x98, 0x01, 0x00], "NotShortest");
    set.add("map-length-not-shortest", [0xb8, 0x01, 0x00, 0x00], "NotShortest");
    set.add("indefinite-bytes", [0x5f, 0x41, 0x00, 0xff], "IndefiniteLength");
    set.add("indefinite-text", [0x7f, 0x61, 0x61, 0xff], "IndefiniteLength");
    set.add("indefinite-array", [0x9f, 0x00, 0xff], "IndefiniteLength");
    set.add("indefinite-map", [0xbf, 0xff], "IndefiniteLength");
    set.add("duplicate-key", [0xa2, 0x01, 0x00, 0x01, 0x01], "DuplicateKey");
    set.add("duplicate-key-apart", [0xa3, 0x01, 0x00, 0x02, 0x00, 0x01, 0x01], "DuplicateKey");
    set.add("float", [0xf9, 0x3c, 0x00], "Unsupported");
    set.add("tag", [0xc1, 0x00], "Unsupported");
    set.add("undefined", [0xf7], "Unsupported");
    set.add("break-alone", [0xff], "Unsupported");
    set.add("simple-value", [0xf8, 0xff], "Unsupported");
    set.add("reserved-head", [0x1c], "Unsupported");
    set.add("not-utf8", [0x62, 0xff, 0xfe], "NotUtf8");
    set.add("nested-eight", nest(8), "ok");
    set.add("nested-nine", nest(9), "TooDeep");
    set.add("nested-a-thousand", nest(1000), "TooDeep");
    set.add("oversized", vec![0; 1025], "TooLarge");
    set.add("too-many-items", [vec![0x98, 100], vec![0; 100]].concat(), "TooMany");
    set
}

/// The parts of a COSE frame, so that each can be written otherwise.
struct Raw {
    tag: Vec<u8>,
    array: Vec<u8>,
    protected: Vec<u8>,
    unprotected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    end: Vec<u8>,
}

impl Raw {
    fn of(frame: &[u8]) -> Self {
        let frame = Frame::decode(frame).expect("a frame");
        Self {
            tag: vec![0xd2],
            array: vec![0x84],
            protected: bstr(&[0xa1, 0x01, 0x32]),
            unprotected: vec![0xa0],
            payload: bstr(frame.payload()),
            signature: bstr(frame.signature().as_bytes()),
            end: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        [
            &self.tag,
            &self.array,
            &self.protected,
            &self.unprotected,
            &self.payload,
            &self.signature,
            &self.end,
        ]
        .map(Vec::as_slice)
        .concat()
    }
}

/// Every way to write a frame that verifies and has another hash, and the shapes beside it.
#[rustfmt::skip] // One case a line.
fn add_frame_variants(set: &mut Set, good: &[u8]) {
    let raw = |change: &dyn Fn(&mut Raw)| {
        let mut raw = Raw::of(good);
        change(&mut raw);
        raw.bytes()
    };
    let frame = Frame::decode(good).expect("a frame");
    let (payload, signature) = (frame.payload().to_vec(), frame.signature().as_bytes().to_vec());
    assert_eq!(raw(&|_| {}), good);
    let mut add = |name: &str, bytes: Vec<u8>, expect: &str| {
        set.add(name, bytes, expect);
    };
    add("missing-tag", raw(&|r| r.tag.clear()), "FrameTag");
    add("tag-not-shortest", raw(&|r| r.tag = vec![0xd8, 0x12]), "FrameTag");
    add("another-tag", raw(&|r| r.tag = vec![0xd8, 0x62]), "FrameTag");
    add("tag-around-the-tag", raw(&|r| r.tag = vec![0xd8, 0x3d, 0xd2]), "FrameTag");
    add("tag-twice", raw(&|r| r.tag = vec![0xd2, 0xd2]), "FrameShape");
    add(
        "indefinite-array",
        raw(&|r| {
            r.array = vec![0x9f];
            r.end = vec![0xff];
        }),
        "IndefiniteLength",
    );
    add("array-length-not-shortest", raw(&|r| r.array = vec![0x98, 0x04]), "NotShortest");
    add("array-length-in-two-bytes", raw(&|r| r.array = vec![0x99, 0x00, 0x04]), "NotShortest");
    add(
        "array-of-five",
        raw(&|r| {
            r.array = vec![0x85];
            r.end = vec![0x00];
        }),
        "FrameShape",
    );
    add(
        "array-of-three",
        raw(&|r| {
            r.array = vec![0x83];
            r.signature.clear();
        }),
        "FrameShape",
    );
    add("protected-length-not-shortest", raw(&|r| r.protected = vec![0x58, 3, 0xa1, 1, 0x32]), "NotExact");
    add("protected-indefinite-bytes", raw(&|r| r.protected = vec![0x5f, 0x43, 0xa1, 1, 0x32, 0xff]), "NotExact");
    add("protected-indefinite-map", raw(&|r| r.protected = bstr(&[0xbf, 1, 0x32, 0xff])), "FrameProtected");
    add("protected-map-not-shortest", raw(&|r| r.protected = bstr(&[0xb8, 1, 1, 0x32])), "FrameProtected");
    add("protected-algorithm-not-shortest", raw(&|r| r.protected = bstr(&[0xa1, 1, 0x38, 0x12])), "FrameProtected");
    add("protected-key-not-shortest", raw(&|r| r.protected = bstr(&[0xa1, 0x18, 1, 0x32])), "FrameProtected");
    add("another-algorithm-eddsa", raw(&|r| r.protected = bstr(&[0xa1, 1, 0x27])), "FrameAlgorithm");
    add("another-algorithm-es256", raw(&|r| r.protected = bstr(&[0xa1, 1, 0x26])), "FrameAlgorithm");
    add("another-algorithm-as-text", raw(&|r| r.protected = bstr(&[0xa1, 1, 0x61, 0x78])), "FrameAlgorithm");
    add("protected-with-a-key-id", raw(&|r| r.protected = bstr(&[0xa2, 1, 0x32, 4, 0x41, 0])), "FrameProtected");
    add("protected-duplicate-key", raw(&|r| r.protected = bstr(&[0xa2, 1, 0x32, 1, 0x32])), "DuplicateKey");
    add("protected-trailing-byte", raw(&|r| r.protected = bstr(&[0xa1, 1, 0x32, 0])), "TrailingBytes");
    add("protected-empty", raw(&|r| r.protected = vec![0x40]), "FrameAlgorithm");
    add("protected-empty-map", raw(&|r| r.protected = bstr(&[0xa0])), "FrameAlgorithm");
    add(
        "algorithm-unprotected",
        raw(&|r| {
            r.protected = vec![0x40];
            r.unprotected = vec![0xa1, 1, 0x32];
        }),
        "FrameUnprotected",
    );
    add("unprotected-key-id", raw(&|r| r.unprotected = vec![0xa1, 4, 0x41, 0]), "FrameUnprotected");
    add("unprotected-private-key", raw(&|r| r.unprotected = vec![0xa1, 0x39, 0xff, 0xff, 0]), "FrameUnprotected");
    add("unprotected-indefinite", raw(&|r| r.unprotected = vec![0xbf, 0xff]), "NotExact");
    add("unprotected-length-not-shortest", raw(&|r| r.unprotected = vec![0xb8, 0]), "NotExact");
    add("unprotected-null", raw(&|r| r.unprotected = vec![0xf6]), "FrameShape");
    add("unprotected-nested", raw(&|r| r.unprotected = [vec![0xa1, 0x18, 0x64], nest(2_000)].concat()), "TooDeep");
    let longer = {
        let len = u32::try_from(payload.len()).expect("short");
        [&[0x5a], len.to_be_bytes().as_slice(), &payload].concat()
    };
    add("payload-length-not-shortest", raw(&|r| r.payload.clone_from(&longer)), "NotExact");
    add("payload-indefinite", raw(&|r| r.payload = [vec![0x5f], bstr(&payload), vec![0xff]].concat()), "NotExact");
    add("payload-detached", raw(&|r| r.payload = vec![0xf6]), "FrameShape");
    add("payload-as-text", raw(&|r| r.payload = vec![0x61, 0x78]), "FrameShape");
    add("payload-not-wrapped", raw(&|r| r.payload.clone_from(&payload)), "FrameShape");
    add("signature-63", raw(&|r| r.signature = bstr(&signature[..63])), "SignatureLength");
    add("signature-65", raw(&|r| r.signature = bstr(&[&signature[..], &[0]].concat())), "SignatureLength");
    add("signature-empty", raw(&|r| r.signature = vec![0x40]), "SignatureLength");
    add("signature-length-not-shortest", raw(&|r| r.signature = bstr16(&signature)), "NotExact");
    add(
        "signature-indefinite",
        raw(&|r| r.signature = [vec![0x5f], bstr(&signature), vec![0xff]].concat()),
        "NotExact",
    );
    add("trailing-byte", raw(&|r| r.end = vec![0]), "TrailingBytes");
    add("frame-twice", [good, good].concat(), "TrailingBytes");
    add("empty", Vec::new(), "Truncated");
    add("tag-alone", vec![0xd2], "Truncated");
    add("truncated-in-the-header", good[..4].to_vec(), "Truncated");
    add("truncated-in-the-payload", good[..good.len() / 2].to_vec(), "Truncated");
    add("truncated-by-one", good[..good.len() - 1].to_vec(), "Truncated");
    add("bit-flip-in-the-payload", flip(good, good.len() / 2, 1), "BadSignature");
    add("bit-flip-in-the-signature", flip(good, good.len() - 1, 0x80), "BadSignature");
    add("bit-flip-in-r", flip(good, good.len() - 64, 1), "BadSignature");
    add("second-encoding-of-s", replace(good, &signature, &add_order(&signature)), "BadSignature");
    add("not-cbor", b"{\"json\": true}".to_vec(), "FrameTag");
}

/// Adds the group's order to s: lax checking takes it for the same signature.
fn add_order(signature: &[u8]) -> Vec<u8> {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").expect("hex");
    let mut out = signature.to_vec();
    let mut carry = 0u16;
    for (to, add) in out[32..].iter_mut().zip(order) {
        let sum = u16::from(*to) + u16::from(add) + carry;
        *to = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    out
}

#[rustfmt::skip] // One case a line.
fn entry_set() -> Set {
    let mut set = Set::new(
        "entry",
        "COSE frame of an entry, hexadecimal: decoded, verified under `key` in the context `context`.",
    )
    .given("key", device().public_key().to_hex())
    .given("context", "entry");
    let good = entry(0);
    set.add("tally", &good, "ok");
    set.add("next", entry(1), "ok");
    add_frame_variants(&mut set, &good);
    for context in ["control", "charter", "manifest", "enrol"] {
        let case = set.add(&format!("read-as-{context}"), &good, "BadSignature");
        case.with.insert("context", context.to_owned());
    }
    let other = Frame::sign(Context::Control, &cbor::encode(&entry_payload(0)), &key(DEVICE));
    set.add("signed-as-control", other, "BadSignature");
    set.add(
        "another-device",
        Frame::sign(Context::Entry, &cbor::encode(&entry_payload(0)), &key(DEVICE + 9)),
        "BadSignature",
    );
    let mut raw = Raw::of(&good);
    raw.signature = bstr(&[SMALL_ORDER.as_slice(), &[0; 32]].concat());
    set.add("small-order-key", raw.bytes(), "BadSignature").with.insert("key", hex::encode(SMALL_ORDER));
    set.add("key-that-is-no-point", &good, "BadSignature").with.insert("key", format!("02{}", "00".repeat(31)));
    set.add("oversized", &good, "TooLarge").with.insert("extend", "1048577".to_owned());
    set
}

fn control(body: ControlBody) -> Control {
    Control {
        aud: first_charter().aud(),
        dev: device().id(),
        serial: 8,
        desk_epoch: DeskEpoch::from_bytes([0xde; 16]),
        body,
        desk_time_s: Some(1_772_400_000),
        unknown: Unknown::default(),
    }
}

fn receipts() -> Control {
    let receipt = |n: u8, level, reason| Receipt {
        digest: Digest::from_bytes([n; 32]),
        level,
        reason,
    };
    control(ControlBody::Receipts(vec![
        receipt(1, ReceiptLevel::Ingested, 0),
        receipt(2, ReceiptLevel::BackedUp, 0),
        receipt(3, ReceiptLevel::Held, 4),
        receipt(4, ReceiptLevel::Unopenable, 1),
    ]))
}

#[rustfmt::skip] // One case a line.
fn control_set() -> Set {
    let mut set = Set::new("control", "Control message (receipts and others), hexadecimal: opened for `aud` and `dev` with the desk key `key`; its serial must rise above `last`.")
        .given("key", key(DESK).public_key().to_hex())
        .given("aud", first_charter().aud().to_hex())
        .given("dev", device().id().to_hex())
        .given("last", "7");
    let sign = |payload: &[u8]| Frame::sign(Context::Control, payload, &key(DESK));
    let good = receipts().sign(&key(DESK));
    let payload = receipts().encode();
    set.add("receipts", &good, "ok");
    set.add("resend", control(ControlBody::Resend(vec![(0, 3), (9, 9)])).sign(&key(DESK)), "ok");
    set.add("wipe", control(ControlBody::Wipe).sign(&key(DESK)), "ok");
    set.add("desk-epoch", control(ControlBody::DeskEpoch).sign(&key(DESK)), "ok");
    set.add("unknown-key-kept", sign(&with_key(&payload, 77, Some(Value::int(1)))), "ok");
    set.add("without-time", sign(&with_key(&payload, 7, None)), "ok");
    add_frame_variants(&mut set, &good);
    set.add("signed-by-the-device", Frame::sign(Context::Control, &payload, &key(DEVICE)), "BadSignature");
    set.add("signed-as-entry", Frame::sign(Context::Entry, &payload, &key(DESK)), "BadSignature");
    set.add("wrong-audience", sign(&with_key(&payload, 2, Some(Value::bytes([0; 32])))), "WrongAudience");
    set.add("wrong-device", sign(&with_key(&payload, 3, Some(Value::bytes([0; 16])))), "WrongDevice");
    set.add("same-serial", sign(&with_key(&payload, 4, Some(Value::int(7)))), "StaleSerial");
    set.add("lower-serial", sign(&with_key(&payload, 4, Some(Value::int(0)))), "StaleSerial");
    set.add("wrong-version", sign(&with_key(&payload, 0, Some(Value::int(2)))), "UnknownVersion");
    set.add("no-version", sign(&with_key(&payload, 0, None)), "Missing");
    set.add("no-body", sign(&with_key(&payload, 6, None)), "Missing");
    set.add("unknown-type", sign(&with_key(&payload, 1, Some(Value::int(6)))), "OutOfRange");
    set.add("type-as-text", sign(&with_key(&payload, 1, Some(Value::text("wipe")))), "WrongType");
    set.add("wipe-with-receipts", sign(&with_key(&payload, 1, Some(Value::int(3)))), "WrongType");
    set.add("short-audience", sign(&with_key(&payload, 2, Some(Value::bytes([0; 31])))), "WrongType");
    set.add("negative-serial", sign(&with_key(&payload, 4, Some(Value::int(-1)))), "WrongType");
    set.add("duplicate-payload-key", sign(&with_duplicate(&payload)), "DuplicateKey");
    set.add("payload-with-trailing-byte", sign(&[&payload[..], &[0]].concat()), "TrailingBytes");
    set.add("payload-truncated", sign(&payload[..payload.len() - 1]), "Truncated");
    set.add("payload-no-map", sign(&[0x80]), "Malformed");
    set.add("payload-nested", sign(&nest(400)), "TooDeep");
    set.add("payload-text-key", sign(&[0xa1, 0x61, 0x61, 0x00]), "KeyNotInteger");
    let level = |level: u8, reason: i64| {
        sign(&with_key(
            &payload,
            6,
            Some(Value::array([Value::array([Value::bytes([1; 32]), Value::int(level), Value::int(reason)])])),
        ))
    };
    set.add("unknown-level", level(9, 0), "OutOfRange");
    set.add("level-zero", level(0, 0), "OutOfRange");
    set.add("reason-out-of-range", level(1, 256), "OutOfRange");
    let many = Value::array((0..1025).map(|_| Value::array([Value::bytes([1; 32]), Value::int(1), Value::int(0)])));
    set.add("too-many-receipts", sign(&with_key(&payload, 6, Some(many))), "TooMany");
    let ranges = control(ControlBody::Resend(vec![(5, 2)])).encode();
    set.add("range-backwards", sign(&ranges), "OutOfRange");
    set
}

#[rustfmt::skip] // One case a line.
fn charter_set() -> Set {
    let mut set = Set::new("charter", "A first charter, hexadecimal, checked by its own root keys.");
    let charter = first_charter();
    let payload = charter.encode();
    let sign = |payload: &[u8], seeds: &[u8]| {
        let keys: Vec<SigningKey> = seeds.iter().map(|seed| key(*seed)).collect();
        let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        landfall_wire::frame::MultiFrame::sign(Context::Charter, payload, &keys)
    };
    let two = &ROOTS[..2];
    let good = sign_charter(&charter, two);
    set.add("two-of-three", &good, "ok");
    set.add("three-of-three", sign_charter(&charter, &ROOTS), "ok");
    set.add("unknown-key-kept", sign(&with_key(&payload, 50, Some(Value::text("later"))), two), "ok");
    set.add("one-signature", sign_charter(&charter, &ROOTS[..1]), "NotEnoughSignatures");
    set.add("one-key-twice", sign_charter(&charter, &[ROOTS[0], ROOTS[0]]), "NotEnoughSignatures");
    set.add("no-signature", sign_charter(&charter, &[]), "NotEnoughSignatures");
    set.add("a-stranger-signs", sign_charter(&charter, &[ROOTS[0], 0x77]), "BadSignature");
    set.add("nine-signatures", sign_charter(&charter, &[ROOTS[0]; 9]), "TooMany");
    let as_manifest = landfall_wire::frame::MultiFrame::sign(
        Context::Manifest,
        &payload,
        &[&key(ROOTS[0]) as &dyn Signer, &key(ROOTS[1])],
    );
    set.add("signed-as-manifest", as_manifest, "BadSignature");
    set.add("sign1", Frame::sign(Context::Charter, &payload, &key(ROOTS[0])), "FrameTag");
    set.add("missing-tag", &good[2..], "FrameTag");
    set.add("tag-not-shortest", [&[0xd9, 0, 0x62], &good[2..]].concat(), "FrameTag");
    set.add("array-length-not-shortest", [&[0xd8, 0x62, 0x98, 4], &good[3..]].concat(), "NotShortest");
    set.add("indefinite-array", [&[0xd8, 0x62, 0x9f], &good[3..], &[0xff]].concat(), "IndefiniteLength");
    set.add("protected-body-as-map", [&good[..3], &[0x41, 0xa0], &good[4..]].concat(), "NotExact");
    set.add("protected-body-not-empty", [&good[..3], &[0x43, 0xa1, 1, 0x32], &good[4..]].concat(), "FrameProtected");
    set.add("unprotected-body", [&good[..4], &[0xa1, 4, 0x41, 0], &good[5..]].concat(), "FrameUnprotected");
    let header = [0x43, 0xa1, 0x01, 0x32, 0xa0];
    set.add(
        "unprotected-in-a-signature",
        replace(&good, &header, &[0x43, 0xa1, 1, 0x32, 0xa1, 4, 0x41, 0]),
        "FrameUnprotected",
    );
    set.add(
        "another-algorithm-in-a-signature",
        replace(&good, &header, &[0x43, 0xa1, 1, 0x27, 0xa0]),
        "FrameAlgorithm",
    );
    set.add(
        "protected-not-shortest-in-a-signature",
        replace(&good, &header, &[0x58, 3, 0xa1, 1, 0x32, 0xa0]),
        "NotExact",
    );
    let (front, last) = (&good[..good.len() - 66], &good[good.len() - 64..]);
    set.add("signature-63", [front, &bstr(&last[..63])].concat(), "SignatureLength");
    set.add("signature-65", [front, &bstr(&[last, &[0]].concat())].concat(), "SignatureLength");
    set.add("signature-length-not-shortest", [front, &bstr16(last)].concat(), "NotExact");
    set.add("trailing-byte", [&good[..], &[0]].concat(), "TrailingBytes");
    set.add("empty", [], "Truncated");
    set.add("truncated", &good[..good.len() / 2], "Truncated");
    set.add("bit-flip-in-the-payload", flip(&good, 40, 1), "BadSignature");
    set.add("bit-flip-in-a-signature", flip(&good, good.len() - 1, 1), "BadSignature");
    set.add("wrong-version", sign(&with_key(&payload, 0, Some(Value::int(2))), two), "UnknownVersion");
    set.add("threshold-one", sign(&with_key(&payload, 4, Some(Value::int(1))), two), "OutOfRange");
    set.add("threshold-zero", sign(&with_key(&payload, 4, Some(Value::int(0))), &[]), "OutOfRange");
    set.add("serial-zero", sign(&with_key(&payload, 6, Some(Value::int(0))), two), "OutOfRange");
    set.add("first-with-an-audience", sign(&with_key(&payload, 8, Some(Value::bytes([1; 32]))), two), "OutOfRange");
    set.add("no-desk-key", sign(&with_key(&payload, 5, Some(Value::array([]))), two), "OutOfRange");
    set.add("no-name", sign(&with_key(&payload, 2, Some(Value::text(""))), two), "OutOfRange");
    set.add("name-too-long", sign(&with_key(&payload, 2, Some(Value::text("x".repeat(201)))), two), "OutOfRange");
    let same = Value::array([ROOTS[0], ROOTS[0], ROOTS[1]].map(|seed| Value::bytes(key(seed).public_key())));
    set.add("root-key-twice", sign(&with_key(&payload, 3, Some(same)), two), "OutOfRange");
    let weak = Value::array([Value::bytes(SMALL_ORDER)]);
    set.add("weak-desk-key", sign(&with_key(&payload, 5, Some(weak)), two), "WeakKey");
    set.add("duplicate-payload-key", sign(&with_duplicate(&payload), two), "DuplicateKey");
    set.add("payload-nested", sign(&nest(400), two), "TooDeep");
    set.add("oversized", &good, "TooLarge").with.insert("extend", "1048577".to_owned());
    set
}

#[rustfmt::skip] // One case a line.
fn charter_next_set() -> Set {
    let mut set = Set::new(
        "charter-next",
        "A charter that follows `trusted`, hexadecimal: two of the old and two of the new root keys.",
    )
    .given("trusted", hex::encode(sign_charter(&first_charter(), &ROOTS[..2])));
    let next = next_charter();
    set.add("rotation", sign_charter(&next, &[0x32, 0x33]), "ok");
    set.add("rotation-by-all", sign_charter(&next, &[0x31, 0x32, 0x33, 0x34]), "ok");
    set.add("old-keys-alone", sign_charter(&next, &[0x31, 0x32]), "NotEnoughSignatures");
    set.add("new-keys-alone", sign_charter(&next, &[0x33, 0x34]), "NotEnoughSignatures");
    let same_serial = sign_charter(&first_charter(), &ROOTS);
    set.add("same-serial", same_serial, "StaleSerial");
    let other = Charter { org: OrgId::from_bytes([8; 16]), ..next.clone() };
    set.add("another-organisation", sign_charter(&other, &[0x32, 0x33]), "NotContinued");
    let other = Charter { first: Some(Aud::from_bytes([8; 32])), ..next.clone() };
    set.add("another-audience", sign_charter(&other, &[0x32, 0x33]), "NotContinued");
    let other = Charter { first: None, ..next };
    set.add("no-audience", sign_charter(&other, &[0x32, 0x33]), "OutOfRange");
    set
}

#[rustfmt::skip] // One case a line.
fn manifest_set() -> Set {
    let mut set = Set::new(
        "manifest",
        "A manifest, hexadecimal, checked against `charter`; its serial must rise above `last`.",
    )
    .given("charter", hex::encode(sign_charter(&first_charter(), &ROOTS[..2])))
    .given("last", "4");
    let payload = a_manifest().encode();
    let sign = |payload: &[u8]| Frame::sign(Context::Manifest, payload, &key(DESK));
    let good = manifest::sign(&a_manifest(), &key(DESK));
    set.add("manifest", &good, "ok");
    set.add("unknown-key-kept", sign(&with_key(&payload, 60, Some(Value::Bool(true)))), "ok");
    add_frame_variants(&mut set, &good);
    set.add("signed-by-a-root", Frame::sign(Context::Manifest, &payload, &key(ROOTS[0])), "BadSignature");
    set.add("signed-as-control", Frame::sign(Context::Control, &payload, &key(DESK)), "BadSignature");
    set.add("wrong-audience", sign(&with_key(&payload, 2, Some(Value::bytes([0; 32])))), "WrongAudience");
    set.add("same-serial", sign(&with_key(&payload, 1, Some(Value::int(4)))), "StaleSerial");
    set.add("serial-zero", sign(&with_key(&payload, 1, Some(Value::int(0)))), "OutOfRange");
    set.add("wrong-version", sign(&with_key(&payload, 0, Some(Value::int(9)))), "UnknownVersion");
    set.add("no-epoch", sign(&with_key(&payload, 3, Some(Value::array([])))), "OutOfRange");
    let epoch_value = |number: u32, recipient: &[u8]| {
        Value::map([(0, Value::int(number)), (1, Value::int(0)), (2, Value::int(1)), (3, Value::bytes(recipient))])
    };
    let recipient = *epoch(EPOCH).recipient().expect("a key").as_bytes();
    let twice = Value::array([epoch_value(1, &recipient), epoch_value(1, &recipient)]);
    set.add("epoch-numbers-do-not-rise", sign(&with_key(&payload, 3, Some(twice))), "OutOfRange");
    let short = Value::array([epoch_value(1, &recipient[..1215])]);
    set.add("short-epoch-key", sign(&with_key(&payload, 3, Some(short))), "WrongType");
    let no_key = Value::array([epoch_value(1, &[0xff; 1216])]);
    set.add("epoch-key-that-is-none", sign(&with_key(&payload, 3, Some(no_key))), "MalformedKey");
    let strange = Value::array([Value::map([(0, Value::int(7)), (1, Value::text("x"))])]);
    set.add("unknown-kind-of-endpoint", sign(&with_key(&payload, 4, Some(strange))), "OutOfRange");
    let many = Value::array((0..65).map(|_| Value::bytes([0])));
    set.add("too-many-roots", sign(&with_key(&payload, 5, Some(many))), "TooMany");
    set.add("duplicate-payload-key", sign(&with_duplicate(&payload)), "DuplicateKey");
    set.add("payload-nested", sign(&nest(400)), "TooDeep");
    set
}

#[rustfmt::skip] // One case a line.
fn invitation_set() -> Set {
    let mut set = Set::new(
        "invitation",
        "An invitation (one line) or an invitation file, as text; a file is checked with both signatures.",
    );
    let invitation = an_invitation();
    let text = invitation.to_text();
    let label = landfall_wire::enrol::INVITATION_LABEL;
    set.add_text("invitation", &text, "ok");
    set.add_text("white-space-around", &format!(" {text}\n"), "ok");
    let encode = |payload: &[u8]| format!("{label}{}", base64_url(payload));
    let payload = decode_base64_url(text.strip_prefix(label).expect("a label"));
    set.add_text("empty", "", "Label");
    set.add_text("another-label", &text.replace("landfall-invitation-1:", "landfall-invitation-2:"), "Label");
    set.add_text("not-base64", &format!("{label}***"), "TextEncoding");
    set.add_text("padded-base64", &format!("{text}="), "TextEncoding");
    set.add_text("truncated", &text[..text.len() - 8], "Truncated");
    set.add_text("trailing", &encode(&[&payload[..], &[0]].concat()), "TrailingBytes");
    set.add_text("wrong-version", &encode(&with_key(&payload, 0, Some(Value::int(2)))), "UnknownVersion");
    set.add_text("short-secret", &encode(&with_key(&payload, 5, Some(Value::bytes([0; 16])))), "WrongType");
    set.add_text("unknown-language", &encode(&with_key(&payload, 6, Some(Value::text("xx")))), "OutOfRange");
    set.add_text("unknown-role", &encode(&with_key(&payload, 7, Some(Value::text("root")))), "OutOfRange");
    set.add_text("long-point", &encode(&with_key(&payload, 8, Some(Value::text("p".repeat(65))))), "OutOfRange");
    set.add_text("no-charter", &encode(&with_key(&payload, 2, None)), "Missing");
    set.add_text("unknown-key", &encode(&with_key(&payload, 40, Some(Value::int(1)))), "NotExact");
    set.add_text("duplicate-key", &encode(&with_duplicate(&payload)), "DuplicateKey");
    set.add_text("nested", &encode(&nest(300)), "TooDeep");
    set.add_text("oversized", &format!("{label}{}", "A".repeat(262_144)), "TooLarge");
    let charter = sign_charter(&first_charter(), &ROOTS[..2]);
    let manifest = manifest::sign(&a_manifest(), &key(DESK));
    let file = |invitation: &Invitation, charter: &[u8], manifest: &[u8]| {
        InvitationFile { invitation: invitation.clone(), charter: charter.to_vec(), manifest: manifest.to_vec() }
            .to_text()
    };
    let good = file(&invitation, &charter, &manifest);
    set.add_text("file", &good, "ok");
    set.add_text("file-with-dos-lines", &good.replace('\n', "\r\n"), "ok");
    set.add_text("file-truncated", &good[..good.find("manifest: ").expect("a line")], "Truncated");
    set.add_text("file-with-another-line", &format!("{good}more\n"), "TrailingBytes");
    set.add_text("file-lines-swapped", &good.replace("charter: ", "manifest: "), "Label");
    set.add_text("file-another-version", &good.replace("FILE 1", "FILE 2"), "Label");
    let renamed = Charter { org_name: "Another".to_owned(), ..first_charter() };
    let swapped = file(&invitation, &sign_charter(&renamed, &ROOTS[..2]), &manifest);
    set.add_text("file-with-another-charter", &swapped, "DigestMismatch");
    let newer = Manifest { serial: 6, ..a_manifest() };
    let swapped = file(&invitation, &charter, &manifest::sign(&newer, &key(DESK)));
    set.add_text("file-with-another-manifest", &swapped, "DigestMismatch");
    let forged = file(&invitation, &charter, &manifest::sign(&a_manifest(), &key(0x66)));
    set.add_text("file-with-a-forged-manifest", &forged, "BadSignature");
    let forged = file(&invitation, &sign_charter(&first_charter(), &ROOTS[..1]), &manifest);
    set.add_text("file-with-one-root-signature", &forged, "NotEnoughSignatures");
    let foreign = Manifest { aud: Aud::from_bytes([1; 32]), ..a_manifest() };
    let names_it = Invitation { manifest: foreign.digest(), ..invitation.clone() };
    set.add_text(
        "file-of-another-audience",
        &file(&names_it, &charter, &manifest::sign(&foreign, &key(DESK))),
        "WrongAudience",
    );
    let names_other = Invitation { serial: 4, ..invitation };
    set.add_text("file-of-another-serial", &file(&names_other, &charter, &manifest), "DigestMismatch");
    set
}

#[rustfmt::skip] // One case a line.
fn reply_set(frozen: &Frozen) -> Set {
    let mut set = Set::new("reply", "The text of a sealed enrolment reply, opened with the epoch identity of `seed` and checked against `invitation`.")
        .given("seed", hex::encode([EPOCH; 32]))
        .given("invitation", an_invitation().to_text());
    let sealed = frozen.get("reply");
    let good = reply_to_text(sealed);
    set.add_text("reply", &good, "ok");
    let other = Invitation { point: "airport_2".to_owned(), ..an_invitation() };
    set.add_text("another-invitation", &good, "BadProof").with.insert("invitation", other.to_text());
    set.add_text("unknown-recipient", &good, "UnknownRecipient").with.insert("seed", hex::encode([OTHER_EPOCH; 32]));
    set.add_text("bad-proof", &reply_to_text(frozen.get("reply-bad-proof")), "BadProof");
    set.add_text("signed-by-another-key", &reply_to_text(frozen.get("reply-weak-key")), "BadSignature");
    set.add_text("not-a-frame", &reply_to_text(frozen.get("reply-not-a-frame")), "FrameTag");
    set.add_text("an-envelope", &reply_to_text(frozen.get("envelope")), "Missing");
    set.add_text("empty", "", "Label");
    set.add_text("another-label", &good.replace("reply-1", "reply-2"), "Label");
    set.add_text("not-base64", &format!("{}~", landfall_wire::enrol::REPLY_LABEL), "TextEncoding");
    set.add_text("truncated", &reply_to_text(&sealed[..sealed.len() / 2]), "Tampered");
    set.add_text("bit-flip", &reply_to_text(&flip(sealed, sealed.len() - 1, 1)), "Tampered");
    set
}

#[rustfmt::skip] // One case a line.
fn envelope_plain_set() -> Set {
    let mut set = Set::new("envelope-plain", "The plain form inside an envelope, hexadecimal.");
    let entries = vec![entry(0), entry(1)];
    let good = envelope::encode(&entries, 16).expect("an envelope");
    set.add("two-entries", &good, "ok");
    set.add("unknown-key", with_key(&good, 9, Some(Value::Null)), "ok");
    set.add("empty", [], "Truncated");
    set.add("truncated", &good[..good.len() / 2], "Truncated");
    set.add("trailing-byte", [&good[..], &[0]].concat(), "TrailingBytes");
    set.add("wrong-version", with_key(&good, 0, Some(Value::int(2))), "UnknownVersion");
    set.add("no-version", with_key(&good, 0, None), "Missing");
    set.add("no-entries", with_key(&good, 2, None), "Missing");
    set.add("no-pad", with_key(&good, 3, None), "Missing");
    set.add("empty-entries", with_key(&good, 2, Some(Value::array([]))), "OutOfRange");
    set.add("entry-as-text", with_key(&good, 2, Some(Value::array([Value::text("x")]))), "WrongType");
    let many = Value::array((0..65).map(|_| Value::bytes([0xd2])));
    set.add("too-many-entries", with_key(&good, 2, Some(many)), "TooMany");
    set.add("duplicate-key", with_duplicate(&good), "DuplicateKey");
    set.add("indefinite-entries", replace(&good, &[0x02, 0x82], &[0x02, 0x9f]), "IndefiniteLength");
    set.add("nested", nest(64), "TooDeep");
    set.add("not-a-map", [0x80], "Malformed");
    set
}

#[rustfmt::skip] // One case a line.
fn envelope_set(frozen: &Frozen) -> Set {
    let mut set = Set::new("envelope", "A sealed envelope (age version 1), hexadecimal, opened with the epoch identity of `seed`; `entries` is what it holds.")
        .given("seed", hex::encode([EPOCH; 32]))
        .given("identity", epoch(EPOCH).to_age_string().expect("a key").as_str())
        .given("entries", format!("{} {}", hex::encode(entry(0)), hex::encode(entry(1))));
    let good = frozen.get("envelope");
    let end = good.windows(5).position(|w| w == b"\n--- ").expect("a header") + 1;
    let mac = end + 4;
    set.add("two-entries", good, "ok");
    set.add("unknown-recipient", good, "UnknownRecipient").with.insert("seed", hex::encode([OTHER_EPOCH; 32]));
    set.add("empty", [], "NotAge");
    set.add("magic-alone", b"age-encryption.org/v1\n", "Truncated");
    set.add("another-version", replace(good, b"org/v1\n", b"org/v2\n"), "NotAge");
    set.add("truncated-in-the-header", &good[..end - 20], "Truncated");
    set.add("truncated-in-the-nonce", &good[..mac + 44 + 8], "Truncated");
    set.add("truncated-in-the-payload", &good[..good.len() - 100], "Tampered");
    set.add("truncated-by-one", &good[..good.len() - 1], "Tampered");
    set.add("trailing-byte", [good, &[0]].concat(), "Tampered");
    set.add("bit-flip-in-the-payload", flip(good, good.len() - 200, 1), "Tampered");
    set.add("bit-flip-in-the-nonce", flip(good, mac + 44 + 3, 1), "Tampered");
    set.add("bit-flip-in-the-mac", replace(good, &good[mac..mac + 4], b"AAAA"), "Tampered");
    let stanza = good.windows(18).position(|w| w == b"-> mlkem768x25519 ").expect("our stanza") + 18;
    set.add("encapsulated-key-changed", replace(good, &good[stanza..stanza + 4], b"AAAA"), "UnknownRecipient");
    set.add("encapsulated-key-short", [&good[..stanza], &good[stanza + 4..]].concat(), "NotAge");
    set.add("stanza-with-two-arguments", [&good[..stanza], b"x ", &good[stanza..]].concat(), "NotAge");
    set.add("another-kind-of-stanza", replace(good, b"mlkem768x25519", b"mlkem768x25518"), "UnknownRecipient");
    let grease = b"-> x-grease\n\n".repeat(4);
    set.add("six-stanzas", [&good[..end], &grease, &good[end..]].concat(), "TooManyRecipients");
    set.add("stanza-added", [&good[..end], b"-> x-grease\n\n", &good[end..]].concat(), "Tampered");
    let long = b"-> x-grease\n\n".repeat(2_000);
    set.add("endless-header", [&good[..end], &long, &good[end..]].concat(), "HeaderTooLong");
    set.add("other-content", frozen.get("envelope-content"), "Missing");
    set.add("a-frame", entry(0), "NotAge");
    set.add("oversized", good, "TooLarge").with.insert("extend", "65537".to_owned());
    set
}

#[rustfmt::skip] // One case a line.
fn bundle_set(frozen: &Frozen) -> Set {
    let mut set = Set::new(
        "bundle",
        "A bundle file, hexadecimal, read to its end; `item` and `offset` say where an error lies.",
    );
    let slice = vec![0x5a; 300];
    let items = [
        Item::Envelope(frozen.get("envelope").to_vec()),
        Item::Slice { digest: Digest::of(&slice), bytes: slice.clone() },
    ];
    let down = [
        Item::Downlink { mailbox: MailboxId::from_bytes([0xd0; 16]), bytes: receipts().sign(&key(DESK)) },
        Item::Ack { mailbox: MailboxId::from_bytes([0xb0; 16]), digests: vec![Digest::from_bytes([1; 32])] },
        Item::Cap(CapOp::Register {
            hash: CapHash::from_bytes([3; 32]),
            right: Right::Read,
            mailbox: MailboxId::from_bytes([0xd0; 16]),
            group: Some(GroupId::from_bytes([0x60; 16])),
        }),
        Item::Cap(CapOp::RegisterGroup {
            hash: CapHash::from_bytes([4; 32]),
            group: GroupId::from_bytes([0x60; 16]),
        }),
        Item::Cap(CapOp::Revoke { hash: CapHash::from_bytes([5; 32]) }),
    ];
    let write = |kind, items: &[Item]| {
        let mut writer = BundleWriter::new(Vec::new(), kind).expect("a bundle");
        items.iter().for_each(|item| writer.write(item).expect("an item"));
        writer.finish().expect("a bundle")
    };
    let up = write(Kind::Uplink, &items);
    let empty = write(Kind::Uplink, &[]);
    set.add("uplink", &up, "ok");
    set.add("downlink", write(Kind::Downlink, &down), "ok");
    set.add("no-items", &empty, "ok");
    let mut at = |name: &str, bytes: Vec<u8>, expect: &str, item: u64, offset: usize| {
        let case = set.add(name, bytes, expect);
        case.with.insert("item", item.to_string());
        case.with.insert("offset", offset.to_string());
    };
    let first = empty.len();
    let second = write(Kind::Uplink, &items[..1]).len();
    at("empty", Vec::new(), "Truncated", 0, 0);
    at("wrong-version", vec![0xa2, 0, 2, 1, 0], "UnknownVersion", 0, 0);
    at("unknown-direction", vec![0xa2, 0, 1, 1, 2], "OutOfRange", 0, 0);
    at("no-header", up[first..].to_vec(), "WrongType", 0, 0);
    at("header-twice", [&empty[..], &empty[..]].concat(), "WrongType", 1, first);
    at("truncated-item", up[..up.len() - 1].to_vec(), "Truncated", 2, second);
    at("unknown-item", [&empty[..], &[0xa1, 0, 9]].concat(), "OutOfRange", 1, first);
    at("item-is-no-map", [&empty[..], &[0x01]].concat(), "Malformed", 1, first);
    at("duplicate-key", [&empty[..], &[0xa2, 0, 1, 0, 1]].concat(), "DuplicateKey", 1, first);
    at("indefinite-item", [&empty[..], &[0xbf, 0xff]].concat(), "IndefiniteLength", 1, first);
    at("nested", [&empty[..], &nest(100)].concat(), "TooDeep", 1, first);
    at("slice-of-another-digest", flip(&up, up.len() - 1, 1), "DigestMismatch", 2, second);
    let raw = |head: &[u8], len: usize| [&empty[..], head, &bstr(&vec![0; len])].concat();
    at("envelope-oversized", raw(&[0xa2, 0, 1, 1], 65_537), "TooLarge", 1, first);
    at("claims-a-gigabyte", [&empty[..], &[0xa2, 0, 1, 1, 0x5a, 0x40, 0, 0, 0]].concat(), "Truncated", 1, first);
    at(
        "cap-with-unknown-right",
        {
            let mut item = down[2].clone();
            if let Item::Cap(CapOp::Register { group, .. }) = &mut item {
                *group = None;
            }
            replace(&write(Kind::Downlink, &[item]), &[0x03, 0x01, 0x04], &[0x03, 0x07, 0x04])
        },
        "OutOfRange",
        1,
        first,
    );
    set
}

#[rustfmt::skip] // One case a line.
fn header_set(frozen: &Frozen) -> Set {
    let mut set = Set::new(
        "header",
        "A passcode header, hexadecimal, opened with `passcode` and the software guard of `guard`.",
    )
    .given("guard", hex::encode([GUARD; 32]))
    .given("passcode", PASSCODE);
    let good = frozen.get("header");
    set.add("header", good, "ok");
    set.add("full-width-digits", good, "ok").with.insert("passcode", "２４６８１３５７".to_owned());
    set.add("wrong-passcode", good, "WrongPasscode").with.insert("passcode", "24681358".to_owned());
    set.add("empty-passcode", good, "PasscodeText").with.insert("passcode", String::new());
    set.add("another-device", good, "WrongPasscode").with.insert("guard", hex::encode([GUARD + 1; 32]));
    set.add("empty", [], "Truncated");
    set.add("truncated", &good[..good.len() - 1], "Truncated");
    set.add("trailing-byte", [good, &[0]].concat(), "TrailingBytes");
    let key = |at: i64, value: Value| with_key(good, at, Some(value));
    set.add("wrong-version", key(0, Value::int(2)), "UnknownVersion");
    set.add("no-salt", with_key(good, 1, None), "Missing");
    set.add("another-salt", key(1, Value::bytes([0; 16])), "WrongPasscode");
    set.add("short-salt", key(1, Value::bytes([0; 8])), "WrongType");
    set.add("memory-lowered", key(2, Value::int(32)), "WrongPasscode");
    set.add("memory-of-four-gigabytes", key(2, Value::int(4 << 20)), "HeaderParameter");
    set.add("memory-of-nothing", key(2, Value::int(0)), "HeaderParameter");
    set.add("passes-raised", key(3, Value::int(2)), "WrongPasscode");
    set.add("passes-without-end", key(3, Value::int(u32::MAX)), "HeaderParameter");
    set.add("two-lanes", key(4, Value::int(2)), "HeaderParameter");
    set.add("calls-lowered", key(5, Value::int(1)), "WrongPasscode");
    set.add("calls-to-none", key(5, Value::int(0)), "WrongPasscode");
    set.add("calls-without-end", key(5, Value::int(1_000_000)), "HeaderParameter");
    set.add("another-alias", key(6, Value::text("soft-0")), "WrongPasscode");
    set.add("long-alias", key(6, Value::text("a".repeat(65))), "HeaderParameter");
    let slots = cbor::decode(good, &cbor::Limits::MESSAGE).expect("a header");
    let slots = slots.as_map().and_then(|pairs| pairs.iter().find(|(k, _)| k.as_i64() == Some(7)));
    let slots: Vec<Value> = slots.and_then(|(_, v)| v.as_array()).expect("slots").to_vec();
    set.add("three-slots", key(7, Value::array(slots[..3].to_vec())), "HeaderParameter");
    set.add("five-slots", key(7, Value::array([&slots[..], &slots[..1]].concat())), "TooMany");
    let mut turned = slots.clone();
    turned.rotate_left(1);
    set.add("slots-turned", key(7, Value::array(turned)), "WrongPasscode");
    let flipped = slots.iter().map(|slot| Value::Bytes(flip(slot.as_bytes().expect("bytes"), 40, 1)));
    set.add("bit-flip-in-every-slot", key(7, Value::array(flipped)), "WrongPasscode");
    set.add("duplicate-key", with_duplicate(good), "DuplicateKey");
    set.add("nested", nest(100), "TooDeep");
    set.add("oversized", good, "TooLarge").with.insert("extend", "4097".to_owned());
    set
}

fn base64_url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn decode_base64_url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64")
}

// ---- for the foreign decoders ----

fn sample(folder: &Path) -> Outcome {
    fs::create_dir_all(folder)?;
    let identity = epoch(EPOCH);
    let entries = [entry(0), entry(1)];
    let sealed = seal_envelope(&entries, &identity.recipient()?)?;
    let content = vec![0x5a; 100_000];
    fs::write(folder.join("envelope.age"), &sealed.bytes)?;
    fs::write(
        folder.join("content.age"),
        seal_file(&content, &[identity.recipient()?, device().recipient()?])?,
    )?;
    fs::write(folder.join("identity.txt"), identity.to_age_string()?.as_str())?;
    fs::write(
        folder.join("recipient.txt"),
        identity.recipient()?.to_age_string()?,
    )?;
    fs::write(folder.join("device-key.hex"), device().public_key().to_hex())?;
    for (n, entry) in entries.iter().enumerate() {
        fs::write(folder.join(format!("entry-{n}.cose")), entry)?;
    }
    println!("{}", sealed.bytes.len());
    Ok(())
}

fn open(folder: &Path) -> Outcome {
    let sealed = fs::read(folder.join("from-npm.age"))?;
    let entries = open_envelope(&sealed, &[&epoch(EPOCH)])?;
    let expected: Vec<Vec<u8>> = (0..2)
        .map(|n| fs::read(folder.join(format!("entry-{n}.cose"))))
        .collect::<Result<_, _>>()?;
    if entries != expected {
        return Err("the foreign envelope holds other entries".into());
    }
    println!("opened {} bytes with {} entries", sealed.len(), entries.len());
    Ok(())
}
