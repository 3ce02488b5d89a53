//! What a check found, for people and as JSON.

use std::collections::BTreeMap;

use catalogue::{Catalogue, Kind, NEWEST};
use migrations::{Contract, Ledger, LedgerProblem, MissingTable, Project, Session};
use serde::Serialize;

use crate::{
    database::{
        differences::{self, Row},
        reference,
    },
    terminal::output::{Steps, count},
    throwaway::baseline::{Baseline, Wanted, reason},
};

/// The result of a check.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) differences: Vec<Finding>,
    /// What is not as the files say and makes no difference.
    pub(crate) notes: Vec<String>,
    /// What was not checked, and why.
    pub(crate) not_checked: Vec<String>,
    /// What was compared; `None` if it could not be.
    #[serde(skip)]
    pub(crate) schemas: Option<Schemas>,
    #[serde(skip)]
    pub(super) migrations: usize,
    #[serde(skip)]
    pub(super) tables: usize,
    #[serde(skip)]
    pub(super) rows: usize,
}

/// The two schemas of a check.
#[derive(Debug)]
pub(crate) struct Schemas {
    pub(crate) found: Catalogue,
    pub(crate) expected: Catalogue,
}

/// One difference between the database and the files.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Finding {
    #[serde(flatten)]
    pub(crate) row: Row,
    /// The same for people; empty if it follows from another.
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl Findings {
    /// What holds, if there is no difference.
    pub(crate) fn verdict(&self) -> String {
        let rows = match self.rows {
            0 => String::new(),
            rows => format!(", {}", count(rows, "seeded row", "seeded rows")),
        };
        let as_far = match (self.notes.is_empty(), self.not_checked.is_empty()) {
            (true, true) => "exactly as the files say",
            (false, true) => "as the files say, but for the notes",
            (_, false) => "as the files say, as far as it was checked",
        };
        let migrations = count(self.migrations, "migration", "migrations");
        let tables = count(self.tables, "table", "tables");
        format!("{migrations} applied, {tables}{rows}, {as_far}")
    }

    /// The differences, below a line with their number.
    pub(crate) fn lines(&self) -> Vec<String> {
        let shown: Vec<&Finding> = self.differences.iter().filter(|it| !it.what.is_empty()).collect();
        let mut lines = vec![format!("db-check: {}", count(shown.len(), "difference", "differences"))];
        let width = |it: &&Finding| it.what.lines().next().unwrap_or_default().chars().count();
        let widest = shown.iter().filter(|it| !it.remedy.is_empty()).map(width).max().unwrap_or(0);
        for finding in shown {
            let Finding { row, what, remedy } = finding;
            let mut parts = what.lines();
            let (first, padding) = (parts.next().unwrap_or_default(), widest.saturating_sub(width(&finding)));
            let line = format!("  {:<11} {first}{:padding$}   {remedy}", row.difference, "");
            lines.push(line.trim_end().to_owned());
            lines.extend(parts.map(str::to_owned));
        }
        lines
    }

    /// What makes no difference, and what was not checked.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let notes = self.notes.iter().map(|note| format!("  note        {note}"));
        notes.chain(self.not_checked.iter().map(|part| format!("  not checked {part}"))).collect()
    }

    fn add(&mut self, row: Row, what: String, remedy: String) {
        self.differences.push(Finding { row, what, remedy });
    }

    pub(super) fn add_ledger(&mut self, project: &Project, ledger: &Ledger) {
        let row = |difference, name| Row { difference, kind: "migration".to_owned(), name, ..Row::default() };
        let problems = ledger.problems(project);
        for problem in &problems {
            self.add(row(problem.kind(), String::new()), problem.what(), problem.remedy());
        }
        for migration in ledger.pending(project) {
            let late = problems
                .iter()
                .any(|problem| matches!(problem, LedgerProblem::Late { id, .. } if *id == migration.id));
            let elsewhere = ledger.recorded_elsewhere(project);
            let recorded = elsewhere.iter().any(|(_, all)| all.iter().any(|it| it.id == migration.id));
            if !late && !recorded {
                let (name, remedy) = (migration.id.to_string(), "apply it: cargo xtask migrate".to_owned());
                self.add(row("pending", name.clone()), name, remedy);
            }
        }
    }

    pub(super) fn add_contract(&mut self, project: &Project, ledger: &Ledger, contract: &Contract) {
        let row = |difference, table: &str| of_table(difference, "table", table);
        for MissingTable { app, table, .. } in &contract.missing {
            // If the app has pending migrations, one of them creates the table.
            let pending = ledger.pending(project).iter().any(|migration| &migration.id.app == app);
            let state = if pending { "it has pending migrations" } else { "all its migrations are applied" };
            let remedy = format!("app `{app}` owns it, and {state}");
            self.add(row("missing", table), format!("table {table}"), remedy);
        }
        for table in &contract.unexpected {
            let remedy = "no app owns it; list it in apps.toml, or drop it".to_owned();
            self.add(row("unexpected", table), format!("table {table}"), remedy);
        }
        for part in &contract.parts {
            let remedy = "it belongs to the app of its parent; remove it from apps.toml".to_owned();
            self.add(row("listed", &part.table), part.to_string(), remedy);
        }
    }

    pub(super) fn add_versions(&mut self, expected: &Catalogue, found: &Catalogue) {
        let (ours, theirs) = (expected.major(), found.major());
        if ours != theirs {
            self.not_checked.push(format!(
                "text of views, rules, policies and SQL bodies, names of not-null constraints: PostgreSQL {theirs} is checked, and \
                 what should be was built on {ours}"
            ));
        }
        if theirs > NEWEST {
            self.not_checked.push(format!(
                "what PostgreSQL {theirs} brought: this version of cargo xtask knows the catalogues up to {NEWEST}"
            ));
        }
    }

    pub(super) fn add_schema(
        &mut self,
        project: &Project,
        ledger: &Ledger,
        contract: &Contract,
        expected: &Catalogue,
        found: &Catalogue,
    ) {
        self.add_contract(project, ledger, contract);
        let mut all = catalogue::differences(expected, found);
        for note in all.extract_if(.., |it| it.is_note() || differences::only_added(it)) {
            self.notes.push(differences::what(expected, found, &note));
        }
        let shown = differences::independent(expected, found, &all);
        for difference in &all {
            let address = &difference.address;
            let listed = |it: &Finding| {
                it.row.kind == "table"
                    && it.row.name == address.name
                    && it.row.schema == address.schema
                    && it.row.part.is_empty()
            };
            // The list of tables in apps.toml says the same, and whose the table is.
            if address.kind == Kind::Table && self.differences.iter().any(listed) {
                continue;
            }
            let what = match shown.contains(&difference) {
                true => differences::what(expected, found, difference),
                false => String::new(),
            };
            self.add(Row::new(expected, found, difference), what, String::new());
        }
    }

    pub(super) async fn add_rows(
        &mut self,
        wanted: &Wanted<'_>,
        baseline: &Baseline,
        session: &mut Session,
        steps: &mut Steps,
    ) -> anyhow::Result<()> {
        let Some(reference) = &baseline.reference else {
            if !wanted.project.seeds.is_empty() {
                self.not_checked.push("the seeded rows: migrations are pending".to_owned());
            }
            return Ok(());
        };
        for (table, rows) in &reference.without_key {
            let rows = count(*rows, "seeded row", "seeded rows");
            self.not_checked
                .push(format!("{rows} of {table}: no unique key of it is the same in two seedings"));
        }
        let found = reference::read(session.connection(), reference).await?;
        for (table, why) in &found.unreadable {
            self.not_checked.push(format!("the seeded rows of {table}: {why}"));
        }
        self.rows = reference.rows();
        let (gone, changes) = apart(reference.changes(&found.rows));
        for (table, keys) in gone {
            self.add_gone(&table, &keys);
        }
        let repaired = match wanted.repaired(reference, &changes, steps).await {
            Ok(repaired) => repaired,
            Err(error) => {
                reason(error)?;
                // Without a server to try it on, every edit is a difference.
                vec![true; changes.len()]
            }
        };
        for (change, repaired) in changes.iter().zip(repaired) {
            let (table, key) = (&change.table, &change.key);
            let Some(value) = &change.value else { continue };
            let (expected, found) = (shown(value.expected.as_ref()), shown(value.found.as_ref()));
            let what = format!(
                "row {table} ({key}): {}\n    expected  {expected}\n    found     {found}",
                value.column
            );
            if !repaired {
                self.notes.push(what);
                continue;
            }
            let row = Row {
                part: key.clone(),
                attribute: Some(value.column.clone()),
                expected: value.expected.clone(),
                found: value.found.clone(),
                ..of_table("differs", "row", table)
            };
            self.add(row, what, "put it back: cargo xtask seed".to_owned());
        }
        Ok(())
    }

    /// Adds the seeded rows of a table that are gone: for people in one line if there are many.
    fn add_gone(&mut self, table: &str, keys: &[String]) {
        const MOST_SHOWN: usize = 5;
        for (at, key) in keys.iter().enumerate() {
            let what = match (keys.len() > MOST_SHOWN, at) {
                (false, _) => format!("row {table} ({key})"),
                (true, 0) => format!("{} seeded rows of {table}", keys.len()),
                (true, _) => String::new(),
            };
            let row = Row { part: key.clone(), ..of_table("missing", "row", table) };
            self.add(row, what, "put back what is gone: cargo xtask seed".to_owned());
        }
    }
}

/// A difference of a table that the manifest lists under this name, or of its rows.
fn of_table(difference: &'static str, kind: &str, table: &str) -> Row {
    let (schema, name) = table.split_once('.').unwrap_or(("public", table));
    let (kind, schema, name) = (kind.to_owned(), schema.to_owned(), name.to_owned());
    Row { difference, kind, schema, name, ..Row::default() }
}

/// The keys of the rows that are gone, by table, and the rows that were edited.
fn apart(changes: Vec<reference::Change>) -> (BTreeMap<String, Vec<String>>, Vec<reference::Change>) {
    let (gone, edited): (Vec<_>, Vec<_>) = changes.into_iter().partition(|it| it.value.is_none());
    let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in gone {
        by_table.entry(change.table).or_default().push(change.key);
    }
    (by_table, edited)
}

fn shown(value: Option<&String>) -> &str {
    value.map_or("null", String::as_str)
}

#[cfg(test)]
mod tests {
    use catalogue::Reading;

    use super::*;

    #[track_caller]
    fn check(built_on: u32, checked: u32, said: &[&str]) {
        let empty = |major| Catalogue::read(&Reading::new(major, vec![String::new(); 100]), &[]).unwrap();
        let mut findings = Findings::default();
        findings.add_versions(&empty(built_on), &empty(checked));
        assert_eq!(findings.not_checked.len(), said.len(), "{:?}", findings.not_checked);
        for (line, said) in findings.not_checked.iter().zip(said) {
            assert!(line.contains(said), "{line}");
        }
    }

    #[test]
    fn what_two_major_versions_cannot_agree_on_is_not_checked() {
        check(NEWEST, NEWEST, &[]);
        check(15, 16, &["text of views, rules, policies and SQL bodies"]);
    }

    #[test]
    fn a_newer_server_than_we_know_is_reported() {
        let newer = NEWEST + 1;
        check(
            newer,
            newer,
            &["what PostgreSQL 19 brought: this version of cargo xtask knows the catalogues up to 18"],
        );
    }
}
