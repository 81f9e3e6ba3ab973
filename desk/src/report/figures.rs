//! The figures of a report. Everything about people is a protected table; what is counted openly are arrivals, points
//! and days of watching, which are facts about the monitors.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate};
use landfall_form::Class;
use landfall_stats::{By, Cell, Dimension, Raw, Rule, SMALLEST_K, Safe, Table, Tabulated, Totals, tabulate};

use super::words::Words;
use super::{Error, ReportInput, numbers};

/// Age groups of the tally, oldest first, as they stand in the pyramid.
pub(crate) const AGES: [&str; 5] = ["60p", "18_59", "12_17", "5_11", "0_4"];
/// Groups of a count without ages; they follow the age groups as rows of one table.
pub(crate) const GROUPS: [&str; 2] = ["adult", "child"];
/// Whether a row holds adults (0) or children (1).
pub(crate) const STAGES: [usize; 7] = [0, 0, 1, 1, 1, 0, 1];
/// Sexes of the tally: women and girls, men and boys, not determined.
pub(crate) const SEXES: [&str; 3] = ["f", "m", "u"];
/// Parts of the day, for which hours are joined when one of them is small: first hour of each.
pub(crate) const PARTS: [usize; 4] = [5, 11, 17, 22];
/// The code of the row in which unofficial crossings stand together.
pub(crate) const UNOFFICIAL: &str = "unofficial";
/// What is asked of each arrival and printed: question, answers that count as yes.
pub(crate) const SEEN: [(&str, &str); 6] = [
    ("A10", "h24"),
    ("A11", "full"),
    ("A77", "individual"),
    ("A60", "yes"),
    ("A61", "yes"),
    ("A64", "yes"),
];

const RULE: Rule = Rule {
    k: SMALLEST_K,
    totals: Totals::Printed,
    sensitive: false,
};

/// All figures of a report.
pub(crate) struct Figures {
    /// People (I01) by month.
    pub(crate) people: Tabulated,
    /// Children alone or separated (I07), by corridor.
    pub(crate) alone: Tabulated,
    /// Consent (I38).
    pub(crate) consent: Tabulated,
    /// People by hour from 05:00, or by part of the day; nothing where it would give a few people away.
    pub(crate) hours: Option<Table<Safe>>,
    /// Whether hours are joined into four parts of the day.
    pub(crate) joined: bool,
    /// People at night, by day, and at a time known only as a part of the day, by corridor.
    pub(crate) corridors: Table<Safe>,
    /// People by stage (adult or child), row (age groups, then those counted without ages) and sex: one table, so that
    /// no total of one part gives a withheld cell of another away.
    pub(crate) ages: Table<Safe>,
    /// Adults and children by point, unofficial crossings together.
    pub(crate) points: Table<Safe>,
    /// Arrivals by what was seen: yes, no, could not see.
    pub(crate) seen: Table<Safe>,
    /// Arrivals, and watches without arrivals.
    pub(crate) arrivals: u64,
    pub(crate) watches: u64,
    /// How arrivals were counted: one by one, estimated, by a partner.
    pub(crate) counted: [u64; 3],
    /// Arrivals with an official number, and official and own sum of these.
    pub(crate) official: Option<Cell>,
    pub(crate) with_official: Option<Cell>,
    /// Points with at least one count, official and unofficial.
    pub(crate) watched_points: (usize, usize),
    /// Points with planned hours.
    pub(crate) planned_points: usize,
    /// Planned hours, and those on days with a count.
    pub(crate) planned_hours: u64,
    pub(crate) watched_hours: u64,
    /// Days with at least one count, and days of the period.
    pub(crate) watched_days: usize,
    pub(crate) days: usize,
    /// Share of point-days watched in each hour from 05:00, per cent; none for fewer than three points.
    pub(crate) strip: Option<[u64; 24]>,
    /// Agreed hours, if all corridors of the figure share them.
    pub(crate) agreed: Option<(usize, usize)>,
    /// Arrivals that monitors saw only from outside, or not at all.
    pub(crate) outside: u64,
    /// Labels of the values of `corridors` and `points`.
    pub(crate) corridor_names: Vec<(String, String)>,
    pub(crate) point_names: Vec<String>,
}

impl Figures {
    /// Makes and protects them.
    pub(crate) fn make(input: &ReportInput) -> Result<Self, Error> {
        let records = input.records();
        let of = |id: &'static str, by: &[By]| -> Result<Tabulated, Error> {
            let indicator = input
                .pack
                .indicators()
                .iter()
                .find(|i| i.id == id)
                .ok_or(Error::Pack { what: id })?;
            let class = if id == "I38" { Class::Per } else { Class::Int };
            Ok(tabulate(indicator, &records, by, Totals::Printed, None, class)?)
        };
        let coverage = Coverage::of(input);
        let clear = |table: &Table<Safe>| {
            table
                .cells()
                .all(|(_, cell)| matches!(cell, Cell::Count(_) | Cell::NotWatched))
        };
        let by_hour = by_hour(input, coverage.strip.as_ref())?.protect(&RULE)?;
        let joined = !clear(&by_hour);
        let hours = if joined {
            by_part(input)?.protect(&RULE)?
        } else {
            by_hour
        };
        let corridor_codes: Vec<String> = values(input, |arrival| &arrival.unit.corridor);
        let corridor_names = corridor_codes.iter().map(|code| countries(input, code)).collect();
        let (point_codes, point_names) = points(input);
        let corridors = by_corridor(input, corridor_codes)?.protect(&RULE)?;
        // Hours, corridors and everybody share totals: where one of them keeps a time of day back, hours would give it away.
        let hours = (clear(&hours) && clear(&corridors)).then_some(hours);
        let ages = by_cells(input)?.protect(&RULE)?;
        let points = by_point(input, point_codes)?.protect(&RULE)?;
        // The same of children by age and by point: both totals are printed, or points are printed without children.
        let (by_age, by_point) = (ages.cell(&[Some(1), None, None]), points.cell(&[None, Some(1)]));
        let same = matches!((by_age, by_point), (Some(Cell::Count(_)), Some(Cell::Count(_))));
        let points = if same {
            points
        } else {
            people_by_point(input, &points)?.protect(&RULE)?
        };
        let arrived = || input.arrivals.iter().filter(|a| a.arrived());
        let how = |code: &str| count(arrived().filter(|a| a.code("A20") == Some(code)).count());
        Ok(Self {
            people: of("I01", &[By::Month])?,
            alone: of("I07", &[By::Corridor])?,
            consent: of("I38", &[])?,
            hours,
            joined,
            corridors,
            ages,
            points,
            seen: by_seen(input)?.protect(&RULE)?,
            arrivals: count(arrived().count()),
            watches: count(input.arrivals.len() - arrived().count()),
            counted: [how("counted"), how("estimated"), how("partner")],
            official: official(input)?.protect(&RULE)?.cell(&[]),
            with_official: with_official(input)?.protect(&RULE)?.cell(&[Some(0)]),
            watched_points: coverage.points,
            planned_points: coverage.planned_points,
            planned_hours: coverage.planned,
            watched_hours: coverage.watched,
            watched_days: coverage.days,
            days: days(input).len(),
            strip: coverage.strip,
            agreed: agreed(input),
            outside: count(
                arrived()
                    .filter(|a| matches!(a.code("A11"), Some("outside" | "denied")))
                    .count(),
            ),
            corridor_names,
            point_names,
        })
    }

    /// People in all.
    pub(crate) fn total(&self) -> Option<Cell> {
        self.people.numerator.cell(&[None])
    }

    /// People at night, and people whose hour is known.
    pub(crate) fn night(&self) -> (Option<Cell>, Option<Cell>) {
        if self.hours.is_none() {
            return (None, None);
        }
        let night = self.corridors.cell(&[None, Some(0)]);
        let day = self.corridors.cell(&[None, Some(1)]);
        let known = match (night.and_then(Cell::count), day.and_then(Cell::count)) {
            (Some(night), Some(day)) => Some(Cell::Count(night + day)),
            _ => None,
        };
        (night, known)
    }

    /// People of one sex.
    pub(crate) fn sex(&self, sex: usize) -> Option<Cell> {
        self.ages.cell(&[None, None, Some(sex)])
    }

    /// People in one row of the pyramid, of one sex or of all.
    pub(crate) fn row(&self, row: usize, sex: Option<usize>) -> Option<Cell> {
        self.ages.cell(&[STAGES.get(row).copied(), Some(row), sex])
    }

    /// Children in all.
    pub(crate) fn children(&self) -> Option<Cell> {
        self.ages.cell(&[Some(1), None, None])
    }

    /// One table as CSV a figure: the protected values and nothing else.
    pub(crate) fn csv(&self, words: &Words) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut put = |name: &str, table: &Table<Safe>, value: &str| {
            files.insert(format!("{name}.csv"), csv_of(table, value, words));
        };
        put("people_by_month", &self.people.numerator, "people");
        if let Some(hours) = &self.hours {
            let name = if self.joined {
                "people_by_part_of_day"
            } else {
                "people_by_hour"
            };
            put(name, hours, "people");
        }
        put("people_by_age_and_sex", &self.ages, "people");
        put("people_by_corridor_and_time", &self.corridors, "people");
        put("people_by_point", &self.points, "people");
        put("children_alone_by_corridor", &self.alone.numerator, "children");
        put("consent", &self.consent.numerator, "people");
        put("arrivals_by_what_was_seen", &self.seen, "arrivals");
        files
    }
}

/// The sum of printed cells; nothing where one is kept back.
pub(crate) fn sum(cells: &[Option<Cell>]) -> Option<Cell> {
    let mut total = 0;
    for cell in cells {
        match cell {
            Some(Cell::Count(n)) => total += n,
            Some(Cell::NotWatched) => {}
            _ => return None,
        }
    }
    Some(Cell::Count(total))
}

fn csv_of(table: &Table<Safe>, value: &str, words: &Words) -> String {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut head: Vec<&str> = table.dimensions().iter().map(|d| d.name.as_str()).collect();
    head.push(value);
    // Writing to memory cannot fail; a row that did not fit would only be missing, never wrong.
    drop(rows.write_record(&head));
    for (place, cell) in table.cells() {
        let mut row: Vec<String> = place
            .iter()
            .zip(table.dimensions())
            .map(|(at, dimension)| match at {
                Some(n) => dimension.values.get(*n).cloned().unwrap_or_default(),
                None => "*".to_owned(),
            })
            .collect();
        row.push(match cell {
            Cell::Count(n) => n.to_string(),
            other => numbers::cell(other, words),
        });
        drop(rows.write_record(&row));
    }
    rows.into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

fn dimension(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Dimension {
    Dimension {
        name: name.to_owned(),
        values: values.into_iter().map(Into::into).collect(),
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The place of an hour in a day that starts at 05:00.
fn place_of(hour: usize) -> usize {
    (hour + 24 - 5) % 24
}

/// People by hour. An hour in which no point was planned and nobody came is not watched, which is not the same as none.
fn by_hour(input: &ReportInput, strip: Option<&[u64; 24]>) -> Result<Table<Raw>, Error> {
    let names = (0..24).map(|n| format!("{:02}", (n + 5) % 24));
    let mut table = Table::new(vec![dimension("hour", names)])?;
    for hour in
        (0..24).filter(|hour| strip.is_none_or(|strip| strip.get(*hour).is_some_and(|share| *share > 0)))
    {
        table.add(&[hour], 0);
    }
    for arrival in &input.arrivals {
        if let Some(hour) = arrival.hour() {
            table.add(&[place_of(hour)], arrival.number("A30"));
        }
    }
    Ok(table)
}

fn by_part(input: &ReportInput) -> Result<Table<Raw>, Error> {
    let names = ["05-11", "11-17", "17-22", "22-05"];
    let mut table = Table::new(vec![dimension("part_of_day", names)])?;
    for part in 0..names.len() {
        table.add(&[part], 0);
    }
    for arrival in &input.arrivals {
        if let Some(hour) = arrival.hour() {
            let part = PARTS
                .iter()
                .rposition(|from| place_of(hour) >= place_of(*from))
                .unwrap_or(0);
            table.add(&[part], arrival.number("A30"));
        }
    }
    Ok(table)
}

fn by_corridor(input: &ReportInput, codes: Vec<String>) -> Result<Table<Raw>, Error> {
    let time = dimension("time", ["night", "day", "part_of_day"]);
    let mut table = Table::new(vec![dimension("corridor", codes.clone()), time])?;
    for arrival in &input.arrivals {
        let Some(row) = codes.iter().position(|code| *code == arrival.unit.corridor) else {
            continue;
        };
        let column = match arrival.hour() {
            Some(hour) if place_of(hour) >= place_of(22) => 0,
            Some(_) => 1,
            None => 2,
        };
        for other in 0..3 {
            table.add(&[row, other], 0);
        }
        table.add(&[row, column], arrival.number("A30"));
    }
    Ok(table)
}

fn by_cells(input: &ReportInput) -> Result<Table<Raw>, Error> {
    let rows = AGES.iter().chain(&GROUPS).copied();
    let dimensions = vec![
        dimension("stage", GROUPS),
        dimension("age", rows.clone()),
        dimension("sex", SEXES),
    ];
    let mut table = Table::new(dimensions)?;
    for arrival in &input.arrivals {
        for (r, row) in rows.clone().enumerate() {
            let prefix = if r < AGES.len() { "T" } else { "N" };
            for (s, sex) in SEXES.iter().enumerate() {
                let code = format!("{prefix}_{sex}_{row}");
                if arrival.answers.get(&code).is_some() {
                    table.add(
                        &[STAGES.get(r).copied().unwrap_or(0), r, s],
                        arrival.number(&code),
                    );
                }
            }
        }
    }
    Ok(table)
}

/// People by point without a cut by children, where that would give a few of them away.
fn people_by_point(input: &ReportInput, points: &Table<Safe>) -> Result<Table<Raw>, Error> {
    let codes = points
        .dimensions()
        .first()
        .map(|d| d.values.clone())
        .unwrap_or_default();
    let mut table = Table::new(vec![dimension("point", codes.clone())])?;
    for arrival in &input.arrivals {
        let code = point_row(input, &arrival.unit.point);
        if let Some(row) = codes.iter().position(|own| own == code) {
            table.add(&[row], arrival.number("A30"));
        }
    }
    Ok(table)
}

fn by_point(input: &ReportInput, codes: Vec<String>) -> Result<Table<Raw>, Error> {
    let mut table = Table::new(vec![
        dimension("point", codes.clone()),
        dimension("group", GROUPS),
    ])?;
    for arrival in &input.arrivals {
        let code = point_row(input, &arrival.unit.point);
        let Some(row) = codes.iter().position(|own| own == code) else {
            continue;
        };
        let (people, children) = (arrival.number("A30"), arrival.number("A34"));
        table.add(&[row, 0], people.saturating_sub(children));
        table.add(&[row, 1], children);
    }
    Ok(table)
}

fn by_seen(input: &ReportInput) -> Result<Table<Raw>, Error> {
    let questions = SEEN.iter().map(|(code, _)| *code);
    // Not asked of everybody: the three answers have no common total, so a table of lists and not of one sum.
    let mut table = Table::new(vec![
        dimension("question", questions),
        dimension("answer", ["yes", "no", "not_seen"]),
    ])?;
    for arrival in input.arrivals.iter().filter(|a| a.arrived()) {
        for (row, (code, yes)) in SEEN.iter().enumerate() {
            let column = match arrival.code(code) {
                Some(answer) if answer == *yes => 0,
                Some("not_observed" | "unknown") | None => 2,
                Some(_) => 1,
            };
            for other in 0..3 {
                table.add(&[row, other], 0);
            }
            table.add(&[row, column], 1);
        }
    }
    Ok(table)
}

/// People counted in arrivals with and without a number given by officials: one table, because the first beside
/// everybody tells the second.
fn with_official(input: &ReportInput) -> Result<Table<Raw>, Error> {
    let mut table = Table::new(vec![dimension("official_number", ["given", "not_given"])])?;
    for arrival in &input.arrivals {
        table.add(&[usize::from(!has_official(arrival))], arrival.number("A30"));
    }
    Ok(table)
}

/// What officials said, of the arrivals of which they said something.
fn official(input: &ReportInput) -> Result<Table<Raw>, Error> {
    let mut table = Table::new(Vec::new())?;
    for arrival in input.arrivals.iter().filter(|arrival| has_official(arrival)) {
        table.add(&[], arrival.number("A33"));
    }
    Ok(table)
}

fn has_official(arrival: &super::Arrival) -> bool {
    arrival.answers.get("A33").and_then(|n| n.as_integer()).is_some()
}

fn values(input: &ReportInput, of: impl Fn(&super::Arrival) -> &String) -> Vec<String> {
    let all: BTreeSet<String> = input
        .arrivals
        .iter()
        .map(|a| of(a).clone())
        .filter(|v| !v.is_empty())
        .collect();
    all.into_iter().collect()
}

/// Names of the two countries of a corridor.
fn countries(input: &ReportInput, code: &str) -> (String, String) {
    let name = |column: &str, place: usize| {
        let country = input
            .corridors
            .row(code)
            .and_then(|row| row.get(column))
            .unwrap_or("");
        let country = if country.is_empty() {
            code.split('-').nth(place).unwrap_or("")
        } else {
            country
        };
        input
            .countries
            .row(country)
            .map_or(country, |row| row.label(&input.lang))
            .to_owned()
    };
    (name("sending", 0), name("receiving", 1))
}

/// Official points by name, unofficial crossings always together.
fn point_row<'a>(input: &ReportInput, code: &'a str) -> &'a str {
    let kind = input
        .points
        .row(code)
        .and_then(|row| row.get("kind"))
        .unwrap_or("");
    if kind == "border_unofficial" {
        UNOFFICIAL
    } else {
        code
    }
}

fn points(input: &ReportInput) -> (Vec<String>, Vec<String>) {
    let mut codes: Vec<String> = values(input, |arrival| &arrival.unit.point)
        .iter()
        .map(|code| point_row(input, code).to_owned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    codes.sort_by_key(|code| (code == UNOFFICIAL, code.clone()));
    let names = codes
        .iter()
        .map(|code| {
            input
                .points
                .row(code)
                .map_or(code.clone(), |row| row.label(&input.lang).to_owned())
        })
        .collect();
    (codes, names)
}

fn days(input: &ReportInput) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    for month in input.period.months() {
        let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok();
        let same = |day: &NaiveDate| Some(day.month()) == first.map(|f| f.month());
        days.extend(
            first
                .into_iter()
                .flat_map(|first| first.iter_days().take_while(same).take(31)),
        );
    }
    days
}

/// What of the planned hours was watched: hours of a point on days with at least one finished count.
#[derive(Default)]
struct Coverage {
    points: (usize, usize),
    planned_points: usize,
    planned: u64,
    watched: u64,
    days: usize,
    strip: Option<[u64; 24]>,
}

impl Coverage {
    fn of(input: &ReportInput) -> Self {
        let days = days(input);
        let mut seen: BTreeMap<&str, BTreeSet<NaiveDate>> = BTreeMap::new();
        for arrival in &input.arrivals {
            seen.entry(&arrival.unit.point)
                .or_default()
                .insert(arrival.at.date_naive());
        }
        let mut own = Self {
            days: seen.values().flatten().collect::<BTreeSet<_>>().len(),
            ..Self::default()
        };
        let mut point_hours = [0_u64; 24];
        for row in input.points.rows() {
            let watched = seen.get(row.code()).map_or(0, BTreeSet::len);
            if watched > 0 {
                match row.get("kind") {
                    Some("border_unofficial") => own.points.1 += 1,
                    _ => own.points.0 += 1,
                }
            }
            let Some((from, until)) = row.get("active_hours").and_then(hours) else {
                continue;
            };
            own.planned_points += 1;
            let long = if until > from {
                until - from
            } else {
                until + 24 - from
            };
            own.planned += count(long) * count(days.len());
            own.watched += count(long) * count(watched);
            for hour in (0..long).map(|n| (from + n) % 24) {
                if let Some(slot) = point_hours.get_mut(place_of(hour)) {
                    *slot += count(watched);
                }
            }
        }
        let all = count(own.planned_points) * count(days.len());
        if own.planned_points >= 3 && all > 0 {
            own.strip = Some(point_hours.map(|watched| (watched * 100).div_ceil(all)));
        }
        own
    }
}

/// `08:00-18:00`, whole hours.
fn hours(text: &str) -> Option<(usize, usize)> {
    let (from, until) = text.split_once(['-', '–'])?;
    let hour = |text: &str| {
        text.trim()
            .split(':')
            .next()?
            .parse()
            .ok()
            .filter(|hour| *hour <= 24)
    };
    Some((hour(from)?, hour(until)?))
}

fn agreed(input: &ReportInput) -> Option<(usize, usize)> {
    let codes = values(input, |arrival| &arrival.unit.corridor);
    let mut all = codes.iter().map(|code| {
        let row = input.corridors.row(code)?;
        hours(&format!("{}-{}", row.get("agreed_from")?, row.get("agreed_to")?))
    });
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}
