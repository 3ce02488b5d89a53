//! Steps that need each other's room: names, and the bounds of partitions.

use catalogue::{Address, Body, Kind, Object};
use foldhash::{HashMap, HashMapExt};

use super::Graph;
use crate::{
    kinds,
    side::RELATIONS,
    step::{Act, Step},
};

impl Graph<'_, '_> {
    /// A name is free when what has it is dropped, set aside or renamed.
    pub(super) fn separate_names(&mut self) {
        let mut taken: HashMap<(Space, &str, &str), Vec<usize>> = HashMap::new();
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            let frees = match act {
                Act::Drop => !self.plan.is_aside(&object.address),
                Act::SetAside => true,
                _ => false,
            };
            for space in spaces(&object.address).filter(|_| frees) {
                taken.entry((space, &object.address.schema, &object.address.name)).or_default().push(at);
            }
        }
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            for space in spaces(&object.address).filter(|_| act == Act::Create) {
                let key = (space, object.address.schema.as_str(), object.address.name.as_str());
                for free in taken.get(&key).cloned().unwrap_or_default() {
                    self.before(Some(free), Some(at));
                }
            }
        }
    }

    /// Partitions leave before others take their bounds, and what takes the rest comes last. A table that is made again has
    /// lost them all before.
    pub(super) fn separate_bounds(&mut self) {
        let mut left: HashMap<&Address, Vec<usize>> = HashMap::new();
        let mut joined: HashMap<&Address, Vec<(usize, bool)>> = HashMap::new();
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            match act {
                Act::Unset(kinds::ATTACHED) | Act::Drop if object.address.kind != Kind::Index => {
                    if let Some(parent) = self.plan.old.partitioned(object) {
                        left.entry(&parent.address).or_default().push(at);
                    }
                }
                Act::Set(kinds::ATTACHED) if object.address.kind != Kind::Index => {
                    if let Some(parent) = self.plan.new.partitioned(object) {
                        joined.entry(&parent.address).or_default().push((at, takes_the_rest(object)));
                    }
                }
                _ => {}
            }
        }
        for (parent, joined) in &joined {
            let left = left.get(parent).filter(|_| !self.plan.is_made(parent));
            for &(at, rest) in joined {
                for &free in left.into_iter().flatten() {
                    self.before(Some(free), Some(at));
                }
                for &(other, _) in joined.iter().filter(|(_, other)| rest && !other) {
                    self.before(Some(other), Some(at));
                }
            }
        }
    }
}

fn takes_the_rest(partition: &Object) -> bool {
    let bounds = match &partition.body {
        Body::Table(table) => table.partition.as_deref(),
        Body::ForeignTable(table) => table.partition.as_deref(),
        _ => None,
    };
    bounds == Some("DEFAULT")
}

/// Where two objects can't have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Space {
    Relations,
    Types,
    Routines,
}

fn spaces(address: &Address) -> impl Iterator<Item = Space> {
    let kind = address.kind;
    let relation = RELATIONS.contains(&kind) || matches!(kind, Kind::Sequence | Kind::Index);
    let is_type =
        RELATIONS.contains(&kind) || matches!(kind, Kind::Enum | Kind::Domain | Kind::Range | Kind::BaseType);
    let routine = matches!(kind, Kind::Function | Kind::Aggregate);
    [(Space::Relations, relation), (Space::Types, is_type), (Space::Routines, routine)]
        .into_iter()
        .filter_map(|(space, has)| has.then_some(space))
}
