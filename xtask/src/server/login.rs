//! Connects to a native server over TCP on this machine.

use std::time::Duration;

use anyhow::Context;
use cluster::Login;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::timeout;

/// A server that has just recovered may be busy.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// Everything but the database. Said in full, because sqlx takes what is not said from `PGHOST`, `PGSSLMODE`
/// and the like.
pub(crate) fn login_options(port: u16, role: &str, password: &str) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
    options.username(role).password(password).ssl_mode(PgSslMode::Disable)
}

/// Asks a server that has just been started to answer a query.
pub(crate) async fn try_login(options: PgConnectOptions) -> anyhow::Result<Login> {
    let first_query = async {
        let mut connection = PgConnection::connect_with(&options.database("postgres")).await?;
        sqlx::query("select 1").execute(&mut connection).await?;
        connection.close().await
    };
    let answer = timeout(TO_ANSWER, first_query).await.context("wait for the new server's first answer")?;
    let Err(error) = answer else { return Ok(Login::Answered) };
    match error.as_database_error().and_then(|it| it.code()).as_deref() {
        // Invalid password, invalid authorization: no such role, or one that may not log in.
        Some("28P01" | "28000") => Ok(Login::Refused),
        // Its owner has dropped the database `postgres`, which is nobody's business; the password was right.
        Some("3D000") => Ok(Login::Answered),
        _ => Err(error).context("ask the new server for its first answer"),
    }
}
