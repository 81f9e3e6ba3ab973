//! Form folders and workbooks, good and hostile (`tests/vectors/form_folder`): each ends in the messages that its
//! `expected.txt` names, at the sheet, row and column where the mistake was made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use landfall_xlsform::{Strictness, check, pack_path, pack_tree, write_choices};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/form_folder")
}

fn forms() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../forms")
}

fn messages(path: &Path, strictness: Strictness) -> (bool, Vec<String>) {
    let (good, messages) = match check(path, strictness) {
        Ok((compiled, _)) => (true, compiled.messages),
        Err(messages) => (false, messages),
    };
    (good, messages.iter().map(ToString::to_string).collect())
}

#[test]
fn each_folder_ends_in_its_messages() {
    let mut folders: Vec<PathBuf> = fs::read_dir(vectors())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 38, "only {} folders", folders.len());
    let mut wrong = Vec::new();
    for folder in folders {
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let expected: Vec<&str> = expected.lines().filter(|line| !line.is_empty()).collect();
        let (good, got) = messages(&folder, Strictness::Standard);
        let same =
            got.len() == expected.len() && got.iter().zip(&expected).all(|(got, line)| got.starts_with(line));
        let warned = expected.iter().all(|line| line.contains(": warning: "));
        if !same || good != warned {
            wrong.push(format!(
                "{}: {got:#?}",
                folder.file_name().unwrap().to_string_lossy()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_workbook_is_the_same_form_as_the_folder() {
    let hash = |name: &str| {
        check(&vectors().join(name), Strictness::Standard)
            .unwrap()
            .0
            .form
            .hash()
    };
    let folder = hash("good");
    assert_eq!(hash("good.xlsx"), folder);
    assert_eq!(hash("good.xls"), folder);
    let (good, got) = messages(&vectors().join("good.xlsx"), Strictness::Standard);
    assert!(good);
    assert_eq!(
        got,
        ["Notes:0:: warning: the sheet is not one of survey, choices, settings"],
        "nothing is dropped unsaid"
    );
}

#[test]
fn a_damaged_workbook_says_so() {
    for (name, text) in [
        ("truncated.xlsx", "the workbook is cut"),
        ("truncated.xls", "not a workbook that can be read"),
        ("not_a_workbook.xlsx", "not a workbook that can be read"),
        ("bomb.xlsx", "unfolds to more than"),
        ("nowhere.xlsx", "cannot be read"),
    ] {
        let (good, got) = messages(&vectors().join(name), Strictness::Standard);
        assert!(
            !good && got.len() == 1 && got[0].contains(text) && got[0].starts_with(name),
            "{name}: {got:?}"
        );
    }
}

#[test]
fn a_cell_far_away_does_not_ask_for_all_memory() {
    let (good, got) = messages(&vectors().join("far_cell.xlsx"), Strictness::Standard);
    assert!(!good);
    assert_eq!(
        got.last().unwrap(),
        "survey:1048576:: a cell beyond 100000 rows or 256 columns"
    );
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_workbook_ends_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["good.xlsx", "good.xls"] {
        let bytes = fs::read(vectors().join(name)).unwrap();
        let file = folder.path().join(name);
        for at in (0..bytes.len()).step_by(bytes.len() / 60) {
            fs::write(&file, &bytes[..at]).unwrap();
            drop(check(&file, Strictness::Own));
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x41;
            fs::write(&file, &flipped).unwrap();
            drop(check(&file, Strictness::Own));
        }
    }
}

#[test]
fn an_organisations_form_without_a_class_counts_as_highly_sensitive() {
    let folder = vectors().join("missing_class");
    let (compiled, _) = check(&folder, Strictness::Own).unwrap();
    assert_eq!(compiled.form.question("b").unwrap().class.as_str(), "hs");
    let said: Vec<String> = compiled.messages.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["survey:3:class: warning: no class: it counts as hs (highly sensitive)"]
    );
}

#[test]
fn too_many_rows_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut survey = String::from("type,name,label,class\n");
    for n in 0..landfall_xlsform::limits::ROWS {
        survey.push_str(&format!("note,n{n},N,\n"));
    }
    fs::write(folder.path().join("survey.csv"), survey).unwrap();
    let (good, got) = messages(folder.path(), Strictness::Standard);
    assert!(
        !good && got == ["survey:100001:: more than 100000 rows"],
        "{got:?}"
    );
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("survey.csv")).unwrap();
    file.set_len(landfall_xlsform::limits::FILE_BYTES + 1).unwrap();
    let (good, got) = messages(folder.path(), Strictness::Standard);
    assert!(
        !good && got[0].starts_with("survey:0:: the file is larger than"),
        "{got:?}"
    );
}

#[test]
fn the_standard_pack_is_what_forms_compiles_to() {
    let stale = write_choices(&forms(), true).unwrap();
    assert!(stale.is_empty(), "stale, run `cargo xtask forms`: {stale:?}");
    let (bytes, messages) = pack_tree(&forms(), "standard", Strictness::Standard).unwrap();
    assert!(messages.is_empty(), "{messages:?}");
    assert!(
        bytes == fs::read(forms().join("standard.pack")).unwrap(),
        "stale, run `cargo xtask forms`"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy of the standard instruments with one text replaced in one file.
fn changed(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&forms(), folder.path());
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
    folder
}

fn said(tree: &Path) -> Vec<String> {
    let messages = pack_tree(tree, "standard", Strictness::Standard).unwrap_err();
    messages.iter().map(ToString::to_string).collect()
}

#[test]
fn a_change_in_the_lists_makes_the_choices_stale() {
    let tree = changed("lists.csv", "transport,bus,Bus", "transport,bus,Coach");
    let stale = write_choices(tree.path(), true).unwrap();
    assert_eq!(stale, [tree.path().join("arrival_tally/choices.csv")]);
    write_choices(tree.path(), false).unwrap();
    assert!(write_choices(tree.path(), true).unwrap().is_empty());
}

#[test]
fn an_indicator_that_names_an_unknown_question_does_not_compile() {
    for (from, to, expected) in [
        (
            "event: ${A34}",
            "event: ${A99}",
            "indicators:3:numerator: I06: unknown question `A99`",
        ),
        (
            "event: ${A54}",
            "interview: ${A54}",
            "indicators:5:denominator: I38: unknown question `A54`",
        ),
        (
            "event: ${A34}",
            "weather: ${A34}",
            "indicators:3:numerator: I06: `weather` is not one of",
        ),
        (
            "event: ${A34}",
            "event: ${A34",
            "indicators:3:numerator: I06: a reference opened at character 1",
        ),
        (
            "1000,5,",
            "1000,4,",
            "indicators:4:k: I07: `4` is not one of: 5 or more",
        ),
    ] {
        let tree = changed("indicators.csv", from, to);
        let said = said(tree.path());
        assert!(said.len() == 1 && said[0].starts_with(expected), "{said:?}");
    }
}

#[test]
fn a_standard_instrument_without_a_class_does_not_compile() {
    let tree = changed(
        "arrival_tally/survey.csv",
        ",. <= now(),,,,int,",
        ",. <= now(),,,,,",
    );
    let said = said(tree.path());
    assert_eq!(
        said[0],
        "arrival_tally/survey:4:class: `A03` has no class (pub, int, per or hs)"
    );
}

#[test]
fn a_code_twice_in_the_lists_is_named() {
    let tree = changed("lists.csv", "yno,yes,", "yno,no,");
    assert!(
        said(tree.path())
            .iter()
            .any(|line| line.ends_with("code: code `no` stands twice"))
    );
}

#[test]
fn forms_are_packed_one_by_one_with_what_they_name() {
    let paths = [vectors().join("good"), forms().join("arrival_tally")];
    let (bytes, _) = pack_path(&paths, "own", Strictness::Own).unwrap();
    let pack = landfall_form::Pack::decode(&bytes).unwrap();
    assert_eq!(pack.name(), "own");
    assert_eq!(pack.forms().len(), 2);
    assert!(pack.external("points").is_some());
    let (again, _) = pack_path(&paths, "own", Strictness::Own).unwrap();
    assert!(again == bytes, "the same forms give the same bytes");
    let twice = [paths[0].clone(), paths[0].clone()];
    assert!(
        pack_path(&twice, "own", Strictness::Own).is_err(),
        "a form id twice"
    );
}
