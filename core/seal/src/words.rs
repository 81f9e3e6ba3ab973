//! Words for people: the six that both sides of an enrolment compare, and generated passphrases. The lists
//! are those of BIP-39 (2,048 words, 11 bits each) in the languages that an invitation may name.

use bip39::Language;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

use crate::{Error, Result, random};

/// Number of words: 66 bits.
pub const WORDS: usize = 6;

fn list(language: &str) -> Result<&'static [&'static str; 2048]> {
    match language {
        "en" => Ok(Language::English.word_list()),
        "fr" => Ok(Language::French.word_list()),
        "es" => Ok(Language::Spanish.word_list()),
        "pt" => Ok(Language::Portuguese.word_list()),
        _ => Err(Error::NoWordList),
    }
}

/// Returns the six words of a hash: its first 66 bits, 11 for each word.
///
/// # Errors
/// [`Error::NoWordList`].
pub fn six_words(hash: &[u8; 32], language: &str) -> Result<[&'static str; WORDS]> {
    let list = list(language)?;
    let bits = hash
        .iter()
        .take(9)
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut words = [""; WORDS];
    for (i, word) in words.iter_mut().enumerate() {
        // 72 bits stand in `bits`; the first word has the highest 11.
        let index = (bits >> (72 - 11 * (i + 1))) & 0x7ff;
        *word = usize::try_from(index)
            .ok()
            .and_then(|i| list.get(i))
            .ok_or(Error::NoWordList)?;
    }
    Ok(words)
}

/// Tells whether typed words are the expected ones: case, accents and the white space between do not count.
#[must_use]
pub fn matches(typed: &str, expected: &[&str; WORDS]) -> bool {
    let typed: Vec<String> = typed.split_whitespace().map(plain).collect();
    typed.len() == WORDS && typed.iter().zip(expected).all(|(a, b)| *a == plain(b))
}

fn plain(word: &str) -> String {
    word.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Makes a passphrase of six random words, joined by hyphens.
///
/// # Errors
/// [`Error::NoWordList`].
pub fn make_passphrase(language: &str) -> Result<Zeroizing<String>> {
    let hash = Zeroizing::new(random::make::<32>());
    Ok(Zeroizing::new(six_words(&hash, language)?.join("-")))
}
