//! The verbs about migrations: what they say, what they do, and that those who read write nothing.

use std::fs;

use migrations::{Access, Session, Settings};
use sqlx::Executor;
use tests::workspace_root;

use crate::{
    checkout::{Checkout, outcome},
    snapshot::snapshot,
};

#[test]
fn verbs_that_read_write_nothing_not_even_a_ledger() {
    let reading: &[&[&str]] = &[
        &["db-check"],
        &["showmigrations"],
        &["showmigrations", "--plan", "--format", "json"],
        &["migrate", "--plan"],
        &["migrate", "organizations", "--plan"],
        &["migrate", "--check"],
        &["sqlmigrate", "users", "0001"],
        &["inspect"],
        &["inspect", "--all"],
        &["inspect", "users/", "--format", "json"],
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
            let before = snapshot(db).await;
            for args in reading {
                let tells = matches!(args, ["db-check"] | ["migrate", "--check"]);
                checkout.xtask(db, args).expect(if tells && !whole { 3 } else { 0 }, &[]);
            }
            assert_eq!(before, snapshot(db).await);
            Ok(())
        });
    }
}

#[test]
fn a_reading_session_is_held_to_it_by_postgres() {
    tests::empty().run(async |db| {
        let settings = Settings { access: Access::ReadOnly, ..Settings::default() };
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
            "users/0001_initial",
            "organizations/0001_initial",
            "organizations/0002_add_owner_field",
            "progress/0001_initial",
        ];
        let first = checkout.xtask(db, &["db-setup"]);
        first.expect(0, &order).expect(
            0,
            &["permissions +55, roles +7, roles_permissions +112", "22 tables, exactly as apps.toml says"],
        );
        let positions: Vec<_> = order.iter().map(|id| first.stdout.find(id).unwrap()).collect();
        assert!(positions.is_sorted(), "{}", first.stdout);
        let before = snapshot(db).await;
        checkout.xtask(db, &["db-setup"]).expect(0, &["kept", "4 migrations", "0 pending", "0 changes"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn db_setup_reports_to_programs_too() {
    tests::empty().run(async |db| {
        let told = Checkout::new().xtask(db, &["db-setup", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&told.expect(0, &[]).stdout)?;
        let steps: Vec<_> =
            json["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
        assert_eq!(
            steps,
            ["server", "database", "migrate", "migrate", "migrate", "migrate", "seed", "check"]
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
        outcome(&checkout.command(&url, &["db-reset"])).expect(0, &["dropped", "created", "roles +7"]);
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &["dropped"]);
        outcome(&checkout.command(&url, &["db-drop"])).expect(0, &["absent"]);
        Ok(())
    });
}

#[test]
fn showmigrations_is_a_tree_an_app() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate", "organizations", "0001"]).expect(0, &[]);
        let tree = checkout.xtask(db, &["showmigrations"]);
        let expected = "users\n [X] 0001_initial\norganizations\n [X] 0001_initial\n [ ] 0002_add_owner_field\nprogress\n [ ] 0001_initial\n";
        assert_eq!(tree.expect(0, &[]).stdout, expected);
        let one = checkout.xtask(db, &["showmigrations", "progress"]);
        assert_eq!(one.expect(0, &[]).stdout, "progress\n [ ] 0001_initial\n");
        let plan = checkout.xtask(db, &["showmigrations", "--plan"]);
        let expected = "[X] users/0001_initial\n[X] organizations/0001_initial  after users/0001_initial\n\
                        [ ] organizations/0002_add_owner_field\n[ ] progress/0001_initial  after users/0001_initial\n";
        assert_eq!(plan.expect(0, &[]).stdout, expected);
        let needed = checkout.xtask(db, &["showmigrations", "--plan", "progress"]);
        let expected = "[X] users/0001_initial\n[ ] progress/0001_initial  after users/0001_initial\n";
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
fn migrate_goes_where_it_is_told() {
    // What the ledger holds after each command, from the one before.
    let steps: &[(&[&str], &[&str])] = &[
        (&["migrate", "progress"], &["users 1", "progress 1"]),
        (&["migrate", "organizations", "0001"], &["users 1", "organizations 1", "progress 1"]),
        (
            &["migrate", "organizations", "0002_add_owner_field"],
            &["users 1", "organizations 1", "organizations 2", "progress 1"],
        ),
        (&["migrate", "organizations", "0001_initial"], &["users 1", "organizations 1", "progress 1"]),
        (&["migrate", "organizations", "0001_initial"], &["users 1", "organizations 1", "progress 1"]),
        (&["migrate"], &["users 1", "organizations 1", "organizations 2", "progress 1"]),
        // All that needs it goes with it.
        (&["migrate", "users", "zero"], &[]),
        (&["migrate", "users", "zero"], &[]),
        (&["migrate", "organizations"], &["users 1", "organizations 1", "organizations 2"]),
        (&["migrate", "organizations", "zero"], &["users 1"]),
    ];
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for (args, expected) in steps {
            checkout.xtask(db, args).expect(0, &[]);
            let applied = "select 'users ' || version from migrations.users union all
                           select 'organizations ' || version from migrations.organizations union all
                           select 'progress ' || version from migrations.progress";
            let applied: Vec<String> =
                sqlx::query_scalar(applied).fetch_all(db.pool()).await.unwrap_or_default();
            assert_eq!(&applied, expected, "after {args:?}");
        }
        Ok(())
    });
}

#[test]
fn the_plan_is_what_would_run() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let plan = checkout.xtask(db, &["migrate", "organizations", "--plan"]);
        assert_eq!(
            plan.expect(0, &[]).stdout,
            "apply    users/0001_initial\napply    organizations/0001_initial\napply    organizations/0002_add_owner_field\n\
             3 migrations would run; nothing was written\n"
        );
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["migrate", "--plan"]).expect(0, &["nothing is left to do"]);
        let back = checkout.xtask(db, &["migrate", "users", "zero", "--plan", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&back.expect(0, &[]).stdout)?;
        assert_eq!(
            json["plan"][0],
            serde_json::json!({"migration": "progress/0001_initial", "direction": "revert"})
        );
        assert_eq!(json["plan"].as_array().unwrap().len(), 4);
        Ok(())
    });
}

#[test]
fn check_tells_by_its_exit_code_whether_something_is_left_to_do() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout
            .xtask(db, &["migrate", "--check"])
            .expect(3, &["users/0001_initial", "4 migrations would run"]);
        checkout.xtask(db, &["migrate", "organizations", "0001"]).expect(0, &[]);
        let before = snapshot(db).await;
        for (args, code) in [
            (&["migrate", "--check"] as &[&str], 3),
            (&["migrate", "users", "--check"], 0),
            (&["migrate", "organizations", "--check"], 3),
            (&["migrate", "organizations", "0001", "--check"], 0),
            (&["migrate", "organizations", "0002", "--plan", "--check"], 3),
            (&["migrate", "organizations", "zero", "--check"], 3),
            (&["migrate", "progress", "zero", "--check"], 0),
        ] {
            checkout.xtask(db, args).expect(code, &[]);
        }
        let json = checkout.xtask(db, &["migrate", "progress", "--check", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(3, &[]).stdout)?;
        assert_eq!(json["plan"][0]["migration"], "progress/0001_initial");
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn wrong_names_are_told_with_the_right_ones() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for verb in ["migrate", "showmigrations"] {
            checkout
                .xtask(db, &[verb, "user"])
                .expect(1, &["no app `user`; did you mean `users`?", "apps: users, organizations, progress"]);
        }
        for verb in ["migrate", "sqlmigrate"] {
            checkout
                .xtask(db, &[verb, "users", "0009"])
                .expect(1, &["app `users` has no migration `0009`", "its migrations: 0001_initial"]);
            let several = checkout.xtask(db, &[verb, "organizations", "000"]);
            several.expect(
                1,
                &["more than one migration `000`", "one of them: 0001_initial, 0002_add_owner_field"],
            );
            let without_number = checkout.xtask(db, &[verb, "organizations", "add_owner"]);
            without_number.expect(1, &["no migration `add_owner`; did you mean `0002_add_owner_field`?"]);
        }
        for number in 3..11 {
            checkout.migration(&format!("organizations/{number:04}_more"), "select 1;", "select 1;");
        }
        let several = checkout.xtask(db, &["migrate", "organizations", "000"]);
        assert!(!several.expect(1, &["0009_more"]).stderr.contains("0010_more"), "{several:?}");
        checkout.xtask(db, &["migrate", "uesrs"]).expect(1, &["did you mean `users`?"]);
        for wrong in [
            &["migrat"] as &[&str],
            &["migrate", "--lock-timeout", "soon"],
            &["sqlmigrate"],
            &["migrate", "--fake"],
            &["migrate", "users", "0001", "--fake-initial"],
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
fn sqlmigrate_prints_the_file_as_it_is_and_needs_no_server() {
    let checkout = Checkout::new();
    let url = "postgres://nobody@127.0.0.1:1/none";
    for (args, file) in [
        (&["sqlmigrate", "users", "0001"] as &[&str], "users/0001_initial.up.sql"),
        (
            &["sqlmigrate", "organizations", "0002_add_owner_field", "--backwards"],
            "organizations/0002_add_owner_field.down.sql",
        ),
    ] {
        let printed = outcome(&checkout.command(url, args));
        let expected = fs::read_to_string(workspace_root().join("migrations").join(file)).unwrap();
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
