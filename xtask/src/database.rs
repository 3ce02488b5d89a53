//! One database: connecting to it, setting it up, migrating, seeding and dropping it, and the checks before each.

pub(crate) mod account_program;
pub(crate) mod differences;
pub(crate) mod dropping;
pub(crate) mod each;
pub(crate) mod libpq;
pub(crate) mod migrating;
pub(crate) mod ordering;
pub(crate) mod pending;
pub(crate) mod reference;
pub(crate) mod renaming;
pub(crate) mod replacing;
pub(crate) mod safety;
pub(crate) mod schema;
pub(crate) mod seeding;
pub(crate) mod session;
pub(crate) mod setting_up;
pub(crate) mod sql;
