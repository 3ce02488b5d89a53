//! The members of an organization. Its owner is always one of its admins, and it always has an admin.
//!
//! A function that reads the members before it changes them holds the organization's lock. Otherwise two admins could
//! remove each other.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Postgres, Transaction, Type};
use uuid::Uuid;

use super::lock::lock;
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    users::require_active,
};

/// A user's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user_id: Uuid,
    /// Their role in it.
    pub role: MemberRole,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// A role within an organization. It is independent of the roles on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MemberRole {
    /// Decides about its members.
    Admin,
    /// Works in it.
    Member,
    /// Reads only.
    Viewer,
}

impl MemberRole {
    fn name(self) -> &'static str {
        match self {
            MemberRole::Admin => "admin",
            MemberRole::Member => "member",
            MemberRole::Viewer => "viewer",
        }
    }
}

/// Returns the members, in the order in which they joined.
///
/// # Errors
/// [`Error::Database`] if the query fails.
pub async fn members(conn: &mut PgConnection, organization: Uuid) -> Result<Vec<Member>> {
    let members = sqlx::query_as!(
        Member,
        r#"select user_id, role as "role: MemberRole", joined_at
           from organization_members
           where organization_id = $1
           order by joined_at, id"#,
        organization
    );
    Ok(members.fetch_all(conn).await?)
}

/// Adds a user.
///
/// # Errors
/// [`Error::MemberAlready`], [`Error::NoSuchOrganization`], [`Error::NoSuchUser`], [`Error::Status`].
pub async fn add_member(
    conn: &mut PgConnection,
    actor: &Actor,
    organization: Uuid,
    user: Uuid,
    role: MemberRole,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    require_active(&mut transaction, user).await?;
    lock(&mut transaction, organization).await?;
    admit(&mut transaction, organization, user, role).await?;
    let changes = json!({ "member": user, "role": role.name() });
    commit(transaction, actor, organization, changes).await
}

/// Gives a member another role.
///
/// # Errors
/// [`Error::NotMember`], [`Error::NoSuchOrganization`]; [`Error::IsOwner`] and [`Error::LastAdmin`] if the member must stay
/// an admin.
pub async fn change_role(
    conn: &mut PgConnection,
    actor: &Actor,
    organization: Uuid,
    user: Uuid,
    role: MemberRole,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let owner = lock(&mut transaction, organization).await?;
    let before = role_of_member(&mut transaction, organization, user).await?;
    if role != MemberRole::Admin {
        require_dispensable(&mut transaction, organization, owner, user).await?;
    }
    set_role(&mut transaction, organization, user, role).await?;
    let changes = json!({ "member": user, "role": role.name(), "role_before": before.name() });
    commit(transaction, actor, organization, changes).await
}

/// Removes a member.
///
/// # Errors
/// [`Error::NotMember`], [`Error::NoSuchOrganization`]; [`Error::IsOwner`] and [`Error::LastAdmin`] if the member must stay.
pub async fn remove_member(
    conn: &mut PgConnection,
    actor: &Actor,
    organization: Uuid,
    user: Uuid,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let owner = lock(&mut transaction, organization).await?;
    role_of_member(&mut transaction, organization, user).await?;
    require_dispensable(&mut transaction, organization, owner, user).await?;
    dismiss(&mut transaction, organization, user).await?;
    let changes = json!({ "member": user, "role": null });
    commit(transaction, actor, organization, changes).await
}

/// Hands an organization over to a user, who becomes an admin if they are not one. The previous owner stays an admin.
///
/// # Errors
/// [`Error::NotOwner`] if the owner is not `from`, perhaps since a moment ago;
/// [`Error::NoSuchOrganization`]; [`Error::NoSuchUser`] and [`Error::Status`] about the new owner.
pub async fn transfer_ownership(
    conn: &mut PgConnection,
    actor: &Actor,
    organization: Uuid,
    from: Option<Uuid>,
    to: Uuid,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    require_active(&mut transaction, to).await?;
    if lock(&mut transaction, organization).await? != from {
        return Err(Error::NotOwner);
    }
    match role_of_member(&mut transaction, organization, to).await {
        Ok(_) => set_role(&mut transaction, organization, to, MemberRole::Admin).await?,
        Err(Error::NotMember) => admit(&mut transaction, organization, to, MemberRole::Admin).await?,
        Err(error) => return Err(error),
    }
    sqlx::query!("update organizations set owner_id = $2 where id = $1", organization, to)
        .execute(&mut *transaction)
        .await?;
    let changes = json!({ "owner_id": to, "owner_id_before": from });
    commit(transaction, actor, organization, changes).await
}

pub(super) async fn admit(
    conn: &mut PgConnection,
    organization: Uuid,
    user: Uuid,
    role: MemberRole,
) -> Result<()> {
    sqlx::query!(
        "insert into organization_members (id, organization_id, user_id, role) values ($1, $2, $3, $4)",
        Uuid::now_v7(),
        organization,
        user,
        role as MemberRole,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a user from every organization, for good. Returns from how many.
pub(crate) async fn forget(conn: &mut PgConnection, user: Uuid) -> Result<i32> {
    // Always in the same order, because two users who leave the same organizations could otherwise deadlock.
    let organizations = sqlx::query!(
        r#"select id, owner_id as "owner_id?"
           from organizations
           where owner_id = $1 or id in (select organization_id from organization_members where user_id = $1)
           order by id
           for no key update"#,
        user
    );
    let organizations = organizations.fetch_all(&mut *conn).await?;
    for organization in &organizations {
        require_dispensable(conn, organization.id, organization.owner_id, user).await?;
        dismiss(conn, organization.id, user).await?;
    }
    Ok(i32::try_from(organizations.len()).unwrap_or(i32::MAX))
}

async fn dismiss(conn: &mut PgConnection, organization: Uuid, user: Uuid) -> Result<()> {
    sqlx::query!(
        "delete from organization_members where organization_id = $1 and user_id = $2",
        organization,
        user
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn set_role(conn: &mut PgConnection, organization: Uuid, user: Uuid, role: MemberRole) -> Result<()> {
    sqlx::query!(
        "update organization_members set role = $3 where organization_id = $1 and user_id = $2",
        organization,
        user,
        role as MemberRole,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn role_of_member(conn: &mut PgConnection, organization: Uuid, user: Uuid) -> Result<MemberRole> {
    let role = sqlx::query_scalar!(
        r#"select role as "role: MemberRole" from organization_members
           where organization_id = $1 and user_id = $2"#,
        organization,
        user
    );
    role.fetch_optional(conn).await?.ok_or(Error::NotMember)
}

/// Requires that an organization, which the caller has locked, can do without this admin.
async fn require_dispensable(
    conn: &mut PgConnection,
    organization: Uuid,
    owner: Option<Uuid>,
    user: Uuid,
) -> Result<()> {
    if owner == Some(user) {
        return Err(Error::IsOwner);
    }
    let last = sqlx::query_scalar!(
        r#"select bool_and(user_id = $2) as "last" from organization_members
           where organization_id = $1 and role = 'admin'"#,
        organization,
        user
    );
    // `null`: there is no admin at all, so none is the last.
    if last.fetch_one(conn).await? == Some(true) { Err(Error::LastAdmin) } else { Ok(()) }
}

/// Writes the line in the audit log and commits.
async fn commit(
    mut transaction: Transaction<'_, Postgres>,
    actor: &Actor,
    organization: Uuid,
    changes: Value,
) -> Result<()> {
    let entry = Entry::new("update", "organization", organization).changes(changes);
    record(&mut transaction, actor, entry).await?;
    transaction.commit().await?;
    Ok(())
}
