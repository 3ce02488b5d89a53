//! What is in a database when a test gets it.

use std::{ffi::OsStr, panic::catch_unwind};

use migrations::{Session, Settings, Target};
use sqlx::Executor;
use tests::TestDatabase;

use crate::{
    borrowing::{Host, Shared, ask, borrower, outcome_line},
    checkout::{Checkout, outcome},
    fixture,
    snapshot::snapshot,
};

const RELATIONS: &str = "select count(*)::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                         where nspname !~ '^(pg_|information_schema)'";

#[test]
fn an_empty_database_is_empty_although_template1_is_migrated() {
    let shared = Shared::started();
    let output = shared.borrow(&["empty", "1", "pass", RELATIONS]);
    assert_eq!(outcome_line(&output)[1..], ["0"], "{output:?}");
    let template1 = shared.url().replace("/postgres", "/template1");
    assert_ne!(ask(&template1, RELATIONS), ["0"]);
}

async fn count(db: &TestDatabase, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db.pool()).await.unwrap()
}

const TABLES: &str = "select count(*) from pg_tables where schemaname = 'public'";

#[test]
fn an_unseeded_database_has_every_table_and_no_reference_data() {
    fixture::databases().unseeded().run(async |db| {
        assert_eq!(count(db, TABLES).await, 9);
        let rows = snapshot(db).await.into_iter().filter(|line| line.starts_with("public."));
        assert_eq!(rows.collect::<Vec<_>>(), [""; 0]);
        Ok(())
    });
}

#[test]
fn tests_get_a_seeded_database_by_default() {
    let mut contents = Vec::new();
    fixture::databases().seeded().run(async |db| {
        contents.push(snapshot(db).await);
        Ok(())
    });
    fixture::with_database(async |db| {
        assert_eq!(count(db, TABLES).await, 9);
        assert_eq!(count(db, "select count(*) from roles").await, 3);
        contents.push(snapshot(db).await);
        Ok(())
    });
    assert_eq!(contents[0], contents[1]);
}

#[test]
fn a_test_of_a_migration_gets_the_database_just_before_it() {
    fixture::databases().at("library/0001_initial").run(async |db| {
        let ledger = "select 'people/' || version || ' ' || (select string_agg('library/' || version, ' ') from migrations.library) from migrations.people";
        let applied: Vec<String> = sqlx::query_scalar(ledger).fetch_all(db.pool()).await?;
        assert_eq!(applied, ["people/1 library/1"]);
        assert_eq!(count(db, "select count(*) from pg_tables where schemaname = 'public' and tablename = 'loans'").await, 0);
        assert_eq!(count(db, "select count(*) from roles").await, 0);
        db.pool().execute("insert into branches (name, slug) values ('Before', 'before')").await?;
        let project = fixture::project();
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        let next = Target::Migration("library/0002_add_manager".parse()?);
        assert_eq!(session.migrate(&project, &next, &mut |_| {}).await?, 1);
        session.close().await;
        let kept = "select count(*) from branches where slug = 'before' and manager_id is null";
        assert_eq!(count(db, kept).await, 1);
        Ok(())
    });
}

#[test]
fn the_error_for_an_unknown_migration_lists_the_known_ones() {
    for (wrong, said) in [
        (
            "library/0009_nothing",
            &["has no migration `0009_nothing`", "0001_initial, 0002_add_manager, 0003_index_staff"],
        ),
        ("libary/0001_initial", &["`libary`", "library"]),
        ("initial", &["`initial` names no migration", "app/0001_name"]),
    ] {
        let panic = catch_unwind(|| fixture::databases().at(wrong).run(async |_| Ok(()))).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.starts_with("no database for this test: "), "{message}");
        for text in said {
            assert!(message.contains(text), "no `{text}` in: {message}");
        }
    }
}

/// Settings, rights and a limit of the database itself.
pub(crate) const SET_OUTSIDE: &str = r#"
do $$ declare
    statement text;
begin
    foreach statement in array array[
        'alter database %1$I set search_path = "$user", public, "My Schema"',
        'alter database %1$I set temp_tablespaces = ''''',
        'alter database %1$I set app.tenant = ''it''''s one''',
        'alter role %2$I in database %1$I set work_mem = ''5MB''',
        'alter database %1$I connection limit 77',
        'revoke temporary on database %1$I from public',
        'grant create on database %1$I to pg_monitor with grant option'
    ] loop
        execute format(statement, current_database(), current_user);
    end loop;
end $$;"#;

/// All of that, and what a session finds set, as one word.
const OUTSIDE: &str = "select replace(concat_ws('|', datconnlimit, \
    array(select item::text from unnest(datacl) item order by 1), \
    array(select setrole || setconfig::text from pg_db_role_setting where setdatabase = d.oid order by 1), \
    current_setting('search_path'), current_setting('app.tenant'), current_setting('work_mem')), ' ', '_') \
    from pg_database d where datname = current_database()";

#[test]
fn a_clone_has_the_settings_and_rights_that_migrations_gave_the_database() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_outside", SET_OUTSIDE, "-- irreversible: a test");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let url = db.url();
        let expected: Vec<String> = sqlx::query_scalar(OUTSIDE).fetch_all(db.pool()).await?;
        assert!(expected[0].contains("77|") && expected[0].contains("pg_monitor=C*/"), "{expected:?}");
        let host = Host::start(&checkout, &url);
        for content in ["seeded", "unseeded", "recycled", "transaction", "loans/0002_outside"] {
            let words = [content, "1", "pass", OUTSIDE];
            assert_eq!(outcome_line(&host.borrow(&checkout, &words))[1..], expected, "{content}");
            let alone = borrower(&checkout, &words, &[(tests::service::SERVER, OsStr::new(&url))]);
            assert_eq!(outcome_line(&outcome(&alone))[1..], expected, "{content}");
        }
        Ok(())
    });
}
