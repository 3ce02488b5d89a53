//! What `makemigrations` refuses. It then writes nothing.

use super::{append, fixture, make, ups};
use crate::checkout::Checkout;

fn expect_no_files(checkout: &Checkout) {
    let count: usize = ["people", "library", "loans"].iter().map(|app| ups(checkout, app).len()).sum();
    assert_eq!(count, 5);
}

#[test]
fn a_loss_of_rows_or_values_must_be_allowed() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "    bio        text,\n", "");
        make(&checkout, db, &[])
            .expect(4, &["loses column public.people.bio", "makemigrations --allow-data-loss"]);
        expect_no_files(&checkout);
        make(&checkout, db, &["--allow-data-loss"]).expect(0, &["people/0002_drop_people_bio"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_column_that_rows_would_lack_a_value_for_is_refused() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        let add = |column: &str| {
            let old = "    fee        double precision,\n";
            checkout.replace("loans/schema.sql", old, &format!("{old}    due_on     {column},\n"));
        };
        add("date not null");
        let why = "can't add column public.loans.due_on to rows: it is not null and has no default";
        make(&checkout, db, &[]).expect(4, &[why, "give a new column a default"]);
        expect_no_files(&checkout);
        checkout.replace("loans/schema.sql", "date not null", "date not null default '2026-01-01'");
        make(&checkout, db, &[]).expect(0, &["loans/0002_add_loans_due_on"]);
        Ok(())
    });
}

#[test]
fn a_statement_that_does_not_load_is_named_with_its_line() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.write(
            "loans/schema.sql",
            "\ncreate table loans (id int);\n\ncreate view late as select due_on from loans;\n",
        );
        make(&checkout, db, &[])
            .expect(1, &["migrations/loans/schema.sql:4: column \"due_on\" does not exist (42703)"]);
        expect_no_files(&checkout);
        Ok(())
    });
}

#[test]
fn a_mistake_in_a_schema_file_is_shown_without_what_fails_because_of_it() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "email      text ", "email      txt ");
        let cause = "the schema files do not load\n  migrations/people/schema.sql:13: type \"txt\" does not exist (42704)\n  and ";
        make(&checkout, db, &[]).expect(1, &[cause, "other statements, which may need what these make\n"]);
        let checkout = fixture();
        checkout.replace("people/schema.sql", "create table people (", "create tabel people (");
        let cause = "people/schema.sql:13: syntax error at or near \"tabel\" (42601)\n  and ";
        make(&checkout, db, &[]).expect(1, &[cause]);
        let checkout = fixture();
        append(&checkout, "loans", "\\i more.sql");
        make(&checkout, db, &[]).expect(1, &["migrations/loans/schema.sql:", "`\\i` is a command of psql"]);
        Ok(())
    });
}

#[test]
fn an_object_belongs_to_one_file() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(&checkout, "loans", "create table roles (id int);");
        make(&checkout, db, &[]).expect(
            1,
            &[
                "migrations/loans/schema.sql:",
                "\"roles\" already exists",
                "migrations/people/schema.sql:38 makes it already",
            ],
        );
        append(&checkout, "people", "create schema if not exists extra; create schema other;");
        checkout.replace("loans/schema.sql", "create table roles (id int);", "create schema other;");
        make(&checkout, db, &["--check"]).expect(3, &["people/0002_"]);
        Ok(())
    });
}

#[test]
fn an_object_that_two_files_would_replace_is_named_with_both_places() {
    tests::empty().run(async |db| {
        let statements = [
            "create or replace function touch_updated_at() returns trigger language plpgsql as 'begin end'",
            "create table if not exists roles (id int)",
            "create unique index if not exists people_email_key on loans (id)",
            "create or replace trigger roles_guard_delete before delete on roles execute function roles_refuse_change()",
        ];
        for statement in statements {
            let checkout = fixture();
            append(&checkout, "loans", &format!("{statement};"));
            make(&checkout, db, &[]).expect(
                1,
                &["migrations/loans/schema.sql:", "migrations/people/schema.sql:", " makes it already"],
            );
        }
        // In one file the last one counts.
        let checkout = fixture();
        append(&checkout, "loans", "create or replace view v as select 1 as a; create or replace view v as select 1 as a, 2 as b;");
        make(&checkout, db, &[]).expect(0, &["loans/0002_create_v"]);
        Ok(())
    });
}

#[test]
fn what_two_files_say_of_one_object_may_not_differ() {
    tests::empty().run(async |db| {
        for (first, second, what) in [
            ("comment on table roles is 'one'", "comment on table roles is 'other'", "table public.roles gets another comment"),
            (
                "comment on column roles.name is 'one'",
                "comment on column roles.name is null",
                "column public.roles.name gets another comment",
            ),
            ("grant select on roles to pg_monitor", "revoke select on roles from pg_monitor", "gets other rights"),
            ("alter table roles owner to pg_monitor", "alter table roles owner to pg_signal_backend", "gets another owner"),
        ] {
            let checkout = fixture();
            append(&checkout, "people", &format!("{first};"));
            append(&checkout, "loans", &format!("{second};"));
            make(&checkout, db, &["--check"]).expect(
                1,
                &["migrations/loans/schema.sql:", what, "migrations/people/schema.sql:", " says something else; keep one of the two"],
            );
        }
        // The same twice, more rights, and what only one file says.
        let checkout = fixture();
        append(&checkout, "people", "comment on table roles is 'one'; grant select on roles to pg_monitor;");
        append(
            &checkout,
            "loans",
            "comment on table roles is 'one'; grant update on roles to pg_monitor; comment on column roles.name is 'other';",
        );
        make(&checkout, db, &["--check"]).expect(3, &[]);
        Ok(())
    });
}

#[test]
fn an_object_that_no_app_may_make_is_named() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(&checkout, "loans", "create view everything as select branches.id from branches, loans;");
        make(&checkout, db, &[])
            .expect(1, &["view public.everything", "library, loans", "`depends-on`", "migrations/apps.toml"]);
        expect_no_files(&checkout);
        Ok(())
    });
}

#[test]
fn there_must_be_a_schema_file() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        make(&checkout, db, &[]).expect(1, &["no app has a schema.sql", "makemigrations --empty APP"]);
        make(&checkout, db, &["people"]).expect(1, &["app `people` has no schema.sql"]);
        make(&checkout, db, &["poeple"]).expect(1, &["did you mean `people`?"]);
        Ok(())
    });
}
