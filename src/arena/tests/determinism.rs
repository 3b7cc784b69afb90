//! Same seed and inputs, same state; and no input breaks the match.

use super::*;

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
        play.game = Arena::load(&saved, &play.setup).expect("what was saved loads");
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
    assert!(Arena::load(&state[..state.len() / 2], &play.setup).is_err());
    assert!(Arena::load(&[], &play.setup).is_err());
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
