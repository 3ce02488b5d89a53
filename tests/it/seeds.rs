//! The seeds make the reference data, repair it, and say truly what they did; a second run does nothing.

mod errors;
mod report;

use serde_json::Value;
use sqlx::{AssertSqlSafe, query_as, query_scalar};
use tests::{TestDatabase, with_database};

use crate::{checkout::Checkout, snapshot::snapshot};

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

/// The reference data as people see it: no ids, no times.
async fn reference(db: &TestDatabase) -> Vec<String> {
    let sql = "select format('role %s %s %s %s', name, display_name, description, is_system_role) from roles
               union all
               select format('permission %s %s %s %s', name, resource_type, action, description) from permissions
               union all
               select format('grant %s %s', r.name, p.name)
               from roles_permissions join roles r on r.id = role_id join permissions p on p.id = permission_id
               order by 1";
    query_scalar(sql).fetch_all(db.pool()).await.unwrap()
}

async fn execute(db: &TestDatabase, sql: &'static str) {
    sqlx::raw_sql(sql).execute(db.pool()).await.unwrap();
}

/// Runs the seeds by the program, and returns what it says of itself: `roles ~1`.
#[track_caller]
fn seed(checkout: &Checkout, db: &TestDatabase, options: &[&str], code: i32) -> String {
    let report = report(checkout, db, options, code);
    report["steps"][0]["what"].as_str().unwrap().to_owned()
}

/// The same, as programs read it.
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

/// Edits the seeded data, and expects that one run says this of it, brings it back, and leaves nothing to do.
#[track_caller]
fn check_repair(edit: &'static str, said: &str) {
    with_database(async |db| {
        let checkout = Checkout::new();
        let seeded = reference(db).await;
        execute(db, edit).await;
        assert_ne!(reference(db).await, seeded, "{edit}");
        assert_eq!(seed(&checkout, db, &[], 0), said, "{edit}");
        assert_eq!(reference(db).await, seeded, "{edit}");
        assert_eq!(seed(&checkout, db, &[], 0), "0 changes", "{edit}");
        Ok(())
    });
}

/// What the first run of the seeds says.
const FIRST: &str = "permissions +55, roles +7, roles_permissions +112";

#[test]
fn the_seeds_are_7_system_roles_55_permissions_and_112_grants() {
    with_database(async |db| {
        let granted: Vec<(String, bool, i64)> = query_as(
            "select r.name, r.is_system_role, count(p.permission_id)
             from roles r left join roles_permissions p on p.role_id = r.id
             group by r.id order by 3 desc, 1",
        )
        .fetch_all(db.pool())
        .await?;
        let expected = [
            ("admin", 55),
            ("program_director", 24),
            ("mentor", 8),
            ("sponsor_admin", 8),
            ("student", 8),
            ("finance", 7),
            ("analyst", 2),
        ];
        assert_eq!(granted, expected.map(|(role, n)| (role.to_owned(), true, n)));
        let resources: Vec<(String, i64)> =
            query_as("select resource_type, count(*) from permissions group by 1 order by 2 desc, 1")
                .fetch_all(db.pool())
                .await?;
        let expected = [
            ("cohort", 6),
            ("organization", 6),
            ("portfolio", 6),
            ("track", 6),
            ("user", 6),
            ("webhook", 5),
            ("api_key", 4),
            ("invoice", 4),
            ("mentorship", 4),
            ("billing", 3),
            ("profiling", 3),
            ("analytics", 2),
        ];
        assert_eq!(resources, expected.map(|(resource, n)| (resource.to_owned(), n)));
        Ok(())
    });
}

#[test]
fn the_second_run_changes_nothing_down_to_the_transaction_that_wrote_a_row() {
    with_unseeded(async |checkout, db| {
        assert_eq!(seed(checkout, db, &[], 0), FIRST);
        let before = rows(db).await;
        assert_eq!(before.len(), 7 + 55 + 112);
        for options in [&[][..], &["--prune"]] {
            assert_eq!(seed(checkout, db, options, 0), "0 changes");
        }
        assert_eq!(before, rows(db).await);
    });
}

#[test]
fn edited_roles_are_repaired() {
    check_repair("update roles set display_name = 'Pupil' where name = 'student'", "roles ~1");
    check_repair(
        "update roles set description = 'x', is_system_role = false where name in ('admin', 'analyst')",
        "roles ~2",
    );
}

#[test]
fn edited_permissions_are_repaired() {
    check_repair("update permissions set description = '' where name = 'read_user'", "permissions ~1");
    // A pair of its own, since resource and action are unique together.
    check_repair(
        "update permissions set resource_type = 'analytics', action = 'manage' where name = 'read_user'",
        "permissions ~1",
    );
    check_repair("update permissions set name = 'see_user' where name = 'read_user'", "permissions ~1");
    check_repair(
        "update permissions p set (resource_type, action) = (q.resource_type, q.action) from permissions q
         where (p.name, q.name) in (('read_user', 'list_tracks'), ('list_tracks', 'read_user'))",
        "permissions ~2",
    );
}

#[test]
fn removed_roles_permissions_and_grants_come_back() {
    check_repair(
        "delete from roles_permissions using roles where roles.id = role_id and roles.name = 'mentor'",
        "roles_permissions +8",
    );
    check_repair(
        "delete from permissions where name = 'list_webhooks'",
        "permissions +1, roles_permissions +1",
    );
    check_repair(
        "update roles set is_system_role = false; delete from roles where name = 'finance'",
        "roles +1 ~6, roles_permissions +7",
    );
}

/// What people add: a permission, a role of their own, and grants among all of them.
const ADDED: &str = "
    insert into permissions (name, resource_type, action) values ('create_billing', 'billing', 'create');
    insert into roles (name, display_name) values ('guide', 'Guide');
    insert into roles_permissions (role_id, permission_id)
    select r.id, p.id from (values
        ('mentor', 'delete_user'), ('mentor', 'create_billing'), ('admin', 'create_billing'),
        ('guide', 'delete_user'), ('guide', 'create_billing')
    ) as added (role, permission) join roles r on r.name = role join permissions p on p.name = permission";

#[test]
fn what_people_added_stays() {
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
fn prune_removes_the_grants_that_people_added_to_seeded_roles_and_nothing_else() {
    with_database(async |db| {
        let checkout = Checkout::new();
        execute(db, ADDED).await;
        let before = reference(db).await;
        assert_eq!(seed(&checkout, db, &["--prune", "--check"], 3), "roles_permissions -3");
        assert_eq!(before, reference(db).await);
        assert_eq!(seed(&checkout, db, &["--prune"], 0), "roles_permissions -3");
        let after = reference(db).await;
        let pruned: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
        assert_eq!(
            pruned,
            ["grant admin create_billing", "grant mentor create_billing", "grant mentor delete_user"]
        );
        assert_eq!(after.len(), before.len() - pruned.len());
        Ok(())
    });
}

#[test]
fn check_says_what_a_run_would_do_and_writes_nothing() {
    with_unseeded(async |checkout, db| {
        let unseeded = snapshot(db).await;
        assert_eq!(seed(checkout, db, &["--check"], 3), FIRST);
        assert_eq!(unseeded, snapshot(db).await);

        seed(checkout, db, &[], 0);
        execute(db, "update roles set display_name = 'Pupil' where name = 'student'").await;
        let edited = (snapshot(db).await, rows(db).await);
        assert_eq!(seed(checkout, db, &["--check"], 3), "roles ~1");
        assert_eq!(edited, (snapshot(db).await, rows(db).await));

        seed(checkout, db, &[], 0);
        assert_eq!(seed(checkout, db, &["--check"], 0), "0 changes");
    });
}

#[test]
fn seeds_of_several_apps_run_in_the_manifests_order_and_are_counted_together() {
    with_unseeded(async |checkout, db| {
        // Needs a row of the other app's seed.
        checkout.write(
            "organizations/seed.sql",
            "insert into organizations (name, slug) select display_name, name from roles where name = 'finance'
             on conflict do nothing;",
        );
        assert_eq!(seed(checkout, db, &[], 0), format!("organizations +1, {FIRST}"));
        assert_eq!(seed(checkout, db, &[], 0), "0 changes");
    });
}
