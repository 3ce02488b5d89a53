//! The program that a deploy runs: it embeds its migrations, so it works from an empty folder.

use duct::{Expression, cmd};
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Executor};
use tests::{Setup, TestDatabase};

use crate::{
    checkout::{Checkout, built, outcome},
    interruption::{send, signalled_during},
    locking::wait_for_session,
    product,
    screen::{RED, expect_plain},
    snapshot::{shape, snapshot},
};

fn backend(db: &TestDatabase, verb: &str, folder: &tempfile::TempDir) -> Expression {
    cmd!(built("backend"), verb).env("DATABASE_URL", db.url()).dir(folder.path()).stdin_null().unchecked()
}

#[test]
fn migrate_works_from_an_empty_folder() {
    tests::empty().run(async |db| {
        let nowhere = tempfile::tempdir()?;
        let empty = snapshot(db).await;
        outcome(&backend(db, "check", &nowhere))
            .expect(3, &["pending     users/0001_initial", "missing     table users"]);
        assert_eq!(empty, snapshot(db).await);
        let first = outcome(&backend(db, "migrate", &nowhere));
        let seeded = snapshot(db).await.iter().filter(|line| line.starts_with("public.")).count();
        assert!(seeded > 100, "{seeded}");
        first.expect(
            0,
            &[
                "applied users/0001_initial in",
                &format!("seeds changed {seeded} rows"),
                "the database has what this program needs",
            ],
        );
        outcome(&backend(db, "migrate", &nowhere)).expect(0, &["seeds changed 0 rows"]);
        outcome(&backend(db, "check", &nowhere)).expect(0, &[]);
        let deployed = shape(db).await;
        Checkout::of_product().xtask(db, &["db-check"]).expect(0, &[]);
        db.pool().execute("create table stray (id int)").await?;
        outcome(&backend(db, "check", &nowhere)).expect(3, &["unexpected  table stray"]);
        db.pool().execute("drop table stray").await?;
        assert_eq!(deployed, shape(db).await);
        db.pool()
            .execute("create index stray on users (created_at); grant select on users to pg_monitor")
            .await?;
        outcome(&backend(db, "check", &nowhere))
            .expect(0, &["the database has", "besides", "not compared: rows"]);
        db.pool().execute("alter table progress drop column score").await?;
        outcome(&backend(db, "check", &nowhere)).expect(
            3,
            &[
                "missing     column public.progress.score: data type double precision",
                "missing     constraint public.progress.progress_score_check",
            ],
        );
        Ok(())
    });
}

#[test]
fn control_characters_of_names_and_arguments_are_written_out() {
    for red in RED {
        tests::with_database(async |db| {
            let nowhere = tempfile::tempdir()?;
            sqlx::raw_sql(AssertSqlSafe(format!("create table \"{red}\" ()"))).execute(db.pool()).await?;
            expect_plain(&outcome(&backend(db, "check", &nowhere)), "unexpected  table \\u{");
            expect_plain(&outcome(&backend(db, red, &nowhere)), "no verb `\\u{");
            Ok(())
        });
    }
}

#[test]
fn a_wrong_command_shows_the_usage() {
    tests::empty().run(async |db| {
        let nowhere = tempfile::tempdir()?;
        outcome(&backend(db, "migrat", &nowhere)).expect(
            2,
            &["no verb `migrat`", "usage: backend VERB", "apply the embedded migrations and seeds"],
        );
        let program = || cmd!(built("backend"), "check").dir(nowhere.path()).unchecked();
        outcome(&program().env_remove("DATABASE_URL")).expect(1, &["DATABASE_URL is not set"]);
        outcome(&program().env("DATABASE_URL", "app")).expect(1, &["not a connection string"]);
        Ok(())
    });
}

/// A database with every migration of the first app. The next migration needs its table `users`.
fn after_users() -> Setup {
    let project = product::project();
    tests::at(&project.migrations_of("users").last().unwrap().id.to_string())
}

#[test]
fn a_signal_rolls_back_the_current_migration_of_a_deploy() {
    after_users().run(async |db| {
        let (nowhere, before) = (tempfile::tempdir()?, snapshot(db).await);
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            // The next migration refers to this table, so it waits.
            let mut holder = db.pool().begin().await?;
            holder.execute("lock table users").await?;
            let migrate = backend(db, "migrate", &nowhere);
            let output = signalled_during(db, &migrate, "create table organizations", signal).await?;
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(130), "{said}");
            assert!(said.starts_with("interrupted: the open transaction was rolled back"), "{said}");
            holder.rollback().await?;
        }
        assert_eq!(before, snapshot(db).await);
        outcome(&backend(db, "migrate", &nowhere)).expect(0, &["applied organizations/0001_initial"]);
        Ok(())
    });
}

#[test]
fn a_deploy_under_nohup_survives_the_loss_of_its_terminal() {
    after_users().run(async |db| {
        let nowhere = tempfile::tempdir()?;
        let mut holder = db.pool().begin().await?;
        holder.execute("lock table users").await?;
        let program =
            cmd!("nohup", built("backend"), "migrate").env("DATABASE_URL", db.url()).dir(nowhere.path());
        let running = program.stdin_null().stdout_capture().stderr_capture().unchecked().start()?;
        wait_for_session(db, "create table organizations").await;
        send(&running, Signal::HUP);
        holder.rollback().await?;
        let output = running.wait()?;
        assert!(output.status.success(), "{output:?}");
        Ok(())
    });
}

#[test]
fn ctrl_c_ends_a_command_that_waits_for_a_password() {
    for verb in ["createsuperuser", "changepassword"] {
        tests::with_database(async |db| {
            let nowhere = tempfile::tempdir()?;
            let (input, _kept_open) = std::io::pipe()?;
            let command = cmd!(built("backend"), verb, "--noinput").env("SUPERUSER_EMAIL", "ada@example.org");
            let command = command.env("DATABASE_URL", db.url()).dir(nowhere.path()).stdin_file(input);
            let output = signalled_during(db, &command, "from roles", Signal::INT).await?;
            assert_eq!(output.status.code(), Some(130));
            Ok(())
        });
    }
}

#[test]
fn the_program_shows_its_help_without_a_database() {
    let run = |args: &[&str]| outcome(&cmd(built("backend"), args).env_remove("DATABASE_URL").unchecked());
    let verbs = ["migrate", "check", "createsuperuser", "changepassword"];
    run(&["--help"]).expect(0, &verbs);
    run(&["--version"]).expect(0, &[&format!("backend {}", env!("CARGO_PKG_VERSION"))]);
    for verb in verbs {
        run(&[verb, "--help"]).expect(0, &[&format!("usage: backend {verb}"), "Exit codes: 0 done, 1 error"]);
    }
    for wrong in [&[] as &[&str], &["--verbose"], &["check", "twice"], &["createsuperuser", "--email"]] {
        let printed = run(wrong);
        assert_eq!((printed.code, printed.stdout.as_str()), (2, ""), "{printed:?}");
    }
}

#[test]
fn the_embedded_files_equal_the_folder() {
    let inside = ::backend::migrations().unwrap();
    let folder = product::project();
    let sums = |project: &migrations::Project| {
        project
            .migrations
            .iter()
            .map(|m| (m.id.clone(), m.checksum().to_vec(), format!("{:?}", m.down)))
            .collect::<Vec<_>>()
    };
    assert_eq!(sums(&inside), sums(&folder));
    assert_eq!(inside.apps, folder.apps);
    assert_eq!(inside.seeds.len(), folder.seeds.len());
}

#[test]
fn an_existing_table_is_reported_with_a_command_of_the_program_that_ran() {
    tests::empty().run(async |db| {
        db.pool().execute("create table organizations (id int)").await?;
        let (nowhere, checkout) = (tempfile::tempdir()?, Checkout::of_product());
        let common = ["\"organizations\" already exists", "record it as applied; otherwise fix the file"];
        let deploy = outcome(&backend(db, "migrate", &nowhere));
        deploy.expect(1, &common).expect(1, &["run it again: backend migrate"]);
        assert!(!deploy.stderr.contains("cargo"), "an image has no cargo: {deploy:?}");
        checkout.xtask(db, &["migrate"]).expect(1, &common).expect(1, &["record it: cargo xtask adopt"]);
        Ok(())
    });
}

#[test]
fn a_deploy_refuses_a_frozen_database() {
    tests::with_database(async |db| {
        let nowhere = tempfile::tempdir()?;
        let freeze = format!("alter database {} set default_transaction_read_only = on", db.name());
        db.pool().execute(sqlx::AssertSqlSafe(freeze)).await?;
        for verb in [&["migrate"] as &[&str], &["createsuperuser", "--noinput"]] {
            let program = cmd(built("backend"), verb).env("DATABASE_URL", db.url()).dir(nowhere.path());
            let program =
                program.env("SUPERUSER_EMAIL", "a@x.org").env("SUPERUSER_PASSWORD", "a long enough phrase");
            outcome(&program.stdin_null().unchecked())
                .expect(4, &["refused: database ", "is read-only", "nothing was touched", "alter database "]);
        }
        Ok(())
    });
}
