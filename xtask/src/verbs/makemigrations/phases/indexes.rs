//! Indexes, and the constraints that rest on one, on tables that may hold rows.

use catalogue::{Address, Body, Constraint, Index, Kind, Strength};
use diff::{Change, Statement};

use super::Phases;

impl Phases<'_> {
    /// An index is built while others write, and takes the place of an older one when it is ready.
    pub(super) fn index(&mut self, mut statement: Statement, body: &Index) -> Option<Statement> {
        let address = statement.object.clone();
        let concurrently = self.index_comes_late(&address, body);
        let start = format!("index {} ", self.to.quoted(&address.name));
        let rest = statement.sql.split_once(&start).filter(|_| concurrently);
        let Some((create, rest)) = rest else { return Some(statement) };
        let built = self.built_as(&address);
        let name = self.to.quoted(&built.name);
        let sql = format!("{create}index concurrently {name} {rest}");
        if built != address {
            let rename = format!(
                "alter index {} rename to {}",
                self.to.qualified(&built),
                self.to.quoted(&address.name)
            );
            self.last.extend(self.dropped.remove(&address));
            self.last.push(Statement { sql: rename, change: Change::Alter, ..statement.clone() });
        }
        statement.sql = sql;
        statement.object = built;
        self.indexes.push(statement);
        self.late.insert(address);
        None
    }

    /// A unique constraint or a primary key takes an index that was built before, and gives it its name.
    pub(super) fn unique(&mut self, statement: Statement, body: &Constraint) -> Option<Statement> {
        let constraint = statement.object.clone();
        let address = index_of(&constraint);
        let table = self.to.table_of(&constraint).map(|table| &table.address);
        let (Some(table), Some(Body::Index(index))) = (table, self.to.get(&address).map(|it| &it.body))
        else {
            return Some(statement);
        };
        if !self.unique_comes_late(&constraint, body) {
            return Some(statement);
        }
        let list = |columns: &[String]| {
            columns.iter().map(|column| self.to.quoted(column)).collect::<Vec<_>>().join(", ")
        };
        let built = self.built_as(&address);
        let name = self.to.quoted(&built.name);
        let mut create = format!(
            "create unique index concurrently {name} on {} ({})",
            self.to.qualified(table),
            list(&body.columns.0)
        );
        if !index.include.0.is_empty() {
            create += &format!(" include ({})", list(&index.include.0));
        }
        if index.nulls_not_distinct {
            create += " nulls not distinct";
        }
        let mut add = format!(
            "{} add constraint {} {} using index {name}",
            self.alter(&constraint),
            self.to.quoted(&constraint.part),
            body.sort
        );
        for (holds, words) in
            [(body.deferrable, " deferrable"), (body.initially_deferred, " initially deferred")]
        {
            add += if holds { words } else { "" };
        }
        self.last.extend(self.dropped.remove(&constraint));
        self.last.push(Statement { sql: add, ..statement.clone() });
        self.indexes.push(Statement { sql: create, object: built, ..statement });
        self.late.extend([constraint, address]);
        None
    }

    /// Whether what is dropped stays until its successor is ready.
    pub(super) fn stays_meanwhile(&self, address: &Address) -> bool {
        match self.to.get(address).map(|it| &it.body) {
            Some(Body::Index(body)) => self.index_comes_late(address, body),
            Some(Body::Constraint(body)) => {
                let before = self.from.get(address).map(|it| &it.body);
                let is_unique = |body: &Constraint| matches!(body.sort.as_str(), "unique" | "primary key");
                matches!(before, Some(Body::Constraint(it)) if is_unique(it))
                    && is_unique(body)
                    && self.unique_comes_late(address, body)
            }
            _ => false,
        }
    }

    fn index_comes_late(&self, address: &Address, body: &Index) -> bool {
        body.attached_to.is_none()
            && self.is_unpartitioned(&body.table.0)
            && self.can_come_late(address, &body.table.0)
    }

    fn unique_comes_late(&self, constraint: &Address, body: &Constraint) -> bool {
        let index = index_of(constraint);
        let table = self.to.table_of(constraint).map(|table| &table.address);
        let (Some(table), Some(Body::Index(it))) = (table, self.to.get(&index).map(|it| &it.body)) else {
            return false;
        };
        let refuses_null = |column: &String| {
            let column = Address { kind: Kind::Column, part: column.clone(), ..constraint.clone() };
            matches!(self.from.get(&column).map(|it| &it.body), Some(Body::Column(it)) if it.not_null)
        };
        self.is_unpartitioned(table)
            && it.attached_to.is_none()
            && it.options.0.is_empty()
            && it.tablespace.is_none()
            && !body.period
            && (body.sort != "primary key" || body.columns.0.iter().all(refuses_null))
            && self.can_come_late(constraint, table)
            && !self.is_relied_on(&index)
    }

    /// Whether nothing else of the script needs an object of a table, or needs its predecessor to be gone.
    fn can_come_late(&self, address: &Address, table: &Address) -> bool {
        let before = self.from.get(address);
        let free = before.is_none_or(|before| {
            let is_other = Some(&before.body) != self.to.get(address).map(|it| &it.body);
            is_other && self.remade.contains(address) && !self.reshaped.contains(table)
        });
        free && !self.is_relied_on(address)
    }

    /// The index that is built: under another name as long as its predecessor has this one.
    fn built_as(&self, index: &Address) -> Address {
        const LONGEST: usize = 55;
        let mut built = index.clone();
        if self.from.get(index).is_some() {
            while built.name.len() > LONGEST {
                built.name.pop();
            }
            built.name += "_new";
        }
        built
    }

    /// Whether a table or materialized view may hold rows, and has all of them itself.
    fn is_unpartitioned(&self, relation: &Address) -> bool {
        match relation.kind {
            Kind::Table => self.table(relation).is_some_and(|table| table.partitioned_by.is_none()),
            _ => self.from.get(relation).is_some() && !self.made.contains(relation),
        }
    }

    /// Whether something else that is new, goes or changes needs an object.
    fn is_relied_on(&self, address: &Address) -> bool {
        [(self.to, self.from), (self.from, self.to)].into_iter().any(|(schema, other)| {
            let mut changed = schema.objects().filter(|it| other.get(&it.address) != Some(it));
            changed.any(|object| {
                let mut needs = object.needs.iter();
                needs.any(|need| *need.on == *address && need.strength != Strength::Internal)
            })
        })
    }
}

/// The index of a unique constraint or a primary key.
fn index_of(constraint: &Address) -> Address {
    let name = constraint.part.clone();
    Address { kind: Kind::Index, name, part: String::new(), ..constraint.clone() }
}
