//! The app `users`: accounts and their life, roles, sessions.

mod credentials;
mod erasure;
mod lifecycle;
mod password_change;
mod registration;
mod roles;
mod sessions;
mod superuser;

use std::fmt;

use chrono::{DateTime, Utc};
pub use credentials::{SignIn, sign_in};
pub use erasure::{Erasure, erase};
pub use lifecycle::{activate, suspend};
pub use password_change::change_password;
pub use registration::{Registration, register, try_names};
pub use roles::{Scope, grant_role, permissions_of, revoke_role};
pub use sessions::{
    Device, Opened, Rotation, Session, live_sessions, open_session, revoke_session, rotate_session,
};
use sqlx::{PgConnection, Type};
pub use superuser::{ADMIN, create_superuser};
use uuid::Uuid;

use crate::{Error, Result};

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its key.
    pub id: Uuid,
    /// As it was typed; unique in whatever case.
    pub email: String,
    /// As it was typed; unique in whatever case.
    pub username: String,
    /// Where in its life it is.
    pub status: AccountStatus,
    /// When the address was proven to be theirs.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// When it was last signed in to.
    pub last_login: Option<DateTime<Utc>>,
    /// The primary organization; memberships are another thing.
    pub org_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Where in its life an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AccountStatus {
    /// Its address is not proven yet. It may sign in.
    PendingVerification,
    /// All is well.
    Active,
    /// Closed by us, until we open it again.
    Suspended,
    /// Closed by its owner.
    Deactivated,
    /// Nobody's for ever; the row stays for what refers to it.
    Erased,
}

impl AccountStatus {
    /// Whether its owner may do anything with it.
    pub fn is_active(self) -> bool {
        matches!(self, AccountStatus::PendingVerification | AccountStatus::Active)
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AccountStatus::PendingVerification => "not verified yet",
            AccountStatus::Active => "active",
            AccountStatus::Suspended => "suspended",
            AccountStatus::Deactivated => "deactivated",
            AccountStatus::Erased => "erased",
        })
    }
}

/// The account of an address, in whatever case it is typed.
///
/// # Errors
/// Where the database does not answer.
pub async fn find_by_email(conn: &mut PgConnection, email: &str) -> Result<Option<User>> {
    // Postgres knows no zero byte, and so no address with one.
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

/// The account with this key.
///
/// # Errors
/// [`Error::NoSuchUser`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<User> {
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

/// Keeps the status of an account as it is until the transaction ends, and requires that its owner may act.
///
/// Without the lock an account could be suspended or erased between the question and what depends on the answer.
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

/// Keeps everybody else from changing an account, its sessions and its roles until the transaction ends.
///
/// Not `for update`, which would wait for every row that is just being made to refer to it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<AccountStatus> {
    let status = sqlx::query_scalar!(
        r#"select account_status as "status: AccountStatus" from users where id = $1 for no key update"#,
        id
    );
    status.fetch_optional(conn).await?.ok_or(Error::NoSuchUser)
}
