//! The development server in a container: what we ask for, and the password that we keep for it.

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use cluster::{
    Native, Startup,
    folder::{self, Access, write_private},
    new_password,
};
use migrations::Postgres;
use sqlx::postgres::PgSslMode;
use url::Url;
use xtask_protocol::{
    Reply,
    docker::{self as protocol, StartDev, State, Status, Stop, StopAnswer, Sweep},
};

use crate::{
    checkout::Checkout,
    server::{
        docker,
        programs::own_server,
        reached::{Origin, Server},
        url::set_database,
    },
};

/// The variable that names another image.
const IMAGE: &str = "XTASK_POSTGRES_IMAGE";
/// How long another command may hold the checkout's lock: it may be making a native server.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(60);
/// Name of the file with the password, in the checkout's state folder.
const PASSWORD: &str = "docker-password";

/// The image to use: the environment's, the manifest's, or the usual one of the wanted major.
pub(crate) fn image(postgres: &Postgres) -> String {
    let named = env::var(IMAGE).ok().filter(|image| !image.is_empty()).or_else(|| postgres.image.clone());
    named.unwrap_or_else(|| format!("postgres:{}-alpine", postgres.version))
}

/// What the containers of a checkout are found by.
pub(crate) fn repository(native: &Native) -> String {
    native.folder().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Makes and starts whatever is missing until the server answers.
pub(crate) async fn start(
    checkout: &Checkout,
    postgres: &Postgres,
    why: &str,
) -> anyhow::Result<Reply<Server>> {
    let began = Instant::now();
    let native = own_server(checkout, postgres)?;
    let request = StartDev {
        repository: repository(&native),
        checkout: checkout.root.display().to_string(),
        image: image(postgres),
        user: postgres.main.clone(),
        password: password(native.folder()).await?,
        database: postgres.main.clone(),
        major: postgres.version,
    };
    let answer = match docker::ask(request).await? {
        Reply::Answer(answer) => answer,
        Reply::Error(refusal) => return Ok(Reply::Error(refusal)),
    };
    let mut url = Url::parse(&answer.url).context("read the container's URL")?;
    set_database(&mut url, &postgres.database);
    let mut server = Server::from_url(url, "Docker", postgres)?;
    server.options = server.options.ssl_mode(PgSslMode::Disable);
    let elapsed = began.elapsed();
    server.started = match answer.state {
        protocol::Startup::Created => Startup::Created { elapsed },
        protocol::Startup::Started => Startup::Started { elapsed },
        protocol::Startup::Kept => Startup::AlreadyRunning,
    };
    server.origin = Origin::Docker { container: answer.container, why: why.to_owned() };
    Ok(Reply::Answer(server))
}

/// Whether a connection string leads to the checkout's container, whatever port the container had at the time.
pub(crate) fn is_url_of(folder: &Path, url: &Url) -> bool {
    let ours = folder::read_private(&folder.join(PASSWORD)).unwrap_or_default();
    !ours.trim().is_empty() && url.host_str() == Some("127.0.0.1") && url.password() == Some(ours.trim())
}

/// The password of the checkout's volume; a new one where there is none yet.
async fn password(folder: &Path) -> anyhow::Result<String> {
    folder::ensure(folder, Access::Private)?;
    // Two commands at once must not generate two passwords.
    let _lock = folder::lock(&folder.join(folder::LOCK), LOCK_PATIENCE).await?;
    let file = folder.join(PASSWORD);
    match fs::read_to_string(&file) {
        Ok(password) if !password.trim().is_empty() => Ok(password.trim().to_owned()),
        _ => {
            let password = new_password();
            write_private(&file, &password).with_context(|| format!("write {}", file.display()))?;
            Ok(password)
        }
    }
}

/// Stops the checkout's container, and keeps it and its data.
pub(crate) async fn stop(native: &Native) -> anyhow::Result<StopAnswer> {
    match docker::ask(Stop { repository: repository(native) }).await? {
        Reply::Answer(answer) => Ok(answer),
        Reply::Error(refusal) => Err(refusal.into()),
    }
}

/// The state of the checkout's container, one fact per row.
pub(crate) async fn status(native: &Native) -> anyhow::Result<Vec<(&'static str, String)>> {
    let answer = match docker::ask(Status { repository: repository(native) }).await? {
        Reply::Answer(answer) => answer,
        Reply::Error(refusal) => return Ok(vec![("state", format!("unreachable: {}", refusal.message))]),
    };
    let state = match answer.state {
        State::Absent => "not made yet",
        State::Running => "running",
        State::Paused => "paused",
        State::Stopped => "stopped",
    };
    let facts = [
        ("container", answer.container),
        ("image", answer.image),
        ("port", answer.port.map(|port| port.to_string())),
        ("volume", answer.volume),
        ("since", answer.since),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Ok([("state", state.to_owned())].into_iter().chain(facts).collect())
}

/// Removes the containers of killed commands.
pub(crate) async fn sweep() -> anyhow::Result<Vec<String>> {
    match docker::ask(Sweep {}).await? {
        Reply::Answer(answer) => Ok(answer.removed),
        Reply::Error(refusal) => Err(refusal.into()),
    }
}
