//! `cargo xtask init`: sets up this workflow in a repository that has sqlx migrations.

mod history;
mod host;
mod ledger;
mod manifest;
mod repository;
mod source;
mod trial;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use migrations::Postgres;
use serde::Serialize;

use crate::{
    checkout::Checkout,
    files::edits::{self, Edit},
    terminal::{
        exit::Stop,
        format::Format,
        output::{Steps, count},
        shell::shell_path,
    },
    throwaway::test_server::TestServer,
    verbs::init::{
        history::Verdict,
        host::Draft,
        repository::{Folder, Repository},
        source::Source,
        trial::{LeftOut, Trial},
    },
};

/// The manifest that it writes.
const MANIFEST: &str = "xtask/apps.toml";

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask init --into ../shop                     from a checkout of this workflow
  cargo run --manifest-path CHECKOUT/Cargo.toml --package xtask -- init
                                                      from the repository itself
  cargo xtask init --into ../shop crates/store/migrations

It applies each folder of migrations to an empty database, on a throwaway server and never on the one of DATABASE_URL, and \
writes xtask/apps.toml with what it finds: the apps in an order in which they apply, their tables and ledgers, and where \
`verify` has to begin. Folders whose files do not apply are listed with the reason. Beside that it writes a small workspace \
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
    /// Where xtask/ takes this library from: a checkout, or GIT-URL[@REVISION] [default: the checkout of this program]
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Only list what is missing, and exit with 3 if anything is
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report<'r> {
    /// The paths that were written, or would be.
    files: &'r [String],
    left_out: Vec<NotAnApp<'r>>,
    flaws: &'r [String],
}

/// A folder that is no app.
#[derive(Serialize)]
struct NotAnApp<'r> {
    folder: &'r str,
    why: &'r str,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let repository = Repository::new(self.into.as_deref(), checkout)?;
        let source = Source::new(self.source.as_deref())?;
        let draft = host::draft(&repository, &source)?;
        let folders = repository.folders(&self.folders)?;
        let mut steps = Steps::new(self.format);
        if let Some(manifest) = repository.manifest() {
            let missing = manifest::missing(&repository, manifest, &folders)?;
            if let Some(folder) = missing.iter().find(|_| !self.folders.is_empty()) {
                bail!(
                    "{manifest} is there already and has no app with {folder}, so nothing was written\n  add it there by \
                     hand, or let this command write another manifest: mv {manifest} {manifest}.old"
                );
            }
            for folder in missing {
                steps.note(&format!("{folder} has migrations, and is in no app of {manifest}"));
            }
        } else if folders.is_empty() {
            bail!(
                "{} has no folder with migrations that sqlx reads, so nothing was written\n  name one: cargo xtask init \
                 FOLDER",
                repository.root.display()
            );
        }
        let work = Work { args: &self, checkout, repository: &repository, source: &source };
        if self.check { work.check(draft, steps) } else { work.write(draft, folders, steps).await }
    }
}

/// A run of the command.
struct Work<'w> {
    args: &'w Args,
    checkout: &'w Checkout,
    repository: &'w Repository,
    source: &'w Source,
}

impl Work<'_> {
    /// Lists what is missing.
    fn check(&self, draft: Draft, mut steps: Steps) -> anyhow::Result<()> {
        let mut paths = draft.paths;
        if self.repository.manifest().is_none() {
            paths.push(MANIFEST.to_owned());
        }
        show_files(&paths, "missing", &mut steps);
        if paths.is_empty() {
            steps.note("nothing is left to do");
        }
        steps.finish(Report { files: &paths, left_out: Vec::new(), flaws: &[] });
        if paths.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }

    async fn write(&self, mut draft: Draft, folders: Vec<Folder>, mut steps: Steps) -> anyhow::Result<()> {
        if draft.paths.is_empty() && self.repository.manifest().is_some() {
            steps.note("nothing is left to do");
            steps.finish(Report { files: &[], left_out: Vec::new(), flaws: &[] });
            return Ok(());
        }
        let there = self.checkout.in_folder(&self.repository.root)?;
        let has_manifest = self.repository.manifest().is_some();
        let work = async |server: &TestServer, steps: &mut Steps| {
            if has_manifest {
                let verdict = history::verify(&self.repository.root, server.url()).await?;
                return Ok((Trial::default(), String::new(), verdict));
            }
            self.draft_manifest(server, folders, steps).await
        };
        let postgres = Postgres::default();
        let (trial, text, verdict) = TestServer::with_ours(&there, &postgres, None, &mut steps, work).await?;
        if !has_manifest {
            draft.create(self.repository, MANIFEST, text.clone());
        }
        if self.args.dry_run {
            show_files(&draft.paths, "missing", &mut steps);
            steps.note(&format!("\n{text}"));
        } else {
            self.make(&draft, &mut steps)?;
        }
        show(&verdict, &mut steps);
        if !self.args.dry_run {
            self.show_next(&draft, &mut steps)?;
        }
        let left_out = trial.left_out.iter().map(|it| NotAnApp { folder: &it.folder.path, why: &it.why });
        steps.finish(Report { files: &draft.paths, left_out: left_out.collect(), flaws: &verdict.flaws });
        if verdict.flaws.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }

    /// Finds the apps, and how far back they can be judged. Returns the manifest's text.
    async fn draft_manifest(
        &self,
        server: &TestServer,
        folders: Vec<Folder>,
        steps: &mut Steps,
    ) -> anyhow::Result<(Trial, String, Verdict)> {
        let trial = Trial::run(self.repository, server.options(), folders, steps).await?;
        let mut apps = manifest::apps(self.repository, &trial);
        for app in &apps {
            let tables = count(app.accepted.tables.len(), "table", "tables");
            let files = count(app.accepted.folder.migrations().count(), "migration", "migrations");
            let what = format!("{}: {files}, {tables}", app.accepted.folder.path);
            steps.done("app", &what, &app.name, None);
        }
        for LeftOut { folder, why } in &trial.left_out {
            steps.done("left out", &folder.path, "", None);
            steps.note(&format!("  {why}"));
        }
        if trial.accepted.is_empty() {
            bail!("no folder has migrations that apply to an empty database, so nothing was written");
        }
        if let Some(LeftOut { folder, why }) =
            trial.left_out.first().filter(|_| !self.args.folders.is_empty())
        {
            bail!("the migrations in {} do not apply, so nothing was written\n  {why}", folder.path);
        }
        let verdict = history::judge(self.repository, server.url(), &mut apps, steps).await?;
        for app in &apps {
            if let Some(baseline) = &app.baseline {
                steps.note(&format!("           {}: history up to {baseline} is not judged", app.name));
            }
        }
        Ok((trial, manifest::text(self.repository, &apps), verdict))
    }

    /// Makes the files, all of them or none.
    fn make(&self, draft: &Draft, steps: &mut Steps) -> anyhow::Result<()> {
        if let Some(git) = &self.repository.git
            && git.is_changed(".")?
        {
            steps.note("           the repository has changes that are not committed; they were left alone");
        }
        let mut folders: Vec<&Path> = Vec::new();
        for edit in &draft.edits {
            if let Edit::Create { path, .. } = edit {
                folders.extend(path.ancestors().skip(1).take_while(|folder| !folder.exists()));
            }
        }
        folders.sort();
        folders.dedup();
        let make = || {
            for folder in &folders {
                fs::create_dir(folder).with_context(|| format!("create {}", folder.display()))?;
            }
            edits::apply(&draft.edits)
        };
        make().inspect_err(|_| {
            for folder in folders.iter().rev() {
                let _ = fs::remove_dir(folder);
            }
        })?;
        if draft.paths.iter().any(|path| path == host::LOCK) {
            host::prune_lock(self.repository);
        }
        show_files(&draft.paths, "written", steps);
        Ok(())
    }

    /// What a person does next.
    fn show_next(&self, draft: &Draft, steps: &mut Steps) -> anyhow::Result<()> {
        if let Source::Folder(folder) = self.source
            && !folder.starts_with(&self.repository.root)
        {
            steps.note(&format!(
                "\nxtask/Cargo.toml takes the library from {}; for other machines, name a git repository there",
                folder.display()
            ));
        }
        let mut paths: Vec<&str> = draft.paths.iter().map(|path| below_xtask(path).unwrap_or(path)).collect();
        paths.sort_unstable();
        paths.dedup();
        steps.note(&format!("\ncommit it: git add {}", paths.join(" ")));
        let folder = shell_path(&self.repository.root);
        steps.note(&format!("go on: cd {folder} && cargo xtask db-setup"));
        Ok(())
    }
}

/// Shows files, those in `xtask/` together.
fn show_files(paths: &[String], state: &str, steps: &mut Steps) {
    let is_tool = |path: &&String| *path != MANIFEST && below_xtask(path).is_some();
    let tool = paths.iter().filter(is_tool).count();
    if tool > 0 {
        steps.done("files", &format!("xtask/, {}", count(tool, "file", "files")), state, None);
    }
    for path in paths.iter().filter(|path| !is_tool(path)) {
        steps.done("files", path, state, None);
    }
}

/// `xtask`, for a path in it.
fn below_xtask(path: &str) -> Option<&str> {
    path.split_once('/').map(|(folder, _)| folder).filter(|folder| *folder == "xtask")
}

/// Shows what `verify` found.
fn show(verdict: &Verdict, steps: &mut Steps) {
    for step in verdict.steps.iter().filter(|step| step.step != "server") {
        let elapsed = step.milliseconds.map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0));
        steps.done(&step.step, &step.what, &step.state, elapsed);
    }
    for flaw in &verdict.flaws {
        steps.note(&format!("  {flaw}"));
    }
    steps.note(if verdict.flaws.is_empty() {
        "\nall of it holds"
    } else {
        "\nnot all of it holds; the lines above say where"
    });
}
