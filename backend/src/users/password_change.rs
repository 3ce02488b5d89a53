//! Setting a new password, without the old one. The caller decides who may do that.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{
    account::{find_by_email, lock},
    sessions::revoke_all,
    status::AccountStatus,
};
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    password,
};

/// Replaces the password of an account and ends its sessions. Returns how many sessions it ended.
///
/// # Errors
/// [`Error::NoSuchUser`]; [`Error::Status`] if the account is erased; [`Error::Password`].
pub async fn change_password(conn: &mut PgConnection, actor: &Actor, email: &str, new: &str) -> Result<u64> {
    let user = find_by_email(conn, email).await?.ok_or(Error::NoSuchUser)?;
    password::require_strong(new, &[&user.email, &user.username])?;
    // Hashing takes long, so it comes before the transaction and its locks.
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
    // A person with the old password may be signed in.
    let ended = revoke_all(&mut transaction, user.id).await?;
    let entry = Entry::new("password_change", "user", user.id)
        .changes(json!({ "fields": ["password"] }))
        .metadata(json!({ "sessions_revoked": ended }));
    record(&mut transaction, actor, entry).await?;
    transaction.commit().await?;
    Ok(ended)
}
