//! The model leaves out no system catalogue, and no column of one, without a reason.

use std::collections::BTreeSet;

use catalogue::{NOT_SCHEMA, READ, script};

use super::{connect, major};

/// Columns of the system catalogues that say nothing of their own, with the reason.
const SILENT: &[(&str, &[&str], &str)] = &[
    ("pg_amop", &["amoplefttype", "amoprighttype", "amopmethod"], "the operator and the family say it"),
    ("pg_amop", &["amoppurpose"], "a family to sort by says it"),
    ("pg_attribute", &["attlen", "attbyval", "attalign"], "the type says it"),
    ("pg_attribute", &["attndims"], "the server ignores it: int[] takes any number of dimensions"),
    ("pg_attribute", &["atthasdef"], "pg_attrdef has the default"),
    ("pg_attribute", &["attcacheoff", "atthasmissing", "attmissingval"], "storage of rows"),
    (
        "pg_authid",
        &[
            "rolsuper",
            "rolinherit",
            "rolcreaterole",
            "rolcreatedb",
            "rolcanlogin",
            "rolreplication",
            "rolbypassrls",
            "rolconnlimit",
            "rolpassword",
            "rolvaliduntil",
        ],
        "roles are of the whole server; only their names appear",
    ),
    ("pg_class", &["reltype"], "the type of its rows, which has its name"),
    ("pg_class", &["relfilenode", "relisshared", "relrewrite"], "storage"),
    ("pg_class", &["relpages", "reltuples", "relallvisible", "relallfrozen"], "numbers of the planner"),
    ("pg_class", &["relfrozenxid", "relminmxid"], "state of vacuum"),
    (
        "pg_class",
        &["relhasindex", "relnatts", "relchecks", "relhasrules", "relhastriggers"],
        "whether other catalogues have rows of it",
    ),
    ("pg_collation", &["collencoding"], "the encoding of the database, or any"),
    ("pg_collation", &["collversion"], "the version of the library on the server"),
    (
        "pg_constraint",
        &["conpfeqop", "conppeqop", "conffeqop"],
        "the index that a foreign key relies on says it",
    ),
    ("pg_constraint", &["conexclop"], "pg_get_constraintdef prints it"),
    ("pg_database", &["datistemplate", "datallowconn", "dattablespace"], "administration of the server"),
    ("pg_database", &["datfrozenxid", "datminmxid"], "state of vacuum"),
    ("pg_database", &["datcollversion"], "the version of the library on the server"),
    ("pg_database", &["dathasloginevt"], "an event trigger says it"),
    ("pg_extension", &["extrelocatable", "extconfig", "extcondition"], "its script says it"),
    ("pg_index", &["indisprimary", "indisexclusion", "indimmediate"], "the constraint says it"),
    (
        "pg_index",
        &["indcheckxmin", "indisready", "indislive"],
        "steps of building and dropping; without them it is invalid",
    ),
    ("pg_init_privs", &["privtype"], "whether initdb or an extension gave the rights"),
    ("pg_language", &["lanispl"], "only the built-in ones are none"),
    ("pg_operator", &["oprkind"], "whether it has a left operand"),
    (
        "pg_partitioned_table",
        &["partrelid", "partstrat", "partnatts", "partattrs", "partclass", "partcollation", "partexprs"],
        "pg_get_partkeydef prints it",
    ),
    ("pg_partitioned_table", &["partdefid"], "the bounds of that partition say it"),
    (
        "pg_proc",
        &[
            "provariadic",
            "pronargs",
            "pronargdefaults",
            "proallargtypes",
            "proargmodes",
            "proargnames",
            "proargdefaults",
        ],
        "pg_get_function_arguments prints it",
    ),
    ("pg_proc", &["prorettype"], "pg_get_function_result prints it"),
    ("pg_rewrite", &["ev_qual", "ev_action"], "pg_get_viewdef and pg_get_ruledef print it"),
    ("pg_statistic_ext", &["stxkind", "stxexprs"], "pg_get_statisticsobjdef prints it"),
    ("pg_subscription", &["subskiplsn"], "state of replication"),
    (
        "pg_tablespace",
        &["spcowner", "spcacl", "spcoptions"],
        "tablespaces are of the whole server; only their names appear",
    ),
    (
        "pg_trigger",
        &[
            "tgfoid",
            "tgconstrrelid",
            "tgconstrindid",
            "tgdeferrable",
            "tginitdeferred",
            "tgnargs",
            "tgargs",
            "tgqual",
            "tgoldtable",
            "tgnewtable",
        ],
        "pg_get_triggerdef prints it",
    ),
    ("pg_type", &["typarray"], "the array has no name of its own choice"),
    ("pg_type", &["typndims"], "the server ignores it"),
    ("pg_user_mapping", &["umserver"], "pg_user_mappings has the server's name"),
];

/// What reads a system catalogue for us: views for a role without special rights, and a function.
const THROUGH: &[(&str, &str)] = &[
    ("pg_authid", "pg_roles"),
    ("pg_user_mapping", "pg_user_mappings"),
    ("pg_partitioned_table", "pg_get_partkeydef"),
];

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

#[test]
fn each_system_catalogue_is_read_or_has_a_reason_not_to_be() {
    tests::empty().run(async |db| {
        let list = "select relname::text from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'";
        let existing: Vec<String> = sqlx::query_scalar(list).fetch_all(db.pool()).await?;
        let existing: BTreeSet<&str> = existing.iter().map(String::as_str).collect();
        let read: BTreeSet<&str> = READ.iter().copied().collect();
        let left_out: BTreeSet<&str> = NOT_SCHEMA.iter().map(|(name, _)| *name).collect();
        assert_eq!(read.intersection(&left_out).count(), 0);
        assert_eq!(read.union(&left_out).copied().collect::<BTreeSet<&str>>(), existing);
        let script = script(major(&connect(db).await));
        let words = words(&script);
        for name in READ {
            let reader = THROUGH.iter().find(|(catalogue, _)| catalogue == name).map_or(*name, |(_, it)| *it);
            assert!(words.contains(reader), "no query reads {name}");
        }
        Ok(())
    });
}

#[test]
fn each_column_of_a_system_catalogue_is_read_or_has_a_reason_not_to_be() {
    tests::empty().run(async |db| {
        let list = "select c.relname::text, a.attname::text from pg_attribute a join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped";
        let columns: Vec<(String, String)> = sqlx::query_as(list).fetch_all(db.pool()).await?;
        let script = script(major(&connect(db).await));
        let words = words(&script);
        for (catalogue, column) in columns.iter().filter(|(catalogue, _)| READ.contains(&catalogue.as_str())) {
            let silent = SILENT.iter().any(|(of, columns, _)| of == catalogue && columns.contains(&column.as_str()));
            assert!(silent || words.contains(column.as_str()), "no query reads {catalogue}.{column}");
            assert!(!silent || !words.contains(column.as_str()), "a query does read {catalogue}.{column}");
        }
        Ok(())
    });
}
