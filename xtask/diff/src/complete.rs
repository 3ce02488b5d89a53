//! What follows from differences of several objects together.

mod creation;
mod inherited;

use std::{collections::BTreeSet, iter};

use catalogue::{Address, Body, Kind, Object, Role, Strength};

use crate::{
    common, kinds,
    plan::{Alteration, Plan},
    side::{Side, is_in_parent, needed_index, not_valid},
};

impl<'c> Plan<'c> {
    /// Adds what follows from differences of several objects together.
    pub(crate) fn complete(&mut self) {
        self.complete_indexes();
        self.complete_identities();
        self.complete_domains();
        self.complete_not_nulls();
        self.complete_not_valid();
        self.complete_late_defaults();
        self.complete_attributes();
        self.complete_unlogged();
        self.complete_names_of_not_nulls();
        self.complete_rights_of_new_owners();
        self.complete_rights_of_columns();
    }

    /// The rights to the columns of a table that gets another owner are handed over with it.
    fn complete_rights_of_new_owners(&mut self) {
        let owned = self.alterations.iter().filter(|(_, all)| all.iter().any(|it| it.attribute == "owner"));
        let tables: Vec<&'c Address> = owned.map(|(table, _)| *table).collect();
        for table in tables {
            let (Some(before), Some(after)) = (self.old.get(table), self.new.get(table)) else { continue };
            for column in self.new.catalogue.parts(Kind::Column, table) {
                let Some(old) = self.old.get(&column.address).filter(|it| !it.rights.0.is_empty()) else {
                    continue;
                };
                let sql = common::change_rights_of_column(old, self.after(column), before, after);
                let alterations = self.alterations.entry(&column.address).or_default();
                alterations.retain(|it| it.attribute != "rights");
                self.alter(column, "rights", sql, false);
            }
        }
    }

    /// A revoke from a table takes the rights to its columns along.
    fn complete_rights_of_columns(&mut self) {
        let revokes = |it: &Alteration| {
            it.attribute == "rights" && it.sql.iter().any(|it| it.text.starts_with("revoke"))
        };
        let tables: Vec<&'c Address> = self
            .alterations
            .iter()
            .filter(|(_, all)| all.iter().any(revokes))
            .map(|(table, _)| *table)
            .collect();
        let columns = tables.into_iter().flat_map(|table| self.new.catalogue.parts(Kind::Column, table));
        let granted =
            columns.filter(|column| !column.rights.0.is_empty() && self.old.get(&column.address).is_some());
        for column in granted.collect::<Vec<_>>() {
            let sql = common::grant_again(self.after(column));
            match self
                .alterations
                .entry(&column.address)
                .or_default()
                .iter_mut()
                .find(|it| it.attribute == "rights")
            {
                Some(alteration) => alteration.sql.extend(sql),
                None => self.alter(column, "rights", sql, false),
            }
        }
    }

    /// A partitioned table that takes null lets its partitions do so too, and some of them go on refusing it.
    fn complete_not_nulls(&mut self) {
        if !self.alterations.values().flatten().any(|it| it.attribute == "not_null") {
            return;
        }
        let children: Vec<&Object> = self
            .new
            .catalogue
            .of_kind(Kind::Column)
            .filter(|child| {
                let refuses = |it: &Object| matches!(&it.body, Body::Column(it) if it.not_null);
                let lets = |it: &Object| {
                    let altered = self.alterations(&it.address).iter();
                    let whole = self.new.whole(&it.address).map(|whole| &whole.body);
                    matches!(whole, Some(Body::Table(it)) if it.partitioned_by.is_some())
                        && !refuses(it)
                        && altered.clone().any(|it| it.attribute == "not_null" && !it.sql.is_empty())
                };
                refuses(child)
                    && self.old.get(&child.address).is_some_and(refuses)
                    && self.new.columns_above(child).into_iter().any(lets)
            })
            .collect();
        for child in children {
            let sql = kinds::refuse_null(self.after(child));
            self.alter(child, "not_null", sql, false);
        }
    }

    /// A column that a table has from several parents can't follow the type of one of them.
    pub(crate) fn complete_merged_columns(&mut self) {
        let retyped = |all: &[Alteration]| all.iter().any(|it| it.alone);
        let retyped = self
            .alterations
            .iter()
            .filter(|(address, all)| address.kind == Kind::Column && retyped(all) && !self.is_gone(address));
        let roots = |side: &Side<'c>, column: &'c Object| {
            let above = side.columns_above(column).into_iter();
            above
                .filter(|it| side.columns_above(it).is_empty())
                .map(|it| &it.address)
                .collect::<BTreeSet<_>>()
        };
        let mut merged = Vec::new();
        for (address, _) in retyped {
            for column in self.old.get(address).into_iter().flat_map(|it| self.old.columns_below(it)) {
                let after = self.new.get(&column.address).map(|it| roots(&self.new, it).len());
                if after > Some(1) && roots(&self.old, column).len() > 1 {
                    merged.extend(self.old.whole(&column.address));
                }
            }
        }
        merged.into_iter().for_each(|table| self.rebuild(table));
    }

    /// The sequences of a table become logged or not with it, and some differ from it.
    fn complete_unlogged(&mut self) {
        let changed = self.alterations.iter().filter(|(address, all)| {
            address.kind == Kind::Table && all.iter().any(|it| it.attribute == "unlogged")
        });
        let tables: Vec<&Address> = changed.map(|(address, _)| *address).collect();
        let sequences: Vec<&Object> = tables.into_iter().flat_map(|table| self.sequences_of(table)).collect();
        for sequence in sequences {
            let after = self.new.get(&sequence.address).filter(|it| self.old.get(&it.address).is_some());
            let after =
                after.filter(|it| self.alterations(&it.address).iter().all(|it| it.attribute != "unlogged"));
            if let Some(after) = after.filter(|it| !matches!(&it.body, Body::Sequence(it) if it.identity)) {
                let sql = kinds::set_logged(self.after(after));
                self.alter(after, "unlogged", sql, false);
            }
        }
    }

    /// The sequences that belonged to columns of a table.
    pub(crate) fn sequences_of(&self, table: &Address) -> Vec<&'c Object> {
        let Some(table) = self.old.get(table) else { return Vec::new() };
        let columns = self.old.catalogue.parts(Kind::Column, &table.address);
        let owned = columns
            .flat_map(|column| self.old.dependents(&column.address))
            .filter(|(it, need)| it.address.kind == Kind::Sequence && need.strength == Strength::Automatic);
        owned.map(|(it, _)| *it).collect()
    }

    /// A check or refusal of null that is not valid is so in a new child only if it comes after it.
    fn complete_not_valid(&mut self) {
        let made = self.objects_made().filter(|it| {
            is_in_parent(it)
                && not_valid(it) == Some(true)
                && self.new.whole(&it.address).is_some_and(|table| self.is_made(&table.address))
        });
        let made: Vec<&Object> = made.collect();
        for check in made {
            let original = self.new.same_in_parent(check).and_then(|it| self.old.get(&it.address));
            original.into_iter().for_each(|it| self.rebuild(it));
        }
    }

    /// What the role that migrates usually grants is set aside while it makes objects, which have their own rights.
    pub(crate) fn complete_default_privileges(&mut self) {
        let has_rights = |object: &&Object| {
            !object.address.kind.is_part() && object.address.kind != Kind::DefaultPrivileges
        };
        if !self.objects_made().any(|object| has_rights(&object)) {
            return;
        }
        let ours = self.old.catalogue.of_kind(Kind::DefaultPrivileges);
        let ours =
            ours.filter(|it| matches!(&it.body, Body::DefaultPrivileges(it) if it.role.0 == Role::Migrator));
        for privileges in ours.collect::<Vec<_>>() {
            self.rebuild(privileges);
        }
    }

    /// A partition that leaves its parent keeps a copy of each foreign key, which the server does not list before.
    pub(crate) fn complete_detached(&mut self) {
        let detached =
            self.old.catalogue.tables().filter(|it| !self.is_gone(&it.address) && self.is_detached(it));
        let detached: Vec<&Object> = detached.collect();
        for table in detached {
            let Some(after) = self.new.get(&table.address) else { continue };
            let mut sql = Vec::new();
            let mut keys = self.copied_keys(table);
            keys.retain(|key| !self.loses_a_column(table, key));
            for key in keys {
                let address = Address {
                    part: name_of_copy(key, table).to_owned(),
                    kind: Kind::Constraint,
                    ..table.address.clone()
                };
                match self.new.get(&address) {
                    Some(kept) if kept.body == key.body && !self.loses_what_it_refers_to(key) => {
                        self.fates.remove(&address);
                    }
                    _ => sql.extend(kinds::drop_constraint(self.after(after), &address.part)),
                }
            }
            if !sql.is_empty() {
                self.alter(after, kinds::COPIED_KEYS, sql, false);
            }
        }
    }

    /// A partition that is attached gets an index for each of the partitioned table's. One that has none comes first.
    pub(crate) fn complete_indexes_without_parts(&mut self) {
        let facet = |table: &'c Object| (&table.address, kinds::ATTACHED);
        let is_attached = |table: &&'c Object| {
            self.is_made(&table.address)
                || self.changed.contains(&facet(table))
                || self.unset.contains(&facet(table))
        };
        let mut alone = Vec::new();
        for table in
            self.new.catalogue.of_kind(Kind::Table).filter(|it| it.is_partition()).filter(is_attached)
        {
            let Some(parent) = self.new.partitioned(table) else { continue };
            let indexes = self.new.indexes(&parent.address).iter();
            let without = indexes.filter(|index| !self.new.has_complete_part(table, index));
            alone.extend(without.filter_map(|index| self.old.get(&index.address)));
        }
        alone.into_iter().for_each(|index| self.rebuild(index));
    }

    /// The foreign keys of which a partition keeps a copy.
    pub(crate) fn copied_keys(&self, partition: &'c Object) -> Vec<&'c Object> {
        let ancestors = iter::successors(self.old.partitioned(partition), |it| self.old.partitioned(it));
        let constraints = ancestors.flat_map(|it| self.old.catalogue.parts(Kind::Constraint, &it.address));
        constraints
            .filter(|it| matches!(&it.body, Body::Constraint(it) if it.sort == "foreign key"))
            .collect()
    }

    /// Whether a partition loses its copy of a foreign key together with a column.
    fn loses_a_column(&self, partition: &Object, key: &Object) -> bool {
        let Body::Constraint(body) = &key.body else { return false };
        let column =
            |name: &String| Address { part: name.clone(), kind: Kind::Column, ..partition.address.clone() };
        body.columns.0.iter().any(|name| self.is_gone(&column(name)))
    }

    /// Whether a foreign key can't stay because of what happens to the other table.
    fn loses_what_it_refers_to(&self, key: &Object) -> bool {
        let Body::Constraint(body) = &key.body else { return false };
        let table = body.references.as_ref().map(|it| &it.table);
        needed_index(key).into_iter().chain(table).any(|it| self.is_gone(it))
    }

    /// An index becomes one of a constraint, or the other way round, by being made again.
    fn complete_indexes(&mut self) {
        // An attached index goes away with the one of the partitioned table alone.
        let gone = self.old.catalogue.of_kind(Kind::Index).filter(|index| self.is_gone(&index.address));
        let parents = gone.filter(|index| !self.is_detached_with(index)).filter_map(needed_index);
        let parents = parents.filter_map(|parent| self.old.get(parent));
        for parent in parents.collect::<Vec<_>>() {
            self.rebuild(parent);
        }
        for index in self.old.catalogue.of_kind(Kind::Index) {
            let before = self.old.is_part_of(index).map(|of| &of.address);
            let after = self.new.get(&index.address);
            if after.is_some_and(|it| self.new.is_part_of(it).map(|of| &of.address) != before) {
                self.rebuild(index);
            }
        }
    }

    /// A column gets the sequence of another name by losing its identity and getting it again.
    fn complete_identities(&mut self) {
        let gone: Vec<&Object> = self.objects_gone().filter(|it| it.address.kind == Kind::Sequence).collect();
        for sequence in gone {
            let column = self.old.is_part_of(sequence).filter(|it| !self.is_gone(&it.address));
            let Some(after) = column.and_then(|column| self.new.get(&column.address)) else { continue };
            if !self.alterations(&after.address).iter().any(|it| it.attribute == "identity") {
                let sql = kinds::identify_again(self.after(after));
                self.alter(after, "identity", sql, false);
            }
        }
    }

    /// A domain can't get a check that holds, or refuse nulls, while values of it are inside of others.
    fn complete_domains(&mut self) {
        let checks = self.objects_made().filter(|made| match &made.body {
            Body::DomainConstraint(check) => !check.not_valid,
            body => matches!(body, Body::DomainNotNull(_)),
        });
        let made = checks.filter_map(|check| self.old.whole(&check.address));
        let altered = self.alterations.iter().filter_map(|(address, all)| {
            let has = |attribute| all.iter().any(|it| it.attribute == attribute);
            let object = self.old.get(address)?;
            match &object.body {
                Body::Domain(before) if !before.not_null && has("not_null") => Some(object),
                Body::DomainConstraint(_) if has("not_valid") => self.old.whole(address),
                _ => None,
            }
        });
        let stricter: Vec<&Object> = made.chain(altered).filter(|domain| self.is_nested(domain)).collect();
        stricter.into_iter().for_each(|domain| self.rebuild(domain));
    }

    /// Whether values of a domain are inside of others, where the server does not check them again.
    fn is_nested(&self, domain: &Object) -> bool {
        self.old.holders(&domain.address).into_iter().any(|holder| match &holder.body {
            Body::Column(body) => {
                let whole = self.old.whole(&holder.address).map(|whole| whole.address.kind);
                body.data_type.ends_with("[]")
                    || whole == Some(Kind::CompositeType)
                    || !holder.needs.iter().any(|need| need.on.kind == Kind::Domain)
            }
            Body::Range(_) => true,
            Body::Domain(body) => body.data_type.ends_with("[]"),
            _ => false,
        })
    }
}

/// The name of the copy of a foreign key that a partition has.
fn name_of_copy<'k>(key: &'k Object, partition: &Object) -> &'k str {
    let Body::Constraint(body) = &key.body else { return &key.address.part };
    let copy = body.copies.0.0.iter().find(|(table, _)| *table == partition.address);
    copy.map_or(&key.address.part, |(_, name)| name)
}
