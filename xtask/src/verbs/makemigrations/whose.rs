//! Whose migration a change belongs to: the app whose file makes the object, as far as the direction rule lets it.

use std::{cell::RefCell, collections::BTreeSet};

use catalogue::{Address, Catalogue, differences};
use diff::Change;
use migrations::{DependencyKind, MigrationId, Project};

use crate::throwaway::owned::Owned;

/// The schema that the migrations make, the one that the schema files make, and the rule between their apps.
pub(super) struct Whose<'a> {
    pub(super) project: &'a Project,
    pub(super) from: &'a Owned,
    pub(super) to: &'a Owned,
    /// What no app may do, a line each.
    pub(super) trespasses: RefCell<BTreeSet<String>>,
}

impl Whose<'_> {
    /// The app, by its position in the manifest.
    pub(super) fn owner(&self, address: &Address, change: Change) -> usize {
        let (own, other) = match change {
            Change::Drop => (self.from, self.to),
            _ => (self.to, self.from),
        };
        // A part goes by the app that its table belongs to now.
        let table = self.to.schema.table_of(address).filter(|_| own.schema.table_of(address).is_some());
        let now = table.filter(|_| change == Change::Drop).and_then(|table| self.to.maker(&table.address));
        let maker = now.or_else(|| own.maker(address)).or_else(|| other.maker(address));
        let home = maker.map_or(0, |maker| maker.app);
        let touched = self.touched(own, address);
        let may_touch_all = |app: usize| touched.iter().all(|&other| self.may_touch(app, other));
        let mut candidates = [home].into_iter().chain(touched.iter().copied());
        candidates.find(|&app| may_touch_all(app)).unwrap_or_else(|| {
            let names: Vec<&str> = touched.iter().map(|&app| self.name(app)).collect();
            self.trespasses.borrow_mut().insert(format!(
                "{address} needs tables of {}, and none of these apps depends on all the others",
                names.join(", ")
            ));
            home
        })
    }

    fn name(&self, app: usize) -> &str {
        &self.project.apps[app].name
    }

    fn may_touch(&self, app: usize, other: usize) -> bool {
        app == other || self.kind(app, other) == DependencyKind::DependsOn
    }

    /// How a migration of an app waits for one of another.
    pub(super) fn kind(&self, app: usize, other: usize) -> DependencyKind {
        let listed = self.project.apps[app].depends_on.iter().any(|name| name == self.name(other));
        if listed { DependencyKind::DependsOn } else { DependencyKind::After }
    }

    /// The migrations of other apps that made what an app's changes need.
    pub(super) fn needed(&self, app: usize) -> BTreeSet<&MigrationId> {
        let changed = differences(&self.to.schema, &self.from.schema);
        let changed = changed.iter().filter_map(|it| self.to.schema.get(&it.address));
        let changed = changed.filter(|object| self.owner(&object.address, Change::Create) == app);
        let needs = changed.flat_map(|object| {
            let whole = self.to.schema.table_of(&object.address).map(|table| &table.address);
            object.needs.iter().map(|need| &*need.on).chain(whole)
        });
        let makers = needs.filter_map(|address| self.from.maker(address)).filter(|maker| maker.app != app);
        makers.filter_map(|maker| maker.migration.as_ref()).collect()
    }

    /// The owners of the tables that an object is, belongs to or needs: the apps whose files have them, if one does.
    fn touched(&self, owned: &Owned, address: &Address) -> BTreeSet<usize> {
        let schema: &Catalogue = &owned.schema;
        let Some(object) = schema.get(address) else { return BTreeSet::new() };
        let needed = object.needs.iter().map(|need| &*need.on);
        let tables = [address].into_iter().chain(needed).filter_map(|address| schema.table_of(address));
        let maker = |table: &Address| self.to.maker(table).or_else(|| owned.maker(table));
        tables.filter_map(|table| maker(&table.address)).map(|maker| maker.app).collect()
    }
}
