//! Values for rows: a line `-- using: expression` beside a column in a schema file says where they come from if the column is new
//! or gets another type.

use anyhow::bail;
use catalogue::{Address, Body, Column, Kind};
use diff::{Change, Part, Statement};

use super::{
    hints::{Directive, Hint},
    whose::Whose,
};

pub(super) const USING: Directive =
    Directive { text: "-- using:", usage: "`-- using: expression` behind a column in a `create table`" };

/// What the schema files say about the values of columns.
pub(super) struct Filling {
    columns: Vec<(Address, Hint)>,
}

impl Filling {
    pub(super) fn new(whose: &Whose<'_>) -> anyhow::Result<Filling> {
        let mut columns = Vec::new();
        for hint in USING.hints(whose.project)? {
            let Some(part) = hint.column.clone().filter(|_| !hint.value.is_empty()) else {
                return Err(USING.misused(&hint.place));
            };
            let (schema, name) = (hint.schema.clone(), hint.relation.clone());
            let column = Address { kind: Kind::Column, schema, name, part };
            if whose.to.schema.get(&column).is_none() {
                bail!("{}: {column} does not exist; write {}", hint.place, USING.usage);
            }
            columns.push((column, hint));
        }
        Ok(Filling { columns })
    }

    /// The expression for a column.
    pub(super) fn expression(&self, column: &Address) -> Option<&str> {
        self.columns.iter().find(|(address, _)| address == column).map(|(_, hint)| hint.value.as_str())
    }

    /// Has the statements of a script use the expressions.
    pub(super) fn use_in(&self, whose: &Whose<'_>, parts: &mut [Part]) {
        for part in parts {
            let statements = std::mem::take(&mut part.script.statements);
            part.script.statements = statements.into_iter().flat_map(|it| self.used(whose, it)).collect();
        }
    }

    fn used(&self, whose: &Whose<'_>, mut statement: Statement) -> Vec<Statement> {
        let column = statement.object.clone();
        let (Some(expression), Some(body)) = (self.expression(&column), column_of(whose, &column)) else {
            return vec![statement];
        };
        let has_rows = whose.from.schema.table_of(&column).is_some();
        if statement.change == Change::Create && has_rows {
            let schema = &whose.to.schema;
            let table = schema.qualified(&column);
            let name = schema.quoted(&column.part);
            let later = |sql: String| Statement { sql, change: Change::Alter, ..statement.clone() };
            let fill = later(format!("update {table} set {name} = {expression}"));
            let refuse_null = later(format!("alter table {table} alter column {name} set not null"));
            let nullable = statement.sql.strip_suffix(" not null").map(str::to_owned);
            let mut all = vec![fill];
            if let Some(sql) = nullable {
                statement.sql = sql;
                all.push(refuse_null);
            }
            all.insert(0, statement);
            return all;
        }
        if let Some(at) = type_end(&statement, body) {
            statement.sql.truncate(at);
            statement.sql += &format!(" using {expression}");
        }
        vec![statement]
    }
}

/// Whether a statement gives rows the values of a new column.
pub(super) fn fills(statement: &Statement) -> bool {
    statement.object.kind == Kind::Column && statement.sql.starts_with("update ")
}

pub(super) fn column_of<'w>(whose: &'w Whose<'_>, column: &Address) -> Option<&'w Column> {
    match &whose.to.schema.get(column)?.body {
        Body::Column(column) => Some(column),
        _ => None,
    }
}

/// Where the new type of a column ends in the statement that gives it one.
pub(super) fn type_end(statement: &Statement, column: &Column) -> Option<usize> {
    let mut words = format!(" type {}", column.data_type);
    if let Some(collation) = &column.collation {
        words += &format!(" collate {collation}");
    }
    let at = statement.sql.find(&words).filter(|_| statement.change == Change::Alter)?;
    Some(at + words.len())
}
