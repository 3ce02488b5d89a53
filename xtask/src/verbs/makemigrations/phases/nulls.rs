//! Columns that begin to refuse null, of tables that may hold rows.

use std::collections::BTreeMap;

use catalogue::{Address, Body, Constraint, Kind};
use diff::{Change, Statement};

use super::Phases;

impl Phases<'_> {
    /// A column whose rows are known to hold no null, by a check, refuses null without reading them again.
    pub(super) fn not_null(&mut self, statement: Statement) -> Option<Statement> {
        let column = statement.object.clone();
        if self.table(&column).is_none() || self.must_refuse_null_at_once(&column) {
            return Some(statement);
        }
        let check = Address { kind: Kind::Constraint, part: self.name_of_check(&column), ..column.clone() };
        let (alter, name) = (self.alter(&column), self.to.quoted(&check.part));
        let is_not_null = format!("check ({} is not null)", self.to.quoted(&column.part));
        let of_check = |sql, change| Statement { sql, object: check.clone(), change, ..statement.clone() };
        let add = of_check(format!("{alter} add constraint {name} {is_not_null} not valid"), Change::Create);
        let filled = self.is_filled(&column, &column.part);
        let phase = if filled { &mut self.fill } else { &mut self.change };
        phase.push(add);
        self.validate.push(of_check(format!("{alter} validate constraint {name}"), Change::Alter));
        let drop = of_check(format!("{alter} drop constraint {name}"), Change::Drop);
        self.last.extend([statement, drop]);
        None
    }

    fn must_refuse_null_at_once(&self, column: &Address) -> bool {
        let numbers =
            matches!(self.to.get(column).map(|it| &it.body), Some(Body::Column(it)) if it.identity.is_some());
        let Some(table) = self.to.table_of(column) else { return true };
        let is_new = |kind, name: &str| {
            let mut address = Address { kind, part: name.to_owned(), ..column.clone() };
            if kind == Kind::Index {
                address = Address { name: name.to_owned(), part: String::new(), ..address };
            }
            self.from.get(&address) != self.to.get(&address)
        };
        let keys = self.to.constraints(&table.address).any(|(name, it)| {
            it.sort == "primary key" && it.columns.0.contains(&column.part) && is_new(Kind::Constraint, name)
        });
        let mut indexes = self.to.indexes_of(&table.address);
        let identifies = indexes.any(|(name, it)| it.replica_identity && is_new(Kind::Index, name));
        numbers || keys || identifies
    }

    fn name_of_check(&self, column: &Address) -> String {
        const LONGEST: usize = 55;
        let mut stem = format!("{}_{}", column.name, column.part);
        while stem.len() > LONGEST - "_not_null".len() {
            stem.pop();
        }
        let names: BTreeMap<&str, &Constraint> = [self.from, self.to]
            .into_iter()
            .filter_map(|schema| Some((schema, schema.table_of(column)?)))
            .flat_map(|(schema, table)| schema.constraints(&table.address))
            .collect();
        let numbered = (2..).map(|number| format!("{stem}_not_null_{number}"));
        let mut wanted = [format!("{stem}_not_null")].into_iter().chain(numbered);
        wanted.find(|name| !names.contains_key(name.as_str())).unwrap_or(stem)
    }
}
