//! Enrolment: what is checked, what is made, what is erased.

use landfall_seal::{enrol as seal_enrol, words};
use landfall_wire::enrol::{InvitationFile, reply_from_text};

use super::{Org, PASSCODE, Phone, files};
use crate::{Comparison, Courier, DeviceState, FieldError, device_state};
use std::sync::Arc;

#[test]
fn nothing_works_before_the_words_are_confirmed() {
    let (org, phone) = (Org::make(), Phone::new());
    assert_eq!(device_state(&phone.home()), DeviceState::Fresh);
    assert_eq!(phone.confirm(Comparison::Same), Err(FieldError::NotFound));
    phone.begin(&org.invitation_text()).unwrap();
    assert_eq!(device_state(&phone.home()), DeviceState::WordsPending);
    assert!(matches!(phone.unlock_with(PASSCODE), Err(FieldError::NotFound)));
    let clock = Arc::clone(&phone.clock);
    assert!(matches!(
        Courier::open(&phone.home(), clock),
        Err(FieldError::NotFound)
    ));
    phone.confirm(Comparison::Same).unwrap();
    assert_eq!(device_state(&phone.home()), DeviceState::Enrolled);
    phone.unlock();
    let again = phone.begin(&org.invitation_text());
    assert_eq!(again, Err(FieldError::invalid("device", "already_enrolled")));
}

#[test]
fn the_reply_is_for_the_desk_alone_and_both_sides_read_the_same_words() {
    let (org, phone) = (Org::make(), Phone::new());
    let text = org.invitation_text();
    let step = phone.begin(&text).unwrap();
    let sealed = reply_from_text(&step.reply_text).unwrap();
    assert!(seal_enrol::open_reply(&sealed, &[&Org::make().epoch]).is_err());
    let reply = seal_enrol::open_reply(&sealed, &[&org.epoch]).unwrap();
    let invitation = InvitationFile::from_text(&text).unwrap().invitation;
    let transcript = seal_enrol::check_reply(&reply, &invitation).unwrap();
    assert_eq!(
        words::six_words(&transcript, "en").unwrap().map(str::to_owned),
        step.words
    );
    assert_eq!(step.organisation, "Practice");
    phone.confirm(Comparison::Same).unwrap();
    let next = phone
        .unlock()
        .inside(|inner| inner.vault.device().unwrap().next)
        .unwrap();
    assert_eq!((next.seq, next.prev.to_bytes()), (0, transcript));
}

#[test]
fn different_words_leave_nothing_whatever_the_passcode() {
    let (org, phone) = (Org::make(), Phone::new());
    phone.begin(&org.invitation_text()).unwrap();
    crate::enrol_confirm(
        &phone.home(),
        b"another",
        &phone.guard,
        &phone.clock,
        Comparison::Different,
    )
    .unwrap();
    assert_eq!(device_state(&phone.home()), DeviceState::Fresh);
    assert!(files(&phone.home()).is_empty());
    phone.begin(&org.invitation_text()).unwrap();
    phone.confirm(Comparison::Same).unwrap();
}

#[test]
fn an_unconfirmed_enrolment_may_be_begun_anew() {
    let (org, phone) = (Org::make(), Phone::new());
    let first = phone.begin(&org.invitation_text()).unwrap();
    let second = phone.begin(&org.invitation_text()).unwrap();
    assert_ne!(first.device_id, second.device_id);
    phone.confirm(Comparison::Same).unwrap();
    let dev = phone.unlock().inside(|inner| inner.keys.id().to_hex()).unwrap();
    assert_eq!(dev, second.device_id);
}

#[test]
fn what_the_organisation_did_not_sign_is_refused_and_leaves_nothing() {
    let (org, other, phone) = (Org::make(), Org::make(), Phone::new());
    let file = |charter: &[u8], manifest: &[u8]| {
        InvitationFile {
            invitation: org.invitation(),
            charter: charter.to_vec(),
            manifest: manifest.to_vec(),
        }
        .to_text()
    };
    for text in [
        file(&other.charter, &org.manifest),
        file(&org.charter, &other.manifest),
    ] {
        assert_eq!(phone.begin(&text), Err(FieldError::NotTrusted));
    }
    // The digests cover the payloads; the signature is checked for itself.
    let mut flipped = org.charter.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert_eq!(
        phone.begin(&file(&flipped, &org.manifest)),
        Err(FieldError::NotTrusted)
    );
    let cut: String = org.invitation_text().chars().take(200).collect();
    for text in ["", "landfall", cut.as_str()] {
        assert_eq!(
            phone.begin(text),
            Err(FieldError::invalid("invitation", "format"))
        );
    }
    assert_eq!(device_state(&phone.home()), DeviceState::Fresh);
}

#[test]
fn a_short_passcode_is_refused() {
    let (org, phone) = (Org::make(), Phone::new());
    let refused = crate::enrol_begin_tuned(
        &phone.home(),
        &org.invitation_text(),
        b"12345",
        &phone.guard,
        &phone.clock,
        &landfall_seal::Tuning::for_tests(),
    );
    assert_eq!(refused, Err(FieldError::invalid("passcode", "too_short")));
}

#[test]
fn a_version_that_is_too_old_may_not_begin_records() {
    let (org, phone) = (Org::with_min_version("99.1"), Phone::new());
    phone.begin(&org.invitation_text()).unwrap();
    phone.confirm(Comparison::Same).unwrap();
    let app = phone.unlock();
    let refused = FieldError::NeedsUpdate {
        min_version: "99.1".to_owned(),
    };
    assert_eq!(app.start_tally("en").err(), Some(refused.clone()));
    assert_eq!(app.start_interview(None, "en").err(), Some(refused));
    assert!(app.home("en").is_ok());
}

#[test]
fn an_enrolment_that_was_cut_off_is_fresh_again() {
    let (org, phone) = (Org::make(), Phone::new());
    phone.begin(&org.invitation_text()).unwrap();
    // As if the power had gone before the header was stored.
    for name in ["header-1", "header-2"] {
        std::fs::remove_file(phone.home().join(name)).unwrap();
    }
    assert_eq!(device_state(&phone.home()), DeviceState::Fresh);
    phone.begin(&org.invitation_text()).unwrap();
    // And here after the first of the two files.
    std::fs::remove_file(phone.home().join("header-2")).unwrap();
    assert_eq!(device_state(&phone.home()), DeviceState::WordsPending);
    phone.confirm(Comparison::Same).unwrap();
    phone.unlock();
}

#[test]
fn a_wrong_passcode_confirms_nothing_and_is_counted() {
    let (org, phone) = (Org::make(), Phone::new());
    phone.begin(&org.invitation_text()).unwrap();
    let refused = crate::enrol_confirm(
        &phone.home(),
        b"00000000",
        &phone.guard,
        &phone.clock,
        Comparison::Same,
    );
    assert!(matches!(
        refused,
        Err(FieldError::WrongPasscode { attempts: 1, .. })
    ));
    assert_eq!(device_state(&phone.home()), DeviceState::WordsPending);
    phone.confirm(Comparison::Same).unwrap();
}

#[test]
fn the_facade_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<crate::FieldApp>();
    shared::<Courier>();
    shared::<crate::CancelToken>();
}
