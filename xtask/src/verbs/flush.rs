//! `cargo xtask flush`: all rows out and the reference data in; tables and ledger stay.

use anyhow::bail;
use clap::Args as ClapArgs;
use migrations::{Contract, Error, Ledger, Project, Prune, SeedMode, SeedReport, TableChanges, run_seeds};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    checkout::Checkout,
    database::{
        migrating, pending,
        safety::{Destruction, again},
        seeding,
        session::{self, Timeouts, on_server},
    },
    rows::{
        emptying::{self, Triggers},
        tables::{self, Others, Table},
    },
    server::{self, Server},
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count, timed},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask flush

All of it is one transaction: rows out, sequences back to their start, seeds in. Triggers that refuse truncate, as those of \
an audit trail, stand down for it and are back when it ends.

Exit codes: 3 migrations are pending, or the tables are not those of apps.toml; 4 the database might matter, and the message \
says what to pass; 5 somebody holds a lock.")]
pub(crate) struct Args {
    /// Do it although the database might matter; repeat its name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Rows that went, a table.
type Removed = Vec<(String, u64)>;

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        on_server(&server, self.flush(&server, &project)).await
    }

    async fn flush(&self, server: &Server, project: &Project) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.format);
        let mut session = session::open(server, project, self.timeouts).await?;
        let found = session.found().await?;
        let what = "flush would destroy every row in it";
        let (target, confirmed) = (server.database(), self.confirm.as_deref());
        let destruction = Destruction { target, what, confirmed, again: again("flush", target) };
        destruction.check(&server.options, &found)?;
        session.lock(&mut |event| migrating::report(&mut steps, &event)).await?;
        steps.doing("flush", server.database());
        let (done, elapsed) = timed(flush(session.connection(), project)).await;
        let (removed, report) = session.unlock_after(done).await?;
        session.close().await;

        for (table, rows) in removed.iter().filter(|(_, rows)| *rows > 0) {
            steps.done("flush", table, &format!("-{rows}"), None);
        }
        let all = removed.iter().map(|(_, rows)| rows).sum();
        let tables = count(removed.len(), "table", "tables");
        steps.done("flush", &format!("{} out of {tables}", tables::counted(all)), "", None);
        steps.done("seed", &seeding::summary(&report), "", Some(elapsed));
        let removed = removed.iter().map(|(table, rows)| json!({ "table": table, "rows": rows }));
        let seeded = report.tables.iter().map(|table| {
            let TableChanges { table, inserted, .. } = table;
            json!({ "table": table, "inserted": inserted })
        });
        let (removed, seeded): (Vec<_>, Vec<_>) = (removed.collect(), seeded.collect());
        steps.finish(json!({ "removed": removed, "seeded": seeded }));
        Ok(())
    }
}

async fn flush(conn: &mut PgConnection, project: &Project) -> anyhow::Result<(Removed, SeedReport)> {
    must_be_whole(conn, project).await?;
    let tables = tables::read(conn, project, &tables::all(project)).await?;
    let mut transaction = conn.begin().await.map_err(Error::database("flush"))?;
    tables::lock(&mut transaction, &tables, Others::Wait).await?;
    must_be_ours_alone(&mut transaction, &tables).await?;
    let rows = tables::rows(&mut transaction, &tables).await?;
    let back = emptying::stand_down(&mut transaction, &tables, Triggers::OfTruncate).await?;
    emptying::truncate(&mut transaction, &tables).await?;
    for statement in back {
        tables::run(&mut transaction, &statement, "put the triggers back").await?;
    }
    let report = run_seeds(&mut transaction, project, SeedMode::Write, Prune::No).await?;
    transaction.commit().await.map_err(Error::database("flush"))?;
    let mut removed: Removed = tables.into_iter().map(|table| table.name).zip(rows).collect();
    removed.sort();
    Ok((removed, report))
}

/// Seeds need every table, and what is no app's is not ours to empty.
async fn must_be_whole(conn: &mut PgConnection, project: &Project) -> anyhow::Result<()> {
    let ledger = Ledger::read(conn, project).await?;
    let problems = ledger.problems(project);
    if !problems.is_empty() {
        return Err(Stop::Unfit(Error::Ledger(problems).to_string()).into());
    }
    pending::refuse(&ledger, project, "nothing was touched")?;
    let differences = Contract::read(conn, project).await?.differences();
    if !differences.is_empty() {
        let why = format!(
            "the tables are not those of apps.toml; nothing was touched\n  {}\n  see what to do: cargo xtask db-check",
            differences.join("\n  ")
        );
        return Err(Stop::Unfit(why).into());
    }
    Ok(())
}

/// A table in another schema may refer to ours; what it holds is not in question.
async fn must_be_ours_alone(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<()> {
    let references = emptying::references(conn, tables).await?;
    if references.is_empty() {
        return Ok(());
    }
    let references: Vec<String> = references.into_iter().map(|reference| reference.what).collect();
    bail!(
        "tables that no app owns refer to those of the apps; nothing was touched\n  {}\n  drop those constraints or tables \
         first: cargo xtask db-shell",
        references.join("\n  ")
    )
}
