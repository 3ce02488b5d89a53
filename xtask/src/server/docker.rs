//! A server in Docker, by way of the package `xtask-docker`: the only one that is built from testcontainers.
//!
//! What we know of Docker ourselves is whether its daemon answers.

use std::{
    env,
    io::{BufRead as _, BufReader, PipeWriter, Read as _, Write as _, pipe},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use duct::Handle;
use serde::Deserialize;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::helpers::package::{Package, Refusal};

pub(crate) const PACKAGE: Package = Package { name: "xtask-docker", does: "talks to Docker" };

/// How long a daemon may take to answer before we do without it.
const PATIENCE: Duration = Duration::from_millis(200);
/// The daemon's socket, where nothing else is said.
const SOCKET: &str = "/var/run/docker.sock";

/// A server that answered a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// Password included, and without a database.
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) version: String,
    pub(crate) container: String,
}

/// A test server, for as long as this lives: the end of our pipe is the end of the container, also when we are killed.
pub(crate) struct TestContainer {
    pub(crate) answer: Answer,
    child: Arc<Handle>,
    /// Closed in order to end it.
    input: Option<PipeWriter>,
}

/// Whether a daemon answers, asked without any library; the error is the reason in a few words.
pub(crate) fn daemon_answers() -> Result<(), String> {
    let host = env::var("DOCKER_HOST").unwrap_or_default();
    let stream: Box<dyn ReadWrite> = match host.split_once("://") {
        None if host.trim().is_empty() => Box::new(any_socket()?),
        Some(("unix", path)) => Box::new(socket(Path::new(path))?),
        Some(("tcp" | "http", address)) => Box::new(tcp(address)?),
        _ => return Err(format!("DOCKER_HOST is `{host}`, which is no address of a daemon")),
    };
    ping(stream).map_err(|error| format!("the Docker daemon does not answer: {error}"))
}

trait ReadWrite: std::io::Read + std::io::Write {}
impl<T: std::io::Read + std::io::Write> ReadWrite for T {}

fn ping(mut stream: Box<dyn ReadWrite>) -> std::io::Result<()> {
    stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    if start.ends_with(b" 200") {
        Ok(())
    } else {
        Err(std::io::Error::other(String::from_utf8_lossy(&start).into_owned()))
    }
}

/// The first socket of the usual places that is there: the system's, a rootless daemon's, Docker Desktop's.
fn any_socket() -> Result<UnixStream, String> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("docker.sock"));
    let home = |path: &str| env::var_os("HOME").map(|home| PathBuf::from(home).join(path));
    let others = [runtime, home(".docker/run/docker.sock"), home(".docker/desktop/docker.sock")];
    let places = [Some(PathBuf::from(SOCKET))].into_iter().chain(others).flatten();
    let found = places.into_iter().find(|path| path.exists());
    found.map_or_else(|| Err("no Docker daemon".to_owned()), |path| socket(&path))
}

fn socket(path: &Path) -> Result<UnixStream, String> {
    let stream = UnixStream::connect(path)
        .map_err(|error| format!("no Docker daemon at {}: {error}", path.display()))?;
    let limited =
        stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    limited.map_err(|error| error.to_string())?;
    Ok(stream)
}

fn tcp(address: &str) -> Result<TcpStream, String> {
    let failed = |error: &dyn std::fmt::Display| format!("no Docker daemon at {address}: {error}");
    let mut addresses = address.trim_end_matches('/').to_socket_addrs().map_err(|error| failed(&error))?;
    let first = addresses.next().ok_or_else(|| failed(&"no such host"))?;
    let stream = TcpStream::connect_timeout(&first, PATIENCE).map_err(|error| failed(&error))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| failed(&error))?;
    Ok(stream)
}

impl TestContainer {
    /// Starts one and waits until it answers a query.
    pub(crate) async fn start(
        image: &str,
        user: &str,
        password: &str,
        major: u32,
    ) -> anyhow::Result<Result<TestContainer, Refusal>> {
        let request = json!({ "image": image, "user": user, "password": password, "major": major });
        let work = spawn_blocking(move || {
            let ((input, mut writer), (reader, output)) = (pipe()?, pipe()?);
            let child = PACKAGE
                .command("test")?
                .stdin_file(input)
                .stdout_file(output)
                .start()
                .context("start what talks to Docker")?;
            // Whoever refuses before reading it has written its answer all the same.
            let _ = writeln!(writer, "{request}");
            let mut line = String::new();
            BufReader::new(reader).read_line(&mut line)?;
            let answer: Result<Answer, Refusal> = PACKAGE.read(line.as_bytes())?;
            Ok(answer.map(|answer| TestContainer { answer, child: Arc::new(child), input: Some(writer) }))
        });
        work.await.context("wait for Docker")?
    }

    /// Ends it, and waits until the container is gone.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        let child = self.child.clone();
        let status = spawn_blocking(move || child.wait().map(|output| output.status)).await??;
        if !status.success() {
            bail!(
                "the test server's container could not be removed\n  look for it: docker ps --all; remove it: cargo xtask server sweep"
            );
        }
        Ok(())
    }
}
