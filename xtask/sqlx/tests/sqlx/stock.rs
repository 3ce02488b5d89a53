//! A repository that has only ever seen sqlx-cli: what that applied, `cargo xtask` continues after `init`, and the other way
//! round.

use duct::cmd;
use tests::TestDatabase;

use crate::{
    checkout::{Outcome, outcome, xtask},
    repository::Repository,
};

/// Names of files as repositories have them, and what sqlx-cli adds to them.
const SHAPES: [(&[(&str, &str)], &str); 3] = [
    (
        &[
            ("migrations/20230101120000_users.sql", "create table users (id int primary key);"),
            ("migrations/20230102120000_Add-Name.sql", "alter table users add name text;"),
        ],
        "migrations/20990101000000_more.sql",
    ),
    (
        &[
            ("migrations/1_users.up.sql", "create table users (id int primary key);"),
            ("migrations/1_users.down.sql", "drop table users;"),
            ("migrations/02_name.up.sql", "alter table users add name text;"),
            ("migrations/02_name.down.sql", "alter table users drop name;"),
        ],
        "migrations/3_more.up.sql",
    ),
    (
        &[
            ("crates/store/Cargo.toml", "[package]\nname = \"store\"\n"),
            ("crates/store/migrations/0001_[users].sql", "create table users (id int primary key);"),
            ("crates/store/migrations/0003_name.sql", "alter table users add name text;"),
        ],
        "crates/store/migrations/0004_more.sql",
    ),
];

/// The real sqlx-cli, as a person runs it at the top of the repository.
fn sqlx_cli(repository: &Repository, db: &TestDatabase, words: &[&str], source: &str) -> Outcome {
    let program = cmd(env!("CARGO_BIN_EXE_xtask-sqlx"), [words, &["--source", source]].concat());
    outcome(&repository.surrounded(program.env("DATABASE_URL", db.url()).dir(repository.root())))
}

/// `cargo xtask` of the repository.
fn xtask_of(repository: &Repository, db: &TestDatabase, words: &[&str]) -> Outcome {
    let command = cmd(xtask(), words).env("XTASK_ROOT", repository.root()).env("DATABASE_URL", db.url());
    outcome(&repository.surrounded(command))
}

#[test]
fn what_sqlx_cli_applied_is_applied_after_init_and_each_sees_what_the_other_does() {
    for (files, next) in SHAPES {
        let repository = Repository::new(files);
        let source = next.rsplit_once('/').unwrap().0;
        tests::empty().run(async |db| {
            sqlx_cli(&repository, db, &["migrate", "run"], source).expect(0, &["Applied"]);
            repository.init(&[]).expect(0, &["all of it holds"]);
            xtask_of(&repository, db, &["migrate", "--check"]).expect(0, &["nothing is left to do"]);
            xtask_of(&repository, db, &["db-check"]).expect(0, &["2 migrations applied, 1 table, exactly"]);
            xtask_of(&repository, db, &["verify"]).expect(0, &["all of it holds"]);

            repository.write(next, "alter table users add more text;");
            if next.contains(".up.") {
                repository.write(&next.replace(".up.", ".down."), "alter table users drop more;");
            }
            xtask_of(&repository, db, &["migrate", "--check"]).expect(3, &["_more"]);
            xtask_of(&repository, db, &["migrate"]).expect(0, &["_more", "applied"]);
            sqlx_cli(&repository, db, &["migrate", "info"], source).expect(0, &["/installed more"]);
            sqlx_cli(&repository, db, &["migrate", "run"], source).expect(0, &[]);
            xtask_of(&repository, db, &["db-check"]).expect(0, &["3 migrations applied, 1 table, exactly"]);
            Ok(())
        });
    }
}

#[test]
fn sqlx_cli_gets_the_folder_and_the_ledger_that_only_the_manifest_names() {
    tests::empty().run(async |db| {
        let repository = Repository::new(&[("crates/store/sql/1_users.sql", "create table users (id int);")]);
        let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"store\"\npath = \"../crates/store/sql\"\n\
                        ledger = \"ledgers.store\"\nreversible = false\ndepends-on = []\ntables = [\"users\"]\n";
        repository.write("xtask/apps.toml", manifest);
        let sqlx = |words: &[&str]| xtask_of(&repository, db, &[&["sqlx", "--app", "store", "migrate"], words].concat());
        sqlx(&["run"]).expect(0, &["Applied 1/migrate users"]);
        xtask_of(&repository, db, &["migrate", "--check"]).expect(0, &["nothing is left to do"]);
        repository.write("crates/store/sql/2_name.sql", "alter table users add name text;");
        xtask_of(&repository, db, &["migrate"]).expect(0, &["store/2_name", "applied"]);
        sqlx(&["info"]).expect(0, &["1/installed users\n2/installed name"]);
        Ok(())
    });
}
