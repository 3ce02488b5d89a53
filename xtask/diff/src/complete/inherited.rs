//! What tables have from their parents, where these change.

use catalogue::{Body, Kind, NotNull, Object};

use crate::{
    kinds,
    plan::{Fate, Plan},
    side::{Side, is_in_parent, is_inherited},
};

impl<'c> Plan<'c> {
    /// A column that no parent goes on having comes from another one, and is not one with what the first has left.
    pub(crate) fn complete_columns_of_other_parents(&mut self) {
        let moved = |column: &&'c Object| {
            let Some(after) = self.new.get(&column.address).filter(|it| is_inherited(it)) else {
                return false;
            };
            let table = self.old.whole(&column.address);
            let goes_on = |it: &Object| {
                !self.is_gone(&it.address)
                    && self.new.same_in_parents(after).any(|new| new.address == it.address)
            };
            is_inherited(column)
                && table.is_some_and(|it| !it.is_partition() && !self.is_gone(&it.address))
                && !self.is_gone(&column.address)
                && !self.old.same_in_parents(column).any(goes_on)
        };
        let moved: Vec<&Object> = self.old.catalogue.of_kind(Kind::Column).filter(moved).collect();
        moved.into_iter().for_each(|column| self.rebuild(column));
    }

    /// The copies of a part of a table in the tables that inherit from it, where nothing declares them too.
    pub(crate) fn copies_in_children(&self, part: &'c Object) -> Vec<&'c Object> {
        let table = self.old.whole(&part.address).into_iter();
        let children = table.flat_map(|table| self.old.children(table)).filter(|it| !self.is_detached(it));
        let parts = children.flat_map(|child| self.old.catalogue.parts(part.address.kind, &child.address));
        let is_copy = |it: &&'c Object| {
            is_inherited(it) && self.old.same_in_parents(it).all(|it| self.is_gone(&it.address))
        };
        parts
            .filter(|it| self.old.same_in_parents(it).any(|it| it.address == part.address))
            .filter(is_copy)
            .collect()
    }

    /// What has a column refuse null gets another name in place, with its copies: a key may need it.
    pub(crate) fn rename_not_nulls(&mut self) {
        for after in self.new.catalogue.of_kind(Kind::NotNull) {
            let Some(pairs) = self.renamed_together(after) else { continue };
            let table = self.after(after);
            let from = pairs.first().map(|(before, _)| table.quoted(&before.address.part));
            let sql = format!(
                "{} rename constraint {} to {}",
                table.alter(),
                from.unwrap_or_default(),
                table.name()
            );
            self.alter(after, "name", vec![sql.into()], false);
            self.renamed.extend(pairs);
        }
    }

    /// A constraint under its old name and its new one, and then its copies, if one statement renames them all.
    fn renamed_together(&self, after: &'c Object) -> Option<Vec<(&'c Object, &'c Object)>> {
        let table = self.old.whole(&after.address).filter(|_| !is_in_parent(after))?;
        let before = not_null(&self.old, table, after).filter(|it| it.address.part != after.address.part)?;
        let same = |one: &Object, other: &Object| one.body == other.body && one.comment == other.comment;
        let mut pairs = vec![(before, after)];
        let mut at = 0;
        while let Some(&(old, new)) = pairs.get(at) {
            let table = self.old.whole(&old.address).filter(|_| same(old, new))?;
            for child in self.old.children(table) {
                let Some(copy) = not_null(&self.old, child, old).filter(|it| is_in_parent(it)) else {
                    continue;
                };
                let alone = self.old.same_in_parents(copy).nth(1).is_none();
                let named = alone && copy.address.part == before.address.part;
                let child = self.new.get(&child.address).filter(|_| named)?;
                let new = not_null(&self.new, child, new)?;
                pairs.push((copy, (new.address.part == after.address.part).then_some(new)?));
            }
            at += 1;
        }
        Some(pairs)
    }

    /// What refuses null in a child has its own name or its parent's, and nothing renames it: the parent's is made again after
    /// the child's. With several parents it has the name of the first one's, so the table is made again. A partition has its own
    /// name if it is attached with it.
    pub(super) fn complete_names_of_not_nulls(&mut self) {
        let gone: Vec<&Object> = self.objects_gone().filter(|it| it.address.kind == Kind::NotNull).collect();
        let rebuilt: Vec<&Object> = gone.iter().filter_map(|it| self.rebuilt_for_name(it)).collect();
        rebuilt.into_iter().for_each(|it| self.rebuild(it));
        let has_own_name = |side: &Side<'c>, it: &'c Object| {
            let original = side.inherited_from(it);
            it.address.kind == Kind::NotNull && original.is_some_and(|of| of.address.part != it.address.part)
        };
        let made = self.objects_made().filter(|it| has_own_name(&self.new, it));
        let unmade = gone.into_iter().filter(|it| has_own_name(&self.old, it));
        let tables = made.chain(unmade).filter_map(|it| self.old.whole(&it.address));
        let partitions: Vec<&Object> = tables.filter(|table| self.stays_attached(table)).collect();
        self.unset.extend(partitions.into_iter().map(|it| (&it.address, kinds::ATTACHED)));
    }

    /// What is made again because the column of a child goes on refusing null, under another name.
    fn rebuilt_for_name(&self, gone: &'c Object) -> Option<&'c Object> {
        let Body::NotNull(body) = &gone.body else { return None };
        let table = self.old.whole(&gone.address).filter(|it| body.inherited && !it.is_partition())?;
        let after = self.new.get(&table.address)?;
        let mut others = self.new.catalogue.parts(Kind::NotNull, &after.address);
        let other = others.find(|it| {
            matches!(&it.body, Body::NotNull(it) if it.inherited && it.columns == body.columns)
                && it.address.part != gone.address.part
        })?;
        if self.old.parents(table).count().max(self.new.parents(after).count()) > 1 {
            return Some(table);
        }
        let original = self.old.same_in_parents(gone).next()?;
        let goes_on = !self.is_gone(&original.address) && !self.is_gone(&table.address);
        self.new.same_in_parents(other).find(|it| goes_on && it.address == original.address)?;
        Some(if self.must_refuse_null(original) { table } else { original })
    }

    /// Whether the column of what refuses null has to: it is in a primary key, or numbers the rows.
    fn must_refuse_null(&self, refusal: &'c Object) -> bool {
        let Body::NotNull(NotNull { columns, .. }) = &refusal.body else { return false };
        let is_its = |column: &String| columns.0.contains(column);
        let demands = |it: &'c Object| match &it.body {
            Body::Column(column) => column.identity.is_some() && is_its(&it.address.part),
            Body::Constraint(key) => key.sort == "primary key" && key.columns.0.iter().any(is_its),
            _ => false,
        };
        [&self.old, &self.new].into_iter().any(|side| {
            let table = side.whole(&refusal.address).into_iter();
            table.flat_map(|table| side.parts(&table.address)).any(demands)
        })
    }

    /// Whether a table is a partition of the same table before and after.
    fn stays_attached(&self, table: &'c Object) -> bool {
        let after = self.new.get(&table.address).and_then(|after| self.new.partitioned(after));
        let before = self.old.partitioned(table).filter(|it| !self.is_gone(&it.address));
        !self.is_gone(&table.address)
            && before.is_some_and(|it| after.is_some_and(|after| after.address == it.address))
    }

    /// Of a table that is made again, they are made under their new names.
    pub(crate) fn complete_renamed(&mut self) {
        for (before, after) in std::mem::take(&mut self.renamed) {
            if self.is_gone(&before.address) {
                self.alterations.remove(&after.address);
                self.fates.insert(&after.address, Fate::Created);
            }
        }
    }
}

fn not_null<'c>(side: &Side<'c>, table: &'c Object, like: &Object) -> Option<&'c Object> {
    let Body::NotNull(NotNull { columns, .. }) = &like.body else { return None };
    let mut all = side.catalogue.parts(Kind::NotNull, &table.address);
    all.find(|it| matches!(&it.body, Body::NotNull(it) if it.columns == *columns))
}
