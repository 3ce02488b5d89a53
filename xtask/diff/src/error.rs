//! Why there is no script.

use std::fmt;

use catalogue::{Address, words};

use crate::rename::Rename;

/// Why there is no script.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No statement makes these changes.
    Refused(Vec<Refusal>),
    /// These objects wait for each other, and nothing of them can wait: each with the next one.
    Circle(Vec<String>),
    /// A name to rename is not there.
    Rename {
        /// The rename.
        rename: Rename,
        /// Which name, and in which of the two schemas.
        why: &'static str,
    },
}

/// A change that can't be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The object.
    pub object: Address,
    /// The attribute that differs.
    pub attribute: &'static str,
    /// Why it can't be changed.
    pub why: &'static str,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(refusals) => {
                f.write_str("these differences can't be made by SQL")?;
                for Refusal { object, attribute, why } in refusals {
                    write!(f, "\n  {object}: {}: {why}", words(attribute))?;
                }
                Ok(())
            }
            Error::Rename { rename, why } => write!(f, "can't rename {rename}: {why}"),
            Error::Circle(steps) => {
                f.write_str("these changes wait for each other in a circle")?;
                steps.iter().try_for_each(|step| write!(f, "\n  {step}"))
            }
        }
    }
}

impl std::error::Error for Error {}
