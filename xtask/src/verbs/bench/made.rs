//! A schema and a project of any size.

use std::{fmt::Write as _, fs, path::Path};

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
fn table(n: usize) -> String {
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

/// A project of this many migrations: of three, one makes a table, one alters it, one adds a view and a function.
pub(super) fn project(root: &Path, migrations: usize) -> anyhow::Result<()> {
    let folder = root.join("migrations/made");
    fs::create_dir_all(&folder)?;
    let tables: Vec<String> = (1..=migrations.div_ceil(3)).map(|n| format!("\"t{n}\"")).collect();
    let manifest = format!(
        "[postgres]\nversion = 15\ndatabase = \"app\"\n\n[[app]]\nname = \"made\"\ndepends-on = []\ntables = [{}]\n",
        tables.join(", ")
    );
    fs::write(root.join("migrations/apps.toml"), manifest)?;
    fs::write(
        folder.join("sqlx.toml"),
        "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.made\"\n\n[migrate.defaults]\nmigration-type = \"reversible\"\nmigration-versioning = \"sequential\"\n",
    )?;
    for number in 1..=migrations {
        let n = number.div_ceil(3);
        let (up, down) = match number % 3 {
            1 => (table(n), format!("drop table t{n};\n")),
            2 => (
                format!(
                    "alter table t{n} add column extra integer check (extra > 0);\ncomment on table t{n} is 'number {n}';\n"
                ),
                format!("comment on table t{n} is null;\nalter table t{n} drop column extra;\n"),
            ),
            _ => (
                format!(
                    "create view v{n} as select id, a, extra from t{n};\ncreate function f{n}(a int) returns int language sql as 'select a + {n}';\n"
                ),
                format!("drop function f{n}(int);\ndrop view v{n};\n"),
            ),
        };
        for (way, text) in [("up", up), ("down", down)] {
            fs::write(folder.join(format!("{number:04}_made.{way}.sql")), text)?;
        }
    }
    Ok(())
}
