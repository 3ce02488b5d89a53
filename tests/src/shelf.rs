//! The databases of one template that are ready to be lent, and those who wait for one.

use std::collections::VecDeque;

use tokio::sync::oneshot;

/// Made ahead of the first one who asks; then as many as have asked, up to the most.
const AT_FIRST: usize = 2;

pub(crate) type Waiting = oneshot::Sender<Result<String, String>>;

#[derive(Default)]
pub(crate) struct Shelf {
    /// The template's name; empty where there is none.
    pub(crate) template: String,
    ready: VecDeque<String>,
    waiting: VecDeque<Waiting>,
    making: usize,
    /// How many were asked for so far.
    asked: usize,
    /// Clones come back cleaned, so that none has to be made ahead.
    recycled: bool,
    /// The last one could not be made: none is made ahead until somebody asks again.
    failed: bool,
}

impl Shelf {
    pub(crate) fn new(template: String, recycled: bool) -> Shelf {
        Shelf { template, recycled, ..Shelf::default() }
    }

    /// One that is ready; else the place in the queue.
    pub(crate) fn take(&mut self, waiting: Waiting) {
        self.asked += 1;
        self.failed = false;
        match self.ready.pop_back() {
            // Whoever gave up waiting has not taken it.
            Some(name) => drop(waiting.send(Ok(name)).map_err(|name| self.ready.extend(name))),
            None => self.waiting.push_back(waiting),
        }
    }

    /// Whether one is to be made for somebody who waits.
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.len() > self.making
    }

    /// Whether one is to be made ahead.
    pub(crate) fn has_room(&self, most: usize) -> bool {
        let enough = if self.recycled { 0 } else { (self.asked + AT_FIRST).min(most) };
        !self.failed && self.ready.len() + self.making < enough
    }

    pub(crate) fn begin(&mut self) {
        self.making += 1;
    }

    /// What was made goes to whoever waits longest, else to the others.
    pub(crate) fn made(&mut self, made: Result<String, String>) {
        self.making -= 1;
        self.failed = made.is_err();
        self.put(made);
    }

    /// One that is ready, or why there is none.
    pub(crate) fn put(&mut self, mut one: Result<String, String>) {
        while let Some(waiting) = self.waiting.pop_front() {
            match waiting.send(one) {
                Ok(()) => return,
                Err(back) => one = back,
            }
        }
        self.ready.extend(one);
    }

    /// All that are ready, to be removed.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = String> {
        self.ready.drain(..)
    }
}
