//! The three apps in Rust.
