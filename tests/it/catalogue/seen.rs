//! Who reads, and what belongs to the schema: roles without rights, extensions, other sessions, what was dropped.

use std::time::Instant;

use catalogue::{Kind, Role, Scope};
use sqlx::{Connection, Executor, PgConnection};

use super::{
    connect, differences,
    fingerprints::{drop_subscription, fill_sink},
    read, run,
};

#[test]
fn a_role_without_rights_reads_everything_but_secrets() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        fill_sink(&mut conn, db).await;
        // The owner of the ledger is the role that migrates, for all who read.
        run(&mut conn, "create schema ledger;\n").await?;
        let role = format!("reader of {}", &db.name()[40..]);
        run(&mut conn, &format!("create role \"{role}\" login password 'x';\n")).await?;
        let all = migrations::schema::read(&mut conn, &["ledger"]).await?;
        let options = db.options().username(&role).password("x");
        let mut reader = PgConnection::connect_with(&options).await?;
        let seen = migrations::schema::read(&mut reader, &["ledger"]).await?;
        assert_eq!(differences(&all, &seen), ["user mapping of pg_monitor on server s: options"]);
        reader.close().await?;
        run(&mut conn, &format!("drop role \"{role}\";\n")).await?;
        drop_subscription(&mut conn).await;
        Ok(())
    });
}

#[test]
fn another_server_that_does_not_answer_makes_no_difference() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let sql = "create extension file_fdw; create server s foreign data wrapper file_fdw;
             create foreign table t (a int) server s options (filename '/nowhere/at/all');
             create subscription su connection 'host=127.0.0.1 port=1' publication p with (connect = false, slot_name = none);\n";
        run(&mut conn, sql).await?;
        let found = read(&mut conn).await;
        assert_eq!(found.of_kind(Kind::ForeignTable).count(), 1);
        assert_eq!(found.of_kind(Kind::Subscription).count(), 1);
        drop_subscription(&mut conn).await;
        Ok(())
    });
}

#[test]
fn the_objects_of_an_extension_are_left_out_and_what_refers_to_them_is_kept() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let before = read(&mut conn).await;
        run(&mut conn, "create extension hstore;\n").await?;
        let with_extension = read(&mut conn).await;
        assert_eq!(differences(&before, &with_extension), ["unexpected extension hstore"]);
        let sql = "create table t (a hstore); create index i on t using gin (a gin_hstore_ops);
             grant execute on function hstore(text, text) to pg_monitor; create function f(hstore) returns int language sql as 'select 1';\n";
        run(&mut conn, sql).await?;
        let found = read(&mut conn).await;
        let expected = [
            "unexpected column public.t.a",
            "unexpected function public.f(public.hstore)",
            "unexpected index public.i",
            "unexpected rights to function public.hstore(pg_catalog.text,pg_catalog.text)",
            "unexpected table public.t",
        ];
        assert_eq!(differences(&with_extension, &found), expected);
        assert!(found.text(Scope::Exact).contains("column public.t.a: data type public.hstore\n"));
        Ok(())
    });
}

#[test]
fn temporary_objects_are_not_in_the_schema() {
    tests::empty().run(async |db| {
        let (mut conn, mut other) = (connect(db).await, connect(db).await);
        let before = read(&mut conn).await;
        let sql = "create temp table t (a serial primary key, b text default 'x' check (b <> ''));
             create temp view v as select a from t; create function pg_temp.f() returns int language sql as 'select 1';
             create type pg_temp.e as enum ('a'); comment on table t is 'x'; grant select on t to pg_monitor;
             create index on t (b); create temp sequence s; create domain pg_temp.d as int check (value > 0);\n";
        for maker in [&mut other, &mut conn] {
            run(maker, sql).await?;
        }
        let after = read(&mut conn).await;
        assert_eq!(differences(&before, &after), [] as [&str; 0]);
        Ok(())
    });
}

#[test]
fn a_grant_or_policy_of_a_role_that_is_gone_is_still_read() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let role = format!("gone {}", &db.name()[40..]);
        let sql = format!(
            "create role \"{role}\"; create table t (); grant select on t to \"{role}\"; create policy p on t to \"{role}\";
             create schema s authorization \"{role}\"; alter default privileges for role \"{role}\" grant select on tables to public;\n"
        );
        run(&mut conn, &sql).await?;
        let oid: i64 = sqlx::query_scalar("select oid::bigint from pg_authid where rolname = $1")
            .bind(&role)
            .fetch_one(&mut conn)
            .await?;
        // As after a broken upgrade: the server itself refuses to drop it.
        run(&mut conn, &format!("delete from pg_authid where rolname = '{role}';\n")).await?;
        let found = read(&mut conn).await;
        let table = found.of_kind(Kind::Table).next().unwrap();
        assert_eq!(table.rights.0[0].role, Role::Named(oid.to_string()));
        let text = found.text(Scope::Exact);
        for line in [
            format!("policy public.t.p: roles \"{oid}\""),
            format!("schema s: owner \"{oid}\""),
            format!("default privileges of \"{oid}\" for tables: rights"),
        ] {
            assert!(text.contains(&line), "{line} in {text}");
        }
        Ok(())
    });
}

#[test]
fn a_schema_that_was_altered_into_shape_equals_one_that_was_made_in_it() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let altered = "create table old (gone int, id serial, b text); alter table old drop gone; alter table old rename to t;
             alter table t add c int default 5; alter table t rename b to d; create table other (a int);
             alter table other add dropped text; alter table other drop dropped; drop table other;
             create table p (a int) partition by list (a); create table p1 (x int, a int); alter table p1 drop x;
             alter table p attach partition p1 for values in (1); alter table p detach partition p1;
             alter table p attach partition p1 for values in (2);
             create table q1 partition of p default; alter table p detach partition q1;
             create view v as select id from t; create index i on t (d);\n";
        let made = "create sequence old_id_seq as int; create table t (id int constraint old_id_not_null not null default nextval('old_id_seq'), d text, c int default 5);
             alter sequence old_id_seq owned by t.id; create table p (a int) partition by list (a);
             create table p1 partition of p for values in (2); create table q1 (a int);
             create view v as select id from t; create index i on t (d);\n";
        run(&mut conn, altered).await?;
        let expected = read(&mut conn).await;
        let other = &tests::empty().database().await;
        let mut conn = connect(other).await;
        run(&mut conn, made).await?;
        let found = read(&mut conn).await;
        assert_eq!(differences(&expected, &found), [] as [&str; 0]);
        Ok(())
    });
}

#[test]
fn thousands_of_tables_are_read() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        // A transaction has room for the locks of some thousands of tables only.
        let many = "do $$ begin for n in 1..5000 loop
            execute format('create table t_%s (a int default %s, constraint k check (a > 0))', n, n);
            if n % 250 = 0 then commit; end if; end loop; end $$";
        conn.execute(many).await?;
        let start = Instant::now();
        let found = read(&mut conn).await;
        assert_eq!(found.of_kind(Kind::Table).count(), 5000, "{:?}", start.elapsed());
        assert_eq!(found.of_kind(Kind::Column).count(), 5000);
        assert_eq!(found.of_kind(Kind::Constraint).count(), 5000);
        assert_eq!(differences(&found, &found), [] as [&str; 0]);
        Ok(())
    });
}
