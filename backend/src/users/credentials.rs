//! Signing in with an address and a password.

use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    account::{User, find_by_email, lock},
    status::AccountStatus,
};
use crate::{
    Result,
    audit::{Actor, Entry, record},
    password,
};

/// The outcome of a sign-in.
#[derive(Debug)]
#[must_use]
pub enum SignIn {
    /// The password is right, and the account is open.
    Welcome(User),
    /// The password is wrong, or the account does not exist. Do not reveal which.
    Refused,
    /// The password is right, and the account is closed.
    Closed(AccountStatus),
}

/// Checks the password of an account. The check takes the same time if the account does not exist.
///
/// The audit log records every outcome. A hash that is cheaper than [`password::COST`] is replaced.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database) if a query fails.
pub async fn sign_in(conn: &mut PgConnection, actor: &Actor, email: &str, password: &str) -> Result<SignIn> {
    let user = find_by_email(conn, email).await?;
    let id = user.as_ref().map(|user| user.id);
    let hash = password_hash(conn, id).await?;
    let right = password::verify(password, hash.as_deref()).await?;
    let stronger = match &hash {
        Some(hash) if right && password::is_cheap(hash) => {
            Some(password::hash(password, password::COST).await?)
        }
        _ => None,
    };

    let mut transaction = conn.begin().await?;
    let outcome = match user {
        // Read again, because the account may have been suspended or given another password during the hashing.
        Some(user) if right => {
            let status = lock(&mut transaction, user.id).await?;
            let now = password_hash(&mut transaction, id).await?;
            match status {
                _ if now != hash && !password::verify(password, now.as_deref()).await? => SignIn::Refused,
                status if status.is_active() => SignIn::Welcome(User { status, ..user }),
                status => SignIn::Closed(status),
            }
        }
        _ => SignIn::Refused,
    };
    match (&outcome, id) {
        (SignIn::Welcome(user), _) => {
            let actor = actor.known_as(user.id);
            record(&mut transaction, &actor, Entry::new("login", "user", user.id)).await?;
            if let Some((old, new)) = hash.zip(stronger) {
                replace_hash(&mut transaction, &actor, user.id, &old, &new).await?;
            }
        }
        (SignIn::Refused, id) => {
            record(&mut transaction, actor, Entry::failed("login", "user", id)).await?;
        }
        (SignIn::Closed(status), id) => {
            let why = json!({ "status": status.to_string() });
            record(&mut transaction, actor, Entry::failed("login", "user", id).metadata(why)).await?;
        }
    }
    transaction.commit().await?;
    Ok(outcome)
}

/// Reads the hash of an account. Without an account it runs the query all the same, because that takes time too.
async fn password_hash(conn: &mut PgConnection, id: Option<Uuid>) -> Result<Option<String>> {
    let hash = sqlx::query_scalar!("select password_hash from users where id = $1", id.unwrap_or_default());
    Ok(hash.fetch_optional(conn).await?.flatten())
}

/// Replaces a cheap hash, unless the password was changed meanwhile.
async fn replace_hash(conn: &mut PgConnection, actor: &Actor, id: Uuid, old: &str, new: &str) -> Result<()> {
    let replaced = sqlx::query!(
        "update users set password_hash = $3 where id = $1 and password_hash = $2",
        id,
        old,
        new
    );
    if replaced.execute(&mut *conn).await?.rows_affected() > 0 {
        let fields = json!({ "fields": ["password_hash"] });
        record(conn, actor, Entry::new("update", "user", id).changes(fields)).await?;
    }
    Ok(())
}
