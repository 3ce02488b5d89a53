//! `flush` removes all rows and writes the seeds in one transaction. It keeps the schema and the ledger.

use serde_json::Value;
use sqlx::{ConnectOptions, Executor, migrate::Migrate, query_scalar};
use tests::TestDatabase;

use crate::{
    checkout::Checkout,
    fixture::with_database,
    snapshot::{shape, snapshot},
};

/// Rows in several tables, some of them protected by triggers.
const ROWS: &str = "
    insert into people (id, email, name) values ('00000000-0000-0000-0000-000000000001', 'a@x.org', 'a');
    insert into branches (name, slug, manager_id) select 'O', 'o', id from people;
    update people set branch_id = (select id from branches);
    insert into events (person_id, action) select id, 'login' from people;
    insert into roles (name, display_name, is_built_in) values ('own', 'Own', true)";

async fn fill(db: &TestDatabase) {
    db.pool().execute(sqlx::raw_sql(ROWS)).await.unwrap();
}

async fn ledger(db: &TestDatabase) -> Vec<String> {
    let sql = "select t::text from migrations.people t union all select t::text from migrations.library t
               union all select t::text from migrations.loans t order by 1";
    query_scalar(sql).fetch_all(db.pool()).await.unwrap()
}

#[test]
fn flush_keeps_the_seeds_the_schema_and_the_ledger() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let before = (shape(db).await, ledger(db).await);
        checkout.xtask(db, &["flush"]).expect(
            0,
            &["events", "-1", "out of 9 tables", "permissions +6, roles +3, roles_permissions +10"],
        );
        assert_eq!(before, (shape(db).await, ledger(db).await));
        let counts: Vec<i64> = query_scalar(
            "select count(*) from people union all select count(*) from events union all select count(*) from roles",
        )
        .fetch_all(db.pool())
        .await?;
        assert_eq!(counts, [0, 0, 3]);
        checkout.xtask(db, &["seed"]).expect(0, &["0 changes"]);
        checkout.xtask(db, &["db-check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn flush_restarts_sequences_and_restores_the_triggers() {
    with_database(async |db| {
        let checkout = Checkout::new();
        db.pool().execute("alter table events enable always trigger events_append_only_truncate").await?;
        let states = "select string_agg(tgname || tgenabled::text, ',' order by tgname) from pg_trigger where not tgisinternal";
        let before: String = query_scalar(states).fetch_one(db.pool()).await?;
        fill(db).await;
        checkout.xtask(db, &["flush"]).expect(0, &[]);
        assert_eq!(before, query_scalar::<_, String>(states).fetch_one(db.pool()).await?);
        for guarded in ["truncate events", "truncate roles cascade", "delete from roles"] {
            db.pool().execute(guarded).await.unwrap_err();
        }
        fill(db).await;
        let id: i64 = query_scalar("select id from events").fetch_one(db.pool()).await?;
        assert_eq!(id, 1);
        Ok(())
    });
}

#[test]
fn flush_prints_json_on_request() {
    with_database(async |db| {
        fill(db).await;
        let printed = Checkout::new().xtask(db, &["flush", "--format", "json"]);
        let report: Value = serde_json::from_str(&printed.expect(0, &[]).stdout)?;
        let removed = |table: &str| {
            report["removed"].as_array().unwrap().iter().find(|row| row["table"] == table).unwrap()["rows"]
                .clone()
        };
        assert_eq!(report["removed"].as_array().unwrap().len(), 9);
        assert_eq!((removed("roles"), removed("people"), removed("loans")), (4.into(), 1.into(), 0.into()));
        assert_eq!(report["seeded"][0], serde_json::json!({ "table": "permissions", "inserted": 6 }));
        Ok(())
    });
}

/// Expects that `flush` fails with this code, prints this, and changes nothing.
#[track_caller]
fn expect_refusal(db: &TestDatabase, checkout: &Checkout, args: &[&str], code: i32, said: &[&str]) {
    checkout.xtask(db, &[&["flush"], args].concat()).expect(code, said);
}

#[test]
fn flush_refuses_a_database_that_does_not_match_the_files() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let before = snapshot(db).await;
        checkout.migration("loans/0002_more", "select 1;", "select 1;");
        let said =
            &["1 migration is pending, loans/0002_more first", "cargo xtask migrate", "nothing was touched"];
        expect_refusal(db, &checkout, &[], 3, said);
        checkout.remove("loans/0002_more.up.sql");
        checkout.remove("loans/0002_more.down.sql");
        db.pool().execute("create table stray (id int)").await?;
        expect_refusal(db, &checkout, &[], 3, &["unexpected  table stray", "cargo xtask db-check"]);
        db.pool().execute("drop table stray").await?;
        checkout.replace("loans/0001_initial.up.sql", "Creates", "CREATES");
        expect_refusal(db, &checkout, &[], 3, &["is not the file that was applied"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn flush_refuses_if_a_foreign_table_refers_to_ours_and_names_it() {
    with_database(async |db| {
        db.pool()
            .execute(sqlx::raw_sql(
                "create schema other; create table other.notes (person_id uuid references people)",
            ))
            .await?;
        fill(db).await;
        let before = snapshot(db).await;
        let said = &[
            "constraint notes_person_id_fkey of table other.notes, which refers to people",
            "nothing was touched",
        ];
        expect_refusal(db, &Checkout::new(), &[], 1, said);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn tables_that_inherit_from_ours_keep_their_rows() {
    with_database(async |db| {
        db.pool()
            .execute(sqlx::raw_sql(
                "create schema other; create table other.kept () inherits (loans);
                 insert into other.kept (person_id, barcode) values (gen_random_uuid(), 'b')",
            ))
            .await?;
        Checkout::new().xtask(db, &["flush"]).expect(0, &[]);
        let count: i64 = query_scalar("select count(*) from other.kept").fetch_one(db.pool()).await?;
        assert_eq!(count, 1);
        Ok(())
    });
}

#[test]
fn a_failing_seed_rolls_the_flush_back() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let before = snapshot(db).await;
        checkout.write("loans/seed.sql", "insert into loan values (1);");
        expect_refusal(db, &checkout, &[], 1, &["seed of app `loans` failed"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn flush_gives_up_waiting_for_a_locked_table_and_names_the_holder() {
    with_database(async |db| {
        fill(db).await;
        let before = snapshot(db).await;
        let mut holder = db.options().application_name("my server").connect().await?;
        holder.execute("begin; select 1 from people").await?;
        let said = &["gave up waiting", "table people", "application `my server`", "nothing was touched"];
        expect_refusal(db, &Checkout::new(), &[], 5, said);
        assert_eq!(before, snapshot(db).await);
        holder.execute("rollback").await?;
        holder.lock().await?;
        let said = &["waiting for the migration lock", "application `my server`", "nothing was touched"];
        expect_refusal(db, &Checkout::new(), &["--lock-timeout", "0"], 5, said);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}
