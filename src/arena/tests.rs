//! Whole-match tests; the files beside this one hold those of their own parts.

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
    options: ArenaOptions,
    /// By seat: the row in force, what it held before, and how far back the seat sees.
    seats: BTreeMap<u16, (InputRow, InputRow, u16)>,
    bots: Vec<u16>,
    events: Events,
}

impl Play {
    fn new(seed: u64, options: ArenaOptions) -> Self {
        let game = Arena::new(seed, &options);
        Self { game, options, seats: BTreeMap::new(), bots: Vec::new(), events: Events::default() }
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
        self.game.join(SeatId(seat), &Joiner { name: format!("seat {seat}"), bot });
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
        self.game = Arena::load(&self.state(), &self.options).expect("what was saved loads");
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

#[test]
fn the_same_seed_and_inputs_give_the_same_state_saved_and_loaded_in_the_middle_or_not() {
    let options = ArenaOptions { round_seconds: Some(40), ..ArenaOptions::default() };
    let start = |seed| {
        let mut play = Play::new(seed, options.clone());
        (0..10).for_each(|seat| play.join(seat, seat != 3));
        play
    };
    let mut one = start(11);
    let mut two = start(11);
    let mut other = start(12);
    for tick in 0..10_000 {
        for play in [&mut one, &mut two, &mut other] {
            // Seat 3 is a person with shaky hands; seat 5 leaves and comes back.
            play.set(3, INPUT_THRUST, (tick * 37) % 255 - 127);
            play.set(3, INPUT_TURN, (tick * 53 / 20) % 255 - 127);
            play.set(3, INPUT_FIRE, tick / 20 % 2);
            play.set(3, INPUT_BEAM, tick / 64 % 2);
            play.set(3, INPUT_DASH, (tick / 50) & 255);
            if tick % 1000 == 400 {
                play.leave(5);
            }
            if tick % 1000 == 450 {
                play.join(5, true);
            }
            play.tick();
        }
        if tick % 700 == 350 {
            two.reload();
        }
        if tick % 100 == 99 {
            assert_eq!(one.state(), two.state(), "tick {tick}");
        }
    }
    assert_ne!(one.state(), other.state(), "the seed matters");
    assert!(one.game.world.round.number >= 3, "rounds were played");
    assert!(one.game.world.pilots.iter().any(|pilot| pilot.kills > 0), "shots were fired");
}

#[test]
fn every_tick_repeated_from_a_saved_state_gives_the_same_state() {
    let mut play = Play::with_bots(5, 6);
    play.run(300);
    for tick in 0..1500 {
        let (saved, seats) = (play.state(), play.seats.clone());
        play.tick();
        let (state, rows) = (play.state(), play.rows());
        play.game = Arena::load(&saved, &play.options).expect("what was saved loads");
        assert_eq!(play.state(), saved, "tick {tick}: loading changes nothing");
        play.seats = seats;
        play.tick();
        assert!(play.state() == state, "tick {tick}: the repeated tick differs");
        assert_eq!(play.rows(), rows, "tick {tick}");
    }
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let play = Play::with_bots(5, 2);
    let state = play.state();
    assert!(Arena::load(&state[..state.len() / 2], &play.options).is_err());
    assert!(Arena::load(&[], &play.options).is_err());
}

#[test]
fn eight_bots_fight_and_share_the_kills() {
    for seed in [1, 2, 3] {
        let mut play = Play::with_bots(seed, 8);
        let (mut kills, mut pickups, mut beams, mut dashes) = (0, 0, 0, 0);
        for _ in 0..3600 {
            play.tick();
            kills += play.events(EVENT_KILL).len();
            pickups += play.events(EVENT_PICKUP).len();
            beams += play.events(EVENT_BEAM).len();
            dashes += play.events(EVENT_DASH).len();
        }
        assert!((8..=80).contains(&kills), "seed {seed}: {kills} kills in a minute");
        assert!(pickups > 0 && beams > 0 && dashes > 0, "seed {seed}: {pickups} {beams} {dashes}");
        let hunters = play.game.world.pilots.iter().filter(|pilot| pilot.kills > 0).count();
        assert!(hunters >= 4, "seed {seed}: only {hunters} of 8 ever won");
    }
}

#[test]
fn a_newcomer_who_does_nothing_is_not_slaughtered() {
    let mut deaths = 0;
    for seed in 0..6 {
        let mut play = Play::new(seed, ArenaOptions::default());
        play.join(0, false);
        (1..8).for_each(|seat| play.join(seat, true));
        play.run(3600);
        deaths += play.game.world.pilots[0].deaths;
    }
    // One who stands still and never shoots, for six minutes in all.
    println!("{deaths} deaths");
    assert!((1..=24).contains(&deaths), "{deaths} deaths in six first minutes");
}

#[test]
fn a_round_ends_with_a_winner_a_board_and_a_fresh_start() {
    let options = ArenaOptions { round_seconds: Some(30), ..ArenaOptions::default() };
    let mut play = Play::new(3, options);
    (0..6).for_each(|seat| play.join(seat, true));
    play.run(1799);
    let best = play.game.world.pilots.iter().map(|pilot| pilot.score).max().unwrap();
    let rocks = play.rows_of(ROCK);
    assert!(best > 0);
    play.tick();
    assert_eq!(play.game.world.round.phase, PHASE_RESULTS);
    let end = play.events(EVENT_ROUND_END);
    assert_eq!((end[0][0], end[0][2]), (1, best));
    let board = play.rows_of(MATCH).remove(0);
    assert_eq!((board[0], board[5], board[6]), (PHASE_RESULTS, end[0][1], best));
    let winner = (board[5] - 1) as usize;
    assert_eq!(play.game.world.pilots[winner].score, best);
    assert!(play.rows_of(BOLT).is_empty(), "weapons are silent");
    for _ in 0..479 {
        play.tick();
        assert!(play.events(EVENT_HIT).is_empty() && play.rows_of(BOLT).is_empty());
    }
    play.tick();
    assert_eq!(play.game.world.round.phase, PHASE_READY);
    for _ in 0..179 {
        assert!(play.rows_of(SHIP).is_empty(), "no ship is out");
        assert!(play.rows_of(SCORE).iter().all(|score| score[1..] == [0; 4]), "a fresh start");
        play.tick();
    }
    play.tick();
    assert_eq!(play.game.world.round.phase, PHASE_PLAY);
    assert_eq!(play.events(EVENT_ROUND_START), [[2]]);
    assert_eq!(play.rows_of(SHIP).len(), 6);
    assert_eq!(play.rows_of(MATCH)[0][1..3], [2, 1800 + 480 + 180 + 1800]);
    assert_ne!(play.rows_of(ROCK), rocks, "a new map");
    play.run(1800);
    assert_eq!(play.events(EVENT_ROUND_END).len(), 1, "and so on");
}

#[test]
fn a_bolt_flies_as_its_row_says_hurts_and_vanishes() {
    let mut play = Play::duel();
    play.set(0, INPUT_FIRE, 1);
    play.tick();
    play.set(0, INPUT_FIRE, 0);
    let bolt = play.rows_of(BOLT).remove(0);
    let id = *play.rows().iter().find(|(_, (kind, _))| *kind == BOLT).unwrap().0;
    let (tick, shield) = (play.game.world.tick, play.ship(1).shield);
    assert_eq!((bolt[4], bolt[6]), (tick, 0));
    let mut ticks = 0;
    while play.events(EVENT_HIT).is_empty() {
        assert_eq!(play.rows_of(BOLT), std::slice::from_ref(&bolt), "constant until it ends");
        play.tick();
        ticks += 1;
        assert!(ticks < 60, "it passed through");
    }
    let hit = play.events(EVENT_HIT).remove(0);
    let way = bolt[0] + bolt[2] * (play.game.world.tick - bolt[4]);
    assert!((hit[0] - way).abs() <= bolt[2], "it hit where its row puts it");
    assert!((play.ship(1).x - hit[0]).abs() < 20 * UNIT);
    assert_eq!(hit[2..], [1, 0, play.game.tuning.bolt.damage_q6, 1, WEAPON_BOLT]);
    assert_eq!(play.ship(1).shield, shield - play.game.tuning.bolt.damage_q6);
    assert!(play.rows_of(BOLT).is_empty(), "an ended bolt vanishes");
    for _ in 0..119 {
        play.tick();
        assert!(!play.game.world.ids.is_live(EntityId::new(id).unwrap()));
    }
}

#[test]
fn a_bolt_that_meets_nothing_expires_and_one_that_meets_a_wall_sparks() {
    let mut play = Play::duel();
    play.put(0, 0, -300, TURN_HALF);
    play.set(0, INPUT_FIRE, 1);
    play.tick();
    play.set(0, INPUT_FIRE, 0);
    play.run(play.game.tuning.bolt.life_ticks as u32 - 1);
    assert_eq!(play.rows_of(BOLT).len(), 1);
    play.tick();
    assert!(play.rows_of(BOLT).is_empty() && play.events(EVENT_SPARK).is_empty());
    play.put(0, -1100, -300, TURN_HALF);
    play.set(0, INPUT_FIRE, 1);
    play.tick();
    play.set(0, INPUT_FIRE, 0);
    let mut sparks = 0;
    for _ in 0..20 {
        play.tick();
        sparks += play.events(EVENT_SPARK).len();
    }
    assert_eq!(sparks, 1);
    assert!(play.rows_of(BOLT).is_empty());
}

#[test]
fn who_is_destroyed_is_gone_comes_back_and_is_protected_until_it_shoots() {
    let mut play = Play::duel();
    let spawn_protection = play.game.tuning.ship.protected_ticks;
    play.game.world.ships[1].hull = 1;
    play.game.world.ships[1].shield = 0;
    play.set(0, INPUT_FIRE, 1);
    while play.events(EVENT_KILL).is_empty() {
        play.tick();
    }
    play.set(0, INPUT_FIRE, 0);
    assert_eq!(play.events(EVENT_KILL)[0][2..], [1, 0, WEAPON_BOLT, 1]);
    assert_eq!(play.rows_of(SHIP).len(), 1, "a destroyed ship has no row");
    let scores = play.rows_of(SCORE);
    assert_eq!(scores[0], [0, 100, 1, 0, 1]);
    assert_eq!(scores[1], [1, 0, 0, 1, 0]);
    play.run(play.game.tuning.ship.respawn_ticks as u32 - 1);
    assert_eq!(play.rows_of(SHIP).len(), 1);
    play.tick();
    assert_eq!(play.rows_of(SHIP).len(), 2);
    let back = *play.ship(1);
    assert_eq!(back.protected_until, play.game.world.tick + spawn_protection);
    assert_eq!(play.events(EVENT_SPAWN).len(), 1);

    play.put(0, -100, 0, 0);
    play.put(1, 100, 0, TURN_HALF);
    play.set(0, INPUT_FIRE, 1);
    let mut hits = 0;
    for _ in 0..40 {
        play.tick();
        for hit in play.events(EVENT_HIT) {
            hits += 1;
            assert_eq!(hit[4], 0, "a protected ship takes nothing");
        }
    }
    assert!(hits > 0);
    assert_eq!((play.ship(1).hull, play.ship(1).shield), (back.hull, back.shield));
    play.set(1, INPUT_FIRE, 1);
    play.tick();
    assert_eq!(play.ship(1).protected_until, 0, "who attacks can be attacked");
    play.run(40);
    assert!(play.ship(1).shield < back.shield);
}

/// Lets seat 0 charge; when this returns, letting go fires at the next tick.
fn charge(play: &mut Play) {
    play.set(0, INPUT_BEAM, 1);
    play.run(play.game.tuning.beam.charge_ticks as u32 + 1);
    play.set(0, INPUT_BEAM, 0);
}

#[test]
fn a_beam_needs_its_charge() {
    let mut play = Play::duel();
    let energy = play.ship(0).energy;
    play.set(0, INPUT_BEAM, 1);
    play.run(play.game.tuning.beam.charge_ticks as u32 / 2);
    assert!(play.ship(0).energy < energy, "it costs");
    play.set(0, INPUT_BEAM, 0);
    play.tick();
    assert!(play.events(EVENT_BEAM).is_empty(), "let go too early, it fizzles");
    play.run(200);
    charge(&mut play);
    play.tick();
    let beam = play.events(EVENT_BEAM).remove(0);
    assert_eq!(beam[4..], [0, 2], "seat 0 hits seat 1");
    assert!((beam[2] - (200 - 18) * UNIT).abs() < UNIT, "and ends at its hull: {}", beam[2]);
    assert_eq!(play.events(EVENT_HIT)[0][4], play.game.tuning.beam.damage_q6);
}

#[test]
fn a_beam_hits_a_ship_where_its_shooter_saw_it() {
    // Seat 1 crosses the line of fire at 5 units a tick; the shooter sees it 9.5 ticks late.
    let shoot = |seen_ago: u16| {
        let mut play = Play::duel();
        charge(&mut play);
        play.put(1, 300, -200, TURN_HALF / 2);
        play.seats.get_mut(&0).unwrap().2 = seen_ago;
        play.set(0, INPUT_BEAM, 1);
        for tick in 0..50 {
            if tick == 49 {
                play.set(0, INPUT_BEAM, 0);
            }
            let ship = &mut play.game.world.ships[1];
            (ship.x, ship.y, ship.vy) = (300 * UNIT, (-200 + 5 * tick) * UNIT, 5 * UNIT);
            play.tick();
        }
        play.events(EVENT_BEAM).remove(0)[5]
    };
    // At the last tick it is at about y = 50: no longer on the line, which it crossed 10 ticks before.
    assert_eq!(shoot(0), 0, "where it is now, the beam misses");
    assert_eq!(shoot(10 * 16), 2, "where it was, the beam hits");
    assert_eq!(shoot(10 * 16 + 7), 2, "between two ticks too");
    assert_eq!(shoot(20 * 16), 0, "it was not there yet");
}

#[test]
fn a_beam_cannot_hit_one_who_was_not_born_when_it_was_seen() {
    let shoot = |ticks_after_birth: u32, seen_ago_ticks: u16| {
        let mut play = Play::duel();
        play.set(0, INPUT_BEAM, 1);
        play.run(60);
        play.game.world.ships[1].respawn_at = play.game.world.tick + 1;
        play.tick();
        assert_eq!(play.events(EVENT_SPAWN).len(), 1);
        play.game.world.ships[1].protected_until = 0;
        for _ in 0..ticks_after_birth {
            play.put(0, -200, 0, 0);
            play.put(1, 200, 0, 0);
            play.tick();
        }
        // The whole past of its life is on the line, even the tick of its birth.
        let tick = play.game.world.tick as u32;
        let places: Vec<(i32, i32)> = play.game.world.ships.iter().map(|ship| (ship.x, ship.y)).collect();
        let mut history = History::new(weapons::HISTORY_TICKS);
        history.grow(places.len());
        for tick in tick - 31..=tick {
            history.begin(tick).copy_from_slice(&places);
        }
        history.birth(0, 1);
        history.birth(1, tick - ticks_after_birth);
        play.game.world.history = history;
        play.seats.get_mut(&0).unwrap().2 = seen_ago_ticks * 16;
        play.set(0, INPUT_BEAM, 0);
        play.tick();
        play.events(EVENT_BEAM).remove(0)[5]
    };
    assert_eq!(shoot(10, 11), 2, "born at the very tick that was seen");
    assert_eq!(shoot(10, 12), 0, "born a tick later");
    assert_eq!(shoot(3, 24), 0);
}

#[test]
fn a_rock_stops_bolts_and_beams() {
    let mut play = Play::duel();
    play.game.world.rocks = vec![movement::Rock { x: 0, y: 0, radius: 50 * UNIT, shape: 1 }];
    let id = play.game.world.ids.take(Tick(play.game.world.tick as u32)).unwrap();
    play.game.world.rock_ids = vec![id.get()];
    play.reload();
    charge(&mut play);
    play.tick();
    let beam = play.events(EVENT_BEAM).remove(0);
    assert_eq!(beam[5], 0);
    assert!((beam[2] + 50 * UNIT).abs() < UNIT, "it ends at the rock: {}", beam[2]);
    play.set(0, INPUT_FIRE, 1);
    let mut sparks = 0;
    for _ in 0..60 {
        play.tick();
        sparks += play.events(EVENT_SPARK).len();
        assert!(play.events(EVENT_HIT).is_empty());
    }
    assert!(sparks > 3);
}

#[test]
fn each_pickup_does_what_its_sort_says_and_comes_back_as_another() {
    let options = ArenaOptions { rocks: Some(0), pickups: Some(1), ..ArenaOptions::default() };
    let mut play = Play::new(7, options);
    play.join(0, false);
    play.run(130);
    for sort in 0..SORTS {
        let tick = play.game.world.tick;
        let pad = &mut play.game.world.pads[0];
        (pad.sort, pad.ready_at) = (sort, tick);
        play.put(0, 0, 0, 0);
        let ship = &mut play.game.world.ships[0];
        (ship.hull, ship.shield, ship.energy, ship.shield_at) = (1000, 1000, 1000, i32::MAX);
        play.tick();
        assert_eq!(play.events(EVENT_PICKUP)[0][2..], [0, sort]);
        assert!(play.rows_of(PICKUP).is_empty(), "taken");
        let (ship, t, tick) = (*play.ship(0), play.game.tuning.clone(), play.game.world.tick);
        match sort {
            SORT_REPAIR => assert_eq!(ship.hull, 1000 + t.pickup.repair_q6),
            SORT_CHARGE => {
                assert_eq!((ship.energy, ship.shield), (t.ship.energy_max_q6, t.ship.shield_max_q6));
            }
            SORT_RAPID => assert_eq!(ship.rapid_until, tick + t.pickup.rapid_ticks),
            _ => assert_eq!(ship.might_until, tick + t.pickup.might_ticks),
        }
        let ready_at = play.game.world.pads[0].ready_at;
        assert!((tick + t.pickup.respawn_ticks_min..=tick + t.pickup.respawn_ticks_max).contains(&ready_at));
    }
    play.put(0, 500, 500, 0);
    play.run(play.game.tuning.pickup.respawn_ticks_max as u32);
    assert_eq!(play.rows_of(PICKUP).len(), 1, "it is back");
}

#[test]
fn a_dash_is_one_press_and_must_rest() {
    let mut play = Play::duel();
    play.set(0, INPUT_DASH, 1);
    play.tick();
    assert_eq!(play.events(EVENT_DASH).len(), 1);
    let speed = play.ship(0).vx;
    assert!(speed > 20_000, "it leaps: {speed}");
    play.tick();
    assert!(play.events(EVENT_DASH).is_empty(), "a press is not a level");
    play.set(0, INPUT_DASH, 2);
    play.tick();
    assert!(play.events(EVENT_DASH).is_empty(), "too early");
    play.run(play.game.tuning.dash.wait_ticks as u32);
    play.set(0, INPUT_DASH, 3);
    play.tick();
    assert_eq!(play.events(EVENT_DASH).len(), 1);
}

#[test]
fn rows_and_visible_sets_agree() {
    let map = Tuning::shipped().map;
    for (ships, options) in [(12, ArenaOptions::default()), (200, ArenaOptions::for_ships(400, &map))] {
        let culls = options.culls(&map);
        assert_eq!(culls, ships == 200);
        let mut play = Play::new(5, options);
        (0..ships).for_each(|seat| play.join(seat, true));
        let mut seen = VisibleSet::default();
        for _ in 0..40 {
            play.run(5);
            let mut rows = Rows::default();
            play.game.rows(&mut rows);
            let public: VisibleSet = rows.iter().filter(|row| row.owner.is_none()).map(|row| row.id).collect();
            let owners: Vec<u16> = rows.iter().filter_map(|row| row.owner.map(|seat| seat.0)).collect();
            assert_eq!(owners.len(), usize::from(ships), "one private row per seat");
            seen.clear();
            play.game.visible(play.game.viewpoint(None), &mut seen);
            assert!(seen.iter().eq(public.iter()), "a spectator sees all that is public, and nothing else");
            for seat in 0..ships {
                seen.clear();
                play.game.visible(play.game.viewpoint(Some(SeatId(seat))), &mut seen);
                assert!(seen.iter().all(|id| public.contains(id)));
                let pilot = &play.game.world.pilots[usize::from(seat)];
                assert!(seen.contains(EntityId::new(pilot.score_id).unwrap()), "its own line");
                let me = play.ship(usize::from(seat));
                if me.alive() {
                    assert!(seen.contains(EntityId::new(pilot.ship_id).unwrap()), "its own ship");
                }
                for row in rows.iter().filter(|row| row.kind == SHIP) {
                    let way = (row.fields[0] - me.x).abs().max((row.fields[1] - me.y).abs()) / UNIT;
                    let sees = seen.contains(row.id);
                    assert!(way > 896 || sees, "seat {seat} does not see a ship {way} away");
                    assert!(!culls || way < 1700 || !sees, "seat {seat} sees a ship {way} away");
                }
            }
        }
    }
}

#[test]
fn who_leaves_takes_everything_along() {
    let mut play = Play::with_bots(3, 5);
    play.run(400);
    play.set(2, INPUT_FIRE, 1);
    play.run(3);
    let ids = {
        let pilot = &play.game.world.pilots[2];
        [pilot.ship_id, pilot.own_id, pilot.score_id]
    };
    play.game.world.round.leader = Some(2);
    play.leave(2);
    let rows = play.rows();
    assert!(ids.iter().all(|id| !rows.contains_key(id)));
    assert!(play.rows_of(BOLT).iter().all(|bolt| bolt[6] != 2));
    assert!(play.rows_of(SCORE).iter().all(|score| score[0] != 2));
    assert_ne!(play.game.world.round.leader, Some(2));
    play.run(100);
    play.join(2, false);
    play.run(2);
    let pilot = &play.game.world.pilots[2];
    assert!(ids.iter().all(|id| ![pilot.ship_id, pilot.own_id, pilot.score_id].contains(id)), "the ids rest");
    assert_eq!(play.rows_of(SHIP).len(), 5);
}

#[test]
fn pairs_from_the_grid_are_those_of_every_pair() {
    let options = ArenaOptions { width_u: Some(800), height_u: Some(800), rocks: Some(0), ..ArenaOptions::default() };
    let mut play = Play::new(2, options);
    (0..60).for_each(|seat| play.join(seat, true));
    play.run(2);
    let mut rng = Rng::new(4);
    for round in 0..200 {
        for ship in &mut play.game.world.ships {
            (ship.x, ship.y) = (rng.between(-300, 300) * 1000, rng.between(-300, 300) * 1000);
            (ship.vx, ship.vy) = (rng.between(-30_000, 30_000), rng.between(-30_000, 30_000));
        }
        let mut all = play.game.world.ships.clone();
        let from: Vec<(i32, i32)> = all.iter().map(|ship| (ship.x, ship.y)).collect();
        let reach = movement::pair_reach(&play.game.tuning);
        let around = movement::Surroundings {
            tick: play.game.world.tick,
            armed: true,
            half_width: play.game.half_width,
            half_height: play.game.half_height,
            rocks: &[],
        };
        for first in 0..all.len() {
            for second in first + 1..all.len() {
                let (a, b) = (from[first], from[second]);
                if (a.0 - b.0).abs() < reach && (a.1 - b.1).abs() < reach {
                    let [one, other] = all.get_disjoint_mut([first, second]).unwrap();
                    movement::touch_ships(one, other, &around, &play.game.tuning);
                }
            }
        }
        play.game.touch_all(&mut Events::default());
        assert_eq!(play.game.world.ships, all, "round {round}");
    }
}

#[test]
fn a_step_of_a_ship_that_is_flat_out_reaches_the_speed_that_the_rules_name() {
    let mut play = Play::duel();
    play.put(0, -1100, -300, 0);
    play.set(0, INPUT_THRUST, 127);
    play.run(200);
    let speed = play.ship(0).vx;
    assert!((33_000..35_000).contains(&speed), "about 500 world units per second: {speed}");
    play.set(0, INPUT_THRUST, 0);
    play.put(0, 0, -300, 0);
    play.run(400);
    assert_eq!(play.ship(0).vx, 0, "drag brings it to rest");
    let heading = play.ship(0).heading;
    play.set(0, INPUT_TURN, 127);
    play.run(90);
    let turned = (play.ship(0).heading - heading) & 0xFFFF;
    assert!((turned - 65_520).abs() < 50, "a turn in a second and a half: {turned}");
}

mod random_inputs {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Act {
        Row(u16, [i32; 5]),
        Join(u16, bool),
        Leave(u16),
        Run(u8),
        Reload,
    }

    fn act() -> impl Strategy<Value = Act> {
        let level = prop_oneof![Just(-127), Just(127), Just(0), -127..=127];
        prop_oneof![
            8 => (0_u16..12, level.clone(), level, 0..=1, 0..=1, 0..=255)
                .prop_map(|(seat, thrust, turn, fire, beam, dash)| Act::Row(seat, [thrust, turn, fire, beam, dash])),
            2 => (0_u16..12, any::<bool>()).prop_map(|(seat, bot)| Act::Join(seat, bot)),
            1 => (0_u16..12).prop_map(Act::Leave),
            8 => (1_u8..60).prop_map(Act::Run),
            1 => Just(Act::Reload),
        ]
    }

    fn check(play: &Play) {
        let (game, t) = (&play.game, &play.game.tuning.ship);
        for &seat in &game.world.order {
            let ship = &game.world.ships[usize::from(seat)];
            if !ship.alive() {
                continue;
            }
            assert!(ship.x.abs() <= game.half_width - t.radius_q12, "{ship:?}");
            assert!(ship.y.abs() <= game.half_height - t.radius_q12, "{ship:?}");
            assert!((0..1 << 16).contains(&ship.heading), "{ship:?}");
            assert!((0..=t.energy_max_q6).contains(&ship.energy), "{ship:?}");
            assert!((0..=t.shield_max_q6).contains(&ship.shield), "{ship:?}");
            assert!((1..=t.hull_max_q6).contains(&ship.hull), "{ship:?}");
            assert!(ship.vx.abs().max(ship.vy.abs()) <= 1 << 17, "{ship:?}");
        }
        assert!(game.world.order.is_sorted_by_key(|&seat| game.world.pilots[usize::from(seat)].ship_id));
        assert!(game.world.bolts.is_sorted_by_key(|bolt| bolt.id));
        let rows = play.rows();
        assert_eq!(rows.values().filter(|(kind, _)| *kind == OWN).count(), play.seats.len());
        assert_eq!(rows.values().filter(|(kind, _)| *kind == MATCH).count(), 1);
        let schema = schema();
        for (kind, fields) in rows.values() {
            assert_eq!(fields.len(), schema.kinds[usize::from(kind.0)].fields.len());
        }
        for (kind, _, fields) in play.events.iter() {
            assert_eq!(fields.len(), schema.events[usize::from(kind.0)].fields.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn nothing_that_people_do_breaks_the_match(seed in any::<u64>(), acts in prop::collection::vec(act(), 1..120)) {
            let options = ArenaOptions {
                round_seconds: Some(12), width_u: Some(1000), height_u: Some(900), ..ArenaOptions::default()
            };
            let mut play = Play::new(seed, options);
            play.join(0, false);
            for act in acts {
                match act {
                    Act::Row(seat, fields) if play.seats.contains_key(&seat) => {
                        play.seats.get_mut(&seat).unwrap().0[..5].copy_from_slice(&fields);
                        play.seats.get_mut(&seat).unwrap().2 = (fields[4] * 2) as u16;
                    }
                    Act::Join(seat, bot) if !play.seats.contains_key(&seat) => play.join(seat, bot),
                    Act::Leave(seat) if play.seats.contains_key(&seat) => play.leave(seat),
                    Act::Run(ticks) => (0..ticks).for_each(|_| { play.tick(); check(&play); }),
                    Act::Reload => play.reload(),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn controls_beyond_the_schema_are_clamped() {
    let mut play = Play::duel();
    play.set(0, INPUT_THRUST, i32::MAX);
    play.set(0, INPUT_TURN, i32::MIN);
    play.tick();
    let wanted = Controls { thrust: LEVEL_MAX, turn: -LEVEL_MAX, ..Controls::default() };
    assert_eq!(play.game.derived.controls[0].0, wanted);
}
