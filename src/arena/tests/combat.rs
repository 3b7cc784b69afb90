//! Flight and fight of a few ships on an empty arena.

use super::*;

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
        let mut history = History::for_rate(60);
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
