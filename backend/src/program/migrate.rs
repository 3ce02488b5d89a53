//! `backend migrate`: the schema and the reference data that this program brings along.

use migrations::{Access, Event, Prune, SeedMode, Target};

use super::{check, database, output::line};

pub(crate) async fn run() -> anyhow::Result<()> {
    let project = backend::migrations()?;
    let mut session = database::open(Access::Write).await?;
    session.require_version(&project)?;
    let mut report = |event: Event<'_>| {
        if let Event::Done { step, elapsed } = event {
            // A log that can't be written stops no migration.
            let _ = line(&format!("applied {} in {} ms", step.migration.id, elapsed.as_millis()));
        }
    };
    session.migrate(&project, &Target::Latest, &mut report).await?;
    let seeds = session.seed(&project, SeedMode::Write, Prune::No, &mut report).await?;
    line(&format!("seeds changed {} rows", seeds.changes()))?;
    check::compare(&mut session, &project).await?;
    session.close().await;
    Ok(())
}
