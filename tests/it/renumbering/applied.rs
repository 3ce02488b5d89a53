//! If a database has applied what gets a new number, its ledger follows the files, or nothing changes anywhere.

use sqlx::{AssertSqlSafe, Executor};
use tests::TestDatabase;

use super::{
    branches::{add_column, collision, files, git, merged, names},
    renumber,
};
use crate::{checkout::Checkout, snapshot::snapshot};

/// Sets a database up on the feature branch, before main is merged into it, and returns to the merged files.
fn set_up(checkout: &Checkout, db: &TestDatabase) {
    git(checkout, &["switch", "--quiet", "--detach", "feature~1"]);
    checkout.xtask(db, &["db-setup"]).expect(0, &[]);
    git(checkout, &["switch", "--quiet", "feature"]);
}

/// Expects that `renumber` fails like this, and changes neither files nor database.
async fn refuses(checkout: &Checkout, db: &TestDatabase, args: &[&str], code: i32, said: &[&str]) {
    let before = (files(checkout), snapshot(db).await);
    checkout.xtask(db, &[&["renumber"], args].concat()).expect(code, said);
    assert!(before == (files(checkout), snapshot(db).await), "something changed");
}

#[test]
fn the_ledger_follows_in_one_command_and_no_row_is_lost() {
    // The ledger has the migrations under their names, and under another one.
    for description in ["add tier", "other"] {
        tests::empty().run(async |db| {
            let checkout = collision();
            set_up(&checkout, db);
            let rename = sqlx::query("update migrations.library set description = $1 where version = 4");
            rename.bind(description).execute(db.pool()).await?;
            db.pool()
                .execute("insert into branches (name, slug, tier) values ('North', 'north', 'gold')")
                .await?;
            let said = [
                "renumber   library/0004_add_tier → 0005_add_tier",
                "3 rows follow the files",
                "_add_limits → 0006_add_limits",
                "loans/0002_add_level, with its new head",
                "apply      library/0004_add_label",
            ];
            refuses(&checkout, db, &["--plan"], 0, &said).await;

            checkout.xtask(db, &["renumber"]).expect(0, &said).expect(0, &["then: git add --all migrations"]);
            checkout.xtask(db, &["migrate"]).expect(0, &["0 pending"]);
            checkout.xtask(db, &["db-check"]).expect(0, &["db-check: 9 migrations applied"]);
            let tier = sqlx::query_scalar::<_, String>("select tier from branches where slug = 'north'");
            assert_eq!(tier.fetch_one(db.pool()).await?, "gold");
            checkout.xtask(db, &["renumber"]).expect(0, &["no number is taken twice; nothing to do"]);
            Ok(())
        });
    }
}

#[test]
fn a_ledger_that_was_left_behind_follows_later() {
    tests::empty().run(async |db| {
        let checkout = collision();
        set_up(&checkout, db);
        // As a colleague gets them, or after a kill between the files and the ledger.
        renumber(&checkout, &[]).expect(0, &["not checked", "run this again there"]);
        let renumbered = files(&checkout);
        checkout.xtask(db, &["migrate"]).expect(1, &["the ledger and the files disagree"]);
        let json = checkout.xtask(db, &["renumber", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout)?;
        assert_eq!(
            json["followed"],
            serde_json::json!(["library/0005_add_tier", "library/0006_add_limits", "loans/0002_add_level"])
        );
        assert_eq!(json["applied"], serde_json::json!(["library/0004_add_label"]));
        assert_eq!(renumbered, files(&checkout));
        checkout.xtask(db, &["db-check"]).expect(0, &["db-check: 9 migrations applied"]);
        Ok(())
    });
}

#[test]
fn migrations_with_the_same_text_and_name_each_keep_their_row() {
    tests::empty().run(async |db| {
        let checkout = merged(
            |it| {
                for number in 4..7 {
                    it.migration(&format!("library/000{number}_fix"), "select 1;", "select 1;");
                }
            },
            |it| add_column(it, "library/0004_add_label", "branches", ""),
        );
        set_up(&checkout, db);
        checkout.xtask(db, &["renumber"]).expect(0, &["3 rows follow", "0004_fix → 0005_fix"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["0 pending"]);
        Ok(())
    });
}

#[test]
fn an_edited_migration_keeps_its_number() {
    tests::empty().run(async |db| {
        let checkout = collision();
        set_up(&checkout, db);
        checkout.replace("library/0004_add_tier.up.sql", "Adds", "Adds a");
        let said = ["nothing was touched", "edited since it applied them: library/0004_add_tier\n"];
        refuses(&checkout, db, &[], 4, &said).await;
        refuses(&checkout, db, &["--plan"], 4, &said).await;
        let advice = checkout.xtask(db, &["renumber"]).advice("without its rows:");
        assert_eq!(advice, "cargo xtask db-drop && cargo xtask renumber && cargo xtask db-setup");
        Ok(())
    });
}

#[test]
fn a_ledger_that_contradicts_the_files_in_another_way_is_refused() {
    tests::empty().run(async |db| {
        let checkout = collision();
        set_up(&checkout, db);
        db.pool().execute("update migrations.people set checksum = 'x'").await?;
        refuses(&checkout, db, &[], 4, &["can't follow", "people/0001_initial.up.sql is not the file"]).await;
        Ok(())
    });
}

#[test]
fn a_database_that_might_matter_has_to_be_named() {
    tests::empty().run(async |db| {
        let checkout = collision();
        set_up(&checkout, db);
        let mark =
            format!("comment on database {} is 'environment=production created=2026-03-02'", db.name());
        db.pool().execute(AssertSqlSafe(mark)).await?;
        refuses(&checkout, db, &[], 4, &["`production`", "renumber --confirm", "nothing was touched"]).await;
        refuses(&checkout, db, &["--confirm", "other"], 4, &["names another database"]).await;
        checkout.xtask(db, &["renumber", "--confirm", db.name()]).expect(0, &["3 rows follow"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["0 pending"]);
        Ok(())
    });
}

#[test]
fn nothing_changes_if_what_comes_before_them_now_does_not_fit() {
    let taken = "alter table branches add column tier text;";
    let outside = "-- no-transaction\ncreate index concurrently late_idx on branches (code);";
    for (main, code, said) in [
        (taken, 1, "column \"tier\" of relation \"branches\" already exists"),
        (outside, 4, "can't run in the transaction that moves its rows: library/0004_main"),
        ("-- Nothing yet.", 4, "can't run in the transaction that moves its rows: library/0004_main"),
    ] {
        tests::empty().run(async |db| {
            let checkout = merged(
                |it| add_column(it, "library/0004_add_tier", "branches", ""),
                |it| it.migration("library/0004_main", main, "select 1;"),
            );
            set_up(&checkout, db);
            refuses(&checkout, db, &[], code, &[said]).await;
            Ok(())
        });
    }
}

#[test]
fn nothing_changes_if_the_order_makes_a_difference() {
    tests::empty().run(async |db| {
        let looks = "do $$ begin
            if exists (select from pg_attribute where attrelid = 'branches'::regclass and attname = 'label') then
                comment on table branches is 'with a label';
            end if;
        end $$;";
        let checkout = merged(
            |it| it.migration("library/0004_look", looks, "select 1;"),
            |it| add_column(it, "library/0004_add_label", "branches", ""),
        );
        set_up(&checkout, db);
        let said = ["would not be what the files make in their new order", "with a label", "nothing was touched"];
        refuses(&checkout, db, &[], 3, &said).await;
        Ok(())
    });
}

#[test]
fn the_ledger_stays_if_the_files_cannot_change() {
    tests::empty().run(async |db| {
        // A file is replaced by way of one beside it, whose name would be too long for any file system.
        let long = format!("loans/0002_{}_level", "x".repeat(255 - "0002__level.down.sql".len()));
        let checkout = merged(
            |it| {
                add_column(it, "library/0004_add_tier", "branches", "");
                let head = "-- depends-on: people/0001_initial\n-- depends-on: library/0004_add_tier";
                add_column(it, &long, "loans", head);
            },
            |it| add_column(it, "library/0004_add_label", "branches", ""),
        );
        set_up(&checkout, db);
        refuses(&checkout, db, &[], 1, &["nothing was changed", "File name too long"]).await;
        assert_eq!(names(&checkout, "library").len(), 5);
        Ok(())
    });
}
