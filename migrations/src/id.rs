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
    /// Number and name: `0001_initial`.
    pub name: String,
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

/// The number in a migration's name, if the name has the form: four digits, `_`, and lower-case letters, digits and `_`.
pub(crate) fn number_of(name: &str) -> Option<i64> {
    let (digits, rest) = name.split_once('_')?;
    let has_words =
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let has_number = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit());
    if has_words && has_number { digits.parse().ok().filter(|&number| number > 0) } else { None }
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
        let id = MigrationId { app: "billing".to_owned(), name: "0001_initial".to_owned() };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in
            ["billing", "billing/0001", "billing/1_initial", "billing/0000_initial", "Billing/0001_initial"]
        {
            let error = wrong.parse::<MigrationId>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{wrong}` is not a migration's name; write app/0001_name")
            );
        }
    }
}
