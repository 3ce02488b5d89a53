//! A request with its verb and answer, and the reason when a program can't give one.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A request to a program. Its verb and the type of its answer belong to it.
pub trait Request: Serialize + DeserializeOwned {
    /// The program's first argument.
    const VERB: &'static str;
    /// What the program answers when it has done it.
    type Answer: Serialize + DeserializeOwned;
}

/// The one line that a program writes to its standard output.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply<T> {
    /// The work is done.
    Answer(T),
    /// The work could not be done.
    Error(Refusal),
}

/// Why a program could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub kind: Kind,
    /// For people: what happened, where, and last the command that helps.
    pub message: String,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No Docker daemon answers.
    NoDaemon,
    /// The image is not on this machine and can't be pulled.
    NoImage,
    /// This user may not use the Docker daemon.
    Permission,
    /// The address of the Docker daemon is unusable.
    BadHost,
    /// No port is free.
    PortTaken,
    /// The server ended before it answered.
    Died,
    /// It took too long.
    Timeout,
    /// The data or the image has another major version of Postgres.
    OtherMajor,
    /// No room is left.
    DiskFull,
    /// The address of the Maven repository is unusable.
    BadAddress,
    /// The Maven repository can't be reached.
    Unreachable,
    /// The Maven repository does not have this version.
    NotThere,
    /// The download broke off.
    BrokenOff,
    /// The download does not match its checksum.
    WrongChecksum,
    /// The downloaded programs do not run on this machine.
    NotForHere,
    /// The folder for the programs is unusable.
    Folder,
    /// Anything else.
    Other,
}

impl Refusal {
    /// A refusal of that kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Refusal {
        Refusal { kind, message: message.into() }
    }

    /// The first line of the message, without the commands that help.
    pub fn summary(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_back_what_it_writes() {
        let reply: Reply<()> = Reply::Error(Refusal::new(Kind::DiskFull, "no room\n  df -h"));
        let line = serde_json::to_string(&reply).unwrap();
        assert_eq!(line, r#"{"error":{"kind":"disk-full","message":"no room\n  df -h"}}"#);
        assert_eq!(serde_json::from_str::<Reply<()>>(&line).unwrap(), reply);
        let Reply::Error(refusal) = reply else { unreachable!() };
        assert_eq!(refusal.summary(), "no room");
    }
}
