//! A throwaway database that has had every migration of the checkout, for what is to be learned from the schema.

use ::tests::Scratch;
use anyhow::Context;
use migrations::{Project, Session, Settings, Target};

use crate::{checkout::Checkout, interrupt::or_interrupted, output::Steps, server::TestServer};

/// Does work on one. The work sees to its own end where we are asked to end.
pub(crate) async fn with<T>(
    checkout: &Checkout,
    project: &Project,
    steps: &mut Steps,
    work: impl AsyncFnOnce(&Scratch, &mut Steps) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let server = or_interrupted(TestServer::find(checkout, project, steps)).await?;
    let done = on_scratch(&server, project, steps, work).await;
    // The server goes whatever came of it, and so does the database: see `on_scratch`.
    let stopped = server.stop().await;
    let done = done?;
    stopped?;
    Ok(done)
}

async fn on_scratch<T>(
    server: &TestServer,
    project: &Project,
    steps: &mut Steps,
    work: impl AsyncFnOnce(&Scratch, &mut Steps) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let scratch = or_interrupted(Scratch::create(&server.options)).await?;
    let done = match or_interrupted(migrate(&scratch, project)).await {
        Ok(()) => work(&scratch, steps).await,
        Err(error) => Err(error),
    };
    let name = scratch.name().to_owned();
    let discarded = scratch.discard().await.with_context(|| format!("remove the throwaway database {name}"));
    // What went wrong first is what to tell.
    let done = done?;
    discarded?;
    Ok(done)
}

async fn migrate(scratch: &Scratch, project: &Project) -> anyhow::Result<()> {
    let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
    session.migrate(project, &Target::Latest, &mut |_| {}).await?;
    session.close().await;
    Ok(())
}
