//! `cargo xtask bench`: named benchmarks in release, each as a ratio against something run beside it in the same run.
//! The measuring itself is `landfall-bench` in tests/, because xtask uses no crate of the tree.

use std::path::PathBuf;

use clap::Args;

use crate::layer;

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Only these benchmarks; without one all of them
    names: Vec<String>,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Longer runs
    #[arg(long)]
    full: bool,
}

/// Builds and runs the benchmarks.
///
/// # Errors
/// When the build or a benchmark fails.
pub fn run(args: &BenchArgs) -> anyhow::Result<bool> {
    layer::prepare()?;
    let mut command = layer::cargo();
    command.args([
        "run",
        "--release",
        "--quiet",
        "--package",
        "landfall-tests",
        "--bin",
        "landfall-bench",
        "--",
    ]);
    command.args(&args.names);
    if let Some(path) = &args.json {
        command.arg("--json").arg(std::path::absolute(path)?);
    }
    if args.full {
        command.arg("--full");
    }
    layer::holds(&mut command)
}
