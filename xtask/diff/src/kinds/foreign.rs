//! Access to other servers.

use catalogue::{Options, Server, UserMapping, Wrapper};

use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::Means,
    options::{change_foreign_options, foreign_options},
    side::literal,
    statement::Sql,
};

impl Managed for Wrapper {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut sql = format!("create foreign data wrapper {}", it.name());
        for (word, function) in [("handler", &self.handler), ("validator", &self.validator)] {
            if let Some(function) = function {
                sql += &format!(" {word} {function}");
            }
        }
        vec![(sql + &foreign_options(&self.options)).into()]
    }

    fn set(&self, attribute: &str, old: Option<&Wrapper>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let alter = format!("alter foreign data wrapper {}", it.name());
        let function = |word: &str, function: &Option<String>| match function {
            Some(function) => vec![format!("{alter} {word} {function}").into()],
            None => vec![format!("{alter} no {word}").into()],
        };
        match (attribute, old?) {
            ("handler", _) => Some(function("handler", &self.handler)),
            ("validator", _) => Some(function("validator", &self.validator)),
            ("options", old) => Some(change_foreign_options(&alter, "", &old.options, &self.options)),
            _ => None,
        }
    }

    fn change(&self, _: &Wrapper, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }
}

impl Managed for Server {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut sql = format!("create server {}", it.name());
        for (word, value) in [("type", &self.server_type), ("version", &self.server_version)] {
            if let Some(value) = value {
                sql += &format!(" {word} {}", literal(value));
            }
        }
        let wrapper = it.quoted(&self.wrapper);
        vec![format!("{sql} foreign data wrapper {wrapper}{}", foreign_options(&self.options)).into()]
    }

    fn set(&self, attribute: &str, old: Option<&Server>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let alter = it.alter();
        match (attribute, old?) {
            ("server_version", _) => {
                let version = self.server_version.as_deref().map_or("null".to_owned(), literal);
                Some(vec![format!("{alter} version {version}").into()])
            }
            ("options", old) => Some(change_foreign_options(&alter, "", &old.options, &self.options)),
            _ => None,
        }
    }

    fn change(&self, _: &Server, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "wrapper" | "server_type" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for UserMapping {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let (shown, hidden): (Vec<String>, Vec<String>) =
            self.options.0.iter().cloned().partition(|option| !option.ends_with(HIDDEN));
        let add = |option: &String| format!("-- add the option {}\n", option.trim_end_matches(HIDDEN));
        let comments: String = hidden.iter().map(add).collect();
        let create = format!("create {}{}", reference(self, it), foreign_options(&Options(shown)));
        vec![(comments + &create).into()]
    }

    fn set(&self, attribute: &str, old: Option<&UserMapping>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        match (attribute, old?) {
            ("options", old) => {
                let alter = format!("alter {}", reference(self, it));
                Some(change_foreign_options(&alter, "", &old.options, &self.options))
            }
            _ => None,
        }
    }

    fn change(&self, _: &UserMapping, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("drop {}", reference(self, it)).into()]
    }
}

/// What a catalogue has of a password.
const HIDDEN: &str = "=(not shown)";

/// `user mapping for a server s`.
fn reference(body: &UserMapping, it: It<'_, '_>) -> String {
    let server = it.quoted(&body.server.0);
    format!("user mapping for {} server {server}", it.names.role(&body.role.0))
}
