//! The contract: `public` holds exactly the tables that the apps own.

use std::{collections::BTreeMap, fmt};

use catalogue::{Body, Catalogue, Object};
use sqlx::PgConnection;

use crate::{Error, Project, schema};

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
    /// The tables that it is a partition of, or inherits from.
    pub parents: String,
}

impl fmt::Display for ListedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {}, which is a part of {}", self.table, self.parents)
    }
}

/// The name and the parents of a table of `public`.
fn table(object: &Object) -> Option<(&str, &[String])> {
    let parents = match &object.body {
        Body::Table(table) => &table.inherits,
        Body::ForeignTable(table) => &table.inherits,
        _ => return None,
    };
    (object.address.schema == "public").then_some((&object.address.name, parents))
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
}

impl Contract {
    /// Compares, and writes nothing.
    ///
    /// A partition and a table that inherits from another are owned with their parent, so they are neither listed nor
    /// unexpected. Tables of extensions do not count.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Schema`].
    pub async fn read(conn: &mut PgConnection, project: &Project) -> Result<Contract, Error> {
        Ok(Contract::new(&schema::read(conn, &project.ledger_schemas()).await?, project))
    }

    /// The same for a schema that has been read.
    pub fn new(schema: &Catalogue, project: &Project) -> Contract {
        let found: Vec<(&str, &[String])> = schema.objects().filter_map(table).collect();
        let parents: BTreeMap<&str, &[String]> = found.iter().copied().collect();
        let listed: Vec<(&str, &str)> = project
            .apps
            .iter()
            .flat_map(|app| app.tables.iter().map(|table| (app.name.as_str(), table.as_str())))
            .collect();
        let mut contract = Contract { expected: listed.len(), ..Contract::default() };
        for (app, table) in &listed {
            let (app, table) = ((*app).to_owned(), (*table).to_owned());
            match parents.get(table.as_str()) {
                None => contract.missing.push(MissingTable { app, table }),
                Some([]) => {}
                Some(of) => contract.parts.push(ListedPart { app, table, parents: of.join(", ") }),
            }
        }
        let unlisted = found
            .iter()
            .filter(|(name, parents)| parents.is_empty() && !listed.iter().any(|(_, table)| table == name));
        contract.unexpected = unlisted.map(|(name, _)| (*name).to_owned()).collect();
        contract.unexpected.sort_unstable();
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
        let parts = self.parts.iter().map(|part| format!("listed      {part}, so remove it from apps.toml"));
        missing.chain(unexpected).chain(parts).collect()
    }

    /// Whether the database has exactly the listed tables.
    pub fn holds(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.parts.is_empty()
    }
}
