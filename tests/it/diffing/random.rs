//! Pairs of random schemas of all kinds: each is turned into the other, and back.
//!
//! `random.sql` has a statement a line. Each is left out now and then, `«a|b»` is a or b, and one that fails is left out too, so
//! that what two schemas have in common is in ever other surroundings. The numbers of the pairs are fixed: a failure names its
//! own, and shows both schemas.

use std::collections::BTreeSet;

use catalogue::Kind;
use diff::Renames;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tests::{TestDatabase, workspace_root};

use super::{
    corpus::{dump, only_in_one},
    turned,
};
use crate::catalogue::{connect, read};

/// Chooses at each place of the text, for the first or the second schema of a pair.
#[derive(Clone, Copy)]
struct Chance {
    pair: u64,
    /// How often, of a hundred places, the second schema has another choice.
    changed: u64,
    is_second: bool,
}

impl Chance {
    fn of_pair(pair: u64) -> [Chance; 2] {
        let changed = [5, 15, 40, 100][usize::try_from(pair % 4).unwrap()];
        [false, true].map(|is_second| Chance { pair, changed, is_second })
    }

    fn below(self, limit: u64, place: usize) -> u64 {
        let place = mixed(u64::try_from(place).unwrap());
        let redrawn = self.is_second && mixed(self.pair ^ place ^ 1) % 100 < self.changed;
        mixed(mixed(2 * self.pair + u64::from(redrawn)) ^ place) % limit
    }
}

/// A number that looks random: the last step of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The text with a choice at each place; `at` is where it begins.
fn chosen(text: &str, at: usize, chance: Chance) -> String {
    let Some((before, _)) = text.split_once('«') else { return text.to_owned() };
    let first = before.len() + '«'.len_utf8();
    let (mut depth, mut start, mut parts, mut end) = (1, first, Vec::new(), text.len());
    for (place, char) in text[first..].char_indices().map(|(place, char)| (first + place, char)) {
        depth = match char {
            '«' => depth + 1,
            '»' => depth - 1,
            _ => depth,
        };
        if depth == 0 || depth == 1 && char == '|' {
            parts.push(start..place);
            start = place + 1;
        }
        if depth == 0 {
            end = place + '»'.len_utf8();
            break;
        }
    }
    let one = chance.below(u64::try_from(parts.len()).unwrap(), at + first);
    let part = parts[usize::try_from(one).unwrap()].clone();
    let inside = chosen(&text[part.clone()], at + part.start, chance);
    format!("{before}{inside}{}", chosen(&text[end..], at + end, chance))
}

fn statements(chance: Chance) -> Vec<String> {
    let text = std::fs::read_to_string(workspace_root().join("tests/it/diffing/random.sql")).unwrap();
    let mut at = 0;
    let mut all = Vec::new();
    for line in text.lines() {
        if !line.starts_with("--") && chance.below(100, at) < 75 {
            all.push(chosen(line, at, chance));
        }
        at += line.len() + 1;
    }
    all
}

/// Runs those statements that succeed, and returns them.
async fn fill(db: &TestDatabase, statements: &[String]) -> Vec<String> {
    let mut conn = connect(db).await;
    let mut ran = Vec::new();
    for statement in statements {
        if conn.execute(AssertSqlSafe(statement.clone())).await.is_ok() {
            ran.push(statement.clone());
        }
    }
    conn.close().await.unwrap();
    ran
}

async fn mistake(from: &[String], to: &[String]) -> Option<String> {
    let (one, other) = (tests::empty().database().await, tests::empty().database().await);
    let to = fill(&other, to).await;
    let mut conn = connect(&other).await;
    let catalogue = read(&mut conn).await;
    conn.close().await.unwrap();
    let expected = dump(&other);
    let from = fill(&one, from).await;
    let mistake = match turned(&one, &catalogue, Renames::default()).await {
        Ok(left) if left.is_empty() => {
            let found = only_in_one(&expected, &dump(&one));
            if found.is_empty() { return None } else { format!("pg_dump says otherwise:\n{found}") }
        }
        Ok(left) => format!("left different: {left:#?}"),
        Err(error) => error,
    };
    Some(format!("{mistake}\nfrom:\n{}\nto:\n{}", from.join("\n"), to.join("\n")))
}

fn pairs_are_turned_into_each_other(pairs: std::ops::Range<u64>) {
    let mut all = String::new();
    for pair in pairs {
        let [old, new] = Chance::of_pair(pair).map(statements);
        for (from, to, way) in [(&old, &new, "there"), (&new, &old, "back")] {
            tests::empty().run(async |_| {
                if let Some(mistake) = mistake(from, to).await {
                    all += &format!("pair {pair}, {way}: {mistake}\n\n");
                }
                Ok(())
            });
        }
    }
    assert!(all.is_empty(), "{all}");
}

#[test]
fn random_schemas_are_turned_into_each_other_1() {
    pairs_are_turned_into_each_other(0..10);
}

#[test]
fn random_schemas_are_turned_into_each_other_2() {
    pairs_are_turned_into_each_other(10..20);
}

#[test]
fn random_schemas_are_turned_into_each_other_3() {
    pairs_are_turned_into_each_other(20..30);
}

#[test]
fn random_schemas_are_turned_into_each_other_4() {
    pairs_are_turned_into_each_other(30..50);
}

/// Kinds that are made by no statement of their own, or whose database can't be dropped.
const LEFT_OUT: [Kind; 3] = [Kind::NotNull, Kind::DomainNotNull, Kind::Subscription];

#[test]
fn random_schemas_have_objects_of_every_kind() {
    let mut missing: BTreeSet<Kind> =
        Kind::ALL.iter().copied().filter(|kind| !LEFT_OUT.contains(kind)).collect();
    for pair in 0..50 {
        tests::empty().run(async |db| {
            fill(db, &statements(Chance::of_pair(pair)[0])).await;
            let mut conn = connect(db).await;
            let schema = read(&mut conn).await;
            schema.objects().for_each(|object| {
                missing.remove(&object.address.kind);
            });
            Ok(())
        });
        if missing.is_empty() {
            return;
        }
    }
    panic!("no pair has {missing:?}");
}
