//! The plan: which migrations run, which way, in what order.

use std::collections::BTreeSet;

use crate::{Direction, Down, Error, Ledger, Migration, MigrationId, NoWayBack, Project, Script};

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

impl Target {
    /// An app back to where it was before one of its migrations.
    pub fn before(project: &Project, migration: &MigrationId) -> Target {
        let earlier = project.migrations_of(&migration.app).take_while(|other| other.id != *migration);
        match earlier.last() {
            Some(last) => Target::Migration(last.id.clone()),
            None => Target::Zero(migration.app.clone()),
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Step<'p> {
    /// The migration.
    pub migration: &'p Migration,
    /// Which way it runs.
    pub direction: Direction,
    /// The file that runs.
    pub script: &'p Script,
}

impl<'p> Step<'p> {
    /// The way forward of a migration.
    pub fn up(migration: &'p Migration) -> Step<'p> {
        Step { migration, direction: Direction::Up, script: &migration.up }
    }

    /// The way back of a migration, if it has one.
    pub fn down(migration: &'p Migration) -> Option<Step<'p>> {
        match &migration.down {
            Down::Script(script) => Some(Step { migration, direction: Direction::Down, script }),
            Down::Irreversible(_) => None,
        }
    }
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
    /// [`Error::Ledger`] if the ledger contradicts the files, [`Error::NoWayBack`], [`Error::UnknownApp`] and
    /// [`Error::UnknownMigration`].
    pub fn new(project: &'p Project, ledger: &Ledger, target: &Target) -> Result<Plan<'p>, Error> {
        ledger.require_agreement(project)?;
        let all = &project.migrations;
        let forward = |wanted: BTreeSet<usize>| Plan {
            steps: wanted
                .into_iter()
                .filter(|&index| !ledger.has(&all[index]))
                .map(|index| &all[index])
                .map(|migration| Step { migration, direction: Direction::Up, script: &migration.up })
                .collect(),
        };
        let of_app = |app: &str, above: Option<i64>| {
            let matches = |(_, m): &(usize, &Migration)| m.id.app == app && Some(m.number) > above;
            all.iter().enumerate().filter(matches).map(|(index, _)| index).collect::<Vec<_>>()
        };

        match target {
            Target::Latest => Ok(forward((0..all.len()).collect())),
            Target::App(app) => {
                let app = project.app(app)?;
                Ok(forward(with_ancestors(all, of_app(&app.name, None))))
            }
            Target::Migration(id) => {
                let wanted = project.migration(&id.app, &id.name)?;
                if of_app(&wanted.id.app, Some(wanted.number)).iter().any(|&index| ledger.has(&all[index])) {
                    return Plan::back(project, ledger, &wanted.id.app, Some(wanted.number));
                }
                let this = all.iter().position(|migration| migration.id == wanted.id);
                Ok(forward(with_ancestors(all, this.into_iter().collect())))
            }
            Target::Zero(app) => {
                let app = project.app(app)?;
                Plan::back(project, ledger, &app.name, None)
            }
        }
    }

    /// Reverts what an app has applied above a number, or all of it, and all that depends on it.
    fn back(project: &'p Project, ledger: &Ledger, app: &str, above: Option<i64>) -> Result<Plan<'p>, Error> {
        let all = &project.migrations;
        let reverted_above = |number: Option<i64>| -> Vec<usize> {
            let above = |(_, m): &(usize, &Migration)| m.id.app == app && Some(m.number) > number;
            let start = all.iter().enumerate().filter(above).map(|(index, _)| index).collect();
            let reverted = with_descendants(all, start).into_iter().rev();
            reverted.filter(|&index| ledger.has(&all[index])).collect()
        };
        let (mut steps, mut blocked_by, mut blocked) = (Vec::new(), Vec::new(), Vec::new());
        for index in reverted_above(above) {
            let migration = &all[index];
            match &migration.down {
                Down::Script(script) => steps.push(Step { migration, direction: Direction::Down, script }),
                Down::Irreversible(line) => {
                    blocked.push(index);
                    blocked_by.push((migration.id.clone(), line.clone()));
                }
            }
        }
        if blocked_by.is_empty() {
            return Ok(Plan { steps });
        }
        // The app has to keep whatever these need.
        let kept = with_ancestors(all, blocked).into_iter().map(|index| &all[index]);
        let furthest =
            kept.filter(|migration| migration.id.app == app).max_by_key(|migration| migration.number);
        let furthest = furthest.filter(|migration| !reverted_above(Some(migration.number)).is_empty());
        let furthest = furthest.map(|migration| migration.id.clone());
        Err(Error::NoWayBack(Box::new(NoWayBack { blocked_by, furthest })))
    }

    /// The migrations that it would apply though a later one of their app is applied, each with the next such one.
    pub fn late(&self, project: &'p Project, ledger: &Ledger) -> Vec<(&'p Migration, &'p Migration)> {
        let late = |migration: &'p Migration| {
            let later = project.migrations_of(&migration.id.app).filter(|it| it.number > migration.number);
            Some((migration, later.into_iter().find(|it| ledger.has(it))?))
        };
        let ups = self.steps.iter().filter(|step| step.direction == Direction::Up);
        ups.filter_map(|step| late(step.migration)).collect()
    }

    /// Whether a step reverts a migration.
    pub fn goes_back(&self) -> bool {
        self.steps.iter().any(|step| step.direction == Direction::Down)
    }
}

/// The migrations and everything that they depend on. Indices follow the order in which migrations run.
pub(crate) fn with_ancestors(all: &[Migration], start: Vec<usize>) -> BTreeSet<usize> {
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
