//! An object in the place that statements need: with its catalogue and its name.

use catalogue::{Address, Body, Object};

use crate::side::{Names, Side, words};

/// An object where it is made, changed or dropped.
#[derive(Clone, Copy)]
pub(crate) struct It<'a, 'c> {
    pub(crate) object: &'c Object,
    /// The catalogue that it is in.
    pub(crate) side: &'a Side<'c>,
    pub(crate) names: Names<'c>,
    /// What its `create` makes too.
    pub(crate) inline: &'a [Inline<'c>],
}

/// What one statement makes together with the object that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inline<'c> {
    /// A column, a constraint.
    Object(&'c Object),
    /// The facet of an object.
    Facet(&'c Object, &'static str),
}

impl<'a, 'c> It<'a, 'c> {
    pub(crate) fn new(object: &'c Object, side: &'a Side<'c>, names: Names<'c>) -> It<'a, 'c> {
        It { object, side, names, inline: &[] }
    }

    /// The same for another object of the same catalogue.
    pub(crate) fn with(&self, object: &'c Object) -> It<'a, 'c> {
        It { object, ..*self }
    }

    pub(crate) fn address(&self) -> &'c Address {
        &self.object.address
    }

    pub(crate) fn name(&self) -> String {
        self.names.name(self.address())
    }

    pub(crate) fn quoted(&self, name: &str) -> String {
        self.names.quoted(name)
    }

    /// `alter table t`, for the object itself or the relation that it is a part of.
    pub(crate) fn alter(&self) -> String {
        let whole = self.side.whole(self.address());
        let kind = whole.map_or(self.address().kind, |whole| whole.address.kind);
        let name = if whole.is_some() { self.names.whole(self.address()) } else { self.name() };
        format!("alter {} {name}", words(kind))
    }

    /// `alter table only t`: without the tables that inherit from it.
    pub(crate) fn alter_only(&self) -> String {
        let is_table = self.side.whole(self.address()).is_some_and(|it| matches!(it.body, Body::Table(_)));
        let alter = self.alter();
        if is_table { alter.replacen("alter table", "alter table only", 1) } else { alter }
    }

    /// The same where tables inherit from a table that is not partitioned, and may differ from it.
    pub(crate) fn alter_alone(&self) -> String {
        let whole = self.side.whole(self.address());
        let differ = whole.filter(|it| matches!(&it.body, Body::Table(it) if it.partitioned_by.is_none()));
        if differ.is_some_and(|it| self.side.children(it).next().is_some()) {
            self.alter_only()
        } else {
            self.alter()
        }
    }

    pub(crate) fn makes(&self, facet: &'static str, of: &Object) -> bool {
        self.inline.iter().any(
            |it| matches!(it, Inline::Facet(object, name) if *name == facet && object.address == of.address),
        )
    }

    /// The objects of this statement, beside the one that it is for.
    pub(crate) fn inline_objects(&self) -> impl Iterator<Item = &'c Object> {
        self.inline.iter().filter_map(|it| match it {
            Inline::Object(object) => Some(*object),
            Inline::Facet(..) => None,
        })
    }
}
