//! Programs of other packages, which cargo builds when they are needed.

pub(crate) mod built;
pub(crate) mod helper;
pub(crate) mod packages;
