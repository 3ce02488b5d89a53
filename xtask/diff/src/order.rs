//! The order of the steps: first by need, then by kind and name, so that it is the same every time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use catalogue::{Address, Body};

use crate::{
    graph::Graph,
    step::{Act, Host, Step, Table},
};

/// A step, and those whose work it does too.
pub(crate) struct Group {
    pub(crate) root: usize,
    pub(crate) others: Vec<usize>,
}

/// Groups that follow each other and have one owner.
pub(crate) struct Run {
    pub(crate) owner: usize,
    pub(crate) groups: Vec<Group>,
    /// Positions of the runs that come before it because a step here needs one there.
    pub(crate) waits_for: BTreeSet<usize>,
}

/// Steps that wait for each other, and nothing cuts their circle.
pub(crate) struct Circle {
    pub(crate) steps: Vec<usize>,
    /// What each waits for.
    pub(crate) words: Vec<String>,
}

/// The groups in their order.
pub(crate) fn ordered(graph: &Graph<'_, '_>) -> Result<Vec<Group>, Circle> {
    let (edges, groups) = grouped(graph, vec![false; graph.steps.len()])?;
    Ok(sorted(graph, &edges, groups))
}

/// The groups as runs of one owner each, in as few runs as found: an owner goes on as long as a step of its own can come
/// next. `owner` says whose a step is.
pub(crate) fn ordered_by_owner<'c>(
    graph: &Graph<'_, 'c>,
    owner: impl Fn(&Step<'c>) -> usize,
) -> Result<Vec<Run>, Circle> {
    let owners: Vec<usize> = graph.steps.iter().map(owner).collect();
    let alone = graph.steps.iter().zip(&owners).map(|(step, owner)| match step.host {
        Some(Host::May(host)) => owners[host] != *owner,
        _ => false,
    });
    let (edges, groups) = grouped(graph, alone.collect())?;
    let mut all: Vec<usize> = groups.keys().map(|&root| owners[root]).collect();
    all.sort_unstable();
    all.dedup();
    let forwards = runs(graph, &edges, &groups, &owners, &all);
    all.reverse();
    let backwards = runs(graph, &edges, &groups, &owners, &all);
    Ok(filled(if backwards.len() < forwards.len() { backwards } else { forwards }, &edges, groups))
}

type Edges = Vec<Vec<usize>>;
type Groups = BTreeMap<usize, Group>;

/// The groups by their roots, and the edges between them. Steps that are `alone` have no host; more follow where that cuts
/// a circle: first foreign keys, then what is no column, then whatever can be done alone.
fn grouped(graph: &Graph<'_, '_>, mut alone: Vec<bool>) -> Result<(Edges, Groups), Circle> {
    let foreign_key =
        |step: &Step<'_>| matches!(&step.object.body, Body::Constraint(it) if it.sort == "foreign key");
    let no_column = |step: &Step<'_>| !matches!(step.object.body, Body::Column(_)) || step.act != Act::Create;
    let can_be_cut: [fn(&Step<'_>) -> bool; 3] = [foreign_key, no_column, |_| true];
    for can_be_cut in can_be_cut {
        let roots = roots(graph, &alone);
        let mut in_circle = vec![false; roots.len()];
        for root in circles(&edges(graph, &roots, &[])).into_iter().flatten() {
            in_circle[root] = true;
        }
        for (at, step) in graph.steps.iter().enumerate() {
            let within = in_circle[roots[at]];
            alone[at] |= within && matches!(step.host, Some(Host::May(_))) && can_be_cut(step);
        }
    }
    let roots = roots(graph, &alone);
    // An order that is only better is given up last.
    let circles = self::circles(&edges(graph, &roots, &[]));
    let edges = edges(graph, &roots, &circles);
    if let Some(circle) = self::circles(&edges).first() {
        return Err(Circle { steps: circle.clone(), words: described(graph, circle, &edges) });
    }
    let mut groups: Groups = BTreeMap::new();
    for (step, &root) in roots.iter().enumerate() {
        let group = groups.entry(root).or_insert_with(|| Group { root, others: Vec::new() });
        if step != root {
            group.others.push(step);
        }
    }
    Ok((edges, groups))
}

/// The owners' runs of roots, where the first owner in a list that can go on does.
fn runs(
    graph: &Graph<'_, '_>,
    edges: &Edges,
    groups: &Groups,
    owners: &[usize],
    order: &[usize],
) -> Vec<(usize, Vec<usize>)> {
    let mut waits = waits(edges);
    let mut free: BTreeMap<usize, Free<'_>> = BTreeMap::new();
    for &root in groups.keys().filter(|&&root| waits[root] == 0) {
        free.entry(owners[root]).or_default().add(graph, root);
    }
    let mut runs = Vec::new();
    while let Some(&owner) = order.iter().find(|owner| free.contains_key(owner)) {
        let mut run = Vec::new();
        let mut table = None;
        while let Some(root) = free.get_mut(&owner).and_then(|free| free.take(&mut table)) {
            run.push(root);
            for &to in &edges[root] {
                waits[to] -= 1;
                if waits[to] == 0 {
                    free.entry(owners[to]).or_default().add(graph, to);
                }
            }
        }
        free.remove(&owner);
        runs.push((owner, run));
    }
    runs
}

type Key<'c> = (u8, &'c Address, Act, usize);

/// The roots of one owner that could come next: by what must come early or late, then by their tables. What belongs to no
/// table comes first.
#[derive(Default)]
struct Free<'c>(BTreeMap<(u8, Option<Table<'c>>), BTreeSet<Key<'c>>>);

impl<'c> Free<'c> {
    fn add(&mut self, graph: &Graph<'_, 'c>, root: usize) {
        let step = &graph.steps[root];
        let (phase, rank) = step.rank;
        let key = (rank, &step.object.address, step.act, root);
        self.0.entry((phase, graph.table_of(step.object))).or_default().insert(key);
    }

    /// The next one: of the same table as the one before, if there is one.
    fn take(&mut self, table: &mut Option<Table<'c>>) -> Option<usize> {
        let &(phase, first) = self.0.first_key_value()?.0;
        if !(table.is_some() && self.0.contains_key(&(phase, *table))) {
            *table = first;
        }
        let of_table = self.0.get_mut(&(phase, *table))?;
        let taken = of_table.pop_first();
        if of_table.is_empty() {
            self.0.remove(&(phase, *table));
        }
        taken.map(|(.., root)| root)
    }
}

fn filled(runs: Vec<(usize, Vec<usize>)>, edges: &Edges, mut groups: Groups) -> Vec<Run> {
    let mut run_of = vec![0; edges.len()];
    for (at, (_, roots)) in runs.iter().enumerate() {
        roots.iter().for_each(|&root| run_of[root] = at);
    }
    let mut waits_for = vec![BTreeSet::new(); runs.len()];
    for (at, (_, roots)) in runs.iter().enumerate() {
        for &to in roots.iter().flat_map(|&root| &edges[root]).filter(|&&to| run_of[to] != at) {
            waits_for[run_of[to]].insert(at);
        }
    }
    let runs = runs.into_iter().zip(waits_for);
    let run = |((owner, roots), waits_for): ((usize, Vec<usize>), BTreeSet<usize>)| Run {
        owner,
        groups: roots.iter().filter_map(|root| groups.remove(root)).collect(),
        waits_for,
    };
    runs.map(run).collect()
}

/// How many groups each group waits for.
fn waits(edges: &Edges) -> Vec<usize> {
    let mut waits = vec![0usize; edges.len()];
    edges.iter().flatten().for_each(|&to| waits[to] += 1);
    waits
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

/// The edges between groups, by their roots. Within circles, without those for an order that is only better.
fn edges(graph: &Graph<'_, '_>, roots: &[usize], circles: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut circle_of = vec![None; roots.len()];
    for (number, circle) in circles.iter().enumerate() {
        circle.iter().for_each(|&root| circle_of[root] = Some(number));
    }
    let mut edges = vec![Vec::new(); roots.len()];
    for (from, after) in graph.after.iter().enumerate() {
        let from = roots[from];
        edges[from].extend(after.iter().map(|&to| roots[to]).filter(|&to| to != from));
    }
    for (from, after) in graph.rather_after.iter().enumerate() {
        let from = roots[from];
        let given_up = |to: usize| circle_of[from].is_some() && circle_of[from] == circle_of[to];
        edges[from].extend(after.iter().map(|&to| roots[to]).filter(|&to| to != from && !given_up(to)));
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

fn sorted(graph: &Graph<'_, '_>, edges: &Edges, mut groups: Groups) -> Vec<Group> {
    type Key<'k> = ((u8, u8), &'k Address, Act, usize);
    let key = |root: usize| -> Reverse<Key<'_>> {
        let step = &graph.steps[root];
        Reverse((step.rank, &step.object.address, step.act, root))
    };
    let mut waits = waits(edges);
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
