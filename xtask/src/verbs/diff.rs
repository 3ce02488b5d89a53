//! `cargo xtask diff`: prints the SQL that turns one schema into another. It changes neither.

use std::path::Path;

use anyhow::{Context, bail};
use catalogue::{Catalogue, Kind, differences};
use clap::Args as ClapArgs;
use diff::{Change, Hazard, Rename, Renames, Script, Statement};
use migrations::{Error, Postgres, Project, STOCK_LEDGER};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};

use crate::{
    checkout::Checkout,
    database::{renaming, schema},
    terminal::{exit::Stop, format::Format, interrupt::or_interrupted, output},
    throwaway::{loaded::Files, test_server::TestServer},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask diff postgres://localhost/one postgres://localhost/two
  cargo xtask diff old.sql new.sql > change.sql && psql -v ON_ERROR_STOP=1 -f change.sql
  cargo xtask diff migrations schema/ --reverse
  cargo xtask diff old.sql new.sql --renamed public.users=accounts --renamed public.users.mail=email

FROM and TO are each a URL, a file with SQL, or a folder: one with apps.toml has the migrations of a
project, one whose files sqlx reads as migrations has those, and any other has SQL files in whatever
order works. Files are loaded into throwaway databases, on a server of the major version of the other
side; roles that they name are made there. Beside files, the ledgers of migrations are left out.

The script runs in psql without a change. It never asks: a rename is a drop and a creation unless
--renamed says so, a change of a type converts the values, and what loses rows or values is marked
with `-- data loss:`. Roles, and what is set for the database itself, are not changed.

Like pg_dump, it writes the passwords of user mappings and the connections of subscriptions.

Names after --renamed are in quotes as in SQL, and those before `=` are the old ones. To see what
Postgres makes of the renames, they are made in FROM in a transaction that is undone.

Exit codes: 0 the schemas are equal; 3 they differ, and the SQL was printed; 1 a side could not be
read, or a difference can't be made by SQL, and nothing was printed.")]
pub(crate) struct Args {
    /// The schema to change: a URL, a file or a folder
    #[arg(value_name = "FROM")]
    from: String,
    /// What it should become: a URL, a file or a folder
    #[arg(value_name = "TO")]
    to: String,
    /// Print the way back, from TO to FROM
    #[arg(long)]
    reverse: bool,
    /// A relation or column of FROM that has another name in TO; may be given several times
    #[arg(long, value_name = "SCHEMA.TABLE[.COLUMN]=NEW")]
    renamed: Vec<Rename>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One side of the comparison.
enum Side {
    Database(PgConnection),
    Files(Files),
}

/// A statement, for `--format json`.
#[derive(Serialize)]
struct Row {
    sql: String,
    kind: &'static str,
    object: String,
    change: &'static str,
    hazards: Vec<String>,
    /// Whether the transaction must be committed before the next statement.
    commit_after: bool,
}

/// The report of `--format json`.
#[derive(Serialize)]
struct Report {
    equal: bool,
    statements: Vec<Row>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let renames = Renames::new(self.renamed);
        let (from, to, renames) = match self.reverse {
            true => (&self.to, &self.from, renames.reversed()),
            false => (&self.from, &self.to, renames),
        };
        let Read { from, to, renamed } = read(checkout, from, to, renames).await?;
        let script = diff::diff(&from, &to)?;
        let script = Script { statements: renamed.into_iter().chain(script.statements).collect() };
        remark_on_unmanaged(&from, &to);
        match self.format {
            Format::Text => output::raw(&script.sql()),
            Format::Json => output::json(&report(&script)),
        }
        if script.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }
}

/// Says on standard error what differs and stays so.
fn remark_on_unmanaged(from: &Catalogue, to: &Catalogue) {
    for difference in differences(to, from).iter().filter(|it| !it.is_note()) {
        if let Some(why) = diff::unmanaged(difference) {
            output::remark(&format!("not changed: {}: {why}", difference.address));
        }
    }
}

/// Both schemas.
struct Read {
    /// The old one, after the renames.
    from: Catalogue,
    to: Catalogue,
    /// What made the renames.
    renamed: Vec<Statement>,
}

async fn read(checkout: &Checkout, from: &str, to: &str, renames: Renames) -> anyhow::Result<Read> {
    let sides = [side(from).await?, side(to).await?];
    let has_files = sides.iter().any(|side| matches!(side, Side::Files(_)));
    let project = has_files.then(|| checkout.project().ok()).flatten();
    // Files make no ledger, and the database that they are compared with may have one.
    let usual = if has_files { vec![STOCK_LEDGER] } else { Vec::new() };
    let ours = project.iter().flat_map(Project::left_out);
    let theirs = sides.iter().flat_map(|side| match side {
        Side::Database(_) => Vec::new(),
        Side::Files(files) => files.left_out(),
    });
    let leave_out: Vec<String> = usual.into_iter().chain(ours).chain(theirs).map(str::to_owned).collect();
    let leave_out: Vec<&str> = leave_out.iter().map(String::as_str).collect();
    let major = sides.iter().find_map(|side| match side {
        Side::Database(conn) => Some(conn.server_version_num()? / 10_000),
        Side::Files(_) => None,
    });
    let [from, to] = sides;
    let work = async |server: Option<&TestServer>| {
        let both = from.read(server, async |conn| {
            let to = to.read(server, async |conn| schema::read_without(conn, &leave_out).await);
            let (to, from) = tokio::try_join!(to, schema::read_without(conn, &leave_out))?;
            let (from, renamed) = renaming::renamed(conn, from, &leave_out, renames, &to).await?;
            Ok(Read { from, to, renamed })
        });
        both.await
    };
    if !has_files {
        return work(None).await;
    }
    let postgres = project.map_or_else(Postgres::default, |project| project.postgres);
    let major = major.unwrap_or(postgres.version);
    TestServer::with_own(checkout, &postgres, major, async |server| work(Some(server)).await).await
}

impl Side {
    /// Has `work` read from the side.
    async fn read<T>(
        self,
        server: Option<&TestServer>,
        work: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        match (self, server) {
            (Side::Database(mut conn), _) => {
                let read = or_interrupted(work(&mut conn)).await?;
                conn.close().await.map_err(Error::database("close the connection"))?;
                Ok(read)
            }
            (Side::Files(files), Some(server)) => files.loaded(server, work).await,
            (Side::Files(_), None) => bail!("files are loaded on a server, and there is none"),
        }
    }
}

async fn side(given: &str) -> anyhow::Result<Side> {
    if !given.starts_with("postgres://") && !given.starts_with("postgresql://") {
        return Ok(Side::Files(Files::at(Path::new(given)).await?));
    }
    let options = migrations::database::options(given).context("read the URL")?;
    let connecting = async { Ok(migrations::database::connect(&options).await?) };
    Ok(Side::Database(or_interrupted(connecting).await?))
}

fn report(script: &Script) -> Report {
    let statements = script.statements.iter().map(|statement| Row {
        sql: statement.sql.clone(),
        kind: Kind::words(statement.object.kind),
        object: statement.object.name(),
        change: match statement.change {
            Change::Create => "create",
            Change::Drop => "drop",
            Change::Alter => "alter",
        },
        hazards: statement.hazards.iter().map(hazard).collect(),
        commit_after: statement.commit_after,
    });
    Report { equal: script.is_empty(), statements: statements.collect() }
}

fn hazard(hazard: &Hazard) -> String {
    match hazard {
        Hazard::DataLoss(what) => format!("data loss: {what}"),
        Hazard::Rewrite => "rewrite".to_owned(),
        Hazard::Scan => "scan".to_owned(),
        Hazard::Lock => "lock".to_owned(),
    }
}
