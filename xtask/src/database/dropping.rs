//! Dropping the development database, after a look at what it is: what `db-drop` and `db-reset` share.

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
    database::{safety, session},
    server::Server,
    terminal::output::{Steps, timed},
};

/// The session of a command that has just ended may take a moment to go, on a busy machine.
const TO_LEAVE: Duration = Duration::from_secs(1);

/// What `db-drop` and `db-reset` share.
#[derive(Debug, ClapArgs)]
pub(crate) struct Destruction {
    /// Do it although the database might matter; repeat its name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    pub(crate) confirm: Option<String>,
    /// End whoever is connected to it
    #[arg(long)]
    pub(crate) force: bool,
}

/// Drops the database if it may go, and tells what it was. Absent is as good as dropped.
pub(crate) async fn drop(
    server: &Server,
    destruction: &Destruction,
    command: &str,
    steps: &mut Steps,
) -> anyhow::Result<Found> {
    let name = server.database();
    if matches!(name, "postgres" | "template0" | "template1") {
        bail!(
            "database `{name}` belongs to the server itself\n  name another one at the end of DATABASE_URL"
        );
    }
    let mut conn = session::maintenance(server).await?;
    let found = database::read_marker(&mut conn, name).await?;
    let what = format!("{command} would destroy it");
    safety::may_destroy(&server.options, name, &found, &what, destruction.confirm.as_deref(), command)?;
    if found == Found::Absent {
        steps.done("database", name, "absent", None);
        return Ok(found);
    }
    disconnect(&mut conn, name, destruction, command).await?;
    let (dropped, elapsed) = timed(drop_database(&mut conn, name)).await;
    dropped?;
    steps.done("database", name, "dropped", Some(elapsed));
    Ok(found)
}

/// Makes sure that nobody is connected, which Postgres wants before it drops a database.
async fn disconnect(
    conn: &mut PgConnection,
    name: &str,
    destruction: &Destruction,
    command: &str,
) -> anyhow::Result<()> {
    if destruction.force {
        return Ok(database::end_sessions(conn, name).await?);
    }
    let began = Instant::now();
    let mut others = connected(conn, name).await?;
    while !others.is_empty() && began.elapsed() < TO_LEAVE {
        sleep(Duration::from_millis(20)).await;
        others = connected(conn, name).await?;
    }
    if !others.is_empty() {
        bail!(
            "somebody is connected to database `{name}`; nothing was touched\n  {}\n  close that, or end it: cargo xtask \
             {command} --force",
            others.join("\n  ")
        );
    }
    Ok(())
}

/// Drops a database that has no sessions.
async fn drop_database(conn: &mut PgConnection, name: &str) -> Result<(), Error> {
    let sql = AssertSqlSafe(format!("drop database if exists {}", session::quoted(name)));
    let dropped = sqlx::raw_sql(sql).execute(conn).await;
    dropped.map(|_| ()).map_err(Error::database("drop the database"))
}

/// Who is connected, each in a line.
async fn connected(conn: &mut PgConnection, name: &str) -> anyhow::Result<Vec<String>> {
    let others = sqlx::query_scalar(
        "select format('pid %s, application `%s`, role `%s`', pid, application_name, usename)
         from pg_stat_activity where datname = $1 and backend_type = 'client backend' order by backend_start",
    );
    let others = others.bind(name).fetch_all(conn).await;
    Ok(others.map_err(Error::database("look who is connected"))?)
}
