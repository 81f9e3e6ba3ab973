//! `cargo xtask …`: the tasks of the repository (README.md). A binary may print; it uses no crate of the tree,
//! so that it builds in seconds and can judge the tree from outside.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a binary may print")]
#![allow(unreachable_pub, reason = "in a binary, pub means: between its modules")]

mod app;
mod bench;
mod bindings;
mod check_deps;
mod contract;
mod demo;
mod forms;
mod layer;
mod screens;
mod shots;
mod size;
mod test;

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
    /// The main job on embedded defaults: one morning at one border
    #[command(after_help = "Example: cargo xtask demo --quick")]
    Demo(demo::DemoArgs),
    /// Every test layer; `--list` names them
    #[command(after_help = "Example: cargo xtask test --only rust,deps")]
    Test(test::TestArgs),
    /// The field app's screens on the real core in a window
    #[command(after_help = "Example: cargo xtask app --lang ar --dark")]
    App(app::AppArgs),
    /// Every screen as PNG
    #[command(after_help = "Example: cargo xtask shots --only tally")]
    Shots(shots::ShotsArgs),
    /// Generate a binding and build the library that it loads
    #[command(after_help = "Example: cargo xtask bindings python --out target/python")]
    Bindings(bindings::BindingsArgs),
    /// Named benchmarks, each as a ratio against something run beside it
    #[command(after_help = "Example: cargo xtask bench save-tally --json figures.json")]
    Bench(bench::BenchArgs),
    /// Compile forms/ into forms/standard.pack
    #[command(after_help = "Example: cargo xtask forms --check")]
    Forms {
        /// Write nothing, fail on a stale pack
        #[arg(long)]
        check: bool,
    },
    /// Fail on a dependency edge that ARCHITECTURE.md does not allow
    CheckDeps,
    /// Size of the library for phones, stripped, per part
    Size,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Demo(args) => demo::run(&args),
        Task::Test(args) => test::run(&args),
        Task::App(args) => app::run(&args).map(|()| true),
        Task::Shots(args) => shots::run(&args).map(|()| true),
        Task::Bindings(args) => bindings::run(&args).map(|()| true),
        Task::Bench(args) => bench::run(&args),
        Task::Forms { check } => forms::run(check),
        Task::CheckDeps => check_deps::run(),
        Task::Size => size::run(),
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
