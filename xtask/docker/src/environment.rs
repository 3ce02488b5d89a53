//! The environment in which testcontainers finds the daemon that we found.

use std::{env, os::unix::process::CommandExt as _, process::Command};

use anyhow::Context as _;
use xtask_protocol::endpoint::{DOCKER_HOST, Endpoint};

const COMMAND: &str = "TESTCONTAINERS_COMMAND";

/// Runs this program again with the variables that testcontainers needs, unless they are set already.
///
/// Testcontainers takes an empty `DOCKER_HOST` for an address and ignores contexts. `TESTCONTAINERS_COMMAND` must not
/// decide which containers stay, because some of our servers stay and the others do not. The caller has read nothing
/// from standard input yet.
pub(crate) fn settle(endpoint: &Endpoint) -> anyhow::Result<()> {
    let is = |name, value: &str| env::var(name).is_ok_and(|it| it == value);
    if is(DOCKER_HOST, endpoint.host()) && is(COMMAND, "keep") {
        return Ok(());
    }
    let own = env::current_exe().context("find this program's own file")?;
    #[expect(clippy::disallowed_methods, reason = "neither xshell nor duct replaces the process")]
    let mut command = Command::new(own);
    let error =
        command.args(env::args_os().skip(1)).env(DOCKER_HOST, endpoint.host()).env(COMMAND, "keep").exec();
    Err(error).context("run this program again")
}
