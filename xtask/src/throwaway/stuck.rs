//! Statements that run in no order: which of them has to be mended.

use std::collections::HashMap;

use migrations::{sqlstate, tokens};

use crate::{terminal::output::count, throwaway::statement::Statement};

/// The words of a statement that come before the name of what it creates.
const BEFORE_NAME: &str = "create or replace global local temporary temp unlogged unique materialized recursive foreign constraint event \
    table view index sequence type domain function procedure aggregate trigger policy schema concurrently if not exists";

/// The words between `add` and the name of a new column or constraint.
const ADDED: [&str; 5] = ["column", "constraint", "if", "not", "exists"];

/// A statement that failed, and why.
pub(super) struct Failed {
    pub(super) statement: Statement,
    why: String,
    is_syntax_error: bool,
}

impl Failed {
    pub(super) fn new(statement: Statement, error: &sqlx::Error) -> Failed {
        Failed { why: statement.why(error), is_syntax_error: sqlstate::is(error, "42601"), statement }
    }
}

/// The statements, a line each. Those that miss what another one of them creates are only counted, since that one has to be
/// mended first; so are all others if one is no SQL, because it is unknown what that creates.
pub(super) fn stuck(failed: &[Failed]) -> String {
    let makes: Vec<Vec<String>> = failed.iter().map(|it| created(&it.statement.sql)).collect();
    let mut makers: HashMap<&str, usize> = HashMap::new();
    for name in makes.iter().flatten() {
        *makers.entry(name).or_default() += 1;
    }
    let is_sql = !failed.iter().any(|it| it.is_syntax_error);
    let waits = |(it, makes): &(&Failed, &Vec<String>)| {
        if !is_sql {
            return !it.is_syntax_error;
        }
        let Some(name) = missing(&it.why) else { return false };
        let own = makes.iter().filter(|own| **own == name).count();
        makers.get(name.as_str()).is_some_and(|makers| *makers > own)
    };
    let (waiting, causes): (Vec<_>, Vec<_>) = failed.iter().zip(&makes).partition(waits);
    let line = |it: &Failed| format!("  {}: {}", it.statement.place, it.why);
    if causes.is_empty() || waiting.is_empty() {
        return failed.iter().map(line).collect::<Vec<_>>().join("\n");
    }
    let mut lines: Vec<String> = causes.into_iter().map(|(it, _)| line(it)).collect();
    let waiting = count(waiting.len(), "other statement", "other statements");
    lines.push(format!("  and {waiting}, which may need what these make"));
    lines.join("\n")
}

/// The names of what a statement creates, without a schema: an object, or columns of a table.
fn created(sql: &str) -> Vec<String> {
    let words: Vec<&str> = tokens(sql).into_iter().map(|range| &sql[range]).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let plain = |name: &str| name.trim_matches('"').to_lowercase();
    if is(0, "alter") {
        let added = (1..words.len()).filter(|at| is(at - 1, "add"));
        let name = added.map(|at| (at..).find(|at| !ADDED.iter().any(|word| is(*at, word))));
        return name.flatten().filter_map(|at| words.get(at)).map(|name| plain(name)).collect();
    }
    if !is(0, "create") {
        return Vec::new();
    }
    let before_name = |word: &&str| BEFORE_NAME.split_whitespace().any(|it| it.eq_ignore_ascii_case(word));
    let named: Vec<&str> = words.iter().copied().skip_while(before_name).take(3).collect();
    match named[..] {
        [_, ".", made] | [made, ..] => vec![plain(made)],
        [] => Vec::new(),
    }
}

/// The name of what an error says does not exist, without its schema.
fn missing(why: &str) -> Option<String> {
    let (what, _) = why.split_once(" does not exist")?;
    let function = what.strip_prefix("function ").and_then(|it| it.split('(').next());
    let name = function.or_else(|| what.split('"').nth(1))?;
    Some(name.rsplit('.').next()?.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_to_be_mended_is_listed() {
        let failed = |sql: &str, why: &str| Failed {
            statement: Statement { place: "f.sql:1".to_owned(), sql: sql.to_owned() },
            why: why.to_owned(),
            is_syntax_error: why.contains("(42601)"),
        };
        let typo =
            || failed("create table app.\"People\" (a intger)", "type \"intger\" does not exist (42704)");
        let index = || {
            failed("create index i on app.\"People\" (a)", "relation \"app.People\" does not exist (42P01)")
        };
        let view = || {
            failed(
                "create or replace view v as select f(1)",
                "function app.f(integer) does not exist (42883)",
            )
        };
        let body = || failed("create function app.f(int) selec", "syntax error at or near \"selec\" (42601)");
        let said = "  f.sql:1: type \"intger\" does not exist (42704)\n  and 1 other statement, which may need what these make";
        assert_eq!(stuck(&[index(), typo()]), said);
        let column = failed(
            "alter table app.\"People\" add b int, ADD column if not exists c int",
            "relation \"app.People\" does not exist (42P01)",
        );
        let of_column = failed("create index on t (c)", "column \"c\" does not exist (42703)");
        assert_eq!(stuck(&[of_column, typo(), column]).lines().count(), 2);
        assert_eq!(stuck(&[view(), body(), index(), typo()]).lines().count(), 2);
        // Nothing makes what it misses, or each waits for another.
        assert_eq!(stuck(&[index(), view()]).lines().count(), 2);
        let circle = failed("create view f as select 1", "relation \"v\" does not exist (42P01)");
        assert_eq!(stuck(&[view(), circle]).lines().count(), 2);
    }
}
