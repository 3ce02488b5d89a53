//! `cargo xtask inspect`: the tables as they stand in the database, by the app that owns them. It writes nothing.

mod model;
mod show;

use anyhow::{Context, anyhow};
use clap::Args as ClapArgs;
use migrations::{Error, Project};
use serde_json::json;
use sqlx::PgConnection;

use self::model::Table;
use crate::{
    checkout::Checkout,
    database::session::{self, on_server},
    server,
    terminal::{format::Format, interrupt::or_interrupted, output},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask inspect            every table in a line
  cargo xtask inspect TABLE      one of them with columns, keys, checks, indexes and triggers
  cargo xtask inspect APP/       all tables of an app so
  cargo xtask inspect --all      all there are

It tells what stands in the database, whatever the migrations say; the session is read-only.")]
pub(crate) struct Args {
    /// Which to tell all of: TABLE, SCHEMA.TABLE, or APP/ for those of an app
    #[arg(value_name = "TABLE")]
    names: Vec<String>,
    /// Tell all of every table
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let tables = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let tables = read(session.connection(), &project).await?;
            session.close().await;
            Ok(tables)
        })
        .await?;
        let named = !self.names.is_empty();
        let tables = if !named { tables } else { chosen(&project, tables, &self.names)? };
        match self.format {
            Format::Json => output::json(&json!({ "tables": tables })),
            Format::Text if tables.is_empty() => output::line("no tables\nmake them: cargo xtask migrate"),
            Format::Text if named || self.all => show::all(&project, &tables),
            Format::Text => show::list(&project, &tables),
        }
        Ok(())
    }
}

async fn read(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Vec<Table>> {
    let rows: Vec<String> = sqlx::query_scalar(include_str!("inspect/tables.sql"))
        .bind(project.ledger_schemas())
        .fetch_all(conn)
        .await
        .map_err(Error::database("read the tables"))?;
    let mut tables = Vec::new();
    for row in rows {
        let mut table: Table = serde_json::from_str(&row).context("read the tables")?;
        let owner = project.apps.iter().find(|app| app.tables.contains(&table.name));
        table.app = owner.filter(|_| table.schema == "public").map(|app| app.name.clone());
        tables.push(table);
    }
    Ok(tables)
}

/// The tables that are meant, each once.
fn chosen(project: &Project, mut tables: Vec<Table>, names: &[String]) -> anyhow::Result<Vec<Table>> {
    let mut wanted = Vec::new();
    for name in names {
        if let Some(app) = name.strip_suffix('/') {
            let app = project.app(app)?.name.clone();
            wanted.extend(tables.iter().filter(|table| table.app.as_ref() == Some(&app)).map(Table::shown));
        } else if let Some(table) = tables.iter().find(|table| table.is_called(name)) {
            wanted.push(table.shown());
        } else {
            return Err(unknown(project, name));
        }
    }
    tables.retain(|table| wanted.contains(&table.shown()));
    Ok(tables)
}

fn unknown(project: &Project, name: &str) -> anyhow::Error {
    let owner = project.apps.iter().find(|app| app.tables.iter().any(|table| table == name));
    if let Some(app) = owner {
        return anyhow!(
            "table `{name}` of app `{}` is not in the database\n  see what is pending: cargo xtask showmigrations",
            app.name
        );
    }
    let hint = match project.similar_name(name) {
        Some(app) if app == name => format!("; the tables of app `{name}`: cargo xtask inspect {name}/"),
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    anyhow!("there is no table `{name}`{hint}\n  see which there are: cargo xtask inspect")
}
