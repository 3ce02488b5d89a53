//! The measurements of `cargo xtask bench scratch`, in a process of its own because tests find their server by its
//! environment.
//!
//! `xtask-bench <verb>` speaks the protocol of the package `xtask-protocol`. Not here: servers, checkouts and goals, which
//! are the business of `xtask`.

mod clones;
mod hand_out;
mod milliseconds;
mod peer;
mod suite;

use std::process::ExitCode;

use xtask_protocol::{
    Kind, Refusal, Request as _,
    bench::{Clones, Fill, HandOut, Suite},
    program::{Call, answer, end},
};

const VERBS: &[&str] = &[Suite::VERB, HandOut::VERB, Clones::VERB, Fill::VERB];

fn main() -> ExitCode {
    end(run().map_err(|error| Refusal::new(Kind::Other, format!("{error:#}"))))
}

fn run() -> anyhow::Result<()> {
    let call = Call::read()?;
    match call.verb.as_str() {
        Suite::VERB => answer(suite::run(call.request()?)?),
        HandOut::VERB => answer(hand_out::run(call.request()?)?),
        Clones::VERB => answer(clones::run(call.request()?)?),
        Fill::VERB => answer(peer::fill(call.request()?)?),
        _ => Err(call.unknown_verb(VERBS)),
    }
}
