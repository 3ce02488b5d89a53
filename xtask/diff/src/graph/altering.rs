//! What a change of an object that stays waits for.

use catalogue::{Body, Kind, Need, Object, Strength};

use super::Graph;
use crate::{common, kinds, means::Facet, step::Act};

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
        if let Some(old) = plan.old.get(&object.address) {
            let facets = kinds::facets(plan.before(old));
            self.releases(at, old.needs.iter().filter(|need| own(&facets, need)));
        }
        let facets = kinds::facets(plan.after(object));
        self.requires(at, object.needs.iter().filter(|need| own(&facets, need)));
        let is_column = object.address.kind == Kind::Column;
        let above = if is_column { plan.new.columns_above(object) } else { Vec::new() };
        for original in plan.new.same_in_parent(object).into_iter().chain(above) {
            let original = self.step(&original.address, Act::Alter(attribute));
            self.before(original, Some(at));
        }
        if attribute == "inherits" {
            for part in plan.new.parts(&object.address) {
                let create = self.step(&part.address, Act::Create);
                self.before(create, Some(at));
            }
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
        }
    }

    /// A sequence belongs to a column only while it has the owner of the table.
    fn connect_owner(&mut self, at: usize, object: &'c Object) {
        let plan = self.plan;
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

    /// A logged table can't refer to one that is lost in a crash.
    pub(super) fn connect_unlogged(&mut self, at: usize, table: &'c Object) {
        let keys: Vec<&Object> = self.plan.new.catalogue.parts(Kind::Constraint, &table.address).collect();
        let unlogged = matches!(&table.body, Body::Table(table) if table.unlogged);
        for key in keys {
            let Body::Constraint(body) = &key.body else { continue };
            let Some(to) = &body.references else { continue };
            let other = self.step(&to.table, Act::Alter("unlogged"));
            if unlogged { self.before(Some(at), other) } else { self.before(other, Some(at)) }
        }
    }
}
