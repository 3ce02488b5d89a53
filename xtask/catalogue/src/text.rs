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
            let address = on_one_line(&object.address.to_string());
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
        let address = on_one_line(&self.address.to_string());
        match attributes.is_empty() {
            true => address,
            false => format!("{address}: {}", attributes.join("; ")),
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
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A value on one line, so that no value can look like something else.
fn quoted(value: &Value) -> String {
    match value {
        Value::List(parts) | Value::Set(parts) => {
            let parts = parts.iter().map(|part| marked(part, part.contains(", ")));
            parts.collect::<Vec<String>>().join(", ")
        }
        value => marked(&value.to_string(), false),
    }
}

/// A text, between backticks where it could be taken for more than one, or for one between backticks. Names have quotes.
fn marked(text: &str, unclear: bool) -> String {
    let plain = !text.is_empty() && !text.starts_with('`') && !text.contains([';', '\n', '\r']);
    if plain && !unclear { text.to_owned() } else { format!("`{}`", on_one_line(&text.replace('`', "``"))) }
}

/// A text without line breaks. No two texts become the same.
fn on_one_line(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use foldhash::{HashMap, HashMapExt, HashSet};

    use super::*;
    use crate::{Body, Enum, address::Address};

    fn catalogue(name: &str, labels: &[&str], comment: Option<&str>) -> Catalogue {
        let address =
            Address { kind: Kind::Enum, schema: "s".to_owned(), name: name.to_owned(), part: String::new() };
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let mut object = Object::new(address, None, Body::Enum(Enum { labels }));
        object.comment = comment.map(str::to_owned);
        Catalogue::new(15, HashSet::default(), std::iter::once(object))
    }

    #[test]
    fn the_text_has_a_line_for_the_object_and_for_each_attribute() {
        let text = catalogue("e", &["a", "b c"], Some("it's")).text(Scope::Exact);
        assert_eq!(text, "enum s.e\nenum s.e: labels a, b c\nenum s.e: comment it's\n");
        assert_eq!(catalogue("e", &[], None).text(Scope::Exact), "enum s.e\n");
    }

    #[test]
    fn a_line_has_the_address_and_all_attributes() {
        let catalogue = catalogue("e", &["a", "b c"], Some("it's"));
        let lines: Vec<String> = catalogue.objects().map(Object::line).collect();
        assert_eq!(lines, ["enum s.e: labels a, b c; comment it's"]);
    }

    #[test]
    fn no_two_enums_have_the_same_text() {
        let pieces = ["a", "b", ", ", ",", " ", "\"", "\\", "\n", "\\n", ";", "; ", "comment b", "", "`"];
        let mut words: Vec<String> = Vec::new();
        for one in pieces {
            words.extend(pieces.iter().flat_map(|two| pieces.map(|three| format!("{one}{two}{three}"))));
        }
        words.sort();
        words.dedup();
        let mut seen = HashMap::new();
        let mut once = |name: &str, labels: &[&str], comment: Option<&str>| {
            let catalogue = catalogue(name, labels, comment);
            let text = catalogue.text(Scope::Exact);
            let attributes = usize::from(!labels.is_empty()) + usize::from(comment.is_some());
            assert_eq!(text.lines().count(), 1 + attributes, "{text}");
            assert!(catalogue.objects().all(|object| object.line().lines().count() == 1));
            let what = format!("{name:?} {labels:?} {comment:?}");
            if let Some(other) = seen.insert(text, what.clone()) {
                assert_eq!(other, what);
            }
        };
        for word in &words {
            once(word, &[], None);
            once("e", &[word], None);
            once("e", &["a"], Some(word));
            once("e", &["a", word], None);
            once("e", &[word, "a"], None);
        }
    }
}
