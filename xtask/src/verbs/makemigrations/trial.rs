//! Tries new migrations on generated rows: whether these survive, and whether the way back runs over them.

mod attempt;
mod contents;
mod rows;
mod values;

use std::collections::{BTreeSet, HashMap};

use catalogue::{Address, Body, Catalogue, Kind};
use diff::Rename;
use migrations::{Error, Project, Session, Target};

use self::{contents::Contents, rows::Empty};
use super::{draft::Draft, findings::Findings};

/// The first numbers of the rows for the schema before, and for the one after.
const OLD: usize = 1;
const NEW: usize = 11;

/// New migrations, in a database with all older ones.
pub(super) struct Trial<'t> {
    pub(super) session: &'t mut Session,
    /// The project with them.
    pub(super) project: &'t Project,
    pub(super) drafts: &'t [Draft],
    /// The schema before the first one, and after each.
    pub(super) states: &'t [Catalogue],
    /// The renames that each makes.
    pub(super) renames: Vec<Vec<Rename>>,
}

impl Trial<'_> {
    pub(super) async fn run(&mut self) -> anyhow::Result<Vec<Findings>> {
        let mut findings = vec![Findings::default(); self.drafts.len()];
        let touched: Vec<Vec<Address>> = (0..self.drafts.len()).map(|at| self.touched(at)).collect();
        if touched.iter().all(Vec::is_empty) {
            return Ok(findings);
        }
        let mut empty = rows::fill(self.session.connection(), &self.states[0], OLD).await?;
        let mut contents = vec![Contents::read(self.session.connection(), &self.states[0]).await?];
        for at in 0..self.drafts.len() {
            let here = &contents[at];
            let (tried, untried): (Vec<&Address>, Vec<&Address>) =
                touched[at].iter().partition(|table| here.has_rows(table));
            let failed = self.go(&Target::Migration(self.drafts[at].id.clone())).await?;
            if let Some(why) = failed {
                findings[at].up.push(format!("Tried with rows: fails on some, {why}."));
                for (later, touched) in findings.iter_mut().zip(&touched).skip(at + 1) {
                    let why = format!("Not tried with rows: {} fails on them.", self.drafts[at].id);
                    later.up.extend((!touched.is_empty()).then_some(why));
                }
                return Ok(findings);
            }
            let next = Contents::read(self.session.connection(), &self.states[at + 1]).await?;
            if !tried.is_empty() {
                let (types, conn) = (self.old_types(at), self.session.connection());
                let seen = Contents::read_as(conn, &self.states[at + 1], &types).await?;
                let lost = here.lost(&seen, &self.renames[at]);
                let kept = if lost.is_empty() { "keeps all rows".to_owned() } else { lost.join(", ") };
                findings[at].up.push(format!("Tried with rows: {kept}."));
            }
            findings[at].up.extend(not_tried(&untried, &empty));
            for Empty { table, .. } in &mut empty {
                *table = diff::renamed(table.clone(), &self.renames[at]);
            }
            contents.push(next);
        }
        if self.back(&mut findings, "rows").await? {
            self.go(&Target::Latest).await?;
            let last = &self.states[self.drafts.len()];
            rows::fill(self.session.connection(), last, NEW).await?;
            self.back(&mut findings, "rows that were not possible before").await?;
        }
        Ok(findings)
    }

    /// Goes back as far as the rows allow. Returns whether that is the whole way.
    async fn back(&mut self, findings: &mut [Findings], what: &str) -> anyhow::Result<bool> {
        for at in (0..self.drafts.len()).rev() {
            let target = Target::before(self.project, &self.drafts[at].id);
            if let Some(why) = self.go(&target).await? {
                findings[at].down.push(format!("Does not run over {what}: {why}."));
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Migrates, and returns what Postgres refused.
    async fn go(&mut self, target: &Target) -> anyhow::Result<Option<String>> {
        match self.session.migrate(self.project, target, &mut |_| {}).await {
            Ok(_) => Ok(None),
            Err(Error::Failed(failure)) => Ok(Some(failure.message.replace(['\n', '\r'], " "))),
            Err(error) => Err(error.into()),
        }
    }

    /// The columns that a migration gives another type, by their new names, each with its old type.
    fn old_types(&self, at: usize) -> HashMap<Address, String> {
        let data_type = |schema: &Catalogue, column: &Address| match &schema.get(column)?.body {
            Body::Column(column) => Some(column.data_type.clone()),
            _ => None,
        };
        let (before, after) = (&self.states[at], &self.states[at + 1]);
        let columns = before.of_kind(Kind::Column).map(|it| &it.address);
        let columns = columns.map(|old| (diff::renamed(old.clone(), &self.renames[at]), old));
        let retyped = columns.filter_map(|(new, old)| {
            let old = data_type(before, old)?;
            (old != data_type(after, &new)?).then_some((new, old))
        });
        retyped.collect()
    }

    /// The tables that exist before a migration and that it changes.
    fn touched(&self, at: usize) -> Vec<Address> {
        let (before, after) = (&self.states[at], &self.states[at + 1]);
        let mut names: BTreeSet<(String, String)> = BTreeSet::new();
        for object in self.drafts[at].statements.iter().map(|it| &it.object) {
            for schema in [before, after] {
                names.extend(tables(schema, object).map(|it| (it.schema.clone(), it.name.clone())));
            }
        }
        for rename in self.renames[at].iter().filter(|it| it.column.is_none()) {
            if names.contains(&(rename.schema.clone(), rename.to.clone())) {
                names.insert((rename.schema.clone(), rename.name.clone()));
            }
        }
        let tables = before.of_kind(Kind::Table).filter(|it| !it.is_partition()).map(|it| &it.address);
        tables.filter(|it| names.contains(&(it.schema.clone(), it.name.clone()))).cloned().collect()
    }
}

/// The tables that an object is, is of, or gives values to.
fn tables<'c>(schema: &'c Catalogue, object: &Address) -> impl Iterator<Item = &'c Address> {
    let own = schema.table_of(object).map(|table| &table.address);
    let of_index = match schema.get(object).map(|it| &it.body) {
        Some(Body::Index(index)) => Some(&index.table.0),
        _ => None,
    };
    let kind = if object.kind == Kind::DomainConstraint { Kind::Domain } else { object.kind };
    let data_type = Address { kind, part: String::new(), ..object.clone() };
    let is_type = matches!(kind, Kind::Enum | Kind::Domain | Kind::Range | Kind::CompositeType);
    let columns = schema
        .of_kind(Kind::Column)
        .filter(move |column| is_type && column.needs.iter().any(|need| *need.on == data_type));
    let of_type = columns.filter_map(|column| schema.table_of(&column.address)).map(|table| &table.address);
    own.into_iter().chain(of_index).chain(of_type)
}

/// The line for tables that no generated row was found for.
fn not_tried(untried: &[&Address], empty: &[Empty]) -> Option<String> {
    let of_table = untried.iter().filter_map(|table| empty.iter().find(|it| it.table == **table));
    let tables: Vec<String> = of_table.map(|it| format!("{}, {}", it.table.typed(), it.why)).collect();
    (!tables.is_empty())
        .then(|| format!("Not tried with rows: {}.", tables.join("; ").replace(['\n', '\r'], " ")))
}
