//! Reports what `renumber` did, or would do.

use migrations::{MovedRow, Renumbering};
use serde::Serialize;

use crate::{
    terminal::{
        format::Format,
        output::{self, count},
    },
    verbs::renumber::{database::Looked, moves::Move, plan::Plan},
};

/// What became of the plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is none.
    NothingToDo,
    /// It was only shown.
    Planned,
    /// The files and the ledger were changed.
    Written,
}

/// The report of `--format json`.
#[derive(Default, Serialize)]
struct Report<'r> {
    /// What was applied to the database before the migrations that it had.
    applied: Vec<String>,
    base: Option<&'r str>,
    /// The database that was checked.
    database: Option<&'r str>,
    /// The migrations whose rows in the ledger of that database followed.
    followed: Vec<String>,
    mended: &'r [String],
    /// Why no database was checked.
    not_looked: Option<&'r str>,
    renamed: Vec<Renamed>,
    written: bool,
}

#[derive(Serialize)]
struct Renamed {
    from: String,
    to: String,
}

/// Reports the plan, the check of the database, and what to do next.
pub(super) fn print(format: Format, plan: &Plan, looked: &Looked<'_>, outcome: Outcome) {
    match format {
        Format::Json => print_json(plan, looked, outcome),
        Format::Text if outcome == Outcome::NothingToDo => {
            output::line("no number is taken twice; nothing to do");
        }
        Format::Text => print_text(plan, looked, outcome),
    }
}

fn print_json(plan: &Plan, looked: &Looked<'_>, outcome: Outcome) {
    if outcome == Outcome::NothingToDo {
        output::json(&Report::default());
        return;
    }
    let mut report = Report {
        base: plan.base.as_deref(),
        mended: &plan.mended,
        renamed: plan
            .moves
            .iter()
            .map(|Move { from, to }| Renamed { from: from.to_string(), to: to.to_string() })
            .collect(),
        written: outcome == Outcome::Written,
        ..Report::default()
    };
    match looked {
        Looked::At(database) => {
            let Renumbering { rows, late, .. } = &database.renumbering;
            report.applied = late.iter().map(|migration| migration.id.to_string()).collect();
            report.followed = rows.iter().map(|row| row.migration.id.to_string()).collect();
            report.database = Some(database.server.database());
        }
        Looked::Nowhere(why) => report.not_looked = Some(why),
    }
    output::json(&report);
}

fn print_text(plan: &Plan, looked: &Looked<'_>, outcome: Outcome) {
    if let Some(base) = &plan.base {
        output::line(&format!("base       {base}"));
    }
    for Move { from, to } in &plan.moves {
        output::line(&format!("renumber   {from} → {}", to.name));
    }
    for path in &plan.mended {
        output::line(&format!("edit       {path}"));
    }
    match looked {
        Looked::At(database) => print_database(database.server.database(), &database.renumbering),
        Looked::Nowhere(why) => output::line(&format!(
            "not checked whether a database has them applied: {why}\n           \
             if one has, run this again there: its ledger follows the files"
        )),
    }
    for problem in &plan.left {
        output::line(&format!("left       {problem}"));
    }
    output::line(match outcome {
        Outcome::NothingToDo | Outcome::Planned => "\nnothing was written",
        Outcome::Written if plan.edits.is_empty() => "\nthen: cargo xtask migrate",
        Outcome::Written => "\nthen: git add --all migrations && cargo xtask migrate && cargo xtask verify",
    });
}

fn print_database(name: &str, renumbering: &Renumbering<'_>) {
    let Renumbering { rows, late, .. } = renumbering;
    if rows.is_empty() {
        output::line(&format!("checked    database `{name}`: none of them is applied there"));
        return;
    }
    let followed = count(rows.len(), "row follows", "rows follow");
    output::line(&format!("ledger     database `{name}`: {followed} the files"));
    for MovedRow { version, migration } in rows {
        let id = &migration.id;
        output::line(&if *version == migration.number {
            format!("           {id}, with its new head")
        } else {
            format!("           {} → {}", id.with_number(*version), id.name)
        });
    }
    for migration in late {
        output::line(&format!("apply      {}, which comes before them now", migration.id));
    }
}
