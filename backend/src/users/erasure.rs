//! Erasing an account: everything that identifies the person is removed, and the row stays because others refer to it.
//!
//! The audit log can't be changed, and need not be: its lines name people only by id. It keeps the network addresses of
//! requests, as evidence.

use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{account::lock, status::AccountStatus};
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    organizations, progress,
    token::Token,
};

/// What was removed.
#[derive(Debug)]
#[must_use = "the caller has to remove the files of the exports"]
pub struct Erasure {
    /// How many rows were deleted.
    pub erased: i32,
    /// How many rows no longer identify the person.
    pub anonymized: i32,
    /// Files with exports of the person's data. The database has only their paths.
    pub files: Vec<String>,
}

/// Erases a person, in all three apps.
///
/// # Errors
/// [`Error::NoSuchUser`]; [`Error::Status`] if the account is erased already; [`Error::IsOwner`] and [`Error::LastAdmin`] if an
/// organization would lose its owner or last admin.
pub async fn erase(conn: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<Erasure> {
    let mut transaction = conn.begin().await?;
    let status = lock(&mut transaction, id).await?;
    if status == AccountStatus::Erased {
        return Err(Error::Status(status));
    }
    let mut anonymized = blank_account(&mut transaction, id).await?;
    let mut erased = organizations::forget(&mut transaction, id).await?;
    erased += delete_belongings(&mut transaction, id).await?;
    anonymized += close_grants(&mut transaction, id).await?;
    anonymized += progress::forget(&mut transaction, id).await?;
    let files = forget_exports(&mut transaction, id).await?;
    anonymized += i32::try_from(files.len()).unwrap_or(i32::MAX);
    prove(&mut transaction, actor, id, erased, anonymized).await?;
    let entry = Entry::new("data_erased", "user", id)
        .changes(json!({ "account_status": "erased" }))
        .metadata(json!({ "records_erased": erased, "records_anonymized": anonymized }));
    record(&mut transaction, actor, entry).await?;
    transaction.commit().await?;
    Ok(Erasure { erased, anonymized, files: files.into_iter().flatten().collect() })
}

/// Overwrites the account with placeholders where a value is required, and with nulls or defaults elsewhere.
async fn blank_account(conn: &mut PgConnection, id: Uuid) -> Result<i32> {
    // Random, because a hash of the address would let people who know the address find the row.
    let placeholder = format!("erased-{}", Token::random().reveal());
    let blanked = sqlx::query!(
        "update users
         set account_status = 'erased', erased_at = now(),
             email = $2 || '@erased.invalid', username = $2,
             password_hash = null, password_changed_at = null, email_verified_at = null,
             first_name = '', last_name = '', bio = null, avatar_url = null, phone_number = null,
             last_login = null, last_login_ip = null, country = null,
             timezone = default, language = default, risk_level = default,
             cohort_id = null, track_key = null, org_id = null,
             is_staff = false, is_superuser = false
         where id = $1",
        id,
        placeholder
    );
    Ok(rows(blanked.execute(conn).await?.rows_affected()))
}

/// Deletes rows that have no use without the person.
async fn delete_belongings(conn: &mut PgConnection, id: Uuid) -> Result<i32> {
    let deleted = sqlx::query_scalar!(
        r#"with
             sessions as (delete from user_sessions where user_id = $1 returning 1),
             devices as (delete from device_trust where user_id = $1 returning 1),
             methods as (delete from mfa_methods where user_id = $1 returning 1),
             codes as (delete from mfa_codes where user_id = $1 returning 1),
             identities as (delete from user_identities where user_id = $1 returning 1),
             features as (delete from entitlements where user_id = $1 returning 1),
             keys as (delete from api_keys where user_id = $1 returning 1)
           select (select count(*) from sessions) + (select count(*) from devices)
               + (select count(*) from methods) + (select count(*) from codes)
               + (select count(*) from identities) + (select count(*) from features)
               + (select count(*) from keys) as "deleted!""#,
        id
    );
    Ok(rows(deleted.fetch_one(conn).await?.unsigned_abs()))
}

/// Ends roles and consents. Their rows stay as history; they identify no one.
async fn close_grants(conn: &mut PgConnection, id: Uuid) -> Result<i32> {
    let roles = sqlx::query!(
        "update user_roles set revoked_at = clock_timestamp() where user_id = $1 and revoked_at is null",
        id
    );
    let roles = roles.execute(&mut *conn).await?.rows_affected();
    let consents = sqlx::query!(
        "update consent_scopes set granted = false, revoked_at = now() where user_id = $1 and granted",
        id
    );
    Ok(rows(roles + consents.execute(conn).await?.rows_affected()))
}

/// Removes the person from the requests for their data, and returns the paths of the exported files.
async fn forget_exports(conn: &mut PgConnection, id: Uuid) -> Result<Vec<Option<String>>> {
    let exports = sqlx::query_scalar!(
        r#"with before as (
               select id, file_path from data_exports where user_id = $1 for update
           )
           update data_exports
           set subject_ref = $1::uuid::text, file_path = null, file_size = null, file_hash = null, metadata = '{}',
               status = case data_exports.status
                   when 'completed' then 'expired'
                   when 'pending' then 'failed'
                   when 'processing' then 'failed'
                   else data_exports.status
               end
           from before
           where data_exports.id = before.id
           returning before.file_path"#,
        id
    );
    Ok(exports.fetch_all(conn).await?)
}

/// Records the erasure: completes the open request, or inserts a completed one.
async fn prove(conn: &mut PgConnection, actor: &Actor, id: Uuid, erased: i32, anonymized: i32) -> Result<()> {
    sqlx::query!(
        "update data_erasures
         set subject_ref = $1::uuid::text, reason = '', errors = '[]', metadata = '{}',
             status = case when erasure_type <> 'full' and status in ('pending', 'processing')
                 then 'cancelled' else status end
         where user_id = $1",
        id
    )
    .execute(&mut *conn)
    .await?;
    let fulfilled = sqlx::query!(
        "update data_erasures
         set status = 'completed', started_at = coalesce(started_at, now()), completed_at = now(),
             records_erased = $2, records_anonymized = $3
         where user_id = $1 and erasure_type = 'full' and status in ('pending', 'processing')",
        id,
        erased,
        anonymized,
    );
    if fulfilled.execute(&mut *conn).await?.rows_affected() == 0 {
        sqlx::query!(
            "insert into data_erasures
                 (id, user_id, subject_ref, requested_by, erasure_type, status, started_at, completed_at,
                  records_erased, records_anonymized)
             values ($1, $2, $2::uuid::text, $3, 'full', 'completed', now(), now(), $4, $5)",
            Uuid::now_v7(),
            id,
            actor.user_id(),
            erased,
            anonymized,
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// The number as the columns store it.
fn rows(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
