//! Lock, unlock, wrong passcodes, damage.

use super::{PASSCODE, Phone, begun_tally, code, enrolled, finished_tally};
use crate::{AnswerValue, DeviceState, FieldError, device_state};

fn wrong(phone: &Phone) -> (u32, u32) {
    match phone.unlock_with(b"00000000") {
        Err(FieldError::WrongPasscode {
            attempts,
            wait_seconds,
            tries_left: None,
        }) => (attempts, wait_seconds),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_locked_app_answers_locked_to_everything() {
    let (_, phone, app) = enrolled();
    let draft = begun_tally(&app);
    app.lock();
    assert!(app.is_locked());
    let id = draft.id.as_str();
    let event = draft.event_id.as_deref();
    let answers = [
        app.home("en").err(),
        app.start_tally("en").err(),
        app.start_count(event.unwrap(), "en").err(),
        app.start_interview(event, "en").err(),
        app.draft(id, "en").err(),
        app.answer(id, "A05", code("bus"), "en").err(),
        app.skip(id, "A05", "en").err(),
        app.clear(id, "A05", "en").err(),
        app.count(id, "N_m_adult", 1).err(),
        app.discard_draft(id).err(),
        app.finish_draft(id, "en").err(),
        app.record(id, "en").err(),
        app.records("en").err(),
    ];
    for answer in answers {
        assert_eq!(answer, Some(FieldError::Locked));
    }
    app.lock();
    let again = phone.unlock();
    assert_eq!(again.home("en").unwrap().drafts.len(), 1);
}

#[test]
fn drafts_survive_a_lock_and_a_kill_side_by_side() {
    let (_, phone, app) = enrolled();
    let first = begun_tally(&app);
    app.count(&first.id, "N_f_child", 3).unwrap();
    app.lock();
    let app = phone.unlock();
    let second = app.start_tally("en").unwrap();
    let interview = app.start_interview(first.event_id.as_deref(), "en").unwrap();
    app.answer(&interview.id, "K06", code("private"), "en").unwrap();
    // The process dies here: nothing is closed, nothing is flushed by anybody.
    std::mem::forget(app);
    let app = phone.unlock();
    let home = app.home("en").unwrap();
    assert_eq!(home.drafts.len(), 3);
    assert_eq!(home.drafts[0].id, interview.id, "the last changed first");
    assert_eq!(app.draft(&first.id, "en").unwrap().totals.unwrap().people, 3);
    let question = |id: &str, code: &str| {
        let view = app.draft(id, "en").unwrap();
        view.questions.into_iter().find(|q| q.code == code).unwrap().value
    };
    assert!(question(&interview.id, "K06") == Some(code("private")));
    assert!(question(&second.id, "A04") == Some(code("exact")));
    app.discard_draft(&second.id).unwrap();
    assert_eq!(app.home("en").unwrap().drafts.len(), 2);
    assert_eq!(app.draft(&second.id, "en").err(), Some(FieldError::NotFound));
}

#[test]
fn wrong_tries_are_counted_wait_longer_and_are_forgotten_by_the_right_one() {
    let (_, phone, app) = enrolled();
    app.lock();
    assert_eq!(
        (0..5).map(|_| wrong(&phone)).collect::<Vec<_>>(),
        [(1, 0), (2, 0), (3, 0), (4, 0), (5, 30)]
    );
    // While it waits nothing is computed: the right passcode is not tried either, and no try is used up.
    let calls = phone.guard.calls();
    assert!(matches!(
        phone.unlock_with(PASSCODE),
        Err(FieldError::WrongPasscode {
            attempts: 5,
            wait_seconds: 30,
            ..
        })
    ));
    assert_eq!(phone.guard.calls(), calls);
    phone.clock.jump_s(86_400);
    assert_eq!(wrong(&phone), (5, 30), "the wall clock shortens nothing");
    phone.clock.advance_s(20);
    phone.clock.restart();
    assert_eq!(wrong(&phone), (5, 30), "a restart shortens nothing");
    phone.clock.advance_s(30);
    assert_eq!(wrong(&phone), (6, 60));
    phone.clock.advance_s(60);
    phone.unlock().lock();
    assert_eq!(wrong(&phone), (1, 0));
}

#[test]
fn a_guess_costs_its_hardware_calls() {
    let (_, phone, app) = enrolled();
    app.lock();
    let before = phone.guard.calls();
    wrong(&phone);
    let per_guess = u64::from(landfall_seal::Tuning::for_tests().calls());
    assert_eq!(phone.guard.calls() - before, per_guess);
}

#[test]
fn a_damaged_vault_is_moved_aside_and_the_outbox_is_left_alone() {
    let (_, phone, app) = enrolled();
    finished_tally(&app);
    app.lock();
    drop(app);
    let vault = phone.home().join("vault.db");
    let outbox = std::fs::read(phone.home().join("outbox.db")).unwrap();
    let mut bytes = std::fs::read(&vault).unwrap();
    for byte in &mut bytes[..4096] {
        *byte ^= 0x55;
    }
    std::fs::write(&vault, &bytes).unwrap();
    assert_eq!(
        phone.unlock_with(PASSCODE).err(),
        Some(FieldError::Damaged { saved_aside: true })
    );
    assert_eq!(device_state(&phone.home()), DeviceState::Damaged);
    assert_eq!(
        std::fs::read(phone.home().join("aside/vault.db.damaged1")).unwrap(),
        bytes
    );
    let after = std::fs::read(phone.home().join("outbox.db")).unwrap();
    assert_eq!(after.len(), outbox.len());
    let clock = std::sync::Arc::clone(&phone.clock);
    let courier = crate::Courier::open(&phone.home(), clock).unwrap();
    assert_eq!(courier.counts().unwrap().saved, 1);
}

#[test]
fn one_readable_header_is_enough_and_none_is_damage() {
    let (_, phone, app) = enrolled();
    finished_tally(&app);
    app.lock();
    std::fs::write(phone.home().join("header-1"), b"torn").unwrap();
    phone.unlock().lock();
    std::fs::write(phone.home().join("header-2"), b"torn").unwrap();
    assert_eq!(device_state(&phone.home()), DeviceState::Damaged);
    assert_eq!(
        phone.unlock_with(PASSCODE).err(),
        Some(FieldError::Damaged { saved_aside: false })
    );
    let clock = std::sync::Arc::clone(&phone.clock);
    let courier = crate::Courier::open(&phone.home(), clock).unwrap();
    assert_eq!(courier.records().unwrap().len(), 1);
}

#[test]
fn a_panic_inside_locks_and_loses_nothing() {
    let (_, phone, app) = enrolled();
    let draft = begun_tally(&app);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        app.inside(|_| panic!("inside"));
    }));
    assert!(caught.is_err());
    assert_eq!(app.home("en").err(), Some(FieldError::Locked));
    drop(app);
    assert_eq!(phone.unlock().draft(&draft.id, "en").unwrap().id, draft.id);
}

#[test]
fn an_answer_that_breaks_a_rule_changes_nothing() {
    let (_org, _phone, app) = enrolled();
    let draft = begun_tally(&app);
    let before = app.draft(&draft.id, "en").unwrap();
    for (question, value, rule) in [
        ("A05", code("rocket"), "unknown_choice"),
        ("A06", AnswerValue::Text("a name".to_owned()), "constraint"),
        ("A30", AnswerValue::Integer(5), "read_only"),
        ("ZZ", code("x"), "unknown_question"),
        ("A05", AnswerValue::Integer(5), "wrong_type"),
    ] {
        let refused = app.answer(&draft.id, question, value, "en").err();
        assert_eq!(refused, Some(FieldError::invalid(question, rule)));
    }
    assert!(
        app.count(&draft.id, "T_m_0_4", 1).is_err(),
        "ages are not asked with A21 = no"
    );
    assert!(app.count(&draft.id, "A33", 1).is_err(), "not a cell");
    assert!(app.draft(&draft.id, "en").unwrap() == before);
}
