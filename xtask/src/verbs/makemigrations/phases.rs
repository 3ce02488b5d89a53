//! The phases of a change to tables that may hold rows. In each, a statement keeps readers and writers out for a moment only:
//! what takes long, reading all rows, comes in migrations of their own, which let both go on.

mod indexes;
mod nulls;

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Address, Body, Catalogue, Constraint, Kind, Table};
use diff::{Change, Hazard, Statement};

use super::filling;

/// How tables that may hold rows are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// In phases.
    Careful,
    /// At once, which is over soon if the tables are small.
    Quick,
}

/// What a phase is for. The order is the one in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// It changes the schema.
    Change,
    /// It gives the rows values.
    Fill,
    /// It builds one index, outside of a transaction.
    Index,
    /// It checks the rows, and then uses what was built or checked.
    Validate,
    /// It uses what was built.
    Finish,
}

/// Some statements of a script that belong into a migration of their own.
pub(super) struct Phase {
    pub(super) purpose: Purpose,
    pub(super) statements: Vec<Statement>,
}

/// Divides a script among phases. Tables that are not in `from` hold no rows.
pub(super) fn phases(from: &Catalogue, to: &Catalogue, statements: Vec<Statement>, pace: Pace) -> Vec<Phase> {
    if pace == Pace::Quick {
        return vec![Phase { purpose: Purpose::Change, statements }];
    }
    let mut phases = Phases::new(from, to, &statements);
    for statement in statements {
        phases.add(statement);
    }
    phases.finish()
}

struct Phases<'c> {
    from: &'c Catalogue,
    to: &'c Catalogue,
    /// The objects that are made, or made again.
    made: BTreeSet<Address>,
    /// The objects that are dropped and made again.
    remade: BTreeSet<Address>,
    /// The tables that lose a column, or have one of another type.
    reshaped: BTreeSet<Address>,
    change: Vec<Statement>,
    fill: Vec<Statement>,
    indexes: Vec<Statement>,
    validate: Vec<Statement>,
    /// What must wait for the indexes and the checks of rows.
    last: Vec<Statement>,
    /// The columns whose rows get values in a phase of their own.
    filled: BTreeSet<Address>,
    /// The statements that drop what stays until its successor is ready.
    dropped: BTreeMap<Address, Statement>,
    /// The objects that are made late, whose comments and the like come later still.
    late: BTreeSet<Address>,
}

impl<'c> Phases<'c> {
    fn new(from: &'c Catalogue, to: &'c Catalogue, statements: &[Statement]) -> Phases<'c> {
        let objects = |change: Change| -> BTreeSet<Address> {
            statements.iter().filter(|it| it.change == change).map(|it| it.object.clone()).collect()
        };
        let (made, dropped) = (objects(Change::Create), objects(Change::Drop));
        let reshapes = |it: &&Statement| {
            it.object.kind == Kind::Column && (it.change == Change::Drop || it.sql.contains(" type "))
        };
        let reshaped = statements.iter().filter(reshapes).filter_map(|it| from.table_of(&it.object));
        Phases {
            from,
            to,
            remade: made.intersection(&dropped).cloned().collect(),
            reshaped: reshaped.map(|table| table.address.clone()).collect(),
            made,
            dropped: BTreeMap::new(),
            change: Vec::new(),
            fill: Vec::new(),
            indexes: Vec::new(),
            validate: Vec::new(),
            last: Vec::new(),
            filled: BTreeSet::new(),
            late: BTreeSet::new(),
        }
    }

    fn finish(self) -> Vec<Phase> {
        let phase = |purpose, statements| Phase { purpose, statements };
        let indexes = self.indexes.into_iter().map(|index| phase(Purpose::Index, vec![index]));
        let mut all = vec![phase(Purpose::Change, self.change), phase(Purpose::Fill, self.fill)];
        all.extend(indexes);
        let last = if self.validate.is_empty() { Purpose::Finish } else { Purpose::Validate };
        all.push(phase(last, [self.validate, self.last].concat()));
        all.retain(|phase| !phase.statements.is_empty());
        all
    }

    fn add(&mut self, statement: Statement) {
        if filling::fills(&statement) {
            self.filled.insert(statement.object.clone());
            self.fill.push(statement);
            return;
        }
        if statement.change == Change::Drop && self.stays_meanwhile(&statement.object) {
            self.dropped.insert(statement.object.clone(), statement);
            return;
        }
        if self.late.contains(&statement.object) {
            self.last.push(statement);
            return;
        }
        let left = match self.to.get(&statement.object).map(|it| &it.body) {
            Some(Body::Constraint(it)) if statement.change == Change::Create => {
                self.constraint(statement, it)
            }
            Some(Body::NotNull(it)) if statement.change == Change::Create && !it.not_valid => {
                self.unvalidated(statement, it.columns.0.first())
            }
            Some(Body::DomainConstraint(it)) if statement.change == Change::Create && !it.not_valid => {
                self.domain_constraint(statement)
            }
            Some(Body::Index(it)) if statement.change == Change::Create => self.index(statement, it),
            Some(Body::Column(_)) if statement.sql.ends_with(" set not null") => self.not_null(statement),
            _ => Some(statement),
        };
        self.change.extend(left);
    }

    /// A foreign key or a check holds for new rows at once, and for the others once it is validated.
    fn constraint(&mut self, statement: Statement, body: &Constraint) -> Option<Statement> {
        if body.not_valid || body.not_enforced {
            return Some(statement);
        }
        match body.sort.as_str() {
            "foreign key"
                if self.table(&statement.object).is_some_and(|table| table.partitioned_by.is_none()) =>
            {
                self.unvalidated(statement, None)
            }
            "check" => self.unvalidated(statement, None),
            "unique" | "primary key" => self.unique(statement, body),
            _ => Some(statement),
        }
    }

    fn unvalidated(&mut self, mut statement: Statement, column: Option<&String>) -> Option<Statement> {
        let address = &statement.object;
        if self.table(address).is_none() {
            return Some(statement);
        }
        let validate =
            format!("{} validate constraint {}", self.alter(address), self.to.quoted(&address.part));
        self.validate.push(altered(&statement, validate));
        statement.sql += " not valid";
        statement.hazards.retain(|hazard| *hazard != Hazard::Scan);
        let filled = column.is_some_and(|column| self.is_filled(address, column));
        let phase = if filled { &mut self.fill } else { &mut self.change };
        phase.push(statement);
        None
    }

    fn domain_constraint(&mut self, mut statement: Statement) -> Option<Statement> {
        let Address { schema, name, part, .. } = statement.object.clone();
        let domain = Address { kind: Kind::Domain, schema, name, part: String::new() };
        if self.from.get(&domain).is_none() || self.made.contains(&domain) {
            return Some(statement);
        }
        let name = self.to.qualified(&domain);
        let validate = format!("alter domain {name} validate constraint {}", self.to.quoted(&part));
        self.validate.push(altered(&statement, validate));
        statement.sql += " not valid";
        self.change.push(statement);
        None
    }

    fn is_filled(&self, part: &Address, column: &str) -> bool {
        let column = Address { kind: Kind::Column, part: column.to_owned(), ..part.clone() };
        self.filled.contains(&column)
    }

    /// The table of a part, if it may hold rows and stays where it is.
    fn table(&self, part: &Address) -> Option<&'c Table> {
        let address = &self.to.table_of(part)?.address;
        if self.made.contains(address) {
            return None;
        }
        let body = |schema: &'c Catalogue| match &schema.get(address)?.body {
            Body::Table(table) => Some(table),
            _ => None,
        };
        let (before, after) = (body(self.from)?, body(self.to)?);
        (before.inherits == after.inherits && before.partition == after.partition).then_some(after)
    }

    fn alter(&self, part: &Address) -> String {
        let table = self.to.table_of(part).map_or(part, |table| &table.address);
        format!("alter table {}", self.to.qualified(table))
    }
}

/// A statement that changes the object of another one.
fn altered(of: &Statement, sql: String) -> Statement {
    Statement { sql, change: Change::Alter, hazards: vec![Hazard::Scan], ..of.clone() }
}
