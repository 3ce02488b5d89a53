//! The canonical text of a database's catalogue: what two databases are compared by.

pub(crate) mod differences;

use std::{collections::BTreeSet, fmt::Write};

use migrations::{Error, Project};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

/// Everything that migrations made in a database, a line an object, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Catalogue {
    lines: Vec<String>,
}

impl Catalogue {
    /// Reads it; the ledger itself is left out.
    pub(crate) async fn read(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Catalogue> {
        let lines = sqlx::query_scalar(include_str!("catalogue/text.sql"))
            .bind(project.ledger_schemas())
            .fetch_all(conn)
            .await;
        Ok(Catalogue { lines: lines.map_err(Error::database("read the catalogue"))? })
    }

    /// Its text.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// SHA-256 of the text, in hexadecimal.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for line in &self.lines {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// One of these lines.
    #[cfg(test)]
    pub(crate) fn of(lines: Vec<String>) -> Catalogue {
        Catalogue { lines }
    }

    /// What stands in only one of the two, as `- expected` and `+ found` lines.
    pub(crate) fn differences(&self, found: &Catalogue) -> Vec<String> {
        let (expected, found): (BTreeSet<_>, BTreeSet<_>) =
            (self.lines.iter().collect(), found.lines.iter().collect());
        let gone = expected.difference(&found).map(|line| format!("- {line}"));
        let new = found.difference(&expected).map(|line| format!("+ {line}"));
        gone.chain(new).collect()
    }
}
