//! A ledger stays where sqlx made it, or moves without a migration that runs twice.

use migrations::Project;
use sqlx::{AssertSqlSafe, Executor, migrate::Migrator};
use tests::TestDatabase;

use super::stock;
use crate::{
    checkout::Checkout,
    snapshot::{shape, snapshot},
};

const STOCK: &str = "ledger = \"public._sqlx_migrations\"\nreversible = false";
const FILES: [(&str, &str); 3] = [
    ("1_users.sql", "create table users (id int);"),
    // It reads the ledger.
    ("2_posts.sql", "create table posts as select count(*) as n from _sqlx_migrations;"),
    ("3_rows.sql", "insert into users values (1);"),
];
const TABLES: &[&str] = &["posts", "users"];

/// Applies the files of the app `a` as any program with sqlx does, to a ledger that nothing names.
async fn sqlx_run(checkout: &Checkout, db: &TestDatabase) {
    Migrator::new(checkout.path("a")).await.unwrap().run(db.pool()).await.unwrap();
}

async fn rows(db: &TestDatabase, table: &str) -> Vec<(i64, String)> {
    let sql = format!("select version, description from {table} order by 1");
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(db.pool()).await.unwrap()
}

#[test]
fn a_stock_database_is_up_to_date_and_its_ledger_is_no_table_of_an_app() {
    tests::empty().run(async |db| {
        let checkout = stock(STOCK, TABLES, &FILES);
        sqlx_run(&checkout, db).await;
        let before = snapshot(db).await;
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["migrate"]).expect(0, &["3 migrations", "0 pending"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["3 migrations applied, 2 tables"]);
        checkout
            .xtask(db, &["verify"])
            .expect(0, &["2 tables, exactly as apps.toml says", "all of it holds"]);
        assert_eq!(before, snapshot(db).await);
        db.pool().execute("alter table users add column stray int").await?;
        checkout.xtask(db, &["db-check"]).expect(3, &["stray"]);
        Ok(())
    });
}

#[test]
fn sqlx_and_we_continue_where_the_other_stopped() {
    tests::empty().run(async |db| {
        let checkout = stock(STOCK, TABLES, &FILES[..1]);
        sqlx_run(&checkout, db).await;
        checkout.write("a/2_posts.sql", FILES[1].1);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/2_posts", "applied"]);
        checkout.write("a/3_rows.sql", FILES[2].1);
        sqlx_run(&checkout, db).await;
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["3 migrations applied"]);
        assert_eq!(rows(db, "public._sqlx_migrations").await.len(), 3);
        Ok(())
    });
}

#[test]
fn a_new_database_gets_the_ledger_where_sqlx_looks_for_it() {
    tests::empty().run(async |db| {
        let checkout = stock(STOCK, TABLES, &FILES);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/3_rows", "applied"]);
        let before = snapshot(db).await;
        sqlx_run(&checkout, db).await;
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn a_ledger_in_the_schema_of_the_tables_is_read_where_sqlx_toml_names_it() {
    for (settings, table) in [
        ("", "public._sqlx_migrations"),
        ("[migrate]\ntable-name = \"my_ledger\"\n", "public.my_ledger"),
        (
            "[migrate]\ncreate-schemas = [\"own\"]\ntable-name = \"own._sqlx_migrations\"\n",
            "own._sqlx_migrations",
        ),
    ] {
        let checkout = stock("reversible = false", TABLES, &FILES[..1]);
        checkout.write("a/sqlx.toml", settings);
        let project = Project::load(&checkout.path("")).unwrap();
        assert_eq!(project.apps[0].ledger, table);
    }
}

#[test]
fn two_apps_with_one_ledger_are_refused_with_the_line_that_separates_them() {
    let checkout = stock(STOCK, TABLES, &FILES[..1]);
    let more = "[[app]]\nname = \"b\"\ndepends-on = []\ntables = []\nledger = \"public._sqlx_migrations\"\n";
    checkout.replace("apps.toml", "[[app]]\nname = \"a\"", &format!("{more}[[app]]\nname = \"a\""));
    checkout.write("b/1_other.sql", "select 1;");
    checkout.replace("apps.toml", "name = \"b\"", "name = \"b\"\nreversible = false");
    let error = Project::load(&checkout.path("")).unwrap_err().to_string();
    let said = "apps `b` and `a` have one ledger, public._sqlx_migrations, in which each would find the other's migrations; \
                give `a` its own, beside its name: ledger = \"migrations.a\"";
    assert!(error.contains(said), "{error}");
}

/// A database whose ledger is where sqlx made it, and a checkout whose app has another.
#[track_caller]
fn left_elsewhere(test: impl AsyncFn(&Checkout, &TestDatabase)) {
    tests::empty().run(async |db| {
        let checkout = stock("reversible = false", TABLES, &FILES);
        sqlx_run(&checkout, db).await;
        checkout.write(
            "a/sqlx.toml",
            "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.a\"\n",
        );
        test(&checkout, db).await;
        Ok(())
    });
}

#[test]
fn what_another_ledger_records_is_never_applied_again() {
    left_elsewhere(async |checkout, db| {
        let before = snapshot(db).await;
        let said = [
            "table public._sqlx_migrations lists 3 migrations as applied, a/1_users first",
            "record them without running them again: cargo xtask adopt",
            "or keep that ledger, with a line beside the name of app `a` in apps.toml: ledger = \"public._sqlx_migrations\"",
        ];
        for args in [&["migrate"] as &[&str], &["migrate", "--check"], &["migrate", "a"], &["db-setup"]] {
            let refused = checkout.xtask(db, args);
            refused.expect(1, &said).expect(1, &["nothing was touched"]);
        }
        let checked = checkout.xtask(db, &["db-check"]);
        checked.expect(3, &said);
        let all = format!("{}{}", checked.stdout, checked.stderr);
        assert!(!all.contains("drop") && !all.contains("cargo xtask migrate"), "{all}");
        assert_eq!(before, snapshot(db).await);
    });
}

#[test]
fn adopt_records_what_another_ledger_records_and_runs_nothing() {
    left_elsewhere(async |checkout, db| {
        let before = shape(db).await;
        let said =
            ["a/1_users", "a/2_posts", "a/3_rows", "adopted", "public._sqlx_migrations had recorded them"];
        checkout.xtask(db, &["adopt"]).expect(0, &said);
        assert_eq!(rows(db, "migrations.a").await, rows(db, "public._sqlx_migrations").await);
        let users: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(db.pool()).await.unwrap();
        assert_eq!(users, 1);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["3 migrations applied, 2 tables"]);
        checkout.xtask(db, &["adopt"]).expect(0, &["0 pending"]);
        let after = shape(db).await;
        assert!(before.iter().all(|line| after.contains(line)), "{before:?}");
    });
}

#[test]
fn what_is_reverted_after_a_ledger_has_moved_is_pending() {
    left_elsewhere(async |checkout, db| {
        checkout.write("a/3_rows.down.sql", "delete from users;");
        checkout.xtask(db, &["adopt"]).expect(0, &["a/3_rows", "adopted"]);
        checkout.xtask(db, &["migrate", "a", "2"]).expect(0, &["a/3_rows", "reverted"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/3_rows", "applied"]);
    });
}

#[test]
fn a_renamed_and_an_edited_file_are_recognised_in_another_ledger() {
    left_elsewhere(async |checkout, db| {
        std::fs::rename(checkout.path("a/1_users.sql"), checkout.path("a/0001_make_users.sql")).unwrap();
        checkout.remove("a/2_posts.sql");
        checkout.write("a/0002_posts.sql", &format!("-- Why.\n{}", FILES[1].1));
        std::fs::rename(checkout.path("a/3_rows.sql"), checkout.path("a/0003_rows.sql")).unwrap();
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["lists 3 migrations as applied, a/0001_make_users first"]);
        checkout.xtask(db, &["adopt"]).expect(0, &["a/0001_make_users", "a/0002_posts", "adopted"]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
    });
}

#[test]
fn the_line_of_the_message_keeps_the_ledger() {
    left_elsewhere(async |checkout, db| {
        let line = checkout.xtask(db, &["migrate"]).advice("in apps.toml:");
        checkout.remove("a/sqlx.toml");
        checkout.replace("apps.toml", "reversible = false", &format!("reversible = false\n{line}"));
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
    });
}

#[test]
fn the_ledger_of_another_program_is_left_alone() {
    tests::empty().run(async |db| {
        let theirs = stock("reversible = false", TABLES, &[("1_start.sql", "create table theirs (id int);")]);
        sqlx_run(&theirs, db).await;
        let checkout = stock("ledger = \"migrations.a\"\nreversible = false", &["users"], &FILES[..1]);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/1_users", "applied"]);
        assert_eq!(rows(db, "public._sqlx_migrations").await, [(1, "start".to_owned())]);
        checkout.xtask(db, &["db-check"]).expect(3, &["unexpected  table theirs"]);
        Ok(())
    });
}

#[test]
fn commands_of_messages_work_for_names_that_a_shell_would_read_otherwise() {
    tests::empty().run(async |db| {
        let files = [
            ("1_a b.sql", "create table users (id int);"),
            ("2_it's (x).sql", "create table posts (id int);"),
        ];
        let checkout = stock(STOCK, TABLES, &files);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/2_it's (x)", "applied"]);
        db.pool().execute("delete from public._sqlx_migrations where version = 1").await?;
        let refused = checkout.xtask(db, &["migrate"]);
        checkout.paste(db, &refused.advice("its row was lost:")).expect(0, &["a/1_a b", "adopted"]);
        std::fs::rename(checkout.path("a/2_it's (x).sql"), checkout.path("a/2_other [y].sql"))?;
        let refused = checkout.xtask(db, &["migrate"]);
        checkout.paste(db, &refused.advice("name its files 2_it's_(x) again:")).expect(0, &[]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        Ok(())
    });
}
