//! Cuts the foreign keys out of a `create table`, so that tables that refer to each other load in some order. It finds them by
//! their tokens; nothing else of SQL is understood here.

use std::ops::Range;

/// The statement without the foreign keys in it, and a statement for each of these. Any other statement comes back alone.
pub(super) fn cut_foreign_keys(sql: &str) -> Vec<String> {
    cut(sql).unwrap_or_else(|| vec![sql.to_owned()])
}

fn cut(sql: &str) -> Option<Vec<String>> {
    let tokens = Tokens { sql, ranges: migrations::tokens(sql) };
    let (table, open) = tokens.table()?;
    let items = tokens.items(open + 1)?;
    let close = items.last()?.end;
    let (mut kept, mut keys) = (Vec::new(), Vec::new());
    for item in items {
        match tokens.key(item.clone()) {
            Some(Key { text, rest }) => {
                keys.push(format!("alter table {table} add {text}"));
                kept.extend(rest);
            }
            None => kept.push(tokens.text(item).to_owned()),
        }
    }
    let (start, end) = (&sql[..tokens.ranges[open].end], &sql[tokens.ranges[close].start..]);
    let table = format!("{start}\n    {}\n{end}", kept.join(",\n    "));
    Some([table].into_iter().chain(keys).collect())
}

struct Tokens<'s> {
    sql: &'s str,
    ranges: Vec<Range<usize>>,
}

/// A foreign key as `alter table … add` takes it, and what is left of its item: the rest of a column.
struct Key {
    text: String,
    rest: Option<String>,
}

impl Tokens<'_> {
    /// A token in lower case, so that keywords compare; empty behind the end. A quoted name keeps its quotes.
    fn word(&self, at: usize) -> String {
        self.ranges.get(at).map_or(String::new(), |range| self.sql[range.clone()].to_ascii_lowercase())
    }

    fn text(&self, tokens: Range<usize>) -> &str {
        &self.sql[self.ranges[tokens.start].start..self.ranges[tokens.end - 1].end]
    }

    /// The name of the table that the statement creates, and the parenthesis that opens its list.
    fn table(&self) -> Option<(&str, usize)> {
        if self.word(0) != "create" {
            return None;
        }
        let mut at = (1..4).find(|&at| self.word(at) == "table")? + 1;
        if self.word(at) == "if" {
            at += 3;
        }
        let open = (at..self.ranges.len()).find(|&at| self.word(at) == "(")?;
        // `partition of`, `of` and `as` have no list, or another one.
        let is_name = (at + 1..open).all(|at| self.word(at) == "." || self.word(at - 1) == ".");
        (open > at && is_name).then(|| (self.text(at..open), open))
    }

    /// The items of a list, up to its closing parenthesis.
    fn items(&self, first: usize) -> Option<Vec<Range<usize>>> {
        let (mut items, mut start, mut depth) = (Vec::new(), first, 0_usize);
        for at in first..self.ranges.len() {
            match self.word(at).as_str() {
                "(" | "[" => depth += 1,
                ")" if depth == 0 => {
                    items.push(start..at);
                    return items.iter().all(|item| !item.is_empty()).then_some(items);
                }
                ")" | "]" => depth = depth.checked_sub(1)?,
                "," if depth == 0 => {
                    items.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
        }
        None
    }

    /// The foreign key of an item: the item itself, or what a column refers to.
    fn key(&self, item: Range<usize>) -> Option<Key> {
        let named = self.word(item.start) == "constraint";
        let first = if named { item.start + 2 } else { item.start };
        match self.word(first).as_str() {
            "foreign" => return Some(Key { text: self.text(item).to_owned(), rest: None }),
            "check" | "unique" | "primary" | "exclude" | "like" => return None,
            _ if named => return None,
            _ => {}
        }
        let mut depth = 0_usize;
        let references = item.clone().find(|&at| {
            match self.word(at).as_str() {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && self.word(at) == "references"
        })?;
        let has_name = references >= item.start + 3 && self.word(references - 2) == "constraint";
        let start = if has_name { references - 2 } else { references };
        let end = self.end_of_reference(references + 1).min(item.end);
        let name = if has_name { format!("{} ", self.text(start..references)) } else { String::new() };
        let column = self.text(item.start..item.start + 1);
        let text = format!("{name}foreign key ({column}) {}", self.text(references..end));
        let after = if end < item.end { format!(" {}", self.text(end..item.end)) } else { String::new() };
        Some(Key { text, rest: Some(self.text(item.start..start).to_owned() + &after) })
    }

    /// Where the clause ends that names the table and what to do on changes there.
    fn end_of_reference(&self, mut at: usize) -> usize {
        at += 1;
        while self.word(at) == "." {
            at += 2;
        }
        at = self.after_list(at);
        loop {
            let words = [0, 1, 2].map(|ahead| self.word(at + ahead));
            at = match words.each_ref().map(String::as_str) {
                ["match", ..] => at + 2,
                ["on", "delete" | "update", "set"] => self.after_list(at + 4),
                ["on", "delete" | "update", "no"] => at + 4,
                ["on", "delete" | "update", _] => at + 3,
                ["deferrable" | "enforced", ..] => at + 1,
                ["not", "deferrable" | "enforced", _] | ["initially", ..] => at + 2,
                _ => return at,
            };
        }
    }

    /// Behind a list in parentheses, if one begins here.
    fn after_list(&self, at: usize) -> usize {
        if self.word(at) != "(" {
            return at;
        }
        (at..self.ranges.len()).find(|&at| self.word(at) == ")").map_or(at, |close| close + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let found = cut_foreign_keys(sql);
        let found: Vec<String> =
            found.iter().map(|sql| sql.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn keys_are_cut_out_of_a_table() {
        check(
            "create table if not exists s.\"A b\" (id int, -- a, b\n b int, constraint k foreign key (b) references b (id) on delete cascade, foreign key (id) references c)",
            &[
                "create table if not exists s.\"A b\" ( id int, b int )",
                "alter table s.\"A b\" add constraint k foreign key (b) references b (id) on delete cascade",
                "alter table s.\"A b\" add foreign key (id) references c",
            ],
        );
    }

    #[test]
    fn keys_are_cut_out_of_columns() {
        check(
            "create unlogged table t (a int references x.b (id) match full on delete set null (a) on update no action \
             deferrable initially deferred not null, \"B\" numeric(3, 2) constraint k references c unique, d text[] default array['x', 'y'] check (d <> '{}'))",
            &[
                "create unlogged table t ( a int not null, \"B\" numeric(3, 2) unique, d text[] default array['x', 'y'] check (d <> '{}') )",
                "alter table t add foreign key (a) references x.b (id) match full on delete set null (a) on update no action \
                 deferrable initially deferred",
                "alter table t add constraint k foreign key (\"B\") references c",
            ],
        );
    }

    #[test]
    fn anything_else_stays() {
        for sql in [
            "create table p partition of t for values in (1)",
            "create table t as select 1",
            "create view v as select 1",
            "create table t (a int check (a > (1)), references_x int, constraint references_y check (a = 1))",
        ] {
            let found = cut_foreign_keys(sql).len();
            assert_eq!(found, 1, "{sql}");
        }
    }
}
