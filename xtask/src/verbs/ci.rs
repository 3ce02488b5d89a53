//! `cargo xtask ci`: the checks of this workspace, so that a laptop and CI run the same list.
//!
//! CI runs more than that: `.ci/run` also goes through a first set-up, and repeats the tests on other servers.

use std::{ffi::OsString, time::Instant};

use clap::Args as ClapArgs;
use duct::cmd;

use crate::{
    checkout::Checkout,
    helpers::{
        built,
        packages::{Package, Packages},
    },
    terminal::{
        child,
        exit::Stop,
        output::{self, time},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask ci
  cargo xtask ci --on-demand                            the packages that cargo builds on demand
  cargo xtask ci --on-demand --exclude xtask-docker     without those that need a Docker engine

Every step runs, also after one that failed; the last lines list the results. Exit code 1: a step failed.")]
pub(crate) struct Args {
    /// Check the packages that are built on demand, and no others; it takes minutes to compile them
    #[arg(long)]
    on_demand: bool,
    /// Leave out this package
    #[arg(long, value_name = "PACKAGE", requires = "on_demand")]
    exclude: Vec<String>,
}

/// A check: its name, and the arguments for cargo.
struct Step(String, Vec<OsString>);

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let packages = Packages::load(&checkout.root)?;
        let steps = if self.on_demand { on_demand(&packages, &self.exclude)? } else { usual(&packages) };
        let mut summary = Vec::new();
        for Step(name, args) in steps {
            let shown: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
            output::line(&format!("\n== {name}: cargo {}", shown.join(" ")));
            let start = Instant::now();
            let mut step =
                cmd(built::cargo(), args).dir(&checkout.root).env("RUSTDOCFLAGS", "--deny warnings");
            if let Some(server) = checkout.asked_for() {
                step = step.env("XTASK_SERVER", server);
            }
            let state = if child::run(step).await?.success() { "passed" } else { "FAILED" };
            summary.push((name, state, start.elapsed()));
        }
        output::line("\n== summary");
        let width = summary.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        for (name, state, elapsed) in &summary {
            output::line(&format!("{name:<width$} {state}  {}", time(*elapsed)));
        }
        if summary.iter().all(|(_, state, _)| *state == "passed") {
            Ok(())
        } else {
            Err(Stop::Code(1).into())
        }
    }
}

/// The quick checks first.
fn usual(packages: &Packages) -> Vec<Step> {
    let selection = packages.selection();
    let mut steps = vec![step("format", &["fmt", "--all", "--check"], &[], &[])];
    steps.extend(analysis(&selection));
    steps.extend([
        step("graph", &["xtask", "graph", "--check"], &[], &[]),
        step("tables", &["xtask", "erd", "--check"], &[], &[]),
        step("queries", &["xtask", "prepare", "--check"], &[], &[]),
        step("tests", &["xtask", "test"], &[], &[]),
        step("proofs", &["xtask", "verify"], &[], &[]),
    ]);
    steps
}

/// The lints of all, then the tests of one after the other: built together, cargo would give them all the features that one
/// of them needs.
fn on_demand(packages: &Packages, excluded: &[String]) -> anyhow::Result<Vec<Step>> {
    for name in excluded {
        if !packages.on_demand().any(|package| package.name == *name) {
            let names: Vec<&str> = packages.on_demand().map(|package| package.name.as_str()).collect();
            let why = format!("no package `{name}` is built on demand; there are {}", names.join(", "));
            return Err(Stop::Usage(why).into());
        }
    }
    let checked: Vec<&Package> =
        packages.on_demand().filter(|package| !excluded.contains(&package.name)).collect();
    let select = |package: &Package| ["--package".into(), OsString::from(&package.name)];
    // Without a package cargo would check another selection.
    let all: Vec<OsString> = checked.iter().copied().flat_map(select).collect();
    let mut steps = if all.is_empty() { Vec::new() } else { Vec::from(analysis(&all)) };
    for package in checked.into_iter().filter(|package| package.has_tests()) {
        // Built beforehand, because its tests have time limits.
        let name = |what: &str| format!("{} {what}", package.name);
        steps.push(step(&name("build"), &["build", "--quiet"], &select(package), &[]));
        steps.push(step(&name("tests"), &["xtask", "test", "--"], &select(package), &[]));
    }
    Ok(steps)
}

/// The lints of clippy and of rustdoc.
fn analysis(selection: &[OsString]) -> [Step; 2] {
    let (clippy, deny) = (["clippy", "--all-targets", "--quiet"], ["--", "--deny", "warnings"]);
    let doc = ["doc", "--no-deps", "--document-private-items", "--quiet"];
    [step("lints", &clippy, selection, &deny), step("docs", &doc, selection, &[])]
}

fn step(name: &str, before: &[&str], selection: &[OsString], after: &[&str]) -> Step {
    let words = before.iter().map(OsString::from).chain(selection.iter().cloned());
    Step(name.to_owned(), words.chain(after.iter().map(OsString::from)).collect())
}
