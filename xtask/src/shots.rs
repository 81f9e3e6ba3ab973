//! `cargo xtask shots`: every screen of the field app as a picture. Draws sample states, no records.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::layer;
use crate::screens::{self, Ground};

/// Options of `cargo xtask shots`.
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo xtask shots --only tally,rapid")]
pub struct ShotsArgs {
    /// Where the pictures go [default: target/shots]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only these screens (comma separated); a wrong name lists them all
    #[arg(long, value_delimiter = ',', value_name = "SCREEN")]
    only: Vec<String>,
}

/// Draws the screens in {en, ar} x {light, dark} x {font 1.0, 2.0} and prints each file.
///
/// # Errors
/// When something cannot be built or drawn.
pub fn run(args: &ShotsArgs) -> anyhow::Result<()> {
    screens::need_java()?;
    let class_path = Ground::lay()?.class_path()?;
    let out = std::path::absolute(
        args.out
            .clone()
            .unwrap_or_else(|| layer::target_dir().join("shots")),
    )?;
    let mut command = Command::new("java");
    command.args([
        "-Djava.awt.headless=true",
        "-cp",
        &class_path,
        "landfall.desktop.ShotsMain",
    ]);
    command.arg(&out).arg(args.only.join(","));
    layer::run(&mut command)
}
