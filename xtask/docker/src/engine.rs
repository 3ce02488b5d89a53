//! The Docker daemon: the few things that are asked of it, containers found by our labels alone.

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

use crate::{endpoint::Endpoint, failure::has_status};

/// Whose container or volume it is; a checkout's.
pub(crate) const REPOSITORY: &str = "xtask.repository";
/// Where that checkout is.
pub(crate) const CHECKOUT: &str = "xtask.checkout";
/// What it is there for; nothing without this label is ever touched.
pub(crate) const ROLE: &str = "xtask.role";
/// A hash of everything that a container was made from.
pub(crate) const SPEC: &str = "xtask.spec";
/// On a container whose volume was made for it: until its server is ready, there is nothing in it to lose.
pub(crate) const FRESH: &str = "xtask.fresh";
/// The process that made it.
pub(crate) const OWNER: &str = "xtask.owner";
/// The major version of the data in a volume.
pub(crate) const MAJOR: &str = "xtask.major";

/// The port of Postgres inside of a container.
pub(crate) const PORT: &str = "5432/tcp";

/// An engine that works pings within a millisecond, and a busy one within a second.
const TO_PING: Duration = Duration::from_secs(10);
/// A fast shutdown writes what is in memory first.
const TO_STOP: Duration = Duration::from_secs(30);
/// What a server prints once it is ready, in English at least.
pub(crate) const READY: &str = "ready to accept connections";
/// How much of a log is shown.
const LOG_LINES: &str = "20";

pub(crate) type Lines = Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

pub(crate) struct Engine {
    pub(crate) docker: Docker,
}

/// What containers of ours are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Dev,
    Test,
    /// Never started: it is there for a volume to be read through it.
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

/// A container of ours, as a list shows it.
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

    fn of(summary: ContainerSummary) -> Option<Found> {
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
            Err(_) => return Err(endpoint.is_silent()),
        };
        Ok(Engine { docker })
    }

    /// Every container that has all of these labels, whatever its state, and is ours.
    pub(crate) async fn list(&self, labels: &[(&str, &str)]) -> anyhow::Result<Vec<Found>> {
        let mut wanted: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        wanted.push(ROLE.to_owned());
        let options =
            ListContainersOptionsBuilder::new().all(true).filters(&HashMap::from([("label", wanted)]));
        let containers =
            self.docker.list_containers(Some(options.build())).await.context("list containers")?;
        Ok(containers.into_iter().filter_map(Found::of).collect())
    }

    /// The development server's containers of a repository: one, unless somebody made another by hand.
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

    /// Ends the server's sessions and then the server, which writes what is in memory first.
    ///
    /// Not simply by `docker stop`: its signal is the image's to choose, and to Postgres SIGTERM means to wait
    /// until every client has left.
    pub(crate) async fn stop(&self, found: &Found) -> anyhow::Result<()> {
        if found.state == ContainerSummaryStateEnum::PAUSED {
            self.unpause(&found.name).await?;
        }
        let signal = KillContainerOptionsBuilder::new().signal("SIGINT").build();
        let asked = self.docker.kill_container(&found.id, Some(signal)).await;
        let began = std::time::Instant::now();
        while asked.is_ok() && began.elapsed() < TO_STOP && self.is_running(&found.id).await? {
            sleep(Duration::from_millis(20)).await;
        }
        // If it has ended this does nothing, and if it is still at it this ends it.
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

    /// Removes a container, running or not, and the volumes that have no name. True: it was there, and it was us.
    pub(crate) async fn remove(&self, container: &str) -> anyhow::Result<bool> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(container, Some(options)).await {
            Ok(()) => Ok(true),
            // Somebody else has removed it, or is about to.
            Err(error) if has_status(&error, 404) || has_status(&error, 409) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("remove container {container}")),
        }
    }

    /// The end of what a container has printed.
    pub(crate) async fn log_tail(&self, container: &str) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LOG_LINES).build();
        let lines: Result<Vec<_>, _> = self.docker.logs(container, Some(options)).try_collect().await;
        // What a log would have told is not worth an error of its own.
        let chunks = lines.unwrap_or_default().into_iter().map(|line| line.to_string());
        chunks.collect::<String>().trim_end().to_owned()
    }

    /// What a container prints from now on, and the last line before.
    pub(crate) fn follow(&self, container: &str) -> Lines {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).follow(true).tail("1").build();
        Box::pin(self.docker.logs(container, Some(options)))
    }

    /// Whether a server was ever ready in a container. If its log can't be read, it is taken to have been.
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
