//! Throwaway databases on a server: creates one, empty or as a clone, and removes it; lists and sweeps all of them.

use anyhow::Context;
use sqlx::{
    PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{
    owner::{Owner, Purpose, maintenance},
    statements::{copy, discard},
    template::Template,
};

pub use crate::sweep::{databases, sweep};

/// A throwaway database under a unique name, with a connection of its own that shows that its owner lives.
///
/// [`Scratch::discard`] removes it. A drop cannot wait for the server, so a database that was only dropped stays until the
/// next sweep.
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
    /// If the server does not answer, or the role may not create databases.
    pub async fn create(server: &PgConnectOptions) -> anyhow::Result<Scratch> {
        let mut conn = maintenance(server).await?;
        let owner = Owner::new(&mut conn).await?;
        Scratch::lend(server, conn, owner, &Template::default()).await
    }

    /// Clones a template.
    pub(crate) async fn lend(
        server: &PgConnectOptions,
        mut conn: PgConnection,
        owner: Owner,
        template: &Template,
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

    /// Replaces it with an empty database of the same name. Sessions that are connected to it end.
    ///
    /// # Errors
    /// If the server does not answer, or a session does not end.
    pub async fn empty(&mut self) -> anyhow::Result<()> {
        discard(&mut self.conn, &self.name).await?;
        copy(&mut self.conn, &self.owner, &self.name, None).await?;
        self.owner.mark(&mut self.conn, &self.name, &Purpose::Lent).await
    }

    /// Leaves it there for people to look at.
    pub(crate) async fn keep(mut self, test: &str) -> anyhow::Result<()> {
        self.owner.mark(&mut self.conn, &self.name, &Purpose::Kept(test.to_owned())).await
    }

    /// Drops the database, and ends the sessions that are still connected to it.
    ///
    /// # Errors
    /// If the server does not answer, or a session does not end.
    pub async fn discard(mut self) -> anyhow::Result<()> {
        discard(&mut self.conn, &self.name).await
    }
}

/// How to connect to a database that was lent. Its URL is complete, so the environment of this process, which may be meant
/// for another server, has no part in it.
///
/// # Errors
/// If it is not a connection string of Postgres.
pub fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    let options = migrations::database::options(url).context("read the URL of the database")?;
    // Left out where it is the default.
    let names_mode = url.split_once('?').is_some_and(|(_, parameters)| parameters.contains("sslmode="));
    Ok(if names_mode { options } else { options.ssl_mode(PgSslMode::Prefer) })
}

/// The connection string of a database on a server, as every client reads it.
pub(crate) fn url(server: &PgConnectOptions, database: &str) -> String {
    use sqlx::ConnectOptions as _;
    let mut url = server.clone().database(database).to_url_lossy();
    // sqlx writes out settings that no other client understands, and defaults that only add noise.
    let useful = |(name, value): &(String, String)| {
        name != "statement-cache-capacity"
            && !(name == "sslmode" && matches!(value.as_str(), "prefer" | "disable"))
    };
    let useful: Vec<(String, String)> = url.query_pairs().into_owned().filter(useful).collect();
    url.set_query(None);
    if !useful.is_empty() {
        url.query_pairs_mut().extend_pairs(useful);
    }
    url.into()
}

/// Creates a database, marked as lent to the owner. Returns its name.
pub(crate) async fn create(
    conn: &mut PgConnection,
    owner: &Owner,
    template: &Template,
) -> anyhow::Result<String> {
    let name = owner.new_name();
    copy(conn, owner, &name, Some(&*template.name).filter(|name| !name.is_empty())).await?;
    owner.mark(conn, &name, &Purpose::Lent).await?;
    template.complete(conn, &name).await?;
    Ok(name)
}
