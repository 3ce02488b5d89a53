//! What happens to each object: it is created, dropped, altered, or dropped and made again with all that hangs on it.

mod secrets;
mod settling;
mod typed;

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Address, Body, Catalogue, Change, Column, Kind, Need, Object, Strength, differences};
use foldhash::{HashMap, HashMapExt};

use crate::{
    common,
    error::{Error, Refusal},
    it::It,
    kinds,
    means::{Facet, Means},
    side::{Names, Side, needed_index},
    statement::Sql,
    unmanaged::unmanaged,
};

/// What happens to an object as a whole. One that stays may be altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Created,
    Dropped,
    /// Dropped and created.
    Rebuilt,
}

/// A change of an object that stays.
#[derive(Debug)]
pub(crate) struct Alteration {
    pub(crate) attribute: &'static str,
    pub(crate) sql: Vec<Sql>,
    /// Whether what uses the object must not be there meanwhile.
    pub(crate) alone: bool,
}

/// Why the dependents of an object matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Gone,
    Retyped,
}

pub(crate) struct Plan<'c> {
    pub(crate) old: Side<'c>,
    pub(crate) new: Side<'c>,
    pub(crate) fates: HashMap<&'c Address, Fate>,
    pub(crate) alterations: BTreeMap<&'c Address, Vec<Alteration>>,
    /// The facets that get another value.
    pub(crate) changed: BTreeSet<(&'c Address, &'static str)>,
    /// Those that must not be there meanwhile.
    pub(crate) unset: BTreeSet<(&'c Address, &'static str)>,
    /// The columns that get their defaults after the tables that inherit them.
    pub(crate) late_defaults: BTreeSet<&'c Address>,
    /// The types whose successor takes over their columns.
    aside: BTreeSet<&'c Address>,
    /// What gets another name in place, before and after.
    pub(crate) renamed: Vec<(&'c Object, &'c Object)>,
    refusals: Vec<Refusal>,
    todo: Vec<(&'c Object, Reason)>,
}

impl<'c> Plan<'c> {
    /// `rebuilt` is made again although it could be altered.
    pub(crate) fn new(
        old: &'c Catalogue,
        new: &'c Catalogue,
        rebuilt: &BTreeSet<&'c Address>,
    ) -> Result<Plan<'c>, Error> {
        let mut plan = Plan {
            old: Side::new(old),
            new: Side::new(new),
            fates: HashMap::new(),
            alterations: BTreeMap::new(),
            changed: BTreeSet::new(),
            unset: BTreeSet::new(),
            late_defaults: BTreeSet::new(),
            aside: BTreeSet::new(),
            renamed: Vec::new(),
            refusals: Vec::new(),
            todo: Vec::new(),
        };
        plan.rename_not_nulls();
        let renamed: BTreeSet<&Address> =
            plan.renamed.iter().flat_map(|(before, after)| [&before.address, &after.address]).collect();
        let differences = differences(new, old);
        let managed = differences.iter().filter(|it| unmanaged(it).is_none());
        for difference in managed.filter(|it| !renamed.contains(&it.address)) {
            plan.account(&difference.address, &difference.change);
        }
        plan.account_secrets();
        for object in rebuilt.iter().filter_map(|address| old.get(address)) {
            plan.rebuild(object);
        }
        plan.complete();
        plan.follow();
        plan.complete_columns_of_other_parents();
        plan.complete_merged_columns();
        plan.complete_indexes_without_parts();
        plan.follow();
        plan.complete_renamed();
        plan.complete_detached();
        plan.complete_default_privileges();
        plan.settle();
        let refusals: Vec<Refusal> = std::mem::take(&mut plan.refusals);
        // What is made again has every attribute.
        let refusals: Vec<Refusal> = refusals.into_iter().filter(|it| !plan.is_gone(&it.object)).collect();
        if refusals.is_empty() { Ok(plan) } else { Err(Error::Refused(refusals)) }
    }

    pub(crate) fn fate(&self, address: &Address) -> Option<Fate> {
        self.fates.get(address).copied()
    }

    /// Whether the object of the old catalogue is dropped, to be made again or not.
    pub(crate) fn is_gone(&self, address: &Address) -> bool {
        matches!(self.fate(address), Some(Fate::Dropped | Fate::Rebuilt))
    }

    /// Whether the object of the new catalogue is made.
    pub(crate) fn is_made(&self, address: &Address) -> bool {
        matches!(self.fate(address), Some(Fate::Created | Fate::Rebuilt))
    }

    /// Whether a type gets another name until nothing uses it any more.
    pub(crate) fn is_aside(&self, address: &Address) -> bool {
        self.aside.contains(address)
    }

    pub(crate) fn objects_gone(&self) -> impl Iterator<Item = &'c Object> {
        self.objects(&self.old, |fate| matches!(fate, Fate::Dropped | Fate::Rebuilt))
    }

    pub(crate) fn objects_made(&self) -> impl Iterator<Item = &'c Object> {
        self.objects(&self.new, |fate| matches!(fate, Fate::Created | Fate::Rebuilt))
    }

    /// The objects with such a fate, in their order.
    fn objects(&self, side: &Side<'c>, is: fn(Fate) -> bool) -> impl Iterator<Item = &'c Object> {
        side.catalogue.objects().filter(move |object| self.fate(&object.address).is_some_and(is))
    }

    pub(crate) fn alterations(&self, address: &Address) -> &[Alteration] {
        self.alterations.get(address).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn before(&self, object: &'c Object) -> It<'_, 'c> {
        It::new(object, &self.old, Names(self.new.catalogue))
    }

    pub(crate) fn after(&self, object: &'c Object) -> It<'_, 'c> {
        It::new(object, &self.new, Names(self.new.catalogue))
    }

    /// Whether a facet is the default of a column that a parent has too. The column goes after the parent's, which may be what
    /// the default needs.
    fn has_default_apart(&self, object: &'c Object, facet: &Facet) -> bool {
        facet.name == kinds::DEFAULT
            && matches!(&object.body, Body::Column(it) if it.inherited)
            && !self.old.whole(&object.address).is_some_and(|table| self.is_gone(&table.address))
    }

    /// The facets that are unset: of objects that stay, and of those that are dropped what may have to go before.
    pub(crate) fn facets_to_unset(&self) -> impl Iterator<Item = (&'c Object, Facet)> {
        let dropped = self.objects_gone().flat_map(|object| {
            let facets = kinds::facets(self.before(object)).into_iter();
            let is_apart = |facet: &Facet| facet.completes || self.has_default_apart(object, facet);
            facets.filter(move |it| it.unset.is_some() && is_apart(it)).map(move |facet| (object, facet))
        });
        let unset = self.changed.union(&self.unset).filter(|(address, _)| !self.is_gone(address));
        let staying = unset.filter_map(|(address, name)| {
            let object = self.old.get(address)?;
            let facet = facet(self.before(object), name)?;
            let replaced = facet.replaces
                && !self.unset.contains(&(*address, *name))
                && self.new.get(address).is_some_and(|it| self::facet(self.after(it), name).is_some());
            (!replaced).then_some((object, facet))
        });
        dropped.chain(staying)
    }

    /// The facets that are set, of objects that are made, and where they changed.
    pub(crate) fn facets_to_set(&self) -> Vec<(&'c Object, Facet)> {
        let mut all: Vec<(&Object, Facet)> = Vec::new();
        for object in self.objects_made() {
            all.extend(kinds::facets(self.after(object)).into_iter().map(|facet| (object, facet)));
        }
        for (address, name) in self.changed.union(&self.unset).filter(|(address, _)| !self.is_made(address)) {
            let object = self.new.get(address);
            all.extend(object.and_then(|object| Some((object, facet(self.after(object), name)?))));
        }
        all
    }

    /// Accounts for a difference: no difference gets past this without a fate, an alteration or a refusal.
    fn account(&mut self, address: &Address, change: &Change) {
        let (old, new) = (self.old.get(address), self.new.get(address));
        match (change, old, new) {
            (_, Some(old), None) => {
                self.fates.insert(&old.address, Fate::Dropped);
                self.todo.push((old, Reason::Gone));
            }
            (_, None, Some(new)) => {
                self.fates.insert(&new.address, Fate::Created);
                self.release_rows_for(new);
            }
            (Change::Differs { attribute, .. }, Some(old), Some(new)) => {
                self.change(old, new, attribute);
            }
            _ => {}
        }
    }

    fn change(&mut self, old: &'c Object, new: &'c Object, attribute: &'static str) {
        let (from, to) = (self.before(old), self.after(new));
        let common = common::is_common(attribute);
        let means =
            if common { common::change(attribute, from, to) } else { kinds::change(attribute, from, to) };
        match means {
            Means::Alter(sql) => {
                if old.address.kind == Kind::Table && matches!(attribute, "unlogged" | "access_method") {
                    self.release_rows_of(&old.address);
                }
                self.alter_with(new, attribute, sql);
            }
            Means::Alone(sql) => {
                self.alter(new, attribute, sql, true);
                self.todo.push((old, Reason::Retyped));
            }
            Means::AlterWithout(sql, facet) => {
                self.alter_with(new, attribute, sql);
                self.changed.insert((&new.address, facet));
            }
            Means::Facet(name) => {
                self.changed.insert((&new.address, name));
            }
            Means::Rebuild => self.rebuild(old),
            Means::RebuildWhole => {
                let whole = self.old.whole(&old.address).unwrap_or(old);
                self.rebuild(whole);
            }
            Means::RebuildWithOriginal => {
                self.rebuild(old);
                let passes_on = |it: &&Object| !matches!(&it.body, Body::NotNull(it) if it.no_inherit);
                let originals: Vec<&Object> = self.old.same_in_parents(old).filter(passes_on).collect();
                originals.into_iter().for_each(|original| self.rebuild(original));
            }
            Means::Follows => {}
            Means::Refused(why) => {
                self.refusals.push(Refusal { object: new.address.clone(), attribute, why });
            }
        }
    }

    pub(crate) fn alter(&mut self, object: &'c Object, attribute: &'static str, sql: Vec<Sql>, alone: bool) {
        self.alterations.entry(&object.address).or_default().push(Alteration { attribute, sql, alone });
    }

    /// The same beside other alterations.
    fn alter_with(&mut self, object: &'c Object, attribute: &'static str, sql: Vec<Sql>) {
        match attribute {
            "inherits" | "partition" => {
                let leaves = |it: &Sql| it.text.contains(" no inherit ");
                self.alter_in_turn(object, sql, leaves, [kinds::LEFT, kinds::JOINED]);
            }
            "of_type" => {
                let leaves = |it: &Sql| it.text.ends_with(" not of");
                self.alter_in_turn(object, sql, leaves, [kinds::LEFT_TYPE, kinds::JOINED_TYPE]);
            }
            _ => self.alter(object, attribute, sql, false),
        }
    }

    /// A table leaves its parents or its type before it joins others.
    fn alter_in_turn(
        &mut self,
        table: &'c Object,
        sql: Vec<Sql>,
        leaves: fn(&Sql) -> bool,
        [left, joined]: [&'static str; 2],
    ) {
        let (leaving, joining): (Vec<Sql>, Vec<Sql>) = sql.into_iter().partition(leaves);
        for (attribute, sql) in [(left, leaving), (joined, joining)] {
            if !sql.is_empty() {
                self.alter(table, attribute, sql, false);
            }
        }
    }

    pub(crate) fn rebuild(&mut self, object: &'c Object) {
        let object = self.dropped_for(object);
        // The columns of a view are not dropped alone.
        let whole = self.old.whole(&object.address).filter(|_| object.address.kind == Kind::Column);
        let of_view = whole.filter(|it| matches!(it.address.kind, Kind::View | Kind::MaterializedView));
        let object = of_view.unwrap_or(object);
        if self.is_gone(&object.address) {
            return;
        }
        let fate = if self.new.get(&object.address).is_some() { Fate::Rebuilt } else { Fate::Dropped };
        self.fates.insert(&object.address, fate);
        self.todo.push((object, Reason::Gone));
        self.new.get(&object.address).into_iter().for_each(|new| self.release_rows_for(new));
    }

    /// Lets go of the rows of a table that are written again for a column that it gets.
    fn release_rows_for(&mut self, new: &'c Object) {
        let has_values = |it: &Column| it.generated.as_deref() == Some("stored") || it.identity.is_some();
        if matches!(&new.body, Body::Column(it) if has_values(it) || self.new.is_of_checked_domain(new)) {
            self.release_rows(new);
        }
    }

    /// What must be dropped so that an object goes away: the constraint of an index, the original of a partition's copy.
    fn dropped_for(&self, mut object: &'c Object) -> &'c Object {
        loop {
            let original = match &object.body {
                Body::Index(_) => self.old.is_part_of(object).or_else(|| {
                    let parent = needed_index(object).filter(|_| !self.is_detached_with(object));
                    parent.and_then(|parent| self.old.get(parent))
                }),
                Body::Constraint(_) | Body::NotNull(_) | Body::Trigger(_) | Body::Column(_) => {
                    self.old.inherited_from(object).filter(|it| !self.is_left_to(object, it))
                }
                _ => None,
            };
            match original.filter(|it| !self.is_gone(&it.address)) {
                Some(original) => object = original,
                None => return object,
            }
        }
    }

    /// Whether a copy stays with its table, which leaves the parent that has the original.
    pub(crate) fn is_left_to(&self, copy: &'c Object, original: &'c Object) -> bool {
        let table = self.old.whole(&copy.address).filter(|it| !self.is_gone(&it.address));
        let after = table.and_then(|table| self.new.get(&table.address));
        let leaves = |after: &'c Object| {
            !self.new.parents(after).any(|parent| original.address.is_part_of(&parent.address))
        };
        copy.address.kind != Kind::Trigger && after.is_some_and(leaves)
    }

    /// Follows the edges of the old catalogue from what goes away or changes its type.
    fn follow(&mut self) {
        while let Some((object, reason)) = self.todo.pop() {
            if reason == Reason::Gone {
                let parts: Vec<&Object> = self.old.parts(&object.address).collect();
                parts.into_iter().for_each(|part| self.go_with(part));
            }
            if reason == Reason::Gone && matches!(object.address.kind, Kind::Constraint | Kind::NotNull) {
                self.copies_in_children(object).into_iter().for_each(|copy| self.go_with(copy));
            }
            if reason == Reason::Retyped {
                // The default is cast too, and often can't be.
                for facet in kinds::facets(self.before(object)) {
                    self.unset.insert((&object.address, facet.name));
                }
                self.release_rows(object);
            }
            for (dependent, need) in self.old.dependents(&object.address).to_vec() {
                if reason == Reason::Gone && self.old.key_attached_alone(dependent).is_some() {
                    self.detach_for(dependent);
                }
                if !self.is_gone(&dependent.address) {
                    self.release(dependent, need, object, reason);
                }
            }
        }
    }

    /// A key whose index is attached to one without a key is in the way of that, until its table leaves the parent.
    fn detach_for(&mut self, index: &'c Object) {
        if let Some(table) = self.old.table_of_index(index).filter(|table| !self.is_gone(&table.address)) {
            self.unset.insert((&table.address, kinds::ATTACHED));
        }
    }

    /// Whether the table of an index leaves its parent and stays.
    pub(crate) fn is_detached_with(&self, index: &'c Object) -> bool {
        let table = self.old.table_of_index(index).filter(|table| !self.is_gone(&table.address));
        table.is_some_and(|table| self.is_detached(table))
    }

    /// Whether a partition that stays leaves its parent, to be attached again or not.
    pub(crate) fn is_detached(&self, table: &'c Object) -> bool {
        let facet = (&table.address, kinds::ATTACHED);
        self.old.partitioned(table).is_some_and(|parent| {
            self.is_gone(&parent.address) || self.changed.contains(&facet) || self.unset.contains(&facet)
        })
    }

    /// A part goes away with its whole.
    fn go_with(&mut self, part: &'c Object) {
        if !self.is_gone(&part.address) {
            let fate = if self.new.get(&part.address).is_some() { Fate::Rebuilt } else { Fate::Dropped };
            self.fates.insert(&part.address, fate);
            self.todo.push((part, Reason::Gone));
        }
    }

    /// Lets go of the rows of a column's table.
    fn release_rows(&mut self, column: &'c Object) {
        let whole = self.old.whole(&column.address).filter(|it| it.address.kind == Kind::Table);
        if let Some(table) = whole.filter(|it| !self.is_gone(&it.address)) {
            self.release_rows_of(&table.address);
        }
    }

    /// No column may hold rows of a table that is written again, itself or in a domain or range.
    fn release_rows_of(&mut self, table: &'c Address) {
        let mut todo = vec![table];
        while let Some(data_type) = todo.pop() {
            for (holder, _) in self.old.dependents(data_type).to_vec() {
                match holder.address.kind {
                    Kind::Column if !holder.address.is_part_of(data_type) => self.rebuild(holder),
                    Kind::Domain | Kind::Range => todo.push(&holder.address),
                    _ => {}
                }
            }
        }
    }

    /// Has a dependent let go of what goes away or changes its type.
    fn release(&mut self, dependent: &'c Object, need: &Need, of: &'c Object, reason: Reason) {
        // The sequence of an identity has a type of its own, and every type may refuse null.
        let indifferent = match dependent.address.kind {
            Kind::Sequence => need.strength == Strength::Internal,
            kind => kind == Kind::NotNull,
        };
        if reason == Reason::Retyped && indifferent {
            return;
        }
        let facets = kinds::facets(self.before(dependent));
        if let Some(facet) = facets.iter().find(|facet| !facet.completes && (facet.takes)(need)) {
            match (&facet.unset, reason) {
                // An index leaves the partitioned one together with its table.
                (None, _) if dependent.address.kind == Kind::Index && self.is_detached_with(dependent) => {
                    self.unset.insert((&dependent.address, facet.name));
                }
                // What a column owns does not mind its type.
                (_, Reason::Retyped) if need.strength != Strength::Normal => {}
                (Some(_), _) => {
                    self.unset.insert((&dependent.address, facet.name));
                }
                (None, _) => self.rebuild(dependent),
            }
            return;
        }
        let whole = self.old.whole(&dependent.address);
        match (dependent.address.kind, whole.map(|whole| whole.address.kind)) {
            (Kind::Column, Some(Kind::Table | Kind::ForeignTable)) if !need.of_default => {
                self.take_over(dependent, of);
            }
            (Kind::Column, Some(Kind::View | Kind::MaterializedView | Kind::CompositeType)) => {
                whole.into_iter().for_each(|whole| self.rebuild(whole));
            }
            // A child of a dropped table leaves it, and a partition is detached.
            (Kind::Table | Kind::ForeignTable, _)
                if self.old.parents(dependent).any(|parent| parent.address == of.address)
                    && self.fate(&of.address) == Some(Fate::Dropped) => {}
            (Kind::Table, _) if of.address.kind == Kind::CompositeType && self.leave_type(dependent) => {}
            _ => self.rebuild(dependent),
        }
    }

    /// Has a column of a table take the successor of its type.
    fn take_over(&mut self, column: &'c Object, of: &'c Object) {
        let Some(new) = self.new.get(&column.address) else { return };
        // The key of a partitioned table can't change its type.
        if let Some(table) = self.old.partitioned_by(column) {
            return self.rebuild(table);
        }
        // The functions of a base type would be in the way of its successor's, and what is computed is computed again.
        let computed = matches!(&column.body, Body::Column(it) if it.generated.is_some());
        if of.address.kind == Kind::BaseType || computed {
            return self.rebuild(column);
        }
        if kinds::is_type(of.address.kind) && self.fate(&of.address) == Some(Fate::Rebuilt) {
            self.aside.insert(&of.address);
        }
        if self.alterations(&column.address).iter().any(|it| it.alone) {
            return;
        }
        let sql = kinds::reread(self.after(new));
        self.alter(new, "data_type", sql, true);
        self.todo.push((column, Reason::Retyped));
    }
}

fn facet(it: It<'_, '_>, name: &str) -> Option<Facet> {
    kinds::facets(it).into_iter().find(|facet| facet.name == name)
}
