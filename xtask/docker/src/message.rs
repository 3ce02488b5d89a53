//! What is said on standard input and output.

use serde::{Deserialize, Serialize};

use crate::failure::{Kind, failure};

/// For `dev`: the durable development server of one checkout.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevRequest {
    /// What the server is found again by: the same for one checkout, and for no other.
    pub(crate) repository: String,
    /// The folder of the checkout, for people who look at the labels.
    pub(crate) checkout: String,
    pub(crate) image: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
    pub(crate) major: u32,
}

impl DevRequest {
    /// Refuses what would be part of a name, or of a script, and can't.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.repository.is_empty() || !self.repository.chars().all(plain) {
            let message = format!("`{}` can't be part of a container's name", self.repository);
            return Err(failure(Kind::Other, message));
        }
        if [&self.user, &self.password, &self.database].iter().any(|it| it.contains(char::is_control)) {
            return Err(failure(Kind::Other, "a user, password or database can't hold control characters"));
        }
        Ok(())
    }
}

/// For `test`: a server in memory that goes away with us.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRequest {
    pub(crate) image: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) major: u32,
    /// How much memory its data may take. `None`: as much as the engine gives, which is half of the machine's.
    pub(crate) megabytes: Option<u32>,
}

/// For `stop`, `remove` and `status`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepositoryRequest {
    pub(crate) repository: String,
}

/// A server that answered a query just now.
#[derive(Serialize)]
pub(crate) struct ServerAnswer {
    /// Password included.
    pub(crate) url: String,
    /// The container's name, as `docker logs` takes it.
    pub(crate) container: String,
    pub(crate) image: String,
    pub(crate) state: Startup,
    /// Such as `15.18`.
    pub(crate) version: String,
}

/// What it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Startup {
    Kept,
    Started,
    Created,
}

#[derive(Serialize)]
pub(crate) struct SweepAnswer {
    /// Names of containers, and of volumes if those were asked for.
    pub(crate) removed: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct StopAnswer {
    pub(crate) state: Ended,
    pub(crate) container: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ended {
    #[serde(rename = "stopped")]
    Now,
    NotRunning,
    Absent,
}

#[derive(Serialize)]
pub(crate) struct StatusAnswer {
    pub(crate) state: State,
    pub(crate) container: Option<String>,
    pub(crate) image: Option<String>,
    /// On 127.0.0.1, while it runs.
    pub(crate) port: Option<u16>,
    /// Where the data is; it outlives the container.
    pub(crate) volume: Option<String>,
    /// When it was started last, as RFC 3339 has it.
    pub(crate) since: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Absent,
    Running,
    Stopped,
    Paused,
}
