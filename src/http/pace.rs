//! Pages yield to ticks: what plain HTTP may take of a worker's time.
//!
//! A worker's thread carries sessions and their rooms' snapshots, and on a small machine rooms share its core. So all
//! that HTTP does is charged, poll by poll, to an allowance that fills with time; once it is spent, requests wait in line.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// HTTP may take one part in so many of a worker's time: thousands of files a second, and a tick finds its core free.
const ONE_PART_IN: u32 = 4;

/// What may be taken at once, after a pause: so late are snapshots at most because of pages.
const AT_ONCE: Duration = Duration::from_millis(1);

/// One worker's allowance.
pub(super) struct Pace {
    /// Nanoseconds; below zero: spent in advance.
    left: Cell<i64>,
    filled: Cell<Instant>,
    /// First come, first served: a connection with a thousand requests has one place in it.
    line: Semaphore,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(nanos(AT_ONCE)), filled: Cell::new(Instant::now()), line: Semaphore::new(1) }
    }

    /// Waits for a turn: to be called before each step that costs something.
    pub(super) async fn turn(&self) {
        // What this task did before is charged only when its poll ends, and sessions have their turn too.
        tokio::task::yield_now().await;
        let _first = self.line.acquire().await;
        while let Some(wait) = self.fill(Instant::now()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// The same future, charged for what it takes.
    pub(super) fn charge<F: Future>(&self, future: F) -> Charged<'_, F> {
        Charged { pace: self, future: Box::pin(future) }
    }

    /// Fills the allowance up to `now`; how long it is until there is any, if there is none.
    fn fill(&self, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.filled.replace(now));
        self.left.set((self.left.get() + nanos(passed / ONE_PART_IN)).min(nanos(AT_ONCE)));
        let lacks = u64::try_from(-self.left.get()).ok()?;
        Some(Duration::from_nanos(lacks + 1) * ONE_PART_IN)
    }

    fn spend(&self, time: Duration) {
        self.left.set(self.left.get().saturating_sub(nanos(time)));
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// See [`Pace::charge`]. The future is boxed, so that what comes after it does not carry its size.
pub(super) struct Charged<'a, F> {
    pace: &'a Pace,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Charged<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let start = Instant::now();
        let poll = self.future.as_mut().poll(cx);
        self.pace.spend(start.elapsed());
        poll
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_fills_with_time_and_no_further() {
        let pace = Pace::new();
        let start = pace.filled.get();
        assert_eq!(pace.fill(start), None);
        pace.spend(3 * AT_ONCE);
        let wait = pace.fill(start).expect("it is spent");
        assert_eq!(wait.as_micros(), (2 * AT_ONCE * ONE_PART_IN).as_micros());
        assert!(pace.fill(start + wait / 2).is_some());
        // Each of the two steps may have lost a part of a nanosecond.
        assert_eq!(pace.fill(start + wait + Duration::from_nanos(1) * ONE_PART_IN), None);
        assert_eq!(pace.fill(start + Duration::from_secs(60)), None);
        pace.spend(AT_ONCE + Duration::from_nanos(1));
        assert!(pace.fill(start + Duration::from_secs(60)).is_some(), "a minute of rest is no minute of work");
    }

    #[test]
    fn work_without_end_takes_its_part_and_no_more() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let pace = Pace::new();
        let start = Instant::now();
        let worked = runtime.block_on(pace.charge(async {
            let mut worked = Duration::ZERO;
            while start.elapsed() < Duration::from_millis(400) {
                pace.turn().await;
                let step = Instant::now();
                while step.elapsed() < Duration::from_micros(100) {}
                worked += step.elapsed();
            }
            worked
        }));
        let part = worked.as_secs_f64() / start.elapsed().as_secs_f64();
        assert!(part < 1.2 / f64::from(ONE_PART_IN), "it took {part} of the time");
        assert!(worked > Duration::from_millis(10), "it took {worked:?}");
    }
}
