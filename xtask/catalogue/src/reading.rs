//! The script that a caller runs, and what it returns.

use crate::{
    classes::READ,
    kind::Kind,
    raw::{
        Collated, Collations, Comments, Edges, Keywords, Labels, Members, OperatorClasses, Parts, Rights,
        Roles, ServerSchemas,
    },
    settings::{PINNED, PRINTING, set_local},
    sheet::Sheet,
};

/// The oldest major version that the queries know.
pub const OLDEST: u32 = 15;
/// The newest major version that the queries know. What a newer one adds is not read.
pub const NEWEST: u32 = 18;

/// The script that reads the whole catalogue of a server of this major version: one query a system catalogue, in one
/// read-only transaction that sees one state. Each query returns one row with one value; nothing else returns rows.
///
/// The functions that print expressions see the newest state, not the transaction's: ask [`unmoved`] at the end of the
/// transaction whether anything can have changed meanwhile. The script leaves the transaction open for that; the caller
/// commits it.
pub fn script(major: u32) -> String {
    begin() + &queries(major).into_iter().map(|sql| sql + ";\n").collect::<String>()
}

/// The same within the caller's own transaction, whose state it reads: it begins with a savepoint, and the caller undoes it
/// with [`END_WITHIN`], which also restores the settings.
pub fn script_within(major: u32) -> String {
    let queries = queries(major).into_iter().map(|sql| sql + ";\n");
    "savepoint catalogue;\n".to_owned() + &pin() + &queries.collect::<String>()
}

/// What a caller runs after [`script_within`].
pub const END_WITHIN: &str = "rollback to savepoint catalogue; release savepoint catalogue";

/// The statements that prepare the queries in a session, for [`prepared_script`]. Postgres then plans them once, which is
/// most of the time that a small schema takes.
pub fn prepare(major: u32) -> String {
    let prepare = |(n, sql): (usize, String)| format!("prepare catalogue_{n} as {sql};\n");
    queries(major).into_iter().enumerate().map(prepare).collect()
}

/// The same as [`script`] in a session that has run [`prepare`].
pub fn prepared_script(major: u32) -> String {
    let execute = |n: usize| format!("execute catalogue_{n};\n");
    begin() + &(0..queries(major).len()).map(execute).collect::<String>()
}

fn begin() -> String {
    "begin isolation level repeatable read, read only;\n".to_owned() + &pin()
}

fn pin() -> String {
    set_local(PINNED) + &set_local(PRINTING)
}

fn queries(major: u32) -> Vec<String> {
    let raw: [fn(u32) -> String; 12] = [
        Keywords::sql,
        Roles::sql,
        ServerSchemas::sql,
        Members::sql,
        Collated::sql,
        Collations::sql,
        OperatorClasses::sql,
        Comments::sql,
        Labels::sql,
        Rights::sql,
        Edges::sql,
        Parts::sql,
    ];
    raw.iter().map(|sql| sql(major)).chain(Kind::ALL.iter().map(|kind| kind.sql(major))).collect()
}

/// A query that returns true if no other transaction can have changed anything since this one began. It belongs at the end
/// of [`script`]'s transaction.
pub fn unmoved() -> &'static str {
    // `age` counts the transactions that were started since; those that ran already are not in the snapshot.
    "select age(pg_snapshot_xmax(s)::xid) <= 0 and pg_snapshot_xmin(s) = pg_snapshot_xmax(s) from pg_current_snapshot() s"
}

/// A query for the text that makes a constraint: `$1` is the qualified name of its table or domain, `$2` its own.
pub const CONSTRAINT_DEFINITION: &str = "select pg_get_constraintdef(oid) from pg_catalog.pg_constraint
    where conname = $2 and (conrelid = to_regclass($1) or conrelid = 0 and contypid = to_regtype($1))";

/// A query whose result is the same, in two transactions, only if no schema was changed between them: the number of
/// rows and the newest writer of each system catalogue that describes one. It does not see grants on the server's own
/// objects.
pub fn moved() -> String {
    let counted = |(name, users): (&str, String)| {
        format!(
            "(select count(*) || ':' || coalesce(max(xmin::text::bigint), 0) from pg_catalog.{name} where {users})"
        )
    };
    format!("select concat_ws(' ', {})", watched().map(counted).collect::<Vec<_>>().join(", "))
}

/// A query for the number of rows that this session has written in the system catalogues that describe a schema, as Postgres
/// counts them; null if it does not count. Within a transaction, the schema has changed only if this number has. It takes a
/// tenth of a millisecond.
pub fn written() -> String {
    let counts = ["inserted", "updated", "deleted"].map(|what| format!("pg_stat_get_xact_tuples_{what}(c)"));
    let catalogues: Vec<String> = READ.iter().map(|name| format!("pg_catalog.{name}")).collect();
    format!(
        "select case when current_setting('track_counts')::boolean then sum({})::bigint end from unnest('{{{}}}'::regclass[]) c",
        counts.join(" + "),
        catalogues.join(",")
    )
}

/// A query that returns the numbers of all transactions that wrote what the system catalogues now hold of the schema.
pub fn writers() -> String {
    let written = |(name, users): (&str, String)| {
        format!("select xmin::text::bigint from pg_catalog.{name} where {users}")
    };
    watched().map(written).collect::<Vec<_>>().join(" union ")
}

/// The system catalogues that describe a schema, each with the condition for the rows that are not the server's own.
fn watched() -> impl Iterator<Item = (&'static str, String)> {
    // Only a superuser may read the first three, and others' databases would change the last.
    const UNWATCHED: &[&str] = &["pg_authid", "pg_subscription", "pg_user_mapping", "pg_tablespace"];
    let watched = READ.iter().copied().filter(|name| !UNWATCHED.contains(name));
    watched.map(|name| {
        // 16384: rows below are the server's own.
        let users = match name {
            "pg_database" => "datname = current_database()".to_owned(),
            "pg_db_role_setting" => {
                "setdatabase = (select oid from pg_database where datname = current_database())".to_owned()
            }
            // The schema `public` is the server's own, too, and is not left alone.
            "pg_namespace" => "oid >= 16384 or nspname = 'public'".to_owned(),
            "pg_description" => "objoid >= 16384 or objoid = pg_catalog.to_regnamespace('public')".to_owned(),
            "pg_seclabel" => "true".to_owned(),
            name => format!("{} >= 16384", key(name)),
        };
        (name, users)
    })
}

/// The column that identifies the object that a row of a system catalogue is about.
fn key(catalogue: &str) -> &'static str {
    match catalogue {
        "pg_aggregate" => "aggfnoid::oid",
        "pg_attribute" => "attrelid",
        "pg_depend" => "objid",
        "pg_init_privs" => "objoid",
        "pg_foreign_table" => "ftrelid",
        "pg_index" => "indexrelid",
        "pg_inherits" => "inhrelid",
        "pg_partitioned_table" => "partrelid",
        "pg_range" => "rngtypid",
        "pg_sequence" => "seqrelid",
        "pg_ts_config_map" => "mapcfg",
        _ => "oid",
    }
}

/// What the queries of [`script`] returned. It can be stored, and read again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    major: u32,
    sheets: Vec<String>,
}

impl Reading {
    /// A reading of a server of this major version: what each query returned, in their order. Null is an empty sheet.
    pub fn new(major: u32, sheets: Vec<String>) -> Reading {
        Reading { major, sheets }
    }

    /// The major version of the server that was read.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// What each query returned.
    pub fn sheets(&self) -> impl Iterator<Item = &str> {
        self.sheets.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_reads_the_same_in_every_client_encoding_and_with_any_strings() {
        // The server splits and parses the whole script before it runs the first statement of it.
        for major in OLDEST..=NEWEST {
            let script = script(major);
            assert!(script.is_ascii());
            let plain = script.replace("E'\\n'", "");
            assert!(
                !plain.contains('\\'),
                "a backslash, outside of E'', depends on standard_conforming_strings"
            );
        }
    }
}
