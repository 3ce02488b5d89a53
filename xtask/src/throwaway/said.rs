//! What schema files say of objects that are there already: comments, owners and rights. A second statement would replace what
//! the first one said, so that the order of the files would decide.

use std::collections::HashMap;

use catalogue::{Address, Catalogue, Object, Role};
use migrations::{Project, tokens};

use crate::throwaway::statement::Statement;

/// An attribute that a statement of its own sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Attribute {
    Comment,
    Owner,
    Rights,
}

/// Which app has said what.
#[derive(Default)]
pub(super) struct Said {
    by: HashMap<(Address, Attribute), usize>,
}

impl Said {
    /// Accounts for what the statements of an app have changed. Returns what is wrong if that takes back what another app's file
    /// has said.
    pub(super) fn take(
        &mut self,
        project: &Project,
        app: usize,
        [before, after]: [&Catalogue; 2],
        ran: &[Statement],
    ) -> Option<String> {
        for new in after.objects() {
            let old = before.get(&new.address);
            for attribute in [Attribute::Comment, Attribute::Owner, Attribute::Rights] {
                if attribute.value(Some(new)) == attribute.value(old) {
                    continue;
                }
                let first =
                    self.by.insert((new.address.clone(), attribute), app).filter(|first| *first != app);
                if let Some(first) = first.filter(|_| attribute.is_taken_back(old, new)) {
                    let place = |app: usize| attribute.place(project, app, &new.address, ran);
                    let (object, what) = (&new.address, attribute.words());
                    return Some(format!(
                        "{}: {object} gets {what} here\n  {} says something else; keep one of the two",
                        place(app),
                        place(first)
                    ));
                }
            }
        }
        None
    }
}

impl Attribute {
    /// What has been said; empty if nothing has.
    fn value(self, of: Option<&Object>) -> Vec<String> {
        let Some(object) = of else { return Vec::new() };
        match self {
            Attribute::Comment => object.comment.iter().cloned().collect(),
            Attribute::Owner => {
                let owner = object.owner.iter().filter(|owner| **owner != Role::Migrator);
                owner.map(ToString::to_string).collect()
            }
            Attribute::Rights => object.rights.0.iter().map(ToString::to_string).collect(),
        }
    }

    fn is_taken_back(self, old: Option<&Object>, new: &Object) -> bool {
        let now = self.value(Some(new));
        self.value(old).iter().any(|said| !now.contains(said))
    }

    fn words(self) -> &'static str {
        match self {
            Attribute::Comment => "another comment",
            Attribute::Owner => "another owner",
            Attribute::Rights => "other rights",
        }
    }

    /// The words that a statement about it begins with.
    fn verbs(self) -> &'static [&'static str] {
        match self {
            Attribute::Comment => &["comment"],
            Attribute::Owner => &["alter", "create"],
            Attribute::Rights => &["grant", "revoke"],
        }
    }

    /// The statement by which an app's file says it, as far as its words show; else the file.
    fn place(self, project: &Project, app: usize, object: &Address, ran: &[Statement]) -> String {
        let app = &project.apps[app].name;
        let file = project.schema_files.iter().find(|file| file.app == *app);
        let Some(file) = file.map(|file| &file.script.path) else { return format!("app `{app}`") };
        let name = if object.part.is_empty() { &object.name } else { &object.part };
        let says = |statement: &&Statement| {
            let is_of_file = statement.place.rsplit_once(':').is_some_and(|(of, _)| of == file);
            let words = tokens(&statement.sql).into_iter().map(|range| &statement.sql[range]);
            let mut words = words.map(|word| word.trim_matches('"').to_lowercase());
            let begins = words.next().is_some_and(|word| self.verbs().contains(&&*word));
            is_of_file && begins && words.any(|word| word == name.to_lowercase())
        };
        ran.iter().rev().find(says).map_or_else(|| file.clone(), |statement| statement.place.clone())
    }
}
