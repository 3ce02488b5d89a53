//! A new database in the place of an old one, which stays until the new one is complete.

use migrations::{
    Error, LONGEST_NAME,
    database::{self, Found},
};
use sqlx::AssertSqlSafe;

use crate::{
    database::{
        dropping::{self, DropOptions, drop_if_exists},
        session,
        sql::quoted,
    },
    server::Server,
    terminal::output::Steps,
};

/// The environment of a database that is being built, by which the next command knows it for one that was left behind.
pub(crate) const BEING_BUILT: &str = "being-built";
/// What follows the name of the database to be replaced.
const SUFFIX: &str = "_new";

/// The server with the database that is built beside the present one. It does not exist yet.
pub(crate) async fn beside(server: &Server) -> anyhow::Result<Server> {
    let name = beside_name(server.database());
    let mut conn = session::maintenance(server).await?;
    match database::read_marker(&mut conn, &name).await? {
        Found::Absent => {}
        Found::Marked(marker) if marker.environment == BEING_BUILT => {
            drop_if_exists(&mut conn, &name).await?;
        }
        _ => anyhow::bail!(
            "database `{name}` is in the way of the new one, and this command did not make it; nothing was touched\n  rename it: \
             cargo xtask db-shell --command 'alter database {} rename to {}'",
            quoted(&name),
            quoted(&format!("{name}_old"))
        ),
    }
    Ok(server.clone().with_database(&name))
}

fn beside_name(name: &str) -> String {
    let mut name = name.to_owned();
    while name.len() + SUFFIX.len() > LONGEST_NAME {
        name.pop();
    }
    name + SUFFIX
}

/// Removes a new database that did not become complete. The old one was not touched.
pub(crate) async fn give_up(beside: &Server) -> anyhow::Result<()> {
    let mut conn = session::maintenance(beside).await?;
    database::end_sessions(&mut conn, beside.database()).await?;
    Ok(drop_if_exists(&mut conn, beside.database()).await?)
}

/// Drops the old database, and gives its name to the new one.
pub(crate) async fn replace(
    old: &Server,
    beside: &Server,
    environment: &str,
    options: &DropOptions,
    steps: &mut Steps,
) -> anyhow::Result<()> {
    dropping::drop_database(old, options, "db-reset", steps).await?;
    let mut conn = session::maintenance(old).await?;
    database::end_sessions(&mut conn, beside.database()).await?;
    let (from, to) = (quoted(beside.database()), quoted(old.database()));
    let rename = AssertSqlSafe(format!("alter database {from} rename to {to}"));
    let renamed = sqlx::raw_sql(rename).execute(&mut conn).await;
    renamed.map_err(Error::database("rename the new database"))?;
    database::mark(&mut conn, old.database(), environment).await?;
    steps.done("database", beside.database(), &format!("renamed to {}", old.database()), None);
    Ok(())
}
