//! Running the seeds with a report, and a one-line summary of what they did.

use migrations::{Project, Prune, SeedMode, SeedReport, Session};

use crate::{
    database::{migrating, pending},
    terminal::output::Steps,
};

/// Runs the seeds. Pending migrations are an error first, which reads better than a missing table.
pub(crate) async fn run(
    session: &mut Session,
    project: &Project,
    mode: SeedMode,
    prune: Prune,
    steps: &mut Steps,
) -> anyhow::Result<SeedReport> {
    let ledger = session.ledger(project).await?;
    pending::refuse(&ledger, project, "the seeds need their tables")?;
    Ok(session.seed(project, mode, prune, &mut |event| migrating::report(steps, &event)).await?)
}

/// `roles +7, permissions ~1, roles_permissions -2`, or `0 changes`.
pub(crate) fn summary(report: &SeedReport) -> String {
    let tables = report.tables.iter().map(|table| {
        let counts = [('+', table.inserted), ('~', table.updated), ('-', table.deleted)];
        let counts: Vec<String> =
            counts.iter().filter(|(_, n)| *n > 0).map(|(sign, n)| format!("{sign}{n}")).collect();
        format!("{} {}", table.table, counts.join(" "))
    });
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() { "0 changes".to_owned() } else { tables.join(", ") }
}
