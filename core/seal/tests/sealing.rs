//! What seal promises, driven from outside: sizes, recipients, limits, passcodes, charters, enrolment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;

use age::Recipient as _;
use landfall_seal::*;
use landfall_wire::ids::Digest;
use landfall_wire::pad;

fn identity(n: u8) -> EpochIdentity {
    EpochIdentity::from_seed(&[n; 32])
}

#[test]
fn every_finished_envelope_has_a_bucket_size_and_opens() {
    let (right, other) = (identity(1), identity(2));
    let recipient = right.recipient().unwrap();
    let mut sizes = BTreeMap::new();
    for round in 0..140usize {
        // Around each bucket's edge the gaps of the pad's own length are met.
        let len = [
            200,
            1_000,
            2_100 + round,
            6_200 + round,
            14_400 + round,
            30_700 + round,
            45_000,
        ][round % 7];
        let entries = vec![vec![0xd2; len], vec![3; 90]];
        let sealed = seal_envelope(&entries, &recipient).unwrap();
        assert!(pad::is_bucket(sealed.bytes.len()), "{}", sealed.bytes.len());
        assert_eq!(sealed.digest, Digest::of(&sealed.bytes));
        *sizes.entry(sealed.bytes.len()).or_insert(0) += 1;
        assert_eq!(open_envelope(&sealed.bytes, &[&other, &right]).unwrap(), entries);
        if round % 20 == 0 {
            assert_eq!(
                open_envelope(&sealed.bytes, &[&other]).unwrap_err(),
                Error::UnknownRecipient
            );
        }
    }
    assert!(
        sizes.keys().any(|s| *s == 4096) && sizes.keys().any(|s| *s == 32768),
        "{sizes:?}"
    );
}

#[test]
fn an_envelope_that_a_hub_would_refuse_is_not_made() {
    let recipient = identity(1).recipient().unwrap();
    assert!(seal_envelope(&[vec![0; 62_000]], &recipient).is_ok());
    let error = seal_envelope(&[vec![0; 65_000]], &recipient).unwrap_err();
    assert_eq!(
        error,
        Error::TooLarge {
            limit: pad::MAX_ENVELOPE
        }
    );
}

#[test]
fn files_of_several_chunks_have_bucket_sizes_too() {
    let (a, b) = (identity(3), identity(4));
    let recipients = [a.recipient().unwrap(), b.recipient().unwrap()];
    // 64 KiB is age's chunk: sizes around its multiples exercise the tag of the next chunk.
    for len in [
        0usize, 10, 61_000, 62_300, 65_500, 65_536, 127_700, 131_072, 200_001, 1_000_000,
    ] {
        let content = vec![7; len];
        let sealed = seal_file(&content, &recipients).unwrap();
        assert!(pad::is_bucket(sealed.len()), "{len} -> {}", sealed.len());
        assert_eq!(*open_file(&sealed, &[&b]).unwrap(), content);
        assert_eq!(*open_file(&sealed, &[&a]).unwrap(), content);
    }
}

#[test]
fn more_than_four_recipients_are_refused_before_any_is_tried() {
    let right = identity(5);
    let recipients: Vec<_> = (5..9).map(|n| identity(n).recipient().unwrap()).collect();
    // Four recipients and the grease stanza are five.
    let sealed = seal_file(b"x", &recipients).unwrap();
    let error = open_file(&sealed, &[&right]).unwrap_err();
    assert_eq!(error, Error::TooManyRecipients { found: 5, limit: 4 });
    let sealed = seal_file(b"x", &recipients[..3]).unwrap();
    assert_eq!(**open_file(&sealed, &[&right]).unwrap(), *b"x");
}

#[test]
fn recipients_do_not_mix_with_classical_ones() {
    let key = age_core::format::FileKey::new(Box::new([1; 16]));
    let (stanzas, labels) = identity(1).recipient().unwrap().wrap_file_key(&key).unwrap();
    assert_eq!(stanzas.len(), 1);
    assert_eq!(stanzas[0].tag, "mlkem768x25519");
    assert!(labels.contains("postquantum"));
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let right = identity(1);
    let sealed = seal_envelope(&[vec![1; 300]], &right.recipient().unwrap())
        .unwrap()
        .bytes;
    for at in (0..sealed.len()).step_by(37).chain([0, sealed.len() - 1]) {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open_envelope(&changed, &[&right]).is_err(), "byte {at}");
    }
    for len in (0..sealed.len()).step_by(101) {
        assert!(open_envelope(&sealed[..len], &[&right]).is_err(), "length {len}");
    }
}

#[test]
fn age_strings_are_those_of_age() {
    let id = identity(9);
    let text = id.to_age_string().unwrap();
    assert!(text.starts_with("AGE-SECRET-KEY-PQ-1"));
    assert_eq!(*EpochIdentity::from_age_string(&text).unwrap().seed(), [9; 32]);
    let recipient = id.recipient().unwrap();
    let text = recipient.to_age_string().unwrap();
    assert!(text.starts_with("age1pq1"));
    assert_eq!(EpochRecipient::from_age_string(&text).unwrap(), recipient);
    let swapped = text.replacen('q', "p", 3);
    assert!(EpochRecipient::from_age_string(&swapped).is_err());
    assert!(EpochIdentity::from_age_string("AGE-SECRET-KEY-1QQQQ").is_err());
}

#[test]
fn secrets_do_not_print() {
    let keys = DeviceKeys::from_seeds(&[0xab; 32], &[0xcd; 32]);
    let vrk = Vrk::make();
    let text = format!(
        "{keys:?} {:?} {:?} {vrk:?} {:?}",
        keys.signing,
        keys.identity,
        vrk.db_key().unwrap()
    );
    assert!(
        !text.contains("abab") && !text.contains("171, 171") && !text.contains("205"),
        "{text}"
    );
    assert!(
        text.contains("Vrk(..)") && text.contains("EpochIdentity(..)"),
        "{text}"
    );
}
