//! Requests to `xtask-docker`, and its answers.

use serde::{Deserialize, Serialize};

use crate::Request;

/// Starts the durable development server of one checkout, or finds it running.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartDev {
    /// The server is found again by this: the same for one checkout, and for no other.
    pub repository: String,
    /// The folder of the checkout, for people who look at the labels.
    pub checkout: String,
    /// Name and tag of the image.
    pub image: String,
    /// The superuser.
    pub user: String,
    /// The superuser's password.
    pub password: String,
    /// The database that exists from the start.
    pub database: String,
    /// The major version of Postgres.
    pub major: u32,
}

/// Starts a test server in memory, which ends when the program's standard input closes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartTest {
    /// Name and tag of the image.
    pub image: String,
    /// The superuser.
    pub user: String,
    /// The superuser's password.
    pub password: String,
    /// The major version of Postgres.
    pub major: u32,
    /// How much memory its data may take. `None`: as much as the engine gives, half of the machine's.
    pub megabytes: Option<u32>,
}

/// Stops the container of a checkout. The container and its data stay.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// As in [`StartDev`].
    pub repository: String,
}

/// Removes the containers of a checkout and their data.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// As in [`StartDev`].
    pub repository: String,
}

/// Reports the state of a checkout's container.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// As in [`StartDev`].
    pub repository: String,
}

/// Removes the containers that killed commands left behind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {}

/// A server that answered a query just now.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAnswer {
    /// Password included.
    pub url: String,
    /// The container's name, as `docker logs` takes it.
    pub container: String,
    /// Name and tag of the image.
    pub image: String,
    /// What the start took.
    pub state: Startup,
    /// Such as `15.18`.
    pub version: String,
}

/// What the start of a server took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Startup {
    /// It was running.
    Kept,
    /// Its container was started.
    Started,
    /// Its container was created.
    Created,
}

/// What was removed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Removed {
    /// Names of containers, and of volumes if those go too.
    pub removed: Vec<String>,
}

/// The container after [`Stop`].
#[derive(Debug, Serialize, Deserialize)]
pub struct StopAnswer {
    /// What happened.
    pub state: Stopped,
    /// The container's name, if it exists.
    pub container: Option<String>,
}

/// What became of a container that should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// It was running, and was stopped.
    Stopped,
    /// It exists and was not running.
    NotRunning,
    /// It does not exist.
    Absent,
}

/// The state of a checkout's container.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// Whether it runs.
    pub state: State,
    /// Its name, if it exists.
    pub container: Option<String>,
    /// Name and tag of its image.
    pub image: Option<String>,
    /// On 127.0.0.1, while it runs.
    pub port: Option<u16>,
    /// The volume with the data, which outlives the container.
    pub volume: Option<String>,
    /// When it was last started, in RFC 3339.
    pub since: Option<String>,
}

/// Whether a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does not exist.
    Absent,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It exists and does not run.
    Stopped,
}

impl Request for StartDev {
    const VERB: &'static str = "dev";
    type Answer = ServerAnswer;
}

impl Request for StartTest {
    const VERB: &'static str = "test";
    type Answer = ServerAnswer;
}

impl Request for Stop {
    const VERB: &'static str = "stop";
    type Answer = StopAnswer;
}

impl Request for Remove {
    const VERB: &'static str = "remove";
    type Answer = Removed;
}

impl Request for Status {
    const VERB: &'static str = "status";
    type Answer = StatusAnswer;
}

impl Request for Sweep {
    const VERB: &'static str = "sweep";
    type Answer = Removed;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reply;

    #[test]
    fn an_unknown_state_is_an_error() {
        let line = |state: &str| {
            format!(
                r#"{{"answer":{{"url":"postgres://","container":"c","image":"i","state":"{state}","version":"15"}}}}"#
            )
        };
        let reply: Reply<ServerAnswer> = serde_json::from_str(&line("started")).unwrap();
        assert!(matches!(reply, Reply::Answer(ServerAnswer { state: Startup::Started, .. })));
        let error = serde_json::from_str::<Reply<ServerAnswer>>(&line("paused")).err().unwrap().to_string();
        assert!(error.contains("unknown variant `paused`"), "{error}");
    }
}
