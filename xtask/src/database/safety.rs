//! Looking before we destroy: the environment marker, the host, and whether the database is ours.

use migrations::database::Found;
use sqlx::postgres::PgConnectOptions;

use crate::terminal::{exit::Stop, shell::shell_word};

/// Environments whose data anyone may throw away.
const EXPENDABLE: &[&str] = &["development", "test", "scratch"];

/// Refuses to destroy a database that might matter, unless its name was typed.
///
/// `what` says what would happen to it: `db-reset would destroy it`.
pub(crate) fn may_destroy(
    options: &PgConnectOptions,
    database: &str,
    found: &Found,
    what: &str,
    confirmed: Option<&str>,
    command: &str,
) -> anyhow::Result<()> {
    match confirmed {
        Some(typed) if typed == database => return Ok(()),
        // Whoever types a name means it; and this is not the one.
        Some(typed) => {
            let why =
                format!("--confirm {typed} names another database than `{database}`; nothing was touched");
            return Err(Stop::Refused(why).into());
        }
        None => {}
    }
    let reason = match found {
        Found::Absent => return Ok(()),
        Found::Unmarked => {
            format!("database `{database}` has no environment marker, so it is not known to be ours")
        }
        Found::Marked(marker) if !EXPENDABLE.contains(&marker.environment.as_str()) => {
            format!(
                "database `{database}` is marked `{}` (set when it was created, {})",
                marker.environment, marker.created
            )
        }
        Found::Marked(_) if !is_local(options) => {
            format!("database `{database}` is on another machine ({})", options.get_host())
        }
        Found::Marked(_) => return Ok(()),
    };
    Err(Stop::Refused(format!(
        "{reason}; {what}\n  if you mean it: cargo xtask {command} --confirm {}",
        shell_word(database)
    ))
    .into())
}

/// Whether a server is on this machine, as far as its address tells.
pub(crate) fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use migrations::database::Marker;

    use super::*;

    fn check(url: &str, found: &Found, confirmed: Option<&str>, refusal: Option<&str>) {
        let options: PgConnectOptions = url.parse().unwrap();
        let said = may_destroy(&options, "app", found, "db-drop would destroy it", confirmed, "db-drop");
        match (said, refusal) {
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
