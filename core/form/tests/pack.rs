//! Packs and answers as bytes from outside: cut, flipped, too large, too deep, written in another way. Each ends in a
//! named error; none panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;

use landfall_form::cbor::{self, Item};
use landfall_form::{
    Answer, Answers, ChoiceSource, Error, Fault, Form, FormSource, Pack, PackSource, RowSource, Table, limits,
};
use proptest::prelude::*;

const STANDARD: &[u8] = include_bytes!("../../../forms/standard.pack");

fn row(kind: &str, name: &str, columns: &[(&str, &str)]) -> RowSource {
    let mut columns: BTreeMap<String, String> = columns
        .iter()
        .map(|(column, value)| ((*column).to_owned(), (*value).to_owned()))
        .collect();
    columns
        .entry("class".to_owned())
        .or_insert_with(|| "int".to_owned());
    RowSource {
        kind: kind.to_owned(),
        name: name.to_owned(),
        columns,
        ..RowSource::default()
    }
}

fn small() -> PackSource {
    let settings = [("form_id", "small"), ("version", "1")];
    let form = FormSource {
        settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        rows: vec![
            row("integer", "a", &[]),
            row("calculate", "b", &[("calculation", "${a} + 1")]),
        ],
        ..FormSource::default()
    };
    PackSource {
        name: "small".to_owned(),
        forms: vec![form],
        ..PackSource::default()
    }
}

fn entries(bytes: &[u8]) -> Vec<(Item, Item)> {
    match cbor::decode(bytes, limits::PACK_BYTES, 16).unwrap() {
        Item::Map(pairs) => pairs,
        _ => panic!("a pack is a map"),
    }
}

#[test]
fn every_cut_of_a_pack_is_refused() {
    let bytes = small().encode();
    assert!(Pack::decode(&bytes).is_ok());
    for at in 0..bytes.len() {
        assert!(
            matches!(Pack::decode(&bytes[..at]), Err(Error::Malformed(_))),
            "cut at {at}"
        );
    }
    for at in (0..STANDARD.len()).step_by(4_099) {
        assert!(
            matches!(Pack::decode(&STANDARD[..at]), Err(Error::Malformed(_))),
            "cut at {at}"
        );
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(
        Pack::decode(&longer),
        Err(Error::Malformed("trailing bytes"))
    ));
}

#[test]
fn no_flipped_bit_of_a_pack_goes_unnoticed() {
    let bytes = small().encode();
    let digest = Pack::decode(&bytes).unwrap().digest();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            // A flip inside a word may still be a pack; it is never the same one.
            if let Ok(pack) = Pack::decode(&flipped) {
                assert_ne!(pack.digest(), digest);
            }
        }
    }
}

#[test]
fn a_pack_over_a_limit_is_refused() {
    let large = vec![0_u8; limits::PACK_BYTES + 1];
    assert!(matches!(
        Pack::decode(&large),
        Err(Error::Limit {
            what: "document size",
            ..
        })
    ));
    let mut deep = vec![0x81_u8; 10_000];
    deep.push(0x80);
    assert!(matches!(
        Pack::decode(&deep),
        Err(Error::Limit {
            what: "document depth",
            ..
        })
    ));
    // A length that promises more than there is allocates nothing.
    for head in [0x9b_u8, 0xbb, 0x7b, 0x5b] {
        let mut bytes = vec![head];
        bytes.extend_from_slice(&u64::MAX.to_be_bytes());
        assert!(Pack::decode(&bytes).is_err());
    }
    let mut source = small();
    source.forms[0].rows = (0..=limits::ROWS)
        .map(|n| row("integer", &format!("q{n}"), &[]))
        .collect();
    assert!(matches!(
        Pack::decode(&source.encode()),
        Err(Error::Limit {
            what: "rows of a form",
            ..
        })
    ));
    let mut source = small();
    source.forms = vec![source.forms[0].clone(); limits::FORMS + 1];
    assert!(matches!(
        Pack::decode(&source.encode()),
        Err(Error::Limit {
            what: "forms of a pack",
            ..
        })
    ));
    let mut source = small();
    source.forms[0].rows[0]
        .columns
        .insert("note".to_owned(), "x".repeat(limits::CELL + 1));
    assert!(matches!(
        Pack::decode(&source.encode()),
        Err(Error::Limit { what: "cell", .. })
    ));
    let mut source = small();
    let choice = |n: usize| ChoiceSource {
        name: format!("c{n}"),
        ..ChoiceSource::default()
    };
    source
        .lists
        .insert("l".to_owned(), (0..=limits::CHOICES).map(choice).collect());
    assert!(matches!(
        Pack::decode(&source.encode()),
        Err(Error::Limit {
            what: "choices of a list",
            ..
        })
    ));
    let rows = (0..=limits::TABLE_ROWS).map(|n| vec![n.to_string()]).collect();
    assert!(matches!(
        Table::new(vec!["name".to_owned()], rows),
        Err(Error::Limit {
            what: "rows of a table",
            ..
        })
    ));
}

#[test]
fn there_is_one_way_to_write_a_pack() {
    let good = small().encode();
    // The version as a longer integer than needed, an indefinite map, a key twice.
    let at = good.windows(5).position(|window| window == b"\x64pack").unwrap() + 5;
    let mut longer = good.clone();
    longer.splice(at..=at, [0x18, 0x01]);
    assert!(matches!(
        Pack::decode(&longer),
        Err(Error::Malformed("not the deterministic encoding"))
    ));
    let mut open = good.clone();
    open[0] = 0xbf;
    open.push(0xff);
    assert!(matches!(Pack::decode(&open), Err(Error::Malformed(_))));
    let mut twice = entries(&good);
    twice.push(twice[0].clone());
    assert!(matches!(
        Pack::decode(&cbor::encode(&Item::Map(twice))),
        Err(Error::Malformed("a key twice"))
    ));
}

#[test]
fn another_version_is_named() {
    let mut pairs = entries(&small().encode());
    for (key, value) in &mut pairs {
        if key.as_text() == Some("pack") {
            *value = Item::Int(2);
        }
    }
    assert!(matches!(
        Pack::decode(&cbor::encode(&Item::Map(pairs))),
        Err(Error::Version(2))
    ));
    for missing in ["pack", "name", "forms", "lists", "tables", "indicators"] {
        let mut pairs = entries(&small().encode());
        pairs.retain(|(key, _)| key.as_text() != Some(missing));
        let result = Pack::decode(&cbor::encode(&Item::Map(pairs)));
        assert!(
            matches!(result, Err(Error::Field { key, .. }) if key == missing),
            "{missing}"
        );
    }
}

#[test]
fn keys_of_a_later_version_are_kept_for_the_hash() {
    let plain = small().encode();
    let mut pairs = entries(&plain);
    pairs.push((Item::text("rules"), Item::Array(vec![Item::Int(7)])));
    for (key, value) in &mut pairs {
        if let (Some("forms"), Item::Array(forms)) = (key.as_text(), value)
            && let Item::Map(form) = &mut forms[0]
        {
            form.push((Item::text("later"), Item::Bool(true)));
        }
    }
    let (old, new) = (
        Pack::decode(&plain).unwrap(),
        Pack::decode(&cbor::encode(&Item::Map(pairs))).unwrap(),
    );
    let hash = |pack: &Pack| pack.form("small").unwrap().hash();
    assert_ne!(hash(&old), hash(&new), "the unknown key is part of the form");
    assert_eq!(new.form("small").unwrap().questions().len(), 2);
    assert_ne!(old.digest(), new.digest());
}

#[test]
fn a_pack_is_checked_again_when_it_is_read() {
    let mut source = small();
    source.forms[0]
        .rows
        .push(row("calculate", "c", &[("calculation", "launch(${a})")]));
    source.forms[0]
        .rows
        .push(row("calculate", "d", &[("calculation", "${e}"), ("class", "")]));
    let Err(Error::Problems(problems)) = Pack::decode(&source.encode()) else {
        panic!("it compiled")
    };
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "small survey row 3 (c), calculation: unknown function `launch` at character 1",
            "small survey row 4 (d), class: `d` has no class (pub, int, per or hs)",
            "small survey row 4 (d), calculation: unknown question `e`",
        ]
    );
}

#[test]
fn a_cycle_is_found_in_a_long_chain() {
    let mut source = small();
    let last = 3_000;
    source.forms[0].rows = (0..last)
        .map(|n| {
            row(
                "calculate",
                &format!("q{n}"),
                &[("calculation", &format!("${{q{}}} + 1", (n + 1) % last))],
            )
        })
        .collect();
    let problems = Form::compile(&source.forms[0], &BTreeMap::new()).unwrap_err();
    let Fault::Cycle(path) = &problems[0].fault else {
        panic!("{}", problems[0])
    };
    assert_eq!(path.len(), last + 1);
    assert_eq!(path.first(), path.last());
}

#[test]
fn answers_are_written_as_an_entry_holds_them() {
    let answers = Answers::new()
        .with("a", Answer::code("yes"))
        .with("b", Answer::codes(["x", "y"]))
        .with("c", Answer::Integer(-5))
        .with("d", Answer::Decimal("1.50".to_owned()))
        .with("e", Answer::Skipped)
        .with("f", Answer::DateTime("2026-03-09T08:00:00-05:00".to_owned()))
        .with(
            "g",
            Answer::Repeat(vec![Answers::new().with("h", Answer::Integer(1)), Answers::new()]),
        );
    let expected = Item::map([
        ("a", Item::text("yes")),
        ("b", Item::Array(vec![Item::text("x"), Item::text("y")])),
        ("c", Item::Int(-5)),
        ("d", Item::text("1.50")),
        ("e", Item::Null),
        ("f", Item::text("2026-03-09T08:00:00-05:00")),
        (
            "g",
            Item::Array(vec![Item::map([("h", Item::Int(1))]), Item::map::<&str>([])]),
        ),
    ]);
    assert!(answers.to_item() == expected);
    let raw = Answers::decode(&answers.encode()).unwrap();
    assert_eq!(
        raw.get("a"),
        Some(&Answer::Text("yes".to_owned())),
        "without the form a code is a text"
    );
    assert_eq!(raw.get("d"), Some(&Answer::Text("1.50".to_owned())));
    for same in ["b", "c", "e", "g"] {
        assert_eq!(raw.get(same), answers.get(same));
    }
    assert_eq!(raw.encode(), answers.encode());
}

#[test]
fn answers_that_no_form_can_give_are_refused() {
    let map = |value: Item| cbor::encode(&Item::map([("a", value)]));
    for value in [
        Item::Bool(true),
        Item::Bytes(vec![1]),
        Item::map([("b", Item::Null)]),
    ] {
        assert!(matches!(Answers::decode(&map(value)), Err(Error::Malformed(_))));
    }
    assert!(matches!(
        Answers::decode(&map(Item::Array(vec![Item::Int(1)]))),
        Err(Error::Malformed(_))
    ));
    let mixed = Item::Array(vec![Item::map::<&str>([]), Item::text("x")]);
    assert!(matches!(Answers::decode(&map(mixed)), Err(Error::Malformed(_))));
    let keyed = cbor::encode(&Item::Map(vec![(Item::Int(1), Item::Null)]));
    assert!(matches!(Answers::decode(&keyed), Err(Error::Malformed(_))));
    assert!(matches!(
        Answers::decode(&cbor::encode(&Item::Int(1))),
        Err(Error::Malformed(_))
    ));
    let long = map(Item::text("x".repeat(limits::TEXT + 1)));
    assert!(matches!(
        Answers::decode(&long),
        Err(Error::Limit {
            what: "text answer",
            ..
        })
    ));
    let many = map(Item::Array(vec![Item::text("x"); limits::CODES + 1]));
    assert!(matches!(
        Answers::decode(&many),
        Err(Error::Limit {
            what: "codes of an answer",
            ..
        })
    ));
    let nested = (0..20).fold(Item::map::<&str>([]), |inner, _| {
        Item::map([("a", Item::Array(vec![inner]))])
    });
    assert!(matches!(
        Answers::decode(&cbor::encode(&nested)),
        Err(Error::Limit { .. })
    ));
    let wide = vec![0_u8; limits::ANSWERS_BYTES + 1];
    assert!(matches!(
        Answers::decode(&wide),
        Err(Error::Limit {
            what: "document size",
            ..
        })
    ));
    // Floats and tags have no place.
    assert!(matches!(
        Answers::decode(b"\xa1\x61a\xfb\x3f\xf0\0\0\0\0\0\0"),
        Err(Error::Malformed(_))
    ));
    assert!(matches!(
        Answers::decode(b"\xa1\x61a\xc0\x61b"),
        Err(Error::Malformed(_))
    ));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Pack::decode(&bytes));
        drop(Answers::decode(&bytes));
    }

    #[test]
    fn answers_come_back_as_they_went(
        pairs in prop::collection::btree_map("[A-Z][0-9]{2}", prop_oneof![
            Just(Answer::Skipped),
            any::<i32>().prop_map(|number| Answer::Integer(number.into())),
            ".{0,40}".prop_map(Answer::Text),
            prop::collection::vec("[a-z]{1,8}", 0..5).prop_map(Answer::Codes),
        ], 0..20)
    ) {
        let answers: Answers = pairs.into_iter().collect();
        let back = Answers::decode(&answers.encode()).unwrap();
        prop_assert!(back == answers);
    }
}
