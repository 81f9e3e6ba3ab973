//! `landfall-xlsform`: compiles a tree of forms into a pack. `cargo xtask forms` starts it; people use `landfall-desk
//! form`. It reads and writes the files it is told and nothing else.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a binary may print")]

use std::path::PathBuf;
use std::process::ExitCode;

use landfall_xlsform::{Message, Strictness, pack_tree, write_choices};

const USAGE: &str = "\
landfall-xlsform pack TREE [--out FILE] [--check]

Compiles TREE (folders of forms, lists.csv, indicators.csv, external/) into FILE, by default TREE/standard.pack, and
writes each form's choices.csv out of lists.csv. With --check nothing is written and a stale file is an error.

Exit: 0 done, 1 the input was refused or a file is stale, 2 wrong usage, 3 a file cannot be written.

Example: landfall-xlsform pack forms --check";

fn print(messages: &[Message]) {
    for message in messages {
        eprintln!("{message}");
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut tree, mut out, mut check, mut usage) =
        (None, None, false, args.next().as_deref() != Some("pack"));
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => check = true,
            "--out" => out = args.next().map(PathBuf::from),
            _ if arg.starts_with('-') || tree.is_some() => usage = true,
            _ => tree = Some(PathBuf::from(arg)),
        }
    }
    let Some(tree) = tree.filter(|_| !usage) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let out = out.unwrap_or_else(|| tree.join("standard.pack"));
    let changed = match write_choices(&tree, check) {
        Ok(changed) => changed,
        Err(messages) => {
            print(&messages);
            return ExitCode::from(1);
        }
    };
    if check && !changed.is_empty() {
        for file in changed {
            eprintln!("{}: stale, run `cargo xtask forms`", file.display());
        }
        return ExitCode::from(1);
    }
    let bytes = match pack_tree(&tree, "standard", Strictness::Standard) {
        // A standard instrument has no warnings: what nobody reads would grow.
        Ok((_, messages)) if !messages.is_empty() => {
            print(&messages);
            return ExitCode::from(1);
        }
        Ok((bytes, _)) => bytes,
        Err(messages) => {
            print(&messages);
            return ExitCode::from(1);
        }
    };
    if std::fs::read(&out).ok().as_deref() == Some(&bytes) {
        println!("{}: up to date ({} bytes)", out.display(), bytes.len());
    } else if check {
        eprintln!("{}: stale, run `cargo xtask forms`", out.display());
        return ExitCode::from(1);
    } else if let Err(error) = std::fs::write(&out, &bytes) {
        eprintln!("{}: {error}", out.display());
        return ExitCode::from(3);
    } else {
        println!("{}: written ({} bytes)", out.display(), bytes.len());
    }
    ExitCode::SUCCESS
}
