//! The server's one clock: what rooms are given as `now`, what Pong tells, and what deadlines are counted by.

use std::time::{Duration, Instant};

use crate::ids::Micros;
use crate::room::attendance::Attendance;

/// Monotonic microseconds since the server started. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// One for each server that was ever started in this process: it is left where it is.
    attendance: &'static Attendance,
}

impl Clock {
    /// Starts at 1, so that 0 can stand for "never".
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now(), attendance: Box::leak(Box::new(Attendance::new(Micros(1)))) }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Micros {
        let now = Micros(self.start.elapsed().as_micros() as u64 + 1);
        self.attendance.look(now);
        now
    }

    /// How long it is until `then`; zero if it has passed.
    #[must_use]
    pub fn until(&self, then: Micros) -> Duration {
        Duration::from_micros(then.since(self.now()).0)
    }

    /// How long somebody has been waited for since then. While the whole process was stopped nobody was.
    #[must_use]
    pub fn waited(&self, since: Micros) -> Micros {
        self.attendance.waited(since, self.now())
    }

    /// What is left of `time` for somebody who has been waited for since then; zero: it is over.
    #[must_use]
    pub fn left(&self, time: Micros, since: Micros) -> Duration {
        Duration::from_micros(time.since(self.waited(since)).0)
    }

    /// When the process was last back after it had been stopped; 0: it never was.
    #[must_use]
    pub fn returned(&self) -> Micros {
        self.attendance.returned()
    }

    /// True if the process was stopped at some time after `then`: what was measured from then on says nothing.
    #[must_use]
    pub fn was_away_since(&self, then: Micros) -> bool {
        self.attendance.was_away_since(then)
    }
}
