//! The canonical text of a catalogue, and its fingerprints.

use sha2::{Digest, Sha256};

use crate::{
    attribute::{Scope, Value},
    kind::Kind,
    object::{Catalogue, Object},
    role::Role,
};

impl Catalogue {
    /// The canonical text, in order of kind, schema and name: a line for each object, and one for each attribute that has a
    /// value, or for each element of a set. So two texts can be compared as sets of lines.
    ///
    /// [`Scope::Exact`] has everything; [`Scope::Portable`] leaves out what the major versions print in their own ways, and
    /// what belongs to one database alone.
    pub fn text(&self, scope: Scope) -> String {
        let mut text = String::new();
        for object in self.objects().filter(|object| object.is_in(scope)) {
            let address = object.address.to_string();
            text += &format!("{address}\n");
            for (name, value) in object.attributes_to_print(scope) {
                let elements = match value {
                    Value::Set(elements) => elements.into_iter().map(Value::One).collect(),
                    value => vec![value],
                };
                for element in elements {
                    text += &format!("{address}: {}\n", attribute(name, &element));
                }
            }
        }
        text
    }

    /// SHA-256 of the canonical text, in hexadecimal.
    pub fn fingerprint(&self, scope: Scope) -> String {
        hex::encode(Sha256::digest(self.text(scope)))
    }
}

impl Object {
    /// Whether a scope has it at all.
    fn is_in(&self, scope: Scope) -> bool {
        // Not-null constraints are rows from 18, for domains from 17 on; the column says the same in every version. What is
        // set for a database differs from one environment to the next.
        let left_out = matches!(self.address.kind, Kind::NotNull | Kind::DomainNotNull | Kind::Database);
        scope != Scope::Portable || !left_out
    }

    /// Its attributes, without what goes without saying.
    fn attributes_to_print(&self, scope: Scope) -> impl Iterator<Item = (&'static str, Value)> {
        // The role that migrates owns what it makes.
        let migrator = Value::One(Role::Migrator.to_string());
        let attributes = self.attributes(scope).into_iter();
        attributes.filter(move |(name, value)| !(*name == "owner" && *value == migrator))
    }

    /// All of it on one line, for people.
    pub fn line(&self) -> String {
        let attributes = self.attributes_to_print(Scope::Exact).map(|(name, value)| attribute(name, &value));
        let attributes: Vec<String> = attributes.collect();
        match attributes.is_empty() {
            true => self.address.to_string(),
            false => format!("{}: {}", self.address, attributes.join("; ")),
        }
    }
}

fn attribute(name: &str, value: &Value) -> String {
    match value {
        Value::Yes => words(name),
        value => format!("{} {}", words(name), quoted(value)),
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
