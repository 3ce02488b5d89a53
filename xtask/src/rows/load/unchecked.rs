//! Constraints that are not valid: rows that are older than such a constraint may break it, and a load has to take them.

use std::collections::BTreeSet;

use catalogue::{Address, Body, Catalogue, Kind, Object};
use migrations::Error;
use sqlx::PgConnection;

use crate::{
    database::sql::{literal, qualified, quoted},
    rows::{emptying::with_partitions, tables, tables::Table},
};

/// A constraint that was dropped for the time of the load.
#[derive(Debug)]
pub(super) struct Unchecked {
    /// `constraint positive of table fees`.
    pub(super) what: String,
    /// The statements that make it once more, without checking a row.
    restore: Vec<String>,
}

/// Drops the constraints of these tables, of their partitions and of their columns' types that are not valid. A rollback
/// restores them.
pub(super) async fn drop(
    conn: &mut PgConnection,
    schema: &Catalogue,
    tables: &[Table],
) -> anyhow::Result<Vec<Unchecked>> {
    let emptied = with_partitions(schema, tables);
    let domains = domains(schema, &emptied);
    let is_ours = |object: &Object| {
        let whole = |kind| Address { kind, part: String::new(), ..object.address.clone() };
        emptied.contains(&whole(Kind::Table)) || domains.contains(&whole(Kind::Domain))
    };
    let mut found: Vec<(&Object, Inheritance)> = schema
        .objects()
        .filter(|object| is_ours(object))
        .filter_map(|object| Some((object, not_valid(&object.body)?)))
        .collect();
    // What a table has from its parent comes and goes with the parent's, and what it also declares has to come before.
    found.sort_by_key(|(_, inheritance)| *inheritance);
    let mut dropped = Vec::new();
    for (object, _) in found {
        dropped.push(drop_one(conn, object).await?);
    }
    Ok(dropped)
}

async fn drop_one(conn: &mut PgConnection, object: &Object) -> anyhow::Result<Unchecked> {
    const DOING: &str = "read a constraint that is not valid";
    let sort = if object.address.kind == Kind::DomainConstraint { "domain" } else { "table" };
    let (whole, name) = (qualified(&object.address), quoted(&object.address.part));
    let definition = sqlx::query_scalar(catalogue::CONSTRAINT_DEFINITION).bind(&whole);
    let definition = definition.bind(&object.address.part).fetch_one(&mut *conn).await;
    let definition: String = definition.map_err(Error::database(DOING))?;
    let drop = format!("alter {sort} {whole} drop constraint {name}");
    tables::execute(conn, &drop, "drop a constraint that is not valid").await?;
    let mut restore = vec![format!("alter {sort} {whole} add constraint {name} {definition}")];
    if let Some(comment) = &object.comment {
        let domain = if sort == "domain" { "domain " } else { "" };
        restore.push(format!("comment on constraint {name} on {domain}{whole} is {}", literal(comment)));
    }
    let of = Address { part: String::new(), ..object.address.clone() };
    let what = format!("constraint {} of {sort} {}", object.address.part, of.typed());
    Ok(Unchecked { what, restore })
}

/// Makes the constraints once more.
pub(super) async fn restore(conn: &mut PgConnection, dropped: &[Unchecked]) -> anyhow::Result<()> {
    for statement in dropped.iter().rev().flat_map(|constraint| &constraint.restore) {
        tables::execute(conn, statement, "restore a constraint that is not valid").await?;
    }
    Ok(())
}

/// Whether a table declares a constraint itself, or has it from its parent too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Inheritance {
    Own,
    OwnAndInherited,
}

/// Whose constraint it is, if Postgres checks it for new rows alone. `None` also if it comes from a parent alone.
fn not_valid(body: &Body) -> Option<Inheritance> {
    let (not_valid, inherited, declared_here) = match body {
        // With its triggers disabled, a foreign key checks nothing.
        Body::Constraint(it) if it.not_enforced || it.triggers.is_some() => return None,
        Body::Constraint(it) => (it.not_valid, it.inherited, it.declared_here),
        Body::NotNull(it) => (it.not_valid, it.inherited, it.declared_here),
        Body::DomainConstraint(it) => (it.not_valid, false, true),
        _ => return None,
    };
    match (inherited, declared_here) {
        _ if !not_valid => None,
        (false, _) => Some(Inheritance::Own),
        (true, true) => Some(Inheritance::OwnAndInherited),
        (true, false) => None,
    }
}

/// The domains that the types of the tables' columns are made of.
fn domains(schema: &Catalogue, tables: &BTreeSet<Address>) -> BTreeSet<Address> {
    let mut found = BTreeSet::new();
    let mut unread: Vec<&Address> = tables.iter().collect();
    while let Some(whole) = unread.pop() {
        let parts = schema.columns(whole).into_iter().chain(schema.get(whole));
        for need in parts.flat_map(|part| &part.needs) {
            let is_type = matches!(need.on.kind, Kind::Domain | Kind::CompositeType | Kind::Range);
            if is_type && found.insert(Address::clone(&need.on)) {
                unread.push(&need.on);
            }
        }
    }
    found
}
