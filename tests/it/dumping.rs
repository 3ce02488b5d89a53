//! `dumpdata` and `loaddata`: what goes out comes back exactly, all of it or nothing.

mod damage;
mod folder;
mod replacing;

use std::{collections::BTreeMap, fs, path::Path};

use sqlx::{ConnectOptions, Connection, Executor, query_scalar};
use tests::{TestDatabase, with_database};

use crate::{
    checkout::{Checkout, outcome},
    snapshot::snapshot,
};

/// A checkout whose app has every kind of type, and the circles that tables can make.
const ZOO: &str = "[postgres]\nversion = 15\ndatabase = \"zoo\"\n\n[[app]]\nname = \"zoo\"\ndepends-on = []\n\
    tables = [\"types\", \"tree\", \"Odd/Näme \\\"x\", \"hen\", \"egg\", \"keyless\", \"nothing\"]\n";

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

/// Whether triggers fire, and when constraints are checked: what a load must give back.
async fn standing(db: &TestDatabase) -> Vec<String> {
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
fn all_22_tables_come_back_exactly() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let before = (snapshot(db).await, standing(db).await, sequences(db).await);
        let first = dump(&checkout, db, "first");
        assert_eq!(files(&first).len(), 23);
        assert!(files(&first).values().all(|text| !text.is_empty()), "a table without rows proves nothing");
        checkout.xtask(db, &["flush"]).expect(0, &[]);
        assert_ne!(before.0, snapshot(db).await);
        checkout
            .xtask(db, &["loaddata", &first, "--replace"])
            .expect(0, &["22 tables, every constraint checked"]);
        assert_eq!(before, (snapshot(db).await, standing(db).await, sequences(db).await));
        let next: i64 = query_scalar("select nextval('audit_logs_id_seq')").fetch_one(db.pool()).await?;
        assert_eq!(next, 14);
        Ok(())
    });
}

#[test]
fn every_type_and_every_circle_comes_back_exactly() {
    tests::empty().run(async |db| {
        let checkout = Checkout::of(
            ZOO,
            &[(
                "zoo/sqlx.toml",
                "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.zoo\"\n",
            )],
        );
        checkout.migration("zoo/0001_initial", include_str!("dumping/zoo.sql"), "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = (snapshot(db).await, standing(db).await, sequences(db).await);
        let first = dump(&checkout, db, "first");
        checkout.xtask(db, &["flush"]).expect(0, &["out of 7 tables"]);
        checkout.xtask(db, &["loaddata", &first]).expect(0, &[]);
        assert_eq!(before, (snapshot(db).await, standing(db).await, sequences(db).await));
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
        // Whatever the other one prefers, and over rows of its own.
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
        other.execute("update progress set score = 1").await?;
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
        // Into another place on the disk.
        for table in ["users", "progress"] {
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

#[test]
fn a_dump_is_of_one_moment() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let sql =
            "insert into users (email, username) select n || '@x.org', n from generate_series(1, 20000) n";
        db.pool().execute(sql).await?;
        // A program that moves a token from one table to the other, always in one of them.
        db.pool().execute("insert into organizations (name, slug) values ('token', 'token')").await?;
        let mover = db.pool().clone();
        let moving = tokio::spawn(async move {
            for round in 0_u32.. {
                let (to, from) = if round.is_multiple_of(2) {
                    ("policies", "organizations")
                } else {
                    ("organizations", "policies")
                };
                let insert = match to {
                    "policies" => {
                        "insert into policies (name, effect, resource, actions) values ('token', 'allow', 'r', '{a}')"
                    }
                    _ => "insert into organizations (name, slug) values ('token', 'token')",
                };
                let sql = format!("begin; delete from {from} where name = 'token'; {insert}; commit");
                if mover.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.is_err() {
                    break;
                }
            }
        });
        for name in ["one", "two", "three", "four"] {
            let folder = dump(&checkout, db, name);
            let tokens = ["policies.copy", "organizations.copy"].map(|file| {
                String::from_utf8(files(&folder)[file].clone()).unwrap().matches("\ttoken\t").count()
            });
            assert!(tokens[0] + tokens[1] >= 1 && (tokens[0] == 0) != (tokens[1] == 0), "{tokens:?}");
            let users = String::from_utf8(files(&folder)["users.copy"].clone()).unwrap();
            assert_eq!(users.lines().count(), 20_000);
        }
        moving.abort();
        Ok(())
    });
}
