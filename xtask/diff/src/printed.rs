//! Expressions that the server prints and does not read back in the same way.
//!
//! It prints `s in ('a', 'b')` of a `varchar` as `(s)::text = ANY ((ARRAY['a'::character varying, …])::text[])`, where the cast of
//! the array is implied by the operator. Read back, the cast moves into the array, and the next print is another one. Without it
//! the server implies it again, and what a script makes is printed as in the schema that it is made from.

/// SQL without the casts of arrays that an operator implies.
pub(crate) fn as_meant(sql: &str) -> String {
    if !sql.contains("((ARRAY[") {
        return sql.to_owned();
    }
    let mut meant = String::with_capacity(sql.len());
    let mut at = 0;
    while at < sql.len() {
        if let Some((array, end)) = implied_cast(sql, at) {
            meant += &format!("{} ({})", &sql[at..at + 3], as_meant(array));
            at = end;
        } else {
            let end = token_end(sql, at);
            meant += &sql[at..end];
            at = end;
        }
    }
    meant
}

/// The array of `ANY ((ARRAY[…])::type[])` or `ALL (…)`, and where that ends.
fn implied_cast(sql: &str, at: usize) -> Option<(&str, usize)> {
    let rest = &sql[at..];
    if !rest.starts_with("ANY ((ARRAY[") && !rest.starts_with("ALL ((ARRAY[") {
        return None;
    }
    let array = at + "ANY (".len();
    let array_end = closed(sql, array + 1)?;
    let end = closed(sql, array)?;
    let cast = &sql[array_end..end - 1];
    (cast.starts_with("::") && cast.ends_with("[]")).then(|| (&sql[array + 1..array_end - 1], end))
}

/// The place behind the parenthesis that closes the one before a place.
fn closed(sql: &str, mut at: usize) -> Option<usize> {
    let mut depth = 1;
    while at < sql.len() {
        let end = token_end(sql, at);
        match &sql[at..end] {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            _ => {}
        }
        at = end;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The end of a literal, a name in quotes or a body between dollars; else of one character.
fn token_end(sql: &str, at: usize) -> usize {
    let rest = &sql[at..];
    let in_word = sql[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
    let escapes = sql[..at].ends_with(['E', 'e']);
    let length = match rest.as_bytes().first() {
        Some(b'\'') if escapes => end_of_escaped(rest),
        Some(b'\'') => rest[1..].find('\'').map(|end| end + 2),
        Some(b'"') => rest[1..].find('"').map(|end| end + 2),
        Some(b'$') if !in_word => {
            dollar_mark(rest).and_then(|mark| rest[mark.len()..].find(mark).map(|end| end + 2 * mark.len()))
        }
        _ => None,
    };
    at + length.unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8))
}

fn end_of_escaped(literal: &str) -> Option<usize> {
    let mut escaped = false;
    let end = literal[1..].find(|c: char| {
        let ends = c == '\'' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map(|end| end + 2)
}

/// `$mark$` at the beginning of a text.
fn dollar_mark(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let is_mark = text[1..end].chars().all(|c| c.is_alphanumeric() || c == '_');
    is_mark.then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::as_meant;

    #[test]
    fn only_a_cast_that_the_operator_implies_is_left_out() {
        let printed = "((s)::text = ANY ((ARRAY['a]'::character varying, $$b$$])::text[])) AND (b <> ALL ((ARRAY[(c)::cidr])::inet[]))";
        let meant =
            "((s)::text = ANY (ARRAY['a]'::character varying, $$b$$])) AND (b <> ALL (ARRAY[(c)::cidr]))";
        assert_eq!(as_meant(printed), meant);
        for same in [
            "'x = ANY ((ARRAY[1])::text[])'",
            "as $f$ x = ANY ((ARRAY[1])::text[]) $f$",
            "E'\\' ANY ((ARRAY[1])::text[])'",
            "\"ANY ((ARRAY[1])::text[])\"",
            "x = ANY (ARRAY['ä'])",
            "x = ANY ((ARRAY[1] || y))",
        ] {
            assert_eq!(as_meant(same), same);
        }
    }
}
