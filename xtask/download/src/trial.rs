//! Checks that programs run on this machine, by running one.

use std::path::Path;

use duct::cmd;

/// The outcome.
pub(crate) enum Trial {
    Runs {
        /// From `postgres --version`.
        version: String,
    },
    Fails {
        why: String,
    },
}

/// Runs the `postgres` of a folder. Its major version must match; the checksum has verified the rest of the version.
pub(crate) fn run(folder: &Path, expected: &str) -> Trial {
    let bin = folder.join("bin");
    if !bin.join("initdb").is_file() {
        return Trial::Fails { why: "there is no bin/initdb in it".to_owned() };
    }
    let ran = cmd!(bin.join("postgres"), "--version").stdin_null().stdout_capture().stderr_capture();
    let output = match ran.unchecked().run() {
        Ok(output) => output,
        Err(error) => return Trial::Fails { why: format!("bin/postgres: {error}") },
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    match version(&printed) {
        Some(version) if major(version) == major(expected) => Trial::Runs { version: version.to_owned() },
        Some(version) => Trial::Fails { why: format!("it is PostgreSQL {version}") },
        None => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let complaint = complaint.trim().lines().next().unwrap_or_default();
            Trial::Fails { why: format!("bin/postgres --version ended with {}: {complaint}", output.status) }
        }
    }
}

/// The version in the output of `postgres --version`.
fn version(printed: &str) -> Option<&str> {
    printed.split_once("(PostgreSQL) ")?.1.split_whitespace().next()
}

fn major(version: &str) -> &str {
    version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_without_its_packaging() {
        assert_eq!(version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some("15.18"));
        assert_eq!(version("Segmentation fault"), None);
        assert_eq!(major("15.18.0"), "15");
        assert_eq!(major("18beta1"), "18");
    }
}
