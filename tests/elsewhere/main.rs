//! `cargo xtask` in repositories that `init` has set up, with the cargo, the settings and the toolchain of each.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../it/checkout.rs"]
mod checkout;
#[path = "../it/elsewhere/repository.rs"]
mod repository;

use std::{fs, os::unix::fs::symlink};

use duct::cmd;
use tests::workspace_root;

use crate::{
    checkout::{Outcome, outcome},
    repository::Repository,
};

/// Settings that are meant for the repository's own packages, and with which ours does not build.
const SETTINGS: &str = "\
[build]
target = \"wasm32-unknown-unknown\"
rustflags = [\"--deny\", \"warnings\", \"--cfg\", \"strict\"]

[source.crates-io]
replace-with = \"vendored-sources\"

[source.vendored-sources]
directory = \"vendor\"
";

const VERB: &str = "\
    let hello = xtask::HostVerb::new(\"hello\", \"Greet\", |host, args| {
        println!(\"hello {args:?} in {}, by {:?}\", host.root().display(), std::env::var(\"RUSTUP_TOOLCHAIN\"));
        Ok(())
    });
    xtask::main(&Host::new(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/..\")).verb(hello))
";

/// `cargo xtask …` as a person types it in a folder of a repository.
fn cargo_xtask(repository: &Repository, folder: &str, args: &[&str]) -> Outcome {
    let command = cmd("cargo", [&["xtask"], args].concat()).dir(repository.path(folder));
    // This test's own cargo has set them.
    let command = ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "DATABASE_URL", "XTASK_BIN"]
        .into_iter()
        .fold(command, |command, name| command.env_remove(name));
    outcome(&repository.surrounded(command))
}

/// Has a repository's `xtask` built where the last one was, so that only what differs is built again.
fn share_target(repository: &Repository) {
    let target = workspace_root().join("target/elsewhere");
    fs::create_dir_all(target.join("debug")).unwrap();
    // What says that the program there is up to date is about another repository's.
    let _ = fs::remove_file(target.join("debug/xtask.built"));
    symlink(target, repository.path("xtask/target")).unwrap();
}

/// One test, so that no two build in the same folder.
#[test]
fn the_commands_work_in_a_new_repository_and_in_one_with_its_own_settings() {
    new_repository();
    strict_repository();
}

fn new_repository() {
    let repository = Repository::new(&[]);
    fs::remove_file(repository.path(".env")).unwrap();
    repository.init(&["--new"]).expect(0, &["all of it holds"]);
    share_target(&repository);
    let built = workspace_root().join("target/elsewhere-tests");
    fs::create_dir_all(&built).unwrap();
    fs::create_dir_all(repository.path("target")).unwrap();
    symlink(built, repository.path("target/debug")).unwrap();
    repository.commit();
    // The README's two commands.
    let first = cargo_xtask(&repository, "", &["db-setup"]);
    first.expect(0, &["currencies +3", "1 table, 3 seeded rows, exactly as the files say"]);
    cargo_xtask(&repository, "", &["test"]).expect(0, &["every_currency_has_a_name_to_show"]);
    cargo_xtask(&repository, "", &["migrate", "--check"]).expect(0, &["nothing is left to do"]);
    assert_eq!(repository.changes(), "");
    cargo_xtask(&repository, "", &["server", "stop"]).expect(0, &[]);
}

fn strict_repository() {
    // A toolchain by its folder: another name than ours, on every machine.
    let sysroot = cmd!("rustc", "--print", "sysroot").dir(workspace_root()).read().unwrap();
    let toolchain = format!("[toolchain]\npath = \"{sysroot}\"\n");
    let files = [(".cargo/config.toml", SETTINGS), ("rust-toolchain.toml", &toolchain)];
    let repository = Repository::new(&files);
    repository.write("migrations/apps.toml", "[postgres]\nversion = 15\ndatabase = \"shop\"\n");
    repository.init(&[]).expect(0, &["all of it holds"]);
    share_target(&repository);
    repository.commit();
    let main = repository.read("xtask/src/main.rs");
    let (before, last) = main.split_once("    xtask::main").unwrap();
    let after = last.split_once('\n').unwrap().1;
    repository.write("xtask/src/main.rs", &format!("{before}{VERB}{after}"));
    let root = repository.root().canonicalize().unwrap();
    let greeted = cargo_xtask(&repository, "", &["hello", "--you"]);
    // What is built there has the repository's toolchain.
    greeted.expect(0, &["hello [\"--you\"] in ", &root.display().to_string(), &sysroot]);
    let again = cargo_xtask(&repository, "", &["hello"]);
    assert!(again.expect(0, &["hello []"]).stderr.is_empty(), "{again:?}");
    cargo_xtask(&repository, "migrations", &["hello"]).expect(101, &["xtask/start/Cargo.toml"]);
    repository.write("xtask/src/main.rs", "fn main() { this does not compile }");
    cargo_xtask(&repository, "", &["hello"]).expect(101, &["could not compile `xtask-host`"]);
}
