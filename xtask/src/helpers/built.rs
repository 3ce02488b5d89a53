//! Programs of other packages of this workspace, built if they are not up to date.
//!
//! Cargo takes 0.2 s to find that nothing changed, and every command on a server in Docker would wait for that. So a file
//! beside the program records when cargo last checked it, and cargo does not run again until a source is newer.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, bail};
use duct::cmd;
use serde_json::Value;

use crate::terminal::output;

/// The cargo that runs this program, else the one on PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The path of the program of a package in the workspace at `root`, up to date.
pub(crate) fn program(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let beside = beside(package)?;
    if is_fresh(&beside, root) {
        return Ok(beside);
    }
    // A source saved while cargo builds may not be in the program, so the record must be older than it.
    let began = SystemTime::now();
    let program = build(root, package, &[], package)?;
    if fs::canonicalize(&program).ok() == fs::canonicalize(&beside).ok() {
        // If this fails, cargo merely runs again next time.
        let _ = File::create(record(&beside)).and_then(|file| file.set_modified(began));
    }
    Ok(program)
}

/// The same, with a remark before the first build, which takes long. `does` is what the program does.
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
    Ok(env::current_exe().context("find this program")?.with_file_name(package))
}

fn record(program: &Path) -> PathBuf {
    program.with_extension("checked")
}

/// Whether none of a program's sources changed since cargo last checked it. In doubt, `false`.
fn is_fresh(program: &Path, root: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let Some(checked) = modified(&record(program)) else { return false };
    // Cargo's dependency file, in the format of `make`: the program, a colon, and its sources.
    let list = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources: Vec<&Path> = list.split_ascii_whitespace().skip(1).map(Path::new).collect();
    let manifests = sources.iter().filter_map(|source| manifest(source));
    let common = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"];
    let common = common.iter().map(|name| root.join(name)).filter(|path| path.exists());
    let older = |path: &Path| modified(path).is_some_and(|time| time < checked);
    program.exists()
        && !sources.is_empty()
        // A program of another checkout, if two share a target folder, has other sources.
        && sources.iter().all(|source| source.starts_with(root) && older(source))
        && manifests.chain(common).all(|path| older(&path))
}

/// The manifest of the package that a source belongs to.
fn manifest(source: &Path) -> Option<PathBuf> {
    source.ancestors().map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A workspace whose program cargo checked a minute after its sources were written.
    fn workspace(name: &str) -> (PathBuf, PathBuf) {
        let root = env::temp_dir().join(format!("xtask-built-{name}-{}", std::process::id()));
        let program = root.join("target/program");
        for folder in ["target", "program/src"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let source = root.join("program/src/main.rs");
        for file in
            ["Cargo.toml", "Cargo.lock", "program/Cargo.toml", "program/src/main.rs", "target/program"]
        {
            File::create(root.join(file)).unwrap();
        }
        fs::write(program.with_extension("d"), format!("{}: {}\n", program.display(), source.display()))
            .unwrap();
        touch(&record(&program), 60);
        (root, program)
    }

    fn touch(path: &Path, seconds: u64) {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn a_program_is_up_to_date_until_a_source_changes() {
        for changed in ["Cargo.toml", "Cargo.lock", "program/Cargo.toml", "program/src/main.rs"] {
            let (root, program) = workspace("changed");
            assert!(is_fresh(&program, &root));
            touch(&root.join(changed), 120);
            assert!(!is_fresh(&program, &root), "{changed}");
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn a_program_with_a_missing_part_or_of_another_checkout_is_out_of_date() {
        for missing in ["target/program", "target/program.d", "target/program.checked", "program/src/main.rs"]
        {
            let (root, program) = workspace("missing");
            fs::remove_file(root.join(missing)).unwrap();
            assert!(!is_fresh(&program, &root), "{missing}");
            fs::remove_dir_all(root).unwrap();
        }
        let (root, program) = workspace("shared");
        assert!(!is_fresh(&program, Path::new("/another/checkout")));
        fs::remove_dir_all(root).unwrap();
    }
}
