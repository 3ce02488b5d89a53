//! PostgreSQL in Docker: the one package that is built from testcontainers. Only `xtask` runs this program.
//!
//! `xtask-docker <verb>` speaks the protocol of the package `xtask-protocol`. The password of a server is in the request
//! and the answer, and never on a command line.
//!
//! Not here: which server is meant, where its password is kept, and everything that comes after the URL.

mod dev;
mod engine;
mod environment;
mod failure;
mod image;
mod lock;
mod owner;
mod password;
mod ready;
mod spec;
mod status;
mod sweep;
mod test_server;
mod volume;

use std::{process::ExitCode, time::Duration};

use xtask_protocol::{
    Request as _,
    docker::{Remove, StartDev, StartTest, Status, Stop, Sweep},
    endpoint::Endpoint,
    program::{Call, answer, end},
};

use crate::engine::Engine;

const VERBS: &[&str] =
    &[StartDev::VERB, StartTest::VERB, Sweep::VERB, Stop::VERB, Remove::VERB, Status::VERB];

/// A daemon on this machine accepts at once or never.
const TO_CONNECT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    end(run().await.map_err(|error| failure::refusal(&error)))
}

async fn run() -> anyhow::Result<()> {
    let endpoint = Endpoint::from_environment()?;
    // Bollard's own errors do not say why no daemon can be reached. After `settle`, the environment no longer says where
    // the address came from.
    endpoint.probe(TO_CONNECT)?;
    environment::settle(&endpoint)?;
    let call = Call::read()?;
    if !VERBS.contains(&call.verb.as_str()) {
        return Err(call.unknown_verb(VERBS));
    }
    let engine = Engine::connect(&endpoint).await?;
    match call.verb.as_str() {
        StartDev::VERB => answer(dev::run(&engine, call.request()?).await?),
        StartTest::VERB => test_server::run(&engine, call.request()?).await,
        Sweep::VERB => answer(sweep::run(&engine).await?),
        Remove::VERB => answer(status::remove(&engine, &call.request()?).await?),
        Stop::VERB => answer(status::stop(&engine, &call.request()?).await?),
        _ => answer(status::status(&engine, &call.request()?).await?),
    }
}
