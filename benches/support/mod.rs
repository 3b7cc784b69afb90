//! What the benches share: a match of Arena in a pure room, played by people whose inputs follow from a seed, on a
//! virtual clock.
#![allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use tickroom::arena::tuning::Tuning;
use tickroom::arena::{Arena, ArenaOptions};
use tickroom::config::RoomConfig;
use tickroom::game::{Game, VisibleSet};
use tickroom::ids::{Micros, ResumeToken, SeatId, ViewerId};
use tickroom::protocol::message::{Input, Tier};
use tickroom::room::{JoinRequest, Outbox, Room, SendOutcome};
use tickroom::tools::stress::pilot::{Inputs, Pilot};

/// True under `cargo test --benches`, `cargo bench -- --test` and in `tests/all`: the smallest sizes that still do the
/// work. By the same signs as criterion: only cargo's own `--bench` means that time is to be measured.
pub fn quick() -> bool {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    given("--test") || !given("--bench")
}

/// What a room sends, counted and forgotten.
#[derive(Default)]
pub struct Sink {
    pub shut: bool,
    /// While it is not shut, it is open to this viewer alone.
    pub only: Option<ViewerId>,
    pub messages: u64,
    pub bytes: u64,
    /// The messages of the last round, kept if asked for.
    pub keep: bool,
    pub kept: Vec<(ViewerId, Bytes)>,
}

impl Outbox for Sink {
    fn is_open(&mut self, viewer: ViewerId) -> bool {
        !self.shut && self.only.is_none_or(|only| only == viewer)
    }

    fn send(&mut self, viewer: ViewerId, message: &[u8]) -> SendOutcome {
        self.messages += 1;
        self.bytes += message.len() as u64;
        if self.keep {
            self.kept.push((viewer, Bytes::copy_from_slice(message)));
        }
        SendOutcome::Accepted
    }
}

struct Person {
    viewer: ViewerId,
    pilot: Pilot,
    seq: u32,
}

/// A match.
pub struct Match {
    pub room: Room<Arena>,
    pub now: Micros,
    pub sink: Sink,
    /// The first person's Welcome.
    pub welcome: Bytes,
    people: Vec<Person>,
    pub inputs: u64,
    /// Time spent in `tick` and in `poll_outbound`.
    pub ticking: Duration,
    pub sending: Duration,
}

/// Room for `ships` ships as the default arena has for 32, or an arena in which everybody sees everything.
pub fn arena_for(ships: u32, sees_all: bool) -> ArenaOptions {
    if sees_all {
        return ArenaOptions { width_u: Some(4096), height_u: Some(4096), ..ArenaOptions::default() };
    }
    ArenaOptions::for_ships(ships, &Tuning::shipped().map)
}

impl Match {
    /// `people` in seats, each with a session of its own, and bots up to `fill_to`. Nobody has moved yet.
    pub fn new(people: u16, fill_to: u16, options: &ArenaOptions, config: RoomConfig, tier: Tier) -> Self {
        let config = RoomConfig { seats_max: people.max(fill_to), fill_to, ..config };
        let now = Micros::from_millis(1000);
        let mut room = Room::new(config, options, "BENCH".into(), 7, now).expect("the configuration is in range");
        let schema = room.schema().clone();
        let mut list = Vec::new();
        let mut welcome = Bytes::new();
        for number in 0..people {
            let request = JoinRequest { name: format!("p{number}"), tier, spectate: false, origin: None };
            let token = ResumeToken(u128::from(number).to_le_bytes());
            let joined = room.handle_join(request, token, now).expect("there is a seat");
            if number == 0 {
                welcome = joined.welcome;
            }
            let mut pilot = Pilot::new(Inputs::Random, 7, u32::from(number), now, 5.0);
            pilot.begin_session(&schema.inputs, now);
            list.push(Person { viewer: joined.viewer, pilot, seq: 0 });
        }
        Self {
            room,
            now,
            sink: Sink::default(),
            welcome,
            people: list,
            inputs: 0,
            ticking: Duration::ZERO,
            sending: Duration::ZERO,
        }
    }

    pub fn viewer(&self, at: usize) -> ViewerId {
        self.people[at].viewer
    }

    pub fn viewers(&self) -> usize {
        self.people.len()
    }

    /// The next tick: the inputs that came, the step, the snapshots if it is time for them.
    pub fn tick(&mut self) {
        self.now = self.room.next_tick_at(self.now);
        let begin = Instant::now();
        for person in &mut self.people {
            while person.pilot.due() <= self.now {
                person.seq += 1;
                let row = person.pilot.act().to_vec();
                let input = Input { seq: person.seq, tick: 0, seen: 0, seen_ago: 0, row };
                self.room.handle_input(person.viewer, &input, self.now).expect("a good row");
                self.inputs += 1;
            }
        }
        self.room.tick(self.now);
        self.ticking += begin.elapsed();
        let begin = Instant::now();
        self.sink.kept.clear();
        self.room.poll_outbound(&mut self.sink);
        self.sending += begin.elapsed();
    }

    /// That many ticks.
    pub fn run(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.tick();
        }
    }

    /// Forgets what was counted so far.
    pub fn begin(&mut self) {
        self.sink.messages = 0;
        self.sink.bytes = 0;
        self.inputs = 0;
        self.ticking = Duration::ZERO;
        self.sending = Duration::ZERO;
    }

    /// How many public entities each seat sees, summed up over the people.
    pub fn visible(&self) -> usize {
        let mut set = VisibleSet::default();
        let seats = (0..self.people.len()).map(|at| SeatId(at as u16));
        seats
            .map(|seat| {
                set.clear();
                self.room.game().visible(self.room.game().viewpoint(Some(seat)), &mut set);
                set.len()
            })
            .sum()
    }
}
