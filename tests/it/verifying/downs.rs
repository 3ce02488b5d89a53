//! `verify` judges each down by itself, reports each wrong one once, and lists the migrations that have none.

use super::check;
use crate::checkout::Checkout;

/// Ways up and down, and what the second leaves of the first. Each is a blind spot of some tool: an index, a comment, a
/// default, a constraint, a function, a grant.
const LEFT: &[(&str, &str, &str)] = &[
    ("create index loans_fee_idx on loans (fee);", "select 1;", "remains     index public.loans_fee_idx"),
    ("comment on column loans.fee is 'points';", "select 1;", "differs     column public.loans.fee: comment"),
    ("alter table loans alter column fee set default 1;", "select 1;", "found     1"),
    (
        "alter table loans drop constraint loans_fee_check;",
        "select 1;",
        "lost        constraint public.loans.loans_fee_check: sort check",
    ),
    (
        "create function f() returns int language sql as 'select 1';",
        "select 1;",
        "remains     function public.f()",
    ),
    ("grant select on loans to public;", "select 1;", "differs     table public.loans: rights"),
    (
        "create type mood as enum ('good', 'bad');",
        "select 1;",
        "remains     enum public.mood: labels good, bad",
    ),
    ("create view v as select 1 as one;", "select 1;", "remains     view public.v: definition"),
    ("create schema extra;", "select 1;", "remains     schema extra"),
    (
        "alter table loans enable row level security;",
        "select 1;",
        "differs     table public.loans: row security",
    ),
    ("alter table loans disable trigger all;", "select 1;", "found     disabled"),
    ("grant select (fee) on loans to public;", "select 1;", "differs     column public.loans.fee: rights"),
    (
        "alter table loans replica identity full;",
        "select 1;",
        "differs     table public.loans: replica identity",
    ),
    (
        "alter table loans alter fee set statistics 7;",
        "select 1;",
        "differs     column public.loans.fee: statistics",
    ),
    ("create statistics st on fee, barcode from loans;", "select 1;", "remains     statistics public.st"),
    ("create publication pub for table loans;", "select 1;", "remains     publication pub"),
    ("comment on schema public is 'ours';", "select 1;", "found     ours"),
    (
        "do $$ begin execute format('alter database %I set search_path = extensions', current_database()); end $$;",
        "select 1;",
        "differs     database settings",
    ),
    (
        "do $$ begin execute format('grant create on database %I to public', current_database()); end $$;",
        "select 1;",
        "differs     database rights",
    ),
    ("create collation c from \"C\";", "select 1;", "remains     collation public.c"),
    ("create sequence s;", "select 1;", "remains     sequence public.s"),
    (
        "create domain d as int check (value > 0);",
        "select 1;",
        "remains     domain public.d: data type integer",
    ),
    ("create policy p on loans using (true);", "select 1;", "remains     policy public.loans.p"),
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
        "remains     aggregate public.g(integer)",
    ),
    ("create cast (int4range as text) with inout;", "select 1;", "remains     cast (int4range as text)"),
    (
        "alter default privileges grant select on tables to public;",
        "select 1;",
        "remains     default privileges of <migrator> for tables",
    ),
];

#[test]
fn a_down_that_leaves_something_fails_with_what_it_left() {
    for cases in LEFT.chunks(7) {
        let left: Vec<&str> = cases.iter().map(|(_, _, left)| *left).collect();
        let write = |it: &Checkout| {
            for ((up, down, _), number) in cases.iter().zip(2..) {
                it.migration(&format!("loans/{number:04}_more"), up, down);
            }
        };
        let stdout = check(write, 3, &left);
        let flaws = lines_with(&stdout, "_more does not give back what was before its up:");
        assert_eq!(flaws, cases.len(), "{stdout}");
    }
}

const COLUMN: (&str, &str) = ("alter table loans add column a int;", "alter table loans drop column a;");
const DOWNS: &str = "each down gives back what was before its up";
const WITH_SEEDS: &str = "each down works with the seeds in the tables";
const UP_AGAIN: &str = "up again gives the same fingerprint";

/// How many lines contain a text.
fn lines_with(text: &str, part: &str) -> usize {
    text.lines().filter(|line| line.contains(part)).count()
}

/// Asserts that the line of a proof ends in a state.
#[track_caller]
fn expect_state(stdout: &str, proof: &str, state: &str) {
    let line = stdout.lines().find(|line| line.contains(proof)).unwrap_or_else(|| panic!("{stdout}"));
    assert!(line.contains(state), "{stdout}");
}

#[test]
fn every_wrong_down_is_reported_once_and_every_proof_still_runs() {
    let stdout = check(
        |it| {
            it.migration("people/0002_left", "create schema extra;", "select 1;");
            it.migration("people/0003_owner", "create schema other;", "drop schema other;");
            it.migration("loans/0002_bad", "create schema third;", "selec 1;");
            let down = "drop type mood; drop view staff_by_branch;";
            it.migration("loans/0003_gone", "create type mood as enum ('good');", down);
            it.migration("loans/0004_fine", COLUMN.0, COLUMN.1);
        },
        3,
        &[
            "the down of people/0002_left does not give back what was before its up:\n    remains     schema extra\n",
            "  the way back of loans/0002_bad failed; nothing of it was kept\n",
            "migrations/loans/0002_bad.down.sql:1",
            "the down of loans/0003_gone does not give back what was before its up:\n    lost        view public.staff_by_branch",
            "    lost        view public.staff_by_branch",
            "9 tables, exactly as apps.toml says",
            "not below loans/0003_gone, where the downs have run on empty tables only",
        ],
    );
    for once in
        ["of people/0002_left", "of loans/0002_bad", "of loans/0003_gone", "remains     schema", "FAILED"]
    {
        assert_eq!(lines_with(&stdout, once), 1, "{once}: {stdout}");
    }
    expect_state(&stdout, DOWNS, "FAILED");
    expect_state(&stdout, UP_AGAIN, "holds");
}

#[test]
fn a_down_that_only_rows_break_is_reported() {
    let down = "do $$ begin if exists (select from roles) then raise 'rows'; end if; end $$;";
    let stdout = check(
        |it| it.migration("people/0002_count", "select 1;", down),
        3,
        &["the way back of people/0002_count failed", "rows (P0001)", "not below people/0002_count"],
    );
    expect_state(&stdout, DOWNS, "holds");
    expect_state(&stdout, WITH_SEEDS, "FAILED");
    expect_state(&stdout, UP_AGAIN, "holds");
}

#[test]
fn an_up_that_cannot_run_again_after_its_down_is_reported_once() {
    let up = "insert into permissions (name, resource, action) values ('a', 'b', 'c');";
    let stdout = check(
        |it| {
            it.migration("people/0002_row", up, "-- Leaves the row.\nselect 1;");
            it.migration("loans/0002_fine", COLUMN.0, COLUMN.1);
        },
        3,
        &[
            "people/0002_row can't be applied again after its down:\n    migration people/0002_row failed",
            "permissions_name_key",
        ],
    );
    assert_eq!(lines_with(&stdout, "migration people/0002_row failed"), 1, "{stdout}");
    expect_state(&stdout, DOWNS, "holds");
    expect_state(&stdout, UP_AGAIN, "FAILED");
}

/// Migrations before, between and after two that have no way back.
fn two_without_a_way_back(it: &Checkout) {
    it.migration("people/0002_a", "create schema extra;", "drop schema extra;");
    it.write("people/0003_merge.up.sql", "-- irreversible: the duplicates are gone\ncreate schema more;");
    it.migration("people/0004_b", "create schema third;", "drop schema third;");
    it.migration("loans/0002_merge", COLUMN.0, "-- irreversible: codes are gone");
    // On a first way up there are no rows, so none of the proofs may run it with some.
    let rows = "do $$ begin if exists (select from roles) then raise 'rows'; end if; end $$;";
    it.migration("loans/0003_c", &format!("{rows} create schema fourth;"), "drop schema fourth;");
}

#[test]
fn migrations_that_have_no_way_back_are_listed_and_the_others_are_proven() {
    let listed = "2 migrations have no way back: people/0003_merge (the duplicates are gone), loans/0002_merge (codes are gone)\n";
    let stdout =
        check(two_without_a_way_back, 0, &[listed, "not below loans/0002_merge, where", "all of it holds"]);
    for proof in [DOWNS, WITH_SEEDS, UP_AGAIN] {
        expect_state(&stdout, proof, "holds");
    }
    for wrong in ["people/0002_a", "people/0004_b", "loans/0003_c"] {
        let stdout = check(
            |it| {
                two_without_a_way_back(it);
                it.write(&format!("{wrong}.down.sql"), "select 1;");
            },
            3,
            &[listed, &format!("the down of {wrong} does not give back")],
        );
        assert_eq!(lines_with(&stdout, "remains     schema"), 1, "{stdout}");
    }
}

#[test]
fn an_empty_down_without_a_reason_fails_and_shows_the_line_to_write() {
    let shown = "\n    if there is no way back, write this line alone: -- irreversible: why\n";
    let file = "migrations/loans/0002_more.down.sql has no statement; write what reverts the migration";
    let stdout = check(
        |it| it.migration("loans/0002_more", COLUMN.0, "-- Nothing to do.\n"),
        3,
        &["each file has a statement", file, shown],
    );
    assert_eq!(lines_with(&stdout, "FAILED"), 1, "{stdout}");
    check(
        |it| it.migration("loans/0002_more", COLUMN.0, "-- irreversible: why\n"),
        0,
        &["no way back: loans"],
    );
}
