//! The databases of one template that are ready to be lent, and the tests that wait for one.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::template::Template;

/// How many are made before the first test asks. Later there are as many as tests have asked for, up to a maximum.
const AT_FIRST: usize = 2;

pub(crate) type Waiting = oneshot::Sender<Result<String, String>>;

#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) template: Template,
    ready: VecDeque<String>,
    waiting: VecDeque<Waiting>,
    making: usize,
    /// How many tests have asked so far.
    requests: usize,
    stocked: Stocked,
    /// The last one could not be made, so none is made ahead until another test asks.
    failed: bool,
}

/// When clones are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stocked {
    /// Some before a test asks for them.
    #[default]
    Ahead,
    /// When a test asks and none is ready: tests give them back cleaned.
    OnDemand,
}

impl Shelf {
    pub(crate) fn new(template: Template, stocked: Stocked) -> Shelf {
        Shelf { template, stocked, ..Shelf::default() }
    }

    /// Hands over one that is ready, or puts the test into the queue.
    pub(crate) fn take(&mut self, waiting: Waiting) {
        self.requests += 1;
        self.failed = false;
        match self.ready.pop_back() {
            // A test that gave up waiting has not taken it.
            Some(name) => drop(waiting.send(Ok(name)).map_err(|name| self.ready.extend(name))),
            None => self.waiting.push_back(waiting),
        }
    }

    /// Whether one must be made for a test that waits.
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.len() > self.making
    }

    /// Whether one should be made ahead.
    pub(crate) fn has_room(&self, most: usize) -> bool {
        let enough = match self.stocked {
            Stocked::Ahead => (self.requests + AT_FIRST).min(most),
            Stocked::OnDemand => 0,
        };
        !self.failed && self.ready.len() + self.making < enough
    }

    /// One is being made from now on.
    pub(crate) fn begin(&mut self) {
        self.making += 1;
    }

    /// One was made, or why it could not be: it goes to the test that waits longest, or to the others that are ready.
    pub(crate) fn finish(&mut self, made: Result<String, String>) {
        self.making -= 1;
        self.failed = made.is_err();
        self.put(made);
    }

    /// Adds one that is ready, or passes on why there is none.
    pub(crate) fn put(&mut self, mut one: Result<String, String>) {
        while let Some(waiting) = self.waiting.pop_front() {
            match waiting.send(one) {
                Ok(()) => return,
                Err(back) => one = back,
            }
        }
        self.ready.extend(one);
    }

    /// Takes out all that are ready, to be removed.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = String> {
        self.ready.drain(..)
    }
}
