//! One throwaway database: created empty or as a clone, and discarded for good.

use anyhow::Context;
use migrations::database;
use sqlx::{AssertSqlSafe, PgConnection, postgres::PgConnectOptions};

use crate::owner::{Owner, Purpose, maintenance};

/// A database that nobody will miss, under a name that nobody else has, with a connection of its own that shows that its
/// owner lives.
///
/// It goes away by [`Scratch::discard`], or by whoever sweeps after its owner is gone: a drop cannot wait for the server.
pub struct Scratch {
    server: PgConnectOptions,
    name: String,
    conn: PgConnection,
    owner: Owner,
}

impl Scratch {
    /// Creates an empty one on a server.
    ///
    /// # Errors
    /// Where the server does not answer, or the role may not create databases.
    pub async fn create(server: &PgConnectOptions) -> anyhow::Result<Scratch> {
        let mut conn = maintenance(server).await?;
        let owner = Owner::new(&mut conn).await?;
        Scratch::lend(server, conn, owner, None).await
    }

    /// Clones a template; with none, creates an empty one.
    pub(crate) async fn lend(
        server: &PgConnectOptions,
        mut conn: PgConnection,
        owner: Owner,
        template: Option<&str>,
    ) -> anyhow::Result<Scratch> {
        let name = create(&mut conn, &owner, template).await?;
        Ok(Scratch { server: server.clone(), name, conn, owner })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// Its connection string, password included.
    pub fn url(&self) -> String {
        url(&self.server, &self.name)
    }

    /// Leaves it there for people to look at.
    pub(crate) async fn keep(mut self, test: &str) -> anyhow::Result<()> {
        self.owner.mark(&mut self.conn, &self.name, &Purpose::Kept(test.to_owned())).await
    }

    /// Drops the database, and ends whoever is still connected to it.
    ///
    /// # Errors
    /// Where the server does not answer, or a session does not end.
    pub async fn discard(mut self) -> anyhow::Result<()> {
        discard(&mut self.conn, &self.name).await
    }
}

/// A connection string as every client reads it.
pub(crate) fn url(server: &PgConnectOptions, database: &str) -> String {
    use sqlx::ConnectOptions as _;
    let mut url = server.clone().database(database).to_url_lossy();
    // sqlx writes out settings of its own that no other client knows, and defaults that nobody needs to read.
    let told = |(name, value): &(String, String)| {
        name != "statement-cache-capacity"
            && !(name == "sslmode" && matches!(value.as_str(), "prefer" | "disable"))
    };
    let told: Vec<(String, String)> = url.query_pairs().into_owned().filter(told).collect();
    url.set_query(None);
    if !told.is_empty() {
        url.query_pairs_mut().extend_pairs(told);
    }
    url.into()
}

/// Creates a database that is lent to the owner.
pub(crate) async fn create(
    conn: &mut PgConnection,
    owner: &Owner,
    template: Option<&str>,
) -> anyhow::Result<String> {
    let name = owner.new_name();
    copy(conn, owner, &name, template).await?;
    owner.mark(conn, &name, &Purpose::Lent).await?;
    Ok(name)
}

/// Copies a template; `template0` holds nothing, whatever this server's `template1` does.
pub(crate) async fn copy(
    conn: &mut PgConnection,
    owner: &Owner,
    name: &str,
    template: Option<&str>,
) -> anyhow::Result<()> {
    // Copying files is the faster way where nothing has to reach a disk, and the slower one, by two checkpoints, where it has.
    let strategy = if owner.in_memory { " strategy file_copy" } else { "" };
    let sql = format!("create database {name} template {}{strategy}", template.unwrap_or("template0"));
    // Not prepared, which would ask the server twice.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.with_context(|| format!("create {name}"))?;
    Ok(())
}

/// Drops a database, and ends whoever is still connected to it.
pub(crate) async fn discard(conn: &mut PgConnection, name: &str) -> anyhow::Result<()> {
    // Never `drop … with (force)`: it sleeps for 100 ms where a session is still there.
    database::end_sessions(conn, name).await?;
    drop(conn, name).await.with_context(|| format!("drop {name}"))
}

/// Drops a database without sessions, if it exists.
pub(crate) async fn drop(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let sql = format!("drop database if exists \"{}\"", name.replace('"', "\"\""));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(|_| ())
}
