//! What is counted of one group of players. Nothing here reads a clock.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::schedule::Gap;
use crate::ids::Micros;

/// The longest span that is told apart from longer ones: ten minutes.
const SPAN_US_MAX: u64 = 600_000_000;

/// Spans in microseconds (or ticks) with two significant digits, in constant memory.
#[derive(Clone, Debug)]
pub struct Spans(Histogram<u64>);

impl Default for Spans {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, SPAN_US_MAX, 3).expect("the bounds are good"))
    }
}

impl Spans {
    /// Counts one; what lies before zero counts as zero.
    pub fn note(&mut self, span: i64) {
        self.0.saturating_record(span.clamp(0, SPAN_US_MAX as i64) as u64);
    }

    /// Counts what another one counted.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the bounds are the same");
    }

    /// How many were counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// True if none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The span that `percent` of all do not exceed.
    #[must_use]
    pub fn at(&self, percent: f64) -> u64 {
        self.0.value_at_percentile(percent)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    /// On average.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.mean()
    }
}

/// When things count: joins and closes always, the rest only inside.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The first moment that counts.
    pub start: Micros,
    /// The first one that does not any more.
    pub end: Micros,
}

impl Window {
    /// Nothing counts yet.
    pub const SHUT: Self = Self { start: Micros(u64::MAX), end: Micros(u64::MAX) };

    /// True if a moment counts.
    #[must_use]
    pub fn holds(&self, at: Micros) -> bool {
        self.start <= at && at < self.end
    }

    /// How much of the time between two moments counts.
    #[must_use]
    pub fn overlap(&self, from: Micros, to: Micros) -> Micros {
        to.min(self.end).since(from.max(self.start))
    }
}

/// Everything that is counted of one group of players.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// From when a player was due to connect to its Welcome.
    pub join_us: Spans,
    /// From when a player was due to connect to its first snapshot.
    pub first_us: Spans,
    /// From when a dropped player was due to connect again to its first snapshot.
    pub resume_us: Spans,
    /// From when a snapshot's tick was due to its arrival.
    pub lateness_us: Spans,
    /// How late the server says that it simulated a snapshot's tick: the part of the lateness that is not delivery.
    pub told_lateness_us: Spans,
    /// From when reading stopped to when the server cut the connection.
    pub cut_us: Spans,
    /// From when the kernel last took something for a reader that stopped, to when the server cut the connection.
    pub stuck_us: Spans,
    /// The most bytes that the kernel held for one slow reader on the server's side; `None`: it did not say.
    pub kernel_bytes_max: Option<u32>,
    /// From when an input was due to be sent to the first snapshot that acks it.
    pub ack_us: Spans,
    /// The same in ticks: the snapshot's, less the one due when the input was.
    pub ack_ticks: Spans,
    /// Pings.
    pub rtt_us: Spans,
    /// From one message of the server to the next of the same session.
    pub silence_us: Spans,
    /// Sessions that were let in, by join and by resume.
    pub joined: u64,
    /// Those of them that took a dropped seat back.
    pub resumed: u64,
    /// Time that players spent in rooms within the window.
    pub playing_us: u64,
    /// Snapshots that arrived.
    pub snapshots: u64,
    /// Snapshots that did not come, and why.
    pub gap: Gap64,
    /// Snapshots that came later than a quarter of the snapshot period.
    pub late: u64,
    /// Those of them that were due, or on their way, while the generator itself stalled.
    pub late_in_stalls: u64,
    /// Missing snapshots, if the generator stalled since the session's snapshot before them.
    pub missing_in_stalls: u64,
    /// Views that the server started anew (base 0) in the delta tier, first snapshots not counted.
    pub restarts: u64,
    /// Resync messages sent.
    pub resyncs: u64,
    /// Snapshots that the view refused for another reason than its digest.
    pub view_errors: u64,
    /// Snapshots with a digest.
    pub digests: u64,
    /// Those that differed.
    pub digest_mismatches: u64,
    /// Snapshots that said that events were lost.
    pub events_lost: u64,
    /// Inputs sent.
    pub inputs: u64,
    /// Inputs that were due but did not go, since the socket took nothing.
    pub inputs_unsent: u64,
    /// Bytes read from sockets, frame headers included.
    pub bytes_down: u64,
    /// Bytes written to sockets, frame headers included.
    pub bytes_up: u64,
    /// The most ticks of time that a session saw its room skip.
    pub ticks_skipped: u64,
    /// Rows held at arrival of a snapshot, summed up.
    pub rows_held: u64,
    /// How sessions ended, by label.
    pub closes: BTreeMap<String, u64>,
}

/// As [`Gap`], summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap64 {
    /// Snapshots that should have come.
    pub missing: u64,
    /// Snapshots that had nothing to say.
    pub empty: u64,
}

impl Gap64 {
    /// One more gap.
    pub fn note(&mut self, gap: Gap) {
        self.missing += u64::from(gap.missing);
        self.empty += u64::from(gap.empty);
    }
}

impl Stats {
    /// A session ended.
    pub fn close(&mut self, label: &str) {
        match self.closes.get_mut(label) {
            Some(count) => *count += 1,
            None => drop(self.closes.insert(label.to_owned(), 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_come_back_within_a_thousandth() {
        let mut spans = Spans::default();
        for us in 1..=100_000 {
            spans.note(us);
        }
        spans.note(-5);
        assert_eq!((spans.len(), spans.max() / 100), (100_001, 1000));
        assert!((49_900..=50_100).contains(&spans.at(50.0)), "{}", spans.at(50.0));
        assert!((98_900..=99_100).contains(&spans.at(99.0)), "{}", spans.at(99.0));
        spans.note(i64::MAX);
        assert!(spans.max() >= SPAN_US_MAX, "longer ones are counted as the longest");
    }

    #[test]
    fn only_what_lies_in_the_window_counts() {
        let window = Window { start: Micros(100), end: Micros(200) };
        assert_eq!(window.overlap(Micros(0), Micros(150)), Micros(50));
        assert_eq!(window.overlap(Micros(150), Micros(500)), Micros(50));
        assert_eq!(window.overlap(Micros(300), Micros(500)), Micros(0));
        assert_eq!(Window::SHUT.overlap(Micros(0), Micros(500)), Micros(0));
        assert!(window.holds(Micros(100)) && !window.holds(Micros(200)) && !Window::SHUT.holds(Micros(1)));
    }
}
