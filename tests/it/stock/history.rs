//! A history stays what it is: up to an app's baseline everything is applied and contracted, and nothing is judged.

use migrations::Project;
use sqlx::migrate::Migrator;

use super::{one_app, stock};
use crate::snapshot::{shape, snapshot};

/// What no rule would let pass.
const HISTORY: [(&str, &str); 9] = [
    ("0001_Users.up.sql", "create table users (id int);"),
    ("0001_Users.down.sql", "drop table nothing;"),
    ("0002_renamed.down.sql", "drop table users;"),
    ("0003_only comments.sql", "-- Nothing yet.\n"),
    ("0004_begin.up.sql", "begin; create table posts (id int); commit;"),
    ("0004_begin.down.sql", "-- Nothing yet.\n"),
    ("5_lines.up.sql", "-- depends on: who knows\n-- no-transaction \ninsert into users values (1);"),
    ("0006_two.sql", "-- no-transaction: both\ninsert into users values (2); insert into users values (3);"),
    ("0006_two.down.sql", "commit;"),
];
const BASELINE: &str = "baseline = \"0006_two\"";

#[test]
fn a_history_is_applied_and_contracted_and_not_judged() {
    tests::empty().run(async |db| {
        let checkout = stock(
            &format!("ledger = \"public._sqlx_migrations\"\n{BASELINE}"),
            &["posts", "users"],
            &HISTORY,
        );
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0003_only comments", "a/0006_two", "applied"]);
        let users: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(db.pool()).await?;
        assert_eq!(users, 3);
        checkout.xtask(db, &["verify"]).expect(
            0,
            &[
                "5 migrations",
                "2 tables, exactly as apps.toml says",
                "2 migrations have no way back",
                "all of it holds",
            ],
        );
        checkout.xtask(db, &["db-check"]).expect(0, &["5 migrations applied, 2 tables"]);
        checkout.replace("apps.toml", "\"posts\", ", "");
        checkout.xtask(db, &["verify"]).expect(3, &["unexpected  table posts"]);
        Ok(())
    });
}

#[test]
fn sqlx_applies_the_same_history_to_the_same_schema() {
    let mut ours = Vec::new();
    let checkout = stock(&format!("ledger = \"public._sqlx_migrations\"\n{BASELINE}"), &[], &HISTORY);
    tests::empty().run(async |db| {
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        ours = shape(db).await;
        Ok(())
    });
    tests::empty().run(async |db| {
        Migrator::new(checkout.path("a")).await?.run(db.pool()).await?;
        assert_eq!(shape(db).await, ours);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn what_comes_after_a_baseline_is_held_to_everything() {
    let later: [(&str, &str, &str); 4] = [
        ("0008_more.up.sql", "select 1;", "follows 0006, so its number should be 0007"),
        ("0007_More.up.sql", "select 1;", "rename it to 0007_more.up.sql"),
        ("0007_more.up.sql", "commit;", "`commit` would end the transaction"),
        ("0007_more.sql", "select 1;", "has no 0007_more.down.sql beside it"),
    ];
    for (name, text, said) in later {
        let checkout = one_app(BASELINE, &HISTORY);
        checkout.write(&format!("a/{name}"), text);
        let error = Project::load(&checkout.path("")).unwrap_err().to_string();
        assert!(error.contains(&format!("migrations/a/{name}")) && error.contains(said), "{error}");
    }
    tests::empty().run(async |db| {
        let checkout = one_app(BASELINE, &HISTORY);
        checkout.replace("apps.toml", "tables = []", "tables = [\"posts\", \"users\"]");
        checkout.migration("a/0007_more", "alter table users add column n int;", "select 1;");
        let wrong = "the down of a/0007_more does not give back what was before its up";
        checkout.xtask(db, &["verify"]).expect(3, &[wrong]);
        checkout.migration(
            "a/0007_more",
            "alter table users add column n int;",
            "alter table users drop column n;",
        );
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0007_more", "applied"]);
        checkout.xtask(db, &["migrate", "a", "0006"]).expect(0, &["a/0007_more", "reverted"]);
        Ok(())
    });
}

#[test]
fn a_baseline_that_names_no_migration_is_refused_with_the_nearest_name() {
    let checkout = one_app("baseline = \"0006_tow\"", &HISTORY);
    let error = Project::load(&checkout.path("")).unwrap_err().to_string();
    assert!(error.contains("no migration here is named `0006_tow`, as the app's `baseline`"), "{error}");
    assert!(error.contains("did you mean `0006_two`?"), "{error}");
}

#[test]
fn a_history_that_needs_what_comes_after_a_baseline_is_refused() {
    let checkout = one_app("baseline = \"1_x\"", &[("1_x.sql", "-- depends-on: b/1_x\nselect 1;")]);
    let more = "[[app]]\nname = \"b\"\ndepends-on = []\ntables = []\nreversible = false\nledger = \"migrations.b\"\n";
    checkout.replace("apps.toml", "depends-on = []", "depends-on = [\"b\"]");
    checkout.replace("apps.toml", "[[app]]\nname = \"a\"", &format!("{more}[[app]]\nname = \"a\""));
    checkout.write("b/1_x.sql", "select 1;");
    let error = Project::load(&checkout.path("")).unwrap_err().to_string();
    assert!(
        error.contains("needs b/1_x, which is after the baseline of `b`; write `baseline = \"1_x\"`"),
        "{error}"
    );
}

#[test]
fn an_app_without_ways_back_is_never_reverted_and_its_migrations_are_counted() {
    tests::empty().run(async |db| {
        let files = [("1_x.sql", "create table t (id int);"), ("2_y.sql", "alter table t add column n int;")];
        let checkout = one_app("reversible = false", &files);
        checkout.replace("apps.toml", "tables = []", "tables = [\"t\"]");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/2_y", "applied"]);
        let before = snapshot(db).await;
        let said = ["no way back", "`reversible = false`"];
        checkout.xtask(db, &["migrate", "a", "1"]).expect(1, &said);
        checkout.xtask(db, &["migrate", "a", "zero"]).expect(1, &said);
        assert_eq!(before, snapshot(db).await);
        let said = "2 migrations have no way back: 2 of `a` (its app has `reversible = false`)";
        let verified = checkout.xtask(db, &["verify"]);
        verified.expect(0, &[said, "all of it holds"]);
        assert!(!verified.stdout.contains("down"), "nothing was reverted: {}", verified.stdout);
        Ok(())
    });
}

#[test]
fn a_late_migration_is_applied_where_its_app_allows_it_and_named() {
    tests::empty().run(async |db| {
        let files = [("1_x.sql", "create table t (id int);"), ("3_z.sql", "alter table t add column z int;")];
        let checkout = one_app("reversible = false\nlate = \"apply\"", &files);
        checkout.replace("apps.toml", "tables = []", "tables = [\"t\"]");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.write("a/2_y.sql", "alter table t add column y int;");
        checkout.replace("apps.toml", "late = \"apply\"", "late = \"refuse\"");
        checkout.xtask(db, &["migrate"]).expect(1, &["a/2_y is not applied, and a/3_z is"]);
        checkout.replace("apps.toml", "late = \"refuse\"", "late = \"apply\"");
        checkout.xtask(db, &["migrate", "--check"]).expect(3, &["a/2_y"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/2_y is late: a/3_z is applied", "a/2_y", "applied"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["3 migrations applied"]);
        Ok(())
    });
}

#[test]
fn messages_of_one_cause_are_grouped() {
    let files: Vec<String> = (1..=40).map(|number| format!("{number}_x.sql")).collect();
    let checkout = one_app("", &files.iter().map(|name| (name.as_str(), "select 1;")).collect::<Vec<_>>());
    let error = Project::load(&checkout.path("")).unwrap_err().to_string();
    assert!(error.starts_with("40 problems") && error.contains("… and 37 more like this"), "{error}");
    assert_eq!(error.lines().count(), 5, "{error}");

    tests::empty().run(async |db| {
        let checkout = one_app("reversible = false", &[("1_x.sql", "create table t (id int);")]);
        let more = "[[app]]\nname = \"b\"\ndepends-on = []\ntables = [\"t\"]\nreversible = false\nledger = \"migrations.b\"\n";
        checkout.replace("apps.toml", "[[app]]\nname = \"a\"", &format!("{more}[[app]]\nname = \"a\""));
        checkout.write("b/1_x.sql", "select 1;");
        for number in 2..=9 {
            let columns = (0..9).map(|at| format!("alter table t add column c{number}_{at} int;"));
            checkout.write(&format!("a/{number}_x.sql"), &columns.collect::<String>());
        }
        let verified = checkout.xtask(db, &["verify"]);
        verified.expect(3, &["a/1_x and 8 more migrations touch table t of app `b`", "… and"]);
        assert_eq!(verified.stdout.matches("touch table").count(), 1, "{}", verified.stdout);
        checkout.xtask(db, &["migrate"]).expect(0, &["a/9_x"]);
        let refused = checkout.xtask(db, &["migrate", "a", "zero"]);
        refused.expect(1, &["a/9_x, a/8_x, a/7_x and 6 more have no way back"]);
        assert_eq!(refused.stderr.matches("`reversible = false`").count(), 3, "{}", refused.stderr);
        Ok(())
    });
}
