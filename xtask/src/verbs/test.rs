//! `cargo xtask test`: the whole test suite, on a test server that goes away by itself.

use std::{env, ffi::OsString, os::unix::process::ExitStatusExt};

use anyhow::Context;
use clap::Args as ClapArgs;
use duct::cmd;
use tests::service::Report;

use crate::{
    checkout::Checkout,
    database::libpq::Variables,
    helpers::{
        built,
        packages::{self, Packages},
    },
    terminal::{
        child::{self, this_program},
        exit::{Stop, pass_on},
        output,
    },
    throwaway::process::ServiceProcess,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask test
  cargo xtask test -- seeds            only tests whose name contains `seeds`
  cargo xtask test -- --fail-fast      end at the first failure; needs cargo nextest

It runs every test, also after a failure, with cargo nextest if that is installed and else with
cargo test, for every package of the workspace that is not built on demand; without arguments also
the examples in the documentation. The exit code is theirs. RUST_BACKTRACE=full shows the
backtraces of failed tests.")]
pub(crate) struct Args {
    /// Arguments for cargo nextest, or cargo test
    #[arg(last = true)]
    args: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        // Report wrong files before starting a server.
        checkout.project()?;
        let host = ServiceProcess::start(checkout, output::line).await?;
        let ran = suite(checkout, &host, &self.args).await;
        let report = host.report().await;
        match report {
            Ok(report) => {
                // After a failure the last lines belong to the runner, which lists the failed tests there.
                if ran.is_ok() {
                    print_statistics(&report);
                }
                if report.kept == 0 {
                    let ended = host.end().await;
                    // What the tests ended with comes first.
                    return ran.and(ended);
                }
                let databases = output::count(
                    report.kept,
                    "database of a failed test is",
                    "databases of failed tests are",
                );
                output::line(&format!("{databases} kept; the failures above say how to open them"));
                let stays = match host.leave() {
                    Ok(stays) => stays,
                    Err(error) => return ran.and(Err(error)),
                };
                output::line(&format!(
                    "the test server stays for {} minutes, so that they can be opened; end it now: cargo xtask server sweep",
                    stays.as_secs() / 60
                ));
            }
            Err(_) => {
                let ended = host.end().await;
                // Whatever ended it says more than its silence.
                if ran.is_ok() {
                    ended?;
                }
            }
        }
        ran
    }
}

/// Runs the tests; without arguments also the examples in the documentation, which cargo test runs and nextest does not.
async fn suite(checkout: &Checkout, host: &ServiceProcess, args: &[OsString]) -> anyhow::Result<()> {
    let nextest = which::which("cargo-nextest").is_ok();
    let words: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
    let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let packages = Packages::load(&checkout.root)?;
    if !packages::are_selected(args) {
        words.extend(packages.selection());
    }
    let choices = ["--fail-fast", "--no-fail-fast", "--max-fail", "--no-run"];
    if !args.iter().any(|arg| choices.iter().any(|choice| arg.to_string_lossy().starts_with(choice))) {
        words.push("--no-fail-fast".into());
    }
    words.extend_from_slice(args);
    let tests = run(checkout, host, words).await;
    if let Err(error) = &tests
        && matches!(error.downcast_ref(), Some(Stop::Interrupted))
    {
        return tests;
    }
    match packages.doc_test_selection() {
        Some(selection) if nextest && args.is_empty() => {
            output::line("\nexamples in the documentation:");
            let mut words: Vec<OsString> = ["test", "--quiet", "--doc"].map(OsString::from).into();
            words.extend(selection);
            tests.and(run(checkout, host, words).await)
        }
        _ => tests,
    }
}

async fn run(checkout: &Checkout, host: &ServiceProcess, words: Vec<OsString>) -> anyhow::Result<()> {
    let cargo = built::cargo();
    let this = this_program()?;
    // A failed assertion names its line. The backtrace of a test would show the runner's calls around it, and many machines
    // set the variable to 1 for everything.
    let backtrace = env::var("RUST_BACKTRACE").ok().filter(|it| it == "full").unwrap_or("0".to_owned());
    let tests = cmd(cargo, words)
        .dir(&checkout.root)
        .env(tests::service::SERVER, &host.url)
        .env(tests::service::SERVICE, &host.socket)
        // For `#[sqlx::test]`, which knows nothing of us.
        .env("DATABASE_URL", &host.url)
        // Tests of the command line run this very program, rather than build it once more.
        .env("XTASK_BIN", this)
        .env("RUST_BACKTRACE", backtrace)
        // They say themselves which server they mean.
        .env_remove("XTASK_SERVER");
    let status = child::run(Variables::none().give(tests)).await.context("run cargo")?;
    if let Some(signal) = status.signal() {
        output::complain("error", &format!("the test runner was ended by signal {signal}"));
    }
    pass_on(status)
}

/// Prints how many databases the tests had, how long they waited for one, and which of these tests were slowest.
fn print_statistics(report: &Report) {
    if report.lent > 0 {
        let databases = output::count(report.lent, "database", "databases");
        output::line(&format!("{databases} handed out, {:.1} ms each (median)", report.median_ms));
        let slowest = report.slowest.iter().map(|(test, seconds)| format!("{seconds:.2} s {test}"));
        output::line(&format!("slowest with one: {}", slowest.collect::<Vec<_>>().join(", ")));
    }
}
