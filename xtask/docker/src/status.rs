//! Looks at the development server of a checkout, stops it, and removes it; nothing is made here.

use testcontainers::bollard::models::ContainerSummaryStateEnum;

use crate::{
    engine::{Engine, Found, REPOSITORY, host_port},
    lock,
    message::{Ended, RepositoryRequest, State, StatusAnswer, StopAnswer, SweepAnswer},
    volume,
};

/// The one that runs, if any.
async fn find(engine: &Engine, repository: &str) -> anyhow::Result<Option<Found>> {
    let found = engine.dev(repository).await?;
    Ok(found.into_iter().min_by_key(|it| state(it.state) as u8))
}

/// In the order of their interest.
fn state(of: ContainerSummaryStateEnum) -> State {
    match of {
        ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::RESTARTING => State::Running,
        ContainerSummaryStateEnum::PAUSED => State::Paused,
        _ => State::Stopped,
    }
}

pub(crate) async fn status(engine: &Engine, request: &RepositoryRequest) -> anyhow::Result<StatusAnswer> {
    let inspected = match find(engine, &request.repository).await? {
        // It may be removed between the two questions.
        Some(found) => engine.inspect(&found.id).await?.map(|it| (found, it)),
        None => None,
    };
    let Some((found, it)) = inspected else {
        let volume = volume::of_repository(engine, &request.repository).await?.into_iter().next();
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

pub(crate) async fn stop(engine: &Engine, request: &RepositoryRequest) -> anyhow::Result<StopAnswer> {
    // Not while another command is starting it.
    let _lock = lock::lock(&request.repository).await?;
    let Some(found) = find(engine, &request.repository).await? else {
        return Ok(StopAnswer { state: Ended::Absent, container: None });
    };
    let state = match state(found.state) {
        State::Running | State::Paused => {
            engine.stop(&found).await?;
            Ended::Now
        }
        State::Stopped | State::Absent => Ended::NotRunning,
    };
    Ok(StopAnswer { state, container: Some(found.name) })
}

/// Removes a checkout's containers and their data. No command of people's leads here: it is for a benchmark's checkout.
pub(crate) async fn remove(engine: &Engine, request: &RepositoryRequest) -> anyhow::Result<SweepAnswer> {
    let _lock = lock::lock(&request.repository).await?;
    let mut removed = Vec::new();
    for found in engine.list(&[(REPOSITORY, &request.repository)]).await? {
        engine.remove(&found.id).await?;
        removed.push(found.name);
    }
    for volume in volume::of_repository(engine, &request.repository).await? {
        volume::discard(engine, &volume).await?;
        removed.push(volume);
    }
    Ok(SweepAnswer { removed })
}
