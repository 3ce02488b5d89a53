//! The kinds of objects: for each its attributes, and where in the system catalogues they stand.
//!
//! A kind is declared once. From that come its struct, its query, the decoding of the rows, what is compared, what is
//! printed, and the list that the tests change one by one.

mod code;
mod database;
mod foreign;
mod others;
mod relations;
mod types;

pub use self::{code::*, database::*, foreign::*, others::*, relations::*, types::*};
use crate::{
    Error,
    attribute::Attribute,
    build::Context,
    sheet::{Oid, Row, Sheet},
};

/// What every kind has.
pub(crate) trait Declared: Sheet + Sized {
    /// The number of the system catalogue in which its objects stand.
    const CATALOGUE: Oid;
    /// Its attributes, out of the rest of a row.
    fn decode(row: &mut Row<'_>, cx: &Context, on: Oid) -> Result<Self, Error>;
}

/// The first columns of every row: `oid, sub, schema, name, part, owner, on`, with 0 for none.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) oid: Oid,
    /// The number of a column in its relation.
    pub(crate) sub: i16,
    pub(crate) schema: Oid,
    pub(crate) name: String,
    pub(crate) part: String,
    pub(crate) owner: Oid,
    /// The relation or type that it is a part of, or belongs to.
    pub(crate) on: Oid,
}

impl Head {
    pub(crate) fn read(row: &mut Row<'_>) -> Result<Head, Error> {
        let cx = Context::default();
        Ok(Head {
            oid: row.field(&cx, 0)?,
            sub: row.field(&cx, 0)?,
            schema: row.field(&cx, 0)?,
            name: row.field(&cx, 0)?,
            part: row.field(&cx, 0)?,
            owner: row.field(&cx, 0)?,
            on: row.field(&cx, 0)?,
        })
    }
}

/// Declares a kind: its words, its catalogue, the head of its rows, where they come from, and its attributes.
macro_rules! kind {
    (
        $(#[$doc:meta])*
        $name:ident: $catalogue:ident, $head:literal, $from:literal {
            $($(#[$about:meta])* $field:ident: $type:ty = $sql:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$about])* pub $field: $type,)* }

        impl $crate::sheet::Sheet for $name {
            const FROM: &'static str = $from;
            fn columns() -> Vec<&'static str> { vec![$head, $($sql),*] }
        }

        impl $crate::kinds::Declared for $name {
            const CATALOGUE: $crate::sheet::Oid = $crate::classes::$catalogue;
            #[allow(unused_variables, reason = "a kind may have no attributes of its own")]
            fn decode(
                row: &mut $crate::sheet::Row<'_>,
                cx: &$crate::build::Context,
                on: $crate::sheet::Oid,
            ) -> Result<$name, $crate::Error> {
                Ok($name { $($field: row.field(cx, on)?,)* })
            }
        }

        impl $name {
            /// Its attributes by name, without those that every object has.
            pub fn attributes(&self) -> Vec<(&'static str, &dyn $crate::attribute::Attribute)> {
                vec![$((stringify!($field), &self.$field),)*]
            }

            /// The names of its attributes.
            pub const ATTRIBUTES: &'static [&'static str] = &[$(stringify!($field)),*];
        }
    };
}
pub(crate) use kind;

/// How the names of a kind's objects are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// A name, in a schema or not.
    Own,
    /// A part of a relation, type or server, by its own name.
    Part,
    /// Words made of other names, which are quoted already.
    Free,
}

macro_rules! kinds {
    ($($name:ident $words:literal $naming:ident,)*) => {
        /// What an object is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is the kind of the struct of its name")]
        pub enum Kind { $($name,)* }

        /// An object's own attributes.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is a struct of its name")]
        pub enum Body { $($name($name),)* }

        impl Kind {
            /// All kinds, in the order in which the queries run.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// Its name in words.
            pub fn words(self) -> &'static str {
                match self { $(Kind::$name => $words,)* }
            }

            /// The names of the attributes that only this kind has.
            pub fn attributes(self) -> &'static [&'static str] {
                match self { $(Kind::$name => $name::ATTRIBUTES,)* }
            }

            pub(crate) fn naming(self) -> Naming {
                match self { $(Kind::$name => Naming::$naming,)* }
            }

            pub(crate) fn catalogue(self) -> Oid {
                match self { $(Kind::$name => $name::CATALOGUE,)* }
            }

            pub(crate) fn sql(self, major: u32) -> String {
                match self { $(Kind::$name => $name::sql(major),)* }
            }

            pub(crate) fn decode(self, row: &mut Row<'_>, cx: &Context, on: Oid) -> Result<Body, Error> {
                match self { $(Kind::$name => $name::decode(row, cx, on).map(Body::$name),)* }
            }
        }

        impl Body {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Body::$name(_) => Kind::$name,)* }
            }

            /// Its attributes by name.
            pub fn attributes(&self) -> Vec<(&'static str, &dyn Attribute)> {
                match self { $(Body::$name(it) => it.attributes(),)* }
            }
        }
    };
}

// What others are a part of stands before them.
kinds! {
    Database "database" Own,
    Schema "schema" Own,
    Extension "extension" Own,
    Table "table" Own,
    ForeignTable "foreign table" Own,
    View "view" Own,
    MaterializedView "materialized view" Own,
    CompositeType "composite type" Own,
    Sequence "sequence" Own,
    Enum "enum" Own,
    Domain "domain" Own,
    Range "range" Own,
    BaseType "base type" Own,
    Column "column" Part,
    Constraint "constraint" Part,
    NotNull "not-null constraint" Part,
    DomainConstraint "domain constraint" Part,
    DomainNotNull "domain not-null constraint" Part,
    Index "index" Own,
    Trigger "trigger" Part,
    Rule "rule" Part,
    Policy "policy" Part,
    Statistics "statistics" Own,
    Function "function" Own,
    Aggregate "aggregate" Own,
    Operator "operator" Own,
    OperatorFamily "operator family" Own,
    OperatorClass "operator class" Own,
    Cast "cast" Free,
    Collation "collation" Own,
    Conversion "conversion" Own,
    Parser "text search parser" Own,
    Template "text search template" Own,
    Dictionary "text search dictionary" Own,
    Configuration "text search configuration" Own,
    Language "language" Own,
    Transform "transform" Free,
    AccessMethod "access method" Own,
    Wrapper "foreign-data wrapper" Own,
    Server "server" Own,
    UserMapping "user mapping" Free,
    Publication "publication" Own,
    Subscription "subscription" Own,
    EventTrigger "event trigger" Own,
    DefaultPrivileges "default privileges" Free,
    Foreign "rights to" Free,
}

impl Kind {
    pub(crate) fn has_free_name(self) -> bool {
        self.naming() == Naming::Free
    }

    /// Whether its objects are parts of a relation or a domain.
    pub fn is_part(self) -> bool {
        self.naming() == Naming::Part
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words())
    }
}
