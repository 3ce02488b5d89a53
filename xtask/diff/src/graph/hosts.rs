//! Which steps are done by the statement of another one.

use catalogue::{Address, Body, Kind, Need, Object, Strength};

use super::Graph;
use crate::{
    kinds,
    side::{is_inherited, is_typed},
    step::{Act, Host, Step},
};

impl<'c> Graph<'_, 'c> {
    /// Whether the statement of another object makes this one.
    pub(super) fn is_made_by_another(&self, object: &'c Object) -> bool {
        let plan = self.plan;
        match &object.body {
            // The children have an index each, which is attached.
            Body::Constraint(it) if it.has_index() => false,
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
        let was_typed = table.and_then(|table| self.plan.old.get(&table.address)).is_some_and(is_typed);
        was_typed
            && table.is_some_and(|table| is_there(table) && !self.leaves_type(table))
            && attribute.is_some_and(|it| !is_there(it))
    }

    fn leaves_type(&self, table: &Object) -> bool {
        self.step(&table.address, Act::Alter(kinds::LEFT_TYPE)).is_some()
    }

    pub(super) fn is_of_attached(&self, part: &Object) -> bool {
        let table = self.plan.new.whole(&part.address);
        table.is_some_and(|table| self.step(&table.address, Act::Set(kinds::ATTACHED)).is_some())
    }

    /// The unique indexes, apart from the indexes of constraints, of a table that is attached to a partitioned one. For each
    /// index of that, Postgres takes the oldest index of the table that fits: for one without a constraint, perhaps a key's.
    /// So these are made before the keys.
    pub(super) fn unique_indexes_of_attached(&self, table: &'c Object) -> impl Iterator<Item = &'c Object> {
        let attached = self.step(&table.address, Act::Set(kinds::ATTACHED)).is_some();
        let indexes = if attached { self.plan.new.indexes(&table.address) } else { &[] };
        indexes.iter().copied().filter(|index| {
            matches!(&index.body, Body::Index(it) if it.unique && it.attached_to.is_some())
                && self.plan.new.is_part_of(index).is_none()
        })
    }

    fn is_column_of_view(&self, object: &Object) -> bool {
        let whole = self.plan.new.whole(&object.address).or_else(|| self.plan.old.whole(&object.address));
        whole.is_some_and(|it| matches!(it.address.kind, Kind::View | Kind::MaterializedView))
    }

    pub(super) fn find_hosts(&mut self) {
        for at in 0..self.steps.len() {
            let Step { object, act, .. } = self.steps[at];
            self.steps[at].host = match act {
                Act::Unset(_) => self.step(&object.address, Act::Drop).map(Host::May),
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
        // A column takes its own refusal of null along, which may be what an identity needs.
        if object.address.kind == Kind::NotNull && !is_inherited(object) {
            let column = object.needs.iter().find(|need| need.on.kind == Kind::Column);
            // Children that keep the column must lose their copies first, and nothing would drop them later.
            let is_identity = |it: &Object| matches!(&it.body, Body::Column(it) if it.identity.is_some());
            let kept = column
                .and_then(|need| old.get(&need.on))
                .is_some_and(|it| !is_identity(it) && kinds::stays_in_child(self.plan.before(it)));
            if let Some(column) = column.and_then(|need| drop(&need.on)) {
                return (!kept).then_some(Host::Must(column));
            }
        }
        if let Some(whole) = old.whole(&object.address)
            && let Some(step) = drop(&whole.address)
        {
            let of_table = matches!(whole.address.kind, Kind::Table | Kind::ForeignTable);
            // A column of a typed table goes only with its type's attribute, or with the table.
            let is_column = object.address.kind == Kind::Column;
            let alone = !(is_column && (!of_table || is_typed(whole))) && !is_inherited(object);
            return Some(if alone { Host::May(step) } else { Host::Must(step) });
        }
        let table = old.whole(&object.address);
        let left_type = table.is_some_and(|table| self.leaves_type(table));
        if let Some(attribute) = old.attribute_of(object).filter(|_| !left_type) {
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
            // What a parent no longer passes on is left to the child first.
            let left = |it: &Object| self.step(&it.address, Act::Alter("no_inherit")).is_some();
            if old.same_in_parents(object).any(left) {
                return None;
            }
            let original = old.inherited_from(object).filter(|it| !self.is_left_with(object, it));
            let original = original.filter(|it| !kinds::is_left_to_child(self.plan.before(it)));
            let original = original.and_then(|it| drop(&it.address));
            let detach = table.and_then(|table| self.step(&table.address, Act::Unset(kinds::ATTACHED)));
            // All but copied triggers stay with a table that is detached.
            return match (detach, object.address.kind) {
                (Some(_), kind) if kind != Kind::Trigger => None,
                _ => original.or(detach).map(Host::Must),
            };
        }
        let detached = self.detach_of_index(object).is_some();
        let goes_with = |need: &&Need| {
            let stays = detached && need.on.kind == Kind::Index
                || object.address.kind == Kind::Constraint
                    && old.get(&need.on).is_some_and(|on| kinds::stays_in_child(self.plan.before(on)));
            need.strength == Strength::Automatic && drop(&need.on).is_some() && !stays
        };
        let whole = object.needs.iter().find(goes_with)?;
        // An index that is attached to another one can't be dropped alone, nor can what the default of its column needs.
        let attached = (object.address.kind, whole.on.kind) == (Kind::Index, Kind::Index);
        let needed = old.get(&whole.on).is_some_and(|on| on.needs.iter().any(|it| *it.on == object.address));
        let host = if attached || needed { Host::Must } else { Host::May };
        drop(&whole.on).map(host)
    }

    /// Whether the table of a part leaves the parent that has the original, which is no partitioned one.
    fn is_left_with(&self, part: &'c Object, original: &'c Object) -> bool {
        let table = self.plan.old.whole(&part.address);
        let left = table.and_then(|table| self.step(&table.address, Act::Alter(kinds::LEFT)));
        left.is_some() && self.plan.is_left_to(part, original)
    }

    fn host_of_create(&self, object: &'c Object) -> Option<Host> {
        let whole = self.plan.new.whole(&object.address)?;
        let step = self.step(&whole.address, Act::Create)?;
        match &object.body {
            // It may call a function on the rows of its own table.
            Body::Column(it) if it.generated.is_some() && is_simple_table(whole) => Some(Host::May(step)),
            Body::Column(_) => Some(Host::Must(step)),
            Body::Constraint(it) => {
                let inline = !it.not_valid && (!is_inherited(object) || whole.is_partition());
                let waits = it.has_index()
                    && (self.plan.new.merges_with_key(object)
                        || self.unique_indexes_of_attached(whole).next().is_some()
                        || self.plan.new.partitions_without(object).next().is_some());
                (inline && !waits).then_some(Host::May(step))
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
        // With a default, the rows would be written again, and no row of them may be held elsewhere.
        let held = self.plan.old.whole(&object.address).is_some_and(|table| {
            !self.plan.is_made(&table.address) && self.plan.old.holds_rows_of(&table.address)
        });
        if name == kinds::DEFAULT && (held || self.plan.late_defaults.contains(&object.address)) {
            return None;
        }
        let facets = kinds::facets(self.plan.after(object));
        let inline = facets.iter().any(|facet| facet.name == name && facet.inline);
        (made && inline).then_some(Host::May(create))
    }
}

/// Whether an object is a table without partitions and parents.
fn is_simple_table(object: &Object) -> bool {
    matches!(&object.body, Body::Table(it) if it.partitioned_by.is_none() && it.inherits.is_empty())
}
