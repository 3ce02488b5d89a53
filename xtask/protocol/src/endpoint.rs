//! The address of the Docker daemon, and whether a daemon answers there.
//!
//! Both `xtask`, which chooses a kind of server, and `xtask-docker`, which uses the daemon, look here, so they agree.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::{Kind, Refusal};

/// The variable that names the daemon.
pub const DOCKER_HOST: &str = "DOCKER_HOST";
/// The way on that needs no Docker, for error messages.
pub const WITHOUT_DOCKER: &str = "do without Docker: --server native";

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The address of a daemon, and where it came from.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    place: Place,
    /// `None`: nothing names it, it is the usual place.
    named_by: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Socket(PathBuf),
    Tcp(String),
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Endpoint {
    /// `DOCKER_HOST`, then the current context of the `docker` program, then the usual sockets. Variables that are empty
    /// count as unset, as `docker` has it.
    ///
    /// # Errors
    /// [`Kind::BadHost`] when the address can't be used from here.
    pub fn from_environment() -> Result<Endpoint, Refusal> {
        Endpoint::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&'static str) -> Option<String>) -> Result<Endpoint, Refusal> {
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        let (host, named_by) = match variable(DOCKER_HOST) {
            Some(host) => (host, Some(DOCKER_HOST)),
            None => match host_of_context(variable) {
                Some(host) => (host, Some("the current `docker context`")),
                None => (format!("unix://{}", usual_socket(variable).display()), None),
            },
        };
        let tls = variable("DOCKER_TLS_VERIFY").is_some_and(|value| value != "0");
        let place = parse(&host, if tls { Tls::Demanded } else { Tls::Off }).map_err(|why| {
            let way = match named_by {
                Some(DOCKER_HOST) => "unset DOCKER_HOST",
                _ => "export DOCKER_HOST=unix:///var/run/docker.sock",
            };
            let whose = named_by.unwrap_or(DOCKER_HOST);
            let message = format!(
                "{whose} is {host:?}, {why}\n  {WITHOUT_DOCKER}\n  or use this machine's daemon: {way}"
            );
            Refusal::new(Kind::BadHost, message)
        })?;
        Ok(Endpoint { host, place, named_by })
    }

    /// The address, in the form of `DOCKER_HOST`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether there is reason to expect a daemon: something names it, or its socket exists.
    pub fn is_expected(&self) -> bool {
        self.named_by.is_some() || matches!(&self.place, Place::Socket(path) if path.exists())
    }

    /// Checks that something listens there.
    ///
    /// # Errors
    /// [`Kind::NoDaemon`] or [`Kind::Permission`], with the way out.
    pub fn probe(&self, patience: Duration) -> Result<(), Refusal> {
        self.connect(patience).map(drop).map_err(|error| self.unreachable(&error))
    }

    /// Checks that a daemon answers there. It may take `patience` to connect, and as long again to answer.
    ///
    /// # Errors
    /// As [`Endpoint::probe`].
    pub fn ping(&self, patience: Duration) -> Result<(), Refusal> {
        let mut stream = self.connect(patience).map_err(|error| self.unreachable(&error))?;
        let mut start = [0; 12];
        let asked = stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n");
        match asked.and_then(|()| stream.read_exact(&mut start)) {
            Ok(()) if start.ends_with(b" 200") => Ok(()),
            Ok(()) => Err(self.silent(&format!(", and answers {:?}", String::from_utf8_lossy(&start)))),
            Err(error) => Err(self.silent(&format!(", and does not answer: {error}"))),
        }
    }

    /// The refusal for a daemon that accepts connections, and what it does then.
    pub fn silent(&self, what: &str) -> Refusal {
        let message = format!(
            "the Docker daemon at {} accepts connections{what}\n  {WITHOUT_DOCKER}\n  or see its state: docker info",
            self.host
        );
        Refusal::new(Kind::NoDaemon, message)
    }

    fn connect(&self, patience: Duration) -> io::Result<Box<dyn Stream>> {
        match &self.place {
            Place::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))?;
                Ok(Box::new(stream))
            }
            Place::Tcp(address) => {
                let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for address in address.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, patience) {
                        Ok(stream) => {
                            stream.set_read_timeout(Some(patience))?;
                            stream.set_write_timeout(Some(patience))?;
                            return Ok(Box::new(stream));
                        }
                        Err(error) => refused = error,
                    }
                }
                Err(refused)
            }
        }
    }

    fn unreachable(&self, error: &io::Error) -> Refusal {
        let named = self.named_by.map(|what| format!(", which {what} names")).unwrap_or_default();
        let place = match &self.place {
            Place::Socket(path) => path.display().to_string(),
            Place::Tcp(address) => address.clone(),
        };
        let start = if cfg!(target_os = "macos") { "open -a Docker" } else { "sudo systemctl start docker" };
        let (kind, what, remedy) = match error.kind() {
            io::ErrorKind::NotFound => {
                (Kind::NoDaemon, format!("no Docker daemon: there is no socket {place}{named}"), start)
            }
            io::ErrorKind::ConnectionRefused => {
                (Kind::NoDaemon, format!("no Docker daemon: nothing listens on {place}{named}"), start)
            }
            io::ErrorKind::PermissionDenied => (
                Kind::Permission,
                format!("this user may not use the Docker daemon's socket {place}{named}"),
                "sudo usermod --append --groups docker \"$USER\", and log in again",
            ),
            _ => {
                (Kind::NoDaemon, format!("cannot reach the Docker daemon at {place}{named}: {error}"), start)
            }
        };
        Refusal::new(kind, format!("{what}\n  {WITHOUT_DOCKER}\n  or: {remedy}"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tls {
    Off,
    Demanded,
}

/// The place of an address; the error continues "DOCKER_HOST is …, ".
fn parse(host: &str, tls: Tls) -> Result<Place, String> {
    let Some((scheme, rest)) = host.split_once("://") else {
        return Err("which is not an address: it has no scheme, such as unix:// or tcp://".to_owned());
    };
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Place::Socket(rest.into())),
        "unix" => Err("but a socket needs its whole path, as in unix:///var/run/docker.sock".to_owned()),
        "tcp" | "http" => {
            let address = rest.trim_end_matches('/');
            let (name, port) = address.rsplit_once(':').unwrap_or((address, ""));
            if !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
                return Err(
                    "which is another machine: servers listen on its loopback address only, so this \
                            machine could not reach them"
                        .to_owned(),
                );
            }
            if port.parse::<u16>().is_err() {
                return Err("which has no port, as in tcp://127.0.0.1:2375".to_owned());
            }
            if tls == Tls::Demanded {
                return Err("and DOCKER_TLS_VERIFY is set, but TLS is not supported here".to_owned());
            }
            Ok(Place::Tcp(address.to_owned()))
        }
        "ssh" | "https" | "npipe" | "fd" => Err(format!("but {scheme}:// is not supported here")),
        _ => Err(format!("with the unknown scheme {scheme}://")),
    }
}

/// The first socket that exists of those that engines make, the system's before the user's.
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
fn host_of_context(variable: impl Fn(&'static str) -> Option<String>) -> Option<String> {
    let folder = match variable("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(&variable("HOME")?).join(".docker"),
    };
    let read = |path: PathBuf| -> Option<Value> { serde_json::from_slice(&fs::read(path).ok()?).ok() };
    let name = match variable("DOCKER_CONTEXT") {
        Some(name) => name,
        None => read(folder.join("config.json"))?["currentContext"].as_str()?.to_owned(),
    };
    if name == "default" {
        return None;
    }
    // `docker` keeps each context in a folder with the hash of its name; the name is in the file too.
    let contexts = fs::read_dir(folder.join("contexts/meta")).ok()?.flatten();
    let mut files = contexts.filter_map(|entry| read(entry.path().join("meta.json")));
    let context = files.find(|file| file["Name"] == name.as_str())?;
    Some(context["Endpoints"]["docker"]["Host"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use tempfile::TempDir;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    #[test]
    fn an_unusable_address_is_refused_with_the_reason() {
        for (host, tls, why) in [
            ("localhost:2375", Tls::Off, "no scheme"),
            ("unix://docker.sock", Tls::Off, "whole path"),
            ("ssh://me@there", Tls::Off, "ssh:// is not supported"),
            ("npipe:////./pipe/docker", Tls::Off, "npipe:// is not supported"),
            ("carrier://pigeon", Tls::Off, "unknown scheme carrier://"),
            ("tcp://10.0.0.1:2375", Tls::Off, "another machine"),
            ("tcp://localhost", Tls::Off, "no port"),
            ("tcp://localhost:2376", Tls::Demanded, "TLS is not supported"),
        ] {
            let refusal = Endpoint::from_variables(|name| match name {
                DOCKER_HOST => Some(host.to_owned()),
                "DOCKER_TLS_VERIFY" if tls == Tls::Demanded => Some("1".to_owned()),
                _ => None,
            })
            .unwrap_err();
            assert_eq!(refusal.kind, Kind::BadHost);
            let message = refusal.message;
            assert!(message.contains(why) && message.ends_with("unset DOCKER_HOST"), "{message}");
        }
    }

    #[test]
    fn an_address_on_this_machine_is_accepted() {
        let place = |host| parse(host, Tls::Off).unwrap();
        assert_eq!(place("unix:///run/docker.sock"), Place::Socket("/run/docker.sock".into()));
        assert_eq!(place("tcp://127.0.0.1:2375"), Place::Tcp("127.0.0.1:2375".into()));
        assert_eq!(place("tcp://localhost:2375/"), Place::Tcp("localhost:2375".into()));
    }

    /// A folder of the `docker` program with one context, which is the current one.
    fn config(host: &str) -> (TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let meta = folder.path().join("contexts/meta/abc");
        fs::create_dir_all(&meta).unwrap();
        fs::write(folder.path().join("config.json"), r#"{"currentContext": "colima"}"#).unwrap();
        let text = format!(r#"{{"Name":"colima","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
        fs::write(meta.join("meta.json"), text).unwrap();
        let path = folder.path().display().to_string();
        (folder, path)
    }

    #[test]
    fn a_context_is_read_as_the_docker_program_keeps_it() {
        let (_folder, path) = config("unix:///there/docker.sock");
        let host = |context: Option<&str>| {
            host_of_context(|name| match name {
                "DOCKER_CONFIG" => Some(path.clone()),
                "DOCKER_CONTEXT" => context.map(str::to_owned),
                _ => None,
            })
        };
        assert_eq!(host(None).as_deref(), Some("unix:///there/docker.sock"));
        assert_eq!(host(Some("colima")).as_deref(), Some("unix:///there/docker.sock"));
        assert_eq!(host(Some("default")), None);
        assert_eq!(host(Some("another")), None);
    }

    #[test]
    fn a_daemon_that_only_a_context_names_is_found_and_answers() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (_config, path) = config(&format!("unix://{}", socket.display()));
        let endpoint =
            Endpoint::from_variables(|name| (name == "DOCKER_CONFIG").then(|| path.clone())).unwrap();
        assert!(endpoint.is_expected());
        let daemon = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 18];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nOK").unwrap();
        });
        endpoint.ping(PATIENCE).unwrap();
        daemon.join().unwrap();
        // The listener is closed now, and its socket stays.
        let refusal = endpoint.ping(PATIENCE).unwrap_err();
        let why = format!(
            "no Docker daemon: nothing listens on {}, which the current `docker context` names",
            socket.display()
        );
        assert_eq!((refusal.kind, refusal.summary()), (Kind::NoDaemon, why.as_str()));
    }

    #[test]
    fn a_program_that_listens_and_does_not_answer_is_no_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("silent.sock");
        let _silent = UnixListener::bind(&socket).unwrap();
        let host = format!("unix://{}", socket.display());
        let endpoint = Endpoint::from_variables(|name| (name == DOCKER_HOST).then(|| host.clone())).unwrap();
        endpoint.probe(PATIENCE).unwrap();
        let refusal = endpoint.ping(Duration::from_millis(50)).unwrap_err();
        assert!(refusal.summary().contains("accepts connections, and does not answer"), "{refusal}");
    }
}
