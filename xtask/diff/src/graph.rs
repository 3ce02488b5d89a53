//! The steps of a script, and which must come before which.

mod altering;
mod apart;
mod edges;
mod hosts;

use std::{collections::BTreeSet, iter};

use catalogue::{Address, Body, Kind, Object};
use foldhash::{HashMap, HashMapExt};

use crate::{
    common,
    it::{Inline, It},
    kinds,
    plan::Plan,
    side::{RELATIONS, Side, not_valid},
    statement::Sql,
    step::{Act, Step, Table, rank},
};

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

    /// The columns that steps alter, else the other objects.
    pub(crate) fn altered(&self, steps: &[usize]) -> BTreeSet<&'c Address> {
        let altered = |of_column: bool| {
            let steps = steps.iter().map(|&step| &self.steps[step]);
            let altered = steps.filter(|step| !matches!(step.act, Act::Create | Act::Drop | Act::SetAside));
            let addresses = altered.map(|step| &step.object.address);
            addresses.filter(|it| (it.kind == Kind::Column) == of_column).collect::<BTreeSet<_>>()
        };
        let columns = altered(true);
        if columns.is_empty() { altered(false) } else { columns }
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

    /// The table that an object is, or belongs to.
    pub(crate) fn table_of(&self, object: &'c Object) -> Option<Table<'c>> {
        let of = |side: &Side<'c>| {
            let whole = side.table_of_index(object).or_else(|| side.whole(&object.address)).unwrap_or(object);
            let is_table = RELATIONS.contains(&whole.address.kind);
            is_table.then_some((whole.address.schema.as_str(), whole.address.name.as_str()))
        };
        of(&self.plan.new).or_else(|| of(&self.plan.old))
    }

    /// What sets the attributes of an object that has just been made.
    fn settings(&self, object: &'c Object) -> Vec<Sql> {
        let it = self.plan.after(object);
        let given = common::given_at_creation(object);
        let own = object.body.attributes().into_iter();
        let own = own.filter(|(name, value)| {
            !value.value(catalogue::Scope::Exact).is_absent() || self.takes_from_parent(object, name)
        });
        let mut sql: Vec<Sql> = own.flat_map(|(name, _)| kinds::set(name, it)).collect();
        sql.extend(catalogue::COMMON.iter().flat_map(|name| common::set(name, it, &given)));
        sql
    }

    /// Whether a part gets an attribute of a parent's part, or of its table, when it is made, and must lose it.
    fn takes_from_parent(&self, object: &'c Object, attribute: &str) -> bool {
        if let Some(is_not_valid) = not_valid(object) {
            let original = self.plan.new.inherited_from(object);
            let table = self.plan.new.whole(&object.address);
            return attribute == "not_valid"
                && !is_not_valid
                && original.and_then(not_valid) == Some(true)
                && table.is_some_and(|table| !self.plan.is_made(&table.address));
        }
        if attribute == "unlogged" {
            return kinds::is_logged_otherwise_than_its_table(object, &self.plan.new);
        }
        let has = |it: &Object| match (&it.body, attribute) {
            (Body::Column(it), "storage") => it.storage.is_some(),
            (Body::Column(it), "compression") => it.compression.is_some(),
            (Body::Column(it), "default") => it.default.is_some() && it.generated.is_none(),
            (Body::Trigger(it), "state") => it.state.is_some(),
            _ => false,
        };
        let new = &self.plan.new;
        let above = match object.address.kind {
            Kind::Column => new.columns_above(object),
            Kind::Trigger => {
                iter::successors(new.inherited_from(object), |it| new.inherited_from(it)).collect()
            }
            _ => Vec::new(),
        };
        let mut sides = [&self.plan.old, new].into_iter();
        sides.any(|side| above.iter().filter_map(|it| side.get(&it.address)).any(has))
    }

    fn step(&self, address: &Address, act: Act) -> Option<usize> {
        self.index.get(&(address, act)).copied()
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
}

/// Whether an object is never made whole by one statement: a base type is first only a name.
fn is_completed_later(plan: &Plan<'_>, object: &Object) -> bool {
    object.address.kind == Kind::BaseType
        && kinds::facets(plan.after(plan.new.get(&object.address).unwrap_or(object)))
            .iter()
            .any(|facet| facet.completes)
}
