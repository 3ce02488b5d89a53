//! `cargo xtask` in repositories that `init` has set up, with the cargo, the settings and the toolchain of each.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../it/checkout.rs"]
mod checkout;
#[path = "../it/elsewhere/repository.rs"]
mod repository;

use std::fs;

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
    // What this workspace and the repository have in common is built once.
    let command = command.env("CARGO_BUILD_BUILD_DIR", workspace_root().join("target"));
    outcome(&repository.surrounded(command))
}

/// One test, so that no two build in the same folder.
#[test]
fn the_commands_work_in_a_new_repository_and_in_one_with_its_own_settings() {
    new_repository();
    strict_repository();
}

/// Has cargo build for a repository with this workspace's profile, which cargo finds in a folder above: by that it knows
/// that what both have in common is the same.
fn share_profile(repository: &Repository) {
    let manifest = fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
    let profile = &manifest[manifest.find("[profile.dev]").unwrap()..];
    let above = repository.0.path().join(".cargo");
    fs::create_dir(&above).unwrap();
    fs::write(above.join("config.toml"), profile).unwrap();
}

fn new_repository() {
    let repository = Repository::new(&[]);
    share_profile(&repository);
    fs::remove_file(repository.path(".env")).unwrap();
    repository.init(&["--new"]).expect(0, &["all of it holds"]);
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
