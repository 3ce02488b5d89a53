//! Checkouts with git branches that have used a migration's number twice.

use std::{collections::BTreeMap, fs};

use duct::cmd;

use crate::checkout::Checkout;

/// Runs git in a checkout, and returns its output.
pub(super) fn git(checkout: &Checkout, args: &[&str]) -> String {
    let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    let command = cmd("git", who.iter().chain(args)).dir(checkout.root()).stderr_capture();
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]
        .iter()
        .fold(command, |it, name| it.env_remove(name))
        .read()
        .unwrap()
}

fn commit(checkout: &Checkout, message: &str) {
    git(checkout, &["add", "--all", "migrations"]);
    git(checkout, &["commit", "--quiet", "--allow-empty", "--message", message]);
}

/// Writes a migration that adds a column. Its name gives the column's name, so the migrations work in any order.
pub(super) fn add_column(checkout: &Checkout, name: &str, table: &str, head: &str) {
    let column = name.rsplit('_').next().unwrap();
    let up = format!("-- Adds {column}.\n{head}\nalter table {table} add column {column} text;\n");
    checkout.migration(name, &up, &format!("-- Removes it.\nalter table {table} drop column {column};\n"));
}

/// A checkout on a feature branch. Both that branch and main have commits of their own, and main is merged into the feature.
pub(super) fn merged(feature: impl Fn(&Checkout), main: impl Fn(&Checkout)) -> Checkout {
    let checkout = Checkout::new();
    checkout.replace(
        "apps.toml",
        "depends-on = [\"people\"]\ntables = [\"loans\"]",
        "depends-on = [\"people\", \"library\"]\ntables = [\"loans\"]",
    );
    git(&checkout, &["init", "--quiet", "--initial-branch", "main"]);
    commit(&checkout, "Begin");
    git(&checkout, &["switch", "--quiet", "--create", "feature"]);
    feature(&checkout);
    commit(&checkout, "Add a feature");
    git(&checkout, &["switch", "--quiet", "main"]);
    main(&checkout);
    commit(&checkout, "Change the main branch");
    git(&checkout, &["switch", "--quiet", "feature"]);
    git(&checkout, &["merge", "--quiet", "--no-edit", "main"]);
    checkout
}

/// The feature adds two migrations to `library`, and one to `loans` that depends on the first. Main has used the first one's
/// number too.
pub(super) fn collision() -> Checkout {
    merged(
        |it| {
            add_column(it, "library/0004_add_tier", "branches", "");
            add_column(it, "library/0005_add_limits", "branches", "");
            let head = "-- depends-on: people/0001_initial\n-- depends-on: library/0004_add_tier";
            add_column(it, "loans/0002_add_level", "loans", head);
        },
        |it| add_column(it, "library/0004_add_label", "branches", ""),
    )
}

/// Every migration file, by its path, with its text.
pub(super) fn files(checkout: &Checkout) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for app in ["people", "library", "loans"] {
        for entry in fs::read_dir(checkout.path(app)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.insert(format!("{app}/{name}"), fs::read_to_string(path).unwrap());
        }
    }
    found
}

/// The names of an app's migrations, in order.
pub(super) fn names(checkout: &Checkout, app: &str) -> Vec<String> {
    let up = |path: String| path.strip_prefix(&format!("{app}/"))?.strip_suffix(".up.sql").map(str::to_owned);
    files(checkout).into_keys().filter_map(up).collect()
}
