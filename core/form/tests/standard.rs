//! The standard instruments, asked as a monitor would: what is relevant, what is refused, what is kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use landfall_form::{
    Answer, AnswerScope, Answers, Class, Expr, Form, Kind, Now, Outcome, Pack, Review, Rule, Session,
    Violation,
};

/// 9 March 2026, 12:00 in Port-au-Prince.
const NOW: Now = Now {
    wall_s: 1_773_072_000,
    tz_min: -240,
};

fn pack() -> Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| Pack::decode(include_bytes!("../../../forms/standard.pack")).unwrap())
        .clone()
}

fn begin(form: &str, hidden: Answers) -> Session {
    let pack = pack();
    Session::begin(
        Arc::clone(pack.form(form).unwrap()),
        &pack,
        hidden,
        Answers::new(),
        NOW,
    )
}

/// An answer as a test writes it: an integer, a moment, several codes with `+`, a text with `'`, or one code.
fn answer(text: &str) -> Answer {
    if let Ok(number) = text.parse::<i64>() {
        Answer::Integer(number)
    } else if let Some(text) = text.strip_prefix('\'') {
        Answer::Text(text.to_owned())
    } else if text == "-" {
        Answer::Skipped
    } else if text.starts_with("2026-") {
        Answer::DateTime(text.to_owned())
    } else if let Some(codes) = text.strip_prefix('+') {
        Answer::codes(codes.split('+').filter(|code| !code.is_empty()))
    } else {
        Answer::code(text)
    }
}

#[track_caller]
fn give(session: &mut Session, answers: &[(&str, &str)]) {
    for (code, text) in answers {
        session
            .set(code, answer(text), NOW)
            .unwrap_or_else(|violation| panic!("{violation}"));
    }
}

#[track_caller]
fn refused(session: &mut Session, code: &str, text: &str, rule: Rule) {
    let before = session.answers().clone();
    let result = session.set(code, answer(text), NOW);
    assert_eq!(
        result,
        Err(Violation {
            question: code.to_owned(),
            rule
        }),
        "{code} = {text}"
    );
    assert!(*session.answers() == before, "a refused answer changed the draft");
}

#[track_caller]
fn kept(session: &Session) -> Answers {
    match session.finish(NOW) {
        Ok(Outcome::Kept(answers)) => answers,
        Ok(Outcome::Refused) => panic!("refused"),
        Err(found) => panic!("{found:?}"),
    }
}

fn path(session: &Session) -> Vec<String> {
    session
        .path("en")
        .into_iter()
        .map(|question| question.code)
        .collect()
}

fn choices(session: &Session, code: &str) -> Vec<String> {
    let questions = session.questions("en");
    let question = questions.iter().find(|question| question.code == code).unwrap();
    question
        .choices
        .iter()
        .map(|choice| choice.code.clone())
        .collect()
}

/// Everything that a tally must have.
const HEADER: [(&str, &str); 13] = [
    ("A01", "ouanaminthe"),
    ("A02", "DOM-HTI"),
    ("A03", "2026-03-09T11:30:00-04:00"),
    ("A04", "exact"),
    ("A07", "yes"),
    ("A05", "bus"),
    ("A08", "deportation"),
    ("A09", "official"),
    ("A10", "no"),
    ("A11", "full"),
    ("A12", "+immigration_arr"),
    ("A20", "counted"),
    ("A21", "yes"),
];

fn tally() -> Session {
    let mut session = begin("arrival_tally", Answers::new());
    give(&mut session, &HEADER);
    session
}

const RAPID: [(&str, &str); 2] = [("K08", "rapid"), ("K01", "OK")];

fn interview(first: &[(&str, &str)]) -> Session {
    let mut session = begin(
        "arrival_observation",
        Answers::new().with("event_night", Answer::Text("no".to_owned())),
    );
    give(&mut session, first);
    session
}

fn full(first: &[(&str, &str)]) -> Session {
    let mut session = interview(&[
        ("K08", "full"),
        ("K01", "OK"),
        ("K02", "ht"),
        ("K06", "private"),
        ("K03", "yes"),
        ("K05", "self"),
        ("K07", "none"),
        ("P01", "female"),
        ("P02", "a25_59"),
        ("P07", "alone"),
    ]);
    give(&mut session, first);
    session
}

#[test]
fn the_pack_holds_the_two_forms_whole() {
    let pack = pack();
    let (a, b) = (
        pack.form("arrival_tally").unwrap(),
        pack.form("arrival_observation").unwrap(),
    );
    let cells = a
        .questions()
        .iter()
        .filter(|q| q.code.starts_with("N_") || q.code.starts_with("T_"));
    assert_eq!(cells.count(), 21);
    let plain = a.questions().iter().filter(|q| q.code.starts_with('A'));
    assert_eq!(plain.count(), 58);
    // 73 rows of the table and two hidden prefills.
    assert_eq!(b.questions().len(), 75);
    assert!(a.questions().iter().all(|q| q.class == Class::Int));
    assert_eq!(b.question("S07").unwrap().class, Class::Hs);
    assert_ne!(a.hash(), b.hash());
    assert_eq!(pack.external("points").unwrap().rows().count(), 10);
    assert_eq!(pack.list("act").unwrap().len(), 38);
    assert_eq!(pack.indicators().len(), 4);
}

#[test]
fn every_choice_of_form_a_and_of_the_rapid_path_has_arabic_marked_as_a_draft() {
    let mut session = tally();
    give(&mut session, &[("T_m_18_59", "3"), ("A51", "1")]);
    let mut interview = interview(&RAPID);
    give(
        &mut interview,
        &[
            ("K06", "private"),
            ("K03", "yes"),
            ("P07", "uac"),
            ("D01", "+etd"),
            ("W03", "yes"),
        ],
    );
    for question in session.questions("ar").into_iter().chain(interview.path("ar")) {
        assert_eq!(question.review, Review::Draft, "{}", question.code);
        for choice in question.choices {
            assert_eq!(choice.review, Review::Draft, "{} {}", question.code, choice.code);
        }
    }
    let questions = interview.questions("ar");
    let missing = questions.iter().find(|question| question.code == "W07").unwrap();
    assert_eq!(
        (missing.review, missing.label.as_str()),
        (Review::Missing, "Notes (no names)")
    );
}

#[test]
fn a_tally_sums_the_cells_in_use() {
    let mut session = tally();
    assert_eq!(session.value("A30"), Some(Answer::Integer(0)));
    give(
        &mut session,
        &[
            ("T_m_18_59", "60"),
            ("T_f_5_11", "2"),
            ("T_u_12_17", "1"),
            ("A77", "none"),
        ],
    );
    assert_eq!(session.value("A30"), Some(Answer::Integer(63)));
    assert_eq!(session.value("A34"), Some(Answer::Integer(3)));
    give(&mut session, &[("A40", "1")]);
    let answers = kept(&session);
    assert_eq!(answers.get("A30"), Some(&Answer::Integer(63)));
    assert_eq!(
        answers.get("T_f_0_4"),
        Some(&Answer::Integer(0)),
        "a cell that nobody tapped is a real zero"
    );
    assert!(!answers.contains_key("N_f_adult"), "cells not in use are absent");
    assert_eq!(
        Answers::decode(&answers.encode())
            .map(|raw| session.form().typed(&raw))
            .unwrap(),
        answers
    );

    // By age was a slip: the other cells are in use now, and the first ones come back if it is taken back.
    give(&mut session, &[("A21", "no"), ("N_m_adult", "5")]);
    assert_eq!(session.value("A30"), Some(Answer::Integer(5)));
    give(&mut session, &[("A21", "yes")]);
    assert_eq!(session.value("A30"), Some(Answer::Integer(63)));
}

#[test]
fn a_watch_without_arrivals_is_kept_as_zero() {
    let mut session = begin("arrival_tally", Answers::new());
    give(&mut session, &HEADER[..4]);
    give(&mut session, &[("A07", "no")]);
    refused(&mut session, "A05", "bus", Rule::NotRelevant);
    give(&mut session, &[("A81", "not_observed"), ("A80", "'Rain")]);
    let answers = kept(&session);
    assert_eq!(answers.get("A30"), Some(&Answer::Integer(0)));
    let codes: BTreeSet<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(
        codes,
        BTreeSet::from(["A01", "A02", "A03", "A04", "A07", "A30", "A34", "A80", "A81"])
    );
}

/// A question, answers that make it asked, answers that make it not asked.
type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)]);

/// Each relevance of table 3.1: the question, what makes it asked, what makes it not asked.
#[test]
fn each_relevance_of_form_a_holds() {
    let table: [Asked<'_>; 13] = [
        ("N_f_adult", &[("A21", "no")], &[("A21", "yes")]),
        ("T_f_0_4", &[("A21", "yes")], &[("A21", "no")]),
        ("A31", &[("A20", "estimated")], &[("A20", "counted")]),
        ("A32", &[("A20", "estimated")], &[("A20", "partner")]),
        ("A40", &[("T_f_0_4", "1")], &[("T_f_0_4", "0")]),
        ("A41", &[("T_m_5_11", "1")], &[("T_m_5_11", "0")]),
        ("A43", &[("T_u_12_17", "1")], &[("T_u_12_17", "0")]),
        ("A45", &[("T_f_12_17", "1")], &[("T_f_12_17", "0")]),
        ("A73", &[("T_f_18_59", "4"), ("A51", "2")], &[("A51", "0")]),
        ("A05", &[("A07", "yes")], &[("A07", "no")]),
        ("A20", &[("A07", "yes")], &[("A07", "no")]),
        ("A54", &[("A07", "yes")], &[("A07", "no")]),
        ("A79", &[("A07", "yes")], &[("A07", "no")]),
    ];
    for (code, asked, not_asked) in table {
        let mut session = tally();
        give(&mut session, asked);
        assert!(session.is_relevant(code), "{code} asked");
        give(&mut session, not_asked);
        assert!(!session.is_relevant(code), "{code} not asked");
    }
}

/// Every relevance of both forms is exercised by some row of a table here; this finds one that nobody wrote a row for.
#[test]
fn no_relevance_stands_without_a_test() {
    let source = include_str!("standard.rs");
    let pack = pack();
    for form in pack.forms() {
        for question in form
            .questions()
            .iter()
            .filter(|question| question.relevant.is_some())
        {
            let stem = question.code.trim_start_matches(['N', 'T']);
            let cell = stem.starts_with('_');
            assert!(
                cell || source.contains(&format!("(\"{}\"", question.code)),
                "{}",
                question.code
            );
        }
    }
}

#[test]
fn constraints_of_form_a_refuse_by_name() {
    let mut session = tally();
    give(
        &mut session,
        &[("T_m_18_59", "10"), ("T_f_5_11", "2"), ("A20", "estimated")],
    );
    refused(&mut session, "A03", "2026-03-09T12:00:01-04:00", Rule::Constraint);
    refused(&mut session, "A03", "2026-03-09T17:00:01+01:00", Rule::Constraint);
    give(
        &mut session,
        &[("A03", "2026-03-09T17:00:00+01:00"), ("A06", "'AB-123")],
    );
    refused(&mut session, "A06", "'ab", Rule::Constraint);
    refused(&mut session, "A06", "'ABCDEFGHIJKLM", Rule::Constraint);
    refused(&mut session, "T_m_18_59", "-1", Rule::Constraint);
    refused(&mut session, "A31", "13", Rule::Constraint);
    refused(&mut session, "A32", "11", Rule::Constraint);
    give(
        &mut session,
        &[("A31", "12"), ("A32", "12"), ("A33", "0"), ("A78", "10080")],
    );
    refused(&mut session, "A33", "-1", Rule::Constraint);
    refused(&mut session, "A40", "3", Rule::Constraint);
    refused(&mut session, "A41", "-1", Rule::Constraint);
    refused(&mut session, "A78", "10081", Rule::Constraint);
    for code in [
        "A42", "A43", "A44", "A45", "A46", "A47", "A48", "A49", "A50", "A51", "A52", "A53", "A54",
    ] {
        refused(&mut session, code, "13", Rule::Constraint);
        give(&mut session, &[(code, "12")]);
    }
    let long = format!("'{}", "x".repeat(501));
    refused(&mut session, "A80", &long, Rule::Constraint);
    // A later answer can break an earlier one: it is found at the end, with its name.
    give(&mut session, &[("T_m_18_59", "1"), ("A77", "none")]);
    let found = session.violations(NOW);
    assert!(
        found.contains(&Violation {
            question: "A42".to_owned(),
            rule: Rule::Constraint
        }),
        "{found:?}"
    );
    give(&mut session, &[("T_m_18_59", "20001")]);
    let found = session.violations(NOW);
    assert!(
        found.contains(&Violation {
            question: "A30".to_owned(),
            rule: Rule::Constraint
        }),
        "{found:?}"
    );
}

#[test]
fn what_no_question_can_hold_is_refused_and_changes_nothing() {
    let mut session = tally();
    refused(&mut session, "A99", "1", Rule::UnknownQuestion);
    refused(&mut session, "A05", "spaceship", Rule::UnknownChoice);
    refused(
        &mut session,
        "A12",
        "+immigration_arr+spaceship",
        Rule::UnknownChoice,
    );
    refused(&mut session, "A05", "3", Rule::WrongType);
    refused(&mut session, "A05", "+bus", Rule::WrongType);
    refused(&mut session, "A33", "'twelve", Rule::WrongType);
    refused(&mut session, "A33", "1000000000", Rule::OutOfRange);
    refused(&mut session, "A33", "-9223372036854775808", Rule::OutOfRange);
    refused(&mut session, "A30", "5", Rule::ReadOnly);
    refused(&mut session, "A05", "-", Rule::NotSkippable);
    refused(
        &mut session,
        "A80",
        &format!("'{}", "x".repeat(10_001)),
        Rule::TooLong,
    );
    refused(&mut session, "A01", &"x".repeat(200), Rule::TooLong);
    for bad in ["2026-03-09T25:00:00Z", "2026-03-09", "2026-03-09T11:00:00"] {
        refused(&mut session, "A03", bad, Rule::WrongType);
    }
}

#[test]
fn exclusive_codes_stand_alone() {
    let mut session = tally();
    for (code, text) in [
        ("A12", "+none+police_arr"),
        ("A12", "+unknown+police_arr"),
        ("A70", "+hood+not_observed"),
    ] {
        refused(&mut session, code, text, Rule::Exclusive);
    }
    // The order of the list is the one encoding of a set.
    give(&mut session, &[("A12", "+police_arr+immigration_arr+police_arr")]);
    assert_eq!(
        session.value("A12"),
        Some(Answer::codes(["immigration_arr", "police_arr"]))
    );
}

#[test]
fn corridors_are_those_that_end_at_the_point() {
    let mut session = begin("arrival_tally", Answers::new());
    give(&mut session, &[("A01", "malpasse")]);
    let offered = choices(&session, "A02");
    assert!(offered.contains(&"DOM-HTI".to_owned()) && offered.contains(&"PER-XXX".to_owned()));
    assert!(!offered.contains(&"USA-MEX".to_owned()));
    refused(&mut session, "A02", "USA-MEX", Rule::UnknownChoice);
}

#[test]
fn required_answers_are_named_until_they_are_there() {
    let session = begin("arrival_tally", Answers::new());
    assert_eq!(session.missing(), ["A01", "A02", "A03", "A04", "A07"]);
    let found = session.finish(NOW).unwrap_err();
    assert_eq!(
        found[0],
        Violation {
            question: "A01".to_owned(),
            rule: Rule::Required
        }
    );
    assert_eq!(tally().missing(), ["A77"]);
}

#[test]
fn a_tap_evaluates_only_what_depends_on_it() {
    let mut session = tally();
    give(&mut session, &[("T_m_18_59", "5"), ("A77", "none")]);
    let before = session.evaluated();
    give(&mut session, &[("A60", "yes")]);
    assert_eq!(session.evaluated() - before, 1, "nothing depends on A60");
    let before = session.evaluated();
    give(&mut session, &[("T_m_18_59", "6")]);
    let tapped = session.evaluated() - before;
    assert!(
        (2..=4).contains(&tapped),
        "the cell and the sums, not the whole form: {tapped}"
    );
}

#[test]
fn a_draft_goes_on_where_it_was() {
    let pack = pack();
    let mut session = tally();
    give(
        &mut session,
        &[("T_f_5_11", "2"), ("A40", "1"), ("A12", "+escort+police_arr")],
    );
    let bytes = session.answers().encode();
    let raw = Answers::decode(&bytes).unwrap();
    let again = Session::resume(Arc::clone(session.form()), &pack, Answers::new(), raw, NOW);
    assert_eq!(again.questions("en"), session.questions("en"));
    assert!(again.answers() == session.answers());
}

#[test]
fn the_rapid_path_is_eight_questions_in_its_order() {
    let mut session = interview(&RAPID);
    assert!(session.rapid());
    assert_eq!(path(&session), ["K06", "K03"]);
    give(&mut session, &[("K06", "private"), ("K03", "yes")]);
    assert_eq!(
        path(&session),
        ["K06", "K03", "P01", "P02", "P07", "D01", "RF", "W03"]
    );
    give(
        &mut session,
        &[("P01", "male"), ("P02", "a12_17"), ("P07", "separated")],
    );
    assert_eq!(
        path(&session),
        ["K06", "K03", "P01", "P02", "P07", "F02", "D01", "RF", "W03"]
    );
    give(
        &mut session,
        &[
            ("F02", "no"),
            ("D01", "+birth+etd"),
            ("D02", "kept"),
            ("RF", "+injured+ill_treated"),
        ],
    );
    give(&mut session, &[("W03", "yes"), ("W04", "phone")]);
    assert_eq!(
        path(&session),
        [
            "K06", "K03", "P01", "P02", "P07", "F02", "D01", "D02", "RF", "W03", "W04"
        ]
    );
    let answers = kept(&session);
    let codes: BTreeSet<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(
        codes,
        BTreeSet::from([
            "D01",
            "D02",
            "F02",
            "K01",
            "K03",
            "K06",
            "K08",
            "K09",
            "P01",
            "P02",
            "P07",
            "RF",
            "W03",
            "W04",
            "event_night",
            "full_ok"
        ])
    );
    assert_eq!(answers.get("full_ok"), Some(&Answer::Text("no".to_owned())));
}

#[test]
fn what_may_be_skipped_says_so_and_a_skip_is_kept() {
    let mut session = interview(&RAPID);
    give(
        &mut session,
        &[("K06", "private"), ("K03", "yes"), ("P07", "alone")],
    );
    let skippable: Vec<String> = session
        .path("en")
        .into_iter()
        .filter(|question| question.skippable)
        .map(|question| question.code)
        .collect();
    assert_eq!(skippable, ["RF", "W03"]);
    give(
        &mut session,
        &[
            ("P01", "another"),
            ("P02", "unknown"),
            ("D01", "+none"),
            ("RF", "-"),
            ("W03", "-"),
        ],
    );
    for code in ["K06", "P01", "P02", "P07", "D01"] {
        refused(&mut session, code, "-", Rule::NotSkippable);
    }
    assert!(!session.is_relevant("W04"));
    let answers = kept(&session);
    assert_eq!(answers.get("RF"), Some(&Answer::Skipped));
    assert_eq!(
        Answers::decode(&answers.encode()).unwrap().get("RF"),
        Some(&Answer::Skipped)
    );
}

#[test]
fn a_person_who_does_not_agree_leaves_nothing_behind() {
    let mut session = interview(&RAPID);
    give(
        &mut session,
        &[("K06", "private"), ("K03", "yes"), ("P01", "male"), ("K03", "no")],
    );
    assert!(session.refused());
    assert_eq!(session.finish(NOW), Ok(Outcome::Refused));
}

/// The list under table 3.2, in form order.
const IN_FRONT_OF_OFFICIALS: &str = "K08 K01 K02 K06 K03 K05 K07 P01 P02 P03 P04 P05 P06 P07 K04 P08 R01 R11 J01 J02 \
                                     D01 D02 H01 H02 H03 H07 H08 H09 F01 F02 F03 B01 B02 B05 B06 RF W05 W06 W07";

#[test]
fn in_front_of_officials_only_the_list_is_there() {
    let mut session = full(&[]);
    let unwatched = session.questions("en").len();
    give(&mut session, &[("K06", "officials_present")]);
    let shown: Vec<String> = session
        .questions("en")
        .into_iter()
        .filter(|question| question.kind != Kind::Calculate)
        .map(|question| question.code)
        .collect();
    assert_eq!(
        shown,
        IN_FRONT_OF_OFFICIALS.split_whitespace().collect::<Vec<_>>()
    );
    assert!(unwatched > shown.len() + 20);
    for (code, text) in [
        ("S01", "+state"),
        ("V03", "still"),
        ("W03", "yes"),
        ("W04", "phone"),
        ("H05", "yes"),
    ] {
        refused(&mut session, code, text, Rule::OfficialsPresent);
    }
    // An official who interprets counts as well.
    give(&mut session, &[("K06", "private")]);
    assert!(!session.officials_present());
    give(&mut session, &[("K07", "official")]);
    refused(&mut session, "S01", "+state", Rule::OfficialsPresent);
}

#[test]
fn no_answer_about_privacy_counts_as_officials() {
    let mut session = interview(&RAPID);
    assert!(session.officials_present());
    give(&mut session, &[("K03", "yes")]);
    assert!(!path(&session).contains(&"W03".to_owned()));
    refused(&mut session, "W03", "yes", Rule::OfficialsPresent);
    refused(&mut session, "RF", "+fear_state", Rule::OfficialsPresent);
    give(&mut session, &[("RF", "+injured")]);
    give(&mut session, &[("K06", "overheard"), ("W03", "yes")]);
}

#[test]
fn in_front_of_officials_rapid_facts_are_only_what_is_seen() {
    let mut session = interview(&RAPID);
    give(&mut session, &[("K06", "officials_present"), ("K03", "yes")]);
    let seen = "none medical_urgent pregnant disability self_harm injured held_now family_split no_place \
                restraint_arrival";
    assert_eq!(
        choices(&session, "RF"),
        seen.split_whitespace().collect::<Vec<_>>()
    );
    assert_eq!(path(&session), ["K06", "K03", "P01", "P02", "P07", "D01", "RF"]);
    refused(&mut session, "RF", "+injured+ill_treated", Rule::OfficialsPresent);
}

#[test]
fn answers_given_before_officials_came_are_kept_but_not_shown() {
    let mut session = interview(&RAPID);
    let start = [
        ("K06", "private"),
        ("K03", "yes"),
        ("P01", "female"),
        ("P02", "a18_24"),
        ("P07", "alone"),
    ];
    give(&mut session, &start);
    give(
        &mut session,
        &[
            ("D01", "+passport"),
            ("RF", "+injured+fear_state"),
            ("W03", "yes"),
            ("W04", "visit"),
        ],
    );
    give(&mut session, &[("K06", "officials_present")]);
    assert!(
        session
            .questions("en")
            .iter()
            .all(|question| !["W03", "W04"].contains(&question.code.as_str()))
    );
    assert_eq!(session.value("W03"), None);
    assert_eq!(session.value("RF"), Some(Answer::codes(["injured"])));
    // A new answer to what is seen does not lose what was told.
    give(&mut session, &[("RF", "+none")]);
    assert_eq!(session.value("RF"), Some(Answer::codes(["none"])));
    let answers = kept(&session);
    assert_eq!(answers.get("W03"), Some(&Answer::code("yes")));
    assert_eq!(answers.get("W04"), Some(&Answer::code("visit")));
    assert_eq!(
        answers.get("RF"),
        Some(&Answer::codes(["fear_state"])),
        "none does not stand beside what was told"
    );
    assert_eq!(answers.get("K06"), Some(&Answer::code("officials_present")));
    // The draft survives being written and read in between, and everything is there again when they leave.
    let raw = Answers::decode(&session.answers().encode()).unwrap();
    let mut again = Session::resume(Arc::clone(session.form()), &pack(), Answers::new(), raw, NOW);
    assert_eq!(kept(&again).get("W04"), Some(&Answer::code("visit")));
    give(&mut again, &[("K06", "private")]);
    assert_eq!(again.value("W04"), Some(Answer::code("visit")));
    assert_eq!(again.value("RF"), Some(Answer::codes(["fear_state"])));
}

#[test]
fn in_the_full_interview_too_what_was_told_is_kept() {
    let mut session = full(&[
        ("D01", "+none"),
        ("V01", "long"),
        ("V02", "+police_arr"),
        ("S07", "yes"),
        ("S01", "+state"),
    ]);
    give(
        &mut session,
        &[
            ("R01", "assisted"),
            ("R10", "no"),
            ("S02", "today"),
            ("H05", "yes"),
            ("K06", "officials_present"),
        ],
    );
    let answers = kept(&session);
    for code in ["V01", "V02", "S01", "S02", "S07", "H05", "R10"] {
        assert!(answers.contains_key(code), "{code}");
        assert_eq!(session.value(code), None, "{code} is not shown");
    }
    // What would not be asked without officials either is not kept: pregnancy of a man.
    give(&mut session, &[("P01", "male")]);
    assert!(!kept(&session).contains_key("H05"));
}

/// Each relevance of table 3.2: the question, what makes it asked, what makes it not asked.
#[test]
fn each_relevance_of_form_b_holds() {
    let full_only: [(&str, (&str, &str)); 22] = [
        ("K05", ("K03", "no")),
        ("K07", ("K03", "no")),
        ("P03", ("K03", "no")),
        ("P04", ("K05", "child_alone")),
        ("P05", ("K05", "child_alone")),
        ("P06", ("K05", "child_alone")),
        ("P08", ("K05", "child_alone")),
        ("R01", ("K05", "child_alone")),
        ("R11", ("K05", "child_alone")),
        ("J01", ("K05", "child_alone")),
        ("J02", ("K05", "child_alone")),
        ("H01", ("K05", "child_alone")),
        ("H02", ("K05", "child_alone")),
        ("H07", ("K05", "child_alone")),
        ("H08", ("K05", "child_alone")),
        ("H09", ("K05", "child_alone")),
        ("F01", ("K05", "child_alone")),
        ("F03", ("K05", "child_alone")),
        ("B01", ("K05", "child_alone")),
        ("B02", ("K05", "child_alone")),
        ("B05", ("K05", "child_alone")),
        ("B06", ("K05", "child_alone")),
    ];
    let also: [(&str, (&str, &str)); 27] = [
        ("K02", ("K08", "rapid")),
        ("P01", ("K03", "no")),
        ("P02", ("K03", "no")),
        ("P07", ("K03", "no")),
        ("D01", ("K03", "no")),
        ("W05", ("K08", "rapid")),
        ("W06", ("K05", "child_alone")),
        ("W07", ("K03", "no")),
        ("K04", ("K06", "officials_present")),
        ("R03", ("K06", "officials_present")),
        ("R05", ("K06", "officials_present")),
        ("R06", ("K06", "officials_present")),
        ("R07", ("K06", "officials_present")),
        ("R08", ("K06", "officials_present")),
        ("J04", ("K06", "officials_present")),
        ("J06", ("K06", "officials_present")),
        ("V01", ("K07", "official")),
        ("V03", ("K06", "officials_present")),
        ("V04", ("K06", "officials_present")),
        ("V06", ("K06", "officials_present")),
        ("V07", ("K06", "officials_present")),
        ("V08", ("K06", "officials_present")),
        ("D03", ("K06", "officials_present")),
        ("S01", ("K07", "official")),
        ("W01", ("K06", "officials_present")),
        ("W02", ("K06", "officials_present")),
        ("W03", ("K06", "officials_present")),
    ];
    for (code, not_asked) in full_only.into_iter().chain(also) {
        let mut session = full(&[]);
        assert!(session.is_relevant(code), "{code} asked");
        give(&mut session, &[not_asked]);
        assert!(!session.is_relevant(code), "{code} not asked");
    }
    let table: [Asked<'_>; 17] = [
        ("R02", &[("R01", "assisted")], &[("R01", "deportation")]),
        ("R10", &[("R01", "assisted")], &[("R01", "spontaneous")]),
        ("R09", &[("R08", "yes")], &[("R08", "no")]),
        ("J05", &[("J04", "+handcuffs")], &[("J04", "+none")]),
        ("V02", &[("V01", "intelligence")], &[("V01", "routine")]),
        ("D02", &[("D01", "+etd")], &[("D01", "+passport")]),
        ("H03", &[("H02", "yes")], &[("H02", "-")]),
        ("H05", &[("P01", "another")], &[("P01", "male")]),
        ("H06", &[("H05", "yes")], &[("H05", "declined")]),
        ("F02", &[("P07", "uac")], &[("P07", "alone")]),
        ("S02", &[("S01", "+state")], &[("S01", "+declined")]),
        ("S03", &[("K06", "overheard")], &[("K06", "officials_present")]),
        ("S04", &[("K06", "overheard")], &[("K06", "officials_present")]),
        ("S05", &[("K06", "overheard")], &[("K06", "officials_present")]),
        ("S06", &[("K06", "overheard")], &[("K06", "officials_present")]),
        ("S07", &[("K06", "private")], &[("K06", "overheard")]),
        ("W04", &[("W03", "yes")], &[("W03", "no")]),
    ];
    for (code, asked, not_asked) in table {
        let mut session = full(&[]);
        give(&mut session, asked);
        assert!(session.is_relevant(code), "{code} asked");
        give(&mut session, not_asked);
        assert!(!session.is_relevant(code), "{code} not asked");
    }
    // The rapid facts belong to the rapid variant alone.
    assert!(!full(&[]).is_relevant("RF"));
    let mut rapid = interview(&RAPID);
    give(&mut rapid, &[("K03", "yes")]);
    for (code, asked) in [("RF", true), ("B01", false), ("W05", false)] {
        assert_eq!(rapid.is_relevant(code), asked, "{code}");
    }
}

#[test]
fn a_child_alone_is_asked_in_full_only_by_a_trained_monitor() {
    let pack = pack();
    let form: &Arc<Form> = pack.form("arrival_observation").unwrap();
    for (trained, asked) in [("no", false), ("yes", true)] {
        let hidden = Answers::new().with("monitor_child_trained", Answer::Text(trained.to_owned()));
        let mut session = Session::begin(Arc::clone(form), &pack, hidden, Answers::new(), NOW);
        give(
            &mut session,
            &[("K08", "full"), ("K01", "OK"), ("K06", "private"), ("K03", "yes")],
        );
        give(&mut session, &[("K05", "child_alone")]);
        assert_eq!(session.is_relevant("B01"), asked);
    }
}

#[test]
fn consent_scopes_are_those_of_this_moment() {
    let mut session = full(&[]);
    for scope in ["record", "contact", "attachment", "legal_case", "complaint"] {
        refused(&mut session, "K04", &format!("+{scope}"), Rule::Constraint);
    }
    give(&mut session, &[("K04", "+refer+story")]);
    let mut child = full(&[("P02", "a12_17")]);
    refused(&mut child, "K04", "+story", Rule::Constraint);
}

#[test]
fn prefill_that_does_not_fit_is_left_out() {
    let pack = pack();
    let prefill = Answers::new()
        .with("A02", Answer::code("DOM-HTI"))
        .with("A01", Answer::code("malpasse"))
        .with("A05", Answer::code("bus"))
        .with("A30", Answer::Integer(7));
    let session = Session::begin(
        Arc::clone(pack.form("arrival_tally").unwrap()),
        &pack,
        Answers::new(),
        prefill,
        NOW,
    );
    let codes: Vec<&str> = session.answers().keys().map(String::as_str).collect();
    assert_eq!(
        codes,
        ["A01", "A02"],
        "A05 is not asked before A07, A30 is computed"
    );
}

#[test]
fn indicators_count_what_their_terms_say() {
    let pack = pack();
    let event = Answers::new()
        .with("A30", Answer::Integer(40))
        .with("A34", Answer::Integer(9))
        .with("A41", Answer::Integer(2))
        .with("A54", Answer::Integer(3));
    // As a desk reads it: every code is a text.
    let interview = Answers::new().with("K03", Answer::Text("yes".to_owned()));
    let sum = |id: &str, of: fn(&landfall_form::Indicator) -> &Vec<landfall_form::Term>| {
        let indicator = pack.indicators().iter().find(|one| one.id == id).unwrap();
        let values = of(indicator).iter().map(|term| {
            let answers = if term.record.form() == "arrival_tally" {
                &event
            } else {
                &interview
            };
            term.value(answers, &NOW).unwrap().unwrap_or(0)
        });
        values.sum::<i64>()
    };
    assert_eq!(sum("I01", |i| &i.numerator), 40);
    assert_eq!(
        (sum("I06", |i| &i.numerator), sum("I06", |i| &i.denominator)),
        (9, 40)
    );
    assert_eq!(
        sum("I07", |i| &i.numerator),
        2,
        "an unanswered A40 counts as none"
    );
    assert_eq!(
        (sum("I38", |i| &i.numerator), sum("I38", |i| &i.denominator)),
        (1, 4)
    );
    let missing = Expr::parse("${A54}")
        .unwrap()
        .eval(&AnswerScope::new(&interview, NOW))
        .unwrap();
    assert!(missing.is_empty());
}

#[test]
fn nothing_printed_shows_an_answer() {
    let mut session = interview(&RAPID);
    give(
        &mut session,
        &[
            ("K06", "private"),
            ("K03", "yes"),
            ("P02", "a12_17"),
            ("RF", "+traffick_sign"),
        ],
    );
    let shown = format!(
        "{:?} {:?} {:?}",
        session.answers(),
        session.value("P02"),
        session.violations(NOW)
    );
    assert!(
        !shown.contains("a12_17") && !shown.contains("traffick"),
        "{shown}"
    );
}
