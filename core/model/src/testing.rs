//! Keys and entries for the tests of this crate. The signature here is a keyed hash: real keys are tested where they
//! live.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use landfall_form::{Answer, Answers};
use landfall_wire::clock::ClockReading;
use landfall_wire::ids::{
    Aud, CaseId, DeviceId, Digest, EntryHash, EntryId, EventId, PublicKey, Signature, sha256,
};
use landfall_wire::sign::{BadSignature, Signer, Verifier};

use crate::{
    CaseCode, Chain, Consent, ConsentMode, Entry, FormRef, Kind, Provenance, Role, Scope, Unsigned, header,
};

pub(crate) struct TestKey(pub(crate) u8);

fn mark(key: &PublicKey, bytes: &[u8]) -> Signature {
    let half = sha256(&[key.as_bytes().as_slice(), bytes].concat());
    let mut whole = [0u8; 64];
    whole[..32].copy_from_slice(&half);
    whole[32..].copy_from_slice(&sha256(&half));
    Signature::from_bytes(whole)
}

impl Signer for TestKey {
    fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes([self.0; 32])
    }
    fn sign(&self, bytes: &[u8]) -> Signature {
        mark(&self.public_key(), bytes)
    }
}

pub(crate) struct TestVerifier;

impl Verifier for TestVerifier {
    fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        if mark(key, bytes) == *signature {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }
}

pub(crate) fn id(n: u64) -> EntryId {
    let mut random = [0u8; 16];
    random[..8].copy_from_slice(&n.to_be_bytes());
    EntryId::from_random(random)
}

pub(crate) fn event(n: u8) -> EventId {
    EventId::from_bytes([n; 16])
}

pub(crate) fn start(key: &TestKey) -> Chain {
    Chain {
        dev: DeviceId::of(&key.public_key()),
        seq: 0,
        prev: EntryHash::from_bytes([0; 32]),
    }
}

pub(crate) fn at(wall_s: i64) -> ClockReading {
    ClockReading {
        wall_s,
        tz_min: -240,
        elapsed_ms: 5,
        boot: 6,
        last_trusted_s: Some(1),
        doubtful: false,
    }
}

fn blank(n: u64, kind: Kind) -> Unsigned {
    Unsigned {
        id: id(n),
        kind,
        case: None,
        form: None,
        body: Answers::new(),
        sup: Vec::new(),
        aud: Aud::from_bytes([9; 32]),
        clock: at(1_763_822_400),
        attachments: Vec::new(),
        consent: None,
        app_version: "0.1.0".to_owned(),
        role: Role::Monitor,
        provenance: Provenance::SeenByMonitor,
        lang: "en".to_owned(),
        retention: kind.usual_retention(),
        manifest_serial: 3,
    }
}

pub(crate) fn tally(n: u64, event_n: u8) -> Unsigned {
    let mut fields = blank(n, Kind::ArrivalEvent);
    fields.form = Some(FormRef {
        id: "arrival_tally".to_owned(),
        version: "1".to_owned(),
        hash: Digest::from_bytes([1; 32]),
    });
    fields.body.insert("A30".to_owned(), Answer::Integer(12));
    header::set_event_id(&mut fields.body, &event(event_n));
    fields
}

pub(crate) fn consent(n: u64, case: u8, granted: &[Scope], refused: &[Scope]) -> Unsigned {
    let mut fields = blank(n, Kind::Consent);
    fields.case = Some(CaseId::from_bytes([case; 16]));
    fields.body = Consent {
        case_code: CaseCode::from_random([case; 5]),
        mode: ConsentMode::Spoken,
        granted: granted.iter().copied().collect(),
        refused: refused.iter().copied().collect(),
        text_id: "start_text/1".to_owned(),
        lang: "ht".to_owned(),
        read_aloud: true,
        given_at: "2025-11-22T10:40:00-04:00".to_owned(),
        expires_at: "2027-02-20T10:40:00-04:00".to_owned(),
    }
    .to_body();
    fields
}

pub(crate) fn interview(n: u64, case: u8, event_n: u8) -> Unsigned {
    let mut fields = blank(n, Kind::Observation);
    fields.case = Some(CaseId::from_bytes([case; 16]));
    fields.consent = Some(id(900));
    fields.form = Some(FormRef {
        id: "arrival_observation".to_owned(),
        version: "1".to_owned(),
        hash: Digest::from_bytes([2; 32]),
    });
    fields
        .body
        .insert("K03".to_owned(), Answer::Code("yes".to_owned()));
    header::set_event_id(&mut fields.body, &event(event_n));
    header::set_case_code(&mut fields.body, &CaseCode::from_random([case; 5]));
    fields
}

/// Signs a run of entries of one device.
pub(crate) fn chain(key: &TestKey, run: Vec<Unsigned>) -> Vec<Entry> {
    let mut next = start(key);
    run.into_iter()
        .map(|fields| {
            let entry = Entry::sign(fields, next, key).unwrap();
            next = entry.next();
            entry
        })
        .collect()
}
