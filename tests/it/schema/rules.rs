//! What the schema does by itself: guards, timestamps, and delete rules.

use sqlx::{AssertSqlSafe, Connection, PgConnection, query_as, query_scalar};
use tests::with_database;

use super::{
    query_catalogue,
    rows::{execute, fixture, probe, refusal},
};

/// Every foreign key, with its delete rule.
const DELETE_RULES: [&str; 28] = [
    "api_keys.organization_id -> organizations cascade",
    "api_keys.user_id -> users cascade",
    "audit_logs.api_key_id -> api_keys set null",
    "audit_logs.user_id -> users set null",
    "consent_scopes.user_id -> users cascade",
    "data_erasures.requested_by -> users set null",
    "data_erasures.user_id -> users set null",
    "data_exports.requested_by -> users set null",
    "data_exports.user_id -> users set null",
    "device_trust.user_id -> users cascade",
    "entitlements.user_id -> users cascade",
    "mfa_codes.user_id -> users cascade",
    "mfa_methods.user_id -> users cascade",
    "organization_members.organization_id -> organizations cascade",
    "organization_members.user_id -> users cascade",
    "organizations.owner_id -> users restrict",
    "progress.user_id -> users cascade",
    "roles_permissions.permission_id -> permissions cascade",
    "roles_permissions.role_id -> roles cascade",
    "user_identities.user_id -> users cascade",
    "user_roles.assigned_by -> users set null",
    "user_roles.org_id -> organizations cascade",
    "user_roles.role_id -> roles restrict",
    "user_roles.user_id -> users cascade",
    "user_sessions.user_id -> users cascade",
    "users.org_id -> organizations set null",
    "webhook_deliveries.endpoint_id -> webhook_endpoints cascade",
    "webhook_endpoints.organization_id -> organizations cascade",
];

/// A foreign key: its line in [`DELETE_RULES`], its name, child, column, parent and rule.
type ForeignKey = (String, String, String, String, String, String);

/// The number of a table's rows, and of its rows whose column is null.
async fn count_rows(conn: &mut PgConnection, table: &str, column: &str) -> (i64, i64) {
    let sql = format!("select count(*), count(*) filter (where {column} is null) from {table}");
    query_as(AssertSqlSafe(sql)).fetch_one(conn).await.unwrap()
}

#[test]
fn every_foreign_key_follows_its_delete_rule() {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = fixture(&mut conn).await;
        let keys = "
            select format('%s.%s -> %s %s', child, array_to_string(columns, '+'), parent, rule),
                   name, child, columns[1], parent, rule
            from foreign_keys";
        let keys: Vec<ForeignKey> = query_catalogue(&mut transaction, keys).await;
        assert_eq!(keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>(), DELETE_RULES);
        for key in keys {
            check_delete(&mut transaction, &key).await;
        }
        Ok(())
    });
}

/// Deletes a row that the key refers to, and checks the rows that referred to it.
async fn check_delete(conn: &mut PgConnection, key: &ForeignKey) {
    let (line, name, child, column, parent, rule) = key;
    let mut savepoint = conn.begin().await.unwrap();
    // Removes everything else that would refuse the deletion.
    execute(&mut savepoint, "update roles set is_system_role = false").await.unwrap();
    match (rule.as_str(), parent.as_str()) {
        ("restrict", _) => {}
        (_, "users") => execute(&mut savepoint, "update organizations set owner_id = null").await.unwrap(),
        (_, "roles") => execute(&mut savepoint, "delete from user_roles").await.unwrap(),
        _ => {}
    }
    let referred = format!(
        "select {column}::text, count(*) from {child} where {column} is not null group by 1 order by 1 limit 1"
    );
    let (id, n): (String, i64) = query_as(AssertSqlSafe(referred)).fetch_one(&mut *savepoint).await.unwrap();
    let (rows, nulls) = count_rows(&mut savepoint, child, column).await;

    let deleted = execute(&mut savepoint, &format!("delete from {parent} where id = '{id}'")).await;
    match rule.as_str() {
        "restrict" => assert_eq!(&refusal(&deleted.unwrap_err()).0, name, "{line}"),
        rule => {
            deleted.unwrap();
            let expected = if rule == "cascade" { (rows - n, nulls) } else { (rows, nulls + n) };
            assert_eq!(count_rows(&mut savepoint, child, column).await, expected, "{line}");
        }
    }
    savepoint.rollback().await.unwrap();
}

#[test]
fn the_owner_of_an_organization_can_be_deleted_after_another_takes_over() {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = fixture(&mut conn).await;
        let delete = "delete from users where id = {bob}";
        assert_eq!(probe(&mut transaction, delete).await, "organizations_owner_id_fkey");
        execute(&mut transaction, "update organizations set owner_id = {ada}").await?;
        assert_eq!(probe(&mut transaction, delete).await, "accepted");
        Ok(())
    });
}

#[test]
fn no_seeded_role_can_be_deleted_or_renamed() {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = conn.begin().await?;
        let roles: Vec<String> = query_scalar("select name from roles").fetch_all(&mut *transaction).await?;
        assert_eq!(roles.len(), 7);
        for role in roles {
            for sql in ["delete from roles", "update roles set name = name || '_old'"] {
                let mut savepoint = transaction.begin().await?;
                let refused =
                    execute(&mut savepoint, &format!("{sql} where name = '{role}'")).await.unwrap_err();
                assert_eq!(
                    refusal(&refused),
                    ("roles_system_guard".to_owned(), "23001".to_owned()),
                    "{sql} {role}"
                );
                savepoint.rollback().await?;
            }
        }
        Ok(())
    });
}

#[test]
fn the_audit_trail_refuses_every_change() {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = fixture(&mut conn).await;
        let columns = "select c.column from columns c where child = 'audit_logs'";
        let columns: Vec<(String,)> = query_catalogue(&mut transaction, columns).await;
        let updates = columns.iter().map(|(column,)| match column.as_str() {
            "id" => "update audit_logs set id = default".to_owned(),
            column => format!("update audit_logs set \"{column}\" = \"{column}\""),
        });
        let others =
            ["delete from audit_logs", "truncate audit_logs", "update audit_logs set user_id = null"];
        for sql in updates.chain(others.map(str::to_owned)) {
            let mut savepoint = transaction.begin().await?;
            let refused = execute(&mut savepoint, &sql).await.unwrap_err();
            assert_eq!(refusal(&refused), ("audit_logs_append_only".to_owned(), "23001".to_owned()), "{sql}");
            savepoint.rollback().await?;
        }
        Ok(())
    });
}

#[test]
fn deleting_a_user_changes_only_the_links_in_the_audit_trail() {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = fixture(&mut conn).await;
        let entries = "select (to_jsonb(a) - 'user_id' - 'api_key_id')::text from audit_logs a order by id";
        let links = "select format('%s: user %s, key %s', actor_identifier,
                                   case when user_id is null then 'gone' else 'there' end,
                                   case when api_key_id is null then 'gone' else 'there' end)
                     from audit_logs order by id";
        let entries_before: Vec<String> = query_scalar(entries).fetch_all(&mut *transaction).await?;
        let links_before: Vec<String> = query_scalar(links).fetch_all(&mut *transaction).await?;
        assert_eq!(links_before, ["Ada@x.org: user there, key there", "key_2: user there, key there"]);
        // This deletes her API key too.
        execute(&mut transaction, "delete from users where id = {ada}").await?;
        let entries_after: Vec<String> = query_scalar(entries).fetch_all(&mut *transaction).await?;
        let links_after: Vec<String> = query_scalar(links).fetch_all(&mut *transaction).await?;
        assert_eq!(links_after, ["Ada@x.org: user gone, key gone", "key_2: user there, key there"]);
        assert_eq!(entries_before, entries_after);
        Ok(())
    });
}

#[test]
fn updated_at_is_the_servers_time_whatever_the_client_sends() {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = fixture(&mut conn).await;
        let tables: Vec<(String,)> =
            query_catalogue(&mut transaction, "select child from columns c where c.column = 'updated_at'")
                .await;
        assert!(!tables.is_empty());
        for (table,) in tables {
            for sent in ["'epoch'", "'infinity'", "null", "updated_at"] {
                let mut savepoint = transaction.begin().await?;
                let before: String =
                    query_scalar("select clock_timestamp()::text").fetch_one(&mut *savepoint).await?;
                execute(&mut savepoint, &format!("update {table} set updated_at = {sent}")).await?;
                let sql = format!(
                    "select coalesce(bool_and(updated_at between $1::timestamptz and clock_timestamp()), false)
                     from {table}"
                );
                let moved: bool =
                    query_scalar(AssertSqlSafe(sql)).bind(before).fetch_one(&mut *savepoint).await?;
                assert!(moved, "{table}: {sent}");
                savepoint.rollback().await?;
            }
        }
        Ok(())
    });
}
