//! Builds and tests the screens of the field app: Maven, the generated Kotlin binding, the practice organisation.
//! Knows nothing of what a screen shows.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::bindings::{self, Built};
use crate::layer::{self, Outcome};

const JAVA: &str = "sudo apt-get install -y openjdk-17-jdk maven libgl1 libfontconfig1 fontconfig";
const ANDROID: &str = "sudo apt-get install -y openjdk-17-jdk maven aapt unzip";

/// What the screens stand on: the binding with its library, and the practice organisation.
#[derive(Debug)]
pub struct Ground {
    built: Built,
    /// The program that holds a real hub and desk.
    pub practice: PathBuf,
}

impl Ground {
    /// Generates the binding and builds the practice organisation.
    ///
    /// # Errors
    /// When one of them cannot be built.
    pub fn lay() -> anyhow::Result<Self> {
        layer::prepare()?;
        let bins = layer::build_bins(&[("landfall-tests", "landfall-practice")])?;
        let practice = bins.join(format!("landfall-practice{}", std::env::consts::EXE_SUFFIX));
        Ok(Self {
            built: bindings::kotlin()?,
            practice,
        })
    }

    /// The folder of the core's library.
    pub fn library(&self) -> &Path {
        &self.built.library_dir
    }

    /// A quiet Maven run over a pom of android/, told where library and practice organisation lie.
    pub fn maven(&self, pom: &str, goals: &[&str]) -> Command {
        let mut command = Command::new("mvn");
        command
            .current_dir(layer::root().join("android"))
            .args([
                "-B",
                "-ntp",
                "-q",
                "-Dstyle.color=never",
                "-Dkotlin.compiler.daemon=false",
                "-f",
                pom,
            ])
            .arg(format!("-Dlandfall.library={}", self.library().display()))
            .arg(format!("-Dlandfall.practice={}", self.practice.display()))
            .args(goals);
        command
    }

    /// Compiles window and pictures, and answers the class path with which they start.
    ///
    /// # Errors
    /// When Maven fails.
    pub fn class_path(&self) -> anyhow::Result<String> {
        layer::run(&mut self.maven("pom.xml", &["process-classes"]))?;
        let desktop = layer::root().join("android/desktop/target");
        let file = desktop.join("classpath.txt");
        let rest = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        Ok(format!("{}:{}", desktop.join("classes").display(), rest.trim()))
    }
}

/// Fails, naming the line that installs it, when Java or Maven is absent.
///
/// # Errors
/// See above.
pub fn need_java() -> anyhow::Result<()> {
    anyhow::ensure!(has_java(), "Java and Maven are needed: {JAVA}");
    Ok(())
}

fn has_java() -> bool {
    layer::has("java") && layer::has("javac") && layer::has("mvn")
}

/// The screens in a window: words, contrast and sizes, and the flows on the real core.
///
/// # Errors
/// When something cannot be built or started.
pub fn desktop_tests() -> anyhow::Result<Outcome> {
    if !has_java() {
        return Ok(Outcome::skip(format!("Java or Maven is absent ({JAVA})")));
    }
    let ground = Ground::lay()?;
    let reports = ["android/ui", "android/desktop"].map(reports);
    tested(
        &mut ground.maven("pom.xml", &["test", "-Dmaven.test.failure.ignore=true"]),
        &reports,
    )
}

/// The same screens on AndroidX, under Robolectric, with the rind around them.
///
/// # Errors
/// When something cannot be built or started.
pub fn android_tests() -> anyhow::Result<Outcome> {
    if !has_java() || !layer::has("aapt2") || !layer::has("unzip") {
        return Ok(Outcome::skip(format!(
            "Java, Maven, aapt2 or unzip is absent ({ANDROID})"
        )));
    }
    let ground = Ground::lay()?;
    layer::run(&mut Command::new(layer::root().join("android/app/unpack")))?;
    let goals = ["test", "-Dmaven.test.failure.ignore=true"];
    tested(
        &mut ground.maven("app/pom.xml", &goals),
        &[reports("android/app")],
    )
}

fn reports(module: &str) -> PathBuf {
    layer::root().join(module).join("target/surefire-reports")
}

/// Runs Maven and adds up what it wrote about its tests; a run that tested nothing has failed.
fn tested(command: &mut Command, reports: &[PathBuf]) -> anyhow::Result<Outcome> {
    for dir in reports.iter().filter(|dir| dir.exists()) {
        std::fs::remove_dir_all(dir)?;
    }
    let well = layer::holds(command)?;
    let mut outcome = Outcome::default();
    for dir in reports {
        let mut ran = Outcome::default();
        if dir.exists() {
            for entry in std::fs::read_dir(dir)? {
                let path = entry?.path();
                if path.extension().is_some_and(|e| e == "txt") {
                    ran.add(&counted(&std::fs::read_to_string(&path)?));
                }
            }
        }
        if ran.passed + ran.failed == 0 {
            ran.failed = 1;
        }
        outcome.add(&ran);
    }
    if !well && outcome.failed == 0 {
        outcome.failed = 1;
    }
    Ok(outcome)
}

/// Reads `Tests run: 7, Failures: 0, Errors: 0, Skipped: 0` as Surefire writes it once per class.
fn counted(text: &str) -> Outcome {
    let figure = |line: &str, name: &str| -> u32 {
        line.split(name).nth(1).map_or(0, |rest| {
            rest.trim_start()
                .chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap_or(0)
        })
    };
    let mut outcome = Outcome::default();
    for line in text.lines().filter(|l| l.starts_with("Tests run:")) {
        let failed = figure(line, "Failures:") + figure(line, "Errors:");
        let ran = figure(line, "Tests run:").saturating_sub(figure(line, "Skipped:"));
        outcome.add(&Outcome {
            passed: ran.saturating_sub(failed),
            failed,
            skipped: None,
        });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_surefire_writes_them() {
        let text = "-----\nTest set: FlowsTest\nTests run: 9, Failures: 1, Errors: 2, Skipped: 1, Time elapsed: 3 s <<< FAILURE!\n";
        assert_eq!(
            counted(text),
            Outcome {
                passed: 5,
                failed: 3,
                skipped: None
            }
        );
        assert_eq!(counted("nothing"), Outcome::default());
    }
}
