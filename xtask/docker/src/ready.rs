//! Waits until a server answers a query. Only then is its URL handed out.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use testcontainers::bollard::models::ContainerInspectResponse;
use tokio::time::{sleep, timeout};
use xtask_protocol::{Kind, endpoint::WITHOUT_DOCKER};

use crate::{
    engine::{Engine, Lines, READY, host_port, name_of},
    failure::{classify, failure},
};

/// On a cold disk, the server takes ten seconds to create its data. A container that ends is reported at once.
const PATIENCE: Duration = Duration::from_secs(60);
/// Docker's proxy accepts connections before the server listens, and some are never answered.
const TO_LOG_IN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
/// While the log announces when to try. Attempts take CPU time from the engine and the new server.
const LONG_PAUSE: Duration = Duration::from_millis(200);

/// A role and its password.
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

/// The outcome of an attempt.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Answered),
    /// The server runs, but has another password for the role, or no such role.
    Refused,
    /// The server is not ready, for this reason.
    NotYet(String),
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) port: u16,
    /// Such as `15.18`.
    pub(crate) version: String,
}

impl Login<'_> {
    /// A connection string, password included.
    pub(crate) fn url(&self, port: u16, database: &str) -> String {
        // Encodes every character that could have a meaning in a URL.
        let plain = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        format!(
            "postgres://{}:{}@127.0.0.1:{port}/{}",
            plain(self.user),
            plain(self.password),
            plain(database)
        )
    }

    /// Asks for the version, once.
    pub(crate) async fn attempt(&self, port: u16) -> anyhow::Result<Outcome> {
        // Complete, because sqlx reads missing options from `PGHOST`, `PGSSLMODE` and similar variables.
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username(self.user);
        let options = options.password(self.password).ssl_mode(PgSslMode::Disable);
        // The development database may have been dropped, but these two exist from the start.
        let mut answer = self.ask(options.clone().database("postgres"), port).await;
        if code(&answer).as_deref() == Some("3D000") {
            answer = self.ask(options.database("template1"), port).await;
        }
        let error = match answer {
            Ok(answered) => return Ok(Outcome::Answered(answered)),
            Err(error) => error,
        };
        match error.as_database_error().and_then(|it| it.code()).as_deref() {
            // Invalid password, invalid authorization: no such role, or one that may not log in.
            Some("28P01" | "28000") => Ok(Outcome::Refused),
            // Starting up, shutting down, in recovery; too many clients.
            Some("57P03" | "57P01" | "53300") => Ok(Outcome::NotYet(error.to_string())),
            // Reset, refused or closed: Docker's proxy listens, but Postgres does not yet.
            None if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => {
                Ok(Outcome::NotYet(error.to_string()))
            }
            _ => Err(error).with_context(|| format!("ask the server on 127.0.0.1:{port} for its version")),
        }
    }

    async fn ask(&self, options: PgConnectOptions, port: u16) -> Result<Answered, sqlx::Error> {
        let asked = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let version: String =
                sqlx::query_scalar("show server_version").fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok(Answered { port, version: version.split(' ').next().unwrap_or_default().to_owned() })
        };
        let silent = || sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
        timeout(TO_LOG_IN, asked).await.unwrap_or_else(|_| Err(silent()))
    }

    /// Waits for a container's server. `None`: it refuses the password.
    pub(crate) async fn wait(&self, engine: &Engine, container: &str) -> anyhow::Result<Option<Answered>> {
        let began = Instant::now();
        let mut log = Log(Some(engine.follow(container)));
        let mut why = "it did not respond".to_owned();
        while began.elapsed() < PATIENCE {
            let Some(it) = engine.inspect(container).await? else {
                return Err(failure(
                    Kind::Died,
                    format!("the container {container} was removed while its server started"),
                ));
            };
            let running = it.state.as_ref().and_then(|state| state.running).unwrap_or(false);
            if !running {
                return Err(died(engine, &it).await);
            }
            match host_port(&it) {
                Some(port) => match self.attempt(port).await? {
                    Outcome::Answered(answered) => return Ok(Some(answered)),
                    Outcome::Refused => return Ok(None),
                    Outcome::NotYet(error) => why = error,
                },
                None => why = "its port is not open yet".to_owned(),
            }
            log.wait().await;
        }
        let log = indented(&engine.log_tail(container).await);
        let message = format!(
            "the server in container {container} answered no query within {} s: {why}\n  its last lines:\n{log}\n  \
             {WITHOUT_DOCKER}\n  or follow its log: docker logs --follow {container}",
            PATIENCE.as_secs(),
        );
        Err(failure(Kind::Timeout, message))
    }
}

/// The log of a container, as a hint when to try again. Only an answer proves that the server is ready.
struct Log(Option<Lines>);

impl Log {
    async fn wait(&mut self) {
        let Some(lines) = &mut self.0 else { return sleep(PAUSE).await };
        let hint = async {
            loop {
                match lines.try_next().await {
                    Ok(Some(line)) if line.to_string().contains(READY) => return true,
                    Ok(Some(_)) => {}
                    // The container has ended, or the log can't be read.
                    Ok(None) | Err(_) => return false,
                }
            }
        };
        if let Ok(false) = timeout(LONG_PAUSE, hint).await {
            self.0 = None;
        }
    }
}

fn code(answer: &Result<Answered, sqlx::Error>) -> Option<String> {
    Some(answer.as_ref().err()?.as_database_error()?.code()?.into_owned())
}

/// The error for a container that has ended, with the end of its log.
async fn died(engine: &Engine, container: &ContainerInspectResponse) -> anyhow::Error {
    let name = name_of(container);
    let state = container.state.clone().unwrap_or_default();
    let how = match (state.oom_killed, state.exit_code) {
        (Some(true), _) => "it was out of memory".to_owned(),
        (_, Some(code)) => format!("exit code {code}"),
        (_, None) => "cause unknown".to_owned(),
    };
    let log = engine.log_tail(&name).await;
    let kind = match classify(&log) {
        kind @ (Kind::DiskFull | Kind::OtherMajor) => kind,
        _ => Kind::Died,
    };
    let what = match kind {
        Kind::DiskFull => "had no room left, and ended",
        Kind::OtherMajor => "found data of another major version, and ended",
        _ => "ended",
    };
    let said = state
        .error
        .filter(|it| !it.is_empty())
        .map(|it| format!("\n  Docker says: {it}"))
        .unwrap_or_default();
    let message = format!(
        "the server in container {name} {what} before it answered a query ({how}){said}\n  its last lines:\n{}",
        indented(&log)
    );
    failure(kind, message)
}

fn indented(log: &str) -> String {
    let lines = if log.is_empty() { "(it printed nothing)" } else { log };
    lines.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_holds_any_password_and_any_name() {
        let login = Login { user: "the app", password: "a:b@c/d%é" };
        assert_eq!(
            login.url(5432, "my db"),
            "postgres://the%20app:a%3Ab%40c%2Fd%25%C3%A9@127.0.0.1:5432/my%20db"
        );
    }
}
