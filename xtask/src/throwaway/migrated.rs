//! A throwaway database with every migration of the checkout applied, for commands that read the schema.

use ::tests::scratch::Scratch;
use migrations::{Project, Session, Settings, Target};

use crate::{
    checkout::Checkout,
    terminal::{interrupt::or_interrupted, output::Steps},
    throwaway::test_server::TestServer,
};

/// Does work on such a database. The work must stop by itself when this process is interrupted.
pub(crate) async fn with_scratch<T>(
    checkout: &Checkout,
    project: &Project,
    steps: &mut Steps,
    work: impl AsyncFnOnce(&Scratch, &mut Steps) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    TestServer::with_scratch(checkout, project, steps, async |scratch: &mut Scratch, steps| {
        or_interrupted(migrate(scratch, project)).await?;
        work(scratch, steps).await
    })
    .await
}

/// Applies all migrations to a throwaway database.
pub(crate) async fn migrate(scratch: &Scratch, project: &Project) -> anyhow::Result<()> {
    let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
    session.migrate(project, &Target::Latest, &mut |_| {}).await?;
    session.close().await;
    Ok(())
}
