//! Two catalogues in, the statements out that turn one into the other.
//!
//! `plan` says what happens to each object, by what `kinds` says of a change: an object is created, dropped, altered in place,
//! or dropped and made again with everything that hangs on it. `graph` makes steps of that, and says which come before which:
//! drops follow the edges of the old catalogue, creations the edges of the new one, and an alteration lets go of the one and
//! needs the other. `order` sorts them, and cuts circles where a part of an object can be made by itself.
//!
//! Nothing is dropped with `cascade` where another statement can do it. A difference that no statement makes is refused by its name.

mod common;
mod complete;
mod error;
mod graph;
mod it;
mod kinds;
mod managed;
mod means;
mod options;
mod order;
mod plan;
mod printed;
mod rename;
mod renames;
mod side;
mod statement;
mod step;
mod unmanaged;

use std::{collections::BTreeSet, iter};

use catalogue::{Address, Body, Catalogue};

pub use self::{
    error::{Error, Refusal},
    rename::{Rename, renamed},
    renames::Renames,
    statement::{Change, Hazard, Script, Statement},
    unmanaged::unmanaged,
};
use self::{
    graph::Graph,
    it::Inline,
    order::{Circle, Group, Run},
    plan::Plan,
    statement::Sql,
    step::{Act, Step},
};

/// The script that turns a database with the schema `from` into one with the schema `to`. Both are of one major version.
///
/// # Errors
/// [`Error`], if there is no such script.
pub fn diff(from: &Catalogue, to: &Catalogue) -> Result<Script, Error> {
    planned(from, to, order::ordered, |graph, groups| {
        let mut statements = Vec::new();
        for group in groups {
            Written { graph, group }.write(&mut statements);
        }
        Script { statements }
    })
}

/// Plans, puts in order and writes. What is altered within a circle that nothing cuts is made again instead.
fn planned<'c, O, T>(
    from: &'c Catalogue,
    to: &'c Catalogue,
    order: impl Fn(&Graph<'_, 'c>) -> Result<O, Circle>,
    write: impl FnOnce(&Graph<'_, 'c>, O) -> T,
) -> Result<T, Error> {
    let mut rebuilt = BTreeSet::new();
    loop {
        let plan = Plan::new(from, to, &rebuilt)?;
        let graph = Graph::new(&plan);
        match order(&graph) {
            Ok(ordered) => return Ok(write(&graph, ordered)),
            Err(circle) => {
                let before = rebuilt.len();
                rebuilt.extend(graph.altered(&circle.steps));
                if rebuilt.len() == before {
                    return Err(Error::Circle(circle.words));
                }
            }
        }
    }
}

/// A part of a script that belongs to one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose it is.
    pub owner: usize,
    /// Its statements.
    pub script: Script,
    /// The parts before it, by position, that must have run.
    pub waits_for: BTreeSet<usize>,
}

/// The same as [`diff()`], in parts that have one owner each, and as few as were found. `owner` says whose a statement is, by
/// its object and what happens to it. A foreign key that belongs to another owner than its table is a statement by itself.
///
/// # Errors
/// [`Error`], if there is no such script.
pub fn diff_by_owner(
    from: &Catalogue,
    to: &Catalogue,
    owner: impl Fn(&Address, Change) -> usize,
) -> Result<Vec<Part>, Error> {
    let owner_of = |step: &Step<'_>| owner(&step.object.address, step.change());
    let order = |graph: &Graph<'_, '_>| order::ordered_by_owner(graph, owner_of);
    planned(from, to, order, |graph, runs| {
        let part = |run: Run| {
            let mut statements = Vec::new();
            run.groups.into_iter().for_each(|group| Written { graph, group }.write(&mut statements));
            Part { owner: run.owner, script: Script { statements }, waits_for: run.waits_for }
        };
        runs.into_iter().map(part).collect()
    })
}

/// A group of steps as statements.
struct Written<'g, 'p, 'c> {
    graph: &'g Graph<'p, 'c>,
    group: Group,
}

impl<'c> Written<'_, '_, 'c> {
    fn write(&self, to: &mut Vec<Statement>) {
        let root = &self.graph.steps[self.group.root];
        if root.act == Act::Create {
            push(to, root, self.graph.create(root, &self.inline()));
        }
        let mut sql = root.sql.clone();
        if self.loses_rows() {
            let hazard = Hazard::DataLoss(root.object.address.to_string());
            sql.iter_mut().for_each(|it| it.hazards.push(hazard.clone()));
        }
        push(to, root, sql);
        // What sets the attributes of the parts that were made too.
        let mut parts: Vec<&Step<'c>> =
            self.group.others.iter().map(|&step| &self.graph.steps[step]).collect();
        parts.retain(|step| step.act == Act::Create && root.act == Act::Create);
        parts.sort_by_key(|step| (step.object.address.kind, step.object.position()));
        for part in parts {
            push(to, part, part.sql.clone());
        }
    }

    /// Whether a table that holds rows is dropped. A partitioned table has the rows of the partitions that go with it.
    fn loses_rows(&self) -> bool {
        let steps =
            iter::once(&self.group.root).chain(&self.group.others).map(|&step| &self.graph.steps[step]);
        let mut dropped = steps.filter(|step| step.act == Act::Drop).map(|step| &step.object.body);
        dropped.any(|body| matches!(body, Body::Table(table) if table.partitioned_by.is_none()))
    }

    fn inline(&self) -> Vec<Inline<'c>> {
        let steps = self.group.others.iter().map(|&step| &self.graph.steps[step]);
        steps
            .filter_map(|step| match step.act {
                Act::Create => Some(Inline::Object(step.object)),
                Act::Set(name) => Some(Inline::Facet(step.object, name)),
                _ => None,
            })
            .collect()
    }
}

fn push(to: &mut Vec<Statement>, step: &Step<'_>, sql: Vec<Sql>) {
    to.extend(sql.into_iter().map(|Sql { text, hazards, commit_after }| Statement {
        sql: printed::as_meant(&text),
        object: step.object.address.clone(),
        change: step.change(),
        hazards,
        commit_after,
    }));
}
