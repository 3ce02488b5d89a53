//! The files of new migrations, before they are proven: their names, heads and statements.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Address;
use diff::{Part, Rename, Statement};
use migrations::{DependencyKind, Ledger, MigrationId, Naming, Plan, Project, Target};

use super::{
    findings::Findings,
    naming::{self, headline, proposed},
    numbering,
    phases::{Pace, Phase, Purpose, phases},
    whose::Whose,
};
use crate::{database::sql::as_text, throwaway::owned::position};

/// A migration that is not written yet.
pub(super) struct Draft {
    pub(super) id: MigrationId,
    /// How its files are named.
    pub(super) naming: Naming,
    pub(super) statements: Vec<Statement>,
    depends_on: BTreeMap<MigrationId, DependencyKind>,
    /// Whether a function's body names what a later statement makes.
    pub(super) bodies_unchecked: bool,
    /// What it was found to do with rows.
    pub(super) findings: Findings,
    purpose: Purpose,
}

/// What the user says about the migrations to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes<'w> {
    /// What all of them are called.
    pub(super) name: Option<&'w str>,
    pub(super) pace: Pace,
}

/// Divides the parts of a script among migrations.
pub(super) fn drafts(whose: &Whose<'_>, parts: Vec<Part>, wishes: Wishes<'_>) -> anyhow::Result<Vec<Draft>> {
    let mut drafts: Vec<Draft> = Vec::new();
    // The last migration of each part.
    let mut lasts: Vec<MigrationId> = Vec::new();
    for part in parts {
        let app = &whose.project.apps[part.owner];
        let mut depends_on: BTreeMap<MigrationId, DependencyKind> = BTreeMap::new();
        if !drafts.iter().any(|draft| draft.id.app == app.name) {
            depends_on.extend(existing(whose, part.owner)?);
        }
        for before in part.waits_for.iter().map(|&part| &lasts[part]).filter(|it| it.app != app.name) {
            let other = position(whose.project, &before.app);
            depends_on.insert(before.clone(), whose.kind(part.owner, other));
        }
        // The newest of an app is enough.
        let all: Vec<MigrationId> = depends_on.keys().cloned().collect();
        depends_on.retain(|id, _| !all.iter().any(|it| it.app == id.app && it.number() > id.number()));
        let phases = phases(&whose.from.schema, &whose.to.schema, part.script.statements, wishes.pace);
        let mut stem: Option<String> = wishes.name.map(str::to_owned);
        for (at, (purpose, statements)) in phases.into_iter().flat_map(Phase::committed).enumerate() {
            let names: Vec<&str> =
                drafts.iter().filter(|it| it.id.app == app.name).map(|it| it.id.words()).collect();
            let is_first = whose.project.migrations_of(&app.name).next().is_none() && names.is_empty();
            let proposed = if is_first { "initial".to_owned() } else { proposed(&statements) };
            let wanted = match (&stem, at, purpose.suffix()) {
                (Some(stem), 1.., Some(suffix)) => format!("{stem}_{suffix}"),
                (Some(stem), ..) if wishes.name.is_some() => stem.clone(),
                _ => proposed,
            };
            let name = free_name(whose.project, &app.name, &names, &wanted);
            stem.get_or_insert_with(|| name.clone());
            let id = numbering::next(whose.project, app, names.len(), &name)?;
            let depends_on = std::mem::take(&mut depends_on);
            let (naming, findings) = (whose.project.naming(app), Findings::default());
            drafts.push(Draft {
                id,
                naming,
                statements,
                depends_on,
                bodies_unchecked: false,
                findings,
                purpose,
            });
        }
        lasts.extend(drafts.last().map(|draft| draft.id.clone()));
    }
    Ok(drafts)
}

/// The migrations that there are and that the changes of an app need, as far as it does not wait for them yet.
fn existing(whose: &Whose<'_>, app: usize) -> anyhow::Result<Vec<(MigrationId, DependencyKind)>> {
    let project = whose.project;
    let name = &project.apps[app].name;
    let so_far = Plan::new(project, &Ledger::default(), &Target::App(name.clone()))?;
    let so_far: BTreeSet<&MigrationId> = so_far.steps.iter().map(|step| &step.migration.id).collect();
    let needed = whose.needed(app).into_iter().filter(|id| !so_far.contains(id));
    Ok(needed.map(|id| (id.clone(), whose.kind(app, position(project, &id.app)))).collect())
}

impl Phase {
    /// The statements of each of its transactions.
    fn committed(self) -> Vec<(Purpose, Vec<Statement>)> {
        let mut all = vec![Vec::new()];
        for statement in self.statements {
            let ends = statement.commit_after;
            if let Some(last) = all.last_mut() {
                last.push(statement);
            }
            if ends {
                all.push(Vec::new());
            }
        }
        all.retain(|statements| !statements.is_empty());
        all.into_iter().map(|statements| (self.purpose, statements)).collect()
    }
}

impl Purpose {
    /// What it adds to the name of the migration before it.
    fn suffix(self) -> Option<&'static str> {
        match self {
            Purpose::Change => None,
            Purpose::Fill => Some("fill"),
            Purpose::Index => Some("index"),
            Purpose::Validate => Some("validate"),
            Purpose::Finish => Some("finish"),
        }
    }
}

/// A name that no migration of the app has: the wanted one, or that with a number.
fn free_name(project: &Project, app: &str, drafts: &[&str], wanted: &str) -> String {
    let taken =
        |name: &str| drafts.contains(&name) || project.migrations_of(app).any(|it| it.id.words() == name);
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    [wanted.to_owned()].into_iter().chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

impl Draft {
    /// The renames among these that its statements make.
    pub(super) fn renames(&self, all: &[Rename]) -> Vec<Rename> {
        let makes = |rename: &&Rename| {
            self.statements.iter().any(|it| {
                let Address { schema, name, part, .. } = &it.object;
                naming::is_rename(it)
                    && (schema, name) == (&rename.schema, &rename.name)
                    && rename.column.as_ref().is_none_or(|column| column == part)
            })
        };
        all.iter().filter(makes).cloned().collect()
    }

    /// Whether it is one statement outside of a transaction.
    pub(super) fn is_alone(&self) -> bool {
        self.purpose == Purpose::Index
    }

    /// The text of the up file.
    pub(super) fn up(&self) -> String {
        let first = if self.is_alone() { "-- no-transaction\n" } else { "" };
        let mut text = format!("{first}-- {}\n", headline(&self.statements));
        text += &comments(&self.findings.up);
        for (id, kind) in &self.depends_on {
            text += &format!("{} {id}\n", kind.directive());
        }
        if self.bodies_unchecked {
            text += "\n-- Bodies of functions name what is made below them.\nset local check_function_bodies = off;\n";
        }
        text + &as_text(&self.statements)
    }

    /// The text of the down file, with these statements.
    pub(super) fn down(&self, statements: &[Statement]) -> String {
        let text = as_text(statements);
        let text = if text.is_empty() {
            "\n-- The schema is the same before and after.\nselect 1;\n"
        } else {
            &text
        };
        let rows = comments(&self.findings.down);
        format!("-- Reverts: {}.\n{rows}{text}", self.id.words().replace('_', " "))
    }
}

fn comments(lines: &[String]) -> String {
    lines.iter().map(|line| format!("-- {line}\n")).collect()
}
