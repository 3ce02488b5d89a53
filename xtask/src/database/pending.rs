//! Warns or refuses when the checkout and the development database do not have the same migrations.

use std::time::Duration;

use migrations::{Ledger, Project};

use crate::{
    checkout::Checkout,
    database::session,
    server::Server,
    terminal::{
        exit::Stop,
        output::{self, count},
    },
};

/// The warning is a courtesy of commands that do something else, so it must not delay them for longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// The number of migrations that a warning names.
const NAMED: usize = 3;

/// Warns on standard error. If the database or the migrations can't be read, says nothing: the command itself needs no
/// migrations, and reports what it can't reach.
pub(crate) async fn warn(server: &Server, checkout: &Checkout) {
    let Ok(project) = &checkout.project() else { return };
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

/// Fails with exit code 3 if any migration is pending; `why` says what needs them all.
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
