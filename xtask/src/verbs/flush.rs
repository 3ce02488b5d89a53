//! `cargo xtask flush`: all rows out and the reference data in; tables and ledger stay.

use anyhow::bail;
use clap::Args as ClapArgs;
use migrations::{Contract, Error, Ledger, Project, Prune, SeedMode, SeedReport, TableChanges, run_seeds};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    checkout::Checkout,
    database::{
        migrating, pending, safety, seeding,
        session::{self, Timeouts, on_server},
    },
    rows::{
        emptying::{self, Triggers},
        tables::{self, Others, Table, TableRows},
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
        let confirmed = self.confirm.as_deref();
        safety::may_destroy(&server.options, server.database(), &found, what, confirmed, "flush")?;
        let lock = session.lock(&mut |event| migrating::report(&mut steps, &event)).await?;
        steps.doing("flush", server.database());
        let (done, elapsed) = timed(lock.run(async |conn| flush(conn, project).await)).await;
        let (removed, report) = done?;
        session.close().await;

        for TableRows { table, rows } in removed.iter().filter(|table| table.rows > 0) {
            steps.done("flush", table, &format!("-{rows}"), None);
        }
        let all = removed.iter().map(|table| table.rows).sum();
        let tables = count(removed.len(), "table", "tables");
        steps.done("flush", &format!("{} out of {tables}", tables::format_rows(all)), "", None);
        steps.done("seed", &seeding::summary(&report), "", Some(elapsed));
        let seeded = report.tables.iter().map(|table| {
            let TableChanges { table, inserted, .. } = table;
            json!({ "table": table, "inserted": inserted })
        });
        let seeded: Vec<_> = seeded.collect();
        steps.finish(json!({ "removed": removed, "seeded": seeded }));
        Ok(())
    }
}

async fn flush(conn: &mut PgConnection, project: &Project) -> anyhow::Result<(Vec<TableRows>, SeedReport)> {
    must_be_whole(conn, project).await?;
    let tables = tables::read(conn, project, &tables::owned_tables(project)).await?;
    let mut transaction = conn.begin().await.map_err(Error::database("flush"))?;
    tables::lock(&mut transaction, &tables, Others::Wait).await?;
    must_be_ours_alone(&mut transaction, &tables).await?;
    let rows = tables::count_rows(&mut transaction, &tables).await?;
    let restore = emptying::disable_triggers(&mut transaction, &tables, Triggers::OnTruncate).await?;
    emptying::truncate(&mut transaction, &tables).await?;
    for statement in restore {
        tables::execute(&mut transaction, &statement, "restore the triggers").await?;
    }
    let report = run_seeds(&mut transaction, project, SeedMode::Write, Prune::No).await?;
    transaction.commit().await.map_err(Error::database("flush"))?;
    let removed = tables.into_iter().zip(rows).map(|(table, rows)| TableRows { table: table.name, rows });
    let mut removed: Vec<TableRows> = removed.collect();
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
