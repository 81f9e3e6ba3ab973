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
        Self {
            passed: u32::from(held),
            failed: u32::from(!held),
            skipped: None,
        }
    }

    /// A layer that cannot run here.
    pub fn skip(why: impl Into<String>) -> Self {
        Self {
            skipped: Some(why.into()),
            ..Self::default()
        }
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
    here.parent()
        .map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// Where cargo puts what it builds (`CARGO_TARGET_DIR` or `target`).
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command in the root of the repository. Without the system's OpenSSL headers SQLCipher brings its own.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    if std::env::var_os("OPENSSL_NO_VENDOR").is_none() && !has_openssl() {
        command.env("OPENSSL_NO_VENDOR", "0");
    }
    command
}

/// Makes sure that the workspace can be built here: a C compiler, and OpenSSL as headers or as a recipe to build.
///
/// # Errors
/// Names what is missing and the line that installs it.
pub fn prepare() -> anyhow::Result<()> {
    const LINE: &str = "apt-get install -y build-essential pkg-config libssl-dev";
    if has("cc") && has_openssl() {
        return Ok(());
    }
    if has("apt-get") && is_root() {
        eprintln!("installing what the build needs: {LINE}");
        let apt = |args: &[&str]| Command::new("apt-get").args(args).stdin(Stdio::null()).status();
        apt(&["update", "-qq"])?;
        apt(&[
            "install",
            "-y",
            "-qq",
            "build-essential",
            "pkg-config",
            "libssl-dev",
        ])?;
    }
    if !has("cc") {
        bail!("no C compiler here: sudo {LINE}");
    }
    if !has_openssl() {
        if !has("perl") || !has("make") {
            bail!("neither OpenSSL's headers nor perl and make to build it: sudo {LINE}");
        }
        eprintln!("OpenSSL's headers are absent, it is built from source (about 5 minutes): sudo {LINE}");
    }
    Ok(())
}

fn has_openssl() -> bool {
    Path::new("/usr/include/openssl/ssl.h").exists()
        || Command::new("pkg-config")
            .args(["--exists", "openssl"])
            .status()
            .is_ok_and(|s| s.success())
}

/// Whether this process may install packages.
pub fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout.starts_with(b"0\n"))
}

/// Whether a program of that name can be started.
pub fn has(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Runs a command to its end, its output on ours.
///
/// # Errors
/// When it cannot be started.
pub fn holds(command: &mut Command) -> anyhow::Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    Ok(command
        .status()
        .with_context(|| format!("could not start {name}"))?
        .success())
}

/// Runs a command and fails when it fails.
///
/// # Errors
/// When it cannot be started or does not end well.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    if !holds(command)? {
        let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        bail!(
            "{} {} failed",
            command.get_program().to_string_lossy(),
            args.join(" ")
        );
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
