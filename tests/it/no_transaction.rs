//! Migrations without a transaction: one statement. If it fails, the error names what it left behind, the ledger does not
//! record it, and the next run rebuilds it.

use std::time::Duration;

use migrations::{Error, Event, Project, Session, Settings, Target};
use rustix::process::Signal;
use sqlx::{ConnectOptions, Executor, Row};
use tests::TestDatabase;

use crate::{
    failing_sql::one_app,
    interruption::{send, signalled_during},
    native_server::PATIENCE,
    snapshot::{shape, snapshot},
};

#[test]
fn the_next_run_names_and_rebuilds_an_index_that_was_left_invalid() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("insert into t values (1), (1)").await?;
        let create = "-- no-transaction\ncreate unique index concurrently t_id_key on t (id);";
        checkout.migration("a/0002_index", create, "drop index t_id_key;");
        checkout.xtask(db, &["migrate"]).expect(
            1,
            &[
                "migration a/0002_index failed; it runs without a transaction, and left index public.t_id_key on t invalid, \
                 which the next run drops and rebuilds",
                "could not create unique index \"t_id_key\"",
            ],
        );
        assert!(!valid(db, "t_id_key").await);
        db.pool().execute("update t set id = 2 where ctid = (select max(ctid) from t)").await?;
        checkout
            .xtask(db, &["migrate"])
            .expect(0, &["dropped index public.t_id_key, which an earlier attempt left invalid", "applied"]);
        assert!(valid(db, "t_id_key").await);
        Ok(())
    });
}

#[test]
fn if_not_exists_does_not_record_an_invalid_index() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        // The index is another one, and becomes invalid only while the statement runs.
        let create = "-- no-transaction\ncreate index concurrently if not exists t_id_idx on t (id);";
        checkout.migration("a/0002_index", create, "drop index t_id_idx;");
        db.pool().execute("create index t_id_idx on t (n)").await?;
        db.pool().execute("create function kill() returns event_trigger language plpgsql as $$ begin
                update pg_index set indisvalid = false where indexrelid = 't_id_idx'::regclass; end $$;
             create event trigger kill on ddl_command_end when tag in ('CREATE INDEX') execute function kill()").await?;
        let project = Project::load(&checkout.path(""))?;
        match session.migrate(&project, &Target::Latest, &mut |_| {}).await {
            Err(Error::InvalidIndex { migration, index }) => {
                assert_eq!(
                    (migration.to_string().as_str(), index.as_str()),
                    ("a/0002_index", "public.t_id_idx on t")
                );
            }
            other => panic!("{other:?}"),
        }
        let recorded: i64 =
            sqlx::query_scalar("select count(*) from migrations.a").fetch_one(db.pool()).await?;
        assert_eq!(recorded, 1);
        db.pool().execute("drop event trigger kill").await?;
        session.migrate(&project, &Target::Latest, &mut |_| {}).await?;
        assert!(valid(db, "t_id_idx").await);
        Ok(())
    });
}

#[test]
fn an_invalid_index_that_the_script_does_not_build_is_left_alone() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("create index t_id_idx on t (id)").await?;
        db.pool()
            .execute("update pg_index set indisvalid = false where indexrelid = 't_id_idx'::regclass")
            .await?;
        // The script mentions that index, and its table.
        checkout.migration("a/0002_vacuum", "-- no-transaction\n-- Not t_id_idx.\nvacuum t;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0002_vacuum"]);
        assert!(!valid(db, "t_id_idx").await);
        Ok(())
    });
}

#[test]
fn an_index_built_concurrently_must_have_a_name() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.migration(
            "a/0002_index",
            "-- no-transaction\ncreate index concurrently on t (id);",
            "select 1;",
        );
        checkout.xtask(db, &["migrate"]).expect(1, &["migrations/a/0002_index.up.sql: name the index"]);
        Ok(())
    });
}

#[test]
fn two_statements_without_a_transaction_are_refused() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        checkout.migration(
            "a/0002_two",
            "-- no-transaction\ncreate index on t (id);\ncreate index on t (n);",
            "select 1;",
        );
        checkout.xtask(db, &["migrate"]).expect(
            1,
            &["migrations/a/0002_two.up.sql:3: a file that begins with `-- no-transaction` has one statement"],
        );
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

/// Statements outside of a transaction whose work shows in the catalogue. Each with what it needs, and how it is reverted.
const SEEN: &[(&str, &str, &str)] = &[
    ("", "create index concurrently t_idx on t (id)", "drop index concurrently t_idx"),
    (
        "",
        "create unique index concurrently \"T_Idx\" on only public.t using btree (lower(n::text) desc, id) include (n) \
         where n > 0",
        "drop index concurrently public.\"T_Idx\"",
    ),
    (
        "create index t_idx on t (id);",
        "drop index concurrently t_idx",
        "create index concurrently t_idx on t (id)",
    ),
];

fn outside(statement: &str) -> String {
    format!("-- no-transaction\n{statement};\n")
}

async fn run(db: &TestDatabase, sql: &str) {
    db.pool().execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

#[test]
fn work_that_was_done_and_not_recorded_is_recorded_by_the_next_run() {
    for (before, up, down) in SEEN {
        tests::empty().run(async |db| {
            let checkout = one_app();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            run(db, before).await;
            checkout.migration("a/0002_outside", &outside(up), &outside(down));
            checkout.xtask(db, &["migrate"]).expect(0, &["a/0002_outside", "applied"]);
            let applied = shape(db).await;
            // As a kill leaves it that comes after the statement: the row says that it has begun.
            run(db, "update migrations.a set success = false, execution_time = -1 where version = 2").await;
            checkout.xtask(db, &["showmigrations"]).expect(0, &["[ ] 0002_outside"]);
            let said = ["an earlier run had done all of a/0002_outside, and did not record it", "applied"];
            checkout.xtask(db, &["migrate"]).expect(0, &said);
            checkout.xtask(db, &["showmigrations"]).expect(0, &["[X] 0002_outside"]);
            assert_eq!(shape(db).await, applied);
            // The same on the way back.
            checkout.xtask(db, &["migrate", "a", "0001", "--confirm", db.name()]).expect(0, &["reverted"]);
            let row = "insert into migrations.a (version, description, success, checksum, execution_time)
                       values (2, 'outside', false, $1, 7)";
            let project = Project::load(&checkout.path(""))?;
            let checksum = project.migration("a", "0002")?.checksum().to_vec();
            sqlx::query(row).bind(checksum).execute(db.pool()).await?;
            checkout.xtask(db, &["showmigrations"]).expect(0, &["[X] 0002_outside"]);
            let back = checkout.xtask(db, &["migrate", "a", "0001", "--confirm", db.name()]);
            back.expect(0, &["an earlier run had done all of a/0002_outside", "reverted"]);
            checkout.xtask(db, &["migrate"]).expect(0, &["applied"]);
            assert_eq!(shape(db).await, applied);
            Ok(())
        });
    }
}

#[test]
fn work_that_has_begun_and_was_not_done_is_done_by_the_next_run() {
    for (before, up, down) in SEEN {
        tests::empty().run(async |db| {
            let checkout = one_app();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            run(db, before).await;
            checkout.migration("a/0002_outside", &outside(up), &outside(down));
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            let applied = shape(db).await;
            // As a kill leaves it that comes before the statement.
            run(db, down.replace("concurrently", "").as_str()).await;
            run(db, "update migrations.a set success = false, execution_time = -1 where version = 2").await;
            let said = checkout.xtask(db, &["migrate"]);
            assert!(!said.expect(0, &["applied"]).stderr.contains("earlier run"), "{said:?}");
            assert_eq!(shape(db).await, applied);
            Ok(())
        });
    }
}

#[test]
fn without_a_row_finished_work_is_recognized_by_the_catalogue() {
    let mood = "create type mood as enum ('ok');";
    let value = "alter type public.mood add value 'it''s'";
    for (before, up) in [("", SEEN[0].1), ("", SEEN[1].1), (mood, value)] {
        tests::empty().run(async |db| {
            let checkout = one_app();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            run(db, before).await;
            checkout.migration("a/0002_outside", &outside(up), "select 1;");
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            let before = shape(db).await;
            run(db, "delete from migrations.a where version = 2").await;
            let said = ["an earlier run had done all of a/0002_outside, and did not record it"];
            checkout.xtask(db, &["migrate"]).expect(0, &said);
            checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
            assert_eq!(shape(db).await, before);
            Ok(())
        });
    }
}

#[test]
fn an_index_of_another_definition_is_not_taken_for_finished_work() {
    for other in [
        "create index t_idx on t (n)",
        "create index t_idx on t (id desc)",
        "create unique index t_idx on t (id)",
        "create index t_idx on t (id) where n > 0",
        "create index t_idx on t using hash (id)",
        "create index t_idx on t (id) include (n)",
        "create index t_idx on t (id) with (fillfactor = 50)",
        "create table u (id int); create index t_idx on u (id)",
    ] {
        tests::empty().run(async |db| {
            let checkout = one_app();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            run(db, other).await;
            let before = snapshot(db).await;
            checkout.migration("a/0002_outside", &outside(SEEN[0].1), "select 1;");
            checkout.xtask(db, &["migrate"]).expect(1, &["relation \"t_idx\" already exists (42P07)"]);
            assert_eq!(snapshot(db).await, before, "{other}");
            Ok(())
        });
    }
}

#[test]
fn a_partition_that_is_half_detached_is_detached_completely() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        run(db, "create table p (id int) partition by list (id); create table p1 partition of p for values in (1)").await;
        checkout.migration(
            "a/0002_detach",
            &outside("alter table p detach partition p1 concurrently"),
            "alter table p attach partition p1 for values in (1);",
        );
        // It waits for this transaction.
        let mut old = db.options().connect().await?;
        old.execute("begin; select * from p").await?;
        let migrate = checkout.command(&db.url(), &["migrate"]);
        let killed = signalled_during(db, &migrate, "detach partition", Signal::INT).await?;
        let said = String::from_utf8_lossy(&killed.stderr);
        assert!(
            said.contains("a/0002_detach runs without a transaction, so it may be done, half done or not begun"),
            "{said}"
        );
        old.execute("commit").await?;
        let pending = "select inhdetachpending from pg_inherits where inhrelid = 'p1'::regclass";
        assert!(sqlx::query_scalar::<_, bool>(pending).fetch_one(db.pool()).await?);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0002_detach", "applied"]);
        assert!(sqlx::query_scalar::<_, bool>(pending).fetch_optional(db.pool()).await?.is_none());
        run(db, "update migrations.a set success = false, execution_time = -1 where version = 2").await;
        checkout.xtask(db, &["migrate"]).expect(0, &["an earlier run had done all of a/0002_detach"]);
        Ok(())
    });
}

#[test]
fn where_the_catalogue_shows_nothing_a_person_says_whether_the_statement_ran() {
    for (label, ran) in [("if it ran:", true), ("if it did not:", false)] {
        tests::empty().run(async |db| {
            let checkout = one_app();
            checkout.migration("a/0002_vacuum", &outside("vacuum t"), &outside("vacuum t"));
            checkout.xtask(db, &["db-setup"]).expect(0, &[]);
            run(db, "update migrations.a set success = false, execution_time = -1 where version = 2").await;
            let before = snapshot(db).await;
            let said = ["a/0002_vacuum was being applied when its run broke off", label];
            let refused = checkout.xtask(db, &["migrate"]);
            refused.expect(1, &said);
            checkout.xtask(db, &["db-check"]).expect(3, &said);
            checkout.xtask(db, &["showmigrations"]).expect(0, &said);
            assert_eq!(snapshot(db).await, before);
            checkout.paste(db, &refused.advice(label)).expect(0, &[]);
            let next = checkout.xtask(db, &["migrate"]);
            next.expect(0, &[if ran { "0 pending" } else { "applied" }]);

            run(db, "update migrations.a set success = false, execution_time = 0 where version = 2").await;
            let refused = checkout.xtask(db, &["migrate", "a", "0001"]);
            refused.expect(1, &["a/0002_vacuum was being reverted when its run broke off"]);
            checkout.paste(db, &refused.advice(label)).expect(0, &[]);
            checkout.xtask(db, &["showmigrations"]).expect(0, &[if ran { "[ ] 0002" } else { "[X] 0002" }]);
            Ok(())
        });
    }
}

#[test]
fn a_killed_statement_without_a_trace_is_not_run_again_by_itself() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        run(
            db,
            "create procedure half() language plpgsql as $$ begin
                 insert into t values (1); commit; perform pg_sleep(600); end $$",
        )
        .await;
        checkout.migration("a/0002_call", &outside("call half()"), "select 1;");
        let migrate = checkout.command(&db.url(), &["migrate"]);
        let running = migrate.stdout_capture().stderr_capture().unchecked().start()?;
        let rows = "select count(*) from t";
        while sqlx::query_scalar::<_, i64>(rows).fetch_one(db.pool()).await? == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        send(&running, Signal::KILL);
        running.wait()?;
        checkout.xtask(db, &["migrate"]).expect(1, &["a/0002_call was being applied", "if it did not:"]);
        assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(db.pool()).await?, 1);
        Ok(())
    });
}

#[test]
fn a_statement_that_can_run_in_a_transaction_is_kept_or_lost_with_its_row() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        run(db, "create function refuse() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
                 create trigger refuse before insert or update on migrations.a for each row execute function refuse()").await;
        let before = snapshot(db).await;
        checkout.migration("a/0002_add", &outside("alter table t add column more int"), "select 1;");
        checkout.xtask(db, &["migrate"]).expect(1, &["nothing of it was kept", "not today"]);
        assert_eq!(snapshot(db).await, before);
        Ok(())
    });
}

#[test]
fn a_statement_that_blocks_others_does_not_wait_without_limit() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let mut holder = db.pool().begin().await?;
        holder.execute("lock table t").await?;
        for statement in
            ["alter table t add column more int", "vacuum t", "reindex table t", "update t set n = 1"]
        {
            checkout.migration("a/0002_more", &outside(statement), "select 1;");
            let project = Project::load(&checkout.path(""))?;
            let settings = Settings::default().lock_timeout(Duration::from_millis(20));
            let mut session = Session::connect(&db.options(), settings).await?;
            let mut tries = 1;
            let count = &mut |event: Event<'_>| tries += i32::from(matches!(event, Event::Retrying { .. }));
            match session.migrate(&project, &Target::Latest, count).await {
                Err(Error::Failed(failure)) => assert_eq!((failure.code.as_str(), tries), ("55P03", 5)),
                other => panic!("{statement}: {other:?}"),
            }
            let unfinished = "select count(*) from migrations.a where not success";
            assert_eq!(
                sqlx::query_scalar::<_, i64>(unfinished).fetch_one(db.pool()).await?,
                0,
                "{statement}"
            );
        }
        Ok(())
    });
}

#[test]
fn clearing_an_invalid_index_waits_for_older_transactions_and_touches_no_other_index() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        run(db, "create index t_idx on t (id); create schema s; create table s.t (id int); create index t_idx on s.t (id);
                 update pg_index set indisvalid = false where indexrelid in ('t_idx'::regclass, 's.t_idx'::regclass)").await;
        checkout.migration("a/0002_index", &outside(SEEN[0].1), "drop index t_idx;");
        let mut old = db.options().connect().await?;
        old.execute("begin; insert into t values (1)").await?;
        let project = Project::load(&checkout.path(""))?;
        let settings = Settings::default().lock_timeout(Duration::from_millis(20));
        let mut session = Session::connect(&db.options(), settings).await?;
        let migrate = async { session.migrate(&project, &Target::Latest, &mut |_| {}).await };
        let release = async {
            let waits = "select exists (select from pg_stat_activity where query like 'drop index%'
                         and wait_event_type = 'Lock' and clock_timestamp() - query_start > '100 ms')";
            while !sqlx::query_scalar::<_, bool>(waits).fetch_one(db.pool()).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            old.execute("commit").await.unwrap();
        };
        tokio::select! {
            done = async { tokio::join!(migrate, release).0 } => { done?; }
            () = tokio::time::sleep(PATIENCE) => panic!("it gave up, or never waited"),
        }
        assert!(valid(db, "t_idx").await);
        assert!(!valid(db, "s.t_idx").await);
        Ok(())
    });
}

#[test]
fn a_commit_whose_outcome_is_unknown_is_not_called_undone() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.migration(
            "a/0002_commit",
            "create function lose() returns trigger language plpgsql as
                 $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
             create constraint trigger lose after insert on t deferrable initially deferred
                 for each row execute function lose();
             insert into t values (1);",
            "drop function lose cascade;",
        );
        let said = "a/0002_commit failed during its commit; all of it was kept or nothing, and the next run reads in the \
                    ledger which";
        checkout.xtask(db, &["migrate"]).expect(1, &[said, "run the same command again"]);
        Ok(())
    });
}

async fn valid(db: &TestDatabase, index: &str) -> bool {
    let row = sqlx::query("select indisvalid from pg_index where indexrelid = $1::regclass").bind(index);
    row.fetch_one(db.pool()).await.unwrap().get(0)
}
