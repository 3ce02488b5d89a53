//! The Docker daemon: the few requests that we need. Containers are found by our labels only.

use std::{
    collections::HashMap,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use futures_util::{Stream, TryStreamExt as _};
use testcontainers::{
    bollard::{
        self, Docker,
        container::LogOutput,
        models::{ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum},
        query_parameters::{
            InspectContainerOptions, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
            LogsOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
            StopContainerOptionsBuilder,
        },
    },
    core::client::docker_client_instance,
};
use tokio::time::{sleep, timeout};

use xtask_protocol::endpoint::Endpoint;

use crate::failure::has_status;

/// The checkout that a container or volume belongs to.
pub(crate) const REPOSITORY: &str = "xtask.repository";
/// The folder of that checkout.
pub(crate) const CHECKOUT: &str = "xtask.checkout";
/// Its purpose. Nothing without this label is ever touched.
pub(crate) const ROLE: &str = "xtask.role";
/// A hash of everything that a container was created from.
pub(crate) const SPEC: &str = "xtask.spec";
/// On a container that was created with its volume: until its server is ready, the volume has no data to lose.
pub(crate) const FRESH: &str = "xtask.fresh";
/// The process that created it.
pub(crate) const OWNER: &str = "xtask.owner";
/// The major version of the data in a volume.
pub(crate) const MAJOR: &str = "xtask.major";

/// The port of Postgres inside of a container.
pub(crate) const PORT: &str = "5432/tcp";

/// A working engine answers a ping within a millisecond, and a busy one within a second.
const TO_PING: Duration = Duration::from_secs(10);
/// A fast shutdown writes the memory to disk first.
const TO_STOP: Duration = Duration::from_secs(30);
/// Printed by a server that is ready, at least in English.
pub(crate) const READY: &str = "ready to accept connections";
/// How many lines of a log an error shows.
const LOG_LINES: &str = "20";

pub(crate) type Lines = Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

pub(crate) struct Engine {
    pub(crate) docker: Docker,
}

/// The purpose of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Dev,
    Test,
    /// Never started: it only gives access to a volume.
    Probe,
}

impl Role {
    pub(crate) const ALL: [Role; 3] = [Role::Dev, Role::Test, Role::Probe];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Role::Dev => "dev",
            Role::Test => "test",
            Role::Probe => "probe",
        }
    }
}

/// One of our containers, from a list.
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) state: ContainerSummaryStateEnum,
    pub(crate) image_id: String,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) age: Duration,
}

impl Found {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    fn from_summary(summary: ContainerSummary) -> Option<Found> {
        let labels = summary.labels.unwrap_or_default();
        let role =
            Role::ALL.into_iter().find(|role| labels.get(ROLE).is_some_and(|it| it == role.label()))?;
        let id = summary.id?;
        let name = summary.names.and_then(|names| names.into_iter().next());
        let name = name.map_or_else(|| id.clone(), |name| name.trim_start_matches('/').to_owned());
        let created = Duration::from_secs(u64::try_from(summary.created.unwrap_or(0)).unwrap_or(0));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Found {
            id,
            name,
            role,
            state: summary.state.unwrap_or(ContainerSummaryStateEnum::EMPTY),
            image_id: summary.image_id.unwrap_or_default(),
            labels,
            age: now.saturating_sub(created),
        })
    }
}

impl Engine {
    pub(crate) async fn connect(endpoint: &Endpoint) -> anyhow::Result<Engine> {
        let docker = docker_client_instance().await?;
        match timeout(TO_PING, docker.ping()).await {
            Ok(answer) => answer.context("ask the Docker daemon whether it is well")?,
            Err(_) => return Err(endpoint.silent(" and does not answer").into()),
        };
        Ok(Engine { docker })
    }

    /// Lists our containers with all of these labels, in any state.
    pub(crate) async fn list(&self, labels: &[(&str, &str)]) -> anyhow::Result<Vec<Found>> {
        let mut filter: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        filter.push(ROLE.to_owned());
        let options =
            ListContainersOptionsBuilder::new().all(true).filters(&HashMap::from([("label", filter)]));
        let containers =
            self.docker.list_containers(Some(options.build())).await.context("list containers")?;
        Ok(containers.into_iter().filter_map(Found::from_summary).collect())
    }

    /// Lists the containers of a repository's development server: one, unless a person created another by hand.
    pub(crate) async fn dev(&self, repository: &str) -> anyhow::Result<Vec<Found>> {
        self.list(&[(REPOSITORY, repository), (ROLE, Role::Dev.label())]).await
    }

    /// `None`: there is no such container.
    pub(crate) async fn inspect(&self, container: &str) -> anyhow::Result<Option<ContainerInspectResponse>> {
        match self.docker.inspect_container(container, None::<InspectContainerOptions>).await {
            Ok(it) => Ok(Some(it)),
            Err(error) if has_status(&error, 404) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("look at container {container}")),
        }
    }

    pub(crate) async fn start(&self, container: &str) -> anyhow::Result<()> {
        match self.docker.start_container(container, None::<StartContainerOptions>).await {
            Err(error) if !has_status(&error, 304) => {
                Err(error).with_context(|| format!("start container {container}"))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(crate) async fn unpause(&self, container: &str) -> anyhow::Result<()> {
        self.docker
            .unpause_container(container)
            .await
            .with_context(|| format!("unpause container {container}"))
    }

    /// Ends the server's sessions and then the server, which writes its memory to disk first.
    ///
    /// Not by `docker stop` alone: the image chooses its signal, and at SIGTERM Postgres waits until every client has
    /// disconnected.
    pub(crate) async fn stop(&self, found: &Found) -> anyhow::Result<()> {
        if found.state == ContainerSummaryStateEnum::PAUSED {
            self.unpause(&found.name).await?;
        }
        let signal = KillContainerOptionsBuilder::new().signal("SIGINT").build();
        let signalled = self.docker.kill_container(&found.id, Some(signal)).await;
        let began = std::time::Instant::now();
        while signalled.is_ok() && began.elapsed() < TO_STOP && self.is_running(&found.id).await? {
            sleep(Duration::from_millis(20)).await;
        }
        // Does nothing if the container has ended, and kills it if it has not.
        let options = StopContainerOptionsBuilder::new().t(10).build();
        match self.docker.stop_container(&found.id, Some(options)).await {
            Err(error) if !has_status(&error, 304) && !has_status(&error, 404) => {
                Err(error).with_context(|| format!("stop container {}", found.name))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn is_running(&self, container: &str) -> anyhow::Result<bool> {
        let state = self.inspect(container).await?.and_then(|it| it.state);
        Ok(state.and_then(|it| it.running).unwrap_or(false))
    }

    /// Removes a container, running or not, and its unnamed volumes. Returns whether this call removed it.
    pub(crate) async fn remove(&self, container: &str) -> anyhow::Result<bool> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(container, Some(options)).await {
            Ok(()) => Ok(true),
            // Another process has removed it, or is about to.
            Err(error) if has_status(&error, 404) || has_status(&error, 409) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("remove container {container}")),
        }
    }

    /// The last lines of a container's log.
    pub(crate) async fn log_tail(&self, container: &str) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LOG_LINES).build();
        let lines: Result<Vec<_>, _> = self.docker.logs(container, Some(options)).try_collect().await;
        // A log that can't be read is not worth an error of its own.
        let chunks = lines.unwrap_or_default().into_iter().map(|line| line.to_string());
        chunks.collect::<String>().trim_end().to_owned()
    }

    /// The last line of a container's log, and the lines that follow.
    pub(crate) fn follow(&self, container: &str) -> Lines {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).follow(true).tail("1").build();
        Box::pin(self.docker.logs(container, Some(options)))
    }

    /// Whether a server was ever ready in a container. Assumes so if the log can't be read.
    pub(crate) async fn was_ready(&self, container: &str) -> bool {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).build();
        let mut lines = Box::pin(self.docker.logs(container, Some(options)));
        loop {
            match lines.try_next().await {
                Ok(Some(line)) if line.to_string().contains(READY) => return true,
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }
}

/// The port on 127.0.0.1 that leads to Postgres in a container. `None`: it is not running.
pub(crate) fn host_port(container: &ContainerInspectResponse) -> Option<u16> {
    let bindings = container.network_settings.as_ref()?.ports.as_ref()?.get(PORT)?.as_ref()?;
    bindings.iter().find_map(|binding| binding.host_port.as_ref()?.parse().ok())
}

pub(crate) fn name_of(container: &ContainerInspectResponse) -> String {
    let name = container.name.as_deref().or(container.id.as_deref()).unwrap_or_default();
    name.trim_start_matches('/').to_owned()
}
