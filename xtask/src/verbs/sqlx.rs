//! `cargo xtask sqlx`: the real sqlx-cli, by way of the package `xtask-sqlx`: the only one that is built from it.
//!
//! It gets an app's folder and settings and this checkout's database, so that nobody installs or configures anything.

use clap::Args as ClapArgs;
use duct::{Expression, cmd};
use migrations::{App, Project, database};

use crate::{
    checkout::Checkout,
    database::{
        safety::{self, Destruction},
        session,
    },
    helpers::{built, package::Package},
    server::{self, Server},
    terminal::{
        child,
        exit::{Stop, pass_on},
        interrupt::or_interrupted,
    },
};

const PACKAGE: Package = Package { name: "xtask-sqlx", does: "runs sqlx-cli" };

#[derive(Debug, ClapArgs)]
#[command(override_usage = "cargo xtask sqlx [--app APP] [--confirm DATABASE] COMMAND…")]
#[command(after_help = "\
Examples:
  cargo xtask sqlx --app APP migrate info
  cargo xtask sqlx --app APP migrate add add_locale
  cargo xtask sqlx --app APP migrate run
  cargo xtask sqlx migrate --help                  what sqlx-cli says itself

It works on this checkout's database with the app's folder and sqlx.toml, and so on the ledger that
`cargo xtask migrate` keeps: either goes on where the other stopped. What it does not do:
  - It knows one app. An order that spans apps is yours to keep; Postgres refuses what would break a
    foreign key or needs a table that is not there yet.
  - It takes no migration lock, so nobody may migrate at the same time.
  - Its `migrate info` makes a ledger that is missing; `cargo xtask showmigrations` writes nothing.
  - A database that it creates has no environment marker, which db-reset and db-drop look for.
  - Its `prepare` compiles against this database, forgives stale files, and leaves out tests;
    `cargo xtask prepare` does neither.

Exit codes: sqlx-cli's own; 4: the database might matter, and this would destroy data in it.")]
pub(crate) struct Args {
    /// The app whose folder, sqlx.toml and ledger it works with
    #[arg(long)]
    app: Option<String>,
    /// Drop it or take migrations back although the database might matter; repeat its name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    /// What sqlx-cli is told
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    words: Vec<String>,
}

/// What a command of sqlx-cli needs, and does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Command {
    app: bool,
    database: bool,
    destroys: bool,
    workspace: bool,
    /// How many words come before its options.
    words: usize,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let app = self.app.as_deref().map(|name| project.app(name)).transpose()?;
        let command = Command::of(&self.words);
        if command.app && app.is_none() {
            return Err(self.without_app(&project).into());
        }
        let sqlx = || {
            let cargo = built::cargo();
            let words = command.told(&self.words, app);
            anyhow::Ok(cmd(PACKAGE.program()?, words).dir(&checkout.root).env("CARGO", cargo))
        };
        if !command.database {
            // What was not looked at can't be reached.
            return pass_on(child::run(sqlx()?.env_remove("DATABASE_URL")).await?);
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        if command.destroys {
            or_interrupted(self.look(&server)).await?;
        }
        session::ended_on(&server, run(sqlx()?, &server).await).await
    }

    fn without_app(&self, project: &Project) -> Stop {
        let apps: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
        let words = self.words.join(" ");
        Stop::Usage(format!(
            "`{words}` is about one app\n  apps: {}\n  say which: cargo xtask sqlx --app {} {words}",
            apps.join(", "),
            apps.first().unwrap_or(&"APP")
        ))
    }

    /// sqlx-cli asks nothing before it takes back, and nothing that tells before it drops.
    async fn look(&self, server: &Server) -> anyhow::Result<()> {
        let mut conn = session::maintenance(server).await?;
        let (database, words) = (server.database(), self.words.join(" "));
        let found = database::find(&mut conn, database).await?;
        let what = format!("sqlx {words} would destroy data in it");
        let app = self.app.as_ref().map_or(String::new(), |app| format!(" --app {app}"));
        // Our own options come before the words of sqlx-cli.
        let again = format!("{} {words}", safety::again(&format!("sqlx{app}"), database));
        let destruction =
            Destruction { target: database, what: &what, confirmed: self.confirm.as_deref(), again };
        destruction.check(&server.options, &found)
    }
}

async fn run(sqlx: Expression, server: &Server) -> anyhow::Result<()> {
    // Under our name, so that what it leaves running when it is interrupted is found and ended.
    let sqlx = sqlx.env("DATABASE_URL", server.url.as_str()).env("PGAPPNAME", session::application_name());
    let status = child::run(sqlx).await?;
    if status.code() == Some(130) {
        return Err(Stop::Interrupted.into());
    }
    pass_on(status)
}

impl Command {
    fn of(words: &[String]) -> Command {
        let told: Vec<&str> = words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
        // None of the options before a subcommand has a value.
        let mut plain = told.iter().enumerate().filter(|(_, word)| !word.starts_with('-'));
        let mut next = || plain.next().map_or(("", 0), |(index, word)| (*word, index + 1));
        let ((group, first), (verb, second)) = (next(), next());
        if [group, verb].contains(&"help") || told.iter().any(|word| ["-h", "--help"].contains(word)) {
            return Command::default();
        }
        let destroys = !told.contains(&"--dry-run");
        let on_app = Command { app: true, words: second, ..Command::default() };
        let on_database = Command { database: true, ..on_app };
        match (group, verb) {
            ("migrate" | "mig", "add" | "build-script") => on_app,
            ("migrate" | "mig", "run" | "info") => on_database,
            ("migrate" | "mig", "override") => Command { words: next().1, ..on_database },
            ("migrate" | "mig", "revert") => Command { destroys, ..on_database },
            ("database" | "db", "setup") => on_database,
            ("database" | "db", "reset") => Command { destroys: true, ..on_database },
            ("database" | "db", "create") => Command { app: false, ..on_database },
            ("database" | "db", "drop") => Command { app: false, destroys: true, ..on_database },
            ("prepare" | "prep", _) => {
                let workspace = !told.contains(&"--workspace");
                Command { database: true, workspace, words: first, ..Command::default() }
            }
            _ => Command::default(),
        }
    }

    /// The words with what makes it this app's, and this workspace's.
    fn told(self, words: &[String], app: Option<&App>) -> Vec<String> {
        let (before, options) = words.split_at(self.words);
        let mut told = before.to_vec();
        if let Some(App { name, .. }) = app.filter(|_| self.app) {
            told.push(format!("--source=migrations/{name}"));
            told.push(format!("--config=migrations/{name}/sqlx.toml"));
        }
        if self.workspace {
            told.push("--workspace".to_owned());
        }
        told.extend_from_slice(options);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_what_destroys_data_is_looked_at() {
        for text in [
            "migrate revert",
            "mig revert --target-version 0",
            "--no-dotenv database drop -y",
            "db reset",
            "database drop --config help -y",
        ] {
            let command = Command::of(&words(text));
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
            assert!(!Command::of(&words(text)).destroys, "{text}");
        }
    }

    #[test]
    fn what_it_is_told_stands_before_its_own_options() {
        let app = App {
            name: "app".to_owned(),
            depends_on: Vec::new(),
            tables: Vec::new(),
            ledger: "migrations.app".to_owned(),
        };
        let told = |text: &str| Command::of(&words(text)).told(&words(text), Some(&app)).join(" ");
        let own = "--source=migrations/app --config=migrations/app/sqlx.toml";
        assert_eq!(told("migrate run --dry-run"), format!("migrate run {own} --dry-run"));
        assert_eq!(told("migrate override skip --dry-run"), format!("migrate override skip {own} --dry-run"));
        assert_eq!(told("--no-dotenv mig add a_name"), format!("--no-dotenv mig add {own} a_name"));
        assert_eq!(told("prepare --check -- --all-targets"), "prepare --workspace --check -- --all-targets");
        assert_eq!(told("prepare --workspace"), "prepare --workspace");
        assert_eq!(told("database drop -y"), "database drop -y");
        assert_eq!(told("migrate run --help"), "migrate run --help");
    }
}
