//! Programs of other packages of this workspace, built if they are not up to date.
//!
//! Cargo takes 0.2 s to say that nothing has changed, so it runs only after a change, which the crate `start` detects.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, bail};
use duct::cmd;
use serde_json::Value;

use crate::terminal::{child::this_program, output};

/// The cargo that runs this program, else the one on PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The path of the program of a package in the workspace at `root`, up to date.
pub(crate) fn program(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let beside = beside(package)?;
    if start::is_fresh(&beside, root) {
        return Ok(beside);
    }
    let began = SystemTime::now();
    let program = build(root, package, &[], package)?;
    if fs::canonicalize(&program).ok() == fs::canonicalize(&beside).ok() {
        start::remember(&beside, began);
    }
    Ok(program)
}

/// Whether the program of a package is up to date, as far as can be said without cargo.
pub(crate) fn is_ready(root: &Path, package: &str) -> bool {
    beside(package).is_ok_and(|program| start::is_fresh(&program, root))
}

/// The path of the program of a package, with a remark before the first build, which takes long. `does` is what the program does.
pub(crate) fn program_or_first_build(root: &Path, package: &str, does: &str) -> anyhow::Result<PathBuf> {
    // Cargo prints nothing while it builds here.
    if !is_there(package) {
        output::remark(&format!(
            "building the program that {does}, for the first time; this takes a minute or two"
        ));
    }
    program(root, package)
}

/// Whether the program of a package was ever built beside this one.
pub(super) fn is_there(package: &str) -> bool {
    beside(package).is_ok_and(|program| program.exists())
}

/// Has cargo build a program of a package. If that fails, cargo prints why on standard error.
pub(crate) fn build(root: &Path, package: &str, which: &[&str], name: &str) -> anyhow::Result<PathBuf> {
    let words = ["build", "--quiet", "--message-format", "json-render-diagnostics", "--package", package];
    let built = cmd(cargo(), words.iter().chain(which)).dir(root);
    let built = built.stdout_capture().unchecked().run().context("start cargo")?;
    let messages = String::from_utf8_lossy(&built.stdout);
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let found = message["target"]["name"] == name;
        found.then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    match executable.filter(|_| built.status.success()) {
        Some(program) => Ok(program),
        None => bail!("the package {package} could not be built\n  see why: cargo build --package {package}"),
    }
}

fn beside(package: &str) -> anyhow::Result<PathBuf> {
    Ok(this_program()?.with_file_name(package))
}
