//! What a query returns: a sheet of rows as text, and how a field of it becomes a value.
//!
//! Every query returns one value, all of its rows in Postgres's own text format of records. A caller needs nothing but a
//! way to run a script, a thousand tables arrive in one round trip, and a reading can be stored.

use std::borrow::Cow;

use crate::{context::Context, error::Error, oid::Oid};

/// Numbers from here on are those that users' objects have.
const USERS: &str = " >= 16384";
/// The same, but Postgres has no statistics about it. The statistics of a new database say that there are no such rows, and
/// Postgres would plan loops that take a minute for a hundred tables.
const ESTIMATED: &str = "::bigint >= 16384";

/// A query on one system catalogue, and the rows that it returns.
pub(crate) trait Sheet {
    /// The expressions that it selects.
    fn columns() -> Vec<&'static str>;
    /// The rest of the query, from `from` on.
    const FROM: &'static str;

    /// The query for a major version of the server.
    fn sql(major: u32) -> String {
        let columns: Vec<String> = Self::columns().into_iter().map(|it| for_version(it, major)).collect();
        let from = for_version(Self::FROM, major).replace(USERS, ESTIMATED);
        format!("select string_agg(r::text, E'\\n') from (select {} {from}) r", columns.join(", "))
    }
}

/// Declares a sheet whose rows are not objects, but say something about objects.
macro_rules! sheet {
    ($(#[$doc:meta])* $name:ident $from:literal { $($field:ident: $type:ty = $sql:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name { $(pub(crate) $field: $type,)* }

        impl $crate::sheet::Sheet for $name {
            const FROM: &'static str = $from;
            fn columns() -> Vec<&'static str> { vec![$($sql),*] }
        }

        impl $name {
            pub(crate) fn rows(sheet: &str) -> Result<Vec<$name>, $crate::Error> {
                let cx = $crate::context::Context::default();
                $crate::sheet::rows(sheet)
                    .map(|mut row| Ok($name { $($field: row.field(&cx, 0)?,)* }))
                    .collect()
            }
        }
    };
}
pub(crate) use sheet;

/// Chooses between the forms of an expression: `{17: new | old}` is `new` from PostgreSQL 17 on.
fn for_version(sql: &str, major: u32) -> String {
    let mut chosen = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, choice)) = rest.split_once("{1") {
        let Some((number, (forms, after))) =
            choice.split_once(": ").and_then(|(number, forms)| Some((number, forms.split_once('}')?)))
        else {
            break;
        };
        let (new, old) = forms.split_once(" | ").unwrap_or((forms, "null"));
        let since = format!("1{number}").parse().unwrap_or(u32::MAX);
        chosen += before;
        chosen += if major >= since { new } else { old };
        rest = after;
    }
    chosen + rest
}

/// One row: its fields are taken from the left.
#[derive(Debug, Clone)]
pub(crate) struct Row<'s> {
    rest: &'s str,
}

/// The rows of a sheet.
pub(crate) fn rows(sheet: &str) -> impl Iterator<Item = Row<'_>> {
    let mut rest = sheet;
    std::iter::from_fn(move || {
        let (mut quoted, bytes) = (false, rest.as_bytes());
        let end = bytes.iter().position(|&byte| {
            quoted ^= byte == b'"';
            byte == b'\n' && !quoted
        });
        let row = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or("", |end| &rest[end + 1..]);
        let inside = row.strip_prefix('(').and_then(|row| row.strip_suffix(')'));
        inside.map(|rest| Row { rest })
    })
}

impl<'s> Row<'s> {
    /// Takes the next field as text; `None` is null.
    fn text(&mut self) -> Option<Cow<'s, str>> {
        let rest = self.rest;
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(',').unwrap_or(rest.len());
            self.rest = rest.get(end + 1..).unwrap_or_default();
            return (end > 0).then(|| Cow::Borrowed(&rest[..end]));
        };
        // Inside quotes, a quote and a backslash stand twice.
        let (bytes, mut at, mut plain) = (quoted.as_bytes(), 0, true);
        while at < bytes.len() {
            match bytes[at] {
                b'"' if bytes.get(at + 1) != Some(&b'"') => break,
                b'"' | b'\\' => {
                    plain = false;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        let at = at.min(bytes.len());
        self.rest = quoted.get(at + 2..).unwrap_or_default();
        let text = &quoted[..at];
        Some(if plain {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.replace("\"\"", "\"").replace("\\\\", "\\"))
        })
    }

    /// Takes the next field. `on` is the relation that the row belongs to, whose columns a field may number.
    pub(crate) fn field<T: Field>(&mut self, cx: &Context, on: Oid) -> Result<T, Error> {
        let text = self.text();
        T::decode(text.as_deref(), cx, on).ok_or_else(|| Error::Malformed {
            text: text.map_or("null".to_owned(), Cow::into_owned),
            expected: std::any::type_name::<T>(),
        })
    }
}

/// A value that a field of a row decodes to.
pub(crate) trait Field: Sized {
    /// `None` if the text is no such value.
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self>;
}

impl Field for String {
    fn decode(text: Option<&str>, _: &Context, _: Oid) -> Option<Self> {
        text.map(str::to_owned)
    }
}

impl Field for bool {
    fn decode(text: Option<&str>, _: &Context, _: Oid) -> Option<Self> {
        match text? {
            "t" => Some(true),
            "f" => Some(false),
            _ => None,
        }
    }
}

/// One letter, as a catalogue's `"char"` is.
impl Field for char {
    fn decode(text: Option<&str>, _: &Context, _: Oid) -> Option<Self> {
        text?.chars().next()
    }
}

macro_rules! number {
    ($($type:ty)*) => {$(
        impl Field for $type {
            fn decode(text: Option<&str>, _: &Context, _: Oid) -> Option<Self> {
                text?.parse().ok()
            }
        }
    )*};
}
number!(i16 i32 i64 u32);

impl<T: Field> Field for Option<T> {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        match text {
            None => Some(None),
            some => T::decode(some, cx, on).map(Some),
        }
    }
}

/// An array; null is an empty one.
impl<T: Field> Field for Vec<T> {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        let Some(text) = text else { return Some(Vec::new()) };
        elements(text)?.iter().map(|it| T::decode(it.as_deref(), cx, on)).collect()
    }
}

/// The elements of an array in Postgres's text format, or of one of the old vectors, which blanks separate.
fn elements(text: &str) -> Option<Vec<Option<Cow<'_, str>>>> {
    // An array that does not begin at 1 says so: `[0:1]={2,3}`.
    let text = if text.starts_with('[') { text.split_once('=')?.1 } else { text };
    let Some(inside) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return Some(text.split_ascii_whitespace().map(|it| Some(Cow::Borrowed(it))).collect());
    };
    let (mut found, mut rest) = (Vec::new(), inside);
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (mut element, mut chars) = (String::new(), quoted.char_indices());
            let end = loop {
                match chars.next()? {
                    (at, '"') => break at,
                    (_, '\\') => element.push(chars.next()?.1),
                    (_, c) => element.push(c),
                }
            };
            found.push(Some(Cow::Owned(element)));
            rest = quoted[end + 1..].trim_start_matches(',');
        } else {
            let (element, after) = rest.split_once(',').unwrap_or((rest, ""));
            found.push((element != "NULL").then_some(Cow::Borrowed(element)));
            rest = after;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(row: &str, count: usize) -> Vec<Option<String>> {
        let mut row = rows(row).next().unwrap();
        (0..count).map(|_| row.text().map(Cow::into_owned)).collect()
    }

    #[test]
    fn a_row_is_read_as_postgres_writes_it() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(fields("(1,,\"\",t)", 4), [some("1"), None, some(""), some("t")]);
        assert_eq!(fields("(\"a,b\",\"q\"\"q\\\\\",)", 3), [some("a,b"), some("q\"q\\"), None]);
        assert_eq!(fields("(\"\"\"\",x)", 2), [some("\""), some("x")]);
    }

    #[test]
    fn a_newline_ends_a_row_only_outside_quotes() {
        let sheet = "(1,\"a\nb\")\n(2,c)\n(3,\"\"\"\n\"\"\")";
        assert_eq!(rows(sheet).count(), 3);
        assert_eq!(rows("").count(), 0);
    }

    #[test]
    fn arrays_are_read_as_postgres_writes_them() {
        let read = |text| Vec::<Option<String>>::decode(Some(text), &Context::default(), 0).unwrap();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("{a,\"b c\",\"q\\\"\\\\\",NULL,\"NULL\"}"),
            [some("a"), some("b c"), some("q\"\\"), None, some("NULL")]
        );
        assert_eq!(read("{}"), []);
        assert_eq!(read("[0:1]={1,2}"), [some("1"), some("2")]);
        assert_eq!(read("1 2"), [some("1"), some("2")]);
    }

    #[test]
    fn an_expression_may_depend_on_the_version() {
        assert_eq!(for_version("a, {17: b | c}, '{}'", 16), "a, c, '{}'");
        assert_eq!(for_version("a, {17: b | c}, '{}'", 17), "a, b, '{}'");
        assert_eq!(for_version("{18: x.y}", 17), "null");
    }
}
