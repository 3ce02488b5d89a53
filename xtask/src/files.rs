//! Files of the checkout, changing several at once, and what git has on its branches; folders that last as long as a command.

pub(crate) mod edits;
pub(crate) mod git;
pub(crate) mod temporary;
