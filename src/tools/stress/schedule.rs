//! When things are due, and how late they came: arithmetic without a clock of its own.
//!
//! A load generator that sends the next thing only after the last one was answered, or that measures from when it got
//! round to sending, hides every stall of the server (coordinated omission). So everything here has a time at which it
//! is due, computed from the schedule alone; latencies count from there.

use crate::ids::Micros;
use crate::protocol::message::Welcome;

/// What this generator's clock must be shifted by to read the server's: from the ping with the shortest round trip of
/// the last 10 to 20 seconds. All sessions of one server share its clock, so their pings are one sample set.
#[derive(Clone, Debug, Default)]
pub struct ServerClock {
    /// The best of the present span and of the one before it.
    best: [Option<Sample>; 2],
    span: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    rtt: u64,
    offset: i64,
}

/// How long a ping may count: clocks of two machines drift by some 20 us in a second at worst.
const SPAN_US: u64 = 10_000_000;

impl ServerClock {
    /// A Ping that was written at `sent` was answered at `server` and read at `received`.
    pub fn note(&mut self, sent: Micros, received: Micros, server: u64) {
        let span = received.0 / SPAN_US;
        if span != self.span {
            let before = if span == self.span + 1 { self.best[0].take() } else { None };
            // Nothing newer yet: an old sample is better than none.
            self.best[1] = before.or(self.best[1]);
            self.best[0] = None;
            self.span = span;
        }
        let rtt = received.since(sent).0;
        let middle = (sent.0 + received.0) / 2;
        let sample = Sample { rtt, offset: server as i64 - middle as i64 };
        if self.best[0].is_none_or(|best| rtt < best.rtt) {
            self.best[0] = Some(sample);
        }
    }

    /// The server's clock at a moment of ours; `None` before the first answer.
    #[must_use]
    pub fn at(&self, ours: Micros) -> Option<i64> {
        let best = match self.best {
            [Some(new), Some(old)] if old.rtt < new.rtt => old,
            [Some(new), _] => new,
            [None, Some(old)] => old,
            [None, None] => return None,
        };
        Some(ours.0 as i64 + best.offset)
    }

    /// The most that [`ServerClock::at`] can be wrong by, in microseconds: half of the shortest round trip.
    #[must_use]
    pub fn uncertainty(&self) -> Option<u64> {
        self.best.iter().flatten().map(|sample| sample.rtt / 2).min()
    }
}

/// When a room's ticks are due, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickTimes {
    epoch: u64,
    tick_rate: u16,
    ticks_per_snapshot: u16,
}

impl TickTimes {
    /// As the room's Welcome says.
    #[must_use]
    pub fn new(welcome: &Welcome) -> Self {
        Self {
            epoch: welcome.epoch,
            tick_rate: welcome.tick_rate.max(1),
            ticks_per_snapshot: welcome.ticks_per_snapshot.max(1),
        }
    }

    /// When a tick is due: `epoch + (tick + skipped) / rate`.
    #[must_use]
    pub fn due(&self, tick: u32, skipped: u32) -> i64 {
        let periods = u64::from(tick) + u64::from(skipped);
        (self.epoch + periods * 1_000_000 / u64::from(self.tick_rate)) as i64
    }

    /// The newest tick that is due at a moment of the server's clock.
    #[must_use]
    pub fn tick_at(&self, server: i64, skipped: u32) -> i64 {
        (server - self.epoch as i64) * i64::from(self.tick_rate) / 1_000_000 - i64::from(skipped)
    }

    /// Ticks per second.
    #[must_use]
    pub fn tick_rate(&self) -> u16 {
        self.tick_rate
    }

    /// From one snapshot to the next, in microseconds.
    #[must_use]
    pub fn snapshot_period_us(&self) -> u64 {
        u64::from(self.ticks_per_snapshot) * 1_000_000 / u64::from(self.tick_rate)
    }

    /// What lies between two snapshots that a session received one after the other.
    ///
    /// The server sends no empty snapshot, but counts it as sent: the later one's base moves on with it. So everything
    /// up to the base was empty, and what lies between base and snapshot should have come and did not: its window was
    /// shut, or the server itself was late and simulated several ticks in one go. In the full tier, and when a view
    /// starts anew (base 0), nothing may be missing.
    #[must_use]
    pub fn gap(&self, before: u32, tick: u32, base: u32) -> Gap {
        let per = u32::from(self.ticks_per_snapshot);
        // Snapshot ticks need not be multiples of `per` when the server catches up, so a part of a period is none.
        let between = |from: u32, to: u32| (to.saturating_sub(from).saturating_add(per / 2) / per).saturating_sub(1);
        let from = if base == 0 { before } else { tick.saturating_sub(base).max(before) };
        let missing = between(from, tick);
        Gap { missing, empty: between(before, tick) - missing }
    }
}

/// Snapshots that a session did not get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// They would have said something.
    pub missing: u32,
    /// There was nothing to say.
    pub empty: u32,
}

/// Something that happens over and over, at times that do not depend on when it was done.
#[derive(Clone, Copy, Debug)]
pub struct Every {
    first: u64,
    period_ns: u64,
    done: u64,
}

impl Every {
    /// `per_second` times a second, the first time at `first`.
    #[must_use]
    pub fn per_second(per_second: f64, first: Micros) -> Self {
        Self { first: first.0, period_ns: (1e9 / per_second) as u64, done: 0 }
    }

    /// When it is due next.
    #[must_use]
    pub fn due(&self) -> Micros {
        Micros(self.first + self.done * self.period_ns / 1000)
    }

    /// It was done.
    pub fn advance(&mut self) {
        self.done += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: TickTimes = TickTimes { epoch: 1_000_000, tick_rate: 60, ticks_per_snapshot: 2 };

    #[test]
    fn ticks_are_due_on_the_server_clock_and_skipped_time_moves_them() {
        assert_eq!(TIMES.due(0, 0), 1_000_000);
        assert_eq!(TIMES.due(60, 0), 2_000_000);
        assert_eq!(TIMES.due(60, 30), 2_500_000);
        assert_eq!(TIMES.tick_at(2_500_000, 30), 60);
        assert_eq!(TIMES.tick_at(TIMES.due(61, 30) - 1, 30), 60);
        assert_eq!(TIMES.snapshot_period_us(), 33_333);
    }

    #[test]
    fn the_base_tells_what_was_empty_and_what_is_missing() {
        let gap = |before, tick, base| {
            let gap = TIMES.gap(before, tick, base);
            (gap.missing, gap.empty)
        };
        assert_eq!(gap(100, 102, 2), (0, 0), "the very next one");
        assert_eq!(gap(100, 110, 2), (0, 4), "all in between were empty");
        assert_eq!(gap(100, 110, 10), (4, 0), "all in between were skipped");
        assert_eq!(gap(100, 110, 6), (2, 2), "two were empty, then two were skipped");
        assert_eq!(gap(100, 110, 0), (4, 0), "the full tier sends every one");
        assert_eq!(gap(101, 104, 3), (1, 0), "after catching up, ticks lie off the grid");
        assert_eq!(gap(100, 102, 50), (0, 0), "a base before the last one is the view's business");
    }

    #[test]
    fn the_shortest_round_trip_sets_the_clock() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.at(Micros(5)), None);
        // The server's clock is 1,000,000 ahead; the answer took 300 us longer on its way back than on its way out.
        clock.note(Micros(1000), Micros(1500), 1_001_100);
        assert_eq!(clock.at(Micros(2000)), Some(1_001_850));
        clock.note(Micros(3000), Micros(3040), 1_003_020);
        assert_eq!((clock.at(Micros(4000)), clock.uncertainty()), (Some(1_004_000), Some(20)));
        clock.note(Micros(5000), Micros(9000), 1_009_000);
        assert_eq!(clock.at(Micros(4000)), Some(1_004_000), "a slow one changes nothing");
        // Much later the server's clock has drifted: the old sample no longer counts.
        for n in 2..6 {
            let at = n * SPAN_US;
            clock.note(Micros(at), Micros(at + 100), at + 1_000_550);
        }
        assert_eq!(clock.at(Micros(0)), Some(1_000_500));
    }

    #[test]
    fn a_stall_does_not_move_the_schedule() {
        let mut every = Every::per_second(60.0, Micros(1_000_000));
        for _ in 0..600 {
            every.advance();
        }
        // Whenever they were really done, the six hundred and first is due ten seconds after the first.
        assert_eq!(every.due().0, 1_000_000 + 600 * 16_666_666 / 1000);
    }
}
