//! Where the Docker daemon is, and whether anybody listens there: bollard's own errors tell neither.

use std::{
    env, fs, io,
    net::ToSocketAddrs as _,
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::failure::{Kind, WITHOUT_DOCKER, failure};

const DOCKER_HOST: &str = "DOCKER_HOST";
const COMMAND: &str = "TESTCONTAINERS_COMMAND";
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// A daemon on this machine accepts at once or never.
const TO_CONNECT: Duration = Duration::from_secs(3);

/// An address of a daemon, and who says so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// As `DOCKER_HOST` has it.
    pub(crate) host: String,
    place: Place,
    /// `None`: nobody, it is where daemons usually are.
    said_by: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Socket(PathBuf),
    Tcp(String),
}

impl Endpoint {
    /// `DOCKER_HOST`, then the chosen context of the `docker` program, then the usual sockets.
    pub(crate) fn of_environment() -> anyhow::Result<Endpoint> {
        let variable = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let (host, said_by) = match variable(DOCKER_HOST) {
            Some(host) => (host, Some("DOCKER_HOST")),
            None => match context_host(variable) {
                Some(host) => (host, Some("the current `docker context`")),
                None => (format!("unix://{}", usual_socket(variable).display()), None),
            },
        };
        let tls = variable("DOCKER_TLS_VERIFY").is_some_and(|value| value != "0");
        Endpoint::parse(&host, said_by, tls)
    }

    fn parse(host: &str, said_by: Option<&'static str>, tls: bool) -> anyhow::Result<Endpoint> {
        let whose = said_by.unwrap_or(DOCKER_HOST);
        let bad = |why: &str| {
            let way = match said_by {
                Some(DOCKER_HOST) => "unset DOCKER_HOST",
                _ => "export DOCKER_HOST=unix:///var/run/docker.sock",
            };
            let message = format!(
                "{whose} is {host:?}, {why}\n  {WITHOUT_DOCKER}\n  or take this machine's daemon: {way}"
            );
            failure(Kind::BadHost, message)
        };
        let Some((scheme, rest)) = host.split_once("://") else {
            return Err(bad("which is no address: it has no scheme, such as unix:// or tcp://"));
        };
        let place = match scheme {
            "unix" if rest.starts_with('/') => Place::Socket(rest.into()),
            "unix" => {
                return Err(bad(
                    "and a socket is named by its whole path, as in unix:///var/run/docker.sock",
                ));
            }
            "tcp" | "http" => {
                let address = rest.trim_end_matches('/');
                let (name, port) = address.rsplit_once(':').unwrap_or((address, ""));
                if !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
                    return Err(bad(
                        "which is another machine: servers listen on its loopback address alone, so nobody here could reach them",
                    ));
                }
                if port.parse::<u16>().is_err() {
                    return Err(bad("which has no port, as in tcp://127.0.0.1:2375"));
                }
                if tls {
                    return Err(bad("and DOCKER_TLS_VERIFY is set: TLS is not built in here"));
                }
                Place::Tcp(address.to_owned())
            }
            "ssh" | "https" | "npipe" | "fd" => {
                return Err(bad(&format!("and {scheme}:// is not built in here")));
            }
            _ => return Err(bad(&format!("and nobody knows the scheme {scheme}://"))),
        };
        Ok(Endpoint { host: host.to_owned(), place, said_by })
    }

    /// Becomes the same program in an environment that testcontainers reads as we do, if this is not it: it takes an
    /// empty `DOCKER_HOST` for an address, knows no contexts, and what `TESTCONTAINERS_COMMAND` says is not for it
    /// to decide, since some of our servers stay and the others do not. Nothing was read from standard input yet.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let is = |name, value: &str| env::var(name).is_ok_and(|it| it == value);
        if is(DOCKER_HOST, &self.host) && is(COMMAND, "keep") {
            return Ok(());
        }
        let own = env::current_exe().context("find this program's own file")?;
        #[expect(clippy::disallowed_methods, reason = "neither xshell nor duct replaces the process")]
        let mut command = Command::new(own);
        let error =
            command.args(env::args_os().skip(1)).env(DOCKER_HOST, &self.host).env(COMMAND, "keep").exec();
        Err(error).context("run this program again")
    }

    /// Asks whether anybody listens, before a client is made that could not say why nobody does.
    pub(crate) fn probe(&self) -> anyhow::Result<()> {
        match &self.place {
            Place::Socket(path) => {
                UnixStream::connect(path).map(drop).map_err(|error| self.unreachable(&error))
            }
            Place::Tcp(address) => {
                let addresses = address.to_socket_addrs().map_err(|error| self.unreachable(&error))?;
                let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for address in addresses {
                    match std::net::TcpStream::connect_timeout(&address, TO_CONNECT) {
                        Ok(_) => return Ok(()),
                        Err(error) => refused = error,
                    }
                }
                Err(self.unreachable(&refused))
            }
        }
    }

    fn unreachable(&self, error: &io::Error) -> anyhow::Error {
        let said = self.said_by.map(|who| format!(", where {who} says it is")).unwrap_or_default();
        let place = match &self.place {
            Place::Socket(path) => path.display().to_string(),
            Place::Tcp(address) => address.clone(),
        };
        let start = if cfg!(target_os = "macos") { "open -a Docker" } else { "sudo systemctl start docker" };
        let (kind, message, remedy) = match error.kind() {
            io::ErrorKind::NotFound => {
                (Kind::NoDaemon, format!("no Docker daemon: there is no socket {place}{said}"), start)
            }
            io::ErrorKind::ConnectionRefused => {
                (Kind::NoDaemon, format!("no Docker daemon: nobody listens on {place}{said}"), start)
            }
            io::ErrorKind::PermissionDenied => (
                Kind::Permission,
                format!("this user may not use the Docker daemon's socket {place}{said}"),
                "sudo usermod --append --groups docker \"$USER\", and log in again",
            ),
            _ => (Kind::NoDaemon, format!("cannot reach the Docker daemon at {place}{said}: {error}"), start),
        };
        failure(kind, format!("{message}\n  {WITHOUT_DOCKER}\n  or: {remedy}"))
    }

    pub(crate) fn is_silent(&self) -> anyhow::Error {
        let message = format!(
            "the Docker daemon at {} accepts connections and answers none\n  {WITHOUT_DOCKER}\n  or see how it is: docker info",
            self.host
        );
        failure(Kind::NoDaemon, message)
    }
}

/// The first socket that exists of those that engines make, root's before the user's.
fn usual_socket(variable: impl Fn(&'static str) -> Option<String>) -> PathBuf {
    let below = |name, path: &str| variable(name).map(|folder| Path::new(&folder).join(path));
    let candidates = [
        Some(PathBuf::from(DEFAULT_SOCKET)),
        below("XDG_RUNTIME_DIR", "docker.sock"),
        below("XDG_RUNTIME_DIR", ".docker/run/docker.sock"),
        below("HOME", ".docker/run/docker.sock"),
        below("HOME", ".docker/desktop/docker.sock"),
    ];
    candidates.into_iter().flatten().find(|path| path.exists()).unwrap_or_else(|| DEFAULT_SOCKET.into())
}

/// The address of the context that `docker context use` chose, or `DOCKER_CONTEXT`.
fn context_host(variable: impl Fn(&'static str) -> Option<String>) -> Option<String> {
    let folder = match variable("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(&variable("HOME")?).join(".docker"),
    };
    let read =
        |path: PathBuf| -> Option<serde_json::Value> { serde_json::from_slice(&fs::read(path).ok()?).ok() };
    let name = match variable("DOCKER_CONTEXT") {
        Some(name) => name,
        None => read(folder.join("config.json"))?["currentContext"].as_str()?.to_owned(),
    };
    if name == "default" {
        return None;
    }
    let digest: String = Sha256::digest(&name).iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = read(folder.join("contexts/meta").join(digest).join("meta.json"))?;
    Some(meta["Endpoints"]["docker"]["Host"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_serve_are_refused_with_the_reason() {
        for (host, tls, said) in [
            ("", false, "no scheme"),
            ("localhost:2375", false, "no scheme"),
            ("unix://docker.sock", false, "whole path"),
            ("ssh://me@there", false, "ssh:// is not built in"),
            ("npipe:////./pipe/docker", false, "npipe:// is not built in"),
            ("carrier://pigeon", false, "nobody knows the scheme carrier://"),
            ("tcp://10.0.0.1:2375", false, "another machine"),
            ("tcp://localhost", false, "no port"),
            ("tcp://localhost:2376", true, "TLS is not built in"),
        ] {
            let error = Endpoint::parse(host, Some(DOCKER_HOST), tls).unwrap_err();
            let told = crate::failure::told(&error);
            assert_eq!(told.kind, Kind::BadHost);
            assert!(
                told.message.contains(said) && told.message.ends_with("unset DOCKER_HOST"),
                "{}",
                told.message
            );
        }
    }

    #[test]
    fn addresses_on_this_machine_are_taken() {
        let place = |host| Endpoint::parse(host, None, false).unwrap().place;
        assert_eq!(place("unix:///run/docker.sock"), Place::Socket("/run/docker.sock".into()));
        assert_eq!(place("tcp://127.0.0.1:2375"), Place::Tcp("127.0.0.1:2375".into()));
        assert_eq!(place("tcp://localhost:2375/"), Place::Tcp("localhost:2375".into()));
    }

    #[test]
    fn a_context_is_read_as_the_docker_program_keeps_it() {
        let folder = env::temp_dir().join(format!("xtask-docker-context-{}", std::process::id()));
        let digest: String = Sha256::digest("colima").iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = folder.join("contexts/meta").join(digest);
        fs::create_dir_all(&meta).unwrap();
        fs::write(folder.join("config.json"), r#"{"currentContext": "colima"}"#).unwrap();
        let text = r#"{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///there/docker.sock"}}}"#;
        fs::write(meta.join("meta.json"), text).unwrap();
        let config = folder.display().to_string();
        let host = context_host(|name| (name == "DOCKER_CONFIG").then(|| config.clone()));
        assert_eq!(host.as_deref(), Some("unix:///there/docker.sock"));
        let other = context_host(|name| match name {
            "DOCKER_CONFIG" => Some(config.clone()),
            "DOCKER_CONTEXT" => Some("default".to_owned()),
            _ => None,
        });
        assert_eq!(other, None);
        fs::remove_dir_all(folder).unwrap();
    }
}
