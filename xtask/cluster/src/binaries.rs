//! Finds `postgres` and `initdb` on this machine.
//!
//! Installs and downloads nothing. The development server records what it found, so that a later start need not search
//! again.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// The variable that names the only folder to search.
const FOLDER_VARIABLE: &str = "XTASK_PG_BIN";

/// The folders where packages put each major version.
const USUAL_FOLDERS: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// A folder with a server's programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binaries {
    /// The folder of `postgres` and `initdb`.
    pub bin: PathBuf,
    /// The version that `postgres --version` prints, such as `15.18`.
    pub version: String,
    /// The first number of the version.
    pub major: u32,
    /// When `postgres` was last modified, in seconds since 1970: a minor upgrade replaces the files in the same folder.
    modified: u64,
}

impl Binaries {
    /// The path of a program, which need not exist.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Whether the programs are still the same files.
    pub fn unchanged(&self) -> bool {
        modified(&self.program("postgres")).is_some_and(|modified| modified == self.modified)
            && self.program("initdb").is_file()
    }

    /// The programs in a folder; `None` if one is missing, or they do not run on this machine.
    pub fn in_folder(folder: &Path) -> Option<Binaries> {
        let bin = resolved(folder);
        let postgres = bin.join("postgres");
        if !bin.join("initdb").is_file() {
            return None;
        }
        let modified = modified(&postgres)?;
        let said = duct::cmd!(&postgres, "--version").stdin_null().stderr_null().read().ok()?;
        let (version, major) = parse_version(&said)?;
        Some(Binaries { bin, version, major, modified })
    }
}

/// Whether the user named the folder of these programs, or none.
pub fn allows(binaries: &Binaries) -> bool {
    named_folder().is_none_or(|folder| resolved(&folder) == binaries.bin)
}

/// The only folder to search, if the user named one.
pub fn named_folder() -> Option<PathBuf> {
    env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Finds programs of the major version `prefer`; if that is `None`, the newest of at least `minimum_major`.
///
/// Only the major version that wrote a data directory can open it, hence `prefer`.
///
/// # Errors
///
/// There are no such programs; the message lists those found, the folders searched, and how to install them.
pub fn find_binaries(minimum_major: u32, prefer: Option<u32>) -> anyhow::Result<Binaries> {
    let named = named_folder();
    let folders = match &named {
        Some(folder) => vec![folder.clone()],
        None => candidate_folders(),
    };
    let (mut found, mut unusable) = (Vec::new(), Vec::new());
    for folder in folders {
        match Binaries::in_folder(&folder) {
            Some(it) => found.push(it),
            None => unusable.push(folder),
        }
    }
    if let (Some(folder), true) = (&named, found.is_empty()) {
        bail!(
            "{FOLDER_VARIABLE}={} holds no postgres and initdb that run here\n  \
             name another folder, or search everywhere: unset {FOLDER_VARIABLE}",
            folder.display()
        );
    }
    let searched = match named {
        Some(_) => format!("only {FOLDER_VARIABLE}; to search everywhere: unset {FOLDER_VARIABLE}"),
        None => format!("the folders of PATH, and: {}", USUAL_FOLDERS.join(", ")),
    };
    choose(&found, minimum_major, prefer)
        .cloned()
        .with_context(|| not_found(&found, &unusable, &searched, minimum_major, prefer))
}

fn choose(found: &[Binaries], minimum_major: u32, prefer: Option<u32>) -> Option<&Binaries> {
    found
        .iter()
        .filter(|it| it.major >= minimum_major && prefer.is_none_or(|major| it.major == major))
        // Of equals `max_by_key` takes the last, and the first folder should win.
        .rev()
        .max_by_key(|it| it.major)
}

fn not_found(
    found: &[Binaries],
    unusable: &[PathBuf],
    searched: &str,
    minimum_major: u32,
    prefer: Option<u32>,
) -> String {
    let (wanted, other) = match prefer {
        Some(major) => (format!("PostgreSQL {major}"), "of another version"),
        None => (format!("PostgreSQL {minimum_major} or newer"), "too old"),
    };
    let install = match (cfg!(target_os = "macos"), prefer) {
        (true, _) => format!("brew install postgresql@{}", prefer.unwrap_or(minimum_major)),
        (false, Some(major)) => format!("sudo apt install postgresql-{major}"),
        (false, None) => "sudo apt install postgresql".to_owned(),
    };
    let mut text = format!("{wanted} is not installed");
    for it in found {
        text += &format!("\n  found, but {other}: {} in {}", it.version, it.bin.display());
    }
    for folder in unusable {
        text += &format!("\n  found, but without initdb, or not for this machine: {}", folder.display());
    }
    text + &format!(
        "\n  searched {searched}\n  install it: {install}\n  or name its folder: export {FOLDER_VARIABLE}=/path/to/bin"
    )
}

/// Every folder that contains `postgres`, in order of preference. Several links to the same program count once.
fn candidate_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();

    let mut folders = Vec::new();
    if on_path.iter().any(|folder| folder.join("pg_config").is_file())
        && let Ok(folder) = duct::cmd!("pg_config", "--bindir").stdin_null().stderr_null().read()
    {
        folders.push(PathBuf::from(folder.trim()));
    }
    folders.extend(on_path);
    // In alphabetical order. Folders that can't be read are skipped.
    folders.extend(USUAL_FOLDERS.iter().filter_map(|pattern| glob::glob(pattern).ok()).flatten().flatten());

    let mut seen = Vec::new();
    folders.retain(|folder| {
        let postgres = resolved(&folder.join("postgres"));
        let new = postgres.is_file() && !seen.contains(&postgres);
        seen.push(postgres);
        new
    });
    folders
}

/// The version and the major version in the output of `postgres --version`.
fn parse_version(said: &str) -> Option<(String, u32)> {
    let version = said.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version.to_owned(), version[..digits].parse().ok()?))
}

fn modified(file: &Path) -> Option<u64> {
    let modified = fs::metadata(file).ok()?.modified().ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn resolved(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(version: &str) -> Binaries {
        let (version, major) = parse_version(&format!("postgres (PostgreSQL) {version}")).unwrap();
        Binaries {
            bin: PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")),
            version,
            major,
            modified: 0,
        }
    }

    #[track_caller]
    fn check_version(said: &str, expected: Option<(&str, u32)>) {
        assert_eq!(parse_version(said), expected.map(|(version, major)| (version.to_owned(), major)));
    }

    #[test]
    fn versions_of_every_packager_are_understood() {
        check_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(("15.18", 15)));
        check_version("postgres (PostgreSQL) 17.5 (Homebrew)", Some(("17.5", 17)));
        check_version("postgres (PostgreSQL) 18beta1", Some(("18beta1", 18)));
        check_version("postgres (EnterpriseDB) 17", None);
        check_version("", None);
    }

    #[track_caller]
    fn check_choice(found: &[&str], minimum_major: u32, prefer: Option<u32>, expected: Option<&str>) {
        let found: Vec<_> = found.iter().map(|version| binaries(version)).collect();
        let chosen = choose(&found, minimum_major, prefer).map(|it| it.version.as_str());
        assert_eq!(chosen, expected);
    }

    #[test]
    fn newest_wins_unless_a_data_directory_decides() {
        check_choice(&["15.1", "17.2", "16.3"], 15, None, Some("17.2"));
        check_choice(&["15.1", "17.2", "16.3"], 15, Some(16), Some("16.3"));
        check_choice(&["15.1", "15.2"], 15, None, Some("15.1"));
        check_choice(&["14.9"], 15, None, None);
        check_choice(&["14.9", "17.2"], 15, Some(14), None);
    }

    #[test]
    fn a_missing_program_is_reported_with_remedies() {
        let text =
            not_found(&[binaries("13.9")], &[PathBuf::from("/half/bin")], "the folders of PATH", 15, None);
        assert!(text.starts_with("PostgreSQL 15 or newer is not installed\n"), "{text}");
        for part in [
            "found, but too old: 13.9 in /usr/lib/postgresql/13/bin",
            "found, but without initdb, or not for this machine: /half/bin",
            "searched the folders of PATH",
            "install postgresql",
            FOLDER_VARIABLE,
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }
}
