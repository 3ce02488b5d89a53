//! TLS to a server of the user's own, by handing over to a program that has it.
//!
//! To compile TLS takes a tenth of the CPU time of the first `cargo xtask`, and a server on this machine needs none.

use std::{env, net::IpAddr, os::unix::process::CommandExt as _, process::Command};

use anyhow::anyhow;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use xshell::{Shell, cmd};

use crate::{checkout::Checkout, helpers::helper::Helper, host::HOST};

const PACKAGE: Helper = Helper { name: "xtask-tls", does: "connects with TLS" };

/// Replaces this process by one that can connect with TLS, if a server needs that and this program can't.
pub(super) fn hand_over_if_needed(checkout: &Checkout, options: &PgConnectOptions) -> anyhow::Result<()> {
    if cfg!(feature = "tls") || !is_needed(options) {
        return Ok(());
    }
    let (program, args) = (PACKAGE.program()?, env::args_os().skip(1));
    let sh = Shell::new()?;
    let mut command: Command = cmd!(sh, "{program} {args...}").into();
    command.env(HOST, &checkout.workspace);
    Err(anyhow!(command.exec()).context("start the program that connects with TLS"))
}

/// Whether a connection is to be encrypted: if that is demanded, or preferred and the server is not on this machine.
fn is_needed(options: &PgConnectOptions) -> bool {
    match options.get_ssl_mode() {
        PgSslMode::Disable | PgSslMode::Allow => false,
        PgSslMode::Prefer => !is_on_this_machine(options),
        PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => true,
    }
}

/// Whether a server is on this machine, judging by its address alone.
pub(crate) fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_this_machine_or_must_be_encrypted_needs_tls() {
        for (url, needed) in [
            ("postgres://app@127.0.0.1/app", false),
            ("postgres://app@localhost/app", false),
            ("postgres://app@[::1]/app", false),
            ("postgres://app@%2Frun%2Fpostgresql/app", false),
            ("postgres://app@db.example.org/app", true),
            ("postgres://app@192.0.2.1/app", true),
            ("postgres://app@db.example.org/app?sslmode=disable", false),
            ("postgres://app@127.0.0.1/app?sslmode=require", true),
            ("postgres://app@localhost/app?sslmode=verify-full", true),
        ] {
            assert_eq!(is_needed(&migrations::database::options(url).unwrap()), needed, "{url}");
        }
    }
}
