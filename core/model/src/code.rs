//! The case code: the pseudonym that people say, write on a card and type back.
//!
//! Owns its alphabet, its check character and its written form. It must never be derived from a name, a date, a
//! device or a case id: the 35 bits come from the caller's source of randomness and from nowhere else
//! (domain 1.5(9)). The code is for people, not an identifier: two cases may share one, and are shown as such.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Crockford's base32 alphabet: no I, L, O and U, so that a code survives handwriting and a bad line.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Field polynomial x^5 + x^2 + 1 of GF(32).
const FIELD: u8 = 0b10_0101;

/// Step of the check. Any element but 0 and 1 has order 31 in GF(32), so the eight positions carry eight different
/// weights, none of them 0: one wrong character changes the sum by `w*d`, two swapped ones by `(w1-w2)*(a-b)`, and
/// neither product can be 0. Crockford's own check symbol (modulo 37) needs five signs that are neither letter nor
/// digit, which cannot be dictated.
const STEP: u8 = 22;

/// Number of random bits in a code.
pub const CASE_CODE_BITS: u32 = 35;

/// A case code such as `QK7F-41MC`: seven random characters and one that checks them.
///
/// `Debug` does not print it: it stands for a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseCode([u8; 8]);

fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut sum = 0;
    while b != 0 {
        if b & 1 == 1 {
            sum ^= a;
        }
        a <<= 1;
        if a & 32 != 0 {
            a ^= FIELD;
        }
        b >>= 1;
    }
    sum
}

fn checksum(symbols: impl IntoIterator<Item = u8>) -> u8 {
    symbols
        .into_iter()
        .fold(0, |sum, symbol| multiply(sum, STEP) ^ symbol)
}

impl CaseCode {
    /// Builds a code from five random bytes; the lowest 35 bits are used.
    #[must_use]
    pub fn from_random(random: [u8; 5]) -> CaseCode {
        let [a, b, c, d, e] = random;
        let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let mut symbols = [0u8; 8];
        for (place, symbol) in symbols.iter_mut().take(7).enumerate() {
            let shift = 30 - 5 * place;
            *symbol = u8::try_from((bits >> shift) & 31).unwrap_or(0);
        }
        // The last position has weight 1, so the check character is the sum of the others.
        let check = checksum(symbols);
        symbols[7] = check;
        CaseCode(symbols)
    }

    /// Returns the written form, `QK7F-41MC`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(9);
        for (place, symbol) in self.0.iter().enumerate() {
            if place == 4 {
                text.push('-');
            }
            text.push(char::from(
                ALPHABET.get(usize::from(*symbol)).copied().unwrap_or(b'0'),
            ));
        }
        text
    }
}

impl FromStr for CaseCode {
    type Err = Error;

    /// Reads a code as people type it: small letters, without or with other dashes and spaces, O for 0, I and L
    /// for 1.
    ///
    /// # Errors
    /// [`Error::CaseCode`] if it has another length, a foreign sign, or the check does not hold.
    fn from_str(text: &str) -> Result<CaseCode, Error> {
        let mut symbols = [0u8; 8];
        let mut places = symbols.iter_mut();
        for sign in text.chars() {
            if matches!(sign, '-' | ' ' | '\u{2010}' | '\u{2011}' | '\u{2013}') {
                continue;
            }
            let sign = match sign.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = ALPHABET
                .iter()
                .position(|known| char::from(*known) == sign)
                .ok_or(Error::CaseCode)?;
            *places.next().ok_or(Error::CaseCode)? = u8::try_from(value).map_err(|_| Error::CaseCode)?;
        }
        if places.next().is_some() || checksum(symbols) != 0 {
            return Err(Error::CaseCode);
        }
        Ok(CaseCode(symbols))
    }
}

impl fmt::Debug for CaseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseCode(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_written_form_of_the_domain_is_a_valid_code() {
        let code: CaseCode = "QK7F-41MC".parse().unwrap();
        assert_eq!(code.to_text(), "QK7F-41MC");
        assert_eq!("qk7f 4imc".parse::<CaseCode>().unwrap(), code);
        assert_eq!(format!("{code:?}"), "CaseCode(..)");
    }

    #[test]
    fn other_lengths_and_foreign_signs_are_refused() {
        for text in [
            "",
            "QK7F",
            "QK7F-41M",
            "QK7F-41MCC",
            "UUUU-UUUU",
            "QK7F-41M\u{e9}",
        ] {
            assert_eq!(text.parse::<CaseCode>(), Err(Error::CaseCode), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_wrong_and_every_swapped_character_is_found(random in any::<[u8; 5]>()) {
            let code = CaseCode::from_random(random);
            let text: Vec<char> = code.to_text().chars().filter(|c| *c != '-').collect();
            prop_assert_eq!(text.iter().collect::<String>().parse::<CaseCode>().unwrap(), code);
            for place in 0..8 {
                for other in ALPHABET.iter().map(|b| char::from(*b)) {
                    let mut wrong = text.clone();
                    wrong[place] = other;
                    prop_assert_eq!(wrong.iter().collect::<String>().parse::<CaseCode>().is_ok(), other == text[place]);
                }
                for second in 0..place {
                    let mut swapped = text.clone();
                    swapped.swap(place, second);
                    prop_assert_eq!(
                        swapped.iter().collect::<String>().parse::<CaseCode>().is_ok(),
                        text[place] == text[second]
                    );
                }
            }
        }

        #[test]
        fn all_thirty_five_bits_are_kept(a in any::<[u8; 5]>(), b in any::<[u8; 5]>()) {
            let mask = |r: [u8; 5]| (r[0] & 7, r[1], r[2], r[3], r[4]);
            prop_assert_eq!(CaseCode::from_random(a) == CaseCode::from_random(b), mask(a) == mask(b));
        }
    }
}
