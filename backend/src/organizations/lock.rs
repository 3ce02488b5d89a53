//! The lock of an organization.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Result};

/// Locks an organization, its owner and its members against other changes until the transaction ends. Returns the owner.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Uuid>> {
    let owner = sqlx::query_scalar!("select owner_id from organizations where id = $1 for no key update", id);
    owner.fetch_optional(conn).await?.ok_or(Error::NoSuchOrganization)
}
