//! Opening and closing an account. Erasing it is in `erasure`.

use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    account::{User, find_by_id, lock},
    sessions::revoke_all,
    status::AccountStatus,
};
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
};

/// Opens an account: for the first time after its address was verified, or again.
///
/// # Errors
/// [`Error::NoSuchUser`]; [`Error::Status`] if it is active or erased.
pub async fn activate(conn: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<User> {
    let mut transaction = conn.begin().await?;
    match lock(&mut transaction, id).await? {
        status @ (AccountStatus::Active | AccountStatus::Erased) => return Err(Error::Status(status)),
        AccountStatus::PendingVerification | AccountStatus::Suspended | AccountStatus::Deactivated => {}
    }
    // Only an account that was pending has verified its address now.
    sqlx::query!(
        "update users
         set account_status = 'active',
             email_verified_at = case account_status
                 when 'pending_verification' then coalesce(email_verified_at, now())
                 else email_verified_at
             end,
             activated_at = coalesce(activated_at, now()),
             deactivated_at = null
         where id = $1",
        id
    )
    .execute(&mut *transaction)
    .await?;
    let changes = json!({ "account_status": "active" });
    record(&mut transaction, actor, Entry::new("update", "user", id).changes(changes)).await?;
    let user = find_by_id(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Closes an account and ends its sessions.
///
/// # Errors
/// [`Error::NoSuchUser`]; [`Error::Status`] if it is suspended or erased.
pub async fn suspend(conn: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<User> {
    let mut transaction = conn.begin().await?;
    match lock(&mut transaction, id).await? {
        status @ (AccountStatus::Suspended | AccountStatus::Erased) => return Err(Error::Status(status)),
        AccountStatus::PendingVerification | AccountStatus::Active | AccountStatus::Deactivated => {}
    }
    sqlx::query!("update users set account_status = 'suspended' where id = $1", id)
        .execute(&mut *transaction)
        .await?;
    let ended = revoke_all(&mut transaction, id).await?;
    let entry = Entry::new("update", "user", id)
        .changes(json!({ "account_status": "suspended" }))
        .metadata(json!({ "sessions_revoked": ended }));
    record(&mut transaction, actor, entry).await?;
    let user = find_by_id(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(user)
}
