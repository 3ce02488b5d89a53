//! Whose the objects of a database are: the lists of the manifest say it of tables, and the rest goes with these.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use catalogue::{Address, Body, Catalogue, Kind, Object};
use migrations::{Owners, Project};

use crate::throwaway::owned::{Owned, position};

/// How many objects an error names.
const MOST_SHOWN: usize = 10;

/// Gives each object of a schema to an app. `rest` takes what no list names.
pub(super) fn assigned(project: &Project, schema: Catalogue, rest: Option<usize>) -> anyhow::Result<Owned> {
    let mut homes = Homes { project, schema: &schema, found: BTreeMap::new() };
    homes.by_lists();
    while homes.by_neighbours() {}
    let homeless: Vec<&Address> =
        schema.objects().map(|it| &it.address).filter(|it| homes.home(it).is_none()).collect();
    if rest.is_none() && !homeless.is_empty() {
        let mut shown: Vec<String> = homeless.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
        if homeless.len() > MOST_SHOWN {
            shown.push(format!("… and {} more", homeless.len() - MOST_SHOWN));
        }
        bail!(
            "no list in apps.toml says whose these are; nothing was written\n  {}\n  list the tables there, or give all of them to one app: --app APP",
            shown.join("\n  ")
        );
    }
    let app = |it: &Object| (it.address.clone(), homes.home(&it.address).or(rest).unwrap_or_default());
    let apps: BTreeMap<Address, usize> = schema.objects().map(app).collect();
    Ok(Owned::assigned(schema, |address| apps.get(address).copied().unwrap_or_default()))
}

struct Homes<'c> {
    project: &'c Project,
    schema: &'c Catalogue,
    found: BTreeMap<&'c Address, usize>,
}

impl<'c> Homes<'c> {
    fn home(&self, address: &Address) -> Option<usize> {
        let whole = match self.schema.get(address).map(|it| &it.body) {
            Some(Body::Index(index)) => Some(index.table.0.clone()),
            _ => self.whole(address),
        };
        self.found.get(address).or_else(|| self.found.get(&whole?)).copied()
    }

    /// The relation, type or domain that a part belongs to.
    fn whole(&self, part: &Address) -> Option<Address> {
        const WHOLES: [Kind; 6] = [
            Kind::Table,
            Kind::ForeignTable,
            Kind::View,
            Kind::MaterializedView,
            Kind::CompositeType,
            Kind::Domain,
        ];
        let of_kind = |kind| Address { kind, part: String::new(), ..part.clone() };
        let mut wholes = WHOLES.into_iter().map(of_kind).filter(|whole| part.is_part_of(whole));
        wholes.find(|whole| self.schema.get(whole).is_some())
    }

    /// What the lists say, and what belongs to all: it is written by the first app.
    fn by_lists(&mut self) {
        let owners = Owners::new(self.schema, self.project);
        for object in self.schema.objects() {
            let address = &object.address;
            let app = match address.kind {
                Kind::Table | Kind::ForeignTable => {
                    owners.owner(object).map(|(app, _)| position(self.project, &app.name))
                }
                Kind::Database
                | Kind::Schema
                | Kind::Extension
                | Kind::DefaultPrivileges
                | Kind::Foreign
                | Kind::Language => Some(0),
                _ => None,
            };
            self.found.extend(app.map(|app| (address, app)));
        }
    }

    /// Gives objects to the apps of what needs them, or else of what they need. Returns whether there was one.
    fn by_neighbours(&mut self) -> bool {
        let mut needed_by: BTreeMap<&Address, BTreeSet<usize>> = BTreeMap::new();
        for object in self.schema.objects() {
            let Some(home) = self.home(&object.address) else { continue };
            for need in &object.needs {
                needed_by.entry(&need.on).or_default().insert(home);
            }
        }
        let free = self.schema.objects().filter(|it| self.home(&it.address).is_none());
        let home = |object: &'c Object| {
            let users = needed_by.get(&object.address).cloned().unwrap_or_default();
            let base = users.iter().find(|&&base| users.iter().all(|&user| self.may_touch(user, base)));
            let needs =
                object.needs.iter().filter(|need| !matches!(need.on.kind, Kind::Schema | Kind::Extension));
            let needs: BTreeSet<usize> = needs.filter_map(|need| self.home(&need.on)).collect();
            let top = needs.iter().find(|&&top| needs.iter().all(|&need| self.may_touch(top, need)));
            Some((&object.address, *base.or(top)?))
        };
        let found: Vec<(&'c Address, usize)> = free.filter_map(home).collect();
        let any = !found.is_empty();
        self.found.extend(found);
        any
    }

    fn may_touch(&self, app: usize, other: usize) -> bool {
        let name = &self.project.apps[other].name;
        app == other || self.project.apps[app].depends_on.contains(name)
    }
}
