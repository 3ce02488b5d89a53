//! Pairs of random schemas of all kinds, with rows: each is turned into the other, and back.
//!
//! `random.sql` has a statement a line. Each is left out now and then, `«a|b»` is a or b, and one that fails is left out too, so
//! that what two schemas have in common is in ever other surroundings. Four pairs share their first schema, and one database goes
//! from it to each of their second ones and back: what it holds, scripts of ours have made. The numbers of the pairs are fixed,
//! and `XTASK_PAIRS` has others: a failure names its own, and shows the statements of both schemas that it takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ops::Range,
};

use catalogue::{Catalogue, Kind};
use diff::Renames;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tests::{TestDatabase, workspace_root};

use super::{
    Turned,
    corpus::{self, Seen},
};
use crate::catalogue::{connect, read};

/// Chooses at each place of the text, for the first or the second schema of a pair.
#[derive(Clone, Copy)]
struct Chance {
    pair: u64,
    /// How often, of a hundred places, there is another choice than in the first schema.
    changed: u64,
}

/// How much of their first schema the pairs that share it change, in percent.
const CHANGED: [u64; 4] = [5, 15, 40, 100];
const PAIRS_OF_A_BASE: u64 = CHANGED.len() as u64;

impl Chance {
    /// For the first schema of a pair.
    fn first(pair: u64) -> Chance {
        Chance { pair, changed: 0 }
    }

    fn second(pair: u64) -> Chance {
        Chance { pair, changed: CHANGED[usize::try_from(pair).unwrap() % CHANGED.len()] }
    }

    fn below(self, limit: u64, place: usize) -> u64 {
        let place = mixed(u64::try_from(place).unwrap());
        let redrawn = mixed(self.pair ^ place ^ 1) % 100 < self.changed;
        let schema = if redrawn { 2 * self.pair + 1 } else { 2 * base(self.pair) };
        mixed(mixed(schema) ^ place) % limit
    }
}

/// The number of the first schema of a pair.
fn base(pair: u64) -> u64 {
    pair / PAIRS_OF_A_BASE
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

/// A random schema in a database of its own.
struct Side {
    seen: Seen,
    /// The statements that made it.
    ran: Vec<String>,
}

impl Side {
    async fn made_by(statements: &[String]) -> Side {
        let db = tests::empty().database().await;
        let ran = fill(&db, statements).await;
        Side { seen: Seen::in_database(db).await, ran }
    }

    fn catalogue(&self) -> &Catalogue {
        &self.seen.schema.catalogue
    }
}

/// What the pairs had.
#[derive(Debug, Default)]
struct Had {
    kinds: BTreeMap<Kind, usize>,
    /// On how many ways rows went along.
    with_rows: usize,
    /// On how many a statement failed over them, so that the tables were emptied.
    refused: usize,
}

/// Turns a database with rows into another schema. Tables keep their rows unless the script says that it loses them.
async fn turned(db: &TestDatabase, from: &Catalogue, to: &Side, had: &mut Had) -> Result<Catalogue, String> {
    to.catalogue().objects().for_each(|object| *had.kinds.entry(object.address.kind).or_default() += 1);
    let mut conn = connect(db).await;
    insert_rows(&mut conn).await;
    let before = rows(&mut conn).await;
    match corpus::turned(db, from, &to.seen, Renames::default()).await {
        // Values that a new type, constraint or index does not take are for a person to change.
        Err(error) if !before.is_empty() && REFUSED_ROWS.iter().any(|class| error.starts_with(class)) => {
            had.refused += 1;
            remove_rows(&mut conn).await;
            // The script may have done a part.
            let from = read(&mut conn).await;
            Ok(corpus::turned(db, &from, &to.seen, Renames::default()).await?.catalogue)
        }
        Err(error) => Err(error),
        Ok(Turned { catalogue, losses }) => {
            had.with_rows += usize::from(!before.is_empty());
            let after = rows(&mut conn).await;
            let is_said =
                |table: &Rows| losses.iter().any(|loss| table.within.iter().any(|name| loss.contains(name)));
            let lost = before.iter().filter(|(name, table)| {
                after.get(*name).is_none_or(|after| after.count != table.count) && !is_said(table)
            });
            let lost: Vec<&str> = lost.map(|(name, _)| name.as_str()).collect();
            if lost.is_empty() {
                Ok(catalogue)
            } else {
                Err(format!("rows were lost without a word: {lost:?}"))
            }
        }
    }
}

/// A mistake on the way from one schema to another, and the statements of both that ran.
struct Mistake {
    words: String,
    from: Vec<String>,
    to: Vec<String>,
}

impl Mistake {
    /// What goes wrong on the way from a schema that statements make to another.
    async fn between(from: &[String], to: &[String]) -> Option<Mistake> {
        let (from, to) = (Side::made_by(from).await, Side::made_by(to).await);
        let turned = turned(&from.seen.schema.db, from.catalogue(), &to, &mut Had::default()).await;
        turned.err().map(|words| Mistake { words, from: from.ran, to: to.ran })
    }

    /// What went wrong, without the names and numbers.
    fn sort(&self) -> &str {
        self.words.split(['"', ':', '\n']).next().unwrap_or_default()
    }

    /// Leaves out what the mistake does not take.
    async fn shrunk(mut self) -> Mistake {
        for size in [16, 4, 1] {
            for of_target in [false, true] {
                let mut at = 0;
                while at < if of_target { self.to.len() } else { self.from.len() } {
                    let (mut from, mut to) = (self.from.clone(), self.to.clone());
                    let statements = if of_target { &mut to } else { &mut from };
                    statements.drain(at..(at + size).min(statements.len()));
                    match Mistake::between(&from, &to).await {
                        Some(smaller) if smaller.sort() == self.sort() => self = smaller,
                        _ => at += size,
                    }
                }
            }
        }
        self
    }
}

/// A database that is turned from a schema into others, and back each time.
struct Walk {
    home: Side,
    /// What it holds now, if it left home.
    now: Option<Catalogue>,
}

impl Walk {
    async fn from(statements: &[String]) -> Walk {
        Walk { home: Side::made_by(statements).await, now: None }
    }

    async fn there_and_back(&mut self, far: &Side, had: &mut Had) -> Result<(), Mistake> {
        let Walk { home, now } = self;
        let db = &home.seen.schema.db;
        let of = |words: String, from: &Side, to: &Side| Mistake {
            words,
            from: from.ran.clone(),
            to: to.ran.clone(),
        };
        let from = now.as_ref().unwrap_or(home.catalogue());
        let there = turned(db, from, far, had).await.map_err(|words| of(words, home, far))?;
        let back = turned(db, &there, home, had).await.map_err(|words| of(words, far, home))?;
        *now = Some(back);
        Ok(())
    }
}

/// The beginnings of the codes of errors over rows: a value does not fit, a constraint refuses it, or the owner of a table may
/// not run what an index of it calls.
const REFUSED_ROWS: [&str; 3] = ["22", "23", "42501"];

/// Puts two rows into each table that takes them.
async fn insert_rows(conn: &mut PgConnection) {
    const INSERT: &str = "do $$ declare t record; n int; begin
        for t in select c.oid, string_agg(quote_ident(a.attname), ', ') as columns, string_agg(quote_literal(1) || '::' || format_type(a.atttypid, null), ', ') as ones
            from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attnotnull and not a.atthasdef and a.attidentity = '' and not a.attisdropped
            where c.relkind in ('r', 'p') and c.oid >= 16384 and not c.relispartition and c.relnamespace::regnamespace::text !~ '^pg_' group by c.oid order by c.oid
        loop
            for n in 1..2 loop
                begin
                    execute format('insert into %s %s', t.oid::regclass, case when t.columns is null then 'default values' else format('(%s) select %s', t.columns, t.ones) end);
                    set constraints all immediate;
                exception when others then
                end;
            end loop;
        end loop;
    end $$";
    conn.execute(INSERT).await.unwrap();
}

/// The rows that a table has itself.
struct Rows {
    /// The names of the table and of those that it is a partition of.
    within: Vec<String>,
    count: i64,
}

/// The tables that have rows.
async fn rows(conn: &mut PgConnection) -> BTreeMap<String, Rows> {
    const COUNT: &str = "select c.oid::regclass::text, array(select relname::text from pg_class p where p.oid = c.oid or p.oid in (select relid from pg_partition_ancestors(c.oid))),
            (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from only %s', c.oid::regclass), false, true, '')))[1]::text::bigint
        from pg_class c where relkind = 'r' and c.oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_'";
    let tables: Vec<(String, Vec<String>, i64)> = sqlx::query_as(COUNT).fetch_all(conn).await.unwrap();
    let with_rows = tables.into_iter().filter(|(.., count)| *count > 0);
    with_rows.map(|(table, within, count)| (table, Rows { within, count })).collect()
}

async fn remove_rows(conn: &mut PgConnection) {
    const TRUNCATE: &str = "do $$ declare tables text; begin
        set local session_replication_role = replica;
        select string_agg(oid::regclass::text, ', ') into tables from pg_class
            where relkind in ('r', 'p') and oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_';
        execute 'truncate ' || tables;
    end $$";
    conn.execute(TRUNCATE).await.unwrap();
}

/// How many tests share the pairs.
const TESTS: u64 = 4;
/// How many mistakes of a test are shrunk: each takes minutes.
const SHRUNK: usize = 2;

/// The pairs of all tests: `XTASK_PAIRS`, as `0..200`.
fn pairs() -> Range<u64> {
    let chosen = env::var("XTASK_PAIRS").unwrap_or("0..500".to_owned());
    let (first, end) = chosen.split_once("..").expect("XTASK_PAIRS is not of the form 0..200");
    first.parse().unwrap()..end.parse().unwrap()
}

#[expect(clippy::print_stderr, reason = "a long run shows each mistake at once")]
fn pairs_are_turned_into_each_other(test: u64) {
    let (mut all, mut mistakes, mut had) = (String::new(), 0, Had::default());
    tests::empty().run(async |_| {
        let bases: BTreeSet<u64> = pairs().map(base).filter(|base| base % TESTS == test).collect();
        for base in bases {
            let shared = base * PAIRS_OF_A_BASE;
            let first = statements(Chance::first(shared));
            let mut walk = Walk::from(&first).await;
            for pair in (shared..shared + PAIRS_OF_A_BASE).filter(|pair| pairs().contains(pair)) {
                let far = Side::made_by(&statements(Chance::second(pair))).await;
                let Err(in_walk) = walk.there_and_back(&far, &mut had).await else { continue };
                mistakes += 1;
                let shown = match Mistake::between(&in_walk.from, &in_walk.to).await {
                    Some(alone) if mistakes <= SHRUNK => alone.shrunk().await,
                    Some(alone) => alone,
                    None => {
                        Mistake { words: format!("after the pairs before it: {}", in_walk.words), ..in_walk }
                    }
                };
                let (from, to) = (shown.from.join("\n"), shown.to.join("\n"));
                let shown = format!("pair {pair}: {}\nfrom:\n{from}\nto:\n{to}\n\n", shown.words);
                eprintln!("{shown}");
                all += &shown;
                walk = Walk::from(&first).await;
            }
        }
        Ok(())
    });
    eprintln!("pairs of {:?}, the part {test} of {TESTS}: {mistakes} mistakes, {had:?}", pairs());
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
fn random_schemas_have_objects_of_every_kind_and_rows() {
    let mut missing: BTreeSet<Kind> =
        Kind::ALL.iter().copied().filter(|kind| !LEFT_OUT.contains(kind)).collect();
    let mut with_rows = 0;
    tests::empty().run(async |_| {
        for base in 0..50 {
            let side = Side::made_by(&statements(Chance::first(base * PAIRS_OF_A_BASE))).await;
            side.catalogue().objects().for_each(|object| {
                missing.remove(&object.address.kind);
            });
            let mut conn = connect(&side.seen.schema.db).await;
            insert_rows(&mut conn).await;
            with_rows += rows(&mut conn).await.len();
            if missing.is_empty() {
                break;
            }
        }
        Ok(())
    });
    assert!(missing.is_empty(), "no schema has {missing:?}");
    assert!(with_rows > 0, "no table took a row");
}
