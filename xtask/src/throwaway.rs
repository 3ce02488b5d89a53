//! Servers and databases that go away by themselves: for tests, proofs and pictures.

pub(crate) mod host;
pub(crate) mod migrated;
pub(crate) mod test_server;
