//! Databases on the server of a benchmark, and the programs of PostgreSQL that work on them.

use std::path::PathBuf;

use cluster::binaries::find_binaries;
use duct::Expression;
use migrations::Postgres;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use url::Url;

use crate::{server::psql::find_psql, throwaway::test_server::TestServer, verbs::bench::client::client};

/// A server for a benchmark alone.
pub(super) struct Databases {
    server: PgConnectOptions,
    url: Url,
    dump: PathBuf,
}

impl Databases {
    pub(super) fn on(server: &TestServer, postgres: &Postgres) -> anyhow::Result<Databases> {
        // The newest, because an older `pg_dump` refuses a newer server.
        let newest = find_binaries(postgres.version, None).map(|binaries| binaries.program("pg_dump"));
        let dump = match newest {
            Ok(dump) if dump.is_file() => dump,
            _ => find_psql(postgres)?.with_file_name("pg_dump"),
        };
        Ok(Databases { server: server.options().clone(), url: server.url().clone(), dump })
    }

    pub(super) fn options(&self, database: &str) -> PgConnectOptions {
        self.server.clone().database(database)
    }

    pub(super) fn url(&self, database: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(database);
        url
    }

    pub(super) async fn sql(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        let mut conn: PgConnection = self.options(database).connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await?;
        Ok(conn.close().await?)
    }

    pub(super) async fn recreate(&self, database: &str) -> anyhow::Result<()> {
        self.sql("postgres", &format!("drop database if exists {database} with (force)")).await?;
        self.sql("postgres", &format!("create database {database} template template0")).await
    }

    /// Makes a database with a schema.
    pub(super) async fn make(&self, database: &str, schema: &str) -> anyhow::Result<()> {
        self.recreate(database).await?;
        self.sql(database, schema).await
    }

    /// `pg_dump --schema-only` of a database.
    pub(super) fn dump(&self, database: &str) -> anyhow::Result<Expression> {
        Ok(self.program("pg_dump", ["--schema-only"], database)?.stdout_null())
    }

    /// A program of PostgreSQL that connects to a database.
    pub(super) fn program<const N: usize>(
        &self,
        name: &str,
        words: [&str; N],
        database: &str,
    ) -> anyhow::Result<Expression> {
        client(&self.dump.with_file_name(name), words, &self.url, database)
    }
}
