//! What is refused before anything is proven: changes that belong to no app, and changes that rows would suffer from.

use std::collections::BTreeSet;

use anyhow::bail;
use catalogue::{Address, Body};
use diff::{Change, Hazard, Part};

use super::{filling::Filling, renames::Likely, whose::Whose};
use crate::terminal::exit::Stop;

/// What loses rows, or fails on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnRows {
    Refused,
    Allowed,
}

/// Refuses what the direction rule does not allow, what would lose rows or values, and what rows may keep from running.
///
/// `without_cast` are the columns whose values have no way into their new type, a line each; `likely` is what looks like a
/// rename, and has not been answered.
pub(super) fn refuse(
    whose: &Whose<'_>,
    parts: &[Part],
    filling: &Filling,
    without_cast: Vec<String>,
    likely: &[Likely],
    on_rows: OnRows,
) -> anyhow::Result<()> {
    let trespasses = whose.trespasses.borrow();
    if !trespasses.is_empty() {
        let lines: Vec<&str> = trespasses.iter().map(String::as_str).collect();
        bail!(
            "these changes belong to no app; nothing was written\n  {}\n  list the others under `depends-on` of one of them in migrations/apps.toml, or move the object to another schema.sql",
            lines.join("\n  ")
        );
    }
    if on_rows == OnRows::Allowed {
        return Ok(());
    }
    let statements = || parts.iter().flat_map(|part| &part.script.statements);
    let losses = statements().flat_map(|it| &it.hazards).filter_map(|hazard| match hazard {
        Hazard::DataLoss(what) => Some(format!("loses {what}")),
        _ => None,
    });
    let columns = statements().filter(|it| it.change == Change::Create).map(|it| &it.object);
    let columns =
        columns.filter(|column| filling.expression(column).is_none() && has_no_value_for_rows(whose, column));
    let columns =
        columns.map(|column| format!("can't add {column} to rows: it is not null and has no default"));
    let found: BTreeSet<String> = losses.chain(columns).chain(without_cast).collect();
    if found.is_empty() {
        return Ok(());
    }
    let found: Vec<String> = found.into_iter().collect();
    if !likely.is_empty() {
        let likely: Vec<String> = likely.iter().map(Likely::advice).collect();
        bail!(
            "this may be a rename; nothing was written\n  {}\n  if it is not: cargo xtask makemigrations --allow-data-loss",
            likely.join("\n  ")
        );
    }
    Err(Stop::Refused(format!(
        "tables may hold rows; nothing was written\n  {}\n  in schema.sql, give a new column a default, or write `-- using: expression` behind a column; or write the migration by hand: cargo xtask makemigrations --empty APP --name NAME\n  if it is meant so: cargo xtask makemigrations --allow-data-loss",
        found.join("\n  ")
    ))
    .into())
}

/// Whether the rows of a table would keep a new column from being added.
fn has_no_value_for_rows(whose: &Whose<'_>, column: &Address) -> bool {
    let is_old = whose.from.schema.table_of(column).is_some();
    let body = whose.to.schema.get(column).map(|it| &it.body);
    matches!(body, Some(Body::Column(it)) if is_old
        && it.not_null && it.default.is_none() && it.generated.is_none() && it.identity.is_none())
}
