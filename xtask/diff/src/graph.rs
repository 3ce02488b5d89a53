//! The steps of a script, and which must come before which.

use std::collections::HashMap;

use catalogue::{Address, Body, Kind, Need, Object, Strength};

use crate::{
    common,
    it::{Inline, It},
    kinds,
    means::{COMPLETE, Facet},
    plan::Plan,
    side::{RELATIONS, Side, is_inherited},
    statement::{Change, Sql},
};

/// What a step does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Act {
    Unset(&'static str),
    SetAside,
    Drop,
    Alter(&'static str),
    Create,
    Set(&'static str),
}

/// How a step belongs to another one, which does its work too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// It can't be done alone.
    Must(usize),
    /// It can be done alone, and is if that cuts a circle.
    May(usize),
}

pub(crate) struct Step<'c> {
    pub(crate) object: &'c Object,
    pub(crate) act: Act,
    /// What it runs. A step that makes its object also runs what sets its attributes.
    pub(crate) sql: Vec<Sql>,
    pub(crate) host: Option<Host>,
    /// Its place among those that could come next.
    pub(crate) rank: (u8, u8),
}

/// The schema and the name of a table, a view or a type with columns.
pub(crate) type Table<'c> = (&'c str, &'c str);

impl Step<'_> {
    pub(crate) fn change(&self) -> Change {
        match self.act {
            Act::Drop => Change::Drop,
            Act::Create => Change::Create,
            _ => Change::Alter,
        }
    }
}

/// The steps, and for each those that must come after it.
pub(crate) struct Graph<'p, 'c> {
    plan: &'p Plan<'c>,
    pub(crate) steps: Vec<Step<'c>>,
    pub(crate) after: Vec<Vec<usize>>,
    /// Those that should come after it, if that closes no circle.
    pub(crate) rather_after: Vec<Vec<usize>>,
    index: HashMap<(&'c Address, Act), usize>,
    /// The alterations of each object that change what only its kind has.
    altering: HashMap<&'c Address, Vec<usize>>,
}

impl<'p, 'c> Graph<'p, 'c> {
    pub(crate) fn new(plan: &'p Plan<'c>) -> Graph<'p, 'c> {
        let mut graph = Graph {
            plan,
            steps: Vec::new(),
            after: Vec::new(),
            rather_after: Vec::new(),
            index: HashMap::new(),
            altering: HashMap::new(),
        };
        graph.add_steps();
        graph.find_hosts();
        graph.connect();
        graph
    }

    /// The SQL of a step that makes its object, together with what is made inline.
    pub(crate) fn create(&self, step: &Step<'c>, inline: &[Inline<'c>]) -> Vec<Sql> {
        if self.is_made_by_another(step.object) {
            return Vec::new();
        }
        kinds::create(It { inline, ..self.plan.after(step.object) })
    }

    fn add(&mut self, object: &'c Object, act: Act, sql: Vec<Sql>) {
        self.index.insert((&object.address, act), self.steps.len());
        let rank = rank(object.address.kind, act, &sql);
        self.steps.push(Step { object, act, sql, host: None, rank });
        self.after.push(Vec::new());
        self.rather_after.push(Vec::new());
    }

    fn add_steps(&mut self) {
        let plan = self.plan;
        for (object, facet) in plan.facets_to_unset() {
            self.add(object, Act::Unset(facet.name), facet.unset.unwrap_or_default());
        }
        for object in plan.objects_gone() {
            if plan.is_aside(&object.address) {
                let (aside, dropped) = kinds::set_aside(plan.before(object));
                self.add(object, Act::SetAside, aside);
                self.add(object, Act::Drop, dropped);
            } else {
                self.add(object, Act::Drop, kinds::drop(plan.before(object)));
            }
        }
        for (address, alterations) in &plan.alterations {
            for alteration in alterations {
                let Some(object) = plan.new.get(address) else { continue };
                let act = Act::Alter(alteration.attribute);
                if !common::is_common(alteration.attribute) {
                    self.altering.entry(address).or_default().push(self.steps.len());
                }
                self.add(object, act, alteration.sql.clone());
            }
        }
        for object in plan.objects_made() {
            let settings = if is_completed_later(plan, object) { Vec::new() } else { self.settings(object) };
            self.add(object, Act::Create, settings);
        }
        for (object, mut facet) in plan.facets_to_set() {
            if is_completed_later(plan, object) {
                facet.set.extend(self.settings(object));
            }
            self.add(object, Act::Set(facet.name), facet.set);
        }
    }

    /// What sets the attributes of an object that has just been made.
    fn settings(&self, object: &'c Object) -> Vec<Sql> {
        let it = self.plan.after(object);
        let given = common::given_at_creation(object, self.plan.old.catalogue);
        let own = object.body.attributes().into_iter();
        let own = own.filter(|(_, value)| !value.value(catalogue::Scope::Exact).is_absent());
        let mut sql: Vec<Sql> = own.flat_map(|(name, _)| kinds::set(name, it)).collect();
        sql.extend(catalogue::COMMON.iter().flat_map(|name| common::set(name, it, &given)));
        sql
    }

    /// The table that an object is, or belongs to.
    pub(crate) fn table_of(&self, object: &'c Object) -> Option<Table<'c>> {
        let of = |side: &Side<'c>| {
            let whole = side.table_of_index(object).or_else(|| side.whole(&object.address)).unwrap_or(object);
            let is_table = RELATIONS.contains(&whole.address.kind);
            is_table.then_some((whole.address.schema.as_str(), whole.address.name.as_str()))
        };
        of(&self.plan.new).or_else(|| of(&self.plan.old))
    }

    fn step(&self, address: &Address, act: Act) -> Option<usize> {
        self.index.get(&(address, act)).copied()
    }

    /// Whether the statement of another object makes this one.
    fn is_made_by_another(&self, object: &'c Object) -> bool {
        let plan = self.plan;
        match &object.body {
            // The children have an index each, which is attached.
            Body::Constraint(it) if matches!(it.sort.as_str(), "primary key" | "unique" | "exclude") => false,
            Body::Index(_) => plan.new.is_part_of(object).is_some(),
            Body::Sequence(it) => it.identity,
            Body::Column(_) if self.is_column_of_view(object) => true,
            Body::Column(_) if self.is_added_with_attribute(object) => true,
            // A table must have all of that before it is attached.
            Body::Column(_) | Body::Constraint(_) | Body::NotNull(_) if self.is_of_attached(object) => false,
            _ => is_inherited(object),
        }
    }

    /// Whether a typed table gets a column together with its type.
    fn is_added_with_attribute(&self, column: &'c Object) -> bool {
        let table = self.plan.new.whole(&column.address);
        let attribute = self.plan.new.attribute_of(column);
        let is_there = |of: &Object| self.step(&of.address, Act::Create).is_none();
        table.is_some_and(is_there) && attribute.is_some_and(|it| !is_there(it))
    }

    fn is_of_attached(&self, part: &Object) -> bool {
        let table = self.plan.new.whole(&part.address);
        table.is_some_and(|table| self.step(&table.address, Act::Set(kinds::ATTACHED)).is_some())
    }

    fn is_column_of_view(&self, object: &Object) -> bool {
        let whole = self.plan.new.whole(&object.address).or_else(|| self.plan.old.whole(&object.address));
        whole.is_some_and(|it| matches!(it.address.kind, Kind::View | Kind::MaterializedView))
    }

    fn find_hosts(&mut self) {
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            self.steps[at].host = match act {
                Act::Unset(COMPLETE) => self.step(&object.address, Act::Drop).map(Host::May),
                Act::Drop => self.host_of_drop(object),
                Act::Create => self.host_of_create(object),
                Act::Set(name) => self.host_of_facet(object, name),
                _ => None,
            };
        }
    }

    fn host_of_drop(&self, object: &'c Object) -> Option<Host> {
        let old = &self.plan.old;
        let drop = |of: &Address| self.step(of, Act::Drop);
        if let Some(whole) = old.whole(&object.address)
            && let Some(step) = drop(&whole.address)
        {
            let of_table = matches!(whole.address.kind, Kind::Table | Kind::ForeignTable);
            let alone = (of_table || object.address.kind != Kind::Column) && !is_inherited(object);
            return Some(if alone { Host::May(step) } else { Host::Must(step) });
        }
        if let Some(attribute) = old.attribute_of(object) {
            return drop(&attribute.address).map(Host::Must);
        }
        // A base type and its functions need each other.
        if let Some(base) = old.base_type_of(object) {
            return drop(&base.address).map(Host::Must);
        }
        if let Some(of) = old.is_part_of(object) {
            let identity = self.step(&of.address, Act::Alter("identity"));
            return drop(&of.address).or(identity).map(Host::Must);
        }
        if is_inherited(object) {
            let original = old.inherited_from(object).and_then(|it| drop(&it.address));
            // All but copied triggers stay with a table that is detached.
            let table = old.whole(&object.address).filter(|_| object.address.kind == Kind::Trigger);
            let detach = table.and_then(|table| self.step(&table.address, Act::Unset(kinds::ATTACHED)));
            return original.or(detach).map(Host::Must);
        }
        let detached = self.detach_of_index(object).is_some();
        let goes_with = |need: &&Need| {
            let stays = detached && need.on.kind == Kind::Index;
            need.strength == Strength::Automatic && drop(&need.on).is_some() && !stays
        };
        object.needs.iter().find(goes_with).and_then(|need| drop(&need.on)).map(Host::May)
    }

    fn host_of_create(&self, object: &'c Object) -> Option<Host> {
        let whole = self.plan.new.whole(&object.address)?;
        let step = self.step(&whole.address, Act::Create)?;
        match &object.body {
            Body::Column(_) => Some(Host::Must(step)),
            Body::Constraint(it) => {
                let inline = !it.not_valid && (!is_inherited(object) || whole.is_partition());
                inline.then_some(Host::May(step))
            }
            Body::NotNull(it) => {
                let inline = !it.not_valid && (!is_inherited(object) || whole.is_partition());
                inline.then_some(Host::May(step))
            }
            Body::DomainConstraint(it) => (!it.not_valid).then_some(Host::May(step)),
            Body::DomainNotNull(_) => Some(Host::May(step)),
            _ => None,
        }
    }

    fn host_of_facet(&self, object: &'c Object, name: &str) -> Option<Host> {
        let create = self.step(&object.address, Act::Create)?;
        // What a child table does not declare has no place in its statement.
        let made = !self.is_made_by_another(object)
            || self.plan.new.whole(&object.address).is_some_and(Object::is_partition);
        let facets = kinds::facets(self.plan.after(object));
        let inline = facets.iter().any(|facet| facet.name == name && facet.inline);
        (made && inline).then_some(Host::May(create))
    }

    fn before(&mut self, first: Option<usize>, then: Option<usize>) {
        if let (Some(first), Some(then)) = (first, then)
            && first != then
        {
            self.after[first].push(then);
        }
    }

    /// The same for an order that is better, and not needed.
    fn rather_before(&mut self, first: Option<usize>, then: Option<usize>) {
        if let (Some(first), Some(then)) = (first, then)
            && first != then
        {
            self.rather_after[first].push(then);
        }
    }

    fn connect(&mut self) {
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
                }
            }
        }
        self.separate_names();
        self.separate_bounds();
    }

    /// What an object of the old catalogue needs must stay until the step is done.
    fn releases(&mut self, at: usize, needs: impl Iterator<Item = &'c Need>) {
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
    fn requires(&mut self, at: usize, needs: impl Iterator<Item = &'c Need>) {
        for need in needs {
            let create = self.step(&need.on, Act::Create);
            self.before(create, Some(at));
            let complete = self.step(&need.on, Act::Set(COMPLETE));
            self.rather_before(complete, Some(at));
            for alter in self.altering.get(&*need.on).cloned().unwrap_or_default() {
                self.rather_before(Some(alter), Some(at));
            }
        }
    }

    fn alterations_alone(&self, address: &Address) -> Vec<usize> {
        let alone = self.plan.alterations(address).iter().filter(|it| it.alone);
        alone.filter_map(|it| self.step(address, Act::Alter(it.attribute))).collect()
    }

    fn connect_drop(&mut self, at: usize, object: &'c Object) {
        let plan = self.plan;
        let facets = match self.step(&object.address, Act::Unset(COMPLETE)) {
            Some(_) => kinds::facets(plan.before(object)),
            None => Vec::new(),
        };
        let own = |need: &&Need| !facets.iter().any(|facet| facet.completes && (facet.takes)(need));
        self.releases(at, object.needs.iter().filter(own));
        // Types that are set aside are so together, and their successors come before they go.
        let whole = plan.old.whole(&object.address).map_or(&object.address, |whole| &whole.address);
        if !plan.is_aside(whole) {
            for need in &object.needs {
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
            self.before(detach.filter(|_| is_inherited(object)), Some(at));
            // What a child declares too stays with it when the original is dropped.
            if object.address.kind == Kind::Constraint && drop.is_none() {
                let original = plan.old.same_in_parent(object);
                let original = original.and_then(|original| self.step(&original.address, Act::Drop));
                self.before(original, Some(at));
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
    fn detach_of_index(&self, index: &'c Object) -> Option<usize> {
        let table = self.plan.old.table_of_index(index)?;
        self.step(&table.address, Act::Unset(kinds::ATTACHED))
    }

    fn connect_create(&mut self, at: usize, object: &'c Object) {
        let plan = self.plan;
        let facets = kinds::facets(plan.after(object));
        let own = |need: &&Need| !facets.iter().any(|facet| (facet.takes)(need));
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
        if let Some(original) = plan.new.inherited_from(object) {
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
        match &object.body {
            Body::Sequence(it) if it.identity => {
                let column = plan.new.is_part_of(object);
                let alter = column.and_then(|it| self.step(&it.address, Act::Alter("identity")));
                self.before(alter, Some(at));
            }
            // PostgreSQL 18 makes constraints for the columns of a primary key that have none.
            Body::NotNull(_) => {
                let table = plan.new.whole(&object.address);
                for key in table.into_iter().flat_map(|table| primary_keys(&plan.new, table)) {
                    let key = self.step(&key.address, Act::Create);
                    self.before(Some(at), key);
                }
            }
            Body::Constraint(it) if it.sort == "foreign key" => self.connect_foreign_key(at, object),
            _ => {}
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
        for index in plan.new.catalogue.of_kind(Kind::Index) {
            let is_own = matches!(&index.body, Body::Index(it) if it.table.0 == table.address && it.attached_to.is_some());
            let create = self.step(&index.address, Act::Create);
            self.before(create.filter(|_| is_own), Some(at));
        }
    }

    fn connect_alter(&mut self, at: usize, object: &'c Object, attribute: &'static str) {
        let plan = self.plan;
        let next = plan.alterations(&object.address).iter().skip_while(|it| it.attribute != attribute).nth(1);
        let next = next.and_then(|it| self.step(&object.address, Act::Alter(it.attribute)));
        self.before(Some(at), next);
        if let Some(whole) = plan.new.whole(&object.address) {
            // A revoke from a table takes the rights to its columns along.
            let table = self.step(&whole.address, Act::Alter(attribute));
            self.before(table, Some(at));
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
        if let Some(original) = plan.new.same_in_parent(object) {
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

    /// A logged table can't refer to one that is lost in a crash.
    fn connect_unlogged(&mut self, at: usize, table: &'c Object) {
        let keys: Vec<&Object> = self.plan.new.catalogue.parts(Kind::Constraint, &table.address).collect();
        let unlogged = matches!(&table.body, Body::Table(table) if table.unlogged);
        for key in keys {
            let Body::Constraint(body) = &key.body else { continue };
            let Some(to) = &body.references else { continue };
            let other = self.step(&to.table, Act::Alter("unlogged"));
            if unlogged { self.before(Some(at), other) } else { self.before(other, Some(at)) }
        }
    }

    /// A name is free when what has it is dropped, set aside or renamed.
    fn separate_names(&mut self) {
        let mut taken: HashMap<(Space, &str, &str), Vec<usize>> = HashMap::new();
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            let frees = match act {
                Act::Drop => !self.plan.is_aside(&object.address),
                Act::SetAside => true,
                _ => false,
            };
            for space in spaces(&object.address).filter(|_| frees) {
                taken.entry((space, &object.address.schema, &object.address.name)).or_default().push(at);
            }
        }
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            for space in spaces(&object.address).filter(|_| act == Act::Create) {
                let key = (space, object.address.schema.as_str(), object.address.name.as_str());
                for free in taken.get(&key).cloned().unwrap_or_default() {
                    self.before(Some(free), Some(at));
                }
            }
        }
    }

    /// Partitions leave before others take their bounds, and what takes the rest comes last.
    fn separate_bounds(&mut self) {
        let mut left: HashMap<&Address, Vec<usize>> = HashMap::new();
        let mut joined: HashMap<&Address, Vec<(usize, bool)>> = HashMap::new();
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            match act {
                Act::Unset(kinds::ATTACHED) | Act::Drop if object.address.kind != Kind::Index => {
                    if let Some(parent) = self.plan.old.partitioned(object) {
                        left.entry(&parent.address).or_default().push(at);
                    }
                }
                Act::Set(kinds::ATTACHED) if object.address.kind != Kind::Index => {
                    if let Some(parent) = self.plan.new.partitioned(object) {
                        joined.entry(&parent.address).or_default().push((at, takes_the_rest(object)));
                    }
                }
                _ => {}
            }
        }
        for (parent, joined) in &joined {
            for &(at, rest) in joined {
                for &free in left.get(parent).into_iter().flatten() {
                    self.before(Some(free), Some(at));
                }
                for &(other, _) in joined.iter().filter(|(_, other)| rest && !other) {
                    self.before(Some(other), Some(at));
                }
            }
        }
    }
}

/// Whether an object is never made whole by one statement: a base type is first only a name.
fn is_completed_later(plan: &Plan<'_>, object: &Object) -> bool {
    object.address.kind == Kind::BaseType
        && kinds::facets(plan.after(plan.new.get(&object.address).unwrap_or(object)))
            .iter()
            .any(|facet| facet.completes)
}

fn takes_the_rest(partition: &Object) -> bool {
    let bounds = match &partition.body {
        Body::Table(table) => table.partition.as_deref(),
        Body::ForeignTable(table) => table.partition.as_deref(),
        _ => None,
    };
    bounds == Some("DEFAULT")
}

fn whole_address(plan: &Plan<'_>, part: &Object) -> Address {
    plan.old.whole(&part.address).map_or_else(|| part.address.clone(), |whole| whole.address.clone())
}

fn primary_keys<'c>(side: &crate::side::Side<'c>, table: &'c Object) -> Vec<&'c Object> {
    let is_key = |it: &&Object| matches!(&it.body, Body::Constraint(it) if it.sort == "primary key");
    side.catalogue.parts(Kind::Constraint, &table.address).filter(is_key).collect()
}

/// Where two objects can't have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Space {
    Relations,
    Types,
    Routines,
}

fn spaces(address: &Address) -> impl Iterator<Item = Space> {
    let kind = address.kind;
    let relation = RELATIONS.contains(&kind) || matches!(kind, Kind::Sequence | Kind::Index);
    let is_type =
        RELATIONS.contains(&kind) || matches!(kind, Kind::Enum | Kind::Domain | Kind::Range | Kind::BaseType);
    let routine = matches!(kind, Kind::Function | Kind::Aggregate);
    [(Space::Relations, relation), (Space::Types, is_type), (Space::Routines, routine)]
        .into_iter()
        .filter_map(|(space, has)| has.then_some(space))
}

/// The place of a step among those that could come next: first by what it does, then by kind.
fn rank(kind: Kind, act: Act, sql: &[Sql]) -> (u8, u8) {
    const ORDER: [Kind; 25] = [
        Kind::Schema,
        Kind::Language,
        Kind::Collation,
        Kind::Extension,
        Kind::Enum,
        Kind::CompositeType,
        Kind::Domain,
        Kind::Range,
        Kind::Sequence,
        Kind::Function,
        Kind::Aggregate,
        Kind::Operator,
        Kind::OperatorFamily,
        Kind::OperatorClass,
        // No expression that uses one needs it as far as the server knows.
        Kind::Cast,
        Kind::BaseType,
        Kind::Transform,
        Kind::Table,
        Kind::ForeignTable,
        Kind::Column,
        Kind::NotNull,
        Kind::Constraint,
        Kind::Index,
        Kind::View,
        Kind::MaterializedView,
    ];
    let of_kind = ORDER.iter().position(|it| *it == kind).unwrap_or(ORDER.len());
    let of_kind = u8::try_from(of_kind).unwrap_or(u8::MAX);
    let first = match act {
        Act::Drop if kind == Kind::EventTrigger => 0,
        _ if kind == Kind::DefaultPrivileges => 8,
        _ if kind == Kind::EventTrigger => 9,
        Act::Alter(_) if sql.iter().any(|it| it.commit_after) => 1,
        Act::Unset(_) => 2,
        Act::SetAside => 3,
        Act::Drop => 4,
        // Keys and indexes after the columns of all tables.
        Act::Set(_) if kind == Kind::Index => 6,
        _ => 5,
    };
    (first, if act == Act::Drop { u8::MAX - of_kind } else { of_kind })
}
