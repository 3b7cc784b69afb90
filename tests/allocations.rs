//! In the steady state no viewer costs an allocation: messages are cut from chunks, and everything else is kept from one
//! round to the next. Counted by the allocator itself.
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait; it only hands on")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use support::toy::{Toy, ToyOptions};
use tickroom::config::RoomConfig;
use tickroom::ids::{Micros, ResumeToken, ViewerId};
use tickroom::protocol::message::{Input, Tier};
use tickroom::room::{JoinRequest, Outbox, Room, SendOutcome};

struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
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
    bytes: u64,
}

impl Outbox for Sink {
    fn is_open(&mut self, _: ViewerId) -> bool {
        true
    }

    fn send(&mut self, _: ViewerId, message: Bytes) -> SendOutcome {
        self.messages += 1;
        self.bytes += message.len() as u64;
        SendOutcome::Accepted
    }
}

#[test]
fn snapshots_allocate_chunks_and_nothing_per_viewer() {
    const VIEWERS: u16 = 200;
    let config = RoomConfig { seats_max: VIEWERS, spectators_max: VIEWERS, fill_to: 0, ..RoomConfig::default() };
    // What lies near is seen: seats differ in what they see, and things come and go for them.
    let options = ToyOptions { sees_all: false, ..ToyOptions::default() };
    let mut now = Micros::from_millis(1);
    let mut room = Room::<Toy>::new(config, &options, "TEST".into(), 1, now).expect("the configuration is in range");
    let mut viewers = Vec::new();
    for number in 0..VIEWERS {
        let who = JoinRequest { name: format!("p{number}"), tier: Tier::Delta, spectate: number % 10 == 9 };
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
        let before = COUNT.load(Relaxed);
        room.poll_outbound(&mut sink);
        allocated += COUNT.load(Relaxed) - before;
    }
    assert!(sink.messages >= 149 * u64::from(VIEWERS), "{} messages", sink.messages);
    // A chunk is 16 KiB and takes two; a message that does not fit in what is left of one begins the next.
    let chunks = sink.bytes / (16 * 1024 - 2048) + 1;
    assert!(
        allocated <= chunks * 2 + 20,
        "{allocated} allocations for {} messages in some {chunks} chunks",
        sink.messages
    );
}
