//! The state file of a development server: what must be the same at its next start.
//!
//! Only the holder of the folder's lock writes it, always whole. Reading it takes no lock.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};

use crate::{
    binaries::Binaries,
    folder::{self, write_private},
};

/// Contains the password in clear, so this has no `Debug`, and only the owner can read the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) port: u16,
    pub(crate) role: String,
    pub(crate) password: String,
    /// The programs that last started the server; their version is read again only if they changed.
    pub(crate) binaries: Binaries,
    /// The top folder of the checkout that the server belongs to, if it is UTF-8; state files of earlier versions lack it.
    #[serde(default)]
    pub(crate) checkout: Option<PathBuf>,
}

/// The result of reading the state file.
pub(crate) enum Found {
    State(State),
    Absent,
    /// It was not a state file, and has been moved aside for inspection.
    Unreadable {
        aside: PathBuf,
    },
}

fn path(folder: &Path) -> PathBuf {
    folder.join("server.json")
}

/// The state, if there is a readable one of this user. Changes nothing.
pub(crate) fn peek(folder: &Path) -> Option<State> {
    folder::require_own(folder).ok()?;
    parse(&folder::read_private(&path(folder))?)
}

/// Reads the state, and moves an unreadable file aside. The caller must hold the lock.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Found> {
    let path = path(folder);
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
        Err(error) => {
            return Err(anyhow!(
                "cannot read {}: {error}\n  see whose it is: ls -l {}",
                path.display(),
                path.display()
            ));
        }
    };
    if let Some(state) = parse(&text) {
        return Ok(Found::State(state));
    }
    let aside = folder.join("server.json.unreadable");
    fs::rename(&path, &aside).with_context(|| format!("move {} aside", path.display()))?;
    Ok(Found::Unreadable { aside })
}

pub(crate) fn write(folder: &Path, state: &State) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(state).context("write the state as JSON")?;
    write_private(&path(folder), &(text + "\n"))
}

/// A new password: 160 random bits in hexadecimal, which needs no quoting anywhere.
pub fn new_password() -> String {
    (0..5).map(|_| format!("{:08x}", rand::random::<u32>())).collect()
}

fn parse(text: &str) -> Option<State> {
    // Another program or person wrote a password with other characters, which SQL and URLs would have to quote.
    let is_plain =
        |password: &str| !password.is_empty() && password.bytes().all(|byte| byte.is_ascii_alphanumeric());
    serde_json::from_str(text).ok().filter(|state: &State| state.port != 0 && is_plain(&state.password))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "port": 21873, "role": "app", "password": "secret",
        "binaries": { "bin": "/usr/lib/postgresql/15/bin", "version": "15.18", "major": 15, "modified": 1700000000 },
        "added later": true
    }"#;

    #[test]
    fn a_written_state_file_is_read_unchanged() {
        let state = parse(TEXT).unwrap();
        assert_eq!((state.port, state.role.as_str(), state.binaries.major), (21873, "app", 15));
        assert!(parse(&serde_json::to_string(&state).unwrap()) == Some(state));
    }

    #[test]
    fn an_invalid_file_is_not_a_state() {
        let no_password = TEXT.replace("\"secret\"", "\"\"");
        let foreign_password = TEXT.replace("secret", "it's");
        let no_port = TEXT.replace("21873", "0");
        let too_large_port = TEXT.replace("21873", "218730");
        for text in
            ["", "{}", "null", &TEXT[..60], &no_password, &foreign_password, &no_port, &too_large_port]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn passwords_are_long_and_differ() {
        let password = new_password();
        assert_eq!(password.len(), 40);
        assert_ne!(password, new_password());
    }
}
