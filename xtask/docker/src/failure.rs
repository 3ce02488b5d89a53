//! Errors of the engine and of servers, sorted into kinds and with the command that helps.

use testcontainers::{TestcontainersError, bollard, core::client::ClientError};
use xtask_protocol::{Kind, Refusal, endpoint::WITHOUT_DOCKER};

/// A refusal, as an error.
pub(crate) fn failure(kind: Kind, message: impl Into<String>) -> anyhow::Error {
    Refusal::new(kind, message).into()
}

/// The refusal to answer for an error: one of ours unchanged, the engine's sorted by its text.
pub(crate) fn refusal(error: &anyhow::Error) -> Refusal {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return refusal.clone();
    }
    let text = format!("{error:#}");
    let kind = classify(&text);
    let message = match kind {
        Kind::DiskFull => format!(
            "the Docker engine has no room left: {text}\n  \
             see what takes the room, and remove what is not needed: docker system df; docker system prune"
        ),
        // The engine has tried ten.
        Kind::PortTaken => format!(
            "the Docker engine found no free port on 127.0.0.1 for the server: {text}\n  \
             see which programs have them: ss --listening --tcp --processes"
        ),
        Kind::NoDaemon => {
            format!(
                "the Docker daemon went away: {text}\n  {WITHOUT_DOCKER}\n  or see its state: docker info"
            )
        }
        _ => text,
    };
    Refusal { kind, message }
}

/// The kind of an engine's error, or of a server's log. An engine's status codes do not say it, only its text does.
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
    fn an_engines_words_are_sorted_by_kind() {
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
        assert_eq!(refusal(&error).kind, Kind::NoImage);
        assert_eq!(refusal(&error).message, "no image");
    }
}
