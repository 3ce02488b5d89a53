//! A project of any size.

use std::path::Path;

use crate::verbs::bench::{
    project::{Project, migration},
    tables::table,
};

/// A project of this many migrations: of three, one makes a table, one alters it, one adds a view and a function.
pub(super) fn project(root: &Path, migrations: usize) -> anyhow::Result<()> {
    let mut project = Project::new(root);
    let folder = project.app("made", None, (1..=migrations.div_ceil(3)).map(|n| format!("t{n}")))?;
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
        migration(&folder, number, &up, &down)?;
    }
    project.finish()
}
