//! The signed record. Signing and verified reading are the only two ways to an [`Entry`].

use std::fmt;

use landfall_wire::cbor::Unknown;
use landfall_wire::frame::{Context, Frame};
use landfall_wire::ids::{DeviceId, EntryHash, PublicKey, entry_hash};
use landfall_wire::sign::{Signer, Verifier};

use crate::Error;
use crate::payload::{Chain, Payload, Unsigned};

/// A signed, chained, append-only record: its bytes as they were signed, and what they say.
///
/// An `Entry` exists only where a signature was made or checked. It proves that this enrolled device wrote this, in
/// this order, unchanged since; not that what it says happened.
#[derive(Clone, PartialEq)]
pub struct Entry {
    bytes: Vec<u8>,
    hash: EntryHash,
    payload: Payload,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, {:?})", self.hash, self.payload)
    }
}

impl Entry {
    /// Signs the fields at their place in the chain.
    ///
    /// # Errors
    /// [`Error::Device`] if the chain names another device than the signer's; else what the checks of the payload
    /// say (every rule that [`Entry::read`] enforces is enforced here).
    pub fn sign(fields: Unsigned, chain: Chain, signer: &dyn Signer) -> Result<Entry, Error> {
        if chain.dev != DeviceId::of(&signer.public_key()) {
            return Err(Error::Device);
        }
        let payload = Payload {
            chain,
            fields,
            unknown: Unknown::default(),
        };
        let bytes = Frame::sign(Context::Entry, &payload.encode()?, signer);
        Ok(Entry {
            hash: entry_hash(&bytes),
            bytes,
            payload,
        })
    }

    /// Reads an entry that comes from outside: one exact frame, a valid signature by `key`, a payload that names the
    /// same device and passes every check.
    ///
    /// # Errors
    /// [`Error::Frame`], [`Error::Signature`], [`Error::Device`], or what is wrong with the payload.
    pub fn read(bytes: &[u8], key: &PublicKey, verifier: &dyn Verifier) -> Result<Entry, Error> {
        let frame = Frame::decode(bytes).map_err(Error::Frame)?;
        frame
            .verify(Context::Entry, key, verifier)
            .map_err(|_| Error::Signature)?;
        let payload = Payload::decode(frame.payload())?;
        if payload.chain.dev != DeviceId::of(key) {
            return Err(Error::Device);
        }
        Ok(Entry {
            bytes: bytes.to_vec(),
            hash: entry_hash(bytes),
            payload,
        })
    }

    /// Returns the bytes as signed, to be stored and forwarded verbatim.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the hash by which everybody knows this entry.
    #[must_use]
    pub fn hash(&self) -> EntryHash {
        self.hash
    }

    /// Returns the place in the chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.payload.chain
    }

    /// Returns the fields.
    #[must_use]
    pub fn fields(&self) -> &Unsigned {
        &self.payload.fields
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Returns the place of the entry that follows this one on the same device.
    #[must_use]
    pub fn next(&self) -> Chain {
        Chain {
            dev: self.payload.chain.dev,
            seq: self.payload.chain.seq + 1,
            prev: self.hash,
        }
    }
}

/// Names the device that a frame's payload claims, before any signature is checked: a desk needs it to find the key
/// to check with. Nothing else of the payload may be used before [`Entry::read`] has passed.
///
/// # Errors
/// [`Error::Frame`] or what is wrong with the payload.
pub fn claimed_device(bytes: &[u8]) -> Result<DeviceId, Error> {
    let frame = Frame::decode(bytes).map_err(Error::Frame)?;
    Ok(Payload::decode(frame.payload())?.chain.dev)
}

/// An entry that was verified before it was stored, read back without checking the signature again.
///
/// For the projections of a vault or a desk only: what comes from outside goes through [`Entry::read`].
#[derive(Clone, PartialEq)]
pub struct Stored {
    hash: EntryHash,
    payload: Payload,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({:?}, {:?})", self.hash, self.payload)
    }
}

impl Stored {
    /// Reads bytes that this program has verified and stored.
    ///
    /// # Errors
    /// [`Error::Frame`] or what is wrong with the payload: the store is damaged, or an older program wrote it.
    pub fn read(bytes: &[u8]) -> Result<Stored, Error> {
        let frame = Frame::decode(bytes).map_err(Error::Frame)?;
        Ok(Stored {
            hash: entry_hash(bytes),
            payload: Payload::decode(frame.payload())?,
        })
    }

    /// Returns the hash.
    #[must_use]
    pub fn hash(&self) -> EntryHash {
        self.hash
    }

    /// Returns the place in the chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.payload.chain
    }

    /// Returns the fields.
    #[must_use]
    pub fn fields(&self) -> &Unsigned {
        &self.payload.fields
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;
    use crate::testing::{TestKey, TestVerifier, chain, consent, id, interview, start, tally};
    use crate::{Kind, Scope, header};
    use landfall_form::Answer;
    use landfall_wire::cbor::{self, Limits, Value};

    fn payload(entry: &Entry) -> Vec<(Value, Value)> {
        let frame = Frame::decode(entry.bytes()).unwrap();
        match cbor::decode(frame.payload(), &Limits::MESSAGE).unwrap() {
            Value::Map(pairs) => pairs,
            _ => Vec::new(),
        }
    }

    fn signed(pairs: Vec<(Value, Value)>, key: &TestKey) -> Vec<u8> {
        Frame::sign(Context::Entry, &cbor::encode(&Value::Map(pairs)), key)
    }

    fn one() -> (TestKey, Entry) {
        let key = TestKey(1);
        let entry = Entry::sign(tally(1, 7), start(&key), &key).unwrap();
        (key, entry)
    }

    #[test]
    fn what_is_signed_reads_back() {
        let key = TestKey(1);
        for entry in chain(
            &key,
            vec![
                tally(1, 7),
                consent(2, 4, &[Scope::Record], &[]),
                interview(3, 4, 7),
            ],
        ) {
            let read = Entry::read(entry.bytes(), &key.public_key(), &TestVerifier).unwrap();
            assert_eq!(read.hash(), entry.hash());
            assert_eq!(read.chain(), entry.chain());
            assert_eq!(read.fields().id, entry.fields().id);
            assert_eq!(read.fields().clock, entry.fields().clock);
            assert_eq!(read.fields().form, entry.fields().form);
            assert_eq!(Stored::read(entry.bytes()).unwrap().payload(), read.payload());
            assert_eq!(claimed_device(entry.bytes()).unwrap(), entry.chain().dev);
        }
    }

    #[test]
    fn keys_are_those_of_the_protocol() {
        let (_, entry) = one();
        let keys: Vec<i64> = payload(&entry)
            .iter()
            .map(|(key, _)| key.as_i64().unwrap())
            .collect();
        assert_eq!(keys, [0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20]);
    }

    #[test]
    fn another_key_another_byte_another_device_are_refused() {
        let (key, entry) = one();
        let other = TestKey(2);
        assert_eq!(
            Entry::read(entry.bytes(), &other.public_key(), &TestVerifier),
            Err(Error::Signature)
        );
        for place in 0..entry.bytes().len() {
            let mut bytes = entry.bytes().to_vec();
            bytes[place] ^= 1;
            assert!(
                Entry::read(&bytes, &key.public_key(), &TestVerifier).is_err(),
                "byte {place}"
            );
        }
        for end in 0..entry.bytes().len() {
            assert!(Entry::read(&entry.bytes()[..end], &key.public_key(), &TestVerifier).is_err());
        }
        let borrowed = signed(payload(&entry), &other);
        assert_eq!(
            Entry::read(&borrowed, &other.public_key(), &TestVerifier),
            Err(Error::Device)
        );
        assert_eq!(Entry::sign(tally(1, 7), start(&key), &other), Err(Error::Device));
    }

    #[test]
    fn every_missing_or_mistyped_key_is_named() {
        let (key, entry) = one();
        let pairs = payload(&entry);
        for (place, (number, _)) in pairs.iter().enumerate() {
            let number = u8::try_from(number.as_i64().unwrap()).unwrap();
            let mut without = pairs.clone();
            without.remove(place);
            let expected = if number == 8 {
                Error::Unfit(8)
            } else {
                Error::Missing(number)
            };
            let bytes = signed(without, &key);
            assert_eq!(
                Entry::read(&bytes, &key.public_key(), &TestVerifier),
                Err(expected)
            );
            let mut mistyped = pairs.clone();
            mistyped[place].1 = Value::Bool(true);
            let bytes = signed(mistyped, &key);
            assert_eq!(
                Entry::read(&bytes, &key.public_key(), &TestVerifier),
                Err(Error::Wrong(number))
            );
        }
    }

    #[test]
    fn unknown_keys_are_kept_and_known_rules_still_hold() {
        let (key, entry) = one();
        let mut pairs = payload(&entry);
        pairs.push((Value::int(99), Value::text("later")));
        let bytes = signed(pairs, &key);
        let read = Entry::read(&bytes, &key.public_key(), &TestVerifier).unwrap();
        assert_eq!(read.payload().unknown().get(99), Some(&Value::text("later")));
        assert_eq!(read.bytes(), bytes, "forwarded verbatim");
    }

    #[test]
    fn versions_and_text_keys_are_refused() {
        let (key, entry) = one();
        let mut pairs = payload(&entry);
        pairs[0].1 = Value::int(2);
        let bytes = signed(pairs.clone(), &key);
        assert_eq!(
            Entry::read(&bytes, &key.public_key(), &TestVerifier),
            Err(Error::Version(2))
        );
        pairs.push((Value::text("note"), Value::Null));
        let bytes = signed(pairs, &key);
        assert_eq!(
            Entry::read(&bytes, &key.public_key(), &TestVerifier),
            Err(Error::NotAMap)
        );
    }

    #[test]
    fn a_device_cannot_sign_what_a_desk_refuses() {
        let key = TestKey(1);
        let refused = |change: &dyn Fn(&mut Unsigned)| {
            let mut fields = tally(1, 7);
            change(&mut fields);
            Entry::sign(fields, start(&key), &key).unwrap_err()
        };
        assert_eq!(refused(&|f| f.lang = "e n".to_owned()), Error::Wrong(18));
        assert_eq!(refused(&|f| f.app_version = "x".repeat(65)), Error::Wrong(15));
        assert_eq!(
            refused(&|f| f.case = Some(landfall_wire::ids::CaseId::from_bytes([1; 16]))),
            Error::Unfit(7)
        );
        assert_eq!(refused(&|f| f.form = None), Error::Unfit(8));
        assert_eq!(
            refused(&|f| f.id = landfall_wire::ids::EntryId::from_bytes([0xff; 16])),
            Error::Wrong(1)
        );
        assert_eq!(
            refused(&|f| f.sup = vec![EntryHash::from_bytes([1; 32]); 2]),
            Error::Wrong(10)
        );
        assert_eq!(refused(&|f| f.clock.tz_min = 2000), Error::Wrong(12));
        assert_eq!(
            refused(&|f| {
                f.body.remove(header::ARRIVAL_EVENT_ID);
            }),
            Error::Body(header::ARRIVAL_EVENT_ID)
        );
        assert_eq!(
            refused(&|f| {
                f.body.insert("A80".to_owned(), Answer::Text("x".repeat(50_000)));
            }),
            Error::TooLarge
        );
        let mut without_consent = interview(1, 2, 3);
        without_consent.consent = None;
        assert_eq!(
            Entry::sign(without_consent, start(&key), &key),
            Err(Error::Unfit(14))
        );
        let mut without_case = consent(1, 2, &[], &[]);
        without_case.case = None;
        assert_eq!(Entry::sign(without_case, start(&key), &key), Err(Error::Unfit(7)));
    }

    #[test]
    fn a_form_version_is_a_whole_number_where_it_is_one() {
        let key = TestKey(1);
        for (version, whole) in [
            ("2026030901", true),
            ("0", true),
            ("v2", false),
            ("007", false),
            ("1.2", false),
        ] {
            let mut fields = tally(1, 7);
            fields.form.as_mut().unwrap().version = version.to_owned();
            let entry = Entry::sign(fields, start(&key), &key).unwrap();
            let mut pairs = payload(&entry);
            let form = pairs
                .iter_mut()
                .find(|(number, _)| number.as_i64() == Some(8))
                .unwrap();
            let Value::Array(parts) = &mut form.1 else {
                panic!("an array")
            };
            assert_eq!(matches!(parts[1], Value::Int(_)), whole, "{version}");
            let read = Entry::read(entry.bytes(), &key.public_key(), &TestVerifier).unwrap();
            assert_eq!(read.fields().form.as_ref().unwrap().version, version);
            if whole {
                parts[1] = Value::text(version);
                let other = signed(pairs, &key);
                assert_eq!(
                    Entry::read(&other, &key.public_key(), &TestVerifier),
                    Err(Error::Wrong(8)),
                    "one spelling only"
                );
            }
        }
    }

    #[test]
    fn attachments_travel_in_key_13() {
        let key = TestKey(1);
        let attached = crate::Attached {
            sealed: landfall_wire::ids::Digest::from_bytes([3; 32]),
            plain: landfall_wire::ids::Digest::from_bytes([4; 32]),
            size: 300_000,
            slices: 3,
        };
        let mut fields = tally(1, 7);
        fields.attachments = vec![attached];
        let entry = Entry::sign(fields, start(&key), &key).unwrap();
        let read = Entry::read(entry.bytes(), &key.public_key(), &TestVerifier).unwrap();
        assert_eq!(read.fields().attachments, [attached]);
        let mut pairs = payload(&entry);
        for pair in &mut pairs {
            if pair.0.as_i64() == Some(13) {
                pair.1 = Value::Array(Vec::new());
            }
        }
        assert_eq!(
            Entry::read(&signed(pairs, &key), &key.public_key(), &TestVerifier),
            Err(Error::Wrong(13)),
            "absent and empty are not two spellings"
        );
    }

    #[test]
    fn nothing_prints_content() {
        let key = TestKey(1);
        let mut fields = interview(1, 2, 3);
        fields
            .body
            .insert("W07".to_owned(), Answer::Text("marigold".to_owned()));
        let entry = Entry::sign(fields, start(&key), &key).unwrap();
        let text = format!(
            "{entry:?} {:?} {:?}",
            entry.payload(),
            Stored::read(entry.bytes()).unwrap()
        );
        assert!(!text.contains("marigold"), "{text}");
        assert!(text.contains(Kind::Observation.code()));
        assert!(!text.contains(&id(1).to_hex()));
    }

    proptest::proptest! {
        #[test]
        fn no_signed_bytes_make_a_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let key = TestKey(1);
            let framed = Frame::sign(Context::Entry, &bytes, &key);
            proptest::prop_assert!(Entry::read(&framed, &key.public_key(), &TestVerifier).is_err());
            proptest::prop_assert!(Entry::read(&bytes, &key.public_key(), &TestVerifier).is_err());
        }

        #[test]
        fn a_payload_with_a_byte_changed_is_read_or_refused_by_name(place in 0usize..2000, flip in 1u8..=255) {
            let key = TestKey(1);
            let entry = Entry::sign(interview(1, 2, 3), start(&key), &key).unwrap();
            let mut payload = Frame::decode(entry.bytes()).unwrap().into_payload();
            let place = place % payload.len();
            payload[place] ^= flip;
            // The signature is good: this is what a device could send, not what somebody on the way could.
            let framed = Frame::sign(Context::Entry, &payload, &key);
            if let Ok(read) = Entry::read(&framed, &key.public_key(), &TestVerifier) {
                proptest::prop_assert_eq!(read.bytes(), framed.as_slice());
                proptest::prop_assert_ne!(read.hash(), entry.hash());
            }
        }
    }
}
