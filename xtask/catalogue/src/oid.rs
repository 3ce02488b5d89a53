//! The numbers of rows.

/// A number by which a system catalogue identifies its rows.
pub(crate) type Oid = u32;
