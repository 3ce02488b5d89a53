//! One throwaway database: created empty, and discarded for good.

use anyhow::Context;
use migrations::database;
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};

/// What the environment marker of a scratch database says.
const ENVIRONMENT: &str = "scratch";

/// A database that nobody will miss, under a name that nobody else has.
///
/// It goes away by [`Scratch::discard`] only: a drop cannot wait for the server.
pub struct Scratch {
    server: PgConnectOptions,
    name: String,
}

impl Scratch {
    /// Creates one on a server. The options' own database is where the statement is sent from.
    ///
    /// # Errors
    /// Where the server does not answer, or the role may not create databases.
    pub async fn create(server: &PgConnectOptions) -> anyhow::Result<Scratch> {
        // 128 random bits: no two tests on any machine ever meet.
        let name = format!("scratch_{:032x}", rand::random::<u128>());
        let mut conn = maintenance(server).await?;
        database::create(&mut conn, &name, ENVIRONMENT).await?;
        Ok(Scratch { server: server.clone(), name })
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
        let mut url = self.options().to_url_lossy();
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

    /// Drops the database, and ends whoever is still connected to it.
    ///
    /// # Errors
    /// Where the server does not answer, or a session does not end.
    pub async fn discard(self) -> anyhow::Result<()> {
        let mut conn = maintenance(&self.server).await?;
        // Never `drop … with (force)`: it sleeps for 100 ms where a session is still there.
        database::end_sessions(&mut conn, &self.name).await?;
        database::drop(&mut conn, &self.name).await.with_context(|| format!("drop {}", self.name))
    }
}

/// A connection to the server itself, rather than to a database of it.
async fn maintenance(server: &PgConnectOptions) -> anyhow::Result<PgConnection> {
    server.clone().database("postgres").connect().await.context("connect to the test server")
}
