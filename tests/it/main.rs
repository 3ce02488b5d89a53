//! The integration tests of the whole project, on real servers, in one binary.
//!
//! A test's name is the claim that it proves. None is ever skipped: without a server it fails.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

mod checkout;
mod connecting;
mod failing_sql;
mod files;
mod interop;
mod interruption;
mod ledger;
mod locking;
mod safety;
mod schema;
mod seeds;
mod snapshot;
mod verbs;
mod verifying;
