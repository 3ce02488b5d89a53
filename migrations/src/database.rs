//! Databases as a whole: creating one with its environment marker, reading the marker, dropping it.
//!
//! The marker is the database's own comment. It is written in the statement after its creation, can be read from any other
//! database of the server, and does not come along when the database is cloned. The idea of an environment that lives in
//! the database is Rails's.

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgConnectOptions};

use crate::{Error, Project};

/// What the marker of a database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// What the database is for: `development`, `production`, `scratch`.
    pub environment: String,
    /// The day it was created, as `2026-03-02`.
    pub created: String,
}

/// What is known of a database from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There is none of that name.
    Absent,
    /// It is there and bears no marker of ours.
    Unmarked,
    /// It is there and marked.
    Marked(Marker),
}

/// How to connect to what a connection string names.
///
/// # Errors
/// Where it is no connection string of Postgres.
pub fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    // sqlx would look up an IPv6 address with its brackets.
    let bare =
        options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    Ok(match bare {
        Some(address) => options.host(&address),
        None => options,
    })
}

/// The server's version, such as `15.18`, as it told it when we connected.
///
/// # Errors
/// [`Error::ServerTooOld`] where it is older than the manifest allows.
pub fn require_version(conn: &PgConnection, project: &Project) -> Result<String, Error> {
    // 150018 is 15.18.
    let number = conn.server_version_num().unwrap_or(0);
    let (found, wanted) = (format!("{}.{}", number / 10_000, number % 10_000), project.postgres.version);
    if number / 10_000 < wanted { Err(Error::ServerTooOld { found, wanted }) } else { Ok(found) }
}

/// Looks for a database by name, from another one of the same server.
///
/// # Errors
/// [`Error::Database`].
pub async fn find(conn: &mut PgConnection, name: &str) -> Result<Found, Error> {
    let comment: Option<Option<String>> = sqlx::query_scalar(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = $1",
    )
    .bind(name)
    .fetch_optional(conn)
    .await
    .map_err(Error::database("look for the database"))?;
    Ok(match comment {
        None => Found::Absent,
        Some(comment) => comment.as_deref().and_then(parse).map_or(Found::Unmarked, Found::Marked),
    })
}

/// Creates a database that holds nothing, whatever this server's `template1` does, and marks it with what it is for.
///
/// # Errors
/// [`Error::Database`]; among others where it exists, or the role may not create databases.
pub async fn create(conn: &mut PgConnection, name: &str, environment: &str) -> Result<(), Error> {
    execute(conn, format!("create database {} template template0", quoted(name)), "create the database")
        .await?;
    mark(conn, name, environment).await
}

/// Marks a database with what it is for.
///
/// # Errors
/// [`Error::Database`].
pub async fn mark(conn: &mut PgConnection, name: &str, environment: &str) -> Result<(), Error> {
    // `comment` takes a literal only, so the server puts the statement together.
    let sql: String = sqlx::query_scalar(
        "select format('comment on database %I is %L', $1, 'environment=' || $2 || ' created=' || current_date)",
    )
    .bind(name)
    .bind(environment)
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::database("mark the database"))?;
    execute(conn, sql, "mark the database").await
}

/// Ends everybody's sessions on a database, and waits for up to five seconds a session until they are gone.
///
/// # Errors
/// [`Error::Database`]; among others where the role may not.
pub async fn end_sessions(conn: &mut PgConnection, name: &str) -> Result<(), Error> {
    sqlx::query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1")
        .bind(name)
        .execute(conn)
        .await
        .map_err(Error::database("end the sessions of the database"))?;
    Ok(())
}

/// Drops a database that nobody is connected to. Absent is as good as dropped.
///
/// # Errors
/// [`Error::Database`]; among others where somebody is connected.
pub async fn drop(conn: &mut PgConnection, name: &str) -> Result<(), Error> {
    execute(conn, format!("drop database if exists {}", quoted(name)), "drop the database").await
}

async fn execute(conn: &mut PgConnection, sql: String, doing: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map_err(Error::database(doing))?;
    Ok(())
}

/// A name as SQL wants it where it may hold anything.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn parse(comment: &str) -> Option<Marker> {
    let mut words = comment.split(' ');
    let environment = words.next()?.strip_prefix("environment=")?;
    let created = words.next()?.strip_prefix("created=")?;
    Some(Marker { environment: environment.to_owned(), created: created.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_they_hold() {
        assert_eq!(quoted("app"), "\"app\"");
        assert_eq!(quoted("a\"; drop database b; --"), "\"a\"\"; drop database b; --\"");
    }

    #[test]
    fn only_a_marker_of_ours_is_read() {
        let marker = Marker { environment: "production".to_owned(), created: "2026-03-02".to_owned() };
        assert_eq!(parse("environment=production created=2026-03-02"), Some(marker));
        assert_eq!(parse("the environment=production one"), None);
    }
}
