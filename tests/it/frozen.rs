//! `default_transaction_read_only` of a database, a role or a server is a freeze: what writes is refused, and what reads works.

use std::fs;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    fixture::with_database,
    snapshot::snapshot,
};

/// Runs SQL in another database of the same server.
pub(crate) async fn at_the_server(db: &TestDatabase, sql: &str) {
    let mut conn = db.options().database("postgres").connect().await.unwrap();
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
    conn.close().await.unwrap();
}

#[test]
fn every_verb_that_writes_refuses_a_frozen_database_and_names_what_lifts_that() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let dump = checkout.root().join("dump").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &dump]).expect(0, &[]);
        at_the_server(db, &format!("alter database {} set default_transaction_read_only = true", db.name()))
            .await;
        let before = snapshot(db).await;
        let remedy = format!(
            "set default_transaction_read_only = off; alter database {} reset default_transaction_read_only",
            db.name()
        );
        let said = [
            &format!(
                "refused: database `{}` is read-only: default_transaction_read_only is on for the database",
                db.name()
            ),
            "nothing was touched",
            &remedy,
        ];
        checkout.migration("loans/0002_more", "create table more (id int);", "drop table more;");
        for args in [&["migrate"] as &[&str], &["adopt"], &["db-setup"]] {
            checkout.xtask(db, args).expect(4, &said);
        }
        checkout.remove("loans/0002_more.up.sql");
        checkout.remove("loans/0002_more.down.sql");
        for args in [
            &["migrate", "loans", "zero"] as &[&str],
            &["seed"],
            &["seed", "--check"],
            &["flush"],
            &["loaddata", &dump, "--replace"],
            &["db-setup"],
            &["db-reset", "--force"],
            &["db-drop", "--force", "--confirm", db.name()],
        ] {
            checkout.xtask(db, args).expect(4, &said);
        }
        // What writes nothing works.
        checkout.xtask(db, &["migrate"]).expect(0, &["0 pending"]);
        for args in [&["db-check"] as &[&str], &["showmigrations"], &["inspect"], &["migrate", "--check"]] {
            checkout.xtask(db, args).expect(0, &[]);
        }
        checkout.xtask(db, &["dumpdata", "--output", &format!("{dump}2")]).expect(0, &[]);
        assert_eq!(before, snapshot(db).await);
        // The words of the message lift it.
        let pasted = checkout.root().join("pasted.sql");
        fs::write(&pasted, format!("{remedy};\n"))?;
        outcome(&checkout.reading(&db.url(), &["db-shell"], &pasted)).expect(0, &["ALTER DATABASE"]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn a_role_is_frozen_in_one_database_or_everywhere() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let role = format!("{}_deploy", db.name());
        at_the_server(db, &format!("create role {role} superuser login password 'secret'")).await;
        let url = db.url();
        let (_, host) = url.rsplit_once('@').unwrap();
        let url = format!("postgres://{role}:secret@{host}");
        let mut done = Vec::new();
        for (set, scope) in [
            (format!("alter role {role} set default_transaction_read_only = on"), format!("role `{role}`;")),
            (
                format!("alter role {role} in database {} set default_transaction_read_only = on", db.name()),
                format!("role `{role}` in this database;"),
            ),
        ] {
            at_the_server(db, &set).await;
            for args in [&["seed"] as &[&str], &["db-drop", "--force", "--confirm", db.name()]] {
                done.push((outcome(&checkout.command(&url, args)), scope.clone()));
            }
            if !scope.contains("database") {
                let new = format!("{url}_new");
                done.push((outcome(&checkout.command(&new, &["db-setup"])), scope));
            }
            at_the_server(db, &set.replace(" set ", " reset ").replace(" = on", "")).await;
        }
        // A role that is not frozen in a frozen database writes.
        at_the_server(db, &format!("alter database {} set default_transaction_read_only = on; alter role {role} set default_transaction_read_only = off", db.name())).await;
        let seeded = outcome(&checkout.command(&url, &["seed"]));
        // And so does one whose connection says so.
        at_the_server(db, &format!("alter role {role} reset default_transaction_read_only")).await;
        let insisted = outcome(
            &checkout.command(&format!("{url}?options=-c%20default_transaction_read_only%3Doff"), &["seed"]),
        );
        at_the_server(
            db,
            &format!("alter database {} reset default_transaction_read_only; drop role {role}", db.name()),
        )
        .await;
        for (refused, scope) in done {
            refused.expect(4, &["refused: ", "is read-only: ", &scope, &format!("alter role {role} ")]);
        }
        seeded.expect(0, &["0 changes"]);
        insisted.expect(0, &["0 changes"]);
        let frozen = format!("{}?options=-c%20default_transaction_read_only%3Don", db.url());
        outcome(&checkout.command(&frozen, &["seed"])).expect(4, &["the whole server or this connection"]);
        Ok(())
    });
}
