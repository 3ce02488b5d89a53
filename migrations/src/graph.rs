//! The order of all migrations: each after the one before it in its app, and after those that its head names.
//!
//! Ties are broken by the manifest's order of apps, so the order is the same on every machine. The idea of naming each
//! edge's reason in a cycle is ours; Django names the migrations only.

use std::{collections::BTreeSet, fmt};

use crate::{Migration, MigrationId, Place};

/// Why one migration waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Its head says so, here.
    Head(Place),
    /// It has the next number in the same app.
    Number(Place),
}

/// One migration that waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The one that waits.
    pub from: MigrationId,
    /// The one that it waits for.
    pub to: MigrationId,
    /// Why.
    pub reason: Reason,
}

/// Migrations that wait for each other, each edge's end being the next one's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// The edges, in order.
    pub edges: Vec<Edge>,
    /// The edge that goes against the manifest's direction, if one does: the one to cut.
    pub against: Option<Edge>,
}

/// The migrations' indices in an order in which they can run.
pub(crate) fn order(migrations: &[Migration]) -> Result<Vec<usize>, Vec<Edge>> {
    let mut waiting: Vec<usize> = migrations.iter().map(|m| m.parents.len()).collect();
    let mut ready: BTreeSet<usize> = (0..migrations.len()).filter(|&i| waiting[i] == 0).collect();
    let mut order = Vec::with_capacity(migrations.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for (child, migration) in migrations.iter().enumerate() {
            let edges = migration.parents.iter().filter(|(parent, _)| *parent == next).count();
            if edges > 0 {
                waiting[child] -= edges;
                if waiting[child] == 0 {
                    ready.insert(child);
                }
            }
        }
    }
    if order.len() == migrations.len() { Ok(order) } else { Err(circle(migrations, &waiting)) }
}

/// One circle among the migrations that never became ready.
fn circle(migrations: &[Migration], waiting: &[usize]) -> Vec<Edge> {
    // Each of them has a parent that never became ready either, so walking from parent to parent must come round.
    let Some(start) = waiting.iter().position(|&n| n > 0) else { return Vec::new() };
    let mut path = vec![start];
    let mut edges = Vec::new();
    loop {
        let here = path[path.len() - 1];
        let Some((parent, reason)) = migrations[here].parents.iter().find(|(parent, _)| waiting[*parent] > 0)
        else {
            return edges;
        };
        edges.push(Edge {
            from: migrations[here].id.clone(),
            to: migrations[*parent].id.clone(),
            reason: reason.clone(),
        });
        if let Some(first) = path.iter().position(|node| node == parent) {
            return edges.split_off(first);
        }
        path.push(*parent);
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the migrations wait for each other in a circle; nothing was touched")?;
        let width = |name: fn(&Edge) -> &MigrationId| {
            self.edges.iter().map(|edge| name(edge).to_string().len()).max().unwrap_or(0)
        };
        let (from_width, to_width) = (width(|e| &e.from), width(|e| &e.to));
        for edge in &self.edges {
            let (from, to) = (edge.from.to_string(), edge.to.to_string());
            write!(f, "\n  {from:from_width$} waits for {to:to_width$}  ")?;
            match &edge.reason {
                Reason::Head(place) => write!(f, "({place})")?,
                Reason::Number(place) => write!(f, "({place}, by its number)")?,
            }
        }
        match &self.against {
            Some(Edge { from, to, reason: Reason::Head(place) }) => write!(
                f,
                "\n  cut it: apps.toml does not let {} depend on {}, so move what needs {to} out of {from}\n  into a new \
                 migration of {}, and remove {place}",
                from.app, to.app, to.app
            ),
            _ => f.write_str("\n  cut it: remove one of the `-- depends-on:` lines named here"),
        }
    }
}
