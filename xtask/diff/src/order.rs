//! The order of the steps: first by need, then by kind and name, so that it is the same every time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use catalogue::Address;

use crate::{
    error::Error,
    graph::{Act, Graph, Host},
};

/// A step, and those whose work it does too.
pub(crate) struct Group {
    pub(crate) root: usize,
    pub(crate) others: Vec<usize>,
}

/// The groups in their order.
pub(crate) fn ordered(graph: &Graph<'_, '_>) -> Result<Vec<Group>, Error> {
    let mut alone = vec![false; graph.steps.len()];
    let roots = roots(graph, &alone);
    let circles = circles(&edges(graph, &roots));
    for circle in circles {
        for step in (0..graph.steps.len()).filter(|&step| circle.binary_search(&roots[step]).is_ok()) {
            alone[step] |= matches!(graph.steps[step].host, Some(Host::May(_)));
        }
    }
    let roots = self::roots(graph, &alone);
    let edges = edges(graph, &roots);
    if let Some(circle) = self::circles(&edges).first() {
        return Err(Error::Circle(described(graph, circle, &edges)));
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (step, &root) in roots.iter().enumerate() {
        let group = groups.entry(root).or_insert_with(|| Group { root, others: Vec::new() });
        if step != root {
            group.others.push(step);
        }
    }
    Ok(sorted(graph, &edges, groups))
}

/// For each step the one that does its work.
fn roots(graph: &Graph<'_, '_>, alone: &[bool]) -> Vec<usize> {
    let root = |mut step: usize| {
        // A host has a host at most a few times.
        for _ in 0..graph.steps.len() {
            step = match graph.steps[step].host {
                Some(Host::Must(host)) => host,
                Some(Host::May(host)) if !alone[step] => host,
                _ => break,
            };
        }
        step
    };
    (0..graph.steps.len()).map(root).collect()
}

/// The edges between groups, by their roots.
fn edges(graph: &Graph<'_, '_>, roots: &[usize]) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); roots.len()];
    for (from, after) in graph.after.iter().enumerate() {
        edges[roots[from]].extend(after.iter().map(|&to| roots[to]).filter(|&to| to != roots[from]));
    }
    for after in &mut edges {
        after.sort_unstable();
        after.dedup();
    }
    edges
}

/// The groups that wait for each other, each circle sorted: Tarjan's algorithm, without recursion.
fn circles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let (mut number, mut low, mut on_stack) = (vec![UNSEEN; count], vec![0; count], vec![false; count]);
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for start in 0..count {
        if number[start] != UNSEEN {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some(&mut (node, ref mut edge)) = path.last_mut() {
            if *edge == 0 && number[node] == UNSEEN {
                (number[node], low[node]) = (next, next);
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&to) = edges[node].get(*edge) {
                *edge += 1;
                if number[to] == UNSEEN {
                    path.push((to, 0));
                } else if on_stack[to] {
                    low[node] = low[node].min(number[to]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == number[node] {
                let from = stack.iter().rposition(|&it| it == node).unwrap_or(0);
                let mut circle = stack.split_off(from);
                circle.iter().for_each(|&it| on_stack[it] = false);
                circle.sort_unstable();
                if circle.len() > 1 {
                    found.push(circle);
                }
            }
        }
    }
    found
}

fn sorted(graph: &Graph<'_, '_>, edges: &[Vec<usize>], mut groups: BTreeMap<usize, Group>) -> Vec<Group> {
    type Key<'k> = ((u8, u8), &'k Address, Act, usize);
    let key = |root: usize| -> Reverse<Key<'_>> {
        let step = &graph.steps[root];
        Reverse((step.rank, &step.object.address, step.act, root))
    };
    let mut waits = vec![0usize; edges.len()];
    edges.iter().flatten().for_each(|&to| waits[to] += 1);
    let free = groups.keys().copied().filter(|&root| waits[root] == 0);
    let mut free: BinaryHeap<_> = free.map(key).collect();
    let mut order = Vec::with_capacity(groups.len());
    while let Some(Reverse((.., root))) = free.pop() {
        order.extend(groups.remove(&root));
        for &to in &edges[root] {
            waits[to] -= 1;
            if waits[to] == 0 {
                free.push(key(to));
            }
        }
    }
    order
}

/// A circle as lines: what each step waits for.
fn described(graph: &Graph<'_, '_>, circle: &[usize], edges: &[Vec<usize>]) -> Vec<String> {
    let name = |step: usize| {
        let step = &graph.steps[step];
        let verb = match step.act {
            Act::Drop => "drop",
            Act::Create => "create",
            Act::SetAside => "rename",
            Act::Unset(_) => "reset",
            Act::Set(_) => "set",
            Act::Alter(_) => "alter",
        };
        match step.act {
            Act::Unset(what) | Act::Set(what) | Act::Alter(what) => {
                format!("{verb} {what} of {}", step.object.address)
            }
            _ => format!("{verb} {}", step.object.address),
        }
    };
    let within = |to: &&usize| circle.binary_search(to).is_ok();
    let lines = circle.iter().flat_map(|&from| edges[from].iter().filter(within).map(move |&to| (from, to)));
    lines.map(|(from, to)| format!("{} waits for: {}", name(to), name(from))).collect()
}
