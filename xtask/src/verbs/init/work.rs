//! Writes what a repository lacks, and shows what `verify` says of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use migrations::Postgres;
use serde::Serialize;

use crate::{
    checkout::Checkout,
    files::edits::{self, Edit},
    terminal::{
        exit::Stop,
        output::{Steps, count},
        shell::shell_path,
    },
    throwaway::test_server::TestServer,
    verbs::init::{
        crates,
        history::{self, Verdict},
        host::{self, Draft},
        manifest,
        repository::{Folder, Repository},
        source::Source,
        trial::{LeftOut, Trial},
    },
};

/// The manifest that it writes.
const MANIFEST: &str = "xtask/apps.toml";

/// A run of the command.
pub(super) struct Work<'w> {
    pub(super) checkout: &'w Checkout,
    pub(super) repository: &'w Repository,
    pub(super) source: &'w Source,
    /// What the repository lacks, apart from a manifest of migrations that are there.
    pub(super) draft: Draft,
    pub(super) steps: Steps,
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

impl Work<'_> {
    /// Lists what is missing.
    pub(super) fn check(mut self, lacks_manifest: bool) -> anyhow::Result<()> {
        if lacks_manifest {
            self.draft.paths.push(MANIFEST.to_owned());
        }
        if self.draft.paths.is_empty() {
            return self.end();
        }
        self.show_files("missing");
        self.steps.finish(Report { files: &self.draft.paths, left_out: Vec::new(), flaws: &[] });
        Err(Stop::Differs.into())
    }

    /// Ends where nothing is missing.
    fn end(mut self) -> anyhow::Result<()> {
        self.steps.note("nothing is left to do");
        self.steps.finish(Report { files: &[], left_out: Vec::new(), flaws: &[] });
        Ok(())
    }

    /// Writes all of it. Without a manifest, `folders` may become apps; `named` are those that the user asked for.
    pub(super) async fn run(
        mut self,
        folders: Option<Vec<Folder>>,
        dry_run: bool,
        named: &[PathBuf],
    ) -> anyhow::Result<()> {
        let (postgres, there) = (Postgres::default(), self.checkout.in_folder(&self.repository.root)?);
        let mut left_out = Vec::new();
        let verdict = if let Some(folders) = folders {
            let (repository, steps) = (self.repository, &mut self.steps);
            let work = async |server: &TestServer, steps: &mut Steps| {
                draft_manifest(repository, server, folders, named, steps).await
            };
            let found = TestServer::with_ours(&there, &postgres, None, steps, work).await?;
            left_out = found.trial.left_out;
            self.draft.create(self.repository, MANIFEST, found.manifest.clone());
            if dry_run {
                self.show_files("missing");
                self.steps.note(&format!("\n{}", found.manifest));
            } else {
                self.write()?;
            }
            found.verdict
        } else if self.draft.paths.is_empty() {
            return self.end();
        } else if dry_run {
            self.show_files("missing");
            Verdict::default()
        } else {
            self.write()?;
            let root = &self.repository.root;
            let work = async |server: &TestServer, _: &mut Steps| history::verify(root, server.url()).await;
            TestServer::with_ours(&there, &postgres, None, &mut self.steps, work).await?
        };
        show(&verdict, &mut self.steps);
        if !dry_run {
            self.show_next();
        }
        let left_out = left_out.iter().map(|it| NotAnApp { folder: &it.folder.path, why: &it.why }).collect();
        self.steps.finish(Report { files: &self.draft.paths, left_out, flaws: &verdict.flaws });
        if verdict.flaws.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }

    /// Makes the files, all of them or none.
    fn write(&mut self) -> anyhow::Result<()> {
        if let Some(git) = &self.repository.git
            && git.is_changed(".")?
        {
            self.steps
                .note("           the repository has changes that are not committed; they were left alone");
        }
        let mut folders: Vec<&Path> = Vec::new();
        for edit in &self.draft.edits {
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
            edits::apply(&self.draft.edits)
        };
        make().inspect_err(|_| {
            for folder in folders.iter().rev() {
                let _ = fs::remove_dir(folder);
            }
        })?;
        host::prune_locks(self.repository, &self.draft);
        self.show_files("written");
        Ok(())
    }

    /// Shows the files, those in `xtask/` together.
    fn show_files(&mut self, state: &str) {
        let (tool, others): (Vec<&String>, Vec<&String>) =
            self.draft.paths.iter().partition(|path| *path != MANIFEST && path.starts_with("xtask/"));
        if !tool.is_empty() {
            let what = format!("xtask/, {}", count(tool.len(), "file", "files"));
            self.steps.done(state, &what, "", None);
        }
        for path in others {
            self.steps.done(state, path, "", None);
        }
    }

    /// What a person does next.
    fn show_next(&mut self) {
        if let Source::Folder(folder) = self.source
            && !folder.starts_with(&self.repository.root)
        {
            let folder = folder.display();
            self.steps.note(&format!(
                "\nxtask/ takes the library from {folder}; for other machines, name a git repository in its Cargo.toml"
            ));
        }
        let shown =
            |path: &String| if path.starts_with("xtask/") { "xtask".to_owned() } else { path.clone() };
        let mut paths: Vec<String> = self.draft.paths.iter().map(shown).collect();
        paths.sort_unstable();
        paths.dedup();
        // In a repository that begins, all files are new.
        let all = paths.iter().any(|path| path == "Cargo.toml");
        let paths = if all { "--all".to_owned() } else { paths.join(" ") };
        self.steps.note(&format!("\ncommit it: git add {paths}"));
        let folder = shell_path(&self.repository.root);
        self.steps.note(&format!("go on: cd {folder} && cargo xtask db-setup"));
    }
}

/// What the folders turned out to be.
struct Found {
    trial: Trial,
    manifest: String,
    verdict: Verdict,
}

/// Finds the apps, and how far back they can be judged.
async fn draft_manifest(
    repository: &Repository,
    server: &TestServer,
    folders: Vec<Folder>,
    named: &[PathBuf],
    steps: &mut Steps,
) -> anyhow::Result<Found> {
    let trial = if named.is_empty() {
        Trial::run(repository, server.options(), folders, steps).await?
    } else {
        Trial::run_named(repository, server.options(), folders, steps).await?
    };
    let mut apps = manifest::apps(repository, &trial);
    for app in &apps {
        let tables = count(app.accepted.tables.len(), "table", "tables");
        let files = count(app.accepted.folder.migrations().count(), "migration", "migrations");
        let database = app.database.as_ref().map_or(String::new(), |name| format!(", database {name}"));
        let what = format!("{}: {}, {files}, {tables}{database}", app.name, app.accepted.folder.path);
        steps.done("app", &what, "", None);
    }
    for LeftOut { folder, why } in &trial.left_out {
        steps.done("left out", &folder.path, "", None);
        steps.note(&format!("  {why}"));
    }
    for line in crates::lines(repository) {
        steps.done("crate", &line, "", None);
    }
    if trial.accepted.is_empty() {
        bail!("no folder has migrations that apply to an empty database, so nothing was written");
    }
    if let Some(LeftOut { folder, why }) = trial.left_out.first().filter(|_| !named.is_empty()) {
        bail!("the migrations in {} do not apply, so nothing was written\n  {why}", folder.path);
    }
    let verdict = history::judge(repository, server, &mut apps, steps).await?;
    for app in &apps {
        if let Some(baseline) = &app.baseline {
            steps.done(
                "baseline",
                &format!("{}: history up to {baseline} is not judged", app.name),
                "",
                None,
            );
        }
    }
    Ok(Found { trial, manifest: manifest::text(repository, &apps), verdict })
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
    match (verdict.steps.is_empty(), verdict.flaws.is_empty()) {
        (_, false) => steps.note("\nnot all of it holds; the lines above say where"),
        (false, true) => steps.note("\nall of it holds"),
        (true, true) => {}
    }
}
