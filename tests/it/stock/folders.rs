//! Folders stay where they are, and so does the manifest in a repository whose `migrations` is the SQL itself.

use std::fs;

use crate::checkout::Checkout;

const HEAD: &str = "[postgres]\nversion = 15\ndatabase = \"app\"\n";

/// A checkout whose manifest is in the folder `xtask`, with these files below its root.
fn repository(manifest: &str, files: &[(&str, &str)]) -> Checkout {
    let checkout = Checkout::with_files("", &[]);
    checkout.remove("");
    for (path, text) in files.iter().copied().chain([("xtask/apps.toml", &*format!("{HEAD}{manifest}"))]) {
        let path = checkout.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    checkout
}

#[test]
fn folders_anywhere_are_apps_with_the_manifest_in_xtask() {
    tests::empty().run(async |db| {
        let checkout = repository(
            "[[app]]\nname = \"users\"\npath = \"../migrations\"\nreversible = false\ndepends-on = []\ntables = [\"users\"]\n\
             [[app]]\nname = \"jobs\"\npath = \"../crates/jobs/migrations\"\ndepends-on = [\"users\"]\ntables = [\"jobs\"]\n",
            &[
                ("migrations/1_users.sql", "create table users (id int primary key);"),
                ("migrations/README.md", "How to."),
                ("migrations/old/notes.sql", "What was tried."),
                ("crates/jobs/Cargo.toml", ""),
                ("crates/jobs/sqlx.toml", "[migrate]\ntable-name = \"jobs_ledger\"\n"),
                (
                    "crates/jobs/migrations/20240101000000_jobs.up.sql",
                    "-- depends-on: users/1_users\ncreate table jobs (id int references users);",
                ),
                ("crates/jobs/migrations/20240101000000_jobs.down.sql", "drop table jobs;"),
                ("crates/jobs/migrations/schema.sql", "create table jobs (id int references users, at int);"),
                ("xtask/src/main.rs", ""),
            ],
        );
        checkout.xtask(db, &["migrate"]).expect(0, &["users/1_users", "jobs/20240101000000_jobs", "applied"]);
        let ledgers = "select count(*) from public._sqlx_migrations, public.jobs_ledger";
        assert_eq!(sqlx::query_scalar::<_, i64>(ledgers).fetch_one(db.pool()).await?, 1);
        let written = checkout.xtask(db, &["makemigrations"]);
        written.expect(0, &["created    crates/jobs/migrations/20", "_add_jobs_at.up.sql"]);
        checkout.xtask(db, &["makemigrations"]).expect(0, &["the migrations make what the schema files say"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["_add_jobs_at", "applied"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["3 migrations applied, 2 tables"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        checkout.xtask(db, &["makemigrations", "--empty", "users", "--name", "more"]).expect(
            0,
            &["created    migrations/2_more.sql"],
        );
        Ok(())
    });
}

#[test]
fn a_folder_that_is_missing_or_has_a_wrong_name_is_reported_as_people_type_it() {
    let app = "[[app]]\nname = \"a\"\npath = \"../crates/./x/../a/sql/\"\ndepends-on = []\ntables = []\n";
    let checkout = repository(app, &[]);
    checkout
        .xtask_alone(&["makemigrations"])
        .expect(1, &["xtask/apps.toml: app `a` has no folder; create crates/a/sql/"]);
    let checkout = repository(app, &[("crates/a/sql/1_x.up.sql", ""), ("crates/a/sql/fix.sql", "")]);
    checkout.xtask_alone(&["makemigrations"]).expect(
        1,
        &[
            "crates/a/sql/1_x.up.sql: has no 1_x.down.sql beside it",
            "crates/a/sql/fix.sql: sqlx would ignore it",
        ],
    );
}

#[test]
fn a_package_that_brings_migrations_is_an_app_and_an_edit_in_an_update_is_reported_as_that() {
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n{more}")
    };
    let checkout = repository(
        "[[app]]\nname = \"sessions\"\ncrate = \"store\"\npath = \"sql\"\nreversible = false\ndepends-on = []\ntables = [\"sessions\"]\n",
        &[
            (
                "Cargo.toml",
                &package("host", "[dependencies]\nstore = { path = \"vendor/store-1\" }\n[workspace]\n"),
            ),
            ("src/lib.rs", ""),
            ("vendor/store-1/Cargo.toml", &package("store", "")),
            ("vendor/store-1/src/lib.rs", ""),
            ("vendor/store-1/sql/20230101_sessions.sql", "create table sessions (id int);"),
        ],
    );
    tests::empty().run(async |db| {
        checkout.xtask(db, &["migrate"]).expect(0, &["sessions/20230101_sessions", "applied"]);
        let applied = "select count(*) from migrations.sessions";
        assert_eq!(sqlx::query_scalar::<_, i64>(applied).fetch_one(db.pool()).await?, 1);
        checkout.xtask(db, &["db-check"]).expect(0, &["1 migration applied, 1 table"]);
        checkout.edit("vendor/store-1/sql/20230101_sessions.sql", "id int", "id bigint");
        let said = [
            "sessions/20230101_sessions: the locked version of package `store` has another file than the one that was applied",
            "go back to the version that had it: cargo update --package store --precise VERSION",
        ];
        checkout.xtask(db, &["migrate"]).expect(1, &said);
        // Another name changes nothing that was applied; a number does.
        let file = |name: &str| checkout.root().join("vendor/store-1/sql").join(name);
        checkout.edit("vendor/store-1/sql/20230101_sessions.sql", "id bigint", "id int");
        fs::rename(file("20230101_sessions.sql"), file("20230101_store.sql")).unwrap();
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        fs::rename(file("20230101_store.sql"), file("20230102_store.sql")).unwrap();
        let said = [
            "sessions/20230101_sessions was applied, and the locked version of package `store` has no file with its number",
            "cargo update --package store --precise VERSION",
        ];
        checkout.xtask(db, &["db-check"]).expect(3, &said);
        checkout.edit("xtask/apps.toml", "crate = \"store\"", "crate = \"stores\"");
        checkout.xtask(db, &["migrate"]).expect(1, &["the migrations of package `stores`", "add it to a Cargo.toml"]);
        Ok(())
    });
}
