//! If the ledger contradicts the files, every command that would write fails, and `db-check` lists every contradiction.

use sqlx::Executor;
use tests::TestDatabase;

use crate::{
    checkout::Checkout,
    snapshot::{shape, snapshot},
};

const TABLE: (&str, &str) = ("create table extra (id int);", "drop table extra;");

/// Applies the project with two more migrations, spoils files or ledger, and expects the same message from every command.
#[track_caller]
fn check(spoil: impl AsyncFn(&Checkout, &TestDatabase), kind: &str, said: &[&str]) {
    tests::empty().run(async |db: &TestDatabase| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_extra", TABLE.0, TABLE.1);
        checkout.migration("loans/0003_index", "create index on extra (id);", "drop index extra_id_idx;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        spoil(&checkout, db).await;
        let before = snapshot(db).await;
        for args in
            [&["migrate"] as &[&str], &["migrate", "--plan"], &["migrate", "loans", "0002"], &["db-setup"]]
        {
            let printed = checkout.xtask(db, args);
            printed
                .expect(1, said)
                .expect(1, &["the ledger and the files disagree; nothing was touched", kind]);
        }
        checkout.xtask(db, &["db-check"]).expect(3, said).expect(3, &[kind]);
        checkout.xtask(db, &["showmigrations"]).expect(0, &["warning: ", kind]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

async fn run(db: &TestDatabase, sql: &'static str) {
    db.pool().execute(sql).await.unwrap();
}

#[test]
fn an_edited_file_is_reported_with_the_command_that_restores_it() {
    check(
        async |it, _| it.replace("people/0001_initial.up.sql", "Creates people", "Creates People"),
        "edited",
        &[
            "people/0001_initial: migrations/people/0001_initial.up.sql is not the file that was applied",
            "git checkout -- migrations/people/0001_initial.up.sql",
        ],
    );
}

#[test]
fn an_applied_migration_without_a_file_is_reported() {
    check(
        async |it, _| {
            it.remove("loans/0003_index.up.sql");
            it.remove("loans/0003_index.down.sql");
        },
        "file gone",
        &[
            "loans/0003_index was applied (20",
            "git log --all --oneline -- migrations/loans/0003_index.up.sql",
        ],
    );
}

#[test]
fn a_late_file_is_reported_with_a_later_migration_that_is_applied() {
    check(
        async |_, db| run(db, "delete from migrations.loans where version = 2").await,
        "late",
        &[
            "loans/0002_extra is not applied, and loans/0003_index is",
            "if the database has what it makes, its row was lost: cargo xtask adopt loans 0002_extra",
        ],
    );
}

#[test]
fn a_migration_applied_before_its_dependency_is_reported() {
    check(
        async |_, db| run(db, "delete from migrations.people").await,
        "impossible",
        &["library/0001_initial is applied, and people/0001_initial, which it depends on, is not"],
    );
}

#[test]
fn a_renamed_migration_is_reported_with_its_old_name() {
    check(
        async |it, _| {
            for direction in ["up", "down"] {
                let path = |name: &str| it.path(&format!("loans/{name}.{direction}.sql"));
                std::fs::rename(path("0003_index"), path("0003_indices")).unwrap();
            }
        },
        "renamed",
        &["loans/0003_indices was applied as 0003_index", "name its files 0003_index again"],
    );
}

#[test]
fn a_row_marked_as_failed_is_reported() {
    check(
        async |_, db| run(db, "update migrations.people set success = false").await,
        "unfinished",
        &[
            "people/0001_initial is marked as failed in the ledger",
            "if it is applied: cargo xtask db-shell --command \"update migrations.people set success = true where version = 1\"",
        ],
    );
}

#[test]
fn a_ledger_without_an_app_is_reported() {
    check(
        async |_, db| run(db, "create table migrations.billing (version bigint)").await,
        "unknown",
        &["table migrations.billing is in the schema of the ledgers, and no app of apps.toml has it"],
    );
}

#[test]
fn an_unexpected_and_a_missing_table_are_reported_by_name() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["db-setup"]).expect(0, &["9 tables, 19 seeded rows, exactly as the files say"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["db-check: 5 migrations applied, 9 tables"]);
        db.pool().execute("drop table loans; create table stray (id int)").await?;
        let before = snapshot(db).await;
        let said = [
            "db-check: 2 differences",
            "missing     table loans   app `loans` owns it, and all its migrations are applied",
            "unexpected  table stray   no app owns it",
        ];
        checkout.xtask(db, &["db-check"]).expect(3, &said);
        assert_eq!(before, snapshot(db).await);
        checkout
            .xtask(db, &["db-setup"])
            .expect(3, &["missing     table loans", "unexpected  table stray", "cargo xtask db-check"]);
        assert_eq!(before, snapshot(db).await, "db-setup changed a database with the wrong tables");
        let json = checkout.xtask(db, &["db-setup", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(3, &[]).stdout)?;
        assert_eq!(
            (json["done"].as_bool(), json["steps"][4]["state"].as_str()),
            (Some(false), Some("failed"))
        );
        let json = checkout.xtask(db, &["db-check", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(3, &[]).stdout)?;
        assert_eq!(json["differences"][0]["difference"], "missing");
        assert_eq!(json["differences"][1]["what"], "table stray");
        Ok(())
    });
}

#[test]
fn db_check_counts_pending_migrations_as_differences() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate", "people"]).expect(0, &["people/0001_initial"]);
        checkout.xtask(db, &["db-check"]).expect(
            3,
            &[
                "pending     loans/0001_initial",
                "apply it: cargo xtask migrate",
                "and it has pending migrations",
            ],
        );
        Ok(())
    });
}

#[test]
fn a_row_that_was_lost_is_recorded_again_by_the_command_of_the_message() {
    for (app, version) in [("people", 1), ("library", 2), ("loans", 2)] {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            checkout.migration("loans/0002_extra", TABLE.0, TABLE.1);
            checkout.migration("loans/0003_index", "create index on extra (id);", "drop index extra_id_idx;");
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            let before = shape(db).await;
            let sql = format!("delete from migrations.{app} where version = {version}");
            db.pool().execute(sqlx::AssertSqlSafe(sql)).await?;
            let refused = checkout.xtask(db, &["migrate"]);
            let advice = refused.expect(1, &[]).advice("its row was lost:");
            checkout.paste(db, &advice).expect(0, &[&format!("{app}/000{version}"), "adopted"]);
            checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
            checkout.xtask(db, &["db-check"]).expect(3, &["seed"]);
            assert_eq!(shape(db).await, before);
            Ok(())
        });
    }
}

#[test]
fn a_skipped_migration_is_not_taken_for_a_lost_row_and_can_be_made_up_for() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_extra", TABLE.0, TABLE.1);
        checkout.migration("loans/0003_other", "create table other (id int);", "drop table other;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        run(db, "delete from migrations.loans where version = 2").await;
        run(db, "drop table extra").await;
        let refused = checkout.xtask(db, &["migrate"]);
        let before = snapshot(db).await;
        let lost = refused.expect(1, &[]).advice("its row was lost:");
        checkout.paste(db, &lost).expect(3, &["missing     table public.extra", "nothing was recorded"]);
        assert_eq!(snapshot(db).await, before);
        checkout.paste(db, &refused.advice("make it first:")).expect(0, &[]);
        checkout.paste(db, &lost).expect(0, &["loans/0002_extra", "adopted"]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn a_migration_of_another_branch_with_the_same_number_is_named_with_the_way_back() {
    const COMMIT: &str =
        "git add --all && git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message more";
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let git = |line: &str| {
            checkout.paste(db, line).expect(0, &[]);
        };
        git(&format!(
            "git init --quiet --initial-branch main && {COMMIT} && git switch --quiet --create feature"
        ));
        checkout.migration("loans/0002_extra", TABLE.0, TABLE.1);
        git(COMMIT);
        checkout.xtask(db, &["db-setup"]).expect(3, &["table extra"]);
        git("git switch --quiet main");
        checkout.migration("loans/0002_other", "create table other (id int);", "drop table other;");
        git(COMMIT);
        let refused = checkout.xtask(db, &["migrate"]);
        refused.expect(
            1,
            &["other file", "0002_extra was applied (20", "loans/0002_other is another migration"],
        );
        checkout.xtask(db, &["db-check"]).expect(3, &["0002_extra was applied"]);
        let found = checkout.paste(db, &refused.advice("find the branch that has it:"));
        assert_eq!(found.expect(0, &["more"]).stdout.lines().count(), 1);
        git("git switch --quiet feature");
        checkout
            .paste(db, &refused.advice("go back to before it:"))
            .expect(0, &["loans/0002_extra", "reverted"]);
        git("git switch --quiet main");
        checkout.xtask(db, &["migrate"]).expect(0, &["loans/0002_other", "applied"]);
        Ok(())
    });
}

#[test]
fn a_renamed_app_keeps_its_ledger_with_the_command_of_the_message() {
    tests::empty().run(async |db| {
        let checkout = crate::failing_sql::one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        std::fs::rename(checkout.path("a"), checkout.path("b"))?;
        checkout.replace("apps.toml", "name = \"a\"", "name = \"b\"");
        checkout.replace("b/sqlx.toml", "migrations.a", "migrations.b");
        let refused = checkout.xtask(db, &["migrate"]);
        refused.expect(1, &["table migrations.a lists b/0001_first as applied"]);
        checkout.paste(db, &refused.advice("if app `b` was called so before:")).expect(0, &[]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn a_renamed_migration_gets_its_name_back_by_the_command_of_the_message() {
    tests::empty().run(async |db| {
        let checkout = crate::failing_sql::one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        for direction in ["up", "down"] {
            let path = |name: &str| checkout.path(&format!("a/{name}.{direction}.sql"));
            std::fs::rename(path("0001_first"), path("0001_begin"))?;
        }
        let refused = checkout.xtask(db, &["migrate"]);
        let advice = refused.expect(1, &["renamed"]).advice("name its files 0001_first again:");
        checkout.paste(db, &advice).expect(0, &[]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        Ok(())
    });
}
