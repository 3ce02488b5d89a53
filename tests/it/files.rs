//! Commands reject files that break the rules before they touch anything, and show the problem, the place and the remedy.

mod manifest;

use tests::TestDatabase;

use crate::{checkout::Checkout, snapshot::snapshot};

/// Applies the whole project, spoils its files, and expects an error that changes nothing.
#[track_caller]
fn check(spoil: impl Fn(&Checkout), said: &[&str]) {
    tests::empty().run(async |db: &TestDatabase| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        spoil(&checkout);
        for verb in ["migrate", "db-setup", "db-check", "seed"] {
            checkout.xtask(db, &[verb]).expect(1, said).expect(1, &["error: "]);
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

const UP: &str = "create table t (id int);";
const DOWN: &str = "drop table t;";

#[test]
fn a_cycle_of_depends_on_lines_is_reported_with_every_edge() {
    check(
        |it| {
            it.migration("people/0002_link", &format!("-- depends-on: library/0004_tiers\n{UP}"), DOWN);
            it.migration(
                "library/0004_tiers",
                &format!("-- Why.\n-- depends-on: people/0002_link\n{UP}"),
                DOWN,
            );
        },
        &[
            "the migrations wait for each other in a circle; nothing was touched",
            "people/0002_link   waits for library/0004_tiers  (migrations/people/0002_link.up.sql:1)",
            "library/0004_tiers waits for people/0002_link    (migrations/library/0004_tiers.up.sql:2)",
            "cut it: apps.toml does not let people depend on library",
            "remove migrations/people/0002_link.up.sql:1",
        ],
    );
}

#[test]
fn a_cycle_through_the_numbers_of_an_app_names_the_numbers() {
    check(
        |it| {
            it.migration("people/0002_a", &format!("-- depends-on: people/0003_b\n{UP}"), DOWN);
            it.migration("people/0003_b", UP, DOWN);
        },
        &[
            "people/0003_b waits for people/0002_a  (migrations/people/0003_b.up.sql, by its number)",
            "cut it: remove one of",
        ],
    );
}

#[test]
fn an_unknown_migration_in_a_depends_on_line_is_reported_with_the_nearest_name() {
    check(
        |it| it.migration("loans/0002_x", &format!("-- depends-on: people/0001_inital\n{UP}"), DOWN),
        &[
            "migrations/loans/0002_x.up.sql:1: depends on people/0001_inital, which does not exist; did you mean people/0001_initial?",
        ],
    );
}

#[test]
fn a_dependency_that_the_manifest_does_not_allow_is_rejected() {
    check(
        |it| it.migration("people/0002_x", &format!("-- depends-on: loans/0001_initial\n{UP}"), DOWN),
        &[
            "migrations/people/0002_x.up.sql:1: people may not depend on loans/0001_initial",
            "`depends-on` of `people`",
        ],
    );
}

#[test]
fn a_duplicate_number_is_rejected() {
    check(
        |it| {
            it.migration("people/0002_a", UP, DOWN);
            it.migration("people/0002_b", UP, DOWN);
        },
        &["migrations/people/0002_b.up.sql: number 0002 is taken by migrations/people/0002_a.up.sql"],
    );
}

#[test]
fn a_gap_in_the_numbers_is_rejected() {
    check(
        |it| it.migration("people/0003_a", UP, DOWN),
        &["migrations/people/0003_a.up.sql: follows 0001, so its number should be 0002"],
    );
}

#[test]
fn half_a_pair_of_files_is_rejected() {
    check(
        |it| it.write("people/0002_a.up.sql", UP),
        &[
            "migrations/people/0002_a.up.sql: has no 0002_a.down.sql beside it",
            "all that it holds is a line `-- irreversible: why`",
            "1 problem",
        ],
    );
    check(
        |it| it.write("people/0002_a.down.sql", DOWN),
        &[
            "migrations/people/0002_a.down.sql: has no 0002_a.up.sql beside it; add that file, or remove this one",
        ],
    );
}

#[test]
fn a_plain_file_in_an_app_with_ways_back_lacks_a_down_file() {
    check(
        |it| it.write("people/0002_more.sql", UP),
        &["migrations/people/0002_more.sql: has no 0002_more.down.sql beside it"],
    );
}

#[test]
fn names_that_differ_from_the_others_of_a_numbered_folder_are_rejected() {
    for (name, works) in [
        ("0002_More.up.sql", "0002_more.up.sql"),
        ("0002_more.UP.sql", "0002_more.up.sql"),
        ("2_more.up.sql", "0002_more.up.sql"),
        ("00002_more.up.sql", "0002_more.up.sql"),
        ("20240301120000_more.up.sql", "0002_more.up.sql"),
        ("0002_add-more.up.sql", "0002_add_more.up.sql"),
        ("0002_more[1].down.sql", "0002_more_1.down.sql"),
    ] {
        check(
            |it| it.write(&format!("people/{name}"), UP),
            &[
                &format!("migrations/people/{name}: this folder numbers its files 0001, 0002, …"),
                &format!("rename it to {works}"),
                "`baseline` in apps.toml",
            ],
        );
    }
}

#[test]
fn file_names_that_sqlx_ignores_or_fails_on_are_rejected() {
    for (name, works) in [
        ("0002_more.up.SQL", "0002_more.up.sql"),
        ("0002.up.sql", "0002_name.up.sql"),
        ("0002-more.up.sql", "0002_more.up.sql"),
        ("0002_more.up.sql.bak", "0002_more.up.sql"),
        ("more.sql", "0002_more.up.sql"),
        ("Later_fix.sql", "0002_later_fix.up.sql"),
        (".0002_more.up.sql", "0002_more.up.sql"),
    ] {
        check(
            |it| it.write(&format!("people/{name}"), UP),
            &[&format!(
                "migrations/people/{name}: sqlx would ignore it or fail on it; rename it to {works}, or move it elsewhere"
            )],
        );
    }
    check(
        |it| it.write("people/later/0002_more.up.sql", UP),
        &["migrations/people/later/: sqlx would ignore it"],
    );
}

#[test]
fn text_that_is_not_plain_utf_8_is_rejected() {
    let one = "error: 1 problem in the migration files";
    check(|it| it.migration("people/0002_a", "\u{feff}select 1;", DOWN), &["byte-order mark", one]);
    check(
        |it| {
            it.migration("people/0002_a", "", DOWN);
            std::fs::write(it.path("people/0002_a.up.sql"), [0xff, 0xfe, 0x00]).unwrap();
        },
        &["migrations/people/0002_a.up.sql: ", "UTF-8", one],
    );
}

#[test]
fn a_commit_inside_a_migration_or_a_seed_is_rejected() {
    check(
        |it| {
            it.migration(
                "people/0002_a",
                "create table t (id int);\ncommit;\ncreate table u (id int);",
                DOWN,
            );
        },
        &["migrations/people/0002_a.up.sql:2: `commit` would end the transaction"],
    );
    check(
        |it| it.write("loans/seed.sql", "-- All or nothing?\nCommit;\n"),
        &["migrations/loans/seed.sql:2: `commit` would end the transaction"],
    );
}

#[test]
fn a_ledger_that_sqlx_could_not_name_or_that_another_app_has_is_rejected() {
    check(
        |it| it.remove("people/sqlx.toml"),
        &["migrations/people/sqlx.toml: missing", "table-name = \"migrations.people\""],
    );
    check(
        |it| it.replace("people/sqlx.toml", "migrations.people", "migrations.People"),
        &["migrations/people/sqlx.toml: `table-name` must be a plain name"],
    );
    check(
        |it| it.replace("apps.toml", "name = \"people\"", "name = \"people\"\nledger = \"people\""),
        &["`ledger` must be a schema and a table", "not `people`"],
    );
    check(
        |it| it.replace("apps.toml", "name = \"people\"", "name = \"people\"\nledger = \"public.people\""),
        &[
            "sqlx-cli would keep the ledger migrations.people, and `ledger` of `people` in apps.toml says public.people",
        ],
    );
    check(
        |it| it.replace("people/sqlx.toml", "migrations.people", "migrations.loans"),
        &["apps `people` and `loans` have one ledger, migrations.loans", "ledger = \"migrations.people\""],
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    check(
        |it| {
            it.write("people/notes.sql", "");
            it.migration("loans/0003_x", UP, DOWN);
        },
        &[
            "2 problems in the migration files",
            "migrations/people/notes.sql",
            "migrations/loans/0003_x.up.sql",
        ],
    );
}

#[test]
fn directives_in_the_wrong_place_are_rejected() {
    check(
        |it| it.migration("loans/0002_x", UP, &format!("-- depends-on: people/0001_initial\n{DOWN}")),
        &["migrations/loans/0002_x.down.sql:1: `-- depends-on:` belongs in the up file"],
    );
    check(
        |it| it.migration("loans/0002_x", &format!("-- Why.\n-- no-transaction\n{UP}"), DOWN),
        &["migrations/loans/0002_x.up.sql:2: `-- no-transaction` counts only as the very first line"],
    );
}

#[test]
fn a_way_back_beside_the_line_that_there_is_none_is_rejected() {
    let line = "-- Why.\n-- irreversible: the old names are gone\n";
    check(
        |it| it.migration("loans/0002_x", &format!("{line}{UP}"), &format!("-- Reverts.\n\n{DOWN}")),
        &[
            "migrations/loans/0002_x.up.sql:2: says that there is no way back",
            "but migrations/loans/0002_x.down.sql:3 has a statement that goes back; keep one of the two",
        ],
    );
    check(
        |it| it.migration("loans/0002_x", UP, &format!("{line}{DOWN}")),
        &["migrations/loans/0002_x.down.sql:2: says that", "but migrations/loans/0002_x.down.sql:3 has"],
    );
    check(
        |it| it.migration("loans/0002_x", UP, &format!("{DOWN}\n-- irreversible: the old names are gone")),
        &["migrations/loans/0002_x.down.sql:2: `-- irreversible:` must be above the first statement"],
    );
    check(
        |it| it.migration("loans/0002_x", UP, "-- irreversible"),
        &["migrations/loans/0002_x.down.sql:1: `-- irreversible` has no effect in that form"],
    );
}

#[test]
fn sqlx_settings_that_would_make_the_ledgers_differ_are_rejected() {
    check(
        |it| it.replace("people/sqlx.toml", "create-schemas = [\"migrations\"]", "create-schemas = []"),
        &["`create-schemas` must list `migrations`"],
    );
    check(
        |it| it.replace("people/sqlx.toml", "[migrate]", "[migrate]\nignored-chars = [\"\\r\"]"),
        &["`ignored-chars` changes every checksum"],
    );
}

#[test]
fn unreadable_files_are_reported_by_name() {
    check(
        |it| std::os::unix::fs::symlink("nowhere", it.path("people/notes.txt")).unwrap(),
        &["cannot read ", "people/notes.txt: No such file"],
    );
    // An editor's lock file: a hidden, dangling link.
    check(
        |it| std::os::unix::fs::symlink("nowhere", it.path("people/.#0002_x.up.sql")).unwrap(),
        &["migrations/people/.#0002_x.up.sql: sqlx would ignore it or fail on it"],
    );
    check(
        |it| it.migration("people/0002_x", "select 1;\0", DOWN),
        &["migrations/people/0002_x.up.sql: ", "zero byte"],
    );
}
