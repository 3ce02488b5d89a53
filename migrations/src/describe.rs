//! Errors in words for people, with what helps.

use std::error::Error;

/// An error with its causes, one after the other. Some libraries repeat a cause in their own words, so what was said
/// already is left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref() {
            // With all that there is to say about it, and its remedy last.
            text.push(describe(error));
            break;
        }
        let words = cause.to_string();
        if !text.iter().any(|said| said.contains(&words)) {
            text.push(words);
        }
        next = cause.source();
    }
    text.join(": ")
}

/// What sqlx says, with the remedy for the errors that everybody meets.
///
/// sqlx's own text ends in the line of Postgres's source that raised the error, which looks like one of the SQL.
pub fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(db) => match db.code().as_deref() {
            Some(code) => format!("{} ({code}){}", db.message(), remedy(code)),
            None => db.message().to_owned(),
        },
        // sqlx's words for it name a message of the protocol.
        sqlx::Error::Protocol(words) if words.contains("CopyInResponse") => {
            "`copy … from stdin` has nobody to read from here; write inserts, or copy from a file of the server".to_owned()
        }
        sqlx::Error::Protocol(words) if words.contains("CopyOutResponse") => {
            "`copy … to stdout` has nobody to write to here; remove it".to_owned()
        }
        other => other.to_string(),
    }
}

fn remedy(code: &str) -> &'static str {
    match code {
        "42501" => {
            "\n  connect as a role that may, such as the database's owner, or have the owner grant it to this one"
        }
        "25006" => {
            "\n  nobody writes here: it is a standby, or default_transaction_read_only is on for this role or database"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Told {
        words: &'static str,
        source: io::Error,
    }

    #[test]
    fn a_cause_that_was_told_already_is_not_told_again() {
        let told = |words| chain(&Told { words, source: io::Error::other("no room") });
        assert_eq!(told("write the file"), "write the file: no room");
        assert_eq!(told("write the file: no room"), "write the file: no room");
    }
}
