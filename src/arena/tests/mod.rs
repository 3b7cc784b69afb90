//! Whole-match tests, driven as a room drives a game; the files of the parts hold their own.

mod combat;
mod determinism;
mod leaving;
mod rounds;

use std::collections::BTreeMap;

use super::movement::{Controls, ShipState};
use super::schema::*;
use super::*;
use crate::game::{InputStatus, SeatInput, neutral_row};
use crate::ids::{EventKindId, KindId};
use crate::protocol::schema::INPUT_FIELDS_MAX;

/// A match with some seats, driven as a room drives it: bots are steered, people hold what the test says.
struct Play {
    game: Arena,
    setup: Setup<ArenaOptions>,
    /// By seat: the row in force, what it held before, and how far back the seat sees.
    seats: BTreeMap<u16, (InputRow, InputRow, u16)>,
    bots: Vec<u16>,
    events: Events,
}

impl Play {
    fn new(seed: u64, options: ArenaOptions) -> Self {
        let setup = Setup { seed, tick_rate: 60, seats_max: 64, options };
        let game = Arena::new(&setup);
        Self { game, setup, seats: BTreeMap::new(), bots: Vec::new(), events: Events::default() }
    }

    fn with_bots(seed: u64, bots: u16) -> Self {
        let mut play = Self::new(seed, ArenaOptions::default());
        (0..bots).for_each(|seat| play.join(seat, true));
        play
    }

    /// Two people alone on an empty arena, after their protection has ended.
    fn duel() -> Self {
        let options = ArenaOptions { rocks: Some(0), pickups: Some(0), ..ArenaOptions::default() };
        let mut play = Self::new(7, options);
        play.join(0, false);
        play.join(1, false);
        play.run(130);
        play.put(0, -200, 0, 0);
        play.put(1, 200, 0, TURN_HALF);
        play
    }

    fn join(&mut self, seat: u16, bot: bool) {
        self.game.join(SeatId(seat), &Joiner { bot, ..Joiner::person(format!("seat {seat}")) });
        let neutral = neutral_row(&schema());
        self.seats.insert(seat, (neutral, neutral, 0));
        if bot {
            self.bots.push(seat);
        }
    }

    fn leave(&mut self, seat: u16) {
        self.game.leave(SeatId(seat));
        self.seats.remove(&seat);
        self.bots.retain(|&bot| bot != seat);
    }

    fn put(&mut self, seat: usize, x_u: i32, y_u: i32, heading: i32) {
        let ship = &mut self.game.world.ships[seat];
        (ship.x, ship.y, ship.vx, ship.vy, ship.heading) = (x_u * UNIT, y_u * UNIT, 0, 0, heading);
    }

    fn set(&mut self, seat: u16, field: usize, value: i32) {
        self.seats.get_mut(&seat).unwrap().0[field] = value;
    }

    fn ship(&self, seat: usize) -> &ShipState {
        &self.game.world.ships[seat]
    }

    fn tick(&mut self) {
        for &bot in &self.bots {
            self.game.steer_bot(SeatId(bot), &mut self.seats.get_mut(&bot).unwrap().0);
        }
        let mut inputs = SeatInputs::default();
        for (&seat, (row, before, seen_ago)) in &mut self.seats {
            let mut presses = [0; INPUT_FIELDS_MAX];
            presses[INPUT_DASH] = ((row[INPUT_DASH] - before[INPUT_DASH]) & 255).min(2) as u8;
            let mut levels = *row;
            levels[INPUT_DASH] = 0;
            *before = *row;
            inputs.push(SeatId(seat), SeatInput { status: InputStatus::Fresh, levels, presses, seen_ago: *seen_ago });
        }
        self.events.clear();
        self.game.step(&inputs, &mut self.events);
    }

    fn run(&mut self, ticks: u32) {
        (0..ticks).for_each(|_| self.tick());
    }

    fn state(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.game.save(&mut out);
        out
    }

    fn reload(&mut self) {
        self.game = Arena::load(&self.state(), &self.setup).expect("what was saved loads");
    }

    fn events(&self, kind: EventKindId) -> Vec<Vec<i32>> {
        self.events.iter().filter(|&(k, ..)| k == kind).map(|(_, _, fields)| fields.to_vec()).collect()
    }

    /// Kind and fields by id.
    fn rows(&self) -> BTreeMap<u32, (KindId, Vec<i32>)> {
        let mut rows = Rows::default();
        self.game.rows(&mut rows);
        rows.iter().map(|row| (row.id.get(), (row.kind, row.fields.to_vec()))).collect()
    }

    fn rows_of(&self, kind: KindId) -> Vec<Vec<i32>> {
        self.rows().into_values().filter(|(k, _)| *k == kind).map(|(_, fields)| fields).collect()
    }
}

const TURN_HALF: i32 = 1 << 15;
