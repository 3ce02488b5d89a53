//! These tests kill borrowers, builders and services at any moment. The next ones still work, and a sweep removes what the
//! killed ones left, and nothing else.

use std::{env, ffi::OsStr, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    borrowing::{
        Host, RIGHT, Waiting, ask, begin, borrower, databases, kill, killed_alive, outcome_line,
        printed_lines,
    },
    checkout::{Checkout, outcome},
    native_server::NativeServer,
};

/// Databases that the service did not create, with names or marks like its own.
const FOREIGN: [&str; 4] = [
    "marked_by_hand",
    "scratch_0123456789abcdef_0123456789abcdef_01234567",
    "scratch_mine",
    "scratch_template_x",
];

/// How many borrowers the test starts. It kills most of them.
const ROUNDS: usize = 100;

/// Repeatable random numbers: prints their seed, and takes one from `XTASK_TEST_SEED` if that variable is set.
#[expect(clippy::print_stderr, reason = "the runner shows what a failed test printed")]
fn seeded_random() -> StdRng {
    let seed = env::var("XTASK_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    eprintln!("to repeat this run: XTASK_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

#[test]
fn a_sweep_removes_everything_that_killed_processes_left_and_nothing_else() {
    let server = NativeServer::new();
    let url = server.server_url();
    // The test never kills Postgres, so Postgres need not wait for the disk.
    for sql in ["alter system set fsync = off", "select pg_reload_conf()::text"] {
        ask(&url, sql);
    }
    for name in FOREIGN {
        ask(&url, &format!("create database {name}"));
    }
    let mark = "environment=scratch created=2026-03-02 at=17 owner=-5";
    ask(
        &url,
        &format!(
            "comment on database {} is '{mark} lent'; comment on database {} is '{mark} template'",
            FOREIGN[0], FOREIGN[3]
        ),
    );
    let before = databases(&url);
    let mut host = Host::start(&server.checkout, &url);
    let (mut random, mut borrowers, mut killed) = (seeded_random(), Vec::new(), 0);
    for round in 1..=ROUNDS {
        let content = ["seeded", "recycled", "unseeded", "transaction", "empty"][round % 5];
        let both =
            [(tests::service::SERVICE, host.socket.as_os_str()), (tests::service::SERVER, OsStr::new(&url))];
        borrowers.push(begin(&borrower(&server.checkout, &[content, "1000", "pass"], &both)));
        std::thread::sleep(Duration::from_millis(random.random_range(0..150)));
        if borrowers.len() > 3 {
            let victim = borrowers.swap_remove(random.random_range(0..borrowers.len()));
            killed += usize::from(killed_alive(&victim));
        }
        if round % 10 == 0 {
            assert!(killed_alive(&host.process), "{:?}", host.process);
            host = Host::start(&server.checkout, &url);
        }
    }
    borrowers.iter().for_each(kill);
    assert!(killed > ROUNDS / 3, "only {killed} of {ROUNDS} rounds killed a process that was alive");
    kill(&host.process);
    let host = Host::start(&server.checkout, &url);
    let next = begin(&host.borrower(&server.checkout, &["seeded", "5", "pass", RIGHT]));
    assert!(printed_lines(&next).iter().all(|line| line.ends_with(" 9 3")));
    drop(host);
    server.expect_swept(&FOREIGN[1..3]);
    assert_eq!(databases(&url), before);
}

#[test]
fn the_next_builder_of_a_template_removes_what_a_killed_one_left() {
    tests::empty().run(async |db| {
        let (checkout, url) = (Checkout::new(), db.url());
        // The migration waits as long as this database exists.
        let gate = format!("gate_{}", &db.name()[..40]);
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {gate} template template0"))).execute(db.pool()).await?;
        let slow = format!(
            "create table half (id int); do $$ begin \
             while exists (select from pg_database where datname = '{gate}') loop perform pg_sleep(0.01); end loop; end $$;"
        );
        checkout.migration("loans/0002_slow", &slow, "select 1;");
        let server = [(tests::service::SERVER, OsStr::new(&url))];
        let builder = begin(&borrower(&checkout, &["seeded", "1", "pass"], &server));
        let building = "select datname::text from pg_stat_activity where query like '%' || $1 || '%' and datname like 'scratch_template_%'";
        let template = loop {
            let found: Option<String> = sqlx::query_scalar(building).bind(&gate).fetch_optional(db.pool()).await?;
            if let Some(template) = found {
                break template;
            }
            assert!(builder.try_wait()?.is_none(), "{builder:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        kill(&builder);
        let about = "select oid::int8, datallowconn from pg_database where datname = $1";
        let debris: (i64, bool) = sqlx::query_as(about).bind(&template).fetch_one(db.pool()).await?;
        assert!(debris.1, "it is not finished");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop database {gate}"))).execute(db.pool()).await?;
        let look = "select count(*) from pg_tables where tablename = 'half'";
        let next = outcome(&borrower(&checkout, &["seeded", "1", "pass", look, "select count(*) from roles"], &server));
        assert_eq!(outcome_line(&next)[1..], ["1", "3"]);
        let built: (i64, bool) = sqlx::query_as(about).bind(&template).fetch_one(db.pool()).await?;
        assert!(!built.1 && built.0 != debris.0, "{debris:?} {built:?}");
        Ok(())
    });
}

#[test]
fn a_killed_test_gives_its_database_back() {
    tests::empty().run(async |db| {
        let (checkout, url) = (Checkout::new(), db.url());
        let host = Host::start(&checkout, &url);
        for content in ["seeded", "recycled", "empty"] {
            let holder = Waiting::begin(&host.borrower(&checkout, &[content, "1", "wait"]));
            let name = holder.line.trim().to_owned();
            kill(&holder.process);
            let count = || {
                sqlx::query_scalar::<_, i64>("select count(*) from pg_database where datname = $1")
                    .bind(&name)
                    .fetch_one(db.pool())
            };
            while count().await? > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(())
    });
}
