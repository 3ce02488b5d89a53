//! A table as the catalogue describes it. The fields have the order in which `--format json` prints them.

use std::collections::BTreeMap;

use catalogue::{Address, Body, Catalogue, Kind, Object};
use migrations::{Owners, Project};
use serde::Serialize;

use crate::verbs::inspect::sql::{self, bare, unqualified};

/// A table of the database.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    /// `None` if no app owns it.
    pub(super) app: Option<String>,
    pub(super) columns: Vec<Column>,
    pub(super) comment: Option<String>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) indexes: Vec<Index>,
    pub(super) name: String,
    pub(super) primary_key: Option<Vec<String>>,
    pub(super) referenced_by: Vec<Reference>,
    pub(super) schema: String,
    pub(super) triggers: Vec<Trigger>,
    /// Its name as people type it.
    #[serde(skip)]
    pub(super) typed: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) comment: Option<String>,
    pub(super) default: Option<String>,
    pub(super) generated: Option<String>,
    pub(super) identity: Option<String>,
    pub(super) name: String,
    pub(super) nullable: bool,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<String>,
    pub(super) deferrable: bool,
    pub(super) name: String,
    pub(super) on_delete: String,
    pub(super) on_update: String,
    pub(super) table: String,
    pub(super) to: Vec<String>,
    pub(super) validated: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Constraint {
    pub(super) definition: String,
    pub(super) kind: String,
    pub(super) name: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Index {
    pub(super) definition: String,
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) valid: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Trigger {
    pub(super) definition: String,
    pub(super) enabled: bool,
    pub(super) name: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Reference {
    pub(super) columns: Vec<String>,
    pub(super) table: String,
}

/// What belongs to the tables of a schema, and whose they are.
pub(super) struct Surroundings<'c> {
    schema: &'c Catalogue,
    owners: Owners<'c>,
    indexes: BTreeMap<&'c Address, Vec<(&'c str, &'c catalogue::Index)>>,
    references: BTreeMap<&'c Address, Vec<Reference>>,
}

impl<'c> Surroundings<'c> {
    pub(super) fn new(schema: &'c Catalogue, project: &'c Project) -> Surroundings<'c> {
        let mut references: BTreeMap<&Address, Vec<Reference>> = BTreeMap::new();
        for object in schema.of_kind(Kind::Constraint) {
            if let Body::Constraint(constraint) = &object.body
                && let Some(to) = &constraint.references
            {
                let reference =
                    Reference { columns: constraint.columns.0.clone(), table: object.address.typed() };
                references.entry(&to.table).or_default().push(reference);
            }
        }
        Surroundings { schema, owners: Owners::new(schema, project), indexes: schema.indexes(), references }
    }

    /// A table of the schema.
    pub(super) fn table(&mut self, object: &Object) -> Table {
        let (schema, address) = (self.schema, &object.address);
        let constraints: Vec<(&str, &catalogue::Constraint)> = schema.constraints(address).collect();
        let primary = constraints.iter().find(|(_, constraint)| constraint.sort == "primary key");
        // The index of a constraint has its name.
        let index =
            |name: &str| schema.get(&Address { kind: Kind::Index, name: name.to_owned(), ..address.clone() });
        let index = |name: &str| match &index(name)?.body {
            Body::Index(index) => Some(index),
            _ => None,
        };
        let constraint = |it: &(&str, &catalogue::Constraint)| Constraint::new(it, index(it.0));
        let mut others: Vec<Constraint> = constraints.iter().filter_map(constraint).collect();
        others.sort_by_key(|constraint| constraint.kind == "check");
        Table {
            app: self.owners.owner(object).map(|(app, _)| app.name.clone()),
            columns: schema.columns(address).into_iter().filter_map(Column::new).collect(),
            comment: object.comment.clone(),
            constraints: others,
            foreign_keys: constraints.iter().filter_map(ForeignKey::new).collect(),
            indexes: indexes(self.indexes.get(address), &constraints),
            name: address.name.clone(),
            primary_key: primary.map(|(_, constraint)| constraint.columns.0.clone()),
            referenced_by: self.references.remove(address).unwrap_or_default(),
            schema: address.schema.clone(),
            triggers: schema.parts(Kind::Trigger, address).filter_map(Trigger::new).collect(),
            typed: address.typed(),
        }
    }
}

impl Table {
    /// Whether a person means this table by `name`, with or without its schema.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.typed == name || name.split_once('.') == Some((&self.schema, &self.name))
    }
}

impl Column {
    fn new(object: &Object) -> Option<Column> {
        let Body::Column(column) = &object.body else { return None };
        let expression = column.default.as_deref().map(unqualified);
        let (generated, default) = match (&column.generated, expression) {
            (Some(_), expression) => (expression.map(|expression| bare(&expression).to_owned()), None),
            (None, expression) => (None, expression),
        };
        Some(Column {
            comment: object.comment.clone(),
            default,
            generated,
            identity: column.identity.clone(),
            name: object.address.part.clone(),
            nullable: !column.not_null,
            kind: unqualified(&column.data_type),
        })
    }
}

impl ForeignKey {
    fn new((name, constraint): &(&str, &catalogue::Constraint)) -> Option<ForeignKey> {
        let to = constraint.references.as_ref()?;
        let action = |action: &Option<String>| action.clone().unwrap_or_else(|| "no action".to_owned());
        Some(ForeignKey {
            columns: constraint.columns.0.clone(),
            deferrable: constraint.deferrable,
            name: (*name).to_owned(),
            on_delete: action(&constraint.on_delete),
            on_update: action(&constraint.on_update),
            table: to.table.typed(),
            to: to.columns.clone(),
            validated: !constraint.not_valid,
        })
    }
}

impl Constraint {
    fn new(
        (name, constraint): &(&str, &catalogue::Constraint),
        index: Option<&catalogue::Index>,
    ) -> Option<Constraint> {
        if constraint.references.is_some() {
            return None;
        }
        let definition = sql::constraint(constraint, index);
        Some(Constraint { definition, kind: constraint.sort.clone(), name: (*name).to_owned() })
    }
}

impl Trigger {
    fn new(object: &Object) -> Option<Trigger> {
        let Body::Trigger(trigger) = &object.body else { return None };
        let name = object.address.part.clone();
        let definition = sql::trigger(&name, trigger);
        Some(Trigger { definition, enabled: trigger.state.as_deref() != Some("disabled"), name })
    }
}

/// The indexes of a table but the indexes of its constraints, which are listed there.
fn indexes(
    all: Option<&Vec<(&str, &catalogue::Index)>>,
    constraints: &[(&str, &catalogue::Constraint)],
) -> Vec<Index> {
    let backs = |name: &str| constraints.iter().any(|(it, constraint)| *it == name && constraint.has_index());
    let mut indexes: Vec<Index> = all
        .into_iter()
        .flatten()
        .filter(|(name, _)| !backs(name))
        .map(|(name, index)| {
            let definition = sql::index(index);
            Index { definition, name: (*name).to_owned(), unique: index.unique, valid: !index.invalid }
        })
        .collect();
    indexes.sort_by_key(|index| !index.unique);
    indexes
}
