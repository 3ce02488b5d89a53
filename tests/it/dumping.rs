//! `dumpdata` and `loaddata`: a load restores every dumped row exactly, or changes nothing.

mod damage;
mod folder;
mod replacing;
mod sequences;
mod whole;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use sqlx::{ConnectOptions, Connection, Executor, postgres::PgConnectOptions, query_scalar};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    fixture::with_database,
    snapshot::snapshot,
};

/// The manifest of an app with every kind of type and of cycle between tables.
const ZOO: &str = "[postgres]\nversion = 15\ndatabase = \"zoo\"\n\n[[app]]\nname = \"zoo\"\ndepends-on = []\n\
    tables = [\"types\", \"tree\", \"Odd/Näme \\\"x\", \"hen\", \"egg\", \"keyless\", \"nothing\", \"month\"]\n";

const FILL: &str = include_str!("dumping/fill.sql");

async fn fill(db: &TestDatabase) {
    db.pool().execute(sqlx::raw_sql(FILL)).await.unwrap();
}

/// Dumps everything into a folder of the checkout.
#[track_caller]
fn dump(checkout: &Checkout, db: &TestDatabase, name: &str) -> String {
    let folder = checkout.root().join(name).display().to_string();
    checkout.xtask(db, &["dumpdata", "--output", &folder]).expect(0, &["load it: cargo xtask loaddata"]);
    folder
}

/// The files of a folder.
fn files(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let read = |path: &Path| fs::read(path).unwrap();
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), read(&entry.path())))
        .collect()
}

/// The state of triggers and of deferrable constraints, which a load must restore.
async fn trigger_states(db: &TestDatabase) -> Vec<String> {
    let sql = "select format('%s %s %s', tgrelid::regclass, tgname, tgenabled) from pg_trigger where not tgisinternal
               union all
               select format('%s %s %s %s %s', conrelid::regclass, conname, condeferrable, condeferred, convalidated) from pg_constraint
               union all
               select format('%s %s %s %s', tgrelid::regclass, tgtype, tgdeferrable, tginitdeferred) from pg_trigger where tgisinternal
               order by 1";
    query_scalar(sql).fetch_all(db.pool()).await.unwrap()
}

async fn sequences(db: &TestDatabase) -> Vec<String> {
    let sql =
        "select schemaname || sequencename || ' ' || coalesce(last_value, -1) from pg_sequences order by 1";
    query_scalar(sql).fetch_all(db.pool()).await.unwrap()
}

#[test]
fn a_load_restores_every_table_exactly() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let before = (snapshot(db).await, trigger_states(db).await, sequences(db).await);
        let first = dump(&checkout, db, "first");
        assert_eq!(files(&first).len(), 10);
        // Without its schema, as older dumps have it.
        let listed = String::from_utf8_lossy(&files(&first)["dump.json"]).into_owned();
        assert!(listed.contains("\"type\": \"loan_state\""), "{listed}");
        assert!(files(&first).values().all(|text| !text.is_empty()), "a table without rows proves nothing");
        checkout.xtask(db, &["flush"]).expect(0, &[]);
        assert_ne!(before.0, snapshot(db).await);
        checkout
            .xtask(db, &["loaddata", &first, "--replace"])
            .expect(0, &["9 tables, every constraint checked"]);
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await, sequences(db).await));
        let next: i64 = query_scalar("select nextval('events_id_seq')").fetch_one(db.pool()).await?;
        assert_eq!(next, 14);
        Ok(())
    });
}

#[test]
fn a_load_restores_every_type_and_cyclic_tables_exactly() {
    tests::empty().run(async |db| {
        let checkout = Checkout::with_files(
            ZOO,
            &[(
                "zoo/sqlx.toml",
                "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.zoo\"\n",
            )],
        );
        checkout.migration("zoo/0001_initial", include_str!("dumping/zoo.sql"), "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = (snapshot(db).await, trigger_states(db).await, sequences(db).await);
        let first = dump(&checkout, db, "first");
        checkout.xtask(db, &["flush"]).expect(0, &["out of 9 tables"]);
        checkout.xtask(db, &["loaddata", &first]).expect(0, &[]);
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await, sequences(db).await));
        assert_eq!(files(&first), files(&dump(&checkout, db, "second")));
        Ok(())
    });
}

#[test]
fn a_dump_loads_into_another_database_and_gives_the_same_dump_there() {
    with_database(async |one| {
        let checkout = Checkout::new();
        fill(one).await;
        let first = dump(&checkout, one, "first");
        let name = format!("{}_own", one.name());
        let url = one.url().replace(one.name(), &name);
        outcome(&checkout.command(&url, &["db-setup"])).expect(0, &[]);
        // The other database has other settings, and rows of its own.
        let mut other = one.options().database(&name).connect().await?;
        for prefers in [
            "datestyle = 'SQL, DMY'",
            "timezone = 'Asia/Kolkata'",
            "extra_float_digits = -15",
            "bytea_output = 'escape'",
        ] {
            let sql = format!("alter database {name} set {prefers}");
            other.execute(sqlx::AssertSqlSafe(sql)).await?;
        }
        other.execute(sqlx::raw_sql(FILL)).await?;
        other.execute("update loans set fee = 1").await?;
        other.close().await?;
        outcome(&checkout.command(&url, &["loaddata", &first, "--replace"])).expect(0, &[]);
        let second = checkout.root().join("second").display().to_string();
        outcome(&checkout.command(&url, &["dumpdata", "--output", &second])).expect(0, &[]);
        assert_eq!(files(&first), files(&second));
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &["dropped"]);
        Ok(())
    });
}

#[test]
fn the_same_rows_make_the_same_files() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let first = dump(&checkout, db, "first");
        // Moves the rows to other places on the disk.
        for table in ["people", "loans"] {
            let sql = format!("alter table {table} disable trigger user");
            db.pool().execute(sqlx::AssertSqlSafe(sql)).await?;
            let sql =
                format!("update {table} set id = id where id = (select min(id::text)::uuid from {table})");
            db.pool().execute(sqlx::AssertSqlSafe(sql)).await?;
        }
        assert_eq!(files(&first), files(&dump(&checkout, db, "second")));
        Ok(())
    });
}

/// Moves a token between two tables until `stop` is set. At every moment exactly one of them holds it.
fn keep_moving(options: PgConnectOptions, stop: &AtomicBool) {
    let (permissions, branches) = (
        "insert into permissions (name, resource, action) values ('token', 'r', 'a')",
        "insert into branches (name, slug) values ('token', 'token')",
    );
    let there = format!("begin; delete from branches where name = 'token'; {permissions}; commit");
    let back = format!("begin; delete from permissions where name = 'token'; {branches}; commit");
    let moving = async {
        let mut conn = options.connect().await?;
        conn.execute(branches).await?;
        while !stop.load(Ordering::Relaxed) {
            for sql in [&there, &back] {
                conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))).await?;
            }
        }
        conn.close().await
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(moving).unwrap();
}

#[test]
fn a_dump_is_a_consistent_snapshot() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| keep_moving(db.options(), &stop));
            let seen: Vec<usize> = (0..8)
                .map(|round| {
                    let dumped = files(&dump(&checkout, db, &format!("dump-{round}")));
                    let tokens =
                        |file: &str| String::from_utf8_lossy(&dumped[file]).matches("\ttoken\t").count();
                    tokens("permissions.copy") + usize::from(tokens("branches.copy") > 0)
                })
                .collect();
            stop.store(true, Ordering::Relaxed);
            // The first dumps may come before the token.
            assert!(seen.is_sorted() && seen[7] == 1 && seen.iter().all(|tokens| *tokens <= 1), "{seen:?}");
        });
        Ok(())
    });
}

#[test]
fn the_owner_of_the_tables_may_dump_load_and_flush() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let before = snapshot(db).await;
        let role = format!("{}_owner", db.name());
        let hand_over = format!(
            "create role {role}; grant create on schema public to {role}; grant usage on schema migrations to {role};
             grant select on all tables in schema migrations to {role};
             do $$ declare t regclass; begin
                 for t in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
                     execute format('alter table %s owner to {role}', t);
                 end loop;
             end $$;
             alter database {} set role = {role}",
            db.name()
        );
        db.pool().execute(sqlx::raw_sql(sqlx::AssertSqlSafe(hand_over))).await?;
        let folder = dump(&checkout, db, "dump");
        checkout.xtask(db, &["flush"]).expect(0, &[]);
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &[]);
        assert_eq!(before, snapshot(db).await);
        let sql = format!(
            "alter database {} reset role; reassign owned by {role} to current_user; drop owned by {role}; drop role {role}",
            db.name()
        );
        db.pool().execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await?;
        Ok(())
    });
}
