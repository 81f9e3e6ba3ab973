//! From records to the protected table of one indicator: numerator, denominator and share, all under the same rule.

use std::collections::BTreeSet;

use landfall_form::{Class, Indicator, Now, Record, Term};

use crate::table::Place;
use crate::{By, Cell, Count, Dimension, Error, Raw, Records, Result, Rule, SHARE_BASE, Safe, Table, Totals};

/// A share as it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// In tenths of the indicator's unit: of one per cent, or of one per thousand.
    Tenths(u64),
    /// Of fewer than twenty, or of a figure that is not printed.
    TooFew,
    /// Nothing was watched or asked there.
    NotWatched,
}

/// The protected figures of one indicator.
#[derive(Debug, Clone)]
pub struct Tabulated {
    /// What is counted.
    pub numerator: Table<Safe>,
    /// Out of what; absent where the indicator is a count.
    pub denominator: Option<Table<Safe>>,
    /// Shares, at the places of the numerator's table; empty where the indicator is a count.
    pub shares: Vec<(Vec<Option<usize>>, Share)>,
}

/// Tabulates one indicator by up to three cuts. `k` may raise the indicator's own threshold.
///
/// # Errors
/// [`Error::TooManyDimensions`], [`Error::ThresholdTooLow`], [`Error::Expression`], [`Error::Audit`].
pub fn tabulate(
    indicator: &Indicator,
    records: &Records,
    by: &[By],
    totals: Totals,
    k: Option<u64>,
    class: Class,
) -> Result<Tabulated> {
    let dimensions: Vec<Dimension> = by
        .iter()
        .map(|by| Dimension {
            name: by.word().to_owned(),
            values: by.values(records),
        })
        .collect();
    let sensitive = class == Class::Hs;
    let own = u64::from(indicator.k).max(if sensitive { 10 } else { 0 });
    let rule = Rule {
        k: k.unwrap_or(own).max(own),
        totals,
        sensitive,
    };
    let numerator = count(&indicator.numerator, records, by, &dimensions)?;
    if indicator.denominator.is_empty() {
        return Ok(Tabulated {
            numerator: numerator.protect(&rule)?,
            denominator: None,
            shares: Vec::new(),
        });
    }
    let denominator = count(&indicator.denominator, records, by, &dimensions)?;
    let at = |place: &Place| (numerator.cell(place).count, denominator.cell(place).count);
    let of = |hide: &dyn Fn(u64, u64) -> bool| -> BTreeSet<Place> {
        let pairs = numerator.places().map(|place| (place, at(place)));
        pairs
            .filter(|(_, (part, whole))| hide(*part, *whole))
            .map(|(place, _)| place.clone())
            .collect()
    };
    let small = |count: u64| count < rule.k && (count > 0 || sensitive);
    let share_of_people = indicator.per == 100;
    // A share of nobody or of everybody says it about each of a small group (domain 5.2(4)); and beside the whole
    // "less than k" would tell what is left over within k.
    let hidden_parts = of(&|part, whole| {
        (whole > 0 && whole < 2 * rule.k && (part == 0 || part == whole))
            || (share_of_people && whole > 0 && small(part))
    });
    // What is left over is a figure as well: 38 of 40 tells that two are not. Then the whole is kept back.
    let hidden_wholes = of(&|part, whole| share_of_people && part < whole && small(whole - part));
    let safe_part = numerator.protect_with(&rule, &hidden_parts)?;
    let safe_whole = denominator.protect_with(&rule, &hidden_wholes)?;
    let mut shares = Vec::new();
    for (place, part) in safe_part.cells() {
        let share = match (part, safe_whole.cell(place)) {
            (Cell::NotWatched, _) | (_, Some(Cell::NotWatched)) => Share::NotWatched,
            (Cell::Count(part), Some(Cell::Count(whole))) if whole >= SHARE_BASE => {
                Share::Tenths((part * u64::from(indicator.per) * 10 * 2 + whole) / (2 * whole))
            }
            _ => Share::TooFew,
        };
        shares.push((place.to_vec(), share));
    }
    Ok(Tabulated {
        numerator: safe_part,
        denominator: Some(safe_whole),
        shares,
    })
}

fn count(terms: &[Term], records: &Records, by: &[By], dimensions: &[Dimension]) -> Result<Table<Raw>> {
    let mut table = Table::new(dimensions.to_vec())?;
    let now = Now::new(0, 0);
    for term in terms {
        let counts: &[Count] = match term.record {
            Record::Event => &records.events,
            Record::Interview => &records.interviews,
            Record::CheckIn => &[],
        };
        for record in counts {
            let value = term.value(&record.answers, &now).map_err(|_| Error::Expression)?;
            let Some(value) = value.and_then(|value| u64::try_from(value).ok()) else {
                continue;
            };
            let place: Option<Vec<usize>> = by
                .iter()
                .zip(dimensions)
                .map(|(by, dimension)| dimension.values.iter().position(|v| v == by.value(&record.unit)))
                .collect();
            if let Some(place) = place {
                table.add(&place, value);
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;
    use landfall_form::{Answer, Answers, Pack};

    fn pack() -> Pack {
        Pack::decode(include_bytes!("../../../forms/standard.pack")).unwrap()
    }

    fn at(point: &str, answers: Answers) -> Count {
        let unit = Unit {
            month: "2026-03".into(),
            corridor: "DOM-HTI".into(),
            point: point.into(),
        };
        Count { unit, answers }
    }

    fn event(point: &str, people: i64, children: i64, alone: Option<i64>) -> Count {
        let answers = Answers::new()
            .with("A30", Answer::Integer(people))
            .with("A34", Answer::Integer(children))
            .with("A40", alone.map_or(Answer::Skipped, Answer::Integer));
        at(point, answers)
    }

    fn records() -> Records {
        Records {
            events: vec![
                event("malpasse", 100, 20, Some(4)),
                event("malpasse", 50, 10, None),
                event("belladere", 40, 3, Some(3)),
            ],
            interviews: Vec::new(),
        }
    }

    fn made(id: &str, by: &[By]) -> Tabulated {
        let pack = pack();
        let indicator = pack.indicators().iter().find(|i| i.id == id).unwrap();
        tabulate(indicator, &records(), by, Totals::Printed, None, Class::Int).unwrap()
    }

    #[test]
    fn sums_are_those_of_the_events() {
        let arrivals = made("I01", &[By::Point]);
        assert_eq!(arrivals.numerator.cell(&[None]), Some(Cell::Count(190)));
        assert_eq!(arrivals.numerator.cell(&[Some(1)]), Some(Cell::Count(150)));
        assert!(arrivals.denominator.is_none());
    }

    #[test]
    fn a_missing_answer_adds_nothing_and_shares_are_of_the_whole() {
        let alone = made("I07", &[]);
        assert_eq!(alone.numerator.cell(&[]), Some(Cell::Count(7)));
        // 7 of 190 people: 36.8 in a thousand.
        assert_eq!(alone.shares, vec![(vec![], Share::Tenths(368))]);
    }

    #[test]
    fn a_small_count_of_children_takes_another_with_it() {
        let children = made("I06", &[By::Point]);
        assert_eq!(children.numerator.cell(&[Some(0)]), Some(Cell::Withheld));
        assert_eq!(children.numerator.cell(&[Some(1)]), Some(Cell::Withheld));
        assert_eq!(children.shares[0].1, Share::TooFew);
        assert_eq!(children.numerator.cell(&[None]), Some(Cell::Count(33)));
    }

    #[test]
    fn a_small_part_beside_its_whole_says_withheld() {
        let pack = pack();
        let indicator = pack.indicators().iter().find(|i| i.id == "I06").unwrap();
        let records = Records {
            events: vec![event("malpasse", 90, 3, None)],
            interviews: Vec::new(),
        };
        let made = tabulate(indicator, &records, &[], Totals::Printed, None, Class::Int).unwrap();
        assert_eq!(made.numerator.cell(&[]), Some(Cell::Withheld));
    }

    #[test]
    fn the_threshold_cannot_be_lowered() {
        let pack = pack();
        let indicator = &pack.indicators()[0];
        let asked = tabulate(indicator, &records(), &[], Totals::Left, Some(1), Class::Int).unwrap();
        let own = tabulate(indicator, &records(), &[], Totals::Left, None, Class::Int).unwrap();
        assert_eq!(asked.numerator.cell(&[]), own.numerator.cell(&[]));
    }

    #[test]
    fn what_is_left_over_is_protected_too() {
        let pack = pack();
        let indicator = pack.indicators().iter().find(|i| i.id == "I38").unwrap();
        let yes = |n: usize| (0..n).map(|_| at("malpasse", Answers::new().with("K03", Answer::code("yes"))));
        let refused = at("malpasse", Answers::new().with("A54", Answer::Integer(2)));
        let records = Records {
            events: vec![refused],
            interviews: yes(40).collect(),
        };
        let made = tabulate(indicator, &records, &[], Totals::Left, None, Class::Int).unwrap();
        assert_eq!(made.shares, vec![(vec![], Share::TooFew)]);
        assert_eq!(
            made.numerator.cell(&[]),
            Some(Cell::Count(40)),
            "how many were interviewed is no secret"
        );
        assert_eq!(made.denominator.unwrap().cell(&[]), Some(Cell::Withheld));
    }
}
