//! Deadlines of connections, which blame nobody for the server's own absence.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A timer that fires so late was stopped itself, with the whole process: what it waited for may lie in the socket.
const LATE: Duration = Duration::from_secs(1);

/// Waits until `time` has passed. A timer that was late counts anew.
pub(super) async fn passed(time: Duration) {
    loop {
        let due = Instant::now() + time;
        sleep_until(due).await;
        if due.elapsed() <= LATE {
            return;
        }
    }
}

/// What `future` yields, if it does so in time.
pub(super) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = passed(time) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn a_deadline_that_was_late_itself_counts_anew() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            const TIME: Duration = Duration::from_millis(100);
            let start = Instant::now();
            let mut passed = pin!(passed(TIME));
            assert!(passed.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            // The whole thread stands still, as a process does that was stopped.
            std::thread::sleep(LATE + 2 * TIME);
            passed.await;
            assert!(start.elapsed() >= LATE + 3 * TIME, "it must wait anew: {:?}", start.elapsed());
            assert_eq!(within(TIME, std::future::pending::<()>()).await, None);
            assert_eq!(within(TIME, async { 7 }).await, Some(7));
        });
    }
}
