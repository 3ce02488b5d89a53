//! Sequences: a dump holds where each one stands that the apps use, and `flush` restarts them.

use sqlx::{AssertSqlSafe, Executor, query_scalar};
use tests::TestDatabase;

use super::{dump, files};
use crate::checkout::{Checkout, outcome};

const MANIFEST: &str = "[postgres]\nversion = 15\ndatabase = \"app\"\n\n[[app]]\nname = \"shop\"\ndepends-on = []\n\
    tables = [\"tickets\", \"bills\", \"notes\", \"parts\", \"twins\"]\n";

/// Sequences of every sort, and how each is used.
const SEQUENCES: &str = "
    -- Used by one table, by several, by one that another column owns, and by a function alone.
    create sequence ticket_no start 100;
    create table tickets (id bigint primary key default nextval('ticket_no'), code text);
    create sequence paper_no increment 10;
    create table bills (id bigint primary key default nextval('paper_no'), n int generated always as identity);
    create table notes (id bigint primary key default nextval('paper_no'), n serial);
    alter table tickets add column n int default nextval('notes_n_seq');
    create sequence code_no;
    create function code() returns text language plpgsql as $$ begin return 'c' || nextval('code_no'); end $$;
    -- In another schema, with a name that needs quotes; backwards; in a circle; never called.
    create schema counters;
    create sequence counters.\"the \"\"No\" as smallint;
    create sequence backwards increment -1;
    create sequence circle maxvalue 3 cycle;
    create sequence untouched start 5;
    -- Of a partition, and two of one column.
    create table parts (id int, day int) partition by range (day);
    create table parts_1 partition of parts for values from (0) to (10);
    create sequence part_no owned by parts_1.id;
    create table twins (id serial);
    create sequence twin_no owned by twins.id;
    -- A table that no app owns, with a sequence of its own.
    create schema elsewhere;
    create table elsewhere.strange (id serial);";

/// Takes some numbers of every sequence but `untouched`.
const USE: &str = "
    insert into tickets (code) select code() from generate_series(1, 3);
    insert into bills default values; insert into notes default values; insert into bills default values;
    select nextval('counters.\"the \"\"No\"'), nextval('backwards'), nextval('backwards'), nextval('part_no');
    select nextval('circle') from generate_series(1, 4); select nextval('twin_no') from generate_series(1, 9);
    insert into twins default values; insert into elsewhere.strange select from generate_series(1, 4);";

fn shop() -> Checkout {
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.shop\"\n";
    let checkout = Checkout::with_files(MANIFEST, &[("shop/sqlx.toml", ledger)]);
    checkout.migration("shop/0001_initial", SEQUENCES, "select 1;");
    checkout
}

/// Every sequence with the number that it would give next, but for the one of the table that no app owns.
async fn states(db: &TestDatabase) -> Vec<String> {
    let sql = "select c.oid::regclass::text from pg_class c where relkind = 'S' and relnamespace <> 'elsewhere'::regnamespace order by 1";
    let names: Vec<String> = query_scalar(sql).fetch_all(db.pool()).await.unwrap();
    let mut states = Vec::new();
    for name in names {
        let sql = format!("select last_value || ' ' || is_called from {name}");
        let state: String = query_scalar(AssertSqlSafe(sql)).fetch_one(db.pool()).await.unwrap();
        states.push(format!("{name} {state}"));
    }
    states
}

async fn stranger(db: &TestDatabase) -> i64 {
    query_scalar("select last_value from elsewhere.strange_id_seq").fetch_one(db.pool()).await.unwrap()
}

#[test]
fn a_dump_holds_where_every_sequence_stands_and_flush_restarts_them() {
    tests::empty().run(async |db| {
        let checkout = shop();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let fresh = states(db).await;
        assert_eq!(fresh.len(), 12, "{fresh:?}");
        db.pool().execute(sqlx::raw_sql(USE)).await?;
        let before = states(db).await;
        let folder = dump(&checkout, db, "first");
        checkout.xtask(db, &["flush"]).expect(0, &[]);
        assert_eq!(fresh, states(db).await);
        assert_eq!(stranger(db).await, 4);

        checkout.xtask(db, &["loaddata", &folder]).expect(0, &[]);
        assert_eq!(before, states(db).await);
        assert_eq!(stranger(db).await, 4);
        assert_eq!(files(&folder), files(&dump(&checkout, db, "second")));
        // Back to where they stood, too.
        db.pool().execute(sqlx::raw_sql(USE)).await?;
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &[]);
        assert_eq!(before, states(db).await);
        Ok(())
    });
}

#[test]
fn no_number_is_given_out_twice_after_a_load_into_another_database() {
    tests::empty().run(async |db| {
        let checkout = shop();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute(sqlx::raw_sql(USE)).await?;
        let folder = dump(&checkout, db, "dump");
        let name = format!("{}_own", db.name());
        let url = db.url().replace(db.name(), &name);
        outcome(&checkout.command(&url, &["db-setup"])).expect(0, &[]);
        outcome(&checkout.command(&url, &["loaddata", &folder])).expect(0, &[]);
        let again = ["db-shell", "--quiet", "--command", "insert into tickets default values returning id"];
        outcome(&checkout.command(&url, &again)).expect(0, &["103"]);
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &["dropped"]);
        Ok(())
    });
}

#[test]
fn a_load_of_some_tables_takes_no_number_back_that_others_may_have() {
    tests::empty().run(async |db| {
        let checkout = shop();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute(sqlx::raw_sql(USE)).await?;
        let folder = checkout.root().join("dump").display().to_string();
        checkout.xtask(db, &["dumpdata", "bills", "--output", &folder]).expect(0, &[]);
        let dumped = String::from_utf8(files(&folder)["dump.json"].clone())?;
        assert!(dumped.contains("\"paper_no\"") && dumped.contains("\"bills_n_seq\""), "{dumped}");
        assert!(!dumped.contains("ticket_no") && !dumped.contains("code_no"), "{dumped}");

        db.pool().execute(sqlx::raw_sql(USE)).await?;
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &[]);
        let after = states(db).await;
        assert!(after.contains(&"paper_no 51 true".to_owned()), "{after:?}");
        assert!(after.contains(&"bills_n_seq 2 true".to_owned()), "{after:?}");

        // Forward again, if it fell behind.
        db.pool().execute("alter sequence paper_no restart").await?;
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &[]);
        let after = states(db).await;
        assert!(after.contains(&"paper_no 21 true".to_owned()), "{after:?}");
        Ok(())
    });
}

#[test]
fn a_load_names_a_sequence_that_is_not_here() {
    tests::empty().run(async |db| {
        let checkout = shop();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("create sequence by_hand").await?;
        let folder = dump(&checkout, db, "dump");
        db.pool().execute("drop sequence by_hand").await?;
        checkout
            .xtask(db, &["loaddata", &folder])
            .expect(0, &["sequence by_hand of the dump was not found here"]);
        Ok(())
    });
}

#[test]
fn a_load_that_fails_leaves_the_sequences_where_they_stand() {
    tests::empty().run(async |db| {
        let checkout = shop();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let folder = dump(&checkout, db, "dump");
        db.pool().execute(sqlx::raw_sql(USE)).await?;
        // Postgres refuses it when all sequences but this last one are set.
        checkout.edit(
            "dump/dump.json",
            "\"sequence\": \"untouched\",\n      \"last_value\": 5",
            "\"sequence\": \"untouched\",\n      \"last_value\": 0",
        );
        let before = states(db).await;
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(1, &["set a sequence"]);
        assert_eq!(before, states(db).await);
        Ok(())
    });
}

#[test]
fn dumpdata_replaces_a_dump_of_an_older_format() {
    tests::empty().run(async |db| {
        let checkout = shop();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let folder = dump(&checkout, db, "dump");
        checkout.edit("dump/dump.json", "\"format\": 2", "\"format\": 1");
        checkout.xtask(db, &["dumpdata", "--output", &folder, "--force"]).expect(0, &[]);
        checkout.xtask(db, &["loaddata", &folder]).expect(0, &[]);
        Ok(())
    });
}
