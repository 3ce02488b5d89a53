//! `cargo xtask` through cargo: it shows that it builds or waits, and adds no output if it has nothing to build.
//!
//! The workspace here has the real alias and the real `xtask-start`. Its `xtask` is a few lines, which build in a second.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Output,
};

use duct::Expression;
use tempfile::TempDir;
use tests::workspace_root;

use crate::checkout::cargo;

const MANIFEST: &str = r#"
[workspace]
resolver = "3"
members = ["xtask", "xtask/start"]

[workspace.package]
version = "0.1.0"
edition = "2024"
rust-version = "1.94"
license = "MIT"
publish = false

[workspace.lints]

[profile.start]
inherits = "dev"
"#;

const PRINT_ARGS: &str = "println!(\"{:?}\", std::env::args().skip(1).collect::<Vec<_>>())";

struct Workspace {
    _folder: TempDir,
    root: PathBuf,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        // Cargo escapes a blank in its lists of sources.
        let root = folder.path().canonicalize().unwrap().join("a workspace");
        for path in [
            ".cargo/config.toml",
            "xtask/start/Cargo.toml",
            "xtask/start/src/lib.rs",
            "xtask/start/src/main.rs",
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::copy(workspace_root().join(path), root.join(path)).unwrap();
        }
        fs::create_dir_all(root.join("xtask/src")).unwrap();
        fs::write(root.join("Cargo.toml"), MANIFEST).unwrap();
        fs::write(root.join("xtask/Cargo.toml"), "[package]\nname = \"xtask\"\n").unwrap();
        let workspace = Workspace { _folder: folder, root };
        workspace.write(PRINT_ARGS);
        workspace
    }

    fn write(&self, body: &str) {
        fs::write(self.root.join("xtask/src/main.rs"), format!("fn main() {{ {body}; }}\n")).unwrap();
    }

    fn command(&self, folder: &Path) -> Expression {
        // Other builds might share a target folder that the environment names.
        cargo(["xtask", "migrate", "--plan"]).dir(folder).env_remove("CARGO_TARGET_DIR")
    }

    fn xtask_in(&self, folder: &Path) -> Output {
        self.command(folder).stdout_capture().stderr_capture().unchecked().run().unwrap()
    }

    #[track_caller]
    fn check(&self, output: &Output, shown: &[&str]) {
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "[\"migrate\", \"--plan\"]\n", "{error}");
        for words in shown {
            assert!(error.contains(words), "{words:?} in {error}");
        }
        if shown.is_empty() {
            assert_eq!(error, "");
        }
    }
}

/// A build script of which cargo remembers what this variable was.
const BUILD_SCRIPT: &str = "fn main() { println!(\"cargo:rerun-if-env-changed=CARGO_MANIFEST_DIR\"); }\n";

#[test]
fn cargo_in_a_terminal_builds_nothing_again_that_a_command_has_built() {
    let it = Workspace::new();
    fs::write(it.root.join("xtask/build.rs"), BUILD_SCRIPT).unwrap();
    it.write("assert_eq!(std::env::var_os(\"CARGO_MANIFEST_DIR\"), None)");
    let run = |command: Expression| {
        let output = command.stderr_capture().unchecked().run().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
        error
    };
    let build = cargo(["build", "--package", "xtask"]).dir(&it.root).env_remove("CARGO_TARGET_DIR");
    assert!(run(it.command(&it.root)).contains("Compiling xtask "));
    assert!(!run(build).contains("Compiling"));
}

#[test]
fn a_cold_command_shows_that_it_builds_and_a_warm_one_adds_nothing() {
    let it = Workspace::new();
    it.check(&it.xtask_in(&it.root), &["Compiling xtask "]);
    it.check(&it.xtask_in(&it.root), &[]);
    it.check(&it.xtask_in(&it.root.join("xtask/src")), &[]);
    it.write(PRINT_ARGS);
    it.check(&it.xtask_in(&it.root), &["Compiling xtask "]);
    it.check(&it.xtask_in(&it.root), &[]);
}

#[test]
fn a_command_waits_for_another_cargo_only_to_build_and_shows_it() {
    let it = Workspace::new();
    it.check(&it.xtask_in(&it.root), &["Compiling xtask "]);
    let lock = File::open(it.root.join("target/debug/.cargo-lock")).unwrap();
    lock.lock().unwrap();
    it.check(&it.xtask_in(&it.root), &[]);

    it.write(PRINT_ARGS);
    let command = it.command(&it.root).stderr_to_stdout().unchecked();
    let mut lines = BufReader::new(command.reader().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("Blocking waiting for file lock")));
    drop(lock);
    assert_eq!(lines.last().unwrap(), "[\"migrate\", \"--plan\"]");
}

#[test]
fn an_xtask_that_does_not_compile_shows_the_error_and_starts_no_old_build() {
    let it = Workspace::new();
    it.check(&it.xtask_in(&it.root), &["Compiling xtask "]);
    it.write("nonsense");
    let output = it.xtask_in(&it.root);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("cannot find value `nonsense`") && output.stdout.is_empty(), "{error}");
    assert_eq!(output.status.code(), Some(101));
}
