//! What can go wrong, told so that a program can tell the kinds apart and a person knows what to do.

use std::fmt;

use serde::Serialize;
use testcontainers::{TestcontainersError, bollard, core::client::ClientError};

/// The way on that needs no Docker.
pub(crate) const WITHOUT_DOCKER: &str = "do without Docker: --server native";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    NoDaemon,
    NoImage,
    Permission,
    BadHost,
    PortTaken,
    Died,
    Timeout,
    OtherMajor,
    DiskFull,
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

/// An error as it is answered: one of ours as it is, the engine's own by what it says.
pub(crate) fn told(error: &anyhow::Error) -> Failure {
    if let Some(Failure { kind, message }) = error.downcast_ref() {
        return Failure { kind: *kind, message: message.clone() };
    }
    let said = format!("{error:#}");
    let kind = classify(&said);
    let message = match kind {
        Kind::DiskFull => format!(
            "the Docker engine has no room left: {said}\n  \
             see what takes the room, and remove what nobody needs: docker system df; docker system prune"
        ),
        // It has tried ten.
        Kind::PortTaken => format!(
            "the Docker engine found no free port on 127.0.0.1 for the server: {said}\n  \
             see who has them: ss --listening --tcp --processes"
        ),
        Kind::NoDaemon => {
            format!(
                "the Docker daemon went away: {said}\n  {WITHOUT_DOCKER}\n  or see how it is: docker info"
            )
        }
        _ => said,
    };
    Failure { kind, message }
}

/// Of which kind an engine's error is, or a server's log. Engines tell it by text alone.
pub(crate) fn classify(text: &str) -> Kind {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["o space left on device", "disk quota exceeded", "Disk quota exceeded"]) {
        Kind::DiskFull
    } else if says(&[
        "port is already allocated",
        "all ports are allocated",
        "address already in use",
        "ports are not available",
    ]) {
        Kind::PortTaken
    } else if says(&["database files are incompatible with server"]) {
        Kind::OtherMajor
    } else if says(&[
        "hyper legacy client",
        "connection closed before message completed",
        "onnection refused",
    ]) {
        Kind::NoDaemon
    } else {
        Kind::Other
    }
}

/// Whether the engine answered with that status.
pub(crate) fn has_status(error: &bollard::errors::Error, status: u16) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code, .. } if *status_code == status)
}

/// The same, of an error that came through testcontainers.
pub(crate) fn started_into_conflict(error: &TestcontainersError) -> bool {
    matches!(error, TestcontainersError::Client(ClientError::CreateContainer(error)) if has_status(error, 409))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_says_is_told_by_kind() {
        for (text, kind) in [
            (
                "Error starting userland proxy: listen tcp4 127.0.0.1:54399: bind: address already in use",
                Kind::PortTaken,
            ),
            ("Bind for 127.0.0.1:54398 failed: port is already allocated", Kind::PortTaken),
            ("driver failed programming external connectivity: all ports are allocated", Kind::PortTaken),
            ("initdb: error: could not write to file: No space left on device", Kind::DiskFull),
            ("write /var/lib/docker/tmp/x: no space left on device", Kind::DiskFull),
            ("FATAL:  database files are incompatible with server", Kind::OtherMajor),
            ("Error in the hyper legacy client: client error (Connect)", Kind::NoDaemon),
            ("something else", Kind::Other),
        ] {
            assert_eq!(classify(text), kind, "{text}");
        }
    }

    #[test]
    fn an_error_of_ours_keeps_its_kind_and_words() {
        let error = failure(Kind::NoImage, "no image").context("start");
        assert_eq!(told(&error).kind, Kind::NoImage);
        assert_eq!(told(&error).message, "no image");
    }
}
