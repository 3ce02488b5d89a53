//! What a test wants to find in its database, and the fingerprint of that.

use migrations::Project;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::owner::{PREFIX, hex, proven};

/// To be changed whenever a template of the same files would be built in another way.
const FORMAT: u32 = 1;

/// What is in a database when a test gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// The schema, and no rows but those that migrations wrote.
    Unseeded,
    /// The schema and the reference data.
    Seeded,
    /// The schema as it was after one migration, `app/0001_name`, and what that needs.
    At(String),
}

/// A template: what is in it, and whether clones of it can be cleaned in place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) content: Content,
    pub(crate) recyclable: bool,
}

impl Recipe {
    /// The name of its template: the same for the same files, role and version of the server, and for no others.
    pub(crate) fn template(&self, project: &Project, role: &str, server_version: u32) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        add(&FORMAT.to_le_bytes());
        add(&server_version.to_le_bytes());
        add(role.as_bytes());
        add(format!("{self:?}").as_bytes());
        for app in &project.apps {
            add(app.name.as_bytes());
            add(app.ledger.as_bytes());
        }
        for migration in &project.migrations {
            add(migration.id.to_string().as_bytes());
            add(migration.checksum());
        }
        for seed in &project.seeds {
            add(seed.app.as_bytes());
            add(seed.script.text.as_bytes());
        }
        let hash = hex(&hash.finalize()[..12]);
        proven(&format!("{PREFIX}template_{hash}"))
    }
}
