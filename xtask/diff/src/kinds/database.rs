//! The database itself, its schemas and extensions.

use catalogue::{Database, Extension, Foreign, Schema};

use crate::{
    common,
    it::It,
    managed::{Managed, UNKNOWN},
    means::Means,
    statement::Sql,
};

/// It is only compared: what is set for a database and who may connect is not a matter of its schema.
impl Managed for Database {
    fn create(&self, _: It<'_, '_>) -> Vec<Sql> {
        Vec::new()
    }

    fn change(&self, _: &Database, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        Means::Follows
    }
}

impl Managed for Schema {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("create schema {}", it.name()).into()]
    }

    fn change(&self, _: &Schema, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }
}

impl Managed for Extension {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("create extension {} with schema {}", it.name(), self.schema).into()]
    }

    fn change(&self, _: &Extension, attribute: &str, _: It<'_, '_>, it: It<'_, '_>) -> Means {
        match attribute {
            "schema" => Means::alter(format!("alter extension {} set schema {}", it.name(), self.schema)),
            _ => UNKNOWN,
        }
    }
}

/// An object of the server or of an extension: it stays, and only its rights are managed.
impl Managed for Foreign {
    fn create(&self, _: It<'_, '_>) -> Vec<Sql> {
        Vec::new()
    }

    fn change(&self, _: &Foreign, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        common::take_back(it)
    }
}
