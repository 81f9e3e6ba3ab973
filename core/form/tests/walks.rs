//! Random walks over the standard instruments: whatever a shell sends, in whatever order, the state that was brought up
//! to date answer by answer is the one that a fresh start computes, and what officials may not see is not there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::sync::{Arc, OnceLock};

use landfall_form::{Answer, Answers, Form, Kind, ListSource, Now, Officials, Outcome, Pack, Rule, Session};
use proptest::prelude::*;

const NOW: Now = Now {
    wall_s: 1_773_072_000,
    tz_min: -240,
};

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| Pack::decode(include_bytes!("../../../forms/standard.pack")).unwrap())
}

/// An answer of the right kind for the question that `pick` falls on, or now and then of a wrong one.
fn step(form: &Form, pick: u16, value: u16) -> (String, Answer) {
    let question = &form.questions()[usize::from(pick) % form.questions().len()];
    let codes: Vec<String> = match &question.list {
        Some(ListSource::List(list)) => form
            .list(list)
            .unwrap()
            .iter()
            .map(|choice| choice.code().to_owned())
            .collect(),
        Some(ListSource::Table(table)) => pack()
            .external(table)
            .unwrap()
            .rows()
            .map(|row| row.code().to_owned())
            .collect(),
        None => vec!["yes".to_owned(), "no".to_owned()],
    };
    let code = |n: u16| codes[usize::from(n) % codes.len()].clone();
    let answer = match (question.kind, value % 16) {
        (_, 0) => Answer::Skipped,
        (_, 1) => Answer::Text(String::new()),
        (_, 2) => Answer::Integer(3),
        (Kind::SelectOne, _) => Answer::Code(code(value / 16)),
        (Kind::SelectMultiple, _) => Answer::Codes(vec![code(value / 16), code(value / 256)]),
        (Kind::Integer, _) => Answer::Integer(i64::from(value / 16 % 40)),
        (Kind::Acknowledge, _) => Answer::code("OK"),
        (Kind::DateTime, _) => Answer::DateTime(Now::new(NOW.wall_s - i64::from(value), 60).rfc3339()),
        _ => Answer::Text("HTI".to_owned()),
    };
    (question.code.clone(), answer)
}

fn walk(form: &str, steps: &[(u16, u16)]) {
    let form: &Arc<Form> = pack().form(form).unwrap();
    let hidden = Answers::new().with("monitor_child_trained", Answer::Text("yes".to_owned()));
    let mut session = Session::begin(Arc::clone(form), pack(), hidden.clone(), Answers::new(), NOW);
    if form.id() == "arrival_observation" {
        // Without these nothing else is asked, and a walk would seldom get anywhere.
        for (code, answer) in [
            ("K08", "full"),
            ("K01", "OK"),
            ("K06", "private"),
            ("K03", "yes"),
            ("K05", "self"),
        ] {
            session.set(code, Answer::code(answer), NOW).unwrap();
        }
    } else {
        session.set("A07", Answer::code("yes"), NOW).unwrap();
        session.set("A21", Answer::code("yes"), NOW).unwrap();
    }
    for (pick, value) in steps {
        let (code, answer) = step(form, *pick, *value);
        let before = session.answers().clone();
        let watched = session.officials_present();
        let result = session.set(&code, answer, NOW);
        let question = form.question(&code).unwrap();
        if result.is_err() {
            assert!(*session.answers() == before, "{code}: refused and yet changed");
        }
        if watched && question.officials == Officials::Hide {
            assert_eq!(result.unwrap_err().rule, Rule::OfficialsPresent, "{code}");
        }
        if session.officials_present() {
            let hidden = |code: &str| form.question(code).unwrap().officials == Officials::Hide;
            assert!(!session.questions("en").iter().any(|state| hidden(&state.code)));
            assert!(
                !session
                    .questions("en")
                    .iter()
                    .flat_map(|state| &state.choices)
                    .any(|c| c.code == "ill_treated")
            );
        }
    }
    let raw = Answers::decode(&session.answers().encode()).unwrap();
    let fresh = Session::resume(Arc::clone(form), pack(), hidden, raw, NOW);
    assert!(
        fresh.questions("ar") == session.questions("ar"),
        "brought up to date is not what a fresh start computes"
    );
    assert_eq!(fresh.violations(NOW), session.violations(NOW));
    match session.finish(NOW) {
        Ok(Outcome::Kept(answers)) => {
            assert!(session.missing().is_empty() && session.violations(NOW).is_empty());
            for code in answers.keys().filter(|code| !session.is_relevant(code)) {
                assert!(session.officials_present(), "{code} is kept and not relevant");
                assert_eq!(form.question(code).unwrap().officials, Officials::Hide);
            }
        }
        Ok(Outcome::Refused) => assert!(session.refused()),
        Err(found) => assert!(!found.is_empty() && found == session.violations(NOW)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_tally_walk_holds(steps in prop::collection::vec(any::<(u16, u16)>(), 0..60)) {
        walk("arrival_tally", &steps);
    }

    #[test]
    fn an_interview_walk_holds(steps in prop::collection::vec(any::<(u16, u16)>(), 0..60)) {
        walk("arrival_observation", &steps);
    }
}
