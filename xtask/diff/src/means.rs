//! What a change means: the words that kinds answer with.

use catalogue::Need;

use crate::statement::Sql;

/// What a change of an attribute means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Means {
    /// These statements make it, with the object in place.
    Alter(Vec<Sql>),
    /// The same, but what uses the object must not be there meanwhile.
    Alone(Vec<Sql>),
    /// A facet of the object is set to another value.
    Facet(&'static str),
    /// These statements make it, and unset a facet.
    AlterWithout(Vec<Sql>, &'static str),
    /// The object must be dropped and made.
    Rebuild,
    /// The relation or type that it is a part of must be dropped and made.
    RebuildWhole,
    /// It must be made again together with the part of the parent table that it is a copy of.
    RebuildWithOriginal,
    /// What makes another change makes this one.
    Follows,
    /// There is no way, for this reason.
    Refused(&'static str),
}

impl Means {
    pub(crate) fn alter(sql: impl Into<Sql>) -> Means {
        Means::Alter(vec![sql.into()])
    }

    /// The first of several attributes that one statement changes makes the change.
    pub(crate) fn joint(attribute: &str, differing: &[(&'static str, bool)], means: Means) -> Means {
        let first = differing.iter().find(|(_, differs)| *differs).map(|(name, _)| *name);
        if first == Some(attribute) { means } else { Means::Follows }
    }
}

/// A part of an object that can be set and unset while the object stays, and that has needs of its own.
pub(crate) struct Facet {
    pub(crate) name: &'static str,
    pub(crate) set: Vec<Sql>,
    /// Without a way to unset it, the object must be dropped.
    pub(crate) unset: Option<Vec<Sql>>,
    /// Whether the statement that makes the whole can make it.
    pub(crate) inline: bool,
    /// Whether setting it unsets the old value.
    pub(crate) replaces: bool,
    /// Whether it is the facet, and not the rest of the object, that needs something.
    pub(crate) takes: fn(&Need) -> bool,
    /// Whether it is what the object is about, and set apart only to cut a circle, as with the query of a view.
    pub(crate) completes: bool,
}

/// The facet that completes an object.
pub(crate) const COMPLETE: &str = "complete";
