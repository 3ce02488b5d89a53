//! `makemigrations --empty` writes both files of the next number, or neither.

use std::{ffi::OsStr, fs};

use crate::{
    checkout::{Checkout, Outcome, outcome},
    snapshot::snapshot,
};

/// Runs the command without a server, since it needs none.
fn make(checkout: &Checkout, app: &str, name: &str) -> Outcome {
    outcome(&checkout.bare_command(&["makemigrations", "--empty", app, "--name", name]))
}

fn files(checkout: &Checkout, app: &str) -> Vec<String> {
    let entries = fs::read_dir(checkout.path(app)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn makemigrations_writes_and_lists_both_files_of_the_next_number() {
    let checkout = Checkout::new();
    make(&checkout, "library", "add_due_date").expect(
        0,
        &[
            "migrations/library/0004_add_due_date.up.sql",
            "migrations/library/0004_add_due_date.down.sql",
            "if there is no way back, the .down.sql holds only this line: -- irreversible: why",
            "cargo xtask migrate && cargo xtask verify",
        ],
    );
    let text = |name: &str| fs::read_to_string(checkout.path(name)).unwrap();
    // `library` already depends on `people`.
    assert_eq!(text("library/0004_add_due_date.up.sql"), "-- Add due date.\n");
    assert_eq!(text("library/0004_add_due_date.down.sql"), "-- Reverts: add due date.\n");
    let args = ["makemigrations", "--empty", "people", "--name", "a1", "--format", "json"];
    let json = outcome(&checkout.bare_command(&args));
    let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout).unwrap();
    assert_eq!(json["created"][1], "migrations/people/0002_a1.down.sql");
}

#[test]
fn the_head_depends_on_the_migrations_that_the_app_does_not_depend_on_yet() {
    let checkout = Checkout::new();
    checkout.replace(
        "apps.toml",
        "depends-on = [\"people\"]\ntables = [\"loans\"]",
        "depends-on = [\"people\", \"library\"]\ntables = [\"loans\"]",
    );
    make(&checkout, "loans", "add_note").expect(0, &[]);
    let text = fs::read_to_string(checkout.path("loans/0002_add_note.up.sql")).unwrap();
    assert_eq!(text, "-- Add note.\n-- depends-on: library/0003_index_staff\n");
    make(&checkout, "loans", "add_more").expect(0, &[]);
    let text = fs::read_to_string(checkout.path("loans/0003_add_more.up.sql")).unwrap();
    assert_eq!(text, "-- Add more.\n");
}

#[test]
fn migrate_stops_before_an_up_without_a_statement_and_runs_it_once_it_has_one() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        make(&checkout, "loans", "add_note").expect(0, &[]);
        let said = [
            "loans/0001_initial",
            "loans/0002_add_note has no statement yet, so it was not applied",
            "fill in migrations/loans/0002_add_note.up.sql",
        ];
        checkout.xtask(db, &["migrate"]).expect(3, &said);
        let before = snapshot(db).await;
        for empty in ["-- no-transaction\n", "", " /* later */ ;;"] {
            checkout.write("loans/0002_add_note.up.sql", empty);
            checkout.xtask(db, &["migrate"]).expect(3, &said[1..]);
        }
        assert_eq!(before, snapshot(db).await);
        checkout.xtask(db, &["migrate", "people"]).expect(0, &[]);
        checkout.xtask(db, &["verify"]).expect(
            3,
            &[
                "each file has a statement",
                "FAILED",
                "migrations/loans/0002_add_note.up.sql has no statement",
            ],
        );
        checkout.write("loans/0002_add_note.up.sql", "alter table loans add column note text;");
        checkout.xtask(db, &["migrate"]).expect(0, &["loans/0002_add_note", "applied"]);
        Ok(())
    });
}

#[test]
fn a_rejected_command_writes_nothing() {
    let checkout = Checkout::new();
    let before = files(&checkout, "people");
    for name in ["AddNote", "add-note", "0002_add_note", "add__note", "add_note_", "", "é", "a/b", "../a"] {
        make(&checkout, "people", name).expect(2, &["--name"]);
    }
    make(&checkout, "poeple", "add_note").expect(1, &["no app `poeple`; did you mean `people`?"]);
    let args = ["makemigrations", "people"];
    outcome(&checkout.bare_command(&args))
        .expect(1, &["cargo xtask makemigrations --empty people --name NAME"]);
    outcome(&checkout.bare_command(&["makemigrations", "--empty", "people"])).expect(2, &["--name"]);
    make(&checkout, "people", "initial").expect(1, &["people/0001_initial already exists"]);
    // The shell's limit lets the command write no byte of a file.
    let shell = ["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"].map(OsStr::new);
    let args = ["makemigrations", "--empty", "people", "--name", "add_note"];
    outcome(&checkout.bare_command_by(&shell, &args, &[]))
        .expect(1, &["nothing was changed", "0002_add_note.up.sql"]);
    assert_eq!(before, files(&checkout, "people"));
    make(&checkout, "people", "add_note").expect(0, &[]);
    make(&checkout, "people", "add_note").expect(1, &["people/0002_add_note already exists"]);
    assert_eq!(files(&checkout, "people").len(), before.len() + 2);
}
