//! The server that tests and checks run on.

use std::time::Instant;

use ::tests::scratch::Scratch;
use anyhow::Context;
use cluster::{Ephemeral, Place, new_password};
use migrations::{Postgres, Project};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;
use xtask_protocol::Reply;

use crate::{
    checkout::Checkout,
    database::session,
    server::{
        self, Chosen, Kind, Own, Preferring, Programs, choose, choose_ours, container, docker::TestContainer,
        instead, login_options, plain_url,
    },
    terminal::{interrupt::or_interrupted, output::Steps},
};

/// A server to create throwaway databases on.
pub(crate) struct TestServer {
    /// How to connect to its database `postgres`.
    pub(super) options: PgConnectOptions,
    /// The same as a connection string, with the password.
    pub(super) url: Url,
    to_stop: ToStop,
}

/// The server to stop at the end, if this process started one.
enum ToStop {
    /// The server of `DATABASE_URL`, which is the developer's.
    Nothing,
    Native(Box<Ephemeral>),
    Container(TestContainer),
}

impl TestServer {
    /// Uses the server of `DATABASE_URL` if the user chose that; else starts one in memory that ends with this process.
    pub(super) async fn start(
        checkout: &Checkout,
        project: &Project,
        steps: &mut Steps,
    ) -> anyhow::Result<TestServer> {
        let postgres = &project.postgres;
        let own = match choose(checkout, postgres)? {
            Chosen::Url(..) => {
                let mut server = server::start(checkout, postgres).await?;
                server.report(steps, &session::version(&server, postgres).await?);
                server.url.set_path("postgres");
                let options = server.options.database("postgres");
                return Ok(TestServer { options, url: server.url, to_stop: ToStop::Nothing });
            }
            Chosen::Own(own) => own,
        };
        TestServer::start_ours(own, postgres, None, steps).await
    }

    /// Starts one in memory that ends with this process, if possible of this major version.
    async fn start_ours(
        own: Own,
        postgres: &Postgres,
        major: Option<u32>,
        steps: &mut Steps,
    ) -> anyhow::Result<TestServer> {
        let mut postgres = postgres.clone();
        if own.kind == Kind::Docker {
            postgres.version = major.unwrap_or(postgres.version);
        }
        let postgres = &postgres;
        let programs = match own.kind {
            Kind::Native(programs) => programs,
            Kind::Docker => {
                steps.doing("server", "starting a container in memory");
                let (began, image) = (Instant::now(), container::image(postgres));
                let user = &postgres.main;
                match TestContainer::start(&image, user, &new_password(), postgres.version).await? {
                    Reply::Answer(container) => {
                        let what = format!("PostgreSQL {}, Docker, in memory", container.answer.version);
                        steps.done("server", &what, "started", Some(began.elapsed()));
                        return TestServer::from_container(container);
                    }
                    Reply::Error(refusal) => {
                        let (programs, why) = instead(&own, &refusal, postgres)?;
                        steps.note(&format!("           {why}"));
                        programs
                    }
                }
            }
        };
        TestServer::start_native(programs, postgres, major, steps).await
    }

    async fn start_native(
        programs: Programs,
        postgres: &Postgres,
        major: Option<u32>,
        steps: &mut Steps,
    ) -> anyhow::Result<TestServer> {
        steps.doing("server", "starting one in memory");
        let (minimum, role) = (postgres.version, &postgres.main);
        let server = match major {
            Some(major) => Ephemeral::start(&Preferring { programs, major }, minimum, role).await?,
            None => Ephemeral::start(&programs, minimum, role).await?,
        };
        let place = match server.place() {
            Place::Memory => "in memory".to_owned(),
            Place::Disk { why } => format!("on disk, which is slower: {why}"),
        };
        let what = format!("PostgreSQL {}, {programs}, {place}", server.version());
        steps.done("server", &what, "started", Some(server.elapsed()));
        for folder in server.cleared() {
            steps.note(&format!("           removed what a killed command had left: {}", folder.display()));
        }
        let options = login_options(server.port(), server.role(), server.password()).database("postgres");
        let url = plain_url(&options, server.password())?;
        Ok(TestServer { options, url, to_stop: ToStop::Native(Box::new(server)) })
    }

    fn from_container(container: TestContainer) -> anyhow::Result<TestServer> {
        let mut url = Url::parse(&container.answer.url).context("read the container's URL")?;
        url.set_path("postgres");
        let options: PgConnectOptions = url.as_str().parse()?;
        let options = options.ssl_mode(PgSslMode::Disable);
        Ok(TestServer { options, url, to_stop: ToStop::Container(container) })
    }

    /// Starts a test server, does work on a throwaway database there, and removes both, even if the work fails. The work
    /// must stop by itself when this process is interrupted.
    pub(crate) async fn with_scratch<T>(
        checkout: &Checkout,
        project: &Project,
        steps: &mut Steps,
        work: impl AsyncFnOnce(&mut Scratch, &mut Steps) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let server = or_interrupted(TestServer::start(checkout, project, steps)).await?;
        let done = on_scratch(server.options(), async |scratch| work(scratch, steps).await).await;
        let stopped = server.stop().await;
        // Report the first error, which may have caused the second.
        let done = done?;
        stopped?;
        Ok(done)
    }

    /// Starts a server, if possible of this major version, does work there and stops it, even if the user chose the server of
    /// `DATABASE_URL`.
    pub(crate) async fn with_own<T>(
        checkout: &Checkout,
        postgres: &Postgres,
        major: u32,
        work: impl AsyncFnOnce(&TestServer) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let (mut steps, work) =
            (Steps::silent(), async |server: &TestServer, _: &mut Steps| work(server).await);
        TestServer::with_ours(checkout, postgres, Some(major), &mut steps, work).await
    }

    /// The same, with the start of the server as a step.
    pub(crate) async fn with_ours<T>(
        checkout: &Checkout,
        postgres: &Postgres,
        major: Option<u32>,
        steps: &mut Steps,
        work: impl AsyncFnOnce(&TestServer, &mut Steps) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let own = choose_ours(checkout, postgres)?;
        let server = or_interrupted(TestServer::start_ours(own, postgres, major, steps)).await?;
        let done = work(&server, steps).await;
        let stopped = server.stop().await;
        let done = done?;
        stopped?;
        Ok(done)
    }

    /// How to connect to its database `postgres`.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// The same as a connection string, with the password.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether this process started the server, so that all databases on it are ours.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.to_stop, ToStop::Nothing)
    }

    /// Stops the server, if this process started it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self.to_stop {
            ToStop::Nothing => Ok(()),
            ToStop::Native(server) => server.stop().await,
            ToStop::Container(container) => container.stop().await,
        }
    }
}

/// Does work on a new database of a server, and removes it even if the work fails. The work must stop by itself when this
/// process is interrupted.
pub(crate) async fn on_scratch<T>(
    server: &PgConnectOptions,
    work: impl AsyncFnOnce(&mut Scratch) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut scratch = or_interrupted(Scratch::create(server)).await?;
    let done = work(&mut scratch).await;
    let name = scratch.name().to_owned();
    let discarded = scratch.discard().await.with_context(|| format!("remove the throwaway database {name}"));
    let done = done?;
    discarded?;
    Ok(done)
}
