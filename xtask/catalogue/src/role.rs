//! Roles.

use std::fmt;

use crate::address::identifier;

/// A role, as seen from the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The one that migrates. Its name is another in every environment, so it is only a symbol.
    #[default]
    Migrator,
    /// All of them.
    Public,
    /// One by its name.
    Named(String),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Migrator => f.write_str("<migrator>"),
            Role::Public => f.write_str("public"),
            Role::Named(name) => f.write_str(&identifier(name)),
        }
    }
}
