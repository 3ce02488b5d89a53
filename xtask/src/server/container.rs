//! The development server in a container: what we ask for, and the password that we keep for it.

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use cluster::{
    Native, Startup,
    folder::{self, Access, write_private},
    new_password,
};
use migrations::Postgres;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::{
    checkout::Checkout,
    helpers::package::Refusal,
    server::{
        docker::{self, Answer},
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
) -> anyhow::Result<Result<Server, Refusal>> {
    let began = Instant::now();
    let native = own_server(checkout, postgres)?;
    let request = json!({
        "repository": repository(&native),
        "checkout": checkout.root.display().to_string(),
        "image": image(postgres),
        "user": postgres.database,
        "password": password(native.folder()).await?,
        "database": postgres.database,
        "major": postgres.version,
    });
    let answer: Answer = match docker::PACKAGE.ask("dev", request).await? {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut url = Url::parse(&answer.url).context("read the container's URL")?;
    set_database(&mut url, &postgres.database);
    let mut server = Server::from_url(url, "Docker", postgres)?;
    let elapsed = began.elapsed();
    server.started = match answer.state.as_str() {
        "created" => Startup::Created { elapsed },
        "started" => Startup::Started { elapsed },
        _ => Startup::AlreadyRunning,
    };
    server.origin = Origin::Docker { container: answer.container, why: why.to_owned() };
    Ok(Ok(server))
}

/// Whether a connection string is that of the checkout's container, on whatever port it was at the time.
pub(crate) fn is_url_of(folder: &Path, url: &Url) -> bool {
    let ours = fs::read_to_string(folder.join(PASSWORD)).unwrap_or_default();
    !ours.trim().is_empty() && url.host_str() == Some("127.0.0.1") && url.password() == Some(ours.trim())
}

/// The password of the checkout's volume; a new one where there is none yet.
async fn password(folder: &Path) -> anyhow::Result<String> {
    folder::ensure(folder, Access::Private)?;
    // Two commands at once must not make up two.
    let _lock = folder::lock(&folder.join("lock"), LOCK_PATIENCE).await?;
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

#[derive(Deserialize)]
struct StopAnswer {
    state: String,
    container: Option<String>,
}

/// Stops the checkout's container; it and its data stay. The state after, and the container's name behind a comma.
pub(crate) async fn stop(native: &Native) -> anyhow::Result<(String, String)> {
    let answer: Result<StopAnswer, Refusal> =
        docker::PACKAGE.ask("stop", json!({ "repository": repository(native) })).await?;
    let answer = answer.map_err(|refusal| anyhow!("{}", refusal.message))?;
    Ok((answer.state, answer.container.map_or(String::new(), |name| format!(", container {name}"))))
}

#[derive(Deserialize)]
struct StatusAnswer {
    state: String,
    container: Option<String>,
    image: Option<String>,
    port: Option<u16>,
    volume: Option<String>,
    since: Option<String>,
}

/// How the checkout's container is, a row a fact.
pub(crate) async fn status(native: &Native) -> anyhow::Result<Vec<(&'static str, String)>> {
    let answer: Result<StatusAnswer, Refusal> =
        docker::PACKAGE.ask("status", json!({ "repository": repository(native) })).await?;
    let answer = match answer {
        Ok(answer) => answer,
        Err(refusal) => return Ok(vec![("state", format!("unreachable: {}", refusal.message))]),
    };
    let state = if answer.state == "absent" { "not made yet".to_owned() } else { answer.state };
    let facts = [
        ("container", answer.container),
        ("image", answer.image),
        ("port", answer.port.map(|port| port.to_string())),
        ("volume", answer.volume),
        ("since", answer.since),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Ok([("state", state)].into_iter().chain(facts).collect())
}

#[derive(Deserialize)]
struct SweepAnswer {
    removed: Vec<String>,
}

/// Removes the containers of killed commands.
pub(crate) async fn sweep() -> anyhow::Result<Vec<String>> {
    let answer: Result<SweepAnswer, Refusal> = docker::PACKAGE.ask("sweep", json!({})).await?;
    Ok(answer.map_err(|refusal| anyhow!("{}", refusal.message))?.removed)
}
