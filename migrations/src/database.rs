//! Databases as a whole: connecting to one, creating one with its environment marker, reading the marker.
//!
//! The marker is the database's comment. It is written in the statement after the creation, can be read from any other
//! database of the server, and is not cloned with the database. The idea of storing the environment in the database comes
//! from Rails.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Error, Postgres};
pub use crate::{
    server_process::{connect, pinned, refused, require_direct},
    url::{UrlError, options, url},
};

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

/// The server's version, such as `15.18`, as the server reported it when it accepted the connection.
///
/// # Errors
/// [`Error::ServerTooOld`] if it is older than the manifest allows.
pub fn require_version(conn: &PgConnection, postgres: &Postgres) -> Result<String, Error> {
    // 150018 is 15.18.
    let number = conn.server_version_num().unwrap_or(0);
    let (found, required) = (format!("{}.{}", number / 10_000, number % 10_000), postgres.version);
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

/// Makes sure that nothing holds a database read-only for this role, whichever database of the server the connection is to.
///
/// # Errors
/// [`Error::ReadOnly`]: `default_transaction_read_only` is on. Administrators set it as a freeze, and providers when a disk is
/// full. [`Error::Database`].
pub async fn require_writable(conn: &mut PgConnection, name: &str) -> Result<(), Error> {
    const DOING: &str = "ask whether the database is read-only";
    let sql = "select current_database() = $1, current_setting('default_transaction_read_only') = 'on'";
    let found = sqlx::query_as(sql).bind(name).fetch_one(&mut *conn).await;
    let (here, on): (bool, bool) = found.map_err(Error::database(DOING))?;
    if here && !on {
        return Ok(());
    }
    // In the order in which one overrides the other.
    let set = sqlx::query_as(
        "select frozen, scope, command from (
             select split_part(setting, '=', 2)::boolean as frozen, s.setrole <> 0 as of_role, s.setdatabase <> 0 as of_database,
                    case when s.setrole <> 0 and s.setdatabase <> 0 then format('role `%s` in this database', r.rolname)
                         when s.setrole <> 0 then format('role `%s`', r.rolname)
                         when s.setdatabase <> 0 then 'the database' else 'all roles' end as scope,
                    case when s.setrole <> 0 and s.setdatabase <> 0 then format('alter role %I in database %I', r.rolname, d.datname)
                         when s.setrole <> 0 then format('alter role %I', r.rolname)
                         when s.setdatabase <> 0 then format('alter database %I', d.datname) else 'alter role all' end as command
             from pg_db_role_setting s cross join unnest(s.setconfig) setting
             left join pg_database d on d.oid = s.setdatabase left join pg_roles r on r.oid = s.setrole
             where setting like 'default_transaction_read_only=%' and (s.setdatabase = 0 or d.datname = $1)
               and (s.setrole = 0 or r.rolname = session_user)
         ) found order by of_role and of_database desc, of_role desc, of_database desc limit 1",
    );
    let set: Option<(bool, String, String)> =
        set.bind(name).fetch_optional(conn).await.map_err(Error::database(DOING))?;
    let (scope, remedy) = match set {
        Some((frozen, scope, command)) if here || frozen => (
            scope,
            format!(
                "if it may be written to again: set default_transaction_read_only = off; {command} reset default_transaction_read_only"
            ),
        ),
        None if on => (
            "the whole server or this connection".to_owned(),
            "if it may be written to again, set it back in the server's configuration or the options of the connection".to_owned(),
        ),
        _ => return Ok(()),
    };
    Err(Error::ReadOnly { database: name.to_owned(), scope, remedy })
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
