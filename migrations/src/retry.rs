//! How often, and after which pauses, we try work again that other sessions were in the way of.

use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

/// How often we try.
const TRIES: u32 = 5;
/// Pause after the first try. It doubles, and is stretched at random so that two runners don't stay in step.
const PAUSE: Duration = Duration::from_millis(200);

/// The pause after this try, counted from 1. `None` if it was the last one.
pub(crate) fn pause_after(attempt: u32) -> Option<Duration> {
    (attempt < TRIES).then(|| stretched(PAUSE * 2_u32.pow(attempt - 1)))
}

/// A pause made longer by up to its own length, at random.
fn stretched(pause: Duration) -> Duration {
    // The seed of a hash map is the only random number in std.
    let random = std::hash::RandomState::new().build_hasher().finish();
    pause + pause.mul_f64(random as f64 / u64::MAX as f64)
}
