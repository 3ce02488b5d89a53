//! `verify` proves what it says: these tests make each proof fail, and expect that no run leaves anything behind.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Executor};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    native_server::PATIENCE,
};

/// Runs a test with the URL of a role of its own, so that the test recognises its leftovers on the server.
#[track_caller]
pub(crate) fn as_own_role(test: impl AsyncFn(&TestDatabase, &str)) {
    tests::empty().run(async |db| {
        let role = db.name();
        db.pool().execute(AssertSqlSafe(format!("create role {role} superuser login password 'x'"))).await?;
        let url = db.url();
        let place = url.split_once('@').unwrap().1;
        test(db, &format!("postgres://{role}:x@{place}")).await;
        let left = "select array_agg(datname::text) from pg_database where datdba = $1::regrole";
        let left: Option<Vec<String>> = sqlx::query_scalar(left).bind(role).fetch_one(db.pool()).await?;
        assert_eq!(left, None);
        db.pool().execute(AssertSqlSafe(format!("drop role {role}"))).await?;
        Ok(())
    });
}

#[track_caller]
fn check(damage: impl Fn(&Checkout), code: i32, said: &[&str]) {
    as_own_role(async |_, url| {
        let checkout = Checkout::new();
        damage(&checkout);
        outcome(&checkout.command(url, &["verify"])).expect(code, said);
    });
}

#[test]
fn a_project_that_keeps_the_rules_passes() {
    check(
        |_| {},
        0,
        &[
            "5 migrations, in one order",
            "from nothing to fingerprint",
            "9 tables, exactly as apps.toml says",
            "seeds write 19 rows, and nothing twice",
            "each down gives back what was before its up",
            "up again gives the same fingerprint",
        ],
    );
}

#[test]
fn a_missing_and_an_unexpected_table_fail_the_contract() {
    check(
        |it| it.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loan\"]"),
        3,
        &[
            "9 tables, exactly as apps.toml says",
            "FAILED",
            "missing     table loan, which app `loans` owns",
            "unexpected  table loans",
        ],
    );
}

#[test]
fn a_migration_that_touches_another_apps_tables_fails() {
    for (up, down) in [
        ("alter table branches add column note text;", "alter table branches drop column note;"),
        ("create index on branches (name);", "drop index branches_name_idx;"),
        (
            "alter table loans add column branch uuid references branches;",
            "alter table loans drop column branch;",
        ),
        ("grant select on branches to public;", "revoke select on branches from public;"),
    ] {
        check(
            |it| it.migration("loans/0002_trespass", up, down),
            3,
            &[
                "loans/0002_trespass touches table branches of app `library`, which `depends-on` of `loans` does not list",
            ],
        );
    }
}

#[test]
fn a_second_way_up_with_another_result_fails() {
    // A large object is data, so it outlives the way down without a trace in the catalogue.
    let up = "do $$ begin if exists (select from pg_largeobject_metadata) then create schema again; end if; perform lo_create(0); end $$;";
    check(
        |it| it.migration("loans/0002_sly", up, "drop schema if exists again;"),
        3,
        &["up again gives the same fingerprint", "FAILED", "unexpected  schema again"],
    );
}

#[test]
fn seeds_that_write_again_fail() {
    check(
        |it| it.write("loans/seed.sql", "update roles set description = description;"),
        3,
        &["seeds write", "FAILED", "the second run changed rows: roles ~3"],
    );
}

#[test]
fn a_down_that_leaves_something_fails_with_what_it_left() {
    // Each of these is a blind spot of some tool: an index, a comment, a default, a constraint, a function, a grant.
    for (up, down, left) in [
        ("create index loans_fee_idx on loans (fee);", "select 1;", "unexpected  index public.loans_fee_idx"),
        (
            "comment on column loans.fee is 'points';",
            "select 1;",
            "differs     column public.loans.fee: comment",
        ),
        ("alter table loans alter column fee set default 1;", "select 1;", "found     1"),
        (
            "alter table loans drop constraint loans_fee_check;",
            "select 1;",
            "missing     constraint public.loans.loans_fee_check: sort check",
        ),
        (
            "create function f() returns int language sql as 'select 1';",
            "select 1;",
            "unexpected  function public.f()",
        ),
        ("grant select on loans to public;", "select 1;", "found     SELECT to public"),
        (
            "create type mood as enum ('good', 'bad');",
            "select 1;",
            "unexpected  enum public.mood: labels good, bad",
        ),
        ("create view v as select 1 as one;", "select 1;", "unexpected  view public.v: definition"),
        ("create schema extra;", "select 1;", "unexpected  schema extra"),
        (
            "alter table loans enable row level security;",
            "select 1;",
            "differs     table public.loans: row security",
        ),
        ("alter table loans disable trigger all;", "select 1;", "found     disabled"),
        (
            "grant select (fee) on loans to public;",
            "select 1;",
            "differs     column public.loans.fee: rights",
        ),
        ("alter table loans replica identity full;", "select 1;", "found     full"),
        (
            "alter table loans alter fee set statistics 7;",
            "select 1;",
            "differs     column public.loans.fee: statistics",
        ),
        ("create statistics st on fee, barcode from loans;", "select 1;", "unexpected  statistics public.st"),
        ("create publication pub for table loans;", "select 1;", "unexpected  publication pub"),
        ("comment on schema public is 'ours';", "select 1;", "found     ours"),
        ("create collation c from \"C\";", "select 1;", "unexpected  collation public.c"),
        ("create sequence s;", "select 1;", "unexpected  sequence public.s"),
        (
            "create domain d as int check (value > 0);",
            "select 1;",
            "unexpected  domain public.d: data type integer",
        ),
        ("create policy p on loans using (true);", "select 1;", "unexpected  policy public.loans.p"),
        (
            "alter table loans disable trigger all;",
            "alter table loans enable trigger user;",
            "differs     constraint public.loans.loans_person_id_fkey: triggers",
        ),
        (
            "revoke execute on function touch_updated_at() from public;",
            "select 1;",
            "found     EXECUTE revoked from public",
        ),
        (
            "alter function touch_updated_at() owner to pg_monitor;",
            "grant execute on function touch_updated_at() to public;",
            "found     pg_monitor",
        ),
        (
            "alter sequence events_id_seq cache 7;",
            "select 1;",
            "differs     sequence public.events_id_seq: cache",
        ),
        (
            "create aggregate g(int) (sfunc = int4pl, stype = int);",
            "drop aggregate g(int); create aggregate g(int) (sfunc = int4mi, stype = int);",
            "unexpected  aggregate public.g(integer)",
        ),
        ("create cast (int4range as text) with inout;", "select 1;", "unexpected  cast (int4range as text)"),
        (
            "alter default privileges grant select on tables to public;",
            "select 1;",
            "unexpected  default privileges of <migrator> for tables",
        ),
    ] {
        check(
            |it| it.migration("loans/0002_more", up, down),
            3,
            &["the down of loans/0002_more does not give back what was before its up", left],
        );
    }
}

#[test]
fn a_migration_that_fails_is_an_error_like_any_other() {
    check(
        |it| it.migration("loans/0002_bad", "selec 1;", "select 1;"),
        1,
        &["migration loans/0002_bad failed"],
    );
    check(
        |it| it.migration("loans/0002_bad", "select 1;", "selec 1;"),
        1,
        &["the way back of loans/0002_bad failed"],
    );
}

#[test]
fn programs_read_the_flaws() {
    as_own_role(async |_, url| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_more", "create schema extra;", "select 1;");
        let output = outcome(&checkout.command(url, &["verify", "--format", "json"]));
        let json: serde_json::Value = serde_json::from_str(&output.expect(3, &[]).stdout).unwrap();
        assert_eq!(json["flaws"][1], "  unexpected  schema extra");
    });
}

#[test]
fn an_interrupted_proof_leaves_nothing() {
    as_own_role(async |db, url| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_slow", "select pg_sleep(600);", "select 1;");
        let running = checkout.command(url, &["verify"]).stdout_capture().stderr_capture().start().unwrap();
        let asleep = "select exists (select from pg_stat_activity where usename = $1 and query like '%pg_sleep(600)%')";
        let start = Instant::now();
        while !sqlx::query_scalar::<_, bool>(asleep).bind(db.name()).fetch_one(db.pool()).await.unwrap() {
            assert!(start.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for pid in running.pids() {
            kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::INT).unwrap();
        }
        let output = running.wait().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
    });
}
