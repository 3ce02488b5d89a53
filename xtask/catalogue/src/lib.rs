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
mod context;
mod difference;
mod error;
mod index;
mod kind;
mod kinds;
mod object;
mod oid;
mod raw;
mod reading;
mod role;
mod settings;
mod sheet;
mod text;

pub use self::{
    address::{Address, identifier},
    attribute::{
        Attribute, Columns, Copies, Deparsed, Implied, Noted, Options, Reference, Relation, Roles, Scope,
        Value, Versioned,
    },
    classes::{NOT_SCHEMA, READ},
    difference::{Change, Difference, differences},
    error::Error,
    index::{Key, Keys},
    kind::Kind,
    kinds::*,
    object::{COMMON, Catalogue, Grant, Need, Object, Rights, Strength},
    reading::{
        CONSTRAINT_DEFINITION, END_WITHIN, NEWEST, OLDEST, Reading, moved, prepare, prepared_script, script,
        script_within, unmoved, writers, written,
    },
    role::Role,
    settings::{PINNED, PINNED_IF_SET, REPLICATION_ROLE, ROWS_AS_TEXT, set_local},
    text::words,
};
