//! What moves the rows of the apps' tables, for the verbs that do: `flush`, `dumpdata` and `loaddata`.

pub(crate) mod draft;
pub(crate) mod dump;
pub(crate) mod emptying;
pub(crate) mod load;
pub(crate) mod tables;
