//! The contract: `public` holds exactly the tables that the apps own.

use sqlx::PgConnection;

use crate::{Error, Project};

/// A table that the manifest lists and the database lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingTable {
    /// The app that owns it.
    pub app: String,
    /// Its name.
    pub table: String,
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
}

impl Contract {
    /// Compares, and writes nothing. Tables of extensions and partitions do not count: they belong to the extension, or to
    /// the partitioned table.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn read(conn: &mut PgConnection, project: &Project) -> Result<Contract, Error> {
        let tables: Vec<String> = sqlx::query_scalar(
            "select c.relname::text from pg_class c
             where c.relnamespace = to_regnamespace('public') and c.relkind in ('r', 'p', 'f') and not c.relispartition
               and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
             order by 1",
        )
        .fetch_all(conn)
        .await
        .map_err(Error::database("list the tables"))?;
        let listed: Vec<(&str, &str)> = project
            .apps
            .iter()
            .flat_map(|app| app.tables.iter().map(|table| (app.name.as_str(), table.as_str())))
            .collect();
        let missing = listed.iter().filter(|(_, table)| !tables.iter().any(|found| found == table));
        Ok(Contract {
            expected: listed.len(),
            missing: missing
                .map(|(app, table)| MissingTable { app: (*app).to_owned(), table: (*table).to_owned() })
                .collect(),
            unexpected: tables
                .iter()
                .filter(|found| !listed.iter().any(|(_, table)| table == found))
                .cloned()
                .collect(),
        })
    }

    /// Every missing and every unexpected table, one on each line.
    pub fn differences(&self) -> Vec<String> {
        let missing = self
            .missing
            .iter()
            .map(|MissingTable { app, table }| format!("missing     table {table}, which app `{app}` owns"));
        let unexpected =
            self.unexpected.iter().map(|table| format!("unexpected  table {table}, which no app owns"));
        missing.chain(unexpected).collect()
    }

    /// Whether the database has exactly the listed tables.
    pub fn holds(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty()
    }
}
