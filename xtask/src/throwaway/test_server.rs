//! The server that tests and proofs run on.

use std::time::Instant;

use ::tests::scratch::Scratch;
use anyhow::Context;
use cluster::{Ephemeral, Place, new_password};
use migrations::{Postgres, Project};
use sqlx::postgres::PgConnectOptions;
use url::Url;
use xtask_protocol::Refusal;

use crate::{
    checkout::Checkout,
    database::session,
    server::{
        self, Chosen, Kind, choose, container, docker::TestContainer, instead, login_options, plain_url,
    },
    terminal::{interrupt::or_interrupted, output::Steps},
};

/// Where everything has its throwaway databases from.
pub(crate) struct TestServer {
    /// How to connect to it, and to none of its databases in particular.
    pub(crate) options: PgConnectOptions,
    /// That as a connection string, password included.
    pub(crate) url: Url,
    ours: Ours,
}

/// What is ours to stop.
enum Ours {
    /// Nothing: the server is the developer's own.
    Nothing,
    Native(Box<Ephemeral>),
    Container(TestContainer),
}

impl TestServer {
    /// That of `DATABASE_URL` where the user chose so, else one in memory that ends with us.
    pub(crate) async fn find(
        checkout: &Checkout,
        project: &Project,
        steps: &mut Steps,
    ) -> anyhow::Result<TestServer> {
        let postgres = &project.postgres;
        let own = match choose(checkout, postgres)? {
            Chosen::Url(..) => {
                let mut server = server::start(checkout, postgres).await?;
                server.report(steps, &session::version(&server, project).await?);
                server.url.set_path("postgres");
                let options = server.options.database("postgres");
                return Ok(TestServer { options, url: server.url, ours: Ours::Nothing });
            }
            Chosen::Own(own) => own,
        };
        let programs = match own.kind {
            Kind::Native(programs) => programs,
            Kind::Docker => match TestServer::container(postgres, steps).await? {
                Ok(server) => return Ok(server),
                Err(refusal) => {
                    let (programs, why) = instead(&own, &refusal, postgres)?;
                    steps.note(&format!("           {why}"));
                    programs
                }
            },
        };
        steps.doing("server", "starting one in memory");
        let ours = Ephemeral::start(&programs, postgres.version, &postgres.database).await?;
        let place = match ours.place() {
            Place::Memory => "in memory".to_owned(),
            Place::Disk { why } => format!("on disk, which is slower: {why}"),
        };
        let what = format!("PostgreSQL {}, {programs}, {place}", ours.version());
        steps.done("server", &what, "started", Some(ours.elapsed()));
        for folder in ours.cleared() {
            steps.note(&format!(
                "           cleared away what a killed command had left: {}",
                folder.display()
            ));
        }
        let options = login_options(ours.port(), ours.role(), ours.password()).database("postgres");
        Ok(TestServer {
            url: plain_url(&options, ours.password())?,
            options,
            ours: Ours::Native(Box::new(ours)),
        })
    }

    /// Does work on a throwaway database of one. Whatever comes of the work, the database goes, and then the server. The
    /// work sees to its own end where we are asked to end.
    pub(crate) async fn with_scratch<T>(
        checkout: &Checkout,
        project: &Project,
        steps: &mut Steps,
        work: impl AsyncFnOnce(&Scratch, &mut Steps) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let server = or_interrupted(TestServer::find(checkout, project, steps)).await?;
        let done = server.on_scratch(steps, work).await;
        let stopped = server.stop().await;
        // What went wrong first is what to tell.
        let done = done?;
        stopped?;
        Ok(done)
    }

    async fn on_scratch<T>(
        &self,
        steps: &mut Steps,
        work: impl AsyncFnOnce(&Scratch, &mut Steps) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let scratch = or_interrupted(Scratch::create(&self.options)).await?;
        let done = work(&scratch, steps).await;
        let name = scratch.name().to_owned();
        let discarded =
            scratch.discard().await.with_context(|| format!("remove the throwaway database {name}"));
        let done = done?;
        discarded?;
        Ok(done)
    }

    /// Whether nobody else has databases on it.
    pub(crate) fn is_ours(&self) -> bool {
        !matches!(self.ours, Ours::Nothing)
    }

    async fn container(
        postgres: &Postgres,
        steps: &mut Steps,
    ) -> anyhow::Result<Result<TestServer, Refusal>> {
        steps.doing("server", "starting a container in memory");
        let began = Instant::now();
        let (image, user) = (container::image(postgres), &postgres.database);
        let container = match TestContainer::start(&image, user, &new_password(), postgres.version).await? {
            Ok(container) => container,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let what = format!("PostgreSQL {}, Docker, in memory", container.answer.version);
        steps.done("server", &what, "started", Some(began.elapsed()));
        let mut url = Url::parse(&container.answer.url).context("read the container's URL")?;
        url.set_path("postgres");
        let options = url.as_str().parse()?;
        Ok(Ok(TestServer { options, url, ours: Ours::Container(container) }))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        match self.ours {
            Ours::Nothing => Ok(()),
            Ours::Native(server) => server.stop().await,
            Ours::Container(container) => container.stop().await,
        }
    }
}
