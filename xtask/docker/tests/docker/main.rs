//! The server in Docker, through `cargo xtask` as people use it, on a real engine. Without one these tests fail.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/checkout.rs"]
mod checkout;

mod benchmark;
mod choice;
mod daemon;
mod docker;
mod engine;
mod killing;
mod life;
mod proofs;
mod restart;
mod running;
mod start;
