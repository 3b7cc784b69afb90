//! How late the generator itself is. Whoever measures on a machine that pauses, or that has too little time for the
//! measuring, counts its own lateness as the server's; this says how much of it there was, and when.

use super::stats::{Spans, Window};
use crate::ids::Micros;

/// From one beat to the next: the finest that a poll can wait for.
const BEAT: Micros = Micros::from_millis(1);

/// The loop is due at every beat, whatever it does meanwhile, and notes how late it came. Blocked for 100 ms it has missed
/// a hundred beats and notes each of them, as everything else that was due then was late too.
#[derive(Clone, Debug)]
pub struct Stalls {
    due: Micros,
    window: Window,
    /// A stall is longer than this.
    over: Micros,
    /// When the last stall was over.
    ended_at: Option<Micros>,
    late_us: Spans,
    count: u64,
    total_us: u64,
}

impl Stalls {
    /// From the beginning of the window on. What comes later than `over` is a stall.
    #[must_use]
    pub fn new(window: Window, over: Micros) -> Self {
        Self { due: window.start, window, over, ended_at: None, late_us: Spans::default(), count: 0, total_us: 0 }
    }

    /// When the loop is due next.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.due
    }

    /// The loop has come round.
    pub fn turn(&mut self, now: Micros) {
        let late = now.since(self.due);
        if late > self.over && self.window.holds(self.due) {
            self.ended_at = Some(now);
            self.count += 1;
            self.total_us += late.0;
        }
        while self.due <= now {
            if self.window.holds(self.due) {
                self.late_us.note(now.since(self.due).0 as i64);
            }
            self.due = self.due.after(BEAT);
        }
    }

    /// True if there was a stall at some moment from `from` to `now`, one that goes on included.
    #[must_use]
    pub fn since(&self, from: Micros, now: Micros) -> bool {
        self.is_long(now.since(self.due)) || self.ended_at.is_some_and(|ended_at| ended_at >= from)
    }

    /// True for a lateness of anything that is as long as a stall.
    #[must_use]
    pub fn is_long(&self, late: Micros) -> bool {
        late > self.over
    }

    /// Every beat's lateness.
    #[must_use]
    pub fn late_us(&self) -> &Spans {
        &self.late_us
    }

    /// How many stalls there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How long they were together.
    #[must_use]
    pub fn total_us(&self) -> u64 {
        self.total_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1000;

    fn from_one_to_three_seconds() -> Stalls {
        let window = Window { start: Micros(1000 * MS), end: Micros(3000 * MS) };
        Stalls::new(window, Micros(8 * MS))
    }

    /// Turns every millisecond, each `late` after its beat, up to and without `end`.
    fn run(stalls: &mut Stalls, end: Micros, late: u64) {
        while stalls.due() < end {
            stalls.turn(Micros(stalls.due().0 + late));
        }
    }

    #[test]
    fn a_loop_in_time_has_no_stall() {
        let mut stalls = from_one_to_three_seconds();
        run(&mut stalls, Micros(4000 * MS), 60);
        assert_eq!((stalls.late_us().len(), stalls.late_us().max()), (2000, 60), "a beat a millisecond in the window");
        assert_eq!((stalls.count(), stalls.total_us()), (0, 0));
        assert!(!stalls.since(Micros(0), Micros(2000 * MS)));
    }

    #[test]
    fn a_blocked_loop_was_late_for_every_beat_that_it_missed() {
        let mut stalls = from_one_to_three_seconds();
        run(&mut stalls, Micros(2000 * MS), 0);
        let blocked_until = Micros(2100 * MS);
        assert!(!stalls.since(Micros(0), Micros(2008 * MS)), "not long enough yet");
        assert!(stalls.since(Micros(2020 * MS), Micros(2020 * MS)), "it goes on");
        stalls.turn(blocked_until);
        run(&mut stalls, Micros(3000 * MS), 0);
        assert_eq!((stalls.count(), stalls.total_us()), (1, 100 * MS));
        // A hundred of two thousand beats, by 100, 99, 98 .. ms: the slowest hundredth begins at 80.
        let late = stalls.late_us();
        assert_eq!((late.len(), late.at(50.0)), (2000, 0));
        assert!((79 * MS..=82 * MS).contains(&late.at(99.0)), "{} us", late.at(99.0));
        assert!((100 * MS..101 * MS).contains(&late.max()), "{} us", late.max());
        // What was on its way meanwhile may be late for that, and what was not may not.
        let now = Micros(2500 * MS);
        assert!(stalls.since(Micros(2050 * MS), now) && stalls.since(blocked_until, now));
        assert!(!stalls.since(Micros(blocked_until.0 + 1), now));
    }

    #[test]
    fn what_lies_outside_the_window_does_not_count() {
        let mut stalls = from_one_to_three_seconds();
        run(&mut stalls, Micros(3000 * MS), 0);
        stalls.turn(Micros(3500 * MS));
        assert_eq!((stalls.count(), stalls.late_us().len(), stalls.late_us().max()), (0, 2000, 0));
        let mut never = Stalls::new(Window::SHUT, Micros(0));
        never.turn(Micros(5000 * MS));
        assert_eq!((never.count(), never.due()), (0, Window::SHUT.start));
        assert!(!never.since(Micros(0), Micros(5000 * MS)));
    }
}
