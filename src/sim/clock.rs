//! Which ticks are due. The timer that wakes a room is not the clock: this is.

use crate::ids::{Micros, Tick};

/// A drift-free tick clock: tick `T` is due at `epoch + (T + skipped) / rate`, whatever the timer does.
///
/// The catch-up policy, in full: a call to [`TickClock::advance`] makes at most `catch_up_max` ticks due. Time beyond
/// that is skipped: it is never simulated, tick numbers stay contiguous, and every snapshot tells the clients how much
/// was skipped so far, so that their clocks follow.
#[derive(Clone, Debug)]
pub struct TickClock {
    epoch: Micros,
    rate: u16,
    catch_up_max: u32,
    /// The last tick that was made due.
    tick: Tick,
    skipped: u32,
}

impl TickClock {
    /// Tick 0 is at `epoch`; `rate` ticks a second.
    ///
    /// # Panics
    /// If `rate` or `catch_up_max` is 0.
    #[must_use]
    pub fn new(epoch: Micros, rate: u16, catch_up_max: u32) -> Self {
        assert!(rate > 0 && catch_up_max > 0, "rate {rate} and catch-up {catch_up_max} must be positive");
        Self { epoch, rate, catch_up_max, tick: Tick(0), skipped: 0 }
    }

    /// How many ticks became due by `now`, at most `catch_up_max`; what is due beyond is skipped. A clock that runs
    /// backwards makes nothing due.
    pub fn advance(&mut self, now: Micros) -> u32 {
        let due = self.due_by(now);
        if due > self.catch_up_max {
            self.skip(due - self.catch_up_max);
        }
        let due = due.min(self.catch_up_max);
        self.tick = self.tick.after(due);
        due
    }

    /// Skips everything that is due by `now`: nobody is there to see it.
    pub fn rest(&mut self, now: Micros) {
        let due = self.due_by(now);
        self.skip(due);
    }

    /// When a tick is due, given what was skipped so far.
    #[must_use]
    pub fn time_of(&self, tick: Tick) -> Micros {
        let periods = u64::from(tick.0) + u64::from(self.skipped);
        self.epoch.after(Micros(periods * 1_000_000 / u64::from(self.rate)))
    }

    /// When the next tick is due.
    #[must_use]
    pub fn next_at(&self) -> Micros {
        self.time_of(self.tick.after(1))
    }

    /// How long after its time the last tick was made due, if that was at `now`.
    #[must_use]
    pub fn lateness(&self, now: Micros) -> Micros {
        now.since(self.time_of(self.tick))
    }

    /// The last tick that was made due.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Ticks of time that were never simulated.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.skipped
    }

    /// The time of tick 0.
    #[must_use]
    pub fn epoch(&self) -> Micros {
        self.epoch
    }

    /// Ticks per second.
    #[must_use]
    pub fn rate(&self) -> u16 {
        self.rate
    }

    fn due_by(&self, now: Micros) -> u32 {
        // `time_of` rounds down, so this rounds up: a tick is due at the very microsecond that `time_of` says.
        let elapsed = now.since(self.epoch).0;
        let periods = ((elapsed + 1) * u64::from(self.rate)).div_ceil(1_000_000) - 1;
        let passed = u64::from(self.tick.0) + u64::from(self.skipped);
        u32::try_from(periods.saturating_sub(passed)).unwrap_or(u32::MAX)
    }

    fn skip(&mut self, ticks: u32) {
        self.skipped = self.skipped.saturating_add(ticks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tick_is_due_exactly_at_its_time() {
        for rate in [1, 20, 30, 60, 64, 128, 240] {
            let mut clock = TickClock::new(Micros(5_000), rate, 5);
            for _ in 0..1000 {
                let next = clock.next_at();
                assert_eq!(clock.advance(Micros(next.0 - 1)), 0, "rate {rate}: early");
                assert_eq!(clock.advance(next), 1, "rate {rate}: late");
                assert_eq!(clock.lateness(next), Micros(0));
            }
            assert_eq!(clock.skipped(), 0);
        }
    }

    #[test]
    fn a_late_timer_does_not_drift() {
        let mut clock = TickClock::new(Micros(0), 60, 5);
        let mut ticks = 0;
        for call in 1..=600_u64 {
            // Each call comes up to 9 ms late, as timers do.
            ticks += clock.advance(Micros(call * 16_667 + call * 7919 % 9000));
        }
        assert!((599..=601).contains(&ticks), "{ticks} ticks in ten seconds");
        assert_eq!(clock.skipped(), 0);
    }

    #[test]
    fn a_long_stop_is_skipped_and_counted_not_replayed() {
        let mut clock = TickClock::new(Micros(0), 60, 5);
        assert_eq!(clock.advance(Micros::from_millis(10_000)), 5);
        assert_eq!((clock.tick(), clock.skipped()), (Tick(5), 595));
        assert_eq!(clock.time_of(Tick(5)), Micros::from_millis(10_000));
        assert_eq!(clock.advance(Micros(10_016_667)), 1);
    }

    #[test]
    fn a_clock_that_jumps_back_makes_nothing_due() {
        let mut clock = TickClock::new(Micros(1_000_000), 60, 5);
        clock.advance(Micros(1_050_000));
        assert_eq!(clock.advance(Micros(0)), 0);
        assert_eq!(clock.advance(Micros(1_050_000)), 0);
    }

    #[test]
    fn resting_keeps_the_tick_and_moves_the_time() {
        let mut clock = TickClock::new(Micros(0), 60, 5);
        clock.advance(Micros::from_millis(50));
        clock.rest(Micros::from_millis(1050));
        assert_eq!((clock.tick(), clock.skipped()), (Tick(3), 60));
    }
}
