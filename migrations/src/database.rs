//! Databases as a whole: connecting to one, creating one with its environment marker, reading the marker.
//!
//! The marker is the database's comment. It is written in the statement after the creation, can be read from any other
//! database of the server, and is not cloned with the database. The idea of storing the environment in the database comes
//! from Rails.

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgConnectOptions};

use crate::{Error, Project};

/// The marker of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Marker {
    /// What the database is for: `development`, `production`, `scratch`.
    pub environment: String,
    /// The day it was created, as `2026-03-02`.
    pub created: String,
}

impl Marker {
    /// A marker, as [`read_marker`] would find it.
    pub fn new(environment: impl Into<String>, created: impl Into<String>) -> Marker {
        Marker { environment: environment.into(), created: created.into() }
    }
}

/// A database and its marker, seen from another database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No database has that name.
    Absent,
    /// It exists, and has no marker.
    Unmarked,
    /// It exists and has a marker.
    Marked(Marker),
}

/// Parses a connection string.
///
/// # Errors
/// If it is not a connection string of Postgres.
pub fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    // sqlx would treat an IPv6 address in brackets as a host name.
    let bare =
        options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    Ok(match bare {
        Some(address) => options.host(&address),
        None => options,
    })
}

/// The server's version, such as `15.18`, as the server reported it when it accepted the connection.
///
/// # Errors
/// [`Error::ServerTooOld`] if it is older than the manifest allows.
pub fn require_version(conn: &PgConnection, project: &Project) -> Result<String, Error> {
    // 150018 is 15.18.
    let number = conn.server_version_num().unwrap_or(0);
    let (found, required) = (format!("{}.{}", number / 10_000, number % 10_000), project.postgres.version);
    if number / 10_000 < required { Err(Error::ServerTooOld { found, required }) } else { Ok(found) }
}

/// Looks for a database and its marker by name, from another database of the same server.
///
/// # Errors
/// [`Error::Database`].
pub async fn read_marker(conn: &mut PgConnection, name: &str) -> Result<Found, Error> {
    let comment: Option<Option<String>> = sqlx::query_scalar(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = $1",
    )
    .bind(name)
    .fetch_optional(conn)
    .await
    .map_err(Error::database("look for the database"))?;
    Ok(match comment {
        None => Found::Absent,
        Some(comment) => comment.as_deref().and_then(parse_marker).map_or(Found::Unmarked, Found::Marked),
    })
}

/// Creates an empty database, whatever this server's `template1` has, and marks it with its environment.
///
/// # Errors
/// [`Error::Database`], for example if it exists, or if the role may not create databases.
pub async fn create(conn: &mut PgConnection, name: &str, environment: &str) -> Result<(), Error> {
    const DOING: &str = "create the database";
    // The server quotes the names here and below, as `comment` takes no parameters, and neither does `create database`.
    let sql = sqlx::query_scalar("select format('create database %I template template0', $1)").bind(name);
    let sql = sql.fetch_one(&mut *conn).await.map_err(Error::database(DOING))?;
    execute(conn, sql, DOING).await?;
    mark(conn, name, environment).await
}

/// Marks a database with its environment, and with today as the day of its creation.
///
/// # Errors
/// [`Error::Database`].
pub async fn mark(conn: &mut PgConnection, name: &str, environment: &str) -> Result<(), Error> {
    let sql = sqlx::query_scalar(
        "select format('comment on database %I is %L', $1, 'environment=' || $2 || ' created=' || current_date)",
    )
    .bind(name)
    .bind(environment)
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::database("mark the database"))?;
    execute(conn, sql, "mark the database").await
}

/// Ends all sessions of a database, and waits up to five seconds for each of them to end.
///
/// # Errors
/// [`Error::Database`], for example if the role may not do that.
pub async fn end_sessions(conn: &mut PgConnection, name: &str) -> Result<(), Error> {
    sqlx::query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1")
        .bind(name)
        .execute(conn)
        .await
        .map_err(Error::database("end the sessions of the database"))?;
    Ok(())
}

async fn execute(conn: &mut PgConnection, sql: String, doing: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map_err(Error::database(doing))?;
    Ok(())
}

fn parse_marker(comment: &str) -> Option<Marker> {
    let mut words = comment.split(' ');
    let environment = words.next()?.strip_prefix("environment=")?;
    let created = words.next()?.strip_prefix("created=")?;
    Some(Marker { environment: environment.to_owned(), created: created.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_marker_of_ours_is_read() {
        let marker = Marker::new("production", "2026-03-02");
        assert_eq!(parse_marker("environment=production created=2026-03-02"), Some(marker));
        assert_eq!(parse_marker("the environment=production one"), None);
    }
}
