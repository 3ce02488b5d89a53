//! Sessions: who is signed in, on which device, until when. A refresh token is valid for one rotation.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::account::lock;
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    token::Token,
};

/// The device that a user signs in with.
#[derive(Debug, Clone)]
pub struct Device<'d> {
    /// Identifies it.
    pub fingerprint: &'d str,
    /// Its name, for people.
    pub name: Option<&'d str>,
    /// mobile, tablet, desktop or unknown.
    pub kind: Option<&'d str>,
}

/// A session that is neither revoked nor expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its key. Each rotation gives it a new one.
    pub id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// The same for one sign-in and all its rotations.
    pub family_id: Uuid,
    /// The name of the device, for people.
    pub device_name: Option<String>,
    /// When it was opened or last rotated.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// A session and its token. The token is not stored, so this is the only time to hand it out.
#[derive(Debug)]
pub struct Opened {
    /// The session.
    pub session: Session,
    /// Its refresh token.
    pub token: Token,
}

/// The outcome of a rotation.
#[derive(Debug)]
#[must_use]
pub enum Rotation {
    /// A new session with a new token. The old token is invalid now.
    Rotated(Opened),
    /// The token was used or revoked before, so another party has it too. The whole family of sessions was ended.
    Reused,
    /// The token is unknown, its session has expired, or the account is closed.
    Refused,
}

/// Opens a session for 30 days. The caller has verified that the person is the user.
///
/// # Errors
/// [`Error::NoSuchUser`]; [`Error::Status`] if the account is closed; [`Error::DeviceInvalid`].
pub async fn open_session(
    conn: &mut PgConnection,
    actor: &Actor,
    user: Uuid,
    device: &Device<'_>,
) -> Result<Opened> {
    let mut transaction = conn.begin().await?;
    let status = lock(&mut transaction, user).await?;
    if !status.is_active() {
        return Err(Error::Status(status));
    }
    let (id, token) = (Uuid::now_v7(), Token::random());
    let session = sqlx::query_as!(
        Session,
        "insert into user_sessions
             (id, user_id, family_id, device_fingerprint, device_name, device_type, ip_address, user_agent,
              refresh_token_hash, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $9, now() + interval '30 days')
         returning id, user_id, family_id, device_name, created_at, expires_at",
        id,
        user,
        Uuid::now_v7(),
        device.fingerprint,
        device.name,
        device.kind,
        actor.ip(),
        actor.user_agent(),
        token.hash(),
    )
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query!(
        "update users set last_login = now(), last_login_ip = $2::text::inet where id = $1",
        user,
        actor.ip()
    )
    .execute(&mut *transaction)
    .await?;
    record(&mut transaction, &actor.known_as(user), Entry::new("session_created", "session", id)).await?;
    transaction.commit().await?;
    Ok(Opened { session, token })
}

/// Exchanges a refresh token for the next one. A token that is used twice ends the whole family.
///
/// # Errors
/// [`Error::Database`] if a query fails.
pub async fn rotate_session(conn: &mut PgConnection, actor: &Actor, token: &Token) -> Result<Rotation> {
    let mut transaction = conn.begin().await?;
    let owner =
        sqlx::query_scalar!("select user_id from user_sessions where refresh_token_hash = $1", token.hash());
    let Some(user) = owner.fetch_optional(&mut *transaction).await? else {
        return Ok(Rotation::Refused);
    };
    // Serializes this with other rotations and with a suspension, which would otherwise miss the session inserted here.
    let status = lock(&mut transaction, user).await?;
    let old = sqlx::query!(
        r#"select id, family_id, revoked_at is not null as "revoked!",
                  expires_at <= clock_timestamp() as "expired!"
           from user_sessions
           where refresh_token_hash = $1"#,
        token.hash()
    );
    let Some(old) = old.fetch_optional(&mut *transaction).await? else {
        return Ok(Rotation::Refused);
    };
    if old.revoked {
        let ended = revoke_family(&mut transaction, old.family_id).await?;
        let entry = Entry::failed("session_revoked", "session", Some(old.id))
            .metadata(json!({ "reason": "token used twice", "sessions_revoked": ended }));
        record(&mut transaction, actor, entry).await?;
        transaction.commit().await?;
        return Ok(Rotation::Reused);
    }
    if old.expired || !status.is_active() {
        return Ok(Rotation::Refused);
    }
    let (id, next) = (Uuid::now_v7(), Token::random());
    sqlx::query!("update user_sessions set revoked_at = clock_timestamp() where id = $1", old.id)
        .execute(&mut *transaction)
        .await?;
    let session = sqlx::query_as!(
        Session,
        "insert into user_sessions
             (id, user_id, family_id, device_fingerprint, device_name, device_type, ip_address, user_agent,
              refresh_token_hash, trusted_at, mfa_verified_at, risk_score, expires_at)
         select $1, user_id, family_id, device_fingerprint, device_name, device_type, $2::text::inet, $3,
                $4, trusted_at, mfa_verified_at, risk_score, now() + interval '30 days'
         from user_sessions
         where id = $5
         returning id, user_id, family_id, device_name, created_at, expires_at",
        id,
        actor.ip(),
        actor.user_agent(),
        next.hash(),
        old.id,
    )
    .fetch_one(&mut *transaction)
    .await?;
    let entry = Entry::new("session_rotated", "session", id).metadata(json!({ "from": old.id }));
    record(&mut transaction, &actor.known_as(user), entry).await?;
    transaction.commit().await?;
    Ok(Rotation::Rotated(Opened { session, token: next }))
}

/// Ends a session and its family.
///
/// # Errors
/// [`Error::NoSuchSession`] if it does not exist or has ended.
pub async fn revoke_session(conn: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let owner = sqlx::query_scalar!("select user_id from user_sessions where id = $1", id);
    let user = owner.fetch_optional(&mut *transaction).await?.ok_or(Error::NoSuchSession)?;
    lock(&mut transaction, user).await?;
    let family = sqlx::query_scalar!("select family_id from user_sessions where id = $1", id);
    let family = family.fetch_one(&mut *transaction).await?;
    if revoke_family(&mut transaction, family).await? == 0 {
        return Err(Error::NoSuchSession);
    }
    record(&mut transaction, actor, Entry::new("session_revoked", "session", id)).await?;
    transaction.commit().await?;
    Ok(())
}

/// Returns the user's sessions that are neither revoked nor expired, the newest first.
///
/// # Errors
/// [`Error::Database`] if the query fails.
pub async fn live_sessions(conn: &mut PgConnection, user: Uuid) -> Result<Vec<Session>> {
    let sessions = sqlx::query_as!(
        Session,
        "select id, user_id, family_id, device_name, created_at, expires_at
         from user_sessions
         where user_id = $1 and revoked_at is null and expires_at > clock_timestamp()
         order by created_at desc, id desc",
        user
    );
    Ok(sessions.fetch_all(conn).await?)
}

/// Ends all sessions of a user, whose row the caller has locked. Returns how many it ended.
pub(super) async fn revoke_all(conn: &mut PgConnection, user: Uuid) -> Result<u64> {
    let revoked = sqlx::query!(
        "update user_sessions set revoked_at = clock_timestamp() where user_id = $1 and revoked_at is null",
        user
    );
    Ok(revoked.execute(conn).await?.rows_affected())
}

async fn revoke_family(conn: &mut PgConnection, family: Uuid) -> Result<u64> {
    let revoked = sqlx::query!(
        "update user_sessions set revoked_at = clock_timestamp() where family_id = $1 and revoked_at is null",
        family
    );
    Ok(revoked.execute(conn).await?.rows_affected())
}
