//! One stay in a room: the view that a client holds, and what each snapshot says of the server's health.

use std::collections::VecDeque;

use super::player::Shared;
use super::schedule::{ServerClock, TickTimes};
use crate::ids::Micros;
use crate::protocol::message::{SnapshotHeader, Tier, Welcome, flags};
use crate::protocol::view::{Applied, View, ViewError};

/// A broken view asks for a new start this often at most.
const RESYNC_EVERY: Micros = Micros::from_millis(1000);
/// Inputs whose ack is waited for.
const PENDING_MAX: usize = 4096;

/// One stay in a room.
#[derive(Debug)]
pub struct Session {
    /// When the room's ticks are due.
    pub times: TickTimes,
    /// When it began, or when its time in the room was last counted.
    pub since: Micros,
    /// When the last message came.
    pub heard_at: Micros,
    /// The tick of the newest snapshot received, applied or not; 0: none yet.
    pub seen: u32,
    /// When that one came.
    seen_at: Micros,
    /// The number of the last input.
    pub seq: u32,
    /// When the next Ping is due.
    pub ping_at: Micros,
    tier: Tier,
    view: View,
    skipped: u32,
    /// What it was at the first snapshot that counts.
    skipped_before: Option<u32>,
    /// Inputs that are not acked yet: seq, when due, the tick due then.
    pending: VecDeque<(u32, Micros, i64)>,
    resynced_at: Option<Micros>,
    fits: bool,
}

impl Session {
    /// It begins.
    #[must_use]
    pub fn new(welcome: &Welcome, tier: Tier, now: Micros) -> Self {
        Self {
            times: TickTimes::new(welcome),
            since: now,
            heard_at: now,
            seen: 0,
            seen_at: now,
            seq: 0,
            ping_at: now,
            tier,
            view: View::new(&welcome.schema),
            skipped: welcome.skipped,
            skipped_before: None,
            pending: VecDeque::new(),
            resynced_at: None,
            fits: true,
        }
    }

    /// The next input goes out; it was due at `due`.
    pub fn input_goes(&mut self, due: Micros, clock: &ServerClock) {
        self.seq += 1;
        if let Some(server) = clock.at(due) {
            if self.pending.len() == PENDING_MAX {
                self.pending.pop_front();
            }
            self.pending.push_back((self.seq, due, self.times.tick_at(server, self.skipped)));
        }
    }

    /// A snapshot arrived.
    pub fn take(&mut self, now: Micros, header: &SnapshotHeader, body: &[u8], shared: &mut Shared<'_>) {
        let stats = &mut *shared.stats;
        let tick = u32::from(header.tick);
        let counts = shared.window.holds(now);
        if counts && self.seen != 0 {
            let gap = self.times.gap(self.seen, tick, header.base);
            stats.gap.note(gap);
            if shared.stalls.since(self.seen_at, now) {
                stats.missing_in_stalls += u64::from(gap.missing);
            }
            stats.restarts += u64::from(self.tier == Tier::Delta && header.base == 0);
        }
        self.skipped = header.skipped;
        self.seen = tick;
        self.seen_at = now;
        if counts {
            let before = *self.skipped_before.get_or_insert(header.skipped);
            stats.ticks_skipped = stats.ticks_skipped.max(u64::from(header.skipped.saturating_sub(before)));
            stats.told_lateness_us.note(i64::from(header.lateness) * 100);
            if let Some(server) = shared.clock.at(now) {
                let late = server - self.times.due(tick, header.skipped);
                stats.lateness_us.note(late);
                let late = Micros(late.max(0) as u64);
                if shared.stalls.is_long(late) {
                    stats.late += 1;
                    stats.late_in_stalls += u64::from(shared.stalls.since(Micros(now.since(late).0), now));
                }
            }
        }
        while let Some(&(_, due, due_tick)) = self.pending.front().filter(|(seq, ..)| *seq <= header.ack) {
            self.pending.pop_front();
            if shared.window.holds(due) {
                stats.ack_us.note(now.since(due).0 as i64);
                stats.ack_ticks.note(i64::from(tick) - due_tick);
            }
        }
        let applied = self.view.apply(header, body);
        if counts {
            stats.snapshots += 1;
            stats.rows_held += self.view.len() as u64;
            stats.events_lost += u64::from(header.flags & flags::EVENTS_LOST != 0);
            stats.digests += u64::from(header.flags & flags::DIGEST != 0 && applied != Ok(Applied::Waiting));
        }
        self.fits = applied == Ok(Applied::Yes);
        match applied {
            Ok(Applied::Yes | Applied::Waiting) => {}
            Err(ViewError::Digest { .. }) => stats.digest_mismatches += 1,
            Err(_) => stats.view_errors += 1,
        }
    }

    /// True if the view must start anew, and it is time to say so.
    pub fn wants_resync(&mut self, now: Micros) -> bool {
        let due = !self.fits && self.resynced_at.is_none_or(|at| now.since(at) >= RESYNC_EVERY);
        if due {
            self.resynced_at = Some(now);
        }
        due
    }

    /// Counts the time in the room until now.
    pub fn count_playing(&self, now: Micros, shared: &mut Shared<'_>) {
        shared.stats.playing_us += shared.window.overlap(self.since, now).0;
    }
}
