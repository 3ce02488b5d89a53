//! `DATABASE_URL`: reading it from the environment or `.env`, and printing it without the password.

use std::{env, path::Path};

use anyhow::{Context, bail};
use migrations::database::UrlError;
use url::Url;

use crate::server::env_file;

/// The variable that sqlx and its tools read too.
const NAME: &str = "DATABASE_URL";

/// The connection string from the environment, else from the checkout's `.env`, and where it was found.
///
/// An empty value counts as unset.
pub(super) fn database_url(root: &Path) -> anyhow::Result<Option<(Url, &'static str)>> {
    if let Some(value) = env::var_os(NAME).filter(|value| !value.is_empty()) {
        let value = value.into_string().ok().context("DATABASE_URL (environment) is not UTF-8")?;
        return parse(&value, "environment").map(Some);
    }
    match env_file::variable(&root.join(".env"), NAME)? {
        Some(value) => parse(&value, ".env").map(Some),
        None => Ok(None),
    }
}

fn parse(value: &str, place: &'static str) -> anyhow::Result<(Url, &'static str)> {
    let example = "write it as postgres://user:password@localhost:5432/app";
    // The message leaves out the value: it may contain a password, and only a URL can be redacted.
    let url = match migrations::database::url(value) {
        Ok(url) => url,
        Err(UrlError::NoUrl(error)) => {
            return Err(error).with_context(|| format!("{NAME} ({place}) is not a URL; {example}"));
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {NAME} ({place})")),
    };
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        bail!("{NAME} ({place}) is for `{}`, and this is Postgres; {example}", url.scheme());
    }
    Ok((url, place))
}

/// A connection string with `…` for its password, and without a `password` parameter.
pub(crate) fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    let query: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| name != "password").collect();
    shown.set_query(None);
    if !query.is_empty() {
        shown.query_pairs_mut().extend_pairs(query);
    }
    // `…` would come out percent-encoded, so it replaces a plain `*` afterwards.
    let marked = url.password().is_some() && shown.set_password(Some("*")).is_ok();
    if marked { shown.as_str().replacen(":*@", ":…@", 1) } else { shown.into() }
}

/// Sets the database of a connection string.
pub(super) fn set_database(url: &mut Url, database: &str) {
    // `set_path` would take a `%` in a name for an escape, so that the URL would name another database.
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().push(database);
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use sqlx::postgres::PgConnectOptions;

    use super::*;

    #[test]
    fn a_url_names_the_database_that_was_set() {
        for name in ["app", "App", "a b", "a%20b", "p%c", "a/b", "/a", "x?y#z", "q\"'q", "ünï", "-dash"] {
            let mut url = Url::parse("postgres://app:s3cret@127.0.0.1:5432/before").unwrap();
            set_database(&mut url, name);
            let options = PgConnectOptions::from_str(url.as_str()).unwrap();
            assert_eq!(options.get_database(), Some(name), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let check = |url: &str, expected: &str| assert_eq!(redacted(&Url::parse(url).unwrap()), expected);
        check("postgres://app:s3cret@127.0.0.1:5432/app", "postgres://app:…@127.0.0.1:5432/app");
        check("postgres://app:a%40b@h/app?sslmode=disable", "postgres://app:…@h/app?sslmode=disable");
        check("postgres://app@h/app?password=s3cret&user=x", "postgres://app@h/app?user=x");
        check("postgres://app@h/app", "postgres://app@h/app");
    }
}
