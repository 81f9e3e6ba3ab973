//! Nothing readable rests in a home.

use super::{
    PASSCODE, answer_all, code, codes, enrolled, files, finished_interview, finished_tally, refused_interview,
};
use crate::AnswerValue;

/// Words that stand in answers and nowhere else.
const CANARIES: [&str; 2] = ["canary-marigold", "canary-heliotrope"];

fn hits(home: &std::path::Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(home) {
        let bytes = std::fs::read(&path).unwrap();
        for word in words {
            if bytes.windows(word.len()).any(|window| window == word.as_bytes()) {
                found.push(format!("{} in {}", word, path.display()));
            }
        }
    }
    found
}

#[test]
fn no_answer_stands_in_clear_in_any_file() {
    let (_, phone, app) = enrolled();
    for (round, canary) in CANARIES.iter().enumerate() {
        let draft = app.start_tally("en").unwrap();
        answer_all(&app, &draft.id, &super::tally_answers());
        answer_all(
            &app,
            &draft.id,
            &[("A80", AnswerValue::Text((*canary).to_owned()))],
        );
        app.count(&draft.id, "N_m_adult", 3).unwrap();
        assert!(hits(&phone.home(), &CANARIES).is_empty(), "while a draft is open");
        // One stays a draft, one is finished.
        if round == 0 {
            app.finish_draft(&draft.id, "en").unwrap();
        }
    }
    let (event, _) = finished_tally(&app);
    let interview = finished_interview(&app, Some(&event));
    refused_interview(&app, Some(&event));
    let code_text = interview.case_code.unwrap();
    let passcode = std::str::from_utf8(PASSCODE).unwrap();
    let mut words = CANARIES.to_vec();
    words.extend([
        code_text.as_str(),
        passcode,
        "arrival_tally",
        "arrival_observation",
        "police_arr",
        event.as_str(),
    ]);
    assert_eq!(hits(&phone.home(), &words), Vec::<String>::new(), "open");
    std::mem::forget(app);
    assert_eq!(hits(&phone.home(), &words), Vec::<String>::new(), "killed");
    phone.unlock().lock();
    assert_eq!(hits(&phone.home(), &words), Vec::<String>::new(), "locked");
}

#[test]
fn a_home_holds_its_files_and_nothing_else() {
    let (_, phone, app) = enrolled();
    finished_tally(&app);
    app.lock();
    let mut names: Vec<String> = files(&phone.home())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.retain(|name| !name.starts_with("outbox.db-"));
    assert_eq!(names, ["header-1", "header-2", "outbox.db", "vault.db"]);
}

#[test]
fn debug_prints_no_answer() {
    let (_org, _phone, app) = enrolled();
    let draft = app.start_interview(None, "en").unwrap();
    let answers = [
        ("K06", code("private")),
        ("K03", code("yes")),
        ("P01", code("female")),
    ];
    answer_all(&app, &draft.id, &answers);
    let view = app.draft(&draft.id, "en").unwrap();
    let text = format!(
        "{view:?} {:?} {:?} {app:?}",
        view.questions,
        app.home("en").unwrap()
    );
    for word in ["female", "private", "rapid"] {
        assert!(!text.contains(word), "{text}");
    }
    drop(codes(&["none"]));
}

#[test]
fn the_search_finds_what_is_there() {
    let (_org, phone, _app) = enrolled();
    std::fs::write(phone.home().join("leak.tmp"), b"..canary-marigold..").unwrap();
    assert_eq!(hits(&phone.home(), &CANARIES).len(), 1);
}
