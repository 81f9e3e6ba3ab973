//! `landfall-bindgen`: generates the foreign bindings from a built library, and lists what it exports.
//!
//! `landfall-bindgen generate --library LIB --language kotlin --out-dir DIR` is uniffi's own command line;
//! `landfall-bindgen surface LIB` prints the exported surface, one item a line, sorted. Neither changes a source.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a binary may print")]

mod surface;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() != Some("surface") {
        uniffi::uniffi_bindgen_main();
        return ExitCode::SUCCESS;
    }
    let (Some(library), None) = (words.next(), words.next()) else {
        eprintln!("usage: landfall-bindgen surface LIBRARY");
        return ExitCode::from(2);
    };
    match surface::read(library.as_ref()) {
        Ok(lines) => {
            for line in lines {
                println!("{line}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(1)
        }
    }
}
