//! Rows that satisfy the constraints of their tables, found by trial.

use std::collections::BTreeSet;

use catalogue::{Address, Body, Catalogue, Column, Constraint, Kind};
use sqlx::PgConnection;

use super::{
    attempt::runs,
    values::{Values, literals},
};

/// How many rows a table is given, if they are accepted.
const ROWS: usize = 5;

/// The most rows that are tried before one is accepted.
const MOST_TRIED: usize = 200;

/// A table that was given no row.
#[derive(Debug, Clone)]
pub(super) struct Empty {
    pub(super) table: Address,
    /// `its check api_keys_hash_check`.
    pub(super) why: String,
}

/// How a row is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// With a value for each column.
    All,
    /// With nulls and defaults where that is possible.
    Sparse,
}

/// Fills all tables, and returns those that stay empty. The numbers from `first` on make values differ.
pub(super) async fn fill<'c>(
    conn: &mut PgConnection,
    schema: &'c Catalogue,
    first: usize,
) -> anyhow::Result<Vec<Empty>> {
    let mut generator = Generator { values: Values::new(schema), conn, schema, filled: BTreeSet::new() };
    let mut left: Vec<&'c Address> = Vec::new();
    left.extend(schema.of_kind(Kind::Table).filter(|it| !it.is_partition()).map(|it| &it.address));
    let mut empty = Vec::new();
    loop {
        let (ready, waiting): (Vec<&'c Address>, Vec<&'c Address>) =
            left.iter().partition(|table| generator.waits_for(table).is_none());
        if ready.is_empty() {
            for table in waiting {
                let why = format!("its foreign key {}", generator.waits_for(table).unwrap_or_default());
                empty.push(Empty { table: table.clone(), why });
            }
            return Ok(empty);
        }
        for table in ready {
            let mut why = generator.insert(table, Fill::Sparse, first).await?;
            for number in first + 1..first + ROWS {
                let refused = generator.insert(table, Fill::All, number).await?;
                why = why.filter(|_| refused.is_some());
            }
            match why {
                None => drop(generator.filled.insert(table.clone())),
                Some(why) => empty.push(Empty { table: table.clone(), why }),
            }
        }
        left = waiting;
    }
}

struct Generator<'c> {
    conn: &'c mut PgConnection,
    schema: &'c Catalogue,
    values: Values<'c>,
    filled: BTreeSet<Address>,
}

/// A column of a new row, and the values that may fit.
struct Slot<'c> {
    column: &'c str,
    values: Vec<String>,
    at: usize,
}

impl<'c> Generator<'c> {
    /// The foreign key of a table that no row can have yet.
    fn waits_for(&self, table: &'c Address) -> Option<&'c str> {
        let needs_row = |it: &Constraint| {
            let to = it
                .references
                .as_ref()
                .is_some_and(|to| to.table != *table && !self.filled.contains(&to.table));
            to && it.columns.0.iter().any(|column| self.column(table, column).is_some_and(|it| it.not_null))
        };
        self.schema.constraints(table).find(|(_, it)| needs_row(it)).map(|(name, _)| name)
    }

    fn column(&self, table: &Address, name: &str) -> Option<&'c Column> {
        let address = Address { kind: Kind::Column, part: name.to_owned(), ..table.clone() };
        match &self.schema.get(&address)?.body {
            Body::Column(column) => Some(column),
            _ => None,
        }
    }

    /// Adds a row, or says why none was accepted.
    async fn insert(
        &mut self,
        table: &'c Address,
        fill: Fill,
        number: usize,
    ) -> anyhow::Result<Option<String>> {
        let mut slots = self.slots(table, fill, number).await?;
        let mut why = String::new();
        for _ in 0..MOST_TRIED {
            let sql = self.sql(table, &slots);
            let Err(refused) = runs(self.conn, sql).await? else { return Ok(None) };
            let constraint = refused.constraint.as_deref();
            let of_table = constraint.and_then(|name| self.schema.constraints(table).find(|it| it.0 == name));
            why = match (of_table, constraint) {
                (Some((name, it)), _) if it.sort == "check" => format!("its check {name}"),
                (_, Some(name)) => format!("its constraint {name}"),
                (_, None) => format!("which refuses rows: {}", refused.message),
            };
            let columns = of_table.map(|(_, it)| it.columns.0.clone());
            let columns = columns.or_else(|| self.columns_of_index(table, constraint?));
            if !next(&mut slots, columns.as_deref()) {
                break;
            }
        }
        Ok(Some(why))
    }

    fn columns_of_index(&self, table: &Address, name: &str) -> Option<Vec<String>> {
        let (_, index) = self.schema.indexes_of(table).find(|(index, _)| *index == name)?;
        index.keys.0.iter().map(|key| key.column.clone()).collect()
    }

    fn sql(&self, table: &Address, slots: &[Slot<'_>]) -> String {
        let name = self.schema.qualified(table);
        if slots.is_empty() {
            return format!("insert into {name} default values");
        }
        let columns: Vec<String> = slots.iter().map(|it| self.schema.quoted(it.column)).collect();
        let values: Vec<&str> = slots.iter().map(|it| it.values[it.at].as_str()).collect();
        format!("insert into {name} ({}) values ({})", columns.join(", "), values.join(", "))
    }

    async fn slots(
        &mut self,
        table: &'c Address,
        fill: Fill,
        number: usize,
    ) -> anyhow::Result<Vec<Slot<'c>>> {
        let mut slots = Vec::new();
        for object in self.schema.parts(Kind::Column, table) {
            let Body::Column(column) = &object.body else { continue };
            let name = object.address.part.as_str();
            let by_itself = column.generated.is_some() || column.identity.is_some();
            let may_lack = column.default.is_some() || !column.not_null;
            if by_itself || (fill == Fill::Sparse && may_lack) {
                continue;
            }
            let mut values = match self.referred(table, name, number) {
                Some(values) => values,
                None => {
                    let checks = self.schema.constraints(table);
                    let checks = checks.filter(|(_, it)| it.columns.0.iter().any(|it| it == name));
                    let hints: Vec<String> =
                        checks.filter_map(|(_, it)| it.check.as_deref()).flat_map(literals).collect();
                    self.values.values(self.conn, &column.data_type, &hints, number).await?
                }
            };
            if !column.not_null {
                values.push("null".to_owned());
            }
            values.extend(values.is_empty().then(|| "default".to_owned()));
            // Each row begins with another one, so that they differ in more than the number.
            let first = number % values.len();
            values.rotate_left(first);
            slots.push(Slot { column: name, at: 0, values });
        }
        Ok(slots)
    }

    /// The values that a foreign key lets a column have.
    fn referred(&self, table: &Address, column: &str, number: usize) -> Option<Vec<String>> {
        let mut keys = self.schema.constraints(table).filter_map(|(_, it)| {
            let at = it.columns.0.iter().position(|it| it == column)?;
            Some((it.references.as_ref()?, at))
        });
        let (to, at) = keys.next()?;
        if !self.filled.contains(&to.table) {
            return Some(Vec::new());
        }
        let quoted = |name: &String| self.schema.quoted(name);
        let name = self.schema.qualified(&to.table);
        let order: Vec<String> = to.columns.iter().map(quoted).collect();
        let value = |number: usize| {
            format!(
                "(select {} from {name} order by {} limit 1 offset {number} % (select count(*) from {name}))",
                order[at],
                order.join(", ")
            )
        };
        Some((0..3).map(|more| value(number + more)).collect())
    }
}

/// Takes the next combination of values for some columns, or for all; `false` after the last one.
fn next(slots: &mut [Slot<'_>], columns: Option<&[String]>) -> bool {
    let meant = |slot: &&mut Slot<'_>| columns.is_none_or(|it| it.iter().any(|it| it == slot.column));
    for slot in slots.iter_mut().filter(meant) {
        slot.at = (slot.at + 1) % slot.values.len();
        if slot.at != 0 {
            return true;
        }
    }
    false
}
