//! SQL that Postgres refuses: the message says where, earlier migrations stay, this one is wholly undone.

use std::time::Duration;

use migrations::{Error, Event, Project, Session, Settings, Target};
use sqlx::{Executor, Row};
use tests::{TestDatabase, with_empty_database};

use crate::{
    checkout::Checkout,
    snapshot::{shape, snapshot},
};

/// An app with a good migration and a bad one, whose failure must leave no trace.
#[track_caller]
fn check(up: &str, said: &[&str]) {
    with_empty_database(async |db: &TestDatabase| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0001_first"]);
        let before = snapshot(db).await;
        checkout.migration("a/0002_bad", up, "select 1;");
        checkout.xtask(db, &["migrate"]).expect(1, said).expect(
            1,
            &[
                "error: migration a/0002_bad failed; nothing of it was kept",
                "fix the file and run the same command again",
            ],
        );
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

fn one_app() -> Checkout {
    let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\ntables = [\"t\"]\n";
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.a\"\n";
    let checkout = Checkout::of(manifest, &[("a/sqlx.toml", ledger)]);
    checkout.migration("a/0001_first", "create table t (id int, n int);", "drop table t;");
    checkout
}

#[test]
fn a_wrong_name_is_shown_with_its_line_and_a_mark_under_it() {
    check(
        "-- Why.\ncreate table u (id int);\n\ninsert into tt values (1);\n",
        &[
            "┌ migrations/a/0002_bad.up.sql:4",
            "4│ insert into tt values (1);",
            "│             ^^ relation \"tt\" does not exist (42P01)",
        ],
    );
}

#[test]
fn an_error_that_postgres_does_not_place_is_shown_at_its_statement() {
    check(
        "create table u (id int);\n\n-- Again; by mistake.\ncreate table t (\n    id int\n);\n",
        &[
            "┌ migrations/a/0002_bad.up.sql:4",
            "4│ create table t (",
            "5│     id int",
            "6│ );",
            "└ relation \"t\" already exists (42P07)",
        ],
    );
}

#[test]
fn detail_and_context_of_postgres_are_shown() {
    check(
        "insert into t values (1), (1);\ncreate unique index on t (id);",
        &["0002_bad.up.sql:2", "could not create unique index", "detail: Key (id)=(1) is duplicated."],
    );
    check(
        "do $$ begin\n  perform 1/0;\nend $$;",
        &[
            "0002_bad.up.sql:1",
            "division by zero (22012)",
            "in: SQL statement \"SELECT 1/0\"",
            "PL/pgSQL function",
        ],
    );
}

#[test]
fn a_constraint_that_speaks_at_the_commit_undoes_it_all() {
    check(
        "create table u (id int primary key, t int references u deferrable initially deferred);\ninsert into u values (1, 2);",
        &["migrations/a/0002_bad.up.sql", "violates foreign key constraint \"u_t_fkey\""],
    );
}

#[test]
fn a_ledger_row_that_cannot_be_written_undoes_the_migration() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool()
            .execute(
                "create function refuse() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
                 create trigger refuse before insert on migrations.a for each row execute function refuse()",
            )
            .await?;
        let before = snapshot(db).await;
        checkout.migration("a/0002_more", "create table u (id int);", "drop table u;");
        let said = [
            "migration a/0002_more broke off, and nothing of it was kept",
            "a/0002_more.up.sql",
            "not today",
        ];
        checkout.xtask(db, &["migrate"]).expect(1, &said);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn copy_from_nobody_is_told_instead_of_waited_for() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        for (up, said) in
            [("copy t from stdin;", "write inserts"), ("copy t to stdout;", "nobody to write to")]
        {
            checkout.migration("a/0002_copy", up, "select 1;");
            checkout
                .xtask(db, &["migrate"])
                .expect(1, &["migration a/0002_copy broke off", "0002_copy.up.sql", said]);
            assert_eq!(before, snapshot(db).await);
        }
        Ok(())
    });
}

#[test]
fn the_remedy_fits_the_error() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.migration("a/0002_x", "vacuum t;", "select 1;");
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["(25001)", "make `-- no-transaction` the very first line"]);
        checkout.migration("a/0002_x", "select pg_sleep(60);", "select 1;");
        checkout
            .xtask(db, &["migrate", "--statement-timeout", "1"])
            .expect(1, &["it took longer than the statement timeout allows"]);
        checkout.migration("a/0002_x", "select pg_terminate_backend(pg_backend_pid());", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(1, &["(57P01)", "somebody ended the session"]);
        Ok(())
    });
}

#[test]
fn characters_of_several_bytes_do_not_move_the_mark() {
    check(
        "select 'äöü–€', nix;",
        &["1│ select 'äöü–€', nix;", "  │                 ^^^ column \"nix\" does not exist"],
    );
}

#[test]
fn tabs_and_long_lines_do_not_move_the_mark() {
    check("\tselect\tnix;", &["1│     select    nix;", "  │               ^^^ column"]);
    let row = "(1), ".repeat(200);
    check(
        &format!("insert into t (id) values {row}(nix), {row}(2);"),
        &[
            "1│ …1), (1), ",
            "(1), (nix), (1), ",
            "…\n",
            "│                                                              ^^^ column \"nix\"",
        ],
    );
}

#[test]
fn what_a_migration_sets_for_its_session_ends_with_it() {
    with_empty_database(async |db| {
        let checkout = one_app();
        let role = format!("{}_role", db.name());
        let up = format!(
            "create role {role}; create schema elsewhere; set search_path = elsewhere; set statement_timeout = 1; set role {role};"
        );
        checkout.migration("a/0002_sets", &up, &format!("drop schema elsewhere; drop role {role};"));
        checkout.migration("a/0003_next", "create table u (id int); select pg_sleep(0.05);", "drop table u;");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0003_next"]);
        assert!(shape(db).await.iter().any(|line| line.starts_with("relation public.u r")));
        checkout.xtask(db, &["migrate", "a", "zero"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn what_was_applied_before_it_is_named_and_kept() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.migration("a/0002_more", "create table u (id int);", "drop table u;");
        checkout.migration("a/0003_bad", "selec 1;", "select 1;");
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["applied before it and kept: a/0001_first, a/0002_more"]);
        let kept: i64 = sqlx::query_scalar("select count(*) from migrations.a").fetch_one(db.pool()).await?;
        assert_eq!(kept, 2);
        checkout.migration("a/0003_bad", "select 1;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0003_bad", "applied"]);
        Ok(())
    });
}

#[test]
fn a_way_back_that_fails_leaves_the_migration_applied() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.migration("a/0001_first", "create table t (id int);", "drop table t;\ndrop table nix;");
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        let before = snapshot(db).await;
        checkout.xtask(db, &["migrate", "a", "zero", "--confirm", db.name()]).expect(
            1,
            &[
                "the way back of a/0001_first failed; nothing of it was kept",
                "migrations/a/0001_first.down.sql:2",
                "table \"nix\" does not exist",
            ],
        );
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn an_index_left_invalid_is_named_and_rebuilt_by_the_next_run() {
    with_empty_database(async |db| {
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
            .expect(0, &["dropped index public.t_id_key, which an earlier try left invalid", "applied"]);
        assert!(valid(db, "t_id_key").await);
        Ok(())
    });
}

#[test]
fn if_not_exists_does_not_record_a_dead_index() {
    with_empty_database(async |db| {
        let checkout = one_app();
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        // Dead for another reason than an earlier try: the runner's first look finds a build that seems under way.
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
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("create index t_id_idx on t (id)").await?;
        db.pool()
            .execute("update pg_index set indisvalid = false where indexrelid = 't_id_idx'::regclass")
            .await?;
        // It speaks of that index, and of its table.
        checkout.migration("a/0002_vacuum", "-- no-transaction\n-- Not t_id_idx.\nvacuum t;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0002_vacuum"]);
        assert!(!valid(db, "t_id_idx").await);
        Ok(())
    });
}

#[test]
fn an_index_built_concurrently_must_have_a_name() {
    with_empty_database(async |db| {
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
    with_empty_database(async |db| {
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

#[test]
fn a_lock_that_another_session_holds_is_retried() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.migration(
            "a/0002_alter",
            "alter table t add column more int;",
            "alter table t drop column more;",
        );
        let project = Project::load(&checkout.path(""))?;
        let settings = Settings { lock_timeout: Duration::from_millis(50), ..Settings::default() };

        let mut holder = Some(db.pool().begin().await?);
        holder.as_mut().unwrap().execute("lock table t").await?;
        let mut session = Session::connect(&db.options(), settings.clone()).await?;
        let mut retries = Vec::new();
        session
            .migrate(&project, &Target::Latest, &mut |event| {
                if let Event::Retrying { attempt, .. } = event {
                    retries.push(attempt);
                    // Given up within a tick of the runtime, while the runner pauses.
                    if attempt == 3 {
                        drop(holder.take());
                    }
                }
            })
            .await?;
        assert_eq!(retries, [2, 3]);
        assert!(shape(db).await.iter().any(|line| line.contains("column public.t more")));
        Ok(())
    });
}

#[test]
fn a_lock_that_never_comes_free_is_an_error_that_undoes_it() {
    with_empty_database(async |db| {
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
        let settings = Settings { lock_timeout: Duration::from_millis(20), ..Settings::default() };
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
fn a_statement_that_takes_too_long_is_ended() {
    with_empty_database(async |db| {
        let checkout = one_app();
        checkout.migration("a/0002_slow", "select pg_sleep(60);", "select 1;");
        checkout
            .xtask(db, &["migrate", "--statement-timeout", "1"])
            .expect(1, &["0002_slow.up.sql:1", "statement timeout (57014)"]);
        Ok(())
    });
}

async fn valid(db: &TestDatabase, index: &str) -> bool {
    let row = sqlx::query("select indisvalid from pg_index where indexrelid = $1::regclass").bind(index);
    row.fetch_one(db.pool()).await.unwrap().get(0)
}
