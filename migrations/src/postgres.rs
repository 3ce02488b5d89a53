//! The manifest's section on Postgres.

use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;
use toml::Spanned;

use crate::{Error, Place, Problem, id::is_plain};

/// Databases of the server itself.
const SERVERS_OWN: &[&str] = &["postgres", "template0", "template1"];

/// The manifest's section on Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Postgres {
    /// The oldest major version that the migrations run on.
    pub version: u32,
    /// Name of the development database.
    pub database: String,
    /// Name of the manifest's main database, which `DATABASE_URL` names if it names one, and of the role on a server that a
    /// tool starts.
    pub main: String,
    /// Names of the other databases that the manifest's apps are in, each once.
    pub others: Vec<String>,
    /// The image of a server in Docker; `None` is the official one of that major version.
    pub image: Option<String>,
    /// The server to use if neither the command line nor the environment names one: `auto`, `url`, `docker`, `native` or
    /// `download`.
    pub server: Option<String>,
}

impl Default for Postgres {
    /// For what works without a manifest.
    fn default() -> Postgres {
        let main = "app".to_owned();
        Postgres {
            version: catalogue::OLDEST,
            database: main.clone(),
            main,
            others: Vec::new(),
            image: None,
            server: None,
        }
    }
}

/// The section, as the manifest has it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Section {
    version: u32,
    database: Spanned<String>,
    image: Option<String>,
    server: Option<String>,
}

impl Postgres {
    /// Whether the database is not the main one.
    pub fn is_other(&self) -> bool {
        self.database != self.main
    }

    /// The name of the file beside the manifest that holds the schema of the database as text: `schema.txt`, or
    /// `schema.NAME.txt` if it is not the main one.
    pub fn text_file(&self) -> String {
        if self.is_other() { format!("schema.{}.txt", self.database) } else { "schema.txt".to_owned() }
    }

    /// How to connect to the database, from how to connect to the main one, whose name does not matter.
    pub fn on_server(&self, main: PgConnectOptions) -> PgConnectOptions {
        if self.is_other() { main.database(&self.database) } else { main }
    }

    /// The same with another of the manifest's databases.
    ///
    /// # Errors
    /// [`Error::UnknownDatabase`].
    pub fn in_database(self, name: &str) -> Result<Postgres, Error> {
        if name != self.main && !self.others.iter().any(|other| other == name) {
            let databases = [self.main].into_iter().chain(self.others).collect();
            return Err(Error::UnknownDatabase { name: name.to_owned(), databases });
        }
        Ok(Postgres { database: name.to_owned(), ..self })
    }

    /// Of the section, and of what the apps' entries say; `at` is the place of an offset in the manifest.
    pub(crate) fn checked<'a>(
        section: &'a Section,
        of_apps: impl Iterator<Item = &'a Spanned<String>>,
        at: &impl Fn(usize) -> Place,
        problems: &mut Vec<Problem>,
    ) -> Postgres {
        let main = section.database.as_ref().as_str();
        let mut others: Vec<String> = Vec::new();
        for database in [&section.database].into_iter().chain(of_apps) {
            let name = database.as_ref().as_str();
            if !is_plain(name) || name.starts_with("pg_") || SERVERS_OWN.contains(&name) {
                let why = if name == main { ", since the role has the same" } else { "" };
                let message = format!(
                    "`database` must be a plain name{why}: lower-case letters, digits and `_`, not `{name}`"
                );
                problems.push(Problem::Manifest { place: at(database.span().start), message });
            }
            if name != main && !others.iter().any(|other| other == name) {
                others.push(name.to_owned());
            }
        }
        Postgres {
            version: section.version,
            database: main.to_owned(),
            main: main.to_owned(),
            others,
            image: section.image.clone(),
            server: section.server.clone(),
        }
    }
}
