//! `cargo xtask loaddata`: the rows that `dumpdata` wrote, back into the tables exactly as they were.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use migrations::Project;
use serde_json::json;

use crate::{
    checkout::Checkout,
    database::{
        migrating, safety,
        session::{self, Timeouts, on_server},
    },
    rows::{
        dump::{self, Dump, Files},
        load::{self, ExistingRows},
        tables,
    },
    server::{self, Server},
    terminal::{
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask loaddata FOLDER              into tables that are empty
  cargo xtask loaddata FOLDER --replace    what they hold, such as the seeds, goes first

All of it is one transaction. Every constraint is checked, and a row that breaks one is told by file and line. Triggers that \
could change a row stand down for it, so the rows become exactly what they were.

Exit codes: 3 the dump is of another schema than this database; 4 the tables hold rows, or the database might matter, and the \
message says what to pass; 5 somebody holds a lock.")]
pub(crate) struct Args {
    /// What dumpdata made
    folder: PathBuf,
    /// Take out first what the tables of the dump hold
    #[arg(long)]
    replace: bool,
    /// The files were edited on purpose: don't compare them with their checksums
    #[arg(long)]
    edited: bool,
    /// Replace although the database might matter; repeat its name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true, requires = "replace")]
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
        let again = format!("loaddata {} --replace", dump::shell_path(&self.folder));
        if self.replace {
            let found = session.found().await?;
            let what = "loaddata --replace would destroy rows in it";
            let confirmed = self.confirm.as_deref();
            safety::may_destroy(&server.options, server.database(), &found, what, confirmed, &again)?;
        }
        let lock = session.lock(&mut |event| migrating::report(&mut steps, &event)).await?;
        let source = load::Source { dump, folder, files: self.files(), again: &again };
        let existing = if self.replace { ExistingRows::Replace } else { ExistingRows::Refuse };
        let load = async |conn: &mut _| load::load(conn, project, &source, existing, &mut steps).await;
        let loaded = lock.run(load).await?;
        session.close().await;
        let rows = tables::format_rows(loaded.iter().map(|table| table.rows).sum());
        steps
            .note(&format!("{rows} in {}, every constraint checked", count(loaded.len(), "table", "tables")));
        steps.finish(json!({ "loaded": loaded }));
        Ok(())
    }
}
