//! `cargo xtask forms`: compiles `forms/` into `forms/standard.pack` and writes each form's choices.csv out of
//! `lists.csv`. It starts the compiler of `core/xlsform` through cargo; this program uses no crate of the tree.

use crate::layer::{self, Outcome};

/// Compiles; with `check` nothing is written and a stale file answers false.
///
/// # Errors
/// When the compiler cannot be built or started.
pub fn run(check: bool) -> anyhow::Result<bool> {
    let mut command = layer::cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "landfall-xlsform",
        "--bin",
        "landfall-xlsform",
        "--",
    ]);
    command.args(["pack", "forms"]);
    if check {
        command.arg("--check");
    }
    layer::holds(&mut command)
}

/// The test layer: what is committed is what `forms/` compiles to.
///
/// # Errors
/// As [`run`].
pub fn stale() -> anyhow::Result<Outcome> {
    Ok(Outcome::one(run(true)?))
}
