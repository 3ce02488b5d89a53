//! What migrations change outside of their database: roles, tablespaces and other objects of the whole server.
//!
//! Other sessions may change such an object at any time, so a change counts as a migration's if its files mention it.

use std::collections::BTreeMap;

use migrations::{Down, Error, Project, Script};
use serde::Serialize;
use sqlx::PgConnection;

type Words = Vec<String>;

/// An object of the whole server.
#[derive(PartialEq)]
struct Object {
    /// A file that changes it has one of these words,
    words: Words,
    /// and, if there are any, one of these.
    more: Option<Words>,
    state: String,
}

/// The objects of a server, each by what it is called.
pub(super) struct Objects(BTreeMap<String, Object>);

/// An object that a file changed.
#[derive(Serialize)]
pub(super) struct Changed {
    pub(super) what: String,
    pub(super) file: String,
}

impl Objects {
    pub(super) async fn read(conn: &mut PgConnection) -> Result<Objects, Error> {
        let rows = sqlx::query_as(include_str!("of_the_server.sql")).fetch_all(conn).await;
        let rows: Vec<(String, Words, Option<Words>, Option<String>)> =
            rows.map_err(Error::database("list what belongs to the whole server"))?;
        let object = |(what, words, more, state): (_, _, _, Option<_>)| {
            (what, Object { words, more, state: state.unwrap_or_default() })
        };
        Ok(Objects(rows.into_iter().map(object).collect()))
    }

    /// What is different afterwards and some file mentions, each with the first such file.
    pub(super) fn changed(&self, after: &Objects, project: &Project) -> Vec<Changed> {
        let changed = |what: &&String| self.0.get(*what) != after.0.get(*what);
        let gone = self.0.keys().filter(|what| !after.0.contains_key(*what));
        let all = after.0.keys().chain(gone).filter(changed);
        all.filter_map(|what| {
            let object = after.0.get(what).or_else(|| self.0.get(what))?;
            let script = scripts(project).find(|script| object.is_mentioned(&script.text))?;
            Some(Changed { what: what.clone(), file: script.path.clone() })
        })
        .collect()
    }
}

impl Object {
    fn is_mentioned(&self, text: &str) -> bool {
        let any = |words: &Words| words.iter().any(|word| mentions(text, word));
        any(&self.words) && self.more.as_ref().is_none_or(any)
    }
}

fn scripts(project: &Project) -> impl Iterator<Item = &Script> {
    project.migrations.iter().flat_map(|migration| {
        let down = match &migration.down {
            Down::Script(script) => Some(script),
            Down::Irreversible(_) => None,
        };
        [&migration.up].into_iter().chain(down)
    })
}

/// Whether a text has a name as a word of its own, in upper or lower case.
fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |(at, _): (usize, &str)| {
        !text[..at].ends_with(in_a_word) && !text[at + name.len()..].starts_with(in_a_word)
    };
    text.match_indices(&name).any(alone)
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_name_is_found_as_a_whole_word_in_either_case() {
        for (text, name, expected) in [
            ("create role reporting;", "reporting", true),
            ("CREATE ROLE Reporting", "reporting", true),
            ("create role \"my role\"", "my role", true),
            ("create table reporting_days ()", "reporting", false),
            ("alter role app set app.name = ''", "app", true),
            ("apps", "app", false),
        ] {
            assert_eq!(mentions(text, name), expected, "{text}");
        }
    }
}
