//! No code: this crate is its tests, see `tests/`.
