//! The durable development server of one checkout: found again by its labels, and made of whatever is missing.

use std::time::Duration;

use testcontainers::{bollard::models::ContainerSummaryStateEnum as State, runners::AsyncRunner as _};
use tokio::time::sleep;

use crate::{
    engine::{CHECKOUT, Engine, FRESH, Found, OWNER, REPOSITORY, ROLE, Role, SPEC, host_port},
    failure::{Failure, Kind, failure, started_into_conflict, told},
    image, lock,
    message::{DevRequest, ServerAnswer, Startup},
    note,
    owner::Owner,
    password,
    ready::{Answered, Login, Outcome},
    spec::{Data, Server},
    volume::{self, Origin},
};

/// Somebody without our lock, such as another user of the engine, may be at the same container.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// For people, and so that two can't be made at once; it is never searched for.
pub(crate) fn container_name(repository: &str) -> String {
    format!("xtask-{repository}")
}

pub(crate) async fn run(engine: &Engine, request: DevRequest) -> anyhow::Result<ServerAnswer> {
    request.check()?;
    if let Some(answer) = running_already(engine, &request).await? {
        return Ok(answer);
    }
    let _lock = lock::lock(&request.repository).await?;
    // The one who had the lock before us may have started it.
    match running_already(engine, &request).await? {
        Some(answer) => Ok(answer),
        None => revive(engine, &request).await,
    }
}

fn login(request: &DevRequest) -> Login<'_> {
    Login { user: &request.user, password: &request.password }
}

fn server(request: &DevRequest) -> Server {
    let data = Data::Volume(volume::name(&request.repository, request.major));
    Server::new(&request.image, request.major, &data).for_user(
        &request.user,
        &request.password,
        &request.database,
    )
}

fn answer(request: &DevRequest, state: Startup, answered: Answered) -> ServerAnswer {
    ServerAnswer {
        url: login(request).url(answered.port, &request.database),
        container: container_name(&request.repository),
        image: request.image.clone(),
        state,
        version: answered.version,
    }
}

/// The id of the image that a container should be of. `None`: it has to be pulled, and there is nothing to keep.
async fn wanted_image(
    engine: &Engine,
    request: &DevRequest,
    found: &[Found],
) -> anyhow::Result<Option<String>> {
    let here = image::look(engine, &request.image).await?.map(|image| image.id);
    // An image that was removed is no reason to pull it again: its container goes on without its name.
    Ok(here.or_else(|| found.first().map(|it| it.image_id.clone())))
}

/// The short way: one container, of the right specification, that answers at once.
async fn running_already(engine: &Engine, request: &DevRequest) -> anyhow::Result<Option<ServerAnswer>> {
    let found = engine.dev(&request.repository).await?;
    let [one] = found.as_slice() else { return Ok(None) };
    if one.state != State::RUNNING {
        return Ok(None);
    }
    let Some(image) = wanted_image(engine, request, &found).await? else { return Ok(None) };
    if one.label(SPEC) != Some(&server(request).hash(&image)) {
        return Ok(None);
    }
    let Some(port) = engine.inspect(&one.id).await?.as_ref().and_then(host_port) else { return Ok(None) };
    match login(request).attempt(port).await? {
        Outcome::Answered(answered) => Ok(Some(answer(request, Startup::Kept, answered))),
        Outcome::Refused | Outcome::NotYet(_) => Ok(None),
    }
}

/// The long way, under the lock.
async fn revive(engine: &Engine, request: &DevRequest) -> anyhow::Result<ServerAnswer> {
    clear_unfinished(engine, request).await?;
    let found = engine.dev(&request.repository).await?;
    let spec = match wanted_image(engine, request, &found).await? {
        Some(image) if of_spec(&found, &server(request).hash(&image)) => server(request).hash(&image),
        _ => server(request).hash(&image::ensure(engine, &request.image, request.major).await?.id),
    };
    let origin = volume::ensure(engine, request).await?;
    let name = volume::name(&request.repository, request.major);
    let brought = async {
        let (container, state) = bring_up(engine, request, &spec, origin).await?;
        match settle(engine, request, &container).await {
            Ok(answered) => Ok(answer(request, state, answered)),
            Err(error) => Err(give_up(engine, error, &container, &name, state, origin).await),
        }
    };
    let brought = brought.await;
    if let (Err(error), Origin::Fresh) = (&brought, origin)
        && told(error).kind != Kind::Timeout
    {
        // If a container is still there it can't be removed, and then it is not empty for long.
        let _ = volume::discard(engine, &name).await;
    }
    brought
}

/// Removes a container that was stopped in the midst of making its data, by a power cut or by hand, and that data:
/// started again it would take the half for the whole.
async fn clear_unfinished(engine: &Engine, request: &DevRequest) -> anyhow::Result<()> {
    for found in engine.dev(&request.repository).await? {
        let unfinished = found.state == State::EXITED && found.label(FRESH).is_some();
        if unfinished && !engine.was_ready(&found.id).await {
            let volume = engine
                .inspect(&found.id)
                .await?
                .and_then(|it| it.mounts?.into_iter().find_map(|mount| mount.name));
            note(&format!(
                "{} was stopped while its data was made for the first time; it is made anew",
                found.name
            ));
            engine.remove(&found.id).await?;
            if let Some(volume) = volume {
                volume::discard(engine, &volume).await?;
            }
        }
    }
    Ok(())
}

fn of_spec(found: &[Found], spec: &str) -> bool {
    found.iter().any(|it| it.label(SPEC) == Some(spec))
}

/// Waits for the server, and mends its password if need be.
async fn settle(engine: &Engine, request: &DevRequest, container: &str) -> anyhow::Result<Answered> {
    let login = login(request);
    if let Some(answered) = login.wait(engine, container).await? {
        return Ok(answered);
    }
    let volume = volume::name(&request.repository, request.major);
    password::reset(engine, container, &volume, &login).await?;
    note(&format!(
        "the data in volume {volume} had another password for the role `{}`; it was changed",
        login.user
    ));
    login.wait(engine, container).await?.ok_or_else(|| {
        let message =
            format!("the server in container {container} refuses the password that it was given just now");
        failure(Kind::Other, message)
    })
}

/// What becomes of a container whose server did not come up: a new one goes; one that was there before stays to be looked at.
async fn give_up(
    engine: &Engine,
    error: anyhow::Error,
    container: &str,
    volume: &str,
    state: Startup,
    origin: Origin,
) -> anyhow::Error {
    let Failure { kind, message } = told(&error);
    if !matches!(kind, Kind::Died | Kind::DiskFull | Kind::OtherMajor) {
        // A slow one is left to finish: the next command finds it ready.
        return error;
    }
    let anew = format!("docker volume rm {volume}");
    let room = "see what takes the room, and remove what nobody needs: docker system df";
    if state == Startup::Created {
        // The error says what its log had to say, and that is all that is lost with it.
        let _ = engine.remove(container).await;
    }
    let remedy = match (kind, state, origin) {
        (Kind::DiskFull, ..) => room.to_owned(),
        (_, _, Origin::Fresh) => {
            "nothing of it was kept; or name another image: export XTASK_POSTGRES_IMAGE=name:tag".to_owned()
        }
        (_, Startup::Created, _) => format!("or, if the data may go, begin anew: {anew}"),
        _ => format!("or, if the data may go, begin anew: docker rm --force --volumes {container}; {anew}"),
    };
    failure(kind, format!("{message}\n  {}\n  {remedy}", crate::failure::WITHOUT_DOCKER))
}

/// A running container of that specification, and the only one; and what it took.
async fn bring_up(
    engine: &Engine,
    request: &DevRequest,
    spec: &str,
    origin: Origin,
) -> anyhow::Result<(String, Startup)> {
    let name = container_name(&request.repository);
    for _ in 0..ATTEMPTS {
        let (mut same, others): (Vec<_>, Vec<_>) =
            engine.dev(&request.repository).await?.into_iter().partition(|it| {
                it.label(SPEC) == Some(spec) && !matches!(it.state, State::DEAD | State::REMOVING)
            });
        // Two servers on one volume would spoil it, so no other is left running, not even one of the same make.
        same.sort_by_key(|it| it.state != State::RUNNING);
        for other in others.iter().chain(same.iter().skip(1)) {
            if matches!(other.state, State::RUNNING | State::PAUSED) {
                engine.stop(other).await?;
            }
            engine.remove(&other.id).await?;
        }
        if let Some(one) = same.first() {
            return wake(engine, one).await.map(|state| (one.name.clone(), state));
        }
        match create(engine, request, spec, origin).await? {
            Made::Running => return Ok((name, Startup::Created)),
            // By somebody at the very same, or not yet quite removed.
            Made::NameTaken if taken_by_ours(engine, request).await? => sleep(PAUSE).await,
            Made::NameTaken => break,
        }
    }
    let message = format!(
        "there is another container with the name {name}, and it is not ours\n  \
         see whose, and rename it: docker inspect {name}; docker rename {name} {name}-old"
    );
    Err(failure(Kind::Other, message))
}

async fn taken_by_ours(engine: &Engine, request: &DevRequest) -> anyhow::Result<bool> {
    let holder = engine.inspect(&container_name(&request.repository)).await?;
    let labels = holder.map(|it| it.config.and_then(|config| config.labels).unwrap_or_default());
    // Nobody's by now counts as ours: the next attempt has it.
    Ok(labels.is_none_or(|it| it.get(REPOSITORY) == Some(&request.repository)))
}

async fn wake(engine: &Engine, one: &Found) -> anyhow::Result<Startup> {
    match one.state {
        State::RUNNING | State::RESTARTING => Ok(Startup::Kept),
        State::PAUSED => engine.unpause(&one.name).await.map(|()| Startup::Started),
        _ => {
            let started = engine.start(&one.name).await;
            if started.is_err() && one.state == State::CREATED {
                engine.remove(&one.id).await?;
            }
            started.map(|()| Startup::Started)
        }
    }
}

enum Made {
    Running,
    NameTaken,
}

async fn create(engine: &Engine, request: &DevRequest, spec: &str, origin: Origin) -> anyhow::Result<Made> {
    let owner = Owner::this_process().to_string();
    let mut labels = vec![
        (ROLE, Role::Dev.label().to_owned()),
        (REPOSITORY, request.repository.clone()),
        (CHECKOUT, request.checkout.clone()),
        (SPEC, spec.to_owned()),
        (OWNER, owner.clone()),
    ];
    if origin == Origin::Fresh {
        labels.push((FRESH, true.to_string()));
    }
    let name = container_name(&request.repository);
    let error = match server(request).request(&name, labels).start().await {
        // That it stays when this is dropped, the environment says: see `Endpoint::settle`.
        Ok(_) => return Ok(Made::Running),
        Err(error) if started_into_conflict(&error) => return Ok(Made::NameTaken),
        Err(error) => error,
    };
    // testcontainers leaves behind what it created and could not start.
    for found in engine.dev(&request.repository).await? {
        if found.state == State::CREATED && found.label(OWNER) == Some(&owner) {
            engine.remove(&found.id).await?;
        }
    }
    Err(error.into())
}
