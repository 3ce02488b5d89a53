//! What can be wrong with a reading.

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
