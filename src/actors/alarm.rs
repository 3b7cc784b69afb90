//! A room's timer, exact to some 50 us. The runtime's own timers count whole milliseconds and ring up to two late, which
//! would be a tenth of every tick.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

/// Sets when it rings next; an earlier setting is forgotten.
#[derive(Clone)]
pub struct Alarm(Rc<Timer>);

/// Yields once each time it rings, and never ends.
pub struct Rings(Rc<Timer>);

enum Timer {
    #[cfg(target_os = "linux")]
    Exact(exact::Exact),
    /// Where there is no other, or no descriptor left for one.
    Coarse(RefCell<Coarse>),
}

struct Coarse {
    sleep: Pin<Box<Sleep>>,
    is_set: bool,
    waker: Waker,
}

/// An alarm that is not set. Needs the runtime that will poll it.
#[must_use]
pub fn alarm() -> (Alarm, Rings) {
    #[cfg(target_os = "linux")]
    if let Ok(exact) = exact::Exact::new() {
        return of(Timer::Exact(exact));
    }
    coarse()
}

fn coarse() -> (Alarm, Rings) {
    let coarse = Coarse { sleep: Box::pin(sleep(Duration::ZERO)), is_set: false, waker: Waker::noop().clone() };
    of(Timer::Coarse(RefCell::new(coarse)))
}

fn of(timer: Timer) -> (Alarm, Rings) {
    let timer = Rc::new(timer);
    (Alarm(timer.clone()), Rings(timer))
}

impl Alarm {
    /// It rings after this time, once.
    pub fn set(&self, after: Duration) {
        match &*self.0 {
            #[cfg(target_os = "linux")]
            Timer::Exact(exact) => exact.set(after),
            Timer::Coarse(coarse) => {
                let mut coarse = coarse.borrow_mut();
                coarse.sleep.as_mut().reset(Instant::now() + after);
                coarse.is_set = true;
                coarse.waker.wake_by_ref();
            }
        }
    }
}

impl Stream for Rings {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        match &*self.0 {
            #[cfg(target_os = "linux")]
            Timer::Exact(exact) => exact.poll(cx).map(Some),
            Timer::Coarse(coarse) => {
                let mut coarse = coarse.borrow_mut();
                coarse.waker.clone_from(cx.waker());
                if coarse.is_set && coarse.sleep.as_mut().poll(cx).is_ready() {
                    coarse.is_set = false;
                    return Poll::Ready(Some(()));
                }
                Poll::Pending
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod exact {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer of the kernel's (timerfd_create(2)).
    pub(super) struct Exact(AsyncFd<OwnedFd>);

    impl Exact {
        #[expect(deprecated, reason = "its heir is unsafe, for descriptors that are not owned; this one is")]
        pub(super) fn new() -> io::Result<Self> {
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            Ok(Self(AsyncFd::with_interest(descriptor, Interest::READABLE)?))
        }

        pub(super) fn set(&self, after: Duration) {
            // Zero would mean: not at all.
            let after = after.max(Duration::from_nanos(1));
            let it_value = Timespec { tv_sec: after.as_secs() as i64, tv_nsec: i64::from(after.subsec_nanos()) };
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let once = Itimerspec { it_interval: never, it_value };
            if let Err(error) = timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once) {
                // Only a wrong descriptor or a wrong time could do this.
                tracing::error!(%error, "a room's timer could not be set");
            }
        }

        pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
            loop {
                // An error: the runtime ends, and nobody will ask again.
                let Ok(mut ready) = ready!(self.0.poll_read_ready(cx)) else { return Poll::Pending };
                ready.clear_ready();
                // It holds how often it has rung since it was read or set; nothing, if it was set anew meanwhile.
                if rustix::io::read(self.0.get_ref(), &mut [0; 8]).is_ok() {
                    return Poll::Ready(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures_util::StreamExt;

    use super::*;

    async fn rings_once_and_can_be_set_anew((alarm, mut rings): (Alarm, Rings)) {
        let start = Instant::now();
        alarm.set(Duration::from_secs(3600));
        alarm.set(Duration::from_millis(20));
        assert_eq!(rings.next().await, Some(()));
        assert!(start.elapsed() >= Duration::from_millis(20), "it rang after {:?}", start.elapsed());
        let silence = tokio::time::timeout(Duration::from_millis(50), rings.next()).await;
        assert!(silence.is_err(), "it rang twice");
        // Set while it is waited for, from elsewhere.
        let waits = async { rings.next().await };
        let sets = async { alarm.set(Duration::ZERO) };
        assert_eq!(tokio::join!(waits, sets).0, Some(()));
    }

    #[tokio::test]
    async fn an_alarm_rings_once_and_can_be_set_anew() {
        rings_once_and_can_be_set_anew(alarm()).await;
        rings_once_and_can_be_set_anew(coarse()).await;
    }
}
