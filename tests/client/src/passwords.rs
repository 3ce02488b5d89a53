//! A password for psql in a file that only this user can read: on a command line every user of the machine could read it, and
//! the output of tests is kept in many places.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use crate::{Error, checkout::checkout, socket::Sockets};

/// The beginning of a command that runs psql, and the connection string for it, which has no password.
pub(crate) fn psql(url: &str) -> (String, String) {
    let Some((user, password, shown)) = split(url) else { return ("psql".to_owned(), url.to_owned()) };
    let psql = match write(&port_of(&shown), &user, &password) {
        Ok(file) => format!("PGPASSFILE='{}' psql", file.display()),
        // Then psql asks for it.
        Err(_) => "psql".to_owned(),
    };
    (psql, shown)
}

/// The user, the password, and the rest of a connection string.
fn split(url: &str) -> Option<(String, String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let (account, place) = rest.split_once('@')?;
    let (user, password) = account.split_once(':')?;
    Some((decoded(user), decoded(password), format!("{scheme}://{user}@{place}")))
}

fn port_of(url: &str) -> String {
    let place =
        url.split_once('@').map_or("", |(_, place)| place).split(['/', '?']).next().unwrap_or_default();
    let port = place.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok());
    port.unwrap_or("5432").to_owned()
}

/// Writes the password, and returns the file.
fn write(port: &str, user: &str, password: &str) -> Result<PathBuf, Error> {
    let file = Sockets::in_checkout(&checkout()?)?.passwords_of(port);
    // Tests that fail at the same time write the same.
    let draft = file.with_extension(format!("pgpass.{}", std::process::id()));
    let line = format!("*:{port}:*:{}:{}\n", escaped(user), escaped(password));
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    written
        .and_then(|mut draft| draft.write_all(line.as_bytes()))
        .and_then(|()| fs::rename(&draft, &file))
        .map_err(|error| Error::because(format!("write {}", file.display()), error))?;
    Ok(file)
}

/// A field of such a file.
fn escaped(field: &str) -> String {
    field.replace('\\', "\\\\").replace(':', "\\:")
}

/// A part of a URL as it was before it was encoded.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let encoded =
            digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(encoded.unwrap_or(*first));
        rest = if encoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_split_into_what_the_file_and_the_command_need() {
        let (user, password, shown) =
            split("postgres://a%40b:p%3Aw%25@127.0.0.1:5433/db?sslmode=require").unwrap();
        assert_eq!((&user[..], &password[..]), ("a@b", "p:w%"));
        assert_eq!(shown, "postgres://a%40b@127.0.0.1:5433/db?sslmode=require");
        assert_eq!(port_of(&shown), "5433");
        assert_eq!(port_of("postgres://a@[::1]/db"), "5432");
        assert_eq!(escaped(r"p:w\"), r"p\:w\\");
        assert!(split("postgres://a@127.0.0.1/db").is_none());
    }
}
