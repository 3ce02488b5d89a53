//! The settings that change how Postgres reads, writes, prints or checks values: one list, from which every session of ours and
//! every reading of a schema takes them. So it makes no difference what the server, a database or a role has set.
//!
//! Left alone is what gives an application its meaning, since migrations and seeds have to write what the application would:
//! `search_path`, `default_text_search_config`, the role, settings of its own. What only a superuser may set is left alone too,
//! except for `session_replication_role`.

/// What every session pins when it connects. Each setting exists in all versions that we support, and any role may set it.
pub const PINNED: &[(&str, &str)] = &[
    // How values are printed and read.
    ("timezone", "UTC"),
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("xmlbinary", "base64"),
    ("xmloption", "content"),
    ("array_nulls", "on"),
    ("client_encoding", "UTF8"),
    // How statements and their literals are read and printed.
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"),
    ("transform_null_equals", "off"),
    // What a query finds, and what is checked. Another level of isolation would hide what others committed, also from the
    // runner's own checks.
    ("row_security", "on"),
    ("gin_fuzzy_search_limit", "0"),
    ("check_function_bodies", "on"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // Where and how a table is stored whose statement does not say it.
    ("default_tablespace", ""),
    ("default_table_access_method", "heap"),
    // What ends a session that waits for its own process, or that has met an error.
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("exit_on_error", "off"),
];

/// What a session pins if it finds another value: settings that older versions don't have, and one that only a superuser may
/// set. Under the role `replica`, Postgres checks no foreign key and fires no ordinary trigger.
pub const PINNED_IF_SET: &[(&str, &str)] =
    &[(REPLICATION_ROLE, "origin"), ("transaction_timeout", "0"), ("restrict_nonsystem_relation_kind", "")];

/// The setting that only a superuser may pin.
pub const REPLICATION_ROLE: &str = "session_replication_role";

/// What changes how a schema is printed and read, besides [`PINNED`].
pub(crate) const PRINTING: &[(&str, &str)] = &[
    ("search_path", ""),
    // Printing an expression locks its table, so a reading can be in a deadlock with a migration. The session that
    // has waited for a second is ended; this way it is the reading, which is tried again.
    ("lock_timeout", "900ms"),
    // A plan compiled for queries of a millisecond costs more than it saves.
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
];

/// What a pinned session sets as well while it writes rows as text: the names of tables and types in a value depend on the
/// search path, and a policy must not hide rows: the query fails instead.
pub const ROWS_AS_TEXT: &[(&str, &str)] = &[("search_path", "public"), ("row_security", "off")];

/// The statements that set these for the rest of the transaction.
pub fn set_local(settings: &[(&str, &str)]) -> String {
    settings.iter().map(|(name, value)| format!("set local {name} = '{value}';\n")).collect()
}
