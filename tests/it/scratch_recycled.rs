//! Databases that the service cleans in place and lends again.

use sqlx::{ConnectOptions, Connection};

use crate::{
    borrowing::{Host, outcome_line},
    checkout::Checkout,
    fixture,
    scratch_content::SET_OUTSIDE,
};

/// Every row of every table, as one hash.
const CONTENT: &str = "select md5(string_agg(rows, '' order by rows)) from (\
    select relation || query_to_xml(format('select t::text from only %s t order by 1', relation), true, false, '')::text as rows \
    from (select oid::regclass::text as relation from pg_class where relkind = 'r' \
          and relnamespace in ('public'::regnamespace, 'migrations'::regnamespace)) tables) contents";

/// For each statement, a first test runs it on its database, and a second test checks the database that it gets.
#[track_caller]
fn check_next_test(statements: &[&str], looks: &[&str], then: impl Fn(&[&str], &[&str])) {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_kinds_of_tables", KINDS, "select 1;");
        checkout.migration("loans/0003_outside", SET_OUTSIDE, "select 1;");
        let host = Host::start(&checkout, &db.url());
        for statement in statements {
            let first = host.borrow(&checkout, &["recycled", "1", "pass", CONTENT, statement]);
            let first: Vec<&str> = first.expect(0, &[]).stdout.split_whitespace().take(2).collect();
            let second = host.borrow(&checkout, &[&["recycled", "1", "pass", CONTENT], looks].concat());
            let second = outcome_line(&second);
            assert_eq!(first[1], second[1], "the content differs after: {statement}");
            assert_eq!(second[2..], vec!["0"; looks.len()], "{statement}");
            then(&[statement, first[0]], &[second[0]]);
        }
        Ok(())
    });
}

const KINDS: &str = "
create table scores (id int generated always as identity, points int, doubled int generated always as (points * 2) stored);
insert into scores (points) values (1), (2), (3);
create table parents (name text);
create table children (age int) inherits (parents);
insert into parents values ('p'), ('q');
insert into children values ('c', 1);
create table parts (k int, v text) partition by list (k);
create table parts_1 partition of parts for values in (1);
insert into parts values (1, 'one');
";

#[track_caller]
fn check_lent_again(statements: &[&str], looks: &[&str]) {
    check_next_test(statements, looks, |first, second| {
        assert_eq!(first[1], second[0], "not lent again: {}", first[0]);
    });
}

#[test]
fn the_service_restores_rows_exactly_and_lends_the_database_again() {
    check_lent_again(
        &[
            "select 1",
            "insert into branches (name, slug) values ('One', 'one')",
            "insert into roles (name, display_name, description) values ('new', 'New', 'New')",
            "update roles set display_name = upper(display_name)",
            "update permissions set description = description",
            "delete from roles_permissions",
            "delete from scores where points = 3; \
             insert into scores (id, points) overriding system value values (3, 9)",
            "set session_replication_role = replica; truncate roles, permissions, roles_permissions cascade",
            "delete from migrations.people; update migrations.loans set success = false",
            "set session_replication_role = replica; delete from permissions; delete from people",
            "update scores set points = points + 1",
            "delete from scores where points = 2",
            "update parents set name = 'x'",
            "delete from only parents",
            "delete from children",
            "update parts set v = 'two'",
            "truncate scores, parents, parts",
        ],
        &[],
    );
}

#[test]
fn the_service_removes_a_database_that_it_cannot_restore() {
    check_next_test(
        &[
            "create table stray (id int)",
            "drop table staff cascade",
            "alter table roles add column more text",
            "create index on roles (description)",
            "create schema stray",
            "drop trigger branches_touch_updated_at on branches",
            "create function stray() returns int language sql as 'select 1'",
            "create temp table stray (id int)",
            "comment on table roles is 'stray'",
            "grant select on roles to public",
            "set session_replication_role = replica; create table stray (id int)",
            "insert into scores (points) values (4)",
            "select setval(pg_get_serial_sequence('scores', 'id'), 1)",
            "select lo_create(0)",
            "do $$ begin execute format('alter database %I set work_mem = ''1MB''', current_database()); end $$",
            "do $$ begin execute format('alter database %I reset all', current_database()); end $$",
            "do $$ begin execute format('alter role %I in database %I set work_mem = ''1MB''', current_user, current_database()); end $$",
            "do $$ begin execute format('grant create on database %I to public', current_database()); end $$",
            "do $$ begin execute format('alter database %I connection limit 7', current_database()); end $$",
        ],
        &[],
        |first, second| assert_ne!(first[1], second[0], "lent again: {}", first[0]),
    );
}

#[test]
fn an_open_transaction_does_not_reach_the_next_test() {
    let left_open = ["begin; update roles set description = 'x'", "begin; create table stray (id int)"];
    check_next_test(&left_open, &["select count(*) from pg_tables where tablename = 'stray'"], |_, _| {});
}

/// Counts the other sessions of the database. Postgres lists a closed session until its process has ended, so this waits.
const OTHER_SESSIONS: &str = "
do $$ begin
    for attempt in 1..1000 loop
        perform pg_stat_clear_snapshot();
        exit when (select count(*) = 1 from pg_stat_activity where datname = current_database());
        perform pg_sleep(0.01);
    end loop;
end $$;
select count(*) - 1 from pg_stat_activity where datname = current_database()";

#[test]
fn no_state_of_a_session_reaches_the_next_test() {
    check_lent_again(
        &[
            "set role pg_monitor",
            "set session authorization pg_monitor",
            "set search_path = migrations",
            "prepare mine as select 1",
            "select pg_advisory_lock(7)",
            "listen mine",
            "declare mine cursor with hold for select 1",
        ],
        &[
            "select (current_user <> session_user or session_user = 'pg_monitor')::int",
            "select (current_setting('search_path') like '%migrations%')::int",
            "select count(*) from pg_prepared_statements where name = 'mine'",
            "select count(*) from pg_locks where locktype = 'advisory' \
             and database = (select oid from pg_database where datname = current_database())",
            "select count(*) from pg_listening_channels()",
            "select count(*) from pg_cursors",
            OTHER_SESSIONS,
        ],
    );
}

#[test]
fn the_service_ends_a_session_that_a_test_left_open() {
    let mut left = None;
    fixture::databases().recycled().run(async |db| {
        let options = db.options();
        // On its own runtime, the session outlives the test's runtime.
        let open = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let conn = runtime.block_on(options.connect()).unwrap();
            (runtime, conn)
        };
        left = std::thread::spawn(open).join().ok();
        Ok(())
    });
    let (runtime, mut conn) = left.unwrap();
    runtime.block_on(conn.ping()).unwrap_err();
}
