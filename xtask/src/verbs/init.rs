//! `cargo xtask init`: sets up this workflow in a repository that has sqlx migrations.

mod ci;
mod crates;
mod downs;
mod history;
mod host;
mod ledger;
mod manifest;
mod new;
mod repository;
mod source;
mod trial;
mod work;

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use clap::Args as ClapArgs;

use crate::{
    checkout::Checkout,
    terminal::{format::Format, output::Steps},
    verbs::init::{
        ci::Ci,
        repository::{Folder, Repository},
        source::Source,
        work::Work,
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask init --into ../shop                     from a checkout of this workflow
  cargo run --manifest-path CHECKOUT/Cargo.toml --package xtask -- init
                                                      from the repository itself
  cargo xtask init --into ../shop crates/store/migrations
  cargo xtask init --ci github                        also a job that runs `verify` and the tests
  cargo xtask init --new --into ../shop               a repository to begin with

It applies each folder of migrations to an empty database, on a throwaway server and never on the one of DATABASE_URL, and \
writes xtask/apps.toml with what it finds: the apps in an order in which they apply, their tables and ledgers, and where \
`verify` has to begin. Folders whose files do not apply are listed with the reason, and dependencies that bring migrations \
with the line that makes an app of them. If you name folders, what does not apply with the others becomes another database. \
Beside that it writes a small workspace \
in xtask/ and the alias in .cargo/config.toml. It overwrites nothing, and a second run changes nothing.

From then on `cargo xtask` works in the top folder of that repository. Cargo reads the alias in its subfolders too, but looks \
for xtask/ there.

Exit codes: 0 written, and `verify` is green; 1 nothing was written; 3 written, and `verify` is red; with --check, something is missing.")]
pub(crate) struct Args {
    /// The folders of migrations [default: every folder that has any]
    folders: Vec<PathBuf>,
    /// The top folder of the repository [default: of the one that you are in]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Where xtask/ takes this library from: a checkout, GIT-URL or GIT-URL@REVISION [default: the checkout of this program]
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Only list what is missing, and exit with 3 if anything is
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Make a repository to begin with: one app, one table, one seed, one test, and a job for --ci [default: github]
    #[arg(long, conflicts_with = "folders")]
    new: bool,
    /// Also write the job that runs `verify` and the tests
    #[arg(long, value_enum, value_name = "HOST")]
    ci: Option<Ci>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        if self.new
            && !self.dry_run
            && let Some(folder) = self.into.as_ref().filter(|folder| !folder.exists())
        {
            fs::create_dir(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        let repository = Repository::new(self.into.as_deref(), checkout)?;
        let source = Source::new(self.source.as_deref())?;
        let mut steps = Steps::new(self.format);
        let mut draft = host::draft(&repository, &source)?;
        if let Some(ci) = self.ci.or(self.new.then_some(Ci::Github)) {
            ci.draft(&repository, &mut draft, &mut steps);
        }
        let folders = if self.new {
            new::draft(&repository, &source, &mut draft)?;
            None
        } else {
            self.folders(&repository, &mut steps)?
        };
        let work = Work { checkout, repository: &repository, source: &source, draft, steps };
        match (self.check, self.dry_run) {
            (true, _) => work.check(folders.is_some()),
            (_, dry_run) => work.run(folders, dry_run, &self.folders).await,
        }
    }

    /// The folders of migrations, if there is no manifest yet.
    fn folders(&self, repository: &Repository, steps: &mut Steps) -> anyhow::Result<Option<Vec<Folder>>> {
        let folders = repository.folders(&self.folders)?;
        let Some(manifest) = repository.manifest() else {
            if folders.is_empty() {
                bail!(
                    "{} has no folder with migrations that sqlx reads, so nothing was written\n  name one: cargo xtask init \
                     FOLDER\n  or begin with an empty repository: cargo xtask init --new --into FOLDER",
                    repository.root.display()
                );
            }
            return Ok(Some(folders));
        };
        let missing = manifest::missing(repository, manifest, &folders)?;
        if let Some(folder) = missing.iter().find(|_| !self.folders.is_empty()) {
            bail!(
                "{manifest} is there already and has no app with {folder}, so nothing was written\n  add it there by hand, \
                 or let this command write another manifest: mv {manifest} {manifest}.old"
            );
        }
        for folder in missing {
            steps.note(&format!("{folder} has migrations, and is in no app of {manifest}"));
        }
        Ok(None)
    }
}
