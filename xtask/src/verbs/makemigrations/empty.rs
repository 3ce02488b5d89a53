//! `makemigrations --empty`: creates the two files of a new migration, for a person to fill in. It needs no server.

use anyhow::bail;
use migrations::{App, DependencyKind, Irreversible, Ledger, MigrationId, Plan, Project, Target};
use serde::Serialize;

use super::numbering;
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

/// Creates the files of an app's next migration.
pub(super) fn create(checkout: &Checkout, app: &str, name: &str, format: Format) -> anyhow::Result<()> {
    let project = checkout.project()?;
    let app = project.app(app)?;
    if let Some(package) = &app.package {
        bail!(
            "the migrations of app `{}` are in package `{package}`; nothing was written\n  name another app",
            app.name
        );
    }
    let id = next(&project, app, name)?;
    let naming = project.naming(app);
    let (up, down) = (head(&project, app, name)?, format!("-- Reverts: {}.\n", words(name)));
    let files = [Some((naming.up, up)), naming.down.map(|ending| (ending, down))];
    let files = files
        .into_iter()
        .flatten()
        .map(|(ending, text)| (format!("{}/{}{ending}", app.folder, id.name), text));
    let files: Vec<(String, String)> = files.collect();
    let create =
        |(path, text): &(String, String)| Edit::Create { path: checkout.root.join(path), text: text.clone() };
    edits::apply(&files.iter().map(create).collect::<Vec<_>>())?;

    let paths: Vec<String> = files.into_iter().map(|(path, _)| path).collect();
    if format == Format::Json {
        output::json(&Created { created: &paths });
        return Ok(());
    }
    output::line(&format!("created    {}", paths.join("\n           ")));
    if naming.down.is_some() {
        output::line("\nfill in both before you apply them: a file must not change once it was applied");
        output::line(&format!(
            "if there is no way back, the .down.sql holds only this line: {} why",
            Irreversible::DIRECTIVE
        ));
    } else {
        output::line("\nfill it in before you apply it: a file must not change once it was applied");
    }
    output::line("then: cargo xtask migrate && cargo xtask verify");
    Ok(())
}

fn next(project: &Project, app: &App, name: &str) -> anyhow::Result<MigrationId> {
    // Most likely the same command ran twice.
    if let Some(twin) = project.migrations_of(&app.name).find(|migration| migration.id.words() == name) {
        bail!("{} already exists; nothing was written\n  choose another name", twin.id);
    }
    numbering::next(project, app, 0, name)
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
