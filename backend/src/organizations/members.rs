//! Who belongs to an organization. Its owner always does, as an admin, and some admin always does.
//!
//! Whatever looks at the members before it changes them holds the organization's lock, or two admins could remove each
//! other.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Postgres, Transaction, Type};
use uuid::Uuid;

use super::lock;
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    users::require_active,
};

/// Somebody's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: Uuid,
    /// What they may do there.
    pub role: MemberRole,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// Standing within an organization; what somebody may do on the platform is another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MemberRole {
    /// Decides who else belongs to it.
    Admin,
    /// Works in it.
    Member,
    /// Only looks.
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

/// The members, in the order in which they came.
///
/// # Errors
/// Where the database does not answer.
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

/// Takes somebody in.
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

/// Gives a member another standing.
///
/// # Errors
/// [`Error::NotMember`], [`Error::NoSuchOrganization`]; [`Error::IsOwner`] and [`Error::LastAdmin`] where an admin must stay
/// one.
pub async fn change_role(
    conn: &mut PgConnection,
    actor: &Actor,
    organization: Uuid,
    user: Uuid,
    role: MemberRole,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let owner = lock(&mut transaction, organization).await?;
    let before = standing(&mut transaction, organization, user).await?;
    if role != MemberRole::Admin {
        require_dispensable(&mut transaction, organization, owner, user).await?;
    }
    set_role(&mut transaction, organization, user, role).await?;
    let changes = json!({ "member": user, "role": role.name(), "role_before": before.name() });
    commit(transaction, actor, organization, changes).await
}

/// Lets somebody go.
///
/// # Errors
/// [`Error::NotMember`], [`Error::NoSuchOrganization`]; [`Error::IsOwner`] and [`Error::LastAdmin`] where they must stay.
pub async fn remove_member(
    conn: &mut PgConnection,
    actor: &Actor,
    organization: Uuid,
    user: Uuid,
) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let owner = lock(&mut transaction, organization).await?;
    standing(&mut transaction, organization, user).await?;
    require_dispensable(&mut transaction, organization, owner, user).await?;
    dismiss(&mut transaction, organization, user).await?;
    let changes = json!({ "member": user, "role": null });
    commit(transaction, actor, organization, changes).await
}

/// Hands an organization over, to somebody who becomes an admin of it if they are none. The owner before stays an admin.
///
/// # Errors
/// [`Error::NotOwner`] where it belongs to somebody else than `from`, perhaps since a moment ago;
/// [`Error::NoSuchOrganization`]; [`Error::NoSuchUser`] and [`Error::Status`], of the new owner.
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
    match standing(&mut transaction, organization, to).await {
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

/// Takes somebody out of every organization, for good, and says out of how many.
pub(crate) async fn forget(conn: &mut PgConnection, user: Uuid) -> Result<i32> {
    // In one order everywhere, or two who leave the same organizations could wait for each other.
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

async fn standing(conn: &mut PgConnection, organization: Uuid, user: Uuid) -> Result<MemberRole> {
    let role = sqlx::query_scalar!(
        r#"select role as "role: MemberRole" from organization_members
           where organization_id = $1 and user_id = $2"#,
        organization,
        user
    );
    role.fetch_optional(conn).await?.ok_or(Error::NotMember)
}

/// Requires that an organization, which the caller has locked, can do without somebody as an admin.
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
    // No admin at all: nobody can be the last one.
    if last.fetch_one(conn).await? == Some(true) { Err(Error::LastAdmin) } else { Ok(()) }
}

/// Ends a change with its line in the audit log.
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
