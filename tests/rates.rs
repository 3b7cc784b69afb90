//! The pure room at every tick rate that there may be: what means time lasts as long at each of them.

mod support;

use support::peers::{Link, Table, config};
use support::toy::{self, Toy, ToyOptions};
use tickroom::config::{Config, RoomConfig};
use tickroom::game::{Game, Rows};
use tickroom::ids::{Micros, SeatId, ViewerId};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::flags;
use tickroom::sim::timing::ticks_of;

const RATES: [u16; 7] = [5, 10, 20, 30, 60, 128, 240];

fn at(tick_rate: u16) -> RoomConfig {
    RoomConfig { tick_rate, ..config() }
}

fn table(tick_rate: u16) -> Table<Toy> {
    Table::new(at(tick_rate), &ToyOptions::default())
}

fn ms(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

/// What the viewer holds is what the game has, as far as it may see it.
fn views_are_true(table: &Table<Toy>, viewer: ViewerId) {
    let peer = table.peer(viewer);
    assert!(peer.errors.is_empty(), "{:?}", peer.errors);
    if peer.view.tick() != table.room.current_tick() {
        return;
    }
    let seat = peer.welcome.seat.map(SeatId);
    let mut rows = Rows::default();
    table.room.game().rows(&mut rows);
    let kinds = &table.room.schema().kinds;
    let truth = rows.iter().filter(|row| row.owner.is_none() || row.owner == seat).map(|row| {
        let fields = &kinds[usize::from(row.kind.0)].fields;
        let quantised: Vec<i32> = fields.iter().zip(row.fields).map(|(field, &value)| field.quantise(value)).collect();
        (row.id, row.kind, quantised)
    });
    let held = peer.view.rows().map(|(id, kind, fields)| (id, kind, fields.to_vec()));
    assert!(truth.eq(held), "at tick {}", table.room.current_tick().0);
}

/// One tick; every view is compared with the truth.
fn tick(table: &mut Table<Toy>) {
    table.run(1);
    let viewers: Vec<ViewerId> = table.peers.keys().copied().collect();
    viewers.iter().for_each(|&viewer| views_are_true(table, viewer));
}

/// A client that sends the row when 100 ms have passed since it did so last, as of 3.1 of the text.
struct Held {
    row: [i32; 3],
    sent_at: Option<Micros>,
}

impl Held {
    fn tick(&mut self, table: &mut Table<Toy>, viewer: ViewerId, ahead: u32) {
        if self.sent_at.is_none_or(|at| table.now.since(at) >= ms(100)) {
            self.sent_at = Some(table.now);
            let stamp = if ahead == 0 { 0 } else { table.room.current_tick().after(ahead).0 };
            table.input_at(viewer, stamp, &self.row).expect("a good row");
        }
        tick(table);
    }
}

#[test]
fn a_held_control_never_starves_between_two_reminders() {
    for tick_rate in RATES {
        for ahead in [0, 1, 2] {
            let mut table = table(tick_rate);
            let ann = table.join("Ann");
            let mut held = Held { row: [3, 0, 0], sent_at: None };
            (0..=ahead).for_each(|_| held.tick(&mut table, ann, ahead));
            let (from, x) = (table.peer(ann).snapshots.len(), table.room.game().mover(SeatId(0)).x);
            let ticks = u32::from(tick_rate) * 5;
            (0..ticks).for_each(|_| held.tick(&mut table, ann, ahead));
            let starved =
                table.peer(ann).snapshots[from..].iter().filter(|(header, _)| header.flags & flags::STARVED != 0);
            assert_eq!(starved.count(), 0, "{tick_rate} Hz, {ahead} ahead");
            let moved = table.room.game().mover(SeatId(0)).x - x;
            assert_eq!(moved, ticks as i32 * 3, "{tick_rate} Hz, {ahead} ahead: moved in every tick");
        }
    }
}

#[test]
fn a_dead_clients_controls_hold_for_a_quarter_of_a_second() {
    for tick_rate in RATES {
        let mut table = table(tick_rate);
        let ann = table.join("Ann");
        table.input(ann, &[1, 0, 0]);
        table.run(u32::from(tick_rate) * 2);
        let walked = table.room.game().mover(SeatId(0)).x as u32;
        // The tick that took it, and those that it held for.
        assert_eq!(walked, 1 + ticks_of(250, tick_rate), "{tick_rate} Hz");
        let lasted_ms = walked * 1000 / u32::from(tick_rate);
        assert!((250..=600).contains(&lasted_ms), "{tick_rate} Hz: {lasted_ms} ms");
    }
}

#[test]
fn a_stamp_is_believed_for_half_a_second_and_each_such_input_counts_at_its_tick() {
    for tick_rate in RATES {
        let mut table = table(tick_rate);
        let ann = table.join("Ann");
        table.run(2);
        let next = table.room.current_tick().0 + 1;
        let ahead = ticks_of(500, tick_rate);
        // One for every tick that may be named, each another row; and one for a tick that may not.
        let go = |i: u32| i as i32 % 7 + 1;
        for i in 0..=ahead {
            table.input_at(ann, next + i, &[go(i), 0, 0]).expect("a good row");
        }
        table.input_at(ann, u32::MAX, &[-100, 0, 0]).expect("a good row");
        let mut x = table.room.game().mover(SeatId(0)).x;
        for i in 0..=ahead {
            tick(&mut table);
            x += if i < ahead { go(i) } else { -100 };
            assert_eq!(table.room.game().mover(SeatId(0)).x, x, "{tick_rate} Hz, {i} of {ahead} ticks ahead");
        }
    }
}

#[test]
fn every_press_counts_once() {
    for tick_rate in RATES {
        let mut table = table(tick_rate);
        let ann = table.join("Ann");
        table.input(ann, &[0, 0, 7]);
        tick(&mut table);
        for press in 0..300 {
            table.input(ann, &[0, 0, (press + 8) & 0xFF]);
            (0..1 + press % 3).for_each(|_| tick(&mut table));
        }
        let own = |kind| table.peer(ann).events.iter().filter(|(k, ..)| *k == kind).count();
        assert_eq!(table.room.game().mover(SeatId(0)).presses, 300, "{tick_rate} Hz");
        assert_eq!(own(toy::DROPPED.0), 300, "{tick_rate} Hz");
    }
}

#[test]
fn a_view_that_is_broken_or_taken_up_anew_is_whole_again() {
    for tick_rate in RATES {
        let mut table = table(tick_rate);
        let (ann, bob) = (table.join("Ann"), table.join("Bob"));
        let mut held = Held { row: [5, 0, 0], sent_at: None };
        (0..tick_rate).for_each(|_| held.tick(&mut table, bob, 0));
        let from = table.peer(ann).snapshots.len();
        table.room.handle_resync(ann, table.now);
        (0..tick_rate).for_each(|_| held.tick(&mut table, bob, 0));
        let bases: Vec<u32> = table.peer(ann).snapshots[from..].iter().map(|(header, _)| header.base).collect();
        assert_eq!(bases.iter().filter(|&&base| base == 0).count(), 1, "{tick_rate} Hz: {bases:?}");
        assert_eq!(bases[0], 0, "{tick_rate} Hz: {bases:?}");

        let token = table.peer(ann).token();
        table.room.handle_drop(ann, table.now);
        table.peers.remove(&ann);
        (0..u32::from(tick_rate) * 29).for_each(|_| held.tick(&mut table, bob, 0));
        let ann = table.resume(token).expect("it is kept for 30 s");
        assert_eq!(table.peer(ann).welcome.tick_rate, tick_rate);
        table.input(ann, &[2, 0, 0]);
        let x = table.room.game().mover(SeatId(0)).x;
        (0..tick_rate).for_each(|_| held.tick(&mut table, bob, 0));
        assert!(table.room.game().mover(SeatId(0)).x > x, "{tick_rate} Hz");
        let token = table.peer(ann).token();
        table.room.handle_drop(ann, table.now);
        table.peers.remove(&ann);
        (0..u32::from(tick_rate) * 31).for_each(|_| held.tick(&mut table, bob, 0));
        assert_eq!(table.resume(token), Err(CloseReason::SeatGone), "{tick_rate} Hz");
    }
}

#[test]
fn who_missed_snapshots_for_less_than_800_ms_gets_a_difference_and_who_missed_more_a_fresh_start() {
    for tick_rate in RATES {
        // 33 ms at 60 Hz, and as near to that as there is.
        let ticks_per_snapshot = (tick_rate / 30).max(1);
        for (silent_ms, begins_anew) in [(700, false), (2400, true)] {
            let mut table =
                Table::<Toy>::new(RoomConfig { ticks_per_snapshot, ..at(tick_rate) }, &ToyOptions::default());
            let (ann, bob) = (table.join("Ann"), table.join("Bob"));
            let mut held = Held { row: [5, 0, 0], sent_at: None };
            (0..tick_rate).for_each(|_| held.tick(&mut table, bob, 0));
            table.peer_mut(ann).link = Link::Full;
            (0..silent_ms * u32::from(tick_rate) / 1000).for_each(|_| held.tick(&mut table, bob, 0));
            table.peer_mut(ann).link = Link::Open;
            (0..ticks_per_snapshot).for_each(|_| held.tick(&mut table, bob, 0));
            assert_eq!(table.peer(ann).last().base == 0, begins_anew, "{tick_rate} Hz, silent for {silent_ms} ms");
        }
    }
}

#[test]
fn a_fact_waits_for_its_viewers_for_a_second() {
    for tick_rate in RATES {
        for (silent_ms, told) in [(800, true), (1400, false)] {
            let mut table =
                Table::<Toy>::new(RoomConfig { ticks_per_snapshot: 1, ..at(tick_rate) }, &ToyOptions::default());
            let (ann, bob) = (table.join("Ann"), table.join("Bob"));
            table.input(bob, &[0, 0, 1]);
            table.run(3);
            table.peer_mut(ann).link = Link::Full;
            table.input(bob, &[0, 0, 2]);
            table.run(silent_ms * u32::from(tick_rate) / 1000);
            table.peer_mut(ann).link = Link::Open;
            table.run(1);
            let heard = table.peer(ann).events.iter().any(|(kind, ..)| *kind == toy::DROPPED.0);
            let lost = table.peer(ann).last().flags & flags::EVENTS_LOST != 0;
            assert_eq!((heard, lost), (told, !told), "{tick_rate} Hz, silent for {silent_ms} ms");
        }
    }
}

#[test]
fn bots_come_play_and_make_way() {
    for tick_rate in RATES {
        let config = RoomConfig { seats_max: 4, fill_to: 4, ..at(tick_rate) };
        let mut table = Table::<Toy>::new(config, &ToyOptions::default());
        let watcher = table.try_join("", tickroom::protocol::message::Tier::Delta, true).expect("a place");
        (0..u32::from(tick_rate) * 3).for_each(|_| tick(&mut table));
        assert_eq!(table.room.info().bots, 4, "{tick_rate} Hz");
        assert!(table.room.game().mover(SeatId(2)).x > 20, "{tick_rate} Hz: bots move");
        let people: Vec<ViewerId> = (0..4).map(|_| table.join("p")).collect();
        tick(&mut table);
        assert_eq!((table.room.info().people, table.room.info().bots), (4, 0), "{tick_rate} Hz");
        assert!(people.iter().all(|viewer| table.peer(*viewer).welcome.seat.is_some()));
        assert!(table.peer(watcher).errors.is_empty());
    }
}

/// An honest client acks ten times a second, at every tick rate, and gets every snapshot however far away it is.
#[test]
fn who_acks_is_sent_every_snapshot() {
    for tick_rate in RATES {
        for rtt_ms in [0, 100, 300] {
            let mut table = table(tick_rate);
            let (ann, bob) = (table.join("Ann"), table.join("Bob"));
            let mut held = Held { row: [16, 0, 0], sent_at: None };
            // When Ann's acks arrive, and of what.
            let mut acks: Vec<(Micros, u32)> = Vec::new();
            let mut acked_at = table.now;
            let mut counted = 0;
            for second in 0..10 {
                counted = table.peer(ann).snapshots.len();
                for _ in 0..tick_rate {
                    held.tick(&mut table, bob, 0);
                    let now = table.now;
                    if now.since(acked_at) >= ms(100) && !table.peer(ann).snapshots.is_empty() {
                        acked_at = now;
                        acks.push((now.after(ms(rtt_ms)), table.peer(ann).last().tick.into()));
                    }
                    while acks.first().is_some_and(|(at, _)| *at <= now) {
                        let (_, seen) = acks.remove(0);
                        table.room.handle_seen(ann, seen, now);
                    }
                }
                if second > 5 {
                    let sent = table.peer(ann).snapshots.len() - counted;
                    let all = usize::from(tick_rate) / 2;
                    assert!(
                        (all..=all + 1).contains(&sent),
                        "{tick_rate} Hz, {rtt_ms} ms: {sent} of {all} in second {second}"
                    );
                }
            }
            assert!(counted > 0);
        }
    }
}

#[test]
fn the_configuration_takes_every_rate_from_5_to_240_and_says_why_no_other() {
    for tick_rate in 5..=240 {
        let config = Config { room: RoomConfig { tick_rate, ..RoomConfig::default() }, ..Config::default() };
        assert_eq!(config.check(), Ok(()), "{tick_rate} Hz");
        let limits = config.server.for_rate(tick_rate);
        assert!(limits.messages_per_second >= 2 * u32::from(tick_rate) && limits.messages_per_second >= 120);
        assert!(limits.bytes_per_second >= 270 * u32::from(tick_rate) && limits.bytes_per_second >= 16 * 1024);
    }
    for tick_rate in [0, 1, 4, 241, u16::MAX] {
        let config = RoomConfig { tick_rate, ..RoomConfig::default() };
        let error = config.check().expect_err("out of range").to_string();
        assert!(error.contains("room.tick_rate") && error.contains("5 to 240 ticks a second"), "{error}");
    }
    let default = Config::default().server.for_rate(60);
    assert_eq!((default.messages_per_second, default.bytes_per_second), (120, 16 * 1024), "as it always was");
    let mut set = Config::default();
    set.server.messages_per_second = 90;
    assert_eq!(set.check(), Ok(()));
    assert_eq!(set.server.for_rate(60).messages_per_second, 90, "what is set, counts");
    set.room.tick_rate = 128;
    assert!(set.check().expect_err("90 < 138").to_string().contains("at least room.tick_rate + 10"));
}

#[test]
fn the_configurations_bounds_are_those_of_the_rules() {
    use tickroom::sim::timing::{TICK_RATE_MAX, TICK_RATE_MIN, TICKS_PER_SNAPSHOT_MAX};
    let good = |tick_rate, ticks_per_snapshot| {
        RoomConfig { tick_rate, ticks_per_snapshot, ..RoomConfig::default() }.check().is_ok()
    };
    assert!(good(TICK_RATE_MIN, 1) && good(TICK_RATE_MAX, TICKS_PER_SNAPSHOT_MAX));
    assert!(!good(TICK_RATE_MIN - 1, 1) && !good(TICK_RATE_MAX + 1, 1) && !good(60, TICKS_PER_SNAPSHOT_MAX + 1));
}
