//! `migrate` with its targets, `--plan` and `--check`.

use crate::{checkout::Checkout, snapshot::snapshot};

#[test]
fn migrate_goes_where_its_arguments_say() {
    // Each command, in order, and what the ledgers hold after it.
    let steps: &[(&[&str], &[&str])] = &[
        (&["migrate", "loans"], &["people 1", "loans 1"]),
        (&["migrate", "library", "0001"], &["people 1", "library 1", "loans 1"]),
        (&["migrate", "library", "0002_add_manager"], &["people 1", "library 1", "library 2", "loans 1"]),
        (&["migrate", "library", "0001_initial"], &["people 1", "library 1", "loans 1"]),
        (&["migrate", "library", "0001_initial"], &["people 1", "library 1", "loans 1"]),
        (&["migrate"], &["people 1", "library 1", "library 2", "library 3", "loans 1"]),
        // This also reverts everything that depends on it.
        (&["migrate", "people", "zero"], &[]),
        (&["migrate", "people", "zero"], &[]),
        (&["migrate", "library"], &["people 1", "library 1", "library 2", "library 3"]),
        (&["migrate", "library", "zero"], &["people 1"]),
    ];
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for (args, expected) in steps {
            checkout.xtask(db, args).expect(0, &[]);
            let applied = "select 'people ' || version from migrations.people union all
                           select 'library ' || version from migrations.library union all
                           select 'loans ' || version from migrations.loans";
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
        let plan = checkout.xtask(db, &["migrate", "library", "--plan"]);
        assert_eq!(
            plan.expect(0, &[]).stdout,
            "apply    people/0001_initial\napply    library/0001_initial\napply    library/0002_add_manager\napply    library/0003_index_staff\n\
             4 migrations would run; nothing was written\n"
        );
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["migrate", "--plan"]).expect(0, &["nothing is left to do"]);
        let back = checkout.xtask(db, &["migrate", "people", "zero", "--plan", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&back.expect(0, &[]).stdout)?;
        assert_eq!(
            json["plan"][0],
            serde_json::json!({"migration": "loans/0001_initial", "direction": "revert"})
        );
        assert_eq!(json["plan"].as_array().unwrap().len(), 5);
        Ok(())
    });
}

#[test]
fn check_exits_with_3_while_something_is_left_to_do() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout
            .xtask(db, &["migrate", "--check"])
            .expect(3, &["people/0001_initial", "5 migrations would run"]);
        checkout.xtask(db, &["migrate", "library", "0001"]).expect(0, &[]);
        let before = snapshot(db).await;
        for (args, code) in [
            (&["migrate", "--check"] as &[&str], 3),
            (&["migrate", "people", "--check"], 0),
            (&["migrate", "library", "--check"], 3),
            (&["migrate", "library", "0001", "--check"], 0),
            (&["migrate", "library", "0002", "--plan", "--check"], 3),
            (&["migrate", "library", "zero", "--check"], 3),
            (&["migrate", "loans", "zero", "--check"], 0),
        ] {
            checkout.xtask(db, args).expect(code, &[]);
        }
        let json = checkout.xtask(db, &["migrate", "loans", "--check", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.expect(3, &[]).stdout)?;
        assert_eq!(json["plan"][0]["migration"], "loans/0001_initial");
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}
