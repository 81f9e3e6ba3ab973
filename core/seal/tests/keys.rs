//! Passcodes, signatures, charters, enrolment: what holds and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::fs;

use landfall_seal::*;
use landfall_wire::cbor::Unknown;
use landfall_wire::clock::TestClock;
use landfall_wire::enrol::{Invitation, InvitationSecret, Reply, Role, transcript_hash};
use landfall_wire::ids::{Capability, Digest, MailboxId, PublicKey, Signature};
use landfall_wire::sign::{Signer as _, Verifier as _};

const PASSCODE: &[u8] = b"24681357";

#[test]
fn a_passcode_opens_what_it_made_and_a_guess_costs_n_calls() {
    let guard = SoftGuard::from_seed(&[1; 32]);
    let tuning = Tuning::for_tests();
    let (header, vrk) = Header::make(PASSCODE, &tuning, &guard).unwrap();
    for guess in [PASSCODE, b"24681358", b"0"] {
        let before = guard.calls();
        assert_eq!(header.open(guess, &guard).is_ok(), guess == PASSCODE);
        assert_eq!(
            guard.calls() - before,
            u64::from(tuning.calls()),
            "right or wrong"
        );
    }
    assert_eq!(header.open(PASSCODE, &guard).unwrap(), vrk);
    assert_eq!(header.open(b"", &guard).unwrap_err(), Error::PasscodeText);
    assert_eq!(header.open(b"\xff", &guard).unwrap_err(), Error::PasscodeText);
}

#[test]
fn a_guard_of_four_keys_is_asked_for_every_slot() {
    let guard = SoftGuard::from_seed(&[1; 32]).with_scope(GuardScope::PerSlot);
    let tuning = Tuning::for_tests();
    let (header, vrk) = Header::make(PASSCODE, &tuning, &guard).unwrap();
    let before = guard.calls();
    assert_eq!(header.open(PASSCODE, &guard).unwrap(), vrk);
    assert_eq!(guard.calls() - before, 4 * u64::from(tuning.calls()));
}

#[test]
fn deleting_the_hardware_alias_ends_the_passcode() {
    let guard = SoftGuard::from_seed(&[1; 32]);
    let (old, vrk) = Header::make(PASSCODE, &Tuning::for_tests(), &guard).unwrap();
    let new = Header::make_for(&vrk, b"13572468", &Tuning::for_tests(), &guard).unwrap();
    assert_ne!(old.alias(), new.alias());
    assert_eq!(old.open(PASSCODE, &guard).unwrap(), vrk);
    guard.delete_alias(old.alias()).unwrap();
    assert_eq!(
        old.open(PASSCODE, &guard).unwrap_err(),
        Error::Guard(GuardError::Gone)
    );
    assert_eq!(new.open(b"13572468", &guard).unwrap(), vrk);
    assert_eq!(new.open(PASSCODE, &guard).unwrap_err(), Error::WrongPasscode);
}

/// Makes keys but never answers, and remembers which aliases live.
#[derive(Default)]
struct Silent(std::sync::Mutex<Vec<String>>);

impl KeyGuard for Silent {
    fn scope(&self) -> GuardScope {
        GuardScope::PerDevice
    }
    fn derive(&self, _: &str, _: u8, _: &[u8]) -> Result<zeroize::Zeroizing<[u8; 32]>, GuardError> {
        Err(GuardError::Unavailable)
    }
    fn make_alias(&self) -> Result<String, GuardError> {
        self.0.lock().unwrap().push("a".to_owned());
        Ok("a".to_owned())
    }
    fn delete_alias(&self, alias: &str) -> Result<(), GuardError> {
        self.0.lock().unwrap().retain(|live| live != alias);
        Ok(())
    }
}

#[test]
fn a_header_that_cannot_be_made_leaves_no_hardware_key() {
    let guard = Silent::default();
    let error = Header::make(PASSCODE, &Tuning::for_tests(), &guard).unwrap_err();
    assert_eq!(error, Error::Guard(GuardError::Unavailable));
    assert!(guard.0.lock().unwrap().is_empty());
}

#[test]
fn one_passcode_on_two_keyboards_is_one_passcode() {
    let guard = SoftGuard::from_seed(&[1; 32]);
    let (header, _) = Header::make("ﬁne caf\u{e9} 12".as_bytes(), &Tuning::for_tests(), &guard).unwrap();
    assert!(header.open("fine cafe\u{301} １２".as_bytes(), &guard).is_ok());
    assert!(header.open("fine cafe 12".as_bytes(), &guard).is_err());
}

#[test]
fn the_place_of_the_key_and_all_of_the_header_change_each_time() {
    let guard = SoftGuard::from_seed(&[1; 32]);
    let vrk = Vrk::make();
    let mut places = std::collections::BTreeSet::new();
    let mut sizes = std::collections::BTreeSet::new();
    let slots = |header: &Header| {
        let value =
            landfall_wire::cbor::decode(&header.encode(), &landfall_wire::cbor::Limits::MESSAGE).unwrap();
        value
            .as_map()
            .unwrap()
            .iter()
            .find(|(key, _)| key.as_u64() == Some(7))
            .unwrap()
            .1
            .clone()
    };
    for _ in 0..40 {
        let header = Header::make_for(&vrk, PASSCODE, &Tuning::for_tests(), &guard).unwrap();
        sizes.insert(header.encode().len());
        // Which slot opens is found by breaking one after the other.
        let bytes = header.encode();
        for (n, slot) in slots(&header).as_array().unwrap().iter().enumerate() {
            let slot = slot.as_bytes().unwrap();
            let at = bytes
                .windows(slot.len())
                .position(|window| window == slot)
                .unwrap();
            let mut broken = bytes.clone();
            broken[at + 20] ^= 1;
            if Header::decode(&broken).unwrap().open(PASSCODE, &guard).is_err() {
                places.insert(n);
            }
        }
    }
    assert_eq!(places.len(), 4, "{places:?}");
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[test]
fn two_files_alike_and_either_is_enough() {
    let home = tempfile::tempdir().unwrap();
    let guard = SoftGuard::from_seed(&[1; 32]);
    assert_eq!(Header::load_pair(home.path()).unwrap_err(), Error::NoHeader);
    let (header, vrk) = Header::make(PASSCODE, &Tuning::for_tests(), &guard).unwrap();
    header.store_pair(home.path()).unwrap();
    let [first, second] = ["header-1", "header-2"].map(|name| home.path().join(name));
    assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap());
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        2,
        "nothing else is left"
    );
    for damaged in [&first, &second] {
        let whole = fs::read(damaged).unwrap();
        fs::write(damaged, &whole[..30]).unwrap();
        assert_eq!(Header::open_pair(home.path(), PASSCODE, &guard).unwrap().1, vrk);
        fs::remove_file(damaged).unwrap();
        assert_eq!(Header::open_pair(home.path(), PASSCODE, &guard).unwrap().1, vrk);
        fs::write(damaged, whole).unwrap();
    }
    fs::write(&first, b"x").unwrap();
    fs::write(&second, b"x").unwrap();
    assert!(matches!(
        Header::load_pair(home.path()).unwrap_err(),
        Error::Wire(_)
    ));
}

#[test]
fn a_crash_between_the_two_files_leaves_both_passcodes_until_the_alias_goes() {
    let home = tempfile::tempdir().unwrap();
    let guard = SoftGuard::from_seed(&[1; 32]);
    let (old, vrk) = Header::make(PASSCODE, &Tuning::for_tests(), &guard).unwrap();
    old.store_pair(home.path()).unwrap();
    let new = Header::make_for(&vrk, b"new code 1", &Tuning::for_tests(), &guard).unwrap();
    fs::write(home.path().join("header-1"), new.encode()).unwrap();
    assert_eq!(Header::load_pair(home.path()).unwrap().len(), 2);
    for code in [PASSCODE, b"new code 1"] {
        assert_eq!(Header::open_pair(home.path(), code, &guard).unwrap().1, vrk);
    }
    assert_eq!(
        Header::open_pair(home.path(), b"neither", &guard).unwrap_err(),
        Error::WrongPasscode
    );
}

#[test]
fn a_desk_needs_no_hardware() {
    let (header, vrk) = Header::make(PASSCODE, &Tuning::desk_for_tests(), &NoGuard).unwrap();
    assert_eq!(header.alias(), "");
    assert_eq!(header.open(PASSCODE, &NoGuard).unwrap(), vrk);
}

#[test]
fn no_parameters_of_a_release_lie_below_the_floors() {
    for (ram, argon_ms, call_ms) in [
        (8000, 1, 1),
        (8000, 240, 10),
        (1000, 90, 80),
        (500, 10_000, 3_000),
    ] {
        let tuning = format!("{:?}", Tuning::for_device(ram, argon_ms, call_ms));
        let field = |name: &str| -> u32 {
            let rest = tuning.split(&format!("{name}: ")).nth(1).unwrap();
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap()
        };
        let (memory, passes) = if ram < 2048 { (19 << 10, 4) } else { (64 << 10, 3) };
        assert_eq!(field("memory_kib"), memory);
        assert!(field("passes") >= passes && field("calls") >= 4, "{tuning}");
        assert!(
            u64::from(field("calls")) * call_ms <= 2000 || field("calls") == 4,
            "{tuning}"
        );
    }
    assert_eq!(
        Tuning::for_device(8000, 240, 10).calls(),
        50,
        "half a second of hardware"
    );
    assert_eq!(Tuning::desk().calls(), 0);
}

#[test]
fn measuring_asks_the_clock_and_the_guard() {
    let guard = SoftGuard::from_seed(&[1; 32]);
    let tuning = Tuning::measure(1000, &guard, "a", &TestClock::at(1_780_000_000)).unwrap();
    assert!(guard.calls() >= 8);
    assert!(tuning.calls() >= 4);
}

#[test]
fn the_raw_key_has_its_67_bytes() {
    let key = DbKey::from_raw(&[0x0f; 32]);
    assert_eq!(
        key.expose().as_slice(),
        format!("x'{}'", "0f".repeat(32)).as_bytes()
    );
    let vrk = Vrk::make();
    assert_eq!(vrk.db_key().unwrap().expose(), vrk.db_key().unwrap().expose());
    assert_ne!(*vrk.derive(b"a").unwrap(), *vrk.derive(b"b").unwrap());
}

#[test]
fn a_signature_is_ed25519_of_rfc_8032() {
    // RFC 8032 section 7.1, test 2.
    let seed: [u8; 32] = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
        .unwrap()
        .try_into()
        .unwrap();
    let key = SigningKey::from_seed(&seed);
    assert_eq!(
        key.public_key().to_hex(),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    let signature = key.sign(&[0x72]);
    assert_eq!(
        signature.to_hex(),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    Ed25519Verifier
        .verify(&key.public_key(), &[0x72], &signature)
        .unwrap();
    assert!(
        Ed25519Verifier
            .verify(&key.public_key(), &[0x73], &signature)
            .is_err()
    );
}

#[test]
fn weak_keys_are_refused_where_they_enter_and_where_they_would_verify() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let keys = [
        PublicKey::from_bytes(neutral),
        PublicKey::from_hex(order_8).unwrap(),
        PublicKey::from_bytes([0; 32]),
    ];
    let mut forged = [0; 64];
    forged[0] = 1;
    for key in keys {
        assert_eq!(Ed25519Verifier::check_key(&key).unwrap_err(), Error::WeakKey);
        assert!(
            Ed25519Verifier
                .verify(&key, b"anything", &Signature::from_bytes(forged))
                .is_err()
        );
    }
    assert_eq!(
        Ed25519Verifier::check_key(&PublicKey::from_bytes([2; 32])).unwrap_err(),
        Error::WeakKey
    );
    Ed25519Verifier::check_key(&SigningKey::make().public_key()).unwrap();
}

#[test]
fn a_root_key_rests_under_a_passphrase() {
    let key = SigningKey::from_seed(&[9; 32]);
    let words = words::make_passphrase("fr").unwrap();
    let file = key.to_root_file(&words, WorkFactor::for_tests()).unwrap();
    assert!(file.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    assert_eq!(
        SigningKey::from_root_file(&file, &words).unwrap().public_key(),
        key.public_key()
    );
    assert_eq!(
        SigningKey::from_root_file(&file, "other").unwrap_err(),
        Error::WrongPassphrase
    );
    let mut changed = file.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(
        open_with_passphrase(&changed, &words).unwrap_err(),
        Error::Tampered
    );
    assert_eq!(open_with_passphrase(b"x", &words).unwrap_err(), Error::NotAge);
    let sealed = seal_file(b"x", &[EpochIdentity::make().recipient().unwrap()]).unwrap();
    assert_eq!(open_with_passphrase(&sealed, &words).unwrap_err(), Error::NotAge);
    assert_eq!(
        open_file(&file, &[&EpochIdentity::make()]).unwrap_err(),
        Error::UnknownRecipient
    );
    let greedy =
        String::from_utf8_lossy(&file[..file.len() - 200.min(file.len() / 2)]).replace(" 4\n", " 40\n");
    assert!(
        open_with_passphrase(greedy.as_bytes(), &words).is_err(),
        "2^40 is not tried"
    );
}

#[test]
fn six_words_are_the_first_66_bits() {
    assert_eq!(words::six_words(&[0; 32], "en").unwrap(), ["abandon"; 6]);
    assert_eq!(words::six_words(&[0xff; 32], "en").unwrap(), ["zoo"; 6]);
    let mut hash = [0; 32];
    hash[8] = 0b0100_0000;
    let en = words::six_words(&hash, "en").unwrap();
    assert_eq!(en[..5], ["abandon"; 5]);
    assert_eq!(en[5], "ability", "the 66th bit counts");
    hash[8] = 0b0010_0000;
    assert_eq!(
        words::six_words(&hash, "en").unwrap()[5],
        "abandon",
        "the 67th does not"
    );
    for language in ["fr", "es", "pt"] {
        assert_ne!(
            words::six_words(&[0x5a; 32], language).unwrap(),
            words::six_words(&[0x5a; 32], "en").unwrap()
        );
    }
    assert_eq!(words::six_words(&[0; 32], "de").unwrap_err(), Error::NoWordList);
}

#[test]
fn typed_words_match_without_accents_and_case() {
    let expected = words::six_words(&[0x37; 32], "es").unwrap();
    let typed = expected.join("  ").to_uppercase();
    assert!(words::matches(&typed, &expected));
    assert!(words::matches(
        "ábaco abdomen abeja abierto abogado abono",
        &["ábaco", "abdomen", "abeja", "abierto", "abogado", "abono"]
    ));
    assert!(words::matches(
        "abaco abdomen abeja abierto abogado abono",
        &["ábaco", "abdomen", "abeja", "abierto", "abogado", "abono"]
    ));
    assert!(!words::matches(&expected[..5].join(" "), &expected));
    let mut other = expected;
    other[3] = "abono";
    assert!(!words::matches(&other.join(" "), &expected));
}

fn invitation() -> Invitation {
    Invitation {
        hub: vec!["https://hub.example".to_owned()],
        charter: Digest::from_bytes([1; 32]),
        manifest: Digest::from_bytes([2; 32]),
        serial: 1,
        secret: InvitationSecret::from_bytes([3; 32]),
        language: "en".to_owned(),
        role: Role::Monitor,
        point: "airport_1".to_owned(),
        reply_to: MailboxId::from_bytes([4; 16]),
    }
}

fn reply(device: &DeviceKeys, invitation: &Invitation) -> Reply {
    let recipient = *device.recipient().unwrap().as_bytes();
    let transcript = transcript_hash(invitation, &device.public_key(), &recipient);
    Reply {
        device_key: device.public_key(),
        recipient,
        downlink: MailboxId::from_bytes([5; 16]),
        write_cap: Capability::from_bytes([6; 32]).hash(),
        read_cap: Capability::from_bytes([7; 32]).hash(),
        proof: enrol::derive_proof(&invitation.secret, &transcript).unwrap(),
        app_version: "0.1.0".to_owned(),
        invitation: invitation.digest(),
        unknown: Unknown::default(),
    }
}

#[test]
fn both_sides_of_an_enrolment_get_the_same_words() {
    let (desk, device, invitation) = (EpochIdentity::make(), DeviceKeys::make(), invitation());
    let sealed = enrol::seal_reply(
        &reply(&device, &invitation),
        &device.signing,
        &desk.recipient().unwrap(),
    )
    .unwrap();
    let opened = enrol::open_reply(&sealed, &[&desk]).unwrap();
    let at_desk = enrol::check_reply(&opened, &invitation).unwrap();
    let on_device = transcript_hash(
        &invitation,
        &device.public_key(),
        device.recipient().unwrap().as_bytes(),
    );
    assert_eq!(
        words::six_words(&at_desk, "en"),
        words::six_words(&on_device, "en")
    );
    let restored = Invitation::from_text(&invitation.to_text()).unwrap();
    assert_eq!(
        enrol::derive_put_capability(&restored.secret).unwrap().hash(),
        enrol::derive_put_capability(&invitation.secret).unwrap().hash()
    );
}

#[test]
fn whatever_is_swapped_changes_the_words_or_fails_the_proof() {
    let (device, other, invitation) = (DeviceKeys::make(), DeviceKeys::make(), invitation());
    let honest = reply(&device, &invitation);
    let words = |invitation: &Invitation, reply: &Reply| {
        let hash = transcript_hash(invitation, &reply.device_key, &reply.recipient);
        words::six_words(&hash, "en").unwrap()
    };
    let expected = words(&invitation, &honest);
    let mut swapped = honest.clone();
    swapped.device_key = other.public_key();
    assert_ne!(words(&invitation, &swapped), expected);
    assert_eq!(
        enrol::check_reply(&swapped, &invitation).unwrap_err(),
        Error::BadProof
    );
    let mut swapped = honest.clone();
    swapped.recipient = *other.recipient().unwrap().as_bytes();
    assert_ne!(words(&invitation, &swapped), expected);
    let base = invitation;
    for changed in [
        Invitation {
            charter: Digest::from_bytes([9; 32]),
            ..base.clone()
        },
        Invitation {
            manifest: Digest::from_bytes([9; 32]),
            ..base.clone()
        },
        Invitation {
            role: Role::Coordinator,
            ..base.clone()
        },
        Invitation {
            point: "airport_2".to_owned(),
            ..base.clone()
        },
        Invitation {
            hub: Vec::new(),
            ..base.clone()
        },
        Invitation {
            secret: InvitationSecret::from_bytes([9; 32]),
            ..base.clone()
        },
    ] {
        assert_ne!(words(&changed, &honest), expected);
        assert_eq!(
            enrol::check_reply(&honest, &changed).unwrap_err(),
            Error::BadProof
        );
    }
    // A reply with the right proof that names another key of its own is not signed by it.
    let stolen = enrol::seal_reply(
        &honest,
        &other.signing,
        &EpochIdentity::from_seed(&[1; 32]).recipient().unwrap(),
    );
    let error = enrol::open_reply(&stolen.unwrap(), &[&EpochIdentity::from_seed(&[1; 32])]).unwrap_err();
    assert_eq!(error.name(), "BadSignature");
}

#[test]
fn a_small_order_key_does_not_enrol() {
    let (desk, invitation) = (EpochIdentity::make(), invitation());
    let device = DeviceKeys::make();
    let mut weak = reply(&device, &invitation);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    weak.device_key = PublicKey::from_bytes(neutral);
    struct Forger(PublicKey);
    impl landfall_wire::sign::Signer for Forger {
        fn public_key(&self) -> PublicKey {
            self.0
        }
        fn sign(&self, _: &[u8]) -> Signature {
            let mut forged = [0; 64];
            forged[0] = 1;
            Signature::from_bytes(forged)
        }
    }
    let sealed = enrol::seal_reply(&weak, &Forger(weak.device_key), &desk.recipient().unwrap()).unwrap();
    assert_eq!(
        enrol::open_reply(&sealed, &[&desk]).unwrap_err().name(),
        "BadSignature"
    );
}

#[test]
fn random_numbers_fill_their_range() {
    let seen: std::collections::BTreeSet<u32> = (0..400).map(|_| random::make_below(4)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(random::make_below(1), 0);
    assert_ne!(random::make::<32>(), random::make::<32>());
}
