//! The entry point of `cargo xtask`: it has cargo build the `xtask` in the folder above if that is out of date, with the
//! toolchain that it needs, and replaces itself with it.
//!
//! The repository's own toolchain and `.cargo/config.toml` build this program, and have no part in that second build: cargo
//! starts in the root folder, where it sees only the user's settings and `xtask/.cargo/config.toml`, if there is one. The
//! commands of `xtask` itself run with the repository's toolchain again.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Variables that are meant for the repository's own build.
const NOT_OURS: [&str; 4] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"];

fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let xtask = here.parent().unwrap_or(here);
    let program = xtask.join("target/debug/xtask");
    if !is_fresh(xtask, &program) {
        if let Err(code) = build(xtask, &program) {
            return code;
        }
    }
    let error = command(&program).args(env::args_os().skip(1)).exec();
    complain(&format!("cannot start {}: {}", program.display(), error))
}

/// Has cargo build `xtask`. If that fails, cargo has printed why, and its exit code is returned.
fn build(xtask: &Path, program: &Path) -> Result<(), ExitCode> {
    // A file that is saved while cargo builds is newer than this, and may not be in the program.
    let began = program.with_extension("began");
    let _ = fs::create_dir_all(xtask.join("target/debug"));
    let _ = fs::write(&began, "");
    // rustup's cargo, which reads RUSTUP_TOOLCHAIN; the one that runs this program belongs to the repository's toolchain.
    let mut cargo = command(Path::new("cargo"));
    cargo.current_dir("/").arg("build").arg("--manifest-path").arg(xtask.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(xtask.join("target"));
    let config = xtask.join(".cargo/config.toml");
    if config.exists() {
        cargo.arg("--config").arg(config);
    }
    for name in NOT_OURS {
        cargo.env_remove(name);
    }
    match toolchain(xtask) {
        Some(toolchain) => cargo.env("RUSTUP_TOOLCHAIN", toolchain),
        None => cargo.env_remove("RUSTUP_TOOLCHAIN"),
    };
    let status = cargo.status().map_err(|error| complain(&format!("cannot start cargo: {}", error)))?;
    if status.success() {
        // Without this note cargo merely runs again.
        let _ = fs::rename(&began, note(program));
        return Ok(());
    }
    Err(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A program without the variables that describe the package of this one. A cargo that inherits them, and one in a terminal,
/// which does not, would each build again what the other has built.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// The toolchain that `rust-toolchain.toml` names.
fn toolchain(xtask: &Path) -> Option<String> {
    let text = fs::read_to_string(xtask.join("rust-toolchain.toml")).ok()?;
    let line = text.lines().find(|line| line.starts_with("channel"))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// Whether nothing that the program is built from has changed since cargo built it.
fn is_fresh(xtask: &Path, program: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let built = match modified(&note(program)) {
        Some(built) if program.exists() => built,
        _ => return false,
    };
    let older = |path: &Path| modified(path).map_or(false, |time| time < built);
    let sources = sources(&fs::read_to_string(program.with_extension("d")).unwrap_or_default());
    let common = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"].iter().map(|name| xtask.join(name));
    !sources.is_empty()
        && sources.iter().all(|source| older(source))
        && sources.iter().filter_map(|source| manifest(source)).chain(common).all(|path| older(&path))
}

fn note(program: &Path) -> PathBuf {
    program.with_extension("built")
}

/// The sources in cargo's own list, which is written for `make`: the program, a colon, and each source after a blank; a
/// blank within a path has a backslash before it.
fn sources(list: &str) -> Vec<PathBuf> {
    let line = list.lines().next().unwrap_or_default().replace("\\ ", "\0");
    line.split(' ').skip(1).map(|path| PathBuf::from(path.replace('\0', " "))).collect()
}

/// The manifest of the package that a source belongs to.
fn manifest(source: &Path) -> Option<PathBuf> {
    source.ancestors().skip(1).map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

fn complain(words: &str) -> ExitCode {
    eprintln!("error: {}", words);
    ExitCode::FAILURE
}
