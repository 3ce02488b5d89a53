//! Servers and databases that remove themselves after use, for tests, checks and pictures.

pub(crate) mod baseline;
pub(crate) mod both;
pub(crate) mod checking;
pub(crate) mod desired;
mod foreign_keys;
pub(crate) mod loaded;
pub(crate) mod migrated;
pub(crate) mod owned;
pub(crate) mod process;
mod said;
pub(crate) mod serving;
pub(crate) mod shared;
mod statement;
mod stuck;
pub(crate) mod test_server;
