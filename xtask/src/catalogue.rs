//! The canonical text of a database's catalogue, by which two databases are compared.

pub(crate) mod differences;

use std::collections::BTreeSet;

use migrations::{Error, Project};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

/// Everything that migrations created in a database: one line per object, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Catalogue {
    lines: Vec<String>,
}

impl Catalogue {
    /// Reads the catalogue, without the ledger's own tables.
    pub(crate) async fn read(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Catalogue> {
        let lines = sqlx::query_scalar(include_str!("catalogue/text.sql"))
            .bind(project.ledger_schemas())
            .fetch_all(conn)
            .await;
        Ok(Catalogue { lines: lines.map_err(Error::database("read the catalogue"))? })
    }

    /// The lines of its text.
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
        hex::encode(hash.finalize())
    }

    /// A catalogue of these lines.
    #[cfg(test)]
    fn from_lines(lines: Vec<String>) -> Catalogue {
        Catalogue { lines }
    }

    /// The lines that only one of the two has: `- …` if only `self`, `+ …` if only `found`.
    pub(crate) fn differences(&self, found: &Catalogue) -> Vec<String> {
        let (expected, found): (BTreeSet<_>, BTreeSet<_>) =
            (self.lines.iter().collect(), found.lines.iter().collect());
        let missing = expected.difference(&found).map(|line| format!("- {line}"));
        let unexpected = found.difference(&expected).map(|line| format!("+ {line}"));
        missing.chain(unexpected).collect()
    }
}
