//! `seed` writes the reference data and reports exactly what it changed; a second run changes nothing.

mod errors;
mod report;
mod schema;

use serde_json::Value;
use sqlx::{AssertSqlSafe, query_scalar};
use tests::TestDatabase;

use crate::{checkout::Checkout, fixture::with_database, snapshot::snapshot};

/// Everything that a run of the seeds could touch: the tables' rows, each with the transaction that wrote it.
async fn rows(db: &TestDatabase) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["roles", "permissions", "roles_permissions"] {
        let sql = format!("select '{table} ' || xmin::text || ' ' || t::text from {table} t order by 1");
        let table: Vec<String> = query_scalar(AssertSqlSafe(sql)).fetch_all(db.pool()).await.unwrap();
        rows.extend(table);
    }
    rows
}

/// The reference data, without ids and times.
async fn reference(db: &TestDatabase) -> Vec<String> {
    let sql = "select format('role %s %s %s %s', name, display_name, description, is_built_in) from roles
               union all
               select format('permission %s %s %s %s', name, resource, action, description) from permissions
               union all
               select format('grant %s %s', r.name, p.name)
               from roles_permissions join roles r on r.id = role_id join permissions p on p.id = permission_id
               order by 1";
    query_scalar(sql).fetch_all(db.pool()).await.unwrap()
}

async fn execute(db: &TestDatabase, sql: &'static str) {
    sqlx::raw_sql(sql).execute(db.pool()).await.unwrap();
}

/// Runs `seed`, and returns the summary in its report: `roles ~1`.
#[track_caller]
fn seed(checkout: &Checkout, db: &TestDatabase, options: &[&str], code: i32) -> String {
    let report = report(checkout, db, options, code);
    report["steps"][0]["what"].as_str().unwrap().to_owned()
}

/// Runs `seed`, and returns its report.
#[track_caller]
fn report(checkout: &Checkout, db: &TestDatabase, options: &[&str], code: i32) -> Value {
    let args: Vec<&str> = ["seed", "--format", "json"].iter().chain(options).copied().collect();
    serde_json::from_str(&checkout.xtask(db, &args).expect(code, &[]).stdout).unwrap()
}

/// A migrated database, and a checkout that has seeded nothing yet.
#[track_caller]
fn with_unseeded(test: impl AsyncFnOnce(&Checkout, &TestDatabase)) {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        test(&checkout, db).await;
        Ok(())
    });
}

/// The summary of the first run.
const FIRST: &str = "permissions +6, roles +3, roles_permissions +10";

#[test]
fn the_second_run_changes_nothing_down_to_the_transaction_that_wrote_a_row() {
    with_unseeded(async |checkout, db| {
        assert_eq!(seed(checkout, db, &[], 0), FIRST);
        let before = rows(db).await;
        assert_eq!(before.len(), 3 + 6 + 10);
        for options in [&[][..], &["--prune"]] {
            assert_eq!(seed(checkout, db, options, 0), "0 changes");
        }
        assert_eq!(before, rows(db).await);
    });
}

/// What users add: a permission, a role, and grants of new and seeded permissions to new and seeded roles.
const ADDED: &str = "
    insert into permissions (name, resource, action) values ('drop_item', 'item', 'drop');
    insert into roles (name, display_name) values ('guide', 'Guide');
    insert into roles_permissions (role_id, permission_id)
    select r.id, p.id from (values
        ('member', 'add_item'), ('member', 'drop_item'), ('librarian', 'drop_item'),
        ('guide', 'add_item'), ('guide', 'drop_item')
    ) as added (role, permission) join roles r on r.name = role join permissions p on p.name = permission";

#[test]
fn seed_keeps_what_users_added() {
    with_database(async |db| {
        let checkout = Checkout::new();
        execute(db, ADDED).await;
        let before = rows(db).await;
        assert_eq!(seed(&checkout, db, &[], 0), "0 changes");
        assert_eq!(before, rows(db).await);
        Ok(())
    });
}

#[test]
fn prune_removes_the_grants_that_users_added_to_seeded_roles_and_nothing_else() {
    with_database(async |db| {
        let checkout = Checkout::new();
        execute(db, ADDED).await;
        let before = reference(db).await;
        assert_eq!(seed(&checkout, db, &["--prune", "--check"], 3), "roles_permissions -3");
        assert_eq!(before, reference(db).await);
        assert_eq!(seed(&checkout, db, &["--prune"], 0), "roles_permissions -3");
        let after = reference(db).await;
        let pruned: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
        assert_eq!(pruned, ["grant librarian drop_item", "grant member add_item", "grant member drop_item"]);
        assert_eq!(after.len(), before.len() - pruned.len());
        Ok(())
    });
}

#[test]
fn check_reports_what_a_run_would_do_and_writes_nothing() {
    with_unseeded(async |checkout, db| {
        let unseeded = snapshot(db).await;
        assert_eq!(seed(checkout, db, &["--check"], 3), FIRST);
        assert_eq!(unseeded, snapshot(db).await);

        seed(checkout, db, &[], 0);
        execute(db, "update roles set display_name = 'Guest' where name = 'visitor'").await;
        let edited = (snapshot(db).await, rows(db).await);
        assert_eq!(seed(checkout, db, &["--check"], 3), "roles ~1");
        assert_eq!(edited, (snapshot(db).await, rows(db).await));

        seed(checkout, db, &[], 0);
        assert_eq!(seed(checkout, db, &["--check"], 0), "0 changes");
    });
}

#[test]
fn check_leaves_nothing_but_the_gaps_in_sequences_that_its_help_names() {
    with_unseeded(async |checkout, db| {
        execute(db, "create sequence people_no").await;
        checkout.write(
            "library/seed.sql",
            "insert into branches (name, slug) values ('a', 'a' || nextval('people_no'))",
        );
        let before = snapshot(db).await;
        assert_eq!(seed(checkout, db, &["--check"], 3), format!("branches +1, {FIRST}"));
        assert_eq!(before, snapshot(db).await);
        let next: i64 = query_scalar("select nextval('people_no')").fetch_one(db.pool()).await.unwrap();
        let help = checkout.xtask(db, &["seed", "--help"]).expect(0, &[]).stdout.replace('\n', " ");
        assert!(help.contains("needs the rights to write") && help.contains("gaps in sequences"), "{help}");
        assert_eq!(next, 2);
    });
}

#[test]
fn seeds_of_several_apps_run_in_the_manifests_order_and_are_counted_together() {
    with_unseeded(async |checkout, db| {
        // This seed needs a row of the other app's seed.
        checkout.write(
            "library/seed.sql",
            "insert into branches (name, slug) select display_name, name from roles where name = 'member'
             on conflict do nothing;",
        );
        assert_eq!(seed(checkout, db, &[], 0), format!("branches +1, {FIRST}"));
        assert_eq!(seed(checkout, db, &[], 0), "0 changes");
    });
}
