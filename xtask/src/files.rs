//! Files of the checkout: changes to several at once, and what git says of them.

pub(crate) mod edits;
pub(crate) mod git;
