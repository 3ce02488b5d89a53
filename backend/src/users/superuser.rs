//! Creating the first administrator, when no administrator exists who could grant the role.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{
    account::User,
    lifecycle::activate,
    registration::{Registration, register},
    roles::{Scope, grant_role},
};
use crate::{
    Result,
    audit::{Actor, Entry, record},
};

/// The role for administrators of the whole platform.
pub const ADMIN: &str = "admin";

/// Creates an account that is active, has a verified address, and holds the role [`ADMIN`] globally.
///
/// # Errors
/// The same as [`register`], and [`Error::NoSuchRole`](crate::Error::NoSuchRole) if the seeds have not run.
pub async fn create_superuser(
    conn: &mut PgConnection,
    actor: &Actor,
    registration: Registration<'_>,
) -> Result<User> {
    let mut transaction = conn.begin().await?;
    let id = register(&mut transaction, actor, registration).await?.id;
    let user = activate(&mut transaction, actor, id).await?;
    // With `is_staff`, like a superuser of Django, because other programs check it.
    sqlx::query!("update users set is_superuser = true, is_staff = true where id = $1", id)
        .execute(&mut *transaction)
        .await?;
    let changes = json!({ "is_superuser": true, "is_staff": true });
    record(&mut transaction, actor, Entry::new("update", "user", id).changes(changes)).await?;
    grant_role(&mut transaction, actor, id, ADMIN, &Scope::Global, None).await?;
    transaction.commit().await?;
    Ok(user)
}
