//! The one statement of a file without a transaction, as far as the catalogue shows whether it has run.
//!
//! That takes the names in it, and nothing else: what an index is defined as, Postgres itself says.

use crate::statements::{self, Kind, Token, Tokens};

/// The statement of a `-- no-transaction` file. Names are as written, with their quotes and schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lone {
    /// `create index concurrently`.
    CreateIndex(NewIndex),
    /// `drop index concurrently`.
    DropIndex {
        /// The index.
        index: String,
    },
    /// `alter table … detach partition … concurrently`.
    Detach {
        /// The partitioned table.
        parent: String,
        /// Its partition.
        partition: String,
    },
    /// `alter type … add value`.
    AddValue {
        /// The type.
        of: String,
        /// The value, without quotes.
        value: String,
    },
    /// `reindex … concurrently`.
    Reindex,
    /// Anything else.
    Other,
}

/// An index to be built concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewIndex {
    /// Its name as Postgres keeps it; `None` leaves that to Postgres.
    pub(crate) name: Option<String>,
    /// Whether it is unique.
    pub(crate) unique: bool,
    /// Its table.
    pub(crate) table: String,
    /// What follows the table's name: the columns, and all the rest.
    pub(crate) definition: String,
}

impl Lone {
    /// Reads the first statement of a script.
    pub(crate) fn read(sql: &str) -> Lone {
        let range = statements::split(sql).next();
        let statement = range.map_or("", |range| &sql[range]);
        let words = Words::new(statement);
        words
            .create_index()
            .or_else(|| words.drop_index())
            .or_else(|| words.alter())
            .unwrap_or_else(|| if words.is_reindex_concurrently() { Lone::Reindex } else { Lone::Other })
    }

    /// Whether it waits for transactions of others while it blocks neither readers nor writers. Giving up would only mean
    /// to start over, so it may wait without limit.
    pub(crate) fn waits_for_others(&self) -> bool {
        !matches!(self, Lone::AddValue { .. } | Lone::Other)
    }

    /// Whether the catalogue shows that it has run.
    pub(crate) fn leaves_a_trace(&self) -> bool {
        !matches!(self, Lone::Reindex | Lone::Other)
    }
}

/// The tokens of a statement without comments, read from left to right.
#[derive(Clone)]
struct Words<'s> {
    sql: &'s str,
    tokens: std::rc::Rc<[Token]>,
    at: usize,
}

impl<'s> Words<'s> {
    fn new(sql: &'s str) -> Words<'s> {
        let tokens = Tokens::new(sql).filter(|token| token.kind != Kind::Comment).collect();
        Words { sql, tokens, at: 0 }
    }

    fn create_index(&self) -> Option<Lone> {
        let mut words = self.clone();
        words.expect(&["create"])?;
        let unique = words.take("unique");
        words.expect(&["index", "concurrently"])?;
        let _ = words.take_all(&["if", "not", "exists"]);
        let name = if words.is("on") { None } else { Some(plain(&words.name()?)) };
        words.expect(&["on"])?;
        words.take("only");
        let table = words.name()?;
        let definition = self.sql[words.tokens.get(words.at)?.range.start..].to_owned();
        Some(Lone::CreateIndex(NewIndex { name, unique, table, definition }))
    }

    fn drop_index(&self) -> Option<Lone> {
        let mut words = self.clone();
        words.expect(&["drop", "index", "concurrently"])?;
        let _ = words.take_all(&["if", "exists"]);
        Some(Lone::DropIndex { index: words.name()? })
    }

    fn alter(&self) -> Option<Lone> {
        let mut words = self.clone();
        words.expect(&["alter"])?;
        if words.take("type") {
            let of = words.name()?;
            words.expect(&["add", "value"])?;
            let _ = words.take_all(&["if", "not", "exists"]);
            let quoted = words.next(Kind::Quoted)?;
            let value = quoted.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
            return Some(Lone::AddValue { of, value });
        }
        words.expect(&["table"])?;
        let _ = words.take_all(&["if", "exists"]);
        words.take("only");
        let parent = words.name()?;
        words.expect(&["detach", "partition"])?;
        let partition = words.name()?;
        words.expect(&["concurrently"])?;
        Some(Lone::Detach { parent, partition })
    }

    fn is_reindex_concurrently(&self) -> bool {
        let word = |token: &Token, word: &str| {
            token.kind == Kind::Word && token.text(self.sql).eq_ignore_ascii_case(word)
        };
        self.is("reindex") && self.tokens.iter().any(|token| word(token, "concurrently"))
    }

    /// Whether the next token is this keyword.
    fn is(&self, word: &str) -> bool {
        let token = self.tokens.get(self.at).filter(|token| token.kind == Kind::Word);
        token.is_some_and(|token| token.text(self.sql).eq_ignore_ascii_case(word))
    }

    /// Takes the keyword if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let taken = self.is(word);
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, words: &[&str]) -> Option<()> {
        words.iter().all(|word| self.take(word)).then_some(())
    }

    /// Takes all of the keywords if they come next, or none.
    fn take_all(&mut self, words: &[&str]) -> Option<()> {
        let start = self.at;
        let taken = self.expect(words);
        if taken.is_none() {
            self.at = start;
        }
        taken
    }

    fn next(&mut self, kind: Kind) -> Option<&'s str> {
        let token = self.tokens.get(self.at).filter(|token| token.kind == kind)?;
        self.at += 1;
        Some(token.text(self.sql))
    }

    /// A name, which may have a schema before it.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let part = self.next(Kind::Word).or_else(|| self.next(Kind::Quoted))?;
            name.push_str(part);
            let Some(dot) = self.next(Kind::Symbol) else { return Some(name) };
            if dot != "." {
                self.at -= 1;
                return Some(name);
            }
            name.push('.');
        }
    }
}

/// A name as Postgres keeps it: a quoted one literally, any other in lower case.
fn plain(name: &str) -> String {
    name.strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
        .map_or_else(|| name.to_ascii_lowercase(), |name| name.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: Option<&str>, unique: bool, table: &str, definition: &str) -> Lone {
        let (name, table, definition) = (name.map(str::to_owned), table.to_owned(), definition.to_owned());
        Lone::CreateIndex(NewIndex { name, unique, table, definition })
    }

    #[test]
    fn statements_that_leave_a_trace_are_found_with_their_names() {
        let check = |sql: &str, expected| assert_eq!(Lone::read(sql), expected, "{sql}");
        check("-- Why.\ncreate index concurrently A_idx on a (b);", index(Some("a_idx"), false, "a", "(b)"));
        check(
            "CREATE UNIQUE INDEX CONCURRENTLY if not exists \"A\" on only s.\"T\" /* why */ using gin (b) where c",
            index(Some("A"), true, "s.\"T\"", "using gin (b) where c"),
        );
        check("create index concurrently on a (b)", index(None, false, "a", "(b)"));
        check("create index a_idx on a (b)", Lone::Other);
        check("vacuum a; create index concurrently a_idx on a (b)", Lone::Other);
        check("drop index concurrently if exists s.a_idx;", Lone::DropIndex { index: "s.a_idx".to_owned() });
        check("drop index a_idx", Lone::Other);
        let (parent, partition) = ("p".to_owned(), "\"P1\"".to_owned());
        check("alter table p detach partition \"P1\" concurrently", Lone::Detach { parent, partition });
        check("alter table p detach partition p1", Lone::Other);
        let (of, value) = ("public.mood".to_owned(), "it's".to_owned());
        check(
            "alter type public.mood add value if not exists 'it''s' before 'sad'",
            Lone::AddValue { of, value },
        );
        check("alter type mood rename to moods", Lone::Other);
        check("reindex (verbose) table concurrently a", Lone::Reindex);
        check("reindex table \"concurrently\"", Lone::Other);
        check("", Lone::Other);
    }
}
