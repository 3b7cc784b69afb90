//! The pure room on a virtual clock, with the toy game.

mod support;

use support::peers::{Link, Table, config};
use support::toy::{self, Toy, ToyOptions};
use support::wild::{CALM_TICKS, Wild};
use tickroom::config::RoomConfig;
use tickroom::ids::{Micros, OriginId, ResumeToken, SeatId, Tick, ViewerId};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::codec::MESSAGE_BYTES_MAX;
use tickroom::protocol::message::{Presence, Tier, flags};

fn table() -> Table<Toy> {
    Table::new(config(), &ToyOptions::default())
}

#[test]
fn two_players_see_each_other_move() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    table.input(a, &[5, 300, 0]);
    table.run(20);
    for viewer in [a, b] {
        let peer = table.peer(viewer);
        assert!(peer.errors.is_empty(), "{:?}", peer.errors);
        let movers = peer.view.rows().filter(|(_, kind, _)| *kind == toy::MOVER).count();
        assert_eq!(movers, 2);
        assert_eq!(peer.names.values().map(|who| who.name.as_str()).collect::<Vec<_>>(), ["Ann", "Bob"]);
    }
    let x = table.room.game().mover(SeatId(0)).x;
    assert!(x > 50, "Ann moved only to {x}");
    assert_eq!(table.peer(a).last().ack, 1);
    assert_eq!(table.peer(b).last().ack, 0);
}

#[test]
fn a_private_row_reaches_its_owner_alone() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    let watcher = table.try_join("", Tier::Delta, true).expect("a spectator place");
    table.run(4);
    for (viewer, own) in [(a, 1), (b, 1), (watcher, 0)] {
        let seen: Vec<_> = table.peer(viewer).view.rows().filter(|(_, kind, _)| *kind == toy::OWN).collect();
        assert_eq!(seen.len(), own);
        if let (Some((id, ..)), Some(seat)) = (seen.first(), table.peer(viewer).welcome.seat) {
            assert_eq!(id.get(), u32::from(seat) * 2 + 2);
        }
    }
}

#[test]
fn events_reach_their_audience() {
    let mut table = Table::<Toy>::new(config(), &ToyOptions { sees_all: false, ..ToyOptions::default() });
    let (a, b, far) = (table.join("Ann"), table.join("Bob"), table.join("Far"));
    table.input(far, &[100, 0, 0]);
    for _ in 0..10 {
        table.run(10);
        table.input(far, &[100, 0, 0]);
    }
    table.input(a, &[0, 0, 0]);
    table.run(2);
    table.input(a, &[0, 0, 1]);
    table.run(4);
    let told = |viewer, kind: tickroom::ids::EventKindId| {
        table.peer(viewer).events.iter().filter(|(k, ..)| *k == kind.0).count()
    };
    assert_eq!((told(a, toy::DROPPED), told(b, toy::DROPPED), told(far, toy::DROPPED)), (1, 1, 0));
    assert_eq!((told(a, toy::SECRET), told(b, toy::SECRET), told(far, toy::SECRET)), (1, 0, 0));
    assert_eq!((told(a, toy::JOINED), told(far, toy::JOINED)), (3, 3), "everybody hears what is for all");
}

#[test]
fn a_full_room_refuses_and_bots_make_way() {
    let config = RoomConfig { seats_max: 3, fill_to: 3, spectators_max: 1, ..config() };
    let mut table = Table::<Toy>::new(config, &ToyOptions::default());
    table.join("Ann");
    table.run(10);
    assert_eq!((table.room.info().people, table.room.info().bots), (1, 2));
    table.join("Bob");
    table.join("Cid");
    table.run(10);
    assert_eq!((table.room.info().people, table.room.info().bots), (3, 0));
    assert_eq!(table.try_join("Dan", Tier::Delta, false), Err(CloseReason::RoomFull));
    table.try_join("", Tier::Full, true).expect("one spectator place");
    assert_eq!(table.try_join("", Tier::Full, true), Err(CloseReason::SpectatorsFull));
    assert_eq!(table.room.game().seats(), [0, 1, 2]);
}

#[test]
fn a_dropped_seat_is_kept_neutral_and_the_token_takes_it_back() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    table.input(a, &[7, 0, 0]);
    table.run(4);
    let token = table.peer(a).token();
    table.room.handle_drop(a, table.now);
    table.peers.remove(&a);
    let x = table.room.game().mover(SeatId(0)).x;
    table.run(20);
    assert_eq!(table.room.game().mover(SeatId(0)).x, x, "a dropped seat is neutral");
    assert_eq!(table.peer(b).names[&0].presence, Presence::Away);
    let again = table.resume(token).expect("the seat is kept");
    assert!(table.peer(again).welcome.resumed);
    assert_eq!(table.peer(again).welcome.seat, Some(0));
    table.input(again, &[7, 0, 0]);
    table.run(20);
    assert!(table.room.game().mover(SeatId(0)).x > x);
    assert_eq!(table.peer(b).names[&0].presence, Presence::Here);
}

#[test]
fn a_kept_seat_is_freed_after_its_time() {
    let mut table = table();
    let (a, _b) = (table.join("Ann"), table.join("Bob"));
    let token = table.peer(a).token();
    table.room.handle_drop(a, table.now);
    table.run(29 * 60);
    assert_eq!(table.room.game().seats(), [0, 1]);
    table.run(2 * 60);
    assert_eq!(table.room.game().seats(), [1]);
    assert_eq!(table.resume(token).unwrap_err(), CloseReason::SeatGone);
}

#[test]
fn the_newest_session_wins_and_the_old_ones_late_messages_are_ignored() {
    let mut table = table();
    let a = table.join("Ann");
    table.run(2);
    let token = table.peer(a).token();
    let b = table.resume(token).expect("the seat is mine");
    assert_eq!(table.peer(b).welcome.seat, Some(0));
    let late = tickroom::protocol::message::Input { seq: 9, tick: 0, seen: 0, seen_ago: 0, row: vec![50, 0, 0] };
    table.room.handle_input(a, &late, table.now).expect("ignored, not refused");
    table.room.handle_drop(a, table.now);
    table.room.handle_leave(a, table.now);
    let x = table.room.game().mover(SeatId(0)).x;
    table.run(10);
    assert_eq!(table.room.game().mover(SeatId(0)).x, x);
    assert_eq!(table.room.info().people, 1);
}

#[test]
fn a_lost_welcome_locks_nobody_out_and_a_wrong_token_changes_nothing() {
    let mut table = table();
    let a = table.join("Ann");
    table.run(2);
    let first = table.peer(a).token();
    // The Welcome of this session never arrives: its owner only knows the first token.
    let lost = table.resume(first).expect("kept");
    let second = table.peer(lost).token();
    assert_ne!(first, second);
    let b = table.resume(first).expect("the previous token is still good");
    table.input(b, &[0, 0, 0]);
    assert_eq!(table.resume(first).unwrap_err(), CloseReason::SeatGone, "the new session has spoken");
    assert_eq!(table.resume(second).unwrap_err(), CloseReason::SeatGone, "shown, but never used");
    assert_eq!(table.resume(ResumeToken([7; 16])).unwrap_err(), CloseReason::SeatGone);
    table.run(4);
    assert_eq!(table.peer(b).last().ack, 1, "the seat is still its owner's");
}

#[test]
fn leaving_frees_the_seat_and_kills_its_token_at_once() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    table.run(2);
    let token = table.peer(a).token();
    table.room.handle_leave(a, table.now);
    assert_eq!(table.resume(token).unwrap_err(), CloseReason::SeatGone);
    table.run(30);
    assert_eq!(table.room.game().seats(), [1]);
    assert!(!table.peer(b).names.contains_key(&0));
}

/// When a thousand leave at once, the room finds most sessions closed before it reads that they leave.
#[test]
fn who_leaves_leaves_even_if_the_session_was_found_closed_before() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    table.run(2);
    let token = table.peer(a).token();
    table.room.handle_drop(a, table.now);
    assert_eq!(table.room.info().people, 2, "kept");
    table.room.handle_leave(a, table.now);
    assert_eq!(table.resume(token).unwrap_err(), CloseReason::SeatGone);
    assert_eq!(table.room.info().people, 1);
    table.room.handle_leave(a, table.now);
    table.run(30);
    assert_eq!(table.room.game().seats(), [1]);
    assert!(!table.peer(b).names.contains_key(&0));
}

#[test]
fn a_session_that_is_found_closed_is_a_drop() {
    let mut table = table();
    let (a, _b) = (table.join("Ann"), table.join("Bob"));
    table.run(2);
    table.peer_mut(a).link = Link::Gone;
    table.run(20);
    assert_eq!((table.room.viewers(), table.room.info().people), (1, 2));
}

#[test]
fn a_closed_window_is_skipped_and_heals_with_hardly_a_byte_more() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    table.run(60);
    table.peer_mut(b).link = Link::Busy;
    for i in 0..5 {
        table.input(a, &[i, i * 5000, i]);
        table.run(2);
    }
    let before = table.peer(b).snapshots.len();
    table.peer_mut(b).link = Link::Open;
    table.run(2);
    let peer = table.peer(b);
    assert_eq!(peer.snapshots.len(), before + 1);
    assert_eq!(peer.last().base, 12, "relative to the last one that it took");
    assert!(peer.errors.is_empty());
    let public = |viewer| {
        let view = &table.peer(viewer).view;
        view.rows().filter(|(_, kind, _)| *kind != toy::OWN).map(|(id, _, row)| (id, row.to_vec())).collect::<Vec<_>>()
    };
    assert_eq!(public(a), public(b));
    assert_eq!(peer.events.iter().filter(|(kind, ..)| *kind == toy::DROPPED.0).count(), 4);
}

#[test]
fn a_skip_that_is_too_long_starts_from_nothing() {
    let mut table = table();
    let (_a, b) = (table.join("Ann"), table.join("Bob"));
    table.run(20);
    table.peer_mut(b).link = Link::Full;
    table.run(70);
    table.peer_mut(b).link = Link::Open;
    table.run(2);
    assert_eq!(table.peer(b).last().base, 0);
    assert!(table.peer(b).errors.is_empty());
}

/// Snapshots go out to Ann at every second tick, because Bob never rests.
fn busy(table: &mut Table<Toy>, bob: ViewerId, ticks: i32) {
    for i in 0..ticks / 2 {
        table.input(bob, &[i % 9 - 4, i * 5000, i]);
        table.run(2);
    }
}

#[test]
fn a_client_that_acks_too_little_is_skipped_until_it_catches_up() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    busy(&mut table, b, 10);
    let mut seen: u32 = table.peer(a).last().tick.into();
    table.room.handle_seen(a, seen, table.now);
    // It reads one snapshot in 100 ms, and says so; three would be made for it in that time.
    let mut read = table.peer(a).snapshots.len();
    let mut most = 0;
    for _ in 0..60 {
        busy(&mut table, b, 6);
        let snapshots = &table.peer(a).snapshots;
        most = most.max(snapshots.len() - read);
        read = snapshots.len().min(read + 1);
        seen = snapshots[read - 1].0.tick.into();
        table.room.handle_seen(a, seen, table.now);
    }
    assert!((6..=10).contains(&most), "{most} snapshots lay before a slow client");
    assert!(u32::from(table.peer(a).last().tick) - seen <= 64 && seen > 250, "what it reads is fresh: {seen}");
}

#[test]
fn a_client_that_stalls_is_sent_to_for_three_quarters_of_a_second() {
    let mut table = table();
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    busy(&mut table, b, 10);
    let seen = table.peer(a).last().tick.into();
    table.room.handle_seen(a, seen, table.now);
    busy(&mut table, b, 240);
    let sent = u32::from(table.peer(a).last().tick) - seen;
    assert!((44..=48).contains(&sent), "{sent} ticks were sent ahead");
    table.room.handle_seen(a, table.peer(a).last().tick.into(), table.now);
    busy(&mut table, b, 10);
    assert!(u32::from(table.peer(a).last().tick) - seen > 240);
}

#[test]
fn a_crowd_takes_turns_and_everybody_gets_as_many_snapshots_as_anybody() {
    let shares = |people: u16| {
        let options = ToyOptions::default();
        let mut table: Table<Toy> = Table::new(RoomConfig { seats_max: people, ..config() }, &options);
        let viewers: Vec<ViewerId> = (0..people).map(|_| table.join("p")).collect();
        let (mut even, mut odd) = (0, 0);
        for i in 0..20 {
            table.input(viewers[0], &[i % 9 - 4, i * 5000, i]);
            table.run(1);
        }
        for viewer in viewers {
            let peer = table.peer(viewer);
            assert!(peer.errors.is_empty(), "{:?}", peer.errors);
            let ticks: Vec<u32> = peer.snapshots.iter().map(|(header, _)| header.tick.into()).collect();
            assert_eq!(ticks.len(), 10, "two ticks lie between snapshots: {ticks:?}");
            assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] == 2), "{ticks:?}");
            *if ticks[0].is_multiple_of(2) { &mut even } else { &mut odd } += 1;
        }
        (even, odd)
    };
    assert_eq!(shares(64), (64, 0), "a usual room makes one round of snapshots for all");
    assert_eq!(shares(100), (64, 36));
    assert_eq!(shares(300), (150, 150));
}

#[test]
fn resync_brings_base_zero_but_not_at_every_call() {
    let mut table = table();
    let a = table.join("Ann");
    table.run(40);
    let from = table.peer(a).snapshots.len();
    for _ in 0..30 {
        table.room.handle_resync(a, table.now);
        table.run(1);
    }
    let zero = table.peer(a).snapshots[from..].iter().filter(|(header, _)| header.base == 0).count();
    assert_eq!(zero, 1, "in half a second");
}

#[test]
fn nothing_new_sends_only_heartbeats() {
    let mut table = table();
    let a = table.join("Ann");
    table.run(60);
    let from = table.peer(a).snapshots.len();
    table.run(600);
    let sent = table.peer(a).snapshots.len() - from;
    assert!((50..=100).contains(&sent), "{sent} snapshots in ten quiet seconds");
    assert!(table.peer(a).errors.is_empty());
}

#[test]
fn the_full_tier_needs_no_memory() {
    let mut table = table();
    let a = table.try_join("Ann", Tier::Full, false).expect("a seat");
    table.run(20);
    assert!(table.peer(a).snapshots.iter().all(|(header, _)| header.base == 0));
    assert_eq!(table.peer(a).snapshots.len(), 10);
    assert_eq!(table.peer(a).view.len(), 2);
}

#[test]
fn health_travels_in_the_snapshot() {
    let mut table = table();
    let a = table.join("Ann");
    table.run(4);
    table.now = Micros(table.now.0 + 1_000_000);
    table.tick_now();
    let header = *table.peer(a).last();
    assert_eq!(u32::from(header.tick), 4 + 5, "five ticks are made up for");
    assert_eq!(header.skipped, table.room.info().skipped);
    assert!((54..=56).contains(&header.skipped), "{} ticks were skipped", header.skipped);
}

#[test]
fn margins_and_starvation_are_told() {
    let mut table = table();
    let a = table.join("Ann");
    table.run(10);
    assert_eq!(table.peer(a).last().flags & flags::NO_INPUT, flags::NO_INPUT);
    let next = table.room.current_tick().after(1).0;
    table.input_at(a, next + 3, &[1, 0, 0]).expect("a good row");
    table.input_at(a, next + 5, &[1, 0, 0]).expect("a good row");
    table.run(2);
    assert_eq!((table.peer(a).last().margin, table.peer(a).last().flags & flags::NO_INPUT), (3, 0));
    table.run(2);
    assert_eq!(table.peer(a).last().flags & flags::NO_INPUT, flags::NO_INPUT, "told once");
    assert_eq!(table.peer(a).last().flags & flags::STARVED, 0);
    table.run(30);
    assert_eq!(table.peer(a).last().flags & flags::STARVED, flags::STARVED);
}

#[test]
fn a_row_of_the_wrong_length_is_refused() {
    let mut table = table();
    let a = table.join("Ann");
    assert_eq!(table.input_at(a, 0, &[1, 2]), Err(CloseReason::OutOfOrder));
    assert_eq!(table.input_at(a, 0, &[1, 2, 3, 4]), Err(CloseReason::OutOfOrder));
}

#[test]
fn an_empty_room_rests_and_says_when_it_is_idle() {
    let mut table = Table::<Toy>::new(RoomConfig { fill_to: 2, ..config() }, &ToyOptions::default());
    let a = table.join("Ann");
    table.run(10);
    table.room.handle_leave(a, table.now);
    let tick = table.room.current_tick();
    let left_at = table.now;
    while !table.room.is_idle(table.now) {
        table.run(1);
    }
    assert!(table.now.since(left_at) >= Micros::from_millis(30_000));
    assert_eq!(table.room.current_tick(), tick, "nobody was there to see more");
    let b = table.join("Bob");
    assert!(!table.room.is_idle(table.now));
    table.run(4);
    assert_eq!(table.room.current_tick(), Tick(tick.0 + 4));
    assert!(table.peer(b).welcome.skipped > 1700);
    assert!(u32::from(table.peer(b).last().tick) > tick.0);
}

/// The process is stopped: the next thing that the room sees is a time long after.
#[test]
fn a_room_that_was_away_counts_its_deadlines_anew() {
    let mut table = Table::<Toy>::new(config(), &ToyOptions::default());
    let (a, b) = (table.join("Ann"), table.join("Bob"));
    let token = ResumeToken(table.peer(a).welcome.token.expect("a seat has a token"));
    table.run(60);
    assert_eq!(table.room.poll_missed(), 0);
    table.room.handle_drop(a, table.now);
    table.run(60 * 29);
    let kept = |table: &Table<Toy>| table.room.info().people;
    for away in [17_000, 40_000] {
        table.now = table.now.after(Micros::from_millis(away));
        table.tick_now();
        table.run(60 * 29);
        assert_eq!(kept(&table), 2, "Ann's time begins anew after {away} ms");
        let missed = table.room.poll_missed();
        assert!(u64::from(missed).abs_diff(away * 60 / 1000) <= 10, "{missed} ticks were missed in {away} ms");
    }
    table.run(60 * 2);
    assert_eq!(kept(&table), 1, "and it ends");
    let who = (Tier::Delta, ResumeToken([9; 16]));
    assert!(table.room.handle_resume(token, who.0, who.1, table.now).is_err());
    // Nobody is there any more: the room looks at the time twice a second.
    table.room.handle_leave(b, table.now);
    table.run(2 * 29);
    table.now = table.now.after(Micros::from_millis(60_000));
    table.tick_now();
    table.run(2 * 29);
    assert!(!table.room.is_idle(table.now));
    table.run(2 * 2);
    assert!(table.room.is_idle(table.now));
    assert_eq!(table.room.poll_missed(), 0, "who rests misses nothing");
}

#[test]
fn a_view_of_too_many_rows_is_filled_step_by_step_and_no_message_is_too_long() {
    let mut table = Table::<Toy>::new(config(), &ToyOptions { mines: 20_000, ..ToyOptions::default() });
    let (delta, full) = (table.join("Ann"), table.try_join("Bob", Tier::Full, false).expect("a seat"));
    let watcher = table.try_join("", Tier::Delta, true).expect("a spectator place");
    table.run(60);
    for viewer in [delta, full, watcher] {
        let peer = table.peer(viewer);
        assert!(peer.errors.is_empty(), "{:?}", peer.errors);
        let longest = peer.snapshots.iter().map(|&(_, bytes)| bytes).max().expect("snapshots came");
        assert!((12_288..=MESSAGE_BYTES_MAX).contains(&longest), "the longest has {longest} bytes");
        assert_eq!(peer.view.rows().next().map(|(_, kind, _)| kind), Some(toy::MOVER), "the lowest ids come first");
    }
    assert_eq!(table.peer(delta).view.len(), 3072);
    assert_eq!(table.peer(watcher).view.len(), 3072);
    table.input(delta, &[5, 0, 0]);
    table.run(10);
    assert_eq!(table.peer(delta).last().ack, 1, "and it goes on");
}

#[test]
fn the_widest_and_wildest_rows_and_events_make_no_message_that_is_too_long() {
    let mut table = Table::<Wild>::new(config(), &());
    let (delta, full) = (table.join("Ann"), table.try_join("Bob", Tier::Full, false).expect("a seat"));
    table.run(CALM_TICKS - 2);
    assert_eq!(table.peer(delta).view.len(), 1000, "there is room for small rows");
    table.run(40);
    for viewer in [delta, full] {
        let peer = table.peer(viewer);
        assert!(peer.errors.is_empty(), "{:?}", peer.errors);
        let longest = peer.snapshots.iter().map(|&(_, bytes)| bytes).max().expect("snapshots came");
        assert!((60 * 1024..=MESSAGE_BYTES_MAX).contains(&longest), "the longest has {longest} bytes");
        assert!(peer.last().flags & flags::EVENTS_LOST != 0, "for most events there is no room");
        // Each row has up to 260 bytes: what 32 KiB hold, and no more, whether it changed or begins anew.
        assert!((120..200).contains(&peer.view.len()), "{} rows", peer.view.len());
    }
}

#[test]
fn names_are_cleaned_and_cut() {
    let mut table = table();
    for (typed, shown) in [
        ("  Ann \n\t Lee ", "Ann Lee"),
        ("", "Player"),
        ("\u{202e}evil\u{0}\u{200b}", "evil"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst"),
        ("ÄÖÜ 日本語", "ÄÖÜ 日本語"),
        ("\u{3164}", "Player"),
        ("\u{2800}\u{2800}", "Player"),
        ("\u{ad}", "Player"),
        ("\u{fe0f}", "Player"),
        ("\u{200f}Ann\u{61c}", "Ann"),
        ("abcdefghijklmno👨‍👩‍👧‍👦", "abcdefghijklmno"),
        ("abcdefghijklm👨‍👩‍👧‍👦", "abcdefghijklm👨‍👩‍👧‍👦"),
    ] {
        let viewer = table.join(typed);
        table.run(2);
        let seat = table.peer(viewer).welcome.seat.expect("a seat");
        assert_eq!(table.peer(viewer).names[&seat].name, shown);
        table.room.handle_leave(viewer, table.now);
        table.peers.remove(&viewer);
    }
}

#[test]
fn a_huge_seen_ago_and_stamp_hurt_nobody() {
    let mut table = table();
    let a = table.join("Ann");
    for seq in [1, u32::MAX - 1, u32::MAX] {
        let input = tickroom::protocol::message::Input {
            seq,
            tick: u32::MAX,
            seen: 0,
            seen_ago: u16::MAX,
            row: vec![i32::MAX, i32::MIN, i32::MIN],
        };
        table.room.handle_input(a, &input, table.now).expect("a row of the right length");
        table.run(40);
    }
    assert_eq!(table.peer(a).last().ack, u32::MAX);
    assert!(table.room.game().mover(SeatId(0)).x > 100);
}

/// A game may ask who of those that were here could be whoever comes now.
#[test]
fn a_joiner_is_told_to_the_game_with_its_origin_and_the_seats_that_were_lost_from_there() {
    let mut table = table();
    let (home, away) = (Some(OriginId(1)), Some(OriginId(2)));
    let join = |table: &mut Table<Toy>, origin| {
        let viewer = table.try_join_from(origin, "p", Tier::Delta, false).expect("a seat");
        table.run(1);
        (viewer, table.room.game().joined.last().expect("somebody joined").clone())
    };
    let (a, told) = join(&mut table, home);
    assert_eq!(told, (0, Some(1), vec![]));
    assert_eq!(join(&mut table, home).1, (1, Some(1), vec![]), "who is here is not lost");
    let token = table.peer(a).token();
    table.room.handle_drop(a, table.now);
    assert_eq!(join(&mut table, home).1, (2, Some(1), vec![0]));
    assert_eq!(join(&mut table, away).1, (3, Some(2), vec![]));
    assert_eq!(join(&mut table, None).1, (4, None, vec![]), "not known is not equal");
    table.peers.remove(&a);
    let a = table.resume(token).expect("kept");
    let (b, told) = join(&mut table, home);
    assert_eq!(told, (5, Some(1), vec![]), "it came back");
    table.room.handle_drop(a, table.now);
    table.room.handle_drop(b, table.now);
    assert_eq!(join(&mut table, home).1, (6, Some(1), vec![0, 5]));
    table.run(31 * 60);
    assert!(join(&mut table, home).1.2.is_empty(), "no longer kept");
}
