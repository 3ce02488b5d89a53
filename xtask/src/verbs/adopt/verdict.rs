//! What the comparison of a database with its migrations says, and its report.

use catalogue::{Catalogue, Change, Difference};
use migrations::{MigrationId, Project, shell_word};
use serde::Serialize;

use crate::{
    database::differences::{self, MADE},
    terminal::{
        exit::Stop,
        output::{Steps, count},
    },
};

/// The result of the comparison.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// The proven migrations, or those that other ledgers record.
    pub(super) adopted: Vec<MigrationId>,
    /// These ledgers.
    pub(super) ledgers: Vec<String>,
    /// The migrations that stay pending.
    pub(super) pending: Vec<MigrationId>,
    /// Migrations of both lists that leave no trace in the catalogue.
    pub(super) traceless: Vec<MigrationId>,
    /// The state closest to the database, if no migration is proven.
    pub(super) nearest: Option<Nearest>,
}

/// A state that the database is not in.
#[derive(Debug, Default)]
pub(super) struct Nearest {
    /// The migration that leads to this state; `None` for the state before all pending migrations, which is the one that
    /// the database is in.
    pub(super) after: Option<MigrationId>,
    pub(super) differences: Vec<Difference>,
    /// The same for `--format json`.
    pub(super) rows: Vec<differences::Row>,
    /// The differences as lines for people.
    pub(super) lines: Vec<String>,
    /// Whether migrations outside the target are pending, which may explain unexpected objects.
    pub(super) others: bool,
}

impl Nearest {
    /// The state after a migration, of which the catalogues are the expected and the found one.
    pub(super) fn new(
        after: Option<MigrationId>,
        (expected, found): (&Catalogue, &Catalogue),
        differences: Vec<Difference>,
        others: bool,
    ) -> Nearest {
        let lines = differences::lines(expected, found, &differences, MADE);
        let rows = differences::rows(expected, found, &differences);
        Nearest { after, differences, rows, lines, others }
    }
}

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report<'v> {
    adopted: Vec<String>,
    differences: &'v [differences::Row],
    /// The migration that leads to the nearest state.
    nearest: Option<String>,
    pending: Vec<String>,
    traceless: Vec<String>,
}

/// Reports it. It is an error if the database differs.
pub(super) fn report(project: &Project, verdict: &Verdict, steps: &mut Steps) -> anyhow::Result<()> {
    print(project, verdict, steps);
    let Verdict { adopted, pending, traceless, nearest, .. } = verdict;
    let names = |ids: &[MigrationId]| ids.iter().map(ToString::to_string).collect();
    let after = nearest.as_ref().and_then(|nearest| nearest.after.as_ref()).map(ToString::to_string);
    steps.finish(Report {
        adopted: names(adopted),
        differences: nearest.as_ref().map_or(&[], |nearest| nearest.rows.as_slice()),
        nearest: after,
        pending: names(pending),
        traceless: names(traceless),
    });
    if nearest.is_none() { Ok(()) } else { Err(Stop::Differs.into()) }
}

/// The report for people.
fn print(project: &Project, verdict: &Verdict, steps: &mut Steps) {
    let Verdict { adopted, ledgers, pending, traceless, nearest } = verdict;
    for id in adopted {
        steps.done("adopt", &id.to_string(), "adopted", None);
    }
    for table in ledgers {
        steps.note(&format!(
            "           {table} had recorded them; see whether the schema agrees: cargo xtask db-check"
        ));
    }
    for id in traceless.iter().filter(|id| adopted.contains(id)) {
        steps.note(&format!("           {id} leaves no trace in the catalogue, so its rows are not proven"));
    }
    if let Some(Nearest { after: Some(id), differences, lines, others, .. }) = nearest {
        steps.done("adopt", &format!("as after {id}"), "differs", None);
        for line in lines {
            steps.note(&format!("  {line}"));
        }
        steps.note("\nnothing was recorded; fix the database, and run the same command again");
        if *others && differences.iter().any(|it| it.change == Change::Unexpected) {
            steps.note(
                "if another pending migration made the unexpected objects, adopt that too: cargo xtask adopt",
            );
        }
    } else if let Some(first) = pending.first() {
        let recorded = if adopted.is_empty() { "nothing was recorded: " } else { "" };
        let left = match pending.len() {
            1 => format!("{first} stays pending"),
            n => format!("{n} migrations stay pending, {first} first"),
        };
        steps.note(&format!("\n{recorded}{left}"));
        if traceless.contains(first) {
            let (app, name) = (&first.app, shell_word(&first.name));
            steps.note(&format!(
                "it leaves no trace in the catalogue; if its rows are there: cargo xtask adopt {app} {name}"
            ));
        }
        steps.note("apply what is pending: cargo xtask migrate");
    } else if adopted.is_empty() {
        steps.done("adopt", &count(project.migrations.len(), "migration", "migrations"), "0 pending", None);
    }
}
