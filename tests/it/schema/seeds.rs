//! The product's reference data: what the seeds write, that they repair edits, and that a misspelt name in them is an error.

use serde_json::Value;
use sqlx::{query_as, query_scalar};
use tests::{TestDatabase, with_database};

use crate::{checkout::Checkout, snapshot::snapshot};

/// The reference data, without ids and times.
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

/// Runs the seeds, and returns the summary of the report: `roles ~1`.
#[track_caller]
fn seed(db: &TestDatabase) -> String {
    let printed = Checkout::of_product().xtask(db, &["seed", "--format", "json"]);
    let report: Value = serde_json::from_str(&printed.expect(0, &[]).stdout).unwrap();
    report["steps"][0]["what"].as_str().unwrap().to_owned()
}

/// Edits the seeded data. Expects one run to report this summary and repair the edit, and the next to change nothing.
#[track_caller]
fn check_repair(edit: &'static str, summary: &str) {
    with_database(async |db| {
        let seeded = reference(db).await;
        execute(db, edit).await;
        assert_ne!(reference(db).await, seeded, "{edit}");
        assert_eq!(seed(db), summary, "{edit}");
        assert_eq!(reference(db).await, seeded, "{edit}");
        assert_eq!(seed(db), "0 changes", "{edit}");
        Ok(())
    });
}

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
fn seeds_repair_edited_roles() {
    check_repair("update roles set display_name = 'Pupil' where name = 'student'", "roles ~1");
    check_repair(
        "update roles set description = 'x', is_system_role = false where name in ('admin', 'analyst')",
        "roles ~2",
    );
}

#[test]
fn seeds_repair_edited_permissions() {
    check_repair("update permissions set description = '' where name = 'read_user'", "permissions ~1");
    // No other permission has this pair. Resource and action are unique together.
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
fn seeds_restore_removed_roles_permissions_and_grants() {
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

#[test]
fn prune_removes_grants_that_users_added_to_seeded_roles() {
    with_database(async |db| {
        let seeded = reference(db).await;
        execute(
            db,
            "insert into roles_permissions (role_id, permission_id)
             select r.id, p.id from roles r, permissions p where (r.name, p.name) = ('mentor', 'delete_user')",
        )
        .await;
        assert_eq!(seed(db), "0 changes");
        Checkout::of_product().xtask(db, &["seed", "--prune"]).expect(0, &["roles_permissions -1"]);
        assert_eq!(reference(db).await, seeded);
        Ok(())
    });
}

/// Misspells a name in the seeds. Expects an error that shows the name, and no change to the database.
#[track_caller]
fn check_misspelt(from: &str, to: &str, error: &str) {
    tests::unseeded().run(async |db| {
        let (checkout, before) = (Checkout::of_product(), snapshot(db).await);
        checkout.replace("users/seed.sql", from, to);
        checkout.xtask(db, &["seed"]).expect(1, &["error: ", "migrations/users/seed.sql:", error]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn an_unknown_permission_in_the_seeds_is_an_error_that_names_it() {
    check_misspelt(
        "'read_analytics', 'list_analytics'\n",
        "'read_analytics', 'list_analytcs'\n",
        "seed grants unknown permission \"list_analytcs\" to role \"program_director\"",
    );
}

#[test]
fn an_unknown_role_in_the_seeds_is_an_error_that_names_it() {
    check_misspelt("('finance', array[", "('finances', array[", "seed grants to unknown role \"finances\"");
}
