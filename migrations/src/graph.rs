//! The order of all migrations: each after the one before it in its app, and after those that its head names.
//!
//! What is at or before a baseline comes first. Ties are broken by the manifest's order of apps, so the order is the same on every machine.

use std::collections::{BTreeSet, HashMap};

use crate::{Edge, Migration};

/// The migrations' indices in an order in which they can run.
pub(crate) fn order(migrations: &[Migration]) -> Result<Vec<usize>, Vec<Edge>> {
    let mut waiting: Vec<usize> = migrations.iter().map(|m| m.parents.len()).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); migrations.len()];
    for (child, migration) in migrations.iter().enumerate() {
        for parent in &migration.parents {
            children[parent.index].push(child);
        }
    }
    let rank = |index: usize| (!migrations[index].is_history, index);
    let mut ready: BTreeSet<(bool, usize)> =
        (0..migrations.len()).filter(|&i| waiting[i] == 0).map(rank).collect();
    let mut order = Vec::with_capacity(migrations.len());
    while let Some((_, next)) = ready.pop_first() {
        order.push(next);
        for &child in &children[next] {
            waiting[child] -= 1;
            if waiting[child] == 0 {
                ready.insert(rank(child));
            }
        }
    }
    if order.len() == migrations.len() { Ok(order) } else { Err(circle(migrations, &waiting)) }
}

/// One circle among the migrations that never became ready.
fn circle(migrations: &[Migration], waiting: &[usize]) -> Vec<Edge> {
    // Each of them has a parent that never became ready either, so the walk from parent to parent returns to its own path.
    let Some(start) = waiting.iter().position(|&n| n > 0) else { return Vec::new() };
    let mut here = start;
    // For each migration of the path, how many edges lead to it.
    let mut path = HashMap::new();
    let mut edges = Vec::new();
    loop {
        path.insert(here, edges.len());
        let Some(parent) = migrations[here].parents.iter().find(|parent| waiting[parent.index] > 0) else {
            return edges;
        };
        edges.push(Edge {
            from: migrations[here].id.clone(),
            to: migrations[parent.index].id.clone(),
            reason: parent.reason.clone(),
        });
        if let Some(&first) = path.get(&parent.index) {
            return edges.split_off(first);
        }
        here = parent.index;
    }
}
