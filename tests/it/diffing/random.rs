//! Pairs of random schemas of all kinds, with rows: each is turned into the other, and back.
//!
//! `random.sql` has a statement a line. Each is left out now and then, `«a|b»` is a or b, and one that fails is left out too, so
//! that what two schemas have in common is in ever other surroundings. The numbers of the pairs are fixed, and `XTASK_PAIRS` has
//! others: a failure names its own, and shows the statements of both schemas that it takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ops::Range,
};

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

/// A mistake on the way from one schema to another, and the statements of both that ran.
struct Mistake {
    words: String,
    from: Vec<String>,
    to: Vec<String>,
}

impl Mistake {
    /// What went wrong, without the names and numbers.
    fn sort(&self) -> &str {
        self.words.split(['"', ':', '\n']).next().unwrap_or_default()
    }
}

async fn mistake(from: &[String], to: &[String], seen: &mut Seen) -> Option<Mistake> {
    let (one, other) = (tests::empty().database().await, tests::empty().database().await);
    let to = fill(&other, to).await;
    let mut conn = connect(&other).await;
    let catalogue = read(&mut conn).await;
    conn.close().await.unwrap();
    catalogue.objects().for_each(|object| *seen.kinds.entry(object.address.kind).or_default() += 1);
    let expected = dump(&other);
    let from = fill(&one, from).await;
    let rows = insert_rows(&one).await;
    let words = match turned(&one, &catalogue, Renames::default()).await {
        Ok(left) if left.is_empty() => {
            let found = only_in_one(&expected, &dump(&one));
            if found.is_empty() {
                seen.with_rows += usize::from(rows > 0);
                return None;
            }
            format!("pg_dump says otherwise:\n{found}")
        }
        Ok(left) => format!("left different: {left:#?}"),
        // Values that a new type, constraint or index does not take are for a person to change.
        Err(error) if rows > 0 && REFUSED_ROWS.iter().any(|class| error.starts_with(class)) => {
            seen.refused += 1;
            return None;
        }
        Err(error) => error,
    };
    Some(Mistake { words, from, to })
}

/// The beginnings of the codes of errors over rows: a value does not fit, or a constraint refuses it.
const REFUSED_ROWS: [&str; 2] = ["22", "23"];

/// What the pairs had.
#[derive(Debug, Default)]
struct Seen {
    kinds: BTreeMap<Kind, usize>,
    /// On how many ways rows went along.
    with_rows: usize,
    /// On how many a statement failed over them.
    refused: usize,
}

/// Puts two rows into each table that takes them, and returns how many there are.
async fn insert_rows(db: &TestDatabase) -> i64 {
    const INSERT: &str = "do $$ declare t record; n int; begin
        for t in select c.oid, string_agg(format('%I', a.attname), ', ') as columns, string_agg(quote_literal(1) || '::' || format_type(a.atttypid, null), ', ') as ones
            from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attnotnull and not a.atthasdef and a.attidentity = '' and not a.attisdropped
            where c.relkind in ('r', 'p') and c.oid >= 16384 and not c.relispartition and c.relnamespace::regnamespace::text !~ '^pg_' group by c.oid order by c.oid
        loop
            for n in 1..2 loop
                begin
                    execute format('insert into %s %s', t.oid::regclass, case when t.columns is null then 'default values' else format('(%s) select %s', t.columns, t.ones) end);
                exception when others then
                end;
            end loop;
        end loop;
    end $$";
    const COUNT: &str = "select coalesce(sum((xpath('/row/c/text()', query_to_xml(format('select count(*) as c from only %s', oid::regclass), false, true, '')))[1]::text::bigint), 0)::bigint
        from pg_class where relkind = 'r' and oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_'";
    let mut conn = connect(db).await;
    // A policy or a trigger of the schema may be in the way.
    let _ = conn.execute(INSERT).await;
    let count = sqlx::query_scalar(COUNT).fetch_one(&mut conn).await.unwrap_or(0);
    conn.close().await.unwrap();
    count
}

/// Leaves out what a mistake does not take.
async fn shrunk(mut mistake: Mistake) -> Mistake {
    for size in [16, 4, 1] {
        for of_target in [false, true] {
            let mut at = 0;
            while at < if of_target { mistake.to.len() } else { mistake.from.len() } {
                let (mut from, mut to) = (mistake.from.clone(), mistake.to.clone());
                let statements = if of_target { &mut to } else { &mut from };
                statements.drain(at..(at + size).min(statements.len()));
                match self::mistake(&from, &to, &mut Seen::default()).await {
                    Some(smaller) if smaller.sort() == mistake.sort() => mistake = smaller,
                    _ => at += size,
                }
            }
        }
    }
    mistake
}

/// How many tests share the pairs.
const TESTS: u64 = 4;
/// How many mistakes of a test are shrunk: each takes minutes.
const SHRUNK: usize = 2;

/// The pairs of all tests: `XTASK_PAIRS`, as `0..200`.
fn pairs() -> Range<u64> {
    let chosen = env::var("XTASK_PAIRS").unwrap_or("0..120".to_owned());
    let (first, end) = chosen.split_once("..").expect("XTASK_PAIRS is not of the form 0..200");
    first.parse().unwrap()..end.parse().unwrap()
}

#[expect(clippy::print_stderr, reason = "a long run shows each mistake at once")]
fn pairs_are_turned_into_each_other(test: u64) {
    let (mut all, mut mistakes, mut seen) = (String::new(), 0, Seen::default());
    for pair in pairs().filter(|pair| pair % TESTS == test) {
        let [old, new] = Chance::of_pair(pair).map(statements);
        for (from, to, way) in [(&old, &new, "there"), (&new, &old, "back")] {
            tests::empty().run(async |_| {
                let Some(mut mistake) = mistake(from, to, &mut seen).await else { return Ok(()) };
                mistakes += 1;
                if mistakes <= SHRUNK {
                    mistake = shrunk(mistake).await;
                }
                let Mistake { words, from, to } = mistake;
                let shown = format!(
                    "pair {pair}, {way}: {words}\nfrom:\n{}\nto:\n{}\n\n",
                    from.join("\n"),
                    to.join("\n")
                );
                eprintln!("{shown}");
                all += &shown;
                Ok(())
            });
        }
    }
    eprintln!("pairs of {:?}, the part {test} of {TESTS}: {mistakes} mistakes, {seen:?}", pairs());
    assert!(all.is_empty(), "{all}");
}

#[test]
fn random_schemas_are_turned_into_each_other_1() {
    pairs_are_turned_into_each_other(0);
}

#[test]
fn random_schemas_are_turned_into_each_other_2() {
    pairs_are_turned_into_each_other(1);
}

#[test]
fn random_schemas_are_turned_into_each_other_3() {
    pairs_are_turned_into_each_other(2);
}

#[test]
fn random_schemas_are_turned_into_each_other_4() {
    pairs_are_turned_into_each_other(3);
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
