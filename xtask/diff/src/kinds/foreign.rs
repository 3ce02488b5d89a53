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
        let hides = self.values.0.is_none() && self.options.0.iter().any(|it| it.ends_with("=(not shown)"));
        let comment = if hides { "-- what is not shown has to be filled in\n" } else { "" };
        vec![format!("{comment}create {}{}", reference(self, it), foreign_options(values(self))).into()]
    }

    fn set(&self, attribute: &str, old: Option<&UserMapping>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        match (attribute, old?) {
            ("options", old) => {
                let alter = format!("alter {}", reference(self, it));
                Some(change_foreign_options(&alter, "", values(old), &values_after(old, self)))
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

/// The options with their passwords, where those are known.
fn values(mapping: &UserMapping) -> &Options {
    mapping.values.0.as_ref().unwrap_or(&mapping.options)
}

/// The options after a change. A password that is not known is left alone.
fn values_after(old: &UserMapping, new: &UserMapping) -> Options {
    let mut options = values(new).clone();
    if old.values.0.is_none() {
        for option in &mut options.0 {
            let name = option.split('=').next().unwrap_or_default();
            let same = |it: &&String| it.split('=').next() == Some(name);
            let shown = |of: &UserMapping| of.options.0.iter().find(same).cloned();
            if let Some(before) = shown(old).filter(|before| shown(new).as_ref() == Some(before)) {
                *option = before;
            }
        }
    }
    options
}

/// `user mapping for a server s`.
fn reference(body: &UserMapping, it: It<'_, '_>) -> String {
    let server = it.quoted(&body.server.0);
    format!("user mapping for {} server {server}", it.names.role(&body.role.0))
}
