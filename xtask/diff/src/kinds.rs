//! What each kind of object takes to be made, changed and dropped.
//!
//! A kind is one `impl Managed`: how it is created, which attributes a statement of their own sets, and what a change of each
//! other one means. An attribute that is not listed is refused by its name, so that none is ever ignored.

mod code;
mod column;
mod constraint;
mod database;
mod foreign;
mod index;
mod others;
mod privileges;
mod sequence;
mod table;
mod types;
mod view;

use catalogue::Body;

use crate::{
    it::It,
    managed::Managed,
    means::{Facet, Means},
    statement::Sql,
};

macro_rules! dispatched {
    ($($kind:ident)*) => {
        pub(crate) fn create(it: It<'_, '_>) -> Vec<Sql> {
            match &it.object.body { $(Body::$kind(body) => body.create(it),)* }
        }

        pub(crate) fn drop(it: It<'_, '_>) -> Vec<Sql> {
            match &it.object.body { $(Body::$kind(body) => body.drop(it),)* }
        }

        pub(crate) fn facets(it: It<'_, '_>) -> Vec<Facet> {
            match &it.object.body { $(Body::$kind(body) => body.facets(it),)* }
        }

        /// What sets an attribute after the object was made.
        pub(crate) fn set(attribute: &str, it: It<'_, '_>) -> Vec<Sql> {
            match &it.object.body { $(Body::$kind(body) => body.set(attribute, None, it).unwrap_or_default(),)* }
        }

        pub(crate) fn change(attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
            match (&from.object.body, &to.object.body) {
                $((Body::$kind(old), Body::$kind(new)) => match new.set(attribute, Some(old), to) {
                    Some(sql) => Means::Alter(sql),
                    None => new.change(old, attribute, from, to),
                },)*
                _ => Means::Refused("it is of another kind"),
            }
        }
    };
}

dispatched! {
    Database Schema Extension Table ForeignTable View MaterializedView CompositeType Sequence Enum Domain Range BaseType
    Column Constraint NotNull DomainConstraint DomainNotNull Index Trigger Rule Policy Statistics Function Aggregate Operator
    OperatorFamily OperatorClass Cast Collation Conversion Parser Template Dictionary Configuration Language Transform
    AccessMethod Wrapper Server UserMapping Publication Subscription EventTrigger DefaultPrivileges Foreign
}

pub(crate) use self::{
    column::{DEFAULT, identify_again, is_left_to_child, refuse_null, reread, retype, stays_in_child},
    constraint::{COPIED_KEYS, drop_constraint},
    index::ATTACHED as INDEX_ATTACHED,
    sequence::{OWNED, is_logged_otherwise_than_its_table, set_logged},
    table::{ATTACHED, JOINED, JOINED_TYPE, LEFT, LEFT_TYPE, change_type_of_rows},
    types::{is_type, set_aside},
};

/// In which order the changes of one object are made: what forbids others goes first, and what demands others comes last.
pub(crate) fn order(attribute: &str, sql: &[Sql]) -> u8 {
    let drops = |what| sql.iter().any(|it| it.text.contains(what));
    match attribute {
        "identity" if drops(" drop identity") => 0,
        "generated" if drops(" drop expression") => 0,
        "validator" if drops(" no validator") => 0,
        "data_type" | "collation" => 1,
        "not_null" => 2,
        "identity" => 3,
        "owner" => 5,
        "rights" => 6,
        _ => 4,
    }
}
