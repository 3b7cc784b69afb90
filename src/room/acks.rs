//! What a viewer's acks tell: how long the way there and back is, and how much may be on its way.
//!
//! A snapshot's time is taken when it is handed over and when `seen` first names it or a newer one. The difference, its
//! age, is the round trip, the time until the client had something to send, and whatever waited on the way. So single ages
//! say little and their least says much. The client decides when it acks: what a delayed ack can win is bounded where the
//! round trip is used, not here.

use std::collections::VecDeque;

use crate::ids::{Micros, Tick};

/// A seat whose client acks is skipped while the newest snapshot sent to it lies further ahead of the newest that it
/// has seen than this, or than its RTT and [`WINDOW_SLACK`] together, whichever is more.
const WINDOW_SNAPSHOTS: u32 = 8;
const WINDOW_SLACK: Micros = Micros::from_millis(250);
/// A client that has not acked anything for this long is stalled, and perhaps only its way up is. An honest client acks
/// ten times a second.
const STALLED_AFTER: Micros = Micros::from_millis(150);
/// A stalled client is sent to until so long after the least age: when the stall ends, the newest is there, instead of a
/// round trip later. Beyond that its picture stands still anyway (clients extrapolate for about 700 ms).
const STALL_SLACK: Micros = Micros::from_millis(750);
/// An RTT so far above the least age there has been is a queue: the client takes less than it is sent. More than
/// [`WINDOW_SNAPSHOTS`] take, so that a window that is merely full is not taken for one. A stall is none: whatever it held
/// up comes together, the newest at its end, and that one is young.
const QUEUED: Micros = Micros::from_millis(350);
/// While a client is slow, twice as many may be on their way when the age of one with as many as may is no further above
/// the least: an honest client's ages differ so much, as it acks ten times a second.
const FLOWS: Micros = Micros::from_millis(100);
/// One that is further above it than this shows that they queue again; between the two nothing changes.
const QUEUES_AGAIN: Micros = Micros::from_millis(250);
/// Then one at a time is sent for so long before it is tried again.
const SLOW_SPAN: Micros = Micros::from_millis(3000);
/// The RTT is the least age of once to twice this span: it soon follows a way that has become longer, and no stall.
const RTT_SPAN: Micros = Micros::from_millis(500);
/// Snapshots on their way whose times are kept: so many at least, and those of [`KEPT_SPAN`]. Of a client that does not ack
/// all are.
const KEPT_MIN: usize = 64;
/// Longer than any window, so that a snapshot is timed however far away its client is.
const KEPT_SPAN: Micros = Micros::from_millis(2000);

/// One viewer's acks.
#[derive(Debug)]
pub(super) struct Acks {
    /// The newest snapshot that was really sent.
    sent: Tick,
    /// The newest snapshot that the client says it has, or the one sent when it asked for a Resync; `None`: it does not
    /// ack.
    acked: Option<Tick>,
    /// When `acked` last rose.
    risen: Micros,
    /// Snapshots that are not acked yet, the oldest first.
    flying: VecDeque<Flight>,
    rtt: Least,
    /// The round trip of a WebSocket ping: for who does not ack.
    pinged: Option<Micros>,
    /// The least age since it was last measured anew.
    least: Option<Micros>,
    slow: Option<Slow>,
}

/// A snapshot on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    tick: Tick,
    /// When it was handed over, and how many were on their way then, with it.
    at: Micros,
    among: usize,
}

/// A client that takes less than it is sent. It gets one snapshot at a time, two if that makes them no older, then four: a
/// client that was only far away is soon at its full rate again, and what a slow one reads is as fresh as it can be.
#[derive(Debug)]
struct Slow {
    /// What was sent until then waited behind a queue: its age says nothing.
    sent: Tick,
    flying_max: usize,
    /// No more is tried until then.
    holds_until: Micros,
}

impl Acks {
    pub(super) fn new(now: Micros) -> Self {
        Self {
            sent: Tick(0),
            acked: None,
            risen: now,
            flying: VecDeque::new(),
            rtt: Least::of(RTT_SPAN),
            pinged: None,
            least: None,
            slow: None,
        }
    }

    /// A snapshot was handed over.
    pub(super) fn handle_sent(&mut self, tick: Tick, now: Micros) {
        self.sent = tick;
        while self.flying.len() >= KEPT_MIN
            && self.flying.front().is_some_and(|oldest| now.since(oldest.at) > KEPT_SPAN)
        {
            self.flying.pop_front();
        }
        self.flying.push_back(Flight { tick, at: now, among: self.flying.len() + 1 });
    }

    /// The client has this snapshot; 0 = it does not ack.
    pub(super) fn handle_seen(&mut self, seen: Tick, now: Micros) {
        // Who has seen what was never sent has seen the newest.
        let seen = seen.min(self.sent);
        if seen == Tick(0) || self.acked.is_some_and(|acked| seen <= acked) {
            return;
        }
        self.acked = Some(seen);
        self.risen = now;
        let landed = self.flying.partition_point(|flight| flight.tick <= seen);
        let newest = self.flying.drain(..landed).next_back();
        if let Some(newest) = newest {
            self.handle_landed(newest, now);
        }
    }

    /// Nobody was there for a time, which lies in the age of whatever is on its way: it tells nothing of the client.
    pub(super) fn handle_absence(&mut self, now: Micros) {
        self.flying.clear();
        self.risen = now;
    }

    /// The client begins with nothing: whatever is on its way to it does not count.
    pub(super) fn handle_resync(&mut self) {
        self.acked = self.acked.map(|_| self.sent);
        self.flying.clear();
    }

    /// A WebSocket ping came back after this.
    pub(super) fn handle_pong(&mut self, rtt: Micros) {
        self.pinged = Some(rtt);
    }

    fn handle_landed(&mut self, Flight { tick, at, among }: Flight, now: Micros) {
        let age = now.since(at);
        self.rtt.note(age, now);
        if self.slow.as_ref().is_some_and(|slow| tick <= slow.sent) {
            return;
        }
        let least = self.least.map_or(age, |least| least.min(age));
        self.least = Some(least);
        let Some(slow) = self.slow.as_mut().filter(|slow| slow.holds_until <= now) else { return };
        let queued = age.since(least);
        if queued <= FLOWS && among == slow.flying_max {
            slow.flying_max *= 2;
        } else if queued > QUEUES_AGAIN {
            *slow = Slow::from(self.sent, now.after(SLOW_SPAN));
            // The way may have become longer: what comes now, one at a time, says so.
            self.least = None;
            return;
        }
        if slow.flying_max > WINDOW_SNAPSHOTS as usize {
            self.slow = None;
        }
    }

    /// The round trip: by acks, which also know what happens within a page; by pings for who does not ack. `None`: neither
    /// has come.
    pub(super) fn rtt(&self) -> Option<Micros> {
        self.rtt.get().or(self.pinged)
    }

    /// True if the client is close enough behind what was sent to it.
    pub(super) fn window_is_open(&mut self, now: Micros, tick_rate: u16, ticks_per_snapshot: u16) -> bool {
        let Some(acked) = self.acked else { return true };
        // Asked here and not at each ack: after a stall many come together, and only the last of them is young.
        self.judge(now);
        if let Some(slow) = &self.slow {
            return self.flying.len() < slow.flying_max;
        }
        let ticks =
            |span: Micros| u32::try_from((span.0 * u64::from(tick_rate)).div_ceil(1_000_000)).unwrap_or(u32::MAX);
        let rtt = self.rtt().unwrap_or_default();
        let behind = self.sent.since(acked);
        let usual = (WINDOW_SNAPSHOTS * u32::from(ticks_per_snapshot)).max(ticks(rtt.after(WINDOW_SLACK)));
        let stalled = now.since(self.risen) >= STALLED_AFTER;
        // Above the least and not the RTT, which a client that becomes slow has made longer.
        behind <= usual || (stalled && behind <= ticks(self.least.unwrap_or_default().after(STALL_SLACK)))
    }

    /// Whether the client has become slow.
    fn judge(&mut self, now: Micros) {
        let (Some(rtt), Some(least), None) = (self.rtt.get(), self.least, &self.slow) else { return };
        if rtt.since(least) > QUEUED {
            self.slow = Some(Slow::from(self.sent, now));
            self.least = None;
        }
    }
}

impl Slow {
    fn from(sent: Tick, holds_until: Micros) -> Self {
        Self { sent, flying_max: 1, holds_until }
    }
}

/// The least of what was noted in the last one to two spans, or of the last two spans in which anything was.
#[derive(Debug)]
struct Least {
    span: Micros,
    since: Micros,
    now: Option<Micros>,
    before: Option<Micros>,
}

impl Least {
    fn of(span: Micros) -> Self {
        Self { span, since: Micros::default(), now: None, before: None }
    }

    fn note(&mut self, value: Micros, now: Micros) {
        let spans = now.since(self.since).0 / self.span.0;
        if spans > 0 {
            self.before = self.now.take().filter(|_| spans == 1);
            self.since = now;
        }
        self.now = Some(self.now.map_or(value, |least| least.min(value)));
    }

    fn get(&self) -> Option<Micros> {
        self.now.into_iter().chain(self.before).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK_RATE: u16 = 60;
    const TICKS_PER_SNAPSHOT: u16 = 2;

    fn ms(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    /// A room and a client that acks the newest snapshot it has read every 100 ms, millisecond by millisecond.
    struct Play {
        acks: Acks,
        now: u64,
        tick: u32,
        /// Way down and back together, and what a snapshot takes to be read once it has arrived.
        rtt: u64,
        reads_for: u64,
        /// Nothing arrives, either way.
        stalled: bool,
        /// Snapshots on their way down, with their arrival; acks on their way up.
        down: VecDeque<(u32, u64)>,
        up: VecDeque<(u32, u64)>,
        /// The newest that is read, and the one that is being read until then.
        read: u32,
        reading: Option<(u32, u64)>,
        /// How old each snapshot was when it had been read, and when that was.
        ages: Vec<(u64, u64)>,
    }

    impl Play {
        fn new(rtt: u64, reads_for: u64) -> Self {
            Self {
                acks: Acks::new(ms(0)),
                now: 0,
                tick: 0,
                rtt,
                reads_for,
                stalled: false,
                down: VecDeque::new(),
                up: VecDeque::new(),
                read: 0,
                reading: None,
                ages: Vec::new(),
            }
        }

        fn run(&mut self, millis: u64) {
            for _ in 0..millis {
                self.now += 1;
                while let Some((seen, _)) = self.up.pop_front_if(|(_, at)| !self.stalled && *at <= self.now) {
                    self.acks.handle_seen(Tick(seen), ms(self.now));
                }
                if let Some((tick, _)) = self.reading.take_if(|(_, until)| *until <= self.now) {
                    self.read = tick;
                    self.ages.push((self.now, self.now - u64::from(tick) * 1000 / u64::from(TICK_RATE)));
                }
                while !self.stalled
                    && self.reading.is_none()
                    && let Some((tick, _)) = self.down.pop_front_if(|(_, at)| *at <= self.now)
                {
                    if self.reads_for > 0 {
                        self.reading = Some((tick, self.now + self.reads_for));
                    } else {
                        self.read = tick;
                        self.ages.push((self.now, self.now - u64::from(tick) * 1000 / u64::from(TICK_RATE)));
                    }
                }
                if self.now.is_multiple_of(100) {
                    self.up.push_back((self.read, self.now + self.rtt / 2));
                }
                let tick = (self.now * u64::from(TICK_RATE) / 1000) as u32;
                if tick / u32::from(TICKS_PER_SNAPSHOT) > self.tick / u32::from(TICKS_PER_SNAPSHOT)
                    && self.acks.window_is_open(ms(self.now), TICK_RATE, TICKS_PER_SNAPSHOT)
                {
                    self.acks.handle_sent(Tick(tick), ms(self.now));
                    self.down.push_back((tick, self.now + self.rtt / 2));
                }
                self.tick = tick;
            }
        }

        /// Snapshots read in that time, and the oldest of them.
        fn read_since(&self, from: u64) -> (usize, u64) {
            let read: Vec<u64> = self.ages.iter().filter(|(at, _)| *at > from).map(|(_, age)| *age).collect();
            (read.len(), read.iter().copied().max().unwrap_or(u64::MAX))
        }
    }

    #[test]
    fn the_round_trip_is_the_least_age_and_follows_the_way() {
        for rtt in [0, 20, 100, 250, 400] {
            let mut play = Play::new(rtt, 0);
            play.run(5000);
            let measured = play.acks.rtt().expect("it acks").millis();
            assert!((rtt..=rtt + 35).contains(&measured), "{measured} ms for {rtt}");
            play.rtt = 150;
            play.run(6000);
            let measured = play.acks.rtt().expect("it acks").millis();
            assert!((150..=185).contains(&measured), "{measured} ms where {rtt} became 150");
        }
    }

    #[test]
    fn who_does_not_ack_is_measured_by_pings() {
        let mut acks = Acks::new(ms(0));
        assert_eq!(acks.rtt(), None);
        acks.handle_pong(ms(40));
        assert_eq!(acks.rtt(), Some(ms(40)));
        acks.handle_sent(Tick(2), ms(33));
        acks.handle_seen(Tick(0), ms(34));
        assert_eq!(acks.rtt(), Some(ms(40)), "a seen of 0 says nothing");
        acks.handle_seen(Tick(9), ms(133));
        assert_eq!(acks.rtt(), Some(ms(100)), "who has seen what was never sent has seen the newest");
        acks.handle_seen(Tick(9), ms(1133));
        acks.handle_seen(Tick(1), ms(1133));
        assert_eq!(acks.rtt(), Some(ms(100)), "only a rise is an ack");
    }

    #[test]
    fn an_honest_client_gets_every_snapshot_however_far_away_it_is() {
        for rtt in [0, 100, 250, 500, 900] {
            let mut play = Play::new(rtt, 0);
            play.run(20_000);
            let (read, _) = play.read_since(10_000);
            assert!((298..=301).contains(&read), "{read} of 300 snapshots at {rtt} ms");
        }
    }

    #[test]
    fn a_way_that_becomes_longer_costs_a_pause_at_most() {
        for (before, after) in [(0, 250), (20, 400), (0, 900), (400, 0)] {
            let mut play = Play::new(before, 0);
            play.run(10_000);
            play.rtt = after;
            // What a stall would have been sent is read first.
            play.run(12_000);
            let from = play.now;
            play.run(5000);
            let (read, _) = play.read_since(from);
            assert!((148..=151).contains(&read), "{read} of 150 snapshots where {before} ms became {after}");
        }
    }

    #[test]
    fn a_slow_reader_reads_fresh_snapshots() {
        for (rtt, reads_for) in [(0, 40), (0, 100), (0, 250), (0, 400), (100, 250), (250, 250)] {
            let mut play = Play::new(rtt, 0);
            play.run(3000);
            play.reads_for = reads_for;
            // What a stall would have been sent is read first.
            play.run(12_000);
            let from = play.now;
            play.run(60_000);
            let (read, oldest) = play.read_since(from);
            let most = 60_000 / reads_for;
            assert!(read as u64 * 3 > most, "{read} snapshots of {most} that could be read");
            assert!(oldest <= 1000 + rtt / 2, "{oldest} ms old, {reads_for} ms to read one, {rtt} ms away");
        }
    }

    #[test]
    fn an_absence_of_the_server_is_nobodys_slowness() {
        for away in [1500, 17_000] {
            let mut play = Play::new(100, 0);
            play.run(5000);
            // What was on its way is acked meanwhile, and heard when the server is back.
            play.now += away;
            play.acks.handle_absence(ms(play.now));
            let from = play.now;
            play.run(1000);
            let (read, _) = play.read_since(from);
            assert!(read >= 25, "{read} snapshots in the first second after {away} ms");
            let rtt = play.acks.rtt().expect("it acks").millis();
            assert!(rtt <= 135, "{rtt} ms for 100");
        }
    }

    #[test]
    fn a_stall_is_not_slowness() {
        let mut play = Play::new(100, 0);
        play.run(5000);
        for _ in 0..10 {
            play.stalled = true;
            play.run(500);
            play.stalled = false;
            let from = play.now;
            play.run(2500);
            let (read, _) = play.read_since(from);
            assert!(read >= 75 + 10, "{read} snapshots came after a stall, and in it 15 were sent");
        }
    }
}
