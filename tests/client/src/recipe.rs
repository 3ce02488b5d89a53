//! What a test finds in its database.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A database as a test asks for it: whose schema it has, what is in it, and whether it is cleaned in place afterwards.
///
/// Begin with [`seeded`], or with [`project`] for another folder of migrations than the product's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recipe {
    /// The folder of the project, relative to the checkout's root; `None` means the product's own.
    #[serde(default)]
    pub project: Option<PathBuf>,
    /// The database of the project, by its name in the manifest; `None` means the main one.
    #[serde(default)]
    pub database: Option<String>,
    /// What is in it.
    pub content: Content,
    /// Whether the borrower can clean it in place, to be lent again.
    #[serde(default)]
    pub recyclable: bool,
}

/// What is in a database when a test gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Nothing.
    Empty,
    /// The schema, and no rows but those that migrations wrote.
    Unseeded,
    /// The schema and the reference data.
    Seeded,
    /// The schema as it was after one migration, `app/0001_name`, and what that needs.
    At(String),
}

/// A migrated and seeded database of the product.
pub fn seeded() -> Recipe {
    Recipe::new(None, Content::Seeded)
}

/// A migrated database without reference data.
pub fn unseeded() -> Recipe {
    seeded().unseeded()
}

/// A database that holds nothing.
pub fn empty() -> Recipe {
    seeded().empty()
}

/// A database as it was just after one migration, `app/0001_name`, without reference data.
pub fn at(migration: &str) -> Recipe {
    seeded().at(migration)
}

/// A migrated and seeded database of the project in another folder, relative to the root of the checkout.
pub fn project(folder: impl AsRef<Path>) -> Recipe {
    Recipe::new(Some(folder.as_ref().to_owned()), Content::Seeded)
}

impl Recipe {
    /// A database of a project, which is not cleaned in place.
    pub fn new(project: Option<PathBuf>, content: Content) -> Recipe {
        Recipe { project, database: None, content, recyclable: false }
    }

    /// The same of another database of the project, by its name in the manifest.
    #[must_use]
    pub fn in_database(self, name: &str) -> Recipe {
        Recipe { database: Some(name.to_owned()), ..self }
    }

    /// The same without reference data.
    #[must_use]
    pub fn unseeded(self) -> Recipe {
        Recipe { content: Content::Unseeded, ..self }
    }

    /// One that holds nothing.
    #[must_use]
    pub fn empty(self) -> Recipe {
        Recipe { content: Content::Empty, ..self }
    }

    /// As it was just after one migration, `app/0001_name`, without reference data.
    #[must_use]
    pub fn at(self, migration: &str) -> Recipe {
        Recipe { content: Content::At(migration.to_owned()), ..self }
    }
}
