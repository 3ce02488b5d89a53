//! What identifies an object in a database.

use std::fmt;

use crate::kind::Kind;

/// The identity of an object: what would have to be said to drop it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// What it is.
    pub kind: Kind,
    /// Its schema; empty if it is in none.
    pub schema: String,
    /// Its name, or the name of the table, domain or server that it is a part of.
    pub name: String,
    /// The name of the part; the types of a function's arguments in parentheses; empty for anything else.
    pub part: String,
}

impl Address {
    /// The qualified name without the kind.
    pub fn name(&self) -> String {
        self.name_within("")
    }

    /// The same without the schema, if it is this one.
    pub fn name_within(&self, schema: &str) -> String {
        let outside = if self.schema == schema { "" } else { self.schema.as_str() };
        if self.kind.has_free_name() {
            let within = |name| format!(" in schema {}", identifier(name));
            return format!(
                "{}{}",
                self.name,
                if outside.is_empty() { String::new() } else { within(outside) }
            );
        }
        // An operator is the one name that is never quoted.
        let own = if self.kind == Kind::Operator { self.name.clone() } else { identifier(&self.name) };
        let whole = if outside.is_empty() { own } else { format!("{}.{own}", identifier(outside)) };
        match &self.part {
            part if part.is_empty() && self.name.is_empty() => String::new(),
            part if part.is_empty() => whole,
            part if part.starts_with('(') && !self.kind.is_part() => whole + part,
            part => format!("{whole}.{}", identifier(part)),
        }
    }

    /// The name of a relation as people type it: with its schema, if that is not `public`, and without quotes.
    pub fn typed(&self) -> String {
        match self.schema.as_str() {
            "public" => self.name.clone(),
            schema => format!("{schema}.{}", self.name),
        }
    }

    /// The relation or domain that a part belongs to; for anything else, the object itself.
    pub fn is_part_of(&self, whole: &Address) -> bool {
        self.kind.is_part() && self.schema == whole.schema && self.name == whole.name
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(format!("{} {}", self.kind, self.name()).trim_end())
    }
}

/// A name as people read it: in quotes if it needs them. Not for SQL, where keywords need quotes too.
pub fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit() || c == '$';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if starts && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, schema: &str, name: &str, part: &str) -> String {
        Address { kind, schema: schema.to_owned(), name: name.to_owned(), part: part.to_owned() }.to_string()
    }

    #[test]
    fn an_address_reads_as_the_kind_and_the_qualified_name() {
        assert_eq!(shown(Kind::Table, "public", "t", ""), "table public.t");
        assert_eq!(shown(Kind::Column, "public", "t", "a"), "column public.t.a");
        assert_eq!(shown(Kind::Function, "public", "f", "(integer)"), "function public.f(integer)");
        assert_eq!(
            shown(Kind::Operator, "public", "===", "(integer, text)"),
            "operator public.===(integer, text)"
        );
        assert_eq!(shown(Kind::Schema, "", "s", ""), "schema s");
        assert_eq!(shown(Kind::Database, "", "", ""), "database");
        assert_eq!(shown(Kind::Cast, "", "(s.e as integer)", ""), "cast (s.e as integer)");
    }

    #[test]
    fn a_schema_can_go_without_saying() {
        let table = |schema: &str, name: &str| Address {
            kind: Kind::Table,
            schema: schema.to_owned(),
            name: name.to_owned(),
            part: String::new(),
        };
        assert_eq!(table("public", "public.t").name_within("public"), "\"public.t\"");
        assert_eq!(table("s", "public.t").name_within("public"), "s.\"public.t\"");
        assert_eq!(table("public", "My t").typed(), "My t");
        assert_eq!(table("s", "t").typed(), "s.t");
    }

    #[test]
    fn a_name_that_is_no_plain_word_is_in_quotes() {
        assert_eq!(shown(Kind::Table, "My Schema", "a\"b", ""), "table \"My Schema\".\"a\"\"b\"");
        assert_eq!(shown(Kind::Column, "public", "t", "(x)"), "column public.t.\"(x)\"");
        assert_eq!(shown(Kind::Column, "public", "a.b", "c"), "column public.\"a.b\".c");
        assert_eq!(shown(Kind::Column, "public", "a", "b.c"), "column public.a.\"b.c\"");
        assert_eq!(shown(Kind::Table, "public", "1a", ""), "table public.\"1a\"");
        assert_eq!(shown(Kind::Table, "public", "é", ""), "table public.\"é\"");
    }
}
