//! The canonical text of a catalogue, and its fingerprints.

use sha2::{Digest, Sha256};

use crate::{
    attribute::{Role, Scope, Value},
    kinds::Kind,
    object::{Catalogue, Object},
};

impl Catalogue {
    /// The canonical text: a line for each object, in order of kind, schema and name.
    ///
    /// [`Scope::Exact`] has everything; [`Scope::Portable`] leaves out what the major versions print in their own ways.
    pub fn text(&self, scope: Scope) -> String {
        let mut text = String::new();
        for line in self.objects().filter_map(|object| object.line(scope)) {
            text += &line;
            text.push('\n');
        }
        text
    }

    /// SHA-256 of the canonical text, in hexadecimal.
    pub fn fingerprint(&self, scope: Scope) -> String {
        hex::encode(Sha256::digest(self.text(scope)))
    }
}

impl Object {
    /// Its line of the canonical text, if the scope has one.
    pub fn line(&self, scope: Scope) -> Option<String> {
        // Such constraints are rows from 18, for domains from 17 on; the column says the same in every version.
        let unportable = matches!(self.address.kind, Kind::NotNull | Kind::DomainNotNull);
        if unportable && scope == Scope::Portable {
            return None;
        }
        // Whoever migrates owns what it makes.
        let migrator = Value::One(Role::Migrator.to_string());
        let attributes: Vec<String> = self
            .attributes(scope)
            .into_iter()
            .filter(|(name, value)| !(*name == "owner" && *value == migrator))
            .map(|(name, value)| match value {
                Value::Yes => words(name),
                value => format!("{} {}", words(name), quoted(&value)),
            })
            .collect();
        Some(match attributes.is_empty() {
            true => self.address.to_string(),
            false => format!("{}: {}", self.address, attributes.join("; ")),
        })
    }
}

/// The name of an attribute as people read it.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A value on one line, so that no value can look like something else.
fn quoted(value: &Value) -> String {
    let text = value.to_string();
    if text.contains(['\n', '\r', ';']) || text.is_empty() { format!("{text:?}") } else { text }
}
