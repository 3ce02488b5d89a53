//! No setting of a database, a role or a session changes what is read.

use catalogue::Scope;
use sqlx::{AssertSqlSafe, Row};

use super::{
    connect,
    fingerprints::{drop_subscription, fill_sink},
    read, run,
};

/// Settings whose values are no list that the server has. The locale of money is only named: another one than C, which
/// prints other amounts, need not be installed.
const VALUES: &[(&str, &str)] = &[
    ("search_path", "'My Schema', s"),
    ("timezone", "'Asia/Kathmandu'"),
    ("datestyle", "'German, DMY'"),
    ("extra_float_digits", "-10"),
    ("lc_monetary", "'C.UTF-8'"),
    ("default_text_search_config", "'simple'"),
    ("client_encoding", "'LATIN1'"),
    ("default_tablespace", "'pg_default'"),
    ("work_mem", "'64kB'"),
    ("from_collapse_limit", "1"),
    ("join_collapse_limit", "1"),
    ("geqo_threshold", "2"),
];

/// Settings that no session can work with, or that are no settings: a test of their values shows nothing.
const DANGEROUS: &[&str] = &[
    "exit_on_error",
    "transaction_isolation",
    "transaction_read_only",
    "transaction_deferrable",
    "is_superuser",
    // Needs a server that was built or started for it.
    "jit",
    "wal_compression",
    "trace_lock_oidmin",
];

#[test]
fn no_setting_of_a_session_changes_the_text() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        fill_sink(&mut conn, db).await;
        let expected = read(&mut conn).await.text(Scope::Exact);
        let settings = "select name, vartype, setting, enumvals from pg_settings where context in ('user', 'superuser')
             and vartype in ('bool', 'enum') and name not like 'log%' and name not like 'debug%' and name not like 'trace%'";
        let rows = sqlx::query(settings).fetch_all(&mut conn).await?;
        // In each round, every setting has another value than its own.
        for round in 0..4 {
            let mut session = connect(db).await;
            let mut set = Vec::new();
            for row in &rows {
                let (name, now): (String, String) = (row.get("name"), row.get("setting"));
                let value = match row.get::<String, _>("vartype").as_str() {
                    "bool" if (now == "on") == (round % 2 == 0) => "off".to_owned(),
                    "bool" => "on".to_owned(),
                    _ => {
                        let values: Vec<String> = row.get("enumvals");
                        values[round % values.len()].clone()
                    }
                };
                if !DANGEROUS.contains(&name.as_str()) {
                    set.push((name, format!("'{value}'")));
                }
            }
            set.extend(VALUES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            for (name, value) in &set {
                // A value that this server was not built for is none.
                let sql = AssertSqlSafe(format!("set {name} = {value}"));
                let _ = sqlx::raw_sql(sql).execute(&mut session).await;
            }
            let found = read(&mut session).await.text(Scope::Exact);
            let differing: Vec<_> = expected.lines().zip(found.lines()).filter(|(one, other)| one != other).collect();
            assert!(expected == found, "{set:?}: {differing:#?}");
        }
        drop_subscription(&mut conn).await;
        Ok(())
    });
}

#[test]
fn what_a_database_and_a_role_have_set_changes_nothing_but_the_settings() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        fill_sink(&mut conn, db).await;
        let expected = read(&mut conn).await.text(Scope::Portable);
        let more = [
            ("quote_all_identifiers", "on"),
            ("standard_conforming_strings", "off"),
            ("intervalstyle", "'iso_8601'"),
            ("bytea_output", "'escape'"),
            ("xmloption", "'document'"),
            ("default_transaction_read_only", "on"),
            ("default_transaction_isolation", "'serializable'"),
            ("default_transaction_deferrable", "on"),
            ("session_replication_role", "'replica'"),
            ("row_security", "off"),
            ("check_function_bodies", "off"),
            ("array_nulls", "off"),
            ("transform_null_equals", "on"),
        ];
        for (name, value) in VALUES.iter().chain(&more).filter(|(name, _)| *name != "client_encoding") {
            let set = format!("alter database \"{}\" set {name} = {value};\n", db.name());
            run(&mut conn, &set).await?;
        }
        let mut session = connect(db).await;
        let shown: String = sqlx::query_scalar("show intervalstyle").fetch_one(&mut session).await?;
        assert_eq!(shown, "iso_8601");
        let found = read(&mut session).await.text(Scope::Portable);
        let without = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<String>>();
        assert_eq!(without(&found), without(&expected));
        drop_subscription(&mut conn).await;
        Ok(())
    });
}
