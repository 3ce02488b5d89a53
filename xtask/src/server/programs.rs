//! The two native servers of a checkout: one from this machine's Postgres programs, one from downloaded ones.

use std::fmt;

use anyhow::anyhow;
use cluster::{
    Binaries, Login, Native, Surroundings,
    binaries::{self, find_binaries},
};
use migrations::Postgres;

use crate::{
    checkout::Checkout,
    server::{
        download,
        login::{login_options, try_login},
    },
};

/// Where a server's programs come from. Each has a server and data of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Programs {
    OfThisMachine,
    Downloaded,
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Programs::OfThisMachine => "native",
            Programs::Downloaded => "downloaded",
        })
    }
}

/// Programs of one major version, or the newest where there are none of that.
pub(crate) struct Preferring {
    pub(crate) programs: Programs,
    pub(crate) major: u32,
}

impl Surroundings for Preferring {
    async fn programs(&self, minimum_major: u32, prefer: Option<u32>) -> anyhow::Result<Binaries> {
        match self.programs.programs(minimum_major, Some(self.major)).await {
            Ok(binaries) => Ok(binaries),
            Err(_) => self.programs.programs(minimum_major, prefer).await,
        }
    }

    fn still_uses(&self, binaries: &Binaries) -> bool {
        self.programs.still_uses(binaries)
    }

    async fn log_in(&self, port: u16, role: &str, password: &str) -> anyhow::Result<Login> {
        self.programs.log_in(port, role, password).await
    }
}

impl Surroundings for Programs {
    /// Finds the newest programs of this machine, or downloads programs of exactly that major version.
    async fn programs(&self, minimum_major: u32, prefer: Option<u32>) -> anyhow::Result<Binaries> {
        match self {
            Programs::OfThisMachine => find_binaries(minimum_major, prefer).map_err(|error| {
                let others = match download::exists(prefer.unwrap_or(minimum_major)) {
                    true => "--server docker, or --server download",
                    false => "--server docker",
                };
                anyhow!(
                    "{error:#}\n  or do without: {others}\n  or use a server of yours: export \
                     DATABASE_URL=postgres://user@host/database"
                )
            }),
            Programs::Downloaded => download::find_or_fetch(prefer.unwrap_or(minimum_major)).await,
        }
    }

    fn still_uses(&self, binaries: &Binaries) -> bool {
        binaries.unchanged() && (*self == Programs::Downloaded || binaries::allows(binaries))
    }

    async fn log_in(&self, port: u16, role: &str, password: &str) -> anyhow::Result<Login> {
        try_login(login_options(port, role, password)).await
    }
}

/// The checkout's server from this machine's programs. Its folder also has the state of the checkout's other servers.
pub(crate) fn own_server(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Native> {
    Native::of_checkout(&checkout.root, postgres.version, &postgres.main)
}

/// The checkout's server from these programs.
pub(crate) fn native_server(
    checkout: &Checkout,
    programs: Programs,
    postgres: &Postgres,
) -> anyhow::Result<Native> {
    let own = own_server(checkout, postgres)?;
    Ok(match programs {
        Programs::OfThisMachine => own,
        Programs::Downloaded => own.apart("download"),
    })
}
