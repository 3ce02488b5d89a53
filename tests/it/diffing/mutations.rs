//! Each change of each attribute of the model is made and taken back.
//!
//! The cases are in `tests/it/catalogue/mutations`, so that an attribute which is new to the model is tried here too.

use diff::Renames;

use super::{Schema, turned};
use crate::catalogue::mutations::cases;

/// Cases whose states are not made by statements on schemas.
const LEFT_OUT: &[(&str, &str)] = &[
    ("allow_system_table_mods", "only a superuser who asks for it may change the server's own schemas"),
    ("create index i on only t (a); drop table p", "an index that was made while there was a partition"),
];

fn each_change_is_made(family: &str) {
    let mut all = String::new();
    tests::empty().run(async |_| {
        let major = Schema::made_by("").await.map_err(anyhow::Error::msg)?.catalogue.major();
        for case in cases(family) {
            // What a hand writes into the catalogues, and a security label without its provider, no statement does.
            let by_statement = |line: &&str| !line.contains(":label") && !line.starts_with("update pg_");
            let changed: String =
                case.changed.lines().filter(by_statement).map(|line| format!("{line}\n")).collect();
            let (old, new) = (&case.before, format!("{}{changed}", case.before));
            let is_for_this_server = major >= case.since && case.until.is_none_or(|until| major <= until);
            if LEFT_OUT.iter().any(|(text, _)| new.contains(text)) || !is_for_this_server {
                continue;
            }
            let found = match (Schema::made_by(old).await, Schema::made_by(&new).await) {
                (Ok(old), Ok(new)) => vec![
                    ("made", turned(&old.db, &old.catalogue, &new.catalogue, Renames::default()).await),
                    ("taken back", turned(&new.db, &new.catalogue, &old.catalogue, Renames::default()).await),
                ],
                (Err(error), _) | (_, Err(error)) => vec![("loaded", Err(error))],
            };
            for (way, turned) in found {
                if let Err(mistake) = turned {
                    all += &format!("{}\n{old}{changed}{way}: {mistake}\n\n", case.shown.join("\n"));
                }
            }
        }
        Ok(())
    });
    assert!(all.is_empty(), "{all}");
}

#[test]
fn each_change_of_tables_and_foreign_tables_is_made_and_taken_back() {
    each_change_is_made("tables.sql");
}

#[test]
fn each_change_of_views_composite_types_and_sequences_is_made_and_taken_back() {
    each_change_is_made("views.sql");
}

#[test]
fn each_change_of_columns_is_made_and_taken_back() {
    each_change_is_made("columns.sql");
}

#[test]
fn each_change_of_constraints_is_made_and_taken_back() {
    each_change_is_made("constraints.sql");
}

#[test]
fn each_change_of_indexes_triggers_and_policies_is_made_and_taken_back() {
    each_change_is_made("indexes.sql");
}

#[test]
fn each_change_of_types_and_collations_is_made_and_taken_back() {
    each_change_is_made("types.sql");
}

#[test]
fn each_change_of_functions_and_aggregates_is_made_and_taken_back() {
    each_change_is_made("functions.sql");
}

#[test]
fn each_change_of_operators_and_casts_is_made_and_taken_back() {
    each_change_is_made("operators.sql");
}

#[test]
fn each_change_of_the_database_and_its_schemas_is_made_and_taken_back() {
    each_change_is_made("database.sql");
}

#[test]
fn each_change_of_foreign_servers_and_text_search_is_made_and_taken_back() {
    each_change_is_made("foreign.sql");
}

#[test]
fn each_change_of_publications_and_event_triggers_is_made_and_taken_back() {
    each_change_is_made("replication.sql");
}
