//! Reads, writes and removes the rows of the apps' tables, for `flush`, `dumpdata` and `loaddata`.

pub(crate) mod draft;
pub(crate) mod dump;
pub(crate) mod emptying;
pub(crate) mod found;
pub(crate) mod load;
pub(crate) mod locking;
pub(crate) mod sequences;
pub(crate) mod tables;
