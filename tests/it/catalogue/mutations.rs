//! For every kind of object and each of its attributes, a change made by hand is found, and named.
//!
//! The files in `mutations` hold the cases, in the language of the changes:
//!
//! ```sql
//! --- table public.t: unlogged
//! create table t ();
//! --- changed
//! alter table t set unlogged;
//! ```
//!
//! A case begins with everything that differs after its change; nothing else may. `--- from 18` means that older servers
//! can't do it, `--- until 17` that newer ones show it in another way. What follows `--- undone` brings the first state back, exactly; what follows `--- removed` only cleans up.
//! In the SQL, `:label` puts a security label on the object with the comment `labelled`, and `:db` is the database.

use std::{collections::BTreeSet, fs};

use catalogue::{COMMON, Kind};
use sqlx::{AssertSqlSafe, PgConnection};
use tests::{TestDatabase, workspace_root};

use super::{connect, differences, major, read, run};

/// What no statement of the server can change, with the reason.
fn unchangeable(kind: Kind, change: &str) -> Option<&'static str> {
    use Kind::*;
    match (change, kind) {
        ("unexpected" | "missing", Database) => Some("it is the one that is read"),
        ("owner" | "comment" | "security_labels", Database) => {
            Some("they are of the server: the catalogue of the database itself is read without its name")
        }
        ("comment" | "security_labels", UserMapping | DefaultPrivileges | Foreign) => Some("they have none"),
        ("rights", UserMapping | Subscription | Publication | EventTrigger | Extension) => {
            Some("they have none")
        }
        (
            "rights",
            Constraint | NotNull | DomainConstraint | DomainNotNull | Index | Trigger | Rule | Policy,
        ) => Some("they are parts of what has rights"),
        ("usual_storage", Column)
        | ("role" | "server", UserMapping)
        | ("role" | "objects", DefaultPrivileges) => Some("it follows from the type, or from the name"),
        ("values", UserMapping) | ("connection", Subscription) => {
            Some("it may be a password, and is never shown")
        }
        ("copies", Constraint) => Some("it serves to write SQL"),
        (
            "rights",
            Statistics | Operator | OperatorFamily | OperatorClass | Cast | Collation | Conversion,
        ) => Some("everyone may use them"),
        ("rights", Parser | Template | Dictionary | Configuration | Transform | AccessMethod) => {
            Some("everyone may use them")
        }
        ("owner", Cast | Transform | AccessMethod | Parser | Template) => Some("they have none"),
        ("owner", UserMapping | DefaultPrivileges) => Some("the role is a part of their names"),
        ("owner", Foreign | Index) => Some("it is the owner of something else"),
        ("owner", kind) if kind.is_part() => Some("it is the owner of the whole"),
        ("extensions", Function | Trigger | MaterializedView | Index) => None,
        ("extensions", _) => Some("the server lets only the kinds above depend on an extension"),
        _ => None,
    }
}

/// What the signature of a schema does not see: the kind, and why.
const UNWATCHED: &[(&str, &str)] = &[
    ("rights to ", "the rows of the server's own objects are too many to count each time"),
    ("user mapping", "only a superuser may read the catalogue"),
    ("subscription", "only a superuser may read the catalogue"),
];

/// The file of each family.
pub(crate) const FAMILIES: &[&str] = &[
    "tables.sql",
    "views.sql",
    "columns.sql",
    "constraints.sql",
    "indexes.sql",
    "types.sql",
    "functions.sql",
    "operators.sql",
    "database.sql",
    "foreign.sql",
    "replication.sql",
];

#[derive(Debug, Default)]
pub(crate) struct Case {
    /// The major version from which on servers can do it.
    pub(crate) since: u32,
    /// The last that shows it in this way.
    pub(crate) until: Option<u32>,
    pub(crate) shown: Vec<String>,
    pub(crate) before: String,
    pub(crate) changed: String,
    undone: String,
    removed: String,
}

pub(crate) fn cases(family: &str) -> Vec<Case> {
    let path = workspace_root().join("tests/it/catalogue/mutations").join(family);
    let text = fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    let mut section = "removed";
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("--- ") {
            match head {
                "changed" | "undone" | "removed" => section = head,
                _ => {
                    if section != "before" {
                        section = "before";
                        cases.push(Case::default());
                    }
                    let case = cases.last_mut().unwrap();
                    match head.split_once(' ') {
                        Some(("from", major)) => case.since = major.parse().unwrap(),
                        Some(("until", major)) => case.until = Some(major.parse().unwrap()),
                        _ => case.shown.push(head.to_owned()),
                    }
                }
            }
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        let text = match section {
            "before" => &mut case.before,
            "changed" => &mut case.changed,
            "undone" => &mut case.undone,
            _ => &mut case.removed,
        };
        *text += &format!("{line}\n");
    }
    cases
}

/// Makes the change of a case in a database of its own, and says what was not found as the case says.
async fn mistakes(case: &Case, db: &TestDatabase) -> sqlx::Result<Vec<String>> {
    let label = "insert into pg_seclabel select objoid, classoid, objsubid, 'test', 'secret' from pg_description where description = 'labelled'";
    let sql = |sql: &str| sql.replace(":label", label).replace(":db", db.name());
    let mut conn = connect(db).await;
    if major(&conn) < case.since || case.until.is_some_and(|until| major(&conn) > until) {
        return Ok(Vec::new());
    }
    run(&mut conn, &sql(&case.before)).await?;
    let (before, signature) = (read(&mut conn).await, signature(&mut conn).await?);
    run(&mut conn, &sql(&case.changed)).await?;
    let after = read(&mut conn).await;
    let mut expected = case.shown.clone();
    expected.sort();
    let mut mistakes = Vec::new();
    let found = differences(&before, &after);
    if found != expected {
        mistakes.push(format!("expected {expected:#?}\nfound {found:#?}"));
    }
    let mut mirrored: Vec<String> = expected
        .iter()
        .map(|it| match it.split_once(' ') {
            Some(("missing", rest)) => format!("unexpected {rest}"),
            Some(("unexpected", rest)) => format!("missing {rest}"),
            _ => it.clone(),
        })
        .collect();
    mirrored.sort();
    let found = differences(&after, &before);
    if found != mirrored && mistakes.is_empty() {
        mistakes.push(format!("the other way round: expected {mirrored:#?}\nfound {found:#?}"));
    }
    let unwatched = UNWATCHED.iter().any(|(kind, _)| case.shown.iter().any(|shown| shown.contains(kind)));
    if !unwatched && self::signature(&mut conn).await? == signature {
        mistakes.push("the signature of the schema did not change".to_owned());
    }
    if !case.undone.is_empty() {
        run(&mut conn, &sql(&case.undone)).await?;
        let left = differences(&before, &read(&mut conn).await);
        if !left.is_empty() {
            mistakes.push(format!("undone, there is still {left:#?}"));
        }
    }
    run(&mut conn, &sql(&case.removed)).await?;
    Ok(mistakes)
}

/// The cheap text that is another one after each change of the schema.
async fn signature(conn: &mut PgConnection) -> sqlx::Result<String> {
    sqlx::query_scalar(AssertSqlSafe(catalogue::moved())).fetch_one(conn).await
}

fn each_change_is_found(family: &str) {
    assert!(FAMILIES.contains(&family));
    let mut all = String::new();
    for case in cases(family) {
        assert!(!case.shown.is_empty() && !case.changed.is_empty(), "{case:?}");
        tests::empty().run(async |db| {
            let found = mistakes(&case, db).await.unwrap_or_else(|error| vec![error.to_string()]);
            for mistake in found {
                all += &format!("{}{}: {mistake}\n\n", case.before, case.changed);
            }
            Ok(())
        });
    }
    assert!(all.is_empty(), "{all}");
}

/// What a line of a case covers: the kind, and `missing`, `unexpected` or the name of an attribute.
fn covered(shown: &str) -> String {
    let kind = |rest: &str| {
        let of = |kind: &&Kind| rest == kind.words() || rest.starts_with(&format!("{kind} "));
        Kind::ALL.iter().filter(of).max_by_key(|kind| kind.words().len()).unwrap().words()
    };
    let (change, rest) = shown.split_once(' ').unwrap();
    match change {
        "missing" | "unexpected" => format!("{}: {change}", kind(rest)),
        _ => {
            let (address, attribute) = shown.trim_start_matches("note ").rsplit_once(": ").unwrap();
            match attribute {
                // The positions of all columns are compared at once.
                "column_order" => "column: position".to_owned(),
                _ => format!("{}: {attribute}", kind(address)),
            }
        }
    }
}

#[test]
fn every_kind_and_every_attribute_of_the_model_is_changed_once() {
    let mut expected = BTreeSet::new();
    for &kind in Kind::ALL {
        let changes = ["unexpected", "missing"].iter().chain(kind.attributes()).chain(COMMON);
        let changes = changes.filter(|change| unchangeable(kind, change).is_none());
        expected.extend(changes.map(|change| format!("{kind}: {change}")));
    }
    let mut found = BTreeSet::new();
    for case in FAMILIES.iter().flat_map(|family| cases(family)) {
        found.extend(case.shown.iter().map(|shown| covered(shown)));
        // A change that is found is found from the other side too, and that is checked.
        found.extend(
            case.shown
                .iter()
                .filter_map(|it| it.strip_prefix("unexpected "))
                .map(|it| covered(&format!("missing {it}"))),
        );
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "no case changes these: {missing:#?}");
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(unknown.is_empty(), "the model has none of these: {unknown:#?}");
}

#[test]
fn each_change_of_tables_and_foreign_tables_is_found() {
    each_change_is_found("tables.sql");
}

#[test]
fn each_change_of_views_composite_types_and_sequences_is_found() {
    each_change_is_found("views.sql");
}

#[test]
fn each_change_of_columns_is_found() {
    each_change_is_found("columns.sql");
}

#[test]
fn each_change_of_constraints_is_found() {
    each_change_is_found("constraints.sql");
}

#[test]
fn each_change_of_indexes_triggers_and_policies_is_found() {
    each_change_is_found("indexes.sql");
}

#[test]
fn each_change_of_types_and_collations_is_found() {
    each_change_is_found("types.sql");
}

#[test]
fn each_change_of_functions_and_aggregates_is_found() {
    each_change_is_found("functions.sql");
}

#[test]
fn each_change_of_operators_and_casts_is_found() {
    each_change_is_found("operators.sql");
}

#[test]
fn each_change_of_the_database_and_its_schemas_is_found() {
    each_change_is_found("database.sql");
}

#[test]
fn each_change_of_foreign_servers_and_text_search_is_found() {
    each_change_is_found("foreign.sql");
}

#[test]
fn each_change_of_publications_and_event_triggers_is_found() {
    each_change_is_found("replication.sql");
}
