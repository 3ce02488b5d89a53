//! Every verb in every situation that people run into: a clear message, the right exit code, no unwanted change.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt};

use duct::cmd;
use sqlx::AssertSqlSafe;
use tests::TestDatabase;

use crate::{
    borrowing::surrounded,
    checkout::{Checkout, outcome, xtask},
    fixture::with_database,
    snapshot::snapshot,
};

/// What a verb does in one situation.
#[derive(Clone, Copy)]
enum Cell {
    /// It exits with this code, prints this, and changes nothing.
    Says(i32, &'static str),
    /// It succeeds, prints this, and changes the database; then `db-check` exits with this code and prints this.
    Does(&'static str, (i32, &'static str)),
}

use Cell::{Does, Says};

/// The situation in which a verb runs: a column of the table.
#[derive(Clone, Copy)]
enum Meets {
    NoServer,
    /// The server has no database of that name.
    NoDatabase,
    /// The database is empty, so every migration is pending.
    Pending,
    /// The database is complete, and the role may only read.
    Reader,
    /// The database is empty, and the role may not create anything.
    NoCreate,
}

const NO_SERVER: Cell = Says(1, "no server answers at 127.0.0.1:1");
const ABSENT: Cell = Says(1, "make it: cargo xtask db-setup");
const DENIED: Cell = Says(1, "(42501)\n  the role lacks that right; connect as a role that may");
const PENDING: Cell = Says(3, "apply them: cargo xtask migrate");
const WELL: Cell = Says(0, "");

const WHOLE: (i32, &str) = (0, "5 migrations applied, 9 tables");
/// The schema is whole, and the seeds have not run.
const UNSEEDED: (i32, &str) = (3, "10 seeded rows of roles_permissions");
const DROPPED: (i32, &str) = (1, "make it: cargo xtask db-setup");

const NO_CREATEDB: Cell = Says(1, "may not create databases, so nothing was touched");
const LACKS: Cell = Says(0, "warning: the database lacks 5 migrations");
const NO_EMAIL: Cell = Says(1, "set SUPERUSER_EMAIL, or pass --email EMAIL");
const NO_PASSWORD: Cell = Says(1, "set SUPERUSER_PASSWORD, or write it to standard input");
const NO_DUMP: Cell = Says(1, "holds no dump");
const NO_FILE: Cell = Says(1, "read nowhere.sql");
const NO_XTASK: Cell = Says(3, "xtask/, 8 files");
const NO_GRANT: Cell = Says(1, "give the role that right");

#[rustfmt::skip]
const VERBS: &[(&[&str], [Cell; 5])] = &[
    // arguments                                 no server  no database             all pending                        may only read                may not create
    (&["db-setup"],                             [NO_SERVER, Does("created", WHOLE), Does("applied", WHOLE),            NO_GRANT,                    DENIED]),
    (&["db-check"],                             [NO_SERVER, ABSENT,                 Says(3, "pending"),                Says(3, "people: rights"),   Says(3, "pending")]),
    (&["db-reset"],                             [NO_SERVER, Does("created", WHOLE), Does("dropped", WHOLE),            NO_CREATEDB,                 NO_CREATEDB]),
    (&["db-drop"],                              [NO_SERVER, Says(0, "absent"),      Does("dropped", DROPPED),          DENIED,                      DENIED]),
    (&["db-url"],                               [WELL,      WELL,                   LACKS,                             WELL,                        LACKS]),
    (&["db-shell", "-c", "select 1"],           [Says(2, ""), Says(2, ""),          LACKS,                             WELL,                        LACKS]),
    (&["migrate"],                              [NO_SERVER, ABSENT,                 Does("applied", UNSEEDED),         Says(0, "0 pending"),        DENIED]),
    (&["migrate", "--plan"],                    [NO_SERVER, ABSENT,                 Says(0, "5 migrations would run"), WELL,                        Says(0, "5 migrations would run")]),
    (&["migrate", "--check"],                   [NO_SERVER, ABSENT,                 Says(3, "5 migrations would run"), WELL,                        Says(3, "5 migrations would run")]),
    (&["migrate", "loans", "zero"],             [NO_SERVER, ABSENT,                 Says(0, "0 pending"),              Says(1, "must be owner"),    Says(0, "0 pending")]),
    (&["adopt"],                                [NO_SERVER, ABSENT,                 Says(3, "nothing was recorded"),   Says(0, "0 pending"),        DENIED]),
    (&["showmigrations"],                       [NO_SERVER, ABSENT,                 Says(0, "[ ]"),                    Says(0, "[X]"),              Says(0, "[ ]")]),
    (&["seed"],                                 [NO_SERVER, ABSENT,                 PENDING,                           NO_GRANT,                    PENDING]),
    (&["seed", "--check"],                      [NO_SERVER, ABSENT,                 PENDING,                           NO_GRANT,                    PENDING]),
    (&["flush"],                                [NO_SERVER, ABSENT,                 PENDING,                           DENIED,                      PENDING]),
    (&["dumpdata", "--output", "nowhere/dump"], [NO_SERVER, ABSENT,                 Says(1, "none of the tables"),     DENIED,                      Says(1, "none of the tables")]),
    (&["loaddata", "nowhere"],                  [NO_DUMP,   NO_DUMP,                NO_DUMP,                           NO_DUMP,                     NO_DUMP]),
    (&["inspect"],                              [NO_SERVER, ABSENT,                 WELL,                              Says(0, "people"),           WELL]),
    (&["scratch"],                              [NO_SERVER, WELL,                   WELL,                              DENIED,                      DENIED]),
    (&["verify"],                               [NO_SERVER, WELL,                   WELL,                              DENIED,                      DENIED]),
    (&["server", "status"],                     [Says(0, "no server answers"), WELL, WELL,                             WELL,                        WELL]),
    (&["server", "start"],                      [NO_SERVER, WELL,                   LACKS,                             WELL,                        LACKS]),
    (&["erd"],                                  [NO_SERVER, WELL,                   WELL,                              DENIED,                      DENIED]),
    // These need no server at all.
    (&["sqlmigrate", "people", "0001"],         [WELL,      WELL,                   WELL,                              WELL,                        WELL]),
    (&["diff", "nowhere.sql", "nowhere.sql"],   [NO_FILE,   NO_FILE,                NO_FILE,                           NO_FILE,                     NO_FILE]),
    (&["graph"],                                [WELL,      WELL,                   WELL,                              WELL,                        WELL]),
    (&["makemigrations", "--empty", "people", "--name", "add_note"], [WELL, WELL,   WELL,                              WELL,                        WELL]),
    (&["renumber"],                             [WELL,      WELL,                   WELL,                              WELL,                        WELL]),
    (&["completions", "bash"],                  [WELL,      WELL,                   WELL,                              WELL,                        WELL]),
    (&["init", "--check"],                      [NO_XTASK,  NO_XTASK,               NO_XTASK,                          NO_XTASK,                    NO_XTASK]),
];

/// Verbs that run the product's own program, which the fixture lacks.
#[rustfmt::skip]
const ACCOUNT_VERBS: &[(&[&str], [Cell; 5])] = &[
    (&["createsuperuser", "--noinput"],               [NO_SERVER, ABSENT, PENDING, NO_EMAIL,    PENDING]),
    (&["changepassword", "a@b.example", "--noinput"], [NO_SERVER, ABSENT, PENDING, NO_PASSWORD, PENDING]),
];

/// Verbs that build a package or run these tests; other files test them.
const APART: &[&str] = &["sqlx", "prepare", "test", "ci", "bench"];

/// Runs every verb that should change nothing, and compares the database before and after.
async fn each(db: &TestDatabase, meets: Meets, url: &str) {
    run(db, VERBS, Checkout::new, meets, url).await;
}

/// Runs the verbs of the product's program, in the same way.
async fn each_of_product(db: &TestDatabase, meets: Meets, url: &str) {
    run(db, ACCOUNT_VERBS, Checkout::of_product, meets, url).await;
}

async fn run(
    db: &TestDatabase,
    verbs: &[(&[&str], [Cell; 5])],
    checkout: fn() -> Checkout,
    meets: Meets,
    url: &str,
) {
    for (args, cells) in verbs {
        // Another test runs the verbs that change the database.
        let Says(code, words) = cells[meets as usize] else { continue };
        let (checkout, before) = (checkout(), snapshot(db).await);
        let said = outcome(&checkout.command(url, args).dir(checkout.root()));
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(
            said.code == code && all.contains(words),
            "{args:?}: {} instead of {code}, {words}:\n{all}",
            said.code
        );
        assert!(before == snapshot(db).await, "{args:?} changed something:\n{all}");
    }
}

#[test]
fn every_verb_is_in_the_table() {
    let verbs = Checkout::new().verbs();
    assert!(verbs.len() >= 15, "{verbs:?}");
    for verb in &verbs {
        let tried = [VERBS, ACCOUNT_VERBS].concat().iter().any(|(args, _)| args[0] == verb);
        assert!(tried != APART.contains(&verb.as_str()), "{verb}");
    }
}

#[test]
fn a_verb_shows_the_address_of_a_missing_server() {
    tests::empty().run(async |db| {
        let url = "postgres://app:x@127.0.0.1:1/app";
        each(db, Meets::NoServer, url).await;
        each_of_product(db, Meets::NoServer, url).await;
        Ok(())
    });
}

#[test]
fn a_verb_shows_the_command_that_creates_a_missing_database() {
    tests::empty().run(async |db| {
        let url = db.url().replace(db.name(), "there_is_none");
        each(db, Meets::NoDatabase, &url).await;
        each_of_product(db, Meets::NoDatabase, &url).await;
        Ok(())
    });
}

#[test]
fn a_verb_that_needs_applied_migrations_changes_nothing_while_they_are_pending() {
    tests::empty().run(async |db| {
        each(db, Meets::Pending, &db.url()).await;
        each_of_product(db, Meets::Pending, &db.url()).await;
        Ok(())
    });
}

/// Runs a verb that changes the database where it is missing or empty, and then runs `db-check`.
#[track_caller]
fn check_change(args: &[&str], meets: Meets, words: &str, after: (i32, &str)) {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let url = match meets {
            Meets::NoDatabase => db.url().replace(db.name(), &format!("{}_own", db.name())),
            _ => db.url(),
        };
        // An open connection would keep `db-drop` and `db-reset` from working.
        db.pool().close().await;
        outcome(&checkout.command(&url, args)).expect(0, &[words]);
        outcome(&checkout.command(&url, &["db-check"])).expect(after.0, &[after.1]);
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn a_verb_that_changes_the_database_works_on_a_missing_or_empty_one() {
    let mut changes = 0;
    for (args, cells) in VERBS {
        for meets in [Meets::NoServer, Meets::NoDatabase, Meets::Pending, Meets::Reader, Meets::NoCreate] {
            if let Does(words, after) = cells[meets as usize] {
                check_change(args, meets, words, after);
                changes += 1;
            }
        }
    }
    assert_eq!(changes, 6);
}

/// Creates a role with these grants, named after the database. Returns its connection string.
async fn create_role(db: &TestDatabase, grants: &str) -> String {
    let role = db.name();
    let sql = format!("create role {role} login password 'x'; {}", grants.replace("ROLE", role));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.unwrap();
    let (scheme, rest) = db.url().split_once("://").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    format!("{scheme}://{role}:x@{}", rest.split_once('@').unwrap().1)
}

async fn drop_role(db: &TestDatabase) {
    let sql = format!("drop owned by {role} cascade; drop role {role}", role = db.name());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.unwrap();
}

#[test]
fn a_role_that_may_only_read_sees_which_right_it_lacks() {
    let grants = "grant usage on schema migrations to ROLE; grant select on all tables in schema migrations, public to ROLE";
    with_database(async |db| {
        let url = create_role(db, grants).await;
        each(db, Meets::Reader, &url).await;
        drop_role(db).await;
        Ok(())
    });
    tests::with_database(async |db| {
        let url = create_role(db, grants).await;
        each_of_product(db, Meets::Reader, &url).await;
        let account = ["createsuperuser", "--noinput", "--email", "ada@example.org"];
        let checkout = Checkout::of_product();
        let command = checkout.command(&url, &account).env("SUPERUSER_PASSWORD", "an engine of 4 wheels");
        let Says(code, words) = DENIED else { unreachable!() };
        let denied = outcome(&command);
        assert!(!denied.expect(code, &[words]).stderr.contains("at line"), "{denied:?}");
        drop_role(db).await;
        Ok(())
    });
}

#[test]
fn a_role_that_may_not_create_sees_which_right_it_lacks() {
    tests::empty().run(async |db| {
        let url = create_role(db, "").await;
        each(db, Meets::NoCreate, &url).await;
        each_of_product(db, Meets::NoCreate, &url).await;
        drop_role(db).await;
        Ok(())
    });
}

#[test]
fn an_unknown_name_is_reported_with_the_existing_ones() {
    const NO_APP: (i32, &str) =
        (1, "there is no app `poeple`; did you mean `people`?\n  apps: people, library, loans");
    const NO_MIGRATION: (i32, &str) =
        (1, "app `people` has no migration `0099`\n  its migrations: 0001_initial");
    const NO_TABLE: (i32, &str) = (1, "did you mean `people_roles`?");
    let cases: &[(&[&str], (i32, &str))] = &[
        (&["migrate", "poeple"], NO_APP),
        (&["migrate", "poeple", "--plan"], NO_APP),
        (&["migrate", "poeple", "zero"], NO_APP),
        (&["migrate", "people", "0099"], NO_MIGRATION),
        (&["adopt", "poeple"], NO_APP),
        (&["adopt", "people", "0099"], NO_MIGRATION),
        (&["showmigrations", "poeple"], NO_APP),
        (&["sqlmigrate", "poeple", "0001"], NO_APP),
        (&["sqlmigrate", "people", "0099"], NO_MIGRATION),
        (&["makemigrations", "--empty", "poeple", "--name", "add_note"], NO_APP),
        (&["sqlx", "--app", "poeple", "migrate", "info"], NO_APP),
        (&["renumber", "poeple"], NO_APP),
        (&["inspect", "people_role"], NO_TABLE),
        (&["dumpdata", "people_role", "--output", "nowhere/dump"], NO_TABLE),
        (&["db-chek"], (2, "some similar subcommands exist: 'db-shell', 'db-check'")),
        (&["migrate", "--plam"], (2, "a similar argument exists: '--plan'")),
        (&["server", "stat"], (2, "subcommand")),
        (&["--server", "natve", "db-check"], (2, "a similar value exists: 'native'")),
    ];
    with_database(async |db| {
        let before = snapshot(db).await;
        for (args, (code, words)) in cases {
            Checkout::new().xtask(db, args).expect(*code, &[words]);
        }
        assert!(before == snapshot(db).await);
        Ok(())
    });
}

#[test]
fn without_a_terminal_an_account_verb_suggests_noinput() {
    tests::with_database(async |db| {
        let before = snapshot(db).await;
        for verb in ["createsuperuser", "changepassword"] {
            let words = [
                "there is no terminal to ask on; nothing was written",
                &format!("cargo xtask {verb}"),
                "--noinput",
            ];
            Checkout::of_product().xtask(db, &[verb]).expect(1, &words);
        }
        assert!(before == snapshot(db).await);
        Ok(())
    });
}

#[test]
fn what_can_be_refused_at_once_is_refused_before_a_program_is_built() {
    let checkout = Checkout::of_product();
    let root = checkout.root();
    // Beside this copy there is no other program, so every one that is needed is built, by this cargo.
    let (program, cargo, built) = (root.join("xtask"), root.join("cargo"), root.join("built"));
    fs::copy(xtask(), &program).unwrap();
    fs::write(&cargo, format!("#!/bin/sh\ntouch {}; exit 1\n", built.display())).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |args: &[&str], url: &str| {
        let command = surrounded(&checkout, cmd(&program, args), &[("DATABASE_URL", OsStr::new(url))]);
        outcome(&command.env("CARGO", &cargo).stdin_null())
    };
    tests::with_database(async |db| {
        for verb in [&["createsuperuser"] as &[&str], &["changepassword", "ada@example.org"]] {
            run(verb, &db.url())
                .expect(1, &["there is no terminal to ask on; nothing was written", "--noinput"]);
        }
        for verb in [&["db-setup"] as &[&str], &["server", "stop"], &["verify"], &["scratch"]] {
            run(&[&["--server", "docker"], verb].concat(), "")
                .expect(1, &["no Docker daemon: there is no socket /nowhere/docker.sock"]);
        }
        assert!(!built.exists());
        run(&["createsuperuser", "--noinput"], &db.url()).expect(1, &["could not be built"]);
        assert!(built.exists());
        Ok(())
    });
}
