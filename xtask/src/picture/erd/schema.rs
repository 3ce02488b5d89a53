//! The tables, columns and foreign keys of a picture.

use std::collections::BTreeMap;

use catalogue::{Address, Body, Catalogue, Constraint, Index, Object};
use migrations::{Owners, Project};
use serde::Serialize;

/// The app's name for tables that no app in the manifest owns.
const NO_APP: &str = "(no app)";

/// All tables, by app and name.
#[derive(Debug, Serialize)]
pub(crate) struct Schema {
    /// The apps that have tables, in the manifest's order.
    #[serde(skip)]
    pub(super) apps: Vec<String>,
    pub(super) tables: Vec<Table>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Table {
    pub(super) app: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) foreign_keys: Vec<ForeignKey>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) nullable: bool,
    pub(super) primary_key: bool,
    /// Whether a unique index covers this column alone.
    pub(super) unique: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) table: String,
    pub(super) referenced: Vec<String>,
}

impl Schema {
    /// The tables of a schema: a partition is a part of its parent.
    pub(crate) fn new(schema: &Catalogue, project: &Project) -> Schema {
        let surroundings =
            Surroundings { schema, owners: Owners::new(schema, project), indexes: schema.indexes() };
        let own = schema.tables().filter(|object| !object.is_partition());
        let mut tables: Vec<Table> = own.map(|object| surroundings.table(object)).collect();
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let apps = project.apps.iter().map(|app| app.name.clone()).chain([NO_APP.to_owned()]);
        let apps: Vec<String> = apps.filter(|app| tables.iter().any(|table| &table.app == app)).collect();
        tables.sort_by_key(|table| apps.iter().position(|app| *app == table.app));
        Schema { apps, tables }
    }

    /// Returns the position of a table's app among the apps that have tables.
    pub(super) fn app_index(&self, table: &Table) -> usize {
        self.apps.iter().position(|app| *app == table.app).unwrap_or_default()
    }
}

/// What says of which tables consist, and whose they are.
struct Surroundings<'c> {
    schema: &'c Catalogue,
    owners: Owners<'c>,
    indexes: BTreeMap<&'c Address, Vec<(&'c str, &'c Index)>>,
}

impl Surroundings<'_> {
    fn table(&self, object: &Object) -> Table {
        let Surroundings { schema, owners, indexes } = self;
        let (table, owner) = (&object.address, owners.owner(object));
        let indexes = indexes.get(table).map_or(&[][..], Vec::as_slice);
        let constraints: Vec<(&str, &Constraint)> = schema.constraints(table).collect();
        let column = |object: &Object| {
            let Body::Column(column) = &object.body else { return None };
            let name = object.address.part.clone();
            let in_key =
                |(_, it): &(&str, &Constraint)| it.sort == "primary key" && it.columns.0.contains(&name);
            let alone = |(_, index): &(&str, &Index)| {
                index.unique
                    && index.predicate.is_none()
                    && matches!(index.keys.0.as_slice(), [key] if key.column.as_ref() == Some(&name))
            };
            Some(Column {
                kind: short_type(&column.data_type),
                nullable: !column.not_null,
                primary_key: constraints.iter().any(in_key),
                unique: indexes.iter().any(alone),
                name,
            })
        };
        let columns: Vec<Column> = schema.columns(table).into_iter().filter_map(column).collect();
        let key = |(name, constraint): &(&str, &Constraint)| {
            let to = constraint.references.as_ref()?;
            Some(ForeignKey {
                name: (*name).to_owned(),
                columns: constraint.columns.0.clone(),
                table: to.table.typed(),
                referenced: to.columns.clone(),
            })
        };
        let mut foreign_keys: Vec<ForeignKey> = constraints.iter().filter_map(key).collect();
        let position = |name: &String| columns.iter().position(|column| column.name == *name);
        foreign_keys
            .sort_by_key(|key| (key.columns.iter().map(position).collect::<Vec<_>>(), key.name.clone()));
        let app = owner.map_or(NO_APP, |(app, _)| &app.name).to_owned();
        Table { app, name: table.typed(), columns, foreign_keys }
    }
}

impl Table {
    /// Whether a column is part of a foreign key.
    pub(super) fn refers(&self, column: &str) -> bool {
        self.foreign_keys.iter().any(|key| key.columns.iter().any(|name| name == column))
    }

    /// Returns the position of a column.
    pub(super) fn position(&self, column: &str) -> usize {
        self.columns.iter().position(|it| it.name == column).unwrap_or_default()
    }
}

/// Shortens a type to the name that people write.
fn short_type(kind: &str) -> String {
    let kind = kind.strip_prefix("public.").unwrap_or(kind);
    let (name, array) = kind.strip_suffix("[]").map_or((kind, ""), |name| (name, "[]"));
    let name = match name {
        "timestamp with time zone" => "timestamptz".to_owned(),
        "timestamp without time zone" => "timestamp".to_owned(),
        "time without time zone" => "time".to_owned(),
        "double precision" => "float8".to_owned(),
        _ => name.replacen("character varying", "varchar", 1).replacen("character(", "char(", 1),
    };
    name + array
}
