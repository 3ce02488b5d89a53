//! Connecting, with errors that name the server and a remedy, and ending the sessions of an interrupted command.

use std::{io, process, sync::LazyLock, time::Duration};

use anyhow::anyhow;
use clap::Args;
use migrations::{
    Access, Error, Postgres, Project, Report, Session, Settings,
    sqlstate::{self, Again},
};
use sqlx::{Connection, PgConnection};

use crate::{
    server::{Origin, Server},
    terminal::{exit::Stop, interrupt::or_interrupted},
};

/// How long a server may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The options of every verb that changes the schema.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Timeouts {
    /// Seconds to wait for the migration lock
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    lock_timeout: u64,
    /// Seconds that a single statement may take
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    statement_timeout: u64,
}

/// The name of this process on a server. Two machines may use the same pid, hence the random part.
static APPLICATION_NAME: LazyLock<String> =
    LazyLock::new(|| format!("cargo xtask ({}, {:08x})", process::id(), rand::random::<u32>()));

/// That name, for a program that we run.
pub(crate) fn application_name() -> &'static str {
    &APPLICATION_NAME
}

/// Opens the development database for writing.
pub(crate) async fn open(server: &Server, project: &Project, timeouts: Timeouts) -> anyhow::Result<Session> {
    let settings = Settings::default()
        .application_name(application_name())
        .migration_lock_timeout(Duration::from_secs(timeouts.lock_timeout))
        .statement_timeout(Duration::from_secs(timeouts.statement_timeout));
    connect(server, project, settings).await
}

/// Opens the development database read-only, which Postgres enforces.
pub(crate) async fn open_read_only(server: &Server, project: &Project) -> anyhow::Result<Session> {
    let settings = Settings::default().access(Access::ReadOnly).application_name(application_name());
    connect(server, project, settings).await
}

async fn connect(server: &Server, project: &Project, settings: Settings) -> anyhow::Result<Session> {
    let opening = || Session::connect(&server.options, settings.clone());
    let session = match in_time(opening).await {
        Some(Ok(session)) => session,
        Some(Err(Error::Database { source, .. })) => return Err(explain(server, server.database(), source)),
        Some(Err(error)) => return Err(error.into()),
        None => return Err(no_answer(server)),
    };
    session.require_version(project)?;
    Ok(session)
}

/// A connection to the server itself, where databases are created and dropped.
pub(crate) async fn maintenance(server: &Server) -> anyhow::Result<PgConnection> {
    let mut refused = None;
    for database in ["postgres", "template1"] {
        let options = server.options.clone().database(database).application_name(&APPLICATION_NAME);
        match in_time(|| migrations::database::connect(&options)).await {
            Some(Ok(conn)) => return Ok(conn),
            Some(Err(Error::Database { source, .. })) if sqlstate::is(&source, "3D000") => {
                refused = Some(explain(server, database, source));
            }
            Some(Err(Error::Database { source, .. })) => return Err(explain(server, database, source)),
            Some(Err(error)) => return Err(error.into()),
            None => return Err(no_answer(server)),
        }
    }
    Err(refused.unwrap_or_else(|| no_answer(server)))
}

/// Connects, and tries again for as long as the server says that it accepts no connections yet. `None`: it did not answer
/// in time.
async fn in_time<T, F: Future<Output = Result<T, Error>>>(
    connect: impl Fn() -> F,
) -> Option<Result<T, Error>> {
    let trying = async {
        loop {
            match connect().await {
                Err(Error::Database { source, .. }) if sqlstate::may_succeed(&source, Again::Connection) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                done => return done,
            }
        }
    };
    tokio::time::timeout(CONNECT_TIMEOUT, trying).await.ok()
}

/// The server's version, such as `15.18`, if it is new enough.
pub(crate) async fn version(server: &Server, postgres: &Postgres) -> anyhow::Result<String> {
    let conn = maintenance(server).await?;
    let version = version_of(&conn, postgres)?;
    let _ = conn.close().await;
    Ok(version)
}

/// The same, over an open connection.
pub(super) fn version_of(conn: &PgConnection, postgres: &Postgres) -> anyhow::Result<String> {
    Ok(migrations::database::require_version(conn, postgres)?)
}

fn no_answer(server: &Server) -> anyhow::Error {
    anyhow!("{} did not answer within {} s\n  {}", address(server), CONNECT_TIMEOUT.as_secs(), remedy(server))
}

/// An error of connecting, with the server's address and a remedy.
fn explain(server: &Server, database: &str, error: sqlx::Error) -> anyhow::Error {
    let address = address(server);
    let role = server.options.get_username();
    match &error {
        sqlx::Error::Io(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            anyhow!("no server answers at {address}\n  {}", remedy(server))
        }
        // rustls reports a certificate that it does not trust in this way.
        sqlx::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => anyhow!(
            "no encrypted connection to {address}: {cause}\n  for a certificate authority that the system does not know: \
             sslrootcert=/path/to/its.crt in DATABASE_URL"
        ),
        sqlx::Error::Io(cause) => anyhow!("cannot reach {address}: {cause}\n  {}", remedy(server)),
        sqlx::Error::Tls(cause) => anyhow!(
            "no encrypted connection to {address}: {cause}\n  correct sslmode, sslrootcert, sslcert and sslkey in DATABASE_URL"
        ),
        _ if sqlstate::is(&error, "3D000") => {
            anyhow!("database `{database}` does not exist on {address}\n  make it: cargo xtask db-setup")
        }
        _ if sqlstate::is(&error, "28P01") || sqlstate::is(&error, "28000") => {
            let words = error.as_database_error().map_or(String::new(), |error| error.message().to_owned());
            anyhow!(
                "{address} rejected role `{role}`: {words}\n  correct the user and password in {}",
                server.origin
            )
        }
        _ => anyhow!("connect to {address}: {}", Report::new(&error)),
    }
}

fn address(server: &Server) -> String {
    let place = match server.options.get_socket() {
        // The socket of a server of ours is an addition to its address.
        Some(socket) if matches!(server.origin, Origin::Url(_)) => socket.display().to_string(),
        _ => format!("{}:{}", server.options.get_host(), server.options.get_port()),
    };
    format!("{place} ({})", server.origin)
}

fn remedy(server: &Server) -> &'static str {
    match server.origin {
        Origin::Url(_) => {
            "start that server, correct DATABASE_URL, or use one from this machine's binaries: --server native"
        }
        Origin::Native(..) | Origin::Docker { .. } => "inspect it: cargo xtask server status",
    }
}

/// Does work on a server. If this process is interrupted, it also ends the sessions that the work left open there: the
/// server would close them itself, but until then other commands would find the lock taken.
pub(crate) async fn on_server<T>(
    server: &Server,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    ended_on(server, or_interrupted(work).await).await
}

/// The same for work that stops by itself when this process is interrupted.
pub(crate) async fn ended_on<T>(server: &Server, done: anyhow::Result<T>) -> anyhow::Result<T> {
    if let Err(error) = &done
        && matches!(error.downcast_ref(), Some(Stop::Interrupted))
    {
        end_sessions(server).await;
    }
    done
}

async fn end_sessions(server: &Server) {
    let ending = async {
        let mut conn = maintenance(server).await.ok()?;
        let end = sqlx::query(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity
             where application_name = $1 and pid <> pg_backend_pid()",
        );
        end.bind(&*APPLICATION_NAME).execute(&mut conn).await.ok()
    };
    // If this fails, the server closes the sessions itself before long, so there is no point in waiting for it.
    let _ = tokio::time::timeout(Duration::from_secs(3), ending).await;
}
