//! The contract: `public`, and each other schema with a table that the manifest lists, holds exactly the tables that the apps
//! own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use catalogue::{Catalogue, Kind, Object};
use sqlx::PgConnection;

use crate::{App, Error, Project, schema};

/// A table that the manifest lists and the database lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingTable {
    /// The app that owns it.
    pub app: String,
    /// Its name.
    pub table: String,
}

/// A partition or an inheriting table that the manifest lists. Its rows are also its parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedPart {
    /// The app that lists it.
    pub app: String,
    /// Its name.
    pub table: String,
    /// The table that it is a partition of, or inherits from.
    pub parent: String,
    /// Whether it is a partition.
    pub partition: bool,
}

impl fmt::Display for ListedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.partition { "is a partition of" } else { "inherits from" };
        write!(f, "table {} {how} {}", self.table, self.parent)
    }
}

/// Whose the tables of a database are.
#[derive(Debug)]
pub struct Owners<'c> {
    schema: &'c Catalogue,
    listed: BTreeMap<&'c str, (&'c App, &'c str)>,
}

impl<'c> Owners<'c> {
    /// By the lists of the manifest.
    pub fn new(schema: &'c Catalogue, project: &'c Project) -> Owners<'c> {
        let listed =
            project.apps.iter().flat_map(|app| app.tables.iter().map(move |table| (app, table.as_str())));
        Owners { schema, listed: listed.map(|(app, table)| (table, (app, table))).collect() }
    }

    /// The app that owns a table, and the name under which the manifest lists it: the table's own, or the name of the table
    /// that it is a part of.
    pub fn owner(&self, table: &Object) -> Option<(&'c App, &'c str)> {
        let mut owned = self.schema.get(&table.address)?;
        while !self.owns(owned) {
            owned = self.whole(owned)?;
        }
        self.listed.get(owned.address.typed().as_str()).copied()
    }

    /// The tables of the schemas that the contract is about, as the manifest lists them.
    fn existing(&self, schemas: &BTreeSet<String>) -> BTreeMap<String, &'c Object> {
        let tables = self.schema.tables().filter(|table| schemas.contains(&table.address.schema));
        tables.map(|table| (table.address.typed(), table)).collect()
    }

    /// `public`, and the schemas of the other listed tables.
    fn schemas(&self) -> BTreeSet<String> {
        let listed = self.schema.tables().filter(|table| self.owns(table));
        let listed = listed.map(|table| table.address.schema.clone());
        listed.chain(["public".to_owned()]).collect()
    }

    /// The table that another is a part of: a partition of any, and what inherits from a table that an app owns.
    fn whole(&self, table: &'c Object) -> Option<&'c Object> {
        // A table as a whole needs no other tables than these.
        let parents = table.needs.iter().filter(|need| is_table(need.on.kind));
        let mut parents = parents.filter_map(|need| self.schema.get(&need.on));
        parents.find(|parent| table.is_partition() || self.owns(parent) || self.whole(parent).is_some())
    }

    fn owns(&self, table: &Object) -> bool {
        self.listed.contains_key(table.address.typed().as_str())
    }
}

fn is_table(kind: Kind) -> bool {
    matches!(kind, Kind::Table | Kind::ForeignTable)
}

/// How the tables of a database compare with the list in the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contract {
    /// How many tables the manifest lists.
    pub expected: usize,
    /// Tables that are listed and do not exist.
    pub missing: Vec<MissingTable>,
    /// Tables that exist and are not listed.
    pub unexpected: Vec<String>,
    /// Tables that are listed and belong to another.
    pub parts: Vec<ListedPart>,
    /// The schemas that it is about.
    pub schemas: BTreeSet<String>,
}

impl Contract {
    /// Compares, and writes nothing.
    ///
    /// A partition and a table that inherits from one that an app owns are owned with their parent, so they are neither
    /// listed nor unexpected. Tables of extensions do not count.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Schema`].
    pub async fn read(conn: &mut PgConnection, project: &Project) -> Result<Contract, Error> {
        Ok(Contract::new(&schema::read(conn, &project.left_out()).await?, project))
    }

    /// The same for a schema that has been read.
    pub fn new(schema: &Catalogue, project: &Project) -> Contract {
        let tables = Owners::new(schema, project);
        let schemas = tables.schemas();
        let existing = tables.existing(&schemas);
        let mut contract = Contract { expected: tables.listed.len(), schemas, ..Contract::default() };
        let listed = project.apps.iter().flat_map(|app| app.tables.iter().map(|table| (&app.name, table)));
        for (app, table) in listed {
            let (app, table, found) = (app.clone(), table.clone(), existing.get(table.as_str()));
            let Some(found) = found else {
                contract.missing.push(MissingTable { app, table });
                continue;
            };
            if let Some(whole) = tables.whole(found) {
                let parent = whole.address.name_within("public");
                contract.parts.push(ListedPart { app, table, parent, partition: found.is_partition() });
            }
        }
        let unlisted = existing.values().filter(|table| !tables.owns(table) && tables.whole(table).is_none());
        contract.unexpected = unlisted.map(|table| table.address.typed()).collect();
        contract
    }

    /// Every missing and every unexpected table, one on each line.
    pub fn differences(&self) -> Vec<String> {
        let missing = self
            .missing
            .iter()
            .map(|MissingTable { app, table }| format!("missing     table {table}, which app `{app}` owns"));
        let unexpected =
            self.unexpected.iter().map(|table| format!("unexpected  table {table}, which no app owns"));
        let parts = self.parts.iter().map(|part| format!("listed      {part}; remove it from apps.toml"));
        missing.chain(unexpected).chain(parts).collect()
    }

    /// Whether the database has exactly the listed tables.
    pub fn holds(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.parts.is_empty()
    }
}
