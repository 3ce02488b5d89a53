//! What a server's container is created from, and the hash that distinguishes two specifications.

use std::{borrow::Cow, collections::HashMap};

use sha2::{Digest as _, Sha256};
use testcontainers::{
    ContainerRequest, Image, ImageExt as _,
    bollard::models::{HostConfig, PortBinding},
    core::{ContainerPort, Mount, WaitFor},
};

use xtask_protocol::{SETTINGS, THROWAWAY_SETTINGS};

use crate::engine::PORT;

/// For people, and so that two can't be created at once; nothing searches for it.
pub(crate) fn container_name(repository: &str) -> String {
    format!("xtask-{repository}")
}

/// Docker gives 64 MB, which a parallel query of a large table exceeds: "could not resize shared memory segment".
const SHARED_MEMORY: u64 = 256 * 1024 * 1024;

/// The two halves of an image's name. testcontainers joins them with a `:`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) tag: String,
}

impl Reference {
    pub(crate) fn parse(image: &str) -> Reference {
        let (name, tag) = match image.rsplit_once(':') {
            // A `:` before the last `/` precedes the port of a registry.
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (image, "latest"),
        };
        Reference { name: name.to_owned(), tag: tag.to_owned() }
    }
}

/// Where the data is stored.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Volume(String),
    /// In memory, up to this size.
    Memory {
        megabytes: Option<u32>,
    },
}

/// A Postgres server for testcontainers to start.
#[derive(Debug)]
pub(crate) struct Server {
    reference: Reference,
    environment: Vec<(&'static str, String)>,
    password: Option<String>,
    arguments: Vec<String>,
    mount: Option<Mount>,
}

impl Server {
    /// With nothing but an image.
    pub(crate) fn bare(reference: &Reference) -> Server {
        let reference = Reference { name: reference.name.clone(), tag: reference.tag.clone() };
        Server { reference, environment: vec![], password: None, arguments: vec![], mount: None }
    }

    pub(crate) fn new(image: &str, major: u32, data: &Data) -> Server {
        let (target, folder) = data_folder(major);
        let mount = match data {
            Data::Volume(name) => Mount::volume_mount(name, &target),
            Data::Memory { megabytes: None } => Mount::tmpfs_mount(&target),
            Data::Memory { megabytes: Some(size) } => {
                Mount::tmpfs_mount(&target).with_size_bytes(i64::from(*size) * 1024 * 1024)
            }
        };
        let mut server = Server::bare(&Reference::parse(image));
        server.environment.push(("PGDATA", folder));
        server.arguments = SETTINGS.map(str::to_owned).to_vec();
        server.mount = Some(mount);
        server
    }

    /// Adds the superuser, and the database that exists from the start.
    pub(crate) fn for_user(mut self, user: &str, password: &str, database: &str) -> Server {
        self.environment.push(("POSTGRES_USER", user.to_owned()));
        self.environment.push(("POSTGRES_DB", database.to_owned()));
        self.password = Some(password.to_owned());
        self
    }

    /// Turns durability off: the data would not survive a crash anyway.
    pub(crate) fn throwaway(mut self) -> Server {
        self.environment.push(("POSTGRES_INITDB_ARGS", "--no-sync".to_owned()));
        self.arguments.extend(THROWAWAY_SETTINGS.map(str::to_owned));
        self
    }

    /// A hash of everything that a container of this image is created from, except the password, which can be changed later.
    pub(crate) fn hash(&self, image_id: &str) -> String {
        let mount =
            self.mount.as_ref().map(|it| format!("{} {:?} {:?}", it.mount_type(), it.source(), it.target()));
        let parts = (image_id, &self.environment, &self.arguments, mount, SHARED_MEMORY);
        let digest = Sha256::digest(format!("{parts:?}"));
        hex::encode(&digest[..8])
    }

    /// A container with that name and these labels, whose port is open on this machine only.
    pub(crate) fn request(self, name: &str, labels: Vec<(&str, String)>) -> ContainerRequest<Server> {
        self.with_container_name(name)
            .with_labels(labels)
            .with_shm_size(SHARED_MEMORY)
            .with_host_config_modifier(on_loopback)
    }
}

fn on_loopback(host: &mut HostConfig) {
    // For an empty port, the engine chooses a free one.
    let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) };
    host.publish_all_ports = Some(false);
    host.port_bindings = Some(HashMap::from([(PORT.to_owned(), Some(vec![binding]))]));
    // As pid 1, a shell ignores SIGTERM, and a stop during initdb would take ten seconds.
    host.init = Some(true);
}

/// Where to mount, and the data folder in it. From 18 on, the official image refuses a mount on the older path and has a
/// folder for each major version. Both paths are volumes of the image, so Docker creates no unnamed volume.
pub(crate) fn data_folder(major: u32) -> (String, String) {
    let base = "/var/lib/postgresql";
    if major >= 18 {
        (base.to_owned(), format!("{base}/{major}/docker"))
    } else {
        (format!("{base}/data"), format!("{base}/data"))
    }
}

impl Image for Server {
    fn name(&self) -> &str {
        &self.reference.name
    }

    fn tag(&self) -> &str {
        &self.reference.tag
    }

    /// None: logs differ between images, and an answered query proves more.
    fn ready_conditions(&self) -> Vec<WaitFor> {
        Vec::new()
    }

    fn env_vars(&self) -> impl IntoIterator<Item = (impl Into<Cow<'_, str>>, impl Into<Cow<'_, str>>)> {
        let password = self.password.as_deref().map(|it| ("POSTGRES_PASSWORD", it));
        self.environment.iter().map(|(name, value)| (*name, value.as_str())).chain(password)
    }

    fn mounts(&self) -> impl IntoIterator<Item = &Mount> {
        &self.mount
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<Cow<'_, str>>> {
        let program = (!self.arguments.is_empty()).then_some("postgres");
        program.into_iter().chain(self.arguments.iter().map(String::as_str))
    }

    fn expose_ports(&self) -> &[ContainerPort] {
        &[ContainerPort::Tcp(5432)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_are_split_like_dockers() {
        for (image, name, tag) in [
            ("postgres:15-alpine", "postgres", "15-alpine"),
            ("postgres", "postgres", "latest"),
            ("localhost:5000/postgres", "localhost:5000/postgres", "latest"),
            ("localhost:5000/a/postgres:15", "localhost:5000/a/postgres", "15"),
            ("postgres@sha256:abc", "postgres@sha256", "abc"),
        ] {
            assert_eq!(Reference::parse(image), Reference { name: name.to_owned(), tag: tag.to_owned() });
        }
    }

    #[test]
    fn a_hash_depends_on_everything_but_the_password() {
        let volume = |name: &str| Data::Volume(name.to_owned());
        let hash = |user: &str, password: &str, data: &Data, id: &str| {
            Server::new("postgres:15-alpine", 15, data).for_user(user, password, "app").hash(id)
        };
        let first = hash("app", "a", &volume("v"), "sha256:1");
        assert_eq!(first, hash("app", "b", &volume("v"), "sha256:1"));
        assert_ne!(first, hash("app", "a", &volume("v"), "sha256:2"));
        assert_ne!(first, hash("root", "a", &volume("v"), "sha256:1"));
        assert_ne!(first, hash("app", "a", &volume("w"), "sha256:1"));
        let throwaway =
            Server::new("postgres:15-alpine", 15, &volume("v")).for_user("app", "a", "app").throwaway();
        assert_ne!(first, throwaway.hash("sha256:1"));
    }
}
