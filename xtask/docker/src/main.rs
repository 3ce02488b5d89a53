//! PostgreSQL in Docker: the one package that is built from testcontainers, which nobody runs but `xtask`.
//!
//! `xtask-docker <verb>` reads one line of JSON from its standard input, the request, and writes one line to its standard
//! output, the answer or the error; what goes on meanwhile goes to standard error. The password of a server is in
//! the request and the answer, and never on a command line.
//!
//! Deliberately not here: which server is meant, where its password is kept, and everything that comes after the URL.

mod dev;
mod endpoint;
mod engine;
mod failure;
mod image;
mod lock;
mod message;
mod owner;
mod password;
mod ready;
mod spec;
mod status;
mod sweep;
mod test_server;
mod volume;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    endpoint::Endpoint,
    engine::Engine,
    failure::{Kind, failure},
};

const VERBS: &str = "dev, test, sweep, stop, remove, status";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = failure::told(&error);
            // Nobody is left to tell if this fails.
            let _ = say(&json!({ "error": { "kind": error.kind, "message": error.message } }));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let verb = env::args().nth(1).unwrap_or_default();
    let endpoint = Endpoint::of_environment()?;
    // Before the environment is settled, while it still tells whose word an address is.
    endpoint.probe()?;
    endpoint.settle()?;
    let request = read_line()?;
    if !VERBS.split(", ").any(|known| known == verb) {
        return Err(failure(Kind::Other, format!("no verb `{verb}`: there are {VERBS}")));
    }
    let engine = Engine::connect(&endpoint).await?;
    match verb.as_str() {
        "dev" => say(&dev::run(&engine, parse(&request)?).await?),
        "test" => test_server::run(&engine, parse(&request)?).await,
        "sweep" => say(&sweep::run(&engine).await?),
        "remove" => say(&status::remove(&engine, &parse(&request)?).await?),
        "stop" => say(&status::stop(&engine, &parse(&request)?).await?),
        _ => say(&status::status(&engine, &parse(&request)?).await?),
    }
}

/// The request. What comes after it is for the verb `test` to wait for.
fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

fn parse<T: DeserializeOwned>(request: &str) -> anyhow::Result<T> {
    // Without the request itself: there is a password in it.
    serde_json::from_str(request)
        .map_err(|error| failure(Kind::Other, format!("the request is not what this verb takes: {error}")))
}

/// One line on standard output.
fn say(answer: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(answer)?;
    line.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    Ok(stdout.flush()?)
}

/// One line of progress, for people.
fn note(line: &str) {
    // Progress that nobody reads is no reason to fail.
    let _ = writeln!(io::stderr(), "{line}");
}
