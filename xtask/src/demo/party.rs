//! One party of the demonstration as a process of its own: started, asked line by line, killed.
//! What a party is told goes through its standard input and nowhere else: no argument and no file of the
//! demonstration holds a passcode or an answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// A running process that answers one line of JSON to each line of JSON.
#[derive(Debug)]
pub struct Party {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Party {
    /// Starts the process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        let stdin = child.stdin.take();
        let stdout = child
            .stdout
            .take()
            .with_context(|| format!("{name} has no output"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// Reads the next line.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!("{} ended before it answered", self.name);
        }
        Ok(line.trim_end().to_owned())
    }

    /// Says one line that is not answered.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self
            .stdin
            .as_mut()
            .with_context(|| format!("{} has no input", self.name))?;
        writeln!(stdin, "{line}").with_context(|| format!("{} takes no input", self.name))?;
        Ok(stdin.flush()?)
    }

    /// Says one line and reads the answer. An answer with a member `error` is a failure.
    ///
    /// # Errors
    /// When the process has ended, or refuses.
    pub fn ask(&mut self, what: &Value) -> anyhow::Result<Value> {
        let answer = self.try_ask(what)?;
        if let Some(error) = answer.get("error") {
            let command = what.get("cmd").and_then(Value::as_str).unwrap_or("?");
            bail!("{} refused {command}: {error}", self.name);
        }
        Ok(answer)
    }

    /// Says one line and reads the answer, whatever it is.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn try_ask(&mut self, what: &Value) -> anyhow::Result<Value> {
        self.tell(&what.to_string())?;
        let line = self.line()?;
        serde_json::from_str(&line)
            .with_context(|| format!("{} answered something that is not JSON", self.name))
    }

    /// Ends the process in the hardest way there is.
    ///
    /// # Errors
    /// When there is nothing to kill.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Closes the input and waits for the end.
    ///
    /// # Errors
    /// When the process does not end well.
    pub fn end(mut self) -> anyhow::Result<()> {
        drop(self.stdin.take());
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        // Whatever went wrong: nothing of the demonstration outlives it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs one command of the desk to its end, with the passphrase on standard input, and reads its JSON. Without a home it
/// is one of the commands of the online machine.
///
/// # Errors
/// When it cannot be started or does not end well.
pub fn desk(bin: &Path, home: Option<(&Path, &str)>, args: &[&str]) -> anyhow::Result<Value> {
    let mut command = Command::new(bin);
    command.arg("--json").args(args);
    if let Some((home, _)) = home {
        command
            .arg("--home")
            .arg(home)
            .args(["--passphrase-file", "/dev/stdin"]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("could not start the desk")?;
    if let (Some(mut stdin), Some((_, passphrase))) = (child.stdin.take(), home) {
        writeln!(stdin, "{passphrase}").context("the desk takes no passphrase")?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let what = args.first().unwrap_or(&"");
        bail!(
            "desk {what}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    serde_json::from_slice(&output.stdout).context("the desk answered something that is not JSON")
}
