//! Roles and the permissions that they give.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::account::require_active;
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
};

/// Where a role applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In one organization.
    Org(Uuid),
    /// In one cohort, which lives outside this database.
    Cohort(String),
    /// In one track, which lives outside this database.
    Track(String),
}

impl Scope {
    fn name(&self) -> &'static str {
        match self {
            Scope::Global => "global",
            Scope::Org(_) => "org",
            Scope::Cohort(_) => "cohort",
            Scope::Track(_) => "track",
        }
    }

    fn org(&self) -> Option<Uuid> {
        if let Scope::Org(id) = self { Some(*id) } else { None }
    }

    fn cohort(&self) -> Option<&str> {
        if let Scope::Cohort(id) = self { Some(id) } else { None }
    }

    fn track(&self) -> Option<&str> {
        if let Scope::Track(key) = self { Some(key) } else { None }
    }

    fn json(&self, role: &str) -> Value {
        let target = match self {
            Scope::Global => Value::Null,
            Scope::Org(id) => id.to_string().into(),
            Scope::Cohort(key) | Scope::Track(key) => key.as_str().into(),
        };
        json!({ "role": role, "scope": self.name(), "target": target })
    }
}

/// Gives a user a role in a scope, until a time or for good. Revokes an expired grant of the same role there first.
///
/// # Errors
/// [`Error::RoleHeld`], [`Error::NoSuchRole`], [`Error::NoSuchUser`], [`Error::Status`], [`Error::NoSuchOrganization`];
/// [`Error::Expired`] if the time is past.
pub async fn grant_role(
    conn: &mut PgConnection,
    actor: &Actor,
    user: Uuid,
    role: &str,
    scope: &Scope,
    until: Option<DateTime<Utc>>,
) -> Result<Uuid> {
    let mut transaction = conn.begin().await?;
    require_active(&mut transaction, user).await?;
    let role_id = role_id(&mut transaction, role).await?;
    // By `clock_timestamp()` and not `now()`: the transaction may have begun before the role expired.
    let expired = sqlx::query_scalar!(
        "update user_roles
         set revoked_at = clock_timestamp()
         where user_id = $1 and role_id = $2 and scope = $3 and revoked_at is null
             and org_id is not distinct from $4
             and cohort_id is not distinct from $5
             and track_key is not distinct from $6
             and expires_at <= clock_timestamp()
         returning id",
        user,
        role_id,
        scope.name(),
        scope.org(),
        scope.cohort(),
        scope.track(),
    );
    if expired.fetch_optional(&mut *transaction).await?.is_some() {
        let entry = Entry::new("role_revoked", "user", user)
            .changes(scope.json(role))
            .metadata(json!({ "reason": "expired" }));
        record(&mut transaction, actor, entry).await?;
    }
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into user_roles
             (id, user_id, role_id, scope, org_id, cohort_id, track_key, assigned_by, assigned_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp(), $9)",
        id,
        user,
        role_id,
        scope.name(),
        scope.org(),
        scope.cohort(),
        scope.track(),
        actor.user_id(),
        until,
    )
    .execute(&mut *transaction)
    .await?;
    let entry = Entry::new("role_assigned", "user", user)
        .changes(scope.json(role))
        .metadata(json!({ "expires_at": until.map(|until| until.to_rfc3339()) }));
    record(&mut transaction, actor, entry).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Revokes a role of a user in one scope.
///
/// # Errors
/// [`Error::RoleNotHeld`], [`Error::NoSuchRole`].
pub async fn revoke_role(
    conn: &mut PgConnection,
    actor: &Actor,
    user: Uuid,
    role: &str,
    scope: &Scope,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let role_id = role_id(&mut transaction, role).await?;
    let revoked = sqlx::query!(
        "update user_roles
         set revoked_at = clock_timestamp()
         where user_id = $1 and role_id = $2 and scope = $3 and revoked_at is null
             and org_id is not distinct from $4
             and cohort_id is not distinct from $5
             and track_key is not distinct from $6",
        user,
        role_id,
        scope.name(),
        scope.org(),
        scope.cohort(),
        scope.track(),
    );
    if revoked.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Err(Error::RoleNotHeld);
    }
    record(&mut transaction, actor, Entry::new("role_revoked", "user", user).changes(scope.json(role)))
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Returns the sorted names of the user's permissions in a scope, from the roles held there or globally that are neither
/// revoked nor expired. A closed account has none.
///
/// # Errors
/// [`Error::Database`] if the query fails.
pub async fn permissions_of(conn: &mut PgConnection, user: Uuid, scope: &Scope) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        "select distinct permissions.name
         from users
         join user_roles on user_roles.user_id = users.id
         join roles_permissions on roles_permissions.role_id = user_roles.role_id
         join permissions on permissions.id = roles_permissions.permission_id
         where users.id = $1 and users.is_active
             and user_roles.revoked_at is null
             and (user_roles.expires_at is null or user_roles.expires_at > clock_timestamp())
             and (
                 user_roles.scope = 'global'
                 or user_roles.scope = $2
                     and user_roles.org_id is not distinct from $3
                     and user_roles.cohort_id is not distinct from $4
                     and user_roles.track_key is not distinct from $5
             )
         order by permissions.name",
        user,
        scope.name(),
        scope.org(),
        scope.cohort(),
        scope.track(),
    );
    Ok(names.fetch_all(conn).await?)
}

async fn role_id(conn: &mut PgConnection, name: &str) -> Result<Uuid> {
    let id = sqlx::query_scalar!("select id from roles where name = $1", name);
    id.fetch_optional(conn).await?.ok_or(Error::NoSuchRole)
}
