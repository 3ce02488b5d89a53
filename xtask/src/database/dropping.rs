//! Dropping the development database, once it is safe to: what `db-drop` and `db-reset` share.

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args as ClapArgs;
use migrations::{
    Error,
    database::{self, Found},
};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::sleep;

use crate::{
    database::{
        safety::{self, Destruction},
        session,
        sql::quoted,
    },
    server::Server,
    terminal::output::{Steps, timed},
};

/// On a busy machine the session of a command that just ended may take a moment to close.
const TO_LEAVE: Duration = Duration::from_secs(1);

/// The options that `db-drop` and `db-reset` share.
#[derive(Debug, ClapArgs)]
pub(crate) struct DropOptions {
    /// Skip the safety check; repeat the database's name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    pub(crate) confirm: Option<String>,
    /// Close other connections to the database
    #[arg(long)]
    pub(crate) force: bool,
}

/// Drops the database if that is safe. An absent database counts as dropped.
pub(crate) async fn drop_database(
    server: &Server,
    options: &DropOptions,
    command: &str,
    steps: &mut Steps,
) -> anyhow::Result<()> {
    let name = server.database();
    if may_drop(server, options, command).await? == Found::Absent {
        steps.done("database", name, "absent", None);
        return Ok(());
    }
    let mut conn = session::maintenance(server).await?;
    disconnect(&mut conn, name, options, command).await?;
    let (dropped, elapsed) = timed(drop_if_exists(&mut conn, name)).await;
    dropped?;
    steps.done("database", name, "dropped", Some(elapsed));
    Ok(())
}

/// Refuses unless it is safe to drop the database, and returns what it is.
pub(crate) async fn may_drop(server: &Server, options: &DropOptions, command: &str) -> anyhow::Result<Found> {
    let name = server.database();
    if matches!(name, "postgres" | "template0" | "template1") {
        bail!(
            "database `{name}` belongs to the server itself\n  put another name at the end of DATABASE_URL"
        );
    }
    let mut conn = session::maintenance(server).await?;
    let found = database::read_marker(&mut conn, name).await?;
    let what = format!("{command} would destroy it");
    let confirmed = options.confirm.as_deref();
    let again = safety::again(command, name);
    Destruction { target: name, what: &what, confirmed, again }.check(&server.options, &found)?;
    if found == Found::Absent {
        return Ok(found);
    }
    database::require_writable(&mut conn, name).await?;
    if !options.force {
        disconnect(&mut conn, name, options, command).await?;
    }
    Ok(found)
}

/// Waits until no one is connected, or closes the connections: Postgres drops no database in use.
async fn disconnect(
    conn: &mut PgConnection,
    name: &str,
    options: &DropOptions,
    command: &str,
) -> anyhow::Result<()> {
    if options.force {
        return Ok(database::end_sessions(conn, name).await?);
    }
    let began = Instant::now();
    let mut others = sessions(conn, name).await?;
    while !others.is_empty() && began.elapsed() < TO_LEAVE {
        sleep(Duration::from_millis(20)).await;
        others = sessions(conn, name).await?;
    }
    if !others.is_empty() {
        bail!(
            "database `{name}` has open connections; nothing was touched\n  {}\n  close them yourself, or with: cargo xtask \
             {command} --force",
            others.join("\n  ")
        );
    }
    Ok(())
}

/// Drops a database that has no sessions.
pub(crate) async fn drop_if_exists(conn: &mut PgConnection, name: &str) -> Result<(), Error> {
    let sql = AssertSqlSafe(format!("drop database if exists {}", quoted(name)));
    let dropped = sqlx::raw_sql(sql).execute(conn).await;
    dropped.map(|_| ()).map_err(Error::database("drop the database"))
}

/// The sessions connected to a database, a line each.
async fn sessions(conn: &mut PgConnection, name: &str) -> anyhow::Result<Vec<String>> {
    let others = sqlx::query_scalar(
        "select format('pid %s, application `%s`, role `%s`', pid, application_name, usename)
         from pg_stat_activity where datname = $1 and backend_type = 'client backend' order by backend_start",
    );
    let others = others.bind(name).fetch_all(conn).await;
    Ok(others.map_err(Error::database("list the connected sessions"))?)
}
