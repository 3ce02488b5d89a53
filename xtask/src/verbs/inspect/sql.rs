//! Prints constraints, indexes and triggers as SQL has them.

use catalogue::{Columns, Constraint, Index, Key, Trigger, identifier};

/// A constraint, without its name. A primary key or a unique constraint has an index.
pub(super) fn constraint(constraint: &Constraint, index: Option<&Index>) -> String {
    let mut text = match (&constraint.check, &constraint.exclude) {
        (Some(check), _) => format!("CHECK ({})", bare(&unqualified(check))),
        (None, Some(exclude)) => return unqualified(exclude),
        (None, None) => constraint.sort.to_uppercase(),
    };
    if constraint.check.is_none() {
        if index.is_some_and(|index| index.nulls_not_distinct) {
            text += " NULLS NOT DISTINCT";
        }
        let period = if constraint.period { " WITHOUT OVERLAPS" } else { "" };
        text += &format!(" ({}{period})", list(&constraint.columns));
        text += &index.map_or(String::new(), include);
    }
    for (holds, words) in [
        (constraint.no_inherit, " NO INHERIT"),
        (constraint.deferrable, " DEFERRABLE"),
        (constraint.initially_deferred, " INITIALLY DEFERRED"),
        (constraint.not_enforced, " NOT ENFORCED"),
        (constraint.not_valid && !constraint.not_enforced, " NOT VALID"),
    ] {
        text += if holds { words } else { "" };
    }
    text
}

/// An index from its method on.
pub(super) fn index(index: &Index) -> String {
    let keys: Vec<String> = index.keys.0.iter().map(key).collect();
    let mut text = format!("{} ({}){}", index.method, keys.join(", "), include(index));
    if index.nulls_not_distinct {
        text += " NULLS NOT DISTINCT";
    }
    if !index.options.0.is_empty() {
        text += &format!(" WITH ({})", index.options.0.join(", "));
    }
    if let Some(predicate) = &index.predicate {
        text += &format!(" WHERE {}", unqualified(predicate));
    }
    text
}

fn key(key: &Key) -> String {
    let mut text = match (&key.column, &key.expression) {
        (Some(column), _) => identifier(column),
        (None, expression) => unqualified(expression.as_deref().unwrap_or_default()),
    };
    for (words, name) in [(" COLLATE ", &key.collation), (" ", &key.operator_class)] {
        text += &name.as_ref().map_or(String::new(), |name| format!("{words}{}", unqualified(name)));
    }
    text + match (key.descending, key.nulls_first) {
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
        (false, true) => " NULLS FIRST",
        (false, false) => "",
    }
}

fn include(index: &Index) -> String {
    if index.include.0.is_empty() { String::new() } else { format!(" INCLUDE ({})", list(&index.include)) }
}

fn list(columns: &Columns) -> String {
    columns.0.iter().map(|column| identifier(column)).collect::<Vec<_>>().join(", ")
}

/// A trigger after its name.
pub(super) fn trigger(name: &str, trigger: &Trigger) -> String {
    let whole = &trigger.definition;
    let starts = ["CREATE TRIGGER ", "CREATE CONSTRAINT TRIGGER "];
    let rest = starts.iter().find_map(|start| whole.strip_prefix(start)).unwrap_or(whole);
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let rest = rest.strip_prefix(&quoted).or_else(|| rest.strip_prefix(name)).unwrap_or(rest);
    unqualified(rest.trim_start())
}

/// An expression without the parentheses around the whole of it.
pub(super) fn bare(expression: &str) -> &str {
    let (mut depth, mut quote) = (0_u32, None);
    for (at, c) in expression.char_indices() {
        match (quote, c) {
            (Some(open), _) => quote = (open != c).then_some(open),
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth == 1 => {
                let whole = at + 1 == expression.len();
                return if whole { expression[1..at].trim() } else { expression };
            }
            (None, ')') => depth -= 1,
            (None, _) if depth == 0 => return expression,
            (None, _) => {}
        }
    }
    expression
}

/// SQL that the server printed, such as a type or an expression, without the schema where that is `public`.
pub(super) fn unqualified(sql: &str) -> String {
    let (mut short, mut quote, mut word) = (String::with_capacity(sql.len()), None, false);
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        if let (None, false, Some(after)) = (quote, word, rest.strip_prefix("public.")) {
            rest = after;
            word = true;
            continue;
        }
        quote = match quote {
            None if c == '\'' || c == '"' => Some(c),
            Some(open) if open == c => None,
            quote => quote,
        };
        word = c.is_alphanumeric() || c == '_' || c == '.' || c == '$' || c == '"';
        short.push(c);
        rest = &rest[c.len_utf8()..];
    }
    short
}

#[cfg(test)]
mod tests {
    use super::{bare, unqualified};

    #[test]
    fn only_parentheses_around_the_whole_are_removed() {
        for (expression, expected) in [
            ("(a > (b))", "a > (b)"),
            ("(a > 0) NOT VALID", "(a > 0) NOT VALID"),
            ("(a > 0) AND (b > 0)", "(a > 0) AND (b > 0)"),
            ("((a > 0) AND (b > 0))", "(a > 0) AND (b > 0)"),
            ("(a)::numeric(3)", "(a)::numeric(3)"),
            ("(a = ')')", "a = ')'"),
            ("(\"(\" = '''(')", "\"(\" = '''('"),
            ("f(a)", "f(a)"),
            ("", ""),
        ] {
            assert_eq!(bare(expression), expected);
        }
    }

    #[test]
    fn only_the_schema_public_is_left_out_and_never_inside_quotes() {
        for (sql, expected) in [
            ("public.mood[]", "mood[]"),
            ("public.\"Mood\"(3)", "\"Mood\"(3)"),
            ("('a'::public.mood)", "('a'::mood)"),
            ("other.public.x", "other.public.x"),
            ("not_public.x", "not_public.x"),
            ("'public.x' || public.f('it''s public.y')", "'public.x' || f('it''s public.y')"),
            ("\"public.x\".public.y", "\"public.x\".public.y"),
            ("public.public.x", "public.x"),
            ("é public.é", "é é"),
        ] {
            assert_eq!(unqualified(sql), expected);
        }
    }
}
