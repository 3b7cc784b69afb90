//! Everything that means time in the simulation and around it: milliseconds here, and here alone they become ticks,
//! rounded up. A client does the same by the text's rule (PROTOCOL.md, part 7), from the tick rate in Welcome.
//!
//! Rounded up, because each of them is a promise: "at least so long".

/// The slowest room: below, one tick is longer than anybody waits for an answer, and 250 ms of silence are hardly one.
pub const TICK_RATE_MIN: u16 = 5;
/// The fastest room: beyond, a tick is shorter than the timers of common systems are exact.
pub const TICK_RATE_MAX: u16 = 240;
/// The longest snapshot interval: a second at 60 Hz.
pub const TICKS_PER_SNAPSHOT_MAX: u16 = 60;

/// How long the last input holds without news.
pub const STARVED_MS: u32 = 250;
/// How far ahead an input may be stamped; a later stamp is taken as this.
pub const AHEAD_MS: u32 = 500;
/// How long a freed entity id is out of use: until the picture of the dead has faded everywhere.
pub const QUARANTINE_MS: u32 = 2000;
/// How long a fact waits for its viewers.
pub const EVENT_KEPT_MS: u32 = 1000;
/// For how long a room remembers its rows, or for half of it at 60 Hz where viewers take turns and there is a table for every
/// tick: a client that misses snapshots for longer gets one with base 0. A slow reader gets two to five snapshots a second,
/// and whole ones would be twice the bytes and make it slower still; each table is memory.
pub const TABLES_KEPT_MS: u32 = 800;
/// For how many snapshot intervals at least.
pub const TABLES_INTERVALS_MIN: u32 = 8;
/// The furthest that a shot looks back, whatever its sender says.
pub const REWIND_MAX_MS: u32 = 400;
/// A shot may look back by its sender's measured RTT and this: the interpolation delay of an honest client.
pub const REWIND_SLACK_MS: u32 = 150;
/// For how long a game should remember where things were: longer than the longest rewind.
pub const HISTORY_MS: u32 = 500;

/// What a room that was late makes up for in one go, unless configured otherwise: a scheduling hiccup is made up for, a
/// stopped process is not replayed at double speed.
pub const CATCH_UP_MS: u32 = 83;

/// Inputs that may wait at least; more of them coalesce into the last.
pub const QUEUED_MIN: u32 = 32;

/// The least number of ticks that last so long.
///
/// ```
/// use tickroom::sim::timing::{STARVED_MS, ticks_of};
/// assert_eq!([5, 60, 128, 240].map(|tick_rate| ticks_of(STARVED_MS, tick_rate)), [2, 15, 32, 60]);
/// ```
#[must_use]
pub const fn ticks_of(ms: u32, tick_rate: u16) -> u32 {
    let ticks = (ms as u64 * tick_rate as u64).div_ceil(1000);
    if ticks > u32::MAX as u64 { u32::MAX } else { ticks as u32 }
}

/// How many inputs of a seat may wait: one for each tick that may be stamped, for the next one, and for who is late.
#[must_use]
pub const fn queued_max(tick_rate: u16) -> u32 {
    let most = ticks_of(AHEAD_MS, tick_rate) + 2;
    if most > QUEUED_MIN { most } else { QUEUED_MIN }
}

/// How many ticks a freed entity id is out of use: [`QUARANTINE_MS`], and longer than any snapshot interval, since replication
/// tells one life of an id from the next by a snapshot in which it was absent.
#[must_use]
pub const fn quarantine_ticks(tick_rate: u16) -> u32 {
    let ticks = ticks_of(QUARANTINE_MS, tick_rate);
    let interval = TICKS_PER_SNAPSHOT_MAX as u32;
    if ticks > interval { ticks } else { interval + 1 }
}

/// How many ticks of places judge a shot, the present one included: [`HISTORY_MS`], the tick that this ends in, and the
/// one before it, between which a place is found.
#[must_use]
pub const fn history_ticks(tick_rate: u16) -> u32 {
    ticks_of(HISTORY_MS, tick_rate) + 2
}

/// How many row tables a room keeps if it makes one per snapshot interval.
#[must_use]
pub const fn tables_kept(tick_rate: u16, ticks_per_snapshot: u16) -> u32 {
    let tables = ticks_of(TABLES_KEPT_MS, tick_rate).div_ceil(ticks_per_snapshot as u32);
    if tables > TABLES_INTERVALS_MIN { tables } else { TABLES_INTERVALS_MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_60_hz_all_is_as_it_was_before_times_were_milliseconds() {
        assert_eq!(ticks_of(STARVED_MS, 60), 15);
        assert_eq!(ticks_of(AHEAD_MS, 60), 30);
        assert_eq!(queued_max(60), 32);
        assert_eq!(quarantine_ticks(60), 120);
        assert_eq!(ticks_of(EVENT_KEPT_MS, 60), 60);
        assert_eq!(tables_kept(60, 2), 24);
        assert_eq!(history_ticks(60), 32);
        assert_eq!(ticks_of(CATCH_UP_MS, 60), 5);
    }

    #[test]
    fn a_time_never_becomes_shorter_and_by_less_than_a_tick_longer() {
        for tick_rate in TICK_RATE_MIN..=TICK_RATE_MAX {
            for ms in 0..2100 {
                let (ticks, rate) = (u64::from(ticks_of(ms, tick_rate)), u64::from(tick_rate));
                assert!(ticks * 1000 >= u64::from(ms) * rate, "{ms} ms at {tick_rate} Hz: {ticks} ticks are shorter");
                assert!(ticks * 1000 < u64::from(ms) * rate + 1000, "{ms} ms at {tick_rate} Hz: {ticks} ticks");
            }
        }
        assert_eq!(ticks_of(u32::MAX, u16::MAX), u32::MAX, "more than there are ticks");
    }

    #[test]
    fn what_one_time_promises_of_another_holds_at_every_rate() {
        for tick_rate in TICK_RATE_MIN..=TICK_RATE_MAX {
            let rewind = ticks_of(REWIND_MAX_MS, tick_rate);
            assert!(history_ticks(tick_rate) > rewind + 1, "{tick_rate} Hz: a shot looks beyond the history");
            assert!(queued_max(tick_rate) > ticks_of(AHEAD_MS, tick_rate), "{tick_rate} Hz: stamped inputs coalesce");
            assert!(quarantine_ticks(tick_rate) > TICKS_PER_SNAPSHOT_MAX.into(), "{tick_rate} Hz: two lives of one id");
            // A keep-alive every 100 ms, or in every tick where those are longer, keeps a seat from starving.
            assert!(ticks_of(STARVED_MS, tick_rate) > ticks_of(100, tick_rate), "{tick_rate} Hz: starved in between");
            for ticks_per_snapshot in 1..=TICKS_PER_SNAPSHOT_MAX {
                let kept = tables_kept(tick_rate, ticks_per_snapshot) * u32::from(ticks_per_snapshot);
                assert!(kept >= ticks_of(TABLES_KEPT_MS, tick_rate), "{tick_rate} Hz, one in {ticks_per_snapshot}");
            }
        }
    }
}
