//! What can go wrong, told so that a program can tell the kinds apart and a person knows what to do.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    BadAddress,
    Unreachable,
    NotThere,
    BrokenOff,
    WrongChecksum,
    NotForHere,
    Folder,
    Timeout,
    Other,
}

/// An error that is for people to read: what, where, and the command that helps, last.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

pub(crate) fn failure(kind: Kind, message: impl Into<String>) -> anyhow::Error {
    Failure { kind, message: message.into() }.into()
}

/// An error as it is answered.
pub(crate) fn told(error: &anyhow::Error) -> Failure {
    match error.downcast_ref() {
        Some(Failure { kind, message }) => Failure { kind: *kind, message: message.clone() },
        None => Failure { kind: Kind::Other, message: format!("{error:#}") },
    }
}
