//! Where one statement of a script ends and the next begins: just enough of Postgres's lexical rules to report which
//! statement failed, and to find a `commit` that would cut a migration in two. Nothing here understands a statement.

use std::{iter, ops::Range};

/// The statements of a script, each with its line from 1.
pub fn statements(sql: &str) -> Vec<(usize, &str)> {
    let (mut line, mut at) = (1, 0);
    let with_line = |range: Range<usize>| {
        line += newlines(&sql[at..range.start]);
        at = range.start;
        (line, &sql[range])
    };
    split(sql).map(with_line).collect()
}

/// The byte ranges of a statement's words, quoted texts and symbols, without its comments.
pub fn tokens(sql: &str) -> Vec<Range<usize>> {
    Tokens::new(sql).filter(|token| token.kind != Kind::Comment).map(|token| token.range).collect()
}

/// The byte ranges of the statements, without the blanks and comments around them and without their semicolons. It looks
/// for one statement at a time.
pub(crate) fn split(sql: &str) -> impl Iterator<Item = Range<usize>> {
    let mut tokens = Tokens::new(sql);
    // A semicolon inside parentheses (a rule's actions) or in a body between `begin atomic` and `end` ends nothing.
    let (mut parentheses, mut atomic) = (0_usize, 0_usize);
    let mut previous_word = "";
    iter::from_fn(move || {
        let mut found: Option<Range<usize>> = None;
        for token in tokens.by_ref() {
            match token.kind {
                Kind::Comment => continue,
                Kind::Symbol if token.text(sql) == ";" && parentheses == 0 && atomic == 0 => {
                    if found.is_some() {
                        return found;
                    }
                    continue;
                }
                Kind::Symbol if token.text(sql) == "(" => parentheses += 1,
                Kind::Symbol if token.text(sql) == ")" => parentheses = parentheses.saturating_sub(1),
                Kind::Word => {
                    let word = token.text(sql);
                    let opens = match atomic {
                        0 => {
                            word.eq_ignore_ascii_case("atomic") && previous_word.eq_ignore_ascii_case("begin")
                        }
                        // Inside, only `case` has an `end` of its own.
                        _ => word.eq_ignore_ascii_case("case"),
                    };
                    if opens {
                        atomic += 1;
                    } else if atomic > 0 && word.eq_ignore_ascii_case("end") {
                        atomic -= 1;
                    }
                    previous_word = word;
                }
                Kind::Symbol | Kind::Quoted => {}
            }
            let end = token.range.end;
            found.get_or_insert(token.range).end = end;
        }
        found
    })
}

/// The first of these statements of a script that starts or ends a transaction: its first word, and its line.
pub(crate) fn transaction_control(sql: &str, statements: &[Range<usize>]) -> Option<(String, usize)> {
    const WORDS: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort"];
    statements.iter().find_map(|range| {
        let statement = &sql[range.clone()];
        let words = Tokens::new(statement).filter(|token| token.kind == Kind::Word);
        let words: Vec<String> =
            words.take(3).map(|token| token.text(statement).to_ascii_lowercase()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ends = match words[..] {
            // To a savepoint, which stays inside the transaction.
            ["rollback", "to", ..] | ["rollback", "work" | "transaction", "to"] => false,
            ["prepare", second, ..] => second == "transaction",
            [first, ..] => WORDS.contains(&first),
            [] => false,
        };
        ends.then(|| (words[0].to_owned(), line_at(sql, range.start)))
    })
}

/// Whether a statement makes or drops a role or a tablespace, which belong to the whole server.
pub(crate) fn is_of_the_server(statement: &str) -> bool {
    let is = |kind: &str| {
        begins(statement, &format!("create {kind}")) || begins(statement, &format!("drop {kind}"))
    };
    is("role") || is("group") || is("tablespace") || (is("user") && !is("user mapping"))
}

/// Whether a statement makes a tablespace.
pub(crate) fn is_tablespace(statement: &str) -> bool {
    begins(statement, "create tablespace") || begins(statement, "drop tablespace")
}

/// Whether a statement drops an object.
pub(crate) fn drops(statement: &str) -> bool {
    begins(statement, "drop")
}

/// Whether a statement begins with these words.
fn begins(statement: &str, words: &str) -> bool {
    let mut found = Tokens::new(statement).map(|token| token.text(statement));
    words.split(' ').all(|word| found.next().is_some_and(|found| found.eq_ignore_ascii_case(word)))
}

/// The line of a byte offset, from 1.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    newlines(&text[..offset]) + 1
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
}

/// The tokens of a statement, comments included.
pub(crate) struct Tokens<'s> {
    sql: &'s str,
    at: usize,
}

impl<'s> Tokens<'s> {
    pub(crate) fn new(sql: &'s str) -> Self {
        Tokens { sql, at: 0 }
    }
}

pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

impl Token {
    pub(crate) fn text<'s>(&self, sql: &'s str) -> &'s str {
        &sql[self.range.clone()]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Comment,
    Quoted,
    Word,
    Symbol,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = self.sql[self.at..].trim_start();
        let start = self.sql.len() - rest.len();
        let first = rest.chars().next()?;
        let (kind, length) = if rest.starts_with("--") {
            (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Kind::Comment, block_comment(rest))
        } else if first == '\'' {
            (Kind::Quoted, quoted(rest, '\'', Escapes::Doubled))
        } else if first == '"' {
            (Kind::Quoted, quoted(rest, '"', Escapes::Doubled))
        } else if first.eq_ignore_ascii_case(&'e') && rest[1..].starts_with('\'') {
            (Kind::Quoted, 1 + quoted(&rest[1..], '\'', Escapes::Backslash))
        } else if let Some(length) = dollar_quoted(rest) {
            (Kind::Quoted, length)
        } else if is_word(first) {
            (Kind::Word, rest.find(|c| !is_word(c) && c != '$').unwrap_or(rest.len()))
        } else {
            (Kind::Symbol, first.len_utf8())
        };
        self.at = start + length;
        Some(Token { kind, range: start..self.at })
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

enum Escapes {
    Doubled,
    Backslash,
}

/// Length of a quoted text, from its opening quote to its closing one; to the end where that is missing.
fn quoted(text: &str, quote: char, escapes: Escapes) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && matches!(escapes, Escapes::Backslash) {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// Length of `$tag$ … $tag$`, if the text opens with one.
fn dollar_quoted(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('$')?;
    let tag = &inner[..inner.find('$')?];
    if !tag.chars().all(is_word) || tag.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let quote = &text[..tag.len() + 2];
    let body = &text[quote.len()..];
    Some(body.find(quote).map_or(text.len(), |at| quote.len() + at + quote.len()))
}

/// Length of a block comment; Postgres lets them nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let found: Vec<&str> = split(sql).map(|range| &sql[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn semicolons_end_statements() {
        check(
            "select 1;\n -- a;b\n select 2 ; /* ; /* ; */ ; */ select 3",
            &["select 1", "select 2", "select 3"],
        );
        check(" ;; -- nothing\n", &[]);
    }

    #[test]
    fn quoted_semicolons_do_not_end_statements() {
        check(
            "select ';', 'it''s;', \"a;\"\"b\", e'\\';' ; select 2",
            &["select ';', 'it''s;', \"a;\"\"b\", e'\\';'", "select 2"],
        );
        check("do $$ begin; end $$; do $a$ $$;$b$ $a$;", &["do $$ begin; end $$", "do $a$ $$;$b$ $a$"]);
        check("select $1; select a$b$ from t;", &["select $1", "select a$b$ from t"]);
    }

    #[test]
    fn bodies_keep_their_semicolons() {
        let function =
            "create function f() returns int begin atomic select 1; select case when true then 2 end; end";
        check(&format!("{function}; select 3"), &[function, "select 3"]);
        check(
            "create rule r as on insert to t do (select 1; select 2); select 3",
            &["create rule r as on insert to t do (select 1; select 2)", "select 3"],
        );
    }

    #[test]
    fn unclosed_quotes_reach_to_the_end() {
        check("select 'a; select 2", &["select 'a; select 2"]);
        check("/* a; select 2", &[]);
    }

    #[test]
    fn transaction_control_is_found_with_its_line() {
        let find = |sql: &str| transaction_control(sql, &split(sql).collect::<Vec<_>>());
        assert_eq!(find("select 1;\nCOMMIT;"), Some(("commit".to_owned(), 2)));
        assert_eq!(find("select 1;\nprepare transaction 'x';"), Some(("prepare".to_owned(), 2)));
        assert_eq!(find("savepoint a; rollback to a; prepare p as select 1"), None);
        assert_eq!(find("do $$ begin commit; end $$; select 'commit;'"), None);
        assert_eq!(find("create function f() returns int begin atomic select 1; end;"), None);
    }
}
