//! What a run of the seeds reports to people, to programs, and to callers of the library.

use migrations::{Prune, SeedMode, Session, Settings, Target};
use serde_json::json;

use super::{ADDED, FIRST, execute, report, with_unseeded};
use crate::fixture;

#[test]
fn people_read_the_counts() {
    with_unseeded(async |checkout, db| {
        checkout.xtask(db, &["seed"]).expect(0, &[FIRST]);
        checkout.xtask(db, &["seed"]).expect(0, &["0 changes"]);
        execute(db, "update roles set description = ''; delete from permissions where name = 'read_person'")
            .await;
        checkout.xtask(db, &["seed", "--check"]).expect(
            3,
            &[
                "permissions +1, roles ~3, roles_permissions +2",
                "pending",
                "nothing was written; write it: cargo xtask seed",
            ],
        );
    });
}

#[test]
fn programs_read_the_counts_of_every_table_that_changed() {
    with_unseeded(async |checkout, db| {
        let all = json!([
            { "table": "permissions", "inserted": 6, "updated": 0, "deleted": 0 },
            { "table": "roles", "inserted": 3, "updated": 0, "deleted": 0 },
            { "table": "roles_permissions", "inserted": 10, "updated": 0, "deleted": 0 },
        ]);
        assert_eq!(report(checkout, db, &["--check"], 3)["tables"], all);
        assert_eq!(report(checkout, db, &[], 0)["tables"], all);
        assert_eq!(report(checkout, db, &[], 0)["tables"], json!([]));
        execute(db, ADDED).await;
        execute(db, "update permissions set description = ''").await;
        let repaired = json!([
            { "table": "permissions", "inserted": 0, "updated": 6, "deleted": 0 },
            { "table": "roles_permissions", "inserted": 0, "updated": 0, "deleted": 3 },
        ]);
        let report = report(checkout, db, &["--prune"], 0);
        assert_eq!(report["tables"], repaired);
        assert_eq!(report["steps"][0]["step"], "seed");
    });
}

#[test]
fn one_session_counts_each_of_its_runs_separately() {
    tests::empty().run(async |db| {
        let project = fixture::project();
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        session.migrate(&project, &Target::Latest, &mut |_| {}).await?;
        let inserted = |table: &str, inserted: i64| (table.to_owned(), [inserted, 0, 0]);
        let all = vec![inserted("permissions", 6), inserted("roles", 3), inserted("roles_permissions", 10)];
        for (mode, tables) in [
            (SeedMode::Check, &all),
            (SeedMode::Write, &all),
            (SeedMode::Write, &vec![]),
            (SeedMode::Check, &vec![]),
        ] {
            let report = session.seed(&project, mode, Prune::No, &mut |_| {}).await?;
            let changes = report.tables.iter();
            let changes = changes.map(|it| (it.table.clone(), [it.inserted, it.updated, it.deleted]));
            assert_eq!(changes.collect::<Vec<_>>(), *tables, "{mode:?}");
            assert_eq!(report.changes(), tables.iter().map(|(_, [inserted, ..])| inserted).sum::<i64>());
        }
        session.close().await;
        Ok(())
    });
}
