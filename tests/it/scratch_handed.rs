//! Databases for tests that already run on a runtime, that use the attribute, or that need only a URL.

use std::{ffi::OsStr, fs, io, net::TcpStream, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::TestDatabase;

use crate::{
    borrowing::{Shared, databases},
    native_server::wait_until,
    scratch_project::orchard,
    suite::{Suite, runners},
};

async fn roles(db: &TestDatabase) -> i64 {
    sqlx::query_scalar("select count(*) from roles").fetch_one(db.pool()).await.unwrap()
}

/// Hands out a database, which takes a while because the template does not exist yet. Also returns how many times another
/// task ran meanwhile.
async fn hand_out_beside_a_task() -> (TestDatabase, u32) {
    let checkout = orchard();
    let folder = checkout.root().join("fixtures/apples");
    let up = format!("create table apples (name text primary key); -- {}\n", rand::random::<u64>());
    fs::write(folder.join("orchard/0001_initial.up.sql"), up).unwrap();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let counting = tokio::spawn(async move {
        let mut turns = 0;
        while stopped.try_recv().is_err() {
            turns += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        turns
    });
    let db = tests::project(folder).database().await;
    let _ = stop.send(());
    (db, counting.await.unwrap())
}

async fn apples(db: &TestDatabase) -> i64 {
    sqlx::query_scalar("select count(*) from apples").fetch_one(db.pool()).await.unwrap()
}

#[tokio::test]
async fn a_hand_out_does_not_block_a_runtime_of_one_thread() {
    let (db, turns) = hand_out_beside_a_task().await;
    assert_eq!(apples(&db).await, 2);
    assert!(turns > 1, "{turns}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_on_a_runtime_of_several_threads_gets_its_databases() {
    let (db, _) = hand_out_beside_a_task().await;
    assert_eq!(apples(&db).await, 2);
    let (first, second) = tokio::join!(tests::unseeded().database(), tests::database());
    assert!(roles(&first).await == 0 && roles(&second).await > 0);
}

#[tokio::test]
async fn dropping_a_database_removes_it_from_the_server() {
    let db = tests::database().await;
    let (witness, name) = (tests::empty().database().await, db.name().to_owned());
    assert!(roles(&db).await > 0);
    drop(db);
    let count_databases = "select count(*) from pg_database where datname = $1";
    let query = || sqlx::query_scalar::<_, i64>(count_databases).bind(&name).fetch_one(witness.pool());
    while query().await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tests::test]
async fn the_attribute_hands_a_test_its_database(db: &TestDatabase) -> anyhow::Result<()> {
    let roles: i64 = sqlx::query_scalar("select count(*) from roles").fetch_one(db.pool()).await?;
    assert_eq!(roles, 7);
    Ok(())
}

#[tests::test(empty)]
async fn the_attribute_takes_a_word_for_the_content(db: &TestDatabase) {
    let tables: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
        .fetch_one(db.pool())
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

/// This is the product's own folder, by its name.
#[tests::test(project = "migrations", at = "organizations/0001_initial")]
async fn the_attribute_takes_a_project_and_a_migration(db: &TestDatabase) -> Result<(), sqlx::Error> {
    let applied: i64 =
        sqlx::query_scalar("select count(*) from migrations.organizations").fetch_one(db.pool()).await?;
    assert_eq!(applied, 1);
    Ok(())
}

#[test]
fn a_url_is_enough_for_any_driver_on_no_runtime() {
    // Without sqlx: a connection that sends the first message of Postgres's protocol.
    let database = tests_client::seeded().lend().unwrap_or_else(|error| panic!("{error:?}"));
    let address = database.url().split('@').nth(1).unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let ssl_request = [0, 0, 0, 8, 4, 210, 22, 47];
    io::Write::write_all(&mut stream, &ssl_request).unwrap();
    let mut answer = [0];
    io::Read::read_exact(&mut stream, &mut answer).unwrap();
    assert!(matches!(&answer, b"N" | b"S"), "{answer:?}");
}

#[tokio::test]
async fn a_url_leads_to_the_database_that_was_handed_out() {
    let db = tests::database().await;
    let mut conn = PgConnection::connect(&db.url()).await.unwrap();
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(&mut conn).await.unwrap();
    assert_eq!(name, db.name());
}

#[test]
fn a_test_that_panics_on_a_runtime_keeps_its_database_and_prints_the_commands_for_it() {
    let shared = Shared::started();
    let suite = Suite::new(&shared.checkout);
    for runner in runners() {
        assert_eq!(suite.run(runner, "runtime_ends_well").code, 0);
        let name = suite.database();
        wait_until("it is gone", || !databases(&shared.url()).contains(&name));
        for test in ["runtime_ends_badly", "url_ends_badly", "attribute_ends_badly"] {
            let failed = suite.run(runner, test);
            failed.expect(
                if runner == ["test"] { 101 } else { 100 },
                &["as it should", "kept the database of this failed test"],
            );
            suite.expect_kept(&failed, &shared.url());
        }
    }
}

#[test]
fn without_a_service_a_test_that_panics_on_a_runtime_keeps_its_database_too() {
    tests::empty().run(async |server| {
        let shared = Shared::new();
        let suite = Suite::new(&shared.checkout);
        let url = server.url();
        let alone = [(tests::service::SERVER, OsStr::new(&url))];
        for (test, code, left) in [("runtime_ends_well", 0, 0), ("runtime_ends_badly", 101, 1)] {
            let outcome = suite.run_in(&["test"], test, &alone);
            assert_eq!(outcome.code, code, "{outcome:?}");
            let count_databases = "select count(*) from pg_database where datname = $1";
            let name = suite.database();
            let count: i64 = sqlx::query_scalar(count_databases).bind(&name).fetch_one(server.pool()).await?;
            assert_eq!(count, left, "{test}");
            if left > 0 {
                let drop = format!("drop database {name}");
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(server.pool()).await?;
            }
        }
        Ok(())
    });
}

#[test]
fn the_attribute_says_what_is_wrong_with_a_function() {
    let shared = Shared::new();
    let suite = Suite::new(&shared.checkout);
    for (wrong, said) in [
        (
            "#[tests::test] fn plain(db: &tests::TestDatabase) {}",
            "a test that is handed a database is an `async fn`",
        ),
        (
            "#[tests::test] async fn lonely() {}",
            "the test takes its database: write `db: &tests::TestDatabase`",
        ),
        ("#[tests::test] struct NoFunction;", "#[tests::test] goes on an async function"),
        ("#[tests::test(seeds)] async fn word(db: &tests::TestDatabase) {}", "expected `empty`, `unseeded`"),
        ("#[tests::test(at)] async fn word(db: &tests::TestDatabase) {}", "expected `empty`, `unseeded`"),
        ("#[tests::test(empty, recycled)] async fn two(db: &tests::TestDatabase) {}", "one database"),
        ("#[tests::test] async fn number(db: &tests::TestDatabase) -> i32 { 1 }", "Outcome"),
    ] {
        let refused = suite.check(wrong);
        refused.expect(101, &[said, "src/lib.rs:2:"]);
    }
}
