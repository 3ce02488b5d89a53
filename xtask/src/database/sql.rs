//! Names and values as SQL.

use catalogue::Address;
use diff::{Hazard, Statement};
pub(crate) use migrations::literal;

/// A name as an identifier of SQL, whatever characters it has.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The quoted name of an object, with its schema.
pub(crate) fn qualified(object: &Address) -> String {
    format!("{}.{}", quoted(&object.schema), quoted(&object.name))
}

/// Statements as people write them: a blank line before another object, and before another sort of statement.
pub(crate) fn as_text(statements: &[Statement]) -> String {
    let mut text = String::new();
    let mut before: Option<(&str, &str, &str)> = None;
    for Statement { sql, object, hazards, .. } in statements {
        let words = sql.split(' ').take(2).map(str::len).sum::<usize>() + 1;
        let sort = sql.get(..words).unwrap_or(sql);
        let here = (object.schema.as_str(), object.name.as_str(), sort);
        if before != Some(here) || sql.contains('\n') {
            text.push('\n');
        }
        for hazard in hazards {
            if let Hazard::DataLoss(what) = hazard {
                text += &format!("-- data loss: {}\n", what.replace(['\n', '\r'], " "));
            }
        }
        text += &format!("{sql};\n");
        before = Some(here);
    }
    text
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
