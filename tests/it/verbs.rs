//! The verbs about migrations: what they print, what they do, and that the read-only verbs write nothing.

mod migrate;

use std::fs;

use migrations::{Access, Session, Settings};
use sqlx::Executor;

use crate::{
    checkout::{Checkout, outcome},
    fixture,
    snapshot::snapshot,
};

#[test]
fn read_only_verbs_write_nothing_not_even_a_ledger() {
    let read_only: &[&[&str]] = &[
        &["db-check"],
        &["showmigrations"],
        &["showmigrations", "--plan", "--format", "json"],
        &["migrate", "--plan"],
        &["migrate", "library", "--plan"],
        &["migrate", "--check"],
        &["sqlmigrate", "people", "0001"],
        &["inspect"],
        &["inspect", "--all"],
        &["inspect", "people/", "--format", "json"],
        &["db-url"],
        &["graph"],
        &["graph", "--check"],
        &["erd"],
        &["erd", "--check"],
        &["server", "status"],
        &["server", "url"],
    ];
    for whole in [false, true] {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            if whole {
                checkout.xtask(db, &["db-setup"]).expect(0, &[]);
            }
            for verb in ["graph", "erd"] {
                checkout.xtask(db, &[verb, "--write"]).expect(0, &[]);
            }
            let before = snapshot(db).await;
            for args in read_only {
                let checks = matches!(args, ["db-check"] | ["migrate", "--check"]);
                checkout.xtask(db, args).expect(if checks && !whole { 3 } else { 0 }, &[]);
            }
            assert_eq!(before, snapshot(db).await);
            Ok(())
        });
    }
}

#[test]
fn postgres_refuses_writes_in_a_read_only_session() {
    tests::empty().run(async |db| {
        let settings = Settings::default().access(Access::ReadOnly);
        let mut session = Session::connect(&db.options(), settings).await?;
        let refused = session.connection().execute("create table t (id int)").await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "25006");
        Ok(())
    });
}

#[test]
fn db_setup_twice_keeps_everything() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let order = [
            "people/0001_initial",
            "library/0001_initial",
            "library/0002_add_manager",
            "library/0003_index_staff",
            "loans/0001_initial",
        ];
        let first = checkout.xtask(db, &["db-setup"]);
        first.expect(0, &order).expect(
            0,
            &[
                "permissions +6, roles +3, roles_permissions +10",
                "9 tables, 19 seeded rows, exactly as the files say",
            ],
        );
        let positions: Vec<_> = order.iter().map(|id| first.stdout.find(id).unwrap()).collect();
        assert!(positions.is_sorted(), "{}", first.stdout);
        let before = snapshot(db).await;
        checkout.xtask(db, &["db-setup"]).expect(0, &["kept", "5 migrations", "0 pending", "0 changes"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn db_setup_reports_in_json_too() {
    tests::empty().run(async |db| {
        let output = Checkout::new().xtask(db, &["db-setup", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&output.expect(0, &[]).stdout)?;
        let steps: Vec<_> =
            json["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
        assert_eq!(
            steps,
            ["server", "database", "migrate", "migrate", "migrate", "migrate", "migrate", "seed", "check"]
        );
        assert!(json["url"].as_str().unwrap().contains(":…@"));
        Ok(())
    });
}

#[test]
fn db_setup_creates_the_database_and_marks_it() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let name = format!("{}_own", db.name());
        let url = db.url().replace(db.name(), &name);
        outcome(&checkout.command(&url, &["db-check"]))
            .expect(1, &["does not exist", "make it: cargo xtask db-setup"]);
        outcome(&checkout.command(&url, &["db-setup"])).expect(0, &["created"]);
        let comment = "select shobj_description(oid, 'pg_database') from pg_database where datname = $1";
        let comment: String = sqlx::query_scalar(comment).bind(&name).fetch_one(db.pool()).await?;
        assert!(comment.starts_with("environment=development created=20"), "{comment}");
        outcome(&checkout.command(&url, &["db-reset"])).expect(0, &["dropped", "created", "roles +3"]);
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &["dropped"]);
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &["absent"]);
        Ok(())
    });
}

#[test]
fn showmigrations_prints_a_tree_for_each_app() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate", "library", "0001"]).expect(0, &[]);
        let tree = checkout.xtask(db, &["showmigrations"]);
        let expected = "people\n [X] 0001_initial\nlibrary\n [X] 0001_initial\n [ ] 0002_add_manager\n [ ] 0003_index_staff\nloans\n [ ] 0001_initial\n";
        assert_eq!(tree.expect(0, &[]).stdout, expected);
        let one = checkout.xtask(db, &["showmigrations", "loans"]);
        assert_eq!(one.expect(0, &[]).stdout, "loans\n [ ] 0001_initial\n");
        let plan = checkout.xtask(db, &["showmigrations", "--plan"]);
        let expected = "[X] people/0001_initial\n[X] library/0001_initial  after people/0001_initial\n\
                        [ ] library/0002_add_manager\n[ ] library/0003_index_staff\n[ ] loans/0001_initial  after people/0001_initial\n";
        assert_eq!(plan.expect(0, &[]).stdout, expected);
        let needed = checkout.xtask(db, &["showmigrations", "--plan", "loans"]);
        let expected = "[X] people/0001_initial\n[ ] loans/0001_initial  after people/0001_initial\n";
        assert_eq!(needed.expect(0, &[]).stdout, expected);
        let json = checkout.xtask(db, &["showmigrations", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout)?;
        assert_eq!(json["migrations"][1]["name"], "0001_initial");
        assert!(json["migrations"][1]["applied"].as_str().unwrap().starts_with("20"));
        assert!(json["migrations"][2]["applied"].is_null());
        Ok(())
    });
}

#[test]
fn the_errors_for_wrong_names_list_the_right_ones() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for verb in ["migrate", "showmigrations"] {
            checkout
                .xtask(db, &[verb, "poeple"])
                .expect(1, &["no app `poeple`; did you mean `people`?", "apps: people, library, loans"]);
        }
        for verb in ["migrate", "sqlmigrate"] {
            checkout
                .xtask(db, &[verb, "people", "0009"])
                .expect(1, &["app `people` has no migration `0009`", "its migrations: 0001_initial"]);
            let several = checkout.xtask(db, &[verb, "library", "000"]);
            several.expect(
                1,
                &[
                    "more than one migration `000`",
                    "one of them: 0001_initial, 0002_add_manager, 0003_index_staff",
                ],
            );
            let without_number = checkout.xtask(db, &[verb, "library", "add_mana"]);
            without_number.expect(1, &["no migration `add_mana`; did you mean `0002_add_manager`?"]);
        }
        for number in 4..11 {
            checkout.migration(&format!("library/{number:04}_more"), "select 1;", "select 1;");
        }
        let several = checkout.xtask(db, &["migrate", "library", "000"]);
        assert!(!several.expect(1, &["0009_more"]).stderr.contains("0010_more"), "{several:?}");
        checkout.xtask(db, &["migrate", "pepole"]).expect(1, &["did you mean `people`?"]);
        for wrong in [
            &["migrat"] as &[&str],
            &["migrate", "--lock-timeout", "soon"],
            &["sqlmigrate"],
            &["migrate", "--fake"],
            &["migrate", "people", "0001", "--fake-initial"],
            &[],
            &["db-setup", "--environment", "Prod uction"],
        ] {
            checkout.xtask(db, wrong).expect(2, &[]);
        }
        checkout.xtask(db, &["migrat"]).expect(2, &["'migrate'"]);
        checkout.xtask(db, &["migrate", "--fake"]).expect(2, &["cargo xtask adopt"]);
        Ok(())
    });
}

#[test]
fn sqlmigrate_prints_the_unchanged_file_and_needs_no_server() {
    let checkout = Checkout::new();
    let url = "postgres://nobody@127.0.0.1:1/none";
    for (args, file) in [
        (&["sqlmigrate", "people", "0001"] as &[&str], "people/0001_initial.up.sql"),
        (&["sqlmigrate", "library", "0002_add_manager", "--backwards"], "library/0002_add_manager.down.sql"),
    ] {
        let printed = outcome(&checkout.command(url, args));
        let expected = fs::read_to_string(fixture::folder().join(file)).unwrap();
        assert_eq!(printed.expect(0, &[]).stdout, expected);
    }
}

/// Only Linux has a device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error_after_the_work_is_done() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for args in [&["db-setup"] as &[&str], &["showmigrations", "--format", "json"]] {
            let command = checkout.command(&db.url(), args).stdout_path("/dev/full");
            outcome(&command).expect(1, &["error: cannot write to standard output: "]);
        }
        checkout.xtask(db, &["db-setup"]).expect(0, &["0 pending", "0 changes"]);
        Ok(())
    });
}
