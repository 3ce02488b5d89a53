//! Every verb against what people run into: each gets a clear error and the right exit code, and nothing is changed.

use duct::Expression;
use sqlx::AssertSqlSafe;
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    snapshot::snapshot,
};

/// An exit code, and words that are said with it.
type Told = (i32, &'static str);

/// What a verb meets: the columns of the table.
#[derive(Clone, Copy)]
enum Meets {
    NoServer,
    /// The server has no database of that name.
    NoDatabase,
    /// The database is empty, and every migration pending.
    Pending,
    /// A whole database, and a role that may only read.
    Reader,
    /// An empty database, and a role that may not create anything.
    NoCreate,
}

const NOBODY: Told = (1, "no server answers at 127.0.0.1:1");
const ABSENT: Told = (1, "make it: cargo xtask db-setup");
const DENIED: Told = (1, "(42501)\n  connect as a role that may");
const PENDING: Told = (3, "apply them: cargo xtask migrate");
const WELL: Told = (0, "");

const NO_CREATEDB: Told = (1, "may not create databases, so nothing was touched");
const LACKS: Told = (0, "warning: the database lacks 4 migrations");
const NO_EMAIL: Told = (1, "set SUPERUSER_EMAIL, or pass --email EMAIL");
const NO_PASSWORD: Told = (1, "set SUPERUSER_PASSWORD, or write it to standard input");
const NO_DUMP: Told = (1, "holds no dump");

#[rustfmt::skip]
const VERBS: &[(&[&str], [Told; 5])] = &[
    // arguments                                 no server  no database  all pending                    may only read  may not create
    (&["db-setup"],                             [NOBODY,    WELL,        WELL,                          WELL,          DENIED]),
    (&["db-check"],                             [NOBODY,    ABSENT,      (3, "pending"),                WELL,          (3, "pending")]),
    (&["db-reset"],                             [NOBODY,    WELL,        WELL,                          NO_CREATEDB,   NO_CREATEDB]),
    (&["db-drop"],                              [NOBODY,    (0, "not there"), WELL,                     DENIED,        DENIED]),
    (&["db-url"],                               [WELL,      WELL,        LACKS,                         WELL,          LACKS]),
    (&["db-shell", "--", "-c", "select 1"],     [(2, ""),   (2, ""),     LACKS,                         WELL,          LACKS]),
    (&["migrate"],                              [NOBODY,    ABSENT,      WELL,                          WELL,          DENIED]),
    (&["migrate", "--plan"],                    [NOBODY,    ABSENT,      (0, "4 migrations would run"), WELL,          (0, "4 migrations would run")]),
    (&["migrate", "--check"],                   [NOBODY,    ABSENT,      (3, "4 migrations would run"), WELL,          (3, "4 migrations would run")]),
    (&["migrate", "progress", "zero"],          [NOBODY,    ABSENT,      (0, "0 pending"),              (1, "must be owner"), (0, "0 pending")]),
    (&["adopt"],                                [NOBODY,    ABSENT,      (3, "nothing was recorded"),   (0, "0 pending"), DENIED]),
    (&["showmigrations"],                       [NOBODY,    ABSENT,      (0, "[ ]"),                    (0, "[X]"),    (0, "[ ]")]),
    (&["seed"],                                 [NOBODY,    ABSENT,      PENDING,                       (1, "give the role that right"), PENDING]),
    (&["seed", "--check"],                      [NOBODY,    ABSENT,      PENDING,                       (1, "give the role that right"), PENDING]),
    (&["flush"],                                [NOBODY,    ABSENT,      PENDING,                       DENIED,        PENDING]),
    (&["dumpdata", "--output", "nowhere/dump"], [NOBODY,    ABSENT,      (1, "none of the tables"),     DENIED,        (1, "none of the tables")]),
    (&["loaddata", "nowhere"],                  [NO_DUMP,   NO_DUMP,     NO_DUMP,                       NO_DUMP,       NO_DUMP]),
    (&["inspect"],                              [NOBODY,    ABSENT,      WELL,                          (0, "users"),  WELL]),
    (&["createsuperuser", "--noinput"],         [NOBODY,    ABSENT,      PENDING,                       NO_EMAIL,      PENDING]),
    (&["changepassword", "a@b.example", "--noinput"], [NOBODY, ABSENT,   PENDING,                       NO_PASSWORD,   PENDING]),
    (&["scratch"],                              [NOBODY,    WELL,        WELL,                          DENIED,        DENIED]),
    (&["verify"],                               [NOBODY,    WELL,        WELL,                          DENIED,        DENIED]),
    (&["server", "status"],                     [(0, "no server answers"), WELL, WELL,                  WELL,          WELL]),
    (&["server", "start"],                      [NOBODY,    WELL,        LACKS,                         WELL,          LACKS]),
    (&["erd"],                                  [NOBODY,    WELL,        WELL,                          DENIED,        DENIED]),
    // These need no server at all.
    (&["sqlmigrate", "users", "0001"],          [WELL,      WELL,        WELL,                          WELL,          WELL]),
    (&["graph"],                                [WELL,      WELL,        WELL,                          WELL,          WELL]),
    (&["makemigrations", "--empty", "users", "--name", "add_note"], [WELL, WELL, WELL,                  WELL,          WELL]),
    (&["renumber"],                             [WELL,      WELL,        WELL,                          WELL,          WELL]),
    (&["completions", "bash"],                  [WELL,      WELL,        WELL,                          WELL,          WELL]),
];

/// Verbs that build a package or run these tests; what they meet is tested where they are.
const APART: &[&str] = &["sqlx", "prepare", "test", "ci", "bench"];

/// Runs every verb, and compares the database before and after where it is to change nothing.
async fn each(db: &TestDatabase, meets: Meets, command: impl Fn(&Checkout, &[&str]) -> Expression) {
    for (args, told) in VERBS {
        let (checkout, (code, words)) = (Checkout::new(), told[meets as usize]);
        // What they do where nothing is in their way is proven elsewhere.
        if code == 0 && matches!(args, ["db-setup" | "db-reset" | "db-drop" | "migrate"]) {
            continue;
        }
        let before = snapshot(db).await;
        let said = outcome(&command(&checkout, args).dir(checkout.root()));
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
        let tried = VERBS.iter().any(|(args, _)| args[0] == verb);
        assert!(tried != APART.contains(&verb.as_str()), "{verb}");
    }
}

#[test]
fn where_no_server_answers_it_is_told_which_one() {
    tests::empty().run(async |db| {
        each(db, Meets::NoServer, |checkout, args| {
            checkout.command("postgres://app:x@127.0.0.1:1/app", args)
        })
        .await;
        Ok(())
    });
}

#[test]
fn where_there_is_no_database_the_command_that_makes_it_is_told() {
    tests::empty().run(async |db| {
        let url = db.url().replace(db.name(), "there_is_none");
        each(db, Meets::NoDatabase, |checkout, args| checkout.command(&url, args)).await;
        Ok(())
    });
}

#[test]
fn where_migrations_are_pending_nothing_is_done_halfway() {
    tests::empty().run(async |db| {
        each(db, Meets::Pending, |checkout, args| checkout.command(&db.url(), args)).await;
        Ok(())
    });
}

/// A role of that name that may connect, with these grants; how it connects.
async fn role(db: &TestDatabase, grants: &str) -> String {
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
fn a_role_that_may_only_read_is_told_what_it_lacks() {
    tests::with_database(async |db| {
        let grants = "grant usage on schema migrations to ROLE; grant select on all tables in schema migrations, public to ROLE";
        let url = role(db, grants).await;
        each(db, Meets::Reader, |checkout, args| checkout.command(&url, args)).await;
        let account = ["createsuperuser", "--noinput", "--email", "ada@example.org"];
        let checkout = Checkout::new();
        let command = checkout.command(&url, &account).env("SUPERUSER_PASSWORD", "an engine of 4 wheels");
        let told = outcome(&command);
        assert!(!told.expect(DENIED.0, &[DENIED.1]).stderr.contains("at line"), "{told:?}");
        drop_role(db).await;
        Ok(())
    });
}

#[test]
fn a_role_that_may_not_create_is_told_what_it_lacks() {
    tests::empty().run(async |db| {
        let url = role(db, "").await;
        each(db, Meets::NoCreate, |checkout, args| checkout.command(&url, args)).await;
        drop_role(db).await;
        Ok(())
    });
}

#[test]
fn a_name_that_is_not_there_is_told_with_those_that_are() {
    const NO_APP: Told =
        (1, "there is no app `user`; did you mean `users`?\n  apps: users, organizations, progress");
    const NO_MIGRATION: Told = (1, "app `users` has no migration `0099`\n  its migrations: 0001_initial");
    const NO_TABLE: Told = (1, "did you mean `user_roles`?");
    let named: &[(&[&str], Told)] = &[
        (&["migrate", "user"], NO_APP),
        (&["migrate", "user", "--plan"], NO_APP),
        (&["migrate", "user", "zero"], NO_APP),
        (&["migrate", "users", "0099"], NO_MIGRATION),
        (&["adopt", "user"], NO_APP),
        (&["adopt", "users", "0099"], NO_MIGRATION),
        (&["showmigrations", "user"], NO_APP),
        (&["sqlmigrate", "user", "0001"], NO_APP),
        (&["sqlmigrate", "users", "0099"], NO_MIGRATION),
        (&["makemigrations", "--empty", "user", "--name", "add_note"], NO_APP),
        (&["sqlx", "--app", "user", "migrate", "info"], NO_APP),
        (&["renumber", "user"], NO_APP),
        (&["inspect", "user_role"], NO_TABLE),
        (&["dumpdata", "user_role", "--output", "nowhere/dump"], NO_TABLE),
        (&["db-chek"], (2, "some similar subcommands exist: 'db-shell', 'db-check'")),
        (&["migrate", "--plam"], (2, "a similar argument exists: '--plan'")),
        (&["server", "stat"], (2, "subcommand")),
        (&["--server", "natve", "db-check"], (2, "a similar value exists: 'native'")),
    ];
    tests::with_database(async |db| {
        let before = snapshot(db).await;
        for (args, (code, words)) in named {
            Checkout::new().xtask(db, args).expect(*code, &[words]);
        }
        assert!(before == snapshot(db).await);
        Ok(())
    });
}

#[test]
fn where_there_is_nobody_to_ask_it_is_told_how_to_do_without() {
    tests::with_database(async |db| {
        let before = snapshot(db).await;
        for verb in ["createsuperuser", "changepassword"] {
            let words = [
                "there is no terminal to ask on; nothing was written",
                &format!("cargo xtask {verb}"),
                "--noinput",
            ];
            Checkout::new().xtask(db, &[verb]).expect(1, &words);
        }
        assert!(before == snapshot(db).await);
        Ok(())
    });
}
