//! `cargo xtask diff`: what it reads, and what it prints.

use std::fs;

use duct::cmd;
use sqlx::migrate::Migrator;

use crate::checkout::{Checkout, Outcome, outcome};

const OLD: &str = "create table t (a int, b text);\n";
const NEW: &str =
    "create table t (a bigint not null, c text default 'x');\ncreate view v as select a from t;\n";

fn diff(checkout: &Checkout, args: &[&str]) -> Outcome {
    outcome(&checkout.bare_command(&[&["diff"], args].concat()).dir(checkout.path("")))
}

/// A checkout with these files below `migrations/`, and without a manifest.
fn files(files: &[(&str, &str)]) -> Checkout {
    let checkout = Checkout::with_files("", files);
    checkout.remove("apps.toml");
    checkout
}

#[test]
fn diff_prints_sql_that_psql_runs_and_exits_with_3() {
    let checkout = files(&[("old.sql", OLD), ("new.sql", NEW)]);
    tests::empty().run(async |db| {
        let found = diff(&checkout, &["old.sql", "new.sql"]);
        found.expect(3, &["-- data loss: column public.t.b", "begin;", "commit;"]);
        checkout.write("change.sql", &found.stdout);
        for file in ["old.sql", "change.sql"] {
            let path = checkout.path(file);
            cmd!("psql", "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", path, db.url()).run()?;
        }
        diff(&checkout, &[&db.url(), "new.sql"]).expect(0, &[]);
        let back = diff(&checkout, &[&db.url(), "old.sql"]);
        assert_eq!(back.stdout, diff(&checkout, &["old.sql", &db.url(), "--reverse"]).stdout);
        back.expect(3, &["drop view public.v"]);
        Ok(())
    });
}

#[test]
fn equal_schemas_print_nothing() {
    let checkout = files(&[("old.sql", OLD), ("new.sql", OLD)]);
    let found = diff(&checkout, &["old.sql", "new.sql"]);
    found.expect(0, &[]);
    assert_eq!((found.stdout.as_str(), found.stderr.as_str()), ("", ""));
}

#[test]
fn the_files_of_a_folder_load_in_whatever_order_works() {
    let checkout = files(&[
        ("schema/a.sql", "create view v as select a from t;\ngrant select on v to reader_of_diff;\n"),
        ("schema/deep/b.sql", "create table t (a e);\n"),
        ("schema/c.sql", "create type e as enum ('x');\n"),
        (
            "one.sql",
            "create type e as enum ('x');\ncreate table t (a e);\ncreate view v as select a from t;\n",
        ),
    ]);
    diff(&checkout, &["one.sql", "schema"]).expect(3, &["grant select on table public.v to reader_of_diff"]);
    checkout.write("schema/d.sql", "\ncreate table u (a nothing);\n");
    let found = diff(&checkout, &["one.sql", "schema"]);
    found.expect(1, &["the files do not load", "d.sql:2: type \"nothing\" does not exist (42704)"]);
    assert_eq!(found.stdout, "");
}

#[test]
fn both_sides_may_make_the_same_roles() {
    let role = "maker_of_diff";
    let make = format!("create role {role} nologin;\nCREATE USER \"{role} 2\";\ncreate table t (a int);\n");
    let grant = format!("grant select on t to {role};\ngrant insert on t to \"{role} 2\";\n");
    let checkout = files(&[
        ("old.sql", &make),
        ("new.sql", &format!("{make}{grant}")),
        ("schema/a.sql", &grant),
        ("schema/b.sql", &make),
    ]);
    let granted = [
        "grant select on table public.t to maker_of_diff;",
        "grant insert on table public.t to \"maker_of_diff 2\";",
    ];
    diff(&checkout, &["old.sql", "new.sql"]).expect(3, &granted);
    diff(&checkout, &["old.sql", "schema"]).expect(3, &granted);
    diff(&checkout, &["schema", "new.sql"]).expect(0, &[]);
    checkout.write("twice.sql", &format!("{make}create table t (a int);\n"));
    diff(&checkout, &["old.sql", "twice.sql"]).expect(1, &["twice.sql:4: relation \"t\" already exists"]);
}

#[test]
fn a_script_may_be_written_for_psql_and_hold_rows() {
    let script = "\u{feff}\\restrict key\n\\set ON_ERROR_STOP on\n\n-- The table.\ncreate table t (a int, b text);\n\
                  COPY public.t (a, b) FROM stdin;\n1\tit's; $$\n\\N\t\\\\.\n\\.\n\n\\echo done\n\\unrestrict key\n";
    let checkout = files(&[("old.sql", OLD), ("script.sql", script)]);
    diff(&checkout, &["old.sql", "script.sql"]).expect(0, &[]);
    checkout.write("wrong.sql", &format!("{script}\\echo more\ncreate table u (a nothing);\n"));
    diff(&checkout, &["old.sql", "wrong.sql"]).expect(1, &["wrong.sql:14: type \"nothing\" does not exist"]);
    checkout.write("including.sql", "\\i script.sql\ncreate table u (a int);\n");
    diff(&checkout, &["old.sql", "including.sql"])
        .expect(1, &["including.sql:1: `\\i` is a command of psql"]);
}

#[test]
fn a_folder_with_a_manifest_is_its_migrations_without_the_ledger() {
    let checkout = Checkout::new();
    diff(&checkout, &[".", "."]).expect(0, &[]);
    fs::write(checkout.root().join("empty.sql"), "select 1;\n").unwrap();
    let found = diff(&checkout, &["../empty.sql", "."]);
    found.expect(3, &["create table public.people"]);
    assert!(!found.stdout.contains("create schema"), "{}", found.stdout);
}

#[test]
fn a_folder_of_migrations_of_sqlx_is_its_ups_in_order() {
    let checkout = files(&[
        ("m/0001_first.up.sql", OLD),
        ("m/0001_first.down.sql", "drop table t;\n"),
        ("m/0002_second.up.sql", "alter table t add d int;\n"),
        ("m/0002_second.down.sql", "alter table t drop d;\n"),
        ("old.sql", OLD),
    ]);
    let found = diff(&checkout, &["old.sql", "m"]);
    found.expect(3, &["alter table public.t add column d integer"]);
}

#[test]
fn a_database_of_sqlx_is_compared_with_files_without_its_ledger() {
    let checkout = files(&[("m/0001_first.sql", OLD), ("old.sql", OLD)]);
    tests::empty().run(async |db| {
        Migrator::new(checkout.path("m")).await?.run(db.pool()).await?;
        for side in ["m", "old.sql"] {
            diff(&checkout, &[&db.url(), side]).expect(0, &[]);
            diff(&checkout, &[side, &db.url()]).expect(0, &[]);
        }
        Ok(())
    });
}

#[test]
fn each_statement_is_in_the_json_with_what_to_know_about_it() {
    let checkout = files(&[("old.sql", OLD), ("new.sql", NEW)]);
    let found = diff(&checkout, &["old.sql", "new.sql", "--format", "json"]);
    found.expect(3, &[]);
    let report: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    let dropped = report["statements"].as_array().unwrap().iter().find(|it| it["change"] == "drop").unwrap();
    assert_eq!(dropped["object"], "public.t.b");
    assert_eq!(dropped["hazards"][0], "data loss: column public.t.b");
}

#[test]
fn a_partitioned_table_loses_only_the_rows_of_partitions_that_go_with_it() {
    let left = "create table left_alone (k int) partition by list (k);\n\
                create table stays partition of left_alone for values in (1);\n";
    let dropped = "create table dropped (k int) partition by list (k);\n\
                   create table goes partition of dropped for values in (1);\n";
    let checkout =
        files(&[("old.sql", &format!("{left}{dropped}")), ("new.sql", "create table stays (k int);\n")]);
    let found = diff(&checkout, &["old.sql", "new.sql"]);
    found.expect(3, &["drop table public.left_alone;"]);
    let losses: Vec<&str> = found.stdout.lines().filter(|line| line.starts_with("-- data loss")).collect();
    assert_eq!(losses, ["-- data loss: table public.dropped"]);
}

#[test]
fn what_no_statement_changes_is_refused_by_name() {
    let base = "create table t (a int);\ncreate index i on t (a);\n";
    let made = format!("{base}update pg_index set indisvalid = false where indexrelid = 'i'::regclass;\n");
    let checkout = files(&[("old.sql", base), ("new.sql", &made)]);
    let found = diff(&checkout, &["old.sql", "new.sql"]);
    found.expect(1, &["these differences can't be made by SQL", "index public.i: invalid"]);
    assert_eq!(found.stdout, "");
}

#[test]
fn rows_and_counters_survive_a_rename() {
    let old = "create table t (id serial primary key, a int check (a > 0));\n";
    let new = "create table u (id serial primary key, b int check (b > 0));\n";
    let checkout = files(&[("old.sql", old), ("new.sql", new)]);
    tests::empty().run(async |db| {
        let renamed = ["--renamed", "public.t=u", "--renamed", "public.t.a=b"];
        let run =
            |sql: &str| cmd!("psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atqc", sql, db.url()).read();
        run(&format!("{old} insert into t (a) values (5)"))?;
        let found = diff(&checkout, &[&[&db.url(), "new.sql"], &renamed[..]].concat());
        found.expect(
            3,
            &["alter table public.t rename column a to b", "alter sequence public.t_id_seq rename"],
        );
        assert!(!found.stdout.contains("drop"), "{}", found.stdout);
        assert_eq!(found.stdout, diff(&checkout, &[&["old.sql", "new.sql"], &renamed[..]].concat()).stdout);
        let back = diff(
            &checkout,
            &[
                &["new.sql", &db.url(), "--reverse"],
                &["--renamed", "public.u=t", "--renamed", "public.u.b=a"][..],
            ]
            .concat(),
        );
        assert_eq!(found.stdout, back.stdout);
        run(&found.stdout)?;
        diff(&checkout, &[&db.url(), "new.sql"]).expect(0, &[]);
        assert_eq!(run("insert into u (b) values (6) returning id")?, "2");
        Ok(())
    });
}

#[test]
fn names_to_rename_that_are_not_there_are_refused() {
    let checkout = files(&[("old.sql", OLD), ("new.sql", NEW)]);
    for (rename, why) in [
        ("public.x=t", "can't rename public.x=t: the old schema has no such relation or type"),
        ("public.t=x", "the new schema has no relation or type of that name"),
        ("public.t.x=c", "the old schema has no such column"),
        ("public.t.b=x", "the new schema has no column of that name"),
    ] {
        let found = diff(&checkout, &["old.sql", "new.sql", "--renamed", rename]);
        found.expect(1, &[why]);
        assert_eq!(found.stdout, "");
    }
    diff(&checkout, &["old.sql", "new.sql", "--renamed", "t=u"]).expect(2, &["write schema.table=new"]);
}
