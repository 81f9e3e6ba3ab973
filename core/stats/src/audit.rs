//! The reader's arithmetic: what all printed cells together still allow for a withheld one. Two linear programs a cell,
//! because in tables with more than one dimension no simpler bound is tight.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use crate::table::{Place, Raw, Rule, Table};
use crate::{Error, Result};

/// The first withheld place whose interval is narrower than k.
pub(crate) fn narrow(table: &Table<Raw>, withheld: &BTreeSet<Place>, rule: &Rule) -> Result<Option<Place>> {
    for place in withheld {
        let low = bound(table, withheld, rule, place, OptimizationDirection::Minimize)?;
        let high = bound(table, withheld, rule, place, OptimizationDirection::Maximize)?;
        #[allow(clippy::cast_precision_loss, reason = "k is a small number")]
        let wanted = rule.k as f64;
        if let (Some(low), Some(high)) = (low, high)
            && high - low < wanted - 1e-6
        {
            return Ok(Some(place.clone()));
        }
    }
    Ok(None)
}

/// The least or greatest value that the printed cells allow; `None` without bound.
fn bound(
    table: &Table<Raw>,
    withheld: &BTreeSet<Place>,
    rule: &Rule,
    wanted: &Place,
    direction: OptimizationDirection,
) -> Result<Option<f64>> {
    #[allow(clippy::cast_precision_loss, reason = "counts of people are far below 2^52")]
    let number = |count: u64| count as f64;
    // A reader knows the rules: what is withheld is not zero, unless zeros are withheld as well.
    let least = if rule.sensitive { 0.0 } else { 1.0 };
    let mut problem = Problem::new(direction);
    let mut variables: BTreeMap<&Place, Variable> = BTreeMap::new();
    for place in withheld.iter().filter(|place| place.iter().all(Option::is_some)) {
        let weight = if inside(wanted, place) { 1.0 } else { 0.0 };
        variables.insert(place, problem.add_var(weight, (least, f64::INFINITY)));
    }
    // What is printed inside the wanted total is a constant of the sum.
    let known = |total: &Place| -> f64 {
        let parts = table
            .places()
            .filter(|p| p.iter().all(Option::is_some) && inside(total, p));
        parts
            .filter(|p| !withheld.contains(*p))
            .map(|p| number(table.cell(p).count))
            .sum()
    };
    for total in table.places().filter(|place| place.iter().any(Option::is_none)) {
        let parts: Vec<(Variable, f64)> = variables
            .iter()
            .filter(|(place, _)| inside(total, place))
            .map(|(_, v)| (*v, 1.0))
            .collect();
        if parts.is_empty() {
            continue;
        }
        let rest = number(table.cell(total).count) - known(total);
        if withheld.contains(total) {
            problem.add_constraint(&parts, ComparisonOp::Ge, least - known(total));
        } else {
            problem.add_constraint(&parts, ComparisonOp::Eq, rest);
        }
    }
    if variables.is_empty() {
        return Ok(Some(known(wanted)));
    }
    match problem.solve() {
        Ok(outcome) => {
            // A bound that is not proven would be a promise that is not kept.
            let solution = outcome
                .solution()
                .filter(|_| outcome.is_optimal())
                .ok_or(Error::Audit)?;
            Ok(Some(solution.objective() + known_of(wanted, known)))
        }
        Err(microlp::Error::Unbounded) => Ok(None),
        Err(_) => Err(Error::Audit),
    }
}

fn known_of(wanted: &Place, known: impl Fn(&Place) -> f64) -> f64 {
    if wanted.iter().all(Option::is_some) {
        0.0
    } else {
        known(wanted)
    }
}

/// Whether a cell is one of those that a total adds up.
fn inside(total: &Place, cell: &Place) -> bool {
    total
        .iter()
        .zip(cell)
        .all(|(total, cell)| total.is_none() || total == cell)
}
