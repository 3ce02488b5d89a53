//! Servers and databases that remove themselves after use, for tests, checks and pictures.

pub(crate) mod host;
pub(crate) mod migrated;
pub(crate) mod test_server;
