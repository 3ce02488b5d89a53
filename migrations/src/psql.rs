//! What only psql understands, and a server does not. People copy it from a dump, or from a script that psql runs.

use std::ops::Range;

use crate::statements::{self, Kind, Tokens};

/// What a script has of psql's own language: where, what it is, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Psql {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What it is, and what to write instead.
    pub(crate) message: String,
}

/// Finds the first line of a script with these statements that only psql can run. What follows it may not be SQL at all.
pub(crate) fn first_line_for_psql(sql: &str, statements: &[Range<usize>]) -> Option<Psql> {
    let copy = statements.iter().find(|range| reads_stdin(&sql[Range::clone(range)]));
    let copy = copy.map(|Range { start, .. }| {
        let message = "`copy … from stdin` reads rows that only psql can send; write inserts, as `pg_dump --inserts` does";
        (*start, message.to_owned())
    });
    // Most scripts have no such line, and need not be read once more.
    let begins_a_line = sql.lines().any(|line| line.trim_start().starts_with('\\'));
    let tokens = Some(Tokens::new(sql)).filter(|_| begins_a_line).into_iter().flatten();
    let command = tokens.map(|token| token.range.start).find(|start| is_command(sql, *start));
    let command = command.map(|start| (start, explained(&sql[start..])));
    let (start, message) = copy.into_iter().chain(command).min_by_key(|(start, _)| *start)?;
    Some(Psql { line: statements::line_at(sql, start), message })
}

/// What a text is that Postgres could not parse, and what to write instead, if it begins with a command or a variable of psql.
pub fn at(text: &str) -> Option<String> {
    if text.starts_with('\\') {
        return Some(explained(text));
    }
    let name = text.strip_prefix(':')?;
    let name = name.strip_prefix(['\'', '"']).unwrap_or(name);
    let name: String = name.chars().take_while(|c| statements::is_word(*c)).collect();
    (!name.is_empty())
        .then(|| format!("`:{name}` is a variable of psql, and here nothing replaces it; write its value"))
}

fn reads_stdin(statement: &str) -> bool {
    let words = Tokens::new(statement).filter(|token| token.kind == Kind::Word);
    let mut words = words.map(|token| token.text(statement));
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("copy"))
        && words
            .collect::<Vec<_>>()
            .windows(2)
            .any(|pair| pair[0].eq_ignore_ascii_case("from") && pair[1].eq_ignore_ascii_case("stdin"))
}

/// Whether a token is the backslash at the beginning of a line. Elsewhere the reader leaves it to Postgres.
fn is_command(sql: &str, start: usize) -> bool {
    let line = sql[..start].rfind('\n').map_or(0, |at| at + 1);
    sql[start..].starts_with('\\') && sql[line..start].trim().is_empty()
}

fn explained(text: &str) -> String {
    let name = text[1..].split(|c: char| !statements::is_word(c)).next().unwrap_or_default();
    let instead = match name {
        "restrict" | "unrestrict" => "remove the line, which pg_dump writes for psql alone",
        "c" | "connect" => "remove the line, since the runner is connected already",
        "i" | "ir" | "include" | "include_relative" => "put the SQL of that file here",
        "copy" => "write inserts",
        "set" | "unset" | "gset" => "write the value where it is used",
        "if" | "elif" | "else" | "endif" | "gexec" => "decide in SQL, in a `do` block",
        _ => "remove it, or write the same in SQL",
    };
    format!("`\\{name}` is a command of psql, which the server does not understand; {instead}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_psql_alone_understands_is_found() {
        let find = |sql: &str| first_line_for_psql(sql, &statements::split(sql).collect::<Vec<_>>());
        let check = |sql: &str, line: usize, said: &str| {
            let found = find(sql).unwrap_or_else(|| panic!("{sql}"));
            assert!(found.line == line && found.message.contains(said), "{found:?}");
        };
        check("select 1;\n\\restrict abc\nselect 2;", 2, "`\\restrict` is a command of psql");
        check("copy t (a) from stdin;\n1\tit's\n\\.\n", 1, "from stdin` reads rows");
        check("\\connect app\ncopy t from stdin;\n", 1, "`\\connect`");
        for sql in [
            "select e'\\restrict', '\n\\c';",
            "copy t from '/stdin';",
            "copy t to stdout;",
            "do $$\n\\c\n$$;",
            "-- copy t from stdin;\n/*\n\\c */ select a[1:n], b::int;",
        ] {
            assert_eq!(find(sql), None, "{sql}");
        }
        assert_eq!(at(": 1"), None);
        assert!(at(":'name'").is_some_and(|said| said.contains("`:name`")));
    }
}
