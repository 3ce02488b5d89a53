//! One migrator runs at a time. The others wait and show who holds the lock.

use std::time::{Duration, Instant};

use migrations::{Error, Project, Prune, SeedMode, Session, Settings, Target};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, migrate::Migrate};

use crate::{checkout::Checkout, native_server::PATIENCE, snapshot::snapshot};

#[test]
fn a_command_waits_for_a_lock_that_sqlx_holds_and_names_the_holder_when_it_gives_up() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let mut holder = db.options().application_name("deploy-7").connect().await?;
        holder.lock().await?;
        let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut holder).await?;
        let before = snapshot(db).await;
        let start = Instant::now();
        checkout.xtask(db, &["migrate", "--lock-timeout", "1"]).expect(
            5,
            &[
                &format!("waiting for the migration lock of database `{}` …", db.name()),
                &format!("held by pid {pid}"),
                "application `deploy-7`",
                "error: gave up after 1 s",
                "nothing was touched",
            ],
        );
        // Without the option the timeout is 30 s.
        assert!(start.elapsed() < Duration::from_secs(25));
        assert_eq!(before, snapshot(db).await);
        holder.close().await?;
        Ok(())
    });
}

#[test]
fn a_waiting_command_gets_the_lock_when_its_holder_releases_it() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let mut holder = db.options().connect().await?;
        holder.lock().await?;
        let waiting = checkout.command(&db.url(), &["migrate"]).stdout_capture().stderr_capture().start()?;
        // The command waits before the holder releases the lock.
        wait_for_session(db, "from pg_locks").await;
        holder.close().await?;
        let output = waiting.wait()?;
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("loans/0001_initial"));
        Ok(())
    });
}

#[test]
fn eight_commands_at_once_apply_every_migration_once() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let started: Vec<_> = (0..8)
            .map(|_| {
                checkout.command(&db.url(), &["db-setup"]).stdout_capture().stderr_capture().start().unwrap()
            })
            .collect();
        let outputs: Vec<_> = started.iter().map(|handle| handle.wait().unwrap()).collect();
        let all: String = outputs
            .iter()
            .map(|o| String::from_utf8_lossy(&o.stdout).into_owned() + &String::from_utf8_lossy(&o.stderr))
            .collect();
        assert!(outputs.iter().all(|output| output.status.success()), "{all}");
        // A waiting command also prints the SQL that the holder runs, with the names in its head.
        let applied = |line: &&str| line.contains("people/0001_initial ") && line.contains(" applied ");
        assert_eq!(all.lines().filter(applied).count(), 1, "{all}");
        assert_eq!(all.matches("roles +3").count(), 1, "{all}");
        checkout.xtask(db, &["db-check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn a_waiting_migrator_does_not_block_a_concurrent_index_build() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let create = "-- no-transaction\ncreate index concurrently people_bio_idx on people (bio);";
        checkout.migration("people/0002_index", create, "drop index people_bio_idx;");
        // The build waits for this old snapshot, so both commands are running before it can finish.
        let mut old = db.options().connect().await?;
        old.execute("begin isolation level repeatable read; select 1 from people").await?;
        let builder = checkout.command(&db.url(), &["migrate"]).stdout_capture().stderr_capture().start()?;
        wait_for_session(db, "people_bio_idx").await;
        let waiter = checkout.command(&db.url(), &["migrate"]).stdout_capture().stderr_capture().start()?;
        wait_for_session(db, "from pg_locks").await;
        old.execute("commit").await?;
        for handle in [builder, waiter] {
            let output = handle.wait()?;
            assert!(output.status.success(), "{output:?}");
        }
        checkout.xtask(db, &["showmigrations", "people"]).expect(0, &["[X] 0002_index"]);
        Ok(())
    });
}

#[test]
fn the_lock_is_free_after_success_and_after_failure() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let free = async || {
            let sql = "select not exists (select from pg_locks where locktype = 'advisory'
                        and database = (select oid from pg_database where datname = current_database()))";
            sqlx::query_scalar::<_, bool>(sql).fetch_one(db.pool()).await.unwrap()
        };
        // One session throughout: Postgres would release the lock at the end of the session.
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        let project = Project::load(&checkout.path(""))?;
        session.migrate(&project, &Target::Latest, &mut |_| {}).await?;
        assert!(free().await);
        session.seed(&project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
        assert!(free().await);
        checkout.migration("loans/0002_bad", "selec 1;", "select 1;");
        let project = Project::load(&checkout.path(""))?;
        session.migrate(&project, &Target::Latest, &mut |_| {}).await.unwrap_err();
        assert!(free().await);
        checkout.remove("loans/0002_bad.up.sql");
        checkout.remove("loans/0002_bad.down.sql");
        checkout.write("loans/seed.sql", "selec 1;");
        let project = Project::load(&checkout.path(""))?;
        session.seed(&project, SeedMode::Write, Prune::No, &mut |_| {}).await.unwrap_err();
        assert!(free().await);
        Ok(())
    });
}

#[test]
fn a_session_whose_work_was_cancelled_rejects_more_work() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_slow", "select pg_sleep(600);", "select 1;");
        let project = Project::load(&checkout.path(""))?;
        let settings = Settings::default().application_name("cargo xtask");
        let mut session = Session::connect(&db.options(), settings).await?;
        let work = async { session.migrate(&project, &Target::Latest, &mut |_| {}).await };
        tokio::select! {
            ended = work => panic!("{ended:?}"),
            () = wait_for_session(db, "pg_sleep") => {}
        }
        let again = session.migrate(&project, &Target::Latest, &mut |_| {}).await;
        assert!(matches!(again, Err(Error::Abandoned)), "{again:?}");
        Ok(())
    });
}

#[test]
fn the_callers_own_work_holds_the_lock_until_it_succeeds_or_fails() {
    tests::empty().run(async |db| {
        let impatient = Settings::default().migration_lock_timeout(Duration::ZERO);
        let mut other = Session::connect(&db.options(), impatient).await?;
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        for outcome in [Ok(()), Err(Error::LockLost)] {
            let succeeds = outcome.is_ok();
            let lock = session.lock(&mut |_| {}).await?;
            let work = async |_: &mut PgConnection| {
                let refused = other.lock(&mut |_| {}).await;
                assert!(matches!(refused, Err(Error::Locked { .. })), "{refused:?}");
                drop(refused);
                outcome
            };
            assert_eq!(lock.run(work).await.is_ok(), succeeds);
            other.lock(&mut |_| {}).await?.run(async |_| Ok::<_, Error>(())).await?;
        }
        // If the lock is dropped without work, only the end of the session releases it.
        drop(session.lock(&mut |_| {}).await?);
        let again = session.lock(&mut |_| {}).await;
        assert!(matches!(again, Err(Error::Abandoned)), "{again:?}");
        drop(again);
        drop(session);
        let mut patient = Session::connect(&db.options(), Settings::default()).await?;
        patient.lock(&mut |_| {}).await?.run(async |_| Ok::<_, Error>(())).await?;
        Ok(())
    });
}

#[test]
fn the_lock_depends_on_the_databases_real_name() {
    tests::empty().run(async |db| {
        // Postgres truncates a name that is too long, so two names may mean one database.
        let long = format!("{:x<63}", db.name());
        db.pool().execute(sqlx::AssertSqlSafe(format!("create database {long} template template0"))).await?;
        let alias = db.options().database(&format!("{long}tail"));
        let mut holder = db.options().database(&long).connect().await?;
        holder.lock().await?;
        let settings = Settings::default().migration_lock_timeout(Duration::ZERO);
        let mut session = Session::connect(&alias, settings).await?;
        let project = Project::load(&Checkout::new().path(""))?;
        let refused = session.migrate(&project, &Target::Latest, &mut |_| {}).await;
        assert!(matches!(refused, Err(Error::Locked { .. })), "{refused:?}");
        session.close().await;
        holder.close().await?;
        db.pool().execute(sqlx::AssertSqlSafe(format!("drop database {long}"))).await?;
        Ok(())
    });
}

/// If this did not compile, a program could not run its migrations in a spawned task.
#[expect(dead_code, reason = "that it compiles is the test")]
fn a_session_may_be_moved_to_another_thread(session: &mut Session, project: &Project) {
    fn sent(_: impl Send) {}
    sent(session.migrate(project, &Target::Latest, &mut |_| {}));
}

#[test]
fn a_migration_that_releases_the_lock_is_rolled_back() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        for up in
            ["create table t (id int); select pg_advisory_unlock_all();", "-- no-transaction\ndiscard all;"]
        {
            checkout.migration("loans/0002_careless", up, "select 1;");
            let said = [
                "migration loans/0002_careless broke off",
                "migrations/loans/0002_careless.up.sql",
                "gave up the migration lock",
            ];
            checkout.xtask(db, &["migrate"]).expect(1, &said);
            assert_eq!(before, snapshot(db).await);
        }
        checkout.migration("loans/0002_careless", "deallocate all;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        Ok(())
    });
}

/// Waits until another session of the database runs, or last ran, a statement with this text.
pub(crate) async fn wait_for_session(db: &tests::TestDatabase, text: &str) {
    let sql = "select exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
               and application_name ~ '^(cargo xtask|backend)' and position($1 in query) > 0)";
    let start = Instant::now();
    while !sqlx::query_scalar::<_, bool>(sql).bind(text).fetch_one(db.pool()).await.unwrap() {
        assert!(start.elapsed() < PATIENCE, "no session with {text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
