//! The real sqlx-cli and `cargo xtask migrate` each continue where the other stopped, and the promises of `cargo xtask` hold
//! for both.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/checkout.rs"]
mod checkout;
#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/elsewhere/repository.rs"]
mod repository;
#[path = "../../../../tests/it/snapshot.rs"]
mod snapshot;

mod interop;
mod promises;
mod stock;

use ::tests::TestDatabase;

use crate::checkout::{Checkout, Outcome};

/// The apps in an order in which their folders can run one after the other.
const APPS: [&str; 3] = ["people", "library", "loans"];

/// `cargo xtask sqlx` for an app.
fn sqlx(checkout: &Checkout, db: &TestDatabase, app: &str, words: &str) -> Outcome {
    let args: Vec<&str> = ["sqlx", "--app", app].into_iter().chain(words.split(' ')).collect();
    checkout.xtask(db, &args)
}
