//! How a ledger disagrees with the files, and with ledgers elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{
    Applied, Direction, Down, Late, Ledger, LedgerProblem, Migration, MigrationId, Project, lone::Lone,
    manifest::is_ledger, shell::shell_word,
};

impl Ledger {
    /// Every way in which it contradicts the files. Pending migrations are not a contradiction.
    pub fn problems<'p>(&self, project: &'p Project) -> Vec<LedgerProblem> {
        let key = |migration: &'p Migration| (migration.id.app.as_str(), migration.number);
        let files: BTreeMap<(&str, i64), &Migration> =
            project.migrations.iter().map(|it| (key(it), it)).collect();
        // What it records elsewhere explains whatever else seems to be missing.
        let mut problems = self.problems_elsewhere(project);
        if !problems.is_empty() {
            return problems;
        }
        for row in self.applied() {
            let file = files.get(&(row.app.as_str(), row.version));
            if let Some(package) = project.app(&row.app).ok().and_then(|app| app.package.as_ref()) {
                problems.extend(other_version(package, row, file.copied(), project));
                continue;
            }
            match file {
                None => {
                    let applied = format!("{}/{}", row.app, row.name());
                    let (up, installed_on) = (up_file(project, row), row.installed_on.clone());
                    problems.push(LedgerProblem::FileGone { applied, installed_on, up });
                }
                Some(migration) if row.unfinished.is_some() => {
                    problems.extend(unfinished(migration, row, project));
                }
                Some(migration)
                    if migration.checksum() != row.checksum
                        && migration.recorded.description != row.description =>
                {
                    let (id, applied_as) = (migration.id.clone(), row.name());
                    let (ways, installed_on) =
                        (other_branch(project, migration, row), row.installed_on.clone());
                    problems.push(LedgerProblem::OtherFile { id, applied_as, installed_on, ways });
                }
                Some(migration) if migration.checksum() != row.checksum => {
                    let (id, path) = (migration.id.clone(), migration.up.path.clone());
                    let again = self.again(project, migration);
                    problems.push(LedgerProblem::Edited { id, path, again });
                }
                Some(migration) if migration.recorded.description != row.description => {
                    let (id, applied_as) = (migration.id.clone(), row.name());
                    let files = renames(migration, &applied_as);
                    problems.push(LedgerProblem::Renamed { id, applied_as, files });
                }
                Some(_) => {}
            }
        }
        let applied: BTreeMap<(&str, i64), &Migration> =
            files.into_iter().filter(|(_, migration)| self.has(migration)).collect();
        for migration in &project.migrations {
            let (app, number) = key(migration);
            let later = applied
                .range((Bound::Excluded((app, number)), Bound::Unbounded))
                .next()
                .filter(|((other, _), _)| *other == app);
            if let (false, Some((_, later))) = (self.has(migration), later)
                && project.apps[migration.app].late == Late::Refuse
            {
                let (id, after) = (migration.id.clone(), later.id.clone());
                problems.push(LedgerProblem::Late { ways: found_again(project, &id), id, after });
            }
            if !self.has(migration) {
                continue;
            }
            for parent in &migration.parents {
                let parent = &project.migrations[parent.index];
                if parent.id.app != migration.id.app && !self.has(parent) {
                    let (id, parent) = (migration.id.clone(), parent.id.clone());
                    problems.push(LedgerProblem::WithoutParent {
                        ways: found_again(project, &parent),
                        id,
                        parent,
                    });
                }
            }
        }
        problems.extend(self.unknown.iter().cloned().map(|table| {
            let back =
                "give its app an entry in apps.toml again, or use another schema for what is no ledger";
            let ways = self.renames_of(project, &table).into_iter().chain([back.to_owned()]).collect();
            LedgerProblem::UnknownTable { table, ways }
        }));
        problems
    }

    /// The command that applies an edited migration again, if it can be reverted alone and in a transaction.
    fn again(&self, project: &Project, migration: &Migration) -> Option<String> {
        let Down::Script(down) = &migration.down else { return None };
        let outside = down.no_transaction || migration.up.no_transaction;
        if outside || down.is_empty() || self.dependent(project, migration).is_some() {
            return None;
        }
        let (app, name) = (&migration.id.app, shell_word(&migration.id.name));
        let label = "or, on a development database, and until it is on the main branch, apply it again:";
        project.commands.tool(label, &format!("migrate {app} {name} --again"))
    }

    /// Ledgers that record what the apps' own don't, though that was applied.
    fn problems_elsewhere(&self, project: &Project) -> Vec<LedgerProblem> {
        let mut problems = Vec::new();
        for (table, unrecorded) in self.recorded_elsewhere(project) {
            let Some(first) = unrecorded.first() else { continue };
            let tool = "record them without running them again:";
            let mut ways: Vec<String> = project.commands.tool(tool, "adopt").into_iter().collect();
            let apps: BTreeSet<usize> = unrecorded.iter().map(|migration| migration.app).collect();
            if let (Some(&app), 1, true) = (apps.first(), apps.len(), is_ledger(table)) {
                let name = &project.apps[app].name;
                ways.push(format!(
                    "or keep that ledger, with a line beside the name of app `{name}` in apps.toml: ledger = \"{table}\""
                ));
            }
            ways.extend(self.renames_of(project, table));
            let (table, id, count) = (table.to_owned(), first.id.clone(), unrecorded.len());
            problems.push(LedgerProblem::Elsewhere { table, id, count, ways });
        }
        problems
    }

    /// The commands for a table that no app has: an app without a table may have been called otherwise before.
    fn renames_of(&self, project: &Project, table: &str) -> Vec<String> {
        let renamed = project.apps.iter().filter(|app| self.absent.contains(&app.name)).filter_map(|app| {
            let (schema, name) = app.ledger.split_once('.')?;
            let same = table.split_once('.').is_some_and(|(other, _)| other == schema);
            let sql = project.commands.sql(&format!("alter table {table} rename to {name}"));
            same.then(|| format!("if app `{}` was called so before: {sql}", app.name))
        });
        renamed.collect()
    }
}

/// What is wrong with a row of an app whose files a package brings, and only its authors can mend. Another name for the same
/// file is no problem, as for sqlx.
fn other_version(
    package: &str,
    row: &Applied,
    file: Option<&Migration>,
    project: &Project,
) -> Option<LedgerProblem> {
    let changed = file.is_none_or(|migration| migration.checksum() != row.checksum);
    match file {
        Some(migration) if row.unfinished.is_some() => unfinished(migration, row, project),
        _ => changed.then(|| LedgerProblem::OtherVersion {
            applied: format!("{}/{}", row.app, row.name()),
            package: package.to_owned(),
            instead: file.map(|migration| migration.up.path.clone()),
        }),
    }
}

/// What a person has to decide about a row of a run that did not finish. Nothing, where the next run can see in the catalogue
/// how far that one came.
fn unfinished(migration: &Migration, row: &Applied, project: &Project) -> Option<LedgerProblem> {
    let direction = row.unfinished?;
    let script = match (direction, &migration.down) {
        (Direction::Up, _) => Some(&migration.up),
        (Direction::Down, Down::Script(script)) => Some(script),
        (Direction::Down, Down::Irreversible(_)) => None,
    };
    let same_file = migration.checksum() == row.checksum;
    let outside = script.filter(|script| script.no_transaction);
    let seen = outside.is_some_and(|script| Lone::read(&script.text).leaves_a_trace());
    (!(seen && same_file)).then(|| LedgerProblem::Unfinished {
        id: migration.id.clone(),
        direction: outside.map(|_| direction),
        applied: project.commands.sql(&format!(
            "update {} set success = true where version = {}",
            project.apps[migration.app].ledger, row.version
        )),
        pending: project.commands.sql(&format!(
            "delete from {} where version = {}",
            project.apps[migration.app].ledger, row.version
        )),
    })
}

/// The path that the up file of a row had.
fn up_file(project: &Project, row: &Applied) -> String {
    let path =
        |migration: &Migration| migration.up.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folder = project.migrations_of(&row.app).find_map(path).unwrap_or_else(|| row.app.clone());
    let ending = project.app(&row.app).map_or(".up.sql", |app| project.naming(app).up);
    format!("{folder}/{}{ending}", row.name())
}

/// The commands for another migration with the number of this one, which was applied.
fn other_branch(project: &Project, migration: &Migration, row: &Applied) -> Vec<String> {
    let find = format!(
        "find the branch that has it: git log --all --oneline -- {}",
        shell_word(&up_file(project, row))
    );
    let app = &migration.id.app;
    let earlier = project.migrations_of(app).filter(|other| other.number < migration.number);
    let state = shell_word(earlier.last().map_or("zero", |earlier| &earlier.id.name));
    let back =
        project.commands.tool("on that branch, go back to before it:", &format!("migrate {app} {state}"));
    let again = project.commands.tool("or begin again without the rows of this database:", "db-reset");
    [find].into_iter().chain(back).chain(again).collect()
}

/// The commands that give the files of a migration another name.
fn renames(migration: &Migration, name: &str) -> Vec<String> {
    let down = match &migration.down {
        Down::Script(script) => Some(&script.path),
        Down::Irreversible(_) => None,
    };
    let paths = [Some(&migration.up.path), down].into_iter().flatten();
    paths
        .map(|path| {
            let new = path.replace(&format!("/{}.", migration.id.name), &format!("/{name}."));
            format!("mv {} {}", shell_word(path), shell_word(&new))
        })
        .collect()
}

/// The commands for a migration whose row may have been lost.
fn found_again(project: &Project, id: &MigrationId) -> Vec<String> {
    let (app, name) = (&id.app, shell_word(&id.name));
    let commands = &project.commands;
    let adopt =
        commands.tool("if the database has what it makes, its row was lost:", &format!("adopt {app} {name}"));
    let tool = commands.tool.as_deref().unwrap_or_default();
    let run = format!("sqlmigrate {app} {name} | {tool} db-shell");
    let run = commands.tool("if it lacks that, make it first:", &run);
    adopt.into_iter().chain(run).collect()
}
