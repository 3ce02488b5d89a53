//! Connection strings, as people write them.

use std::borrow::Cow;

use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use url::{ParseError, Url};

/// Characters that end the part of a URL in which the password is.
const ENDS: [char; 3] = ['/', '?', '#'];

/// Why a text is not the connection string of a Postgres. The message never shows the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// A character of the user or the password ends that part of the URL.
    #[error(
        "its user or password has the character `{0}`, which has another meaning in a URL\n  write it as `{code}`; likewise `/` as %2F, `?` as %3F, `#` as %23, `@` as %40, `%` as %25",
        code = encoded(*.0)
    )]
    Unencoded(char),
    /// The user or the password is no UTF-8 text, once decoded.
    #[error("its user or password has a `%` that stands for itself; write it as `%25`")]
    Percent,
    /// It is not a URL.
    #[error(transparent)]
    NoUrl(#[from] ParseError),
}

/// Parses a URL. A missing host counts as `localhost`, so that `postgres://user@/app?host=/run/postgresql` is one.
///
/// # Errors
/// [`UrlError`].
pub fn url(text: &str) -> Result<Url, UrlError> {
    let parsed = Url::parse(&with_host(text));
    if let Some(character) = unencoded(text, parsed.is_ok()) {
        return Err(UrlError::Unencoded(character));
    }
    let url = parsed?;
    let decodes = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8().is_ok();
    if !decodes(url.username()) || !url.password().is_none_or(decodes) {
        return Err(UrlError::Percent);
    }
    Ok(url)
}

/// The options of a connection string.
///
/// # Errors
/// If it is not a connection string of Postgres.
pub fn options(text: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let url = url(text).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let options = PgConnectOptions::from_url(&url)?;
    // sqlx would treat an IPv6 address in brackets as a host name.
    let bare =
        options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    Ok(match bare {
        Some(address) => options.host(&address),
        None => options,
    })
}

/// Splits into what is before the user, the part with user, password, host and port, and the rest.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("://")? + 3;
    let end = text[start..].find(ENDS).map_or(text.len(), |at| start + at);
    Some((&text[..start], &text[start..end], &text[end..]))
}

/// Writes a host between a user and a path or port. The standard of URLs requires one there, and libpq does not.
fn with_host(text: &str) -> Cow<'_, str> {
    let host = parts(text).and_then(|(scheme, authority, rest)| {
        let (user, host) = authority.rsplit_once('@')?;
        (host.is_empty() || host.starts_with(':')).then(|| format!("{scheme}{user}@localhost{host}{rest}"))
    });
    host.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The character that ends the user or password too early, if one seems to.
fn unencoded(text: &str, is_url: bool) -> Option<char> {
    let (_, authority, rest) = parts(text)?;
    let character = rest.chars().next()?;
    let until = |ends: &[char]| rest[1..].split(ends).next().unwrap_or_default();
    let has_host = match character {
        _ if !is_url => rest.contains('@'),
        // The name of a database or of a parameter holds no `@` before a `/`.
        '/' => until(&['?', '#']).rsplit_once('@').is_some_and(|(_, host)| host.contains('/')),
        _ => until(&['=', '&']).contains('@'),
    };
    match text.contains('#') {
        _ if has_host && authority.contains(':') => Some(character),
        // No connection string has a fragment.
        true => Some('#'),
        false => None,
    }
}

fn encoded(character: char) -> String {
    format!("%{:02X}", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_character_that_ends_the_password_is_named() {
        for (text, character) in [
            ("postgres://app:pa#ss@localhost/app", '#'),
            ("postgres://app:12#ss@localhost/app", '#'),
            ("postgres://app:pa/ss@localhost/app", '/'),
            ("postgres://app:12/ss@localhost/app", '/'),
            ("postgres://app:p@a/ss@localhost/app", '/'),
            ("postgres://app:pa?ss@localhost/app", '?'),
            ("postgres://app:12?ss@localhost/app", '?'),
            ("postgres://app:pa/s#s@localhost/app", '/'),
            ("postgres://app:secret@localhost/app#1", '#'),
            ("postgres://app:pa?ss@localhost", '?'),
        ] {
            let error = url(text).unwrap_err();
            assert!(matches!(error, UrlError::Unencoded(found) if found == character), "{text}: {error:?}");
            assert!(error.to_string().contains(&format!("write it as `{}`", encoded(character))));
        }
        assert!(matches!(url("postgres://app:50%ff@localhost/app"), Err(UrlError::Percent)));
    }

    #[test]
    fn passwords_that_are_read_as_they_were_meant_are_accepted() {
        for (text, password) in [
            ("postgres://app:p@ss@localhost/app", "p%40ss"),
            ("postgres://app:p:ss@localhost/app", "p%3Ass"),
            ("postgres://app:a%2Fb%23c@localhost/app", "a%2Fb%23c"),
            ("postgres://app:ä b@localhost/a@b?application_name=a@b/c", "%C3%A4%20b"),
            ("postgres://app:x@localhost?application_name=a@b/c", "x"),
        ] {
            let url = url(text).unwrap();
            assert_eq!((url.host_str(), url.password()), (Some("localhost"), Some(password)), "{text}");
        }
        assert_eq!(url("postgres://localhost:5432/a@b").unwrap().path(), "/a@b");
    }

    #[test]
    fn a_url_without_a_host_names_a_socket() {
        for text in [
            "postgres://app@/app?host=/run/postgresql",
            "postgres://app:x@:5432/app?host=/run/postgresql",
            "postgres:///app?host=/run/postgresql&user=app",
            "postgres://app@%2Frun%2Fpostgresql/app",
            "postgres://app@?host=/run/postgresql&dbname=app",
        ] {
            let options = options(text).unwrap();
            let socket = options.get_socket().map(|path| path.display().to_string());
            assert_eq!(socket.as_deref(), Some("/run/postgresql"), "{text}");
            assert_eq!((options.get_username(), options.get_database()), ("app", Some("app")), "{text}");
        }
    }
}
