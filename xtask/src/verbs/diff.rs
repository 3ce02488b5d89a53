//! `cargo xtask diff`: prints the SQL that turns one schema into another. It changes neither.

use std::path::Path;

use anyhow::{Context, bail};
use catalogue::{Catalogue, Kind, differences};
use clap::Args as ClapArgs;
use diff::{Change, Hazard, Script};
use migrations::{Error, Postgres};
use serde::Serialize;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::{
    checkout::Checkout,
    database::schema,
    terminal::{exit::Stop, format::Format, interrupt::or_interrupted, output},
    throwaway::{loaded::Files, test_server::TestServer},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask diff postgres://localhost/one postgres://localhost/two
  cargo xtask diff old.sql new.sql > change.sql && psql -v ON_ERROR_STOP=1 -f change.sql
  cargo xtask diff migrations schema/ --reverse

FROM and TO are each a URL, a file with SQL, or a folder: one with apps.toml has the migrations of a
project, one whose files sqlx reads as migrations has those, and any other has SQL files in whatever
order works. Files are loaded into throwaway databases, on a server of the major version of the other
side; roles that they name are made there.

The script runs in psql without a change. It never asks: a rename is a drop and a creation, a change
of a type converts the values, and what loses rows or values is marked with `-- data loss:`. Roles,
and what is set for the database itself, are not changed.

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
        let (from, to) = if self.reverse { (&self.to, &self.from) } else { (&self.from, &self.to) };
        let (from, to) = read(checkout, from, to).await?;
        if from.major() != to.major() {
            bail!(
                "one side is on PostgreSQL {}, the other on {}; compare schemas of one major version",
                from.major(),
                to.major()
            );
        }
        let script = diff::diff(&from, &to)?;
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

async fn read(checkout: &Checkout, from: &str, to: &str) -> anyhow::Result<(Catalogue, Catalogue)> {
    let mut sides = [side(from).await?, side(to).await?];
    let mut leave_out: Vec<String> = Vec::new();
    for side in &sides {
        if let Side::Files(files) = side {
            leave_out.extend(files.ledger_schemas().into_iter().map(str::to_owned));
        }
    }
    let leave_out: Vec<&str> = leave_out.iter().map(String::as_str).collect();
    let mut read: [Option<Catalogue>; 2] = [None, None];
    for (side, read) in sides.iter_mut().zip(&mut read) {
        if let Side::Database(conn) = side {
            *read = Some(or_interrupted(async { schema::read_without(conn, &leave_out).await }).await?);
        }
    }
    if read.iter().any(Option::is_none) {
        let postgres = checkout.project().map_or_else(|_| Postgres::default(), |project| project.postgres);
        let major = read.iter().flatten().map(Catalogue::major).next();
        TestServer::with_own(checkout, &postgres, major.unwrap_or(postgres.version), async |server| {
            for (side, read) in sides.iter().zip(&mut read) {
                if let Side::Files(files) = side {
                    *read = Some(files.schema(server, &leave_out).await?);
                }
            }
            Ok(())
        })
        .await?;
    }
    for side in sides {
        if let Side::Database(conn) = side {
            conn.close().await.map_err(Error::database("close the connection"))?;
        }
    }
    let [Some(from), Some(to)] = read else { bail!("a side was not read") };
    Ok((from, to))
}

async fn side(given: &str) -> anyhow::Result<Side> {
    if !given.starts_with("postgres://") && !given.starts_with("postgresql://") {
        return Ok(Side::Files(Files::at(Path::new(given)).await?));
    }
    let options = migrations::database::options(given).context("read the URL")?;
    let connected = or_interrupted(async { Ok(options.connect().await) }).await?;
    Ok(Side::Database(connected.map_err(Error::database("connect"))?))
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
