//! Indexes, and the constraints that rest on one, on tables that may hold rows.

use catalogue::{Address, Body, Constraint, Index, Kind, Strength};
use diff::Statement;

use super::Phases;

impl Phases<'_> {
    /// An index is built while others write. One that something else of the same script relies on is built at once.
    pub(super) fn index(&mut self, mut statement: Statement, body: &Index) -> Option<Statement> {
        let address = statement.object.clone();
        let concurrently = body.attached_to.is_none()
            && self.is_unpartitioned(&body.table.0)
            && self.from.get(&address).is_none()
            && !self.is_relied_on(&address);
        let rest = statement.sql.split_once("index ").filter(|_| concurrently);
        let Some((create, rest)) = rest else { return Some(statement) };
        statement.sql = format!("{create}index concurrently {rest}");
        self.indexes.push(statement);
        self.late.insert(address);
        None
    }

    /// A unique constraint or a primary key takes an index that was built before.
    pub(super) fn unique(&mut self, statement: Statement, body: &Constraint) -> Option<Statement> {
        let Address { schema, name, part, .. } = &statement.object;
        let address =
            Address { kind: Kind::Index, schema: schema.clone(), name: part.clone(), part: String::new() };
        let table = self.to.table_of(&statement.object).map(|table| &table.address);
        let (Some(table), Some(Body::Index(index))) = (table, self.to.get(&address).map(|it| &it.body))
        else {
            return Some(statement);
        };
        let refuses_null = |column: &String| {
            let column = Address {
                kind: Kind::Column,
                schema: schema.clone(),
                name: name.clone(),
                part: column.clone(),
            };
            matches!(self.from.get(&column).map(|it| &it.body), Some(Body::Column(it)) if it.not_null)
        };
        let concurrently = self.is_unpartitioned(table)
            && index.attached_to.is_none()
            && index.options.0.is_empty()
            && index.tablespace.is_none()
            && !body.period
            && (body.sort != "primary key" || body.columns.0.iter().all(refuses_null))
            && [&statement.object, &address]
                .iter()
                .all(|it| self.from.get(it).is_none() && !self.is_relied_on(it));
        if !concurrently {
            return Some(statement);
        }
        let list = |columns: &[String]| {
            columns.iter().map(|column| self.to.quoted(column)).collect::<Vec<_>>().join(", ")
        };
        let quoted = self.to.quoted(part);
        let mut create = format!(
            "create unique index concurrently {quoted} on {} ({})",
            self.qualified(table),
            list(&body.columns.0)
        );
        if !index.include.0.is_empty() {
            create += &format!(" include ({})", list(&index.include.0));
        }
        if index.nulls_not_distinct {
            create += " nulls not distinct";
        }
        let mut add = format!(
            "{} add constraint {quoted} {} using index {quoted}",
            self.alter(&statement.object),
            body.sort
        );
        for (holds, words) in
            [(body.deferrable, " deferrable"), (body.initially_deferred, " initially deferred")]
        {
            add += if holds { words } else { "" };
        }
        self.late.extend([statement.object.clone(), address.clone()]);
        self.last.push(Statement { sql: add, ..statement.clone() });
        self.indexes.push(Statement { sql: create, object: address, ..statement });
        None
    }

    /// Whether a table or materialized view may hold rows, and has all of them itself.
    fn is_unpartitioned(&self, relation: &Address) -> bool {
        match relation.kind {
            Kind::Table => self.table(relation).is_some_and(|table| table.partitioned_by.is_none()),
            _ => self.from.get(relation).is_some() && !self.made.contains(relation),
        }
    }

    /// Whether something that is new or changes needs an object.
    fn is_relied_on(&self, address: &Address) -> bool {
        let mut others = self.to.objects().filter(|it| self.from.get(&it.address) != Some(it));
        others.any(|other| {
            let mut needs = other.needs.iter();
            needs.any(|need| *need.on == *address && need.strength != Strength::Internal)
        })
    }
}
