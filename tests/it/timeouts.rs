//! Locks of other sessions and endless statements: migrations wait for a limited time, and retry where that helps.

use std::time::Duration;

use migrations::{Error, Event, Project, Session, Settings, Target};
use sqlx::Executor;

use crate::{
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
