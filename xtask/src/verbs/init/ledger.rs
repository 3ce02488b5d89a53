//! The table in which sqlx records a folder's migrations.

use std::{fs, path::Path};

use catalogue::Address;
use migrations::{STOCK_LEDGER, sqlx_settings};
use sqlx::migrate::Migrator;
use toml_edit::{DocumentMut, Item};

use crate::verbs::init::repository::{Folder, Repository};

/// A ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Its name, with its schema.
    pub(super) table: String,
    /// The schemas that sqlx makes for it.
    schemas: Vec<String>,
}

impl Ledger {
    /// The ledger that the nearest `sqlx.toml` names, else the usual one, if no other folder has that already.
    pub(super) fn new(
        repository: &Repository,
        folder: &Folder,
        others: &[&Ledger],
    ) -> Result<Ledger, String> {
        let ledger = Ledger::from_settings(repository, folder)?;
        let is_taken = |ledger: &Ledger| others.iter().any(|other| other.table == ledger.table);
        if !is_taken(&ledger) {
            return Ok(ledger);
        }
        // Two folders can't share a ledger: each would miss the files of the other.
        let numbered =
            |number: usize| Ledger { table: format!("{STOCK_LEDGER}_{number}"), schemas: Vec::new() };
        Ok((2..).map(numbered).find(|ledger| !is_taken(ledger)).unwrap_or(ledger))
    }

    fn from_settings(repository: &Repository, folder: &Folder) -> Result<Ledger, String> {
        let usual = Ledger { table: STOCK_LEDGER.to_owned(), schemas: Vec::new() };
        let Some(file) = settings(repository, folder) else { return Ok(usual) };
        let path = repository.path(&file);
        let text = fs::read_to_string(path).map_err(|error| format!("{file}: {error}"))?;
        let document: DocumentMut = text.parse().map_err(|error| format!("{file}: {error}"))?;
        let Some(migrate) = document.get("migrate") else { return Ok(usual) };
        let table = migrate.get("table-name").and_then(Item::as_str).unwrap_or(STOCK_LEDGER);
        // Without a schema it is in the first of the search path.
        let table = if table.contains('.') { table.to_owned() } else { format!("public.{table}") };
        let schemas = migrate.get("create-schemas").and_then(Item::as_array).into_iter().flatten();
        Ok(Ledger { table, schemas: schemas.filter_map(|it| it.as_str()).map(str::to_owned).collect() })
    }

    /// Has sqlx use this ledger.
    pub(super) fn set(&self, migrator: &mut Migrator) {
        migrator.dangerous_set_table_name(self.table.clone());
        for schema in &self.schemas {
            migrator.create_schema(schema.clone());
        }
    }

    /// The schema that holds only ledgers, if it has one.
    pub(super) fn own_schema(&self) -> Option<&str> {
        let (schema, _) = self.table.split_once('.')?;
        self.schemas.iter().any(|it| it == schema).then_some(schema)
    }

    /// Whether an object is the ledger, or a part or index of it.
    pub(super) fn owns(&self, address: &Address) -> bool {
        let (schema, name) = self.table.split_once('.').unwrap_or(("public", &self.table));
        address.schema == schema && (address.name == name || address.name == format!("{name}_pkey"))
    }
}

/// The `sqlx.toml` of a folder, or else of the cargo package that it is in: its path below the repository's top.
pub(super) fn settings(repository: &Repository, folder: &Folder) -> Option<String> {
    let file = sqlx_settings(&repository.path(&folder.path))?;
    Some(file.strip_prefix(&repository.root).ok()?.to_string_lossy().into_owned())
}

/// The folder of the cargo package that a folder is in, below the repository's top.
pub(super) fn package(repository: &Repository, folder: &Folder) -> Option<String> {
    let above = Path::new(&folder.path).ancestors().skip(1).map(|above| above.to_string_lossy().into_owned());
    above.into_iter().find(|above| repository.path(&within(above, "Cargo.toml")).is_file())
}

/// The path of a file in a folder, which may be the repository's top.
pub(super) fn within(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}
