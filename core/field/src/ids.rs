//! Ids as the screens hold them: hexadecimal text. What is not one is simply not here.

use std::str::FromStr;

use landfall_model::CaseCode;
use landfall_wire::ids::Digest;

use crate::FieldError;

/// Reads an id; anything else is the id of nothing.
pub(crate) fn read<T: FromStr>(text: &str) -> Result<T, FieldError> {
    text.parse().map_err(|_| FieldError::NotFound)
}

/// Returns the receipt code of a sealed record: 35 bits of its digest, written like a case code, so that a person and
/// the desk can name the record without naming what is in it.
pub(crate) fn receipt_code(digest: &Digest) -> String {
    let [a, b, c, d, e, ..] = digest.to_bytes();
    CaseCode::from_random([a, b, c, d, e]).to_text()
}
