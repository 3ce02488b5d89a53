//! The entry point of `cargo xtask`. Cargo builds this small program quietly; it has cargo build `xtask` visibly if that is
//! out of date, and replaces itself with it.
//!
//! Its profile gives it a target folder of its own, so that a quiet cargo never waits silently for the lock of another
//! build.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::SystemTime,
};

/// The package that is built, and its program.
const XTASK: &str = "xtask";

fn main() -> ExitCode {
    // This package lies two folders below the top of its workspace.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap_or(here);
    match program(root) {
        Ok(program) => {
            let error = command(&program).args(env::args_os().skip(1)).exec();
            complain(&format!("cannot start {}: {error}", program.display()))
        }
        Err(code) => code,
    }
}

/// `xtask`, up to date. Where cargo can't build it, cargo has said why, and its exit code is returned.
fn program(root: &Path) -> Result<PathBuf, ExitCode> {
    // Profiles have neighbouring folders; the folder of the profile `dev` is called `debug`.
    let this = env::current_exe().map_err(|error| complain(&format!("cannot find this program: {error}")))?;
    let program = this.ancestors().nth(2).unwrap_or(&this).join("debug").join(XTASK);
    if start::is_fresh(&program, root) {
        return Ok(program);
    }
    let began = SystemTime::now();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // By its manifest, not from its folder: a relative CARGO_TARGET_DIR means the folder that we are in.
    let mut build = command(Path::new(&cargo));
    let build =
        build.args(["build", "--package", XTASK, "--manifest-path"]).arg(root.join("Cargo.toml")).status();
    let status = build.map_err(|error| complain(&format!("cannot start cargo: {error}")))?;
    if !status.success() {
        return Err(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)));
    }
    match fs::exists(&program) {
        Ok(true) => {
            start::remember(&program, began);
            Ok(program)
        }
        _ => Err(complain(&format!(
            "cargo built {XTASK}, but not as {}\n  run it without this program: cargo run --package {XTASK} --",
            program.display()
        ))),
    }
}

#[expect(clippy::disallowed_methods, reason = "xshell and duct would have to be compiled first, silently")]
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for name in start::package_variables() {
        command.env_remove(name);
    }
    command
}

#[expect(clippy::print_stderr, reason = "there is nothing else here that prints")]
fn complain(words: &str) -> ExitCode {
    eprintln!("error: {words}");
    ExitCode::FAILURE
}
