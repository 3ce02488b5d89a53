//! Errors as text for people.

use std::{error::Error, fmt};

use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

use crate::sqlstate;

/// An error with its causes, as text for people: `read the ledger: permission denied for table users (42501)`.
///
/// It differs from printing the chain of causes as they come in two ways. Some libraries repeat a cause in their own
/// text; here each cause appears once. And an error of Postgres has its code and, if it is a common one, a remedy
/// instead of a line of Postgres's source code.
///
/// ```
/// let error = migrations::Project::load("nowhere/migrations".as_ref()).unwrap_err();
/// let text = migrations::Report::new(&error).to_string();
/// assert!(text.starts_with("cannot read nowhere/migrations/apps.toml: No such file"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Report<'e>(&'e (dyn Error + 'static));

impl<'e> Report<'e> {
    /// Any error, for `to_string` or a format.
    pub fn new(error: &'e (dyn Error + 'static)) -> Self {
        Report(error)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<String> = Vec::new();
        let mut next = Some(self.0);
        while let Some(cause) = next {
            if let Some(error) = cause.downcast_ref() {
                // All there is to say, with the remedy last; the causes of sqlx's errors only repeat it.
                texts.push(describe(error));
                break;
            }
            let text = cause.to_string();
            if !texts.iter().any(|earlier| earlier.contains(&text)) {
                texts.push(text);
            }
            next = cause.source();
        }
        f.write_str(&texts.join(": "))
    }
}

/// What sqlx reports, with the remedy for common errors.
///
/// sqlx's own text ends in the line of Postgres's source code that raised the error, which looks like a line of the SQL.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(db) => match db.code().as_deref() {
            Some(code) => format!("{} ({code}){}{}", db.message(), key(db.as_ref()), remedy(code)),
            None => db.message().to_owned(),
        },
        // sqlx's text names a message of the protocol.
        sqlx::Error::Protocol(text) if text.contains("CopyInResponse") => {
            "`copy … from stdin` has no input here; write inserts, or copy from a file of the server"
                .to_owned()
        }
        sqlx::Error::Protocol(text) if text.contains("non-UTF-8 string") => {
            "Postgres's message is not UTF-8; if the SQL sets `client_encoding`, remove that, since files are UTF-8"
                .to_owned()
        }
        sqlx::Error::Protocol(text) if text.contains("CopyOutResponse") => {
            "`copy … to stdout` has no reader here; remove it".to_owned()
        }
        other => other.to_string(),
    }
}

/// The key that a row violates. The details of other errors may hold a whole row, which is not for a message.
fn key(error: &dyn DatabaseError) -> String {
    let postgres = error.try_downcast_ref::<PgDatabaseError>();
    let detail = postgres.and_then(PgDatabaseError::detail);
    let detail = detail.filter(|_| error.is_unique_violation() || error.is_foreign_key_violation());
    detail.map_or(String::new(), |detail| format!("\n  detail: {detail}"))
}

fn remedy(code: &str) -> String {
    sqlstate::lookup(code).map_or(String::new(), |known| format!("\n  {}; {}", known.meaning, known.help))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        source: io::Error,
    }

    #[test]
    fn a_cause_that_the_error_repeats_is_printed_once() {
        let report = |text| Report::new(&Outer { text, source: io::Error::other("no room") }).to_string();
        assert_eq!(report("write the file"), "write the file: no room");
        assert_eq!(report("write the file: no room"), "write the file: no room");
    }
}
