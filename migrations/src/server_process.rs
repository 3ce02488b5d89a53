//! The server process behind a new connection, and whether it is ours alone. A connection pooler may give each transaction
//! another one, without the session's settings, its advisory locks and its prepared statements.

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Row, postgres::PgConnectOptions};

use crate::{Error, sqlstate};

/// A setting of our own, which Postgres shows only if it got it from us along with all others.
const MARK: (&str, &str) = ("migrations.pinned", "on");
/// SQLSTATE with which PgBouncer rejects a setting that it does not pass on. Postgres itself has no reason to.
const REJECTED: &str = "08P01";

/// SQLSTATE of a session that took longer for a transaction than this setting allows.
const TIMED_OUT: &str = "25P04";
const TRANSACTION_TIMEOUT: (&str, &str) = ("transaction_timeout", "0");

/// An expression for the port on which Postgres itself listens.
pub(crate) const PORT: &str = "coalesce(inet_server_port()::text, current_setting('port'))";

/// What a server process shows when a session meets it.
pub(crate) struct ServerProcess {
    /// Its database. The options of a connection may have an alias.
    pub(crate) database: String,
    pub(crate) pid: i32,
    /// The settings of [`catalogue::PINNED_IF_SET`] that have another value.
    pub(crate) set: Vec<String>,
}

/// The options of a session that pins what changes how values are read, written, printed or checked, whatever the server, the
/// database or the role has set.
pub fn pinned(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options(catalogue::PINNED.iter().copied().chain([MARK]))
}

/// Connects with [`pinned`] options.
///
/// # Errors
/// [`Error::Pooler`], [`Error::Database`].
pub async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    Ok(meet(&pinned(options)).await?.conn)
}

/// A new connection with the server's process behind it.
pub(crate) struct Met {
    pub(crate) conn: PgConnection,
    pub(crate) process: ServerProcess,
    /// The options that it took.
    pub(crate) options: PgConnectOptions,
}

/// Connects with options that are [`pinned`], and once more if the server ends the first transaction by a timeout that only
/// newer versions have.
///
/// # Errors
/// [`Error::Pooler`], [`Error::Database`].
pub(crate) async fn meet(options: &PgConnectOptions) -> Result<Met, Error> {
    let mut options = options.clone();
    let mut conn = options.connect().await.map_err(refused)?;
    let process = match ServerProcess::meet(&mut conn).await {
        Err(Error::Database { source, .. }) if sqlstate::is(&source, TIMED_OUT) => {
            options = options.options([TRANSACTION_TIMEOUT]);
            conn = options.connect().await.map_err(refused)?;
            ServerProcess::meet(&mut conn).await?
        }
        met => met?,
    };
    Ok(Met { conn, process, options })
}

/// An error of connecting with [`pinned`] options.
///
/// It is [`Error::Pooler`] if a pooler rejects them, and else [`Error::Database`].
pub fn refused(error: sqlx::Error) -> Error {
    match error.as_database_error() {
        Some(cause) if sqlstate::is(&error, REJECTED) => Error::Pooler {
            found: format!("it rejects the settings of a session ({})", cause.message()),
            port: None,
        },
        _ => Error::database("connect")(error),
    }
}

/// Makes sure that a connection with [`pinned`] options goes to Postgres itself, or through something that passes them on.
///
/// # Errors
/// [`Error::Pooler`], [`Error::Database`].
pub async fn require_direct(conn: &mut PgConnection) -> Result<(), Error> {
    ServerProcess::meet(conn).await.map(drop)
}

impl ServerProcess {
    /// Asks for all of it in one statement, and without preparing it, which a pooler might spread over two processes.
    pub(crate) async fn meet(conn: &mut PgConnection) -> Result<ServerProcess, Error> {
        let pins: Vec<String> =
            catalogue::PINNED_IF_SET.iter().map(|(name, value)| format!("('{name}', '{value}')")).collect();
        let (mark, on) = MARK;
        let sql = format!(
            "select current_database()::text, pg_backend_pid(),
                    array(select name from (values {}) pin (name, value) where current_setting(name, true) <> value),
                    current_setting('{mark}', true) is not distinct from '{on}', {PORT}",
            pins.join(", ")
        );
        let read = async {
            let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(conn).await?;
            let process =
                ServerProcess { database: row.try_get(0)?, pid: row.try_get(1)?, set: row.try_get(2)? };
            Ok((process, row.try_get(3)?, row.try_get(4)?))
        };
        match read.await.map_err(Error::database("ask for the database's name"))? {
            (process, true, _) => Ok(process),
            (_, false, port) => Err(Error::Pooler {
                found: "it drops the settings of a session".to_owned(),
                port: Some(port),
            }),
        }
    }
}
