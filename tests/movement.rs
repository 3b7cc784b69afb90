//! `assets/golden/movement.json`: the vectors that hold every language to Arena's movement. This test checks them against
//! the Rust step; `client/test/movement.test.js` reads the same file. With `TICKROOM_WRITE_GOLDEN=1` it writes it anew.

use std::path::Path;

use serde_json::{Value, json};
use tickroom::arena::movement::{Controls, Rock, ShipState, Surroundings, muzzle, pair_reach, step_ship, touch_ships};
use tickroom::arena::tuning::Tuning;
use tickroom::sim::fixed;

const UNIT: i32 = 4096;
const HALF_WIDTH: i32 = 700 * UNIT;
const HALF_HEIGHT: i32 = 500 * UNIT;

/// Marsaglia's xorshift with 13, 17, 5: the dice of both languages.
struct Dice(u32);

impl Dice {
    fn roll(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// `low ..= high`, at most 16 bits wide.
    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + (self.roll() >> 16) as i32 % (high - low + 1)
    }
}

fn rocks() -> Vec<Rock> {
    [(-300, -150, 90), (0, 60, 40), (260, -220, 70), (420, 180, 96), (-450, 260, 33)]
        .map(|(x, y, radius)| Rock { x: x * UNIT, y: y * UNIT, radius: radius * UNIT, shape: 0 })
        .to_vec()
}

fn around(tick: i32, armed: bool, rocks: &[Rock]) -> Surroundings<'_> {
    Surroundings { tick, armed, half_width: HALF_WIDTH, half_height: HALF_HEIGHT, rocks }
}

fn controls_row(c: &Controls) -> Value {
    json!([c.thrust, c.turn, i32::from(c.fire), i32::from(c.beam), i32::from(c.dash)])
}

/// A whole play: ships with random controls among rocks, each pair tried, all words digested.
struct Play {
    dice: Dice,
    tuning: Tuning,
    rocks: Vec<Rock>,
    ships: Vec<ShipState>,
    controls: Vec<Controls>,
    tick: i32,
    digest: u32,
    struck: u32,
    touched: u32,
    fired: u32,
    dashed: u32,
}

impl Play {
    fn new(seed: u32, count: usize) -> Self {
        Self::with(seed, count, Tuning::shipped())
    }

    fn with(seed: u32, count: usize, tuning: Tuning) -> Self {
        let mut dice = Dice(seed);
        let ships = (0..count)
            .map(|at| ShipState {
                x: dice.between(-600, 600) * UNIT,
                y: dice.between(-400, 400) * UNIT,
                heading: dice.between(0, 65_535),
                energy: dice.between(0, tuning.ship.energy_max_q6),
                shield: dice.between(0, tuning.ship.shield_max_q6),
                hull: tuning.ship.hull_max_q6,
                shield_at: dice.between(0, 600),
                protected_until: 120,
                rapid_until: if at % 2 == 0 { 900 } else { 0 },
                ..ShipState::default()
            })
            .collect();
        Self {
            dice,
            tuning,
            rocks: rocks(),
            ships,
            controls: vec![Controls::default(); count],
            tick: 0,
            digest: 0x811C_9DC5,
            struck: 0,
            touched: 0,
            fired: 0,
            dashed: 0,
        }
    }

    fn absorb(&mut self, word: i32) {
        self.digest = (self.digest ^ word as u32).wrapping_mul(0x0100_0193);
    }

    fn tick(&mut self) {
        self.tick += 1;
        let rocks = std::mem::take(&mut self.rocks);
        let here = around(self.tick, self.tick % 1000 < 900, &rocks);
        let mut bolts = Vec::new();
        for at in 0..self.ships.len() {
            let controls = &mut self.controls[at];
            controls.dash = false;
            if self.dice.roll() & 15 == 0 {
                let bits = self.dice.roll();
                controls.thrust = ((bits & 255) as i32 - 128).max(-127);
                controls.turn = ((bits >> 8 & 255) as i32 - 128).max(-127);
                controls.fire = bits >> 16 & 1 == 1;
                controls.beam = bits >> 17 & 1 == 1;
                controls.dash = bits >> 18 & 7 == 0;
            }
            let deeds = step_ship(&mut self.ships[at], controls, &here, &self.tuning);
            bolts.push(deeds.bolt);
            self.struck += u32::from(deeds.bump > 0);
            self.fired += u32::from(deeds.bolt);
            self.dashed += u32::from(deeds.dash);
            self.absorb(deeds.bump);
            self.absorb(i32::from(deeds.bolt) | i32::from(deeds.beam) << 1 | i32::from(deeds.dash) << 2);
        }
        let from: Vec<(i32, i32)> = self.ships.iter().map(|ship| (ship.x, ship.y)).collect();
        let reach = pair_reach(&self.tuning);
        for first in 0..from.len() {
            for second in first + 1..from.len() {
                let (a, b) = (from[first], from[second]);
                if (a.0 - b.0).abs() < reach && (a.1 - b.1).abs() < reach {
                    let [one, other] = self.ships.get_disjoint_mut([first, second]).expect("two ships");
                    let speed = touch_ships(one, other, &here, &self.tuning);
                    self.touched += u32::from(speed > 0);
                    self.absorb(speed);
                }
            }
        }
        for (at, bolt) in bolts.into_iter().enumerate() {
            if bolt {
                muzzle(&self.ships[at], &self.tuning).into_iter().for_each(|word| self.absorb(word));
            }
            self.ships[at].row().into_iter().for_each(|word| self.absorb(word));
        }
        self.rocks = rocks;
    }

    fn assert_lively(&self) {
        let counts = [self.struck, self.touched, self.fired, self.dashed];
        assert!(counts.iter().all(|&count| count > 50), "struck, touched, fired, dashed: {counts:?}");
    }
}

/// One step each, chosen so that every rule is met alone: walls, rocks, drag, speed limit, dash, bolts, beam.
fn steps(tuning: &Tuning) -> Vec<Value> {
    let mut out = Vec::new();
    let rocks = rocks();
    let mut add = |what: &str, ship: ShipState, controls: Controls, tick: i32, armed: bool| {
        let mut after = ship;
        let deeds = step_ship(&mut after, &controls, &around(tick, armed, &rocks), tuning);
        out.push(json!({
            "what": what, "before": ship.row(), "controls": controls_row(&controls), "tick": tick, "armed": armed,
            "after": after.row(), "deeds": [i32::from(deeds.bolt), i32::from(deeds.beam), i32::from(deeds.dash), deeds.bump],
        }));
    };
    let full = ShipState {
        energy: tuning.ship.energy_max_q6,
        shield: tuning.ship.shield_max_q6,
        hull: tuning.ship.hull_max_q6,
        ..ShipState::default()
    };
    let idle = Controls::default();
    let mut dice = Dice(77);
    for v in [0, 1, -1, 41, -41, 42, -42, 43, -43, 5000, -5000] {
        add("drag", ShipState { x: -100 * UNIT, vx: v, vy: -v, ..full }, idle, 5, true);
    }
    for heading in [0, 1, 63, 64, 16_383, 16_384, 32_768, 40_000, 65_535] {
        for thrust in [127, 60, 1, -1, -127] {
            let controls = Controls { thrust, turn: if thrust == 60 { -77 } else { 0 }, ..idle };
            add("thrust", ShipState { y: -400 * UNIT, heading, vx: 311, vy: -917, ..full }, controls, 5, true);
        }
    }
    for turn in [-127, -64, -1, 1, 64, 127] {
        add("turn", ShipState { y: -400 * UNIT, heading: 300, ..full }, Controls { turn, ..idle }, 5, true);
    }
    for (vx, vy) in [(90_000, 0), (-60_000, 60_000), (68_000, -68_000), (131_072, 131_072), (48_272, 48_272)] {
        add("speed limit", ShipState { y: -400 * UNIT, vx, vy, ..full }, idle, 5, true);
    }
    for (x, y, vx, vy) in [
        (690, 0, 40_000, 3),
        (-690, 0, -40_001, -3),
        (0, 490, 3, 30_000),
        (0, -490, -3, -30_001),
        (690, 490, 30_000, 20_000),
        (690, -490, -10, 20_000),
    ] {
        add("wall", ShipState { x: x * UNIT, y: y * UNIT, vx, vy, ..full }, idle, 5, true);
    }
    for rock in &rocks {
        for _ in 0..8 {
            let reach = rock.radius + tuning.ship.radius_q12;
            let (heading, depth) = (dice.between(0, 65_535), dice.between(-20, 60_000));
            let x = rock.x + fixed::mul_shift(fixed::cos(heading), (reach - depth) >> 4, 14) * 16;
            let y = rock.y + fixed::mul_shift(fixed::sin(heading), (reach - depth) >> 4, 14) * 16;
            let (vx, vy) = (dice.between(-30_000, 30_000), dice.between(-30_000, 30_000));
            add("rock", ShipState { x, y, vx, vy, ..full }, idle, 5, true);
        }
        add("the middle of a rock", ShipState { x: rock.x, y: rock.y, vx: -500, vy: 20, ..full }, idle, 5, true);
    }
    let away = ShipState { x: -600 * UNIT, y: -400 * UNIT, heading: 9000, ..full };
    let dash = Controls { thrust: 127, dash: true, ..idle };
    add("dash", away, dash, 50, true);
    add("dash back", away, Controls { thrust: -5, ..dash }, 50, true);
    add("dash too early", ShipState { dash_at: 51, ..away }, dash, 50, true);
    add("dash without energy", ShipState { energy: 1000, ..away }, dash, 50, true);
    add("dash in the results phase", away, dash, 50, false);
    let fire = Controls { fire: true, ..idle };
    add("fire", ShipState { protected_until: 100, ..away }, fire, 50, true);
    add("fire too early", ShipState { fire_at: 51, ..away }, fire, 50, true);
    add("fire rapidly", ShipState { rapid_until: 51, ..away }, fire, 50, true);
    add("rapid is over", ShipState { rapid_until: 50, ..away }, fire, 50, true);
    add("fire without energy", ShipState { energy: 290, ..away }, fire, 50, true);
    add("fire in the results phase", ShipState { protected_until: 100, ..away }, fire, 50, false);
    let beam = Controls { beam: true, fire: true, ..idle };
    add("charge", away, beam, 50, true);
    add("charge without energy, so fire", ShipState { energy: 2000, ..away }, beam, 50, true);
    add("charging", ShipState { beam_at: 60, ..away }, beam, 50, true);
    add("let go too early", ShipState { beam_at: 51, ..away }, fire, 50, true);
    add("let go", ShipState { beam_at: 50, protected_until: 99, ..away }, fire, 50, true);
    add("the round ends while it charges", ShipState { beam_at: 50, ..away }, idle, 50, false);
    add("shield grows", ShipState { shield: 10, shield_at: 50, ..away }, idle, 50, true);
    add("shield waits", ShipState { shield: 10, shield_at: 51, ..away }, idle, 50, true);
    out
}

fn pairs(tuning: &Tuning) -> Vec<Value> {
    let mut dice = Dice(99);
    let mut out = Vec::new();
    let mut add = |first: ShipState, second: ShipState| {
        let (mut one, mut other) = (first, second);
        let speed = touch_ships(&mut one, &mut other, &around(5, true, &[]), tuning);
        out.push(json!({
            "first": first.row(), "second": second.row(), "first_after": one.row(), "second_after": other.row(),
            "speed": speed,
        }));
    };
    for _ in 0..40 {
        let mut ship = |spread: i32| ShipState {
            x: dice.between(-spread, spread) * 8,
            y: dice.between(-spread, spread) * 8,
            vx: dice.between(-30_000, 30_000),
            vy: dice.between(-30_000, 30_000),
            ..ShipState::default()
        };
        add(ship(6000), ship(6000));
    }
    let still = ShipState::default();
    add(still, still);
    add(ShipState { vx: 5000, ..still }, ShipState { vx: -5000, ..still });
    let corner = ShipState { x: 684 * UNIT, y: 484 * UNIT, vx: 20_000, vy: 20_000, ..still };
    add(corner, ShipState { x: 670 * UNIT, y: 470 * UNIT, vx: 131_072, vy: 131_072, ..still });
    add(ShipState { vx: -131_072, ..still }, ShipState { x: -9000, vx: 131_072, ..still });
    out
}

fn golden() -> Value {
    let tuning = Tuning::shipped();
    let mut dice = Dice(5);
    let mut headings: Vec<i32> = vec![0, 63, 64, 16_384, 32_767, 32_768, 49_152, 65_535];
    headings.extend((0..40).map(|_| dice.between(0, 65_535)));
    let mut roots: Vec<i32> = vec![0, 1, 2, 3, 4, 8, 9, 15, 16, 65_535, 65_536, 1_073_741_823, i32::MAX, -7];
    roots.extend((0..40).map(|_| (dice.roll() >> 1) as i32 >> dice.between(0, 30)));
    let mut speeds: Vec<i32> = vec![0, 1, -1, 42, -42, 43, -43, 63, -63, 64, 65_535, -131_072, 131_072];
    speeds.extend((0..20).map(|_| dice.between(-30_000, 30_000)));
    let muzzles: Vec<Value> = (0..20)
        .map(|_| {
            let (heading, vx, vy) =
                (dice.between(0, 65_535), dice.between(-30_000, 30_000), dice.between(-30_000, 30_000));
            let ship = ShipState { x: 12_345, y: -54_321, heading, vx, vy, ..ShipState::default() };
            json!({ "ship": ship.row(), "bolt": muzzle(&ship, &tuning) })
        })
        .collect();

    let mut play = Play::new(2025, 24);
    let start: Vec<_> = play.ships.iter().map(ShipState::row).collect();
    let mut digests = Vec::new();
    for _ in 0..30 {
        (0..100).for_each(|_| play.tick());
        digests.push(play.digest);
    }
    play.assert_lively();
    let mut million = Play::new(31_337, 20);
    (0..50_000).for_each(|_| million.tick());
    million.assert_lively();

    json!({
        "about": "Arena's movement: see src/arena/RULES.md. Ship rows are in the order of the schema's kind `own`; \
                  controls are thrust, turn, fire, beam, dash; deeds are bolt, beam, dash, bump.",
        "half_width": HALF_WIDTH,
        "half_height": HALF_HEIGHT,
        "rocks": rocks().iter().map(|rock| [rock.x, rock.y, rock.radius]).collect::<Vec<_>>(),
        "sine": headings.iter().map(|&h| [h, fixed::sin(h), fixed::cos(h)]).collect::<Vec<_>>(),
        "isqrt": roots.iter().map(|&n| [n, fixed::isqrt(n)]).collect::<Vec<_>>(),
        "drag": speeds.iter().map(|&v| [v, tuning.ship.drag_q7, fixed::drag(v, tuning.ship.drag_q7)]).collect::<Vec<_>>(),
        "steps": steps(&tuning),
        "pairs": pairs(&tuning),
        "muzzle": muzzles,
        "play": { "seed": 2025, "ships": 24, "start": start, "digest_every": 100, "digests": digests },
        "million": { "seed": 31_337, "ships": 20, "ticks": 50_000, "digest": million.digest },
    })
}

#[test]
fn movement_is_what_the_golden_vectors_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/golden/movement.json");
    let made = golden();
    if std::env::var("TICKROOM_WRITE_GOLDEN").is_ok_and(|value| value == "1") {
        let sections = made.as_object().expect("an object").iter().map(|(name, value)| match value {
            Value::Array(list) if list.len() > 8 => {
                let lines: Vec<String> = list.iter().map(|item| format!("    {item}")).collect();
                format!("  \"{name}\": [\n{}\n  ]", lines.join(",\n"))
            }
            value => format!("  \"{name}\": {value}"),
        });
        std::fs::write(&path, format!("{{\n{}\n}}\n", sections.collect::<Vec<_>>().join(",\n"))).expect("writable");
    }
    let stored: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("assets/golden/movement.json")).expect("JSON");
    for (name, value) in made.as_object().expect("an object") {
        let known = &stored[name];
        if let (Value::Array(value), Value::Array(known)) = (value, known) {
            for (at, (value, known)) in value.iter().zip(known).enumerate() {
                assert_eq!(value, known, "{name} {at}");
            }
        }
        assert_eq!(value, known, "{name}");
    }
}

/// A step that is wrong by the smallest amount must show in the digest: what it proves is worth that much.
#[test]
fn one_wrong_bit_changes_the_digest() {
    let run = |spoil: bool| {
        let mut play = Play::new(2025, 24);
        for tick in 0..100 {
            if spoil && tick == 50 {
                play.ships[7].vx ^= 1;
            }
            play.tick();
        }
        play.digest
    };
    assert_eq!(run(false), run(false));
    assert_ne!(run(false), run(true));
}

/// A client with a tuning that differs in one number by one must not pass: each number is really met in the play.
#[test]
fn every_number_that_movement_uses_changes_the_digest() {
    let shipped: Value = serde_json::from_slice(tickroom::arena::tuning::TUNING_JSON).expect("JSON");
    let digest = |tuning: &Value| {
        let mut play = Play::with(2025, 24, serde_json::from_value(tuning.clone()).expect("a tuning"));
        // Faster than any ship flies by itself, so that the speed limit is met too.
        play.ships[0].vx = 100_000;
        (0..1500).for_each(|_| play.tick());
        play.digest
    };
    let expected = digest(&shipped);
    let server_only = ["respawn_ticks", "protected_ticks", "shield_wait_ticks"];
    let mut numbers = vec![("pickup", "rapid_wait_ticks"), ("pickup", "rapid_cost_q6")];
    numbers.extend(["impulse_q12_per_tick", "cost_q6", "wait_ticks"].map(|name| ("dash", name)));
    numbers
        .extend(["speed_q12_per_tick", "inherit_q8", "muzzle_q12", "wait_ticks", "cost_q6"].map(|name| ("bolt", name)));
    numbers.extend(["charge_ticks", "cost_q6"].map(|name| ("beam", name)));
    let ship = shipped["ship"].as_object().expect("numbers");
    numbers
        .extend(ship.keys().filter(|name| !server_only.contains(&name.as_str())).map(|name| ("ship", name.as_str())));
    for (section, name) in numbers {
        let mut tuning = shipped.clone();
        // The speed limit is compared in sixteenths.
        let least = if name == "speed_max_q12_per_tick" { 16 } else { 1 };
        tuning[section][name] = json!(tuning[section][name].as_i64().expect("a number") + least);
        assert_ne!(digest(&tuning), expected, "{section}.{name} + {least} is not noticed");
    }
}
