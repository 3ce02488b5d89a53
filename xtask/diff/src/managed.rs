//! What a kind says of its objects, and the clauses that several kinds have.

use crate::{
    it::It,
    means::{Facet, Means},
    statement::Sql,
};

/// How the objects of a kind are managed.
pub(crate) trait Managed: Sized {
    /// The statements that make the object, without what [`Managed::set`] and the facets set.
    fn create(&self, it: It<'_, '_>) -> Vec<Sql>;

    /// The statements that set an attribute by itself: after the object was made, or from an old value. `None` if there are none
    /// for this attribute.
    fn set(&self, _attribute: &str, _old: Option<&Self>, _it: It<'_, '_>) -> Option<Vec<Sql>> {
        None
    }

    /// What another value of an attribute means, if [`Managed::set`] does not set it. `from` is the object before.
    fn change(&self, old: &Self, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means;

    /// Its facets.
    fn facets(&self, _it: It<'_, '_>) -> Vec<Facet> {
        Vec::new()
    }

    /// The statement that drops it.
    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("drop {}", it.names.reference(it.address())).into()]
    }
}

/// The reason for refusing an attribute that a kind does not list.
pub(crate) const UNKNOWN: Means = Means::Refused("there is no statement for it");

/// `enable trigger g` and its like, for a trigger or a rule.
pub(crate) fn set_state(alter: &str, what: &str, state: Option<&str>) -> Vec<Sql> {
    let verb = match state {
        None => "enable",
        Some("disabled") => "disable",
        Some("enabled in replication") => "enable replica",
        Some(_) => "enable always",
    };
    vec![format!("{alter} {verb} {what}").into()]
}

/// The text of the server without the semicolon at its end.
pub(crate) fn unended(text: &str) -> &str {
    text.trim_end().trim_end_matches(';')
}
