//! A step of a script: one statement or a few, for one object.

use catalogue::{Kind, Object};

use crate::statement::{Change, Sql};

/// What a step does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Act {
    Unset(&'static str),
    SetAside,
    Drop,
    Alter(&'static str),
    Create,
    Set(&'static str),
}

/// How a step belongs to another one, which does its work too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// It can't be done alone.
    Must(usize),
    /// It can be done alone, and is if that cuts a circle.
    May(usize),
}

pub(crate) struct Step<'c> {
    pub(crate) object: &'c Object,
    pub(crate) act: Act,
    /// What it runs. A step that makes its object also runs what sets its attributes.
    pub(crate) sql: Vec<Sql>,
    pub(crate) host: Option<Host>,
    /// Its place among those that could come next.
    pub(crate) rank: (u8, u8),
}

/// The schema and the name of a table, a view or a type with columns.
pub(crate) type Table<'c> = (&'c str, &'c str);

impl Step<'_> {
    pub(crate) fn change(&self) -> Change {
        match self.act {
            Act::Drop => Change::Drop,
            Act::Create => Change::Create,
            _ => Change::Alter,
        }
    }
}

/// The place of a step among those that could come next: first by what it does, then by kind.
pub(crate) fn rank(kind: Kind, act: Act, sql: &[Sql]) -> (u8, u8) {
    const ORDER: [Kind; 25] = [
        Kind::Schema,
        Kind::Language,
        Kind::Collation,
        Kind::Extension,
        Kind::Enum,
        Kind::CompositeType,
        Kind::Domain,
        Kind::Range,
        Kind::Sequence,
        Kind::Function,
        Kind::Aggregate,
        Kind::Operator,
        Kind::OperatorFamily,
        Kind::OperatorClass,
        // No expression that uses one needs it as far as the server knows.
        Kind::Cast,
        Kind::BaseType,
        Kind::Transform,
        Kind::Table,
        Kind::ForeignTable,
        Kind::Column,
        Kind::NotNull,
        Kind::Constraint,
        Kind::Index,
        Kind::View,
        Kind::MaterializedView,
    ];
    let of_kind = ORDER.iter().position(|it| *it == kind).unwrap_or(ORDER.len());
    let of_kind = u8::try_from(of_kind).unwrap_or(u8::MAX);
    let first = match act {
        Act::Drop if matches!(kind, Kind::EventTrigger | Kind::DefaultPrivileges) => 0,
        _ if kind == Kind::DefaultPrivileges => 8,
        Act::Alter(_) if kind == Kind::EventTrigger && sql.iter().any(|it| it.text.contains(" disable")) => 0,
        _ if kind == Kind::EventTrigger => 9,
        Act::Alter(_) if sql.iter().any(|it| it.commit_after) => 1,
        Act::Unset(_) => 2,
        Act::SetAside => 3,
        Act::Drop => 4,
        // Keys and indexes after the columns of all tables.
        Act::Set(_) if kind == Kind::Index => 6,
        _ => 5,
    };
    (first, if act == Act::Drop { u8::MAX - of_kind } else { of_kind })
}
