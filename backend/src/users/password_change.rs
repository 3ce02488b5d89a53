//! A new password, set by whoever may set it; nobody is asked for the old one.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{AccountStatus, find_by_email, lock, sessions::revoke_all};
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    password,
};

/// Replaces the password of the account of an address, ends every session of it, and says how many there were.
///
/// # Errors
/// [`Error::NoSuchUser`]; [`Error::Status`] where the account is erased; [`Error::PasswordWeak`].
pub async fn change_password(conn: &mut PgConnection, actor: &Actor, email: &str, new: &str) -> Result<u64> {
    let user = find_by_email(conn, email).await?.ok_or(Error::NoSuchUser)?;
    password::require_strong(new, &[&user.email, &user.username])?;
    // Before the transaction, which would hold its locks meanwhile.
    let hash = password::hash(new, password::COST).await?;

    let mut transaction = conn.begin().await?;
    let status = lock(&mut transaction, user.id).await?;
    if status == AccountStatus::Erased {
        return Err(Error::Status(status));
    }
    sqlx::query!(
        "update users set password_hash = $2, password_changed_at = clock_timestamp() where id = $1",
        user.id,
        hash
    )
    .execute(&mut *transaction)
    .await?;
    // Whoever knew the old password may be signed in.
    let ended = revoke_all(&mut transaction, user.id).await?;
    let entry = Entry::new("password_change", "user", user.id)
        .changes(json!({ "fields": ["password"] }))
        .metadata(json!({ "sessions_revoked": ended }));
    record(&mut transaction, actor, entry).await?;
    transaction.commit().await?;
    Ok(ended)
}
