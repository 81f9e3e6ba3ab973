//! `cargo xtask …`: the tasks of the repository (README.md). A binary may print; it uses no crate of the tree,
//! so that it builds in seconds and can judge the tree from outside.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a binary may print")]

mod check_deps;
mod layer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Tasks of the Landfall repository", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Fail on a dependency edge that ARCHITECTURE.md does not allow
    CheckDeps,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::CheckDeps => check_deps::run(),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(3)
        }
    }
}
