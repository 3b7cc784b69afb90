//! In the steady state no viewer costs an allocation: messages are cut from chunks, and everything else is kept from one
//! round to the next. Nor does a tick of the demo game. Counted by the allocator itself.
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait; it only hands on")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::toy::{Toy, ToyOptions};
use tickroom::arena::{Arena, ArenaOptions, schema};
use tickroom::config::RoomConfig;
use tickroom::game::{Events, Game, InputStatus, Joiner, Rows, SeatInput, SeatInputs, Setup, VisibleSet, neutral_row};
use tickroom::ids::{Micros, ResumeToken, SeatId, ViewerId};
use tickroom::protocol::message::{Input, Tier};
use tickroom::protocol::schema::INPUT_FIELDS_MAX;
use tickroom::room::{JoinRequest, Outbox, Room, SendOutcome};

struct Counting;

thread_local! {
    /// Each test runs in a thread of its own.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn allocations() -> u64 {
    COUNT.get()
}

// SAFETY: every call is handed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Sink {
    messages: u64,
}

impl Outbox for Sink {
    fn is_open(&mut self, _: ViewerId) -> bool {
        true
    }

    fn send(&mut self, _: ViewerId, _: &[u8]) -> SendOutcome {
        self.messages += 1;
        SendOutcome::Accepted
    }
}

#[test]
fn snapshots_allocate_nothing_once_their_lists_have_grown() {
    const VIEWERS: u16 = 200;
    let config = RoomConfig { seats_max: VIEWERS, spectators_max: VIEWERS, fill_to: 0, ..RoomConfig::default() };
    // What lies near is seen: seats differ in what they see, and things come and go for them.
    let options = ToyOptions { sees_all: false, ..ToyOptions::default() };
    let mut now = Micros::from_millis(1);
    let mut room = Room::<Toy>::new(config, &options, "TEST".into(), 1, now).expect("the configuration is in range");
    let mut viewers = Vec::new();
    for number in 0..VIEWERS {
        let who =
            JoinRequest { name: format!("p{number}"), tier: Tier::Delta, spectate: number % 10 == 9, origin: None };
        let joined =
            room.handle_join(who, ResumeToken(u128::from(number).to_le_bytes()), now).expect("there is a seat");
        viewers.push(joined.viewer);
    }
    let mut sink = Sink::default();
    let mut allocated = 0;
    for tick in 1..=600_u32 {
        for (at, &viewer) in viewers.iter().enumerate() {
            let go = (tick as i32 / 40 + at as i32) % 41 - 20;
            let row = vec![go, (tick as i32 * 7 + at as i32) & 0xFFFF, (tick as i32 / 100) & 0xFF];
            let input = Input { seq: tick, tick: 0, seen: 0, seen_ago: 0, row };
            room.handle_input(viewer, &input, now).expect("a good row");
        }
        now = room.next_tick_at(now);
        room.tick(now);
        if tick == 301 {
            (sink, allocated) = (Sink::default(), 0);
        }
        let before = allocations();
        room.poll_outbound(&mut sink);
        allocated += allocations() - before;
    }
    assert!(sink.messages >= 149 * u64::from(VIEWERS), "{} messages", sink.messages);
    // Five seconds may hold the busiest tick so far, and ids above all before: then some lists and sets grow once more.
    assert!(allocated <= 60, "{allocated} allocations for {} messages", sink.messages);
}

#[test]
fn a_tick_of_a_match_allocates_nothing_once_its_lists_have_grown() {
    const SHIPS: u16 = 32;
    let options = ArenaOptions { round_seconds: Some(86_400), ..ArenaOptions::default() };
    let mut game = Arena::new(&Setup { seed: 1, tick_rate: 60, seats_max: SHIPS, options });
    let mut rows = vec![neutral_row(&schema::schema()); usize::from(SHIPS)];
    for seat in 0..SHIPS {
        game.join(SeatId(seat), &Joiner::bot(""));
    }
    let (mut inputs, mut events) = (SeatInputs::default(), Events::default());
    let (mut table, mut seen) = (Rows::default(), VisibleSet::default());
    let (mut allocated, mut hits) = (0, 0);
    for tick in 0..3600 {
        if tick == 1800 {
            (allocated, hits) = (0, 0);
        }
        let before = allocations();
        inputs.clear();
        for (seat, row) in rows.iter_mut().enumerate() {
            let pressed = row[schema::INPUT_DASH];
            game.steer_bot(SeatId(seat as u16), row);
            let mut presses = [0; INPUT_FIELDS_MAX];
            presses[schema::INPUT_DASH] = u8::from(row[schema::INPUT_DASH] != pressed);
            let input = SeatInput { status: InputStatus::Fresh, levels: *row, presses, seen_ago: 0 };
            inputs.push(SeatId(seat as u16), input);
        }
        events.clear();
        game.step(&inputs, &mut events);
        table.clear();
        game.rows(&mut table);
        seen.clear();
        game.visible(game.viewpoint(Some(SeatId(0))), &mut seen);
        allocated += allocations() - before;
        hits += events.iter().filter(|&(kind, ..)| kind == schema::EVENT_HIT).count();
    }
    assert!(hits > 100 && table.len() > 100, "{hits} hits, {} rows", table.len());
    // Half a minute may hold the busiest tick so far: then a list or two grows once more.
    assert!(allocated <= 10, "{allocated} allocations in 1800 ticks");
}
