//! An account: found by its address or key, and locked while it changes.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::status::AccountStatus;
use crate::{Error, Result};

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its key.
    pub id: Uuid,
    /// As its owner typed it. Unique, whatever the case.
    pub email: String,
    /// As its owner typed it. Unique, whatever the case.
    pub username: String,
    /// Its state.
    pub status: AccountStatus,
    /// When its owner verified the address.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// When its owner last signed in.
    pub last_login: Option<DateTime<Utc>>,
    /// The primary organization. Memberships are independent of it.
    pub org_id: Option<Uuid>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Finds an account by its address; case does not matter.
///
/// # Errors
/// [`Error::Database`] if the query fails.
pub async fn find_by_email(conn: &mut PgConnection, email: &str) -> Result<Option<User>> {
    // Postgres does not store a zero byte, so no account has such an address.
    if email.contains('\0') {
        return Ok(None);
    }
    let user = sqlx::query_as!(
        User,
        r#"select id, email, username, account_status as "status: AccountStatus", email_verified_at,
                  last_login, org_id, created_at
           from users
           where lower(email) = lower($1)"#,
        email.trim(),
    );
    Ok(user.fetch_optional(conn).await?)
}

/// Finds an account by its key.
///
/// # Errors
/// [`Error::NoSuchUser`].
pub async fn find_by_id(conn: &mut PgConnection, id: Uuid) -> Result<User> {
    let user = sqlx::query_as!(
        User,
        r#"select id, email, username, account_status as "status: AccountStatus", email_verified_at,
                  last_login, org_id, created_at
           from users
           where id = $1"#,
        id,
    );
    user.fetch_optional(conn).await?.ok_or(Error::NoSuchUser)
}

/// Locks the status of an account until the transaction ends, and requires that its owner may use it.
///
/// Without the lock, another session could suspend or erase the account after the check and before the caller's change.
pub(crate) async fn require_active(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    let status = sqlx::query_scalar!(
        r#"select account_status as "status: AccountStatus" from users where id = $1 for share"#,
        id
    );
    match status.fetch_optional(conn).await? {
        None => Err(Error::NoSuchUser),
        Some(status) if status.is_active() => Ok(()),
        Some(status) => Err(Error::Status(status)),
    }
}

/// Locks an account, its sessions and its roles against other changes until the transaction ends.
///
/// Not with `for update`, which would wait for every transaction that inserts a row with a key to it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<AccountStatus> {
    let status = sqlx::query_scalar!(
        r#"select account_status as "status: AccountStatus" from users where id = $1 for no key update"#,
        id
    );
    status.fetch_optional(conn).await?.ok_or(Error::NoSuchUser)
}
