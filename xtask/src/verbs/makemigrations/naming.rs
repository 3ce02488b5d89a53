//! What new migrations are called, and the line that says what each does.

use catalogue::{Address, Kind};
use diff::{Change, Statement};

use super::filling;
use crate::terminal::output::count;

/// What happens to an object, without what follows from another change here.
struct Subject<'s> {
    change: Change,
    address: &'s Address,
    made_again: bool,
    renamed: bool,
    /// What is done with the rows, if nothing else is.
    of_rows: Option<&'static str>,
}

impl Subject<'_> {
    fn verb(&self) -> &'static str {
        match (self.change, self.of_rows) {
            _ if self.made_again => "change",
            (_, Some(verb)) => verb,
            (Change::Create, _) if self.address.kind.is_part() => "add",
            (Change::Create, _) => "create",
            (Change::Drop, _) => "drop",
            (Change::Alter, _) if self.renamed => "rename",
            (Change::Alter, _) => "change",
        }
    }
}

/// Whether a statement gives its object another name.
pub(super) fn is_rename(statement: &Statement) -> bool {
    statement.change == Change::Alter
        && statement.sql.starts_with("alter ")
        && statement.sql.contains(" rename ")
}

/// What a statement only does with the rows.
fn of_rows(statement: &Statement) -> Option<&'static str> {
    match statement.change {
        Change::Alter if filling::fills(statement) => Some("fill"),
        Change::Alter if statement.sql.contains(" validate constraint ") => Some("validate"),
        _ => None,
    }
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
            let of_rows = of_rows(statement);
            subjects.push(Subject { change, address, made_again: false, renamed, of_rows });
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
pub(super) fn proposed(statements: &[Statement]) -> String {
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
pub(super) fn headline(statements: &[Statement]) -> String {
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
