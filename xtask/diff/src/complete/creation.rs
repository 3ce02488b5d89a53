//! What stays, and is in the way of objects that are made.

use catalogue::{Address, Body, Kind, Object};

use crate::{kinds, plan::Plan};

impl<'c> Plan<'c> {
    /// A table can't be made while two of its parents have different defaults for a column: these come after it.
    pub(super) fn complete_late_defaults(&mut self) {
        let late: Vec<&Object> =
            self.objects_made().flat_map(|table| self.differing_defaults(table)).collect();
        for column in late {
            self.late_defaults.insert(&column.address);
            if self.old.get(&column.address).is_some_and(|it| !self.is_gone(&it.address)) {
                self.unset.insert((&column.address, kinds::DEFAULT));
            }
        }
    }

    /// The columns of the parents of a table that have another default there than in another parent.
    pub(crate) fn differing_defaults(&self, table: &'c Object) -> Vec<&'c Object> {
        let mut all = Vec::new();
        if self.new.parents(table).nth(1).is_none() {
            return all;
        }
        for column in self.new.catalogue.parts(Kind::Column, &table.address) {
            let same = self.new.parents(table).filter_map(|parent| {
                let part = column.address.part.clone();
                self.new.get(&Address { part, kind: Kind::Column, ..parent.address.clone() })
            });
            let same: Vec<&Object> = same.collect();
            let default = |it: &&'c Object| match &it.body {
                Body::Column(it) if it.generated.is_none() => it.default.as_ref(),
                _ => None,
            };
            let mut defaults: Vec<&String> = same.iter().filter_map(default).collect();
            defaults.sort();
            defaults.dedup();
            if defaults.len() > 1 {
                all.extend(same.iter().filter(|it| default(it).is_some()));
            }
        }
        all
    }

    /// A new attribute of a type comes last. A type that no row holds is made again to have it where it belongs.
    pub(super) fn complete_attributes(&mut self) {
        let types = self.new.catalogue.of_kind(Kind::CompositeType);
        let types = types.filter_map(|it| self.old.get(&it.address)).filter(|it| {
            let is_kept = |part: &&Object| self.fate(&part.address).is_none();
            let kept = self.old.catalogue.columns(&it.address).into_iter().filter(is_kept);
            let wanted = self.new.catalogue.columns(&it.address);
            let added = wanted.iter().copied().filter(|it| !is_kept(it));
            kept.chain(added).map(|it| &it.address).ne(wanted.iter().map(|it| &it.address))
        });
        let types: Vec<&Object> = types.filter(|it| !self.is_stored(&it.address, &mut Vec::new())).collect();
        types.into_iter().for_each(|it| self.rebuild(it));
    }

    /// Whether rows may hold values of a type, by themselves or in values of other types.
    fn is_stored(&self, data_type: &'c Address, seen: &mut Vec<&'c Address>) -> bool {
        if seen.contains(&data_type) {
            return false;
        }
        seen.push(data_type);
        let dependents = self.old.dependents(data_type).iter().map(|(it, _)| *it);
        let holders = dependents.filter(|it| !it.address.is_part_of(data_type));
        holders.into_iter().any(|it| {
            let whole = self.old.whole(&it.address).unwrap_or(it);
            match (it.address.kind, whole.address.kind) {
                (Kind::Column, Kind::View) => false,
                (Kind::Column, Kind::CompositeType) | (Kind::Domain | Kind::Range, _) => {
                    self.is_stored(&whole.address, seen)
                }
                (kind, _) => matches!(kind, Kind::Column | Kind::Table),
            }
        })
    }
}
