//! One of the two catalogues, with what is looked up in it, and its names as SQL.

use catalogue::{Address, Body, Catalogue, Kind, Need, Object, Role, Strength};
use foldhash::{HashMap, HashMapExt, HashSet};

/// The kinds that rows can stand in, or that are types with columns.
pub(crate) const RELATIONS: [Kind; 5] =
    [Kind::Table, Kind::ForeignTable, Kind::View, Kind::MaterializedView, Kind::CompositeType];

/// A catalogue with its edges the other way round.
pub(crate) struct Side<'c> {
    pub(crate) catalogue: &'c Catalogue,
    objects: HashMap<&'c Address, &'c Object>,
    /// The relations and domains by schema and name, which no two of them share.
    wholes: HashMap<(&'c str, &'c str), &'c Object>,
    dependents: HashMap<&'c Address, Vec<(&'c Object, &'c Need)>>,
    indexes: HashMap<&'c Address, Vec<&'c Object>>,
}

impl<'c> Side<'c> {
    pub(crate) fn new(catalogue: &'c Catalogue) -> Side<'c> {
        let (mut objects, mut wholes) = (HashMap::new(), HashMap::new());
        let mut dependents: HashMap<&Address, Vec<(&Object, &Need)>> = HashMap::new();
        for object in catalogue.objects() {
            let Address { kind, schema, name, .. } = &object.address;
            objects.insert(&object.address, object);
            if RELATIONS.contains(kind) || *kind == Kind::Domain {
                wholes.insert((schema.as_str(), name.as_str()), object);
            }
            for need in &object.needs {
                dependents.entry(&need.on).or_default().push((object, need));
            }
        }
        let mut indexes: HashMap<&Address, Vec<&Object>> = HashMap::new();
        for object in catalogue.of_kind(Kind::Index) {
            if let Body::Index(index) = &object.body {
                indexes.entry(&index.table.0).or_default().push(object);
            }
        }
        Side { catalogue, objects, wholes, dependents, indexes }
    }

    pub(crate) fn get(&self, address: &Address) -> Option<&'c Object> {
        self.objects.get(address).copied()
    }

    /// What needs an object.
    pub(crate) fn dependents(&self, address: &Address) -> &[(&'c Object, &'c Need)] {
        self.dependents.get(address).map(Vec::as_slice).unwrap_or_default()
    }

    /// The relation or domain that a part belongs to.
    pub(crate) fn whole(&self, part: &Address) -> Option<&'c Object> {
        let whole = self.wholes.get(&(part.schema.as_str(), part.name.as_str())).copied();
        whole.filter(|_| part.kind.is_part())
    }

    /// The parts of a relation or domain, of all kinds.
    pub(crate) fn parts(&self, whole: &'c Address) -> impl Iterator<Item = &'c Object> {
        let has_parts = RELATIONS.contains(&whole.kind) || whole.kind == Kind::Domain;
        let kinds = Kind::ALL.iter().copied().filter(move |kind| has_parts && kind.is_part());
        kinds.flat_map(move |kind| self.catalogue.parts(kind, whole))
    }

    /// The tables that a table inherits from, or is a partition of.
    pub(crate) fn parents(&self, table: &'c Object) -> impl Iterator<Item = &'c Object> {
        let is_table = |need: &&Need| matches!(need.on.kind, Kind::Table | Kind::ForeignTable);
        let is_child = matches!(table.address.kind, Kind::Table | Kind::ForeignTable);
        table.needs.iter().filter(is_table).filter(move |_| is_child).filter_map(|need| self.get(&need.on))
    }

    /// The tables that inherit from a table, or are its partitions.
    pub(crate) fn children(&self, table: &'c Object) -> impl Iterator<Item = &'c Object> {
        let dependents = self.dependents(&table.address).iter().map(|(it, _)| *it);
        dependents.filter(|it| matches!(it.address.kind, Kind::Table | Kind::ForeignTable))
    }

    /// The parents of a table, their parents, and so on.
    pub(crate) fn tables_above(&self, table: &'c Object) -> Vec<&'c Object> {
        let mut above: Vec<&Object> = self.parents(table).collect();
        let mut at = 0;
        while let Some(&parent) = above.get(at) {
            let more: Vec<&Object> = self.parents(parent).filter(|it| !above.contains(it)).collect();
            above.extend(more);
            at += 1;
        }
        above
    }

    /// The table that a table is a partition of.
    pub(crate) fn partitioned(&self, table: &'c Object) -> Option<&'c Object> {
        self.parents(table).next().filter(|_| table.is_partition())
    }

    /// The partitions of the table of a constraint that have no part of it.
    pub(crate) fn partitions_without(&self, key: &'c Object) -> impl Iterator<Item = &'c Object> {
        let table = self.whole(&key.address);
        let dependents = table.map(|table| self.dependents(&table.address)).unwrap_or_default().iter();
        let partitions = dependents.map(|(it, _)| *it).filter(|it| it.is_partition());
        partitions.filter(|it| {
            let mut constraints = self.catalogue.parts(Kind::Constraint, &it.address);
            !constraints
                .any(|it| sort_of(it) == sort_of(key) && it.needs.iter().any(|need| *need.on == key.address))
        })
    }

    /// The part of a parent table of which a part is a copy.
    pub(crate) fn inherited_from(&self, part: &'c Object) -> Option<&'c Object> {
        if is_inherited(part) { self.same_in_parent(part) } else { None }
    }

    /// The part of a parent table that a part would be a copy of: the server knows it, or it has the same name.
    pub(crate) fn same_in_parent(&self, part: &'c Object) -> Option<&'c Object> {
        let kind = part.address.kind;
        let known = part.needs.iter().find(|need| need.on.kind == kind && kind != Kind::Column);
        if let Some(need) = known {
            return self.get(&need.on);
        }
        // Of several parents, a child takes the name from the first.
        let namesake = self.same_in_parents(part).find(|it| it.address.part == part.address.part);
        namesake.or_else(|| self.same_in_parents(part).next())
    }

    /// The parts of all parent tables that a part would be a copy of: what refuses null in the same column, or has the same name.
    pub(crate) fn same_in_parents(&self, part: &'c Object) -> impl Iterator<Item = &'c Object> {
        let parents = self.whole(&part.address).into_iter().flat_map(|table| self.parents(table));
        parents.filter_map(move |parent| match &part.body {
            Body::NotNull(it) => {
                let mut refusals = self.catalogue.parts(Kind::NotNull, &parent.address);
                let columns = &it.columns;
                refusals.find(|it| matches!(&it.body, Body::NotNull(it) if it.columns == *columns))
            }
            _ => {
                let Address { schema, name, .. } = &parent.address;
                let address = Address { schema: schema.clone(), name: name.clone(), ..part.address.clone() };
                self.get(&address)
            }
        })
    }

    /// The columns of a parent table, of its parents, and so on, that a column is merged with.
    pub(crate) fn columns_above(&self, column: &'c Object) -> Vec<&'c Object> {
        let mut above = Vec::new();
        let mut tables: Vec<&Object> = self.whole(&column.address).into_iter().collect();
        while let Some(table) = tables.pop() {
            for parent in self.parents(table) {
                let address = Address {
                    part: column.address.part.clone(),
                    kind: column.address.kind,
                    ..parent.address.clone()
                };
                if let Some(same) = self.get(&address) {
                    above.push(same);
                    tables.push(parent);
                }
            }
        }
        above
    }

    /// The columns of the tables that inherit from a table, and so on, that a column is merged into.
    pub(crate) fn columns_below(&self, column: &'c Object) -> Vec<&'c Object> {
        let mut below = Vec::new();
        let mut tables: Vec<&Object> = self.whole(&column.address).into_iter().collect();
        while let Some(table) = tables.pop() {
            for (child, _) in self.dependents(&table.address) {
                let is_table = matches!(child.address.kind, Kind::Table | Kind::ForeignTable);
                let address = Address {
                    part: column.address.part.clone(),
                    kind: Kind::Column,
                    ..child.address.clone()
                };
                if let Some(same) = self.get(&address).filter(|_| is_table) {
                    below.push(same);
                    tables.push(child);
                }
            }
        }
        below
    }

    /// Whether anything but its own parts holds rows of a table: a column, or a type that one may have.
    pub(crate) fn holds_rows_of(&self, table: &Address) -> bool {
        self.dependents(table).iter().any(|(object, _)| {
            let kind = object.address.kind;
            kind == Kind::Column && !object.address.is_part_of(table)
                || matches!(kind, Kind::Domain | Kind::Range)
        })
    }

    /// The foreign keys that refer to a table.
    pub(crate) fn keys_to(&self, table: &'c Address) -> impl Iterator<Item = &'c Object> {
        let columns = self.catalogue.parts(Kind::Column, table);
        let users = columns.flat_map(|column| self.dependents(&column.address)).map(|(user, _)| *user);
        users.filter(move |user| referenced_table(user) == Some(table))
    }

    /// The table that a column divides into partitions.
    pub(crate) fn partitioned_by(&self, column: &'c Object) -> Option<&'c Object> {
        let table = self.whole(&column.address)?;
        let is_key = |need: &Need| need.strength == Strength::Internal && *need.on == table.address;
        column.needs.iter().any(is_key).then_some(table)
    }

    /// The object that an object is a part of by itself: the constraint of an index, the column of an identity.
    pub(crate) fn is_part_of(&self, object: &'c Object) -> Option<&'c Object> {
        let internal = object.needs.iter().find(|need| need.strength == Strength::Internal);
        internal.and_then(|need| self.get(&need.on))
    }

    /// Whether a column or domain is of a domain with checks, itself or through another: a new one writes its rows again.
    pub(crate) fn is_of_checked_domain(&self, of_domain: &Object) -> bool {
        let is_array = match &of_domain.body {
            Body::Column(body) => body.data_type.ends_with("[]"),
            Body::Domain(body) => body.data_type.ends_with("[]"),
            _ => true,
        };
        let domains = of_domain.needs.iter().filter(|need| need.on.kind == Kind::Domain && !need.of_default);
        !is_array
            && domains.filter_map(|need| self.get(&need.on)).any(|domain| {
                matches!(&domain.body, Body::Domain(body) if body.not_null)
                    || self.catalogue.parts(Kind::DomainConstraint, &domain.address).next().is_some()
                    || self.is_of_checked_domain(domain)
            })
    }

    /// The columns, domains and ranges that have values of a type, themselves or inside of others.
    pub(crate) fn holders(&self, data_type: &'c Address) -> Vec<&'c Object> {
        let (mut all, mut todo, mut seen) = (Vec::new(), vec![data_type], HashSet::from_iter([data_type]));
        while let Some(data_type) = todo.pop() {
            for (holder, need) in self.dependents(data_type) {
                let whole = self.whole(&holder.address).map(|whole| &whole.address);
                let holds = match holder.address.kind {
                    Kind::Column => !need.of_default && !holder.address.is_part_of(data_type),
                    kind => matches!(kind, Kind::Domain | Kind::Range),
                };
                if holds {
                    all.push(*holder);
                    todo.extend(whole.or(Some(&holder.address)).filter(|it| seen.insert(it)));
                }
            }
        }
        all
    }

    /// The attribute that a column of a typed table comes from.
    pub(crate) fn attribute_of(&self, column: &'c Object) -> Option<&'c Object> {
        let table = self.whole(&column.address).filter(|table| is_typed(table))?;
        let data_type = table.needs.iter().find(|need| need.on.kind == Kind::CompositeType)?;
        let address =
            Address { part: column.address.part.clone(), kind: Kind::Column, ..(*data_type.on).clone() };
        self.get(&address)
    }

    /// The base type that a function reads, prints or compares.
    pub(crate) fn base_type_of(&self, function: &'c Object) -> Option<&'c Object> {
        let needs = function.needs.iter().filter(|need| need.on.kind == Kind::BaseType);
        let mut types = needs.filter_map(|need| self.get(&need.on));
        types.find(|it| it.needs.iter().any(|need| *need.on == function.address))
    }

    /// Whether the statement that makes a table would take a unique constraint for another one of the same columns.
    pub(crate) fn merges_with_key(&self, unique: &'c Object) -> bool {
        let Body::Constraint(body) = &unique.body else { return false };
        let table = self.whole(&unique.address);
        let mut others = table.into_iter().flat_map(|table| self.catalogue.constraints(&table.address));
        body.sort == "unique"
            && others
                .any(|(name, it)| name != unique.address.part && it.has_index() && it.columns == body.columns)
    }

    /// Whether a partition has a part of an index that is attached together with it: not one that lacks parts itself, nor one
    /// of a constraint of another sort.
    pub(crate) fn has_complete_part(&self, partition: &Object, index: &'c Object) -> bool {
        let sort = |of: &'c Object| self.is_part_of(of).and_then(sort_of);
        self.indexes(&partition.address).iter().any(|part| {
            part.needs.iter().any(|need| *need.on == index.address)
                && !matches!(&part.body, Body::Index(it) if it.invalid)
                && (sort(index).is_none() || sort(part) == sort(index))
        })
    }

    /// The constraint of an index that is attached to an index without one.
    pub(crate) fn key_attached_alone(&self, index: &'c Object) -> Option<&'c Object> {
        let parent = self.get(needed_index(index)?)?;
        self.is_part_of(index)
            .filter(|of| of.address.kind == Kind::Constraint && self.is_part_of(parent).is_none())
    }

    /// The indexes of a table or materialized view.
    pub(crate) fn indexes(&self, table: &Address) -> &[&'c Object] {
        self.indexes.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// The table or materialized view of an index.
    pub(crate) fn table_of_index(&self, index: &'c Object) -> Option<&'c Object> {
        match &index.body {
            Body::Index(it) => self.get(&it.table.0),
            _ => None,
        }
    }
}

/// The index that an index is attached to, or that a foreign key relies on.
pub(crate) fn needed_index(object: &Object) -> Option<&Address> {
    object.needs.iter().map(|need| &*need.on).find(|on| on.kind == Kind::Index)
}

/// The sort of a constraint.
fn sort_of(constraint: &Object) -> Option<&str> {
    match &constraint.body {
        Body::Constraint(it) => Some(&it.sort),
        _ => None,
    }
}

/// Whether a part of a table comes from a parent table and is not declared in the table too.
pub(crate) fn is_inherited(part: &Object) -> bool {
    match &part.body {
        Body::Column(it) => it.inherited && !it.declared_here,
        Body::Constraint(it) => it.inherited && !it.declared_here,
        Body::NotNull(it) => it.inherited && !it.declared_here,
        Body::Trigger(it) => it.inherited,
        _ => false,
    }
}

/// Whether a part of a table comes from a parent table, whether it is declared in the table too or not.
pub(crate) fn is_in_parent(part: &Object) -> bool {
    match &part.body {
        Body::Column(it) => it.inherited,
        Body::Constraint(it) => it.inherited,
        Body::NotNull(it) => it.inherited,
        Body::Trigger(it) => it.inherited,
        _ => false,
    }
}

/// Whether a constraint of a table is not valid; `None` for what is no constraint.
pub(crate) fn not_valid(part: &Object) -> Option<bool> {
    match &part.body {
        Body::Constraint(it) => Some(it.not_valid),
        Body::NotNull(it) => Some(it.not_valid),
        _ => None,
    }
}

/// The table that a foreign key refers to.
pub(crate) fn referenced_table(key: &Object) -> Option<&Address> {
    match &key.body {
        Body::Constraint(body) => Some(&body.references.as_ref()?.table),
        _ => None,
    }
}

/// Whether a table has the columns of a type.
pub(crate) fn is_typed(table: &Object) -> bool {
    matches!(&table.body, Body::Table(it) if it.of_type.is_some())
}

/// Names as SQL.
#[derive(Clone, Copy)]
pub(crate) struct Names<'c>(pub(crate) &'c Catalogue);

impl Names<'_> {
    pub(crate) fn quoted(self, name: &str) -> String {
        self.0.quoted(name)
    }

    /// Several names, separated by commas.
    pub(crate) fn list<'n>(self, names: impl IntoIterator<Item = &'n String>) -> String {
        let names: Vec<String> = names.into_iter().map(|name| self.quoted(name)).collect();
        names.join(", ")
    }

    /// A role, as `grant` and `alter … owner to` take it.
    pub(crate) fn role(self, role: &Role) -> String {
        match role {
            Role::Migrator => "current_user".to_owned(),
            Role::Public => "public".to_owned(),
            Role::Named(name) => self.quoted(name),
        }
    }

    /// The qualified name of an object, or of the whole that a part belongs to.
    pub(crate) fn whole(self, address: &Address) -> String {
        let own = match address.kind {
            // An operator is the one name that is never quoted.
            Kind::Operator => address.name.clone(),
            _ => self.quoted(&address.name),
        };
        if address.schema.is_empty() { own } else { format!("{}.{own}", self.quoted(&address.schema)) }
    }

    /// The name of an object without its kind, as `alter` takes it: a function with the types of its arguments.
    pub(crate) fn name(self, address: &Address) -> String {
        match address.kind {
            Kind::Function => self.whole(address) + &self.arguments(address),
            Kind::Operator => self.whole(address) + &address.part,
            Kind::Aggregate => {
                let all = if address.part == "()" { "(*)" } else { &address.part };
                self.whole(address) + all
            }
            Kind::OperatorFamily | Kind::OperatorClass => {
                let method = address.part.trim_start_matches('(').trim_end_matches(')');
                format!("{} using {}", self.whole(address), self.quoted(method))
            }
            Kind::Cast | Kind::Transform => address.name.clone(),
            kind if kind.is_part() => self.quoted(&address.part),
            _ => self.whole(address),
        }
    }

    /// The types of what a routine takes. Without a mode, a procedure of this name that takes and returns just these would be
    /// meant as well.
    fn arguments(self, address: &Address) -> String {
        let is_another_procedure = |it: &Object| {
            it.address != *address
                && matches!(&it.body, Body::Function(it) if it.sort.as_deref() == Some("procedure"))
        };
        let types = &address.part;
        if types != "()" && self.0.overloads(address).any(is_another_procedure) {
            types.replacen('(', "(in ", 1)
        } else {
            types.clone()
        }
    }

    /// An object as `comment on` takes it: its kind and its name, and of a part also the whole.
    pub(crate) fn reference(self, address: &Address) -> String {
        let (name, whole) = (self.name(address), || self.whole(address));
        match address.kind {
            Kind::Column => format!("column {}.{name}", whole()),
            Kind::Constraint | Kind::NotNull => format!("constraint {name} on {}", whole()),
            Kind::DomainConstraint | Kind::DomainNotNull => {
                format!("constraint {name} on domain {}", whole())
            }
            Kind::Trigger | Kind::Rule | Kind::Policy => format!("{} {name} on {}", address.kind, whole()),
            kind => format!("{} {name}", words(kind)),
        }
    }
}

/// A kind, in the words that statements have for it.
pub(crate) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::CompositeType | Kind::Enum | Kind::Range | Kind::BaseType => "type",
        // A function, a procedure or a window function.
        Kind::Function => "routine",
        Kind::Wrapper => "foreign data wrapper",
        Kind::EventTrigger => "event trigger",
        kind => kind.words(),
    }
}

/// A text as a literal.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// The body of a function between dollars, with a mark that it does not hold.
pub(crate) fn dollars(body: &str) -> String {
    let mut mark = String::new();
    while body.contains(&format!("${mark}$")) || body.ends_with(&format!("${mark}")) {
        mark.push(if mark.is_empty() { 'f' } else { 'x' });
    }
    format!("${mark}${body}${mark}$")
}
