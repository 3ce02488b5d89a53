//! Whatever name of a file sqlx accepts, we accept, and read as sqlx does. New files follow those that there are.

use migrations::Project;
use sqlx::migrate::{Migration, Migrator};

use super::{migrator, names, one_app, versions};
use crate::{
    checkout::Checkout,
    snapshot::{shape, snapshot},
};

const PLAIN: &str = "reversible = false";

/// What sqlx reads in the folder of the app: version, description and checksum of each up; `None` if it fails.
async fn sqlx_reads(checkout: &Checkout) -> Option<Vec<(i64, String, Vec<u8>)>> {
    let all = Migrator::new(checkout.path("a")).await.ok()?;
    let ups = all.iter().filter(|it| it.migration_type.is_up_migration());
    let row = |it: &Migration| (it.version, it.description.to_string(), it.checksum.to_vec());
    Some(ups.map(row).collect())
}

fn we_read(checkout: &Checkout) -> Option<Vec<(i64, String, Vec<u8>)>> {
    let project = Project::load(&checkout.path("")).ok()?;
    let row = |it: &migrations::Migration| (it.number, it.description().to_owned(), it.checksum().to_vec());
    Some(project.migrations.iter().map(row).collect())
}

#[tokio::test]
async fn we_read_every_name_as_sqlx_reads_it() {
    for name in [
        "20230101120000_x.sql",
        "20230101120000_x.up.sql",
        "20230101_create-users.sql",
        "1_x.sql",
        "01_x.up.sql",
        "1_Add Users.sql",
        "7_x[old] (a).sql",
        "3_über.sql",
        "0_x.sql",
        "-1_x.sql",
        "+1_x.sql",
        "9223372036854775807_x.sql",
        "2_.sql",
        "0001_x.sql",
        "0002__X_.sql",
        "1_x.up.sql.up.sql",
        "1_x.sql.sql",
        "1_x.UP.sql",
        "1_up.sql",
        "1_x.y.sql",
        "2_x'$(y).sql",
    ] {
        let checkout = one_app(PLAIN, &[(name, "create table t (id int);")]);
        let read = sqlx_reads(&checkout).await;
        assert!(read.is_some(), "sqlx refuses {name}");
        assert_eq!(we_read(&checkout), read, "{name}");
    }
    for name in [
        "later_fix.sql",
        "0005.sql",
        "x.SQL",
        "0001_x.SQL",
        "0001_x.up.SQL",
        "0001-x.sql",
        "9223372036854775808_x.sql",
        " 1_x.sql",
        "_x.sql",
        "0001_x.sql.bak",
        "1_x.psql",
        ".1_x.sql",
    ] {
        let checkout = one_app(PLAIN, &[(name, "create table t (id int);")]);
        let read = sqlx_reads(&checkout).await.unwrap_or_default();
        assert_eq!((read, we_read(&checkout)), (Vec::new(), None), "{name}");
    }
}

#[test]
fn any_numbers_run_in_their_order_and_sqlx_agrees() {
    tests::empty().run(async |db| {
        let checkout = one_app(
            PLAIN,
            &[
                ("README.md", "How to."),
                ("0_start.sql", "create table one (id int);"),
                ("3_Add-Two.sql", "create table two (id int);"),
                ("10_x [y].sql", "alter table two add column ten int;"),
                ("20230101120000_x.up.sql", "drop table one;"),
                ("20230101120000_back.down.sql", "create table one (id int);"),
            ],
        );
        checkout.replace("apps.toml", "tables = []", "tables = [\"two\"]");
        let said = ["a/0_start", "a/3_Add-Two", "a/10_x [y]", "a/20230101120000_x", "applied"];
        checkout.xtask(db, &["migrate"]).expect(0, &said);
        assert_eq!(versions(db).await, [0, 3, 10, 20_230_101_120_000]);
        let before = snapshot(db).await;
        migrator(&checkout).await.run(db.pool()).await?;
        assert_eq!(before, snapshot(db).await);
        checkout.xtask(db, &["db-check"]).expect(0, &["4 migrations applied, 1 table"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        // sqlx, too, finds a way back by its number.
        migrator(&checkout).await.undo(db.pool(), 10).await?;
        checkout.xtask(db, &["migrate"]).expect(0, &["a/20230101120000_x", "applied"]);
        checkout.xtask(db, &["migrate", "a", "10"]).expect(0, &["a/20230101120000_x", "reverted"]);
        checkout.xtask(db, &["migrate", "a", "zero"]).expect(1, &["a/10_x [y]", "no way back"]);
        Ok(())
    });
}

#[test]
fn an_encoding_that_a_migration_sets_does_not_reach_its_name_in_the_ledger() {
    tests::empty().run(async |db| {
        let latin = "set client_encoding = latin1; set standard_conforming_strings = off;";
        let checkout = one_app(PLAIN, &[("1_größe's \\.up.sql", latin), ("1_größe's \\.down.sql", latin)]);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/1_größe's \\", "applied"]);
        let before = snapshot(db).await;
        migrator(&checkout).await.run(db.pool()).await?;
        assert_eq!(before, snapshot(db).await);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["migrate", "a", "zero"]).expect(0, &["reverted"]);
        Ok(())
    });
}

#[test]
fn we_find_nothing_to_do_after_sqlx() {
    let files = [
        ("20230101_users.sql", "create table users (id int);"),
        ("20230102_Posts-And-More.sql", "create table posts (id int);"),
    ];
    tests::empty().run(async |db| {
        let checkout = one_app(PLAIN, &files);
        checkout.replace("apps.toml", "tables = []", "tables = [\"posts\", \"users\"]");
        migrator(&checkout).await.run(db.pool()).await?;
        let before = shape(db).await;
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["2 migrations applied, 2 tables"]);
        assert_eq!(before, shape(db).await);
        Ok(())
    });
}

#[test]
fn a_name_that_sqlx_ignores_or_fails_on_is_an_error_with_the_name_that_works() {
    for (there, name, works) in [
        ("20230101120000_x.sql", "later_fix.sql", "20230101120001_later_fix.sql"),
        ("1_x.sql", "2.sql", "2_name.sql"),
        ("1_x.sql", "2_More.SQL", "2_more.sql"),
        ("9_x.sql", "more.up.SQL", "10_more.up.sql"),
        ("001_x.sql", "002-add users.down.sql", "002_add_users.down.sql"),
    ] {
        let checkout = one_app(PLAIN, &[(there, "select 1;"), (name, "select 1;")]);
        let error = Project::load(&checkout.path("")).unwrap_err().to_string();
        let said =
            format!("migrations/a/{name}: sqlx would ignore it or fail on it; rename it to {works}, or");
        assert!(error.contains(&said), "{error}");
    }
}

#[test]
fn a_lone_down_and_two_files_for_one_number_are_named() {
    for (files, said) in [
        (["1_x.sql", "2_y.down.sql"], "migrations/a/2_y.down.sql: has no 2_y.sql beside it"),
        (["1_x.sql", "01_y.sql"], "migrations/a/1_x.sql: number 1 is taken by migrations/a/01_y.sql"),
        (["1_x.sql", "1_x.up.sql"], "migrations/a/1_x.up.sql: number 1 is taken by migrations/a/1_x.sql"),
    ] {
        let checkout = one_app(PLAIN, &files.map(|name| (name, "select 1;")));
        let error = Project::load(&checkout.path("")).unwrap_err().to_string();
        assert!(error.contains(said) && error.starts_with("1 problem"), "{error}");
    }
    let files = ["1_x.up.sql", "1_x.down.sql", "1_y.down.sql"];
    let checkout = one_app("", &files.map(|name| (name, "select 1;")));
    let error = Project::load(&checkout.path("")).unwrap_err().to_string();
    assert!(error.contains("migrations/a/1_y.down.sql: number 1 is taken by migrations/a/1_x"), "{error}");
}

#[test]
fn a_missing_down_file_is_a_problem_only_if_the_app_has_ways_back() {
    let file = [("1_x.sql", "create table t (id int);")];
    let error = Project::load(&one_app("", &file).path("")).unwrap_err().to_string();
    assert!(error.contains("migrations/a/1_x.sql: has no 1_x.down.sql beside it"), "{error}");
    assert!(error.contains("`reversible = false`"), "{error}");
    assert!(Project::load(&one_app(PLAIN, &file).path("")).is_ok());
}

#[test]
fn new_files_are_named_like_those_that_there_are() {
    for (entry, there, ending) in [
        (PLAIN, &["20230101120000_x.sql"] as &[&str], ".sql"),
        ("", &["20230101120000_x.up.sql", "20230101120000_x.down.sql"], ".up.sql"),
        (PLAIN, &["20230101_x.sql"], ".sql"),
        (PLAIN, &["202301011200_x.sql"], ".sql"),
    ] {
        let checkout = one_app(entry, &there.iter().map(|name| (*name, "select 1;")).collect::<Vec<_>>());
        checkout.xtask_alone(&["makemigrations", "--empty", "a", "--name", "more"]).expect(0, &["created"]);
        let new: Vec<String> = names(&checkout).into_iter().filter(|name| name.contains("more")).collect();
        assert_eq!(new.len(), there.len(), "{new:?}");
        let (digits, _) = there[0].split_once('_').unwrap();
        let number = new[new.len() - 1].strip_suffix(&format!("_more{ending}")).unwrap();
        assert!(number.len() == digits.len() && number > "2026" && number < "2100", "{number}");
    }
    for (entry, there, new) in [
        (PLAIN, &["1_x.sql"] as &[&str], &["1_x.sql", "2_more.sql"] as &[&str]),
        (PLAIN, &["009_X.sql"], &["009_X.sql", "010_more.sql"]),
        (PLAIN, &["99999999_x.sql"], &["100000000_more.sql", "99999999_x.sql"]),
        (PLAIN, &[], &["0001_more.sql"]),
        ("", &[], &["0001_more.down.sql", "0001_more.up.sql"]),
        ("", &["1_x.down.sql", "1_x.sql"], &["1_x.down.sql", "1_x.sql", "2_more.down.sql", "2_more.sql"]),
    ] {
        let checkout = one_app(entry, &there.iter().map(|name| (*name, "select 1;")).collect::<Vec<_>>());
        checkout.xtask_alone(&["makemigrations", "--empty", "a", "--name", "more"]).expect(0, &["created"]);
        assert_eq!(names(&checkout), new);
        Project::load(&checkout.path("")).unwrap();
    }
}

#[test]
fn a_written_migration_is_named_like_those_that_there_are() {
    tests::empty().run(async |db| {
        let checkout = one_app(PLAIN, &[("9_x.sql", "create table t (id int);")]);
        checkout.replace("apps.toml", "tables = []", "tables = [\"t\"]");
        checkout.write("a/schema.sql", "create table t (id int, note text);");
        let created = ["created    migrations/a/10_add_t_note.sql"];
        checkout.xtask(db, &["makemigrations"]).expect(0, &created);
        assert_eq!(names(&checkout), ["10_add_t_note.sql", "9_x.sql", "schema.sql"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/10_add_t_note", "applied"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_number_that_two_branches_took_is_replaced_by_one_like_the_others() {
    const COMMIT: &str =
        "git add --all && git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message more";
    for (first, number, new) in [
        ("9_x.sql", "10", "11_mine.sql"),
        ("20230101120009_x.sql", "20230101120010", "20230101120011_mine.sql"),
    ] {
        tests::empty().run(async |db| {
            let checkout = one_app(PLAIN, &[(first, "create table t (id int);")]);
            checkout.replace("apps.toml", "tables = []", "tables = [\"t\"]");
            let write = |words: &str| {
                checkout.write(
                    &format!("a/{number}_{words}.sql"),
                    &format!("alter table t add column {words} int;"),
                );
                checkout.paste(db, COMMIT).expect(0, &[]);
            };
            checkout.paste(db, &format!("git init --quiet --initial-branch main && {COMMIT}")).expect(0, &[]);
            checkout.paste(db, "git switch --quiet --create feature").expect(0, &[]);
            write("mine");
            checkout.xtask(db, &["migrate"]).expect(0, &["_mine", "applied"]);
            checkout.paste(db, "git switch --quiet main").expect(0, &[]);
            write("theirs");
            checkout.paste(db, &format!("git merge --quiet --squash feature && {COMMIT}")).expect(0, &[]);
            checkout.xtask(db, &["migrate"]).expect(1, &["is taken by", "cargo xtask renumber"]);
            let theirs = format!("{number}_theirs");
            checkout.xtask(db, &["renumber", "--keep", &theirs]).expect(0, &["1 row follows"]);
            let mut all = [first, &format!("{theirs}.sql"), new];
            all.sort_unstable();
            assert_eq!(names(&checkout), all);
            checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
            checkout.xtask(db, &["db-check"]).expect(0, &["3 migrations applied, 1 table"]);
            Ok(())
        });
    }
}
