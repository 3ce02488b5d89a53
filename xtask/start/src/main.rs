//! `cargo xtask` begins here: cargo builds this program silently, in no time, and this one has cargo build `xtask` for
//! everyone to see, if that is out of date. Then `xtask` takes its place.
//!
//! It has a profile of its own, and so a target folder of its own: another cargo that compiles holds the lock of that
//! folder, and a quiet cargo would wait for it without a word.

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
    let build = command(Path::new(&cargo)).args(["build", "--package", XTASK]).current_dir(root).status();
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
    Command::new(program)
}

#[expect(clippy::print_stderr, reason = "there is nothing else here that prints")]
fn complain(words: &str) -> ExitCode {
    eprintln!("error: {words}");
    ExitCode::FAILURE
}
