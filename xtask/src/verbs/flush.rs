//! `cargo xtask flush`: removes all rows and writes the reference data again; tables and ledger stay.

use anyhow::bail;
use catalogue::Catalogue;
use clap::Args as ClapArgs;
use migrations::{Contract, Error, Ledger, Project, Prune, SeedMode, SeedReport, TableChanges, run_seeds};
use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::{
    checkout::Checkout,
    database::{
        migrating, pending,
        safety::{Destruction, again},
        schema, seeding,
        session::{self, Timeouts, on_server},
    },
    rows::{
        emptying::{self, Triggers},
        found,
        locking::{self, Others},
        sequences,
        tables::{self, Table, TableRows},
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

In one transaction it removes all rows, restarts the sequences and runs the seeds. It disables triggers on truncate \
meanwhile, such as the ones that protect an audit trail.

Exit codes: 3 migrations are pending, or the tables differ from apps.toml; 4 refused, because the database might matter; \
the message says what to pass; 5 timed out waiting for a lock.")]
pub(crate) struct Args {
    /// Skip the safety check; repeat the database's name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How many rows the seeds inserted into a table.
#[derive(Serialize)]
struct Seeded {
    inserted: i64,
    table: String,
}

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report {
    removed: Vec<TableRows>,
    seeded: Vec<Seeded>,
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
        let (target, confirmed) = (server.database(), self.confirm.as_deref());
        let destruction = Destruction { target, what, confirmed, again: again("flush", target) };
        destruction.check(&server.options, &found)?;
        let lock = session.lock(&mut |event| migrating::report(&mut steps, &event)).await?;
        steps.doing("flush", server.database());
        let (done, elapsed) = timed(lock.run(async |conn| flush(conn, project).await)).await;
        let Flushed { removed, report, notes } = done?;
        session.close().await;

        for TableRows { table, rows } in removed.iter().filter(|table| table.rows > 0) {
            steps.done("flush", table, &format!("-{rows}"), None);
        }
        let all = removed.iter().map(|table| table.rows).sum();
        let tables = count(removed.len(), "table", "tables");
        steps.done("flush", &format!("{} out of {tables}", tables::format_rows(all)), "", None);
        for note in notes {
            steps.note(&format!("           {note}"));
        }
        steps.done("seed", &seeding::summary(&report), "", Some(elapsed));
        let seeded = report.tables.into_iter();
        let seeded = seeded.map(|TableChanges { table, inserted, .. }| Seeded { inserted, table });
        steps.finish(Report { removed, seeded: seeded.collect() });
        Ok(())
    }
}

/// What a flush did.
struct Flushed {
    removed: Vec<TableRows>,
    report: SeedReport,
    /// What keeps rows, for people.
    notes: Vec<String>,
}

async fn flush(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Flushed> {
    let owned = tables::owned_tables(project);
    let existing = locking::existing(conn, &owned).await?;
    let mut transaction = conn.begin().await.map_err(Error::database("flush"))?;
    locking::lock(&mut transaction, &existing, Others::Wait).await?;
    let schema = schema::read_within(&mut transaction, project).await?;
    must_match_files(&mut transaction, project, &schema).await?;
    let tables = found::existing_tables(&schema, project, &owned)?;
    must_not_be_referenced(&schema, &tables)?;
    let rows = tables::count_rows(&mut transaction, &tables).await?;
    let restore =
        emptying::disable_triggers(&mut transaction, &schema, &tables, Triggers::OnTruncate).await?;
    emptying::truncate(&mut transaction, &tables).await?;
    for sequence in sequences::used_by(&schema, project, &tables) {
        sequence.restart(&mut transaction).await?;
    }
    for statement in restore {
        tables::execute(&mut transaction, &statement, "restore the triggers").await?;
    }
    let report = run_seeds(&mut transaction, project, SeedMode::Write, Prune::No).await?;
    transaction.commit().await.map_err(Error::database(
        "commit the flush; all of it was kept or nothing, and the same command completes it",
    ))?;
    let removed = tables.into_iter().zip(rows).map(|(table, rows)| TableRows { table: table.name, rows });
    let mut removed: Vec<TableRows> = removed.collect();
    removed.sort();
    let notes = [found::on_another_server(&schema, &owned), found::stale_views(&schema)].concat();
    Ok(Flushed { removed, report, notes })
}

/// Checks that the database matches the files: the seeds need every table, and we do not empty a table that no app owns.
async fn must_match_files(
    conn: &mut PgConnection,
    project: &Project,
    schema: &Catalogue,
) -> anyhow::Result<()> {
    let ledger = Ledger::read(conn, project).await?;
    let problems = ledger.problems(project);
    if !problems.is_empty() {
        return Err(Stop::Unfit(Error::Ledger(problems).to_string()).into());
    }
    pending::refuse(&ledger, project, "nothing was touched")?;
    let differences = Contract::new(schema, project).differences();
    if !differences.is_empty() {
        let why = format!(
            "the tables differ from apps.toml; nothing was touched\n  {}\n  see what to do: cargo xtask db-check",
            differences.join("\n  ")
        );
        return Err(Stop::Unfit(why).into());
    }
    Ok(())
}

/// Refuses if a table outside the apps refers to theirs: truncate would fail, and we do not empty that table.
fn must_not_be_referenced(schema: &Catalogue, tables: &[Table]) -> anyhow::Result<()> {
    let references = emptying::references(schema, tables);
    if references.is_empty() {
        return Ok(());
    }
    let references: Vec<String> = references.into_iter().map(|reference| reference.what).collect();
    bail!(
        "tables that no app owns refer to tables of the apps; nothing was touched\n  {}\n  drop those constraints or tables \
         first: cargo xtask db-shell",
        references.join("\n  ")
    )
}
