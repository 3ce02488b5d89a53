//! The files of one app: which of them are migrations, and whether their names and contents follow the rules.

use std::collections::BTreeMap;

use crate::{
    App, Dependency, Down, FileName, Irreversible, Migration, MigrationId, Naming, Place, Problem, Script,
    content,
    down::{self, DownFile},
    head,
    naming::{begins_strictly, is_strict},
    nearest::suggestion,
    sqlx_toml,
};

/// Name of an app's seed file.
pub(crate) const SEED: &str = "seed.sql";
/// Name of an app's schema file.
pub(crate) const SCHEMA: &str = "schema.sql";

/// The files of an app's folder.
pub(crate) struct AppFiles<'f> {
    app: &'f App,
    /// The text of each file that a project reads.
    texts: BTreeMap<&'f str, &'f str>,
    /// The migrations' files, by number and name.
    named: Vec<(&'f str, FileName<'f>)>,
    /// The number of the last migration that is not judged.
    history: Option<i64>,
    /// Whether it is numbered 0001, 0002, …
    strict: bool,
    naming: Naming,
}

impl<'f> AppFiles<'f> {
    /// Checks the names of the files, and that what a project reads is text.
    pub(crate) fn new(
        app: &'f App,
        files: &'f BTreeMap<String, Option<String>>,
        problems: &mut Vec<Problem>,
    ) -> AppFiles<'f> {
        let names = files.keys().map(String::as_str);
        let mut named: Vec<_> = names.filter_map(|name| Some((name, FileName::parse(name)?))).collect();
        named.sort_by_key(|(name, file)| (file.number, *name));
        let all: Vec<FileName<'_>> = named.iter().map(|(_, file)| *file).collect();
        let ups = || all.iter().filter(|file| !file.is_down());
        let baseline = app.baseline.as_ref().and_then(|name| ups().find(|file| file.stem == *name));
        let strict = ups().next().is_some_and(|first| begins_strictly(first.stem))
            && baseline.is_none_or(|baseline| is_strict(baseline.stem));
        let follows = |file: &&FileName<'_>| !strict || is_strict(file.stem);
        let naming = Naming::new(app, &all.iter().filter(follows).copied().collect::<Vec<_>>());
        let history = baseline.map(|file| file.number);
        let mut this = AppFiles { app, texts: BTreeMap::new(), named, history, strict, naming };
        for (name, text) in files {
            this.name(name, problems);
            this.text(name, text.as_deref(), problems);
        }
        if let (Some(name), None) = (&app.baseline, baseline) {
            let names: Vec<String> = ups().map(|file| file.stem.to_owned()).collect();
            let hint = suggestion(name, &names);
            let message = format!(
                "no migration here is named `{name}`, as the app's `baseline` in apps.toml says{hint}"
            );
            problems.push(Problem::Manifest { place: Place::file(&app.folder), message });
        }
        this
    }

    fn place(&self, name: &str) -> Place {
        Place::file(format!("{}/{name}", self.app.folder))
    }

    fn is_history(&self, number: i64) -> bool {
        self.history.is_some_and(|last| number <= last)
    }

    /// Checks a name.
    fn name(&self, name: &str, problems: &mut Vec<Problem>) {
        let place = self.place(name);
        let starts = |check: fn(char) -> bool| name.starts_with(check);
        if name.is_empty() || [SEED, SCHEMA].contains(&name) {
            // The folder itself, and files of ours.
        } else if let Some(file) = FileName::parse(name) {
            if self.strict && !is_strict(file.stem) && !self.is_history(file.number) {
                problems.push(Problem::Unlike { place, name: self.naming.meant(name) });
            }
        } else if name.ends_with('/') {
            // Somewhere else it is not ours to arrange, and sqlx ignores it.
            if !self.app.is_elsewhere && !starts(|c| c == '.') {
                let remedy = "move its files up, or the folder elsewhere".to_owned();
                problems.push(Problem::Name { place, remedy });
            }
        } else if is_sql(name) || starts(|c| c.is_ascii_digit()) {
            let remedy = format!("rename it to {}, or move it elsewhere", self.naming.meant(name));
            problems.push(Problem::Name { place, remedy });
        }
    }

    /// Keeps the text of a file if a project reads it.
    fn text(&mut self, name: &'f str, text: Option<&'f str>, problems: &mut Vec<Problem>) {
        if name.ends_with('/') || !(is_sql(name) || name == sqlx_toml::FILE) {
            return;
        }
        let remedy = match text {
            Some(text) if text.contains('\0') => Some("remove the zero byte in it"),
            Some(text) if text.starts_with('\u{feff}') => Some("remove the byte-order mark at its start"),
            Some(_) => None,
            None => Some("save it as UTF-8"),
        };
        if let Some(remedy) = remedy {
            problems.push(Problem::Name { place: self.place(name), remedy: remedy.to_owned() });
        }
        // A script that can't be read exists all the same, so no error says that it is missing.
        if remedy.is_none() || is_sql(name) {
            self.texts.insert(name, text.filter(|_| remedy.is_none()).unwrap_or_default());
        }
    }

    /// The text of its `sqlx.toml`.
    pub(crate) fn sqlx_toml(&self) -> Option<&str> {
        self.texts.get(sqlx_toml::FILE).copied()
    }

    /// A file that is not a migration.
    pub(crate) fn script_of(&self, name: &str, problems: &mut Vec<Problem>) -> Option<Script> {
        let script = self.texts.contains_key(name).then(|| self.script(name))?;
        content::refuse(&script, problems);
        Some(script)
    }

    fn script(&self, name: &str) -> Script {
        let text = self.texts.get(name).copied().unwrap_or_default().to_owned();
        Script { path: format!("{}/{name}", self.app.folder), text, no_transaction: false }
    }

    /// The migrations, by number.
    pub(crate) fn migrations(&self, app_index: usize, problems: &mut Vec<Problem>) -> Vec<Migration> {
        let mut found: Vec<Migration> = Vec::new();
        let mut used = Vec::new();
        for (name, file) in self.named.iter().filter(|(_, file)| !file.is_down()) {
            self.number(found.last(), name, file, problems);
            let is_history = self.is_history(file.number);
            let mut ignored = Vec::new();
            let judged = if is_history { &mut ignored } else { &mut *problems };
            let mut up = self.script(name);
            let head = head::parse(&up.path, &up.text, judged);
            up.no_transaction = head.no_transaction;
            content::refuse(&up, judged);
            let down = self.down_name(file);
            used.extend(down);
            let down = down.map(|name| self.down_file(name, judged));
            let down = down::resolve(head.irreversible, down, judged);
            found.push(Migration {
                id: MigrationId { app: self.app.name.clone(), name: file.stem.to_owned() },
                number: file.number,
                depends_on: head.depends_on,
                is_history,
                app: app_index,
                parents: Vec::new(),
                recorded: sqlx::migrate::Migration::new(
                    file.number,
                    file.description().into(),
                    file.kind(),
                    up.sql(),
                    up.no_transaction,
                ),
                down: down.unwrap_or_else(|| self.without_down(&up, file, judged)),
                up,
            });
        }
        self.lone_downs(&used, problems);
        found
    }

    /// Checks a number, of which `previous` is the one before.
    fn number(
        &self,
        previous: Option<&Migration>,
        name: &str,
        file: &FileName<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let place = self.place(name);
        let number = previous.map_or(0, |previous| previous.number);
        if let Some(previous) = previous.filter(|previous| previous.number == file.number) {
            let (number, other) = (file.digits().to_owned(), previous.up.path.clone());
            problems.push(Problem::DuplicateNumber { place, number, other });
        } else if self.strict && !self.is_history(file.number) && file.number != number + 1 {
            problems.push(Problem::Gap { place, previous: number });
        }
    }

    /// The down file of a migration. sqlx finds it by its number alone.
    fn down_name(&self, up: &FileName<'_>) -> Option<&'f str> {
        let of_number = self.named.iter().filter(|(_, file)| file.is_down() && file.number == up.number);
        let mut of_number = of_number.filter(|(_, file)| !self.strict || file.stem == up.stem);
        let first = of_number.clone().next();
        of_number.find(|(_, file)| file.stem == up.stem).or(first).map(|(name, _)| *name)
    }

    /// The way back of a migration that has no down file.
    fn without_down(&self, up: &Script, file: &FileName<'_>, problems: &mut Vec<Problem>) -> Down {
        let why = if !self.app.reversible {
            "its app has `reversible = false`"
        } else if self.is_history(file.number) {
            "it has no down file, and is not after the app's baseline"
        } else {
            let missing = format!("{}{}", file.stem, crate::naming::DOWN);
            problems.push(Problem::HalfPair { place: Place::file(&up.path), missing });
            ""
        };
        Down::Irreversible(Irreversible { why: why.to_owned(), place: Place::file(&up.path) })
    }

    /// Reports the down files that belong to no migration. sqlx runs none of them, so an old one is history too.
    fn lone_downs(&self, used: &[&str], problems: &mut Vec<Problem>) {
        let is_lone = |(name, file): &&(&str, FileName<'_>)| {
            file.is_down() && !used.contains(name) && !self.is_history(file.number)
        };
        for (name, file) in self.named.iter().filter(is_lone) {
            let place = self.place(name);
            let of_number = |it: &&(&str, FileName<'_>)| it.1.number == file.number && used.contains(&it.0);
            problems.push(match self.named.iter().find(of_number).filter(|_| !self.strict) {
                Some((other, _)) => {
                    let (number, other) = (file.digits().to_owned(), format!("{}/{other}", self.app.folder));
                    Problem::DuplicateNumber { place, number, other }
                }
                None => Problem::HalfPair { place, missing: format!("{}{}", file.stem, self.naming.up) },
            });
        }
    }

    fn down_file(&self, name: &str, problems: &mut Vec<Problem>) -> DownFile {
        let mut script = self.script(name);
        let head = head::parse(&script.path, &script.text, problems);
        script.no_transaction = head.no_transaction;
        for Dependency { place, kind, .. } in head.depends_on {
            let directive = kind.directive();
            let message =
                format!("`{directive}` belongs in the up file; the order of the down files follows from it");
            problems.push(Problem::Head { place, message });
        }
        content::refuse(&script, problems);
        DownFile { script, irreversible: head.irreversible }
    }
}

fn is_sql(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".sql")
}
