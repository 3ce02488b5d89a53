//! The durable development server of one checkout. Its labels identify it; whatever is missing of it is created.

use std::time::Duration;

use testcontainers::{bollard::models::ContainerSummaryStateEnum as State, runners::AsyncRunner as _};
use tokio::time::sleep;
use xtask_protocol::{
    Kind, Refusal,
    docker::{ServerAnswer, StartDev, Startup},
    endpoint::WITHOUT_DOCKER,
    program::note,
};

use crate::{
    engine::{CHECKOUT, Engine, FRESH, Found, OWNER, REPOSITORY, ROLE, Role, SPEC, host_port},
    failure::{failure, refusal, started_into_conflict},
    image, lock,
    owner::Owner,
    password,
    ready::{Answered, Login, Outcome},
    spec::{Data, Server, container_name},
    volume::{self, Origin},
};

/// A process without our lock, such as one of another user of the engine, may change the same container.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn run(engine: &Engine, request: StartDev) -> anyhow::Result<ServerAnswer> {
    check(&request)?;
    if let Some(answer) = running_already(engine, &request).await? {
        return Ok(answer);
    }
    let _lock = lock::lock(&request.repository).await?;
    // The process that had the lock before us may have started it.
    match running_already(engine, &request).await? {
        Some(answer) => Ok(answer),
        None => revive(engine, &request).await,
    }
}

/// Refuses what can't be part of a container's name or of a script.
fn check(request: &StartDev) -> anyhow::Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if request.repository.is_empty() || !request.repository.chars().all(plain) {
        let message = format!("`{}` can't be part of a container's name", request.repository);
        return Err(failure(Kind::Other, message));
    }
    if [&request.user, &request.password, &request.database].iter().any(|it| it.contains(char::is_control)) {
        return Err(failure(Kind::Other, "a user, password or database can't hold control characters"));
    }
    Ok(())
}

fn login(request: &StartDev) -> Login<'_> {
    Login { user: &request.user, password: &request.password }
}

fn server(request: &StartDev) -> Server {
    let data = Data::Volume(volume::name(&request.repository, request.major));
    Server::new(&request.image, request.major, &data).for_user(
        &request.user,
        &request.password,
        &request.database,
    )
}

fn answer(request: &StartDev, state: Startup, answered: Answered) -> ServerAnswer {
    ServerAnswer {
        url: login(request).url(answered.port, &request.database),
        container: container_name(&request.repository),
        image: request.image.clone(),
        state,
        version: answered.version,
    }
}

/// The id of the image that the container should have. `None`: the image must be pulled, and no container exists.
async fn required_image(
    engine: &Engine,
    request: &StartDev,
    found: &[Found],
) -> anyhow::Result<Option<String>> {
    let here = image::inspect(engine, &request.image).await?.map(|image| image.id);
    // A container keeps its image when the image's name is removed, so there is no need to pull it again.
    Ok(here.or_else(|| found.first().map(|it| it.image_id.clone())))
}

/// The short way: a single container, with the right specification, that answers at once.
async fn running_already(engine: &Engine, request: &StartDev) -> anyhow::Result<Option<ServerAnswer>> {
    let found = engine.dev(&request.repository).await?;
    let [one] = found.as_slice() else { return Ok(None) };
    if one.state != State::RUNNING {
        return Ok(None);
    }
    let Some(image) = required_image(engine, request, &found).await? else { return Ok(None) };
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
async fn revive(engine: &Engine, request: &StartDev) -> anyhow::Result<ServerAnswer> {
    clear_unfinished(engine, request).await?;
    let found = engine.dev(&request.repository).await?;
    let spec = match required_image(engine, request, &found).await? {
        Some(image) if has_spec(&found, &server(request).hash(&image)) => server(request).hash(&image),
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
        && refusal(error).kind != Kind::Timeout
    {
        // This fails if a container still uses the volume, and then the volume will not stay empty.
        let _ = volume::discard(engine, &name).await;
    }
    brought
}

/// Removes a container that was stopped, by a power cut or by hand, while it created its data, and that data: started again,
/// it would take the incomplete data for complete.
async fn clear_unfinished(engine: &Engine, request: &StartDev) -> anyhow::Result<()> {
    for found in engine.dev(&request.repository).await? {
        let unfinished = found.state == State::EXITED && found.label(FRESH).is_some();
        if unfinished && !engine.was_ready(&found.id).await {
            let volume = engine
                .inspect(&found.id)
                .await?
                .and_then(|it| it.mounts?.into_iter().find_map(|mount| mount.name));
            note(&format!("{} was stopped while it created its data, so both are created again", found.name));
            engine.remove(&found.id).await?;
            if let Some(volume) = volume {
                volume::discard(engine, &volume).await?;
            }
        }
    }
    Ok(())
}

fn has_spec(found: &[Found], spec: &str) -> bool {
    found.iter().any(|it| it.label(SPEC) == Some(spec))
}

/// Waits for the server, and resets its password if it differs.
async fn settle(engine: &Engine, request: &StartDev, container: &str) -> anyhow::Result<Answered> {
    let login = login(request);
    if let Some(answered) = login.wait(engine, container).await? {
        return Ok(answered);
    }
    let volume = volume::name(&request.repository, request.major);
    password::reset(engine, container, &volume, &login).await?;
    note(&format!(
        "the data in volume {volume} had another password for the role `{}`, which was changed",
        login.user
    ));
    login.wait(engine, container).await?.ok_or_else(|| {
        let message =
            format!("the server in container {container} refuses the password that was set just now");
        failure(Kind::Other, message)
    })
}

/// Cleans up after a server that did not come up: removes a new container, and keeps an older one for inspection.
async fn give_up(
    engine: &Engine,
    error: anyhow::Error,
    container: &str,
    volume: &str,
    state: Startup,
    origin: Origin,
) -> anyhow::Error {
    let Refusal { kind, message } = refusal(&error);
    if !matches!(kind, Kind::Died | Kind::DiskFull | Kind::OtherMajor) {
        // A slow server may still become ready, and the next command finds it.
        return error;
    }
    let remove_volume = format!("docker volume rm {volume}");
    let room = "see what takes the room, and remove what is not needed: docker system df";
    if state == Startup::Created {
        // Its log is lost with it, but the error has the last lines.
        let _ = engine.remove(container).await;
    }
    let remedy = match (kind, state, origin) {
        (Kind::DiskFull, ..) => room.to_owned(),
        (_, _, Origin::Fresh) => {
            "it was removed; or name another image: export XTASK_POSTGRES_IMAGE=name:tag".to_owned()
        }
        (_, Startup::Created, _) => format!("or, if the data may go, start over: {remove_volume}"),
        _ => format!(
            "or, if the data may go, start over: docker rm --force --volumes {container}; {remove_volume}"
        ),
    };
    failure(kind, format!("{message}\n  {}\n  {remedy}", WITHOUT_DOCKER))
}

/// Makes sure that exactly one container with that specification runs. Returns its name and what that took.
async fn bring_up(
    engine: &Engine,
    request: &StartDev,
    spec: &str,
    origin: Origin,
) -> anyhow::Result<(String, Startup)> {
    let name = container_name(&request.repository);
    for _ in 0..ATTEMPTS {
        let (mut same, others): (Vec<_>, Vec<_>) =
            engine.dev(&request.repository).await?.into_iter().partition(|it| {
                it.label(SPEC) == Some(spec) && !matches!(it.state, State::DEAD | State::REMOVING)
            });
        // Two servers on one volume would damage the data, so every other container is stopped, even one with the same
        // specification.
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
            Creation::Running => return Ok((name, Startup::Created)),
            // Another process created it, or its removal has not finished.
            Creation::NameTaken if name_is_ours(engine, request).await? => sleep(PAUSE).await,
            Creation::NameTaken => break,
        }
    }
    let message = format!(
        "another container has the name {name}, and it is not ours\n  \
         inspect it, and rename it: docker inspect {name}; docker rename {name} {name}-old"
    );
    Err(failure(Kind::Other, message))
}

async fn name_is_ours(engine: &Engine, request: &StartDev) -> anyhow::Result<bool> {
    let holder = engine.inspect(&container_name(&request.repository)).await?;
    let labels = holder.map(|it| it.config.and_then(|config| config.labels).unwrap_or_default());
    // If it is gone by now, the next attempt gets the name.
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

enum Creation {
    Running,
    NameTaken,
}

async fn create(engine: &Engine, request: &StartDev, spec: &str, origin: Origin) -> anyhow::Result<Creation> {
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
        // `environment::settle` makes the container stay when this is dropped.
        Ok(_) => return Ok(Creation::Running),
        Err(error) if started_into_conflict(&error) => return Ok(Creation::NameTaken),
        Err(error) => error,
    };
    // testcontainers does not remove a container that it created and could not start.
    for found in engine.dev(&request.repository).await? {
        if found.state == State::CREATED && found.label(OWNER) == Some(&owner) {
            engine.remove(&found.id).await?;
        }
    }
    Err(error.into())
}
