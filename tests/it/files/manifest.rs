//! A manifest, `apps.toml`, that contradicts itself or the folders beside it.

use super::{DOWN, UP, check};
use crate::fixture;

/// The number of the manifest's line with this text.
fn line_of(text: &str) -> usize {
    let manifest = std::fs::read_to_string(fixture::folder().join("apps.toml")).unwrap();
    manifest.lines().position(|line| line == text).unwrap() + 1
}

#[test]
fn a_syntax_error_in_the_manifest_is_reported_with_its_line() {
    check(
        |it| it.replace("apps.toml", "[postgres]", "[postgres"),
        &[&format!("migrations/apps.toml:{}: ", line_of("[postgres]")), "nothing was touched"],
    );
}

#[test]
fn an_unknown_key_of_the_manifest_is_reported_with_its_line() {
    check(
        |it| it.replace("apps.toml", "name = \"loans\"", "name = \"loans\"\ncolour = \"red\""),
        &[
            &format!("migrations/apps.toml:{}: ", line_of("name = \"loans\"") + 1),
            "unknown field `colour`",
            "depends-on",
        ],
    );
}

#[test]
fn an_unknown_app_in_depends_on_is_reported_with_the_nearest_name() {
    check(
        |it| it.replace("apps.toml", "depends-on = [\"people\"]", "depends-on = [\"poeple\"]"),
        &[&format!(
            "migrations/apps.toml:{}: app `library` depends on `poeple`, which is no app here; did you mean `people`?",
            line_of("depends-on = [\"people\"]")
        )],
    );
}

#[test]
fn apps_that_depend_on_each_other_are_rejected() {
    check(
        |it| it.replace("apps.toml", "depends-on = []", "depends-on = [\"loans\"]"),
        &["the apps depend on each other in a circle: people → loans → people"],
    );
}

#[test]
fn a_table_that_two_apps_list_is_rejected() {
    check(
        |it| it.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loans\", \"roles\"]"),
        &["table `roles` of app `loans` belongs to app `people` already"],
    );
}

#[test]
fn a_folder_without_an_entry_is_rejected() {
    check(
        |it| it.migration("billing/0001_initial", UP, DOWN),
        &[
            "migrations/billing/: no app of that name in migrations/apps.toml; add an [[app]] entry or remove the folder",
        ],
    );
}

#[test]
fn an_entry_without_a_folder_is_rejected() {
    check(
        |it| it.remove("loans"),
        &["migrations/apps.toml: app `loans` has no folder; create migrations/loans/ or remove the entry"],
    );
}

#[test]
fn an_app_that_is_listed_twice_or_depends_on_itself_is_rejected() {
    check(
        |it| it.replace("apps.toml", "name = \"loans\"", "name = \"people\""),
        &["app `people` is here twice"],
    );
    check(
        |it| it.replace("apps.toml", "depends-on = []", "depends-on = [\"people\"]"),
        &["app `people` depends on itself; remove it"],
    );
}

#[test]
fn names_that_postgres_would_truncate_or_quote_are_rejected() {
    let long = "x".repeat(64);
    check(
        |it| it.replace("apps.toml", "name = \"loans\"", &format!("name = \"{long}\"")),
        &["is not lower-case letters, digits and `_`, 63 at most"],
    );
    check(|it| it.replace("apps.toml", "name = \"loans\"", "name = \"Loans\""), &["app name `Loans` is not"]);
    check(
        |it| it.replace("apps.toml", "database = \"app\"", "database = \"\""),
        &["`database` must be a plain name"],
    );
}
