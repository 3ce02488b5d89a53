//! Pairs of schemas in `corpus`, a folder each: each is turned into the other, and back. A file `renamed` says what has another
//! name in the new one, in the words of `--renamed`.
//!
//! Beside our own model, `pg_dump` says whether two schemas are equal: a program that is not ours.

use std::{collections::BTreeSet, env, ffi::OsString, fs, path::PathBuf};

use catalogue::Catalogue;
use diff::{Rename, Renames};
use duct::cmd;
use sqlx::{AssertSqlSafe, Connection};
use tests::{TestDatabase, workspace_root};

use super::turned;
use crate::catalogue::{connect, read};

/// A pair of schemas.
struct Pair {
    name: String,
    old: String,
    new: String,
    /// What has another name in the new schema.
    renamed: Vec<Rename>,
}

/// The pairs whose names begin with a word, such as `enum`.
fn pairs(about: &str) -> Vec<Pair> {
    let folder = workspace_root().join("tests/it/diffing/corpus");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let about = |path: &PathBuf| name(path).split('_').next() == Some(about);
    let read = |path: PathBuf, file: &str| fs::read_to_string(path.join(file)).unwrap();
    let renamed = |path: &PathBuf| {
        let lines = fs::read_to_string(path.join("renamed")).unwrap_or_default();
        lines.lines().map(|line| line.parse().unwrap()).collect()
    };
    let pair = |path: PathBuf| Pair {
        name: name(&path),
        renamed: renamed(&path),
        old: read(path.clone(), "old.sql"),
        new: read(path, "new.sql"),
    };
    folders.into_iter().filter(about).map(pair).collect()
}

/// The first major version that knows what a file uses: `-- from 18` in its first line.
fn since(sql: &str) -> u32 {
    sql.strip_prefix("-- from ").and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0)
}

/// A schema as our model and as `pg_dump` see it.
struct Seen {
    catalogue: Catalogue,
    dump: String,
}

fn seen(sql: &str) -> Result<Seen, String> {
    let mut seen = Err(String::new());
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let loaded = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await;
        let catalogue = read(&mut conn).await;
        conn.close().await?;
        seen = loaded.map(|_| Seen { catalogue, dump: dump(db) }).map_err(|error| error.to_string());
        Ok(())
    });
    seen
}

/// What `pg_dump` prints, without what two equal schemas may say in two ways: the order of columns, and of objects.
pub(super) fn dump(db: &TestDatabase) -> String {
    let chosen = env::var_os("XTASK_PG_BIN").map(|bin| PathBuf::from(bin).join("pg_dump"));
    let program = chosen
        .filter(|program| program.exists())
        .map_or_else(|| OsString::from("pg_dump"), PathBuf::into_os_string);
    let dump = cmd!(&program, "--schema-only", "--dbname", db.url()).stderr_to_stdout().unchecked().read();
    let dump = dump.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let parts = dump.split("\n--\n-- Name: ").skip(1);
    let mut parts: Vec<String> = parts
        .map(|part| {
            // From some minor release on, a random key keeps psql from running what a dump holds.
            let lines = part.lines().filter(|line| !line.starts_with('\\'));
            let mut lines: Vec<&str> = lines.map(|line| line.trim_end_matches(',')).collect();
            if part.contains("CREATE TABLE")
                || part.contains("CREATE FOREIGN TABLE")
                || part.contains("Type: ACL")
            {
                lines.sort_unstable();
            }
            if part.contains("CREATE STATISTICS") {
                // Its columns are in the order of the table's.
                let mut words: Vec<&str> =
                    lines.iter().flat_map(|line| line.split([' ', ',', ';'])).collect();
                words.sort_unstable();
                return words.join(" ");
            }
            lines.join("\n")
        })
        .collect();
    parts.sort();
    assert!(dump.contains("database dump complete"), "{dump}");
    parts.join("\n\n")
}

/// What goes wrong when a schema is turned into another one.
fn mistakes(from: &str, to: &Seen, renames: Renames) -> Option<String> {
    let mut mistakes = None;
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        sqlx::raw_sql(AssertSqlSafe(from.to_owned())).execute(&mut conn).await?;
        conn.close().await?;
        mistakes = match turned(db, &to.catalogue, renames).await {
            Ok(left) if left.is_empty() => {
                let found = dump(db);
                (found != to.dump)
                    .then(|| format!("pg_dump says otherwise:\n{}", only_in_one(&to.dump, &found)))
            }
            Ok(left) => Some(format!("left different: {left:#?}")),
            Err(error) => Some(error),
        };
        Ok(())
    });
    mistakes
}

/// The lines of two dumps that only one of them has.
pub(super) fn only_in_one(expected: &str, found: &str) -> String {
    let (wanted, real): (BTreeSet<&str>, BTreeSet<&str>) =
        (expected.lines().collect(), found.lines().collect());
    let missing = wanted.difference(&real).map(|line| format!("- {line}\n"));
    let unexpected = real.difference(&wanted).map(|line| format!("+ {line}\n"));
    missing.chain(unexpected).collect()
}

fn each_is_turned_into_the_other(about: &str) {
    let pairs = pairs(about);
    assert!(!pairs.is_empty(), "there are no pairs about {about}");
    let major = seen("create table t ();\n").unwrap_or_else(|error| panic!("{error}")).catalogue.major();
    let mut all = String::new();
    for Pair { name, old, new, renamed } in pairs {
        if major < since(&old).max(since(&new)) {
            continue;
        }
        let load = |sql: &str| seen(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (before, after) = (load(&old), load(&new));
        let renames = Renames::new(renamed);
        let back = renames.reversed();
        for (from, to, renames, way) in [(&old, &after, renames, "there"), (&new, &before, back, "back")] {
            if let Some(mistake) = mistakes(from, to, renames) {
                all += &format!("{name}, {way}: {mistake}\n");
            }
        }
    }
    assert!(all.is_empty(), "{all}");
}

macro_rules! tests {
    ($($name:ident: $about:literal,)*) => {
        $(
            #[test]
            fn $name() {
                each_is_turned_into_the_other($about);
            }
        )*

        #[test]
        fn each_pair_is_tried() {
            let tried = BTreeSet::from([$($about),*]);
            let folders = fs::read_dir(workspace_root().join("tests/it/diffing/corpus")).unwrap();
            for folder in folders {
                let name = folder.unwrap().file_name().into_string().unwrap();
                assert!(tried.contains(name.split('_').next().unwrap()), "no test is about {name}");
            }
        }
    };
}

tests! {
    aggregates_are_turned_into_each_other: "aggregate",
    casts_are_turned_into_each_other: "cast",
    collations_are_turned_into_each_other: "collation",
    columns_are_turned_into_each_other: "column",
    comments_are_turned_into_each_other: "comment",
    composite_types_are_turned_into_each_other: "composite",
    constraints_are_turned_into_each_other: "constraint",
    conversions_and_languages_are_turned_into_each_other: "conversion",
    circles_are_turned_into_each_other: "cycle",
    default_privileges_are_turned_into_each_other: "default",
    domains_are_turned_into_each_other: "domain",
    enums_are_turned_into_each_other: "enum",
    event_triggers_are_turned_into_each_other: "event",
    extensions_are_turned_into_each_other: "extension",
    foreign_servers_are_turned_into_each_other: "foreign",
    functions_are_turned_into_each_other: "function",
    grants_are_turned_into_each_other: "grant",
    indexes_are_turned_into_each_other: "index",
    inheritance_are_turned_into_each_other: "inherit",
    all_kinds_are_turned_into_each_other: "kinds",
    foreign_keys_are_turned_into_each_other: "key",
    materialized_views_are_turned_into_each_other: "matview",
    operators_are_turned_into_each_other: "operator",
    owners_are_turned_into_each_other: "owner",
    partitions_are_turned_into_each_other: "partition",
    policies_are_turned_into_each_other: "policy",
    publications_are_turned_into_each_other: "publication",
    ranges_are_turned_into_each_other: "range",
    renames_are_turned_into_each_other: "renamed",
    rules_are_turned_into_each_other: "rule",
    schemas_are_turned_into_each_other: "schema",
    sequences_are_turned_into_each_other: "sequence",
    statistics_are_turned_into_each_other: "statistics",
    tables_are_turned_into_each_other: "table",
    text_search_are_turned_into_each_other: "text",
    triggers_are_turned_into_each_other: "trigger",
    base_types_are_turned_into_each_other: "type",
    views_are_turned_into_each_other: "view",
}
