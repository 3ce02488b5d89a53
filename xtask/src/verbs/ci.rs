//! `cargo xtask ci`: everything that CI checks, so that a laptop and CI run the same list.

use std::time::Instant;

use clap::Args as ClapArgs;
use duct::cmd;

use crate::{
    checkout::Checkout,
    helpers::built,
    terminal::{
        child,
        exit::Stop,
        output::{self, time},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask ci

All steps run, also after one that failed; the last lines say which. Exit code 1: one failed.")]
pub(crate) struct Args {}

/// The checks, in order: the quick ones first.
const STEPS: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--all-targets", "--quiet", "--", "--deny", "warnings"]),
    ("docs", &["doc", "--no-deps", "--document-private-items", "--quiet"]),
    ("graph", &["xtask", "graph", "--check"]),
    ("tables", &["xtask", "erd", "--check"]),
    ("queries", &["xtask", "prepare", "--check"]),
    ("tests", &["xtask", "test"]),
    ("proofs", &["xtask", "verify"]),
];

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let mut summary = Vec::new();
        for &(name, args) in STEPS {
            output::line(&format!("\n== {name}: cargo {}", args.join(" ")));
            let start = Instant::now();
            let cargo = built::cargo();
            let mut step = cmd(cargo, args).dir(&checkout.root).env("RUSTDOCFLAGS", "--deny warnings");
            if let Some(server) = checkout.asked_for() {
                step = step.env("XTASK_SERVER", server);
            }
            let state = if child::run(step).await?.success() { "passed" } else { "FAILED" };
            summary.push((name, state, start.elapsed()));
        }
        output::line("\n== summary");
        for (name, state, elapsed) in &summary {
            output::line(&format!("{name:<8} {state}  {}", time(*elapsed)));
        }
        if summary.iter().all(|(_, state, _)| *state == "passed") {
            Ok(())
        } else {
            Err(Stop::Code(1).into())
        }
    }
}
