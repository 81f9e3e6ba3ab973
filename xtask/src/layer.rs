//! What a test layer answers, and the few ways in which tasks start other programs.
//! Never decides what a layer tests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// The outcome of one layer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Checks that held.
    pub passed: u32,
    /// Checks that did not.
    pub failed: u32,
    /// Why the layer did not run: the absent tool and the line that installs it.
    pub skipped: Option<String>,
}

impl Outcome {
    /// One check that held or did not.
    pub fn one(held: bool) -> Self {
        Self { passed: u32::from(held), failed: u32::from(!held), skipped: None }
    }

    /// A layer that cannot run here.
    pub fn skip(why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::default() }
    }

    /// Adds another outcome of the same layer.
    pub fn add(&mut self, other: &Outcome) {
        self.passed += other.passed;
        self.failed += other.failed;
        if self.skipped.is_none() {
            self.skipped.clone_from(&other.skipped);
        }
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// Where cargo puts what it builds (`CARGO_TARGET_DIR` or `target`).
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command in the root of the repository.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Whether a program of that name can be started.
pub fn has(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Runs a command to its end, its output on ours.
///
/// # Errors
/// When it cannot be started.
pub fn holds(command: &mut Command) -> anyhow::Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    Ok(command.status().with_context(|| format!("could not start {name}"))?.success())
}

/// Runs a command and fails when it fails.
///
/// # Errors
/// When it cannot be started or does not end well.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    if !holds(command)? {
        let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        bail!("{} {} failed", command.get_program().to_string_lossy(), args.join(" "));
    }
    Ok(())
}

/// Builds binaries of the workspace in one call and answers where they lie.
///
/// # Errors
/// When the build fails.
pub fn build_bins(bins: &[(&str, &str)]) -> anyhow::Result<PathBuf> {
    let mut command = cargo();
    command.arg("build");
    for (package, bin) in bins {
        command.args(["--package", package, "--bin", bin]);
    }
    run(&mut command)?;
    Ok(target_dir().join("debug"))
}
