//! The checks cover a new crate of the workspace, its tests, lints and documentation, although no list mentions it.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::Value;
use tests::workspace_root;

use crate::{
    checkout::{Checkout, cargo, outcome},
    documents::{blocks, document},
    preparing::target,
};

/// A copy of the workspace, with the crate that CONTRIBUTING adds.
fn with_the_crate() -> Checkout {
    let (checkout, contributing) = (Checkout::of_workspace(), document("CONTRIBUTING.md"));
    let mut written = 0;
    for (_, text) in blocks(&contributing) {
        let (first, rest) = text.split_once('\n').unwrap();
        let first = first.trim_start_matches(['/', '#', ' ']);
        if let Some(path) = first.strip_prefix("file: ").filter(|path| path.starts_with("backend/crates/")) {
            let path = checkout.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, rest).unwrap();
            written += 1;
        }
    }
    assert_eq!(written, 2);
    checkout
}

/// A stand-in for cargo that lists the packages as cargo does, and only logs every other command. Returns it and its log.
fn recorder(checkout: &Checkout) -> (PathBuf, PathBuf) {
    let (program, log) = (checkout.root().join("cargo"), checkout.root().join("log"));
    let script = format!(
        "#!/bin/sh\n[ \"$1\" != metadata ] || exec {:?} \"$@\"\necho \"$@\" >>{:?}\n",
        env!("CARGO"),
        log.display().to_string()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    (program, log)
}

#[test]
fn test_and_ci_cover_the_new_crate() {
    tests::empty().run(async |db| {
        let checkout = with_the_crate();
        let metadata = cargo(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&metadata.dir(checkout.root()).read()?)?;
        let listed = |list: &str| metadata[list].to_string().contains("backend/crates/headcount");
        assert!(listed("workspace_members") && listed("workspace_default_members"));

        let (cargo, log) = recorder(&checkout);
        let recorded = |args: &[&str]| {
            let _ = fs::remove_file(&log);
            outcome(&checkout.command(&db.url(), args).env("CARGO", &cargo)).expect(0, &[]);
            fs::read_to_string(&log).unwrap()
        };
        let others = "--workspace --exclude tests-elsewhere --exclude xtask-docker --exclude xtask-download --exclude xtask-plot --exclude xtask-sqlx --exclude xtask-tls";
        let test = recorded(&["test"]);
        // Unlike nextest, cargo test also runs the examples in the documentation.
        let by_nextest = test.starts_with("nextest run ");
        let examples = test.lines().find(|line| line.starts_with(&format!("test --quiet --doc {others}")));
        assert_eq!(examples.is_some_and(|line| !line.contains("headcount")), by_nextest, "{test}");
        assert!(test.lines().next().unwrap().ends_with(&format!(" {others} --no-fail-fast")), "{test}");
        assert_eq!(recorded(&["test", "--", "--package", "headcount"]).matches("--workspace").count(), 0);
        let ci = recorded(&["ci"]);
        for line in [
            format!("clippy --all-targets --quiet {others} -- --deny warnings\n"),
            format!("doc --no-deps --document-private-items --quiet {others}\n"),
        ] {
            assert!(ci.contains(&line), "{ci}");
        }
        let on_demand = recorded(&["ci", "--on-demand", "--exclude", "xtask-docker"]);
        let all = ["tests-elsewhere", "xtask-download", "xtask-plot", "xtask-sqlx", "xtask-tls"];
        let all = all.map(|package| format!("--package {package}")).join(" ");
        for line in [
            format!("clippy --all-targets --quiet {all} -- --deny warnings\n"),
            format!("doc --no-deps --document-private-items --quiet {all}\n"),
            "xtask test -- --package xtask-download\n".to_owned(),
        ] {
            assert!(on_demand.contains(&line), "{on_demand}");
        }
        // This package has no tests.
        assert!(!on_demand.contains("test -- --package xtask-plot") && !on_demand.contains("docker"), "{on_demand}");
        checkout.xtask(db, &["ci", "--on-demand", "--exclude", "docker"]).expect(
            2,
            &["no package `docker` is built on demand; there are tests-elsewhere, xtask-docker, xtask-download, xtask-plot, xtask-sqlx"],
        );
        Ok(())
    });
}

/// Leaves the copy the packages of `backend/crates`, and lets them use the others of this workspace. Cargo would confuse a
/// copy of those with the workspace whose target folder the copy shares, and build all of them again in both.
fn with_our_other_packages(checkout: &Checkout) {
    let root = checkout.root().join("Cargo.toml");
    let manifest = fs::read_to_string(&root).unwrap();
    let members = |line: &&str| !line.starts_with("default-members");
    let manifest: Vec<&str> = manifest.lines().filter(members).collect();
    let ours = format!("{{ path = \"{}/", workspace_root().display());
    let manifest = manifest.join("\n").replace("{ path = \"", &ours);
    let (before, after) = manifest.split_once("members = [").unwrap();
    let (_, after) = after.split_once(']').unwrap();
    fs::write(root, format!("{before}members = [\"backend/crates/*\"]{after}")).unwrap();
}

#[test]
fn the_new_crates_tests_get_databases_and_clippy_checks_it() {
    let checkout = with_the_crate();
    with_our_other_packages(&checkout);
    let run = |words: &[&str]| {
        let words = [words, &["--offline", "--package", "headcount"]].concat();
        let run = cargo(words).dir(checkout.root());
        // The target folder already has most of what it depends on.
        outcome(&run.env("CARGO_TARGET_DIR", target()).unchecked())
    };
    let test = run(&["test"]);
    assert!(test.expect(0, &[]).stdout.contains("tests::a_new_database_has_no_accounts ... ok"), "{test:?}");
    fs::OpenOptions::new()
        .append(true)
        .open(checkout.root().join("backend/crates/headcount/src/lib.rs"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"pub fn undocumented() {}\n"))
        .unwrap();
    let lints = run(&["clippy", "--all-targets"]);
    lints.expect(0, &["missing documentation for a function"]);
}
