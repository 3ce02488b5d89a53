//! `backend migrate`: applies the embedded migrations and seeds.

use migrations::{Access, Event, Project, Prune, SeedMode, Target};

use super::{check, database, exit::Stop, output::line};

pub(crate) async fn run() -> anyhow::Result<()> {
    let main = backend::migrations()?;
    for project in main.databases() {
        database::announce(project, &main)?;
        migrate(project).await?;
    }
    Ok(())
}

async fn migrate(project: &Project) -> anyhow::Result<()> {
    let mut session = database::open(project, Access::Write).await?;
    session.require_version(project)?;
    let mut report = |event: Event<'_>| {
        // Failing to print progress is no reason to stop migrating.
        let _ = match event {
            Event::Late { id, after } => line(&format!("{id} is late: {after} is applied")),
            Event::Done { step, elapsed } => {
                line(&format!("applied {} in {} ms", step.migration.id, elapsed.as_millis()))
            }
            _ => Ok(()),
        };
    };
    session.migrate(project, &Target::Latest, &mut report).await?;
    let seeds = session.seed(project, SeedMode::Write, Prune::No, &mut report).await?;
    line(&format!("seeds changed {} rows", seeds.changes()))?;
    let agrees = check::compare(&mut session, project).await?;
    session.close().await;
    if agrees { Ok(()) } else { Err(Stop::Differs.into()) }
}
