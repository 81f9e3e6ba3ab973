//! The contract of the border, run by a Python, a Kotlin and a Swift program over their generated bindings. Each talks
//! to one practice process that holds a real hub and a real desk. A language whose tools are absent is skipped by name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::bindings::{self, Build, What};
use crate::layer::{self, Outcome};

fn out(language: &str) -> PathBuf {
    layer::target_dir().join("contract").join(language)
}

/// Runs a program, shows what it prints, and answers it with its end.
fn watched(command: &mut Command) -> anyhow::Result<(bool, String)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {name}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    print!("{text}");
    Ok((output.status.success(), text))
}

/// An end that no counted test explains is a failure of its own.
fn with_end(mut outcome: Outcome, well: bool) -> Outcome {
    if outcome.failed == 0 && (!well || outcome.passed == 0) {
        outcome.failed = 1;
    }
    outcome
}

/// The contract in Python, and the snapshot of the exported surface.
///
/// # Errors
/// When something cannot be built.
pub fn python() -> anyhow::Result<Outcome> {
    if !layer::has("python3") {
        return Ok(Outcome::skip("python3 is absent (apt-get install python3)"));
    }
    let mut all = Outcome::one(bindings::surface_holds()?);
    let dir = out("python");
    bindings::generate(What::Python, Build::Contract, &dir, &dir)?;
    let mut command = Command::new("python3");
    command
        .args(["-B", "-m", "unittest", "-v", "test_contract"])
        .current_dir(layer::root().join("tests/ffi/python"))
        .env("LANDFALL_BINDING", &dir)
        .env("LANDFALL_PRACTICE", bindings::practice());
    let (well, text) = watched(&mut command)?;
    all.add(&with_end(unittest(&text), well));
    Ok(all)
}

/// Counts the lines `test_x (…) ... ok` of Python's unittest.
fn unittest(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in text.lines() {
        match line.rsplit("... ").next() {
            Some("ok") if line.contains("... ") => outcome.passed += 1,
            Some("FAIL" | "ERROR") if line.contains("... ") => outcome.failed += 1,
            _ => {}
        }
    }
    outcome
}

/// The contract in Kotlin on the JVM.
///
/// # Errors
/// When something cannot be built.
pub fn kotlin() -> anyhow::Result<Outcome> {
    if !layer::has("mvn") || !layer::has("java") {
        return Ok(Outcome::skip(
            "Maven or Java is absent (apt-get install openjdk-17-jdk-headless maven)",
        ));
    }
    let dir = out("kotlin");
    let built = bindings::generate(
        What::Kotlin,
        Build::Contract,
        &dir.join("generated"),
        &dir.join("lib"),
    )?;
    let mut command = Command::new("mvn");
    command
        .args([
            "-B",
            "-ntp",
            "-q",
            "-Dstyle.color=never",
            "-Dkotlin.compiler.daemon=false",
            "-f",
        ])
        .arg(layer::root().join("tests/ffi/kotlin/pom.xml"))
        .arg(format!("-Dlandfall.generated={}", built.sources.display()))
        .arg(format!("-Dlandfall.library={}", built.library_dir.display()))
        .arg(format!("-Dlandfall.practice={}", bindings::practice().display()))
        .arg(format!("-Dlandfall.build={}", dir.join("build").display()))
        .arg("test");
    let reports = dir.join("build/surefire-reports");
    if reports.exists() {
        std::fs::remove_dir_all(&reports)?;
    }
    let (well, _) = watched(&mut command)?;
    let mut outcome = Outcome::default();
    for entry in std::fs::read_dir(&reports).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "txt") {
            outcome.add(&surefire(&std::fs::read_to_string(&path)?));
        }
    }
    Ok(with_end(outcome, well))
}

/// Reads `Tests run: 3, Failures: 1, Errors: 0, Skipped: 0` of a surefire report.
fn surefire(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in text.lines().filter(|line| line.starts_with("Tests run: ")) {
        let figure = |word: &str| -> u32 {
            let rest = line.split(word).nth(1).unwrap_or_default();
            rest.split(|c: char| !c.is_ascii_digit())
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        let failed = figure("Failures: ") + figure("Errors: ");
        outcome.failed += failed;
        outcome.passed += figure("Tests run: ").saturating_sub(failed + figure("Skipped: "));
    }
    outcome
}

/// The contract in Swift: with the Swift of this machine, or on Linux with Debian's in a root of its own.
///
/// # Errors
/// When something cannot be built.
pub fn swift() -> anyhow::Result<Outcome> {
    let native = layer::has("swift");
    let root = std::env::var_os("LANDFALL_SWIFT_ROOT")
        .map_or_else(|| layer::target_dir().join("swift-root"), PathBuf::from);
    if !native && let Some(why) = no_swift_root(&root)? {
        return Ok(Outcome::skip(why));
    }
    // A package of its own: the generated sources of the contract's build never mix with those of the shells.
    let inside = if native {
        out("swift")
    } else {
        root.join("landfall")
    };
    let (package, lib) = (inside.join("package"), inside.join("lib"));
    for part in ["Sources/FieldKit", "Tests/ContractTests"] {
        copy_dir(
            &layer::root().join("bindings/swift").join(part),
            &package.join(part),
        )?;
    }
    std::fs::copy(
        layer::root().join("bindings/swift/Package.swift"),
        package.join("Package.swift"),
    )?;
    bindings::generate(What::Swift, Build::Contract, &package.join("Sources"), &lib)?;
    let practice = inside.join("landfall-practice");
    std::fs::copy(bindings::practice(), &practice)?;
    let (package, lib, practice) = if native {
        (package, lib, practice)
    } else {
        (
            "/landfall/package".into(),
            "/landfall/lib".into(),
            "/landfall/landfall-practice".into(),
        )
    };
    let mut command = if native {
        Command::new("swift")
    } else {
        // The mount lives and dies with a name space of its own: nothing stays behind, whatever happens.
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "sh",
                "-c",
                "mount -t proc proc \"$0/proc\" && exec chroot \"$0\" swift \"$@\"",
            ])
            .arg(&root)
            .env("HOME", "/landfall")
            .env("TMPDIR", "/tmp");
        command
    };
    command.arg("test").arg("--package-path").arg(package);
    for word in [
        format!("-L{}", lib.display()),
        "-rpath".into(),
        lib.display().to_string(),
    ] {
        command.args(["-Xlinker", &word]);
    }
    if !native {
        // Debian's libswiftObservation leaves a symbol undefined.
        command.args(["-Xlinker", "--allow-shlib-undefined"]);
    }
    command.env("LANDFALL_PRACTICE", practice);
    let (well, text) = watched(&mut command)?;
    Ok(with_end(xctest(&text), well))
}

/// Makes Debian's Swift root, once. Answers why that is not possible here.
fn no_swift_root(root: &Path) -> anyhow::Result<Option<String>> {
    const HOW: &str = "no Swift on this machine; a root of its own needs root and debootstrap, 3 GB (apt-get install debootstrap)";
    if !layer::is_root() || !layer::has("unshare") || !layer::has("chroot") {
        return Ok(Some(HOW.into()));
    }
    // One mark is made first and one last: a root that was broken off is made anew, and no other folder is touched.
    let (begun, ready) = (root.join(".landfall-begun"), root.join(".landfall-ready"));
    if ready.exists() {
        return Ok(None);
    }
    if !layer::has("debootstrap") {
        return Ok(Some(HOW.into()));
    }
    eprintln!(
        "making a root with Debian's Swift in {} (about 2 minutes)",
        root.display()
    );
    if begun.exists() {
        std::fs::remove_dir_all(root)?;
    }
    std::fs::create_dir_all(root)?;
    anyhow::ensure!(
        std::fs::read_dir(root)?.next().is_none(),
        "{} is not empty, and not a root that was made here",
        root.display()
    );
    std::fs::write(begun, "")?;
    let mut command = Command::new("debootstrap");
    command
        .args(["--variant=minbase", "--include=swiftlang,libc6-dev", "trixie"])
        .arg(root)
        .stdout(Stdio::null());
    if !layer::holds(&mut command)? {
        return Ok(Some(format!(
            "Debian's Swift could not be installed into {}",
            root.display()
        )));
    }
    std::fs::write(ready, "")?;
    // 500 MB that nobody reads again.
    let _ = std::fs::remove_dir_all(root.join("var/cache/apt/archives"));
    Ok(None)
}

/// Counts the lines `Test Case '…' passed (…)` of XCTest.
fn xctest(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in text
        .lines()
        .filter(|line| line.trim_start().starts_with("Test Case "))
    {
        if line.contains("' passed (") {
            outcome.passed += 1;
        } else if line.contains("' failed (") {
            outcome.failed += 1;
        }
    }
    outcome
}

/// Copies a folder of sources; what the copy holds beside them is removed.
fn copy_dir(from: &Path, to: &Path) -> anyhow::Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_three_runners_are_read() {
        let python =
            "test_a (test_contract.Contract.test_a) ... ok\ntest_b (x) ... FAIL\ntest_c (x) ... ERROR\nOK\n";
        assert_eq!(
            unittest(python),
            Outcome {
                passed: 1,
                failed: 2,
                skipped: None
            }
        );
        let kotlin = "Test set: x\nTests run: 5, Failures: 1, Errors: 1, Skipped: 1, Time elapsed: 3 s\n";
        assert_eq!(
            surefire(kotlin),
            Outcome {
                passed: 2,
                failed: 2,
                skipped: None
            }
        );
        let swift = "Test Case 'C.testA' passed (0.1 seconds)\nTest Case 'C.testB' failed (0.2 seconds)\n";
        assert_eq!(
            xctest(swift),
            Outcome {
                passed: 1,
                failed: 1,
                skipped: None
            }
        );
    }

    #[test]
    fn an_end_without_a_counted_test_is_a_failure() {
        assert_eq!(with_end(Outcome::default(), true).failed, 1);
        assert_eq!(
            with_end(
                Outcome {
                    passed: 3,
                    ..Outcome::default()
                },
                false
            )
            .failed,
            1
        );
        assert_eq!(
            with_end(
                Outcome {
                    passed: 3,
                    ..Outcome::default()
                },
                true
            )
            .failed,
            0
        );
    }
}
