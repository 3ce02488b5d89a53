//! `cargo xtask showmigrations`: lists the migrations and which of them are applied. It writes nothing.

use std::collections::HashSet;

use clap::Args as ClapArgs;
use migrations::{Ledger, Migration, Plan, Project, Target};
use serde::Serialize;

use crate::{
    checkout::Checkout,
    database::{
        each::each_with,
        session::{self, on_server},
    },
    server,
    terminal::{format::Format, interrupt::or_interrupted, output},
};

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask showmigrations
  cargo xtask showmigrations APP
  cargo xtask showmigrations --plan      in the order in which they run
  cargo xtask showmigrations --plan APP  one app's migrations and the ones they need

Exit code 1: there is no such app, or the database cannot be reached.")]
pub(crate) struct Args {
    /// List only these apps
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// List them in the order in which they run, each with what it waits for
    #[arg(long)]
    plan: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The report of `--format json`.
#[derive(Serialize)]
struct Report {
    migrations: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    app: String,
    /// When the migration was applied; `None` if it is pending.
    applied: Option<String>,
    depends_on: Vec<String>,
    /// Why there is no way back; `None` if there is one.
    irreversible: Option<String>,
    name: String,
}

impl Args {
    /// Lists the migrations of each database, or of each that has one of the apps that are named.
    pub(crate) async fn run_in_each(self, checkout: &Checkout) -> anyhow::Result<()> {
        let run = async |one: &Checkout, apps: Vec<String>| Args { apps, ..self.clone() }.run(one).await;
        each_with(checkout, &self.apps, run).await
    }

    async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        for app in &self.apps {
            project.app(app)?;
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let ledger = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let ledger = session.ledger(&project).await?;
            session.close().await;
            Ok(ledger)
        })
        .await?;
        match self.format {
            Format::Json => self.print_json(&project, &ledger),
            Format::Text if self.plan => self.print_plan(&project, &ledger)?,
            Format::Text => self.print_tree(&project, &ledger),
        }
        for problem in ledger.problems(&project) {
            output::remark(&format!("warning: {problem}"));
        }
        Ok(())
    }

    fn includes(&self, app: &str) -> bool {
        self.apps.is_empty() || self.apps.iter().any(|listed| listed == app)
    }

    fn print_tree(&self, project: &Project, ledger: &Ledger) {
        for app in project.apps.iter().filter(|app| self.includes(&app.name)) {
            output::line(&app.name);
            for migration in project.migrations_of(&app.name) {
                let back = way_back(migration);
                output::line(&format!(" {} {}{back}", mark(ledger, migration), migration.id.name));
            }
        }
    }

    fn print_plan(&self, project: &Project, ledger: &Ledger) -> anyhow::Result<()> {
        let mut needed = HashSet::new();
        for app in &self.apps {
            // Planned against an empty ledger, so that the applied migrations appear too.
            let plan = Plan::new(project, &Ledger::default(), &Target::App(app.clone()))?;
            needed.extend(plan.steps.iter().map(|step| &step.migration.id));
        }
        let shown = |migration: &&Migration| self.apps.is_empty() || needed.contains(&migration.id);
        for migration in project.migrations.iter().filter(shown) {
            let parents: Vec<String> =
                migration.depends_on.iter().map(|parent| parent.on.to_string()).collect();
            let after =
                if parents.is_empty() { String::new() } else { format!("  after {}", parents.join(", ")) };
            let back = way_back(migration);
            output::line(&format!("{} {}{back}{after}", mark(ledger, migration), migration.id));
        }
        Ok(())
    }

    fn print_json(&self, project: &Project, ledger: &Ledger) {
        let listed = project.migrations.iter().filter(|migration| self.includes(&migration.id.app));
        let listed = listed.map(|migration| Listed {
            app: migration.id.app.clone(),
            applied: ledger
                .row(migration)
                .filter(|_| ledger.has(migration))
                .map(|row| row.installed_on.clone()),
            depends_on: migration.depends_on.iter().map(|parent| parent.on.to_string()).collect(),
            irreversible: migration.irreversible().map(|line| line.why.clone()),
            name: migration.id.name.clone(),
        });
        output::json(&Report { migrations: listed.collect() });
    }
}

/// What follows the name of a migration that can't be reverted.
fn way_back(migration: &Migration) -> &'static str {
    if migration.irreversible().is_some() { "  (no way back)" } else { "" }
}

fn mark(ledger: &Ledger, migration: &Migration) -> &'static str {
    if ledger.has(migration) { "[X]" } else { "[ ]" }
}
