//! `cargo xtask loaddata`: loads the rows that `dumpdata` wrote, exactly as they were.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use migrations::Project;
use serde::Serialize;

use crate::{
    checkout::Checkout,
    database::{
        migrating,
        safety::{self, Destruction},
        session::{self, Timeouts, on_server},
    },
    rows::{
        dump::{self, Dump, Files},
        load::{self, ExistingRows, Fit, Loaded},
        tables::{self, TableRows},
    },
    server::{self, Server},
    terminal::{
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count},
        shell::shell_path,
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask loaddata FOLDER              load into empty tables
  cargo xtask loaddata FOLDER --replace    remove the tables' rows first, such as the seeds
  cargo xtask loaddata FOLDER --what-fits  a migration was edited since: load the tables and columns that are still there

It loads everything in one transaction and checks every valid constraint; it reports a row that breaks one by file and \
line. \
It disables the triggers that could change a row meanwhile, so the rows become exactly what they were.

Exit codes: 3 the dump has another schema than this database; 4 refused, because the tables hold rows or the database might \
matter; the message says what to pass; 5 timed out waiting for a lock.")]
pub(crate) struct Args {
    /// The folder that dumpdata wrote
    folder: PathBuf,
    /// First remove the rows of the dump's tables
    #[arg(long)]
    replace: bool,
    /// Load files that you edited on purpose: skip their checksums
    #[arg(long)]
    edited: bool,
    /// Load the tables and columns that the database has, and list the rest
    #[arg(long)]
    what_fits: bool,
    /// Skip the safety check of --replace; repeat the database's name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true, requires = "replace")]
    confirm: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report<'d> {
    loaded: Vec<TableRows>,
    /// The constraints that are not valid, and were not checked.
    unchecked: Vec<String>,
    /// What the dump lacks.
    left_out: &'d [String],
    /// What differs between the dump and this database.
    not_fitting: Vec<String>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let folder = dump::absolute(&self.folder)?;
        let dump = or_interrupted(async {
            let dump = Dump::read(&folder)?;
            dump.verify(&folder, self.files()).await?;
            Ok(dump)
        })
        .await?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        on_server(&server, self.load(&server, &project, &folder, &dump)).await
    }

    fn files(&self) -> Files {
        if self.edited { Files::Edited } else { Files::Unchanged }
    }

    async fn load(
        &self,
        server: &Server,
        project: &Project,
        folder: &Path,
        dump: &Dump,
    ) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.format);
        let mut session = session::open(server, project, self.timeouts).await?;
        let again = format!("loaddata {} --replace", shell_path(&self.folder));
        if self.replace {
            let found = session.found().await?;
            let what = "loaddata --replace would destroy rows in it";
            let (target, confirmed) = (server.database(), self.confirm.as_deref());
            let again = safety::again(&again, target);
            Destruction { target, what, confirmed, again }.check(&server.options, &found)?;
        }
        let lock = session.lock(&mut |event| migrating::report(&mut steps, &event)).await?;
        let fit = if self.what_fits { Fit::WhatFits } else { Fit::Whole };
        let source = load::Source { dump, folder, files: self.files(), fit, again: &again };
        let existing = if self.replace { ExistingRows::Replace } else { ExistingRows::Refuse };
        let load = async |conn: &mut _| load::load(conn, project, &source, existing, &mut steps).await;
        let loaded = lock.run(load).await?;
        session.close().await;
        let Loaded { tables, unchecked, not_fitting } = loaded;
        for difference in &not_fitting {
            steps.note(&format!("           {difference}"));
        }
        for left_out in &dump.left_out {
            steps.note(&format!("           when this was dumped: {left_out}"));
        }
        let rows = tables::format_rows(tables.iter().map(|table| table.rows).sum());
        let but = match unchecked.as_slice() {
            [] => String::new(),
            unchecked => format!(" but those that are not valid: {}", unchecked.join(", ")),
        };
        let tables_loaded = count(tables.len(), "table", "tables");
        steps.note(&format!("{rows} in {tables_loaded}, every constraint checked{but}"));
        steps.finish(Report { loaded: tables, unchecked, left_out: &dump.left_out, not_fitting });
        Ok(())
    }
}
