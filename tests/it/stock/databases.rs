//! Apps in two databases of one server.

use sqlx::{AssertSqlSafe, Executor as _};
use tests::TestDatabase;

use crate::checkout::Checkout;

/// A checkout whose apps `proofs` and `audit` are in another database, with a table of the same name as one of `core`.
fn two(other: &str) -> Checkout {
    let app = |name: &str, rest: &str| format!("[[app]]\nname = \"{name}\"\n{rest}\n");
    let in_other = format!("database = \"{other}\"\nledger = \"public._sqlx_migrations\"\n");
    let manifest = [
        "[postgres]\nversion = 15\ndatabase = \"app\"\n".to_owned(),
        app("core", "depends-on = []\ntables = [\"users\", \"jobs\"]\nledger = \"public._sqlx_migrations\""),
        app("proofs", &format!("{in_other}depends-on = []\ntables = [\"jobs\"]")),
        app("audit", &format!("database = \"{other}\"\ndepends-on = [\"proofs\"]\ntables = [\"events\"]")),
    ];
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.audit\"\n";
    let checkout = Checkout::with_files(&manifest.concat(), &[("audit/sqlx.toml", ledger)]);
    let tables = "create table users (id int primary key);\ncreate table jobs (id int primary key);\n";
    checkout.migration("core/0001_initial", tables, "drop table jobs;\ndrop table users;\n");
    let jobs = "create table jobs (id int primary key, state text not null);\n";
    checkout.migration("proofs/0001_initial", jobs, "drop table jobs;\n");
    checkout.write("proofs/seed.sql", "insert into jobs values (1, 'new') on conflict do nothing;\n");
    let events = "-- depends-on: proofs/0001_initial\ncreate table events (job int references jobs);\n";
    checkout.migration("audit/0001_initial", events, "drop table events;\n");
    checkout
}

/// The name of a second database that no other test has.
fn other(db: &TestDatabase) -> String {
    format!("{}_b", db.name())
}

async fn remove(db: &TestDatabase, other: &str) -> anyhow::Result<()> {
    db.pool().execute(AssertSqlSafe(format!("drop database {other}"))).await?;
    Ok(())
}

#[test]
fn every_step_works_on_one_database_after_the_other() {
    tests::empty().run(async |db| {
        let other = other(db);
        let checkout = two(&other);
        let heading = format!("database {other}");
        let set_up = checkout.xtask(db, &["db-setup"]);
        set_up.expect(0, &["core/0001_initial", "audit/0001_initial", "2 tables, 1 seeded row", &heading]);
        assert!(
            set_up.stdout.contains(&format!("cargo xtask db-url --database {other} prints it")),
            "{set_up:?}"
        );
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &["nothing is left to do", &heading]);
        checkout.xtask(db, &["db-check"]).expect(
            0,
            &["1 migration applied, 2 tables, exactly", "2 migrations applied, 2 tables, 1 seeded row"],
        );
        let proven = checkout.xtask(db, &["verify"]);
        assert_eq!(proven.expect(0, &[&heading]).stdout.matches("all of it holds").count(), 2);
        checkout.xtask(db, &["showmigrations"]).expect(0, &["core\n", &heading, "proofs\n", "audit\n"]);
        checkout.xtask(db, &["sqlmigrate", "audit", "0001"]).expect(0, &["create table events"]);

        // The app says which database is meant.
        let back = ["migrate", "audit", "zero", "--confirm", &other];
        checkout.xtask(db, &back).expect(0, &["audit/0001_initial", "reverted"]);
        let found = checkout.xtask(db, &["db-check"]);
        let advice = format!("apply it: cargo xtask migrate --database {other}");
        found.expect(3, &["1 migration applied, 2 tables, exactly", &heading, &advice]);
        checkout.paste(db, &found.advice("apply it: ")).expect(0, &["audit/0001_initial", "applied"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["2 migrations applied"]);

        checkout.write(
            "proofs/schema.sql",
            "create table jobs (id int primary key, state text not null, at int);\n",
        );
        let written = checkout.xtask(db, &["makemigrations"]);
        written.expect(0, &["no app of this database has a schema.sql", "proofs/0002_add_jobs_at.up.sql"]);
        checkout.xtask(db, &["migrate", "proofs"]).expect(0, &["proofs/0002_add_jobs_at"]);
        checkout.xtask(db, &["makemigrations", "--check", "proofs"]).expect(0, &["the migrations make what"]);
        remove(db, &other).await
    });
}

#[test]
fn commands_and_tests_on_one_database_name_it() {
    tests::empty().run(async |db| {
        let other = other(db);
        let checkout = two(&other);
        let on_other = |words: &[&str]| checkout.xtask(db, &[words, &["--database", &other]].concat());
        let set_up = on_other(&["db-setup"]);
        assert!(!set_up.expect(0, &["audit/0001_initial"]).stdout.contains("core/"), "{set_up:?}");
        on_other(&["db-url"]).expect(0, &[&format!("/{other}\n")]);
        let count = "select count(*) from jobs where state = 'new'";
        checkout.xtask(db, &["db-shell", "--database", &other, "--command", count]).expect(0, &["     1\n"]);
        let lent = ["--exec", "psql", "--command", count];
        let lend = ["scratch", "--database", &other];
        checkout.xtask(db, &[&lend as &[&str], &lent].concat()).expect(0, &["     1\n"]);
        on_other(&["diff", "a", "b"]).expect(2, &["`diff` takes no --database"]);
        let unknown = checkout.xtask(db, &["db-url", "--database", "nowhere"]);
        unknown
            .expect(1, &["there is no database `nowhere` in apps.toml", &format!("databases: app, {other}")]);
        checkout.xtask(db, &["adopt", "audit"]).expect(
            1,
            &[&format!("app `audit` is in database `{other}`\n  work on that one: --database {other}")],
        );
        remove(db, &other).await
    });
}

#[test]
fn apps_of_two_databases_depend_on_nothing_of_each_other() {
    let problem = |from: &str, to: &str, said: &[&str]| {
        let checkout = two("prover");
        checkout.replace("apps.toml", from, to);
        checkout.xtask_alone(&["graph"]).expect(1, said);
    };
    problem(
        "depends-on = [\"proofs\"]",
        "depends-on = [\"core\"]",
        &[
            "app `audit` in database `prover` depends on `core` in database `app`, whose tables it can't touch; remove it",
        ],
    );
    problem(
        "tables = [\"events\"]",
        "tables = [\"events\"]\nmoved = { events = \"core\" }",
        &[
            "table `events` has moved from `core`, which is in database `app`; a table can't leave its database",
        ],
    );
    problem(
        "tables = [\"events\"]",
        "tables = [\"jobs\"]",
        &["table `jobs` of app `audit` belongs to app `proofs` already"],
    );
    problem(
        "database = \"prover\"",
        "database = \"template1\"",
        &["`database` must be a plain name: lower-case"],
    );
    let checkout = two("prover");
    checkout.replace("audit/0001_initial.up.sql", "proofs/0001_initial", "core/0001_initial");
    checkout.xtask_alone(&["graph"]).expect(
        1,
        &["core/0001_initial is in database `app`, and audit/0001_initial in `prover`; a migration can depend only on migrations of its own database"],
    );
}
