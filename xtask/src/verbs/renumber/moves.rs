//! Chooses new numbers for migrations after two branches used the same ones.

use std::collections::{BTreeMap, BTreeSet};

use migrations::{DependencyKind, FileName, MigrationId, SourceFile};

/// A migration, read from the names of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) id: MigrationId,
    pub(super) number: i64,
    pub(super) stays: Stays,
}

/// Whether a migration keeps its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// It is not on the base branch.
    No,
    /// It is on the base branch.
    OnBase,
    /// A person chose it with `--keep`.
    Chosen,
}

/// A migration's old and new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: MigrationId,
    pub(super) to: MigrationId,
}

/// Migrations with the same number, if it is not clear which one keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclear {
    pub(super) ids: Vec<MigrationId>,
    /// Whether more than one has a claim to the number; otherwise none has.
    pub(super) on_base: bool,
}

/// Reads the migrations from the names of the files, sorted by app and number. `on_base` says whether a path exists on the
/// base branch.
pub(super) fn numbered_migrations(files: &[SourceFile], on_base: impl Fn(&str) -> bool) -> Vec<Numbered> {
    let mut found: BTreeMap<(&str, i64, &str), Stays> = BTreeMap::new();
    let all = || files.iter().filter_map(migration_file);
    let based = all().filter(|(_, _, path)| on_base(path)).map(|(app, file, _)| (app, file.stem));
    let based: BTreeSet<(&str, &str)> = based.collect();
    for (app, file, _) in all().filter(|(_, file, _)| !file.is_down()) {
        let stays = if based.contains(&(app, file.stem)) { Stays::OnBase } else { Stays::No };
        found.insert((app, file.number, file.stem), stays);
    }
    let numbered = |((app, number, name), stays): ((&str, i64, &str), Stays)| {
        let id = MigrationId { app: app.to_owned(), name: name.to_owned() };
        Numbered { id, number, stays }
    };
    found.into_iter().map(numbered).collect()
}

/// The app of a migration's file, what its name says, and its path.
fn migration_file(file: &SourceFile) -> Option<(&str, FileName<'_>, &str)> {
    let (app, name) = file.path.split_once('/')?;
    Some((app, FileName::parse(name)?, &file.path))
}

/// Whether a file is one of a migration's own.
pub(super) fn belongs_to(file: &SourceFile, id: &MigrationId) -> bool {
    migration_file(file).is_some_and(|(app, file, _)| app == id.app && file.stem == id.name)
}

/// Chooses new numbers for the migrations of one app that are not on the base branch. All of them from the first number that
/// is taken twice move, and keep their order, because a later one may need an earlier one.
pub(super) fn new_numbers(all: &[Numbered]) -> Result<Vec<Move>, Vec<Unclear>> {
    let mut numbers: BTreeMap<i64, Vec<&Numbered>> = BTreeMap::new();
    for migration in all {
        numbers.entry(migration.number).or_default().push(migration);
    }
    let Some(first) = numbers.iter().find(|(_, alike)| alike.len() > 1).map(|(number, _)| *number) else {
        return Ok(Vec::new());
    };
    let (mut stay, mut go, mut unclear): (Vec<&Numbered>, Vec<&Numbered>, Vec<Unclear>) = Default::default();
    for (number, alike) in &numbers {
        let with =
            |stays| alike.iter().copied().filter(|migration| migration.stays == stays).collect::<Vec<_>>();
        let (chosen, on_base) = (with(Stays::Chosen), with(Stays::OnBase));
        let keepers = if chosen.is_empty() { on_base } else { chosen };
        if alike.len() > 1 && keepers.len() != 1 {
            let ids = alike.iter().map(|migration| migration.id.clone()).collect();
            unclear.push(Unclear { ids, on_base: !keepers.is_empty() });
        } else if *number < first {
            stay.extend(alike.iter().copied());
        } else {
            go.extend(alike.iter().copied().filter(|migration| !keepers.contains(migration)));
            stay.extend(keepers);
        }
    }
    if !unclear.is_empty() {
        return Err(unclear);
    }
    let last = stay.iter().map(|migration| migration.number).max().unwrap_or_default();
    let moves = go.into_iter().zip(last + 1..).filter(|(migration, number)| migration.number != *number);
    Ok(moves
        .map(|(migration, number)| Move { from: migration.id.clone(), to: migration.id.with_number(number) })
        .collect())
}

/// A file's text with the new names in its head; `None` if it has none of the old ones.
pub(super) fn mend_head(text: &str, moves: &[Move]) -> Option<String> {
    let mend = |line: &str| {
        let mut kinds = DependencyKind::ALL.into_iter();
        let value = kinds.find_map(|kind| line.strip_prefix(kind.directive()))?.trim();
        let moved = moves.iter().find(|moved| moved.from.to_string() == value)?;
        Some(line.replacen(value, &moved.to.to_string(), 1))
    };
    let lines = text.split_inclusive('\n').map(|line| mend(line).unwrap_or_else(|| line.to_owned()));
    let mended: String = lines.collect();
    (mended != text).then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `+` before a name: it is on the base branch; a `!`: a person chose that it stays.
    fn check(all: &[&str], moves: &[&str]) {
        let all: Vec<Numbered> = all
            .iter()
            .map(|text| {
                let stays = match text.as_bytes()[0] {
                    b'+' => Stays::OnBase,
                    b'!' => Stays::Chosen,
                    _ => Stays::No,
                };
                let name = text.trim_start_matches(['+', '!']).to_owned();
                let number = name.split('_').next().unwrap().parse().unwrap();
                Numbered { id: MigrationId { app: "a".to_owned(), name }, number, stays }
            })
            .collect();
        let said = match new_numbers(&all) {
            Ok(moves) => moves.iter().map(|m| format!("{} {}", m.from.name, m.to.name)).collect(),
            Err(unclear) => {
                unclear.iter().map(|it| format!("{} {}", it.ids.len(), it.on_base)).collect::<Vec<_>>()
            }
        };
        assert_eq!(said, moves);
    }

    #[test]
    fn migrations_of_the_branch_move_behind_the_base() {
        check(&["+0001_a", "+0002_b"], &[]);
        check(&["+0001_a", "0002_b"], &[]);
        check(&["+0001_a", "0002_b", "+0002_c"], &["0002_b 0003_b"]);
        check(&["+0001_a", "+0002_b", "0002_c", "+0003_d", "+0004_e"], &["0002_c 0005_c"]);
        check(&["+0001_a", "+0002_b", "0002_c", "0002_d"], &["0002_c 0003_c", "0002_d 0004_d"]);
    }

    #[test]
    fn later_migrations_keep_their_order() {
        check(
            &["+0001_a", "0002_z", "+0002_b", "0003_c", "+0003_d", "0004_e"],
            &["0002_z 0004_z", "0003_c 0005_c", "0004_e 0006_e"],
        );
        check(&["+0001_a", "+0002_b", "0002_c", "0003_d"], &["0002_c 0003_c", "0003_d 0004_d"]);
    }

    #[test]
    fn a_person_must_choose_if_all_or_none_are_on_the_base() {
        check(&["+0001_a", "+0002_b", "+0002_c"], &["2 true"]);
        check(&["+0001_a", "0002_b", "0002_c", "+0003_d", "+0003_e"], &["2 false", "2 true"]);
        check(&["+0001_a", "!0002_b", "+0002_c"], &["0002_c 0003_c"]);
        check(&["0001_a", "!0002_b", "0002_c", "0003_d"], &["0002_c 0003_c", "0003_d 0004_d"]);
        check(&["0001_a", "!0002_b", "0002_c", "!0003_d"], &["0002_c 0004_c"]);
        check(&["0001_a", "!0002_b", "!0002_c"], &["2 true"]);
    }

    #[test]
    fn only_heads_get_the_new_names() {
        let id = |name: &str| MigrationId { app: "a".to_owned(), name: name.to_owned() };
        let moves =
            [Move { from: id("0002_b"), to: id("0003_b") }, Move { from: id("0003_c"), to: id("0004_c") }];
        let text = "-- After a/0002_b.\r\n-- depends-on: a/0002_b\r\n-- depends-on:a/0003_c\n-- depends-on: a/0002_bb\n-- after: a/0003_c\nselect 1";
        let expected = text.replace("on: a/0002_b\r", "on: a/0003_b\r").replace("a/0003_c", "a/0004_c");
        assert_eq!(mend_head(text, &moves), Some(expected));
        assert_eq!(mend_head("select 'a/0002_b'", &moves), None);
    }
}
