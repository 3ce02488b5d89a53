//! The app `organizations`: organizations, their members, their owner.

mod lock;
mod members;

use chrono::{DateTime, Utc};
pub(crate) use members::forget;
pub use members::{Member, MemberRole, add_member, change_role, members, remove_member, transfer_ownership};
use serde_json::json;
use sqlx::{Connection, PgConnection, Type};
use uuid::Uuid;

use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    users::require_active,
};

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its key.
    pub id: Uuid,
    /// Its name, for people.
    pub name: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its relation to us.
    pub kind: OrganizationType,
    /// Its owner, who is also one of its admins. An old organization may have none.
    pub owner_id: Option<Uuid>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// The relation of an organization to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OrganizationType {
    /// Pays for learners.
    Sponsor,
    /// Employs them.
    Employer,
    /// Works with us.
    Partner,
}

/// Creates an organization, with its owner as its first admin.
///
/// # Errors
/// [`Error::SlugTaken`], [`Error::SlugInvalid`], [`Error::NameInvalid`]; [`Error::NoSuchUser`] and [`Error::Status`] about
/// the owner.
pub async fn create(
    conn: &mut PgConnection,
    actor: &Actor,
    name: &str,
    slug: &str,
    kind: OrganizationType,
    owner: Uuid,
) -> Result<Organization> {
    if name.contains('\0') {
        return Err(Error::NameInvalid);
    }
    if slug.contains('\0') {
        return Err(Error::SlugInvalid);
    }
    let mut transaction = conn.begin().await?;
    require_active(&mut transaction, owner).await?;
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into organizations (id, name, slug, org_type, owner_id) values ($1, $2, $3, $4, $5)",
        id,
        name.trim(),
        slug,
        kind as OrganizationType,
        owner,
    )
    .execute(&mut *transaction)
    .await?;
    members::admit(&mut transaction, id, owner, MemberRole::Admin).await?;
    let entry = Entry::new("create", "organization", id).changes(json!({ "slug": slug, "owner_id": owner }));
    record(&mut transaction, actor, entry).await?;
    let organization = find_by_id(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(organization)
}

/// Finds an organization by its key.
///
/// # Errors
/// [`Error::NoSuchOrganization`].
pub async fn find_by_id(conn: &mut PgConnection, id: Uuid) -> Result<Organization> {
    let organization = sqlx::query_as!(
        Organization,
        r#"select id, name, slug, org_type as "kind: OrganizationType", owner_id, created_at
           from organizations
           where id = $1"#,
        id
    );
    organization.fetch_optional(conn).await?.ok_or(Error::NoSuchOrganization)
}
