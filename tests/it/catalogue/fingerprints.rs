//! The canonical text: every major version says the same about the same SQL.
//!
//! `UPDATE_EXPECT=1 cargo xtask test -- fingerprints` writes the file.

use std::collections::BTreeSet;

use catalogue::{Kind, Scope};
use expect_test::expect_file;
use sqlx::PgConnection;
use tests::{TestDatabase, workspace_root};

use super::{connect, differences, read, run};

/// Makes an object of nearly every kind. The subscription must go before the database can.
pub(super) async fn fill_sink(conn: &mut PgConnection, db: &TestDatabase) {
    run(conn, &include_str!("sink.sql").replace(":db", db.name())).await.unwrap();
}

pub(super) async fn drop_subscription(conn: &mut PgConnection) {
    run(conn, "drop subscription su;\n").await.unwrap();
}

#[test]
fn every_major_version_has_the_same_portable_text_of_the_same_sql() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        fill_sink(&mut conn, db).await;
        let catalogue = read(&mut conn).await;
        drop_subscription(&mut conn).await;
        let file = workspace_root().join("tests/it/catalogue/sink.txt");
        expect_file![file].assert_eq(&catalogue.text(Scope::Portable));
        let present: BTreeSet<Kind> = catalogue.objects().map(|object| object.address.kind).collect();
        // These have names from 17 and 18 on.
        let unportable = [Kind::NotNull, Kind::DomainNotNull];
        for kind in Kind::ALL.iter().filter(|kind| !unportable.contains(kind)) {
            assert!(present.contains(kind), "the SQL makes no {kind}");
        }
        Ok(())
    });
}

#[test]
fn the_name_of_the_role_that_migrates_makes_no_difference() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        fill_sink(&mut conn, db).await;
        let by_one = read(&mut conn).await;
        drop_subscription(&mut conn).await;
        let other = &tests::empty().database().await;
        let mut conn = connect(other).await;
        let role = format!("migrator of {}", &other.name()[40..]);
        let become_other =
            format!("create role \"{role}\" superuser;\nset role \"{role}\";\ncreate schema ledger;\n");
        run(&mut conn, &become_other).await?;
        fill_sink(&mut conn, other).await;
        assert_ne!(differences(&by_one, &read(&mut conn).await), [] as [&str; 0]);
        let by_other = migrations::schema::read(&mut conn, &["ledger"]).await?;
        assert_eq!(differences(&by_one, &by_other), [] as [&str; 0]);
        assert_eq!(by_one.fingerprint(Scope::Exact), by_other.fingerprint(Scope::Exact));
        // Also if another role reads it: the owner of the ledger is the one that migrates.
        run(&mut conn, "reset role;\n").await?;
        let by_other = migrations::schema::read(&mut conn, &["ledger"]).await?;
        assert_eq!(differences(&by_one, &by_other), [] as [&str; 0]);
        drop_subscription(&mut conn).await;
        let gone = format!("drop owned by \"{role}\" cascade;\ndrop role \"{role}\";\n");
        run(&mut conn, &gone).await?;
        Ok(())
    });
}

#[test]
fn a_reader_that_prepared_its_queries_reads_the_same() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        // Prepared before the schema is made, in a session with settings of its own.
        let set = format!("alter database \"{}\" set search_path = 'My Schema', s;\n", db.name());
        run(&mut conn, &set).await?;
        let mut reader = migrations::schema::Reader::connect(&db.options(), &[]).await?;
        let empty = reader.read().await?;
        let signature = reader.signature().await?;
        fill_sink(&mut conn, db).await;
        let expected = read(&mut conn).await;
        for _ in 0..3 {
            let found = reader.read().await?;
            assert_eq!(differences(&expected, &found), [] as [&str; 0]);
            assert_eq!(expected.text(Scope::Exact), found.text(Scope::Exact));
        }
        assert_ne!(reader.signature().await?, signature);
        assert!(differences(&empty, &expected).len() > 100);
        reader.close().await;
        drop_subscription(&mut conn).await;
        Ok(())
    });
}
