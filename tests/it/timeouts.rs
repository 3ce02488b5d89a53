//! Locks of other sessions and endless statements: migrations wait for a limited time, and retry where that helps.

use std::time::Duration;

use migrations::{Error, Event, Project, Prune, SeedMode, Session, Settings, Target};
use sqlx::{ConnectOptions, Executor};

use crate::{
    checkout::Checkout,
    failing_sql::one_app,
    snapshot::{shape, snapshot},
};

#[test]
fn a_migration_retries_while_another_session_holds_a_lock() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.migration(
            "a/0002_alter",
            "alter table t add column more int;",
            "alter table t drop column more;",
        );
        let project = Project::load(&checkout.path(""))?;
        let settings = Settings::default().lock_timeout(Duration::from_millis(50));

        let mut holder = Some(db.pool().begin().await?);
        holder.as_mut().unwrap().execute("lock table t").await?;
        let mut session = Session::connect(&db.options(), settings.clone()).await?;
        let mut retries = Vec::new();
        session
            .migrate(&project, &Target::Latest, &mut |event| {
                if let Event::Retrying { attempt, .. } = event {
                    retries.push(attempt);
                    // The lock is free within a tick of the runtime, while the runner pauses.
                    if attempt == 3 {
                        drop(holder.take());
                    }
                }
            })
            .await?;
        // There are more retries if the rollback takes longer than a pause.
        assert!(retries.starts_with(&[2, 3]), "{retries:?}");
        assert!(shape(db).await.iter().any(|line| line.contains("column public.t more")));
        Ok(())
    });
}

#[test]
fn a_lock_that_is_never_released_is_an_error_and_undoes_the_migration() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        checkout.migration(
            "a/0002_alter",
            "create table u (id int);\nalter table t add column more int;",
            "select 1;",
        );
        let project = Project::load(&checkout.path(""))?;
        let mut holder = db.pool().begin().await?;
        holder.execute("lock table t").await?;
        let settings = Settings::default().lock_timeout(Duration::from_millis(20));
        let mut session = Session::connect(&db.options(), settings).await?;
        match session.migrate(&project, &Target::Latest, &mut |_| {}).await {
            Err(Error::Failed(failure)) => {
                assert_eq!(failure.code, "55P03");
                assert_eq!(failure.place.to_string(), "migrations/a/0002_alter.up.sql:2");
            }
            other => panic!("{other:?}"),
        }
        holder.rollback().await?;
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn a_statement_that_takes_too_long_times_out() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.migration("a/0002_slow", "select pg_sleep(60);", "select 1;");
        checkout
            .xtask(db, &["migrate", "--statement-timeout", "1"])
            .expect(1, &["0002_slow.up.sql:1", "statement timeout (57014)"]);
        Ok(())
    });
}

/// Runs the migrations or the seeds while a session called `deploy-7` holds a lock, which it releases after the first try.
/// Returns what the first try said of it.
async fn behind_a_lock(db: &tests::TestDatabase, checkout: &Checkout, seeds: bool) -> anyhow::Result<String> {
    let project = Project::load(&checkout.path(""))?;
    let mut holder = Some(db.options().application_name("deploy-7").connect().await?);
    holder.as_mut().unwrap().execute("begin; lock table t").await?;
    let settings = Settings::default().lock_timeout(Duration::from_millis(600));
    let mut session = Session::connect(&db.options(), settings).await?;
    let mut said = String::new();
    let on_event = &mut |event: Event<'_>| {
        if let Event::Retrying { subject, blockers, .. } = event {
            let blockers = blockers.iter().map(|blocker| format!("\n{blocker}")).collect::<String>();
            said.push_str(&format!("{subject}{blockers}\n"));
            drop(holder.take());
        }
    };
    if seeds {
        session.seed(&project, SeedMode::Write, Prune::No, on_event).await?;
    } else {
        session.migrate(&project, &Target::Latest, on_event).await?;
    }
    Ok(said)
}

#[test]
fn a_migration_or_seed_behind_a_lock_is_tried_again_and_names_the_blocker() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let blocked = "\nblocked by pid ";
        let more =
            "in a transaction for 0 s, application `deploy-7`, role `app`, running: begin; lock table t";
        checkout.migration("a/0002_add", "alter table t add column more int;", "select 1;");
        let said = behind_a_lock(db, &checkout, false).await?;
        assert!(
            said.starts_with("migration a/0002_add\n") && said.contains(blocked) && said.contains(more),
            "{said}"
        );
        checkout.write("a/seed.sql", "insert into t values (1, 2);");
        let said = behind_a_lock(db, &checkout, true).await?;
        assert!(
            said.starts_with("seed of app `a`\n") && said.contains(blocked) && said.contains(more),
            "{said}"
        );
        let rows: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(db.pool()).await?;
        assert_eq!(rows, 1);
        Ok(())
    });
}

/// SQL that fails twice with this code; what it counts with is not rolled back.
fn fails_twice(code: &str) -> String {
    format!(
        "do $$ begin if nextval('tries') < 3 then raise exception 'no' using errcode = '{code}'; end if; end $$;"
    )
}

#[test]
fn what_other_sessions_got_in_the_way_of_is_tried_again() {
    for (code, meaning) in [
        ("40P01", "it and another session waited for each other's locks; attempt 2"),
        ("40001", "transactions of other sessions changed what it read; attempt 2"),
        ("55P03", "another session holds a lock that it needs; attempt 2"),
    ] {
        tests::empty().run(async |db| {
            let checkout = one_app();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            db.pool().execute("create sequence tries").await?;
            checkout.migration("a/0002_late", &fails_twice(code), "select 1;");
            checkout.xtask(db, &["migrate"]).expect(0, &[meaning, "attempt 3", "applied"]);
            db.pool().execute("alter sequence tries restart").await?;
            checkout.write("a/seed.sql", &fails_twice(code));
            checkout.xtask(db, &["seed"]).expect(0, &[meaning, "seed of app `a`", "attempt 3"]);
            Ok(())
        });
    }
}

#[test]
fn what_the_server_lacks_is_not_called_the_files_fault() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        for (code, said) in [
            ("53100", "the server's disk is full; free space there"),
            ("53200", "the server is out of memory"),
            ("53400", "the server lacks a resource"),
            ("25006", "the server is a standby, or default_transaction_read_only is on"),
            ("57P03", "the server is starting, stopping or recovering"),
            ("58030", "the server's machine failed it"),
        ] {
            let raise = format!("do $$ begin raise exception 'no' using errcode = '{code}'; end $$;");
            checkout.migration("a/0002_lacks", &raise, "select 1;");
            let migrate = checkout.xtask(db, &["migrate"]);
            assert!(!migrate.expect(1, &[said]).stderr.contains("fix the file"), "{migrate:?}");
            checkout.remove("a/0002_lacks.up.sql");
            checkout.remove("a/0002_lacks.down.sql");
            checkout.write("a/seed.sql", &raise);
            let seed = checkout.xtask(db, &["seed"]);
            assert!(!seed.expect(1, &[said]).stderr.contains("fix the file"), "{seed:?}");
            checkout.remove("a/seed.sql");
        }
        Ok(())
    });
}
