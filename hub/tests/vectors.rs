//! Frozen bodies of requests and answers, good and bad (tests/vectors/hub): each gives the result that it names.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use landfall_wire::Error;
use landfall_wire::hub::{
    AdminRequest, Problem, decode_digests, decode_page_items, decode_presences, encode_digests,
    encode_page_items, encode_presences,
};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

/// Reads a body; what is read must be written as it was.
fn read(what: &str, body: &[u8]) -> Result<(), Error> {
    match what {
        "digests" => assert_eq!(encode_digests(&decode_digests(body)?), body),
        "presences" => assert_eq!(encode_presences(&decode_presences(body, 3)?), body),
        "page" => assert_eq!(encode_page_items(&decode_page_items(body, 0)?), body),
        "admin" => assert_eq!(AdminRequest::decode(body)?.encode(), body),
        "problem" => assert_eq!(Problem::decode(403, body)?.encode(), body),
        other => panic!("{other}"),
    }
    Ok(())
}

#[test]
fn every_body_gives_the_result_that_it_names() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/hub/cases.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let result = read(&text(case, "what"), &bytes(&text(case, "input")));
        let found = result.as_ref().map_or_else(Error::name, |()| "ok");
        if found != text(case, "expect") {
            wrong.push(format!(
                "{}: {found}, expected {}",
                text(case, "name"),
                text(case, "expect")
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(cases.len(), 64);
}
