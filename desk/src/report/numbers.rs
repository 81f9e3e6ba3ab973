//! Numbers, shares and dates as a language writes them. Takes protected values only.

use chrono::{Datelike as _, NaiveDate};
use landfall_stats::{Cell, SHARE_BASE, Share};

use super::words::Words;

/// A count with separators: `185,000`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A cell as text: the count, `<5`, "withheld" or "–".
pub(crate) fn cell(cell: Cell, words: &Words) -> String {
    match cell {
        Cell::Count(n) => count(n),
        Cell::LessThan(k) => format!("<{k}"),
        Cell::Withheld => words.get("mark_withheld").to_owned(),
        Cell::NotWatched => "–".to_owned(),
    }
}

/// The share of two printed figures, in whole per cent; nothing of fewer than twenty or of a figure that is not
/// printed.
pub(crate) fn percent(part: Option<Cell>, whole: Option<Cell>) -> Option<u64> {
    let (part, whole) = (part?.count()?, whole?.count()?);
    (whole >= SHARE_BASE && part <= whole).then(|| (part * 200 + whole) / (2 * whole))
}

/// A share in words, without a false 0 or 100.
pub(crate) fn percent_text(part: Option<Cell>, whole: Option<Cell>, words: &Words) -> String {
    let (Some(part_n), Some(whole_n)) = (part.and_then(Cell::count), whole.and_then(Cell::count)) else {
        return words.get("mark_too_few").to_owned();
    };
    match percent(part, whole) {
        None => words.get("mark_too_few").to_owned(),
        Some(0) if part_n > 0 => words.get("under_one").to_owned(),
        Some(100) if part_n < whole_n => words.get("over_99").to_owned(),
        Some(n) => format!("{n}%"),
    }
}

/// A share of an indicator: per cent whole, per thousand with one decimal.
pub(crate) fn share(share: Share, per: u32, words: &Words) -> String {
    match share {
        Share::TooFew => words.get("mark_too_few").to_owned(),
        Share::NotWatched => "–".to_owned(),
        Share::Tenths(tenths) if per == 100 => format!("{}%", (tenths + 5) / 10),
        Share::Tenths(tenths) => format!("{}.{}", tenths / 10, tenths % 10),
    }
}

/// `3 March 2026`.
pub(crate) fn date(day: NaiveDate, words: &Words) -> String {
    format!("{} {} {}", day.day(), words.month(day.month0()), day.year())
}

/// "One in five", where the share is within one point of the fraction.
pub(crate) fn fraction(percent: u64, words: &Words) -> Option<&str> {
    const FRACTIONS: [(u64, &str); 9] = [
        (10, "fraction_1_10"),
        (20, "fraction_1_5"),
        (25, "fraction_1_4"),
        (33, "fraction_1_3"),
        (40, "fraction_2_5"),
        (50, "fraction_1_2"),
        (60, "fraction_3_5"),
        (67, "fraction_2_3"),
        (75, "fraction_3_4"),
    ];
    FRACTIONS
        .iter()
        .find(|(of, _)| percent.abs_diff(*of) <= 1)
        .map(|(_, key)| words.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_english_does() {
        let words = Words::load("en").unwrap();
        assert_eq!(count(999), "999");
        assert_eq!(count(185_000), "185,000");
        assert_eq!(count(1_234_567), "1,234,567");
        let text = |part, whole| percent_text(Some(Cell::Count(part)), Some(Cell::Count(whole)), &words);
        assert_eq!(text(1, 1_000), "under 1%");
        assert_eq!(text(999, 1_000), "over 99%");
        assert_eq!(text(0, 1_000), "0%");
        assert_eq!(text(5, 19), "too few");
        assert_eq!(share(Share::Tenths(129), 1000, &words), "12.9");
    }

    #[test]
    fn fractions_are_within_a_point() {
        let words = Words::load("en").unwrap();
        assert_eq!(fraction(21, &words), Some("One in five"));
        assert_eq!(fraction(22, &words), None);
    }
}
