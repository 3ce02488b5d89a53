//! Reports what `renumber` did, or would do.

use migrations::MigrationId;
use serde::Serialize;

use crate::{
    terminal::{format::Format, output},
    verbs::renumber::{applied::Looked, moves::Move, plan::Plan},
};

/// Whether the plan was carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was only shown.
    Planned,
    /// The files were changed.
    Written,
}

/// The report of `--format json`.
#[derive(Default, Serialize)]
struct Report<'r> {
    base: Option<&'r str>,
    /// The database that was checked.
    database: Option<&'r str>,
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

/// Reports that no number is taken twice.
pub(super) fn print_nothing_to_do(format: Format) {
    match format {
        Format::Json => output::json(&Report::default()),
        Format::Text => output::line("no number is taken twice; nothing to do"),
    }
}

/// Reports the plan, the check of the database, and what to do next.
pub(super) fn print(format: Format, plan: &Plan, looked: &Looked, outcome: Outcome) {
    match format {
        Format::Json => print_json(plan, looked, outcome),
        Format::Text => print_text(plan, looked, outcome),
    }
}

fn print_json(plan: &Plan, looked: &Looked, outcome: Outcome) {
    let (database, not_looked) = match looked {
        Looked::At { database, .. } => (Some(database.as_str()), None),
        Looked::Nowhere(why) => (None, Some(why.as_str())),
    };
    let rename = |Move { from, to }: &Move| Renamed { from: from.to_string(), to: to.to_string() };
    output::json(&Report {
        base: Some(&plan.base),
        database,
        mended: &plan.mended,
        not_looked,
        renamed: plan.moves.iter().map(rename).collect(),
        written: outcome == Outcome::Written && !plan.moves.is_empty(),
    });
}

fn print_text(plan: &Plan, looked: &Looked, outcome: Outcome) {
    output::line(&format!("base       {}", plan.base));
    for Move { from, to } in &plan.moves {
        output::line(&format!("renumber   {from} → {}", to.name));
    }
    for path in &plan.mended {
        output::line(&format!("edit       {path}"));
    }
    output::line(&match looked {
        Looked::At { database, applied } if applied.is_empty() => {
            format!("checked    database `{database}`: none of them is applied there")
        }
        Looked::At { database, .. } => {
            format!("checked    database `{database}` has them applied, and has to be reset")
        }
        Looked::Nowhere(why) => format!("not checked whether a database has them applied: {why}"),
    });
    for problem in &plan.left {
        output::line(&format!("left       {problem}"));
    }
    match outcome {
        Outcome::Planned => output::line("\nnothing was written"),
        Outcome::Written => {
            let verb = if applied_there(looked).is_empty() { "migrate" } else { "db-reset" };
            output::line(&format!(
                "\nthen: git add --all migrations && cargo xtask {verb} && cargo xtask verify"
            ));
        }
    }
}

fn applied_there(looked: &Looked) -> &[MigrationId] {
    match looked {
        Looked::At { applied, .. } => applied,
        Looked::Nowhere(_) => &[],
    }
}
