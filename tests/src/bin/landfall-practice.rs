//! A practice organisation with a real hub and a real desk, driven line by line. The protocol stands in
//! `landfall_tests::practice`.
#![allow(clippy::print_stderr, reason = "a binary may print")]

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use landfall_tests::practice::Practice;

/// A practice organisation: hub on loopback and desk in one process, one JSON object a line.
#[derive(Debug, Parser)]
#[command(
    name = "landfall-practice",
    version,
    after_help = "Example: landfall-practice --home /tmp/practice\nThen, on standard input: {\"do\":\"round\"}"
)]
struct Cli {
    /// Where the organisation lives; made if it is not there
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(3)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let mut practice = Practice::start(&cli.home)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", practice.greeting()?)?;
    // Whoever drives this waits for the answer before the next line.
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            writeln!(out, "{}", practice.line(&line))?;
            out.flush()?;
        }
    }
    Ok(())
}
