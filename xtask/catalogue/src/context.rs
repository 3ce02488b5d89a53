//! What the numbers in a reading mean.

use std::sync::Arc;

use foldhash::HashMap;

use crate::{address::Address, classes::PG_CLASS, oid::Oid, role::Role};

/// A row of any catalogue: the catalogue, the row's number, and a column's number.
pub(crate) type Id = (Oid, Oid, i16);

/// What numbers mean.
#[derive(Debug, Default)]
pub(crate) struct Context {
    pub(crate) roles: HashMap<Oid, String>,
    pub(crate) migrator: Option<Oid>,
    pub(crate) schemas: HashMap<Oid, String>,
    pub(crate) objects: HashMap<Id, Arc<Address>>,
    /// The schemas that are left out.
    pub(crate) schemas_left_out: HashMap<Oid, String>,
    /// The relations that are left out, and their columns: what is read may refer to them.
    pub(crate) left_out: HashMap<(Oid, i16), Address>,
    pub(crate) collated: HashMap<(Oid, i16), Oid>,
    pub(crate) collations: HashMap<Oid, String>,
    /// The operator classes, each with whether it is the usual one of its type.
    pub(crate) operator_classes: HashMap<Oid, (String, bool)>,
}

impl Context {
    /// The name of a column of a relation.
    pub(crate) fn column(&self, relation: Oid, number: i16) -> String {
        if number == 0 {
            return "(expression)".to_owned();
        }
        // A system column, such as `tableoid`, has no row that is read.
        self.class(relation, number).map_or_else(|| format!("column {number}"), |it| it.part.clone())
    }

    pub(crate) fn relation(&self, relation: Oid) -> Option<Address> {
        self.class(relation, 0).cloned()
    }

    fn class(&self, relation: Oid, number: i16) -> Option<&Address> {
        let read = self.objects.get(&(PG_CLASS, relation, number)).map(|address| &**address);
        read.or_else(|| self.left_out.get(&(relation, number)))
    }

    pub(crate) fn role(&self, oid: Oid) -> Role {
        match oid {
            0 => Role::Public,
            _ if Some(oid) == self.migrator => Role::Migrator,
            // A role that was dropped leaves its number.
            _ => Role::Named(self.roles.get(&oid).cloned().unwrap_or_else(|| oid.to_string())),
        }
    }

    /// The collation of an index's key, unless it is the column's.
    pub(crate) fn collation(&self, collation: Oid, relation: Oid, number: i16) -> Option<String> {
        const DEFAULT: Oid = 100;
        let of_column = self.collated.get(&(relation, number)).copied().unwrap_or(DEFAULT);
        let usual = collation == 0 || collation == of_column;
        (!usual).then(|| self.collations.get(&collation).cloned().unwrap_or_else(|| "default".to_owned()))
    }

    /// The name of an operator class, and whether it is the usual one of its type.
    pub(crate) fn operator_class(&self, oid: Oid) -> (String, bool) {
        self.operator_classes.get(&oid).cloned().unwrap_or_else(|| (oid.to_string(), false))
    }
}
