//! Names: what identifies a migration, and which names need no quotes in SQL.

use std::{fmt, str::FromStr};

/// Bytes of a name that Postgres keeps; it cuts longer ones.
pub const LONGEST_NAME: usize = 63;

/// A migration's identity: `billing/0001_initial`.
///
/// It is exactly this pair, so it has public fields and can be written as a literal. Parsing also checks the form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MigrationId {
    /// The app.
    pub app: String,
    /// Number and name, as its file has them: `0001_initial`.
    pub name: String,
}

impl MigrationId {
    /// Its number, if its name has one.
    pub fn number(&self) -> Option<i64> {
        number_of(&self.name)
    }

    /// What follows its number: `initial`.
    pub fn words(&self) -> &str {
        words_of(&self.name)
    }

    /// The same name with another number, which zeros fill up to as many digits.
    #[must_use]
    pub fn with_number(&self, number: i64) -> MigrationId {
        let digits = self.name.len().saturating_sub(self.words().len() + 1);
        MigrationId { app: self.app.clone(), name: format!("{number:0digits$}_{}", self.words()) }
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.name)
    }
}

/// A text that does not have the form `app/0001_name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a migration's name; write app/0001_name")]
#[non_exhaustive]
pub struct ParseMigrationIdError {
    /// The text.
    pub text: String,
}

impl FromStr for MigrationId {
    type Err = ParseMigrationIdError;

    fn from_str(text: &str) -> Result<Self, ParseMigrationIdError> {
        match text.split_once('/') {
            Some((app, name)) if is_plain(app) && number_of(name).is_some() => {
                Ok(MigrationId { app: app.to_owned(), name: name.to_owned() })
            }
            _ => Err(ParseMigrationIdError { text: text.to_owned() }),
        }
    }
}

/// The number in a migration's name, if it has one: whatever sqlx reads as an `i64`, before the first `_`.
pub(crate) fn number_of(name: &str) -> Option<i64> {
    name.split_once('_')?.0.parse().ok()
}

/// What follows the number in a migration's name.
pub(crate) fn words_of(name: &str) -> &str {
    name.split_once('_').map_or(name, |(_, words)| words)
}

/// Whether a name needs no quotes in SQL and is the same on every file system.
pub(crate) fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= LONGEST_NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_the_way_through_text_and_anything_else_is_an_error_with_the_form() {
        for name in ["0001_initial", "1_initial", "20240301120000_Add-tax (again)"] {
            let id = MigrationId { app: "billing".to_owned(), name: name.to_owned() };
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for wrong in ["billing", "billing/0001", "billing/x_initial", "Billing/0001_initial"] {
            let error = wrong.parse::<MigrationId>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{wrong}` is not a migration's name; write app/0001_name")
            );
        }
    }

    #[test]
    fn another_number_keeps_the_width_and_the_words() {
        let renumbered = |name: &str, number| {
            let id = MigrationId { app: "a".to_owned(), name: name.to_owned() };
            id.with_number(number).name
        };
        assert_eq!(renumbered("0002_add_tax", 13), "0013_add_tax");
        assert_eq!(renumbered("9_x", 10), "10_x");
        assert_eq!(renumbered("20240301120000_x", 20_240_301_120_001), "20240301120001_x");
    }
}
