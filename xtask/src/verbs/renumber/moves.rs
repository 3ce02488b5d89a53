//! Which migrations get which numbers, of those that two branches have numbered alike.

use std::collections::BTreeMap;

use migrations::{Dependency, MigrationId, SourceFile};

/// A migration's files, as far as their names tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: MigrationId,
    pub(crate) number: i64,
    /// Whether it keeps its number whatever others do: it is on the base branch, or somebody said so.
    pub(crate) stays: Stays,
}

/// Whether a migration keeps its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    /// It is not on the base branch.
    No,
    /// It is on the base branch.
    OnBase,
    /// Somebody said so.
    Told,
}

/// A new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) from: MigrationId,
    pub(crate) to: MigrationId,
}

/// A number with more than one migration of which it is not clear who keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unclear {
    pub(crate) ids: Vec<MigrationId>,
    /// All of them on the base branch, or none.
    pub(crate) on_base: bool,
}

/// The migrations that the files' names tell of, by app and number.
pub(crate) fn named(files: &[SourceFile], on_base: impl Fn(&str) -> bool) -> Vec<Named> {
    let mut found: BTreeMap<MigrationId, Stays> = BTreeMap::new();
    for SourceFile { path, .. } in files {
        let stem = [".up.sql", ".down.sql"].iter().find_map(|ending| path.strip_suffix(ending));
        let Some(id) = stem.and_then(|stem| stem.parse::<MigrationId>().ok()) else { continue };
        let stays = found.entry(id).or_insert(Stays::No);
        if on_base(path) {
            *stays = Stays::OnBase;
        }
    }
    let number = |id: &MigrationId| id.name[..4].parse().unwrap_or_default();
    found.into_iter().map(|(id, stays)| Named { number: number(&id), id, stays }).collect()
}

/// New numbers for what is not on the base branch, from the first number that is taken twice: those after it keep their
/// order, since they may need it.
pub(crate) fn of_app(all: &[Named]) -> Result<Vec<Move>, Vec<Unclear>> {
    let mut numbers: BTreeMap<i64, Vec<&Named>> = BTreeMap::new();
    for named in all {
        numbers.entry(named.number).or_default().push(named);
    }
    let Some(first) = numbers.iter().find(|(_, alike)| alike.len() > 1).map(|(number, _)| *number) else {
        return Ok(Vec::new());
    };
    let (mut stay, mut go, mut unclear): (Vec<&Named>, Vec<&Named>, Vec<Unclear>) = Default::default();
    for (number, alike) in &numbers {
        let with = |stays| alike.iter().copied().filter(|named| named.stays == stays).collect::<Vec<_>>();
        let (told, on_base) = (with(Stays::Told), with(Stays::OnBase));
        let keepers = if told.is_empty() { on_base } else { told };
        if alike.len() > 1 && keepers.len() != 1 {
            let ids = alike.iter().map(|named| named.id.clone()).collect();
            unclear.push(Unclear { ids, on_base: !keepers.is_empty() });
        } else if *number < first {
            stay.extend(alike.iter().copied());
        } else {
            go.extend(alike.iter().copied().filter(|named| !keepers.contains(named)));
            stay.extend(keepers);
        }
    }
    if !unclear.is_empty() {
        return Err(unclear);
    }
    let last = stay.iter().map(|named| named.number).max().unwrap_or_default();
    let moves = go.into_iter().zip(last + 1..).filter(|(named, number)| named.number != *number);
    Ok(moves
        .map(|(named, number)| {
            let MigrationId { app, name } = &named.id;
            let to = MigrationId { app: app.clone(), name: format!("{number:04}{}", &name[4..]) };
            Move { from: named.id.clone(), to }
        })
        .collect())
}

/// A file's text with new names in its head; `None` where it names none of them.
pub(crate) fn mended(text: &str, moves: &[Move]) -> Option<String> {
    let mend = |line: &str| {
        let value = line.strip_prefix(Dependency::DIRECTIVE)?.trim();
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

    /// `+` before a name: it is on the base branch; `!`: somebody said that it stays.
    fn check(all: &[&str], moves: &[&str]) {
        let all: Vec<Named> = all
            .iter()
            .map(|text| {
                let stays = match text.as_bytes()[0] {
                    b'+' => Stays::OnBase,
                    b'!' => Stays::Told,
                    _ => Stays::No,
                };
                let name = text.trim_start_matches(['+', '!']).to_owned();
                let number = name[..4].parse().unwrap();
                Named { id: MigrationId { app: "a".to_owned(), name }, number, stays }
            })
            .collect();
        let said = match of_app(&all) {
            Ok(moves) => moves.iter().map(|m| format!("{} {}", m.from.name, m.to.name)).collect(),
            Err(unclear) => {
                unclear.iter().map(|it| format!("{} {}", it.ids.len(), it.on_base)).collect::<Vec<_>>()
            }
        };
        assert_eq!(said, moves);
    }

    #[test]
    fn who_is_not_on_the_base_goes_behind_who_is() {
        check(&["+0001_a", "+0002_b"], &[]);
        check(&["+0001_a", "0002_b"], &[]);
        check(&["+0001_a", "0002_b", "+0002_c"], &["0002_b 0003_b"]);
        check(&["+0001_a", "+0002_b", "0002_c", "+0003_d", "+0004_e"], &["0002_c 0005_c"]);
        check(&["+0001_a", "+0002_b", "0002_c", "0002_d"], &["0002_c 0003_c", "0002_d 0004_d"]);
    }

    #[test]
    fn those_that_follow_keep_their_order() {
        check(
            &["+0001_a", "0002_z", "+0002_b", "0003_c", "+0003_d", "0004_e"],
            &["0002_z 0004_z", "0003_c 0005_c", "0004_e 0006_e"],
        );
        check(&["+0001_a", "+0002_b", "0002_c", "0003_d"], &["0002_c 0003_c", "0003_d 0004_d"]);
    }

    #[test]
    fn where_all_or_none_are_on_the_base_somebody_must_say() {
        check(&["+0001_a", "+0002_b", "+0002_c"], &["2 true"]);
        check(&["+0001_a", "0002_b", "0002_c", "+0003_d", "+0003_e"], &["2 false", "2 true"]);
        check(&["+0001_a", "!0002_b", "+0002_c"], &["0002_c 0003_c"]);
        check(&["0001_a", "!0002_b", "0002_c", "0003_d"], &["0002_c 0003_c", "0003_d 0004_d"]);
        check(&["0001_a", "!0002_b", "0002_c", "!0003_d"], &["0002_c 0004_c"]);
        check(&["0001_a", "!0002_b", "!0002_c"], &["2 true"]);
    }

    #[test]
    fn heads_follow_and_nothing_else_does() {
        let id = |name: &str| MigrationId { app: "a".to_owned(), name: name.to_owned() };
        let moves =
            [Move { from: id("0002_b"), to: id("0003_b") }, Move { from: id("0003_c"), to: id("0004_c") }];
        let text = "-- After a/0002_b.\r\n-- depends-on: a/0002_b\r\n-- depends-on:a/0003_c\n-- depends-on: a/0002_bb\nselect 1";
        let expected = text.replace("on: a/0002_b\r", "on: a/0003_b\r").replace("on:a/0003_c", "on:a/0004_c");
        assert_eq!(mended(text, &moves), Some(expected));
        assert_eq!(mended("select 'a/0002_b'", &moves), None);
    }
}
