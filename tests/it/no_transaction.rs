//! Migrations without a transaction: one statement. If it fails, the error names what it left behind, the ledger does not
//! record it, and the next run rebuilds it.

use migrations::{Error, Project, Session, Settings, Target};
use sqlx::{Executor, Row};
use tests::TestDatabase;

use crate::{failing_sql::one_app, snapshot::snapshot};

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
                "migration a/0002_index failed; it runs without a transaction, so look at what it left",
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
        // The index is invalid for another reason than an earlier attempt: at first it looks like a build in progress.
        let create = "-- no-transaction\ncreate index concurrently if not exists t_id_idx on t (id);";
        checkout.migration("a/0002_index", create, "drop index t_id_idx;");
        db.pool().execute("create index t_id_idx on t (id)").await?;
        db.pool().execute("create function kill() returns event_trigger language plpgsql as $$ begin
                update pg_index set indisvalid = false where indexrelid = 't_id_idx'::regclass; end $$;
             create event trigger kill on ddl_command_end when tag in ('CREATE INDEX') execute function kill()").await?;
        let project = Project::load(&checkout.path(""))?;
        match session.migrate(&project, &Target::Latest, &mut |_| {}).await {
            Err(Error::InvalidIndex { migration, indexes }) => {
                assert_eq!(
                    (migration.to_string().as_str(), indexes[0].as_str()),
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
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["cannot insert multiple commands into a prepared statement"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

async fn valid(db: &TestDatabase, index: &str) -> bool {
    let row = sqlx::query("select indisvalid from pg_index where indexrelid = $1::regclass").bind(index);
    row.fetch_one(db.pool()).await.unwrap().get(0)
}
