//! `cargo xtask test`: the whole test suite, on a test server that goes away by itself.

use std::{env, ffi::OsString, os::unix::process::ExitStatusExt};

use anyhow::Context;
use clap::Args as ClapArgs;
use duct::cmd;

use crate::{
    checkout::Checkout,
    child,
    cli::Format,
    exit::Stop,
    interrupt::or_interrupted,
    output::{self, Steps},
    server::TestServer,
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
        let postgres = checkout.project()?.postgres;
        let mut steps = Steps::new(Format::Text);
        let server = or_interrupted(TestServer::find(checkout, &postgres, &mut steps)).await?;
        let ran = suite(checkout, &server, &self.args).await;
        server.stop().await?;
        ran
    }
}

async fn suite(checkout: &Checkout, server: &TestServer, args: &[OsString]) -> anyhow::Result<()> {
    let nextest = which::which("cargo-nextest").is_ok();
    let mut words: Vec<OsString> =
        if nextest { vec!["nextest".into(), "run".into()] } else { vec!["test".into()] };
    words.extend_from_slice(args);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let this = env::current_exe().context("find this program")?;
    let tests = cmd(cargo, words)
        .dir(&checkout.root)
        .env("XTASK_TEST_URL", server.url.as_str())
        // Tests of the command line run this very program, rather than build it once more.
        .env("XTASK_BIN", this)
        // They say themselves which server they mean.
        .env_remove("DATABASE_URL")
        .env_remove("XTASK_SERVER");
    let status = child::run(tests).await.context("run cargo")?;
    if status.success() {
        return Ok(());
    }
    if let Some(signal) = status.signal() {
        output::complain("error", &format!("the test runner was ended by signal {signal}"));
    }
    Err(Stop::Code(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)).into())
}
