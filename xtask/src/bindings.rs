//! `cargo xtask bindings kotlin|swift|python`: builds the library and generates what a foreign language needs to load
//! it; `cargo xtask bindings surface` compares the exported surface with its snapshot. Never changes a written source.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::layer;

/// Name of the snapshot of the exported surface.
const SNAPSHOT: &str = "tests/ffi/surface.txt";

/// Options of `cargo xtask bindings`.
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo xtask bindings python --out /tmp/landfall")]
pub struct BindingsArgs {
    /// The language, or `surface`: what is exported, compared with tests/ffi/surface.txt
    what: What,
    /// Where to put it. For python the folder is then importable
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// With `surface`: rewrite the snapshot instead of comparing
    #[arg(long)]
    write: bool,
}

/// What can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Sources in bindings/kotlin/generated, for JNA
    Kotlin,
    /// Sources of the package bindings/swift
    Swift,
    /// A module and the library beside it
    Python,
    /// The exported surface
    Surface,
}

/// A generated binding.
#[derive(Debug)]
pub struct Built {
    /// Where the generated sources lie.
    pub sources: PathBuf,
    /// The folder of the library that they load.
    pub library_dir: PathBuf,
}

/// Which build of the library a binding loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// As it is shipped.
    Plain,
    /// With the function that panics, for the contract.
    Contract,
}

/// Generates a binding, or compares the surface.
///
/// # Errors
/// When the library cannot be built or generated, or the surface differs from its snapshot.
pub fn run(args: &BindingsArgs) -> anyhow::Result<()> {
    let root = layer::root();
    let built = match args.what {
        What::Surface => return surface(args.write),
        What::Kotlin => match &args.out {
            Some(out) => generate(What::Kotlin, Build::Plain, out, out)?,
            None => kotlin()?,
        },
        What::Swift => {
            let sources = root.join("bindings/swift/Sources");
            match &args.out {
                Some(out) => generate(What::Swift, Build::Plain, out, out)?,
                None => generate(
                    What::Swift,
                    Build::Plain,
                    &sources,
                    &layer::target_dir().join("bindings/swift"),
                )?,
            }
        }
        What::Python => {
            let out = args
                .out
                .clone()
                .unwrap_or_else(|| layer::target_dir().join("bindings/python"));
            generate(What::Python, Build::Plain, &out, &out)?
        }
    };
    println!("sources {}", built.sources.display());
    println!("library {}", built.library_dir.display());
    Ok(())
}

/// Generates the Kotlin binding where the shells look for it.
///
/// # Errors
/// As [`generate`].
pub fn kotlin() -> anyhow::Result<Built> {
    let sources = layer::root().join("bindings/kotlin/generated");
    generate(
        What::Kotlin,
        Build::Plain,
        &sources,
        &layer::target_dir().join("bindings/kotlin"),
    )
}

/// Builds the library, generates `what` into `sources`, and puts a copy of the library into `library_dir`: another
/// build may replace the one in the target folder at any time.
///
/// # Errors
/// When the build or the generator fails.
pub fn generate(what: What, build: Build, sources: &Path, library_dir: &Path) -> anyhow::Result<Built> {
    let library = library(build)?;
    std::fs::create_dir_all(sources)?;
    std::fs::create_dir_all(library_dir)?;
    match what {
        What::Kotlin => bindgen("kotlin", &library, sources)?,
        What::Python => bindgen("python", &library, sources)?,
        What::Swift => swift(&library, sources)?,
        What::Surface => anyhow::bail!("the surface is no language"),
    }
    let name = library.file_name().context("library")?;
    // Written aside and renamed: a process that has the old one loaded keeps it.
    let aside = library_dir.join(".new");
    std::fs::copy(&library, &aside)?;
    std::fs::rename(&aside, library_dir.join(name))?;
    Ok(Built {
        sources: sources.to_path_buf(),
        library_dir: library_dir.to_path_buf(),
    })
}

/// Builds the library and the generator, and answers where the library lies. The whole workspace is named, with the
/// practice organisation that contract and screens need: what a call names decides the features of everything below,
/// and another choice would build SQLCipher, TLS and the rest once more.
fn library(build: Build) -> anyhow::Result<PathBuf> {
    layer::prepare()?;
    let mut command = layer::cargo();
    command.args(["build", "--workspace", "--lib"]);
    command.args(["--bin", "landfall-bindgen", "--bin", "landfall-practice"]);
    if build == Build::Contract {
        command.args(["--features", "landfall-ffi/contract-panic"]);
    }
    layer::run(&mut command)?;
    let name = format!(
        "{}landfall_ffi{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    Ok(layer::target_dir().join("debug").join(name))
}

/// Where the practice organisation lies after [`generate`].
pub fn practice() -> PathBuf {
    let name = format!("landfall-practice{}", std::env::consts::EXE_SUFFIX);
    layer::target_dir().join("debug").join(name)
}

fn generator() -> std::process::Command {
    let name = format!("landfall-bindgen{}", std::env::consts::EXE_SUFFIX);
    let mut command = std::process::Command::new(layer::target_dir().join("debug").join(name));
    // It runs `cargo metadata`, so it has to stand inside the workspace.
    command.current_dir(layer::root());
    command
}

fn bindgen(language: &str, library: &Path, out: &Path) -> anyhow::Result<()> {
    let out = std::path::absolute(out)?;
    let mut command = generator();
    command
        .args(["generate", "--no-format", "--language", language, "--out-dir"])
        .arg(out)
        .arg("--library")
        .arg(library);
    layer::run(&mut command)
}

/// Swift wants each module in a folder of its own, and Linux a module map that names no Apple module.
fn swift(library: &Path, sources: &Path) -> anyhow::Result<()> {
    let aside = sources.join(".generated");
    std::fs::create_dir_all(&aside)?;
    bindgen("swift", library, &aside)?;
    let (core, raw) = (sources.join("LandfallCore"), sources.join("LandfallCoreFFI"));
    std::fs::create_dir_all(&core)?;
    std::fs::create_dir_all(&raw)?;
    std::fs::rename(aside.join("LandfallCore.swift"), core.join("LandfallCore.swift"))?;
    std::fs::rename(aside.join("LandfallCoreFFI.h"), raw.join("LandfallCoreFFI.h"))?;
    std::fs::write(
        raw.join("module.modulemap"),
        "module LandfallCoreFFI {\n    header \"LandfallCoreFFI.h\"\n    export *\n}\n",
    )?;
    std::fs::remove_dir_all(&aside)?;
    Ok(())
}

/// The exported surface of a plain build, one item a line.
fn exported() -> anyhow::Result<String> {
    let library = library(Build::Plain)?;
    let output = generator()
        .arg("surface")
        .arg(&library)
        .output()
        .context("landfall-bindgen")?;
    anyhow::ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn surface(write: bool) -> anyhow::Result<()> {
    let snapshot = layer::root().join(SNAPSHOT);
    let exported = exported()?;
    if write {
        std::fs::write(&snapshot, exported)?;
        println!("{SNAPSHOT} is rewritten");
        return Ok(());
    }
    let known = std::fs::read_to_string(&snapshot).unwrap_or_default();
    let changes = differences(&known, &exported);
    anyhow::ensure!(
        changes.is_empty(),
        "the exported surface has changed:\n{}\nIf that is meant, the shells change with it: `cargo xtask bindings \
         surface --write`",
        changes.join("\n")
    );
    println!("the exported surface is that of {SNAPSHOT}");
    Ok(())
}

/// Compares the exported surface with its snapshot; prints what differs.
///
/// # Errors
/// When the library cannot be built.
pub fn surface_holds() -> anyhow::Result<bool> {
    match surface(false) {
        Ok(()) => Ok(true),
        Err(error) => {
            eprintln!("{error:#}");
            Ok(false)
        }
    }
}

/// Lines that only one of the two has, marked `-` (snapshot) and `+` (export).
fn differences(known: &str, exported: &str) -> Vec<String> {
    let gone = known
        .lines()
        .filter(|line| !exported.lines().any(|other| other == *line));
    let new = exported
        .lines()
        .filter(|line| !known.lines().any(|other| other == *line));
    gone.map(|line| format!("- {line}"))
        .chain(new.map(|line| format!("+ {line}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_surface_is_seen() {
        let known = "function a()\nrecord B { c: text }\n";
        assert!(differences(known, known).is_empty());
        assert_eq!(
            differences(known, "function a()\nrecord B { c: u32 }\n"),
            ["- record B { c: text }", "+ record B { c: u32 }"]
        );
    }
}
