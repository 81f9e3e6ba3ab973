//! Tests of the facade as a whole. An organisation of its own is made for each; time is a test clock's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod enrolment;
mod fixture;
mod lock;
mod plain;
mod saving;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_model::Entry;
use landfall_seal::{
    Ed25519Verifier, EpochIdentity, SigningKey, SoftGuard, Tuning, charter, manifest, open_envelope, random,
};
use landfall_wire::charter::Charter;
use landfall_wire::clock::{ClockReading, TestClock};
use landfall_wire::enrol::{Invitation, InvitationFile, InvitationSecret, Role};
use landfall_wire::ids::{Aud, DeskEpoch, Digest, MailboxId, OrgId, PublicKey};
use landfall_wire::manifest::{Endpoint, EndpointKind, EpochKey, Manifest};
use landfall_wire::sign::Signer;
use tempfile::TempDir;

use crate::{
    AnswerValue, Comparison, DraftView, EnrolStep, FieldApp, FieldError, SavedView, enrol_begin_tuned,
    enrol_confirm,
};

pub(crate) const PASSCODE: &[u8] = b"48151623";
/// 2026-03-09 14:20 at UTC-5.
pub(crate) const START_S: i64 = 1_773_084_000;

/// The other side: what a desk holds.
pub(crate) struct Org {
    pub(crate) epoch: EpochIdentity,
    pub(crate) charter: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

impl Org {
    pub(crate) fn make() -> Org {
        Org::with_min_version("0.1.0")
    }

    pub(crate) fn with_min_version(min_version: &str) -> Org {
        let roots = [SigningKey::make(), SigningKey::make(), SigningKey::make()];
        let desk = SigningKey::make();
        let epoch = EpochIdentity::make();
        let plain = Charter {
            org: OrgId::from_bytes(random::make()),
            org_name: "Practice".to_owned(),
            root_keys: [
                roots[0].public_key(),
                roots[1].public_key(),
                roots[2].public_key(),
            ],
            threshold: 2,
            desk_keys: vec![desk.public_key()],
            serial: 1,
            expires_day: 30_000,
            first: None,
            unknown: Default::default(),
        };
        let aud = plain.aud();
        let manifest_plain = Manifest {
            serial: 3,
            aud,
            epochs: vec![EpochKey {
                number: 1,
                from_day: 20_000,
                until_day: 20_030,
                recipient: *epoch.recipient().unwrap().as_bytes(),
                unknown: Default::default(),
            }],
            endpoints: vec![Endpoint {
                kind: EndpointKind::Direct,
                url: "http://127.0.0.1:1".to_owned(),
            }],
            tls_roots: Vec::new(),
            packs: Vec::new(),
            min_version: min_version.to_owned(),
            expires_day: 30_000,
            inbox: MailboxId::from_bytes(random::make()),
            desk_epoch: DeskEpoch::from_bytes(random::make()),
            unknown: Default::default(),
        };
        Org {
            charter: charter::sign(&plain, &[&roots[0], &roots[1]]),
            manifest: manifest::sign(&manifest_plain, &desk),
            epoch,
        }
    }

    pub(crate) fn aud(&self) -> Aud {
        Charter::peek(&self.charter).unwrap().aud()
    }

    pub(crate) fn invitation(&self) -> Invitation {
        Invitation {
            hub: vec!["http://127.0.0.1:1".to_owned()],
            charter: Charter::peek(&self.charter).unwrap().digest(),
            manifest: Manifest::peek(&self.manifest).unwrap().digest(),
            serial: 3,
            secret: InvitationSecret::from_bytes(random::make()),
            language: "en".to_owned(),
            role: Role::Monitor,
            point: point(),
            reply_to: MailboxId::from_bytes(random::make()),
        }
    }

    pub(crate) fn invitation_text(&self) -> String {
        InvitationFile {
            invitation: self.invitation(),
            charter: self.charter.clone(),
            manifest: self.manifest.clone(),
        }
        .to_text()
    }

    /// Opens a sealed file as the desk does and reads its entries.
    pub(crate) fn open(&self, sealed: &[u8], device: &PublicKey) -> Vec<Entry> {
        open_envelope(sealed, &[&self.epoch])
            .unwrap()
            .iter()
            .map(|bytes| Entry::read(bytes, device, &Ed25519Verifier).unwrap())
            .collect()
    }
}

/// The first point of the standard pack: which one it is does not matter here.
pub(crate) fn point() -> String {
    let points = crate::pack::standard().unwrap().external("points").unwrap();
    points.rows().next().unwrap().code().to_owned()
}

/// A phone with its home, clock and hardware key.
pub(crate) struct Phone {
    pub(crate) dir: TempDir,
    pub(crate) guard: SoftGuard,
    pub(crate) clock: Arc<TestClock>,
}

impl Phone {
    pub(crate) fn new() -> Phone {
        Phone {
            dir: tempfile::tempdir().unwrap(),
            guard: SoftGuard::from_seed(&[7; 32]),
            clock: Arc::new(TestClock::with(ClockReading {
                wall_s: START_S,
                tz_min: -300,
                elapsed_ms: 60_000,
                boot: 1,
                last_trusted_s: None,
                doubtful: false,
            })),
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn begin(&self, invitation: &str) -> Result<EnrolStep, FieldError> {
        enrol_begin_tuned(
            &self.home(),
            invitation,
            PASSCODE,
            &self.guard,
            &self.clock,
            &Tuning::for_tests(),
        )
    }

    pub(crate) fn confirm(&self, comparison: Comparison) -> Result<(), FieldError> {
        enrol_confirm(&self.home(), PASSCODE, &self.guard, &self.clock, comparison)
    }

    pub(crate) fn unlock_with(&self, passcode: &[u8]) -> Result<FieldApp, FieldError> {
        let clock: Arc<TestClock> = Arc::clone(&self.clock);
        FieldApp::unlock(&self.home(), passcode, &self.guard, clock)
    }

    pub(crate) fn unlock(&self) -> FieldApp {
        self.unlock_with(PASSCODE).unwrap()
    }
}

/// A phone of an organisation, enrolled and open.
pub(crate) fn enrolled() -> (Org, Phone, FieldApp) {
    let org = Org::make();
    let phone = Phone::new();
    phone.begin(&org.invitation_text()).unwrap();
    phone.confirm(Comparison::Same).unwrap();
    let app = phone.unlock();
    (org, phone, app)
}

pub(crate) fn public_key(app: &FieldApp) -> PublicKey {
    app.inside(|inner| inner.keys.public_key()).unwrap()
}

pub(crate) fn sealed(app: &FieldApp, envelope: &str) -> Option<Vec<u8>> {
    let digest: Digest = envelope.parse().unwrap();
    app.inside(|inner| inner.outbox.bytes(&digest)).unwrap()
}

pub(crate) fn code(value: &str) -> AnswerValue {
    AnswerValue::Code(value.to_owned())
}

pub(crate) fn codes(values: &[&str]) -> AnswerValue {
    AnswerValue::Codes(values.iter().map(|value| (*value).to_owned()).collect())
}

pub(crate) fn answer_all(app: &FieldApp, draft: &str, answers: &[(&str, AnswerValue)]) -> DraftView {
    let mut view = app.draft(draft, "en").unwrap();
    for (question, value) in answers {
        view = app
            .answer(draft, question, value.clone(), "en")
            .unwrap_or_else(|error| panic!("{question}: {error}"));
    }
    view
}

/// What a count needs beside its cells.
pub(crate) fn tally_answers() -> Vec<(&'static str, AnswerValue)> {
    let mut answers = vec![
        ("A05", code("bus")),
        ("A08", code("deportation")),
        ("A09", code("official")),
        ("A10", code("no")),
        ("A11", code("full")),
        ("A12", codes(&["police_arr"])),
        ("A20", code("counted")),
        ("A21", code("no")),
        ("A77", code("none")),
    ];
    if crate::pack::only_corridor(&point()).is_none() {
        let corridors = crate::pack::standard().unwrap().external("corridors").unwrap();
        let first = corridors.rows().next().unwrap().code().to_owned();
        answers.insert(0, ("A02", AnswerValue::Code(first)));
    }
    answers
}

/// Starts a count and answers all but the cells.
pub(crate) fn begun_tally(app: &FieldApp) -> DraftView {
    let draft = app.start_tally("en").unwrap();
    answer_all(app, &draft.id, &tally_answers())
}

pub(crate) fn finished_tally(app: &FieldApp) -> (String, SavedView) {
    let draft = begun_tally(app);
    app.count(&draft.id, "N_m_adult", 12).unwrap();
    let saved = app.finish_draft(&draft.id, "en").unwrap();
    (draft.event_id.unwrap(), saved)
}

/// A rapid interview on a quiet path.
pub(crate) fn interview_answers() -> Vec<(&'static str, AnswerValue)> {
    vec![
        ("K06", code("private")),
        ("K03", code("yes")),
        ("P01", code("female")),
        ("P02", code("a25_59")),
        ("P07", code("alone")),
        ("D01", codes(&["passport"])),
        ("RF", codes(&["medical_urgent"])),
        ("W03", code("no")),
    ]
}

pub(crate) fn finished_interview(app: &FieldApp, event: Option<&str>) -> SavedView {
    let draft = app.start_interview(event, "en").unwrap();
    answer_all(app, &draft.id, &interview_answers());
    app.finish_draft(&draft.id, "en").unwrap()
}

/// An interview that the person does not want.
pub(crate) fn refused_interview(app: &FieldApp, event: Option<&str>) -> SavedView {
    let draft = app.start_interview(event, "en").unwrap();
    answer_all(app, &draft.id, &[("K06", code("private")), ("K03", code("no"))]);
    app.finish_draft(&draft.id, "en").unwrap()
}

/// All files under a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
