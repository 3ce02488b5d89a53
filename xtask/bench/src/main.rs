//! What `cargo xtask bench scratch` measures, in a process of its own: tests find their server by its environment.
//!
//! `xtask-bench <verb>` reads one line of JSON from its standard input, the request, and writes one line to its standard
//! output, the answer. Deliberately not here: servers, checkouts and goals, which are the business of `xtask`.

mod clones;
mod hand_out;
mod peer;
mod suite;

use std::{
    env,
    io::{self, Write as _},
    time::Duration,
};

use anyhow::{Context, bail};
use serde::{Serialize, de::DeserializeOwned};

fn main() -> anyhow::Result<()> {
    match env::args().nth(1).unwrap_or_default().as_str() {
        "suite" => answer(suite::run),
        "hand-out" => answer(hand_out::run),
        "clones" => answer(clones::run),
        "fill" => answer(peer::fill),
        verb => bail!("no verb `{verb}`: there are suite, hand-out, clones, fill"),
    }
}

fn answer<Q: DeserializeOwned, A: Serialize>(work: fn(Q) -> anyhow::Result<A>) -> anyhow::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let answer = work(serde_json::from_str(&line).context("read the request")?)?;
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&answer)?)?)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
