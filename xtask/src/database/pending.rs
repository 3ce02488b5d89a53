//! What is said where the checkout has migrations which the development database has not, or the other way round.

use std::time::Duration;

use migrations::{Ledger, Project};

use crate::{
    database::session,
    server::Server,
    terminal::{
        exit::Stop,
        output::{self, count},
    },
};

/// Whoever asked for something else does not wait longer for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// So many are named.
const NAMED: usize = 3;

/// Looks, and warns on standard error. Where the database can't be read, that is for others to say.
pub(crate) async fn warn(server: &Server, project: &Project) {
    let look = async {
        let mut session = session::open_read_only(server, project).await?;
        let ledger = session.ledger(project).await?;
        session.close().await;
        anyhow::Ok(ledger)
    };
    if let Ok(Ok(ledger)) = tokio::time::timeout(PATIENCE, look).await
        && let Some(warning) = warning(&ledger, project)
    {
        output::remark(&warning);
    }
}

/// Refuses what needs every migration to be applied, with exit code 3.
pub(crate) fn refuse(ledger: &Ledger, project: &Project, why: &str) -> anyhow::Result<()> {
    let pending = ledger.pending(project);
    let Some(first) = pending.first() else { return Ok(()) };
    let pending = count(pending.len(), "migration is", "migrations are");
    let first = &first.id;
    Err(Stop::Unfit(format!("{pending} pending, {first} first; {why}\n  apply them: cargo xtask migrate"))
        .into())
}

fn warning(ledger: &Ledger, project: &Project) -> Option<String> {
    if let Some(problem) = ledger.problems(project).first() {
        return Some(format!("warning: {problem}"));
    }
    let pending = ledger.pending(project);
    let named: Vec<String> = pending.iter().take(NAMED).map(|migration| migration.id.to_string()).collect();
    let more = if pending.len() > NAMED { ", …" } else { "" };
    (!pending.is_empty()).then(|| {
        format!(
            "warning: the database lacks {} of this checkout: {}{more}\n  apply them: cargo xtask migrate",
            count(pending.len(), "migration", "migrations"),
            named.join(", ")
        )
    })
}
