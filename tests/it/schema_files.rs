//! `makemigrations` writes what leads to the schema files, and nothing that it has not proven.

use std::fs;

use tests::TestDatabase;

use crate::{
    checkout::{Checkout, Outcome, outcome},
    snapshot::snapshot,
};

mod apps;
mod inspecting;
mod phases;
mod refusals;
mod renaming;
mod rows;
mod trying;

/// The fixture with a schema file for each app: what its up files say.
fn fixture() -> Checkout {
    let checkout = Checkout::new();
    for app in ["people", "library", "loans"] {
        let mut text = String::new();
        for name in ups(&checkout, app) {
            text += &fs::read_to_string(checkout.path(&format!("{app}/{name}"))).unwrap();
        }
        checkout.write(&format!("{app}/schema.sql"), &text);
    }
    checkout
}

/// The names of an app's up files.
fn ups(checkout: &Checkout, app: &str) -> Vec<String> {
    let entries = fs::read_dir(checkout.path(app)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".up.sql")).collect();
    names.sort();
    names
}

fn text(checkout: &Checkout, path: &str) -> String {
    fs::read_to_string(checkout.path(path)).unwrap()
}

fn append(checkout: &Checkout, app: &str, sql: &str) {
    let path = format!("{app}/schema.sql");
    checkout.write(&path, &format!("{}\n{sql}\n", text(checkout, &path)));
}

/// Runs `makemigrations` where the test's server is meant.
fn make(checkout: &Checkout, db: &TestDatabase, more: &[&str]) -> Outcome {
    outcome(&checkout.command(&db.url(), &[&["makemigrations"], more].concat()))
}

#[test]
fn a_change_is_written_once_and_nothing_else_is() {
    tests::empty().run(async |db| {
        let (checkout, before) = (fixture(), snapshot(db).await);
        make(&checkout, db, &["--check"]).expect(0, &["the migrations make what the schema files say"]);
        checkout.replace(
            "loans/schema.sql",
            "    fee        double precision,",
            "    fee        double precision,\n    due_on     date,",
        );
        append(&checkout, "loans", "comment on column loans.due_on is 'The last day.';");
        make(&checkout, db, &["--check"])
            .expect(3, &["missing", "migrations/loans/0002_add_loans_due_on.up.sql"]);
        let dry = make(&checkout, db, &["--dry-run"]);
        assert!(dry.expect(0, &[]).stdout.contains("alter table public.loans add column due_on date;"));
        assert_eq!(ups(&checkout, "loans").len(), 1);

        make(&checkout, db, &[]).expect(0, &["created", "migrations/loans/0002_add_loans_due_on.down.sql"]);
        assert_eq!(
            text(&checkout, "loans/0002_add_loans_due_on.up.sql"),
            "-- Adds the column loans.due_on.\n-- Tried with rows: keeps all rows.\n\n\
             alter table public.loans add column due_on date;\n\n\
             comment on column public.loans.due_on is 'The last day.';\n"
        );
        assert_eq!(
            text(&checkout, "loans/0002_add_loans_due_on.down.sql"),
            "-- Reverts: add loans due on.\n\n\
             -- data loss: column public.loans.due_on\nalter table public.loans drop column due_on;\n"
        );
        make(&checkout, db, &[]).expect(0, &["the migrations make what the schema files say"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn verify_proves_that_the_files_and_the_migrations_agree() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout
            .xtask(db, &["verify"])
            .expect(0, &["the migrations make what schema.sql says         holds"]);
        checkout.replace("loans/schema.sql", "fee        double precision", "fee        real");
        let flaws = [
            "the migrations make what schema.sql says         FAILED",
            "differs     column public.loans.fee: data type",
            "write what is missing: cargo xtask makemigrations",
        ];
        checkout.xtask(db, &["verify"]).expect(3, &flaws);
        // The check of the column has to make way, and is not what this is about.
        make(&checkout, db, &[]).expect(0, &["loans/0002_change_loans_fee"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}
