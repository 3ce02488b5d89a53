//! `makemigrations --empty`: creates the two files of a new migration, for a person to fill in. It needs no server.

use anyhow::{bail, ensure};
use migrations::{App, DependencyKind, Irreversible, Ledger, Migration, Plan, Project, Target};
use serde::Serialize;

use crate::{
    checkout::Checkout,
    files::edits::{self, Edit},
    terminal::{format::Format, output},
};

/// The paths of the new files, for `--format json`.
#[derive(Serialize)]
struct Created<'a> {
    created: &'a [String],
}

/// The highest number of four digits.
const LAST: i64 = 9999;

/// Creates the files of an app's next migration.
pub(super) fn create(checkout: &Checkout, app: &str, name: &str, format: Format) -> anyhow::Result<()> {
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
    if format == Format::Json {
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

fn next_number(project: &Project, app: &App, name: &str) -> anyhow::Result<i64> {
    let existing: Vec<&Migration> = project.migrations_of(&app.name).collect();
    // Most likely the same command ran twice.
    if let Some(twin) = existing.iter().find(|migration| migration.id.name[5..] == *name) {
        bail!("{} already exists; nothing was written\n  choose another name", twin.id);
    }
    let number = last_number(project, &app.name) + 1;
    require_number(&app.name, number)?;
    Ok(number)
}

/// The number of an app's last migration.
pub(super) fn last_number(project: &Project, app: &str) -> i64 {
    project.migrations_of(app).last().map_or(0, |migration| migration.number)
}

/// Refuses a number that has no place in a name.
pub(super) fn require_number(app: &str, number: i64) -> anyhow::Result<()> {
    ensure!(number <= LAST, "app `{app}` has used all numbers up to {LAST}");
    Ok(())
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
