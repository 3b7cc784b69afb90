//! Whether anybody was there while time passed. A process that was stopped, by a signal, a laptop's lid or a core that
//! somebody else had, goes on and finds that all its deadlines are over; but it was itself that was away. So whatever
//! waits for somebody asks here how long it has waited, and after an absence counts anew.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ids::Micros;

/// So much between two looks is an absence. Whoever waits must look more often: the smallest deadlines are that long.
const ABSENCE: Micros = Micros::from_millis(1000);
/// Looks that follow each other sooner leave no trace: threads that share this need not fight for it.
const STEP: Micros = Micros::from_millis(10);

/// When somebody looked at the time. It may be shared by threads: then an absence is one of all of them.
#[derive(Debug, Default)]
pub struct Attendance {
    looked: AtomicU64,
    /// The end of the last absence.
    returned: AtomicU64,
}

impl Attendance {
    /// Begins now.
    #[must_use]
    pub fn new(now: Micros) -> Self {
        Self { looked: AtomicU64::new(now.0), returned: AtomicU64::new(0) }
    }

    /// Somebody looks at the time. True if that ends an absence.
    pub fn look(&self, now: Micros) -> bool {
        let gap = now.since(Micros(self.looked.load(Ordering::Relaxed)));
        if gap < STEP {
            return false;
        }
        let absence = gap > ABSENCE;
        if absence {
            // First, so that whoever sees the new look sees this too.
            self.returned.fetch_max(now.0, Ordering::Release);
        }
        self.looked.fetch_max(now.0, Ordering::AcqRel);
        absence
    }

    /// How long somebody has been waited for since then, by now.
    #[must_use]
    pub fn waited(&self, since: Micros, now: Micros) -> Micros {
        now.since(since.max(self.returned()))
    }

    /// True if an absence has ended after `then`: what was measured from then on says nothing.
    #[must_use]
    pub fn was_away_since(&self, then: Micros) -> bool {
        self.returned() > then
    }

    /// The end of the last absence; 0: there was none.
    #[must_use]
    pub fn returned(&self) -> Micros {
        Micros(self.returned.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    #[test]
    fn time_counts_while_somebody_looks_and_anew_after_an_absence() {
        let attendance = Attendance::new(ms(100));
        for now in (100..=5000).step_by(100) {
            assert!(!attendance.look(ms(now)));
            assert_eq!(attendance.waited(ms(100), ms(now)), ms(now - 100));
        }
        assert!(!attendance.look(ms(5005)), "too soon to be noted");
        for (from, until) in [(5000, 6001), (6001, 23_000), (23_000, 53_000)] {
            assert!(attendance.look(ms(until)), "from {from} to {until} nobody looked");
            assert_eq!(attendance.waited(ms(100), ms(until)), ms(0));
            assert!(attendance.was_away_since(ms(from)) && !attendance.was_away_since(ms(until)));
        }
        assert!(!attendance.look(ms(54_000)), "a second is no absence");
        assert_eq!(attendance.waited(ms(100), ms(54_000)), ms(1000));
        assert_eq!(attendance.waited(ms(53_900), ms(54_000)), ms(100));
    }

    #[test]
    fn a_look_back_changes_nothing() {
        let attendance = Attendance::new(ms(5000));
        assert!(!attendance.look(ms(1)));
        assert!(!attendance.look(ms(6000)));
    }
}
