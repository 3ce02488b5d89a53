//! The named volume with the data of a development server. It outlives containers and restarts of the engine.

use std::collections::HashMap;

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use testcontainers::bollard::{
    models::{ContainerCreateBody, HostConfig, Mount, MountType, Volume, VolumeCreateRequest},
    query_parameters::{
        CreateContainerOptions, DownloadFromContainerOptionsBuilder, ListVolumesOptionsBuilder,
        RemoveVolumeOptions,
    },
};
use xtask_protocol::{Kind, docker::StartDev, program::note};

use crate::{
    engine::{CHECKOUT, Engine, MAJOR, OWNER, REPOSITORY, ROLE, Role},
    failure::{failure, has_status},
    owner::Owner,
    spec::{container_name, data_folder},
};

/// Where a volume came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Kept,
    /// We created it just now, so there is no data to lose.
    Fresh,
}

pub(crate) fn name(repository: &str, major: u32) -> String {
    format!("xtask-{repository}-pg{major}")
}

/// Makes sure that the volume exists. If its data has another major version, fails without touching it.
pub(crate) async fn ensure(engine: &Engine, request: &StartDev) -> anyhow::Result<Origin> {
    let name = name(&request.repository, request.major);
    let Some(volume) = inspect(engine, &name).await? else {
        create(engine, &name, request).await?;
        for other in list(engine, &request.repository).await?.iter().filter(|it| **it != name) {
            note(&format!("the data of another major version stays in volume {other}"));
        }
        return Ok(Origin::Fresh);
    };
    let labelled = volume.labels.get(MAJOR).and_then(|it| it.parse().ok());
    let major = match labelled {
        Some(major) => Some(major),
        // The volume was created by hand or restored from a copy, so the data must show its version.
        None => read_major(engine, &name, request).await?,
    };
    match major {
        Some(other) if other != request.major => {
            let required = request.major;
            let message = format!(
                "the data in volume {name} is of PostgreSQL {other} instead of {required}; nothing was touched\n  \
                 move it by a dump: set the version back to {other}, run pg_dumpall, and load its output into {required}\n  \
                 or, if the data may go: docker rm --force --volumes {}; docker volume rm {name}",
                container_name(&request.repository),
            );
            Err(failure(Kind::OtherMajor, message))
        }
        // `None`: it is empty, so the server creates data of the required version.
        _ => Ok(Origin::Kept),
    }
}

/// `None`: no volume has that name.
async fn inspect(engine: &Engine, name: &str) -> anyhow::Result<Option<Volume>> {
    match engine.docker.inspect_volume(name).await {
        Ok(volume) => Ok(Some(volume)),
        Err(error) if has_status(&error, 404) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("look at volume {name}")),
    }
}

async fn create(engine: &Engine, name: &str, request: &StartDev) -> anyhow::Result<()> {
    let labels = [
        (ROLE, Role::Dev.label().to_owned()),
        (REPOSITORY, request.repository.clone()),
        (CHECKOUT, request.checkout.clone()),
        (MAJOR, request.major.to_string()),
    ];
    let volume = VolumeCreateRequest {
        name: Some(name.to_owned()),
        labels: Some(labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ..VolumeCreateRequest::default()
    };
    engine.docker.create_volume(volume).await.with_context(|| format!("make volume {name}"))?;
    Ok(())
}

/// Removes a volume.
pub(crate) async fn discard(engine: &Engine, name: &str) -> anyhow::Result<()> {
    let removed = engine.docker.remove_volume(name, None::<RemoveVolumeOptions>).await;
    removed.with_context(|| format!("remove volume {name}"))
}

/// Lists the names of all volumes of a repository, the newest major version first.
pub(crate) async fn list(engine: &Engine, repository: &str) -> anyhow::Result<Vec<String>> {
    let label = format!("{REPOSITORY}={repository}");
    let options = ListVolumesOptionsBuilder::new().filters(&HashMap::from([("label", vec![label])])).build();
    let list = engine.docker.list_volumes(Some(options)).await.context("list volumes")?;
    let mut volumes = list.volumes.unwrap_or_default();
    volumes.sort_by_key(|it| std::cmp::Reverse(it.labels.get(MAJOR).and_then(|it| it.parse::<u32>().ok())));
    Ok(volumes.into_iter().map(|it| it.name).collect())
}

/// Reads `PG_VERSION` in a volume, through a container that is never started. `None`: there is no such file.
async fn read_major(engine: &Engine, volume: &str, request: &StartDev) -> anyhow::Result<Option<u32>> {
    let (target, folder) = data_folder(request.major);
    let labels = [(ROLE, Role::Probe.label().to_owned()), (OWNER, Owner::this_process().to_string())];
    let body = ContainerCreateBody {
        image: Some(request.image.clone()),
        labels: Some(labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        host_config: Some(HostConfig {
            mounts: Some(vec![Mount {
                target: Some(target),
                source: Some(volume.to_owned()),
                typ: Some(MountType::VOLUME),
                // Docker would otherwise copy the image's files into an empty volume.
                volume_options: Some(testcontainers::bollard::models::MountVolumeOptions {
                    no_copy: Some(true),
                    ..Default::default()
                }),
                ..Mount::default()
            }]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let made = engine.docker.create_container(None::<CreateContainerOptions>, body).await;
    let probe = made.with_context(|| format!("look into volume {volume}"))?.id;
    let path = format!("{folder}/PG_VERSION");
    let options = DownloadFromContainerOptionsBuilder::new().path(&path).build();
    let archive: Result<Vec<_>, _> =
        engine.docker.download_from_container(&probe, Some(options)).try_collect().await;
    engine.remove(&probe).await?;
    match archive {
        Ok(chunks) => Ok(first_file(&chunks.concat()).and_then(|it| it.trim().parse().ok())),
        Err(error) if has_status(&error, 404) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read PG_VERSION in volume {volume}")),
    }
}

/// The contents of the first file of a tar archive, which has a head of 512 bytes with its size, in octal.
fn first_file(archive: &[u8]) -> Option<&str> {
    let size = std::str::from_utf8(archive.get(124..135)?).ok()?;
    let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()?;
    std::str::from_utf8(archive.get(512..512 + size)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_from_its_archive() {
        let mut archive = vec![0; 1024];
        archive[124..135].copy_from_slice(b"00000000003");
        archive[512..515].copy_from_slice(b"15\n");
        assert_eq!(first_file(&archive), Some("15\n"));
        assert_eq!(first_file(&archive[..513]), None);
    }
}
