//! Saving: two stores, a crash at every step, refusals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use landfall_form::Answer;
use landfall_model::{Consent, Entry, Kind, Scope, header};
use landfall_wire::ids::EntryHash;
use landfall_wire::pad;

use super::{
    Org, answer_all, begun_tally, code, codes, enrolled, finished_interview, finished_tally,
    interview_answers, public_key, refused_interview, sealed,
};
use crate::record::Step;
use crate::{FieldApp, FieldError, Outcome, RecordState, SavedView, Watcher};

fn entries(org: &Org, app: &FieldApp, saved: &SavedView) -> Vec<Entry> {
    let file = sealed(app, &saved.envelope).expect("in the outbox");
    assert!(pad::is_bucket(file.len()));
    org.open(&file, &public_key(app))
}

fn number(entry: &Entry, question: &str) -> Option<i64> {
    entry.fields().body.get(question).and_then(Answer::as_integer)
}

#[test]
fn a_finished_tally_is_one_entry_that_the_desk_can_open() {
    let (org, _phone, app) = enrolled();
    let (event, saved) = finished_tally(&app);
    assert_eq!(
        (saved.outcome, saved.state),
        (Outcome::Saved, Some(RecordState::Saved))
    );
    let found = entries(&org, &app, &saved);
    assert_eq!(found.len(), 1);
    let entry = &found[0];
    assert_eq!(saved.entries, [entry.hash().to_hex()]);
    let fields = entry.fields();
    assert_eq!(
        (fields.kind, fields.aud, fields.manifest_serial),
        (Kind::ArrivalEvent, org.aud(), 3)
    );
    assert_eq!(fields.id.to_hex(), saved.record_id);
    assert_eq!(header::event_id(&fields.body).unwrap().unwrap().to_hex(), event);
    assert_eq!((number(entry, "A30"), number(entry, "A34")), (Some(12), Some(0)));
    assert!(fields.case.is_none());
    assert_eq!(fields.form.as_ref().unwrap().id, "arrival_tally");
    let row = app.record(&saved.record_id, "en").unwrap();
    assert_eq!(
        (row.total, row.state, row.receipt_code.len()),
        (Some(12), RecordState::Saved, 9)
    );
    let home = app.home("en").unwrap();
    assert_eq!((home.done.len(), home.drafts.len(), home.counts.saved), (1, 0, 1));
    assert_eq!(home.today, "2026-03-09");
    assert!(
        home.done[0].event_line.ends_with("14:20"),
        "the local time of the point"
    );
}

#[test]
fn a_rapid_interview_is_consent_and_observation_in_one_envelope() {
    let (org, _phone, app) = enrolled();
    let (event, tally) = finished_tally(&app);
    let saved = finished_interview(&app, Some(&event));
    let found = entries(&org, &app, &saved);
    let [consent, observation] = found.as_slice() else {
        panic!("two entries")
    };
    assert_eq!(
        (consent.fields().kind, observation.fields().kind),
        (Kind::Consent, Kind::Observation)
    );
    assert_eq!(observation.fields().consent, Some(consent.fields().id));
    assert_eq!(observation.fields().case, consent.fields().case);
    assert_eq!(observation.chain().prev, consent.hash());
    let before: EntryHash = tally.entries[0].parse().unwrap();
    assert_eq!((consent.chain().seq, consent.chain().prev), (1, before));
    let body = Consent::from_body(&consent.fields().body).unwrap();
    assert_eq!(
        (body.granted, body.refused),
        ([Scope::Record].into(), [Scope::Contact].into())
    );
    assert_eq!(Some(body.case_code.to_text()), saved.case_code);
    assert_eq!(
        header::case_code(&observation.fields().body).unwrap(),
        Some(body.case_code)
    );
    assert_eq!(
        header::event_id(&observation.fields().body)
            .unwrap()
            .unwrap()
            .to_hex(),
        event
    );
    let answers = &observation.fields().body;
    assert_eq!(answers.get("event_night").and_then(Answer::as_str), Some("no"));
    assert_eq!(answers.get("K08").and_then(Answer::as_str), Some("rapid"));
    let home = app.home("en").unwrap();
    let count = home.done.iter().find(|row| row.kind == "arrival_event").unwrap();
    assert_eq!((count.interviews, home.done.len()), (1, 2));
}

#[test]
fn an_unfinishable_draft_is_refused_and_kept() {
    let (_org, _phone, app) = enrolled();
    let draft = app.start_tally("en").unwrap();
    let missing = app.draft(&draft.id, "en").unwrap().missing;
    assert!(missing.contains(&"A05".to_owned()));
    match app.finish_draft(&draft.id, "en") {
        Err(FieldError::Invalid { rule: "required", .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(app.home("en").unwrap().drafts.len(), 1);
    assert_eq!(app.home("en").unwrap().done.len(), 0);
}

#[test]
fn a_watch_without_arrivals_is_a_count_of_zero() {
    let (org, _phone, app) = enrolled();
    let draft = app.start_tally("en").unwrap();
    let mut answers = vec![("A07", code("no"))];
    if draft.missing.contains(&"A02".to_owned()) {
        answers.extend(
            super::tally_answers()
                .into_iter()
                .filter(|(question, _)| *question == "A02"),
        );
    }
    answer_all(&app, &draft.id, &answers);
    let saved = app.finish_draft(&draft.id, "en").unwrap();
    let found = entries(&org, &app, &saved);
    assert_eq!(number(&found[0], "A30"), Some(0));
    assert!(!found[0].fields().body.contains_key("A77"));
}

#[test]
fn a_crash_at_every_step_loses_nothing_and_doubles_nothing() {
    for step in [Step::Sealed, Step::InVault, Step::InOutbox] {
        for interview in [false, true] {
            let (org, phone, app) = enrolled();
            let draft = if interview {
                let draft = app.start_interview(None, "en").unwrap();
                answer_all(&app, &draft.id, &interview_answers())
            } else {
                let draft = begun_tally(&app);
                app.count(&draft.id, "N_m_adult", 12).unwrap();
                draft
            };
            app.inside(|inner| inner.crash_after(Some(step)));
            assert!(app.finish_draft(&draft.id, "en").is_err());
            std::mem::forget(app);

            let app = phone.unlock();
            let home = app.home("en").unwrap();
            let case = format!("{step:?}, interview {interview}");
            if step == Step::Sealed {
                assert_eq!((home.drafts.len(), home.counts.saved), (1, 0), "{case}");
                app.finish_draft(&draft.id, "en").unwrap();
            } else {
                assert_eq!(home.drafts.len(), 0, "{case}");
            }
            let row = app.record(&draft.id, "en").unwrap();
            assert_eq!(row.state, RecordState::Saved, "{case}");
            assert_eq!(app.home("en").unwrap().counts.saved, 1, "{case}");
            assert!(
                app.inside(|inner| inner.vault.pending().unwrap())
                    .unwrap()
                    .is_empty(),
                "{case}"
            );
            let rows = app.inside(|inner| inner.outbox.rows().unwrap()).unwrap();
            assert_eq!(rows.len(), 1, "{case}");
            let found = entries(
                &org,
                &app,
                &SavedView {
                    envelope: rows[0].digest.to_hex(),
                    ..blank()
                },
            );
            assert_eq!(found.len(), if interview { 2 } else { 1 }, "{case}");
            // The chain goes on without a gap.
            let next = finished_tally(&app).1;
            let next = &entries(&org, &app, &next)[0];
            let last = found.last().unwrap();
            assert_eq!(
                (next.chain().seq, next.chain().prev),
                (last.chain().seq + 1, last.hash()),
                "{case}"
            );
        }
    }
}

fn blank() -> SavedView {
    SavedView {
        outcome: Outcome::Saved,
        record_id: String::new(),
        receipt_code: String::new(),
        case_code: None,
        state: None,
        entries: Vec::new(),
        envelope: String::new(),
    }
}

#[test]
fn an_outbox_that_refuses_is_said_and_healed_at_the_next_unlock() {
    let (_, phone, app) = enrolled();
    app.inside(|inner| inner.outbox.refuses = true);
    let (_, saved) = finished_tally(&app);
    assert_eq!(
        (saved.outcome, saved.state),
        (Outcome::SavedCannotSendYet, Some(RecordState::CannotSendYet))
    );
    assert_eq!(
        app.record(&saved.record_id, "en").unwrap().state,
        RecordState::CannotSendYet
    );
    assert_eq!(app.home("en").unwrap().counts.saved, 1);
    app.lock();
    let app = phone.unlock();
    assert_eq!(
        app.record(&saved.record_id, "en").unwrap().state,
        RecordState::Saved
    );
    assert!(sealed(&app, &saved.envelope).is_some());
}

#[test]
fn a_refusal_before_the_count_is_finished_is_added_to_it() {
    let (org, _phone, app) = enrolled();
    let draft = begun_tally(&app);
    let event = draft.event_id.clone();
    for _ in 0..2 {
        let refused = refused_interview(&app, event.as_deref());
        assert_eq!(
            (refused.outcome, refused.entries.len(), refused.state),
            (Outcome::Refused, 0, None)
        );
    }
    assert_eq!(
        app.home("en").unwrap().drafts.len(),
        1,
        "nothing of the interviews is kept"
    );
    app.count(&draft.id, "N_m_adult", 12).unwrap();
    answer_all(&app, &draft.id, &[("A54", crate::AnswerValue::Integer(1))]);
    let saved = app.finish_draft(&draft.id, "en").unwrap();
    assert_eq!(number(&entries(&org, &app, &saved)[0], "A54"), Some(3));
    // Taken in once: a second count of the event does not get them again.
    let second = app.start_count(event.as_deref().unwrap(), "en").unwrap();
    answer_all(&app, &second.id, &super::tally_answers());
    app.count(&second.id, "N_m_adult", 11).unwrap();
    let second = app.finish_draft(&second.id, "en").unwrap();
    let second = &entries(&org, &app, &second)[0];
    assert_eq!(number(second, "A54"), None);
    assert!(second.fields().sup.is_empty(), "counts stand side by side");
}

#[test]
fn a_refusal_after_the_count_is_finished_makes_a_new_count_that_supersedes_it() {
    let (org, _phone, app) = enrolled();
    let (event, first) = finished_tally(&app);
    let refused = refused_interview(&app, Some(&event));
    assert_eq!(
        (refused.outcome, refused.state),
        (Outcome::Refused, Some(RecordState::Saved))
    );
    let found = entries(&org, &app, &refused);
    let original = &entries(&org, &app, &first)[0];
    let [correction] = found.as_slice() else {
        panic!("one entry and nothing of the interview")
    };
    assert_eq!(correction.fields().sup, [original.hash()]);
    assert_eq!(number(correction, "A54"), Some(1));
    let mut expected = original.fields().body.clone();
    expected.insert("A54".to_owned(), Answer::Integer(1));
    assert!(correction.fields().body == expected, "nothing else changes");
    let again = refused_interview(&app, Some(&event));
    let again = &entries(&org, &app, &again)[0];
    assert_eq!(
        (again.fields().sup.as_slice(), number(again, "A54")),
        ([correction.hash()].as_slice(), Some(2))
    );
    let home = app.home("en").unwrap();
    assert_eq!(home.done.len(), 1, "replaced counts are not listed");
    assert_eq!(home.drafts.len(), 0);
}

#[test]
fn a_refusal_without_an_event_leaves_nothing() {
    let (_org, _phone, app) = enrolled();
    let refused = refused_interview(&app, None);
    assert_eq!(
        (refused.outcome, refused.envelope.as_str()),
        (Outcome::Refused, "")
    );
    let home = app.home("en").unwrap();
    assert_eq!((home.drafts.len(), home.done.len(), home.counts.saved), (0, 0, 0));
    assert!(
        app.inside(|inner| inner.vault.open_refusals().unwrap())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn officials_hide_what_may_not_be_asked() {
    let (org, _phone, app) = enrolled();
    let draft = app.start_interview(None, "en").unwrap();
    assert!(draft.officials_present, "nobody has said that it is private");
    answer_all(
        &app,
        &draft.id,
        &[("K06", code("officials_present")), ("K03", code("yes"))],
    );
    for (question, value) in [("W03", code("yes")), ("RF", codes(&["fear_state"]))] {
        let refused = app.answer(&draft.id, question, value, "en").err();
        assert_eq!(refused, Some(FieldError::invalid(question, "officials_present")));
    }
    let view = app.draft(&draft.id, "en").unwrap();
    assert!(view.questions.iter().all(|question| question.code != "W03"));
    let facts = view
        .questions
        .iter()
        .find(|question| question.code == "RF")
        .unwrap();
    assert!(facts.choices.iter().any(|choice| choice.code == "injured"));
    assert!(facts.choices.iter().all(|choice| choice.code != "fear_state"));
    let short = [
        ("P01", code("male")),
        ("P02", code("a18_24")),
        ("P07", code("alone")),
        ("D01", codes(&["none"])),
        ("RF", codes(&["injured"])),
    ];
    answer_all(&app, &draft.id, &short);
    let saved = app.finish_draft(&draft.id, "en").unwrap();
    let consent = Consent::from_body(&entries(&org, &app, &saved)[0].fields().body).unwrap();
    assert_eq!(
        (consent.granted, consent.refused),
        ([Scope::Record].into(), [].into())
    );
}

#[test]
fn an_unknown_event_has_no_interviews() {
    let (_org, _phone, app) = enrolled();
    let nowhere = "00".repeat(16);
    assert_eq!(
        app.start_interview(Some(&nowhere), "en").err(),
        Some(FieldError::NotFound)
    );
    assert_eq!(app.start_count(&nowhere, "en").err(), Some(FieldError::NotFound));
    assert_eq!(
        app.start_interview(Some("not an id"), "en").err(),
        Some(FieldError::NotFound)
    );
}

#[test]
fn the_counter_counts_up_and_down_but_not_below_zero() {
    let (_org, _phone, app) = enrolled();
    let draft = begun_tally(&app);
    assert_eq!(app.count(&draft.id, "N_f_child", 1).unwrap().children, 1);
    let view = app.count(&draft.id, "N_m_adult", 10).unwrap();
    assert_eq!((view.value, view.total, view.children), (10, 11, 1));
    let view = app.count(&draft.id, "N_m_adult", -25).unwrap();
    assert_eq!((view.value, view.total), (0, 1));
}

#[test]
fn a_count_begins_with_what_is_known() {
    let (_org, _phone, app) = enrolled();
    let value = |view: &crate::DraftView, code: &str| {
        view.questions
            .iter()
            .find(|question| question.code == code)
            .unwrap()
            .value
            .clone()
    };
    let first = app.start_tally("en").unwrap();
    assert!(value(&first, "A01") == Some(crate::AnswerValue::Code(super::point())));
    assert!(
        value(&first, "A03")
            == Some(crate::AnswerValue::DateTime(
                "2026-03-09T14:20:00-05:00".to_owned()
            ))
    );
    assert!(
        value(&first, "A05").is_none() && value(&first, "A09").is_none(),
        "what is seen is not guessed"
    );
    let (_, saved) = finished_tally(&app);
    assert!(saved.outcome == Outcome::Saved);
    let next = app.start_tally("en").unwrap();
    assert!(value(&next, "A21") == Some(code("no")), "last used");
    assert!(value(&next, "A02").is_some(), "last used");
}

#[derive(Default)]
struct Pings(AtomicU32);

impl Watcher for Pings {
    fn changed(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_watcher_is_pinged_after_a_change_and_not_after_a_question() {
    let (_org, _phone, app) = enrolled();
    let pings = Arc::new(Pings::default());
    app.set_watcher(pings.clone());
    app.home("en").unwrap();
    assert_eq!(pings.0.load(Ordering::SeqCst), 0);
    let draft = app.start_tally("en").unwrap();
    app.count(&draft.id, "N_m_adult", 1).err();
    assert!(app.answer(&draft.id, "A05", code("rocket"), "en").is_err());
    let after = pings.0.load(Ordering::SeqCst);
    app.lock();
    assert_eq!(pings.0.load(Ordering::SeqCst), after + 1);
}

#[test]
fn what_has_no_receipt_is_sealed_anew_to_a_newer_epoch() {
    let (org, _phone, app) = enrolled();
    let (event, first) = finished_tally(&app);
    let talk = finished_interview(&app, Some(&event));
    let newer = landfall_seal::EpochIdentity::make();
    let reading = landfall_wire::clock::Clock::read(&_phone.clock);
    app.inside(|inner| {
        inner.epoch += 1;
        inner.recipient = newer.recipient().unwrap();
        crate::reconcile::all(inner, &reading).unwrap();
    });
    let rows = app.inside(|inner| inner.outbox.rows().unwrap()).unwrap();
    assert_eq!(
        rows.len(),
        2,
        "the old envelopes are not listed beside the new ones"
    );
    let mut found = Vec::new();
    for row in &rows {
        let file = sealed(&app, &row.digest.to_hex()).unwrap();
        assert!(
            landfall_seal::open_envelope(&file, &[&org.epoch]).is_err(),
            "the old key opens none of them"
        );
        for bytes in landfall_seal::open_envelope(&file, &[&newer]).unwrap() {
            found.push(landfall_wire::ids::entry_hash(&bytes).to_hex());
        }
    }
    found.sort();
    let mut expected = [first.entries, talk.entries].concat();
    expected.sort();
    assert_eq!(found, expected, "the same entries, each once");
    assert!(
        app.records("en")
            .unwrap()
            .iter()
            .all(|row| row.state == RecordState::Saved)
    );
    // Once more changes nothing: they are sealed to the newest key now.
    app.inside(|inner| crate::reconcile::all(inner, &reading).unwrap());
    let again = app.inside(|inner| inner.outbox.rows().unwrap()).unwrap();
    assert!(rows.iter().zip(&again).all(|(a, b)| a.digest == b.digest));
}

#[test]
fn a_language_that_is_none_is_refused_and_the_draft_is_kept() {
    let (_org, _phone, app) = enrolled();
    let draft = begun_tally(&app);
    app.count(&draft.id, "N_m_adult", 1).unwrap();
    assert_eq!(
        app.finish_draft(&draft.id, "not a tag").err(),
        Some(FieldError::invalid("lang", "format"))
    );
    assert_eq!(app.finish_draft(&draft.id, "ht").unwrap().outcome, Outcome::Saved);
}

#[test]
fn two_open_apps_on_one_home_cannot_fork_the_chain() {
    let (org, phone, app) = enrolled();
    let other = phone.unlock();
    let (_, first) = finished_tally(&app);
    let (_, second) = finished_tally(&other);
    let [first, second] = [first, second].map(|saved| entries(&org, &app, &saved).remove(0));
    assert_eq!(
        (second.chain().seq, second.chain().prev),
        (first.chain().seq + 1, first.hash())
    );
}
