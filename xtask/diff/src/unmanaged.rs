//! What is left to others: differences that no script makes, and that `pg_dump` does not see either.

use catalogue::{Change, Difference, Kind};

/// The kind, the attribute (empty for all), and why.
const UNMANAGED: &[(Kind, &str, &str)] = &[
    (Kind::Database, "", "what is set for a database is not a part of its schema"),
    (Kind::Extension, "owner", "the owner of an extension is the role that creates it"),
    (Kind::Constraint, "triggers", "the triggers of a constraint have no names to enable them by"),
];

/// Why a difference is not made by a script, if it is not.
pub fn unmanaged(difference: &Difference) -> Option<&'static str> {
    let attribute = match &difference.change {
        Change::Differs { note: true, .. } => return Some("it does not make two databases different"),
        Change::Differs { attribute, .. } => attribute,
        Change::Missing | Change::Unexpected => "",
    };
    let found = UNMANAGED
        .iter()
        .find(|(kind, of, _)| *kind == difference.address.kind && (of.is_empty() || *of == attribute));
    found.map(|(.., why)| *why)
}
