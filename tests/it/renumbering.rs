//! `renumber` gives a migration a new number if another branch has used its number too. The main branch keeps its numbers.

mod applied;
mod branches;

use std::{ffi::OsStr, fs};

use self::branches::{add_column, collision, files, git, merged, names};
use crate::{
    checkout::{Checkout, Outcome, outcome},
    snapshot::snapshot,
};

/// A URL at which no server listens.
const NOWHERE: &str = "postgres://nobody@127.0.0.1:1/none";

/// Runs `renumber` without a database server.
fn renumber(checkout: &Checkout, args: &[&str]) -> Outcome {
    outcome(&checkout.command(NOWHERE, &[&["renumber"], args].concat()))
}

#[test]
fn a_features_migrations_move_behind_those_on_main_and_heads_follow() {
    tests::empty().run(async |db| {
        let checkout = collision();
        checkout.xtask(db, &["migrate"]).expect(1, &["number 0004 is taken by", "cargo xtask renumber"]);
        let before = files(&checkout);
        let said = [
            "base       main",
            "renumber   library/0004_add_tier → 0005_add_tier",
            "renumber   library/0005_add_limits → 0006_add_limits",
            "edit       migrations/loans/0002_add_level.up.sql",
            "none of them is applied there",
        ];
        checkout.xtask(db, &["renumber", "--plan"]).expect(0, &said).expect(0, &["nothing was written"]);
        assert_eq!(before, files(&checkout));
        assert_eq!(snapshot(db).await, Vec::<String>::from(["schema public".to_owned()]));

        checkout.xtask(db, &["renumber"]).expect(0, &said).expect(0, &["git add --all migrations"]);
        let after = files(&checkout);
        assert_eq!(after.len(), before.len());
        for (old, new) in [
            ("library/0004_add_label", "library/0004_add_label"),
            ("library/0004_add_tier", "library/0005_add_tier"),
            ("library/0005_add_limits", "library/0006_add_limits"),
        ] {
            for ending in ["up.sql", "down.sql"] {
                assert_eq!(before[&format!("{old}.{ending}")], after[&format!("{new}.{ending}")]);
            }
        }
        let level = "loans/0002_add_level.up.sql";
        assert_eq!(after[level], before[level].replace("0004_add_tier", "0005_add_tier"));
        checkout.xtask(db, &["migrate"]).expect(0, &["library/0006_add_limits", "applied"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        checkout.xtask(db, &["renumber"]).expect(0, &["no number is taken twice; nothing to do"]);
        Ok(())
    });
}

#[test]
fn it_renumbers_several_apps_at_once_or_one_by_one() {
    let both = || {
        merged(
            |it| {
                add_column(it, "people/0002_add_one", "people", "");
                add_column(it, "loans/0002_add_one", "loans", "-- depends-on: people/0002_add_one");
            },
            |it| {
                add_column(it, "people/0002_add_two", "people", "");
                add_column(it, "loans/0002_add_two", "loans", "");
            },
        )
    };
    let checkout = both();
    let json = renumber(&checkout, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout).unwrap();
    assert_eq!(json["renamed"].as_array().unwrap().len(), 2);
    assert_eq!(
        json["renamed"][1],
        serde_json::json!({"from": "loans/0002_add_one", "to": "loans/0003_add_one"})
    );
    assert_eq!(json["mended"], serde_json::json!(["migrations/loans/0003_add_one.up.sql"]));
    assert_eq!(names(&checkout, "people"), ["0001_initial", "0002_add_two", "0003_add_one"]);

    let checkout = both();
    renumber(&checkout, &["poeple"]).expect(1, &["did you mean `people`?"]);
    renumber(&checkout, &["library"]).expect(0, &["nothing to do"]);
    renumber(&checkout, &["people"])
        .expect(0, &["people/0002_add_one", "left       migrations/loans/0002_add_two.up.sql"]);
    assert_eq!(names(&checkout, "loans"), ["0001_initial", "0002_add_one", "0002_add_two"]);
    renumber(&checkout, &["loans"]).expect(0, &[]);
    assert_eq!(names(&checkout, "loans"), ["0001_initial", "0002_add_two", "0003_add_one"]);
    let head = fs::read_to_string(checkout.path("loans/0003_add_one.up.sql")).unwrap();
    assert!(head.contains("-- depends-on: people/0003_add_one"), "{head}");
}

#[test]
fn a_migration_without_a_down_file_moves_too() {
    let checkout = merged(
        |it| it.write("loans/0002_merge.up.sql", "-- irreversible: codes are gone\nselect 1;"),
        |it| add_column(it, "loans/0002_add_one", "loans", ""),
    );
    renumber(&checkout, &[]).expect(0, &["loans/0002_merge → 0003_merge"]);
    assert_eq!(names(&checkout, "loans"), ["0001_initial", "0002_add_one", "0003_merge"]);
}

#[test]
fn without_a_server_it_says_that_it_checked_no_database() {
    let checkout = collision();
    renumber(&checkout, &[])
        .expect(0, &["not checked whether a database has them applied", "no server answers"]);
    assert_eq!(names(&checkout, "library").len(), 6);
    let checkout = collision();
    outcome(&checkout.bare_command(&["--server", "native", "renumber"]))
        .expect(0, &["not checked", "renumber   "]);
}

#[test]
fn if_all_or_none_are_on_the_main_branch_the_user_must_choose_which_one_stays() {
    let checkout = collision();
    let before = files(&checkout);
    git(&checkout, &["branch", "--force", "start", "feature~2"]);
    for (args, said) in [
        (&["--base", "start"] as &[&str], "library/0004_add_label, library/0004_add_tier: none is on start"),
        (&["--base", "feature"], "more than one is on feature\n"),
    ] {
        renumber(&checkout, args).expect(4, &[said, "--keep library/0004_add_label", "nothing was touched"]);
    }
    renumber(&checkout, &["--base", "start", "--keep", "0004_add"])
        .expect(1, &["2 migrations are called `0004_add`"]);
    renumber(&checkout, &["--base", "start", "--keep", "0009"]).expect(1, &["no migration is called `0009`"]);
    assert_eq!(before, files(&checkout));
    let keep = ["--base", "start", "--keep", "0004_add_tier", "--keep", "library/0005_add_limits"];
    renumber(&checkout, &keep).expect(0, &["library/0004_add_label → 0006_add_label"]);
    assert_eq!(names(&checkout, "library")[3..], ["0004_add_tier", "0005_add_limits", "0006_add_label"]);
}

#[test]
fn the_base_is_the_branch_that_the_remote_names() {
    let checkout = collision();
    git(&checkout, &["branch", "--move", "main", "trunk"]);
    renumber(&checkout, &[]).expect(1, &["no branch main or master", "--base BRANCH"]);
    renumber(&checkout, &["--base", "truk"]).expect(1, &["git has no branch `truk`", "feature, trunk"]);
    git(&checkout, &["update-ref", "refs/remotes/origin/trunk", "trunk"]);
    git(&checkout, &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    // A stale branch with a usual name does not count.
    git(&checkout, &["branch", "main", "feature~2"]);
    renumber(&checkout, &[]).expect(0, &["base       origin/trunk", "library/0004_add_tier → 0005_add_tier"]);
}

#[test]
fn a_migration_may_take_the_old_name_of_the_next_one() {
    let checkout = merged(
        |it| {
            for number in 4..7 {
                it.migration(&format!("library/000{number}_fix"), &format!("select {number};"), "select 1;");
            }
        },
        |it| add_column(it, "library/0004_add_label", "branches", ""),
    );
    renumber(&checkout, &[]).expect(0, &["0004_fix → 0005_fix", "0006_fix → 0007_fix"]);
    for number in 5..8 {
        let text = fs::read_to_string(checkout.path(&format!("library/000{number}_fix.up.sql"))).unwrap();
        assert_eq!(text, format!("select {};", number - 1));
    }
}

#[test]
fn untracked_files_are_not_on_the_main_branch() {
    let checkout = merged(|_| {}, |it| add_column(it, "library/0004_add_label", "branches", ""));
    add_column(&checkout, "library/0004_add_tier", "branches", "");
    renumber(&checkout, &[]).expect(0, &["library/0004_add_tier → 0005_add_tier"]);
}

#[test]
fn it_refuses_without_git() {
    let checkout = Checkout::new();
    renumber(&checkout, &[]).expect(0, &["nothing to do"]);
    add_column(&checkout, "library/0002_add_tier", "branches", "");
    let before = files(&checkout);
    renumber(&checkout, &[]).expect(4, &["is not in a git repository", "nothing was touched"]);
    let without = checkout.with_path(NOWHERE, &["renumber"], "/nonexistent");
    outcome(&without).expect(1, &["git is not on this machine's PATH"]);
    assert_eq!(before, files(&checkout));
}

#[test]
fn it_undoes_renames_that_it_cannot_finish() {
    let checkout = collision();
    let before = files(&checkout);
    // The process cannot write a byte to any file: the renames succeed, the edit of the head that must follow fails.
    let shell = ["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"].map(OsStr::new);
    let cut = checkout.bare_command_by(&shell, &["renumber"], &[]);
    outcome(&cut).expect(1, &["nothing was changed", "0002_add_level.up.sql"]);
    assert_eq!(before, files(&checkout));
}

#[test]
fn it_reports_other_problems_before_it_renames_anything() {
    let checkout = collision();
    checkout.remove("loans/0002_add_level.down.sql");
    let before = files(&checkout);
    renumber(&checkout, &[]).expect(1, &["would still not be in order", "0002_add_level.down.sql"]);
    assert_eq!(before, files(&checkout));
}
