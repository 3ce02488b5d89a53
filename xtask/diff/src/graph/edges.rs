//! What each step waits for.

use catalogue::{Address, Body, Kind, Need, Object, Role};

use super::Graph;
use crate::{
    common, kinds,
    means::{COMPLETE, Facet},
    plan::Plan,
    side::{Side, is_in_parent, is_inherited, not_valid},
    step::{Act, Step},
};

impl<'c> Graph<'_, 'c> {
    pub(super) fn connect(&mut self) {
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            match act {
                Act::Drop => self.connect_drop(at, object),
                Act::Create => self.connect_create(at, object),
                Act::Unset(name) => self.connect_unset(at, object, name),
                Act::Set(name) => self.connect_set(at, object, name),
                Act::Alter(attribute) => self.connect_alter(at, object, attribute),
                Act::SetAside => {
                    let create = self.step(&object.address, Act::Create);
                    self.before(Some(at), create);
                    // Its functions are found by the names of what it is made of.
                    for need in &object.needs {
                        let other = self.step(&need.on, Act::SetAside);
                        self.before(Some(at), other);
                    }
                }
            }
            if object.address.kind == Kind::Foreign && act != Act::Drop {
                self.connect_foreign(at, &object.address);
            }
        }
        self.separate_names();
        self.separate_bounds();
    }

    /// A revoke from a table of the server takes the rights to its columns along, as with the tables of others.
    fn connect_foreign(&mut self, at: usize, column: &Address) {
        let Some(name) = common::table_of_foreign(&column.name) else { return };
        let table = Address { name, ..column.clone() };
        for act in [Act::Drop, Act::Alter("rights"), Act::Create] {
            let step = self.step(&table, act);
            self.before(step, Some(at));
        }
    }

    /// What an object of the old catalogue needs must stay until the step is done.
    pub(super) fn releases(&mut self, at: usize, needs: impl Iterator<Item = &'c Need>) {
        for need in needs {
            let Need { on, .. } = need;
            let drop = self.step(on, Act::Drop);
            self.before(Some(at), drop);
            for alter in self.alterations_alone(on) {
                self.before(Some(at), Some(alter));
            }
        }
    }

    /// What an object of the new catalogue needs must be there before the step.
    pub(super) fn requires(&mut self, at: usize, needs: impl Iterator<Item = &'c Need>) {
        for need in needs {
            let create = self.step(&need.on, Act::Create);
            self.before(create, Some(at));
            let complete = self.step(&need.on, Act::Set(COMPLETE));
            self.rather_before(complete, Some(at));
            self.wait_for_columns(at, &need.on);
            for alter in self.altering.get(&*need.on).cloned().unwrap_or_default() {
                self.rather_before(Some(alter), Some(at));
            }
        }
    }

    /// A domain can't become stricter while values of it are inside of others. `must` is for those that have it themselves.
    pub(super) fn connect_domain(&mut self, at: usize, domain: &'c Address, must: bool) {
        for holder in self.plan.new.holders(domain) {
            let create = self.step(&holder.address, Act::Create);
            let alters = self.altering.get(&holder.address).cloned().unwrap_or_default();
            let itself = holder.needs.iter().any(|need| *need.on == *domain);
            for step in alters.into_iter().chain(create) {
                if must && itself {
                    self.before(Some(at), Some(step));
                } else {
                    self.rather_before(Some(at), Some(step));
                }
            }
        }
    }

    /// A column of rows or a typed table comes after the changes of what those rows are of.
    fn wait_for_columns(&mut self, at: usize, of: &'c Address) {
        let Address { kind, .. } = self.steps[at].object.address;
        let holds = matches!(kind, Kind::Column | Kind::Domain | Kind::Range)
            && of.kind == Kind::Table
            && matches!(self.steps[at].act, Act::Create | Act::Alter(_));
        if !holds && of.kind != Kind::CompositeType {
            return;
        }
        for side in [&self.plan.new, &self.plan.old] {
            let own = self.steps[at].object.address.is_part_of(of);
            for column in side.catalogue.parts(Kind::Column, of).filter(|_| !own) {
                let changes = self.altering.get(&column.address).cloned().unwrap_or_default();
                // A new column with values rewrites the table; one that goes does not.
                let acts =
                    if of.kind == Kind::Table { &[Act::Create][..] } else { &[Act::Create, Act::Drop] };
                let made = acts.iter().filter_map(|act| self.step(&column.address, *act));
                for step in changes.into_iter().chain(made).collect::<Vec<_>>() {
                    self.rather_before(Some(step), Some(at));
                }
            }
        }
    }

    fn alterations_alone(&self, address: &Address) -> Vec<usize> {
        let alone = self.plan.alterations(address).iter().filter(|it| it.alone);
        alone.filter_map(|it| self.step(address, Act::Alter(it.attribute))).collect()
    }

    /// Whether a facet has a step that unsets it.
    fn unset(&self, object: &Object, facet: &'static str) -> bool {
        self.step(&object.address, Act::Unset(facet)).is_some()
    }

    fn connect_drop(&mut self, at: usize, object: &'c Object) {
        let plan = self.plan;
        let has_facets = [COMPLETE, kinds::DEFAULT].into_iter().any(|name| self.unset(object, name));
        let mut facets = if has_facets { kinds::facets(plan.before(object)) } else { Vec::new() };
        facets.retain(|facet| self.unset(object, facet.name));
        let own = |need: &&Need| !facets.iter().any(|facet| (facet.takes)(need));
        self.releases(at, object.needs.iter().filter(own));
        // Types that are set aside are so together, and their successors come before they go.
        let whole = plan.old.whole(&object.address).map_or(&object.address, |whole| &whole.address);
        if !plan.is_aside(whole) {
            // What a type is made of may have another name when it goes.
            let is_type = matches!(whole.kind, Kind::CompositeType | Kind::Domain | Kind::Range);
            for need in object.needs.iter().filter(|_| !is_type) {
                let aside = self.step(&need.on, Act::SetAside);
                self.before(Some(at), aside);
            }
            let create = self.step(&object.address, Act::Create);
            self.before(Some(at), create);
        }
        if let Some(whole) = plan.old.whole(&object.address) {
            let drop = self.step(&whole.address, Act::Drop);
            self.before(Some(at), drop);
            let detach = self.step(&whole.address, Act::Unset(kinds::ATTACHED));
            let left = self.step(&whole.address, Act::Alter(kinds::LEFT));
            for step in [detach, left].into_iter().filter(|_| is_in_parent(object)) {
                self.before(step, Some(at));
            }
            // What a child declares too stays with it when the original is dropped.
            if matches!(object.address.kind, Kind::Constraint | Kind::NotNull | Kind::Column)
                && drop.is_none()
                && detach.is_none()
            {
                for original in plan.old.same_in_parents(object).collect::<Vec<_>>() {
                    let original_drop = self.step(&original.address, Act::Drop);
                    self.before(original_drop.filter(|_| is_in_parent(object)), Some(at));
                    // A copy can be dropped while the parent does not pass on what it is of.
                    let passes_on = self.step(&original.address, Act::Alter("no_inherit"));
                    let passed_on = !matches!(&original.body, Body::NotNull(it) if it.no_inherit);
                    let (first, then) = if passed_on { (passes_on, Some(at)) } else { (Some(at), passes_on) };
                    self.before(first, then);
                }
            }
        }
        let detach = self.detach_of_index(object);
        self.before(detach, Some(at));
        match &object.body {
            // A column of a primary key refuses null, and so does an identity. A column has one such constraint at a time.
            Body::NotNull(it) => {
                for other in plan.new.catalogue.parts(Kind::NotNull, &whole_address(plan, object)) {
                    let same = matches!(&other.body, Body::NotNull(other) if other.columns == it.columns);
                    let create = self.step(&other.address, Act::Create);
                    self.before(Some(at), create.filter(|_| same));
                }
                let table = plan.old.whole(&object.address);
                for key in table.into_iter().flat_map(|table| primary_keys(&plan.old, table)) {
                    let key = self.step(&key.address, Act::Drop);
                    self.before(key, Some(at));
                }
                // The columns of an index that identifies rows refuse null, so another one has to do that first.
                let table = whole_address(plan, object);
                let indexes = plan.new.indexes(&table).iter().map(|index| &index.address);
                for address in indexes.chain([&table]) {
                    let identity = self.step(address, Act::Alter("replica_identity"));
                    self.before(identity, Some(at));
                }
            }
            // A table has one primary key at a time.
            Body::Constraint(it) if it.sort == "primary key" => {
                let table = plan.new.get(&whole_address(plan, object));
                for key in table.into_iter().flat_map(|table| primary_keys(&plan.new, table)) {
                    let key = self.step(&key.address, Act::Create);
                    self.before(Some(at), key);
                }
            }
            _ => {}
        }
    }

    /// What detaches the table of an index, which takes the index along.
    pub(super) fn detach_of_index(&self, index: &'c Object) -> Option<usize> {
        let table = self.plan.old.table_of_index(index)?;
        self.step(&table.address, Act::Unset(kinds::ATTACHED))
    }

    fn connect_create(&mut self, at: usize, object: &'c Object) {
        let plan = self.plan;
        let facets = kinds::facets(plan.after(object));
        // An index that is attached to the partitioned table's needs that only then.
        let has_index = matches!(&object.body, Body::Constraint(it) if it.has_index());
        let own = |need: &&Need| {
            !(facets.iter().any(|facet| (facet.takes)(need)) || has_index && need.on.kind == Kind::Constraint)
        };
        if object.address.kind == Kind::NotNull {
            // An identity that the column gets needs it.
            for need in &object.needs {
                let create = self.step(&need.on, Act::Create);
                self.before(create, Some(at));
            }
        } else {
            self.requires(at, object.needs.iter().filter(own));
        }
        if let Some(whole) = plan.new.whole(&object.address) {
            let create = self.step(&whole.address, Act::Create);
            self.before(create, Some(at));
            let copies = self.step(&whole.address, Act::Alter(kinds::COPIED_KEYS));
            self.before(copies, Some(at));
            for act in [Act::Set(COMPLETE), Act::Alter("definition")] {
                let whole = self.step(&whole.address, act);
                self.rather_before(whole, Some(at));
            }
        }
        // What a child has of its own is dropped before a parent has the same.
        let own = plan.old.get(&object.address).filter(|it| !is_in_parent(it));
        let own = own.and_then(|it| self.step(&it.address, Act::Drop));
        for original in plan.new.same_in_parents(object).filter(|_| is_inherited(object)).collect::<Vec<_>>()
        {
            let original = self.step(&original.address, Act::Create);
            self.before(own, original);
        }
        if let Some(original) = plan.new.inherited_from(object).filter(|_| !has_index) {
            for alter in self.altering.get(&original.address).cloned().unwrap_or_default() {
                self.rather_before(Some(alter), Some(at));
            }
            let original = self.step(&original.address, Act::Create);
            self.before(original, Some(at));
            let whole = plan.new.whole(&object.address);
            // A constraint must be there before the table is attached; a copied trigger comes with that.
            let attach = whole.and_then(|whole| self.step(&whole.address, Act::Set(kinds::ATTACHED)));
            match object.address.kind {
                Kind::Trigger => self.before(attach, Some(at)),
                _ => self.before(Some(at), attach),
            }
        }
        for original in plan.new.columns_above(object) {
            for alter in self.altering.get(&original.address).cloned().unwrap_or_default() {
                self.before(Some(alter), Some(at));
            }
        }
        self.connect_demand(object);
        for column in plan.differing_defaults(object) {
            let default = self.step(&column.address, Act::Set(kinds::DEFAULT));
            self.before(Some(at), default);
        }
        match &object.body {
            Body::Sequence(it) if it.identity => {
                let column = plan.new.is_part_of(object);
                let alter = column.and_then(|it| self.step(&it.address, Act::Alter("identity")));
                self.before(alter, Some(at));
            }
            // A column that comes to a parent is merged with the child's own, and not the other way round.
            Body::Column(it) if it.inherited && it.declared_here => {
                let is_there = |it: &&Object| {
                    plan.new.whole(&it.address).is_some_and(|whole| !plan.is_made(&whole.address))
                };
                let original = plan.new.same_in_parent(object).filter(is_there).filter(|_| is_there(&object));
                let original = original.and_then(|it| self.step(&it.address, Act::Create));
                self.before(Some(at), original);
            }
            // PostgreSQL 18 makes constraints for the columns of a primary key that have none.
            Body::NotNull(it) => {
                // What a parent passes on can't be kept from the next children.
                for original in plan.new.same_in_parents(object).filter(|_| it.no_inherit).collect::<Vec<_>>()
                {
                    let alter = self.step(&original.address, Act::Alter("no_inherit"));
                    self.before(alter, Some(at));
                }
                // A parent passes on its name too, unless the child has one already.
                let named_otherwise = |original: &&Object| {
                    it.inherited && it.declared_here && original.address.part != object.address.part
                };
                for original in plan.new.same_in_parents(object).filter(named_otherwise).collect::<Vec<_>>() {
                    let original = self.step(&original.address, Act::Create);
                    self.before(Some(at), original);
                }
                let table = plan.new.whole(&object.address);
                for key in table.into_iter().flat_map(|table| primary_keys(&plan.new, table)) {
                    let key = self.step(&key.address, Act::Create);
                    self.before(Some(at), key);
                }
            }
            Body::Constraint(it) if it.sort == "foreign key" => self.connect_foreign_key(at, object),
            // A partition that is attached later would get a part of it.
            Body::Constraint(it) if it.has_index() => {
                for partition in plan.new.partitions_without(object) {
                    let attach = self.step(&partition.address, Act::Set(kinds::ATTACHED));
                    self.before(attach, Some(at));
                }
            }
            Body::DomainConstraint(_) | Body::DomainNotNull(_) => {
                let domain = object.needs.iter().find(|need| need.on.kind == Kind::Domain);
                // What a check calls may itself need the column.
                let must = object.address.kind == Kind::DomainNotNull;
                domain.into_iter().for_each(|need| self.connect_domain(at, &need.on, must));
            }
            // A partition that is attached later would get an index too.
            Body::Index(it) => {
                // It is built with the rights of the table's owner, who may not run what it calls.
                let is_ours = plan.old.get(&it.table.0).is_some_and(|it| it.owner == Some(Role::Migrator));
                let owner = self.step(&it.table.0, Act::Alter("owner")).filter(|_| is_ours);
                self.rather_before(Some(at), owner);
                let table = plan.new.get(&it.table.0).into_iter();
                let partitions =
                    table.flat_map(|table| plan.new.children(table)).filter(|it| it.is_partition());
                for part in partitions.collect::<Vec<_>>() {
                    let attach = self.step(&part.address, Act::Set(kinds::ATTACHED));
                    if plan.new.has_complete_part(part, object) {
                        self.rather_before(attach, Some(at));
                    } else {
                        self.before(attach, Some(at));
                    }
                }
            }
            _ => {}
        }
    }

    /// What a parent demands comes to a child with the table, and is valid there.
    fn connect_demand(&mut self, check: &'c Object) {
        let Some(is_not_valid) = not_valid(check) else { return };
        let inherited = is_in_parent(check);
        // A valid one can't be merged with a copy that is not.
        if let Some(original) = self.plan.new.same_in_parent(check).filter(|_| inherited)
            && not_valid(original) == Some(true)
            && !is_not_valid
            && !is_inherited(check)
        {
            let own = self.step(&check.address, Act::Create);
            let original = self.step(&original.address, Act::Create);
            self.before(own, original);
            return;
        }
        let table = self.plan.new.whole(&check.address);
        let table = table.and_then(|table| self.step(&table.address, Act::Create));
        let original = self.plan.new.same_in_parent(check).filter(|_| inherited);
        let original =
            original.and_then(|it| self.step(&it.address, Act::Create)).filter(|_| table.is_some());
        if is_not_valid {
            self.before(table, original);
        } else {
            self.rather_before(original, table);
        }
    }

    /// The index that a foreign key relies on is complete when the indexes of all partitions are attached.
    fn connect_foreign_key(&mut self, at: usize, key: &'c Object) {
        let indexes = key.needs.iter().filter(|need| need.on.kind == Kind::Index);
        for index in indexes {
            for (part, _) in self.plan.new.dependents(&index.on) {
                let attach = self.step(&part.address, Act::Set(kinds::INDEX_ATTACHED));
                self.before(attach.filter(|_| part.address.kind == Kind::Index), Some(at));
            }
        }
    }

    fn connect_unset(&mut self, at: usize, object: &'c Object, name: &'static str) {
        let facets = kinds::facets(self.plan.before(object));
        if let Some(facet) = facets.iter().find(|facet| facet.name == name) {
            self.releases(at, object.needs.iter().filter(|need| (facet.takes)(need)));
        }
        let detach = self.detach_of_index(object);
        self.before(detach, Some(at));
        let set = self.step(&object.address, Act::Set(name));
        self.before(Some(at), set);
        let drop = self.step(&object.address, Act::Drop);
        self.before(Some(at), drop);
        for alter in self.altering.get(&object.address).cloned().unwrap_or_default() {
            self.before(Some(at), Some(alter));
        }
    }

    fn connect_set(&mut self, at: usize, object: &'c Object, name: &'static str) {
        let plan = self.plan;
        let facets = kinds::facets(plan.after(object));
        let Some(facet) = facets.iter().find(|facet| facet.name == name) else { return };
        self.requires(at, object.needs.iter().filter(|need| (facet.takes)(need)));
        let create = self.step(&object.address, Act::Create);
        self.before(create, Some(at));
        for alter in self.altering.get(&object.address).cloned().unwrap_or_default() {
            self.before(Some(alter), Some(at));
        }
        let replaces = create.is_none() && self.step(&object.address, Act::Unset(name)).is_none();
        if let Some(old) = plan.old.get(&object.address).filter(|_| replaces) {
            let facets = kinds::facets(plan.before(old));
            let taken =
                |need: &&Need| facets.iter().any(|facet: &Facet| facet.name == name && (facet.takes)(need));
            self.releases(at, old.needs.iter().filter(taken));
        }
        match object.address.kind {
            Kind::Table | Kind::ForeignTable => self.connect_attached_table(at, object),
            Kind::Index => {
                let table = plan.new.table_of_index(object);
                let attach = table.and_then(|it| self.step(&it.address, Act::Set(kinds::ATTACHED)));
                self.before(attach, Some(at));
            }
            _ => {}
        }
    }

    /// A partition must fit its parent when it is attached: in columns, constraints and indexes.
    fn connect_attached_table(&mut self, at: usize, table: &'c Object) {
        let plan = self.plan;
        let parts: Vec<&Object> = plan.new.parts(&table.address).collect();
        for part in parts.into_iter().filter(|part| part.address.kind != Kind::Trigger) {
            let create = self.step(&part.address, Act::Create);
            self.before(create, Some(at));
            for alter in self.altering.get(&part.address).cloned().unwrap_or_default() {
                self.before(Some(alter), Some(at));
            }
        }
        for parent in plan.new.parents(table) {
            for part in plan.new.parts(&parent.address).filter(|part| part.address.kind == Kind::Column) {
                let create = self.step(&part.address, Act::Create);
                self.before(create, Some(at));
                for alter in self.altering.get(&part.address).cloned().unwrap_or_default() {
                    self.before(Some(alter), Some(at));
                }
            }
        }
        for index in plan.new.indexes(&table.address) {
            let is_own = matches!(&index.body, Body::Index(it) if it.attached_to.is_some());
            let create = self.step(&index.address, Act::Create);
            self.before(create.filter(|_| is_own), Some(at));
            // Without an index of each of its own partitions it is not valid, and another one would be made instead of it.
            for (part, _) in plan.new.dependents(&index.address) {
                let attach = self.step(&part.address, Act::Set(kinds::INDEX_ATTACHED));
                self.before(attach.filter(|_| is_own && part.address.kind == Kind::Index), Some(at));
            }
        }
        let unique: Vec<&Object> = self.unique_indexes_of_attached(table).collect();
        for key in plan.new.parts(&table.address) {
            if matches!(&key.body, Body::Constraint(it) if it.has_index()) {
                let key = self.step(&key.address, Act::Create);
                for index in &unique {
                    let index = self.step(&index.address, Act::Create);
                    self.before(index, key);
                }
            }
        }
    }
}

fn whole_address(plan: &Plan<'_>, part: &Object) -> Address {
    plan.old.whole(&part.address).map_or_else(|| part.address.clone(), |whole| whole.address.clone())
}

fn primary_keys<'c>(side: &Side<'c>, table: &'c Object) -> Vec<&'c Object> {
    let is_key = |it: &&Object| matches!(&it.body, Body::Constraint(it) if it.sort == "primary key");
    side.catalogue.parts(Kind::Constraint, &table.address).filter(is_key).collect()
}
