//! `cargo xtask test`: every test layer, cheapest first, and one line with the sum at the end.
//! A layer whose toolchain is absent is skipped by name, never silently; `--strict` makes that a failure.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use clap::Args;

use crate::layer::{self, Outcome};
use crate::{check_deps, contract, forms, screens};

/// Options of `cargo xtask test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Print the names of the layers and end
    #[arg(long)]
    list: bool,
    /// Only these layers (comma separated)
    #[arg(long, value_delimiter = ',', value_name = "LAYER")]
    only: Vec<String>,
    /// A skipped layer is a failure
    #[arg(long)]
    strict: bool,
}

struct Layer {
    name: &'static str,
    what: &'static str,
    run: fn() -> anyhow::Result<Outcome>,
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "format",
        what: "rustfmt on every crate",
        run: format,
    },
    Layer {
        name: "clippy",
        what: "clippy on every target, warnings are errors",
        run: clippy,
    },
    Layer {
        name: "deps",
        what: "dependency directions",
        run: deps,
    },
    Layer {
        name: "deny",
        what: "licences, bans and sources (cargo-deny)",
        run: deny,
    },
    Layer {
        name: "docs",
        what: "rustdoc, warnings are errors",
        run: docs,
    },
    Layer {
        name: "forms",
        what: "forms/standard.pack is what forms/ compiles to",
        run: forms::stale,
    },
    Layer {
        name: "vectors",
        what: "tests/vectors are what the code makes",
        run: vectors,
    },
    Layer {
        name: "rust",
        what: "all Rust tests",
        run: rust,
    },
    Layer {
        name: "age",
        what: "a stock age tool opens and seals envelopes (npm)",
        run: age,
    },
    Layer {
        name: "cose",
        what: "a second decoder reads the entries (Python)",
        run: cose,
    },
    Layer {
        name: "python",
        what: "the contract over the Python binding",
        run: contract_python,
    },
    Layer {
        name: "kotlin",
        what: "the contract over the Kotlin binding (JVM)",
        run: contract_kotlin,
    },
    Layer {
        name: "swift",
        what: "the contract over the Swift binding (Linux)",
        run: contract_swift,
    },
    Layer {
        name: "screens",
        what: "the screens on the real core, in a window",
        run: screens::desktop_tests,
    },
    Layer {
        name: "android",
        what: "the screens on AndroidX under Robolectric",
        run: screens::android_tests,
    },
];

/// Runs the layers. Answers whether all is well.
///
/// # Errors
/// When a named layer does not exist.
pub fn run(args: &TestArgs) -> anyhow::Result<bool> {
    if args.list {
        for layer in LAYERS {
            println!("{:<10} {}", layer.name, layer.what);
        }
        return Ok(true);
    }
    for name in &args.only {
        anyhow::ensure!(
            LAYERS.iter().any(|l| l.name == name),
            "no layer is called {name}; `cargo xtask test --list` names them"
        );
    }
    let chosen = LAYERS
        .iter()
        .filter(|l| args.only.is_empty() || args.only.iter().any(|n| n == l.name));
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut rows = Vec::new();
    for layer in chosen {
        eprintln!("\n== {}: {}", layer.name, layer.what);
        let outcome = (layer.run)().unwrap_or_else(|error| {
            eprintln!("{error:#}");
            Outcome::one(false)
        });
        passed += outcome.passed;
        failed += outcome.failed;
        skipped += u32::from(outcome.skipped.is_some());
        rows.push(match &outcome.skipped {
            Some(why) => format!("{:<10} skipped: {why}", layer.name),
            None => format!(
                "{:<10} {} passed, {} failed",
                layer.name, outcome.passed, outcome.failed
            ),
        });
    }
    println!("\n{}", rows.join("\n"));
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0 && passed > 0 && !(args.strict && skipped > 0))
}

fn format() -> anyhow::Result<Outcome> {
    Ok(Outcome::one(layer::holds(
        layer::cargo().args(["fmt", "--all", "--check"]),
    )?))
}

fn clippy() -> anyhow::Result<Outcome> {
    let mut command = layer::cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    Ok(Outcome::one(layer::holds(&mut command)?))
}

fn deps() -> anyhow::Result<Outcome> {
    Ok(Outcome::one(check_deps::run()?))
}

fn deny() -> anyhow::Result<Outcome> {
    if !layer::has("cargo-deny") {
        return Ok(Outcome::skip(
            "cargo-deny is absent (cargo install cargo-deny --locked)",
        ));
    }
    let mut command = layer::cargo();
    command.args(["deny", "--offline", "check", "licenses", "bans", "sources"]);
    Ok(Outcome::one(layer::holds(&mut command)?))
}

fn docs() -> anyhow::Result<Outcome> {
    let mut command = layer::cargo();
    command
        .args(["doc", "--workspace", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings");
    Ok(Outcome::one(layer::holds(&mut command)?))
}

fn vectors() -> anyhow::Result<Outcome> {
    let mut command = layer::cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "landfall-tests",
        "--bin",
        "landfall-vectors",
        "--",
        "--check",
    ]);
    Ok(Outcome::one(layer::holds(&mut command)?))
}

fn rust() -> anyhow::Result<Outcome> {
    let mut command = layer::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    count_tests(&mut command)
}

fn age() -> anyhow::Result<Outcome> {
    if !layer::has("npm") {
        return Ok(Outcome::skip("npm is absent (apt-get install nodejs npm)"));
    }
    Ok(Outcome::one(layer::holds(
        Command::new("bash").arg(layer::root().join("tests/compat/age/run.sh")),
    )?))
}

fn cose() -> anyhow::Result<Outcome> {
    if !layer::has("python3") {
        return Ok(Outcome::skip(
            "python3 is absent (apt-get install python3 python3-venv)",
        ));
    }
    Ok(Outcome::one(layer::holds(
        Command::new("bash").arg(layer::root().join("tests/compat/cose/run.sh")),
    )?))
}

fn contract_python() -> anyhow::Result<Outcome> {
    contract::python()
}

fn contract_kotlin() -> anyhow::Result<Outcome> {
    contract::kotlin()
}

fn contract_swift() -> anyhow::Result<Outcome> {
    contract::swift()
}

/// Runs a `cargo test` command, shows its output, and adds up its result lines.
fn count_tests(command: &mut Command) -> anyhow::Result<Outcome> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo test")?;
    let mut outcome = Outcome::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            if let Some((passed, failed)) = result_line(&line) {
                outcome.passed += passed;
                outcome.failed += failed;
            }
        }
    }
    if !child.wait()?.success() && outcome.failed == 0 {
        outcome.failed = 1;
    }
    Ok(outcome)
}

/// The figures of a line `test result: ok. 3 passed; 0 failed; …`.
fn result_line(line: &str) -> Option<(u32, u32)> {
    let rest = line.trim().strip_prefix("test result: ")?;
    let figure = |word: &str| {
        let before = rest.split(word).next()?.trim_end();
        before.rsplit([' ', ';']).next()?.parse().ok()
    };
    Some((figure(" passed")?, figure(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(result_line(line), Some((12, 3)));
        assert_eq!(result_line("running 3 tests"), None);
    }

    #[test]
    fn layers_have_different_names() {
        let names: std::collections::BTreeSet<_> = LAYERS.iter().map(|l| l.name).collect();
        assert_eq!(names.len(), LAYERS.len());
    }
}
