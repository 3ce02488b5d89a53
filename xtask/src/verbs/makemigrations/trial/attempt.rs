//! A statement that Postgres may refuse.

use migrations::Error;
use sqlx::{AssertSqlSafe, PgConnection};

/// What Postgres refused.
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) constraint: Option<String>,
}

/// Runs a statement by itself. It leaves nothing if Postgres refuses it.
pub(super) async fn runs(conn: &mut PgConnection, sql: String) -> anyhow::Result<Result<(), Refused>> {
    let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await;
    let Err(error) = ran else { return Ok(Ok(())) };
    match error.as_database_error() {
        Some(refused) => Ok(Err(Refused {
            message: refused.message().to_owned(),
            constraint: refused.constraint().map(str::to_owned),
        })),
        None => Err(Error::database("try new migrations with rows")(error).into()),
    }
}
