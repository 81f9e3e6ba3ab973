//! What the formats promise for every value, not for chosen ones: writing and reading are inverse, readers
//! never panic, and no other bytes stand for the same thing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use landfall_wire::bundle::{BundleReader, BundleWriter, CapOp, DownlinkKind, Item, Kind, Right};
use landfall_wire::cbor::{self, Limits, MapReader, MapWriter, Value};
use landfall_wire::charter::Charter;
use landfall_wire::control::Control;
use landfall_wire::enrol::{Invitation, InvitationFile, Reply, reply_from_text};
use landfall_wire::frame::{Context, Frame, MultiFrame};
use landfall_wire::ids::{CapHash, Capability, Digest, EntryId, MailboxId, PublicKey, Signature};
use landfall_wire::manifest::Manifest;
use landfall_wire::sign::{BadSignature, Signer, Verifier};
use landfall_wire::{Error, envelope, pad};
use proptest::prelude::*;

/// A keyed hash in the place of a signature: this crate has no keys.
struct Fake(u8);

impl Signer for Fake {
    fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes([self.0; 32])
    }

    fn sign(&self, bytes: &[u8]) -> Signature {
        let half = Digest::of(&[&[self.0; 32], bytes].concat()).to_bytes();
        Signature::from_slice(&[half, half].concat()).unwrap()
    }
}

impl Verifier for Fake {
    fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        if Self(key.as_bytes()[0]).sign(bytes) == *signature {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::int),
        any::<u64>().prop_map(Value::int),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        ".{0,40}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map(inner.clone(), inner, 0..8)
                .prop_map(|map| Value::Map(map.into_iter().collect())),
        ]
    })
}

/// Order of keys is no part of what a map says.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Map(pairs) => {
            let mut pairs: Vec<_> = pairs.iter().map(|(k, v)| (sorted(k), sorted(v))).collect();
            pairs.sort();
            Value::Map(pairs)
        }
        other => other.clone(),
    }
}

fn item() -> impl Strategy<Value = Item> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..6_000);
    prop_oneof![
        bytes().prop_map(Item::Envelope),
        bytes().prop_map(|bytes| Item::Slice {
            digest: Digest::of(&bytes),
            bytes
        }),
        (any::<[u8; 16]>(), bytes()).prop_map(|(id, bytes)| Item::Downlink {
            mailbox: MailboxId::from_bytes(id),
            bytes
        }),
        (any::<[u8; 16]>(), prop::collection::vec(any::<[u8; 32]>(), 0..20)).prop_map(|(id, digests)| {
            Item::Ack {
                mailbox: MailboxId::from_bytes(id),
                digests: digests.into_iter().map(Digest::from_bytes).collect(),
            }
        }),
        (
            any::<[u8; 32]>(),
            any::<[u8; 16]>(),
            any::<Option<[u8; 16]>>(),
            any::<bool>()
        )
            .prop_map(|(hash, mailbox, group, read)| {
                Item::Cap(CapOp::Register {
                    hash: CapHash::from_bytes(hash),
                    right: if read { Right::Read } else { Right::Write },
                    mailbox: MailboxId::from_bytes(mailbox),
                    group: group.map(Into::into),
                })
            }),
        any::<[u8; 32]>().prop_map(|hash| Item::Cap(CapOp::Revoke {
            hash: CapHash::from_bytes(hash)
        })),
    ]
}

/// Gives a few bytes at a time, as a slow card does.
struct Trickle<'a>(&'a [u8], usize);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.len().min(out.len()).min(self.1);
        out[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn read_all(input: impl std::io::Read) -> Result<Vec<Item>, Error> {
    BundleReader::new(input)?.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn cbor_is_read_as_it_was_written(value in value()) {
        let bytes = cbor::encode(&value);
        let read = cbor::decode(&bytes, &Limits::MESSAGE).unwrap();
        prop_assert_eq!(sorted(&read), sorted(&value));
        prop_assert_eq!(cbor::encode(&read), bytes.clone());
        // minicbor's own walk agrees on where the item ends.
        let mut other = minicbor::Decoder::new(&bytes);
        other.skip().unwrap();
        prop_assert_eq!(other.position(), bytes.len());
        // Every proper beginning of it is incomplete, and named so.
        let cut = bytes.len() / 2;
        prop_assert_eq!(cbor::decode(&bytes[..cut], &Limits::MESSAGE).unwrap_err(), Error::Truncated);
    }

    #[test]
    fn what_is_read_has_one_encoding_up_to_the_order_of_keys(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = cbor::decode(&bytes, &Limits::MESSAGE) {
            prop_assert_eq!(cbor::encode(&value).len(), bytes.len());
        }
    }

    #[test]
    fn no_reader_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = cbor::decode_sequence(&bytes, &Limits::MESSAGE);
        let _ = Frame::decode(&bytes);
        let _ = MultiFrame::decode(&bytes);
        let _ = Frame::decode(&[&[0xd2, 0x84, 0x43, 0xa1, 1, 0x32, 0xa0], &bytes[..]].concat());
        let _ = MultiFrame::decode(&[&[0xd8, 0x62, 0x84, 0x40, 0xa0], &bytes[..]].concat());
        let _ = Charter::decode(&bytes);
        let _ = Manifest::decode(&bytes);
        let _ = Control::decode(&bytes);
        let _ = Reply::decode(&bytes);
        let _ = envelope::decode(&bytes);
        let _ = read_all(&bytes[..]);
        let text = String::from_utf8_lossy(&bytes);
        let _ = Invitation::from_text(&text);
        let _ = InvitationFile::from_text(&text);
        let _ = reply_from_text(&text);
    }

    #[test]
    fn a_frame_has_one_encoding(payload in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let signer = Fake(3);
        let bytes = Frame::sign(Context::Entry, &payload, &signer);
        let frame = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(frame.payload(), &payload[..]);
        prop_assert_eq!(frame.to_bytes(), bytes.clone());
        frame.verify(Context::Entry, &signer.public_key(), &signer).unwrap();
        prop_assert!(frame.verify(Context::Control, &signer.public_key(), &signer).is_err());
        let mut changed = bytes;
        let at = at.index(changed.len());
        changed[at] ^= 1 << bit;
        let taken = Frame::decode(&changed)
            .is_ok_and(|frame| frame.verify(Context::Entry, &signer.public_key(), &signer).is_ok());
        prop_assert!(!taken);
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written(items in prop::collection::vec(item(), 0..12), step in 1usize..5_000) {
        let mut writer = BundleWriter::new(Vec::new(), Kind::Uplink).unwrap();
        for item in &items {
            writer.write(item).unwrap();
        }
        prop_assert_eq!(writer.items(), items.len() as u64);
        let bytes = writer.finish().unwrap();
        prop_assert_eq!(&read_all(&bytes[..]).unwrap(), &items);
        prop_assert_eq!(&read_all(Trickle(&bytes, step)).unwrap(), &items);
        // It is a CBOR sequence that anybody can walk.
        let walked = cbor::decode_sequence(&bytes, &Limits { bytes: bytes.len(), depth: 4, items: 100_000 }).unwrap();
        prop_assert_eq!(walked.len(), items.len() + 1);
        if !items.is_empty() {
            let cut = &bytes[..bytes.len() - 1];
            let error = read_all(cut).unwrap_err();
            let lies_in_the_last = matches!(error, Error::At { item, .. } if item == items.len() as u64);
            prop_assert!(lies_in_the_last);
        }
    }

    #[test]
    fn a_bucket_holds_and_is_not_exceeded(len in 1usize..200_000_000) {
        let size = pad::bucket(len);
        prop_assert!(size >= len);
        prop_assert!(pad::is_bucket(size));
        // Padmé wastes at most 12 percent; the four fixed buckets at most their own size.
        prop_assert!(len <= 32 << 10 || size - len <= len / 8);
        prop_assert!(pad::bucket(len + 1) >= size);
    }

    #[test]
    fn a_pad_fills_to_the_byte(entry in 1usize..3_000, wanted in 1usize..70_000) {
        let entries = vec![vec![7; entry]];
        let bare = envelope::encode(&entries, 0).unwrap().len();
        match envelope::pad_for(bare, wanted) {
            Some(pad) => prop_assert_eq!(envelope::encode(&entries, pad).unwrap().len(), wanted),
            None => {
                // Too short, or one of the four lengths at which the pad's own length jumps.
                let more = wanted.checked_sub(bare);
                prop_assert!(more.is_none_or(|more| [24, 257, 65_538, 65_539].contains(&more)), "{:?}", more);
            }
        }
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..9), pad in 0usize..300) {
        let plain = envelope::encode(&entries, pad).unwrap();
        prop_assert_eq!(envelope::decode(&plain).unwrap(), entries);
    }
}

#[test]
fn keys_are_written_sorted_by_their_bytes() {
    let map = Value::Map(vec![
        (Value::text("a"), Value::Null),
        (Value::int(-1), Value::Null),
        (Value::int(300), Value::Null),
        (Value::int(2), Value::Null),
    ]);
    assert_eq!(
        cbor::encode(&map),
        [
            0xa4, 0x02, 0xf6, 0x19, 0x01, 0x2c, 0xf6, 0x20, 0xf6, 0x61, 0x61, 0xf6
        ]
    );
}

#[test]
fn unknown_keys_survive_and_never_hide_a_known_one() {
    let bytes = MapWriter::version(1)
        .put(1, Value::text("known"))
        .put(77, Value::bytes([1, 2, 3]))
        .encode(&cbor::Unknown::default());
    let mut map = MapReader::decode(&bytes, &Limits::MESSAGE).unwrap();
    map.version(1).unwrap();
    let known = map.text(1).unwrap();
    let unknown = map.finish();
    assert_eq!(unknown.keys().collect::<Vec<_>>(), [77]);
    assert_eq!(
        MapWriter::version(1).put(1, Value::text(known)).encode(&unknown),
        bytes
    );
    let wins = MapWriter::version(1).put(77, Value::Null).finish(&unknown);
    assert_eq!(wins.as_map().unwrap()[1].1, Value::Null);
}

#[test]
fn nothing_that_a_reader_would_refuse_is_written_into_a_bundle() {
    let mut writer = BundleWriter::new(Vec::new(), Kind::Uplink).unwrap();
    let slice = Item::Slice {
        digest: Digest::from_bytes([0; 32]),
        bytes: vec![1],
    };
    assert_eq!(writer.write(&slice).unwrap_err().name(), "DigestMismatch");
    let envelope = Item::Envelope(vec![0; pad::MAX_ENVELOPE + 1]);
    assert_eq!(writer.write(&envelope).unwrap_err().name(), "TooLarge");
    assert_eq!(writer.items(), 0);
    assert!(read_all(&writer.finish().unwrap()[..]).unwrap().is_empty());
}

#[test]
fn a_bundle_has_a_limit_of_items_and_stops_at_an_error() {
    let mut writer = BundleWriter::new(Vec::new(), Kind::Downlink).unwrap();
    for n in 0..5u8 {
        writer.write(&Item::Envelope(vec![n; 10])).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let mut reader = BundleReader::new(&bytes[..]).unwrap().with_max_items(3);
    assert_eq!(reader.kind(), Kind::Downlink);
    let read: Vec<_> = reader.by_ref().collect();
    assert_eq!(read.len(), 4);
    assert!(read[..3].iter().all(Result::is_ok));
    assert_eq!(read[3].as_ref().unwrap_err().name(), "TooMany");
    assert!(reader.next_item().unwrap().is_none());
}

#[test]
fn a_downlink_is_told_by_its_first_bytes() {
    assert_eq!(
        DownlinkKind::of(&Frame::sign(Context::Control, b"x", &Fake(1))),
        DownlinkKind::Control
    );
    assert_eq!(DownlinkKind::of(b"age-encryption.org/v1\n"), DownlinkKind::Sealed);
    assert_eq!(DownlinkKind::of(b""), DownlinkKind::Unknown);
}

#[test]
fn ids_are_what_they_say_and_capabilities_do_not_print() {
    assert!(EntryId::from_random([0xff; 16]).is_v4());
    assert!(!EntryId::from_bytes([0xff; 16]).is_v4());
    let cap = Capability::from_bytes([0xab; 32]);
    assert_eq!(format!("{cap:?}"), "Capability(..)");
    assert_eq!(cap.hash().to_bytes(), landfall_wire::ids::sha256(&[0xab; 32]));
    assert_eq!(Capability::from_hex(&cap.expose_hex()).unwrap(), cap);
    let digest = Digest::of(b"abc");
    assert_eq!(
        digest.to_hex(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        serde_json::from_str::<Digest>(&serde_json::to_string(&digest).unwrap()).unwrap(),
        digest
    );
    assert_eq!(Digest::from_hex("zz").unwrap_err().name(), "TextEncoding");
}

#[test]
fn values_do_not_print_what_they_hold() {
    let value = Value::array([Value::text("Rosa"), Value::int(42), Value::bytes(b"Rosa")]);
    let text = format!("{value:?} {:?}", value.as_array().unwrap());
    assert!(!text.contains("Rosa") && !text.contains("42"), "{text}");
}
