//! The state file of a development server: what has to be the same at its next start.
//!
//! It is rewritten whole, by the holder of the folder's lock, and read by anybody who may.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};

use crate::{binaries::Binaries, folder::write_private};

/// Holds the password in clear, so it has no `Debug`, and the file is its owner's alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) port: u16,
    pub(crate) role: String,
    pub(crate) password: String,
    /// With what the server was last started; asked again only if it has changed.
    pub(crate) binaries: Binaries,
}

/// What was found in the place of the state file.
pub(crate) enum Found {
    State(State),
    Absent,
    /// Not a state file; it was put aside for whoever wants to look.
    Unreadable {
        aside: PathBuf,
    },
}

fn path(folder: &Path) -> PathBuf {
    folder.join("server.json")
}

/// The state, if there is one that can be used; changes nothing.
pub(crate) fn peek(folder: &Path) -> Option<State> {
    parse(&fs::read_to_string(path(folder)).ok()?)
}

/// The state, for a caller who holds the lock.
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
    fs::rename(&path, &aside).with_context(|| format!("put {} aside", path.display()))?;
    Ok(Found::Unreadable { aside })
}

pub(crate) fn write(folder: &Path, state: &State) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(state).context("write the state as JSON")?;
    write_private(&path(folder), &(text + "\n"))
}

/// 160 random bits, in letters that need no quoting anywhere.
pub fn new_password() -> String {
    (0..5).map(|_| format!("{:08x}", rand::random::<u32>())).collect()
}

fn parse(text: &str) -> Option<State> {
    // A password that is not one of ours was written by somebody else, and would have to be quoted in SQL and
    // in URLs.
    let ours =
        |password: &str| !password.is_empty() && password.bytes().all(|byte| byte.is_ascii_alphanumeric());
    serde_json::from_str(text).ok().filter(|state: &State| state.port != 0 && ours(&state.password))
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
    fn a_state_file_comes_back_as_it_was_written() {
        let state = parse(TEXT).unwrap();
        assert_eq!((state.port, state.role.as_str(), state.binaries.major), (21873, "app", 15));
        assert!(parse(&serde_json::to_string(&state).unwrap()) == Some(state));
    }

    #[test]
    fn rubbish_is_no_state() {
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
    fn passwords_are_long_and_never_the_same() {
        let password = new_password();
        assert_eq!(password.len(), 40);
        assert_ne!(password, new_password());
    }
}
