//! Schemas of any size.

use std::fmt::Write as _;

/// A schema of this many tables: each with ten columns, four indexes and five constraints; a view for every tenth.
pub(super) fn schema(tables: usize) -> String {
    let mut sql = String::new();
    for n in 1..=tables {
        sql += &table(n);
        if n % 10 == 0 {
            let other = n - 1;
            let _ = writeln!(
                sql,
                "create view v{n} as select t.a, count(*) from t{n} t join t{other} u using (id) group by t.a;"
            );
        }
    }
    sql
}

/// What changes every tenth table of such a schema: the types of its columns, a new one, and an index.
pub(super) fn changes(tables: usize) -> String {
    let mut sql = String::new();
    for n in (1..=tables).step_by(10) {
        let _ = writeln!(
            sql,
            "alter table t{n} alter b type bigint, add n text;\ncreate index t{n}_n on t{n} (n);\ncomment on table t{n} is 'changed';"
        );
    }
    sql
}

/// A table that refers to the one before it.
pub(super) fn table(n: usize) -> String {
    let refers = if n > 1 { format!(" references t{}", n - 1) } else { String::new() };
    format!(
        "create table t{n} (
    id bigint generated always as identity primary key,
    a text not null default 'x',
    b integer default 3 check (b > 0),
    c timestamptz not null default now(),
    d uuid default gen_random_uuid(),
    e numeric(10, 2) check (e < 5),
    f jsonb,
    g text,
    h boolean default false,
    r bigint unique{refers}
);
create index t{n}_a on t{n} (a);
create index t{n}_g on t{n} (lower(g)) where h;
"
    )
}
