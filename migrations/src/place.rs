//! Where something is, as an editor opens it.

use std::fmt;

/// A file of the project, or a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Path as the user types it: `migrations/billing/0001_initial.up.sql`.
    pub path: String,
    /// Line, from 1; `None` for the whole file.
    pub line: Option<usize>,
}

impl Place {
    pub(crate) fn file(path: impl Into<String>) -> Self {
        Place { path: path.into(), line: None }
    }

    pub(crate) fn line(path: impl Into<String>, line: usize) -> Self {
        Place { path: path.into(), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        Ok(())
    }
}
