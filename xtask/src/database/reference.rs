//! Reference data: the rows that the seeds make, in a form in which two databases can be compared.
//!
//! Ids and times differ between any two seedings, so two seedings say what to compare: a row is identified by a unique key
//! whose values are the same in both, and of its other columns those are compared whose values are the same in both. A
//! column that refers to another table stands for the key of the row that it refers to.

mod plan;
mod read;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    plan::{Seeding, plan},
    read::{prepare, read},
};

/// The seeded rows of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) tables: Vec<Table>,
    /// The seeded tables without a key that is the same in two seedings, each with its number of rows.
    pub(crate) without_key: Vec<(String, usize)>,
}

/// The seeded rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The same as SQL.
    pub(crate) sql: String,
    /// The columns of the key, then those that are compared.
    pub(crate) columns: Vec<Column>,
    /// How many of the columns are the key.
    pub(crate) key: usize,
    /// The values, as text.
    pub(crate) rows: Vec<Row>,
}

/// The values of a row, as text; `None` is null.
pub(crate) type Row = Vec<Option<String>>;

/// A column, and the SQL of the value that is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// An expression on the row `t`.
    pub(crate) sql: String,
    /// Its type, for writing a value; `None` if it stands for the key of a row that it refers to.
    pub(crate) data_type: Option<String>,
}

/// A seeded row that a database has not, or has with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) table: String,
    /// The values of the key, for people.
    pub(crate) key: String,
    /// What the row was found by.
    values: Row,
    /// The column and its two values; `None` if the row is gone.
    pub(crate) value: Option<ChangedValue>,
}

/// A value that is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedValue {
    pub(crate) column: String,
    pub(crate) expected: Option<String>,
    pub(crate) found: Option<String>,
}

impl Reference {
    /// How many rows there are to compare.
    pub(crate) fn rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// Compares with the rows of a database, which [`read()`] read.
    pub(crate) fn changes(&self, found: &[(String, Vec<Row>)]) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, rows) in found {
            let Some(table) = self.tables.iter().find(|table| &table.name == name) else { continue };
            for expected in &table.rows {
                table.compare(expected, rows, &mut changes);
            }
        }
        changes
    }
}

impl Table {
    fn compare(&self, expected: &Row, rows: &[Row], changes: &mut Vec<Change>) {
        let (key, values) = expected.split_at(self.key);
        let change = |value| Change {
            table: self.name.clone(),
            key: key.iter().map(|it| it.as_deref().unwrap_or("null")).collect::<Vec<_>>().join(", "),
            values: key.to_vec(),
            value,
        };
        let Some(row) = rows.iter().find(|row| row.get(..self.key) == Some(key)) else {
            changes.push(change(None));
            return;
        };
        let found = &row[self.key..];
        for ((column, expected), found) in self.columns[self.key..].iter().zip(values).zip(found) {
            if expected != found {
                let (column, expected, found) = (column.name.clone(), expected.clone(), found.clone());
                changes.push(change(Some(ChangedValue { column, expected, found })));
            }
        }
    }
}
