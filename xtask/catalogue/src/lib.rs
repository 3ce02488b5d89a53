//! A Postgres schema as data.
//!
//! [`script`] is what a caller runs on a connection; [`Reading`] is what comes back; [`Catalogue`] is the typed model of
//! everything that the database holds, object by object, with what each needs. [`Catalogue::text`] prints it, and
//! [`differences`] compares two of them. Nothing here opens a connection: the caller runs the queries.
//!
//! The rule that settles most questions: the server parses and prints, and values of its catalogues are compared. No SQL is
//! parsed or normalised here. What to read and what to pin follows `pg_dump` and PostgreSQL's own description of its
//! system catalogues.

mod address;
mod attribute;
mod build;
mod classes;
mod difference;
mod index;
mod kinds;
mod object;
mod raw;
mod reading;
mod sheet;
mod text;

pub use self::{
    address::Address,
    attribute::{
        Attribute, Columns, Deparsed, Noted, Options, Reference, Relation, Role, Roles, Scope, Value,
        Versioned,
    },
    classes::{NOT_SCHEMA, READ},
    difference::{Change, Difference, differences},
    index::{Key, Keys},
    kinds::*,
    object::{COMMON, Catalogue, Grant, Need, Object, Rights, Strength},
    reading::{NEWEST, OLDEST, Reading, moved, script, unmoved},
};

/// Why a reading is no catalogue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that a query returned is not what it was expected to be.
    #[error("the system catalogues hold `{text}` where a {expected} was expected")]
    Malformed {
        /// The value.
        text: String,
        /// The type.
        expected: &'static str,
    },
    /// The script returned fewer results than it has queries.
    #[error("the reading of the system catalogues is incomplete")]
    Incomplete,
}
