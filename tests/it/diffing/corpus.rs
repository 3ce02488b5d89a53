//! Pairs of schemas in `corpus`, a folder each: each is turned into the other, and back. A file `renamed` says what has another
//! name in the new one, in the words of `--renamed`.
//!
//! Beside our own model, `pg_dump` says whether two schemas are equal: a program that is not ours.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use catalogue::Catalogue;
use diff::{Rename, Renames};
use duct::cmd;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::{TestDatabase, workspace_root};

use super::{Schema, Turned};
use crate::catalogue::{connect, major, read};

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
pub(super) struct Seen {
    pub(super) schema: Schema,
    dump: String,
    pg_dump: PathBuf,
}

impl Seen {
    pub(super) async fn in_database(db: TestDatabase) -> Seen {
        let mut conn = connect(&db).await;
        let catalogue = read(&mut conn).await;
        let pg_dump = pg_dump(&mut conn).await;
        conn.close().await.unwrap();
        let dump = dump(&pg_dump, &db);
        Seen { schema: Schema { db, catalogue }, dump, pg_dump }
    }

    /// What SQL makes.
    async fn loaded(sql: &str) -> Result<Seen, String> {
        let db = tests::empty().database().await;
        let mut conn = connect(&db).await;
        let loaded = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await;
        loaded.map_err(|error| error.to_string())?;
        conn.close().await.map_err(|error| error.to_string())?;
        Ok(Seen::in_database(db).await)
    }
}

/// The program beside the server's own: it is of the same version, and not Debian's wrapper, which takes longer than a dump.
async fn pg_dump(conn: &mut PgConnection) -> PathBuf {
    let query = sqlx::query_scalar::<_, String>("select setting from pg_config where name = 'BINDIR'");
    let beside = PathBuf::from(query.fetch_one(conn).await.unwrap()).join("pg_dump");
    if beside.exists() { beside } else { PathBuf::from("pg_dump") }
}

/// What `pg_dump` prints, without what two equal schemas may say in two ways: the order of columns, and of objects.
fn dump(program: &Path, db: &TestDatabase) -> String {
    let dump = cmd!(program, "--schema-only", "--dbname", db.url()).stderr_to_stdout().unchecked().read();
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

/// Turns one schema into another as [`super::turned`] does; `pg_dump` has to agree that it is the second.
pub(super) async fn turned(
    db: &TestDatabase,
    from: &Catalogue,
    to: &Seen,
    renames: Renames,
) -> Result<Turned, String> {
    let turned = super::turned(db, from, &to.schema.catalogue, renames).await?;
    let dump = dump(&to.pg_dump, db);
    if dump == to.dump {
        Ok(turned)
    } else {
        Err(format!("pg_dump says otherwise:\n{}", only_in_one(&to.dump, &dump)))
    }
}

/// The lines of two dumps that only one of them has.
fn only_in_one(expected: &str, found: &str) -> String {
    let (wanted, real): (BTreeSet<&str>, BTreeSet<&str>) =
        (expected.lines().collect(), found.lines().collect());
    let missing = wanted.difference(&real).map(|line| format!("- {line}\n"));
    let unexpected = real.difference(&wanted).map(|line| format!("+ {line}\n"));
    missing.chain(unexpected).collect()
}

fn each_is_turned_into_the_other(about: &str) {
    let pairs = pairs(about);
    assert!(!pairs.is_empty(), "there are no pairs about {about}");
    let mut all = String::new();
    tests::empty().run(async |db| {
        let major = major(&connect(db).await);
        for Pair { name, old, new, renamed } in pairs {
            if major < since(&old).max(since(&new)) {
                continue;
            }
            let load =
                async |sql: &str| Seen::loaded(sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let (old, new) = (load(&old).await, load(&new).await);
            let renames = Renames::new(renamed);
            let back = renames.reversed();
            for (from, to, renames, way) in [(&old, &new, renames, "there"), (&new, &old, back, "back")] {
                let Schema { db, catalogue } = &from.schema;
                if let Err(mistake) = turned(db, catalogue, to, renames).await {
                    all += &format!("{name}, {way}: {mistake}\n");
                }
            }
        }
        Ok(())
    });
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
