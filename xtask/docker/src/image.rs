//! Makes sure that an image is on this machine. Only a missing image is pulled.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use testcontainers::{
    bollard::{models::CreateImageInfo, query_parameters::CreateImageOptionsBuilder},
    runners::AsyncRunner as _,
};
use xtask_protocol::{Kind, endpoint::WITHOUT_DOCKER, program::note};

use crate::{
    engine::Engine,
    failure::{classify, failure, has_status},
    spec::{Reference, Server},
};

/// An image on this machine.
pub(crate) struct Image {
    /// Changes when the image is rebuilt under the same name.
    pub(crate) id: String,
    /// The major version of Postgres that its environment states.
    pub(crate) major: Option<u32>,
}

/// Inspects an image. `None`: it is not on this machine.
pub(crate) async fn inspect(engine: &Engine, name: &str) -> anyhow::Result<Option<Image>> {
    let image = match engine.docker.inspect_image(name).await {
        Ok(image) => image,
        Err(error) if has_status(&error, 404) => return Ok(None),
        Err(error) if has_status(&error, 400) => {
            let message = format!(
                "`{name}` is not the name of an image: {error}\n  name one: export XTASK_POSTGRES_IMAGE=postgres:15-alpine"
            );
            return Err(failure(Kind::NoImage, message));
        }
        Err(error) => return Err(error).with_context(|| format!("look for the image {name}")),
    };
    let environment = image.config.and_then(|config| config.env).unwrap_or_default();
    let major = environment.iter().find_map(|it| it.strip_prefix("PG_MAJOR=")?.parse().ok());
    Ok(Some(Image { id: image.id.unwrap_or_default(), major }))
}

/// The image, pulled if it is missing. If its environment states a major version, that must be the required one.
pub(crate) async fn ensure(engine: &Engine, name: &str, major: u32) -> anyhow::Result<Image> {
    let image = match inspect(engine, name).await? {
        Some(image) => image,
        None => {
            pull(engine, name).await?;
            inspect(engine, name)
                .await?
                .with_context(|| format!("the image {name} was pulled, but is missing"))?
        }
    };
    match image.major {
        Some(other) if other != major => Err(failure(
            Kind::OtherMajor,
            format!(
                "the image {name} has PostgreSQL {other} instead of {major}; nothing was touched\n  \
                 name another: export XTASK_POSTGRES_IMAGE=postgres:{major}-alpine"
            ),
        )),
        _ => Ok(image),
    }
}

async fn pull(engine: &Engine, name: &str) -> anyhow::Result<()> {
    let mut shown = Progress::new(name);
    let reference = Reference::parse(name);
    let options = CreateImageOptionsBuilder::new();
    let options = match name.contains('@') {
        // For the engine, a digest is part of the name and not a tag.
        true => options.from_image(name).build(),
        false => options.from_image(&reference.name).tag(&reference.tag).build(),
    };
    let mut pulled = async {
        let mut stream = Box::pin(engine.docker.create_image(Some(options), None, None));
        while let Some(step) = stream.try_next().await.map_err(|error| error.to_string())? {
            if let Some(message) = step.error_detail.as_ref().and_then(|it| it.message.clone()) {
                return Err(message);
            }
            shown.step(&step);
        }
        Ok(())
    }
    .await;
    shown.end();
    let refused =
        |why: &String| ["denied", "unauthorized", "authentication"].iter().any(|it| why.contains(it));
    if pulled.as_ref().is_err_and(refused) {
        // testcontainers uses the credentials of `docker login`, but shows no progress.
        pulled = Server::bare(&reference).pull_image().await.map(drop).map_err(|error| error.to_string());
    }
    pulled.map_err(|why| cannot_pull(name, &why))
}

fn cannot_pull(name: &str, why: &str) -> anyhow::Error {
    let why = why.strip_prefix("Docker responded with status code ").map_or(why, |rest| {
        // The message of the engine follows the number.
        rest.split_once(": ").map_or(rest, |(_, said)| said)
    });
    let kind = if classify(why) == Kind::DiskFull { Kind::DiskFull } else { Kind::NoImage };
    let message = format!(
        "the image {name} is not on this machine, and it could not be pulled: {}\n  \
         {WITHOUT_DOCKER}\n  \
         or name an image that is here (docker images): export XTASK_POSTGRES_IMAGE=name:tag",
        why.trim_end().replace('\n', " ")
    );
    failure(kind, message)
}

/// The progress of a pull: a line that changes on a terminal, and a single line elsewhere.
struct Progress {
    name: String,
    on_terminal: bool,
    /// Of each layer: its id, the bytes that have arrived, and all its bytes.
    layers: Vec<(String, i64, i64)>,
}

impl Progress {
    fn new(name: &str) -> Progress {
        let on_terminal = io::stderr().is_terminal();
        if !on_terminal {
            note(&format!("pulling the image {name}"));
        }
        Progress { name: name.to_owned(), on_terminal, layers: Vec::new() }
    }

    fn step(&mut self, step: &CreateImageInfo) {
        let (Some(id), Some(detail)) = (&step.id, &step.progress_detail) else { return };
        let (Some(current), Some(total)) = (detail.current, detail.total) else { return };
        if step.status.as_deref() != Some("Downloading") {
            return;
        }
        match self.layers.iter_mut().find(|layer| layer.0 == *id) {
            Some(layer) => (layer.1, layer.2) = (current, total),
            None => self.layers.push((id.clone(), current, total)),
        }
        if self.on_terminal {
            let megabytes = |sum: i64| sum / 1_000_000;
            let here = megabytes(self.layers.iter().map(|layer| layer.1).sum());
            let all = megabytes(self.layers.iter().map(|layer| layer.2).sum());
            let _ = write!(io::stderr(), "\r\x1b[Kpulling the image {}  {here} of {all} MB", self.name);
        }
    }

    fn end(&self) {
        if self.on_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
