//! How an account begins.

use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{User, find};
use crate::{
    Error, Result,
    audit::{Actor, Entry, record},
    password,
};

/// What somebody types to get an account.
#[derive(Clone)]
pub struct Registration<'r> {
    /// Kept as typed, without the blanks around it.
    pub email: &'r str,
    /// Kept as typed.
    pub username: &'r str,
    /// Kept as a hash.
    pub password: &'r str,
}

/// Makes an account that waits for its address to be verified.
///
/// # Errors
/// [`Error::EmailTaken`], [`Error::UsernameTaken`], [`Error::EmailInvalid`], [`Error::UsernameInvalid`],
/// [`Error::PasswordWeak`].
pub async fn register(
    conn: &mut PgConnection,
    actor: &Actor,
    registration: Registration<'_>,
) -> Result<User> {
    let Registration { email, username, password } = registration;
    let email = well_formed(email, username)?;
    password::require_strong(password, &[email, username])?;
    // Before the transaction, which would hold its locks meanwhile.
    let hash = password::hash(password, password::COST).await?;

    let mut transaction = conn.begin().await?;
    let id = insert(&mut transaction, email, username, Some(&hash)).await?;
    let fields = json!({ "fields": ["email", "username", "password"] });
    record(&mut transaction, actor, Entry::new("create", "user", id).changes(fields)).await?;
    let user = find(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Tells whether an account could have this address and this name now, by making one and taking it back: the rules of
/// both, and who has them already, are the database's to know.
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

/// The address without the blanks around it, if neither it nor the name has what the database does not look for.
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
    // Who comes second with an address is told by the index: no question asked before could be sure.
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
