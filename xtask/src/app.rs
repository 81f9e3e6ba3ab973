//! `cargo xtask app`: the field app's screens on the real core, in a window of this computer.
//! Never opens a home that a phone uses.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::layer;
use crate::screens::{self, Ground};

/// Options of `cargo xtask app`.
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo xtask app --lang ar --scale 1.5 --dark")]
pub struct AppArgs {
    /// Language of the screens: en, ar
    #[arg(long, default_value = "en", value_name = "L")]
    lang: String,
    /// Font scale, 1.0 to 2.0
    #[arg(long, default_value_t = 1.0, value_name = "F")]
    scale: f32,
    /// Dark colours
    #[arg(long)]
    dark: bool,
    /// Where device and practice organisation live [default: target/app]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

/// Opens the window; ends when it is closed.
///
/// # Errors
/// When something cannot be built, or there is no display.
pub fn run(args: &AppArgs) -> anyhow::Result<()> {
    screens::need_java()?;
    anyhow::ensure!(
        !cfg!(target_os = "linux") || std::env::var_os("DISPLAY").is_some(),
        "no display here; a window without one: sudo apt-get install -y xvfb, then xvfb-run -a cargo xtask app"
    );
    let ground = Ground::lay()?;
    let class_path = ground.class_path()?;
    let home = std::path::absolute(
        args.home
            .clone()
            .unwrap_or_else(|| layer::target_dir().join("app")),
    )?;
    std::fs::create_dir_all(&home)?;
    let mut command = Command::new("java");
    command
        .arg(format!("-Djna.library.path={}", ground.library().display()))
        .args([
            "-cp",
            &class_path,
            "landfall.desktop.Main",
            "--lang",
            &args.lang,
            "--scale",
            &args.scale.to_string(),
        ])
        .arg("--home")
        .arg(&home)
        .arg("--practice")
        .arg(&ground.practice);
    if args.dark {
        command.arg("--dark");
    }
    layer::run(&mut command)
}
