//! Rounds, bots, pickups, and what clients get to see.

use super::*;

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

/// Whoever changes a name here changes the text for client authors too.
#[test]
fn the_rules_text_names_every_field_event_control_and_number() {
    let text = include_str!("../RULES.md");
    let schema = schema();
    let kinds = schema.kinds.iter().map(|kind| (&kind.name, &kind.fields));
    let events = schema.events.iter().map(|event| (&event.name, &event.fields));
    let mut names: Vec<String> = schema.inputs.iter().map(|input| input.name.clone()).collect();
    for (name, fields) in kinds.chain(events) {
        names.push(name.clone());
        names.extend(fields.iter().map(|field| field.name.clone()));
    }
    let tuning: serde_json::Value = serde_json::from_slice(tuning::TUNING_JSON).expect("JSON");
    let mut numbers = Vec::new();
    for (section, values) in tuning.as_object().expect("an object").iter().filter(|(name, _)| *name != "about") {
        for (name, value) in values.as_object().expect("sections of numbers") {
            assert!(value.is_i64(), "{section}.{name} is not a whole number");
            numbers.push(format!("{section}.{name}"));
        }
    }
    for name in names {
        assert!(text.contains(&format!("`{name}`")), "RULES.md does not name `{name}`");
    }
    for number in &numbers {
        assert!(text.contains(number.as_str()), "RULES.md does not name {number}");
    }
    // And it names no number that is not there.
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')) {
        if let Some((section, _)) = word.split_once('.')
            && tuning.get(section).is_some_and(serde_json::Value::is_object)
            && word.contains('_')
        {
            assert!(numbers.iter().any(|number| number == word), "RULES.md names {word}, which is not in the tuning");
        }
    }
}
