//! The plan: which migrations run, which way, in what order.

use std::collections::BTreeSet;

use crate::{Error, Ledger, Migration, Project};

/// Which way a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Its up file.
    Up,
    /// Its down file.
    Down,
}

/// How far to migrate; Django's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Everything.
    Latest,
    /// All of one app, and what that needs of others.
    App(String),
    /// One app to exactly this migration: forward with all that it needs, or back with all that needs what goes.
    Migration(String, String),
    /// One app back to nothing, and with it all that needs it.
    Zero(String),
}

/// One step of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Step<'p> {
    /// The migration.
    pub migration: &'p Migration,
    /// Which way it runs.
    pub direction: Direction,
}

/// What will run, in order. All steps of a plan go one way.
#[derive(Debug, Clone, Default)]
pub struct Plan<'p> {
    /// The steps; empty where nothing is left to do.
    pub steps: Vec<Step<'p>>,
}

impl<'p> Plan<'p> {
    /// What is left to do to reach the target from what the ledger says.
    ///
    /// # Errors
    /// [`Error::Ledger`] where the ledger contradicts the files, [`Error::UnknownApp`] and [`Error::UnknownMigration`].
    pub fn new(project: &'p Project, ledger: &Ledger, target: &Target) -> Result<Plan<'p>, Error> {
        ledger.agree(project)?;
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
            let mine = |(_, m): &(usize, &Migration)| m.id.app == app && m.number > above;
            all.iter().enumerate().filter(mine).map(|(index, _)| index).collect::<Vec<_>>()
        };

        match target {
            Target::Latest => Ok(forward((0..all.len()).collect())),
            Target::App(app) => {
                let app = project.app(app)?;
                Ok(forward(with_ancestors(all, of_app(&app.name, 0))))
            }
            Target::Migration(app, name) => {
                let wanted = project.migration(app, name)?;
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

    /// Whether a step takes something away.
    pub fn goes_back(&self) -> bool {
        self.steps.iter().any(|step| step.direction == Direction::Down)
    }
}

/// The migrations and everything that they need. Indices follow the order in which migrations run.
fn with_ancestors(all: &[Migration], start: Vec<usize>) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut open = start;
    while let Some(index) = open.pop() {
        if found.insert(index) {
            open.extend(all[index].parents.iter().map(|(parent, _)| *parent));
        }
    }
    found
}

/// The migrations and everything that needs them.
fn with_descendants(all: &[Migration], start: Vec<usize>) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = start.into_iter().collect();
    // A child always has the higher index, so one pass sees every parent before its children.
    for (index, migration) in all.iter().enumerate() {
        if migration.parents.iter().any(|(parent, _)| found.contains(parent)) {
            found.insert(index);
        }
    }
    found
}
