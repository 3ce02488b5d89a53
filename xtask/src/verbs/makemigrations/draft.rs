//! The files of new migrations, before they are proven: their names, heads and statements.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Address, Kind};
use diff::{Change, Part, Rename, Statement};
use migrations::{DependencyKind, Ledger, MigrationId, Naming, Plan, Project, Target};

use super::{numbering, whose::Whose};
use crate::{database::sql::as_text, terminal::output::count, throwaway::owned::position};

/// A migration that is not written yet.
pub(super) struct Draft {
    pub(super) id: MigrationId,
    /// How its files are named.
    pub(super) naming: Naming,
    pub(super) statements: Vec<Statement>,
    depends_on: BTreeMap<MigrationId, DependencyKind>,
    /// Whether a function's body names what a later statement makes.
    pub(super) bodies_unchecked: bool,
}

/// Divides the parts of a script among migrations. `name` is what the user calls all of them.
pub(super) fn drafts(whose: &Whose<'_>, parts: Vec<Part>, name: Option<&str>) -> anyhow::Result<Vec<Draft>> {
    let mut drafts: Vec<Draft> = Vec::new();
    // The last migration of each part.
    let mut lasts: Vec<MigrationId> = Vec::new();
    for part in parts {
        let app = &whose.project.apps[part.owner];
        let mut depends_on: BTreeMap<MigrationId, DependencyKind> = BTreeMap::new();
        if !drafts.iter().any(|draft| draft.id.app == app.name) {
            depends_on.extend(existing(whose, part.owner)?);
        }
        for before in part.waits_for.iter().map(|&part| &lasts[part]).filter(|it| it.app != app.name) {
            let other = position(whose.project, &before.app);
            depends_on.insert(before.clone(), whose.kind(part.owner, other));
        }
        // The newest of an app is enough.
        let all: Vec<MigrationId> = depends_on.keys().cloned().collect();
        depends_on.retain(|id, _| !all.iter().any(|it| it.app == id.app && it.number() > id.number()));
        for statements in committed(part.script.statements) {
            let names: Vec<&str> =
                drafts.iter().filter(|it| it.id.app == app.name).map(|it| it.id.words()).collect();
            let is_first = whose.project.migrations_of(&app.name).next().is_none() && names.is_empty();
            let proposed = if is_first { "initial".to_owned() } else { proposed(&statements) };
            let wanted = name.map_or(proposed, str::to_owned);
            let name = free_name(whose.project, &app.name, &names, &wanted);
            let id = numbering::next(whose.project, app, names.len(), &name)?;
            let depends_on = std::mem::take(&mut depends_on);
            let naming = whose.project.naming(app);
            drafts.push(Draft { id, naming, statements, depends_on, bodies_unchecked: false });
        }
        lasts.extend(drafts.last().map(|draft| draft.id.clone()));
    }
    Ok(drafts)
}

/// The migrations that there are and that the changes of an app need, as far as it does not wait for them yet.
fn existing(whose: &Whose<'_>, app: usize) -> anyhow::Result<Vec<(MigrationId, DependencyKind)>> {
    let project = whose.project;
    let name = &project.apps[app].name;
    let so_far = Plan::new(project, &Ledger::default(), &Target::App(name.clone()))?;
    let so_far: BTreeSet<&MigrationId> = so_far.steps.iter().map(|step| &step.migration.id).collect();
    let needed = whose.needed(app).into_iter().filter(|id| !so_far.contains(id));
    Ok(needed.map(|id| (id.clone(), whose.kind(app, position(project, &id.app)))).collect())
}

/// The statements of each transaction.
fn committed(statements: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut all = vec![Vec::new()];
    for statement in statements {
        let ends = statement.commit_after;
        if let Some(last) = all.last_mut() {
            last.push(statement);
        }
        if ends {
            all.push(Vec::new());
        }
    }
    all.retain(|statements| !statements.is_empty());
    all
}

/// A name that no migration of the app has: the wanted one, or that with a number.
fn free_name(project: &Project, app: &str, drafts: &[&str], wanted: &str) -> String {
    let taken =
        |name: &str| drafts.contains(&name) || project.migrations_of(app).any(|it| it.id.words() == name);
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    [wanted.to_owned()].into_iter().chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// What happens to an object, without what follows from another change here.
struct Subject<'s> {
    change: Change,
    address: &'s Address,
    made_again: bool,
    renamed: bool,
}

impl Subject<'_> {
    fn verb(&self) -> &'static str {
        match self.change {
            _ if self.made_again => "change",
            Change::Create if self.address.kind.is_part() => "add",
            Change::Create => "create",
            Change::Drop => "drop",
            Change::Alter if self.renamed => "rename",
            Change::Alter => "change",
        }
    }
}

/// Whether a statement gives its object another name.
fn is_rename(statement: &Statement) -> bool {
    statement.change == Change::Alter
        && statement.sql.starts_with("alter ")
        && statement.sql.contains(" rename ")
}

/// The objects that the statements are about: a new table stands for its parts.
fn subjects(statements: &[Statement]) -> Vec<Subject<'_>> {
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for statement in statements {
        let address = &statement.object;
        let again = subjects.iter_mut().find(|it| it.address == address);
        if let Some(subject) = again {
            // Dropped and created.
            subject.made_again |= subject.change == Change::Drop && statement.change == Change::Create;
            continue;
        }
        let is_whole = |it: &Subject<'_>| !it.address.kind.is_part() && address.is_part_of(it.address);
        if !subjects.iter().any(|it| it.change != Change::Alter && is_whole(it)) {
            let (change, renamed) = (statement.change, is_rename(statement));
            subjects.push(Subject { change, address, made_again: false, renamed });
        }
    }
    // A type that is made again gets another name meanwhile.
    for subject in &mut subjects {
        let made = |it: &Statement| it.change == Change::Create && it.object == *subject.address;
        subject.renamed &= !statements.iter().any(made);
    }
    // From PostgreSQL 18 on, a column that is not null has a constraint of its own that says so.
    let of_column = |it: &&Subject<'_>| it.address.kind == Kind::Column;
    let tables: Vec<&str> = subjects.iter().filter(of_column).map(|it| it.address.name.as_str()).collect();
    subjects.retain(|it| it.address.kind != Kind::NotNull || !tables.contains(&it.address.name.as_str()));
    // What had to make way for a change is not what the change is about.
    if subjects.iter().any(|it| !it.made_again) {
        subjects.retain(|it| !it.made_again);
    }
    // The tables say most.
    subjects.sort_by_key(|it| (it.address.kind != Kind::Table, it.address.kind, it.verb()));
    let tables: Vec<&str> = subjects
        .iter()
        .filter(|it| it.address.kind == Kind::Table && it.change != Change::Alter)
        .map(|it| it.address.name.as_str())
        .collect();
    // The indexes and sequences of a new table follow it, and have its name before theirs.
    let follows = |it: &Subject<'_>| {
        matches!(it.address.kind, Kind::Index | Kind::Sequence)
            && tables.iter().any(|table| it.address.name.starts_with(&format!("{table}_")))
    };
    subjects.retain(|it| !follows(it));
    subjects
}

/// A name for a migration: `create_invoices`, `add_users_bio`, `drop_users_bio_and_more`.
fn proposed(statements: &[Statement]) -> String {
    let subjects = subjects(statements);
    let Some(first) = subjects.first() else { return "change".to_owned() };
    let verb = first.verb();
    let part = if first.address.kind.is_part() { first.address.part.as_str() } else { "" };
    // `users_email_key` says whose it is.
    let name = if part.starts_with(first.address.name.as_str()) { "" } else { first.address.name.as_str() };
    let one_table = subjects.iter().all(|it| it.address.name == first.address.name);
    let words = match subjects.len() {
        1 => format!("{verb} {name} {part}"),
        _ if one_table && first.address.kind.is_part() => format!("change {}", first.address.name),
        _ => format!("{verb} {name} {part} and more"),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let plain: String = words.chars().map(plain).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join("_")
}

/// What a migration does, in a line: `Creates the table invoices, and adds the column users.bio.`
fn headline(statements: &[Statement]) -> String {
    const MOST: usize = 3;
    let subjects = subjects(statements);
    let (mut phrases, mut left): (Vec<String>, usize) = (Vec::new(), subjects.len());
    for alike in
        subjects.chunk_by(|one, other| (one.verb(), one.address.kind) == (other.verb(), other.address.kind))
    {
        let (first, kind) = (&alike[0], alike[0].address.kind.to_string());
        if phrases.len() == MOST {
            break;
        }
        left -= alike.len();
        phrases.push(match alike.len() {
            1 => format!("{}s the {kind} {}", first.verb(), first.address.name_within("public")),
            2 | 3 => {
                let names: Vec<String> = alike.iter().map(|it| it.address.name_within("public")).collect();
                format!("{}s {} {}", first.verb(), count_word(&kind), names.join(", "))
            }
            many => format!("{}s {}", first.verb(), count(many, &kind, &count_word(&kind))),
        });
    }
    if left > 0 {
        phrases.push(count(left, "more change", "more changes"));
    }
    let last = phrases.pop().unwrap_or_default();
    let mut line = if phrases.is_empty() { last } else { format!("{}, and {last}", phrases.join(", ")) };
    line.replace_range(..1, &line[..1].to_ascii_uppercase());
    format!("{line}.")
}

/// The word for several objects of a kind.
fn count_word(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with(['x', 's']) => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

impl Draft {
    /// The renames among these that its statements make.
    pub(super) fn renames(&self, all: &[Rename]) -> Vec<Rename> {
        let makes = |rename: &&Rename| {
            self.statements.iter().any(|it| {
                let Address { schema, name, part, .. } = &it.object;
                is_rename(it)
                    && (schema, name) == (&rename.schema, &rename.name)
                    && rename.column.as_ref().is_none_or(|column| column == part)
            })
        };
        all.iter().filter(makes).cloned().collect()
    }

    /// The text of the up file.
    pub(super) fn up(&self) -> String {
        let mut text = format!("-- {}\n", headline(&self.statements));
        for (id, kind) in &self.depends_on {
            text += &format!("{} {id}\n", kind.directive());
        }
        if self.bodies_unchecked {
            text += "\n-- Bodies of functions name what is made below them.\nset local check_function_bodies = off;\n";
        }
        text + &as_text(&self.statements)
    }

    /// The text of the down file, with these statements.
    pub(super) fn down(&self, statements: &[Statement]) -> String {
        format!("-- Reverts: {}.\n{}", self.id.words().replace('_', " "), as_text(statements))
    }
}
