//! What a change of an object that stays waits for.

use catalogue::{Body, Kind, Need, Object, Strength};

use super::Graph;
use crate::{
    common, kinds,
    means::{COMPLETE, Facet},
    side::{Side, is_typed, referenced_table},
    step::Act,
};

impl<'c> Graph<'_, 'c> {
    pub(super) fn connect_alter(&mut self, at: usize, object: &'c Object, attribute: &'static str) {
        let plan = self.plan;
        let next = plan.alterations(&object.address).iter().skip_while(|it| it.attribute != attribute).nth(1);
        let next = next.and_then(|it| self.step(&object.address, Act::Alter(it.attribute)));
        self.before(Some(at), next);
        if let Some(whole) = plan.new.whole(&object.address) {
            // A revoke from a table takes the rights to its columns along.
            let table = self.step(&whole.address, Act::Alter(attribute));
            self.before(table, Some(at));
            let owner = self.step(&whole.address, Act::Alter("owner")).filter(|_| attribute == "rights");
            self.before(owner, Some(at));
        }
        if attribute == "owner" {
            self.connect_owner(at, object);
        }
        match (object.address.kind, attribute) {
            (Kind::Domain, "not_null") => self.connect_domain(at, &object.address, false),
            (Kind::DomainConstraint, "not_valid") => {
                let domain = plan.new.whole(&object.address);
                domain.into_iter().for_each(|domain| self.connect_domain(at, &domain.address, false));
            }
            _ => {}
        }
        if attribute == kinds::COPIED_KEYS
            && let Some(partition) = plan.old.get(&object.address)
        {
            for key in plan.copied_keys(partition) {
                self.releases(at, key.needs.iter());
            }
        }
        if common::is_common(attribute) {
            return;
        }
        // What is a part of something else changes by itself.
        let own = |facets: &[Facet], need: &&Need| {
            need.strength != Strength::Internal
                && !facets.iter().any(|facet| !facet.completes && (facet.takes)(need))
        };
        // A table leaves its type before the next one is there, and takes that when the other may be gone.
        if let Some(old) = plan.old.get(&object.address).filter(|_| attribute != kinds::JOINED_TYPE) {
            let facets = kinds::facets(plan.before(old));
            self.releases(at, old.needs.iter().filter(|need| own(&facets, need)));
        }
        if attribute != kinds::LEFT_TYPE {
            let facets = kinds::facets(plan.after(object));
            self.requires(at, object.needs.iter().filter(|need| own(&facets, need)));
        }
        let is_column = object.address.kind == Kind::Column;
        let above = if is_column { plan.new.columns_above(object) } else { Vec::new() };
        for original in plan.new.same_in_parent(object).into_iter().chain(above) {
            let original = self.step(&original.address, Act::Alter(attribute));
            self.before(original, Some(at));
        }
        if matches!(attribute, kinds::LEFT | kinds::JOINED | kinds::LEFT_TYPE | kinds::JOINED_TYPE) {
            self.connect_parentage(at, object, attribute);
        }
        // What a parent drops alone is declared here from then on.
        if is_column {
            let table = plan.old.whole(&object.address);
            let detach = table.and_then(|table| self.step(&table.address, Act::Unset(kinds::ATTACHED)));
            self.before(detach, Some(at));
            let original = plan.old.get(&object.address).and_then(|old| plan.old.same_in_parent(old));
            let original = original.and_then(|it| self.step(&it.address, Act::Drop));
            self.before(original, Some(at));
        }
        if attribute == "identity" {
            for (side, act) in [(&plan.new, Act::Create), (&plan.old, Act::Drop)] {
                let table = side.whole(&object.address);
                let parts =
                    table.into_iter().flat_map(|table| side.catalogue.parts(Kind::NotNull, &table.address));
                for step in parts.filter_map(|part| self.step(&part.address, act)).collect::<Vec<_>>() {
                    if act == Act::Create {
                        self.before(Some(step), Some(at));
                    } else {
                        self.before(Some(at), Some(step));
                    }
                }
            }
        }
        if attribute == "unlogged" {
            self.connect_unlogged(at, object);
            self.connect_sequences(at, object);
        }
    }

    /// A table leaves its parents or its type before the columns there and its own change, and joins others after that.
    fn connect_parentage(&mut self, at: usize, table: &'c Object, attribute: &str) {
        let plan = self.plan;
        let leaves = matches!(attribute, kinds::LEFT | kinds::LEFT_TYPE);
        let side = if leaves { &plan.old } else { &plan.new };
        let Some(table) = side.get(&table.address) else { return };
        let others = side.tables_above(table).into_iter().chain(type_of(side, table));
        let parts = others.flat_map(|it| plan.old.parts(&it.address).chain(plan.new.parts(&it.address)));
        let of_others: Vec<&Object> = parts.collect();
        for part in of_others {
            let steps =
                [Act::Create, Act::Drop].map(|act| self.step(&part.address, act)).into_iter().flatten();
            let changes = self.altering.get(&part.address).cloned().unwrap_or_default();
            for step in steps.chain(changes).collect::<Vec<_>>() {
                let (first, then) = if leaves { (at, step) } else { (step, at) };
                self.before(Some(first), Some(then));
            }
        }
        let own: Vec<&Object> = plan.new.parts(&table.address).collect();
        for part in own {
            let create = self.step(&part.address, Act::Create).filter(|_| attribute != kinds::LEFT);
            let changes = self.altering.get(&part.address).cloned().unwrap_or_default();
            for step in create.into_iter().chain(changes) {
                let (first, then) = if leaves { (at, step) } else { (step, at) };
                self.before(Some(first), Some(then));
            }
        }
        if matches!(attribute, kinds::LEFT_TYPE | kinds::JOINED_TYPE) {
            let gone: Vec<&Object> = plan.old.parts(&table.address).collect();
            for drop in
                gone.into_iter().filter_map(|part| self.step(&part.address, Act::Drop)).collect::<Vec<_>>()
            {
                let (first, then) = if leaves { (at, drop) } else { (drop, at) };
                self.before(Some(first), Some(then));
            }
        }
    }

    /// A sequence belongs to a column only while it has the owner of the table.
    fn connect_owner(&mut self, at: usize, object: &'c Object) {
        let plan = self.plan;
        // Only its owner completes a base type.
        let complete = self.step(&object.address, Act::Set(COMPLETE));
        self.before(complete, Some(at));
        for (side, act) in [(&plan.old, Act::Unset(kinds::OWNED)), (&plan.new, Act::Set(kinds::OWNED))] {
            let columns = side.catalogue.parts(Kind::Column, &object.address);
            let owned = columns.flat_map(|column| side.dependents(&column.address)).map(|(it, _)| *it);
            let owned = owned.chain(side.get(&object.address)).filter(|it| it.address.kind == Kind::Sequence);
            for step in owned.filter_map(|it| self.step(&it.address, act)).collect::<Vec<_>>() {
                let (first, then) = if act == Act::Set(kinds::OWNED) { (at, step) } else { (step, at) };
                self.before(Some(first), Some(then));
            }
        }
    }

    /// The sequences of a table become logged or not with it.
    pub(super) fn connect_sequences(&mut self, at: usize, table: &'c Object) {
        for sequence in self.plan.sequences_of(&table.address) {
            let alter = self.step(&sequence.address, Act::Alter("unlogged"));
            self.before(Some(at), alter);
        }
    }

    /// A logged table can't refer to one that is lost in a crash.
    pub(super) fn connect_unlogged(&mut self, at: usize, table: &'c Object) {
        let plan = self.plan;
        let unlogged = matches!(&table.body, Body::Table(table) if table.unlogged);
        for key in plan.new.catalogue.parts(Kind::Constraint, &table.address) {
            let Some(to) = referenced_table(key) else { continue };
            let other = self.step(to, Act::Alter("unlogged"));
            if unlogged {
                self.before(Some(at), other);
                self.before(Some(at), self.step(&key.address, Act::Create));
            } else {
                self.before(other, Some(at));
            }
        }
        if unlogged {
            for key in plan.old.keys_to(&table.address) {
                self.before(self.step(&key.address, Act::Drop), Some(at));
            }
        } else {
            for key in plan.new.keys_to(&table.address) {
                self.before(Some(at), self.step(&key.address, Act::Create));
            }
            let own = plan.old.catalogue.parts(Kind::Constraint, &table.address);
            for key in own.filter(|key| referenced_table(key).is_some()) {
                self.before(self.step(&key.address, Act::Drop), Some(at));
            }
        }
    }
}

/// The type that gives a table its columns.
fn type_of<'c>(side: &Side<'c>, table: &'c Object) -> Option<&'c Object> {
    let need = table.needs.iter().find(|need| need.on.kind == Kind::CompositeType)?;
    side.get(&need.on).filter(|_| is_typed(table))
}
