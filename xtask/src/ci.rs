//! `cargo xtask ci`: everything that CI checks, so that a laptop and CI run the same list.

use std::{env, path::Path, time::Instant};

use clap::Args as ClapArgs;
use tokio::task::spawn_blocking;
use xshell::{Shell, cmd};

use crate::{
    checkout::Checkout,
    exit::Stop,
    interrupt::or_interrupted,
    output::{self, time},
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
    ("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]),
    ("docs", &["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]),
    ("tests", &["xtask", "test"]),
    ("proofs", &["xtask", "verify"]),
];

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let mut summary = Vec::new();
        for &(name, args) in STEPS {
            output::line(&format!("\n== {name}: cargo {}", args.join(" ")));
            let start = Instant::now();
            let root = checkout.root.clone();
            let step = spawn_blocking(move || cargo(&root, args));
            let state = match or_interrupted(async { Ok(step.await?) }).await? {
                Ok(()) => "passed",
                Err(_) => "FAILED",
            };
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

/// Runs cargo in the checkout; it says itself what is wrong.
fn cargo(root: &Path, args: &[&str]) -> xshell::Result<()> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    sh.set_var("RUSTDOCFLAGS", "--deny warnings");
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    cmd!(sh, "{cargo} {args...}").quiet().run()
}
