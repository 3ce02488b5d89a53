//! The plan: which migrations run, which way, in what order.

use std::collections::BTreeSet;

use crate::{Direction, Error, Ledger, Migration, MigrationId, Project};

/// How far to migrate, in Django's words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Everything.
    Latest,
    /// All of one app, and the migrations of others that it depends on.
    App(String),
    /// One app to exactly this migration: forward with all that it depends on, or back with all that depends on what is
    /// reverted. [`Project::migration`] finds the identity for a number or the beginning of a name.
    Migration(MigrationId),
    /// One app back to nothing, with all that depends on it.
    Zero(String),
}

/// One step of a plan.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Step<'p> {
    /// The migration.
    pub migration: &'p Migration,
    /// Which way it runs.
    pub direction: Direction,
}

/// What will run, in order. All steps of a plan go one way.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Plan<'p> {
    /// The steps; empty if nothing is left to do.
    pub steps: Vec<Step<'p>>,
}

impl<'p> Plan<'p> {
    /// What is left to do to reach the target from the state in the ledger.
    ///
    /// # Errors
    /// [`Error::Ledger`] if the ledger contradicts the files, [`Error::UnknownApp`] and [`Error::UnknownMigration`].
    pub fn new(project: &'p Project, ledger: &Ledger, target: &Target) -> Result<Plan<'p>, Error> {
        ledger.require_agreement(project)?;
        let all = &project.migrations;
        let forward = |wanted: BTreeSet<usize>| Plan {
            steps: wanted
                .into_iter()
                .filter(|&index| !ledger.has(&all[index]))
                .map(|index| Step { migration: &all[index], direction: Direction::Up })
                .collect(),
        };
        let back = |unwanted: BTreeSet<usize>| Plan {
            steps: unwanted
                .into_iter()
                .rev()
                .filter(|&index| ledger.has(&all[index]))
                .map(|index| Step { migration: &all[index], direction: Direction::Down })
                .collect(),
        };
        let of_app = |app: &str, above: i64| {
            let matches = |(_, m): &(usize, &Migration)| m.id.app == app && m.number > above;
            all.iter().enumerate().filter(matches).map(|(index, _)| index).collect::<Vec<_>>()
        };

        match target {
            Target::Latest => Ok(forward((0..all.len()).collect())),
            Target::App(app) => {
                let app = project.app(app)?;
                Ok(forward(with_ancestors(all, of_app(&app.name, 0))))
            }
            Target::Migration(id) => {
                let wanted = project.migration(&id.app, &id.name)?;
                let above = of_app(&wanted.id.app, wanted.number);
                if above.iter().any(|&index| ledger.has(&all[index])) {
                    return Ok(back(with_descendants(all, above)));
                }
                let this = all.iter().position(|migration| migration.id == wanted.id);
                Ok(forward(with_ancestors(all, this.into_iter().collect())))
            }
            Target::Zero(app) => {
                let app = project.app(app)?;
                Ok(back(with_descendants(all, of_app(&app.name, 0))))
            }
        }
    }

    /// Whether a step reverts a migration.
    pub fn goes_back(&self) -> bool {
        self.steps.iter().any(|step| step.direction == Direction::Down)
    }
}

/// The migrations and everything that they depend on. Indices follow the order in which migrations run.
fn with_ancestors(all: &[Migration], start: Vec<usize>) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut open = start;
    while let Some(index) = open.pop() {
        if found.insert(index) {
            open.extend(all[index].parents.iter().map(|parent| parent.index));
        }
    }
    found
}

/// The migrations and everything that depends on them.
fn with_descendants(all: &[Migration], start: Vec<usize>) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = start.into_iter().collect();
    // A child always has the higher index, so one pass sees every parent before its children.
    for (index, migration) in all.iter().enumerate() {
        if migration.parents.iter().any(|parent| found.contains(&parent.index)) {
            found.insert(index);
        }
    }
    found
}
