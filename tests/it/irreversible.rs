//! Migrations that have no way back: every command that would revert one refuses before it touches anything.

use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    snapshot::snapshot,
};

const UP: &str = "-- irreversible: the old codes are gone\nalter table loans add column code text;";
/// A down file beside an up file that databases have recorded without the line.
const DOWN: &str = "-- Nothing brings the codes back.\n\n-- irreversible: the old codes are gone\n";

/// The fixture, with `loans/0003_merge` between two migrations that have a way back.
fn checkout() -> Checkout {
    let checkout = Checkout::new();
    let (up, down) = ("alter table loans add column a int;", "alter table loans drop column a;");
    checkout.migration("loans/0002_a", up, down);
    checkout.write("loans/0003_merge.up.sql", UP);
    let (up, down) = ("alter table loans add column b int;", "alter table loans drop column b;");
    checkout.migration("loans/0004_b", up, down);
    checkout.migration("loans/0005_c", &up.replace(" b ", " c "), &down.replace(" b;", " c;"));
    checkout
}

const LINE: &str = "  migrations/loans/0003_merge.up.sql:1: the old codes are gone\n";

/// Expects that a command refuses, with these words, and changes nothing.
async fn refuses(checkout: &Checkout, db: &TestDatabase, args: &[&str], said: &[&str]) {
    let before = snapshot(db).await;
    let outcome = checkout.xtask(db, args);
    outcome.expect(1, &["error: ", "no way back; nothing was touched\n"]).expect(1, said);
    assert_eq!(outcome.stdout, "", "{args:?}");
    assert_eq!(before, snapshot(db).await);
}

#[test]
fn migrate_refuses_to_go_back_past_one_and_shows_how_far_it_can_go() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let (name, furthest) = ("loans/0003_merge has", "cargo xtask migrate loans 0003_merge\n");
        for args in [
            &["migrate", "loans", "0002"] as &[&str],
            &["migrate", "loans", "0001_initial", "--plan"],
            &["migrate", "loans", "zero"],
            &["migrate", "loans", "zero", "--check"],
            &["migrate", "loans", "zero", "--format", "json"],
            &["migrate", "loans", "zero", "--confirm", db.name()],
        ] {
            refuses(&checkout, db, args, &[name, LINE, furthest, "cargo xtask db-reset"]).await;
        }
        // Its dependents would go back too.
        let outcome = checkout.xtask(db, &["migrate", "people", "zero"]);
        outcome.expect(1, &[name, LINE, "cargo xtask db-reset"]);
        assert!(!outcome.stderr.contains("as far as"), "{outcome:?}");

        checkout.xtask(db, &["migrate", "loans", "0003_merge"]).expect(0, &["loans/0004_b", "reverted"]);
        let outcome = checkout.xtask(db, &["migrate", "loans", "0002"]);
        outcome.expect(1, &[name]);
        assert!(!outcome.stderr.contains("as far as"), "{outcome:?}");
        // What does not depend on it goes back all the same.
        checkout.xtask(db, &["migrate", "library", "zero"]).expect(0, &["library/0001_initial"]);
        checkout.xtask(db, &["db-reset", "--force"]).expect(0, &["loans/0005_c", "applied"]);
        Ok(())
    });
}

#[test]
fn a_way_back_that_is_still_pending_blocks_nothing() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.xtask(db, &["migrate", "loans", "0002"]).expect(0, &[]);
        checkout.xtask(db, &["migrate", "people", "zero"]).expect(0, &["loans/0002_a", "reverted"]);
        Ok(())
    });
}

#[test]
fn a_down_file_says_it_for_an_up_file_that_must_not_change() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.migration("loans/0003_merge", "alter table loans add column code text;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.write("loans/0003_merge.down.sql", DOWN);
        let line = "\n  migrations/loans/0003_merge.down.sql:3: the old codes are gone\n";
        refuses(&checkout, db, &["migrate", "loans", "zero"], &["loans/0003_merge has", line]).await;
        // Both files may say it.
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        let two = Checkout::new();
        two.migration("loans/0002_merge", UP, DOWN);
        outcome(&two.bare_command(&["sqlmigrate", "loans", "0002"])).expect(0, &[UP]);
        Ok(())
    });
}

#[test]
fn all_that_have_no_way_back_are_listed() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.migration("library/0004_rename", "-- irreversible: names are lost\nselect 1;", "");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let names = "loans/0003_merge, library/0004_rename have no way back";
        let place = "  migrations/library/0004_rename.up.sql:1: names are lost\n";
        refuses(&checkout, db, &["migrate", "people", "zero"], &[names, LINE, place]).await;
        Ok(())
    });
}

#[test]
fn lists_mark_them_and_no_sql_is_printed_for_them() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout
            .xtask(db, &["showmigrations", "loans"])
            .expect(0, &[" [X] 0002_a\n [X] 0003_merge  (no way back)\n"]);
        checkout.xtask(db, &["showmigrations", "--plan"]).expect(0, &["loans/0003_merge  (no way back)"]);
        let json = checkout.xtask(db, &["showmigrations", "loans", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout)?;
        assert_eq!(json["migrations"][1]["irreversible"], serde_json::Value::Null);
        assert_eq!(json["migrations"][2]["irreversible"], "the old codes are gone");
        checkout
            .xtask(db, &["sqlmigrate", "loans", "0003", "--backwards"])
            .expect(1, &["error: loans/0003_merge has no way back", LINE.trim_end()]);
        Ok(())
    });
}

#[test]
fn adopt_records_one_that_the_database_has() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.xtask(db, &["migrate", "loans", "0002"]).expect(0, &[]);
        checkout.xtask(db, &["migrate", "library"]).expect(0, &[]);
        sqlx::raw_sql("alter table loans add column code text").execute(db.pool()).await?;
        checkout.xtask(db, &["adopt", "loans", "0003"]).expect(0, &["loans/0003_merge", "adopted"]);
        checkout.xtask(db, &["adopt", "loans", "0002"]).expect(0, &["0 pending"]);
        Ok(())
    });
}
