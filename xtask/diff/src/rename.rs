//! A rename, as a person says it: two catalogues don't show it.

use std::{fmt, str::FromStr};

use catalogue::{Address, Kind, identifier};

/// A relation or type that has another name in the new schema, or a column of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Its schema.
    pub schema: String,
    /// The old name, or the old name of the relation that the column is of.
    pub name: String,
    /// The old name of the column, if it is one.
    pub column: Option<String>,
    /// The new name.
    pub to: String,
}

/// The address that an object has after some renames.
pub fn renamed(mut address: Address, renames: &[Rename]) -> Address {
    let of_relation = |it: &&Rename| (&it.schema, &it.name) == (&address.schema, &address.name);
    let (mut name, mut part) = (None, None);
    for Rename { column, to, .. } in renames.iter().filter(of_relation) {
        match column {
            None => name = Some(to),
            Some(column) if address.kind == Kind::Column && address.part == *column => part = Some(to),
            Some(_) => {}
        }
    }
    let (name, part) = (name.cloned(), part.cloned());
    address.name = name.unwrap_or(address.name);
    address.part = part.unwrap_or(address.part);
    address
}

/// Reads `schema.table=new` and `schema.table.column=new`, with names in quotes as in SQL.
impl FromStr for Rename {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Rename, Self::Err> {
        const WRONG: &str = "write schema.table=new or schema.table.column=new";
        let mut names = vec![String::new()];
        let (mut quoted, mut is_new, mut chars) = (false, false, text.chars().peekable());
        while let Some(char) = chars.next() {
            match (char, names.last_mut()) {
                ('"', Some(name)) if quoted && chars.next_if_eq(&'"').is_some() => name.push('"'),
                ('"', _) => quoted = !quoted,
                ('.', _) if !quoted && !is_new => names.push(String::new()),
                ('=', _) if !quoted && !is_new => {
                    is_new = true;
                    names.push(String::new());
                }
                (char, Some(name)) => name.push(char),
                _ => {}
            }
        }
        if quoted || !is_new || names.iter().any(String::is_empty) {
            return Err(WRONG);
        }
        let to = names.pop().ok_or(WRONG)?;
        match <[String; 3]>::try_from(names) {
            Ok([schema, name, column]) => Ok(Rename { schema, name, column: Some(column), to }),
            Err(names) => {
                let [schema, name] = <[String; 2]>::try_from(names).map_err(|_| WRONG)?;
                Ok(Rename { schema, name, column: None, to })
            }
        }
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", identifier(&self.schema), identifier(&self.name))?;
        self.column.iter().try_for_each(|column| write!(f, ".{}", identifier(column)))?;
        write!(f, "={}", identifier(&self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_reads_back_as_it_is_printed() {
        for text in ["public.t=u", "public.t.c=d", "\"My.S\".\"a=\"\"b\".\"c d\"=\"E\""] {
            assert_eq!(text.parse::<Rename>().unwrap().to_string(), text);
        }
        for text in ["t=u", "public.t", "public.t=", "public..c=d", "a.b.c.d=e", "public.\"t=u"] {
            assert!(text.parse::<Rename>().is_err(), "{text}");
        }
    }
}
