//! How the first administrator comes to be: nobody is there yet who could give the role.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{Registration, Scope, User, activate, grant_role, register};
use crate::{
    Result,
    audit::{Actor, Entry, record},
};

/// The role of whoever runs the whole platform.
pub const ADMIN: &str = "admin";

/// Makes an account that is active, its address taken as proven, and that holds the role [`ADMIN`] everywhere.
///
/// # Errors
/// As [`register`]; [`Error::NoSuchRole`](crate::Error::NoSuchRole) where the reference data are missing.
pub async fn create_superuser(
    conn: &mut PgConnection,
    actor: &Actor,
    registration: Registration<'_>,
) -> Result<User> {
    let mut transaction = conn.begin().await?;
    let id = register(&mut transaction, actor, registration).await?.id;
    let user = activate(&mut transaction, actor, id).await?;
    // As Django's superusers: with `is_staff`, which other programs look at.
    sqlx::query!("update users set is_superuser = true, is_staff = true where id = $1", id)
        .execute(&mut *transaction)
        .await?;
    let changes = json!({ "is_superuser": true, "is_staff": true });
    record(&mut transaction, actor, Entry::new("update", "user", id).changes(changes)).await?;
    grant_role(&mut transaction, actor, id, ADMIN, &Scope::Global, None).await?;
    transaction.commit().await?;
    Ok(user)
}
