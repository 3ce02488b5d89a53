//! Registration of a new account.

use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::account::{User, find_by_id};
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    password,
};

/// What a person enters to get an account.
#[derive(Clone)]
pub struct Registration<'r> {
    /// Stored as entered, without surrounding blanks.
    pub email: &'r str,
    /// Stored as entered.
    pub username: &'r str,
    /// Stored as a hash.
    pub password: &'r str,
}

/// Creates an account whose address is not verified yet.
///
/// # Errors
/// [`Error::EmailTaken`], [`Error::UsernameTaken`], [`Error::EmailInvalid`], [`Error::UsernameInvalid`],
/// [`Error::Password`].
pub async fn register(
    conn: &mut PgConnection,
    actor: &Actor,
    registration: Registration<'_>,
) -> Result<User> {
    let Registration { email, username, password } = registration;
    let email = well_formed(email, username)?;
    password::require_strong(password, &[email, username])?;
    // Hashing takes long, so it comes before the transaction and its locks.
    let hash = password::hash(password, password::COST).await?;

    let mut transaction = conn.begin().await?;
    let id = insert(&mut transaction, email, username, Some(&hash)).await?;
    let fields = json!({ "fields": ["email", "username", "password"] });
    record(&mut transaction, actor, Entry::new("create", "user", id).changes(fields)).await?;
    let user = find_by_id(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Checks that an account could have this address and this name, by inserting one and rolling back: the rules for both and
/// the existing accounts are in the database.
///
/// # Errors
/// [`Error::EmailTaken`], [`Error::UsernameTaken`], [`Error::EmailInvalid`], [`Error::UsernameInvalid`].
pub async fn try_names(conn: &mut PgConnection, email: &str, username: &str) -> Result<()> {
    let email = well_formed(email, username)?;
    let mut transaction = conn.begin().await?;
    insert(&mut transaction, email, username, None).await?;
    transaction.rollback().await?;
    Ok(())
}

/// Returns the address without surrounding blanks, after the checks of both that the database does not make.
fn well_formed<'e>(email: &'e str, username: &str) -> Result<&'e str> {
    let email = email.trim();
    if email.chars().any(char::is_control) {
        return Err(Error::EmailInvalid);
    }
    if username.chars().any(char::is_control) || username.trim() != username {
        return Err(Error::UsernameInvalid);
    }
    Ok(email)
}

async fn insert(conn: &mut PgConnection, email: &str, username: &str, hash: Option<&str>) -> Result<Uuid> {
    let id = Uuid::now_v7();
    // The unique index refuses a second account with an address. A query before the insert could miss one.
    sqlx::query!(
        "insert into users (id, email, username, password_hash, password_changed_at)
         values ($1, $2, $3, $4, now())",
        id,
        email,
        username,
        hash,
    )
    .execute(conn)
    .await?;
    Ok(id)
}
