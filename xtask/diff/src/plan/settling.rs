//! What is left to do once it is known what happens to each object.

use catalogue::{Address, Body, Need, Object};

use super::{Fate, Plan};
use crate::{kinds, side::is_in_parent};

impl<'c> Plan<'c> {
    /// A type that is set aside takes along the types that it is made of.
    fn set_aside_together(&mut self) {
        let mut todo: Vec<&Address> = self.aside.iter().copied().collect();
        while let Some(address) = todo.pop() {
            let parts = self.old.parts(address).chain(self.old.get(address));
            let needs: Vec<&'c Need> = parts.flat_map(|part| part.needs.iter()).collect();
            for need in needs {
                let rebuilt = self.fate(&need.on) == Some(Fate::Rebuilt) && kinds::is_type(need.on.kind);
                if rebuilt && self.aside.insert(&need.on) {
                    todo.push(&need.on);
                }
            }
        }
    }

    /// Leaves to a parent the change of a type, which reaches its children by itself, and puts the alterations in order.
    pub(super) fn settle(&mut self) {
        self.set_aside_together();
        let retyped = |plan: &Plan<'c>, address: &Address| {
            plan.alterations(address)
                .iter()
                .any(|it| it.alone && matches!(it.attribute, "data_type" | "collation"))
        };
        let reached = |address: &&Address| {
            let inherits =
                [&self.old, &self.new].iter().all(|side| side.get(address).is_some_and(is_in_parent));
            let table = self.old.whole(address).filter(|table| self.is_detached(table));
            let inherits = inherits && table.is_none();
            let above = self.new.get(address).filter(|_| inherits).map(|it| self.new.columns_above(it));
            let mut above = above.into_iter().flatten();
            above.any(|it| !self.is_gone(&it.address) && retyped(self, &it.address))
        };
        let reached: Vec<&Address> = self.alterations.keys().copied().filter(reached).collect();
        for address in reached {
            let alterations = self.alterations.get_mut(address).into_iter().flatten();
            alterations.filter(|it| it.alone).for_each(|it| it.sql.clear());
        }
        self.settle_expressions();
        let gone: Vec<&Address> = self.alterations.keys().copied().filter(|it| self.is_gone(it)).collect();
        for address in gone {
            self.alterations.remove(address);
        }
        // A sequence that goes on belonging to a column gets the owner of the table with it.
        for (address, alterations) in &mut self.alterations {
            let facet = (*address, kinds::OWNED);
            let is_owned =
                |object: &Object| matches!(&object.body, Body::Sequence(it) if it.owned_by.is_some());
            let moves = self.changed.contains(&facet) || self.unset.contains(&facet);
            if self.new.get(address).is_some_and(is_owned) && !moves {
                alterations.iter_mut().filter(|it| it.attribute == "owner").for_each(|it| it.sql.clear());
            }
        }
        for alterations in self.alterations.values_mut() {
            alterations.sort_by_key(|it| kinds::order(it.attribute, &it.sql));
        }
    }

    /// A column that is no longer computed loses its expression with the parent's.
    fn settle_expressions(&mut self) {
        let loses = |plan: &Plan<'c>, address: &Address| {
            plan.alterations(address).iter().any(|it| it.attribute == "generated")
        };
        let losing: Vec<&Address> = self.alterations.keys().copied().filter(|it| loses(self, it)).collect();
        for address in losing {
            let above = self.new.get(address).map(|it| self.new.columns_above(it)).unwrap_or_default();
            let table = self.old.get(address).and_then(|it| self.old.whole(&it.address));
            let reaches = table.is_some_and(|table| !self.is_detached(table));
            if reaches && above.iter().any(|it| !self.is_gone(&it.address) && loses(self, &it.address)) {
                let alterations = self.alterations.get_mut(address).into_iter().flatten();
                alterations.filter(|it| it.attribute == "generated").for_each(|it| it.sql.clear());
            }
        }
    }
}
