//! `cargo xtask makemigrations`: creates the two files of a new migration. It needs no server.

use anyhow::{bail, ensure};
use clap::Args as ClapArgs;
use migrations::{App, DependencyKind, Irreversible, Ledger, Migration, Plan, Project, Target};
use serde::Serialize;

use crate::{
    checkout::Checkout,
    files::edits::{self, Edit},
    terminal::{exit::Stop, format::Format, output},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask makemigrations --empty APP --name add_due_date

It creates the app's next migration, NNNN_add_due_date.up.sql and .down.sql, for you to fill in.

Exit codes: 1 an error, and nothing was written; 2 the name is not valid, or --empty is missing.")]
pub(crate) struct Args {
    /// The app that gets the migration
    app: Option<String>,
    /// Create the files without statements
    #[arg(long, requires_all = ["app", "name"])]
    empty: bool,
    /// What the migration does, in a few words: add_due_date
    #[arg(long, value_parser = parse_name)]
    name: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The paths of the new files, for `--format json`.
#[derive(Serialize)]
struct Created<'a> {
    created: &'a [String],
}

/// The highest number of four digits.
const LAST: i64 = 9999;

/// Checks a migration's name. It comes without the number, which `makemigrations` adds.
fn parse_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let words = text.split('_').all(|word| !word.is_empty() && word.chars().all(plain));
    if words && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        Ok(text.to_owned())
    } else {
        Err("write lower-case words with `_` between them, without a number: add_due_date".to_owned())
    }
}

impl Args {
    pub(crate) fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let (Some(app), Some(name), true) = (&self.app, &self.name, self.empty) else {
            let why = "makemigrations does not detect changes; it creates files for you to fill in\n  \
                       cargo xtask makemigrations --empty APP --name add_due_date";
            return Err(Stop::Usage(why.to_owned()).into());
        };
        let project = checkout.project()?;
        let app = project.app(app)?;
        let number = next_number(&project, app, name)?;
        let stem = format!("{}/{number:04}_{name}", app.name);
        let (up, down) = (head(&project, app, name)?, format!("-- Reverts: {}.\n", words(name)));
        let files = [(format!("{stem}.up.sql"), up), (format!("{stem}.down.sql"), down)];
        let edits =
            files.clone().map(|(path, text)| Edit::Create { path: checkout.migrations().join(path), text });
        edits::apply(&edits)?;

        let paths = files.map(|(path, _)| format!("migrations/{path}"));
        if self.format == Format::Json {
            output::json(&Created { created: &paths });
            return Ok(());
        }
        output::line(&format!("created    {}\n           {}", paths[0], paths[1]));
        output::line("\nfill in both before you apply them: a file must not change once it was applied");
        output::line(&format!(
            "if there is no way back, the .down.sql holds only this line: {} why",
            Irreversible::DIRECTIVE
        ));
        output::line("then: cargo xtask migrate && cargo xtask verify");
        Ok(())
    }
}

fn next_number(project: &Project, app: &App, name: &str) -> anyhow::Result<i64> {
    let existing: Vec<&Migration> = project.migrations_of(&app.name).collect();
    // Most likely the same command ran twice.
    if let Some(twin) = existing.iter().find(|migration| migration.id.name[5..] == *name) {
        bail!("{} already exists; nothing was written\n  choose another name", twin.id);
    }
    let number = existing.last().map_or(0, |migration| migration.number) + 1;
    ensure!(number <= LAST, "app `{}` has used all numbers up to {LAST}", app.name);
    Ok(number)
}

/// The first lines of the up file: what the migration does, and a `depends-on` line for the latest migration of each app
/// that its own app depends on and does not wait for yet.
fn head(project: &Project, app: &App, name: &str) -> anyhow::Result<String> {
    let mut what = words(name);
    what[..1].make_ascii_uppercase();
    let mut head = format!("-- {what}.\n");
    let so_far = Plan::new(project, &Ledger::default(), &Target::App(app.name.clone()))?;
    for other in &app.depends_on {
        let waited_for = so_far.steps.iter().any(|step| step.migration.id.app == *other);
        if let Some(latest) = project.migrations_of(other).last().filter(|_| !waited_for) {
            head.push_str(&format!("{} {}\n", DependencyKind::DependsOn.directive(), latest.id));
        }
    }
    Ok(head)
}

/// `add due date`
fn words(name: &str) -> String {
    name.replace('_', " ")
}
