//! What a template is called: a fingerprint of everything that it is made of.

use migrations::Project;
use sha2::{Digest, Sha256};
use tests_client::Recipe;

use crate::owner::{PREFIX, proven};

/// Raise this when templates are built differently from the same files.
const FORMAT: u32 = 2;

/// The name of a recipe's template: the same for the same files, wherever they are, and the same role and version of the
/// server, and for no others.
pub(crate) fn template_name(recipe: &Recipe, project: &Project, role: &str, server_version: u32) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    add(&FORMAT.to_le_bytes());
    add(&server_version.to_le_bytes());
    add(role.as_bytes());
    add(format!("{:?}", recipe.content).as_bytes());
    add(&[u8::from(recipe.recyclable)]);
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
    let hash = hex::encode(&hash.finalize()[..12]);
    proven(&format!("{PREFIX}template_{hash}"))
}
