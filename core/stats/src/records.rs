//! The records that figures are made of: one chosen count per arrival, and interviews. Coded answers only; whoever
//! fills this in leaves out texts, codes of cases and times finer than an hour.

use std::collections::BTreeSet;
use std::fmt;

use landfall_form::{Answer, Answers};

use crate::Period;

/// Where and when a record belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// Month of the arrival at the point, `2026-03`.
    pub month: String,
    /// Code of the corridor.
    pub corridor: String,
    /// Code of the point.
    pub point: String,
}

/// One record that is counted.
#[derive(Clone)]
pub struct Count {
    /// Where and when.
    pub unit: Unit,
    /// Its answers.
    pub answers: Answers,
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Count").finish_non_exhaustive()
    }
}

/// All records of an organisation, as far as figures need them.
#[derive(Default, Clone)]
pub struct Records {
    /// One count per arrival event.
    pub events: Vec<Count>,
    /// Interviews, each with the unit of its event.
    pub interviews: Vec<Count>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

impl Records {
    /// The records of one period.
    #[must_use]
    pub fn of(&self, period: &Period) -> Self {
        let inside = |counts: &[Count]| {
            counts
                .iter()
                .filter(|c| period.contains(&c.unit.month))
                .cloned()
                .collect()
        };
        Self {
            events: inside(&self.events),
            interviews: inside(&self.interviews),
        }
    }

    /// Chooses one of several independent counts of an arrival: counted one by one before estimated before a partner's
    /// (`A20`), then the later one. They are never added up. `counts` come in the order in which they were made;
    /// answers the place of the chosen one.
    #[must_use]
    pub fn choose(counts: &[Answers]) -> Option<usize> {
        let rank = |answers: &Answers| match answers.get("A20").and_then(Answer::as_str) {
            Some("counted") => 2,
            Some("estimated") => 1,
            _ => 0,
        };
        counts
            .iter()
            .enumerate()
            .max_by_key(|(place, answers)| (rank(answers), *place))
            .map(|(place, _)| place)
    }
}

/// A cut through the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Calendar month.
    Month,
    /// From which country to which.
    Corridor,
    /// Monitoring point.
    Point,
}

impl By {
    /// Reads the word of the command line.
    ///
    /// # Errors
    /// [`crate::Error::UnknownDimension`].
    pub fn from_word(word: &str) -> crate::Result<Self> {
        match word {
            "month" => Ok(Self::Month),
            "corridor" => Ok(Self::Corridor),
            "point" => Ok(Self::Point),
            _ => Err(crate::Error::UnknownDimension),
        }
    }

    /// The word of the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Corridor => "corridor",
            Self::Point => "point",
        }
    }

    pub(crate) fn value(self, unit: &Unit) -> &str {
        match self {
            Self::Month => &unit.month,
            Self::Corridor => &unit.corridor,
            Self::Point => &unit.point,
        }
    }

    pub(crate) fn values(self, records: &Records) -> Vec<String> {
        let all = records.events.iter().chain(&records.interviews);
        let values: BTreeSet<String> = all.map(|count| self.value(&count.unit).to_owned()).collect();
        values.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_comes_before_estimated_and_later_before_earlier() {
        let made = |how: &str| Answers::new().with("A20", Answer::code(how));
        assert_eq!(Records::choose(&[]), None);
        assert_eq!(
            Records::choose(&[made("partner"), made("counted"), made("estimated")]),
            Some(1)
        );
        assert_eq!(Records::choose(&[made("counted"), made("counted")]), Some(1));
        assert_eq!(Records::choose(&[made("estimated"), made("partner")]), Some(0));
    }
}
