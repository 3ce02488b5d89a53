//! What a server, a database or a role has set changes nothing that commands do; only their search path is its own.

use std::{collections::BTreeMap, fs};

use catalogue::{PINNED, PINNED_IF_SET};
use sqlx::{ConnectOptions, Connection, Executor, query_as, query_scalar};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    frozen::at_the_server,
    snapshot::shape,
};

/// For every setting that sessions pin, another value.
const OTHERS: &[(&str, &str)] = &[
    ("timezone", "Asia/Kathmandu"),
    ("datestyle", "German, DMY"),
    ("intervalstyle", "iso_8601"),
    ("bytea_output", "escape"),
    ("extra_float_digits", "-10"),
    ("lc_monetary", "C.UTF-8"),
    ("lc_numeric", "C.UTF-8"),
    ("lc_time", "C.UTF-8"),
    ("xmlbinary", "hex"),
    ("xmloption", "document"),
    ("array_nulls", "off"),
    ("client_encoding", "LATIN1"),
    ("quote_all_identifiers", "on"),
    ("standard_conforming_strings", "off"),
    ("backslash_quote", "on"),
    ("transform_null_equals", "on"),
    ("row_security", "off"),
    ("gin_fuzzy_search_limit", "1"),
    ("check_function_bodies", "off"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("default_tablespace", "pg_default"),
    ("default_table_access_method", "none"),
    ("idle_in_transaction_session_timeout", "1ms"),
    ("idle_session_timeout", "1ms"),
    ("exit_on_error", "on"),
    ("session_replication_role", "replica"),
    ("transaction_timeout", "1ms"),
    ("restrict_nonsystem_relation_kind", "view"),
    ("lock_timeout", "1ms"),
    ("statement_timeout", "1ms"),
];

const UP: &str = r"
create table seen (id int primary key, name text, value text);
create table values_of_types (id int primary key, slash text default 'a\b', list text[] default '{a,NULL}', day date default '02.03.2026',
    at timestamptz default '2026-01-01 12:00', span interval default '1 day 02:03', raw bytea default '\x5c09', mark xml default 'a<b/>',
    cash money default '$1.50', f float8 default 0.1::float8 + 0.2, table_name regclass default 'seen', check (slash <> E'\t'));
create view shown as select slash, span, at, f, raw from values_of_types where raw <> '\x00' and at > '2020-01-01';
create function half(x int) returns float8 language sql return x / 2.0;
insert into values_of_types (id) values (1), (2);
create table parents (id int primary key);
create table children (id int primary key references parents);
";
const DOWN: &str =
    "drop table children, parents; drop function half; drop view shown; drop table values_of_types, seen;";

/// A statement that keeps what a session has set.
fn look(first: usize) -> String {
    let names: Vec<String> =
        PINNED.iter().chain(PINNED_IF_SET).map(|(name, _)| format!("('{name}')")).collect();
    format!(
        "insert into seen select {first} + row_number() over (), name, current_setting(name, true) from (values {}) pinned (name) on conflict do nothing;",
        names.join(", ")
    )
}

fn checkout() -> Checkout {
    let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n\n[[app]]\nname = \"set\"\ndepends-on = []\n\
        tables = [\"seen\", \"values_of_types\", \"parents\", \"children\"]\n";
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.set\"\n";
    let checkout = Checkout::with_files(manifest, &[("set/sqlx.toml", ledger)]);
    checkout.migration("set/0001_initial", UP, DOWN);
    checkout.migration("set/0002_look", &look(0), "delete from seen;");
    checkout.migration(
        "set/0003_index",
        "-- no-transaction\ncreate index concurrently seen_name_idx on seen (name);",
        "drop index seen_name_idx;",
    );
    checkout.migration("set/0004_look", &look(100), "delete from seen where id > 100;");
    checkout.write("set/seed.sql", &look(200));
    checkout
}

/// Sets everything for a database, if its server has such a setting.
async fn set_all(db: &TestDatabase, database: &str) {
    for (name, value) in OTHERS {
        let known: bool = query_scalar("select current_setting($1, true) is not null")
            .bind(name)
            .fetch_one(db.pool())
            .await
            .unwrap();
        if known {
            at_the_server(db, &format!("alter database {database} set {name} = '{value}'")).await;
        }
    }
}

fn files(checkout: &Checkout, folder: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(checkout.root().join(folder)).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

#[test]
fn every_pinned_setting_has_another_value_here() {
    for (name, value) in PINNED.iter().chain(PINNED_IF_SET) {
        let other = OTHERS.iter().find(|(other, _)| other == name);
        assert!(other.is_some_and(|(_, other)| other != value), "{name}");
    }
}

#[test]
fn no_setting_of_a_database_changes_what_commands_do() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        let plain = checkout.root().join("plain").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &plain]).expect(0, &[]);
        let before = shape(db).await;
        let seen: Vec<(String, Option<String>)> =
            query_as("select name, value from seen order by id").fetch_all(db.pool()).await?;
        assert_eq!(seen.len(), 3 * (PINNED.len() + PINNED_IF_SET.len()));

        let name = format!("{}_own", db.name());
        at_the_server(db, &format!("create database {name} template template0")).await;
        set_all(db, &name).await;
        let url = db.url().replace(db.name(), &name);
        let run = |args: &[&str], code: i32, said: &[&str]| {
            outcome(&checkout.command(&url, args)).expect(code, said);
        };
        run(&["migrate"], 0, &["set/0004_look"]);
        run(&["seed"], 0, &["seen +"]);
        let own = checkout.root().join("own").display().to_string();
        run(&["dumpdata", "--output", &own], 0, &[]);
        assert_eq!(files(&checkout, "plain"), files(&checkout, "own"));
        run(&["seed"], 0, &["0 changes"]);
        run(&["db-check"], 0, &[]);
        run(&["inspect", "values_of_types"], 0, &["table_name"]);
        run(&["loaddata", &plain, "--replace", "--confirm", &name], 0, &["every constraint checked"]);
        run(&["dumpdata", "--output", &own, "--force"], 0, &[]);
        assert_eq!(files(&checkout, "plain"), files(&checkout, "own"));
        run(&["flush", "--confirm", &name], 0, &[]);
        run(&["migrate", "set", "0003", "--confirm", &name], 0, &[]);
        run(&["migrate"], 0, &[]);

        at_the_server(db, &format!("alter database {name} reset all")).await;
        let mut conn = db.options().database(&name).connect().await?;
        let shown: Vec<(String, Option<String>)> =
            query_as("select name, value from seen order by id").fetch_all(&mut conn).await?;
        assert!(shown.iter().all(|(name, value)| seen.contains(&(name.clone(), value.clone()))), "{shown:?}");
        conn.execute("drop schema migrations cascade").await?;
        conn.close().await?;
        set_all(db, &name).await;
        run(&["adopt", "set", "0004_look"], 0, &["set/0004_look"]);
        run(&["verify"], 0, &[]);
        run(&["db-drop", "--confirm", &name], 0, &["dropped"]);
        assert_eq!(before, shape(db).await);
        Ok(())
    });
}

#[test]
fn a_session_that_would_run_as_on_a_replica_checks_foreign_keys() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        let folder = checkout.root().join("dump").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &folder]).expect(0, &[]);
        fs::write(checkout.root().join("dump/children.copy"), "7\n")?;
        at_the_server(db, &format!("alter database {} set session_replication_role = replica", db.name()))
            .await;
        checkout
            .xtask(db, &["loaddata", &folder, "--replace", "--edited"])
            .expect(1, &["children.copy:1: ", "\"children_id_fkey\" (23503); nothing was loaded"]);
        checkout.write("set/seed.sql", "insert into children values (7);");
        checkout.xtask(db, &["seed"]).expect(1, &["children_id_fkey"]);
        // Also after the settings of an earlier file were reset.
        checkout.migration("set/0005_set", "set session_replication_role = replica;", "select 1;");
        checkout.migration("set/0006_orphan", "insert into children values (7);", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(1, &["set/0006_orphan", "children_id_fkey"]);
        Ok(())
    });
}

#[test]
fn a_role_that_may_not_leave_the_role_of_a_replica_is_refused() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        let role = format!("{}_owner", db.name());
        let sql = format!(
            "create role {role} login password 'secret'; grant all on database {db} to {role}; alter role {role} set session_replication_role = replica",
            db = db.name()
        );
        at_the_server(db, &sql).await;
        let options = db.options();
        let url = db.url().replace(&format!("{}:", options.get_username()), &format!("{role}:"));
        let (before, after) = url.split_once(&format!("{role}:")).unwrap();
        let url = format!("{before}{role}:secret@{}", after.split_once('@').unwrap().1);
        let refused = outcome(&checkout.command(&url, &["migrate"]));
        // Reading needs no such thing.
        let shown = outcome(&checkout.command(&url, &["showmigrations"]));
        at_the_server(db, &format!("revoke all on database {} from {role}; drop role {role}", db.name())).await;
        refused.expect(1, &["session_replication_role is not `origin`", "nothing was touched", "reset session_replication_role"]);
        shown.expect(0, &["0001_initial"]);
        assert!(shape(db).await.iter().all(|line| !line.contains("seen")));
        Ok(())
    });
}

/// Sets the search path of a database, with a function in the schema `extensions` that a migration and the seeds find by it.
async fn with_search_path(db: &TestDatabase, path: &str) -> Checkout {
    let create = "create schema extensions;
        create function extensions.positive(int) returns boolean immutable language sql as 'select $1 > 0'";
    db.pool().execute(sqlx::raw_sql(create)).await.unwrap();
    at_the_server(db, &format!("alter database {} set search_path = {path}", db.name())).await;
    let checkout = checkout();
    // The body is looked up when it runs.
    let up = "create function public.checked(int) returns boolean language plpgsql as $$ begin return positive($1); end $$;
        alter table parents add check (checked(id));";
    checkout.migration("set/0005_path", up, "select 1;");
    checkout.write("set/seed.sql", "insert into parents select 1 where positive(1) on conflict do nothing;");
    checkout
}

#[test]
fn migrations_and_seeds_run_with_the_search_path_of_the_database() {
    tests::empty().run(async |db| {
        let checkout = with_search_path(db, "extensions, public").await;
        checkout.migration("set/0006_beside", "create table beside (id int);", "drop table beside;");
        checkout.xtask(db, &["migrate"]).expect(0, &["set/0005_path", "set/0006_beside"]);
        let shaped = shape(db).await;
        assert!(shaped.iter().any(|line| line.starts_with("relation extensions.beside")), "{shaped:?}");
        Ok(())
    });
}

#[test]
fn a_load_works_with_functions_that_rely_on_the_search_path_of_the_database() {
    tests::empty().run(async |db| {
        let checkout = with_search_path(db, "public, extensions").await;
        checkout.xtask(db, &["migrate"]).expect(0, &["set/0005_path"]);
        checkout.xtask(db, &["seed"]).expect(0, &["parents +1"]);
        // Values that name tables mean the same, whatever the path was when they were dumped.
        let folder = checkout.root().join("dump").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &folder]).expect(0, &[]);
        at_the_server(db, &format!("alter database {} set search_path = extensions", db.name())).await;
        let other = checkout.root().join("other").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &other]).expect(0, &[]);
        assert_eq!(files(&checkout, "dump"), files(&checkout, "other"));
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &["every constraint checked"]);
        Ok(())
    });
}

#[test]
fn no_timeout_of_a_role_ends_a_session_that_waits_for_its_own_process() {
    tests::empty().run(async |db| {
        let checkout = checkout();
        let role = format!("{}_deploy", db.name());
        let sql = format!(
            "create role {role} superuser login password 'secret'; alter role {role} set idle_session_timeout = 1;
             alter role {role} set idle_in_transaction_session_timeout = 1"
        );
        at_the_server(db, &sql).await;
        let url = db.url();
        let url = format!("postgres://{role}:secret@{}", url.rsplit_once('@').unwrap().1);
        let mut done = vec![outcome(&checkout.command(&url, &["db-setup"]))];
        db.pool().execute("drop schema migrations cascade; alter table seen add column more int").await?;
        // It reads a throwaway database after each migration.
        let adopted = outcome(&checkout.command(&url, &["adopt"]));
        db.pool().execute("alter table seen drop column more").await?;
        done.push(outcome(&checkout.command(&url, &["adopt"])));
        at_the_server(db, &format!("reassign owned by {role} to app")).await;
        db.pool().execute(sqlx::AssertSqlSafe(format!("reassign owned by {role} to app; drop owned by {role}"))).await?;
        at_the_server(db, &format!("drop role {role}")).await;
        adopted.expect(3, &["column public.seen.more"]);
        for outcome in done {
            outcome.expect(0, &[]);
        }
        Ok(())
    });
}
