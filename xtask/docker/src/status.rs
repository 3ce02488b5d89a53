//! Reports on the development server of a checkout, stops it, and removes it. Nothing is created here.

use testcontainers::bollard::models::ContainerSummaryStateEnum;
use xtask_protocol::docker::{Remove, Removed, State, Status, StatusAnswer, Stop, StopAnswer, Stopped};

use crate::{
    engine::{Engine, Found, REPOSITORY, host_port},
    lock, volume,
};

/// The container of a checkout; the running one if there are several.
async fn container(engine: &Engine, repository: &str) -> anyhow::Result<Option<Found>> {
    let found = engine.dev(repository).await?;
    Ok(found.into_iter().min_by_key(|it| state(it.state)))
}

fn state(state: ContainerSummaryStateEnum) -> State {
    match state {
        ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::RESTARTING => State::Running,
        ContainerSummaryStateEnum::PAUSED => State::Paused,
        _ => State::Stopped,
    }
}

pub(crate) async fn status(engine: &Engine, request: &Status) -> anyhow::Result<StatusAnswer> {
    let inspected = match container(engine, &request.repository).await? {
        // Another process may remove it between the two requests.
        Some(found) => engine.inspect(&found.id).await?.map(|it| (found, it)),
        None => None,
    };
    let Some((found, it)) = inspected else {
        let volume = volume::list(engine, &request.repository).await?.into_iter().next();
        return Ok(StatusAnswer {
            state: State::Absent,
            container: None,
            image: None,
            port: None,
            volume,
            since: None,
        });
    };
    let port = host_port(&it);
    let mounts = it.mounts.unwrap_or_default();
    Ok(StatusAnswer {
        state: state(found.state),
        container: Some(found.name),
        image: it.config.and_then(|config| config.image),
        port,
        volume: mounts.into_iter().find_map(|mount| mount.name),
        since: it.state.and_then(|state| state.started_at),
    })
}

pub(crate) async fn stop(engine: &Engine, request: &Stop) -> anyhow::Result<StopAnswer> {
    // Not while another command is starting it.
    let _lock = lock::lock(&request.repository).await?;
    let Some(found) = container(engine, &request.repository).await? else {
        return Ok(StopAnswer { state: Stopped::Absent, container: None });
    };
    let state = match state(found.state) {
        State::Running | State::Paused => {
            engine.stop(&found).await?;
            Stopped::Stopped
        }
        State::Stopped | State::Absent => Stopped::NotRunning,
    };
    Ok(StopAnswer { state, container: Some(found.name) })
}

/// Removes a checkout's containers and their data. Only a benchmark does this, to its own checkout.
pub(crate) async fn remove(engine: &Engine, request: &Remove) -> anyhow::Result<Removed> {
    let _lock = lock::lock(&request.repository).await?;
    let mut removed = Vec::new();
    for found in engine.list(&[(REPOSITORY, &request.repository)]).await? {
        engine.remove(&found.id).await?;
        removed.push(found.name);
    }
    for volume in volume::list(engine, &request.repository).await? {
        volume::discard(engine, &volume).await?;
        removed.push(volume);
    }
    Ok(Removed { removed })
}
