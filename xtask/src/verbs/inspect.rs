//! `cargo xtask inspect`: shows the tables that are in the database, by the app that owns them. It writes nothing.

mod homes;
mod model;
mod schema_file;
mod show;
mod sql;

use anyhow::anyhow;
use clap::Args as ClapArgs;
use migrations::Project;
use serde::Serialize;
use sqlx::PgConnection;

use self::{
    model::{Surroundings, Table},
    schema_file::{Existing, Source},
};
use crate::{
    checkout::Checkout,
    database::{
        schema,
        session::{self, on_server},
    },
    server,
    terminal::{format::Format, interrupt::or_interrupted, output},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask inspect            list every table in a line
  cargo xtask inspect TABLE      one table with columns, keys, checks, indexes and triggers
  cargo xtask inspect APP/       the same for every table of an app
  cargo xtask inspect --all      the same for every table
  cargo xtask inspect --schema-file    write the schema.sql files of all apps
  cargo xtask inspect --schema-file --live    the same from the database, which no migration need have made

It shows the database itself, whatever the migrations say, in a read-only session.

With --schema-file it applies the migrations to a throwaway database, and writes what each app's make to APP/schema.sql, for makemigrations to begin with. With --live the files say what the database has: the lists of tables in apps.toml say whose a table is, what serves only these goes with them, and --app takes the rest. It then loads the files and compares. No file is overwritten without --force.

Exit code 1: there is no such table, the database cannot be reached, or a schema.sql exists.")]
pub(crate) struct Args {
    /// Show these in full: TABLE, SCHEMA.TABLE, or APP/ for the tables of an app; with --schema-file, APP
    #[arg(value_name = "TABLE")]
    names: Vec<String>,
    /// Show every table in full
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Write the schema.sql files of these apps, or of all, from their migrations
    #[arg(long, conflicts_with_all = ["all", "format"])]
    schema_file: bool,
    /// Write them from the database instead, whatever made it
    #[arg(long, requires = "schema_file")]
    live: bool,
    /// The app that takes what no list in apps.toml names
    #[arg(long, requires = "live")]
    app: Option<String>,
    /// Overwrite files that exist
    #[arg(long, requires = "schema_file")]
    force: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The report of `--format json`.
#[derive(Serialize)]
struct Report<'t> {
    tables: &'t [Table],
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        if self.schema_file {
            let existing = if self.force { Existing::Replaced } else { Existing::Kept };
            let source = if self.live { Source::Database(self.app) } else { Source::Migrations };
            return schema_file::write(checkout, &project, &self.names, existing, source).await;
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let tables = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let tables = read(session.connection(), &project).await?;
            session.close().await;
            Ok(tables)
        })
        .await?;
        let named = !self.names.is_empty();
        let tables = if named { select(&project, tables, &self.names)? } else { tables };
        match self.format {
            Format::Json => output::json(&Report { tables: &tables }),
            Format::Text if tables.is_empty() => output::line("no tables\nmake them: cargo xtask migrate"),
            Format::Text if named || self.all => show::in_full(&project, &tables),
            Format::Text => show::list(&project, &tables),
        }
        Ok(())
    }
}

async fn read(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Vec<Table>> {
    let schema = schema::read(conn, project).await?;
    // A partition is a part of its parent.
    let own = schema.tables().filter(|object| !object.is_partition());
    let mut surroundings = Surroundings::new(&schema, project);
    let mut tables: Vec<Table> = own.map(|object| surroundings.table(object)).collect();
    tables.sort_by(|one, other| {
        let key = |it: &Table| (it.schema != "public", it.schema.clone(), it.name.clone());
        key(one).cmp(&key(other))
    });
    Ok(tables)
}

/// The tables that `names` select, each once.
fn select(project: &Project, mut tables: Vec<Table>, names: &[String]) -> anyhow::Result<Vec<Table>> {
    let mut selected = Vec::new();
    for name in names {
        if let Some(app) = name.strip_suffix('/') {
            let app = project.app(app)?.name.clone();
            let of_app = tables.iter().filter(|table| table.app.as_ref() == Some(&app));
            selected.extend(of_app.map(|table| table.typed.clone()));
        } else if let Some(table) = tables.iter().find(|table| table.is_called(name)) {
            selected.push(table.typed.clone());
        } else {
            return Err(unknown(project, name));
        }
    }
    tables.retain(|table| selected.contains(&table.typed));
    Ok(tables)
}

/// The error for a name that selects no table.
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
