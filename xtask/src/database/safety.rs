//! The checks before we destroy anything: the environment marker, the host, and whether the database is ours.

use migrations::{database::Found, shell_word};
use sqlx::postgres::PgConnectOptions;

use crate::{server::is_on_this_machine, terminal::exit::Stop};

/// Environments whose data anyone may throw away.
const EXPENDABLE: &[&str] = &["development", "test", "scratch"];

/// What a command is about to destroy, and whether its user has confirmed that.
pub(crate) struct Destruction<'a> {
    /// The name of the database.
    pub(crate) target: &'a str,
    /// What would happen to it: `db-reset would destroy it`.
    pub(crate) what: &'a str,
    /// The name that the user passed to `--confirm`.
    pub(crate) confirmed: Option<&'a str>,
    /// The last line of a refusal, which says how to insist; usually made by [`again`].
    pub(crate) again: String,
}

/// `if you mean it: cargo xtask db-drop --confirm app`.
pub(crate) fn again(command: &str, database: &str) -> String {
    format!("if you mean it: cargo xtask {command} --confirm {}", shell_word(database))
}

impl Destruction<'_> {
    /// Refuses to destroy a database that might matter, unless the user confirmed its name.
    pub(crate) fn check(&self, server: &PgConnectOptions, found: &Found) -> anyhow::Result<()> {
        match danger(server, self.target, found) {
            Some(reason) => self.require_confirmation(&reason),
            None => self.is_confirmed().map(drop),
        }
    }

    /// Refuses for this reason, unless the user confirmed the database's name.
    pub(crate) fn require_confirmation(&self, reason: &str) -> anyhow::Result<()> {
        if self.is_confirmed()? {
            return Ok(());
        }
        Err(Stop::Refused(format!("{reason}; {}\n  {}", self.what, self.again)).into())
    }

    /// Whether the user confirmed this database. Another name is a mistake, so it is refused in any case.
    fn is_confirmed(&self) -> anyhow::Result<bool> {
        let Some(typed) = self.confirmed else { return Ok(false) };
        if typed == self.target {
            return Ok(true);
        }
        let why =
            format!("--confirm {typed} names another database than `{}`; nothing was touched", self.target);
        Err(Stop::Refused(why).into())
    }
}

/// Refuses unless it is a database that anyone may throw away. No option overrules that.
pub(crate) fn require_expendable(
    server: &PgConnectOptions,
    database: &str,
    found: &Found,
    otherwise: &str,
) -> anyhow::Result<()> {
    match danger(server, database, found) {
        Some(reason) => Err(Stop::Refused(format!("{reason}; nothing was touched\n  {otherwise}")).into()),
        None => Ok(()),
    }
}

/// Why a database might matter; `None` if anyone may destroy it.
fn danger(server: &PgConnectOptions, database: &str, found: &Found) -> Option<String> {
    match found {
        Found::Absent => None,
        Found::Unmarked => {
            Some(format!("database `{database}` has no environment marker, so it may not be ours"))
        }
        Found::Marked(marker) if !EXPENDABLE.contains(&marker.environment.as_str()) => Some(format!(
            "database `{database}` is marked `{}` (set when it was created, {})",
            marker.environment, marker.created
        )),
        Found::Marked(_) if !is_on_this_machine(server) => {
            Some(format!("database `{database}` is on another machine ({})", server.get_host()))
        }
        Found::Marked(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use migrations::database::Marker;

    use super::*;

    fn check(url: &str, found: &Found, confirmed: Option<&str>, refusal: Option<&str>) {
        let options: PgConnectOptions = url.parse().unwrap();
        let destruction = Destruction {
            target: "app",
            what: "db-drop would destroy it",
            confirmed,
            again: again("db-drop", "app"),
        };
        match (destruction.check(&options, found), refusal) {
            (Ok(()), None) => {}
            (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (said, expected) => panic!("{said:?} instead of {expected:?}"),
        }
    }

    fn marked(environment: &str) -> Found {
        Found::Marked(Marker::new(environment, "2026-03-02"))
    }

    const LOCAL: &str = "postgres://app@127.0.0.1/app";

    #[test]
    fn a_local_development_database_may_go() {
        check(LOCAL, &marked("development"), None, None);
        check("postgres://app@localhost/app", &marked("test"), None, None);
        check("postgres://app@[::1]/app", &marked("development"), None, None);
        check("postgres://app@%2Fvar%2Frun/app", &marked("development"), None, None);
    }

    #[test]
    fn anything_else_is_refused_with_the_words_that_allow_it() {
        check(
            LOCAL,
            &marked("production"),
            None,
            Some("marked `production` (set when it was created, 2026-03-02)"),
        );
        check(LOCAL, &marked("production"), None, Some("cargo xtask db-drop --confirm app"));
        check(LOCAL, &Found::Unmarked, None, Some("no environment marker"));
        check("postgres://app@db.example.com/app", &marked("development"), None, Some("another machine"));
    }

    #[test]
    fn only_the_right_name_confirms() {
        check(LOCAL, &marked("production"), Some("app"), None);
        check(
            LOCAL,
            &marked("production"),
            Some("other"),
            Some("--confirm other names another database than `app`"),
        );
        check(LOCAL, &marked("development"), Some("other"), Some("nothing was touched"));
    }
}
