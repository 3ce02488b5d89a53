//! Names and values as SQL.

use catalogue::Address;

/// A name as an identifier of SQL, whatever characters it has.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The quoted name of an object, with its schema.
pub(crate) fn qualified(object: &Address) -> String {
    format!("{}.{}", quoted(&object.schema), quoted(&object.name))
}

/// A text as a literal, which means the same whatever the session has set.
pub(crate) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{literal, quoted};

    #[test]
    fn names_are_quoted_whatever_they_hold() {
        assert_eq!(quoted("app"), "\"app\"");
        assert_eq!(quoted("a\"; drop database b; --"), "\"a\"\"; drop database b; --\"");
    }

    #[test]
    fn a_literal_holds_quotes_and_backslashes() {
        assert_eq!(literal("it's \\n"), "E'it''s \\\\n'");
    }
}
