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
    attribute::Attribute,
    context::Context,
    error::Error,
    kind::Kind,
    oid::Oid,
    sheet::{Row, Sheet},
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
    pub(crate) fn read(row: &mut Row<'_>, cx: &Context) -> Result<Head, Error> {
        Ok(Head {
            oid: row.field(cx, 0)?,
            sub: row.field(cx, 0)?,
            schema: row.field(cx, 0)?,
            name: row.field(cx, 0)?,
            part: row.field(cx, 0)?,
            owner: row.field(cx, 0)?,
            on: row.field(cx, 0)?,
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
            const CATALOGUE: $crate::oid::Oid = $crate::classes::$catalogue;
            #[allow(unused_variables, reason = "a kind may have no attributes of its own")]
            fn decode(
                row: &mut $crate::sheet::Row<'_>,
                cx: &$crate::context::Context,
                on: $crate::oid::Oid,
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

macro_rules! bodies {
    ($($name:ident $words:literal $naming:ident,)*) => {
        /// An object's own attributes.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is a struct of its name")]
        pub enum Body { $($name($name),)* }

        impl Kind {
            /// The names of the attributes that only this kind has.
            pub fn attributes(self) -> &'static [&'static str] {
                match self { $(Kind::$name => $name::ATTRIBUTES,)* }
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
            /// Its attributes by name.
            pub fn attributes(&self) -> Vec<(&'static str, &dyn Attribute)> {
                match self { $(Body::$name(it) => it.attributes(),)* }
            }
        }
    };
}

crate::kind::all_kinds!(bodies);
