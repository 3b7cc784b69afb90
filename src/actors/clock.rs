//! The server's one clock: what rooms are given as `now`, and what Pong tells.

use std::time::{Duration, Instant};

use crate::ids::Micros;

/// Monotonic microseconds since the server started. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts at 1, so that 0 can stand for "never".
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Micros {
        Micros(self.start.elapsed().as_micros() as u64 + 1)
    }

    /// How long it is until `then`; zero if it has passed.
    #[must_use]
    pub fn until(&self, then: Micros) -> Duration {
        Duration::from_micros(then.since(self.now()).0)
    }
}
