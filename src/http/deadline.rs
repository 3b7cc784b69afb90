//! Deadlines of connections, which blame nobody for the server's own absence.

use std::future::Future;

use crate::actors::clock::Clock;
use crate::ids::Micros;

/// What `future` yields, if it does so in `time`. While the whole process was stopped, nobody was waited for.
pub(super) async fn within<T>(clock: Clock, time: Micros, future: impl Future<Output = T>) -> Option<T> {
    let since = clock.now();
    let passed = async {
        loop {
            match clock.left(time, since) {
                left if left.is_zero() => return,
                left => tokio::time::sleep(left).await,
            }
        }
    };
    tokio::select! {
        biased;
        value = future => Some(value),
        () = passed => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_deadline_that_was_late_itself_counts_anew() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (time, clock, start) = (Duration::from_millis(100), Clock::start(), Instant::now());
            let micros = Micros::from_millis(100);
            let mut late = pin!(within(clock, micros, pending::<()>()));
            assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            // The whole thread stands still, as a process does that was stopped.
            std::thread::sleep(12 * time);
            assert_eq!(late.await, None);
            assert!(start.elapsed() >= 13 * time, "it must wait anew: {:?}", start.elapsed());
            let start = Instant::now();
            assert_eq!(within(clock, micros, pending::<()>()).await, None);
            assert!((time..5 * time).contains(&start.elapsed()), "it took {:?}", start.elapsed());
            assert_eq!(within(clock, micros, async { 7 }).await, Some(7));
        });
    }
}
