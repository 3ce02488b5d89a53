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
use duct::{Expression, cmd};
use etcetera::BaseStrategy as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    checkout::{is_elsewhere, library},
    terminal::{child::this_program, output},
};

/// The cargo that runs this program, else the one on PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The path of the program of a package in the workspace at `root`, up to date.
pub(crate) fn program(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let beside = beside(root, package)?;
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
    beside(root, package).is_ok_and(|program| start::is_fresh(&program, root))
}

/// The path of the program of a package, with a remark before the first build, which takes long. `does` is what the program does.
pub(crate) fn program_or_first_build(root: &Path, package: &str, does: &str) -> anyhow::Result<PathBuf> {
    // Cargo prints nothing while it builds here.
    if !is_there(root, package) {
        output::remark(&format!(
            "building the program that {does}, for the first time; this takes a minute or two"
        ));
    }
    program(root, package)
}

/// Whether the program of a package was ever built beside this one.
pub(super) fn is_there(root: &Path, package: &str) -> bool {
    beside(root, package).is_ok_and(|program| program.exists())
}

/// Has cargo build a program of a package. If that fails, cargo prints why on standard error.
pub(crate) fn build(root: &Path, package: &str, which: &[&str], name: &str) -> anyhow::Result<PathBuf> {
    let words = ["build", "--quiet", "--message-format", "json-render-diagnostics", "--package", package];
    let words = words.iter().chain(which).map(OsString::from);
    let built = match target(root)? {
        Some(target) => {
            with_its_toolchain([words.collect(), vec!["--target-dir".into(), target.into()]].concat())
        }
        None => cmd(cargo(), words),
    };
    let built = built.dir(root).stdout_capture().unchecked().run().context("start cargo")?;
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

/// The path of the program of a package in the workspace at `root`, as cargo builds it for this one.
fn beside(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    Ok(match target(root)? {
        Some(target) => target.join("debug").join(package),
        None => this_program()?.with_file_name(package),
    })
}

/// The target folder for the library's programs in the user's cache, if another repository has built this one: the library
/// may lie where cargo keeps its downloads. `None` for the usual target folder.
fn target(root: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !is_elsewhere() || root != library() {
        return Ok(None);
    }
    let cache = etcetera::choose_base_strategy().context("find this user's cache")?.cache_dir();
    let library = hex::encode(Sha256::digest(root.as_os_str().as_encoded_bytes()));
    Ok(Some(cache.join("xtask/programs").join(&library[..16])))
}

/// Cargo of the toolchain that the folder it runs in names, and not of the other repository's.
fn with_its_toolchain(args: Vec<OsString>) -> Expression {
    let own = ["RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"];
    own.into_iter().fold(cmd("cargo", args), |cargo, name| cargo.env_remove(name))
}
