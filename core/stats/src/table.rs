//! Tables of counts before and after disclosure control. Nothing of a [`Table<Raw>`] can be read; a [`Table<Safe>`]
//! holds marks in place of what is kept back, and no trace of what stood there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Error, MAX_DIMENSIONS, Result, SMALLEST_K, audit};

/// One cut of a table: its name and its values, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Name, such as `month`.
    pub name: String,
    /// Values.
    pub values: Vec<String>,
}

/// A place in a table: one value per dimension, `None` for all of them together.
pub(crate) type Place = Vec<Option<usize>>;

mod sealed {
    pub trait State {
        type Cell: Clone;
    }
}
use sealed::State;

/// Counted, not protected.
#[derive(Debug, Clone, Copy)]
pub struct Raw;
/// Protected; may be shown.
#[derive(Debug, Clone, Copy)]
pub struct Safe;

/// A count, and whether anything was counted there at all.
#[derive(Clone, Copy, Default)]
pub struct RawCell {
    pub(crate) count: u64,
    pub(crate) seen: bool,
}

impl fmt::Debug for RawCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawCell")
    }
}

impl State for Raw {
    type Cell = RawCell;
}

impl State for Safe {
    type Cell = Cell;
}

/// What may be shown of one cell (desk.md's five marks).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The count.
    Count(u64),
    /// Between 1 and k − 1 (for sensitive counts between 0 and k − 1).
    LessThan(u64),
    /// Kept back, so that no other figure gives a small one away.
    Withheld,
    /// Nothing was watched or asked there.
    NotWatched,
}

impl Cell {
    /// The count, where it is printed.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::NotWatched | Self::LessThan(_) | Self::Withheld => None,
        }
    }
}

/// Whether totals are printed beside the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totals {
    /// They are: kept-back cells say "withheld".
    Printed,
    /// They are not, here or elsewhere: small cells say less than k.
    Left,
}

/// How a table is protected.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Counts from 1 to k − 1 are not printed; [`SMALLEST_K`] or more.
    pub k: u64,
    /// Whether totals are printed.
    pub totals: Totals,
    /// The count rests on a question of class `hs`: then 0 is not told from 1 to k − 1.
    pub sensitive: bool,
}

/// A table of counts with up to three dimensions.
#[derive(Clone)]
pub struct Table<S: State> {
    dimensions: Vec<Dimension>,
    cells: BTreeMap<Place, S::Cell>,
}

impl<S: State> fmt::Debug for Table<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("dimensions", &self.dimensions.len())
            .finish_non_exhaustive()
    }
}

impl<S: State> Table<S> {
    /// Its dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }
}

impl Table<Raw> {
    /// An empty table.
    ///
    /// # Errors
    /// [`Error::TooManyDimensions`].
    pub fn new(dimensions: Vec<Dimension>) -> Result<Self> {
        if dimensions.len() > MAX_DIMENSIONS {
            return Err(Error::TooManyDimensions {
                asked: dimensions.len(),
                most: MAX_DIMENSIONS,
            });
        }
        let mut cells = BTreeMap::new();
        for place in places(&dimensions) {
            cells.insert(place, RawCell::default());
        }
        Ok(Self { dimensions, cells })
    }

    /// Adds to a cell and to every total that contains it. A value outside the dimensions is not counted anywhere.
    pub fn add(&mut self, place: &[usize], count: u64) {
        let inside = place.len() == self.dimensions.len()
            && place
                .iter()
                .zip(&self.dimensions)
                .all(|(value, dimension)| *value < dimension.values.len());
        if !inside {
            return;
        }
        for mask in 0..1_u8 << place.len() {
            let key: Place = place
                .iter()
                .enumerate()
                .map(|(n, value)| (mask >> n & 1 == 0).then_some(*value))
                .collect();
            if let Some(cell) = self.cells.get_mut(&key) {
                cell.count = cell.count.saturating_add(count);
                cell.seen = true;
            }
        }
    }

    pub(crate) fn cell(&self, place: &Place) -> RawCell {
        self.cells.get(place).copied().unwrap_or_default()
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.cells.keys()
    }

    /// Withholds what would give somebody away (domain 5.2), and audits the rest: of every withheld cell the printed
    /// ones must still allow an interval that is at least k wide.
    ///
    /// # Errors
    /// [`Error::ThresholdTooLow`], [`Error::Audit`].
    pub fn protect(&self, rule: &Rule) -> Result<Table<Safe>> {
        self.protect_with(rule, &BTreeSet::new())
    }

    /// As [`Table::protect`], with places that are withheld whatever stands there.
    pub(crate) fn protect_with(&self, rule: &Rule, also: &BTreeSet<Place>) -> Result<Table<Safe>> {
        if rule.k < SMALLEST_K {
            return Err(Error::ThresholdTooLow {
                asked: rule.k,
                least: SMALLEST_K,
            });
        }
        let totals = rule.totals == Totals::Printed && !self.dimensions.is_empty();
        let withheld = if totals {
            self.withhold(rule, also)?
        } else {
            BTreeSet::new()
        };
        let cells = self
            .cells
            .iter()
            .filter(|(place, _)| totals || place.iter().all(Option::is_some))
            .map(|(place, cell)| {
                let shown = match cell {
                    RawCell { seen: false, .. } => Cell::NotWatched,
                    _ if withheld.contains(place) => Cell::Withheld,
                    _ if also.contains(place) => Cell::Withheld,
                    cell if small(*cell, rule) => Cell::LessThan(rule.k),
                    cell => Cell::Count(cell.count),
                };
                (place.clone(), shown)
            })
            .collect();
        Ok(Table {
            dimensions: self.dimensions.clone(),
            cells,
        })
    }

    fn withhold(&self, rule: &Rule, also: &BTreeSet<Place>) -> Result<BTreeSet<Place>> {
        let mut withheld: BTreeSet<Place> = self
            .cells
            .iter()
            .filter(|(place, cell)| small(**cell, rule) || (cell.seen && also.contains(*place)))
            .map(|(place, _)| place.clone())
            .collect();
        let lines = self.lines();
        loop {
            if let Some(place) = lines.iter().find_map(|line| self.partner(line, &withheld)) {
                withheld.insert(place);
                continue;
            }
            let narrow = audit::narrow(self, &withheld, rule)?;
            let Some(place) = narrow.and_then(|narrow| self.wider(&lines, &narrow, &withheld)) else {
                return Ok(withheld);
            };
            withheld.insert(place);
        }
    }

    /// Every sum that a reader can check: the values of one dimension, the total last.
    fn lines(&self) -> Vec<Vec<Place>> {
        let mut lines = Vec::new();
        for (n, dimension) in self.dimensions.iter().enumerate() {
            for total in self.cells.keys().filter(|place| place.get(n) == Some(&None)) {
                let with = |value: Option<usize>| {
                    let mut place = total.clone();
                    if let Some(slot) = place.get_mut(n) {
                        *slot = value;
                    }
                    place
                };
                let mut line: Vec<Place> = (0..dimension.values.len())
                    .map(|value| with(Some(value)))
                    .collect();
                line.push(total.clone());
                lines.push(line);
            }
        }
        lines
    }

    /// A second cell for a line in which exactly one is withheld: the smallest of the others, else the total.
    fn partner(&self, line: &[Place], withheld: &BTreeSet<Place>) -> Option<Place> {
        if line.iter().filter(|place| withheld.contains(*place)).count() != 1 {
            return None;
        }
        self.smallest(line, withheld)
    }

    fn smallest(&self, line: &[Place], withheld: &BTreeSet<Place>) -> Option<Place> {
        let (total, parts) = line.split_last()?;
        let open = |place: &&Place| !withheld.contains(*place) && self.cell(place).count > 0;
        parts
            .iter()
            .filter(open)
            .min_by_key(|place| (self.cell(place).count, (*place).clone()))
            .or_else(|| Some(total).filter(open))
            .cloned()
    }

    /// One more cell on a line of a cell that can still be guessed too well.
    fn wider(&self, lines: &[Vec<Place>], narrow: &Place, withheld: &BTreeSet<Place>) -> Option<Place> {
        let beside = lines.iter().filter(|line| line.contains(narrow));
        let best = beside
            .filter_map(|line| self.smallest(line, withheld))
            .min_by_key(|p| (self.cell(p).count, p.clone()));
        best.or_else(|| lines.iter().find_map(|line| self.smallest(line, withheld)))
    }
}

fn small(cell: RawCell, rule: &Rule) -> bool {
    cell.seen && cell.count < rule.k && (cell.count > 0 || rule.sensitive)
}

impl Table<Safe> {
    /// What may be shown at a place: one value per dimension, `None` for the total. Nothing where no total is printed.
    #[must_use]
    pub fn cell(&self, place: &[Option<usize>]) -> Option<Cell> {
        self.cells.get(place).copied()
    }

    /// Every place with what may be shown there; totals after the values that they contain.
    pub fn cells(&self) -> impl Iterator<Item = (&[Option<usize>], Cell)> {
        let mut all: Vec<_> = self
            .cells
            .iter()
            .map(|(place, cell)| (place.as_slice(), *cell))
            .collect();
        all.sort_by_key(|(place, _)| place.iter().map(|v| v.unwrap_or(usize::MAX)).collect::<Vec<_>>());
        all.into_iter()
    }

    /// How many cells are kept back, small or not: which is which is not told.
    #[must_use]
    pub fn kept_back(&self) -> usize {
        self.cells
            .values()
            .filter(|cell| matches!(cell, Cell::Withheld | Cell::LessThan(_)))
            .count()
    }
}

/// All places of a table, totals among them.
fn places(dimensions: &[Dimension]) -> Vec<Place> {
    let mut all = vec![Place::new()];
    for dimension in dimensions {
        all = all
            .into_iter()
            .flat_map(|place| {
                (0..dimension.values.len())
                    .map(Some)
                    .chain([None])
                    .map(move |value| {
                        let mut place = place.clone();
                        place.push(value);
                        place
                    })
            })
            .collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(rows: &[&[u64]]) -> Table<Raw> {
        let width = rows.first().map_or(0, |row| row.len());
        let dimension = |name: &str, n: usize| Dimension {
            name: name.into(),
            values: (0..n).map(|v| v.to_string()).collect(),
        };
        let mut table = Table::new(vec![dimension("row", rows.len()), dimension("column", width)]).unwrap();
        for (r, row) in rows.iter().enumerate() {
            for (c, count) in row.iter().enumerate() {
                table.add(&[r, c], *count);
            }
        }
        table
    }

    const RULE: Rule = Rule {
        k: 5,
        totals: Totals::Printed,
        sensitive: false,
    };

    #[test]
    fn a_small_cell_is_never_alone() {
        let safe = table(&[&[3, 40, 60], &[20, 50, 30], &[70, 10, 9]])
            .protect(&RULE)
            .unwrap();
        assert_eq!(safe.cell(&[Some(0), Some(0)]), Some(Cell::Withheld));
        assert_eq!(safe.cell(&[None, None]), Some(Cell::Count(292)));
        for line in [[Some(0), None], [None, Some(0)]] {
            let fixed = line.iter().position(Option::is_some).unwrap();
            let hidden = (0..3)
                .filter(|n| {
                    let mut place = vec![Some(*n); 2];
                    place[fixed] = line[fixed];
                    safe.cell(&place) == Some(Cell::Withheld)
                })
                .count();
            assert!(hidden >= 2);
        }
    }

    #[test]
    fn without_totals_a_small_cell_says_less_than_k() {
        let rule = Rule {
            totals: Totals::Left,
            ..RULE
        };
        let safe = table(&[&[3, 40], &[0, 50]]).protect(&rule).unwrap();
        assert_eq!(safe.cell(&[Some(0), Some(0)]), Some(Cell::LessThan(5)));
        assert_eq!(safe.cell(&[Some(1), Some(0)]), Some(Cell::Count(0)));
        assert_eq!(safe.cell(&[None, None]), None);
    }

    #[test]
    fn a_sensitive_zero_is_not_told_from_a_small_one() {
        let rule = Rule {
            totals: Totals::Left,
            sensitive: true,
            k: 10,
        };
        let safe = table(&[&[0, 9], &[10, 50]]).protect(&rule).unwrap();
        assert_eq!(safe.cell(&[Some(0), Some(0)]), safe.cell(&[Some(0), Some(1)]));
    }

    #[test]
    fn k_may_only_be_raised() {
        let rule = Rule { k: 4, ..RULE };
        assert_eq!(
            table(&[&[1]]).protect(&rule).err(),
            Some(Error::ThresholdTooLow { asked: 4, least: 5 })
        );
    }

    #[test]
    fn what_was_not_watched_is_not_zero() {
        let mut raw = Table::new(vec![Dimension {
            name: "month".into(),
            values: vec!["a".into(), "b".into()],
        }])
        .unwrap();
        raw.add(&[0], 0);
        let safe = raw.protect(&RULE).unwrap();
        assert_eq!(safe.cell(&[Some(0)]), Some(Cell::Count(0)));
        assert_eq!(safe.cell(&[Some(1)]), Some(Cell::NotWatched));
    }

    #[test]
    fn nothing_of_a_raw_table_is_printed_for_debugging() {
        assert!(!format!("{:?}", table(&[&[31_337]])).contains("31"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn no_withheld_cell_can_be_told_within_k(
            rows in proptest::collection::vec(proptest::collection::vec(0_u64..40, 4), 1..5),
        ) {
            let rows: Vec<&[u64]> = rows.iter().map(Vec::as_slice).collect();
            let raw = table(&rows);
            let safe = raw.protect(&RULE).unwrap();
            let withheld: BTreeSet<Place> =
                raw.places().filter(|p| safe.cell(p) == Some(Cell::Withheld)).cloned().collect();
            for place in raw.places() {
                let cell = raw.cell(place);
                prop_assert!(!small(cell, &RULE) || withheld.contains(place));
            }
            // Either every withheld cell is wide enough, or nothing at all that could be added is printed.
            if let Some(narrow) = audit::narrow(&raw, &withheld, &RULE).unwrap() {
                let open = raw.lines().iter().any(|line| raw.smallest(line, &withheld).is_some());
                prop_assert!(!open, "{narrow:?}");
            }
        }
    }
}
