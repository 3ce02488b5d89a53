//! `cargo xtask sqlx`: runs the real sqlx-cli, by way of `xtask-sqlx`, the only package that depends on it.
//!
//! sqlx-cli gets an app's folder and settings and this checkout's database, so there is nothing to install or configure.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use duct::{Expression, cmd};
use migrations::{
    App, Error, Migration, Plan, Project, STOCK_LEDGER, SourceFile, Target, database, sqlx_settings,
};

use crate::{
    checkout::Checkout,
    database::{
        libpq::Variables,
        safety::{self, Destruction},
        session,
    },
    files::temporary::TemporaryFolder,
    helpers::{built, helper::Helper},
    server::{self, Server},
    terminal::{
        child,
        exit::{Stop, pass_on},
        interrupt::or_interrupted,
    },
};

const PACKAGE: Helper = Helper { name: "xtask-sqlx", does: "runs sqlx-cli" };

#[derive(Debug, ClapArgs)]
#[command(override_usage = "cargo xtask sqlx [--app APP] [--confirm DATABASE] COMMAND…")]
#[command(after_help = "\
Examples:
  cargo xtask sqlx --app APP migrate info
  cargo xtask sqlx --app APP migrate add add_locale
  cargo xtask sqlx --app APP migrate run
  cargo xtask sqlx migrate --help                  the help of sqlx-cli itself

It works on this checkout's database with the app's folder and sqlx.toml, and so with the ledger of
`cargo xtask migrate`: each continues where the other stopped. How it differs from our own verbs:
  - It sees one app. You keep the order across apps; Postgres refuses what would break a foreign key
    or needs a table that does not exist yet.
  - It ignores `-- irreversible:`, so we refuse to revert a migration that has no way back.
  - It takes no migration lock, so do not migrate elsewhere at the same time.
  - Its `migrate info` creates a missing ledger; `cargo xtask showmigrations` writes nothing.
  - It creates databases without the environment marker that db-reset and db-drop look for.
  - Its `prepare` compiles against this database, accepts stale files, and skips tests;
    `cargo xtask prepare` does none of that.

Exit codes: the ones of sqlx-cli; 4: refused, because it would destroy data that might matter.")]
pub(crate) struct Args {
    /// The app whose folder, sqlx.toml and ledger sqlx-cli uses
    #[arg(long)]
    app: Option<String>,
    /// Skip the safety check; repeat the database's name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    /// The command for sqlx-cli
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    words: Vec<String>,
}

/// What a command of sqlx-cli needs and does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Command {
    app: bool,
    database: bool,
    destroys: bool,
    reverts: bool,
    workspace: bool,
    /// How many words come before the options of the command.
    words: usize,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let app = self.app.as_deref().map(|name| project.app(name)).transpose()?;
        let command = Command::parse(&self.words);
        if command.app && app.is_none() {
            return Err(self.without_app(&project).into());
        }
        let source = app.map(|app| Source::new(checkout, app)).transpose()?;
        let sqlx = || {
            let cargo = built::cargo();
            let options = source.as_ref().map(|source| source.options(checkout));
            let words = command.complete(&self.words, options);
            anyhow::Ok(cmd(PACKAGE.program()?, words).dir(&checkout.root).env("CARGO", cargo))
        };
        if !command.database {
            // Without DATABASE_URL it cannot reach a database that we did not check.
            return pass_on(child::run(sqlx()?.env_remove("DATABASE_URL")).await?);
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        or_interrupted(check_connection(&server)).await?;
        if let Some(app) = app.filter(|_| command.reverts) {
            or_interrupted(self.check_way_back(&server, &project, &app.name)).await?;
        }
        if command.destroys {
            or_interrupted(self.check_safety(&server)).await?;
        }
        session::ended_on(&server, run(sqlx()?, &server).await).await
    }

    fn without_app(&self, project: &Project) -> Stop {
        let apps: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
        let words = self.words.join(" ");
        Stop::Usage(format!(
            "`{words}` needs an app\n  apps: {}\n  name one: cargo xtask sqlx --app {} {words}",
            apps.join(", "),
            apps.first().unwrap_or(&"APP")
        ))
    }

    /// Refuses to revert a migration that has no way back. sqlx-cli would remove only its row in the ledger, or without a
    /// down file skip it and revert the one before it.
    async fn check_way_back(&self, server: &Server, project: &Project, app: &str) -> anyhow::Result<()> {
        let mut session = session::open_read_only(server, project).await?;
        let ledger = session.ledger(project).await?;
        session.close().await;
        let applied: Vec<&Migration> = project.migrations_of(app).filter(|it| ledger.has(it)).collect();
        let stays = match target_version(&self.words) {
            Some(number) => applied.iter().rfind(|migration| migration.number <= number),
            None => applied.iter().rev().nth(1),
        };
        let target = match stays {
            Some(migration) => Target::Migration(migration.id.clone()),
            None => Target::Zero(app.to_owned()),
        };
        match Plan::new(project, &ledger, &target) {
            Err(error @ Error::NoWayBack(_)) => Err(error.into()),
            // sqlx-cli reports whatever else is wrong.
            _ => Ok(()),
        }
    }

    /// Refuses to destroy data that might matter. sqlx-cli does not ask before it reverts, and its question before it drops
    /// does not say what the database is.
    async fn check_safety(&self, server: &Server) -> anyhow::Result<()> {
        let mut conn = session::maintenance(server).await?;
        let (database, words) = (server.database(), self.words.join(" "));
        let found = database::read_marker(&mut conn, database).await?;
        let what = format!("sqlx {words} would destroy data in it");
        let app = self.app.as_ref().map_or(String::new(), |app| format!(" --app {app}"));
        // Our own options come before the words of sqlx-cli.
        let again = format!("{} {words}", safety::again(&format!("sqlx{app}"), database));
        let destruction =
            Destruction { target: database, what: &what, confirmed: self.confirm.as_deref(), again };
        destruction.check(&server.options, &found)?;
        Ok(database::require_writable(&mut conn, database).await?)
    }
}

/// Refuses a connection pooler, on whose sessions sqlx-cli would leave its advisory lock.
async fn check_connection(server: &Server) -> anyhow::Result<()> {
    match database::connect(&server.options).await {
        Err(error @ Error::Pooler { .. }) => Err(error.into()),
        // sqlx-cli reports whatever else is wrong.
        _ => Ok(()),
    }
}

/// The number that `migrate revert` goes back to; without one, it reverts the latest migration.
fn target_version(words: &[String]) -> Option<i64> {
    let option = "--target-version";
    let at = words.iter().position(|word| word.starts_with(option))?;
    let value = words[at].strip_prefix(option)?.strip_prefix('=');
    value.or_else(|| words.get(at + 1).map(String::as_str))?.parse().ok()
}

async fn run(sqlx: Expression, server: &Server) -> anyhow::Result<()> {
    // It connects under our application name, so that we find and end what it leaves running after an interrupt.
    let sqlx = sqlx.env("DATABASE_URL", server.url.as_str()).env("PGAPPNAME", session::application_name());
    let status = child::run(Variables::for_database(&server.url, &server.options).give(sqlx)).await?;
    if status.code() == Some(130) {
        return Err(Stop::Interrupted.into());
    }
    pass_on(status)
}

impl Command {
    /// Finds out what a command needs and does; nothing, if it only prints help.
    fn parse(words: &[String]) -> Command {
        let before_dashes: Vec<&str> =
            words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
        // No option that may come before a subcommand has a value.
        let mut plain = before_dashes.iter().enumerate().filter(|(_, word)| !word.starts_with('-'));
        let mut next = || plain.next().map_or(("", 0), |(index, word)| (*word, index + 1));
        let ((group, first), (verb, second)) = (next(), next());
        if [group, verb].contains(&"help") || before_dashes.iter().any(|word| ["-h", "--help"].contains(word))
        {
            return Command::default();
        }
        let destroys = !before_dashes.contains(&"--dry-run");
        let on_app = Command { app: true, words: second, ..Command::default() };
        let on_database = Command { database: true, ..on_app };
        match (group, verb) {
            ("migrate" | "mig", "add" | "build-script") => on_app,
            ("migrate" | "mig", "run" | "info") => on_database,
            ("migrate" | "mig", "override") => Command { words: next().1, ..on_database },
            ("migrate" | "mig", "revert") => Command { destroys, reverts: true, ..on_database },
            ("database" | "db", "setup") => on_database,
            ("database" | "db", "reset") => Command { destroys: true, ..on_database },
            ("database" | "db", "create") => Command { app: false, ..on_database },
            ("database" | "db", "drop") => Command { app: false, destroys: true, ..on_database },
            ("prepare" | "prep", _) => {
                let workspace = !before_dashes.contains(&"--workspace");
                Command { database: true, workspace, words: first, ..Command::default() }
            }
            _ => Command::default(),
        }
    }

    /// Adds the options for the app and the workspace to the words of the command.
    fn complete(self, words: &[String], source: Option<Vec<String>>) -> Vec<String> {
        let (before, options) = words.split_at(self.words);
        let mut complete = before.to_vec();
        complete.extend(source.filter(|_| self.app).unwrap_or_default());
        if self.workspace {
            complete.push("--workspace".to_owned());
        }
        complete.extend_from_slice(options);
        complete
    }
}

/// What sqlx-cli gets of an app: its folder, and settings that name its ledger.
struct Source {
    folder: PathBuf,
    settings: Option<Settings>,
}

/// A `sqlx.toml`.
enum Settings {
    Theirs(PathBuf),
    /// One of ours for this command, in this folder, with what the manifest says.
    Ours(TemporaryFolder),
}

impl Source {
    fn new(checkout: &Checkout, app: &App) -> anyhow::Result<Source> {
        let folders = SourceFile::folders(&checkout.migrations())?;
        let folder = folders.into_iter().find(|(name, _)| *name == app.name);
        let folder = folder.map_or_else(|| checkout.root.join(&app.folder), |(_, folder)| folder);
        // Without settings, sqlx-cli keeps the ledger that it has by default.
        let settings = match sqlx_settings(&folder) {
            Some(file) => Some(Settings::Theirs(file)),
            None if app.ledger == STOCK_LEDGER => None,
            None => Some(Settings::Ours(written(&app.ledger)?)),
        };
        Ok(Source { folder, settings })
    }

    /// The options of sqlx-cli for it. Paths begin at the top of the checkout, in which it runs.
    fn options(&self, checkout: &Checkout) -> Vec<String> {
        let within = |path: &Path| path.strip_prefix(&checkout.root).unwrap_or(path).display().to_string();
        let settings = self.settings.as_ref().map(|settings| match settings {
            Settings::Theirs(file) => format!("--config={}", within(file)),
            Settings::Ours(folder) => format!("--config={}", within(&folder.join(OURS))),
        });
        [format!("--source={}", within(&self.folder))].into_iter().chain(settings).collect()
    }
}

/// The name of the file with settings of ours.
const OURS: &str = "sqlx.toml";

/// Writes settings with this ledger.
fn written(ledger: &str) -> anyhow::Result<TemporaryFolder> {
    let folder = TemporaryFolder::create("sqlx")?;
    let schema = ledger.split_once('.').map_or("public", |(schema, _)| schema);
    let file = folder.join(OURS);
    let text = format!("[migrate]\ncreate-schemas = [\"{schema}\"]\ntable-name = \"{ledger}\"\n");
    fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_commands_that_destroy_data_are_checked() {
        for text in [
            "migrate revert",
            "mig revert --target-version 0",
            "--no-dotenv database drop -y",
            "db reset",
            "database drop --config help -y",
        ] {
            let command = Command::parse(&words(text));
            assert!(command.destroys && command.database, "{text}");
        }
        for text in [
            "migrate revert --dry-run",
            "migrate revert --help",
            "help database drop",
            "migrate info",
            "migrate add drop",
            "database create",
            "prepare -- revert",
        ] {
            assert!(!Command::parse(&words(text)).destroys, "{text}");
        }
    }

    #[test]
    fn the_target_of_a_revert_is_read_in_either_form() {
        let target = |text: &str| target_version(&words(text));
        assert_eq!(target("migrate revert --target-version 3"), Some(3));
        assert_eq!(target("migrate revert --target-version=0 --dry-run"), Some(0));
        assert_eq!(target("migrate revert --dry-run"), None);
    }

    #[test]
    fn our_options_come_before_the_options_of_the_command() {
        let complete = |text: &str| {
            Command::parse(&words(text)).complete(&words(text), Some(vec!["--source=x".to_owned()])).join(" ")
        };
        let own = "--source=x";
        assert_eq!(complete("migrate run --dry-run"), format!("migrate run {own} --dry-run"));
        assert_eq!(
            complete("migrate override skip --dry-run"),
            format!("migrate override skip {own} --dry-run")
        );
        assert_eq!(complete("--no-dotenv mig add a_name"), format!("--no-dotenv mig add {own} a_name"));
        assert_eq!(
            complete("prepare --check -- --all-targets"),
            "prepare --workspace --check -- --all-targets"
        );
        assert_eq!(complete("prepare --workspace"), "prepare --workspace");
        assert_eq!(complete("database drop -y"), "database drop -y");
        assert_eq!(complete("migrate run --help"), "migrate run --help");
    }
}
