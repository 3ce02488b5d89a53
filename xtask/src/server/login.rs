//! Connects to a native server over TCP on this machine.

use std::time::Duration;

use anyhow::Context;
use cluster::Login;
use migrations::sqlstate;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::timeout;

/// A server that has just finished recovery may be busy.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// Everything but the database. Every option is set, because sqlx would read the others from `PGHOST`, `PGSSLMODE` and the
/// like.
pub(crate) fn login_options(port: u16, role: &str, password: &str) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
    options.username(role).password(password).ssl_mode(PgSslMode::Disable)
}

/// Connects to a server that was just started, and runs a first query.
pub(super) async fn try_login(options: PgConnectOptions) -> anyhow::Result<Login> {
    let first_query = async {
        let mut connection = PgConnection::connect_with(&options.database("postgres")).await?;
        sqlx::query("select 1").execute(&mut connection).await?;
        connection.close().await
    };
    let answer = timeout(TO_ANSWER, first_query).await.context("wait for the new server's first answer")?;
    let Err(error) = answer else { return Ok(Login::Answered) };
    match sqlstate::code(&error).as_deref() {
        // Invalid password, invalid authorization: no such role, or one that may not log in.
        Some("28P01" | "28000") => Ok(Login::Refused),
        // The user dropped the database `postgres`, as they may; the password was right.
        Some("3D000") => Ok(Login::Answered),
        _ => Err(error).context("run a first query on the new server"),
    }
}
