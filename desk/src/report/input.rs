//! What a report is made of: one chosen count per arrival, the interviews, and what is known to be missing.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, Timelike as _};
use landfall_form::{Answer, Answers, Pack, Table};
use landfall_model::{Kind, Stored, fold, header, time};
use landfall_stats::{Count, Period, Records, Unit};

use super::Error;

/// One arrival, or a watch without arrivals.
#[derive(Clone)]
pub struct Arrival {
    /// Local time at the point, as the count gives it (A03).
    pub at: DateTime<FixedOffset>,
    /// Where and when.
    pub unit: Unit,
    /// The answers of the chosen count.
    pub answers: Answers,
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").finish_non_exhaustive()
    }
}

impl Arrival {
    pub(crate) fn code(&self, question: &str) -> Option<&str> {
        self.answers.get(question).and_then(Answer::as_str)
    }

    pub(crate) fn number(&self, question: &str) -> u64 {
        self.answers
            .get(question)
            .and_then(Answer::as_integer)
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0)
    }

    /// Whether people arrived (A07); a watch without arrivals is not an arrival.
    pub(crate) fn arrived(&self) -> bool {
        self.code("A07") != Some("no")
    }

    /// The local hour, unless only the part of the day is known.
    pub(crate) fn hour(&self) -> Option<usize> {
        (self.code("A04") != Some("part_of_day")).then_some(self.at.hour() as usize)
    }
}

/// One interview.
#[derive(Clone)]
pub struct Interview {
    /// Where and when, from its event, else from the day it was recorded.
    pub unit: Unit,
    /// Its answers.
    pub answers: Answers,
}

impl fmt::Debug for Interview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interview").finish_non_exhaustive()
    }
}

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct ReportInput {
    /// Name of the organisation.
    pub organisation: String,
    /// The period.
    pub period: Period,
    /// Day of the edition.
    pub edition: NaiveDate,
    /// Language, `en`.
    pub lang: String,
    /// Arrivals and watches in the period.
    pub arrivals: Vec<Arrival>,
    /// Interviews in the period.
    pub interviews: Vec<Interview>,
    /// The table of points.
    pub points: Table,
    /// The table of corridors.
    pub corridors: Table,
    /// The table of countries.
    pub countries: Table,
    /// Indicators of the pack.
    pub pack: Pack,
    /// Arrivals with more than one count.
    pub counted_again: usize,
    /// Records that are known to be missing (gaps in the numbers of the phones).
    pub missing: u64,
    /// Records that were set aside.
    pub set_aside: u64,
}

impl ReportInput {
    /// Reads stored entries: folds the arrivals, chooses one count of each, and takes the interviews as they stand
    /// after corrections.
    ///
    /// # Errors
    /// [`Error::Pack`].
    pub fn from_entries(
        organisation: &str,
        period: Period,
        edition: Option<NaiveDate>,
        lang: &str,
        pack: &Pack,
        entries: &[Stored],
    ) -> Result<Self, Error> {
        let external = |name: &'static str| {
            pack.external(name)
                .map(|table| (**table).clone())
                .ok_or(Error::Pack { what: name })
        };
        let tally = pack.form("arrival_tally").ok_or(Error::Pack {
            what: "arrival_tally",
        })?;
        let interview = pack.form("arrival_observation").ok_or(Error::Pack {
            what: "arrival_observation",
        })?;
        let by_hash: BTreeMap<_, _> = entries.iter().map(|entry| (entry.hash(), entry)).collect();
        let mut units = BTreeMap::new();
        let mut arrivals = Vec::new();
        let mut counted_again = 0;
        let mut unreadable = 0;
        for (event, folded) in fold::fold_events(entries) {
            let mut heads: Vec<&Stored> = folded
                .counts
                .iter()
                .flat_map(|lineage| &lineage.heads)
                .filter_map(|hash| by_hash.get(hash).copied())
                .collect();
            heads.sort_by_key(|entry| (entry.fields().clock.wall_s, entry.hash()));
            let answers: Vec<Answers> = heads
                .iter()
                .map(|entry| tally.typed(&entry.fields().body))
                .collect();
            let Some(answers) = Records::choose(&answers).and_then(|n| answers.get(n)) else {
                continue;
            };
            // One record that cannot be read must not stop all figures; it is counted with what is set aside.
            let Some(at) = answers
                .get("A03")
                .and_then(Answer::as_str)
                .and_then(|at| time::parse(at).ok())
            else {
                unreadable += 1;
                continue;
            };
            let text = |code: &str| {
                answers
                    .get(code)
                    .and_then(Answer::as_str)
                    .unwrap_or("")
                    .to_owned()
            };
            let unit = Unit {
                month: month(&at),
                corridor: text("A02"),
                point: text("A01"),
            };
            units.insert(event, unit.clone());
            if period.contains(&unit.month) {
                counted_again += usize::from(heads.len() > 1);
                arrivals.push(Arrival {
                    at,
                    unit,
                    answers: answers.clone(),
                });
            }
        }
        let mut interviews = Vec::new();
        for folded in fold::fold_cases(entries).values() {
            let records = folded.records.get(&Kind::Observation).into_iter().flatten();
            for entry in records
                .flat_map(|lineage| lineage.heads.last())
                .filter_map(|hash| by_hash.get(hash))
            {
                let answers = interview.typed(&entry.fields().body);
                let event = header::event_id(&answers).ok().flatten();
                let unit = event.and_then(|event| units.get(&event)).cloned();
                let unit = match unit {
                    Some(unit) => unit,
                    None => {
                        let Ok(at) = time::local(&entry.fields().clock) else {
                            unreadable += 1;
                            continue;
                        };
                        Unit {
                            month: month(&at),
                            corridor: String::new(),
                            point: String::new(),
                        }
                    }
                };
                if period.contains(&unit.month) {
                    interviews.push(Interview { unit, answers });
                }
            }
        }
        arrivals.sort_by(|a, b| (a.at, &a.unit).cmp(&(b.at, &b.unit)));
        let newest = entries
            .iter()
            .filter_map(|entry| time::local(&entry.fields().clock).ok())
            .max();
        let edition = edition
            .or(newest.map(|at| at.date_naive()))
            .unwrap_or(NaiveDate::MIN);
        Ok(Self {
            organisation: organisation.to_owned(),
            period,
            edition,
            lang: lang.to_owned(),
            arrivals,
            interviews,
            points: external("points")?,
            corridors: external("corridors")?,
            countries: external("countries")?,
            pack: pack.clone(),
            counted_again,
            missing: 0,
            set_aside: unreadable,
        })
    }

    /// The records of the period as statistics take them.
    #[must_use]
    pub fn records(&self) -> Records {
        let events = self.arrivals.iter();
        let interviews = self.interviews.iter();
        Records {
            events: events
                .map(|a| Count {
                    unit: a.unit.clone(),
                    answers: a.answers.clone(),
                })
                .collect(),
            interviews: interviews
                .map(|i| Count {
                    unit: i.unit.clone(),
                    answers: i.answers.clone(),
                })
                .collect(),
        }
    }
}

fn month(at: &DateTime<FixedOffset>) -> String {
    format!("{:04}-{:02}", at.year(), at.month())
}
