//! `cargo xtask renumber`: gives new numbers to migrations after two branches used the same ones.
//!
//! It reads the files by itself, because a project in which a number is taken twice does not load.

mod database;
mod moves;
mod plan;
mod report;
mod rows;

use clap::Args as ClapArgs;
use migrations::{Project, SourceFile};

use self::{
    database::{Looked, look},
    plan::Request,
    report::Outcome,
};
use crate::{
    checkout::Checkout,
    database::{each::each_with, session::Timeouts},
    files::edits,
    terminal::format::Format,
};

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask renumber                     after a merge or rebase: fix every number that is taken twice
  cargo xtask renumber --plan              show what it would do
  cargo xtask renumber --base develop      compare with another branch
  cargo xtask renumber --keep 0003_add_x   name the one to keep, if neither is on that branch

The migrations that are not on the base branch get the next free numbers of their app and keep their order. It renames both files of each, and corrects the `depends-on` lines that name them.

If the development database has applied some of them, its ledger follows, and it gets the migrations that come before them now. All rows stay. That is done as a whole or not at all, once a throwaway database has proven that the order makes no difference. It changes no other database: where one was left behind, run it again there.

Exit codes: 3 the database would differ from what the files make; 4 refused, because it is not clear which migration keeps the number, or because the ledger can't follow; 5 timed out waiting for another migration.")]
pub(crate) struct Args {
    /// Renumber only this app
    app: Option<String>,
    /// The branch that others start from [default: the branch of origin/HEAD, else main, else master]
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// Let this migration keep its number, wherever it is; may be repeated
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Show what it would do, and write nothing
    #[arg(long)]
    plan: bool,
    /// Skip the safety check of a database whose ledger has to follow; repeat its name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    /// Renumbers the apps of each database, or the one that is named.
    pub(crate) async fn run_in_each(self, checkout: &Checkout) -> anyhow::Result<()> {
        each_with(checkout, self.app.as_slice(), async |one, _| self.clone().run(one).await).await
    }

    async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let files = SourceFile::read_folder(&checkout.migrations())?;
        let manifest = without_migrations(checkout, &files)?;
        if let Some(app) = &self.app {
            manifest.app(app)?;
        }
        let request = Request { app: self.app.as_deref(), base: self.base.as_deref(), keep: &self.keep };
        let plan = request.plan(checkout, &files, &manifest)?;
        let looked = look(checkout, &plan).await?;
        let database = match &looked {
            Looked::At(database) if !database.renumbering.rows.is_empty() => Some(database),
            _ => None,
        };
        if let Some(database) = database {
            database.may_change(self.confirm.as_deref())?;
        }
        let outcome = match (self.plan, database, &plan.project) {
            _ if plan.moves.is_empty() && database.is_none() => Outcome::NothingToDo,
            (true, ..) => Outcome::Planned,
            (false, Some(database), Some(project)) => {
                database.change(checkout, &plan, project, self.timeouts).await?;
                Outcome::Written
            }
            (false, ..) => {
                edits::apply(&plan.edits)?;
                Outcome::Written
            }
        };
        report::print(self.format, &plan, &looked, outcome);
        Ok(())
    }
}

/// The manifest alone: the project without its migrations, whose numbers would not pass the checks.
fn without_migrations(checkout: &Checkout, files: &[SourceFile]) -> anyhow::Result<Project> {
    let others = files.iter().filter(|file| !file.path.ends_with(".sql")).cloned().collect();
    let project = Project::from_files(&checkout.folder(), others)?;
    Ok(match checkout.database() {
        Some(database) => project.in_database(database)?,
        None => project,
    })
}
