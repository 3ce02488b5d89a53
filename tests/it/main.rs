//! The integration tests of the whole project, on real servers, in one binary.
//!
//! A test's name is the claim that it proves. None is ever skipped: without a server it fails.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

mod adopting;
mod backend;
mod bad_input;
mod benchmark;
mod borrowing;
mod checkout;
mod completing;
mod connecting;
mod documents;
mod dumping;
mod example;
mod failing_sql;
mod files;
mod first_minute;
mod fixture;
mod flushing;
mod inspecting;
mod interop;
mod interruption;
mod ledger;
mod locking;
mod making_migrations;
mod native_server;
mod native_server_accounts;
mod native_server_life;
mod native_server_recovery;
mod native_server_refusals;
mod no_transaction;
mod pending;
mod pictures;
mod preparing;
mod product;
mod renumbering;
mod rooms;
mod safety;
mod schema;
mod scratch_alone;
mod scratch_content;
mod scratch_crowd;
mod scratch_handed;
mod scratch_kept;
mod scratch_killed;
mod scratch_project;
mod scratch_recycled;
mod scratch_shared;
mod scratch_transaction;
mod scratch_verb;
mod screen;
mod seeds;
mod shell;
mod snapshot;
mod suite;
mod superuser;
mod terminal;
mod test_server;
mod test_server_cache;
mod test_verb;
mod tidy;
mod timeouts;
mod verbs;
mod verifying;
mod wording;
