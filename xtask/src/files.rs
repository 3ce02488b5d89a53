//! Files of the checkout: changing several at once, and what git has on its branches.

pub(crate) mod edits;
pub(crate) mod git;
