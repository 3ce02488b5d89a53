//! `cargo xtask renumber`: gives new numbers to migrations after two branches used the same ones.
//!
//! It reads the files by itself, because a project in which a number is taken twice does not load.

mod applied;
mod moves;
mod plan;
mod report;

use clap::Args as ClapArgs;
use migrations::{Project, SourceFile};

use self::{
    applied::{Looked, look},
    plan::Request,
    report::Outcome,
};
use crate::{
    checkout::Checkout,
    database::safety::Destruction,
    files::edits,
    terminal::{format::Format, shell::shell_word},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask renumber                     after a merge or rebase: fix every number that is taken twice
  cargo xtask renumber --plan              show what it would do
  cargo xtask renumber --base develop      compare with another branch
  cargo xtask renumber --keep 0003_add_x   name the one to keep, if neither is on that branch

The migrations that are not on the base branch get the next free numbers of their app and keep their order. It renames both files of each, and corrects the `depends-on` lines that name them.

Exit code 4: refused, because it is not clear which migration keeps the number, or because one of them is applied to the development database. It does not check other databases.")]
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
    /// Renumber although this database has applied the migrations; reset it afterwards
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let files = SourceFile::read_folder(&checkout.migrations())?;
        let manifest = without_migrations(&files)?;
        if let Some(app) = &self.app {
            manifest.app(app)?;
        }
        let request = Request { app: self.app.as_deref(), base: self.base.as_deref(), keep: &self.keep };
        if !request.finds_duplicates(&files) {
            report::print_nothing_to_do(self.format);
            return Ok(());
        }
        let plan = request.plan(checkout, &files, &manifest)?;
        let looked = look(checkout, &manifest, &files, &plan.moves).await?;
        self.may_renumber(&looked)?;
        let outcome = if self.plan { Outcome::Planned } else { Outcome::Written };
        if outcome == Outcome::Written {
            edits::apply(&plan.edits)?;
        }
        report::print(self.format, &plan, &looked, outcome);
        Ok(())
    }

    /// Refuses to give another name to what a database has applied.
    fn may_renumber(&self, looked: &Looked) -> anyhow::Result<()> {
        let Looked::At { database, applied } = looked else { return Ok(()) };
        let Some(first) = applied.first() else { return Ok(()) };
        let names: Vec<String> = applied.iter().map(ToString::to_string).collect();
        let what = format!(
            "nothing was touched\n  \
             revert it where the files are in order, and merge again: git merge --abort, or git switch --detach ORIG_HEAD;\n  \
             there: cargo xtask migrate {} {}",
            first.app,
            before(&first.name),
        );
        let again = format!(
            "or give that database up: cargo xtask renumber --confirm {}, then cargo xtask db-reset",
            shell_word(database)
        );
        let destruction =
            Destruction { target: database, what: &what, confirmed: self.confirm.as_deref(), again };
        destruction
            .require_confirmation(&format!("applied to database `{database}` already: {}", names.join(", ")))
    }
}

/// The manifest alone: the project without its migrations, whose numbers would not pass the checks.
fn without_migrations(files: &[SourceFile]) -> anyhow::Result<Project> {
    let others = files.iter().filter(|file| !file.path.ends_with(".sql")).cloned().collect();
    Ok(Project::from_files("migrations", others)?)
}

/// The target to migrate to in order to revert this migration.
fn before(name: &str) -> String {
    match name[..4].parse::<i64>() {
        Ok(number) if number > 1 => format!("{:04}", number - 1),
        _ => "zero".to_owned(),
    }
}
