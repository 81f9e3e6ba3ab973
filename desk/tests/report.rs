//! The report from invented records: deterministic, without a trace of what is withheld, in the allowed words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]

use chrono::{DateTime, NaiveDate};
use landfall_desk::report::{self, Arrival, Files, Interview, ReportInput};
use landfall_form::{Answer, Answers, Pack};
use landfall_stats::Unit;

fn pack() -> Pack {
    Pack::decode(include_bytes!("../../forms/standard.pack")).unwrap()
}

fn unit(point: &str, month: &str) -> Unit {
    Unit {
        month: month.into(),
        corridor: "DOM-HTI".into(),
        point: point.into(),
    }
}

/// An arrival with women and girls, men and boys per age group, oldest first.
fn arrival(at: &str, point: &str, women: [i64; 5], men: [i64; 5]) -> Arrival {
    let mut answers = Answers::new()
        .with("A04", Answer::code("exact"))
        .with("A07", Answer::code("yes"))
        .with("A10", Answer::code("no"))
        .with("A11", Answer::code("full"))
        .with("A20", Answer::code("counted"))
        .with("A60", Answer::code("no"))
        .with("A77", Answer::code("collective"));
    let (mut people, mut children) = (0, 0);
    for (sex, counts) in [("f", women), ("m", men)] {
        for (age, n) in ["60p", "18_59", "12_17", "5_11", "0_4"].into_iter().zip(counts) {
            answers = answers.with(format!("T_{sex}_{age}"), Answer::Integer(n));
            people += n;
            children += if matches!(age, "60p" | "18_59") { 0 } else { n };
        }
    }
    answers = answers
        .with("A30", Answer::Integer(people))
        .with("A34", Answer::Integer(children))
        .with("A40", Answer::Integer(children / 9))
        .with("A54", Answer::Integer(1));
    let month = at.get(..7).unwrap().to_owned();
    Arrival {
        at: DateTime::parse_from_rfc3339(at).unwrap(),
        unit: unit(point, &month),
        answers,
    }
}

fn input(arrivals: Vec<Arrival>, interviews: usize) -> ReportInput {
    let pack = pack();
    let external = |name: &str| (**pack.external(name).unwrap()).clone();
    ReportInput {
        organisation: "Practice Organisation".into(),
        period: "2026-03".parse().unwrap(),
        edition: NaiveDate::from_ymd_opt(2026, 4, 2).unwrap(),
        lang: "en".into(),
        interviews: (0..interviews)
            .map(|_| Interview {
                unit: unit("malpasse", "2026-03"),
                answers: Answers::new().with("K03", Answer::code("yes")),
            })
            .collect(),
        arrivals,
        points: external("points"),
        corridors: external("corridors"),
        countries: external("countries"),
        counted_again: 1,
        missing: 0,
        set_aside: 2,
        pack,
    }
}

/// A month at four points, one of them small.
fn month() -> ReportInput {
    let mut arrivals = Vec::new();
    for day in 1..=28 {
        for (n, point) in ["ouanaminthe", "belladere", "malpasse"].into_iter().enumerate() {
            for hour in [
                3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 4,
            ] {
                if (hour + day) % 7 == n || hour == 10 {
                    let at = format!("2026-03-{day:02}T{hour:02}:20:00-05:00");
                    arrivals.push(arrival(&at, point, [1, 9, 1, 1, 1], [1, 24, 2, 1, 1]));
                }
            }
        }
    }
    arrivals.push(arrival(
        "2026-03-04T10:00:00-05:00",
        "anse_a_pitres",
        [0, 8, 0, 0, 2],
        [0, 30, 0, 0, 1],
    ));
    input(arrivals, 120)
}

fn made(input: &ReportInput) -> Files {
    report::make(input).unwrap()
}

#[test]
fn twice_the_same_records_give_the_same_bytes() {
    let files = made(&month());
    assert_eq!(files, made(&month()));
    assert_eq!(files.check.len(), 12);
    assert!(files.html.contains(&files.check[..4]));
    if let Some(path) = std::env::var_os("LANDFALL_REPORT_SAMPLE") {
        std::fs::write(path, &files.html).unwrap();
    }
}

#[test]
fn a_withheld_figure_leaves_no_trace() {
    // Three children at one point: with the printed total of all points a second row must go as well.
    let files = made(&month());
    let points = &files.tables["people_by_point.csv"];
    let row = points
        .lines()
        .find(|l| l.starts_with("anse_a_pitres,child"))
        .unwrap();
    assert_eq!(row, "anse_a_pitres,child,withheld");
    assert!(points.lines().filter(|l| l.contains(",child,withheld")).count() >= 2);
    let html = &files.html;
    let start = html.find("Anse-à-Pitres").unwrap();
    let row = &html[start..start + html[start..].find("</tr>").unwrap()];
    assert!(
        row.contains("withheld") && !row.contains(">3<") && !row.contains(">38<"),
        "{row}"
    );
    assert!(!row.contains('%'), "a share would give it away: {row}");
}

#[test]
fn a_small_hour_joins_the_day_into_four_parts() {
    let mut input = month();
    input.arrivals.push(arrival(
        "2026-03-04T22:30:00-05:00",
        "malpasse",
        [0, 9, 0, 0, 0],
        [0, 20, 0, 0, 0],
    ));
    input
        .arrivals
        .retain(|a| a.at.to_rfc3339().contains("T10:") || a.at.to_rfc3339().contains("T22:30"));
    input.arrivals.push(arrival(
        "2026-03-05T23:10:00-05:00",
        "malpasse",
        [0, 1, 0, 0, 0],
        [0, 2, 0, 0, 0],
    ));
    let files = made(&input);
    assert!(files.tables.contains_key("people_by_part_of_day.csv"));
    assert!(!files.tables.contains_key("people_by_hour.csv"));
    assert!(files.html.contains("Hours are joined"));
}

#[test]
fn a_small_part_of_the_day_takes_all_hours_with_it() {
    // 3 people at night, beside a total and a share at night: neither hours nor the share may be printed.
    let mut input = month();
    input.arrivals.retain(|a| a.unit.point == "anse_a_pitres");
    input.arrivals.push(arrival(
        "2026-03-05T23:10:00-05:00",
        "malpasse",
        [0, 1, 0, 0, 0],
        [0, 2, 0, 0, 0],
    ));
    let files = made(&input);
    assert!(
        !files
            .tables
            .keys()
            .any(|name| name.contains("hour") || name.contains("part_of_day"))
    );
    assert!(files.html.contains("Hours are kept back"));
    assert!(!files.html.contains("arrived at night"));
}

#[test]
fn people_whose_hour_is_unknown_cannot_be_found_by_subtraction() {
    let mut input = month();
    let mut unknown = arrival(
        "2026-03-05T12:00:00-05:00",
        "malpasse",
        [0, 1, 0, 0, 0],
        [0, 2, 0, 0, 0],
    );
    unknown.answers.insert("A04".into(), Answer::code("part_of_day"));
    input.arrivals.push(unknown);
    let files = made(&input);
    assert!(files.tables["people_by_corridor_and_time.csv"].contains("part_of_day,withheld"));
    assert!(!files.tables.contains_key("people_by_hour.csv"));
}

#[test]
fn everybody_is_one_table_by_stage_age_and_sex() {
    // 3 men counted without ages: neither their row nor a total of one part may give them away.
    let mut input = month();
    let mut few = arrival("2026-03-05T12:00:00-05:00", "malpasse", [0; 5], [0; 5]);
    few.answers.retain(|code, _| !code.starts_with("T_"));
    few.answers.insert("N_m_adult".into(), Answer::Integer(3));
    few.answers.insert("A30".into(), Answer::Integer(3));
    input.arrivals.push(few);
    let table = &made(&input).tables["people_by_age_and_sex.csv"];
    let row = |start: &str| table.lines().find(|l| l.starts_with(start)).unwrap().to_owned();
    assert_eq!(row("adult,adult,m,"), "adult,adult,m,withheld");
    assert_eq!(row("*,*,*,"), format!("*,*,*,{}", 15_161 + 3));
    let kept_back = table
        .lines()
        .filter(|l| l.starts_with("adult,") && l.ends_with("withheld"))
        .count();
    assert!(kept_back >= 2, "{table}");
}

#[test]
fn nothing_asks_the_network_and_no_script_stands_in_it() {
    let html = made(&month()).html;
    assert!(html.contains("default-src 'none'"));
    for word in ["<script", "http://", "https://", "@import", "javascript:"] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.len() < 700 * 1024);
}

#[test]
fn an_empty_month_makes_an_honest_report() {
    let html = made(&input(Vec::new(), 0)).html;
    assert!(html.contains("0 arrivals"));
    assert!(!html.contains("NaN"));
}

#[test]
fn words_that_mislead_stand_nowhere() {
    let html = made(&month()).html;
    let start = html.find("<body").unwrap();
    let text = html[start..].to_lowercase();
    for word in [
        "successful",
        "sustainable",
        "failed return",
        "return is safe",
        "safe country",
        "illegal",
        "influx",
        "flood",
        "burden",
        "victim",
        "beneficiar",
        "migrant",
        "makes safe",
        "anonymous",
        "guaranteed",
        "secure",
    ] {
        assert!(!text.contains(word), "{word}");
    }
    for word in ["flow", "wave", "stock"] {
        assert!(
            !text.split(|c: char| !c.is_alphanumeric()).any(|w| w == word),
            "{word}"
        );
    }
    // A key that has no text would show itself.
    for part in text.split(['<', '>', ' ']) {
        assert!(!part.contains('_') || part.contains('='), "{part}");
    }
}
