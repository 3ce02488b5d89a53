//! `backend check`: compares the database with what this program needs.

use migrations::{Access, Project, Session};

use super::{database, exit::Stop, output::line};

pub(crate) async fn run() -> anyhow::Result<()> {
    let project = backend::migrations()?;
    let mut session = database::open(Access::ReadOnly).await?;
    session.require_version(&project)?;
    compare(&mut session, &project).await?;
    session.close().await;
    Ok(())
}

/// Prints every difference between the database and the embedded migrations.
pub(crate) async fn compare(session: &mut Session, project: &Project) -> anyhow::Result<()> {
    let ledger = session.ledger(project).await?;
    let contract = session.contract(project).await?;
    let problems = ledger.problems(project).into_iter().map(|problem| problem.to_string());
    let pending =
        ledger.pending(project).into_iter().map(|migration| format!("pending     {}", migration.id));
    let differences: Vec<String> = problems.chain(pending).chain(contract.differences()).collect();
    for difference in &differences {
        line(difference)?;
    }
    if differences.is_empty() {
        return line("the database has what this program needs");
    }
    Err(Stop::Differs.into())
}
