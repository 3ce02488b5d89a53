//! Judges the migrations by `verify` in a copy of the repository's folders, and finds how far back its proofs fail: what was
//! written before there were such proofs is history, and a baseline says where it ends.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use duct::cmd;
use migrations::Project;
use serde::Deserialize;
use url::Url;

use crate::{
    checkout::{ROOT, SERVER_CHOICE},
    files::temporary::TemporaryFolder,
    terminal::{
        child::{self, this_program},
        output::Steps,
    },
    throwaway::test_server::TestServer,
    verbs::init::{
        downs,
        ledger::{package, settings, within},
        manifest::{self, App},
        repository::Repository,
    },
};

/// How often a baseline is moved. Each proof can find only so much at a time: a broken file may hide the next one.
const ROUNDS: usize = 6;

/// What `verify` says.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Its steps; none if it could not begin.
    pub(super) steps: Vec<Step>,
    /// What is wrong, a line each.
    pub(super) flaws: Vec<String>,
}

/// A line of its report.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) step: String,
    pub(super) what: String,
    pub(super) state: String,
    pub(super) milliseconds: Option<f64>,
}

#[derive(Deserialize)]
struct Report {
    steps: Vec<Step>,
    flaws: Vec<String>,
}

/// Sets the baselines of the apps, and returns what `verify` says with them.
pub(super) async fn judge(
    repository: &Repository,
    server: &TestServer,
    apps: &mut [App],
    steps: &mut Steps,
) -> anyhow::Result<Verdict> {
    let stage = Stage::new(repository, apps)?;
    for app in &mut *apps {
        // In a folder with downs, a missing one is as old as the rule that it breaks, and so is one without its up.
        let folder = &app.accepted.folder;
        let lacks_down = folder.without_down().last().filter(|_| app.is_reversible());
        let baseline =
            folder.migrations().filter(|it| [lacks_down, folder.after_lone_downs()].contains(&Some(it)));
        app.baseline = baseline.last().map(str::to_owned);
    }
    steps.doing("proof", "reverting the migrations");
    stage.write_manifest(&manifest::text(repository, apps))?;
    // `verify` reports what is wrong with the files.
    if let Ok(project) = Project::load(&stage.0.join("xtask")) {
        for project in project.databases() {
            if let Some(wrong) = downs::last_wrong(project, server.options()).await?
                && let Some(app) = apps.iter_mut().find(|app| app.name == wrong.app)
            {
                app.baseline = Some(wrong.name);
            }
        }
    }
    let mut round = 0;
    loop {
        round += 1;
        steps.doing("proof", "running verify");
        stage.write_manifest(&manifest::text(repository, apps))?;
        let verdict = verify(&stage.0, server.url()).await?;
        if verdict.flaws.is_empty() || round == ROUNDS || !move_baselines(apps, &verdict.flaws) {
            return Ok(verdict);
        }
    }
}

/// Moves each baseline to the last migration that a flaw names. Returns whether any moved.
fn move_baselines(apps: &mut [App], flaws: &[String]) -> bool {
    let mut moved = false;
    for app in apps {
        let folder = &app.accepted.folder;
        let is_wrong = |name: &&str| {
            let names = [format!("{}/{name}", app.name), format!("{}/{name}", folder.path)];
            flaws.iter().any(|flaw| names.iter().any(|name| mentions(flaw, name)))
        };
        let position = |wanted: &str| folder.migrations().position(|name| name == wanted);
        let last = folder.migrations().filter(is_wrong).last();
        let before = app.baseline.as_deref().and_then(position);
        if let Some(last) = last
            && position(last) > before
        {
            app.baseline = Some(last.to_owned());
            moved = true;
        }
    }
    moved
}

/// Whether a text has a name that no further letter, digit or dash follows.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let next = text[at + name.len()..].chars().next();
        next.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-'))
    })
}

/// A copy of the folders of migrations, with a manifest, as a repository of its own.
struct Stage(TemporaryFolder);

impl Stage {
    fn new(repository: &Repository, apps: &[App]) -> anyhow::Result<Stage> {
        let stage = Stage(TemporaryFolder::create("init")?);
        for app in apps {
            let folder = &app.accepted.folder;
            let from = repository.path(&folder.path);
            let entries = fs::read_dir(&from).with_context(|| format!("read {}", from.display()))?;
            for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
                stage.copy(repository, &within(&folder.path, &entry.file_name().to_string_lossy()))?;
            }
            // What says which ledger a package has.
            let package = package(repository, folder).map(|package| within(&package, "Cargo.toml"));
            for file in package.into_iter().chain(settings(repository, folder)) {
                stage.copy(repository, &file)?;
            }
        }
        Ok(stage)
    }

    fn copy(&self, repository: &Repository, path: &str) -> anyhow::Result<()> {
        let (from, to) = (repository.path(path), self.0.join(path));
        let folder = to.parent().unwrap_or(&self.0);
        let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(from, &to));
        copied.map(drop).with_context(|| format!("copy {path} to {}", to.display()))
    }

    fn write_manifest(&self, text: &str) -> anyhow::Result<()> {
        let path = self.0.join("xtask/apps.toml");
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("write {}", path.display()))
    }
}

/// Runs `verify` of this program on a checkout, on a server.
pub(super) async fn verify(root: &Path, server: &Url) -> anyhow::Result<Verdict> {
    let files = TemporaryFolder::create("verify")?;
    let (report, words) = (files.join("report"), files.join("words"));
    let verify = cmd!(this_program()?, "verify", "--format", "json")
        .env(ROOT, root)
        .env(SERVER_CHOICE, "url")
        .env("DATABASE_URL", server.as_str())
        .stdin_null()
        .stdout_path(&report)
        .stderr_path(&words);
    let status = child::run(verify).await?;
    let [report, words] = [report, words].map(|path| fs::read_to_string(path).unwrap_or_default());
    // One report for each database.
    let mut verdict = Verdict::default();
    for report in serde_json::Deserializer::from_str(&report).into_iter::<Report>() {
        let Report { steps, flaws } = report.context("read the report of verify")?;
        verdict.steps.extend(steps);
        verdict.flaws.extend(flaws);
    }
    if !status.success() && verdict.flaws.is_empty() {
        // It could not begin, or a file failed; it has printed why.
        ensure!(!words.is_empty(), "verify ended with {status} and reported nothing");
        verdict = Verdict { steps: Vec::new(), flaws: words.lines().map(str::to_owned).collect() };
    }
    Ok(verdict)
}
