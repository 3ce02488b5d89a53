//! `cargo xtask loaddata`: the rows that `dumpdata` wrote, back into the tables exactly as they were.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use migrations::Project;
use serde_json::json;

use crate::{
    checkout::Checkout,
    database::{
        migrating,
        safety::{self, Destruction},
        session::{self, Timeouts, on_server},
    },
    rows::{
        dump::{self, Dump},
        load, tables,
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
            dump.prove(&folder, self.edited).await?;
            Ok(dump)
        })
        .await?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        on_server(&server, self.load(&server, &project, &folder, &dump)).await
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
        let again = format!("loaddata {} --replace", dump::shown(&self.folder));
        if self.replace {
            let found = session.found().await?;
            let what = "loaddata --replace would destroy rows in it";
            let (target, confirmed) = (server.database(), self.confirm.as_deref());
            let again = safety::again(&again, target);
            Destruction { target, what, confirmed, again }.check(&server.options, &found)?;
        }
        session.lock(&mut |event| migrating::report(&mut steps, &event)).await?;
        let source = load::Source { dump, folder, edited: self.edited, again: &again };
        let done = load::load(session.connection(), project, &source, self.replace, &mut steps).await;
        let loaded = session.unlock_after(done).await?;
        session.close().await;
        let rows = tables::counted(loaded.iter().map(|(_, rows)| rows).sum());
        steps
            .note(&format!("{rows} in {}, every constraint checked", count(loaded.len(), "table", "tables")));
        let loaded = loaded.iter().map(|(table, rows)| json!({ "table": table, "rows": rows }));
        steps.finish(json!({ "loaded": loaded.collect::<Vec<_>>() }));
        Ok(())
    }
}
