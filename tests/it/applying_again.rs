//! `migrate APP NAME --again`: an edited migration is reverted and applied again on a development database, or nothing happens.

use sqlx::{ConnectOptions, Connection, Executor, query_scalar};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    snapshot::{shape, snapshot},
};

const COMMIT: &str =
    "git add --all && git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message more";
const AGAIN: &[&str] = &["migrate", "loans", "0002", "--again"];

/// A checkout on a branch with one more migration, applied and seeded.
fn begun(db: &TestDatabase) -> Checkout {
    let checkout = Checkout::new();
    let git =
        format!("git init --quiet --initial-branch main && {COMMIT} && git switch --quiet --create feature");
    checkout.paste(db, &git).expect(0, &[]);
    checkout.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"extra\", \"loans\"]");
    checkout.migration("loans/0002_extra", "create table extra (id int);", "drop table extra;");
    checkout.xtask(db, &["migrate"]).expect(0, &[]);
    checkout.xtask(db, &["seed"]).expect(0, &[]);
    checkout
}

fn edit(checkout: &Checkout) {
    checkout.replace("loans/0002_extra.up.sql", "(id int)", "(id int, note text)");
}

#[test]
fn an_edited_migration_is_applied_again_by_the_command_of_the_message_and_other_rows_stay() {
    tests::empty().run(async |db| {
        let checkout = begun(db);
        db.pool().execute("insert into branches (name, slug) values ('One', 'one')").await?;
        edit(&checkout);
        let refused = checkout.xtask(db, &["migrate"]);
        let again = refused.expect(1, &["edited", "git checkout -- "]).advice("apply it again:");
        let before = snapshot(db).await;
        checkout.paste(db, &again).expect(0, &["loans/0002_extra", "reverted", "applied again"]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["exactly as the files say"]);
        let rows = |all: Vec<String>| -> Vec<String> {
            all.into_iter().filter(|line| line.starts_with("public.") && !line.contains("extra")).collect()
        };
        assert_eq!(rows(snapshot(db).await), rows(before));
        Ok(())
    });
}

#[test]
fn rows_that_would_go_are_named_and_go_only_if_confirmed() {
    for (up, down, rows, said) in [
        (
            "create table extra (id int);",
            "drop table extra;",
            "insert into extra values (1), (2)",
            "extra (2 rows)",
        ),
        (
            "create table extra (id int); alter table branches add note text;",
            "drop table extra; alter table branches drop column if exists note;",
            "insert into branches (name, slug, note) values ('One', 'one', 'kept')",
            "branches.note (1 value)",
        ),
        (
            "create table extra (id int);",
            "drop table extra; delete from branches;",
            "insert into branches (name, slug) values ('One', 'one')",
            "branches (1 row)",
        ),
    ] {
        tests::empty().run(async |db| {
            let checkout = begun(db);
            checkout.migration("loans/0002_extra", up, down);
            checkout.xtask(db, AGAIN).expect(0, &[]);
            db.pool().execute(rows).await?;
            edit(&checkout);
            let before = snapshot(db).await;
            let refused = checkout.xtask(db, AGAIN);
            refused.expect(
                4,
                &[&format!("loans/0002_extra would take rows with it: {said}"), "nothing was touched"],
            );
            assert_eq!(snapshot(db).await, before);
            checkout.xtask(db, &[AGAIN, &["--confirm", "other"]].concat()).expect(4, &["another database"]);
            checkout.paste(db, &refused.advice("if you mean it:")).expect(0, &["applied again"]);
            checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
            Ok(())
        });
    }
}

#[test]
fn what_does_not_become_what_the_files_make_is_undone() {
    for (up, down, said) in [
        (
            "create table if not exists extra (id int, note text);",
            "select 1;",
            "missing     column public.extra.note",
        ),
        ("create table extra (id int, note txt);", "drop table extra;", "type \"txt\" does not exist"),
        (
            "create table extra (id int, note text);",
            "drop table extras;",
            "the way back of loans/0002_extra failed",
        ),
    ] {
        tests::empty().run(async |db| {
            let checkout = begun(db);
            checkout.migration("loans/0002_extra", up, down);
            let before = snapshot(db).await;
            // The second fails before, where its files are run on a throwaway database.
            checkout.xtask(db, AGAIN).expect(1, &[said]);
            assert_eq!(snapshot(db).await, before);
            Ok(())
        });
    }
}

#[test]
fn a_migration_that_others_may_have_or_that_cannot_go_alone_is_refused() {
    #[track_caller]
    fn check(spoil: impl AsyncFn(&Checkout, &TestDatabase), code: i32, said: &[&str]) {
        tests::empty().run(async |db| {
            let checkout = begun(db);
            edit(&checkout);
            spoil(&checkout, db).await;
            let before = shape(db).await;
            checkout.xtask(db, AGAIN).expect(code, said);
            assert_eq!(shape(db).await, before);
            Ok(())
        });
    }
    check(
        async |it, db| {
            it.paste(db, &format!("{COMMIT} && git switch --quiet main && git merge --quiet feature"))
                .expect(0, &[]);
        },
        4,
        &["migrations/loans/0002_extra.up.sql is on main", "write the change as a new migration"],
    );
    check(
        async |_, db| {
            let mark =
                format!("comment on database {} is 'environment=production created=2026-03-02'", db.name());
            db.pool().execute(sqlx::AssertSqlSafe(mark)).await.unwrap();
        },
        4,
        &["is marked `production`", "nothing was touched"],
    );
    check(
        async |it, db| {
            it.replace("loans/0002_extra.up.sql", "(id int, note text)", "(id int)");
            it.migration("loans/0003_index", "create index on extra (id);", "drop index extra_id_idx;");
            it.xtask(db, &["migrate"]).expect(0, &[]);
            edit(it);
            let refused = it.xtask(db, &["migrate"]);
            assert!(!refused.expect(1, &["edited"]).stderr.contains("--again"), "{refused:?}");
        },
        4,
        &["loans/0003_index is applied, and depends on loans/0002_extra"],
    );
    check(
        async |it, _| it.write("loans/0002_extra.down.sql", "-- irreversible: a test\n"),
        4,
        &["loans/0002_extra has no way back"],
    );
    check(
        async |it, _| it.write("loans/0002_extra.down.sql", "-- no-transaction\ndrop table extra;\n"),
        4,
        &["loans/0002_extra runs without a transaction"],
    );
    check(
        async |_, db| {
            db.pool().execute("delete from migrations.loans where version = 2").await.unwrap();
        },
        4,
        &["loans/0002_extra is not applied yet", "cargo xtask migrate loans 0002_extra"],
    );
    check(
        async |_, db| {
            db.pool().execute("delete from migrations.people").await.unwrap();
        },
        1,
        &["the ledger and the files disagree", "people/0001_initial"],
    );
}

#[test]
fn a_dump_from_before_an_edit_is_loaded_as_far_as_it_fits() {
    tests::empty().run(async |db| {
        let checkout = begun(db);
        let up = "create table extra (id int, old text, kind int); create table more (id int);";
        checkout.migration("loans/0002_extra", up, "drop table if exists extra, more;");
        checkout.replace("apps.toml", "[\"extra\", ", "[\"extra\", \"more\", ");
        checkout.xtask(db, AGAIN).expect(0, &[]);
        db.pool()
            .execute("insert into extra values (1, 'a', 7), (2, 'b', null); insert into more values (3)")
            .await?;
        let folder = checkout.root().join("kept").display().to_string();
        let edited = "create table extra (note text default 'new', kind text, id bigint);";
        checkout.migration("loans/0002_extra", edited, "drop table extra;");
        checkout.xtask(db, &["dumpdata", "--output", &folder]).expect(0, &[]);
        checkout.replace("apps.toml", "[\"extra\", \"more\", ", "[\"extra\", ");
        let url = db.url();
        db.pool().close().await;
        outcome(&checkout.command(&url, &["db-reset", "--force"])).expect(0, &[]);
        let refused = outcome(&checkout.command(&url, &["loaddata", &folder, "--replace"]));
        refused.expect(
            3,
            &[
                "loans/0002_extra here is not the file that the dump was made with",
                "table more does not exist here",
                "extra.old text is in the dump but not here",
                "extra.note text is here but not in the dump",
                "nothing was loaded",
            ],
        );
        let load = refused.advice("or load the tables and columns that are here:");
        checkout
            .paste(db, &load)
            .expect(0, &["extra.old text is in the dump but not here", "every constraint checked"]);
        let rows = "select string_agg(e::text, ' ' order by id) || (select count(*) from roles) from extra e";
        let mut conn = db.options().connect().await?;
        let found: String = query_scalar(rows).fetch_one(&mut conn).await?;
        assert_eq!(found, "(new,7,1) (new,,2)3");
        conn.close().await?;
        Ok(())
    });
}
