//! `cargo xtask test`: the whole test suite, on a test server that goes away by itself.

use std::{env, ffi::OsString, os::unix::process::ExitStatusExt};

use anyhow::Context;
use clap::Args as ClapArgs;
use duct::cmd;
use tests::Report;

use crate::{
    checkout::Checkout,
    helpers::built,
    terminal::{child, exit::pass_on, output},
    throwaway::host::Host,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask test
  cargo xtask test -- seeds            only tests whose name contains `seeds`
  cargo xtask test -- --no-fail-fast

It runs cargo nextest where that is installed, else cargo test. The exit code is theirs.")]
pub(crate) struct Args {
    /// Arguments for cargo nextest, or cargo test
    #[arg(last = true)]
    args: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        // Files that are wrong are told before a server is started.
        checkout.project()?;
        let host = Host::start(checkout, output::line).await?;
        let ran = suite(checkout, &host, &self.args).await;
        let report = host.report().await;
        match report {
            Ok(report) if tell(&report) => {
                let stays = host.leave()?;
                output::line(&format!(
                    "the test server stays for {} minutes, so that they can be opened; end it now: cargo xtask server sweep",
                    stays.as_secs() / 60
                ));
            }
            Ok(_) => host.end().await?,
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

async fn suite(checkout: &Checkout, host: &Host, args: &[OsString]) -> anyhow::Result<()> {
    let nextest = which::which("cargo-nextest").is_ok();
    let mut words: Vec<OsString> =
        if nextest { vec!["nextest".into(), "run".into()] } else { vec!["test".into()] };
    words.extend_from_slice(args);
    let cargo = built::cargo();
    let this = env::current_exe().context("find this program")?;
    let tests = cmd(cargo, words)
        .dir(&checkout.root)
        .env(tests::SERVER, &host.url)
        .env(tests::SERVICE, &host.socket)
        // For `#[sqlx::test]`, which knows nothing of us.
        .env("DATABASE_URL", &host.url)
        // Tests of the command line run this very program, rather than build it once more.
        .env("XTASK_BIN", this)
        // They say themselves which server they mean.
        .env_remove("XTASK_SERVER");
    let status = child::run(tests).await.context("run cargo")?;
    if let Some(signal) = status.signal() {
        output::complain("error", &format!("the test runner was ended by signal {signal}"));
    }
    pass_on(status)
}

/// Tells what was lent, and whether something of it is still there.
fn tell(report: &Report) -> bool {
    if report.lent > 0 {
        let databases = output::count(report.lent, "database", "databases");
        output::line(&format!("{databases} handed out, {:.1} ms each (median)", report.median_ms));
        let slowest = report.slowest.iter().map(|(test, seconds)| format!("{seconds:.2} s {test}"));
        output::line(&format!("slowest with one: {}", slowest.collect::<Vec<_>>().join(", ")));
    }
    if report.kept > 0 {
        let databases =
            output::count(report.kept, "database of a failed test is", "databases of failed tests are");
        output::line(&format!("{databases} kept; the failures above say how to open them"));
    }
    report.kept > 0
}
