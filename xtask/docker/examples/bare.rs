//! The baseline of `cargo xtask bench --server docker` for our test server: the same image, settings and memory with
//! testcontainers alone, as its documentation shows it. It uses no code of ours.
//!
//! `bare <image> <major> <repository>`; the last is the label by which the benchmark finds the container if we are killed.

#![expect(clippy::print_stdout, reason = "its answer, a line as the program itself gives one")]

use std::{env, time::Instant};

use anyhow::Context as _;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use testcontainers::{
    GenericImage, ImageExt as _,
    core::{IntoContainerPort as _, Mount, WaitFor},
    runners::AsyncRunner as _,
};

const PASSWORD: &str = "password";
/// The same settings as in `Server::throwaway`.
const SETTINGS: &str = "postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c jit=off \
                        -c max_connections=200";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let began = Instant::now();
    let mut words = env::args().skip(1);
    let mut word = |what: &str| words.next().with_context(|| format!("no {what} was named"));
    let (image, major, repository) = (word("image")?, word("major version")?.parse()?, word("repository")?);
    let (name, tag) = image.rsplit_once(':').context("the image has no tag")?;
    let (mount, data) = folders(major);
    let container = GenericImage::new(name, tag)
        .with_exposed_port(5432.tcp())
        // On standard error only the server itself says so, not the one that prepares its data. It is as fast as a
        // connection tried every 5 ms; a health check, whose every probe is a process in the container, takes 1.5 times as long.
        .with_wait_for(WaitFor::message_on_stderr("database system is ready to accept connections"))
        .with_env_var("POSTGRES_USER", "app")
        .with_env_var("POSTGRES_PASSWORD", PASSWORD)
        .with_env_var("POSTGRES_DB", "postgres")
        .with_env_var("POSTGRES_INITDB_ARGS", "--no-sync")
        .with_env_var("PGDATA", data)
        .with_mount(Mount::tmpfs_mount(mount))
        .with_shm_size(256 * 1024 * 1024)
        .with_label("xtask.role", "test")
        .with_label("xtask.repository", repository)
        .with_cmd(SETTINGS.split(' '))
        .start()
        .await?;
    let port = container.get_host_port_ipv4(5432).await?;
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("app");
    let options = options.password(PASSWORD).database("postgres").ssl_mode(PgSslMode::Disable);
    let mut connection = PgConnection::connect_with(&options).await?;
    let version: String = sqlx::query_scalar("show server_version").fetch_one(&mut connection).await?;
    println!("{version} after {} ms", began.elapsed().as_millis());
    container.rm().await?;
    Ok(())
}

/// Where to mount, and the data folder in it: see `data_folder`.
fn folders(major: u32) -> (&'static str, String) {
    match major {
        ..18 => ("/var/lib/postgresql/data", "/var/lib/postgresql/data".to_owned()),
        _ => ("/var/lib/postgresql", format!("/var/lib/postgresql/{major}/docker")),
    }
}
